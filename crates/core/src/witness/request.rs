//! From a solution to a request: the values that were chosen, as plain as can be.

use std::fmt::Write as _;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::Request;
use super::circuit::{Lit, Model};
use super::space::{Choice, Space};
use crate::decide::Who;
use crate::exchange::ToolCall;
use crate::policy::cases::Assumed;
use crate::verdict::{Direction, Source, SourceSet};

/// A request that shows something, at a moment.
#[derive(Debug, Clone)]
pub struct Witness {
    /// The request; its own `now` is not set.
    pub request: Request,
    /// The moment.
    pub now: Timestamp,
    /// Whether the moment matters.
    pub dated: bool,
}

/// What is preferred of a witness, most wanted first: a prompt by nobody special, about nothing, to any app.
pub(super) fn preferences(space: &Space) -> Vec<Lit> {
    let mut wanted = vec![!space.uninspectable, !space.failed, !space.answer];
    wanted.extend(
        space
            .entities
            .iter()
            .flat_map(|entity| entity.fixed.iter().map(|&fixed| !fixed)),
    );
    wanted.extend(first(&space.moment));
    wanted.extend(
        space
            .findings
            .iter()
            .flat_map(|(_, about)| about.iter().map(|&lit| !lit)),
    );
    wanted.extend(space.calls.iter().map(|&(_, lit)| !lit));
    wanted.extend(first(&space.client));
    wanted.extend(first(&space.principal));
    wanted.extend(first(&space.known));
    wanted.extend(first(&space.signed_in));
    wanted.extend(
        space
            .courses
            .iter()
            .filter_map(|(_, ages)| ages.options.get(1).map(|&(_, lit)| lit)),
    );
    wanted.extend(first(&space.use_));
    wanted.extend(first(&space.endpoint));
    wanted.extend(first(&space.model));
    wanted.extend(space.attributes.iter().map(|&(_, lit)| !lit));
    wanted.extend(space.entities.iter().map(|entity| !entity.found));
    wanted.extend(space.entities.iter().filter_map(|entity| {
        entity
            .distinct
            .options
            .iter()
            .find(|(count, _)| *count == 1)
            .map(|&(_, lit)| lit)
    }));
    // A prompt by its user, an answer by its model.
    let usual = [Source::User, Source::Model];
    wanted.extend(
        space
            .sources
            .iter()
            .filter(|(source, _)| !usual.contains(source))
            .map(|&(_, lit)| !lit),
    );
    wanted.extend(space.sources.iter().map(|&(_, lit)| !lit));
    wanted.extend(space.claims.iter().map(|&(_, lit)| !lit));
    wanted
}

fn first<T>(choice: &Choice<T>) -> Option<Lit> {
    choice.options.first().map(|&(_, lit)| lit)
}

/// Every literal that a request is chosen by.
pub(super) fn choices(space: &Space) -> Vec<Lit> {
    fn all<T>(choice: &Choice<T>) -> impl Iterator<Item = Lit> {
        choice.options.iter().map(|&(_, lit)| lit)
    }
    let mut lits = vec![space.answer, space.uninspectable, space.failed];
    lits.extend(space.claims.iter().map(|&(_, lit)| lit));
    lits.extend(
        all(&space.principal)
            .chain(all(&space.client))
            .chain(all(&space.use_))
            .chain(all(&space.endpoint))
            .chain(all(&space.app)),
    );
    lits.extend(all(&space.model).chain(all(&space.moment)).chain(all(&space.known)));
    lits.extend(all(&space.signed_in));
    lits.extend(
        space
            .attributes
            .iter()
            .map(|&(_, lit)| lit)
            .chain(space.calls.iter().map(|&(_, lit)| lit)),
    );
    lits.extend(space.courses.iter().flat_map(|(_, ages)| all(ages)));
    lits.extend(space.sources.iter().map(|&(_, lit)| lit));
    lits.extend(space.findings.iter().flat_map(|(_, about)| about.iter().copied()));
    for entity in &space.entities {
        lits.extend(
            all(&entity.distinct)
                .chain(entity.sources.iter().copied())
                .chain(entity.fixed.iter().copied()),
        );
    }
    lits
}

