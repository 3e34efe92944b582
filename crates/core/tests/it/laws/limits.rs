//! Laws 7 to 9: exceptions, the edges of the scope, and dates.

use std::sync::Arc;

use ordain_core::decide::{Facts, Who, decide, sign_in_needed};
use ordain_core::verdict::Verdict;

use super::world::{NO_MATRIX, at, contribution, errors, policy, prompt, to, told, with};
use super::{of_group, rules};

const RULES: &[(&str, &str)] = &[
    ("AU-1", "when: {data: email-address}, then: block"),
    ("AU-2", "when: {data: email-address}, then: coach"),
];

fn exception(clause: &str, then: &str) -> String {
    let rest = "reason: trial, compensating: weekly review, requested: cto, approved: [ciso, dpo], expires: 2027-01-31";
    format!("exceptions:\n  - {{id: EX-1, clause: {clause}, who: {{group: engineering}}, then: {then}, {rest}}}\n")
}

#[test]
fn law_7_an_exception_replaces_only_its_clauses_contribution() {
    let excepted = policy(&format!("{NO_MATRIX}{}{}", rules(RULES), exception("AU-1", "redact")));
    let facts = with(&[("email-address", 1)]);
    assert_eq!(told(&excepted, &facts), "redact by AU-1, AU-2 masking email-address");
    let decision = decide(&excepted, &facts);
    let one = contribution(&excepted, &decision, "AU-1");
    let (exception_index, before) = one.excepted.expect("it is excepted");
    assert_eq!(
        (excepted.exception(exception_index), before),
        ("EX-1", Verdict::Block),
        "what it was is kept"
    );
    assert_eq!(contribution(&excepted, &decision, "AU-2").excepted, None);
    // For others nothing changes.
    let who = Who {
        groups: vec!["staff".to_owned()],
        ..Who::default()
    };
    assert_eq!(
        told(
            &excepted,
            &Facts {
                who: Arc::new(who),
                ..facts
            }
        ),
        "block by AU-1, AU-2"
    );
}

#[test]
fn law_7_what_was_excepted_away_is_still_cited() {
    let excepted = policy(&format!("{NO_MATRIX}{}{}", rules(RULES), exception("AU-1", "allow")));
    let decision = decide(&excepted, &with(&[("email-address", 1)]));
    assert_eq!((decision.verdict, decision.full), (Verdict::Coach, Verdict::Coach));
    let one = contribution(&excepted, &decision, "AU-1");
    assert_eq!(
        (one.verdict, one.excepted.map(|(_, before)| before)),
        (Verdict::Allow, Some(Verdict::Block))
    );
    // Section data can be excepted like a clause.
    let matrix = policy(&exception("data.matrix", "allow"));
    assert_eq!(told(&matrix, &with(&[("payment-card", 1)])), "allow by data.matrix");
}

#[test]
fn law_7_no_exception_touches_what_could_not_be_seen() {
    for clause in ["uninspectable", "detector-failure", "identity", "recording"] {
        assert_eq!(errors(&exception(clause, "allow")), ["unknown-citation"], "{clause}");
    }
}

const EXCLUDING: &str = "
scope:
  groups: {staff: {}, engineering: {}, sandbox: {}}
  uses: [{id: coding, owner: cto}]
  outside: coach
  exclude: [{group: sandbox, reason: synthetic data only, until: 2027-01-31}]
  clauses:
    - {id: SC-1, statement: Who., enforced_by: scope.groups}
    - {id: SC-2, statement: For., enforced_by: scope.uses}
    - {id: SC-3, statement: Not., enforced_by: scope.exclude}
";

#[test]
fn law_8_outside_of_the_scope_is_what_the_policy_says() {
    let stated = policy(EXCLUDING);
    let poems = Facts {
        use_: Some("poems".to_owned()),
        ..prompt()
    };
    assert_eq!(told(&stated, &poems), "coach by scope.outside");
    assert_eq!(
        told(&policy(&EXCLUDING.replace("  outside: coach\n", "")), &poems),
        "block by scope.outside",
        "unless stated, it blocks"
    );
    assert_eq!(
        told(
            &stated,
            &Facts {
                use_: Some("coding".to_owned()),
                ..prompt()
            }
        ),
        "allow"
    );
    assert_eq!(told(&stated, &prompt()), "allow", "who declares no use is not outside");
}

#[test]
fn law_8_who_is_excluded_passes_but_for_what_could_not_be_seen() {
    let stated = policy(EXCLUDING);
    let mut excluded = Facts {
        to: to("deepseek"),
        ..of_group("sandbox")
    };
    let decision = decide(&stated, &excluded);
    assert_eq!((decision.verdict, decision.excluded), (Verdict::Allow, true));
    excluded.content.uninspectable = true;
    assert_eq!(told(&stated, &excluded), "block by uninspectable");
    let lenient = policy(&format!(
        "{EXCLUDING}{}",
        NO_MATRIX.replace("  default: internal\n", "  default: internal\n  uninspectable: coach\n")
    ));
    assert_eq!(told(&lenient, &excluded), "coach by uninspectable");
}

