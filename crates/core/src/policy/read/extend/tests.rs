//! What a child may say over its parent, and what it may not.

use crate::catalog::Catalog;
use crate::policy::problem::Severity;
use crate::policy::{File, Files, Loaded, load};
use crate::verdict::{Mode, Verdict};

const PARENT: &str = r#"
ordain: 1
organization: Group
version: "1"
timezone: Europe/Berlin
approved: {by: board, on: 2026-11-20, effective: 2026-12-01}
review: {every: 180 days}
rollout: {default: coach, data.matrix: enforce}
delegated: [DELEGATED]
purpose:
  statement: Why.
  objectives: [{id: adopt, metric: active-sanctioned-users, owner: cto}]
scope:
  groups: {staff: {}, engineering: {claim: eng}, unmapped: coach}
  uses: [{id: coding, owner: cto, groups: [engineering, staff], ceiling: confidential}]
  exclude: [{group: engineering, reason: trial, until: 2027-01-31}]
  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: For., enforced_by: scope.uses}, {id: SC-3, statement: Not., enforced_by: scope.exclude}]
roles:
  people: {ciso: ciso@example.com, cto: cto@example.com}
  owner: {accountable: ciso, deputy: cto}
  raci: [{for: [data], accountable: ciso}]
  clauses: [{id: RO-1, statement: Who answers., enforced_by: roles.raci}]
applications:
  sanctioned: [{app: openai-api, owner: cto, models: [gpt-5*], require: {region: eu}, cells: {restricted: redact}}]
  unsanctioned: [{app: deepseek, reason: none}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
acceptable_use:
  outputs: {inherit: highest-input, reuse: {internal: free, external: human-review}}
  clauses:
    - {id: AU-0, statement: Out., enforced_by: acceptable_use.outputs}
    - {id: AU-1, statement: Keys., owner: cto, rule: {when: {data: [secret]}, unless: {group: engineering}, then: hold, tell: No.}}
    - {id: AU-7, statement: Read again., evidence: {task: review, every: 180 days, by: ciso}}
access:
  grants: [{id: GR-1, groups: [staff], apps: {class: [sanctioned, tolerated]}, models: ["gpt-*"]}]
  endpoints:
    - {id: EP-2, endpoints: [openai POST /v1/files, openai GET /v1/files], groups: [staff], then: coach, reason: x, until: 2027-06-30}
    - {id: EP-3, endpoints: [openai POST /v1/files], groups: [staff], then: hold, reason: x}
  tools:
    unlisted: block
    list: [{tool: mail.send, groups: [staff], args: {to: ["*@example.com", "*@example.org"]}, then: coach}, {tool: "cal.*"}]
  clauses: [{id: AC-1, statement: Whose., enforced_by: access}, {id: AC-2, statement: Tools., enforced_by: access.tools}, {id: AC-3, statement: Unread., enforced_by: access.endpoints}]
data:
  classes: [internal, confidential, restricted]
  default: internal
  entities: {payment-card: restricted, secret: confidential}
  matrix:
    internal:     {sanctioned: allow,  tolerated: coach, unknown: hold, unsanctioned: block}
    confidential: {sanctioned: redact, tolerated: hold, unknown: block, unsanctioned: block}
    restricted:   {sanctioned: hold, tolerated: block, unknown: block, unsanctioned: block}
  answers: {restricted: redact}
  retention: {content: 14 days, records: 2 years}
  unavailable: coach
  keywords: {project-name: [heron]}
  patterns: {case-number: "C-[0-9]{4}"}
  tokens: {payment-card: reversible, case-number: restore}
  unseen: [{endpoint: openai POST /v1/completions, reason: prose, until: 2027-03-31}]
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}, {id: DA-2, statement: Back., enforced_by: data.answers}, {id: DA-3, statement: Kept., enforced_by: data.retention}, {id: DA-4, statement: Failing., enforced_by: data.unavailable}]
shadow_ai: {statement: Found.}
transparency: {statement: Told.}
risk: {statement: Weighed.}
compliance: {statement: Kept.}
monitoring: {statement: Watched., break_glass: {statement: Builds go on., use: coding, groups: [engineering], lasts: 30 minutes, reviewer: ciso}}
education:
  courses: {ai-basics: {valid: 365 days, records: training.csv}}
  gates: [{id: GA-1, without: ai-basics, grace: 30 days, then: coach}]
  clauses: [{id: ED-1, statement: Taught., enforced_by: education.gates}]
