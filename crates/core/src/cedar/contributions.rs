//! What can contribute to a decision, as conditions: "The order" of `docs/reference/deciding.md`, step by step.
//!
//! Read [`Say`] first, then [`section_data`].

use super::selectors::{Printer, guarded, model};
use super::text::{Expr, has_one_of, is_in, is_one_of, like, quote};
use crate::decide::arguments::ArgumentTest;
use crate::policy::document::{App, At, Document, Gate, Rule, Text};
use crate::verdict::{AppClass, Verdict};

/// What one citation can say.
pub(super) struct Say<'d> {
    pub(super) citation: &'d str,
    /// Whether it is about one call of a tool rather than the exchange.
    pub(super) tool: bool,
    pub(super) parts: Vec<Part<'d>>,
    /// What a `redact` would mask.
    pub(super) basis: Basis<'d>,
}

/// One condition with what follows from it.
pub(super) struct Part<'d> {
    /// What tells it from its neighbours.
    pub(super) name: String,
    pub(super) when: Expr,
    pub(super) unless: Vec<(Option<&'d str>, Expr)>,
    pub(super) verdict: Verdict,
}

#[derive(Clone, Copy)]
pub(super) enum Basis<'d> {
    /// Nothing that could be masked: a `redact` is a `block`.
    Nothing,
    /// What has the class of the text.
    TextClass,
    /// What the rule's selectors name.
    Rule(&'d Rule),
}

/// What section data and gates can say, in the order of the page.
pub(super) fn section_data(document: &Document) -> Vec<Say<'_>> {
    let mut says = vec![access(document)];
    says.extend(scope(document));
    says.extend([matrix(document), answers(document)]);
    says.extend(tools(document));
    says.extend(document.education.gates.iter().map(|one| gate(document, one)));
    says
}

/// What a rule without a condition in CEL can say.
pub(super) fn rule<'d>(document: &'d Document, id: &'d str, rule: &'d Rule) -> Say<'d> {
    let print = printer(document, false);
    let unless = (!rule.unless.is_empty()).then(|| (None, print.any(&rule.unless)));
    let part = Part {
        unless: unless.into_iter().collect(),
        ..Part::new(print.any(&rule.when), rule.then.value)
    };
    Say::of_one(id, part, Basis::Rule(rule))
}

impl<'d> Part<'d> {
    const fn new(when: Expr, verdict: Verdict) -> Self {
        Self {
            name: String::new(),
            when,
            unless: Vec::new(),
            verdict,
        }
    }
}

impl<'d> Say<'d> {
    fn of_one(citation: &'d str, part: Part<'d>, basis: Basis<'d>) -> Self {
        Self {
            citation,
            tool: false,
            parts: vec![part],
            basis,
        }
    }
}

fn prompt() -> Expr {
    Expr::atom("context.direction == \"prompt\"")
}

fn answer() -> Expr {
    Expr::atom("context.direction == \"answer\"")
}

pub(super) const fn printer(document: &Document, tool: bool) -> Printer<'_> {
    Printer {
        document,
        app: if tool { "context.app" } else { "resource" },
    }
}

/// Step 3, in two halves: a grant, and the models of the app.
fn access(document: &Document) -> Say<'_> {
    let print = printer(document, false);
    let mut grants = Vec::new();
    for grant in &document.access.grants {
        let uses = grant
            .uses
            .as_ref()
            .map(|uses| guarded("use", is_one_of("context.use", uses.iter().map(Text::as_str))));
        let expr = Expr::all(
            [
                Some(print.group(&grant.groups)),
                grant.apps.as_ref().map(|apps| print.apps(apps)),
                uses,
                grant.models.as_ref().map(|patterns| model(patterns)),
            ]
            .into_iter()
            .flatten(),
        );
        grants.push((Some(grant.id.as_str()), expr));
    }
    let mut parts = vec![Part {
        name: "no grant".to_owned(),
        when: prompt(),
        unless: grants,
        verdict: Verdict::Block,
    }];
    let limited = document.apps.iter().filter_map(|app| Some((app, app.models.as_ref()?)));
    for (app, models) in limited {
        parts.push(Part {
            name: format!("models of {}", app.id.as_str()),
            when: Expr::all([prompt(), is_in("resource", "App", [app.id.as_str()])]),
            unless: vec![(None, model(models))],
            verdict: Verdict::Block,
        });
    }
    Say {
        citation: "access",
        tool: false,
        parts,
        basis: Basis::Nothing,
    }
}

