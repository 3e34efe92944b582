//! A small policy whose sections a test replaces, and facts to ask it about.

use std::sync::Arc;

use ordain_core::catalog::Catalog;
use ordain_core::decide::{Content, Contribution, Decision, Destination, Facts, Seen, Who, decide};
use ordain_core::detect::EntityId;
use ordain_core::policy::compile::Policy;
use ordain_core::policy::problem::Severity;
use ordain_core::policy::{File, Files, Loaded, load};
use ordain_core::verdict::{Direction, Source, SourceSet};

/// Allows what is harmless; each test lays its own sections over it.
const BASE: &str = r#"
ordain: 1
organization: Example
version: "1"
timezone: Europe/Berlin
approved: {by: board, on: 2026-11-20, effective: 2026-12-01}
purpose: {statement: Why.}
scope:
  groups: {staff: {}, engineering: {}}
  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}]
roles:
  people: {ciso: ciso@example.com, dpo: dpo@example.com, cto: cto@example.com}
  owner: {accountable: ciso, deputy: cto}
  board: {members: [ciso, dpo, cto], quorum: 2}
applications:
  sanctioned: [{app: openai-api}]
  tolerated: [{app: perplexity}]
  unsanctioned: [{app: deepseek}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
acceptable_use: {statement: How.}
access:
  grants: [{id: AC-1, groups: [everyone]}]
  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]
data:
  classes: [internal, confidential, restricted]
  default: internal
  entities: {email-address: confidential, iban: confidential, payment-card: restricted, secret: restricted}
  matrix:
    internal:     {sanctioned: allow, tolerated: coach, unknown: hold, unsanctioned: block}
    confidential: {sanctioned: allow, tolerated: block, unknown: block, unsanctioned: block}
    restricted:   {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]
shadow_ai: {statement: Found.}
transparency: {statement: Told.}
risk: {statement: Weighed.}
compliance: {statement: Kept.}
monitoring: {statement: Watched.}
education: {statement: Taught.}
consequences: {statement: Fair.}
"#;

/// The data section of [`BASE`] without redaction, for laws on other things.
pub(super) const NO_MATRIX: &str = "
data:
  classes: [internal, confidential, restricted]
  default: internal
  entities: {email-address: confidential, iban: confidential, payment-card: restricted, secret: restricted}
  matrix:
    internal:     {sanctioned: allow, tolerated: allow, unknown: allow, unsanctioned: allow}
    confidential: {sanctioned: allow, tolerated: allow, unknown: allow, unsanctioned: allow}
    restricted:   {sanctioned: allow, tolerated: allow, unknown: allow, unsanctioned: allow}
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]
";

/// The top-level members of a document, as blocks of lines.
fn blocks(text: &str) -> Vec<(&str, String)> {
    let mut blocks: Vec<(&str, String)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match line.split_once(':') {
            Some((key, _)) if !line.starts_with(' ') => blocks.push((key, format!("{line}\n"))),
            _ => {
                let (_, block) = blocks.last_mut().expect("a document begins with a section");
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    blocks
}

/// [`BASE`] with these sections in place of its own.
pub(super) fn document(sections: &str) -> String {
    let mut all = blocks(BASE);
    for (key, block) in blocks(sections) {
        all.retain(|(known, _)| *known != key);
        all.push((key, block));
    }
    all.into_iter().map(|(_, block)| block).collect()
}

/// What loading the document gives. A case names every rule, since what is enforced must be tried.
pub(super) fn loaded(sections: &str) -> (Files, Loaded) {
    let text = document(sections);
    let rules = text
        .lines()
        .filter(|line| line.contains("rule:"))
        .filter_map(|line| line.split_once("id: ")?.1.split_once(','));
    let rules: Vec<&str> = rules.map(|(id, _)| id).collect();
    let cases = format!(
        "cases: [{{name: all, request: {{app: demo}}, expect: {{verdict: allow, clauses: [{}]}}}}]",
        rules.join(", ")
    );
    let file = |path: &str, text: String| File {
        path: path.to_owned(),
        text,
    };
    let files = Files::new(vec![file("policy.yaml", text), file("cases/all.yaml", cases)]);
    let loaded = load(&files, &Catalog::built_in(), at("2026-12-10T12:00:00Z"));
    (files, loaded)
}

/// The policy with these sections.
pub(super) fn policy(sections: &str) -> Policy {
    let (files, loaded) = loaded(sections);
    let errors = loaded
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    let errors: Vec<String> = errors.map(|problem| files.render(problem)).collect();
    loaded
        .policy
        .unwrap_or_else(|| panic!("a good policy:\n{}", errors.join("\n")))
}

/// The codes of the errors in a document.
pub(super) fn errors(sections: &str) -> Vec<&'static str> {
    let errors = loaded(sections)
        .1
        .problems
        .into_iter()
        .filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| problem.code).collect()
}

pub(super) fn at(moment: &str) -> jiff::Timestamp {
    moment.parse().expect("a moment")
}

/// A harmless prompt of an engineer to the sanctioned app.
pub(super) fn prompt() -> Facts {
    Facts {
        now: at("2026-12-10T12:00:00Z"),
        direction: Direction::Prompt,
        who: Arc::new(Who {
            principal: "ana".to_owned(),
            groups: vec!["engineering".to_owned()],
            ..Who::default()
        }),
        to: to("openai-api"),
        model: Some("gpt-5".to_owned()),
        use_: None,
        content: Content {
            sources: SourceSet::of(Source::User),
            ..Content::default()
        },
    }
}

/// A prompt in which these were found, so many distinct values of each, by the user.
pub(super) fn with(entities: &[(&str, u32)]) -> Facts {
    let sources = SourceSet::of(Source::User);
    let seen = |&(entity, distinct): &(&str, u32)| Seen {
        entity: EntityId::from(entity),
        distinct,
        sources,
        fixed: SourceSet::EMPTY,
    };
    let content = Content {
        sources,
        entities: entities.iter().map(seen).collect(),
        ..Content::default()
    };
    Facts { content, ..prompt() }
}

/// The same as an answer.
pub(super) fn answered(facts: Facts) -> Facts {
    Facts {
        direction: Direction::Answer,
        ..facts
    }
}

pub(super) fn to(app: &str) -> Arc<Destination> {
    Arc::new(Destination {
        app: app.to_owned(),
        ..Destination::default()
    })
}

/// A decision in words: what happens, what full enforcement would do, who says so, and what is masked.
pub(super) fn told(policy: &Policy, facts: &Facts) -> String {
    let decision = decide(policy, facts);
    let mut out = if decision.full == decision.verdict {
        decision.verdict.to_string()
    } else {
        format!("{} ({})", decision.verdict, decision.full)
    };
    let mut cited: Vec<&str> = decision
        .contributions
        .iter()
        .map(|one| policy.citation(one.citation).id.as_str())
        .collect();
    cited.sort_unstable();
    for (index, id) in cited.iter().enumerate() {
        out += if index == 0 { " by " } else { ", " };
        out += id;
    }
    let mut masks: Vec<&str> = decision.masks.iter().map(|mask| mask.entity.as_str()).collect();
    masks.sort_unstable();
    for (index, entity) in masks.iter().enumerate() {
        out += if index == 0 { " masking " } else { ", " };
        out += entity;
    }
    out
}

/// The contribution of one citation.
pub(super) fn contribution<'d>(policy: &Policy, decision: &'d Decision, id: &str) -> &'d Contribution {
    decision
        .contributions
        .iter()
        .find(|one| policy.citation(one.citation).id == id)
        .expect("it had a say")
}
