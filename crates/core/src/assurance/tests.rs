//! What policies cannot do on which routes.

use jiff::Timestamp;

use super::{Assurance, Form, Gap, Kind, Unstated, passed};
use crate::catalog::Catalog;
use crate::detect::scanner::Scanner;
use crate::policy::compile::{Policy, compile};
use crate::policy::{Files, load};
use crate::verdict::Direction;
use crate::wire::Dialect;
use crate::wire::sight::Field;

fn now() -> Timestamp {
    "2026-12-15T12:00:00Z".parse().expect("a moment")
}

/// A policy with these members of `data`, this rollout and these rules.
fn policy(data: &str, rollout: &str, rules: &str) -> Policy {
    let text = format!(
        "ordain: 1\norganization: Test\nversion: \"1\"\ntimezone: UTC\nrollout: {{{rollout}}}\n\
         data:\n  classes: [public, secret]\n  default: public\n  entities: {{payment-card: secret}}\n{data}\
         acceptable_use:\n  clauses:\n    - {{id: AU-1, statement: Be good., owner: ciso, evidence: {{task: review, every: 30 days, by: owner}}}}\n{rules}",
    );
    let files = Files::single(&text);
    let loaded = load(&files, &Catalog::built_in(), now());
    // Of a policy as short as this much else is missing; what is there is read.
    let misread = |code: &str| ["unknown-key", "wrong-type", "missing-key", "unknown-entity", "syntax"].contains(&code);
    let misread = loaded.problems.iter().filter(|one| misread(one.code));
    let shown: Vec<String> = misread.map(|one| files.render(one)).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    compile(&loaded.document.expect("a document"), &mut Vec::new()).expect("a policy")
}

fn assure(policy: &Policy, dialects: &[Dialect]) -> Assurance {
    Assurance::of(policy, &Scanner::new(policy.own_detectors()), dialects)
}

fn rule(rule: &str) -> String {
    format!("    - {{id: AU-2, statement: S., owner: ciso, rule: {rule}}}\n")
}

fn gaps<'a>(assurance: &'a Assurance, wire: &'a str, kind: Kind) -> impl Iterator<Item = &'a Gap> {
    assurance
        .gaps
        .iter()
        .filter(move |gap| gap.wire == wire && gap.kind == kind)
}

/// The endpoints that are refused now.
fn refused(policy: &Policy, dialects: &[Dialect], at: Timestamp) -> Vec<String> {
    let assurance = assure(policy, dialects);
    let refused = assurance.refused(policy, dialects, at);
    refused.into_iter().map(|(endpoint, _)| endpoint.name()).collect()
}

const ANSWERS: &str = "  answers: {secret: redact}\n";

#[test]
fn pictures_that_nobody_can_read_close_the_route_unless_the_policy_lets_them_pass() {
    let strict = policy(ANSWERS, "default: enforce", "");
    assert_eq!(
        refused(&strict, &[Dialect::Openai], now()),
        ["openai POST /v1/audio/speech", "openai POST /v1/images/generations"]
    );
    let assurance = assure(&strict, &[Dialect::Openai]);
    let gap = gaps(&assurance, "openai-images", Kind::Unanswerable)
        .next()
        .expect("a gap");
    assert_eq!(
        (gap.direction, gap.form, gap.field),
        (Direction::Answer, Form::Any, Field::Images)
    );
    assert_eq!(gap.clauses, ["data.answers", "uninspectable"]);

    for word in ["allow", "coach"] {
        let open = policy(&format!("{ANSWERS}  uninspectable: {word}\n"), "default: enforce", "");
        assert!(refused(&open, &[Dialect::Openai], now()).is_empty(), "{word}");
        let assurance = assure(&open, &[Dialect::Openai]);
        let gap = gaps(&assurance, "openai-images", Kind::Unread)
            .find(|gap| gap.field == Field::Images && gap.direction == Direction::Answer);
        assert_eq!(
            gap.expect("still a gap").clauses,
            ["data.answers"],
            "what passes unread is said"
        );
    }
    // Nothing masks a picture, and nobody can be asked about one.
    for word in ["redact", "justify", "hold", "block"] {
        let strict = policy(&format!("  uninspectable: {word}\n"), "default: observe", "");
        assert_eq!(
            refused(&strict, &[Dialect::Openai], now()).len(),
            2,
            "{word}: no mode softens it"
        );
    }
}

