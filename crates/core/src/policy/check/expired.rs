//! What has run out: it takes its stated effect at run time, and somebody should know.

use super::{Context, check, past};
use crate::policy::problem::Problem;

check!(
    "expired",
    Warning,
    "Evidence that is overdue, and classifications, exceptions, exclusions and blind endpoints that have run out (a warning: the calendar never makes a policy invalid).",
    "Do it again and state the new date, or remove what has run out.",
    Document(run),
    bad: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 30 days, by: ciso, last: 2026-10-01}} #!\n",
    good: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 30 days, by: ciso, last: 2026-12-01}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let (document, today) = (context.document, context.today());
    let mut warn =
        |place, message: String, help: &str| problems.push(Problem::warning("expired", place, message).help(help));
    for clause in &document.clauses {
        let Some(evidence) = &clause.evidence else { continue };
        if let (Some(every), Some(last)) = (&evidence.every, &evidence.last)
            && past(today, last.value, every.value)
        {
            warn(
                last.place,
                format!("the evidence for `{}` is overdue", clause.id.value),
                "do it again and state the new date",
            );
        }
    }
    for app in &document.apps {
        let id = &app.id.value;
        if let Some(expires) = app.expires.as_ref().filter(|expires| today > expires.on.value) {
            let now = expires.then.value;
            warn(
                expires.on.place,
                format!("the classification of `{id}` has run out: it counts as {now}"),
                "classify it again",
            );
        }
    }
    for exception in &document.exceptions {
        if let Some(expires) = exception.expires.as_ref().filter(|expires| today > expires.value) {
            warn(
                expires.place,
                format!(
                    "the exception `{}` has run out and no longer counts",
                    exception.id.value
                ),
                "remove it, or have it granted again",
            );
        }
    }
    for pass in &document.access.endpoints {
        if let Some(until) = pass.until.as_ref().filter(|until| today > until.value) {
            warn(
                until.place,
                format!("`{}` has run out: its endpoints are refused again", pass.id.value),
                "remove it, or state a new date and reason",
            );
        }
    }
    for unseen in &document.data.unseen {
        if let Some(until) = unseen.until.as_ref().filter(|until| today > until.value) {
            warn(
                until.place,
                "what is said of this endpoint has run out: where a clause is blind there, it is refused".to_owned(),
                "remove it, or state a new date and reason",
            );
        }
    }
    for exclude in &document.scope.exclude {
        if let Some(until) = exclude.until.as_ref().filter(|until| today > until.value) {
            warn(
                until.place,
                "the exclusion has run out and no longer counts".to_owned(),
                "remove it, or state a new date and reason",
            );
        }
    }
}
