//! Statements that promise more than their rules do, and good prose that does not.

use crate::policy::check::tests::problems;

fn warned(statement: &str, rule: &str) -> usize {
    let text = format!(
        r#"
scope:
  groups: {{staff: {{}}, engineering: {{}}, unmapped: block}}
  uses: [{{id: coding, owner: cto, groups: [engineering]}}]
  clauses: [{{id: SC-1, statement: Who., enforced_by: scope.groups}}, {{id: SC-2, statement: What for., enforced_by: scope.uses}}]
applications:
  sanctioned: [{{app: openai-api, owner: cto, terms: {{checked: 2026-11-01}}}}, {{app: cursor, owner: cto, terms: {{checked: 2026-11-01}}}}]
  tolerated: [{{app: perplexity, reason: research}}]
  clauses: [{{id: AP-1, statement: Which., enforced_by: applications}}]
data:
  classes: [internal, confidential, restricted]
  default: internal
  retention: {{content: 0 days, records: 2 years}}
  entities: {{payment-card: restricted, iban: restricted, secret: restricted, marking: confidential, email-address: internal}}
  keywords: {{marking: [internal use only, strictly confidential]}}
  matrix:
    internal:     {{sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}}
    confidential: {{sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}}
    restricted:   {{sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}}
  clauses: [{{id: DA-1, statement: What., enforced_by: data.matrix}}]
acceptable_use:
  clauses:
    - id: AU-1
      statement: {statement:?}
      rule: {{{rule}, then: block}}
"#
    );
    let codes = problems(&text);
    let others: Vec<_> = codes
        .iter()
        .filter(|(code, _)| *code != "statement-exceeds-rule")
        .collect();
    assert!(others.is_empty(), "{statement}: {others:?}");
    codes.len()
}

#[test]
fn names_that_the_rule_leaves_out_are_reported() {
    for (statement, rule) in [
        (
            "Engineering and STAFF send no keys.",
            "when: {group: engineering, data: secret}",
        ),
        (
            "Card numbers (payment card numbers) and IBANs stay here.",
            "when: {data: payment-card}",
        ),
        ("Restricted data stays here.", "when: {data: iban}"),
        ("Nothing goes to Perplexity or OpenAI API.", "when: {app: perplexity}"),
        (
            "Tolerated apps and unknown apps get no keys.",
            "when: {data: secret, app: {class: tolerated}}",
        ),
        ("Only engineering sends keys.", "when: {data: secret}"),
        (
            "Keys go to sanctioned apps only, and only for coding.",
            "when: {data: secret}, unless: {app: {class: sanctioned}}",
        ),
        (
            "Everyone keeps keys to themselves.",
            "when: {data: secret, group: staff}",
        ),
        (
            "Nobody sends keys.",
            "when: {data: secret}, unless: {group: engineering}",
        ),
        ("No AI app gets keys.", "when: {data: secret, app: perplexity}"),
        ("Email addresses and keys are not sent.", "when: {data: secret}"),
    ] {
        assert_eq!(warned(statement, rule), 1, "{statement} / {rule}");
    }
}

#[test]
fn good_prose_is_left_alone() {
    for (statement, rule) in [
        // The rule reaches further than the prose.
        ("Engineering sends no keys to Perplexity.", "when: {data: secret}"),
        ("Payment card numbers are not sent.", "when: {data: restricted}"),
        ("Passwords and private keys are not sent.", "when: {data: secret}"),
        ("Restricted data is not sent.", "when: {data: confidential}"),
        // The prose singles out what the rule looks at.
        (
            "Keys are sent only by engineering, to sanctioned apps.",
            "when: {data: secret}, unless: {group: engineering, app: {class: sanctioned}}",
        ),
        ("Only engineering sends keys.", "when: {data: secret, group: staff}"),
        (
            "Nobody but engineering sends keys.",
            "when: {data: secret}, unless: {group: engineering}",
        ),
        (
            "Nobody sends keys, except those who run the network.",
            "when: {data: secret}, unless: {group: engineering}",
        ),
        // Names that are ordinary words, and the policy's own keywords.
        (
            "Text for internal use only, or strictly confidential, is not sent.",
            "when: {data: marking, group: everyone}",
        ),
        (
            "Move the cursor and read the internal rules on confidential talks first.",
            "when: {data: marking, app: perplexity}",
        ),
        ("Prompt engineering is no excuse.", "when: {data: secret, group: staff}"),
        (
            "Everyone in staff keeps keys to themselves.",
            "when: {data: secret, group: staff}",
        ),
        ("Think twice before coding.", "when: {data: secret, group: staff}"),
        (
            "Staff use sanctioned apps only. Tolerated and unknown apps are closed to them.",
            "when: {group: staff, app: {class: [tolerated, unknown]}}",
        ),
        ("Keys are sent only after coding is over.", "when: {data: secret}"),
        ("E-mail addresses are not sent.", "when: {data: email-address}"),
    ] {
        assert_eq!(warned(statement, rule), 0, "{statement} / {rule}");
    }
}
