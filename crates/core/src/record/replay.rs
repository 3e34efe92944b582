//! From a record back to the facts of its half, so that any policy can be asked the same question again.
//!
//! A replay knows what the record holds and no more: never the principal's name, of arguments only the conditions that
//! were met, of the text only what the detectors of that day found. `docs/reference/records.md`, "Judged again", says what
//! follows. Read [`Recorded`] first.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};
use thiserror::Error;

use super::VERSION;
use crate::catalog::Catalog;
use crate::decide::{Called, Content, Decision, Destination, Facts, Seen, Who, decide, decide_unread};
use crate::detect::EntityId;
use crate::inspect::Failed;
use crate::policy::compile::Policy;
use crate::verdict::{Direction, Source, SourceSet, Verdict};

/// One half as its record has it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What it was judged on, but for the principal's name. Its moment is that at which the exchange was recorded first.
    pub facts: Facts,
    /// What happened.
    pub verdict: Verdict,
    /// What full enforcement would have done.
    pub full: Verdict,
    /// What had a say.
    pub clauses: Vec<Said>,
    /// What was done so that the request passed: the clauses that asked for it, with what they asked for.
    taken: Vec<(String, Verdict)>,
    /// Whether the answer reached the client whole.
    completed: bool,
    /// Nobody could read the request.
    unread: bool,
    /// What was to be masked could not be.
    unspliced: bool,
}

/// What one citation said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its id.
    pub id: String,
    /// What it said, after exceptions.
    pub verdict: Verdict,
    /// What that amounted to.
    pub acts: Verdict,
    /// Whether it does not count towards the full verdict.
    pub beside: bool,
}

/// A record that this program cannot read back: of a newer version, or not made by one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the record cannot be read back")]
pub struct Unreadable;

impl Recorded {
    /// Reads a record. `opening` is the intent of its exchange and says who asked, when and for what: needed for an outcome
    /// alone. `None` where nothing was judged: for an outcome without an answer, for the answer to a ticket, for a version that
    /// comes into force, and for a gap and its review.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] if something is missing, or has a word that is not known here.
    pub fn read(record: &Value, opening: Option<&Value>, catalog: &Catalog) -> Result<Option<Self>, Unreadable> {
        if record.get("v").and_then(Value::as_u64) != Some(u64::from(VERSION)) {
            return Err(Unreadable);
        }
        match record.get("kind").and_then(Value::as_str) {
            Some("intent" | "refusal") => half(record, record, Direction::Prompt, catalog)
                .ok_or(Unreadable)
                .map(Some),
            Some("approval" | "denial" | super::activation::KIND | "gap" | "gap-review") => Ok(None),
            Some("outcome") if record.get("decision").is_none() => Ok(None),
            Some("outcome") => opening
                .and_then(|opening| half(record, opening, Direction::Answer, catalog))
                .ok_or(Unreadable)
                .map(Some),
            _ => Err(Unreadable),
        }
    }

    /// What a policy decides on it.
    #[must_use]
    pub fn decide(&self, policy: &Policy) -> Decision {
        if self.unread {
            return decide_unread(policy, &self.facts);
        }
        let decision = decide(policy, &self.facts);
        // A request that waits is spliced before anybody is asked.
        let stops = decision.stops() && self.facts.direction == Direction::Answer;
        if !self.unspliced || stops || decision.masks.is_empty() {
            return decision;
        }
        // It wants masks where none could be put in. See `Inspection::judge`.
        let mut facts = self.facts.clone();
        facts.content.failed = true;
        Decision {
            verdict: Verdict::Block,
            ..decide(policy, &facts)
        }
    }

    /// Whether what this clause asked for was done at the time.
    #[must_use]
    pub fn took(&self, clause: &str, asked: Verdict) -> bool {
        self.taken.iter().any(|(id, verdict)| id == clause && *verdict == asked)
    }

    /// Whether it passed although it was to be kept back, since what was asked for had been done.
    #[must_use]
    pub fn passed_by_steps(&self) -> bool {
        self.completed && !self.taken.is_empty()
    }
}

/// What was done for a request, from its intent.
fn taken(opening: &Value) -> Option<Vec<(String, Verdict)>> {
    let Some(steps) = opening.get("steps") else {
        return Some(Vec::new());
    };
    let of = |name, verdict| Some(texts(steps.get(name))?.into_iter().map(move |id| (id, verdict)));
    Some(
        of("justified", Verdict::Justify)?
            .chain(of("agreed", Verdict::Hold)?)
            .collect(),
    )
}