fn scope(document: &Document) -> Vec<Say<'_>> {
    let (scope, print) = (&document.scope, printer(document, false));
    let mut says = Vec::new();
    if let Some(unmapped) = &scope.unmapped {
        let known = is_in(
            "principal",
            "Group",
            scope.groups.iter().map(|group| group.name.as_str()),
        );
        let part = Part::new(Expr::all([prompt(), known.not()]), unmapped.value);
        says.push(Say::of_one("scope.groups", part, Basis::Nothing));
    }
    let listed = is_one_of("context.use", scope.uses.iter().map(|one| one.id.as_str()));
    let outside = scope.outside.as_ref().map_or(Verdict::Block, |verdict| verdict.value);
    let part = Part::new(Expr::all([prompt(), guarded("use", listed.not())]), outside);
    says.push(Say::of_one("scope.outside", part, Basis::Nothing));
    let mut uses = Say {
        citation: "scope.uses",
        tool: false,
        parts: Vec::new(),
        basis: Basis::TextClass,
    };
    for one in &scope.uses {
        let theirs = if one.groups.is_empty() {
            Expr::Const(true)
        } else {
            print.group(&one.groups)
        };
        let above = one
            .ceiling
            .as_ref()
            .map_or_else(Vec::new, |ceiling| above(document, ceiling));
        let broken = Expr::any([theirs.not(), has_one_of("context.classes", &above)]);
        uses.parts.push(Part {
            name: one.id.value.clone(),
            when: Expr::all([
                prompt(),
                guarded("use", is_one_of("context.use", [one.id.as_str()])),
                broken,
            ]),
            unless: Vec::new(),
            verdict: Verdict::Block,
        });
    }
    says.push(uses);
    says
}

/// The classes above one.
fn above(document: &Document, class: &Text) -> Vec<String> {
    let classes = document.data.classes.iter().map(|class| class.value.clone());
    let mut above = classes.skip_while(|one| *one != class.value);
    above.next();
    above.collect()
}

fn matrix(document: &Document) -> Say<'_> {
    let mut parts = Vec::new();
    let rows = document.data.matrix.iter().flat_map(|matrix| &matrix.rows);
    let cells: Vec<(&str, AppClass, Verdict)> = rows
        .flat_map(|row| {
            row.cells
                .iter()
                .map(|(app, verdict)| (row.class.as_str(), app.value, verdict.value))
        })
        .collect();
    for &app_class in AppClass::ALL {
        let in_class = Expr::all([prompt(), is_one_of("context.app_class", [app_class.as_str()])]);
        let own: Vec<&App> = document
            .apps
            .iter()
            .filter(|app| app.class == app_class && !app.cells.is_empty())
            .collect();
        let row = document.data.classes.iter().map(|class| {
            let class = class.as_str();
            let stated = cells.iter().find(|(of, app, _)| *of == class && *app == app_class);
            let elsewhere = own
                .iter()
                .filter(|app| app.cells.iter().any(|(of, _)| of.as_str() == class))
                .map(|app| app.id.as_str());
            Cell {
                class,
                verdict: stated.map_or(Verdict::Block, |(_, _, verdict)| *verdict),
                unless: is_in("resource", "App", elsewhere),
            }
        });
        table(&mut parts, &format!("{app_class}, "), &in_class, row.collect());
        for app in own {
            let here = is_in("resource", "App", [app.id.as_str()]);
            let row = app.cells.iter().map(Cell::of);
            let name = format!("{}, ", app.id.as_str());
            table(&mut parts, &name, &Expr::all([in_class.clone(), here]), row.collect());
        }
    }
    Say {
        citation: "data.matrix",
        tool: false,
        parts,
        basis: Basis::TextClass,
    }
}

