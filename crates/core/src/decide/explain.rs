//! Why a decision is what it is, in words.

use std::fmt::Write as _;

use super::{Contribution, Decision};
use crate::policy::compile::Policy;

/// The trace of a decision: the verdict, everything that had a say with its line in the document, and what was masked.
#[must_use]
pub fn trace(policy: &Policy, decision: &Decision) -> String {
    let mut out = format!("{}", decision.verdict);
    if decision.full != decision.verdict {
        let _ = write!(out, " (full enforcement: {})", decision.full);
    }
    let _ = writeln!(
        out,
        "\n  app class {}, data class {}",
        decision.app_class,
        policy.class_name(decision.data_class)
    );
    if decision.excluded {
        let _ = writeln!(out, "  the principal is in an excluded group: nothing else counts");
    }
    if decision.contributions.is_empty() && !decision.excluded {
        let _ = writeln!(out, "  nothing has anything against it");
    }
    for one in &decision.contributions {
        contribution(policy, one, &mut out);
    }
    let _ = writeln!(out, "  policy {} {}", policy.version, policy.digest);
    out
}

fn contribution(policy: &Policy, one: &Contribution, out: &mut String) {
    let citation = policy.citation(one.citation);
    let _ = write!(
        out,
        "  {} by {} at {}",
        one.verdict,
        citation.id,
        policy.locate(citation.place)
    );
    if one.acts != one.verdict {
        let _ = write!(out, ", acts as {} (mode {})", one.acts, one.mode);
    }
    if let Some((exception, before)) = one.excepted {
        let _ = write!(out, ", was {before} before exception {}", policy.exception(exception));
    }
    if one.unmaskable {
        let _ = write!(out, ", since what it would mask cannot be edited");
    }
    out.push('\n');
    for mask in &one.masks {
        let _ = writeln!(out, "      masks {}", mask.entity);
    }
    if let Some(statement) = &citation.statement {
        let clause = citation
            .clause
            .as_ref()
            .map(|clause| format!("{clause}: "))
            .unwrap_or_default();
        let _ = writeln!(out, "      “{clause}{statement}”");
    }
}

/// The sentence that a person reads in place of an answer: what, why and the safe way on.
#[must_use]
pub fn refusal(policy: &Policy, decision: &Decision, record: &str) -> String {
    let deciding = decision.stopping();
    let names: Vec<String> = deciding
        .clone()
        .map(|one| {
            let citation = policy.citation(one.citation);
            citation
                .clause
                .as_ref()
                .map_or_else(|| citation.id.clone(), |clause| format!("{} ({clause})", citation.id))
        })
        .collect();
    let mut out = format!(
        "Blocked by {}",
        if names.is_empty() {
            "policy".to_owned()
        } else {
            names.join(", ")
        }
    );
    if let Some(statement) = deciding
        .clone()
        .find_map(|one| policy.citation(one.citation).statement.as_ref())
    {
        let _ = write!(out, ": {statement}");
    } else {
        out.push('.');
    }
    let tells: Vec<&str> = deciding
        .filter_map(|one| policy.citation(one.citation).tell.as_deref())
        .collect();
    if !tells.is_empty() {
        let _ = write!(out, " {}", tells.join(" "));
    }
    let _ = write!(out, " [record {record}]");
    out
}
