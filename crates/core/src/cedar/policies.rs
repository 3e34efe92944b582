//! From the document to Cedar policies: each contribution of "The order" is one or a few `forbid`s.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::action;
use super::selectors::{Printer, date, guarded, model};
use super::text::{Expr, has_one_of, is_in, is_one_of, like, quote};
use crate::policy::document::{App, Document, Exception, Rule, Text};
use crate::verdict::{AppClass, Verdict};

/// The policy in Cedar: `permit` everything, and `forbid` what each contribution does not let pass.
///
/// The document must be one that [`crate::policy::load`] made a policy of.
#[must_use]
pub fn policies(document: &Document) -> String {
    let mut writer = Writer {
        document,
        out: String::new(),
        ids: BTreeSet::new(),
    };
    writer.head();
    writer.what_could_not_be_seen();
    for say in [
        access(document),
        scope(document),
        vec![matrix(document), answers(document)],
        tools(document).into_iter().collect(),
        gates(document),
    ]
    .into_iter()
    .flatten()
    {
        writer.say(&say);
    }
    for clause in &document.clauses {
        match clause.rule.as_ref() {
            Some(rule) if rule.condition.is_some() => writer.not_expressible(clause.id.as_str(), rule),
            Some(rule) => writer.say(&rule_says(document, clause.id.as_str(), rule)),
            None => {}
        }
    }
    writer.out
}

/// What one citation can say.
struct Say<'d> {
    citation: &'d str,
    /// Whether it is about one call of a tool rather than the exchange.
    tool: bool,
    parts: Vec<Part<'d>>,
    /// What a `redact` would mask.
    basis: Basis<'d>,
}

/// One condition with what follows from it.
struct Part<'d> {
    /// What tells it from its neighbours.
    name: String,
    when: Expr,
    unless: Vec<(Option<&'d str>, Expr)>,
    verdict: Verdict,
}

#[derive(Clone, Copy)]
enum Basis<'d> {
    /// Nothing that could be masked: a `redact` is a `block`.
    Nothing,
    /// What has the class of the text.
    TextClass,
    /// What the rule's selectors name.
    Rule(&'d Rule),
}

fn prompt() -> Expr {
    Expr::atom("context.direction == \"prompt\"")
}

fn answer() -> Expr {
    Expr::atom("context.direction == \"answer\"")
}

const fn printer(document: &Document, tool: bool) -> Printer<'_> {
    Printer {
        document,
        app: if tool { "context.app" } else { "resource" },
    }
}

/// Step 3, in two halves: a grant, and the models of the app.
fn access(document: &Document) -> Vec<Say<'_>> {
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
    vec![Say {
        citation: "access",
        tool: false,
        parts,
        basis: Basis::Nothing,
    }]
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
        says.push(one(
            "scope.groups",
            Expr::all([prompt(), known.not()]),
            unmapped.value,
            Basis::Nothing,
        ));
    }
    let listed = is_one_of("context.use", scope.uses.iter().map(|one| one.id.as_str()));
    says.push(one(
        "scope.outside",
        Expr::all([prompt(), guarded("use", listed.not())]),
        scope.outside.as_ref().map_or(Verdict::Block, |verdict| verdict.value),
        Basis::Nothing,
    ));
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
        let in_class = is_one_of("context.app_class", [app_class.as_str()]);
        let own: Vec<&App> = document
            .apps
            .iter()
            .filter(|app| app.class == app_class && !app.cells.is_empty())
            .collect();
        for class in document.data.classes.iter().map(Text::as_str) {
            let stated = cells.iter().find(|(of, app, _)| *of == class && *app == app_class);
            let verdict = stated.map_or(Verdict::Block, |(_, _, verdict)| *verdict);
            let elsewhere = own
                .iter()
                .filter(|app| app.cells.iter().any(|(of, _)| of.as_str() == class))
                .map(|app| app.id.as_str());
            let mut unless = vec![(None, is_in("resource", "App", elsewhere))];
            unless.retain(|(_, expr)| *expr != Expr::Const(false));
            cell(
                &mut parts,
                &format!("{app_class}, {class}"),
                &Expr::all([prompt(), in_class.clone()]),
                class,
                verdict,
                &unless,
            );
        }
        for app in own {
            let here = is_in("resource", "App", [app.id.as_str()]);
            for (class, verdict) in &app.cells {
                cell(
                    &mut parts,
                    &format!("{}, {}", app.id.as_str(), class.as_str()),
                    &Expr::all([prompt(), here.clone(), in_class.clone()]),
                    class.as_str(),
                    verdict.value,
                    &[],
                );
            }
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
    for (class, verdict) in document.data.answers.iter().flat_map(|answers| &answers.value) {
        cell(
            &mut parts,
            class.as_str(),
            &answer(),
            class.as_str(),
            verdict.value,
            &[],
        );
    }
    Say {
        citation: "data.answers",
        tool: false,
        parts,
        basis: Basis::TextClass,
    }
}

