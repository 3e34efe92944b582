//! Who may reach which apps at all, and which tools models may call.

use super::or_dash;
use crate::policy::document::{Pass, Tools};
use crate::render::block::{Block, Cell, Inline, Table};
use crate::render::{Given, sentence, words};
use crate::verdict::Verdict;

pub(super) fn data(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let access = &given.document.access;
    if access.grants_place.is_some() {
        let anchor = words::data_anchor("access");
        let mut table = Table::new(
            Some(&anchor),
            "Grants",
            &["Grant", "Who", "May reach", "For the use", "Models"],
        );
        for grant in &access.grants {
            let apps = grant
                .apps
                .as_ref()
                .map_or_else(|| "any app".to_owned(), |apps| sentence::apps(given, apps));
            let names = |names: &Option<Vec<_>>| {
                names
                    .as_ref()
                    .map_or_else(|| "any".to_owned(), |names| words::texts(names, "or"))
            };
            table.rows.push(vec![
                Cell::from(vec![Inline::code(grant.id.as_str())]),
                words::texts(&grant.groups, "and").into(),
                apps.into(),
                names(&grant.uses).into(),
                names(&grant.models).into(),
            ]);
        }
        blocks.push(Block::Table(table));
        let text = "What no grant allows is refused. A grant never loosens anything else in this policy.";
        blocks.push(Block::paragraph(vec![Inline::from(text)]));
    }
    if let Some(listed) = &access.tools {
        tools(listed, blocks);
    }
    if access.endpoints_place.is_some() {
        passes(&access.endpoints, blocks);
    }
}

fn passes(passes: &[Pass], blocks: &mut Vec<Block>) {
    let anchor = words::data_anchor("access.endpoints");
    let head = ["Line", "Endpoints", "Who", "What happens", "Until", "Why"];
    let mut table = Table::new(Some(&anchor), "Endpoints that pass unread", &head);
    for pass in passes {
        table.rows.push(vec![
            Cell::from(vec![Inline::code(pass.id.as_str())]),
            words::texts(&pass.endpoints, "and").into(),
            words::texts(&pass.groups, "and").into(),
            Cell {
                text: vec![Inline::from(words::verdict(pass.then.value))],
                verdict: Some(pass.then.value),
            },
            or_dash(
                pass.until
                    .as_ref()
                    .map(|until| vec![Inline::Text(until.value.to_string())]),
            )
            .into(),
            or_dash(pass.reason.as_ref().map(|reason| vec![Inline::from(reason.as_str())])).into(),
        ]);
    }
    blocks.push(Block::Table(table));
    let text = "Nobody reads what goes there and comes back. Every other endpoint that is not inspected is refused.";
    blocks.push(Block::paragraph(vec![Inline::from(text)]));
}

fn tools(tools: &Tools, blocks: &mut Vec<Block>) {
    let anchor = words::data_anchor("access.tools");
    let head = [
        "Tool",
        "What it does",
        "Whose models may call it",
        "What happens",
        "With arguments",
    ];
    let mut table = Table::new(Some(&anchor), "Tools that models may call", &head);
    for tool in &tools.list {
        let groups = if tool.groups.is_empty() {
            "everyone's".to_owned()
        } else {
            words::texts(&tool.groups, "and")
        };
        let then = tool.then.as_ref().map_or(Verdict::Allow, |then| then.value);
        let args: Vec<String> = tool
            .args
            .iter()
            .map(|(name, patterns)| format!("{} like {}", name.value, words::texts(patterns, "or")))
            .collect();
        table.rows.push(vec![
            Cell::from(vec![Inline::code(tool.tool.as_str())]),
            or_dash(tool.kind.as_ref().map(|kind| vec![Inline::from(kind.as_str())])).into(),
            groups.into(),
            Cell {
                text: vec![Inline::from(words::verdict(then))],
                verdict: Some(then),
            },
            or_dash((!args.is_empty()).then(|| vec![Inline::Text(words::list(&args, "and"))])).into(),
        ]);
    }
    let unlisted = tools.unlisted.as_ref().map_or(Verdict::Block, |verdict| verdict.value);
    table.rows.push(vec![
        Cell::from("any other"),
        Cell::from("–"),
        Cell::from("everyone's"),
        Cell {
            text: vec![Inline::from(words::verdict(unlisted))],
            verdict: Some(unlisted),
        },
        Cell::from("–"),
    ]);
    blocks.push(Block::Table(table));
}
