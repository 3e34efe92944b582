//! Every check against its bad and its good document, and all checks against the policy that they are laid over.

use super::*;
use crate::policy::{File, Files, load};

/// A small good policy; examples replace whole sections of it.
pub(super) const BASE: &str = r#"
ordain: 1
organization: Example
version: "1"
timezone: Europe/Berlin
approved: {by: board, on: 2026-11-20, effective: 2026-12-01}
review: {every: 180 days}
rollout: {default: observe}
purpose: {statement: Why.}
scope:
  groups: {staff: {}, engineering: {}, unmapped: block}
  uses: [{id: coding, owner: cto, groups: [engineering]}]
  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: What for., enforced_by: scope.uses}]
roles:
  people: {ciso: ciso@example.com, cto: cto@example.com}
  owner: {accountable: ciso, deputy: cto}
applications:
  sanctioned: [{app: openai-api, owner: cto, terms: {checked: 2026-11-01}}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
acceptable_use: {statement: How.}
access:
  grants: [{id: AC-1, groups: [everyone]}]
  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]
data:
  classes: [internal, restricted]
  default: internal
  retention: {content: 0 days, records: 2 years}
  entities: {payment-card: restricted}
  matrix:
    internal:   {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}
    restricted: {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]
shadow_ai:
  clauses: [{id: SH-9, statement: Found., evidence: {task: discovery, every: 30 days, by: cto}}]
transparency: {statement: Told.}
risk: {statement: Weighed.}
compliance:
  clauses: [{id: CO-9, statement: Tried., evidence: {task: test, every: 90 days, by: ciso}, frameworks: {owasp-llm-2026: [LLM01, LLM03]}}]
monitoring: {statement: Watched.}
education: {statement: Taught.}
consequences: {statement: Fair.}
"#;

/// The top-level members of a document, as blocks of lines.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks: Vec<(String, String)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match line.split_once(':') {
            Some((key, _)) if !line.starts_with(' ') => blocks.push((key.to_owned(), format!("{line}\n"))),
            _ => {
                let (_, block) = blocks.last_mut().expect("an example begins with a section");
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    blocks
}

/// [`BASE`] with the sections of `example` in place of its own; `name: ~` alone removes a section.
pub(in crate::policy) fn laid_over(example: &str) -> String {
    let mut all = blocks(BASE);
    for (key, block) in blocks(example) {
        all.retain(|(known, _)| *known != key);
        if !block.contains(": ~") {
            all.push((key, block));
        }
    }
    all.into_iter().map(|(_, block)| block).collect()
}

/// What is found in an example, but for notes of what awaits (which examples of other checks cannot do without).
pub(super) fn problems(example: &str) -> Vec<(&'static str, u32)> {
    let problems = loaded(example);
    let awaits = |problem: &&Problem| problem.code == "awaits" && !example.contains("source-code");
    problems
        .iter()
        .filter(|problem| !awaits(problem))
        .map(|problem| (problem.code, problem.place.line))
        .collect()
}

fn loaded(example: &str) -> Vec<Problem> {
    let text = laid_over(example);
    let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
    load(&Files::single(&text), &Catalog::built_in(), now).problems
}

#[test]
fn the_base_policy_is_clean() {
    assert_eq!(problems(""), []);
}

#[test]
fn every_check_finds_its_bad_document_and_passes_its_good_one() {
    // A check without such a document has tests of its own.
    for check in ALL.iter().filter(|check| !check.bad.is_empty()) {
        let text = laid_over(check.bad);
        let marked = text
            .lines()
            .position(|line| line.contains("#!"))
            .map_or(0, |line| line as u32 + 1);
        assert_eq!(
            problems(check.bad),
            [(check.code, marked)],
            "{}: the bad document\n{text}",
            check.code
        );
        assert_eq!(problems(check.good), [], "{}: the good document", check.code);
        let severities: Vec<Severity> = loaded(check.bad).iter().map(|problem| problem.severity).collect();
        assert!(severities.contains(&check.severity), "{}: {severities:?}", check.code);
    }
}

