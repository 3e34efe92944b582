//! `models`: names of the organisation's own for models, and the versions that each stands for.
//!
//! Which models are approved is the policy's to say, and it judges the provider's name, never the alias. Where an alias leads,
//! which version is in use and which is on trial is configuration (decision 0020). Read [`Alias`] first.

use std::collections::BTreeSet;

use ordain_core::policy::document::Text;
use ordain_core::policy::fields::Reader;
use ordain_core::policy::node::{Node, Place, Value};
use ordain_core::policy::problem::Problem;
use ordain_core::wire::Dialect;

use super::Upstream;

/// A name of the organisation's own for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name that requests have.
    pub name: String,
    /// What it stands for, in the order of the file.
    pub versions: Vec<Version>,
    /// The version in use, as an index.
    pub in_use: usize,
    /// The version that was in use before, as an index.
    pub before: Option<usize>,
    /// Percent of conversations that the candidate gets.
    pub canary: u8,
    /// Whether another approved version is tried if an upstream fails.
    pub fallback: bool,
}

/// A version that an alias can stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What people and commands call it.
    pub label: String,
    /// The model's name at its provider.
    pub model: String,
    /// The id of its upstream.
    pub upstream: String,
    /// What it may be used for.
    pub state: State,
}

/// What a version may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// On trial: the canary's share of conversations, and nothing else.
    Candidate,
    /// In use, or ready to be.
    Approved,
    /// No longer: refused whoever asks for it.
    Retired,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Candidate, Self::Approved, Self::Retired];

    /// The word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Approved => "approved",
            Self::Retired => "retired",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Alias {
    /// The version on trial, as an index.
    #[must_use]
    pub fn candidate(&self) -> Option<usize> {
        self.versions.iter().position(|one| one.state == State::Candidate)
    }

    /// Where a request goes whose try of version `failed` came to nothing: the version in use, else the first other one that
    /// is approved.
    #[must_use]
    pub fn fallback_of(&self, failed: usize) -> Option<usize> {
        let others = (0..self.versions.len()).filter(|&other| other != failed);
        let approved = |&other: &usize| self.versions.get(other).is_some_and(|one| one.state == State::Approved);
        let mut approved = others.filter(approved);
        let first = approved.clone().next();
        let found = approved.find(|&other| other == self.in_use).or(first);
        found.filter(|_| self.fallback)
    }
}

/// Reads `models`, in the light of the upstreams.
pub(super) fn read(node: &Node, upstreams: &[Upstream], reader: &mut Reader) -> Vec<Alias> {
    let Value::Map(entries) = &node.value else {
        reader.wrong(
            node,
            "`models` is a map of aliases (`assistant: {use: …, versions: {…}}`)",
        );
        return Vec::new();
    };
    let mut aliases = Vec::new();
    for entry in entries {
        if !is_name(&entry.key) {
            refuse(
                reader,
                entry.key_place,
                format!("`{}` is no name for a model", entry.key),
                NAMES,
            );
        } else if upstreams.iter().any(|one| one.models.contains(&entry.key)) {
            let problem = format!("`{}` is an alias and a model of an upstream", entry.key);
            refuse(
                reader,
                entry.key_place,
                problem,
                "one name means one thing: take another for the alias",
            );
        } else if let Some(alias) = alias(&entry.key, &entry.node, upstreams, reader) {
            aliases.push((alias, entry.key_place));
        }
    }
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    for (alias, place) in &aliases {
        if let Some(loops) = alias.versions.iter().find(|one| names.contains(one.model.as_str())) {
            let problem = format!("`{}` leads to `{}`, which is an alias", alias.name, loops.model);
            refuse(
                reader,
                *place,
                problem,
                "an alias leads to models of a provider, never to an alias",
            );
        }
    }
    aliases.into_iter().map(|(alias, _)| alias).collect()
}

const NAMES: &str = "letters, digits, `.`, `_` and `-`, at most 128 of them";

/// Whether a name can stand in a body and in a path and reads the same for everybody.
fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn refuse(reader: &mut Reader, place: Place, problem: String, help: &str) {
    reader
        .problems
        .push(Problem::error("unusable-model", place, problem).help(help.to_owned()));
}

