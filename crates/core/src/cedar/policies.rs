//! From the document to Cedar policies: each contribution of "The order" is one or a few `forbid`s.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::action;
use super::contributions::{self, Basis, Part, Say, printer};
use super::selectors::{Printer, date, guarded};
use super::text::{Expr, is_one_of, quote};
use crate::policy::document::{Document, Exception, Exclude, Rule, Text};
use crate::verdict::Verdict;

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
    writer.passes();
    for say in contributions::section_data(document) {
        writer.say(&say);
    }
    for clause in &document.clauses {
        match clause.rule.as_ref() {
            Some(rule) if rule.condition.is_some() => writer.not_expressible(clause.id.as_str(), rule),
            Some(rule) => writer.say(&contributions::rule(document, clause.id.as_str(), rule)),
            None => {}
        }
    }
    writer.out
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

    /// Endpoints that nobody reads: the strictest line that matches, or else `block`.
    fn passes(&mut self) {
        let print = printer(self.document, false);
        let mut matching = Vec::new();
        for pass in &self.document.access.endpoints {
            let names = pass.endpoints.iter().map(Text::as_str);
            let endpoint = guarded("endpoint", is_one_of("context.endpoint", names));
            let until = pass.until.as_ref();
            let until = until.map(|until| Expr::atom(format!("context.today <= {}", date(until.value))));
            let when = Expr::all([endpoint, print.group(&pass.groups)].into_iter().chain(until));
            self.forbid(&Forbid {
                id: format!("access.endpoints: {}", pass.id.value),
                citation: "access.endpoints",
                exception: None,
                tool: false,
                verdict: pass.then.value,
                when: vec![when.clone()],
                unless: &[],
            });
            matching.push((None, when));
        }
        self.forbid(&Forbid {
            id: "access.endpoints: no line".to_owned(),
            citation: "access.endpoints",
            exception: None,
            tool: false,
            verdict: Verdict::Block,
            when: vec![Expr::atom("context has endpoint")],
            unless: &matching,
        });
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
        let one = |exclude: &'d Exclude| {
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
        let data = match forbid.citation {
            "uninspectable" => "data.uninspectable",
            "detector-failure" => "data.unavailable",
            other => other,
        };
        let clause = clauses.find(|clause| {
            clause.id.as_str() == data || clause.enforced_by.as_ref().is_some_and(|by| by.as_str() == data)
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
