//! Answers as a file that people go on with: every answer with what it changes.

use std::fmt::Write as _;

use super::{Answers, Work};
use crate::library::questions::QUESTIONS;
use crate::library::words::{list, scalar};

pub(super) fn render(answers: &Answers) -> String {
    let mut out = String::from(
        "# What the policy was made from. Change an answer and run `ordain init DIR --force --answers DIR/answers.yaml`: it makes\n# the policy anew and moves the old one aside.\n",
    );
    if let Some(next) = &answers.next {
        let _ = write!(
            out,
            "\n# The interview goes on with this question. Take the line out if you answer the rest here.\nnext: {next}\n"
        );
    }
    for question in QUESTIONS {
        let _ = write!(out, "\n# {} {}\n", question.ask, question.changes);
        out.push_str(&answer(answers, question.key));
    }
    out.push_str(&more(answers));
    out
}

fn answer(answers: &Answers, key: &str) -> String {
    match key {
        "organization" => format!("organization: {}\n", scalar(&answers.organization)),
        "profiles" => format!("profiles: {}\n", names(&answers.profiles)),
        "size" => format!(
            "size: {} # small: up to 50, medium: up to 500, large: more\n",
            answers.size
        ),
        "sector" => format!("sector: {} # general, health, finance or public\n", answers.sector),
        "regulations" => format!("regulations: {}\n", names(&answers.regulations)),
        "apps" => items("apps", answers.apps.iter().map(app)),
        "data" => format!("data: {}\n", names(&answers.data)),
        "keywords" => items(
            "keywords",
            answers.keywords.iter().map(|own| {
                format!(
                    "{{entity: {}, class: {}, words: {}}}",
                    scalar(&own.entity),
                    scalar(&own.class),
                    names(&own.words)
                )
            }),
        ),
        "groups" => {
            let does = Work::ALL
                .iter()
                .map(|work| work.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            format!(
                "# `does` is any of: {does}\n{}",
                items("groups", answers.groups.iter().map(group))
            )
        }
        "people" => people(answers),
        "board" => board(answers),
        "works_council" => format!("works_council: {}\n", answers.works_council),
        "uses" => items("uses", answers.uses.iter().map(use_)),
        "appetite" => format!("appetite: {} # careful, balanced or bold\n", answers.appetite),
        "timezone" => format!("timezone: {}\n", scalar(&answers.timezone)),
        _ => String::new(),
    }
}

fn names(values: &[String]) -> String {
    list(values.iter().map(String::as_str))
}

fn items(key: &str, items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|item| format!("  - {item}\n")).collect();
    if items.is_empty() {
        format!("{key}: []\n")
    } else {
        format!("{key}:\n{items}")
    }
}

fn app(app: &super::App) -> String {
    let mut out = format!("{{app: {}, class: {}", scalar(&app.app), app.class);
    if app.own {
        out.push_str(", own: true");
    }
    if !app.models.is_empty() {
        let _ = write!(out, ", models: {}", names(&app.models));
    }
    for (key, value) in [("owner", &app.owner), ("reason", &app.reason)] {
        if let Some(value) = value {
            let _ = write!(out, ", {key}: {}", scalar(value));
        }
    }
    if let Some(date) = app.terms_checked {
        let _ = write!(out, ", terms_checked: {date}");
    }
    out.push('}');
    out
}

fn group(group: &super::Group) -> String {
    let mut out = format!("{{id: {}", scalar(&group.id));
    if let Some(claim) = &group.claim {
        let _ = write!(out, ", claim: {}", scalar(claim));
    }
    if !group.does.is_empty() {
        let _ = write!(out, ", does: {}", list(group.does.iter().map(|work| work.as_str())));
    }
    out.push('}');
    out
}

fn people(answers: &Answers) -> String {
    let mut out = format!("domain: {}\npeople:\n", scalar(&answers.domain));
    for role in answers.roles().into_iter().chain(answers.council()) {
        let _ = writeln!(out, "  {role}: {}", scalar(&answers.address(role)));
    }
    out
}

fn board(answers: &Answers) -> String {
    let quorum = answers
        .quorum
        .map(|quorum| format!(", quorum: {quorum}"))
        .unwrap_or_default();
    format!("board: {{members: {}{quorum}}}\n", names(&answers.board))
}

fn use_(one: &super::Use) -> String {
    let mut out = format!(
        "{{id: {}, statement: {}, owner: {}",
        scalar(&one.id),
        scalar(&one.statement),
        scalar(&one.owner)
    );
    if !one.groups.is_empty() {
        let _ = write!(out, ", groups: {}", names(&one.groups));
    }
    if let Some(ceiling) = &one.ceiling {
        let _ = write!(out, ", ceiling: {}", scalar(ceiling));
    }
    let _ = write!(out, ", tier: {}}}", one.tier);
    out
}

/// What the interview does not ask.
fn more(answers: &Answers) -> String {
    let mut out = String::from(
        "\n# Not asked, yours to say: tools that models may call, clauses by id, and values of their parameters.\n",
    );
    out.push_str(&items(
        "tools",
        answers.tools.iter().map(|tool| {
            let mut out = format!("{{tool: {}, kind: {}", scalar(&tool.tool), tool.kind);
            if !tool.groups.is_empty() {
                let _ = write!(out, ", groups: {}", names(&tool.groups));
            }
            if let Some(then) = tool.then {
                let _ = write!(out, ", then: {then}");
            }
            out.push('}');
            out
        }),
    ));
    let _ = writeln!(
        out,
        "also: {} # `ordain clause list` shows which there are",
        names(&answers.also)
    );
    let _ = writeln!(
        out,
        "without: {} # recommended ones that you do not want",
        names(&answers.without)
    );
    if answers.settings.is_empty() {
        out.push_str("settings: {}\n");
    } else {
        out.push_str("settings:\n");
        for (clause, values) in &answers.settings {
            let values: Vec<String> = values
                .iter()
                .map(|(name, value)| format!("{name}: {}", scalar(value)))
                .collect();
            let _ = writeln!(out, "  {clause}: {{{}}}", values.join(", "));
        }
    }
    if let Some(approved) = &answers.approved {
        let effective = approved
            .effective
            .map(|date| format!(", effective: {date}"))
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "approved: {{by: {}, on: {}{effective}}}",
            scalar(&approved.by),
            approved.on
        );
    }
    out
}
