//! What a wire keeps from the citations that need it.

use std::collections::{BTreeMap, BTreeSet};

use super::needs::{Need, Of};
use super::{Form, Gap, Kind};
use crate::policy::compile::Policy;
use crate::verdict::{Direction, Mode, Source, SourceSet, Verdict};
use crate::wire::Wire;
use crate::wire::sight::{Field, Sight, Table, told_apart};

/// The gaps of one wire.
pub(super) fn of(policy: &Policy, needs: &[Need], wire: &'static dyn Wire) -> Vec<Gap> {
    let sights = wire.sights();
    let half = |direction, form, table| {
        let mut found = Found::new(policy, wire, direction, form, table);
        needs
            .iter()
            .filter(|need| need.directions.contains(&direction))
            .for_each(|need| found.need(need));
        found.of_no_need();
        found.gaps
    };
    let prompt = half(Direction::Prompt, Form::Any, sights.prompt);
    let whole = half(Direction::Answer, Form::Whole, sights.answer);
    let streamed = if sights.stream.is_empty() {
        BTreeMap::new()
    } else {
        half(Direction::Answer, Form::Streamed, sights.stream)
    };
    // What is so in every form is said once.
    let always = |key: &Key, who: &Who| sights.stream.is_empty() || streamed.get(key) == Some(who);
    let both: Vec<Key> = whole
        .iter()
        .filter(|(key, who)| always(key, who))
        .map(|(key, _)| *key)
        .collect();
    let gap = |direction, form, (field, kind): Key, who: Who| Gap {
        wire: wire.id(),
        direction,
        form,
        field,
        kind,
        clauses: who.clauses.into_iter().collect(),
        refusing: who.refusing.into_iter().collect(),
    };
    let prompt = prompt
        .into_iter()
        .map(|(key, who)| gap(Direction::Prompt, Form::Any, key, who));
    let whole = whole.into_iter().map(|(key, who)| {
        let form = if both.contains(&key) { Form::Any } else { Form::Whole };
        gap(Direction::Answer, form, key, who)
    });
    let streamed = streamed.into_iter().filter(|(key, _)| !both.contains(key));
    let streamed = streamed.map(|(key, who)| gap(Direction::Answer, Form::Streamed, key, who));
    prompt.chain(whole).chain(streamed).collect()
}

type Key = (Field, Kind);

/// Whose say a gap concerns.
#[derive(Debug, Default, PartialEq, Eq)]
struct Who {
    clauses: BTreeSet<String>,
    refusing: BTreeSet<String>,
}

struct Found<'p> {
    policy: &'p Policy,
    /// What every answer consists of, if this half is an answer and that cannot be read.
    opaque: Option<Field>,
    direction: Direction,
    form: Form,
    table: Table,
    told: SourceSet,
    gaps: BTreeMap<Key, Who>,
}

impl<'p> Found<'p> {
    fn new(policy: &'p Policy, wire: &dyn Wire, direction: Direction, form: Form, table: Table) -> Self {
        Self {
            policy,
            opaque: wire.sights().opaque.filter(|_| direction == Direction::Answer),
            direction,
            form,
            table,
            told: told_apart(table, direction),
            gaps: BTreeMap::new(),
        }
    }

    fn need(&mut self, need: &Need) {
        let clause = &self.policy.citation(need.citation).id;
        match need.of {
            Of::Text { sources, masks, counts } => {
                for &(field, sight) in self.table {
                    let about = field.source(self.direction).zip(sources);
                    if about.is_some_and(|(source, wanted)| !wanted.contains(source)) {
                        continue;
                    }
                    match sight {
                        Sight::Unread => self.add(field, self.unread(field), clause),
                        Sight::Stopped if masks => self.add(field, Kind::StopsInsteadOfMasks, clause),
                        Sight::Stopped | Sight::Edited | Sight::After | Sight::Pieces | Sight::NoText => {}
                    }
                }
                if let Some(wanted) = sources {
                    self.authors(need, wanted);
                }
                if counts && self.form == Form::Streamed {
                    self.add(Field::Text, Kind::Late, clause);
                }
            }
            Of::Calls => {
                for (field, _) in self.table.iter().filter(|(_, sight)| *sight == Sight::After) {
                    self.add(*field, Kind::Late, clause);
                }
            }
        }
    }

    /// What becomes of a field that nobody can read.
    fn unread(&self, field: Field) -> Kind {
        match (stops(self.policy.uninspectable), self.opaque == Some(field)) {
            (false, _) => Kind::Unread,
            (true, false) => Kind::Stopped,
            (true, true) => Kind::Unanswerable,
        }
    }

    /// Whether the authors that a clause asks for can be told apart. Of answers, what has no place of its own is not there.
    fn authors(&mut self, need: &Need, wanted: SourceSet) {
        if self.direction == Direction::Answer {
            return;
        }
        let citation = self.policy.citation(need.citation);
        let never = wanted.intersection(self.told).is_empty();
        let kind = if never { Kind::Undivided } else { Kind::PartlyUndivided };
        let told = self.told;
        for source in wanted.iter().filter(|&source| !told.contains(source)) {
            let field = field_of(source);
            self.add(field, kind, &citation.id);
            // Who only tells people something is no reason to close a route.
            if never && citation.mode == Mode::Enforce && need.then > Verdict::Coach {
                self.refuse(field, kind, &citation.id);
            }
        }
    }

    /// What is amiss whatever clauses there are.
    fn of_no_need(&mut self) {
        if self.direction == Direction::Prompt {
            return;
        }
        if let Some(field) = self.opaque.filter(|_| stops(self.policy.uninspectable)) {
            self.add(field, Kind::Unanswerable, UNINSPECTABLE);
            self.refuse(field, Kind::Unanswerable, UNINSPECTABLE);
        }
        if self.policy.restores() {
            for &(field, sight) in self.table {
                let kept = matches!(sight, Sight::Stopped | Sight::Pieces) || self.opaque == Some(field);
                if kept {
                    self.add(field, Kind::NotRestored, TOKENS);
                }
            }
        }
        if self.policy.labels && self.form == Form::Streamed {
            self.add(Field::Text, Kind::InputOnly, LABELS);
        }
    }

    fn add(&mut self, field: Field, kind: Kind, clause: &str) {
        self.gaps
            .entry((field, kind))
            .or_default()
            .clauses
            .insert(clause.to_owned());
    }

    fn refuse(&mut self, field: Field, kind: Kind, clause: &str) {
        self.gaps
            .entry((field, kind))
            .or_default()
            .refusing
            .insert(clause.to_owned());
    }
}

/// What cannot be read cannot be masked either, so `redact` stops it.
fn stops(uninspectable: Verdict) -> bool {
    uninspectable > Verdict::Coach
}

/// Where a dialect that tells authors apart has what this one writes.
const fn field_of(source: Source) -> Field {
    match source {
        Source::User => Field::Text,
        Source::System => Field::SystemText,
        Source::Tool => Field::ToolResults,
        Source::Retrieved => Field::Retrieved,
        Source::Model => Field::EarlierAnswers,
    }
}

const UNINSPECTABLE: &str = "uninspectable";
const TOKENS: &str = "data.tokens";
const LABELS: &str = "acceptable_use.outputs";
