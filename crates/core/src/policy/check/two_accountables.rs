//! One thing, one person who answers for it.

use std::collections::BTreeMap;

use super::{Context, check};
use crate::policy::document::Text;
use crate::policy::problem::Problem;

check!(
    "two-accountables",
    Error,
    "`roles.raci` gives each section or clause to one accountable role.",
    "Keep the one who answers for it; name the others under `responsible` or `consulted`.",
    Document(run),
    bad: "roles:\n  people: {ciso: ciso@example.com, cto: cto@example.com}\n  owner: {accountable: ciso, deputy: cto}\n  raci:\n    - {for: [data, monitoring], accountable: ciso}\n    - {for: [monitoring], accountable: cto} #!\n",
    good: "roles:\n  people: {ciso: ciso@example.com, cto: cto@example.com}\n  owner: {accountable: ciso, deputy: cto}\n  raci:\n    - {for: [data, monitoring], accountable: ciso}\n    - {for: [risk], accountable: cto}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<&str, &Text> = BTreeMap::new();
    for line in &context.document.roles.raci {
        let Some(accountable) = &line.accountable else { continue };
        for other in &line.more_accountable {
            let message = format!("`{}` and `{}` are both accountable", accountable.value, other.value);
            let problem = Problem::error("two-accountables", other.place, message);
            problems.push(problem.help("one answers for it; name the other under `responsible` or `consulted`"));
        }
        for subject in &line.subjects {
            let known = first.entry(subject.as_str()).or_insert(accountable);
            if known.value != accountable.value {
                let message = format!(
                    "`{}` is accountable for `{}`, and so is `{}`",
                    accountable.value, subject.value, known.value
                );
                let problem = Problem::error("two-accountables", accountable.place, message);
                problems.push(problem.help(format!(
                    "line {} names the other one; keep one of them",
                    known.place.line
                )));
            }
        }
    }
}
