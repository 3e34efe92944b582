//! A clause of the library: a template with its parameters, its standing in each profile and its cases.
//!
//! `<name>` in a clause's text or cases stands for a parameter or for a word of the cast. Read [`Clause`] first.

use std::fmt;

use super::words::words_in;
use crate::policy::document::Section;
use crate::policy::fields::{Fields, Reader};
use crate::policy::node::{self, Node, Place, Value};
use crate::policy::problem::Problem;
use crate::verdict::{Mode, words};

/// A clause that an organisation can adopt.
#[derive(Debug, Clone)]
pub struct Clause {
    /// The section that it goes into.
    pub section: Section,
    /// Its id, in the library and in every policy.
    pub id: String,
    /// What it is about, in a few words.
    pub title: String,
    /// Why it is worth having, and what it asks of people.
    pub about: String,
    /// Its standing by profile; `optional` where a profile is not named.
    pub standing: Vec<(String, Standing)>,
    /// What makes it required, whatever the profiles: `works-council`, a sector, a regulation.
    pub required_where: Vec<String>,
    /// How its rule acts on adoption.
    pub mode: Option<Mode>,
    /// Words of the cast without which it makes no sense.
    pub needs: Vec<String>,
    /// Whether no exception may name it.
    pub never_excepted: bool,
    /// What can be set.
    pub parameters: Vec<Parameter>,
    /// Other values of parameters by profile.
    pub overrides: Vec<(String, Vec<(String, String)>)>,
    /// The text that goes into the policy, with its words.
    pub text: String,
    /// What holds it up.
    pub held_by: HeldBy,
    /// Its cases.
    pub cases: Vec<CaseText>,
}

words! {
    /// How a profile stands to a clause.
    Standing {
        /// Always in.
        Required = "required",
        /// In, unless the organisation is bold.
        Recommended = "recommended",
        /// In when it is asked for.
        Optional = "optional",
        /// Makes no sense there.
        Excluded = "excluded",
    }
}

words! {
    /// What holds a clause up.
    HeldBy {
        /// A rule that the gateway runs.
        Rule = "rule",
        /// A table of the policy.
        Table = "enforced_by",
        /// Something that people show.
        Evidence = "evidence",
    }
}

words! {
    /// What a parameter may be.
    Kind {
        /// A length of time, such as `30 days`.
        Days = "days",
        /// A whole number.
        Number = "number",
        /// Groups of the scope.
        Groups = "groups",
        /// Apps of the catalogue.
        Apps = "apps",
        /// A role.
        Role = "role",
        /// A data class.
        Class = "class",
        /// A verdict.
        Verdict = "verdict",
        /// Entities, families or the policy's own words.
        Entities = "entities",
        /// Models, as patterns.
        Models = "models",
        /// Uses of the scope.
        Uses = "uses",
        /// One word of the organisation's own, such as the name of a calling software.
        Name = "name",
        /// Hours, such as `08:00-18:00`.
        Hours = "hours",
        /// Anything.
        Text = "text",
    }
}

/// Something of a clause that can be set.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name; `<name>` in the text.
    pub name: String,
    /// What it may be.
    pub kind: Kind,
    /// What it is unless somebody says otherwise; may hold words of the cast.
    pub default: String,
    /// What it does.
    pub about: String,
}

/// One case, as text.
#[derive(Debug, Clone)]
pub struct CaseText {
    /// The item as it goes into `cases/`, from `- name:` on.
    pub text: String,
    /// It holds only where one of these is true of the organisation.
    pub only: Vec<String>,
    /// It does not hold where one of these is.
    pub not: Vec<String>,
}

impl Clause {
    /// Its standing in a profile.
    #[must_use]
    pub fn standing_in(&self, profile: &str) -> Standing {
        self.standing
            .iter()
            .find(|(known, _)| known == profile)
            .map_or(Standing::Optional, |&(_, standing)| standing)
    }

    /// A parameter by name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Whether a parameter says how often people show something.
    #[must_use]
    pub fn is_cadence(&self, parameter: &str) -> bool {
        self.text.contains(&format!("every: <{parameter}>"))
    }

    /// The words of the cast that its text cannot do without: those it holds, itself or through a parameter's default.
    pub fn cast_words(&self) -> impl Iterator<Item = &str> {
        let own = words_in(&self.text)
            .into_iter()
            .filter(|word| self.parameter(word).is_none());
        own.chain(
            self.parameters
                .iter()
                .flat_map(|parameter| words_in(&parameter.default)),
        )
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.title)
    }
}