/// Further forms of what a check is about, each a policy with exactly these problems.
#[test]
fn checks_know_their_mistakes_in_other_forms() {
    let people = "roles:\n  people: {ciso: ciso@example.com, cto: cto@example.com, dpo: CTO@example.com}\n";
    let exception = |approved: &str| {
        format!(
            "{people}  owner: {{accountable: ciso, deputy: cto}}\n  board: {{members: [ciso, cto], quorum: 2}}\nexceptions:\n  - {{id: EX-1, clause: data.matrix, who: {{group: staff}}, then: allow, reason: trial, requested: cto, approved: {approved}, expires: 2027-02-01}}\n"
        )
    };
    let evidence = "evidence: {task: review, every: 90 days, by: ciso}";
    let maps = |frameworks: &str| {
        format!("risk:\n  clauses: [{{id: RI-1, statement: Weighed., {evidence}, frameworks: {{{frameworks}}}}}]\n")
    };
    let glass = |use_: &str, groups: &str, lasts: &str, reviewer: &str| {
        format!(
            "monitoring:\n  break_glass: {{statement: On., use: {use_}, groups: {groups}, lasts: {lasts}, reviewer: {reviewer}}}\n"
        )
    };
    for (example, expected) in [
        // One person in two roles is one person.
        (exception("[dpo]"), vec!["self-approval"]),
        (exception("[dpo, ciso]"), vec!["self-approval"]),
        (exception("[board]"), vec!["self-approval"]),
        (exception("[ciso]"), vec![]),
        (format!("{people}  owner: {{accountable: cto, deputy: dpo}}\n"), vec!["vacant-role"]),
        (format!("{people}  owner: {{accountable: cto}}\n"), vec!["vacant-role"]),
        (people.to_owned(), vec!["vacant-role"]),
        (format!("{people}  owner: {{accountable: cto, deputy: ciso}}\n  board: {{members: [ciso], quorum: 0}}\n"), vec!["impossible-quorum"]),
        (format!("{people}  owner: {{accountable: cto, deputy: ciso}}\n  board: {{members: [ciso, cto, cto], quorum: 3}}\n"), vec!["impossible-quorum"]),
        (format!("{people}  owner: {{accountable: cto, deputy: ciso}}\n  raci: [{{for: data, accountable: [ciso, cto]}}]\n"), vec!["two-accountables"]),
        ("purpose:\n  objectives: [{id: a, target: few}]\n".to_owned(), vec!["objective-without-metric"; 2]),
        ("review: ~\n".to_owned(), vec!["review-overdue"]),
        ("review: {also: [incident]}\n".to_owned(), vec!["review-overdue"]),
        ("shadow_ai: {statement: Found.}\n".to_owned(), vec!["missing-topic"]),
        ("compliance: {statement: Kept.}\n".to_owned(), vec!["missing-topic"; 2]),
        ("consequences:\n  ladder: [coach]\n  two_people_from: manager\n  clauses: [{id: CN-1, statement: Fair., enforced_by: consequences.ladder}]\n".to_owned(), vec!["consequence-ladder"; 2]),
        (glass("coding", "[]", "5 minutes", "ciso"), vec!["break-glass"]),
        (glass("coding", "[everyone]", "0 minutes", "ciso"), vec!["break-glass"; 2]),
        (glass("coding", "[engineering]", "5 minutes", "works-council"), vec!["break-glass"]),
        (glass("coding", "[engineering]", "5 minutes", "board"), vec!["break-glass", "vacant-role"]),
        (glass("coding", "[engineering]", "5 minutes", "owner"), vec![]),
        (glass("codding", "[enginering]", "5 minutes", "dpo"), vec!["unknown-use", "unknown-group", "unknown-role"]),
        (maps("owasp-llm-2025: [LLM06]"), vec!["retired-framework-item"]),
        (maps("mitre-atlas: [T0019]"), vec!["retired-framework-item"]),
        (maps("iso-42001: [A.2.2]"), vec!["unversioned-framework"]),
        (maps("mitre-atlas: [T0051], csa-aicm-1.1: [GRC-01], owasp-asi-2026: ['ASI01:2026']"), vec![]),
    ] {
        let codes: Vec<&str> = problems(&example).into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, expected, "{example}");
    }
}

/// What an edition's items have become is told item by item.
#[test]
fn a_retired_edition_names_the_successors() {
    let example = "risk:\n  clauses: [{id: RI-1, statement: Weighed., evidence: {task: review, every: 90 days, by: ciso}, frameworks: {owasp-llm-2025: [LLM06, 'LLM07:2025']}}]\n";
    let helps: Vec<Option<String>> = loaded(example).into_iter().map(|problem| problem.help).collect();
    let told = "`LLM06` is now `LLM03`, `LLM07:2025` is now `LLM08`";
    assert_eq!(helps, [Some(told.to_owned())]);
}