consequences:
  ladder: [coach, manager]
  appeal: 14 days
  clauses: [{id: CN-1, statement: Fair., enforced_by: consequences.ladder}]
exceptions:
  - {id: EX-1, clause: AU-1, who: {group: staff}, then: coach, reason: trial, approved: [ciso, cto], expires: 2027-01-31}
"#;

const HEAD: &str = "ordain: 1\nextends: ../group\nversion: \"1\"\n";

fn loaded(delegated: &str, child: &str) -> Loaded {
    let file = |path: &str, text: String| File {
        path: path.to_owned(),
        text,
    };
    let files = Files::new(vec![
        file("policy.yaml", format!("{HEAD}{child}")),
        file("../group/policy.yaml", PARENT.replace("DELEGATED", delegated)),
    ]);
    load(
        &files,
        &Catalog::built_in(),
        "2026-12-10T12:00:00Z".parse().expect("a moment"),
    )
}

/// Errors of a child with their lines below [`HEAD`], and whether they stand in the child's own file.
fn errors(delegated: &str, child: &str) -> Vec<(&'static str, u32)> {
    let loaded = loaded(delegated, child);
    let paths = loaded
        .document
        .as_ref()
        .map(|document| document.paths.clone())
        .unwrap_or_default();
    let errors = loaded
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    errors
        .map(|problem| {
            let own = paths
                .get(usize::from(problem.place.file))
                .is_none_or(|path| path == "policy.yaml");
            assert!(own, "{problem:?}");
            (problem.code, problem.place.line - 3)
        })
        .collect()
}

#[test]
fn a_child_that_adds_nothing_is_its_parent() {
    let loaded = loaded("", "");
    let policy = loaded.policy.expect("a policy");
    let document = loaded.document.expect("a document");
    assert_eq!(document.clauses.len(), 17);
    let parent = document.parent.expect("the parent");
    let alone = load(
        &Files::single(&PARENT.replace("DELEGATED", "")),
        &Catalog::built_in(),
        "2026-12-10T12:00:00Z".parse().expect("a moment"),
    );
    let alone = alone.policy.expect("a policy");
    assert_eq!(parent.digest, alone.digest, "wherever it lies");
    assert_ne!(policy.digest, alone.digest);
    assert_eq!(policy.organization, "Group");
}

