//! Endpoints that are passed are ones that nobody reads, and those of which `data.unseen` speaks are ones that are read.

use super::{Context, check};
use crate::policy::document::Text;
use crate::policy::problem::Problem;
use crate::wire::endpoints::{self, Endpoint, Handling};

check!(
    "unknown-endpoint",
    Error,
    "`access.endpoints` and `data.unseen` name endpoints by dialect, method and path: the one those that may pass unread, the other those that are read.",
    "Write it as the table of endpoints has it; for what is inspected, no line of `access.endpoints` is needed.",
    Document(run),
    bad: "access:\n  grants: [{id: AC-1, groups: [everyone]}]\n  endpoints: [{id: EP-1, endpoints: [openai POST /v1/fils], groups: [staff], then: coach, reason: x}] #!\n  clauses: [{id: AC-2, statement: Whose., enforced_by: access}, {id: AC-3, statement: Unread., enforced_by: access.endpoints}]\n",
    good: "access:\n  grants: [{id: AC-1, groups: [everyone]}]\n  endpoints: [{id: EP-1, endpoints: [openai POST /v1/files], groups: [staff], then: coach, reason: x}]\n  clauses: [{id: AC-2, statement: Whose., enforced_by: access}, {id: AC-3, statement: Unread., enforced_by: access.endpoints}]\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let lines = &context.document.access.endpoints;
    for named in lines.iter().flat_map(|line| &line.endpoints) {
        let message = match find(&named.value) {
            Some(Handling::Passable) => continue,
            Some(Handling::Inspected(_)) => "is inspected: the rest of the policy decides about it".to_owned(),
            Some(Handling::Models) => "is answered by the gateway itself".to_owned(),
            Some(Handling::Refused(why)) => format!("is never passed: it {why}"),
            None => {
                problems.push(unknown(named, |one| matches!(one, Handling::Passable)));
                continue;
            }
        };
        problems.push(misplaced(named, &message));
    }
    let unseen = context.document.data.unseen.iter();
    for named in unseen.filter_map(|one| one.endpoint.as_ref()) {
        match find(&named.value) {
            Some(Handling::Inspected(_)) => {}
            Some(_) => problems.push(misplaced(named, "is not inspected, so no clause is waited for there")),
            None => problems.push(unknown(named, |one| matches!(one, Handling::Inspected(_)))),
        }
    }
}

fn find(name: &str) -> Option<Handling> {
    let endpoint = endpoints::table().iter().find(|one| one.name() == name);
    endpoint.map(|one| one.handling)
}

fn misplaced(named: &Text, why: &str) -> Problem {
    Problem::error("unknown-endpoint", named.place, format!("`{}` {why}", named.value))
}

/// With what may be meant: the same path in the dialects that have it, or else what is written nearly so.
fn unknown(named: &Text, may_stand: impl Fn(Handling) -> bool) -> Problem {
    let may_stand = endpoints::table().iter().filter(|one| may_stand(one.handling));
    let names: Vec<String> = may_stand.map(Endpoint::name).collect();
    let word = named.value.as_str();
    let is_same = |name: &&String| name.split_once(' ').is_some_and(|(_, path)| path == word);
    let same: Vec<String> = names.iter().filter(is_same).map(|name| format!("`{name}`")).collect();
    let problem = Problem::error("unknown-endpoint", named.place, format!("no endpoint called `{word}`"));
    if same.is_empty() {
        return problem.suggest(word, names.iter().map(String::as_str));
    }
    problem.help(format!("say of which dialect: {}", same.join(" or ")))
}