/// Reads a file of clauses.
pub(super) fn read(tree: &Node, reader: &mut Reader) -> Vec<Clause> {
    let Some(mut fields) = reader.fields(tree, "a file of clauses") else {
        return Vec::new();
    };
    let names = Section::ALL.map(Section::as_str);
    let parse = |word: &str| Section::ALL.into_iter().find(|section| section.as_str() == word);
    let section = fields.required_with("section", reader, |reader, node| {
        reader.word(node, "a section", parse, &names)
    });
    let mut clauses = Vec::new();
    for node in fields.list("clauses", reader) {
        if let Some(section) = &section {
            clauses.extend(clause(section.value, node, reader));
        }
    }
    fields.finish(reader);
    clauses
}

fn clause(section: Section, node: &Node, reader: &mut Reader) -> Option<Clause> {
    let mut fields = reader.fields(node, "a clause of the library")?;
    let id = fields.required("id", reader);
    let (title, about) = (fields.required("title", reader), fields.required("about", reader));
    let standing = fields.good_pairs("profiles", reader, |reader, node| {
        let words: Vec<&str> = Standing::ALL.iter().map(|word| word.as_str()).collect();
        reader.word(node, "a standing", Standing::parse, &words)
    });
    let required_where = fields.texts("required_where", reader);
    let mode = fields.node("mode").and_then(|node| {
        let words: Vec<&str> = Mode::ALL.iter().map(|word| word.as_str()).collect();
        reader.word(node, "a mode", Mode::parse, &words)
    });
    let needs = fields.texts("needs", reader);
    let never_excepted = flag(&mut fields, "never_excepted", reader);
    let parameters = fields.good_pairs("parameters", reader, |reader, node| parameter(node, reader));
    let overrides = fields.pairs("overrides", reader, |reader, node| values(node, reader));
    let text = fields.required("clause", reader);
    let cases = fields.text("cases", reader);
    fields.finish(reader);
    let text = text?;
    let held_by = held_by(&text.value, text.place, reader)?;
    Some(Clause {
        section,
        id: id?.value,
        title: title?.value,
        about: about?.value.trim().to_owned(),
        standing: standing
            .into_iter()
            .map(|(profile, standing)| (profile.value, standing.value))
            .collect(),
        required_where: required_where.into_iter().map(|word| word.value).collect(),
        mode: mode.map(|mode| mode.value),
        needs: needs.into_iter().map(|word| word.value).collect(),
        never_excepted,
        parameters: parameters
            .into_iter()
            .map(|(name, parameter)| Parameter {
                name: name.value,
                ..parameter
            })
            .collect(),
        overrides: overrides
            .into_iter()
            .map(|(profile, values)| (profile.value, values))
            .collect(),
        held_by,
        cases: cases
            .map(|cases| self::cases(&cases.value, cases.place, reader))
            .unwrap_or_default(),
        text: text.value,
    })
}

/// `true` or `false`.
pub(super) fn flag(fields: &mut Fields<'_>, key: &'static str, reader: &mut Reader) -> bool {
    let parse = |word: &str| word.parse::<bool>().ok();
    match fields.node(key) {
        Some(Node {
            value: Value::Scalar { text, quoted: false },
            ..
        }) if parse(text).is_some() => parse(text).unwrap_or_default(),
        Some(node) => {
            reader.wrong(node, "`true` or `false` is expected");
            false
        }
        None => false,
    }
}

fn parameter(node: &Node, reader: &mut Reader) -> Option<Parameter> {
    let mut fields = reader.fields(node, "a parameter")?;
    let words: Vec<&str> = Kind::ALL.iter().map(|word| word.as_str()).collect();
    let kind = fields.required_with("kind", reader, |reader, node| {
        reader.word(node, "a kind of parameter", Kind::parse, &words)
    });
    let default = fields.required_with("default", reader, |reader, node| value(node, reader));
    let about = fields.required("about", reader);
    fields.finish(reader);
    Some(Parameter {
        name: String::new(),
        kind: kind?.value,
        default: default?,
        about: about?.value,
    })
}

/// One value of a parameter as it is put into a text: a scalar, or a list with commas.
pub(super) fn value(node: &Node, reader: &mut Reader) -> Option<String> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text.clone()),
        Value::List(items) => {
            let items: Vec<String> = items
                .iter()
                .filter_map(|item| reader.raw(item))
                .map(|text| text.value)
                .collect();
            Some(items.join(", "))
        }
        Value::Map(_) => {
            reader.wrong(node, "a value or a list is expected");
            None
        }
    }
}