/// What the parent does not delegate and that lets more through is an error at its line; with the delegation it is none.
#[test]
fn what_loosens_is_refused_at_its_line_unless_it_is_delegated() {
    let cases: &[(&str, &str)] = &[
        (
            "data.matrix.internal.tolerated",
            "data: {matrix: {internal: {tolerated: allow}}}",
        ),
        ("data.matrix.internal", "data: {matrix: {internal: {unknown: coach}}}"),
        ("data.answers.restricted", "data: {answers: {restricted: coach}}"),
        (
            "data.entities.payment-card",
            "data: {entities: {payment-card: confidential}}",
        ),
        ("data.entities.aws-key", "data: {entities: {aws-key: internal}}"),
        ("data.retention.content", "data: {retention: {content: 15 days}}"),
        ("data.unavailable", "data: {unavailable: allow}"),
        ("rollout.data.matrix", "rollout: {data.matrix: observe}"),
        ("rollout.AU-1", "rollout: {AU-1: observe}"),
        ("rollout.default", "rollout: {default: observe}"),
        ("review.every", "review: {every: 365 days}"),
        ("scope.groups", "scope: {groups: {guests: {}}}"),
        ("scope.groups.unmapped", "scope: {groups: {unmapped: allow}}"),
        ("scope.uses", "scope: {uses: [{id: letters, owner: cto}]}"),
        ("scope.uses.coding", "scope: {uses: [{id: coding, groups: [everyone]}]}"),
        ("scope.uses", "scope: {uses: [{id: coding, ceiling: restricted}]}"),
        ("scope.outside", "scope: {outside: coach}"),
        (
            "scope.exclude",
            "scope: {exclude: [{group: staff, reason: x, until: 2027-01-01}]}",
        ),
        (
            "scope.exclude.engineering",
            "scope: {exclude: [{group: engineering, reason: x, until: 2027-02-01}]}",
        ),
        (
            "applications.tolerated",
            "applications: {tolerated: [{app: perplexity, reason: x}]}",
        ),
        (
            "applications.perplexity",
            "applications: {sanctioned: [{app: perplexity, owner: cto}]}",
        ),
        (
            "applications.deepseek",
            "applications: {tolerated: [{app: deepseek, reason: x}]}",
        ),
        (
            "applications.openai-api",
            "applications: {sanctioned: [{app: openai-api, models: [\"gpt-*\"]}]}",
        ),
        (
            "applications.openai-api",
            "applications: {sanctioned: [{app: openai-api, cells: {confidential: allow}}]}",
        ),
        ("access.grants", "access: {grants: [{id: GR-2, groups: [engineering]}]}"),
        (
            "access.grants.GR-1",
            "access: {grants: [{id: GR-1, groups: [staff], apps: {class: sanctioned}}]}",
        ),
        (
            "access.endpoints.EP-1",
            "access: {endpoints: [{id: EP-1, endpoints: [openai POST /v1/files], groups: [staff], then: coach, reason: x}]}",
        ),
        (
            "access.endpoints.EP-1",
            "access: {endpoints: [{id: EP-1, endpoints: [openai POST /v1/batches], groups: [staff], then: hold, reason: x, until: 2027-01-31}]}",
        ),
        (
            "access.endpoints.EP-2",
            "access: {endpoints: [{id: EP-2, endpoints: [openai GET /v1/files], groups: [staff, engineering], then: coach, reason: x, until: 2027-06-30}]}",
        ),
        (
            "access.endpoints.EP-2",
            "access: {endpoints: [{id: EP-2, endpoints: [openai GET /v1/files], groups: [staff], then: coach, reason: x, until: 2027-07-31}]}",
        ),
        (
            "access.endpoints",
            "access: {endpoints: [{id: EP-2, endpoints: [openai GET /v1/files], groups: [staff], then: allow, reason: x, until: 2027-06-30}]}",
        ),
        (
            "access.endpoints.EP-3",
            "access: {endpoints: [{id: EP-3, endpoints: [openai POST /v1/files], groups: [staff], then: coach, reason: x, until: 2027-06-30}]}",
        ),
        (
            "access.endpoints.EP-3",
            "access: {endpoints: [{id: EP-3, endpoints: [openai POST /v1/files], groups: [engineering], then: block, reason: x}]}",
        ),
        ("access.tools.unlisted", "access: {tools: {unlisted: hold}}"),
        (
            "access.tools.mail.send",
            "access: {tools: {list: [{tool: mail.send, then: coach}]}}",
        ),
        (
            "access.tools",
            "access: {tools: {list: [{tool: mail.send, groups: [staff], args: {to: \"*\"}, then: coach}]}}",
        ),
        (
            "access.tools.cal.list",
            "access: {tools: {list: [{tool: \"*\", then: hold}]}}",
        ),
        ("data.tokens", "data: {tokens: {payment-card: restore}}"),
        ("data.tokens.secret", "data: {tokens: {secret: reversible}}"),
        (
            "data.unseen",
            "data: {unseen: [{endpoint: openai POST /v1/completions, reason: prose, until: 2027-04-01}]}",
        ),
        (
            "data.unseen",
            "data: {unseen: [{endpoint: openai POST /v1/embeddings, reason: ours, until: 2027-01-01}]}",
        ),
        (
            "acceptable_use.outputs",
            "acceptable_use: {outputs: {reuse: {external: free}}}",
        ),
        (
            "acceptable_use.AU-1.then",
            "acceptable_use: {clauses: [{id: AU-1, rule: {then: coach}}]}",
        ),
        (
            "acceptable_use.AU-1",
            "acceptable_use: {clauses: [{id: AU-1, rule: {when: {data: [secret], group: staff}, then: block}}]}",
        ),
        (
            "acceptable_use.AU-1.unless",
            "acceptable_use: {clauses: [{id: AU-1, rule: {unless: {group: staff}, then: block}}]}",
        ),
        (
            "acceptable_use.AU-1.condition",
            "acceptable_use: {clauses: [{id: AU-1, rule: {then: block, condition: \"hour < 5\"}}]}",
        ),
        (
            "acceptable_use.AU-7.days",
            "acceptable_use: {clauses: [{id: AU-7, evidence: {task: review, every: 365 days}}]}",
        ),
        (
            "education.gates",
            "education: {gates: [{id: GA-1, without: ai-basics, grace: 60 days, then: coach}]}",
        ),
        (
            "education.courses.ai-basics",
            "education: {courses: {ai-basics: {valid: 2 years}}}",
        ),
        (
            "monitoring.break_glass.groups",
            "monitoring: {break_glass: {groups: [engineering, staff]}}",
        ),
        (
            "monitoring.break_glass.lasts",
            "monitoring: {break_glass: {lasts: 31 minutes}}",
        ),
        (
            "exceptions.AU-1",
            "exceptions: [{id: EX-2, clause: AU-1, who: {group: staff}, then: allow, reason: x, approved: [ciso, cto], expires: 2027-01-31}]",
        ),
        (
            "exceptions",
            "exceptions: [{id: EX-1, clause: AU-1, who: {group: staff}, then: coach, reason: x, approved: [ciso, cto], expires: 2027-02-05}]",
        ),
    ];
    for (path, child) in cases {
        let delegated = if *path == "access.tools.cal.list" {
            "access.tools"
        } else {
            path
        };
        assert_eq!(errors("", child), [("child-loosens", 1)], "{child}");
        assert_eq!(errors(delegated, child), [], "{child}, with {delegated} delegated");
    }
}

