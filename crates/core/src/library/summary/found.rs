//! What of a policy's words something can find today: no clause is called acting that nothing sets off.
//!
//! Read [`reach`] first.

use super::super::answers::Work;
use super::super::assemble::{Adopted, Plan};
use super::super::frame::{entity_classes, own_words};
use super::super::words::and;
use crate::detect::entities::{ENTITIES, entity};
use crate::policy::fields::{Fields, Reader};
use crate::policy::node::{self, Node, Value};
use crate::verdict::AppClass;

/// How far a rule can act today.
pub(super) struct Reach {
    /// Whether something that its `when` asks for can be found.
    pub(super) acts: bool,
    /// What its `when` names and nothing finds yet.
    pub(super) missing: Vec<String>,
}

/// How far the rule of a clause can act.
pub(super) fn reach(one: &Adopted<'_>, plan: &Plan<'_>) -> Reach {
    let mut reader = Reader::default();
    let mut reach = Reach {
        acts: false,
        missing: Vec::new(),
    };
    let tree = node::parse(0, &one.text, &mut reader.problems);
    let rule = tree
        .as_ref()
        .and_then(|tree| reader.fields(tree, "a clause")?.node("rule"));
    let when = rule.and_then(|rule| reader.fields(rule, "a rule")?.node("when"));
    let maps: &[Node] = match when {
        Some(Node {
            value: Value::List(maps),
            ..
        }) => maps,
        Some(map) => std::slice::from_ref(map),
        None => &[],
    };
    for map in maps {
        let Some(mut fields) = reader.fields(map, "a selector") else {
            continue;
        };
        let mut missing = Vec::new();
        // Nothing makes a finding yet; see the check `awaits`.
        let findings = texts(&mut fields, "finding", &mut reader);
        missing.extend(findings.iter().map(|name| format!("`{name}`")));
        let data = texts(&mut fields, "data", &mut reader);
        let unseen: Vec<String> = data
            .iter()
            .flat_map(|name| unseen(name, plan))
            .map(str::to_owned)
            .collect();
        let seen = data.is_empty() || data.iter().any(|name| is_seen(name, plan));
        missing.extend(unseen.iter().map(|name| format!("`{name}`")));
        reach.acts |= findings.is_empty() && seen;
        for name in missing {
            if !reach.missing.contains(&name) {
                reach.missing.push(name);
            }
        }
    }
    reach.acts |= maps.is_empty();
    reach
}

fn texts(fields: &mut Fields<'_>, key: &'static str, reader: &mut Reader) -> Vec<String> {
    let texts = fields.texts(key, reader);
    texts.into_iter().map(|text| text.value).collect()
}

/// Whether something finds an entity, one of a family, or one of a data class.
fn is_seen(name: &str, plan: &Plan<'_>) -> bool {
    match entity(name) {
        Some(known) => known.detected || own_words(plan).any(|own| own == name),
        None => {
            let mut family = ENTITIES.iter().filter(|one| one.family == Some(name)).peekable();
            family.peek().is_none() || family.any(|one| one.detected)
        }
    }
}

/// What of an entity or a family nothing finds. A data class is what its entities are, and is told of them.
fn unseen<'n>(name: &'n str, plan: &Plan<'_>) -> Vec<&'n str> {
    let of_family: Vec<&str> = ENTITIES
        .iter()
        .filter(|one| one.family == Some(name) && !one.detected)
        .map(|one| one.id)
        .collect();
    if of_family.is_empty() && !is_seen(name, plan) {
        vec![name]
    } else {
        of_family
    }
}

/// The entities of the policy that nothing finds, and what that means.
pub(super) fn section(plan: &Plan<'_>) -> String {
    let mut missing: Vec<&str> = Vec::new();
    for (name, _) in entity_classes(plan) {
        for one in unseen(name, plan) {
            if !missing.contains(&one) {
                missing.push(one);
            }
        }
    }
    if missing.is_empty() {
        return String::new();
    }
    let quoted = |names: &[&str]| -> Vec<String> { names.iter().map(|name| format!("`{name}`")).collect() };
    let tolerated = if plan.cast.apps_of(AppClass::Tolerated).next().is_some() {
        ", and to tolerated ones with a reminder"
    } else {
        ""
    };
    let mut out = format!(
        "\n## What nothing finds yet\n\nThe policy names {}, and no detector finds any of them. In full force, too, a text with nothing else in it passes as `internal`, the default class: whole to sanctioned apps{tolerated}. Until there is a detector, only people keep such data out. Where it can be told by words or by its form, name `keywords` or `patterns` for it under `data`.\n",
        and(&quoted(&missing))
    );
    let treats = plan
        .cast
        .groups
        .iter()
        .any(|group| group.does.contains(&Work::TreatsPatients));
    let yours: Vec<&str> = missing
        .into_iter()
        .filter(|one| {
            let health = entity(one).is_some_and(|known| known.family == Some("health"));
            let named = plan
                .answers
                .data
                .iter()
                .any(|held| held == one || entity(one).is_some_and(|known| known.family == Some(held.as_str())));
            named || (treats && health)
        })
        .collect();
    if !yours.is_empty() {
        out.push_str(&format!(
            "You said that you hold {}: tell those who work with it before they use AI.\n",
            and(&quoted(&yours))
        ));
    }
    out
}