#[test]
fn who_wrote_a_text_cannot_be_told_in_one_text() {
    let about = |source: &str, then: &str| {
        let when = format!("{{when: {{data: payment-card, source: {source}, direction: prompt}}, then: {then}}}");
        policy("  uninspectable: allow\n", "default: enforce", &rule(&when))
    };
    let tools = about("[tool]", "block");
    let both = [Dialect::Openai, Dialect::Ollama];
    let closed = refused(&tools, &both, now());
    for open in [
        "openai POST /v1/chat/completions",
        "openai POST /v1/responses",
        "ollama POST /api/chat",
    ] {
        assert!(
            !closed.iter().any(|one| one == open),
            "{open} has a place for what tools return"
        );
    }
    for blind in [
        "openai POST /v1/completions",
        "openai POST /v1/embeddings",
        "ollama POST /api/generate",
    ] {
        assert!(closed.iter().any(|one| one == blind), "{blind}");
    }
    let assurance = assure(&tools, &both);
    let gap = gaps(&assurance, "openai-completions", Kind::Undivided)
        .next()
        .expect("a gap");
    assert_eq!(
        (gap.field, gap.refusing.as_slice()),
        (Field::ToolResults, &["AU-2".to_owned()][..])
    );

    // Of what chat completions retrieve nobody can tell either; of what its tools return they can.
    let partly = about("[tool, retrieved]", "block");
    let assurance = assure(&partly, &both);
    let gap = gaps(&assurance, "openai-chat", Kind::PartlyUndivided)
        .next()
        .expect("a gap");
    assert!(!gap.refuses() && gap.field == Field::Retrieved);
    assert!(
        gaps(&assurance, "anthropic-messages", Kind::PartlyUndivided)
            .next()
            .is_none()
    );

    // Who only tells closes nothing, and so does who only watches.
    assert!(refused(&about("[tool]", "coach"), &both, now()).is_empty());
    let when = "{when: {data: payment-card, source: tool, direction: prompt}, then: block}";
    for rollout in ["default: enforce, AU-2: observe", "default: enforce, AU-2: coach"] {
        let watching = policy("  uninspectable: allow\n", rollout, &rule(when));
        assert!(refused(&watching, &both, now()).is_empty(), "{rollout}");
        assert!(
            gaps(&assure(&watching, &both), "openai-completions", Kind::Undivided)
                .next()
                .is_some(),
            "{rollout}"
        );
    }
    // A rule that asks for the user's text too acts everywhere.
    assert!(refused(&about("[user, tool]", "block"), &both, now()).is_empty());
}

#[test]
fn the_policy_may_say_otherwise_for_one_endpoint_until_a_day() {
    let when = rule("{when: {data: payment-card, source: tool, direction: prompt}, then: block}");
    let word = "  uninspectable: allow\n  unseen:\n    - {endpoint: openai POST /v1/completions, reason: only prose of ours, until: 2026-12-31}\n";
    let open = policy(word, "default: enforce", &when);
    let closed = refused(&open, &[Dialect::Openai], now());
    assert!(
        !closed.contains(&"openai POST /v1/completions".to_owned())
            && closed.contains(&"openai POST /v1/embeddings".to_owned())
    );
    let assurance = assure(&open, &[Dialect::Openai]);
    let opened = assurance.opened(&open, &[Dialect::Openai], now());
    let opened: Vec<(String, Kind)> = opened.into_iter().map(|(one, gap)| (one.name(), gap.kind)).collect();
    assert_eq!(opened, [("openai POST /v1/completions".to_owned(), Kind::Undivided)]);
    let later = "2027-01-01T00:00:00Z".parse().expect("a moment");
    assert!(assurance.opened(&open, &[Dialect::Openai], later).is_empty());
    assert!(refused(&open, &[Dialect::Openai], later).contains(&"openai POST /v1/completions".to_owned()));
    // The gap stays a gap: it is said, and recorded.
    assert!(
        gaps(
            &assure(&open, &[Dialect::Openai]),
            "openai-completions",
            Kind::Undivided
        )
        .next()
        .is_some()
    );
    // It does not make anybody send what is thrown away on its way back.
    let word = "  unseen:\n    - {endpoint: openai POST /v1/images/generations, reason: r, until: 2026-12-31}\n";
    let strict = policy(word, "default: enforce", "");
    assert!(refused(&strict, &[Dialect::Openai], now()).contains(&"openai POST /v1/images/generations".to_owned()));
}

#[test]
fn what_no_detector_states_is_no_matter_of_a_route() {
    let rules = rule("{when: {finding: prompt-injection, source: tool}, then: block}")
        + "    - {id: AU-3, statement: S., owner: ciso, rule: {when: {data: source-code, source: tool}, then: block}}\n";
    let policy = policy("  uninspectable: allow\n", "default: enforce", &rules);
    let assurance = assure(&policy, &[Dialect::Openai]);
    let missing: Vec<(Unstated, &str, &[String])> = assurance
        .missing
        .iter()
        .map(|one| (one.what, one.id.as_str(), one.clauses.as_slice()))
        .collect();
    assert_eq!(
        missing,
        [
            (Unstated::Entity, "source-code", &["AU-3".to_owned()][..]),
            (Unstated::Finding, "prompt-injection", &["AU-2".to_owned()][..]),
        ]
    );
    assert!(assurance.gaps.is_empty(), "{:?}", assurance.gaps);
    assert!(assurance.refused(&policy, &[Dialect::Openai], now()).is_empty());
}