#[test]
fn a_child_has_no_break_glass_of_its_own_making() {
    let own = "monitoring: {break_glass: {statement: Ours., use: coding, groups: [engineering], lasts: 5 minutes, reviewer: cto}}";
    let file = |path: &str, text: String| File {
        path: path.to_owned(),
        text,
    };
    let found = |delegated: &str| {
        let parent = PARENT.replace("DELEGATED", delegated);
        let (before, rest) = parent.split_once(", break_glass: {").expect("the parent's");
        let (_, after) = rest.split_once('}').expect("its end");
        let files = Files::new(vec![
            file("policy.yaml", format!("{HEAD}{own}\n")),
            file("../group/policy.yaml", format!("{before}{after}")),
        ]);
        let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
        let problems = load(&files, &Catalog::built_in(), now).problems;
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        errors.map(|problem| problem.code).collect::<Vec<_>>()
    };
    assert_eq!(found(""), ["child-loosens"]);
    assert_eq!(found("monitoring.break_glass"), [] as [&str; 0]);
}

#[test]
fn what_is_neither_more_nor_less_strict_has_to_be_delegated() {
    let cases: &[(&str, &str)] = &[
        ("timezone", "timezone: UTC"),
        ("roles.people.cto", "roles: {people: {cto: other@example.com}}"),
        ("roles.owner", "roles: {owner: {deputy: ciso}}"),
        ("roles.raci", "roles: {raci: [{for: [data], accountable: ciso}]}"),
        (
            "purpose.objectives",
            "purpose: {objectives: [{id: adopt, metric: active-sanctioned-users, owner: ciso}]}",
        ),
        (
            "scope.groups.engineering",
            "scope: {groups: {engineering: {claim: engineers}}}",
        ),
        (
            "applications.openai-api",
            "applications: {sanctioned: [{app: openai-api, require: {region: us}}]}",
        ),
        ("data.retention", "data: {retention: {records: 1 year}}"),
        (
            "data.patterns.case-number",
            "data: {patterns: {case-number: \"D-[0-9]{4}\"}}",
        ),
        (
            "acceptable_use.AU-1.statement",
            "acceptable_use: {clauses: [{id: AU-1, statement: Other.}]}",
        ),
        (
            "acceptable_use.AU-7.evidence",
            "acceptable_use: {clauses: [{id: AU-7, evidence: {task: reading, every: 30 days}}]}",
        ),
        ("consequences.ladder", "consequences: {ladder: [coach, manager, board]}"),
        (
            "monitoring.break_glass.reviewer",
            "monitoring: {break_glass: {reviewer: cto}}",
        ),
    ];
    for (path, child) in cases {
        assert_eq!(errors("", child), [("not-delegated", 1)], "{child}");
        assert_eq!(errors(path, child), [], "{child}, with {path} delegated");
    }
    assert_eq!(
        errors("data", "data: {classes: [internal, restricted]}"),
        [("not-delegated", 1)],
        "nobody can delegate the classes"
    );
}

