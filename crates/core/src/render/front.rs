//! The title page, how to read the rest, and the table of contents.

use jiff::civil::Date;

use super::block::{Block, Entry, Extent, Inline, Inlines, Page};
use super::state::{Kind, State};
use super::{Given, words};
use crate::policy::document::Clause;

/// A page with the facts of the title page.
pub(super) fn page(given: &Given<'_>, blocks: Vec<Block>) -> Page {
    Page {
        language: "en",
        organization: given.policy.organization.clone(),
        title: "Policy for generative AI".to_owned(),
        version: given.policy.version.clone(),
        digest: given.policy.digest.to_string(),
        today: given.today,
        extent: Extent::Whole,
        facts: facts(given),
        blocks,
    }
}

fn facts(given: &Given<'_>) -> Vec<(String, Inlines)> {
    let document = given.document;
    let text = |text: String| vec![Inline::Text(text)];
    let mut facts: Vec<(String, Inlines)> = Vec::new();
    let mut add = |name: &str, text: Inlines| facts.push((name.to_owned(), text));
    add("Organisation", text(given.policy.organization.clone()));
    add("Version", text(given.policy.version.clone()));
    let approved = document.approved.as_ref();
    let approval = approved.map_or_else(
        || "not approved yet".to_owned(),
        |approved| {
            let by = approved.by.as_ref().map(|by| format!("by {}", by.value));
            let on = approved.on.as_ref().map(|on| format!("on {}", on.value));
            let parts: Vec<String> = by.into_iter().chain(on).collect();
            parts.join(" ")
        },
    );
    add("Approved", text(approval));
    let effective = approved.and_then(|approved| approved.effective.as_ref());
    add(
        "Effective",
        text(effective.map_or_else(|| "no date is stated".to_owned(), |on| format!("from {}", on.value))),
    );
    add("Next review", text(review(given)));
    if let Some(owner) = &document.roles.accountable {
        let mut who = words::role(given, owner);
        if let Some(deputy) = &document.roles.deputy {
            who.push(Inline::from("; deputy: "));
            who.extend(words::role(given, deputy));
        }
        add("Owner", who);
    }
    if !document.profiles.is_empty() {
        add("Profiles", text(words::texts(&document.profiles, "and")));
    }
    if let Some(zone) = document.timezone.as_ref().and_then(|zone| zone.value.iana_name()) {
        add("Time zone of dates", text(zone.to_owned()));
    }
    add("Digest", vec![Inline::Code(given.policy.digest.to_string())]);
    add("States as of", text(given.today.to_string()));
    facts
}

fn review(given: &Given<'_>) -> String {
    let document = given.document;
    let Some(review) = &document.review else {
        return "no rhythm is stated".to_owned();
    };
    let approved = document.approved.as_ref().and_then(|approved| approved.on.as_ref());
    let due = |on: Date, days: u32| on.checked_add(jiff::Span::new().days(i64::from(days))).ok();
    let mut text = match (&review.every, approved) {
        (Some(every), Some(on)) => due(on.value, every.value).map_or_else(
            || format!("every {}", words::days(every.value)),
            |due| {
                let late = if given.today > due { " (overdue)" } else { "" };
                format!("by {due}{late}")
            },
        ),
        (Some(every), None) => format!("every {}, counted from the approval", words::days(every.value)),
        (None, _) => String::new(),
    };
    if !review.also.is_empty() {
        let events: Vec<String> = review.also.iter().map(|event| words::spoken(event.as_str())).collect();
        let also = words::list(&events, "or");
        text.push_str(&if text.is_empty() {
            format!("after: {also}")
        } else {
            format!("; also after: {also}")
        });
    }
    text
}

/// What the states beside clauses mean, with how many have each.
pub(super) fn reading(given: &Given<'_>, states: &[(&Clause, State)]) -> Vec<Block> {
    let intro = format!(
        "This document and the rules that the gateway runs come from the same file. Beside each of its {} clauses stands \
         whether it acts on {}; that is computed, never typed in.",
        states.len(),
        given.today
    );
    let count = |kind: Kind| states.iter().filter(|(_, state)| state.kind == kind).count();
    let items = Kind::ALL
        .into_iter()
        .filter(|&kind| {
            count(kind) > 0
                || matches!(
                    kind,
                    Kind::RunsNow | Kind::Observes | Kind::EvidenceAwaited | Kind::NotYet
                )
        })
        .map(|kind| {
            let term = vec![Inline::Text(words::capital(kind.label()))];
            let number = match count(kind) {
                0 => "No clause.".to_owned(),
                1 => "1 clause.".to_owned(),
                more => format!("{more} clauses."),
            };
            (term, vec![Inline::Text(format!("{} {number}", kind.meaning()))])
        });
    vec![
        Block::Heading(super::block::Heading {
            level: 2,
            number: None,
            text: "How to read this document".to_owned(),
            anchor: "reading".to_owned(),
        }),
        Block::paragraph(vec![Inline::Text(intro)]),
        Block::Definitions(items.collect()),
    ]
}

/// The headings of sections, for the table of contents.
pub(super) fn contents(blocks: &[Block]) -> Vec<Entry> {
    let headings = blocks.iter().filter_map(|block| match block {
        Block::Heading(heading) if heading.level == 2 => Some(heading),
        _ => None,
    });
    headings
        .map(|heading| Entry {
            number: heading.number.clone(),
            text: heading.text.clone(),
            anchor: heading.anchor.clone(),
        })
        .collect()
}
