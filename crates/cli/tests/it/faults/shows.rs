//! What the request of a problem has to show when it is put to the policy.

use jiff::Timestamp;
use ordain_core::catalog::Catalog;
use ordain_core::detect::scanner::Scanner;
use ordain_core::policy::cases;
use ordain_core::policy::{Loaded, problem::Problem};
use serde_json::Value;

/// What `explain` says about a request.
#[derive(Debug)]
pub(super) struct Decided {
    full: String,
    /// Id and verdict of everything that has a say.
    clauses: Vec<(String, String)>,
    /// Exceptions that apply, where that is known.
    excepted: Option<Vec<String>>,
}

impl Decided {
    /// From the output of `ordain explain --format json`.
    pub(super) fn from_json(said: &Value) -> Self {
        let word = |value: &Value| value.as_str().expect("a word").to_owned();
        let clauses = said["clauses"].as_array().expect("clauses").iter();
        Self {
            full: word(&said["full"]),
            clauses: clauses.map(|one| (word(&one["id"]), word(&one["verdict"]))).collect(),
            excepted: None,
        }
    }

    fn cites(&self, id: &str) -> bool {
        self.clauses.iter().any(|(one, _)| one == id)
    }

    fn blocks(&self, id: &str) -> bool {
        self.clauses
            .iter()
            .any(|(one, verdict)| one == id && verdict == "block")
    }

    fn excepts(&self, id: &str) -> bool {
        self.excepted.as_ref().is_none_or(|ids| ids.iter().any(|one| one == id))
    }
}

/// Whether a decision shows what the message says. A code that is not listed here has no witness.
pub(super) fn fault(code: &str, message: &str, decided: &Decided) -> bool {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    // Where several together block, the message names none.
    let blocked = match quoted.as_slice() {
        [_, by, ..] => decided.blocks(by),
        _ => decided.full == "block",
    };
    let Some(first) = quoted.first() else { return false };
    match code {
        // Where access refuses, nothing else is asked.
        "shadowed-clause" => blocked && (decided.cites(first) || quoted.contains(&"access")),
        "contradiction" => blocked,
        "ineffective-exception" => decided.excepts(first) && blocked,
        "gap" if message.starts_with("nothing is said") => decided.full == "allow" && decided.clauses.is_empty(),
        "gap" => decided.blocks("access") && decided.clauses.len() == 1,
        "unreachable-selector" => quoted.last().is_some_and(|clause| !decided.cites(clause)),
        _ => false,
    }
}

/// Puts every witness of a policy to it; an answer says which one shows nothing, or which problem has none.
pub(super) fn all(loaded: &Loaded, now: Timestamp) -> Result<(), String> {
    let Some(policy) = &loaded.policy else { return Ok(()) };
    let (catalog, scanner) = (Catalog::built_in(), Scanner::new(policy.own_detectors()));
    let needed = |problem: &Problem| match problem.code {
        // Conditions are not looked into, so that a request that meets one is found by luck alone.
        "shadowed-clause" => !has_condition(loaded, &problem.message),
        "contradiction" | "gap" | "unreachable-selector" => true,
        _ => false,
    };
    for problem in &loaded.problems {
        let message = &problem.message;
        let Some(witness) = &problem.witness else {
            if needed(problem) {
                return Err(format!("no request shows that {message}"));
            }
            continue;
        };
        let request = cases::parse_request(witness).map_err(|problems| format!("{witness}: {problems:?}"))?;
        let stated = request.now.and_then(|at| policy.zone().to_timestamp(at).ok());
        let decision = cases::ask(policy, &scanner, &catalog, &request, stated.unwrap_or(now)).decision;
        let id = |one: &ordain_core::decide::Contribution| policy.citation(one.citation).id.clone();
        let excepted = decision.contributions.iter().filter_map(|one| one.excepted);
        let decided = Decided {
            full: decision.full.as_str().to_owned(),
            clauses: decision
                .contributions
                .iter()
                .map(|one| (id(one), one.verdict.as_str().to_owned()))
                .collect(),
            excepted: Some(excepted.map(|(index, _)| policy.exception(index).to_owned()).collect()),
        };
        if !fault(problem.code, message, &decided) {
            return Err(format!("{message}: {witness} does not show it, but {decided:?}"));
        }
    }
    Ok(())
}

/// Whether the clause that a message begins with has a condition.
fn has_condition(loaded: &Loaded, message: &str) -> bool {
    let id = message.split('`').nth(1).unwrap_or_default();
    let clauses = loaded.document.iter().flat_map(|document| &document.clauses);
    let mut rules = clauses
        .filter(|clause| clause.id.value == id)
        .filter_map(|clause| clause.rule.as_ref());
    rules.any(|rule| rule.condition.is_some())
}
