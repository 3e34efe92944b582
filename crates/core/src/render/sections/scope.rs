//! Groups, uses, what is outside and who is left out.

use super::{or_dash, run_in};
use crate::render::block::{Block, Cell, Inline, Table};
use crate::render::{Given, prose, words};

pub(super) fn data(given: &Given<'_>, blocks: &mut Vec<Block>) {
    groups(given, blocks);
    uses(given, blocks);
    if let Some(outside) = &given.document.scope.outside {
        let text = format!(
            "When a request names a use that is not listed, {}.",
            words::happens(outside.value)
        );
        blocks.push(run_in("scope.outside", "Other uses", vec![Inline::Text(text)]));
    }
    exclude(given, blocks);
}

fn groups(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let scope = &given.document.scope;
    if scope.groups.is_empty() {
        return;
    }
    let anchor = words::data_anchor("scope.groups");
    let mut table = Table::new(Some(&anchor), "Groups", &["Group", "In the directory"]);
    for group in &scope.groups {
        let claim = group.claim.as_ref().unwrap_or(&group.name);
        table.rows.push(vec![
            Cell::from(vec![Inline::code(group.name.as_str())]),
            Cell::from(vec![Inline::code(claim.as_str())]),
        ]);
    }
    blocks.push(Block::Table(table));
    if let Some(unmapped) = &scope.unmapped {
        let text = format!(
            "When a request comes from somebody in none of these groups, {}.",
            words::happens(unmapped.value)
        );
        blocks.push(Block::paragraph(vec![Inline::Text(text)]));
    }
}

fn uses(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let uses = &given.document.scope.uses;
    if uses.is_empty() {
        return;
    }
    let anchor = words::data_anchor("scope.uses");
    let head = ["Use", "What it is", "Owner", "For", "Data up to", "Risk tier"];
    let mut table = Table::new(Some(&anchor), "Uses", &head);
    for one in uses {
        let groups = if one.groups.is_empty() {
            "everyone".to_owned()
        } else {
            words::texts(&one.groups, "and")
        };
        let word = |text: &Option<crate::policy::document::Text>| {
            or_dash(text.as_ref().map(|text| vec![Inline::from(text.as_str())]))
        };
        table.rows.push(vec![
            Cell::from(vec![Inline::code(one.id.as_str())]),
            or_dash(one.statement.as_ref().map(|text| prose::inlines(text.as_str()))).into(),
            or_dash(one.owner.as_ref().map(|owner| words::role(given, owner))).into(),
            groups.into(),
            word(&one.ceiling).into(),
            word(&one.tier).into(),
        ]);
    }
    blocks.push(Block::Table(table));
}

fn exclude(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let exclude = &given.document.scope.exclude;
    if exclude.is_empty() {
        return;
    }
    let anchor = words::data_anchor("scope.exclude");
    let mut table = Table::new(Some(&anchor), "Left out of this policy", &["Group", "Why", "Until"]);
    for one in exclude {
        let until = one.until.as_ref().map(|until| {
            let past = if given.today > until.value {
                " (has run out)"
            } else {
                ""
            };
            vec![Inline::Text(format!("{}{past}", until.value))]
        });
        table.rows.push(vec![
            or_dash(one.group.as_ref().map(|group| vec![Inline::code(group.as_str())])).into(),
            or_dash(one.reason.as_ref().map(|reason| prose::inlines(reason.as_str()))).into(),
            or_dash(until).into(),
        ]);
    }
    blocks.push(Block::Table(table));
}
