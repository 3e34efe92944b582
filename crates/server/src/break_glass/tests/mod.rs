//! The keeper with moments of its own, and a whole gateway whose store fails.

mod gateway;
mod keeper;

use std::time::Duration;

use ordain_core::catalog::Catalog;
use ordain_core::inspect::Rules;
use ordain_core::policy::{Files, load};

use super::*;
use crate::keys::KeyHasher;

/// A policy whose break-glass is for the letters of clinicians.
const POLICY: &str = r#"
ordain: 1
organization: Example
version: "1"
timezone: Europe/Berlin
approved: {by: board, on: 2026-11-20, effective: 2026-12-01}
rollout: {default: enforce}
purpose: {statement: Why.}
scope:
  groups: {clinicians: {}, staff: {}, unmapped: allow}
  uses: [{id: letters, owner: cmo}, {id: rosters, owner: cmo}]
  outside: allow
  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: What for., enforced_by: scope.uses}]
roles:
  people: {ciso: ciso@example.com, dpo: Dpo@example.com, cmo: cmo@example.com}
  owner: {accountable: ciso, deputy: cmo}
applications:
  sanctioned: [{app: openai-api, owner: cmo}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
acceptable_use: {statement: How.}
access:
  grants: [{id: AC-1, groups: [everyone]}]
  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]
data:
  classes: [internal, restricted]
  default: internal
  entities: {payment-card: restricted}
  matrix:
    internal: {sanctioned: allow, tolerated: block, unknown: block, unsanctioned: block}
    restricted: {sanctioned: block, tolerated: block, unknown: block, unsanctioned: block}
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]
shadow_ai: {statement: Found.}
transparency: {statement: Told.}
risk: {statement: Weighed.}
compliance: {statement: Kept.}
monitoring:
  break_glass: {statement: A letter cannot wait for a disk., use: letters, groups: [clinicians], lasts: 30 minutes, reviewer: dpo}
education: {statement: Taught.}
consequences: {statement: Fair.}
"#;

fn rules() -> Rules {
    let files = Files::single(POLICY);
    let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
    let loaded = load(&files, &Catalog::built_in(), now);
    let problems: Vec<String> = loaded.problems.iter().map(|problem| files.render(problem)).collect();
    Rules::new(loaded.policy.unwrap_or_else(|| panic!("{}", problems.join("\n"))))
}

const MINUTE: i64 = 60_000;

/// So many minutes after the beginning, by the wall, and by a process that began with it.
fn at(minutes: i64) -> Moment {
    Moment {
        wall_ms: 1_796_000_000_000 + minutes * MINUTE,
        running: Duration::from_secs(minutes.unsigned_abs() * 60),
    }
}

fn hasher() -> KeyHasher {
    KeyHasher::new(&[3; 32])
}

fn config() -> BreakGlass {
    BreakGlass {
        spool: "spool".into(),
        most: 1 << 20,
    }
}

fn letters() -> Entitled {
    Entitled::by(&rules().policy).expect("a break-glass")
}
