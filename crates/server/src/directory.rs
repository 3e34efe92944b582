//! The directory file: who is in which group, and what they have learned.
//!
//! `DIR/directory.yaml` lists people by name; a principal who is not in it is in no group but `everyone`. A table
//! (`directory.csv`) or an export (`directory.ldif`) can take its place. It is read like a policy: strictly, all problems in one
//! run. Read [`Source`] first.

mod csv;
mod ldif;
mod source;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;
use ordain_core::decide::Who;
use ordain_core::policy::document::Text;
use ordain_core::policy::fields::Reader;
use ordain_core::policy::node;
use ordain_core::policy::problem::Problem;

pub use source::{Several, Source};

/// Principals by name.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    people: HashMap<String, Who>,
    groups: Vec<Text>,
}

impl Directory {
    /// Everybody who is known.
    pub fn people(&self) -> impl Iterator<Item = &Who> {
        self.people.values()
    }

    /// Every group that somebody is put in, where it is named.
    #[must_use]
    pub fn groups(&self) -> &[Text] {
        &self.groups
    }

    /// Whether a principal is in it under exactly this name.
    #[must_use]
    pub fn knows(&self, principal: &str) -> bool {
        self.people.contains_key(principal)
    }

    /// The name under which a principal is known, however it is capitalised; `None` for a stranger, and where two differ
    /// in that alone.
    #[must_use]
    pub fn name_of(&self, principal: &str) -> Option<&str> {
        if let Some((name, _)) = self.people.get_key_value(principal) {
            return Some(name);
        }
        let mut alike = self.people.keys().filter(|name| name.eq_ignore_ascii_case(principal));
        alike.next().filter(|_| alike.next().is_none()).map(String::as_str)
    }

    /// Notes that a principal has completed a course; of several dates the latest counts.
    pub fn complete(&mut self, principal: &str, course: &str, on: Date) {
        let who = self.people.entry(principal.to_owned()).or_insert_with(|| Who {
            principal: principal.to_owned(),
            ..Who::default()
        });
        match who.training.iter_mut().find(|(known, _)| known == course) {
            Some((_, known)) => *known = on.max(*known),
            None => who.training.push((course.to_owned(), on)),
        }
    }

    /// What is known of a principal who calls with some software.
    #[must_use]
    pub fn who(&self, principal: &str, client: Option<&str>) -> Arc<Who> {
        Arc::new(self.who_with(principal, client, &[]))
    }

    /// The same, for one who is in further groups by the word of somebody else.
    #[must_use]
    pub fn who_with(&self, principal: &str, client: Option<&str>, further: &[String]) -> Who {
        let mut known = self.people.get(principal).cloned().unwrap_or_default();
        for group in further {
            if !known.groups.contains(group) {
                known.groups.push(group.clone());
            }
        }
        Who {
            principal: principal.to_owned(),
            client: client.map(str::to_owned),
            ..known
        }
    }
}

/// Reads a directory; problems are added to `problems`.
#[must_use]
pub fn parse(text: &str, problems: &mut Vec<Problem>) -> Directory {
    let mut reader = Reader::default();
    let mut directory = Directory::default();
    if let Some(tree) = node::parse(0, text, &mut reader.problems)
        && let Some(mut fields) = reader.fields(&tree, "the directory")
    {
        for (name, node) in fields.pairs("people", &mut reader, |_, node| node) {
            let Some(mut inner) = reader.fields(node, "a person") else {
                continue;
            };
            let groups = inner.texts("groups", &mut reader);
            directory.groups.extend(groups.iter().cloned());
            let training = inner.good_pairs("training", &mut reader, Reader::date);
            let who = Who {
                principal: name.value.clone(),
                groups: groups.into_iter().map(|group| group.value).collect(),
                client: None,
                training: training
                    .into_iter()
                    .map(|(course, on)| (course.value, on.value))
                    .collect(),
                since: inner
                    .node("since")
                    .and_then(|node| reader.date(node))
                    .map(|date| date.value),
                ..Who::default()
            };
            inner.finish(&mut reader);
            directory.people.insert(name.value, who);
        }
        fields.finish(&mut reader);
    }
    problems.append(&mut reader.problems);
    directory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_in_no_group() {
        let mut problems = Vec::new();
        let directory = parse(
            "people:\n  ada@example.com: {groups: [staff], training: {ai-basics: 2026-10-01}}\n",
            &mut problems,
        );
        assert_eq!(problems, []);
        assert_eq!(directory.who("ada@example.com", Some("ide")).groups, ["staff"]);
        assert!(directory.who("eve@example.com", None).groups.is_empty());
    }
}