/// Values by the name of a parameter.
pub(super) fn values(node: &Node, reader: &mut Reader) -> Vec<(String, String)> {
    let Value::Map(entries) = &node.value else {
        reader.wrong(node, "a map of parameters is expected");
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), value(&entry.node, reader)?)))
        .collect()
}

/// What holds a clause up, by the keys of its text.
fn held_by(text: &str, place: Place, reader: &mut Reader) -> Option<HeldBy> {
    let mut problems = Vec::new();
    let tree = node::parse(0, text, &mut problems);
    let keys: Vec<HeldBy> = match tree.map(|tree| tree.value) {
        Some(Value::Map(entries)) => entries.iter().filter_map(|entry| HeldBy::parse(&entry.key)).collect(),
        _ => Vec::new(),
    };
    if let ([key], []) = (keys.as_slice(), problems.as_slice()) {
        return Some(*key);
    }
    let message = problems.first().map_or_else(
        || "a clause has one of `rule`, `enforced_by` and `evidence`".to_owned(),
        |problem| problem.message.clone(),
    );
    reader.problems.push(Problem::error("wrong-type", place, message));
    None
}

/// The items of a list of cases, each with its own text, without the keys that say where it holds.
fn cases(text: &str, place: Place, reader: &mut Reader) -> Vec<CaseText> {
    let mut items: Vec<String> = Vec::new();
    for line in text.lines() {
        match items.last_mut() {
            _ if line.starts_with("- ") => items.push(format!("{line}\n")),
            Some(item) => {
                item.push_str(line);
                item.push('\n');
            }
            None if line.trim().is_empty() || line.starts_with('#') => {}
            None => {
                let problem = Problem::error("wrong-type", place, "cases begin with `- name: …`");
                reader.problems.push(problem);
                return Vec::new();
            }
        }
    }
    items
        .into_iter()
        .filter_map(|item| case(&item, place, reader))
        .collect()
}

fn case(item: &str, place: Place, reader: &mut Reader) -> Option<CaseText> {
    let (mut only, mut not) = (Vec::new(), Vec::new());
    let mut text = String::new();
    for line in item.lines() {
        let list = |key: &str| -> Option<Vec<String>> {
            let value = line.strip_prefix("  ")?.strip_prefix(key)?.trim();
            let inner = value
                .strip_prefix('[')
                .and_then(|value| value.strip_suffix(']'))
                .unwrap_or(value);
            Some(inner.split(',').map(|word| word.trim().to_owned()).collect())
        };
        if let Some(words) = list("only:") {
            only.extend(words);
        } else if let Some(words) = list("not:") {
            not.extend(words);
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    let mut problems = Vec::new();
    if node::parse(0, &text, &mut problems).is_none() {
        let message = problems
            .first()
            .map_or("no case stands here", |problem| problem.message.as_str());
        let line = text.lines().next().unwrap_or_default();
        reader
            .problems
            .push(Problem::error("wrong-type", place, format!("{message} (in `{line}`)")));
        return None;
    }
    Some(CaseText { text, only, not })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("fixture.yaml");

    fn read_text(text: &str) -> (Vec<Clause>, Vec<Problem>) {
        let mut reader = Reader::default();
        let tree = node::parse(0, text, &mut reader.problems).expect("YAML");
        let clauses = read(&tree, &mut reader);
        (clauses, reader.problems)
    }

    #[test]
    fn a_clause_is_read_whole() {
        let (clauses, problems) = read_text(FILE);
        assert_eq!(problems, []);
        let [code, review] = clauses.as_slice() else {
            panic!("two clauses")
        };
        assert_eq!(
            (code.id.as_str(), code.held_by, code.mode),
            ("AU-7", HeldBy::Rule, Some(Mode::Observe))
        );
        assert_eq!(code.standing_in("builds-models"), Standing::Required);
        assert_eq!(code.standing_in("public-tools"), Standing::Optional);
        assert_eq!(code.cases.len(), 2);
        assert_eq!(code.cases[1].not, ["regulated"]);
        assert!(!code.cases[1].text.contains("not:"));
        assert_eq!((review.held_by, review.is_cadence("days")), (HeldBy::Evidence, true));
    }

    #[test]
    fn mistakes_are_found_where_they_stand() {
        let broken = FILE
            .replace("mode: observe", "mode: watch")
            .replace("kind: days", "kind: dys");
        let found: Vec<_> = read_text(&broken).1.into_iter().map(|problem| problem.help).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found.last().cloned().flatten().as_deref(), Some("did you mean `days`?"));
    }
}
