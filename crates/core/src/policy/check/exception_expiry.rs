//! An exception ends, and soon.

use super::{Context, check};
use crate::policy::problem::Problem;

check!(
    "exception-expiry",
    Error,
    "Every exception expires at most 90 days after it was granted (or the policy approved), which was no day to come (a warning).",
    "Add `expires:` with a date at most 90 days after `granted:`.",
    Document(run),
    bad: "exceptions:\n  - {id: EX-1, clause: data.matrix, who: {group: staff}, then: allow, reason: trial, approved: [ciso], expires: 2027-06-01} #!\n",
    good: "exceptions:\n  - {id: EX-1, clause: data.matrix, who: {group: staff}, then: allow, reason: trial, approved: [ciso], expires: 2027-02-01}\n",
);

const MOST_DAYS: i32 = 90;

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let approved = context
        .document
        .approved
        .as_ref()
        .and_then(|approved| approved.on.as_ref())
        .map(|on| on.value);
    for exception in &context.document.exceptions {
        let id = &exception.id;
        if let Some(granted) = exception
            .granted
            .as_ref()
            .filter(|granted| granted.value > context.today())
        {
            let message = format!("`{}` is granted on {}, which is still to come", id.value, granted.value);
            let problem = Problem::warning("exception-expiry", granted.place, message);
            problems.push(
                problem
                    .help("an exception holds from the moment it stands here; state the day on which it was granted"),
            );
        }
        if exception.unread_end {
            continue;
        }
        let Some(expires) = &exception.expires else {
            let problem = Problem::error("exception-expiry", id.place, format!("`{}` never ends", id.value));
            problems.push(problem.help(format!("add `expires:` with a date at most {MOST_DAYS} days away")));
            continue;
        };
        let granted = exception
            .granted
            .as_ref()
            .map(|granted| granted.value)
            .or(approved)
            .unwrap_or_else(|| context.today());
        let days = granted.until(expires.value).map_or(i32::MAX, |span| span.get_days());
        if days > MOST_DAYS {
            let problem = Problem::error(
                "exception-expiry",
                expires.place,
                format!("`{}` runs for {days} days", id.value),
            );
            problems.push(problem.help(format!(
                "{MOST_DAYS} days are the most; grant it again when it ends, with `granted:` and the new date"
            )));
        }
    }
}