/// One half: `record` has its content and decision, `opening` the rest.
fn half(record: &Value, opening: &Value, direction: Direction, catalog: &Catalog) -> Option<Recorded> {
    let to = opening.get("to")?;
    let app = text(to, "app")?;
    let model = optional(to, "model")?;
    let mut content = content(record.get("content")?)?;
    let failed = texts(record.get("failed"))?;
    content.failed = failed.iter().any(|detector| detector != "splice");
    // What nobody could read is recorded before it is known where it goes.
    let unread = direction == Direction::Prompt && app.is_empty() && model.is_none();
    content.uninspectable = unread || !texts(record.get("uninspectable"))?.is_empty();
    let decision = record.get("decision")?;
    Some(Recorded {
        facts: Facts {
            now: Timestamp::from_millisecond(opening.get("at")?.as_i64()?).ok()?,
            direction,
            who: Arc::new(who(opening.get("who")?)?),
            to: Arc::new(Destination {
                categories: catalog.categories(&app),
                attributes: members(to.get("attributes"))?
                    .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                    .collect::<Option<_>>()?,
                app,
            }),
            model,
            use_: optional(to, "use")?,
            content,
        },
        verdict: verdict(decision, "verdict")?,
        full: verdict(decision, "full")?,
        clauses: list(decision.get("clauses"))?.map(said).collect::<Option<_>>()?,
        taken: taken(opening)?,
        completed: record.get("result").and_then(Value::as_str) == Some("completed"),
        unread,
        unspliced: failed.iter().any(|detector| detector == Failed::SPLICE),
    })
}

fn who(value: &Value) -> Option<Who> {
    let date = |value: &Value| value.as_str()?.parse::<Date>().ok();
    Some(Who {
        principal: String::new(),
        groups: texts(value.get("groups"))?,
        client: optional(value, "client")?,
        training: members(value.get("training"))?
            .map(|(course, on)| Some((course.clone(), date(on)?)))
            .collect::<Option<_>>()?,
        since: match value.get("since") {
            Some(since) => Some(date(since)?),
            None => None,
        },
        signed_in: match value.get("signed_in") {
            Some(at) => Some(Timestamp::from_millisecond(at.as_i64()?).ok()?),
            None => None,
        },
        on_behalf_of: match value.get("on_behalf_of") {
            Some(other) => Some(Arc::new(who(other)?)),
            None => None,
        },
    })
}

fn content(value: &Value) -> Option<Content> {
    let seen = |(entity, value): (&String, &Value)| {
        Some(Seen {
            entity: EntityId::from(entity.as_str()),
            distinct: u32::try_from(value.get("distinct")?.as_u64()?).ok()?,
            sources: sources(value.get("sources"))?,
            fixed: sources(value.get("fixed"))?,
        })
    };
    let called = |value: &Value| {
        Some(Called {
            name: text(value, "name")?,
            met: texts(value.get("met"))?,
            awaited: flag(value, "awaited")?,
        })
    };
    Some(Content {
        sources: sources(value.get("sources"))?,
        entities: members(value.get("entities"))?.map(seen).collect::<Option<_>>()?,
        findings: members(value.get("findings"))?
            .map(|(id, of)| Some((id.clone(), sources(Some(of))?)))
            .collect::<Option<_>>()?,
        tools: list(value.get("tools"))?.map(called).collect::<Option<_>>()?,
        uninspectable: false,
        endpoint: optional(value, "endpoint")?,
        failed: false,
    })
}

fn said(value: &Value) -> Option<Said> {
    Some(Said {
        id: text(value, "id")?,
        verdict: verdict(value, "verdict")?,
        acts: verdict(value, "acts")?,
        beside: flag(value, "beside")?,
    })
}

fn verdict(value: &Value, name: &str) -> Option<Verdict> {
    Verdict::parse(value.get(name)?.as_str()?)
}

fn text(value: &Value, name: &str) -> Option<String> {
    Some(value.get(name)?.as_str()?.to_owned())
}

// A member that would be empty is left out; one of another shape is not read as empty.

fn optional(value: &Value, name: &str) -> Option<Option<String>> {
    match value.get(name) {
        Some(_) => text(value, name).map(Some),
        None => Some(None),
    }
}

fn flag(value: &Value, name: &str) -> Option<bool> {
    value.get(name).map_or(Some(false), Value::as_bool)
}

fn list(value: Option<&Value>) -> Option<impl Iterator<Item = &Value>> {
    let items: &[Value] = match value {
        Some(value) => value.as_array()?,
        None => &[],
    };
    Some(items.iter())
}

fn members(value: Option<&Value>) -> Option<impl Iterator<Item = (&String, &Value)>> {
    let members: Option<&Map<String, Value>> = match value {
        Some(value) => Some(value.as_object()?),
        None => None,
    };
    Some(members.into_iter().flatten())
}

fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    list(value)?.map(|item| Some(item.as_str()?.to_owned())).collect()
}

fn sources(value: Option<&Value>) -> Option<SourceSet> {
    list(value)?.map(|item| Source::parse(item.as_str()?)).collect()
}
