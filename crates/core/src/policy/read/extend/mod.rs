//! A policy laid over the one that it extends: it may tighten, and change what was delegated to it.
//!
//! What may be added, changed and loosened is `docs/reference/extending.md`; each section below is one of its tables.
//! What only the whole shows (a request that one policy lets through and the other does not) is for a check that compares
//! the two, [`Document::parent`] and the document itself. Read [`overlay`] first.

mod data;
mod delegated;
mod monitoring;
mod people;
mod rules;
mod subject;
#[cfg(test)]
mod tests;

use crate::policy::document::{At, Document, Review, Text};
use crate::policy::node::Place;
use crate::policy::problem::Problem;
use crate::verdict::{Mode, Verdict};

pub(super) use delegated::check as check_delegated;
pub(in crate::policy) use delegated::is_touched;

/// The parent's document with the child's laid over it. What the child may not say is a problem.
pub(super) fn overlay(parent: Document, child: &Document, problems: &mut Vec<Problem>) -> Document {
    let mut merged = Document {
        paths: child.paths.clone(),
        base: child.base.clone(),
        extends: child.extends.clone(),
        delegated: child.delegated.clone(),
        // A policy that extends another one states its own version.
        version: child.version.clone(),
        ..parent.clone()
    };
    let mut over = Overlay {
        parent: &parent,
        problems,
    };
    over.passed_on(child);
    over.header(child, &mut merged);
    over.purpose(child, &mut merged);
    over.scope(child, &mut merged);
    over.roles(child, &mut merged);
    over.applications(child, &mut merged);
    over.access(child, &mut merged);
    over.data(child, &mut merged);
    over.outputs(child, &mut merged);
    over.break_glass(child, &mut merged);
    over.education(child, &mut merged);
    over.consequences(child, &mut merged);
    over.clauses(child, &mut merged);
    over.exceptions(child, &mut merged);
    merged.parent = Some(Box::new(parent));
    merged
}

/// A child being laid over its parent.
struct Overlay<'o> {
    parent: &'o Document,
    problems: &'o mut Vec<Problem>,
}