#[test]
fn what_tightens_needs_no_delegation() {
    let child = r#"
organization: Unit
profiles: [regulated]
review: {every: 90 days, also: [incident]}
rollout: {AU-9: observe, GA-1: enforce}
scope:
  groups: {developers: {claim: eng}, unmapped: block}
  uses: [{id: coding, groups: [engineering], ceiling: internal}]
  exclude: [{group: engineering, reason: trial, until: 2026-12-31}]
roles: {people: {dpo: dpo@example.com}, raci: [{for: [risk], accountable: dpo}]}
applications:
  sanctioned: [{app: openai-api, models: [gpt-5-mini*], require: {account: corporate}, cells: {restricted: block}, expires: {on: 2027-06-30, then: unsanctioned}}]
  unsanctioned: [{app: perplexity, reason: x}]
monitoring: {break_glass: {lasts: 10 minutes}}
acceptable_use:
  outputs: {reuse: {external: none}}
  clauses:
    - {id: AU-1, rule: {when: [{finding: leak}, {data: secret}], then: block, tell: Really not.}, frameworks: {owasp-llm-2026: [LLM02]}}
    - {id: AU-7, evidence: {task: review, every: 30 days, last: 2026-12-01}}
    - {id: AU-9, statement: Own., rule: {when: {data: iban}, then: coach}}
access:
  grants: [{id: GR-1, groups: [staff], apps: {class: sanctioned, id: openai-api}, models: ["gpt-5*"]}, {id: GR-3, groups: [], models: [x]}]
  endpoints:
    - {id: EP-2, endpoints: [openai GET /v1/files], groups: [staff], then: hold, reason: x, until: 2027-01-31}
    - {id: EP-3, endpoints: [openai POST /v1/files, openai POST /v1/batches], groups: [staff, engineering], then: block, reason: x}
    - {id: EP-4, endpoints: [openai GET /v1/files], groups: [staff], then: coach, reason: x, until: 2027-01-31}
  tools: {list: [{tool: mail.send, groups: [staff], args: {to: "*@example.com", size: "<= 5"}, then: coach}, {tool: "mail.*", then: block}]}
data:
  entities: {payment-card: restricted, secret: restricted, project-name: restricted}
  escalate: [{entity: iban, at_least: 2, to: restricted}]
  matrix: {internal: {sanctioned: coach}, restricted: {sanctioned: block}}
  answers: {confidential: redact, restricted: block}
  retention: {content: 1 day}
  unavailable: block
  keywords: {project-name: [bittern]}
  tokens: {case-number: reversible}
  unseen: [{endpoint: openai POST /v1/completions, reason: less prose, until: 2027-01-31}]
education:
  courses: {ai-basics: {valid: 180 days}, ethics: {valid: 1 year}}
  gates: [{id: GA-1, without: ai-basics, grace: 7 days, then: hold}, {id: GA-2, without: ethics, then: coach}]
consequences: {appeal: 28 days}
exceptions:
  - {id: EX-1, clause: AU-1, who: {group: staff}, then: hold, reason: trial, approved: [ciso, cto], expires: 2027-01-15}
  - {id: EX-5, clause: AU-9, who: {group: staff}, then: allow, reason: trial, approved: [ciso, cto], expires: 2027-01-15}
never_excepted: [GA-1]
"#;
    // Everything that is said is taken.
    let loaded = loaded("", child);
    let found: Vec<_> = loaded
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    let document = loaded.document.expect("a document");
    let clause = |id: &str| {
        document
            .clauses
            .iter()
            .find(|clause| clause.id.value == id)
            .expect("a clause")
    };
    let rule = clause("AU-1").rule.as_ref().expect("a rule");
    assert_eq!(
        (rule.then.value, rule.when.len(), rule.unless.len()),
        (Verdict::Block, 2, 1)
    );
    assert_eq!(
        clause("AU-1").statement.as_ref().expect("the parent's").as_str(),
        "Keys."
    );
    assert_eq!(document.organization.as_ref().expect("its own").as_str(), "Unit");
    assert_eq!(
        document.rollout.default.as_ref().expect("the parent's").value,
        Mode::Coach
    );
    assert_eq!(
        document
            .data
            .keywords
            .iter()
            .map(|(_, words)| words.len())
            .sum::<usize>(),
        2
    );
    let tokens = document.data.tokens.iter().map(|(_, how)| how.as_str());
    assert!(tokens.eq(["reversible", "reversible"]));
    let unseen = document.data.unseen.iter().filter_map(|one| one.until.as_ref());
    assert!(unseen.map(|until| until.value.to_string()).eq(["2027-01-31"]));
    let tools: Vec<&str> = document
        .access
        .tools
        .iter()
        .flat_map(|tools| &tools.list)
        .map(|tool| tool.tool.as_str())
        .collect();
    assert_eq!(tools, ["mail.send", "mail.*", "mail.send", "cal.*"]);
}

