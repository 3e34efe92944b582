//! The policy is read again, and in time.

use super::{Context, check, past};
use crate::policy::node::Place;
use crate::policy::problem::Problem;

check!(
    "review-overdue",
    Warning,
    "The policy says how often it is reviewed, and was approved no longer ago than that.",
    "Review it and state the new approval, or add `review: {every: …}`.",
    Document(run),
    bad: "review: {every: 30 days}\napproved: {by: board, on: 2026-10-01} #!\n",
    good: "review: {every: 90 days}\napproved: {by: board, on: 2026-10-01}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    let mut warn = |place, message: String, help: &str| {
        problems.push(Problem::warning("review-overdue", place, message).help(help))
    };
    let Some(review) = &document.review else {
        let help = "add `review: {every: 180 days, also: [incident, law-change]}` before the sections";
        return warn(
            Place::default(),
            "nothing says when the policy is read again".to_owned(),
            help,
        );
    };
    let approved = document.approved.as_ref();
    let since = approved.and_then(|approved| approved.on.as_ref().or(approved.effective.as_ref()));
    match (&review.every, since) {
        (None, _) => {
            let place = review.also.first().map_or_else(Place::default, |event| event.place);
            let help = "add `every:` to `review`, such as `every: 180 days`";
            warn(place, "the review has no interval".to_owned(), help);
        }
        (Some(every), Some(since)) if past(context.today(), since.value, every.value) => warn(
            since.place,
            format!("the policy was approved on {} and is due for review", since.value),
            "review it and state the new approval",
        ),
        (Some(_), _) => {}
    }
}