impl Overlay<'_> {
    /// Whether the parent leaves something to its children.
    fn may(&self, path: &str) -> bool {
        delegated::covers(&self.parent.delegated, path)
    }

    /// Reports something that lets more through than the parent does, unless it was delegated.
    fn loosens(&mut self, path: &str, place: Place, of: Option<Place>, message: impl Into<String>) {
        self.refuse("child-loosens", path, place, of, message.into());
    }

    /// Reports another value where there is no more and no less strict, unless it was delegated.
    fn differs(&mut self, path: &str, place: Place, of: Option<Place>, message: impl Into<String>) {
        self.refuse("not-delegated", path, place, of, message.into());
    }

    fn refuse(&mut self, code: &'static str, path: &str, place: Place, of: Option<Place>, message: String) {
        if self.may(path) {
            return;
        }
        let says = of.map(|of| {
            let file = self.parent.paths.get(usize::from(of.file));
            format!(
                "the parent says so at {}:{}; ",
                file.map_or("", String::as_str),
                of.line
            )
        });
        let problem = Problem::error(code, place, message);
        self.problems.push(problem.help(format!(
            "{}it would have to list `{path}` under `delegated`",
            says.unwrap_or_default()
        )));
    }

    /// Compares a verdict with the parent's.
    fn verdict(&mut self, path: &str, was: Verdict, of: Option<Place>, now: &At<Verdict>) {
        if now.value < was {
            self.loosens(
                path,
                now.place,
                of,
                format!("`{}` is milder than the parent's `{was}`", now.value),
            );
        }
    }

    /// Compares a number of days, of which fewer are stricter.
    fn days(&mut self, path: &str, was: Option<&At<u32>>, now: &At<u32>) {
        if let Some(was) = was
            && now.value > was.value
        {
            let message = format!("{} days are more than the parent's {}", now.value, was.value);
            self.loosens(path, now.place, Some(was.place), message);
        }
    }

    /// The child's word where it says one. Another one than the parent's has to be delegated.
    fn word(&mut self, path: &str, was: &mut Option<Text>, now: Option<&Text>) {
        let Some(now) = now else { return };
        if let Some(was) = was
            && was.value != now.value
        {
            let message = format!("`{}` stands here, and `{}` in the parent", now.value, was.value);
            self.differs(path, now.place, Some(was.place), message);
        }
        *was = Some(now.clone());
    }

    fn header(&mut self, child: &Document, merged: &mut Document) {
        merged.organization = child.organization.clone().or(merged.organization.take());
        merged.approved = child.approved.clone().or(merged.approved.take());
        add_words(&mut merged.profiles, &child.profiles);
        if let Some(zone) = &child.timezone {
            if zone.value != self.parent.zone() {
                let of = self.parent.timezone.as_ref().map(|zone| zone.place);
                self.differs(
                    "timezone",
                    zone.place,
                    of,
                    "another time zone moves every date of the parent",
                );
            }
            merged.timezone = Some(zone.clone());
        }
        if let Some(review) = &child.review {
            let own = merged.review.get_or_insert_with(|| Review {
                every: None,
                also: Vec::new(),
            });
            if let Some(every) = &review.every {
                self.days("review.every", own.every.as_ref(), every);
                own.every = Some(every.clone());
            }
            add_words(&mut own.also, &review.also);
        }
        for head in &child.sections {
            match merged.sections.iter_mut().find(|known| known.section == head.section) {
                Some(known) => known.statement = head.statement.clone().or(known.statement.take()),
                None => merged.sections.push(head.clone()),
            }
        }
        merged.sections.sort_by_key(|head| head.section);
        self.rollout(child, merged);
    }

    fn rollout(&mut self, child: &Document, merged: &mut Document) {
        let before = &self.parent.rollout;
        if let Some(now) = &child.rollout.default {
            self.mode("rollout.default", before.default.as_ref(), now);
            merged.rollout.default = Some(now.clone());
        }
        for (name, now) in &child.rollout.entries {
            if self.is_ours(child, name.as_str()) {
                let own = before.entries.iter().find(|(known, _)| known.value == name.value);
                let was = own.map(|(_, mode)| mode).or(before.default.as_ref());
                self.mode(&format!("rollout.{}", name.value), was, now);
            }
            put(&mut merged.rollout.entries, name, now);
        }
    }

    /// Compares a mode with the parent's.
    fn mode(&mut self, path: &str, was: Option<&At<Mode>>, now: &At<Mode>) {
        let of = was.map(|mode| mode.place);
        let was = was.map_or(Mode::Enforce, |mode| mode.value);
        if now.value < was {
            let message = format!("`{}` acts less than the parent's `{was}`", now.value);
            self.loosens(path, now.place, of, message);
        }
    }

    /// Whether a citation is the parent's rather than a clause or gate that the child adds.
    fn is_ours(&self, child: &Document, name: &str) -> bool {
        let has = |document: &Document| {
            let clauses = document.clauses.iter().map(|clause| &clause.id);
            let mut ids = clauses.chain(document.education.gates.iter().map(|gate| &gate.id));
            ids.any(|id| id.as_str() == name)
        };
        has(self.parent) || !has(child)
    }
}

/// Sets a named value, in its old place if there is one.
fn put<T: Clone>(list: &mut Vec<(Text, T)>, name: &Text, value: &T) {
    match list.iter_mut().find(|(known, _)| known.value == name.value) {
        Some(known) => *known = (name.clone(), value.clone()),
        None => list.push((name.clone(), value.clone())),
    }
}

/// Adds the words that are not there yet.
fn add_words(list: &mut Vec<Text>, more: &[Text]) {
    for word in more {
        if !list.iter().any(|known| known.value == word.value) {
            list.push(word.clone());
        }
    }
}

/// Whether every word stands in the other list.
fn all_in(words: &[Text], other: &[Text]) -> bool {
    words
        .iter()
        .all(|word| other.iter().any(|known| known.value == word.value))
}