#[test]
fn a_child_says_itself_what_the_parent_does_not() {
    let child = "acceptable_use:\n  clauses:\n    - {id: AU-8, rule: {then: block}}\n";
    assert_eq!(errors("", child), [("missing-key", 3), ("missing-key", 3)]);
}

#[test]
fn delegation_is_passed_on_and_not_invented() {
    assert_eq!(errors("data.matrix", "delegated: [data.matrix.internal.tolerated]"), []);
    assert_eq!(
        errors("", "delegated: [data.matrix.internal.tolerated]"),
        [("child-loosens", 1)]
    );
    assert_eq!(
        errors("", "delegated: [data.matrix.internal.tolerate]"),
        [("child-loosens", 1), ("unknown-path", 1)]
    );
    let own = "delegated: [risk.RI-1.days]\nrisk: {clauses: [{id: RI-1, statement: Own., evidence: {task: x, every: 9 days, by: cto}}]}";
    assert_eq!(errors("", own), [], "of what it adds, a child may delegate anything");
}

#[test]
fn a_parent_that_is_not_there_or_is_the_child_is_said() {
    let of = |extends: &str| {
        let text = format!("ordain: 1\nextends: {extends}\nversion: \"1\"\n");
        let files = Files::single(&text);
        let loaded = load(&files, &Catalog::built_in(), jiff::Timestamp::UNIX_EPOCH);
        loaded
            .problems
            .iter()
            .map(|problem| (problem.code, problem.place.line))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("../group"), [("unknown-parent", 2)]);
    assert_eq!(of("/group"), [("unknown-parent", 2)]);
    assert_eq!(of("."), [("extends-itself", 2)]);
}

#[test]
fn a_case_of_the_parents_name_may_only_expect_more() {
    let cases = |text: &str| {
        let file = |path: &str, text: &str| File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let delegating = PARENT.replace("DELEGATED", "data.matrix.internal.tolerated");
        let files = Files::new(vec![
            file("policy.yaml", HEAD),
            file("../group/policy.yaml", &delegating),
            file(
                "../group/cases/all.yaml",
                "cases:\n  - {name: a, request: {app: openai-api}, expect: {verdict: hold, clauses: [access]}}\n  - {name: b, request: {app: perplexity}, expect: {verdict: coach, clauses: [data.matrix]}}\n",
            ),
            file("cases/own.yaml", text),
        ]);
        let loaded = load(
            &files,
            &Catalog::built_in(),
            "2026-12-10T12:00:00Z".parse().expect("a moment"),
        );
        let codes: Vec<_> = loaded
            .problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .map(|problem| (problem.code, problem.place.line))
            .collect();
        let names: Vec<String> = loaded.cases.iter().map(|case| case.name.value.clone()).collect();
        (codes, names.join(" "))
    };
    let case = |name: &str, app: &str, verdict: &str| {
        format!("cases:\n  - {{name: {name}, request: {{app: {app}}}, expect: {{verdict: {verdict}}}}}\n")
    };
    assert_eq!(cases(&case("c", "demo", "allow")), (vec![], "a b c".to_owned()));
    assert_eq!(cases(&case("a", "openai-api", "block")), (vec![], "a b".to_owned()));
    assert_eq!(cases(&case("a", "openai-api", "coach")).0, [("child-loosens", 2)]);
    assert_eq!(cases(&case("a", "demo", "block")).0, [("child-loosens", 2)]);
    assert_eq!(
        cases(&case("b", "perplexity", "allow")).0,
        [],
        "its citation is delegated"
    );
}