fn answers(document: &Document) -> Say<'_> {
    let mut parts = Vec::new();
    let row = document
        .data
        .answers
        .iter()
        .flat_map(|answers| &answers.value)
        .map(Cell::of);
    table(&mut parts, "", &answer(), row.collect());
    Say {
        citation: "data.answers",
        tool: false,
        parts,
        basis: Basis::TextClass,
    }
}

/// A cell of a table.
struct Cell<'d> {
    class: &'d str,
    verdict: Verdict,
    /// Where another cell stands in its place.
    unless: Expr,
}

impl<'d> Cell<'d> {
    fn of((class, verdict): &'d (Text, At<Verdict>)) -> Self {
        Self {
            class: class.as_str(),
            verdict: verdict.value,
            unless: Expr::Const(false),
        }
    }
}

/// A row of a table, cells alike together. What a `redact` cell cannot mask, because it stands where nothing can be edited,
/// blocks.
fn table<'d>(parts: &mut Vec<Part<'d>>, name: &str, when: &Expr, mut row: Vec<Cell<'d>>) {
    while !row.is_empty() {
        let first = row.remove(0);
        let (alike, others): (Vec<_>, Vec<_>) = row
            .into_iter()
            .partition(|cell| cell.verdict == first.verdict && cell.unless == first.unless);
        row = others;
        let classes: Vec<String> = std::iter::once(&first)
            .chain(&alike)
            .map(|cell| cell.class.to_owned())
            .collect();
        let mut part = |name: String, set: &str, verdict| {
            parts.push(Part {
                name,
                unless: vec![(None, first.unless.clone())],
                ..Part::new(Expr::all([when.clone(), has_one_of(set, &classes)]), verdict)
            });
        };
        let name = format!("{name}{}", classes.join(" "));
        part(name.clone(), "context.classes", first.verdict);
        if first.verdict == Verdict::Redact {
            part(format!("{name}, fixed"), "context.fixed_classes", Verdict::Block);
        }
    }
}

/// Each call of a tool: the first entry that matches counts.
fn tools(document: &Document) -> Option<Say<'_>> {
    let (tools, print) = (document.access.tools.as_ref()?, printer(document, true));
    let mut parts = Vec::new();
    let mut earlier: Vec<(Option<&str>, Expr)> = Vec::new();
    for tool in &tools.list {
        let groups = if tool.groups.is_empty() {
            Expr::Const(true)
        } else {
            print.group(&tool.groups)
        };
        let met = tool.args.iter().map(|(name, patterns)| {
            let label = ArgumentTest::label_of(name.as_str(), patterns.iter().map(Text::as_str));
            Expr::atom(format!("resource.met.contains({})", quote(&label)))
        });
        let matches = Expr::all(
            [like("resource.name", [tool.tool.as_str()]), groups]
                .into_iter()
                .chain(met),
        );
        parts.push(Part {
            name: tool.tool.value.clone(),
            when: matches.clone(),
            unless: earlier.clone(),
            verdict: tool.then.as_ref().map_or(Verdict::Allow, |then| then.value),
        });
        earlier.push((None, matches));
    }
    parts.push(Part {
        name: "unlisted".to_owned(),
        when: Expr::Const(true),
        unless: earlier,
        verdict: tools.unlisted.as_ref().map_or(Verdict::Block, |verdict| verdict.value),
    });
    Some(Say {
        citation: "access.tools",
        tool: true,
        parts,
        basis: Basis::Nothing,
    })
}

fn gate<'d>(document: &'d Document, gate: &'d Gate) -> Say<'d> {
    let days = gate.grace.as_ref().map_or(0, |days| days.value);
    let grace = format!("context.today <= context.since.offset(duration(\"{days}d\"))");
    let newcomer = guarded("since", Expr::atom(grace));
    let held = printer(document, false).holds(gate.without.as_str());
    let part = Part {
        unless: vec![(None, held), (None, newcomer)],
        ..Part::new(prompt(), gate.then.value)
    };
    Say::of_one(gate.id.as_str(), part, Basis::Nothing)
}
