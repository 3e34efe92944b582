//! `ordain impact --promote`: which clauses that only observe or coach could be enforced.

use std::fmt::Write as _;

use ordain_core::impact::Seen;
use ordain_core::impact::promote::Candidate;
use ordain_core::impact::rate;
use serde_json::{Value, json};

use super::{count, since};

/// So many ids to review next, unless all are asked for.
const FEW: usize = 3;

pub(super) fn text(seen: &Seen, candidates: &[Candidate], all: bool) -> String {
    let mut out = String::new();
    if candidates.is_empty() {
        return "every part of the policy is enforced: nothing is left to promote".to_owned();
    }
    if seen.exchanges == 0 {
        return "no exchanges to decide again: send something through the gateway first".to_owned();
    }
    let _ = writeln!(out, "what does not act fully yet, in {}:", since(seen));
    let (mut matched, never): (Vec<&Candidate>, Vec<&Candidate>) = candidates.iter().partition(|one| one.matches > 0);
    matched.sort_by_key(|one| (!one.is_ready(), std::cmp::Reverse(one.matches)));
    for one in &matched {
        let _ = writeln!(out, "{}", headline(one));
        let _ = writeln!(out, "  enforcing it: {}", would(one));
        let shown = if all { one.next.len() } else { FEW };
        if !one.is_ready() {
            for id in one.next.iter().take(shown) {
                let _ = writeln!(out, "  next to review: {id}");
            }
        }
    }
    if !never.is_empty() {
        let names: Vec<&str> = never.iter().map(|one| one.id.as_str()).collect();
        let _ = writeln!(out, "never matched: {}", names.join(", "));
    }
    if matched.iter().any(|one| !one.is_ready()) {
        let _ = writeln!(
            out,
            "`ordain records show ID`, then `ordain records review ID --right` or `--wrong`; take those that stand here, so that nobody picks"
        );
    }
    if seen.unreadable > 0 {
        let _ = writeln!(
            out,
            "note: {} records could not be read back and are left out",
            count(seen.unreadable)
        );
    }
    out
}

/// `AU-3 (observe): 214 matches, 60 reviewed, none wrong: at most 4.9 % false (95 %); promote with …`
fn headline(one: &Candidate) -> String {
    let plural = if one.matches == 1 { "match" } else { "matches" };
    let mut text = format!(
        "{} ({}): {} {plural}, {} reviewed",
        one.id,
        one.mode,
        count(one.matches),
        count(one.reviewed)
    );
    if one.reviewed > 0 {
        let wrong = if one.wrong == 0 {
            "none".to_owned()
        } else {
            count(one.wrong)
        };
        // Upwards: a bound that is rounded down is none.
        let percent = (one.bound() * 1000.0).ceil() / 10.0;
        let _ = write!(
            text,
            ", {wrong} wrong: at most {percent:.1} % false ({:.0} %)",
            rate::CONFIDENCE * 100.0
        );
    }
    if one.is_ready() {
        let _ = write!(text, "; promote with `rollout: {{{}: enforce}}`", one.id);
    } else {
        let missing = one.missing();
        let more = if one.reviewed > 0 { "more " } else { "" };
        let plural = if missing == 1 { "review" } else { "reviews" };
        let _ = write!(text, "; {} {more}{plural} without a wrong one would do", count(missing));
        let left = one.matches - one.reviewed;
        if left < missing {
            let left_over = if left == 1 { "match is left" } else { "matches are left" };
            let _ = write!(text, ", and {} {left_over}", count(left));
        }
    }
    text
}

fn would(one: &Candidate) -> String {
    let mut parts: Vec<String> = one
        .would
        .iter()
        .rev()
        .map(|(verdict, number)| format!("{} {verdict}", count(*number)))
        .collect();
    let same = one.matches - one.would.values().sum::<u64>();
    if same > 0 {
        parts.push(format!("{} no stricter than now", count(same)));
    }
    parts.join(", ")
}

pub(super) fn json(seen: &Seen, candidates: &[Candidate], digest: &str, all: bool) -> Value {
    let candidates: Vec<Value> = candidates
        .iter()
        .map(|one| {
            let would: serde_json::Map<String, Value> = one
                .would
                .iter()
                .map(|(verdict, number)| (verdict.as_str().to_owned(), Value::from(*number)))
                .collect();
            let shown = if all { one.next.len() } else { FEW };
            json!({
                "id": one.id, "mode": one.mode.as_str(), "matches": one.matches, "would": would, "reviewed": one.reviewed,
                "wrong": one.wrong, "bound": one.bound(), "missing": one.missing(), "ready": one.is_ready(),
                "next": one.next.iter().take(shown).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "v": 1, "policy": digest, "exchanges": seen.exchanges, "first_ms": seen.first_ms, "confidence": rate::CONFIDENCE,
        "limit": rate::LIMIT, "candidates": candidates, "unreadable": seen.unreadable,
    })
}

#[cfg(test)]
mod tests {
    use ordain_core::verdict::{Mode, Verdict};

    use super::*;

    fn candidate(reviewed: u64, wrong: u64) -> Candidate {
        Candidate {
            id: "AU-3".to_owned(),
            mode: Mode::Observe,
            matches: 1214,
            would: [(Verdict::Block, 200), (Verdict::Redact, 1000)].into(),
            reviewed,
            wrong,
            next: (0..5).map(|number| format!("id-{number}")).collect(),
        }
    }

    #[test]
    fn a_hint_says_when_to_promote_and_what_is_missing() {
        let cases = [
            (
                (60, 0),
                "AU-3 (observe): 1,214 matches, 60 reviewed, none wrong: at most 4.9 % false (95 %); promote with `rollout: {AU-3: enforce}`",
            ),
            (
                (58, 0),
                "AU-3 (observe): 1,214 matches, 58 reviewed, none wrong: at most 5.1 % false (95 %); 1 more review without a wrong one would do",
            ),
            (
                (0, 0),
                "AU-3 (observe): 1,214 matches, 0 reviewed; 59 reviews without a wrong one would do",
            ),
        ];
        for ((reviewed, wrong), expected) in cases {
            assert_eq!(headline(&candidate(reviewed, wrong)), expected);
        }
        let few = Candidate {
            matches: 20,
            ..candidate(12, 1)
        };
        assert!(
            headline(&few).ends_with("81 more reviews without a wrong one would do, and 8 matches are left"),
            "{}",
            headline(&few)
        );
        assert_eq!(
            would(&candidate(0, 0)),
            "200 block, 1,000 redact, 14 no stricter than now"
        );
    }

    #[test]
    fn nothing_to_look_at_is_said() {
        let mut seen = Seen::default();
        assert!(text(&seen, &[], false).contains("nothing is left to promote"));
        assert!(text(&seen, &[candidate(0, 0)], false).starts_with("no exchanges"));
        (seen.exchanges, seen.first_ms) = (1300, Some(1_796_904_000_000));
        let shown = text(&seen, &[candidate(0, 0)], false);
        assert!(
            shown.starts_with("what does not act fully yet, in 1,300 exchanges since 2026-12-10:\n"),
            "{shown}"
        );
        assert_eq!(shown.matches("next to review").count(), FEW);
        assert_eq!(
            text(&seen, &[candidate(0, 0)], true).matches("next to review").count(),
            5
        );
    }
}