/// What ends on 2027-01-31 in Berlin holds until half past eleven that night, and no longer at half past midnight.
#[test]
fn law_9_dates_are_inclusive_in_the_policys_time_zone() {
    let before = at("2027-01-31T22:30:00Z");
    let after = at("2027-01-31T23:30:00Z");
    let on = |now, facts: Facts| Facts { now, ..facts };

    let excepted = policy(&format!("{NO_MATRIX}{}{}", rules(RULES), exception("AU-1", "allow")));
    assert_eq!(
        told(&excepted, &on(before, with(&[("email-address", 1)]))),
        "coach by AU-1, AU-2"
    );
    assert_eq!(
        told(&excepted, &on(after, with(&[("email-address", 1)]))),
        "block by AU-1, AU-2"
    );

    let excluding = policy(EXCLUDING);
    let sandboxed = || Facts {
        to: to("deepseek"),
        ..of_group("sandbox")
    };
    assert_eq!(told(&excluding, &on(before, sandboxed())), "allow");
    assert_eq!(told(&excluding, &on(after, sandboxed())), "block by data.matrix");

    let apps = "
applications:
  sanctioned: [{app: openai-api, owner: cto, expires: {on: 2027-01-31, then: unsanctioned}}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
";
    let expiring = policy(apps);
    assert_eq!(told(&expiring, &on(before, prompt())), "allow");
    assert_eq!(told(&expiring, &on(after, prompt())), "block by data.matrix");

    let timed = policy(&rules(&[
        ("AU-1", "when: {time: {until: 2027-01-31}}, then: block"),
        ("AU-2", "when: {time: {from: 2027-02-01}}, then: coach"),
        ("AU-3", "when: {time: {days: [mon]}}, then: justify"),
    ]));
    assert_eq!(told(&timed, &on(before, prompt())), "block by AU-1");
    assert_eq!(
        told(&timed, &on(after, prompt())),
        "justify by AU-2, AU-3",
        "it is Monday in Berlin"
    );
}

#[test]
fn law_9_a_sign_in_counts_for_its_time_and_never_from_the_future() {
    let fresh = policy(&rules(&[(
        "AU-1",
        "when: {group: staff}, unless: {signed_in: 15 minutes}, then: block",
    )]));
    let facts = |signed_in: Option<&str>| {
        let who = Who {
            signed_in: signed_in.map(at),
            ..Who::clone(&of_group("staff").who)
        };
        Facts {
            who: Arc::new(who),
            ..prompt()
        }
    };
    for (signed_in, expected) in [
        (None, "block by AU-1"),
        (Some("2026-12-10T12:00:00Z"), "allow"),
        (Some("2026-12-10T11:45:00Z"), "allow"),
        (Some("2026-12-10T11:44:59.999Z"), "block by AU-1"),
        (Some("2026-12-10T12:00:00.001Z"), "block by AU-1"),
    ] {
        let facts = facts(signed_in);
        assert_eq!(told(&fresh, &facts), expected, "{signed_in:?}");
        let needed = sign_in_needed(&fresh, &facts, &decide(&fresh, &facts));
        assert_eq!(needed, (expected != "allow").then_some(15), "{signed_in:?}");
    }
}

#[test]
fn a_sign_in_is_asked_for_only_where_it_is_all_that_is_missing() {
    let both = policy(&rules(&[
        ("AU-1", "when: {group: staff}, unless: {signed_in: 2 hours}, then: hold"),
        (
            "AU-2",
            "when: {group: staff}, unless: {signed_in: 8 hours}, then: block",
        ),
        ("AU-3", "when: {data: iban}, then: block"),
    ]));
    let needed = |facts: &Facts| sign_in_needed(&both, facts, &decide(&both, facts));
    let staff = |facts| Facts {
        who: of_group("staff").who,
        ..facts
    };
    assert_eq!(
        needed(&staff(prompt())),
        Some(120),
        "what holds asks for less time than what blocks"
    );
    assert_eq!(needed(&staff(with(&[("iban", 1)]))), None, "something else stops it");
    assert_eq!(needed(&of_group("engineering")), None, "nothing stops it");
    // Signing in does nothing for the other of two.
    let who = Who {
        on_behalf_of: Some(of_group("staff").who),
        ..Who::clone(&of_group("staff").who)
    };
    let facts = Facts {
        who: Arc::new(who),
        ..prompt()
    };
    assert_eq!(needed(&facts), None);
}

#[test]
fn law_9_courses_and_grace_count_to_the_end_of_their_last_day() {
    let gated = policy(
        "
education:
  courses: {ai-basics: {valid: 30 days}}
  gates: [{id: ED-1, without: ai-basics, grace: 30 days, then: block}]
  clauses: [{id: ED-2, statement: Taught., enforced_by: education.gates}]
",
    );
    let first = "2027-01-01".parse().ok();
    let newcomer = Arc::new(Who {
        groups: vec!["staff".to_owned()],
        since: first,
        ..Who::default()
    });
    let trained = Arc::new(Who {
        groups: vec!["staff".to_owned()],
        training: first.map(|on| ("ai-basics".to_owned(), on)).into_iter().collect(),
        ..Who::default()
    });
    for who in [newcomer, trained] {
        for (now, expected) in [
            ("2027-01-31T22:30:00Z", "allow"),
            ("2027-01-31T23:30:00Z", "block by ED-1"),
        ] {
            assert_eq!(
                told(
                    &gated,
                    &Facts {
                        now: at(now),
                        who: Arc::clone(&who),
                        ..prompt()
                    }
                ),
                expected,
                "{who:?}"
            );
        }
    }
}