/// What a newcomer wrote, and what must be said of it.
#[test]
fn the_next_step_is_told() {
    let exception = |who: &str, clause: &str| {
        format!(
            "exceptions: [{{id: EX-1, clause: {clause}, who: {who}, then: allow, reason: trial, approved: ciso, expires: 2027-02-01}}]\n"
        )
    };
    let owned = |id: u8| {
        format!(
            "    - {{id: RI-{id}, statement: Weighed., owner: hr, evidence: {{task: review, every: 90 days, by: ciso}}}}\n"
        )
    };
    let roles = format!("risk:\n  clauses:\n{}{}{}", owned(1), owned(2), owned(3));
    for (example, wanted) in [
        (
            exception("staff", "data.matrix"),
            "name what they are: `who: {group: [staff]}`",
        ),
        (
            exception("{group: staff, data: iban}", "data.matrix"),
            "leave it out, or narrow the clause's own rule",
        ),
        (
            exception("{group: staff}", "SH-9"),
            "which stops nobody: take the exception out",
        ),
        (
            exception("{group: staff}", "DA-33"),
            "if it was taken out of the policy, take this out too",
        ),
        (
            "approved: 2026-11-27\n".to_owned(),
            "`approved: {by: board, on: 2026-12-01, effective: 2026-12-15}`",
        ),
        (roles.clone(), "say who it is under `roles.people`"),
    ] {
        let helps: Vec<String> = loaded(&example)
            .into_iter()
            .filter_map(|problem| problem.help)
            .collect();
        assert!(helps.iter().any(|help| help.contains(wanted)), "{example}\n{helps:?}");
    }
    let messages: Vec<String> = loaded(&roles).into_iter().map(|problem| problem.message).collect();
    assert_eq!(messages, ["no role called `hr`, here and in 2 more places"]);
}

/// Codes are what scripts and pull-request comments go by: they are stable, and none is lost unnoticed.
#[test]
fn the_codes_are_these() {
    let mut codes: Vec<&str> = ALL.iter().map(|check| check.code).collect();
    codes.sort_unstable();
    let known = [
        "app-without-owner",
        "awaits",
        "break-glass",
        "child-weaker",
        "clause-without-case",
        "consequence-ladder",
        "contradiction",
        "dead-letter",
        "duplicate-id",
        "duplicate-rule",
        "entity-below-default",
        "evidence-without-cadence",
        "exception-expiry",
        "exception-without-approval",
        "expired",
        "gap",
        "group-unused",
        "impossible-quorum",
        "ineffective-exception",
        "loosening-selector",
        "matrix-not-monotone",
        "matrix-not-total",
        "missing-section",
        "missing-topic",
        "never-excepted",
        "objective-without-metric",
        "redact-without-span",
        "retention-missing",
        "retired-framework-item",
        "review-overdue",
        "self-approval",
        "shadowed-clause",
        "statement-exceeds-rule",
        "terms-stale",
        "training-gate-impossible",
        "two-accountables",
        "uncited-data",
        "unknown-app",
        "unknown-citation",
        "unknown-class",
        "unknown-course",
        "unknown-endpoint",
        "unknown-entity",
        "unknown-framework",
        "unknown-framework-item",
        "unknown-group",
        "unknown-role",
        "unknown-use",
        "unreachable-selector",
        "unversioned-framework",
        "use-without-owner",
        "vacant-role",
    ];
    assert_eq!(codes, known);
}

#[test]
fn codes_stand_once() {
    for (index, check) in ALL.iter().enumerate() {
        assert!(
            !ALL.iter().skip(index + 1).any(|other| other.code == check.code),
            "{} twice",
            check.code
        );
    }
}

