//! The ten laws of a decision, each on policies small enough to work out by hand.
//!
//! A decision is written as [`told`] writes it: `verdict (full verdict) by citations masking entities`.

mod digest;
mod monotone;
mod world;

use std::sync::Arc;

use ordain_core::decide::{Destination, Facts, Who, decide};
use ordain_core::verdict::{Mode, Source, SourceSet, Verdict};

use world::{NO_MATRIX, answered, at, contribution, errors, policy, prompt, to, told, with};

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
        calls.content.tools = tools.iter().map(|&tool| tool.to_owned()).collect();
        assert_eq!(told(&all, &calls), expected);
    }
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
fn law_4_keys_are_and_items_are_or_and_maps_are_or() {
    let cases = [
        ("when: {group: engineering, app: openai-api}", true),
        ("when: {group: engineering, app: perplexity}", false),
        ("when: {group: [staff, engineering]}", true),
        ("when: {app: {class: sanctioned, category: companion}}", false),
        ("when: [{group: staff}, {app: openai-api}]", true),
        ("when: [{group: staff}, {app: perplexity}]", false),
        ("when: {principal: [ana, cy]}", true),
        ("when: {client: ide}", false),
        ("when: {model: gpt-*}", true),
        ("when: {model: [claude-*, gpt]}", false),
        ("when: {use: coding}", false),
        ("when: {direction: answer}", false),
        ("when: {direction: [answer, prompt]}", true),
        ("when: {source: [user, tool]}", true),
        ("when: {source: tool}", false),
        (
            "when: {direction: prompt}, unless: {group: engineering, app: perplexity}",
            true,
        ),
        (
            "when: {direction: prompt}, unless: [{group: staff}, {app: openai-api}]",
            false,
        ),
        ("when: {time: {days: [thu]}}", true),
        ("when: {time: {hours: \"13:00-13:01\"}}", true),
        ("when: {time: {hours: \"12:00-13:00\"}}", false),
        ("when: {time: {hours: \"22:00-14:00\", days: [fri]}}", false),
    ];
    let scope = "
scope:
  groups: {staff: {}, engineering: {}}
  uses: [{id: coding, owner: cto}]
  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: For., enforced_by: scope.uses}]
";
    for (when, expected) in cases {
        let one = policy(&format!(
            "{scope}{}",
            rules(&[("AU-1", &format!("{when}, then: block"))])
        ));
        let expected = if expected { "block by AU-1" } else { "allow" };
        assert_eq!(told(&one, &prompt()), expected, "{when}");
    }
}

#[test]
fn law_4_unless_cannot_test_what_was_found() {
    for unless in ["{data: iban}", "{finding: prompt-injection}"] {
        let rule = rules(&[(
            "AU-1",
            &format!("when: {{group: staff}}, unless: {unless}, then: block"),
        )]);
        assert_eq!(errors(&rule), ["loosening-selector"], "{unless}");
    }
}

#[test]
fn law_5_naming_a_class_means_that_class_or_above() {
    let classes = policy(&format!(
        "{NO_MATRIX}{}",
        rules(&[
            ("AU-1", "when: {data: confidential}, then: coach"),
            ("AU-2", "when: {data: restricted}, then: block")
        ])
    ));
    assert_eq!(told(&classes, &prompt()), "allow");
    assert_eq!(told(&classes, &with(&[("email-address", 1)])), "coach by AU-1");
    assert_eq!(told(&classes, &with(&[("payment-card", 1)])), "block by AU-1, AU-2");
    assert_eq!(
        told(&classes, &with(&[("us-ssn", 1)])),
        "allow",
        "an entity without a class has the default"
    );
    assert_eq!(
        told(&classes, &with(&[("aws-key", 1)])),
        "block by AU-1, AU-2",
        "the class of its family"
    );
}

#[test]
fn law_5_the_class_of_a_text_is_the_highest_of_its_entities_and_escalations() {
    let data = NO_MATRIX.replace(
        "  default: internal\n",
        "  default: internal\n  escalate: [{entity: email-address, at_least: 3, to: restricted}, {entity: financial, at_least: 4, to: restricted}, {all: [us-ssn, contact], to: confidential}]\n",
    );
    let escalated = policy(&data);
    let class = |entities: &[(&str, u32)]| {
        let decision = decide(&escalated, &with(entities));
        escalated.class_name(decision.data_class).to_owned()
    };
    assert_eq!(class(&[]), "internal");
    assert_eq!(class(&[("email-address", 2)]), "confidential");
    assert_eq!(class(&[("email-address", 3)]), "restricted");
    assert_eq!(class(&[("iban", 3)]), "confidential");
    assert_eq!(class(&[("iban", 3), ("payment-card", 1)]), "restricted");
    assert_eq!(class(&[("us-ssn", 9)]), "internal");
    assert_eq!(class(&[("us-ssn", 1), ("email-address", 1)]), "confidential");
}

#[test]
fn law_6_a_redact_masks_what_asked_for_it_and_nothing_else() {
    let plain = policy("");
    assert_eq!(
        told(&plain, &with(&[("payment-card", 1), ("email-address", 1)])),
        "redact by data.matrix masking payment-card"
    );
    let rule = policy(&format!(
        "{NO_MATRIX}{}",
        rules(&[("AU-1", "when: {data: contact, source: user}, then: redact")])
    ));
    let mut facts = with(&[("email-address", 1), ("iban", 1)]);
    facts.content.sources = [Source::User, Source::Tool].into_iter().collect();
    for seen in &mut facts.content.entities {
        seen.sources = facts.content.sources;
    }
    assert_eq!(told(&rule, &facts), "redact by AU-1 masking email-address");
    assert_eq!(
        decide(&rule, &facts).masks[0].sources,
        SourceSet::of(Source::User),
        "only where it was asked for"
    );
    // What stands where nothing can be edited blocks, but not in a source that nobody asked about.
    facts.content.entities[0].fixed = SourceSet::of(Source::Tool);
    assert_eq!(told(&rule, &facts), "redact by AU-1 masking email-address");
    facts.content.entities[0].fixed = SourceSet::of(Source::User);
    assert_eq!(told(&rule, &facts), "block by AU-1");
    assert!(contribution(&rule, &decide(&rule, &facts), "AU-1").unmaskable);
}

#[test]
fn law_6_an_escalated_class_asks_for_masks_too() {
    let data = "
data:
  classes: [internal, restricted]
  default: internal
  entities: {payment-card: restricted}
  escalate: [{entity: email-address, at_least: 2, to: restricted}]
  matrix:
    internal:   {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}
    restricted: {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}
  answers: {restricted: redact}
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}, {id: DA-2, statement: Back., enforced_by: data.answers}]
";
    let escalated = policy(data);
    assert_eq!(told(&escalated, &with(&[("email-address", 1), ("iban", 1)])), "allow");
    let many = with(&[("email-address", 2), ("iban", 1)]);
    assert_eq!(told(&escalated, &many), "redact by data.matrix masking email-address");
    assert_eq!(
        told(&escalated, &answered(many)),
        "redact by data.answers masking email-address"
    );
}

#[test]
fn law_6_a_finding_has_nothing_to_mask() {
    assert_eq!(
        errors(&rules(&[("AU-1", "when: {finding: prompt-injection}, then: redact")])),
        ["redact-without-span"]
    );
}

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
