//! Why a decision is what it is, in words.

use std::fmt::Write as _;

use super::{Contribution, Covered, Decision};
use crate::policy::compile::Policy;
use crate::verdict::Verdict;

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

/// The sentences that a person reads in place of an answer: what, why, the safe way on and where to appeal. Beside the names
/// and the author's own words there are at most 25 more.
#[must_use]
pub fn refusal(policy: &Policy, decision: &Decision, covered: &Covered, record: &str) -> String {
    let stopping = decision.stopping_beyond(covered);
    let mut out = format!("Blocked by {}", names(policy, stopping.clone()));
    if !reasons(policy, stopping.clone(), &mut out) {
        let access = stopping.clone().any(|one| policy.is_access(one.citation));
        let unread = stopping.clone().any(|one| one.citation == policy.citations.endpoints);
        let unseen = stopping.clone().any(|one| policy.is_unconditional(one.citation));
        out.push_str(match (access, unseen) {
            (true, _) => " Use an app and a model that are approved for you.",
            _ if unread => " Nobody reads what goes to this endpoint. Use one that is inspected.",
            (_, true) => " Send it as plain text, or try again later.",
            _ => " Ask without it.",
        });
    }
    // An answer, or what nobody could inspect. See `Decision::asks`.
    match stopping.clone().next().map(|one| one.acts) {
        Some(Verdict::Hold) => out.push_str(" It cannot wait for somebody to agree."),
        Some(Verdict::Justify) => out.push_str(" No reason can be given for it."),
        _ => {}
    }
    appeal(policy, stopping, &mut out);
    let _ = write!(out, " [record {record}]");
    out
}

/// The sentences that ask a person for a reason, and say how it is given.
#[must_use]
pub fn justify(policy: &Policy, decision: &Decision, wrong: Option<&str>, record: &str) -> String {
    let asking = decision.asking(Verdict::Justify);
    let mut out = wrong.map_or_else(String::new, |wrong| format!("The reason cannot be used: {wrong}. "));
    let _ = write!(out, "Not sent: {} asks for a reason", names(policy, asking.clone()));
    reasons(policy, asking, &mut out);
    let _ = write!(
        out,
        " Send it again with the header `ordain-justification`: why you need it, 10 to 1,000 characters, percent-encoded UTF-8. \
         [record {record}]"
    );
    out
}

/// What is known of the ticket of a request that is held.
#[derive(Debug, Clone, Copy)]
pub struct Held<'h> {
    /// What became of it.
    pub standing: Standing<'h>,
    /// Why another ticket, which came with the request, does not let it pass: a sentence.
    pub wrong: Option<&'h str>,
}

/// What became of a ticket, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'h> {
    /// Nobody has answered; it can be used for so many hours.
    Waiting(&'h str, i64),
    /// Somebody has agreed.
    Agreed(&'h str),
    /// Somebody has refused.
    Refused(&'h str),
    /// Too many wait already.
    TooMany,
    /// The policy names nobody who may agree.
    Nobody,
}

/// The sentences that say who has to agree to a request, and how it goes on.
#[must_use]
pub fn hold(policy: &Policy, decision: &Decision, held: &Held<'_>, record: &str) -> String {
    let asking = decision.asking(Verdict::Hold);
    let mut out = held.wrong.map_or_else(String::new, |wrong| format!("{wrong} "));
    let _ = write!(out, "Held by {}", names(policy, asking.clone()));
    reasons(policy, asking.clone(), &mut out);
    match held.standing {
        Standing::Waiting(ticket, hours) => {
            let ids: Vec<&str> = decision.asking_ids(policy, Verdict::Hold).collect();
            let _ = write!(
                out,
                " Ask {} to approve ticket {ticket} within {hours} hours; then send exactly this again with the header \
                 `ordain-ticket: {ticket}`.",
                policy.roles_that_agree(&ids).join(" or ")
            );
        }
        Standing::Agreed(ticket) => {
            let _ = write!(
                out,
                " Ticket {ticket} is approved: send exactly this again with the header `ordain-ticket: {ticket}`."
            );
        }
        Standing::Refused(ticket) => {
            let _ = write!(out, " Ticket {ticket} was denied.");
            appeal(policy, asking, &mut out);
        }
        Standing::TooMany => {
            out.push_str(" Too many of your requests wait already: have some answered, then send it again.");
        }
        Standing::Nobody => {
            out.push_str(" The policy names nobody who may approve it.");
            appeal(policy, asking, &mut out);
        }
    }
    let _ = write!(out, " [record {record}]");
    out
}

/// The citations with the clauses that they hold up.
fn names<'d>(policy: &Policy, contributions: impl Iterator<Item = &'d Contribution>) -> String {
    let names = contributions.map(|one| {
        let citation = policy.citation(one.citation);
        let of = |clause| format!("{} ({clause})", citation.id);
        citation.clause.as_ref().map_or_else(|| citation.id.clone(), of)
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        "policy".to_owned()
    } else {
        names.join(", ")
    }
}

/// Ends the opening with the first statement, and adds what the author tells people; whether there is any of that.
fn reasons<'d>(
    policy: &Policy,
    contributions: impl Iterator<Item = &'d Contribution> + Clone,
    out: &mut String,
) -> bool {
    let mut citations = contributions.clone().map(|one| policy.citation(one.citation));
    match citations.find_map(|citation| citation.statement.as_ref()) {
        Some(statement) => {
            let _ = write!(out, ": {statement}");
        }
        None => out.push('.'),
    }
    let tells: Vec<&str> = contributions
        .filter_map(|one| policy.citation(one.citation).tell.as_deref())
        .collect();
    if !tells.is_empty() {
        let _ = write!(out, " {}", tells.join(" "));
    }
    !tells.is_empty()
}

/// Where to turn: to the role that owns what stands in the way, never to a person by name.
fn appeal<'d>(policy: &Policy, mut contributions: impl Iterator<Item = &'d Contribution>, out: &mut String) {
    let first = contributions
        .next()
        .map(|one| policy.citation(one.citation).id.as_str());
    let Some(role) = policy.contact(first.unwrap_or_default()) else {
        return;
    };
    let _ = match policy.appeal_days() {
        Some(days) => write!(out, " Appeal to {role} within {days} days."),
        None => write!(out, " Ask {role} about it."),
    };
}