/// The reference lists every check and every mistake of form, in the words of the registry.
#[test]
fn the_reference_says_what_the_registry_says() {
    let mut expected = String::new();
    let mut checks: Vec<&Check> = ALL.iter().collect();
    checks.sort_by_key(|check| check.code);
    for Check {
        code,
        severity,
        about,
        mend,
        ..
    } in checks
    {
        expected += &format!("| `{code}` | {} | {about} | {mend} |\n", severity.as_str());
    }
    let mut forms = String::new();
    for Form {
        code,
        severity,
        about,
        mend,
    } in FORM
    {
        forms += &format!("| `{code}` | {} | {about} | {mend} |\n", severity.as_str());
    }
    let reference = include_str!("../../../../../docs/reference/checks.md");
    let (of_checks, of_form) = reference.split_once("## Form").expect("two tables");
    let rows = |text: &str| {
        let mut rows = text.lines().skip_while(|line| !line.starts_with("| code |"));
        rows.by_ref().take(2).for_each(drop);
        let rows = rows.take_while(|line| line.starts_with('|'));
        rows.map(|row| format!("{row}\n")).collect::<String>()
    };
    assert_eq!(rows(of_checks), expected, "docs/reference/checks.md");
    assert_eq!(rows(of_form), forms, "docs/reference/checks.md");
}

/// Every code that the readers and the compiler report is a mistake of form that the reference knows.
#[test]
fn the_readers_report_no_code_that_is_not_listed() {
    let sources = [
        include_str!("../node.rs"),
        include_str!("../fields.rs"),
        include_str!("../cases.rs"),
        include_str!("../cases/request.rs"),
        include_str!("../read/mod.rs"),
        include_str!("../read/header.rs"),
        include_str!("../read/people.rs"),
        include_str!("../read/rules.rs"),
        include_str!("../read/subject.rs"),
        include_str!("../read/extend/mod.rs"),
        include_str!("../read/extend/data.rs"),
        include_str!("../read/extend/delegated.rs"),
        include_str!("../read/extend/rules.rs"),
        include_str!("../compile.rs"),
        include_str!("../compile/compiler.rs"),
    ];
    let mut found: Vec<&str> = sources
        .iter()
        .flat_map(|source| {
            let errors = source.split("Problem::error(").skip(1);
            errors.chain(source.split("Problem::warning(").skip(1))
        })
        .filter_map(|after| after.trim_start().strip_prefix('"')?.split('"').next())
        .collect();
    found.sort_unstable();
    found.dedup();
    let listed: Vec<&str> = FORM.iter().map(|form| form.code).collect();
    assert!(listed.is_sorted(), "in alphabetical order");
    found.retain(|code| !listed.contains(code));
    assert_eq!(found, [""; 0], "not in FORM");
}

/// One run reports everything: ten mistakes of different kinds, each at its line.
#[test]
fn ten_mistakes_are_reported_in_one_run() {
    let text = laid_over(
        r#"
scope:
  groups: {staff: {}, unmapped: block}
  uses: [{id: coding, owner: ctoo}]                                      #! unknown-role
  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: What for., enforced_by: scope.uses}]
applications:
  sanctioned: [{app: opnai-api, owner: cto, terms: {checked: 2026-11-01}}] #! unknown-app
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
acceptable_use:
  clauses:
    - {id: AU-1, statement: Nothing holds this up.}                      #! dead-letter
    - {id: AU-2, statement: Odd., rule: {wehn: {group: staff}, when: {group: staff}, then: block}} #! unknown-key
    - {id: AU-3, statement: Odd., rule: {when: {group: stuff}, then: block}} #! unknown-group
    - {id: AU-4, statement: Odd., rule: {when: {data: payment-crad}, then: block}} #! unknown-entity
    - {id: AU-5, statement: Odd., rule: {when: {use: codign}, then: block}} #! unknown-use
data:
  classes: [internal, restricted]
  default: internal
  retention: {content: 0 days, records: 2 years}
  entities: {payment-card: restricted}
  matrix:                                                                #! uncited-data
    internal:   {sanctioned: coach, tolerated: coach, unknown: block, unsanctioned: block}
    restricted: {sanctioned: allow, tolerated: block, unknown: block, unsanctioned: block} #! matrix-not-monotone
consequences: {statement: Fair., appeal: soon}                           #! wrong-type
"#,
    );
    let mut expected: Vec<(String, u32)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some((_, code)) = line.split_once("#! ") {
            expected.push((code.trim().to_owned(), index as u32 + 1));
        }
    }
    let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
    let files = Files::new(vec![File {
        path: "policy.yaml".to_owned(),
        text,
    }]);
    let found: Vec<(String, u32)> = load(&files, &Catalog::built_in(), now)
        .problems
        .iter()
        .map(|problem| (problem.code.to_owned(), problem.place.line))
        .collect();
    assert_eq!(found, expected);
}