/// A cell of a table. What a `redact` cell cannot mask, because it stands where nothing can be edited, blocks.
fn cell<'d>(
    parts: &mut Vec<Part<'d>>,
    name: &str,
    when: &Expr,
    class: &str,
    verdict: Verdict,
    unless: &[(Option<&'d str>, Expr)],
) {
    let mut part = |name: String, set: &str, verdict| {
        parts.push(Part {
            name,
            when: Expr::all([when.clone(), has_one_of(set, &[class.to_owned()])]),
            unless: unless.to_vec(),
            verdict,
        });
    };
    part(name.to_owned(), "context.classes", verdict);
    if verdict == Verdict::Redact {
        part(format!("{name}, fixed"), "context.fixed_classes", Verdict::Block);
    }
}

/// Each call of a tool: the first entry that matches counts.
fn tools(document: &Document) -> Option<Say<'_>> {
    let (tools, print) = (document.access.tools.as_ref()?, printer(document, true));
    let mut parts = Vec::new();
    let mut earlier: Vec<(Option<&str>, Expr)> = Vec::new();
    // An entry with `args` matches no call until arguments are checked.
    for tool in tools.list.iter().filter(|tool| tool.args.is_empty()) {
        let groups = if tool.groups.is_empty() {
            Expr::Const(true)
        } else {
            print.group(&tool.groups)
        };
        let matches = Expr::all([like("resource.name", [tool.tool.as_str()]), groups]);
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

fn gates(document: &Document) -> Vec<Say<'_>> {
    let print = printer(document, false);
    let gate = |gate: &'_ crate::policy::document::Gate| {
        let days = gate.grace.as_ref().map_or(0, |days| days.value);
        let newcomer = guarded(
            "since",
            Expr::atom(format!("context.today <= context.since.offset(duration(\"{days}d\"))")),
        );
        (
            vec![(None, print.holds(gate.without.as_str())), (None, newcomer)],
            gate.then.value,
        )
    };
    let says = document.education.gates.iter().map(|one| {
        let (unless, verdict) = gate(one);
        Say {
            citation: one.id.as_str(),
            tool: false,
            parts: vec![Part {
                name: String::new(),
                when: prompt(),
                unless,
                verdict,
            }],
            basis: Basis::Nothing,
        }
    });
    says.collect()
}

fn rule_says<'d>(document: &'d Document, id: &'d str, rule: &'d Rule) -> Say<'d> {
    let print = printer(document, false);
    let unless = (!rule.unless.is_empty()).then(|| (None, print.any(&rule.unless)));
    Say {
        citation: id,
        tool: false,
        parts: vec![Part {
            name: String::new(),
            when: print.any(&rule.when),
            unless: unless.into_iter().collect(),
            verdict: rule.then.value,
        }],
        basis: Basis::Rule(rule),
    }
}

fn one<'d>(citation: &'d str, when: Expr, verdict: Verdict, basis: Basis<'d>) -> Say<'d> {
    Say {
        citation,
        tool: false,
        parts: vec![Part {
            name: String::new(),
            when,
            unless: Vec::new(),
            verdict,
        }],
        basis,
    }
}

/// Prints.
struct Writer<'d> {
    document: &'d Document,
    out: String,
    ids: BTreeSet<String>,
}

/// One `forbid`, about to be printed.
struct Forbid<'a, 'd> {
    id: String,
    citation: &'d str,
    exception: Option<&'d str>,
    tool: bool,
    verdict: Verdict,
    when: Vec<Expr>,
    unless: &'a [(Option<&'d str>, Expr)],
}

impl<'d> Writer<'d> {
    fn head(&mut self) {
        let document = self.document;
        let line = |text: &Option<Text>| {
            let text = text.as_ref().map(|text| text.value.as_str()).unwrap_or_default();
            text.chars().filter(|c| !c.is_control()).collect::<String>()
        };
        let _ = writeln!(
            self.out,
            "// {}, version {}, policy {}",
            line(&document.organization),
            line(&document.version),
            document.digest
        );
        self.out.push_str(
            "// as full enforcement decides. An action is allowed if the verdict is weaker than what it is named after.\n\n\
             @id(\"everything\")\npermit (principal, action, resource);\n\n",
        );
    }

