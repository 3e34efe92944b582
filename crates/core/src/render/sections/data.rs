//! Data classes and what belongs to them, the matrix, what raises a class, answers, what cannot be read, retention.

use super::{or_dash, run_in};
use crate::policy::document::{Escalation, TOKENS, Text};
use crate::render::block::{Block, Cell, Inline, Inlines, Table};
use crate::render::{Given, prose, state, words};
use crate::verdict::{AppClass, Mode};

pub(super) fn data(given: &Given<'_>, blocks: &mut Vec<Block>) {
    classes(given, blocks);
    escalations(given, blocks);
    matrix(given, blocks);
    answers(given, blocks);
    tokens(given, blocks);
    let data = &given.document.data;
    if let Some(verdict) = &data.uninspectable {
        let text = format!(
            "When something cannot be read as text, such as a picture or a recording, {}.",
            words::happens(verdict.value)
        );
        blocks.push(run_in(
            "data.uninspectable",
            "What cannot be read",
            vec![Inline::Text(text)],
        ));
    }
    unseen(given, blocks);
    if let Some(verdict) = &data.unavailable {
        let text = format!(
            "When a check of the content does not run, {}.",
            words::happens(verdict.value)
        );
        blocks.push(run_in(
            "data.unavailable",
            "What was not checked",
            vec![Inline::Text(text)],
        ));
    }
    if let Some(retention) = &data.retention {
        let kept: Vec<String> = retention
            .value
            .iter()
            .map(|(what, keep)| format!("{} for {}", words::spoken(what.as_str()), words::days(keep.value)))
            .collect();
        let text = format!("Kept: {}.", words::list(&kept, "and"));
        blocks.push(run_in("data.retention", "Retention", vec![Inline::Text(text)]));
    }
}

fn classes(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let data = &given.document.data;
    if data.classes.is_empty() {
        return;
    }
    let default = data.default.as_ref().map(Text::as_str);
    let mut table = Table::new(
        Some("data-classes"),
        "Data classes, least sensitive first",
        &["Class", "What belongs to it"],
    );
    for class in &data.classes {
        let of_class = data.entities.iter().filter(|(_, of)| of.as_str() == class.as_str());
        let mut parts: Vec<Inlines> = of_class.map(|(name, _)| entity(given, name.as_str())).collect();
        if default == Some(class.as_str()) {
            parts.push(vec![Inline::from("everything in which nothing listed here is found")]);
        }
        let text = if parts.is_empty() {
            vec![Inline::from("nothing is found to be of this class yet")]
        } else {
            words::runs(parts, "and")
        };
        table
            .rows
            .push(vec![Cell::from(vec![Inline::code(class.as_str())]), text.into()]);
    }
    blocks.push(Block::Table(table));
}

/// A kind of data in plain words, with its id and with the organisation's own words for it.
fn entity(given: &Given<'_>, name: &str) -> Inlines {
    let data = &given.document.data;
    let mut out = vec![Inline::Text(words::entity(given, name))];
    let own = data.keywords.iter().find(|(entity, _)| entity.as_str() == name);
    if let Some((_, keywords)) = own {
        let quoted: Vec<String> = keywords.iter().map(|word| format!("“{}”", word.value)).collect();
        out.push(Inline::Text(format!(" (the words {})", words::list(&quoted, "or"))));
    } else if data.patterns.iter().any(|(entity, _)| entity.as_str() == name) {
        out.push(Inline::from(" (by a pattern of our own)"));
    }
    out
}

fn escalations(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let escalations = &given.document.data.escalate;
    if escalations.is_empty() {
        return;
    }
    let text = "Some things weigh more when they come in numbers or together.";
    blocks.push(run_in("data.escalate", "What raises a class", vec![Inline::from(text)]));
    let items = escalations.iter().map(|one| vec![Inline::Text(escalation(given, one))]);
    blocks.push(Block::List {
        ordered: false,
        items: items.collect(),
    });
}

fn escalation(given: &Given<'_>, one: &Escalation) -> String {
    let names = |say: fn(&Given<'_>, &str) -> String| -> Vec<String> {
        one.entities.iter().map(|name| say(given, name.as_str())).collect()
    };
    match one.at_least {
        Some(number) => format!(
            "{} counts as {} when {number} or more different ones stand in one text.",
            words::capital(&words::list(&names(words::some), "or")),
            one.to.value
        ),
        None => format!(
            "{} in one text together count as {}.",
            words::capital(&words::list(&names(words::some), "and")),
            one.to.value
        ),
    }
}

