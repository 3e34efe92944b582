//! The ten laws of a decision, each on policies small enough to work out by hand.
//!
//! A decision is written as [`told`] writes it: `verdict (full verdict) by citations masking entities`.

mod content;
mod digest;
mod limits;
mod monotone;
mod together;
mod world;

use std::sync::Arc;

use ordain_core::decide::{Called, Destination, Facts, Who, decide};
use ordain_core::inspect::arguments::called;
use ordain_core::verdict::{Mode, Verdict};

use world::{answered, errors, policy, prompt, to, told, with};

/// A document's `acceptable_use` with one rule a line: an id and a rule.
fn rules(rules: &[(&str, &str)]) -> String {
    let clauses = rules
        .iter()
        .map(|(id, rule)| format!("    - {{id: {id}, statement: A rule., rule: {{{rule}}}}}\n"));
    format!("acceptable_use:\n  clauses:\n{}", clauses.collect::<String>())
}

fn of_group(group: &str) -> Facts {
    let who = Who {
        principal: "bo".to_owned(),
        groups: vec![group.to_owned()],
        ..Who::default()
    };
    Facts {
        who: Arc::new(who),
        ..prompt()
    }
}

const ACCESS: &str = "
access:
  grants:
    - {id: AC-1, groups: [engineering], apps: {class: sanctioned}}
    - {id: AC-3, groups: [staff], apps: {class: sanctioned}, models: [\"gpt-*-mini\"]}
  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]
";

#[test]
fn law_1_access_comes_first() {
    let rule = rules(&[("AU-1", "when: {direction: prompt}, then: coach")]);
    let strict = policy(&format!("{ACCESS}{rule}"));
    assert_eq!(told(&strict, &prompt()), "coach by AU-1");
    // Group, app and model each decide; nothing else is cited.
    assert_eq!(told(&strict, &of_group("staff")), "block by access");
    let mini = Facts {
        model: Some("gpt-5-mini".to_owned()),
        ..of_group("staff")
    };
    assert_eq!(told(&strict, &mini), "coach by AU-1");
    assert_eq!(
        told(
            &strict,
            &Facts {
                to: to("perplexity"),
                ..prompt()
            }
        ),
        "block by access"
    );
    assert_eq!(
        told(
            &strict,
            &Facts {
                to: to("never-heard-of"),
                ..prompt()
            }
        ),
        "block by access"
    );
    // What could not be seen is cited beside it.
    let mut blind = of_group("staff");
    blind.content.uninspectable = true;
    assert_eq!(told(&strict, &blind), "block by access, uninspectable");
    // An answer to an admitted prompt needs no grant.
    assert_eq!(told(&strict, &answered(of_group("staff"))), "allow");
}

#[test]
fn law_1_grants_never_loosen_anything_below() {
    let rule = rules(&[("AU-1", "when: {group: engineering}, then: block")]);
    let both = policy(&format!("{ACCESS}{rule}"));
    assert_eq!(told(&both, &prompt()), "block by AU-1");
    let open = policy("");
    assert_eq!(
        told(
            &open,
            &Facts {
                to: to("deepseek"),
                ..prompt()
            }
        ),
        "block by data.matrix"
    );
}

#[test]
fn law_1_access_that_only_observes_lets_the_rest_decide() {
    let rule = rules(&[("AU-1", "when: {direction: prompt}, then: coach")]);
    let soft = policy(&format!(
        "{ACCESS}{rule}rollout: {{default: enforce, access: observe}}\n"
    ));
    assert_eq!(told(&soft, &of_group("staff")), "coach (block) by AU-1, access");
    let decision = decide(&soft, &of_group("staff"));
    let full: Vec<&str> = decision
        .full_contributions(&soft)
        .map(|one| soft.citation(one.citation).id.as_str())
        .collect();
    assert_eq!(full, ["access"], "in full, access alone would have refused");
}

#[test]
fn law_2_everything_that_matches_counts_and_the_strictest_names_it() {
    let all = policy(&rules(&[
        ("AU-1", "when: {group: engineering}, then: coach, tell: One."),
        ("AU-2", "when: {app: openai-api}, then: justify, tell: Two."),
        ("AU-3", "when: {data: email-address}, then: redact, tell: Three."),
        ("AU-4", "when: {data: aws-key}, then: block, tell: Four."),
    ]));
    assert_eq!(told(&all, &prompt()), "justify by AU-1, AU-2");
    // Masks of the matrix and of a rule add up, and every notice is told.
    let facts = with(&[("email-address", 1), ("payment-card", 1)]);
    assert_eq!(
        told(&all, &facts),
        "redact by AU-1, AU-2, AU-3, data.matrix masking email-address, payment-card"
    );
    let decision = decide(&all, &facts);
    assert_eq!(decision.notices(&all).collect::<Vec<_>>(), ["One.", "Two.", "Three."]);
    // Nothing is masked in what does not pass.
    let facts = with(&[("email-address", 1), ("aws-key", 1)]);
    assert_eq!(told(&all, &facts), "block by AU-1, AU-2, AU-3, AU-4, data.matrix");
}

#[test]
fn law_2_a_hold_keeps_the_masks_and_allow_never_loosens() {
    let held = policy(&rules(&[
        ("AU-1", "when: {group: engineering}, then: hold"),
        ("AU-2", "when: {data: payment-card}, then: allow"),
    ]));
    assert_eq!(
        told(&held, &with(&[("payment-card", 1)])),
        "hold by AU-1, data.matrix masking payment-card"
    );
}

#[test]
fn law_2_ceilings_requirements_cells_gates_and_tools_count() {
    let all = policy(
        "
scope:
  groups: {staff: {}, engineering: {}, unmapped: coach}
  uses: [{id: coding, owner: cto, groups: [engineering], ceiling: confidential}]
  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: For., enforced_by: scope.uses}]
applications:
  sanctioned:
    - {app: openai-api, owner: cto, require: {region: eu}}
    - {app: anthropic-api, owner: cto, cells: {restricted: block}}
    - {app: mistral-api, owner: cto, for: {use: coding}}
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
access:
  grants: [{id: AC-1, groups: [everyone]}]
  tools: {unlisted: hold, list: [{tool: mail.*, then: block}, {tool: calc}]}
  clauses: [{id: AC-2, statement: Whose., enforced_by: access}, {id: AC-3, statement: Tools., enforced_by: access.tools}]
education:
  courses: {ai-basics: {valid: 365 days}}
  gates: [{id: ED-1, without: ai-basics, then: justify}]
  clauses: [{id: ED-2, statement: Taught., enforced_by: education.gates}]
",
    );
    let trained = Who {
        groups: vec!["engineering".to_owned()],
        training: vec![("ai-basics".to_owned(), "2026-06-01".parse().expect("a date"))],
        ..Who::default()
    };
    let base = |entities| Facts {
        who: Arc::new(trained.clone()),
        to: to("anthropic-api"),
        ..with(entities)
    };
    assert_eq!(told(&all, &base(&[])), "allow");
    assert_eq!(
        told(&all, &base(&[("payment-card", 1)])),
        "block by data.matrix",
        "the app's own cell"
    );
    let coding = |entities| Facts {
        use_: Some("coding".to_owned()),
        ..base(entities)
    };
    assert_eq!(told(&all, &coding(&[("email-address", 1)])), "allow");
    assert_eq!(
        told(&all, &coding(&[("payment-card", 1)])),
        "block by data.matrix, scope.uses"
    );
    // An unmet `require` or `for` makes an app unknown.
    let eu = Destination {
        app: "openai-api".to_owned(),
        attributes: vec![("region".to_owned(), "eu".to_owned())],
        ..Destination::default()
    };
    assert_eq!(
        told(
            &all,
            &Facts {
                to: Arc::new(eu),
                ..base(&[])
            }
        ),
        "allow"
    );
    assert_eq!(
        told(
            &all,
            &Facts {
                to: to("openai-api"),
                ..base(&[])
            }
        ),
        "hold by data.matrix"
    );
    assert_eq!(
        told(
            &all,
            &Facts {
                to: to("mistral-api"),
                ..base(&[])
            }
        ),
        "hold by data.matrix"
    );
    assert_eq!(
        told(
            &all,
            &Facts {
                to: to("mistral-api"),
                ..coding(&[])
            }
        ),
        "allow"
    );
    let untrained = Facts {
        who: Arc::new(Who {
            groups: vec!["engineering".to_owned()],
            ..Who::default()
        }),
        ..base(&[])
    };
    assert_eq!(told(&all, &untrained), "justify by ED-1");
    let stranger = Facts {
        who: Arc::new(Who {
            groups: Vec::new(),
            ..trained.clone()
        }),
        ..base(&[])
    };
    assert_eq!(told(&all, &stranger), "coach by scope.groups");
    let mut calls = answered(base(&[]));
    for (tools, expected) in [
        (&["calc"][..], "allow"),
        (&["calc", "web"], "hold by access.tools"),
        (&["web", "mail.send"], "block by access.tools"),
    ] {
        let called = |&tool: &&str| Called {
            name: tool.to_owned(),
            ..Called::default()
        };
        calls.content.tools = tools.iter().map(called).collect();
        assert_eq!(told(&all, &calls), expected);
    }
}