fn alias(name: &str, node: &Node, upstreams: &[Upstream], reader: &mut Reader) -> Option<Alias> {
    let mut fields = reader.fields(node, "an alias")?;
    let versions = fields.good_pairs("versions", reader, |reader, node| version(node, upstreams, reader));
    let in_use = fields.required("use", reader);
    let before = fields.text("before", reader);
    let canary = fields.node("canary").and_then(|node| {
        let percent = reader.number(node)?;
        if percent.value > 100 {
            refuse(
                reader,
                percent.place,
                format!("{} percent are more than all", percent.value),
                "write 0 to 100",
            );
        }
        u8::try_from(percent.value).ok()
    });
    let fallback = fields.node("fallback").and_then(|node| {
        let words = |word: &str| match word {
            "approved" => Some(true),
            "none" => Some(false),
            _ => None,
        };
        reader.word(node, "a way to fall back", words, &["approved", "none"])
    });
    let place = fields.place;
    fields.finish(reader);
    let in_use = in_use?;
    let labels: Vec<&str> = versions.iter().map(|(label, _)| label.as_str()).collect();
    let find = |label: &Text, reader: &mut Reader| {
        let found = labels.iter().position(|one| *one == label.as_str());
        if found.is_none() {
            let problem = format!("`{}` is no version of `{name}`", label.as_str());
            refuse(
                reader,
                label.place,
                problem,
                &format!("its versions are: {}", labels.join(", ")),
            );
        }
        found
    };
    let at = find(&in_use, reader);
    let before = before.as_ref().and_then(|label| find(label, reader));
    if let Some((_, (used, _))) = at.and_then(|at| versions.get(at)).map(|one| (at, &one.1))
        && used.state != State::Approved
    {
        let problem = format!("`{}` is in use and {}", in_use.as_str(), used.state.as_str());
        refuse(reader, in_use.place, problem, "the version in use is an approved one");
    }
    let candidates = versions.iter().filter(|(_, (one, _))| one.state == State::Candidate);
    if candidates.count() > 1 {
        let problem = format!("`{name}` has more than one candidate");
        refuse(
            reader,
            place,
            problem,
            "one version is on trial at a time; the others wait as `retired`",
        );
    }
    let mut dialects = versions.iter().map(|(_, (_, dialect))| *dialect);
    let first = dialects.next();
    if dialects.any(|dialect| Some(dialect) != first) {
        let problem = format!("the versions of `{name}` speak different dialects");
        refuse(
            reader,
            place,
            problem,
            "a request cannot be sent in another dialect: make an alias for each",
        );
    }
    Some(Alias {
        name: name.to_owned(),
        in_use: at?,
        before,
        canary: canary.unwrap_or(0),
        fallback: fallback.is_none_or(|word| word.value),
        versions: versions
            .into_iter()
            .map(|(label, (one, _))| Version {
                model: if one.model.is_empty() {
                    label.value.clone()
                } else {
                    one.model
                },
                label: label.value,
                ..one
            })
            .collect(),
    })
}

/// A version without its label, and the dialect of its upstream.
fn version(node: &Node, upstreams: &[Upstream], reader: &mut Reader) -> Option<(Version, Dialect)> {
    let mut fields = reader.fields(node, "a version")?;
    let state = fields.required_with("state", reader, |reader, node| {
        reader.word(node, "a state", State::parse, &State::ALL.map(State::as_str))
    });
    let upstream = fields.required("upstream", reader);
    let model = fields.text("model", reader);
    fields.finish(reader);
    let upstream = upstream?;
    let mut named = upstreams.iter().filter(|one| one.id == upstream.as_str());
    let found = named.next();
    let twice = named.next().is_some();
    let Some(dialect) = found.filter(|_| !twice).map(|one| one.dialect) else {
        let ids: Vec<&str> = upstreams.iter().map(|one| one.id.as_str()).collect();
        let (what, help) = if twice {
            (
                "is the id of several upstreams",
                "give each an `id` of its own".to_owned(),
            )
        } else {
            ("is the id of no upstream", format!("there are: {}", ids.join(", ")))
        };
        refuse(reader, upstream.place, format!("`{}` {what}", upstream.as_str()), &help);
        return None;
    };
    if let Some(model) = &model {
        let in_path = matches!(dialect, Dialect::Gemini | Dialect::Azure);
        let plain =
            (1..=256).contains(&model.as_str().len()) && model.as_str().bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || (in_path && !is_name(model.as_str())) {
            refuse(
                reader,
                model.place,
                format!("`{}` is no name for a model", model.as_str()),
                NAMES,
            );
        }
    }
    let version = Version {
        label: String::new(),
        model: model.map(|model| model.value).unwrap_or_default(),
        upstream: upstream.value,
        state: state?.value,
    };
    Some((version, dialect))
}

#[cfg(test)]
mod tests;
