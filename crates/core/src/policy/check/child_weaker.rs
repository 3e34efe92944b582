//! A child is nowhere weaker than its parent.

use super::{Context, Question, check};
use crate::diff::{self, Change, What};
use crate::policy::compile::{self, Policy};
use crate::policy::node::Place;
use crate::policy::problem::{Problem, Severity};
use crate::policy::read;

check!(
    "child-weaker",
    Error,
    "A policy that extends another decides no request more mildly than its parent does, but for what the parent delegates. \
     Where only the rollout is milder, this is a warning; where too much is delegated to tell, a note.",
    "Say in the child what makes it as strict again, or have the parent delegate it.",
    Meaning(run),
    bad: "",
    good: "",
);

/// What goes into every decision.
const EVERYWHERE: [&str; 9] = [
    "timezone",
    "scope.groups",
    "scope.exclude",
    "data.classes",
    "data.default",
    "data.entities",
    "data.escalate",
    "education.courses",
    "exceptions",
];

fn run(context: &Context<'_>, question: &mut Question<'_>, problems: &mut Vec<Problem>) {
    let Some(parent) = context.document.parent.as_deref() else {
        return;
    };
    // What is wrong with the parent is reported of the parent.
    let Some(policy) = compile::compile(parent, &mut Vec::new()) else {
        return;
    };
    let touched = |citation: &str| read::is_touched(parent, citation);
    let place = context
        .document
        .extends
        .as_ref()
        .map(|extends| extends.place)
        .unwrap_or_default();
    // What these say goes into everything that is decided, so that no single difference could be told to be meant.
    if let Some(path) = EVERYWHERE.iter().find(|path| touched(path)) {
        let message = format!("not compared with its parent as a whole, since that delegates `{path}`");
        problems.push(
            Problem::note("child-weaker", place, message).help("each line of this policy was compared by itself"),
        );
        return;
    }
    let leave_out = diff::LeaveOut {
        uses: touched("scope.uses"),
        apps: touched("applications"),
    };
    let place = context
        .document
        .extends
        .as_ref()
        .map(|extends| extends.place)
        .unwrap_or_default();
    let mut told: Vec<String> = Vec::new();
    for change in diff::loosened(&policy, question.policy, context.catalog, context.now, leave_out) {
        let path = match change.by.as_str() {
            "uninspectable" => "data.uninspectable",
            "detector-failure" => "data.unavailable",
            gate if parent.education.gates.iter().any(|one| one.id.value == gate) && touched("education.gates") => {
                continue;
            }
            citation => citation,
        };
        // One request for each part of the parent that is weakened says enough.
        if !touched(path) && !told.contains(&change.by) {
            problems.push(problem(&change, place, &policy));
            told.push(change.by);
        }
    }
}

fn problem(change: &Change, place: Place, policy: &Policy) -> Problem {
    let by = if change.by.is_empty() {
        "the parent".to_owned()
    } else {
        format!("`{}` of the parent", change.by)
    };
    let (severity, message) = match &change.what {
        What::Verdict(was, is) => (
            Severity::Error,
            format!("{by} would say `{was}` to a request to which this policy says `{is}`"),
        ),
        What::Mask(entity) => (
            Severity::Error,
            format!("{by} would mask `{entity}` where this policy does not"),
        ),
        What::Rollout(was, is) => (
            Severity::Warning,
            format!("{by} acts as `{was}` on a request on which this policy acts as `{is}`"),
        ),
        What::RolloutMask(entity) => (
            Severity::Warning,
            format!("{by} masks `{entity}` now where this policy does not"),
        ),
    };
    let mut problem = Problem::error("child-weaker", place, message);
    problem.severity = severity;
    problem
        .help("make the child as strict, or have the parent delegate it")
        .witness(Some(change.witness.to_yaml(policy.zone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::policy::check::tests::BASE;
    use crate::policy::{Files, load};

    /// What is reported of a policy with such groups, as a child of [`BASE`]. Most of what loosens is refused line by line
    /// when a child is read; here the two are put side by side without that.
    fn problems(groups: &str, delegated: &str) -> Vec<Problem> {
        let catalog = Catalog::built_in();
        let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
        let loaded = |text: &str| load(&Files::single(text), &catalog, now);
        let parent = loaded(&format!("{BASE}{delegated}")).document;
        let child = loaded(&BASE.replace("{staff: {}, ", &format!("{{staff: {{}}, {groups}")));
        let policy = child.policy.expect("a policy");
        let mut document = child.document.expect("a document");
        document.parent = parent.map(Box::new);
        let context = Context {
            document: &document,
            catalog: &catalog,
            cases: &[],
            now,
        };
        let mut problems = Vec::new();
        run(&context, &mut Question::new(&context, &policy), &mut problems);
        problems
    }

    #[test]
    fn a_child_that_lets_more_people_in_is_found_with_one_of_them() {
        let found = problems("guests: {claim: guest}, ", "");
        let [problem] = found.as_slice() else {
            panic!("{found:#?}")
        };
        assert!(
            problem
                .message
                .contains("`scope.groups` of the parent would say `block`"),
            "{}",
            problem.message
        );
        let witness = problem.witness.as_deref().expect("a witness");
        assert!(witness.starts_with("{group: guest, app: "), "{witness}");
    }

    #[test]
    fn where_too_much_is_delegated_to_tell_that_is_said() {
        let found = problems("guests: {claim: guest}, ", "delegated: [scope.groups]\n");
        assert_eq!(
            found.iter().map(|problem| problem.severity).collect::<Vec<_>>(),
            [Severity::Note]
        );
    }

    #[test]
    fn a_child_that_adds_nothing_is_as_strict_as_its_parent() {
        assert_eq!(problems("", ""), []);
    }
}