    /// Step 1: no mode, no exception, no exclusion.
    fn what_could_not_be_seen(&mut self) {
        let data = &self.document.data;
        for (citation, fact, verdict) in [
            ("uninspectable", "context.uninspectable", &data.uninspectable),
            ("detector-failure", "context.failed", &data.unavailable),
        ] {
            let verdict = verdict.as_ref().map_or(Verdict::Block, |verdict| verdict.value);
            self.forbid(&Forbid {
                id: citation.to_owned(),
                citation,
                exception: None,
                tool: false,
                verdict: unmaskable(verdict),
                when: vec![Expr::atom(fact)],
                unless: &[],
            });
        }
    }

    /// One citation: what it says, and what its exceptions make of it.
    fn say(&mut self, say: &Say<'d>) {
        let print = printer(self.document, say.tool);
        let excluded = self.excluded();
        let exceptions: Vec<(&'d Exception, Expr)> = self
            .document
            .exceptions
            .iter()
            .filter(|exception| exception.clause.as_str() == say.citation)
            .map(|exception| {
                let until = exception.expires.as_ref();
                let until = until.map(|until| Expr::atom(format!("context.today <= {}", date(until.value))));
                let scope = Expr::all([Some(print.any(&exception.who)), until].into_iter().flatten());
                (exception, scope)
            })
            .collect();
        let excepted: Vec<(Option<&'d str>, Expr)> = exceptions
            .iter()
            .map(|(exception, scope)| (Some(exception.id.as_str()), scope.clone()))
            .chain(excluded.clone())
            .collect();
        let strict: Vec<&Part<'d>> = say.parts.iter().filter(|part| part.verdict > Verdict::Allow).collect();
        for part in &strict {
            let id = if part.name.is_empty() {
                say.citation.to_owned()
            } else {
                format!("{}: {}", say.citation, part.name)
            };
            let unless: Vec<_> = part.unless.iter().chain(&excepted).cloned().collect();
            let mut forbid = Forbid {
                id,
                citation: say.citation,
                exception: None,
                tool: say.tool,
                verdict: match say.basis {
                    Basis::Nothing => unmaskable(part.verdict),
                    Basis::TextClass | Basis::Rule(_) => part.verdict,
                },
                when: vec![part.when.clone()],
                unless: &unless,
            };
            self.forbid(&forbid);
            if let (Basis::Rule(rule), Verdict::Redact) = (say.basis, part.verdict) {
                forbid.id.push_str(": fixed");
                forbid.verdict = Verdict::Block;
                forbid.when.push(nothing_to_mask(print, rule));
                self.forbid(&forbid);
            }
        }
        let happens = Expr::any(strict.iter().map(|part| {
            let unless = Expr::any(part.unless.iter().map(|(_, expr)| expr.clone()));
            Expr::all([part.when.clone(), unless.not()])
        }));
        for (index, (exception, scope)) in exceptions.iter().enumerate() {
            let then = exception.then.as_ref().map_or(Verdict::Block, |then| then.value);
            let earlier = exceptions.iter().take(index);
            let unless: Vec<_> = earlier
                .map(|(exception, scope)| (Some(exception.id.as_str()), scope.clone()))
                .chain(excluded.clone())
                .collect();
            let mut forbid = Forbid {
                id: exception.id.value.clone(),
                citation: say.citation,
                exception: Some(exception.id.as_str()),
                tool: say.tool,
                verdict: match say.basis {
                    Basis::Nothing => unmaskable(then),
                    Basis::TextClass | Basis::Rule(_) => then,
                },
                when: vec![happens.clone(), scope.clone()],
                unless: &unless,
            };
            self.forbid(&forbid);
            let nothing = match say.basis {
                _ if then != Verdict::Redact => None,
                Basis::Nothing => None,
                Basis::TextClass => Some(Expr::any([
                    Expr::atom("context.found_classes.contains(context.class)").not(),
                    Expr::atom("context.fixed_classes.contains(context.class)"),
                ])),
                Basis::Rule(rule) => Some(nothing_to_mask(print, rule)),
            };
            if let Some(nothing) = nothing {
                forbid.id.push_str(": fixed");
                forbid.verdict = Verdict::Block;
                forbid.when.push(nothing);
                self.forbid(&forbid);
            }
        }
    }

    /// Who is left out of the policy for now.
    fn excluded(&self) -> Vec<(Option<&'d str>, Expr)> {
        let one = |exclude: &'d crate::policy::document::Exclude| {
            let group = exclude.group.as_ref()?;
            let until = exclude.until.as_ref()?.value;
            let today = Expr::atom(format!("context.today <= {}", date(until)));
            let group = printer(self.document, false).group(std::slice::from_ref(group));
            Some((Some("scope.exclude"), Expr::all([group, today])))
        };
        self.document.scope.exclude.iter().filter_map(one).collect()
    }

    fn forbid(&mut self, forbid: &Forbid<'_, 'd>) {
        let Some(action) = action(forbid.verdict) else { return };
        let never = forbid.when.contains(&Expr::Const(false))
            || forbid.unless.iter().any(|(_, expr)| *expr == Expr::Const(true));
        if never {
            return;
        }
        let mut id = forbid.id.clone();
        let mut number = 1;
        while !self.ids.insert(id.clone()) {
            number += 1;
            id = format!("{} ({number})", forbid.id);
        }
        let _ = writeln!(self.out, "@id({})\n@cites({})", quote(&id), quote(forbid.citation));
        let mut clauses = self.document.clauses.iter();
        let clause = clauses.find(|clause| {
            clause.id.as_str() == forbid.citation
                || clause
                    .enforced_by
                    .as_ref()
                    .is_some_and(|by| by.as_str() == forbid.citation)
        });
        if let Some(clause) = clause {
            let _ = writeln!(self.out, "@clause({})", quote(clause.id.as_str()));
            if let Some(statement) = &clause.statement {
                let _ = writeln!(self.out, "@statement({})", quote(statement.as_str()));
            }
        }
        if let Some(exception) = forbid.exception {
            let _ = writeln!(self.out, "@exception({})", quote(exception));
        }
        let _ = writeln!(self.out, "@verdict(\"{}\")", forbid.verdict);
        let kind = if forbid.tool { "Tool" } else { "App" };
        let _ = write!(
            self.out,
            "forbid (principal, action in Ordain::Action::\"{action}\", resource is Ordain::{kind})"
        );
        let when = Expr::all(forbid.when.iter().cloned());
        if when != Expr::Const(true) {
            let _ = write!(self.out, "\nwhen {{\n{}}}", when.lines());
        }
        for (name, expr) in forbid.unless.iter().filter(|(_, expr)| *expr != Expr::Const(false)) {
            let name = name.map_or_else(String::new, |name| format!(" // {}", comment(name)));
            let _ = write!(self.out, "\nunless {{{name}\n{}}}", expr.lines());
        }
        self.out.push_str(";\n\n");
    }

    fn not_expressible(&mut self, id: &str, rule: &Rule) {
        let condition = rule
            .condition
            .as_ref()
            .map(|text| text.value.as_str())
            .unwrap_or_default();
        let _ = writeln!(
            self.out,
            "// Not expressible: {} ({}) also has a condition in CEL, so it is left out, and this set is weaker there:",
            comment(id),
            rule.then.value
        );
        for line in condition.lines() {
            let _ = writeln!(self.out, "//   {}", comment(line));
        }
        self.out.push('\n');
    }
}

/// `redact` where there is nothing that could be masked.
fn unmaskable(verdict: Verdict) -> Verdict {
    if verdict == Verdict::Redact {
        Verdict::Block
    } else {
        verdict
    }
}

/// What the selectors that match name is not there, or stands where nothing can be edited.
fn nothing_to_mask(print: Printer<'_>, rule: &Rule) -> Expr {
    let only = rule.when.len() == 1;
    let (mut found, mut fixed, mut always) = (Vec::new(), Vec::new(), true);
    for selector in &rule.when {
        let Some(words) = print.named(selector) else {
            always = false;
            continue;
        };
        always &= words.always_found;
        // With one selector, that it matches is said already.
        let matches = if only {
            Expr::Const(true)
        } else {
            print.selector(selector)
        };
        let occur = words.occur("context.entities", "context.found_classes");
        found.push(Expr::all([matches.clone(), occur]));
        fixed.push(Expr::all([
            matches,
            words.occur("context.fixed_entities", "context.fixed_classes"),
        ]));
    }
    let missing = if always {
        Expr::Const(false)
    } else {
        Expr::any(found).not()
    };
    Expr::any(fixed.into_iter().chain([missing]))
}

/// Text that stays on its line of a comment.
fn comment(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