/// The request that a solution stands for.
pub(super) fn of(space: &Space, model: &Model) -> Witness {
    let now = chosen(&space.moment, model).copied().unwrap_or(Timestamp::UNIX_EPOCH);
    let today = space.zone.to_datetime(now).date();
    let ago = |days: Option<u32>| -> Option<Date> { today.checked_sub(i64::from(days?).days()).ok() };
    let set = |lits: &[Lit]| -> SourceSet {
        let held = space.sources.iter().zip(lits).filter(|(_, lit)| model.holds(**lit));
        held.map(|((source, _), _)| *source).collect()
    };
    let answer = model.holds(space.answer);
    let present: SourceSet = space
        .sources
        .iter()
        .filter(|(_, lit)| model.holds(*lit))
        .map(|(source, _)| *source)
        .collect();
    let found = space.entities.iter().filter(|entity| model.holds(entity.found));
    let request = Request {
        who: Who {
            principal: chosen(&space.principal, model).cloned().unwrap_or_default(),
            groups: held(&space.claims, model),
            client: chosen(&space.client, model).cloned().flatten(),
            training: space
                .courses
                .iter()
                .filter_map(|(course, ages)| Some((course.clone(), ago(chosen(ages, model).copied().flatten())?)))
                .collect(),
            since: ago(chosen(&space.known, model).copied().flatten()),
            signed_in: None,
            on_behalf_of: None,
        },
        app: chosen(&space.app, model).map(|app| app.id.clone()).unwrap_or_default(),
        attributes: held(&space.attributes, model),
        model: chosen(&space.model, model).cloned().flatten(),
        use_: chosen(&space.use_, model).cloned().flatten(),
        direction: if answer { Direction::Answer } else { Direction::Prompt },
        sources: present,
        data: found
            .map(|entity| Assumed {
                entity: entity.id.clone(),
                distinct: chosen(&entity.distinct, model).copied().unwrap_or(1),
                sources: Some(set(&entity.sources)).filter(|sources| *sources != present),
                fixed: set(&entity.fixed),
            })
            .collect(),
        findings: space
            .findings
            .iter()
            .filter_map(|(id, about)| Some((id.clone(), Some(set(about)).filter(|set| !set.is_empty())?)))
            .collect(),
        tools: held(&space.calls, model),
        signed_in: chosen(&space.signed_in, model).copied().flatten(),
        uninspectable: model.holds(space.uninspectable),
        endpoint: chosen(&space.endpoint, model).cloned().flatten(),
        failed: model.holds(space.failed),
        ..Request::default()
    };
    let dated = space.moment.options.len() > 1 || !request.who.training.is_empty() || request.who.since.is_some();
    Witness { request, now, dated }
}

fn chosen<'c, T>(choice: &'c Choice<T>, model: &Model) -> Option<&'c T> {
    choice
        .options
        .iter()
        .find(|(_, lit)| model.holds(*lit))
        .map(|(value, _)| value)
}

fn held<T: Clone>(all: &[(T, Lit)], model: &Model) -> Vec<T> {
    all.iter()
        .filter(|(_, lit)| model.holds(*lit))
        .map(|(value, _)| value.clone())
        .collect()
}

