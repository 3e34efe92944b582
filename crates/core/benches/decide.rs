//! How long a decision takes on a policy of a hundred rules. The bar is a microsecond.

#![allow(missing_docs, clippy::expect_used, reason = "a benchmark is no interface")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use ordain_core::catalog::Catalog;
use ordain_core::decide::{Content, Destination, Facts, Seen, Who, decide};
use ordain_core::detect::EntityId;
use ordain_core::policy::compile::Policy;
use ordain_core::policy::{File, Files, load};
use ordain_core::verdict::{Direction, Source, SourceSet};

const HEAD: &str = r#"
ordain: 1
organization: Example
version: "1"
timezone: Europe/Berlin
approved: {by: board, on: 2026-11-20, effective: 2026-12-01}
purpose: {statement: Why.}
scope:
  groups: {staff: {}, engineering: {}, clinicians: {}, finance: {}}
  uses: [{id: coding, owner: cto, groups: [engineering], ceiling: restricted}, {id: letters, owner: cto}]
  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: What for., enforced_by: scope.uses}]
roles:
  people: {ciso: ciso@example.com, cto: cto@example.com}
  owner: {accountable: ciso, deputy: cto}
applications:
  sanctioned: [{app: openai-api, owner: cto, require: {region: eu}}, {app: anthropic-api, owner: cto}]
  tolerated: [{app: perplexity}]
  unsanctioned: [{app: deepseek}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
access:
  grants:
    - {id: AC-1, groups: [clinicians], apps: {class: sanctioned}, uses: [letters]}
    - {id: AC-2, groups: [engineering], apps: {class: sanctioned}}
  clauses: [{id: AC-3, statement: Whose., enforced_by: access}]
data:
  classes: [internal, confidential, restricted]
  default: internal
  entities: {email-address: confidential, iban: confidential, payment-card: restricted, secret: restricted}
  escalate: [{entity: email-address, at_least: 20, to: restricted}, {all: [us-ssn, iban], to: restricted}]
  matrix:
    internal:     {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}
    confidential: {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}
    restricted:   {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]
shadow_ai: {statement: Found.}
transparency: {statement: Told.}
risk: {statement: Weighed.}
compliance: {statement: Kept.}
monitoring: {statement: Watched.}
education:
  courses: {ai-basics: {valid: 365 days}}
  gates: [{id: ED-1, without: ai-basics, grace: 30 days, then: coach}]
  clauses: [{id: ED-2, statement: Taught., enforced_by: education.gates}]
consequences: {statement: Fair.}
"#;

/// What rules of real policies look like, over and over.
const SHAPES: [&str; 10] = [
    "when: {data: aws-key, direction: prompt}, then: block",
    "when: {group: finance, app: {category: coding}}, then: coach",
    "when: {data: restricted, source: [tool, retrieved]}, then: block",
    "when: {direction: prompt, data: us-ssn}, unless: {group: clinicians}, then: block",
    "when: {model: [\"*-mini\", \"o1-*\"], use: letters}, then: coach",
    "when: {direction: answer, tool: [mail.*, shell.*]}, then: block",
    "when: {principal: [bo, cy], app: {class: tolerated}}, then: hold",
    "when: [{data: iban, group: staff}, {data: secret, app: {class: [unknown, unsanctioned]}}], then: block",
    "when: {time: {days: [sat, sun]}, data: private-key}, then: block",
    "when: {data: email-address, direction: prompt}, unless: {training: ai-basics}, then: redact",
];

fn policy() -> Policy {
    let mut text = format!("{HEAD}acceptable_use:\n  clauses:\n");
    let mut cases = "cases: [{name: all, request: {app: demo}, expect: {verdict: allow, clauses: [".to_owned();
    for number in 0..100 {
        let shape = SHAPES[number % SHAPES.len()];
        writeln!(text, "    - {{id: AU-{number}, statement: A rule., rule: {{{shape}}}}}").expect("into a string");
        write!(cases, "AU-{number}, ").expect("into a string");
    }
    cases += "]}}]";
    let file = |path: &str, text: String| File {
        path: path.to_owned(),
        text,
    };
    let files = Files::new(vec![file("policy.yaml", text), file("cases/all.yaml", cases)]);
    let loaded = load(
        &files,
        &Catalog::built_in(),
        "2026-12-10T12:00:00Z".parse().expect("a moment"),
    );
    loaded.policy.unwrap_or_else(|| panic!("{:#?}", loaded.problems))
}

fn facts(entities: &[(&str, u32)]) -> Facts {
    let sources: SourceSet = [Source::User, Source::System].into_iter().collect();
    let seen = |&(entity, distinct): &(&str, u32)| Seen {
        entity: EntityId::from(entity),
        distinct,
        sources: SourceSet::of(Source::User),
        fixed: SourceSet::EMPTY,
    };
    Facts {
        now: "2026-12-10T12:00:00Z".parse().expect("a moment"),
        direction: Direction::Prompt,
        who: Arc::new(Who {
            principal: "ana".to_owned(),
            groups: vec!["engineering".to_owned(), "staff".to_owned()],
            client: Some("ide-plugin".to_owned()),
            training: vec![("ai-basics".to_owned(), "2026-10-01".parse().expect("a date"))],
            since: "2025-01-01".parse().ok(),
            ..Who::default()
        }),
        to: Arc::new(Destination {
            app: "openai-api".to_owned(),
            categories: vec!["api".to_owned()],
            attributes: vec![("region".to_owned(), "eu".to_owned())],
        }),
        model: Some("gpt-5".to_owned()),
        use_: Some("coding".to_owned()),
        content: Content {
            sources,
            entities: entities.iter().map(seen).collect(),
            ..Content::default()
        },
    }
}

fn benches(criterion: &mut Criterion) {
    let policy = policy();
    let mut group = criterion.benchmark_group("decide, 100 rules");
    for (name, facts) in [
        ("nothing found", facts(&[])),
        ("two entities", facts(&[("email-address", 2), ("payment-card", 1)])),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| decide(black_box(&policy), black_box(&facts)))
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