fn matrix(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let Some(matrix) = &given.document.data.matrix else {
        return;
    };
    let anchor = words::data_anchor("data.matrix");
    let heads: Vec<String> = AppClass::ALL
        .iter()
        .map(|&class| words::capital(&format!("{} app", words::app_class(class))))
        .collect();
    let head: Vec<&str> = std::iter::once("Data class")
        .chain(heads.iter().map(String::as_str))
        .collect();
    let mut table = Table::new(Some(&anchor), "What may go where: prompts", &head);
    for row in &matrix.rows {
        let mut cells = vec![Cell::from(vec![Inline::code(row.class.as_str())])];
        for class in AppClass::ALL {
            let found = row.cells.iter().find(|(of, _)| of.value == *class);
            cells.push(found.map_or_else(
                || Cell::from("–"),
                |(_, verdict)| Cell {
                    text: vec![Inline::from(words::verdict(verdict.value))],
                    verdict: Some(verdict.value),
                },
            ));
        }
        table.rows.push(cells);
    }
    blocks.push(Block::Table(table));
    let mut text = "Each class that occurs in a text has its say; the strictest counts.".to_owned();
    for app in given.document.apps.iter().filter(|app| !app.cells.is_empty()) {
        let cells: Vec<String> = app
            .cells
            .iter()
            .map(|(class, verdict)| {
                format!(
                    "data of class {} is {}",
                    class.value,
                    passive(words::verdict(verdict.value))
                )
            })
            .collect();
        text.push_str(&format!(
            " For {} alone, {}.",
            words::app(given, app.id.as_str()),
            words::list(&cells, "and")
        ));
    }
    text.push_str(&mode_sentence(given, "data.matrix", "table"));
    blocks.push(Block::paragraph(vec![Inline::Text(text)]));
}

/// A verdict's words after "is".
fn passive(words: &str) -> String {
    match words {
        "goes through" => "let through".to_owned(),
        "with a notice" | "after a reason" => format!("let through {words}"),
        other => other.to_owned(),
    }
}

fn answers(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let Some(answers) = &given.document.data.answers else {
        return;
    };
    let cells: Vec<String> = answers
        .value
        .iter()
        .map(|(class, verdict)| {
            format!(
                "data of class {} is {}",
                class.value,
                passive(words::verdict(verdict.value))
            )
        })
        .collect();
    let mut text = format!(
        "In what comes back, {}; other classes go through.",
        words::list(&cells, "and")
    );
    text.push_str(&mode_sentence(given, "data.answers", "rule"));
    blocks.push(run_in("data.answers", "Answers", vec![Inline::Text(text)]));
}

/// What is masked on the way out and put back on the way in.
fn tokens(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let mut sentences: Vec<String> = Vec::new();
    for (how, unless) in [
        (TOKENS[0], ", where the rules for answers let it through"),
        (TOKENS[1], ", whatever the rules for answers say"),
    ] {
        let of = given.document.data.tokens.iter().filter(|(_, word)| word.value == how);
        let names: Vec<String> = of.map(|(name, _)| words::entity(given, name.as_str())).collect();
        if !names.is_empty() {
            let names = words::list(&names, "and");
            sentences.push(format!(
                "Where the model gets a numbered token in place of {names}, whoever sent the value sees it again in the answer{unless}."
            ));
        }
    }
    if !sentences.is_empty() {
        let text = sentences.join(" ");
        blocks.push(run_in("data.tokens", "What comes back", vec![Inline::Text(text)]));
    }
}

/// Where clauses do not see what they need, and the route is open all the same.
fn unseen(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let unseen = &given.document.data.unseen;
    if unseen.is_empty() {
        return;
    }
    let anchor = words::data_anchor("data.unseen");
    let heads = ["Endpoint", "Why", "Until"];
    let mut table = Table::new(Some(&anchor), "Open although some clause cannot act there", &heads);
    for one in unseen {
        let until = one.until.as_ref().map(|until| {
            let past = if given.today > until.value {
                " (has run out)"
            } else {
                ""
            };
            vec![Inline::Text(format!("{}{past}", until.value))]
        });
        table.rows.push(vec![
            or_dash(
                one.endpoint
                    .as_ref()
                    .map(|endpoint| vec![Inline::code(endpoint.as_str())]),
            )
            .into(),
            or_dash(one.reason.as_ref().map(|reason| prose::inlines(reason.as_str()))).into(),
            or_dash(until).into(),
        ]);
    }
    blocks.push(Block::Table(table));
}

fn mode_sentence(given: &Given<'_>, id: &str, what: &str) -> String {
    match state::mode(given, id) {
        Mode::Enforce => String::new(),
        other => format!(" For now this {what} {}.", words::mode(other)),
    }
}