/// An entry with `args` matches a call when each of its conditions holds; several calls are judged one by one.
#[test]
fn law_2_conditions_on_arguments_choose_the_entry() {
    let all = policy(
        r#"
access:
  grants: [{id: AC-1, groups: [everyone]}]
  tools:
    unlisted: block
    list:
      - {tool: mail.send, args: {to: "*@northwind.example"}}
      - {tool: mail.send, groups: [engineering], args: {to: "*@partner.example", size: ["<= 10", small]}, then: hold}
      - {tool: pay, args: {"order.amount": "<= 500", /lines/0/id: "*"}, then: coach}
  clauses: [{id: AC-2, statement: Whose., enforced_by: access}, {id: AC-3, statement: Tools., enforced_by: access.tools}]
"#,
    );
    let mut facts = answered(with(&[]));
    let mut told = |calls: &[(&str, &str)]| {
        let call = |&(tool, arguments): &(&str, &str)| called(&all, tool.to_owned(), Some(arguments));
        facts.content.tools = calls.iter().map(call).collect();
        told(&all, &facts)
    };
    let (home, partner) = (
        ("mail.send", r#"{"to": ["a@northwind.example", "b@northwind.example"]}"#),
        ("mail.send", r#"{"to": "a@partner.example", "size": 9.5}"#),
    );
    let block = "block by access.tools";
    assert_eq!(told(&[home]), "allow");
    assert_eq!(told(&[partner]), "hold by access.tools");
    assert_eq!(told(&[home, partner, home]), "hold by access.tools");
    for (tool, arguments) in [
        ("mail.send", r#"{"to": ["a@northwind.example", "b@else.example"]}"#),
        ("mail.send", r#"{"to": "a@partner.example", "size": 11}"#),
        ("mail.send", r#"{"to": "a@partner.example"}"#),
        ("mail.send", r#"{"to": {"to": "a@northwind.example"}}"#),
        ("mail.send", r#"{"to": []}"#),
        ("mail.send", r#"{"to": "a@northwind.example", "to": "b@else.example"}"#),
        ("mail.send", "to a@northwind.example"),
        ("pay", r#"{"order": {"amount": 500}}"#),
        ("pay", r#"{"order.amount": 500, "lines": [{"id": "x"}]}"#),
    ] {
        assert_eq!(told(&[home, (tool, arguments)]), block, "{tool} {arguments}");
    }
    assert_eq!(
        told(&[("pay", r#"{"order": {"amount": 5e2}, "lines": [{"id": "x"}]}"#)]),
        "coach by access.tools"
    );
}

#[test]
fn law_3_a_mode_limits_what_acts_and_the_record_keeps_both() {
    for mode in Mode::ALL {
        for then in Verdict::ALL {
            let rule = rules(&[("AU-1", &format!("when: {{data: email-address}}, then: {then}"))]);
            let staged = policy(&format!("rollout: {{default: enforce, AU-1: {mode}}}\n{rule}"));
            let decision = decide(&staged, &with(&[("email-address", 1)]));
            assert_eq!(decision.full, *then, "{mode} {then}");
            let acts = match mode {
                Mode::Observe => Verdict::Allow,
                Mode::Coach => (*then).min(Verdict::Coach),
                Mode::Enforce => *then,
            };
            assert_eq!(decision.verdict, acts, "{mode} {then}");
            assert_eq!(
                decision.masks.is_empty(),
                *mode < Mode::Enforce || *then != Verdict::Redact,
                "{mode} {then}"
            );
        }
    }
}

#[test]
fn law_3_section_data_has_a_mode_and_the_default_is_to_enforce() {
    let observed = policy("rollout: {default: enforce, data.matrix: observe}\n");
    assert_eq!(
        told(&observed, &with(&[("payment-card", 1)])),
        "allow (redact) by data.matrix"
    );
    let unsaid = policy("");
    assert_eq!(
        told(&unsaid, &with(&[("payment-card", 1)])),
        "redact by data.matrix masking payment-card"
    );
    let all = policy("rollout: {default: observe}\n");
    let mut blind = Facts {
        to: to("deepseek"),
        ..prompt()
    };
    assert_eq!(told(&all, &blind), "allow (block) by data.matrix");
    // What could not be seen has no mode.
    blind.content.failed = true;
    assert_eq!(told(&all, &blind), "block by data.matrix, detector-failure");
}

#[test]
fn law_10_conditions_run_only_when_selectors_match() {
    // Modulo zero fails, and a condition that fails counts as true: so it shows whether it ran.
    let failing = |when: &str| {
        policy(&rules(&[(
            "AU-1",
            &format!("when: {when}, condition: \"hour % 0 == 1\", then: block"),
        )]))
    };
    assert_eq!(told(&failing("{group: engineering}"), &prompt()), "block by AU-1");
    assert_eq!(told(&failing("{group: staff}"), &prompt()), "allow");
    assert_eq!(
        told(&failing("{group: engineering}, unless: {app: openai-api}"), &prompt()),
        "allow"
    );
    let checked = |condition: &str| {
        policy(&rules(&[(
            "AU-1",
            &format!("when: {{group: engineering}}, condition: \"{condition}\", then: block"),
        )]))
    };
    assert_eq!(
        told(&checked("hour == 13 && weekday == 4"), &prompt()),
        "block by AU-1",
        "in the policy's time zone"
    );
    assert_eq!(told(&checked("hour == 12"), &prompt()), "allow");
    assert_eq!(told(&checked("'iban' in data"), &prompt()), "allow");
    assert_eq!(told(&checked("'iban' in data"), &with(&[("iban", 1)])), "block by AU-1");
}

#[test]
fn law_10_a_condition_is_checked_for_type_when_it_is_compiled() {
    for condition in ["hour", "hour == 'x'", "nobody == 'x'", "hour =="] {
        let rule = rules(&[(
            "AU-1",
            &format!("when: {{group: staff}}, condition: \"{condition}\", then: block"),
        )]);
        assert_eq!(errors(&rule), ["bad-condition"], "{condition}");
    }
}
