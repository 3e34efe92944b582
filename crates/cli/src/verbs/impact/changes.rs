//! `ordain impact --policy DIR`: what another policy would have decided differently.

use std::fmt::Write as _;

use ordain_core::impact::changes::Group;
use ordain_core::impact::{Changes, Measure};
use ordain_core::verdict::Direction;
use serde_json::{Value, json};

use super::{count, since};

/// So many ids stand beside a change unless all are asked for.
const FEW: usize = 3;

pub(super) fn text(changes: &Changes<'_>, measure: Measure, all: bool) -> String {
    let seen = changes.seen();
    let mut out = String::new();
    let full = if measure == Measure::Full {
        " under full enforcement"
    } else {
        ""
    };
    if seen.exchanges == 0 {
        let _ = writeln!(
            out,
            "no exchanges to decide again: send something through the gateway first"
        );
    } else if changes.changed == 0 {
        let _ = writeln!(out, "of {}, none would change{full}", since(&seen));
    } else {
        let _ = writeln!(
            out,
            "of {}, {} would change{full}:",
            since(&seen),
            count(changes.changed)
        );
    }
    for (stricter, title) in [(true, "stricter"), (false, "milder")] {
        let mut groups: Vec<(&Group, &Vec<String>)> = changes
            .groups
            .iter()
            .filter(|(group, _)| group.is_stricter() == stricter)
            .collect();
        groups.sort_by_key(|(_, ids)| std::cmp::Reverse(ids.len()));
        if !groups.is_empty() {
            let _ = writeln!(out, "{title}");
        }
        for (group, ids) in groups {
            let _ = writeln!(out, "  {} {}", count(ids.len() as u64), change(group, ids.len()));
            let shown = if all { ids.len() } else { FEW };
            for id in ids.iter().take(shown) {
                let _ = writeln!(out, "      {id}");
            }
        }
    }
    if changes.changed > 0 {
        let more = if all || changes.groups.values().all(|ids| ids.len() <= FEW) {
            ""
        } else {
            "; `--all` lists every id"
        };
        let _ = writeln!(out, "`ordain records show ID` opens one{more}");
    }
    unknown(changes, &mut out);
    out
}

fn change(group: &Group, number: usize) -> String {
    let half = match (group.direction, number) {
        (Direction::Prompt, 1) => "prompt",
        (Direction::Prompt, _) => "prompts",
        (Direction::Answer, 1) => "answer",
        (Direction::Answer, _) => "answers",
    };
    let by = match (group.by.join(", "), group.is_stricter()) {
        (by, _) if by.is_empty() => String::new(),
        (by, true) => format!(" by {by}"),
        (by, false) => format!(", was by {by}"),
    };
    format!("{half} {} → {}{by}", group.then, group.now)
}

/// What the records cannot tell, in words.
fn unknown(changes: &Changes<'_>, out: &mut String) {
    let unknown = &changes.unknown;
    let mut note = |number: u64, text: &str| {
        if number > 0 {
            let _ = writeln!(out, "note: {} {text}", count(number));
        }
    };
    note(
        unknown.unseen,
        "of them were stopped and would pass: what would have come back is not known",
    );
    note(
        unknown.unnamed,
        "exchanges were judged without a name, which records do not hold: selectors on `principal` match nobody",
    );
    note(
        unknown.untried,
        "halves call tools with conditions on arguments that may not have been tried then: they count as not met",
    );
    let mut names: Vec<&str> = unknown.unlooked.keys().map(String::as_str).collect();
    names.sort_unstable();
    if let Some(most) = unknown.unlooked.values().max() {
        note(
            *most,
            &format!(
                "exchanges were not looked at by {}: what it would have found is not known",
                names.join(", ")
            ),
        );
    }
    note(
        changes.seen().unreadable,
        "records could not be read back and are left out",
    );
}

pub(super) fn json(changes: &Changes<'_>, measure: Measure, digest: &str, all: bool) -> Value {
    let seen = changes.seen();
    let groups: Vec<Value> = changes
        .groups
        .iter()
        .map(|(group, ids)| {
            let shown = if all { ids.len() } else { FEW };
            json!({
                "direction": group.direction.as_str(), "then": group.then.as_str(), "now": group.now.as_str(), "by": group.by,
                "stricter": group.is_stricter(), "count": ids.len(), "records": ids.iter().take(shown).collect::<Vec<_>>(),
            })
        })
        .collect();
    let unknown = &changes.unknown;
    json!({
        "v": 1, "policy": digest, "measure": if measure == Measure::Full { "full" } else { "acting" },
        "exchanges": seen.exchanges, "first_ms": seen.first_ms, "changed": changes.changed, "changes": groups,
        "unknown": {"unseen": unknown.unseen, "unnamed": unknown.unnamed, "untried": unknown.untried, "unlooked": unknown.unlooked},
        "unreadable": seen.unreadable,
    })
}
