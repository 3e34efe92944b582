//! Laws 4 to 6: selectors, data and masks.

use ordain_core::decide::decide;
use ordain_core::verdict::{Source, SourceSet};

use super::rules;
use super::world::{NO_MATRIX, answered, contribution, errors, policy, prompt, told, with};

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