impl Witness {
    /// The request on one line, as `ordain explain --request` and cases read it; moments are those of `zone`.
    #[must_use]
    pub fn to_yaml(&self, zone: &TimeZone) -> String {
        let request = &self.request;
        let mut keys: Vec<(&str, String)> = Vec::new();
        let list = |words: &[String]| match words {
            [one] => word(one),
            several => format!(
                "[{}]",
                several.iter().map(|one| word(one)).collect::<Vec<_>>().join(", ")
            ),
        };
        let sources = |set: SourceSet| list(&set.iter().map(|source| source.to_string()).collect::<Vec<_>>());
        let map = |pairs: Vec<(String, String)>| {
            let pairs: Vec<String> = pairs
                .into_iter()
                .map(|(key, value)| format!("{}: {value}", word(&key)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        };
        let who = &request.who;
        if !who.principal.is_empty() {
            keys.push(("principal", word(&who.principal)));
        }
        if !who.groups.is_empty() {
            keys.push(("group", list(&who.groups)));
        }
        keys.extend(who.client.as_ref().map(|client| ("client", word(client))));
        keys.push(("app", word(&request.app)));
        if !request.attributes.is_empty() {
            keys.push((
                "attributes",
                map(request
                    .attributes
                    .iter()
                    .map(|(key, value)| (key.clone(), word(value)))
                    .collect()),
            ));
        }
        keys.extend(request.model.as_ref().map(|model| ("model", word(model))));
        keys.extend(request.use_.as_ref().map(|name| ("use", word(name))));
        if request.direction == Direction::Answer {
            keys.push(("direction", request.direction.to_string()));
        }
        if request.sources != usual(request.direction) {
            keys.push(("sources", sources(request.sources)));
        }
        if !request.data.is_empty() {
            let items: Vec<String> = request.data.iter().map(|one| assumed(one, &sources)).collect();
            keys.push(("data", format!("[{}]", items.join(", "))));
        }
        if !request.findings.is_empty() {
            let one = |(id, about): &(String, SourceSet)| {
                if *about == request.sources {
                    word(id)
                } else {
                    format!("{{finding: {}, source: {}}}", word(id), sources(*about))
                }
            };
            keys.push((
                "findings",
                format!("[{}]", request.findings.iter().map(one).collect::<Vec<_>>().join(", ")),
            ));
        }
        if !request.tools.is_empty() {
            let calls: Vec<String> = request.tools.iter().map(call).collect();
            keys.push(("tools", format!("[{}]", calls.join(", "))));
        }
        if !who.training.is_empty() {
            keys.push((
                "training",
                map(who
                    .training
                    .iter()
                    .map(|(course, on)| (course.clone(), on.to_string()))
                    .collect()),
            ));
        }
        keys.extend(request.signed_in.map(|ago| ("signed_in", format!("{ago} minutes"))));
        keys.extend(who.since.map(|since| ("since", since.to_string())));
        for (key, is) in [("uninspectable", request.uninspectable), ("failed", request.failed)] {
            if is {
                keys.push((key, "true".to_owned()));
            }
        }
        keys.extend(request.endpoint.as_ref().map(|endpoint| ("endpoint", word(endpoint))));
        if self.dated {
            keys.push(("now", zone.to_datetime(self.now).to_string()));
        }
        let mut out = String::from("{");
        for (index, (key, value)) in keys.iter().enumerate() {
            let _ = write!(out, "{}{key}: {value}", if index == 0 { "" } else { ", " });
        }
        out.push('}');
        out
    }
}

/// A call by name, or with its arguments; JSON is YAML in flow style.
fn call(call: &ToolCall) -> String {
    match &call.arguments {
        None => word(&call.tool),
        Some(arguments) => format!("{{name: {}, args: {arguments}}}", word(&call.tool)),
    }
}

/// Who writes what nobody says anything about.
const fn usual(direction: Direction) -> SourceSet {
    match direction {
        Direction::Prompt => SourceSet::of(Source::User),
        Direction::Answer => SourceSet::of(Source::Model),
    }
}

fn assumed(one: &Assumed, sources: &impl Fn(SourceSet) -> String) -> String {
    let mut more = String::new();
    if one.distinct != 1 {
        let _ = write!(more, ", distinct: {}", one.distinct);
    }
    if let Some(set) = one.sources {
        let _ = write!(more, ", source: {}", sources(set));
    }
    if !one.fixed.is_empty() {
        let _ = write!(more, ", fixed: {}", sources(one.fixed));
    }
    if more.is_empty() {
        word(&one.entity)
    } else {
        format!("{{entity: {}{more}}}", word(&one.entity))
    }
}

/// A word in flow style, in quotes unless it is plain.
fn word(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@/+".contains(c))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "inf" | "nan"
        );
    if plain {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