#[test]
fn a_classed_entity_that_nothing_finds_is_missing_from_the_tables() {
    let data = "  keywords: {salary: [base pay]}\n  answers: {secret: block}\n  uninspectable: allow\n";
    let data = data.to_owned() + "  escalate: [{entity: salary, at_least: 1, to: secret}]\n";
    let with = |entities: &str| {
        let text = data.clone();
        let policy = policy(
            &text,
            "default: enforce",
            &rule(&format!("{{when: {{data: {entities}}}, then: block}}")),
        );
        assure(&policy, &[Dialect::Openai]).missing
    };
    assert!(with("salary").is_empty(), "the policy's own words find it");
    let missing = with("[salary, legal-privilege]");
    assert_eq!((missing.len(), missing[0].id.as_str()), (1, "legal-privilege"));
}

#[test]
fn a_mask_stops_what_it_cannot_edit() {
    let masks = rule("{when: {data: payment-card}, then: redact}");
    let policy = policy("", "default: enforce", &masks);
    let assurance = assure(&policy, &[Dialect::Anthropic, Dialect::Gemini]);
    let stops = |wire, form| -> Vec<Field> {
        gaps(&assurance, wire, Kind::StopsInsteadOfMasks)
            .filter(|gap| gap.direction == Direction::Answer && gap.form == form)
            .map(|gap| gap.field)
            .collect()
    };
    assert_eq!(stops("anthropic-messages", Form::Any), [Field::Names]);
    assert_eq!(
        stops("anthropic-messages", Form::Streamed),
        [Field::ToolResults, Field::Retrieved]
    );
    assert_eq!(stops("gemini-stream", Form::Whole), [Field::Text, Field::Reasoning]);
    let blocks = rule("{when: {data: payment-card}, then: block}");
    let policy = self::policy("", "default: enforce", &blocks);
    let assurance = assure(&policy, &[Dialect::Anthropic]);
    assert!(
        gaps(&assurance, "anthropic-messages", Kind::StopsInsteadOfMasks)
            .next()
            .is_none()
    );
    assert!(!assurance.gaps.iter().any(Gap::refuses));
}

#[test]
fn what_is_known_too_late_is_said() {
    let data = "  answers: {secret: block}\n  escalate: [{entity: email-address, at_least: 20, to: secret}]\n";
    let tools = rule("{when: {tool: web_search}, then: block}");
    let policy = policy(data, "default: enforce", &tools);
    let assurance = assure(&policy, &[Dialect::Openai]);
    let late: Vec<(Field, Form, &[String])> = gaps(&assurance, "openai-responses", Kind::Late)
        .map(|gap| (gap.field, gap.form, gap.clauses.as_slice()))
        .collect();
    assert_eq!(
        late,
        [
            (Field::HostedCalls, Form::Any, &["AU-2".to_owned()][..]),
            (Field::Text, Form::Streamed, &["data.answers".to_owned()][..]),
        ]
    );
    assert!(
        gaps(&assurance, "openai-embeddings", Kind::Late).next().is_none(),
        "nothing is called there"
    );
}

#[test]
fn tokens_and_labels_are_followed_to_where_they_end() {
    let data = "  tokens: {payment-card: restore}\n  matrix:\n    public: {sanctioned: allow, tolerated: allow, unknown: block, unsanctioned: block}\n    secret: {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}\n  uninspectable: allow\n";
    let policy = policy(data, "default: enforce", "");
    let assurance = assure(&policy, &[Dialect::Openai]);
    let lost: Vec<Field> = gaps(&assurance, "openai-speech", Kind::NotRestored)
        .map(|gap| gap.field)
        .collect();
    assert_eq!(lost, [Field::Audio]);
    assert!(
        gaps(&assurance, "openai-chat", Kind::InputOnly).next().is_none(),
        "no labels"
    );
}

#[test]
fn a_policy_that_asks_for_nothing_has_no_gaps() {
    let policy = policy("  uninspectable: allow\n", "default: enforce", "");
    let assurance = assure(&policy, &Dialect::ALL);
    assert!(assurance.is_complete(), "{assurance:?}");
}

#[test]
fn what_passes_unread_is_named_while_a_line_lets_it() {
    let access = "access:\n  endpoints:\n    \
         - {id: EP-1, endpoints: [openai POST /v1/files], groups: [staff], then: coach, reason: Plans., until: 2026-12-31}\n    \
         - {id: EP-2, endpoints: [openai POST /v1/batches], groups: [staff], then: hold, reason: Asked.}\n";
    let policy = policy("", "default: enforce", access);
    let at = |moment: &str| -> Vec<String> {
        let found = passed(&policy, &[Dialect::Openai], moment.parse().expect("a moment"));
        found.into_iter().map(|endpoint| endpoint.name()).collect()
    };
    assert_eq!(at("2026-12-31T23:59:00Z"), ["openai POST /v1/files"]);
    assert!(at("2027-01-01T00:00:00Z").is_empty());
    assert!(passed(&policy, &[Dialect::Anthropic], now()).is_empty());
}
