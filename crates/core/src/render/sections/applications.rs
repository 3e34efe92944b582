//! The classified apps, by class, with their conditions.

use super::or_dash;
use crate::policy::document::{App, Expires};
use crate::render::block::{Block, Cell, Inline, Inlines, Table};
use crate::render::{Given, prose, sentence, words};
use crate::verdict::AppClass;

pub(super) fn data(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let mut anchor = Some(words::data_anchor("applications"));
    for (class, caption) in [
        (AppClass::Sanctioned, "Sanctioned apps: approved for work"),
        (AppClass::Tolerated, "Tolerated apps: put up with, for a while"),
        (AppClass::Unsanctioned, "Unsanctioned apps: not to be used"),
    ] {
        let apps: Vec<&App> = given.document.apps.iter().filter(|app| app.class == class).collect();
        if apps.is_empty() {
            continue;
        }
        let third = if class == AppClass::Unsanctioned {
            "Instead"
        } else {
            "Owner"
        };
        let mut table = Table::new(
            anchor.take().as_deref(),
            caption,
            &["App", "Reason", third, "Conditions", "Until"],
        );
        for app in apps {
            let third = if class == AppClass::Unsanctioned {
                app.instead
                    .as_ref()
                    .map(|id| vec![Inline::Text(words::app(given, id.as_str()))])
            } else {
                app.owner.as_ref().map(|owner| words::role(given, owner))
            };
            table.rows.push(vec![
                Cell::from(name(given, app)),
                or_dash(app.reason.as_ref().map(|reason| prose::inlines(reason.as_str()))).into(),
                or_dash(third).into(),
                conditions(given, app).into(),
                until(given, app.expires.as_ref()).into(),
            ]);
        }
        drop_empty_columns(&mut table);
        blocks.push(Block::Table(table));
    }
    let text = "Every app that is not listed here counts as unknown until somebody has classified it.";
    blocks.push(Block::Paragraph {
        anchor: anchor.take(),
        text: vec![Inline::from(text)],
    });
}

fn name(given: &Given<'_>, app: &App) -> Inlines {
    let mut out = vec![Inline::Text(words::app(given, app.id.as_str()))];
    if given.catalog.app(app.id.as_str()).is_some() {
        out.push(Inline::from(" ("));
        out.push(Inline::code(app.id.as_str()));
        out.push(Inline::from(")"));
    }
    out
}

fn until(given: &Given<'_>, expires: Option<&Expires>) -> Inlines {
    or_dash(expires.map(|expires| {
        let (on, then) = (expires.on.value, words::app_class(expires.then.value));
        let text = if given.today > on {
            format!("{on}: has run out, and counts as {then}")
        } else {
            format!("{on}, then {then}")
        };
        vec![Inline::Text(text)]
    }))
}

fn conditions(given: &Given<'_>, app: &App) -> Inlines {
    let mut parts: Vec<Inlines> = Vec::new();
    if let Some(selectors) = &app.only_for {
        let mut text = vec![Inline::from("only for ")];
        text.extend(sentence::whom(given, &selectors.value));
        parts.push(text);
    }
    let mut say = |text: String| parts.push(vec![Inline::Text(text)]);
    if let Some(models) = &app.models {
        say(format!("models {}", words::texts(models, "or")));
    }
    for (key, value) in &app.require {
        say(format!("{} must be {}", words::spoken(key.as_str()), value.value));
    }
    for (class, verdict) in &app.cells {
        say(format!(
            "data of class {}: {}",
            class.value,
            words::verdict(verdict.value)
        ));
    }
    for (key, value) in &app.terms {
        say(format!("terms: {} {}", words::spoken(key.as_str()), value.value));
    }
    if let Some(checked) = &app.terms_checked {
        say(format!("terms checked on {}", checked.value));
    }
    let mut out = Inlines::new();
    for part in parts {
        if !out.is_empty() {
            out.push(Inline::from("; "));
        }
        out.extend(part);
    }
    or_dash((!out.is_empty()).then_some(out))
}

/// Takes out columns in which nothing stands.
fn drop_empty_columns(table: &mut Table) {
    let dash = Cell::from("–").text;
    let keep: Vec<bool> = (0..table.head.len())
        .map(|column| {
            table
                .rows
                .iter()
                .any(|row| row.get(column).is_some_and(|cell| cell.text != dash))
        })
        .collect();
    let mut kept = keep.iter();
    table.head.retain(|_| kept.next().copied().unwrap_or(true));
    for row in &mut table.rows {
        let mut kept = keep.iter();
        row.retain(|_| kept.next().copied().unwrap_or(true));
    }
}
