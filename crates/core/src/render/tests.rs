//! What a page says about a small policy that has a bit of everything, and about the starter policy.

use std::collections::BTreeSet;

use super::block::{Block, Page, plain};
use super::state::Kind;
use super::*;
use crate::policy::{File, Files, Loaded, ROOT, load};
use crate::verdict::AppClass;

const STARTER: &str = include_str!("../../../../policies/starter/policy.yaml");

/// A policy with one of everything that a page can show.
const COMPACT: &str = r#"
ordain: 1
organization: Example & Sons
version: "2026.12"
timezone: Europe/Berlin
profiles: [integrates-apis, regulated]
approved: {by: board, on: 2026-11-20, effective: 2026-12-01}
review: {every: 180 days, also: [incident, law-change]}
rollout: {default: enforce, AU-1: coach, AU-2: observe, data.answers: observe}
purpose:
  statement: |
    Use AI *well*; see [our page](https://example.com/ai).

    - No <b>secrets</b> leave.
    - Nobody is `watched`.
  objectives: [{id: adopt, statement: It gets used., metric: active-sanctioned-users, target: ">= 60%", owner: cto}]
  clauses: [{id: PU-1, statement: Goals are measured., owner: cto, enforced_by: purpose.objectives}]
scope:
  groups: {staff: {}, engineering: {claim: eng}, unmapped: block}
  uses:
    - {id: coding, statement: Writing software., owner: cto, groups: [engineering], ceiling: confidential, tier: limited}
    - {id: letters, statement: Writing letters., owner: dpo, groups: [everyone], ceiling: internal}
  outside: block
  exclude: [{group: staff, reason: pilot, until: 2026-11-30}]
  clauses:
    - {id: SC-1, statement: Who., owner: ciso, enforced_by: scope.groups}
    - {id: SC-2, statement: What for., owner: ciso, enforced_by: scope.uses}
    - {id: SC-3, statement: Nothing else., owner: ciso, enforced_by: scope.outside}
    - {id: SC-4, statement: Not yet., owner: ciso, enforced_by: scope.exclude}
roles:
  people: {ciso: ciso@example.com, cto: cto@example.com, dpo: the data office}
  owner: {accountable: ciso, deputy: cto}
  board: {members: [ciso, cto], quorum: 2}
  raci: [{for: [data, AU-1], accountable: dpo, responsible: [ciso]}]
  clauses:
    - {id: RO-1, statement: The board decides., owner: ciso, enforced_by: roles.board}
    - {id: RO-2, statement: Shared out., owner: ciso, enforced_by: roles.raci}
applications:
  sanctioned:
    - {app: openai-api, owner: cto, models: [gpt-5*], require: {region: eu}, cells: {restricted: block}, terms: {retention: 30 days}, expires: {on: 2027-04-01, then: tolerated}}
  tolerated: [{app: perplexity, reason: public research, expires: {on: 2026-11-01, then: unsanctioned}}]
  unsanctioned: [{app: deepseek, reason: no agreement, instead: openai-api}]
  clauses: [{id: AP-1, statement: Classified., owner: cto, enforced_by: applications}]
acceptable_use:
  outputs: {inherit: highest-input, reuse: {external: human-review}}
  clauses:
    - id: AU-1
      statement: Card numbers | go nowhere.
      owner: ciso
      rule:
        when: [{data: [payment-card, restricted], direction: prompt, source: [user]}, {tool: "mail.*"}]
        unless: {group: engineering, app: {category: [coding], class: sanctioned}}
        condition: hour < 20
        then: block
        tell: Ask without the number.
      frameworks: {owasp-llm-2026: [LLM02], house-rules: ["4"]}
    - {id: AU-2, statement: No code., owner: cto, rule: {when: {data: email-address, time: {days: [mon, fri], hours: "08:00-18:00"}}, then: redact}}
    - {id: AU-3, statement: No code., owner: cto, rule: {when: {data: source-code}, then: block}}
    - {id: AU-4, statement: Two see it., owner: cto, rule: {when: {data: iban}, then: hold}}
    - {id: AU-5, statement: Labels., owner: cto, enforced_by: acceptable_use.outputs}
access:
  grants: [{id: AC-1, groups: [everyone], apps: {class: [sanctioned, tolerated]}}, {id: AC-2, groups: [engineering], uses: [coding], models: [gpt-5*]}]
  tools: {unlisted: block, list: [{tool: "mail.send", kind: irreversible, groups: [staff], then: coach}]}
  endpoints:
    - {id: EP-1, endpoints: [openai POST /v1/files, anthropic POST /v1/files], groups: [engineering], then: coach, reason: Looked at before., until: 2027-03-31}
    - {id: EP-2, endpoints: [openai GET /v1/files], groups: [staff], then: allow, reason: Names only.}
  clauses:
    - {id: AC-6, statement: Files go unread., owner: ciso, enforced_by: access.endpoints}
    - {id: AC-3, statement: Granted., owner: ciso, enforced_by: access}
    - {id: AC-4, statement: Tools., owner: ciso, enforced_by: access.tools}
data:
  classes: [internal, confidential, restricted]
  default: internal
  entities: {project-name: confidential, payment-card: restricted, secret: restricted, person-name: confidential}
  keywords: {project-name: [project heron]}
  escalate: [{entity: email-address, at_least: 20, to: confidential}, {all: [payment-card, email-address], to: restricted}]
  matrix:
    internal:     {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}
    confidential: {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}
    restricted:   {sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}
  answers: {restricted: redact}
  uninspectable: block
  unavailable: block
  tokens: {payment-card: restore, project-name: reversible}
  unseen: [{endpoint: openai POST /v1/completions, reason: Only prose of *ours* is completed there., until: 2026-12-01}]
  retention: {content: 14 days, records: 2 years}
  clauses:
    - {id: DA-1, statement: What., owner: dpo, enforced_by: data.matrix}
    - {id: DA-2, statement: Back., owner: dpo, enforced_by: data.answers}
    - {id: DA-3, statement: Kept., owner: dpo, enforced_by: data.retention}
    - {id: DA-4, statement: Unread., owner: dpo, enforced_by: data.uninspectable}
    - {id: DA-5, statement: Unchecked., owner: dpo, enforced_by: data.unavailable}
shadow_ai: {statement: Found.}
transparency: {statement: Told.}
risk:
  clauses:
    - {id: RI-1, statement: Weighed., owner: ciso, evidence: {task: review, every: 30 days, by: owner, last: 2026-10-01}}
    - {id: RI-2, statement: Tried., owner: ciso, evidence: {task: test by attack, every: 90 days, by: cto, last: 2026-11-01}}
    - {id: RI-3, statement: Signed., owner: ciso, evidence: {attestation: signed, every: 365 days, by: everyone}}
compliance: {statement: Kept.}
monitoring:
  statement: Watched.
  break_glass: {statement: Letters cannot wait for a disk., use: letters, groups: [staff, engineering], lasts: 30 minutes, reviewer: dpo}
education:
  courses: {ai-basics: {valid: 365 days, records: training.csv}}
  gates: [{id: ED-1, without: ai-basics, grace: 30 days, then: coach, tell: Take the course.}]
  clauses: [{id: ED-2, statement: Learned., owner: dpo, enforced_by: education.gates}]
consequences:
  ladder: [coach, micro-course, manager]
  window: 90 days
  start: {mistake: coach, evasion: manager}
  two_people_from: manager
  appeal: 14 days
  clauses: [{id: CN-1, statement: Fair., owner: dpo, enforced_by: consequences.ladder}]
exceptions:
  - {id: EX-1, clause: AU-1, who: {group: engineering}, then: redact, reason: trial, compensating: weekly review, requested: cto, approved: [ciso, dpo], granted: 2026-11-25, expires: 2027-02-01}
never_excepted: [AU-2]
"#;

/// The cases of the starter policy.
const STARTER_CASES: &str = include_str!("../../../../policies/starter/cases/starter.yaml");

/// Every clause that acts has to be tried by some case; this one is never run.
const COMPACT_CASES: &str = r#"
cases:
  - name: the clauses that act
    request: {group: staff, app: openai-api, text: hello}
    expect: {verdict: block, clauses: [AU-3, AU-4]}
"#;

fn loaded(text: &str) -> Loaded {
    let now = "2026-12-01T12:00:00Z".parse().expect("a moment");
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let cases = if text == STARTER { STARTER_CASES } else { COMPACT_CASES };
    let files = Files::new(vec![file(ROOT, text), file("cases/all.yaml", cases)]);
    let loaded = load(&files, &Catalog::built_in(), now);
    let told: Vec<String> = loaded.problems.iter().map(|problem| files.render(problem)).collect();
    assert!(loaded.policy.is_some(), "{}", told.join("\n"));
    loaded
}

fn with<T>(text: &str, look: impl FnOnce(&Given<'_>) -> T) -> T {
    let loaded = loaded(text);
    look(&Given {
        document: loaded.document.as_ref().expect("a document"),
        policy: loaded.policy.as_ref().expect("a policy"),
        catalog: &Catalog::built_in(),
        problems: &loaded.problems,
        today: Date::constant(2026, 12, 1),
    })
}

fn page_of(text: &str) -> Page {
    with(text, page)
}

#[test]
fn a_compact_policy_reads_like_this() {
    insta::assert_snapshot!("compact", markdown::write(&page_of(COMPACT)));
}

#[test]
fn the_part_of_a_group_reads_like_this() {
    let page = with(COMPACT, |given| part(given, "engineering")).expect("a group");
    insta::assert_snapshot!("part", markdown::write(&page));
}

/// What the first table of a page says of each kind of data, by what stands in the first column.
fn answers(page: &Page) -> Vec<(String, Vec<String>)> {
    let table = page.blocks.iter().find_map(|block| match block {
        Block::Table(table) => Some(table),
        _ => None,
    });
    let rows = table.expect("a table").rows.iter();
    rows.map(|row| {
        let mut cells = row.iter().map(|cell| plain(&cell.text));
        (cells.next().unwrap_or_default(), cells.collect())
    })
    .collect()
}

/// The page once said that "official identity numbers" go through, beside "US social security number: masked".
#[test]
fn a_family_is_shown_by_its_members_and_not_as_a_kind_of_its_own() {
    let text = COMPACT
        .replace(
            "secret: restricted,",
            "secret: restricted, us-ssn: restricted, national-id: confidential,",
        )
        .replace(
            "{data: source-code}",
            "{data: [source-code, government-id, health], app: {class: tolerated}}",
        );
    let rows = answers(&with(&text, |given| part(given, "engineering")).expect("a group"));
    let row = |words: &str| {
        let row = rows.iter().find(|(name, _)| name.to_lowercase().contains(words));
        row.unwrap_or_else(|| panic!("no row about {words} in {rows:?}"))
    };
    assert!(
        !rows.iter().any(|(name, _)| name.contains("identity numbers")),
        "{rows:?}"
    );
    for (member, answer) in [
        ("us social security number", "blocked"),
        ("national identity number", "masked; blocked for letters"),
        ("passport number", "goes through"),
        ("health data (health record* or medical term*)", "goes through"),
    ] {
        assert_eq!(row(member).1[0], answer, "{member}");
    }
}

/// What is harmless alone and not together has a row of its own.
#[test]
fn what_weighs_more_together_or_in_numbers_stands_on_the_part_of_a_group() {
    let text = COMPACT.replace("{data: email-address, time", "{data: iban, time");
    let rows = answers(&with(&text, |given| part(given, "engineering")).expect("a group"));
    let find = |words: &str| &rows.iter().find(|(name, _)| name.contains(words)).expect(words).1[0];
    assert_eq!(
        find("mail address (20 or more different ones)"),
        "masked; blocked for letters",
        "{rows:?}"
    );
    assert_eq!(
        find("ayment card number and email address together"),
        "blocked",
        "{rows:?}"
    );
}

#[test]
fn an_exception_stands_beside_its_clause_and_on_the_part_of_its_group() {
    let found = |text: &str| text.contains("EX-1") && text.contains("until 2027-02-01");
    let part_of = |group: &str| markdown::write(&with(COMPACT, |given| part(given, group)).expect("a group"));
    assert!(found(&part_of("engineering")));
    assert!(!found(&part_of("staff")));
    let page = page_of(COMPACT);
    let clause = |id: &str| {
        let mut clauses = page.blocks.iter().filter_map(|block| match block {
            Block::Clause(clause) if clause.id == id => Some(clause),
            _ => None,
        });
        let details = &clauses.next().expect("a clause").details;
        details
            .iter()
            .any(|(name, text)| name == "Exception" && found(&plain(text)))
    };
    assert!(clause("AU-1"));
    assert!(!clause("AU-2"));
}

#[test]
fn a_group_that_nobody_knows_has_no_part() {
    assert!(with(COMPACT, |given| part(given, "enginering")).is_none());
    let known = with(COMPACT, |given| {
        groups(given.document).map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(known, ["everyone", "staff", "engineering"]);
}

#[test]
fn the_part_of_a_group_fits_one_screen() {
    for group in ["everyone", "staff", "engineering"] {
        let page = with(STARTER, |given| part(given, group)).expect("a group");
        let lines = markdown::write(&page).lines().count();
        assert!(lines <= 45, "{lines} lines for {group}");
    }
}

#[test]
fn states_are_computed() {
    let states = with(COMPACT, |given| {
        let states = state::all(given);
        let kind = |id: &str| {
            states
                .iter()
                .find(|(clause, _)| clause.id.as_str() == id)
                .map(|(_, state)| state.kind)
        };
        [
            "AU-1", "AU-2", "AU-3", "AU-4", "DA-1", "DA-2", "DA-3", "DA-4", "RI-1", "RI-2", "RI-3", "AP-1", "ED-2",
            "RO-1",
        ]
        .map(kind)
    });
    let expected = [
        Kind::Coaches,
        Kind::Observes,
        Kind::NotYet,
        Kind::RunsNow,
        Kind::RunsNow,
        Kind::Observes,
        Kind::NotYet,
        Kind::RunsNow,
        Kind::EvidenceOverdue,
        Kind::EvidenceShown,
        Kind::EvidenceAwaited,
        Kind::RunsNow,
        Kind::RunsNow,
        Kind::NotYet,
    ];
    assert_eq!(states, expected.map(Some));
}

/// Everything that a lawyer would look for is in the text: clauses, grants, each cell of the matrix in words.
#[test]
fn nothing_of_the_starter_policy_is_lost() {
    let loaded = loaded(STARTER);
    let document = loaded.document.as_ref().expect("a document");
    let page = page_of(STARTER);
    let texts = [markdown::write(&page), html::write(&page)];
    let statements = document.clauses.iter().filter_map(|clause| clause.statement.as_ref());
    let ids = document.clauses.iter().map(|clause| &clause.id);
    let grants = document.access.grants.iter().map(|grant| &grant.id);
    let names = document
        .data
        .entities
        .iter()
        .filter_map(|(name, _)| crate::detect::entity(name.as_str()));
    for text in &texts {
        for words in statements.clone().chain(ids.clone()).chain(grants.clone()) {
            assert!(text.contains(words.as_str()), "{}", words.value);
        }
        for entity in names.clone() {
            assert!(text.contains(entity.label), "{}", entity.id);
        }
        assert!(text.contains(&document.digest.to_string()));
    }
    let matrix = page.blocks.iter().find_map(|block| match block {
        Block::Table(table) if table.anchor.as_deref() == Some("data-of-data-matrix") => Some(table),
        _ => None,
    });
    let shown: Vec<Vec<String>> = matrix
        .expect("the matrix")
        .rows
        .iter()
        .map(|row| row.iter().map(|cell| plain(&cell.text)).collect())
        .collect();
    let rows = &document.data.matrix.as_ref().expect("a matrix").rows;
    let wanted: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cell = |class: &AppClass| {
                let found = row.cells.iter().find(|(of, _)| of.value == *class);
                words::verdict(found.expect("a cell").1.value).to_owned()
            };
            std::iter::once(row.class.value.clone())
                .chain(AppClass::ALL.iter().map(cell))
                .collect()
        })
        .collect();
    assert_eq!(shown, wanted);
}

#[test]
fn fourteen_sections_stand_in_order_and_clauses_are_numbered() {
    let page = page_of(STARTER);
    let numbers: Vec<String> = page
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Heading(heading) => heading.number.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, (1..=14).map(|number| number.to_string()).collect::<Vec<_>>());
    let first: Vec<&str> = page
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Clause(clause) => Some(clause.number.as_str()),
            _ => None,
        })
        .take(3)
        .collect();
    assert_eq!(first, ["1.1", "1.2", "2.1"]);
}

/// Tags are closed in order, ids stand once, and each link on the page leads somewhere.
#[test]
fn the_html_is_well_formed() {
    let parts = with(COMPACT, |given| part(given, "staff")).expect("a group");
    for text in [
        html::write(&page_of(COMPACT)),
        html::write(&page_of(STARTER)),
        html::write(&parts),
    ] {
        let (mut open, mut ids, mut links) = (Vec::new(), BTreeSet::new(), Vec::new());
        let body = text.split_once("</style>").expect("a style").1;
        for piece in body.split('<').skip(1) {
            let (tag, _) = piece.split_once('>').expect("a tag ends");
            let name = tag.split_whitespace().next().unwrap_or_default();
            if let Some(name) = name.strip_prefix('/') {
                // The head was opened before the style.
                if name != "head" && name != "html" {
                    assert_eq!(open.pop(), Some(name), "{tag}");
                }
                continue;
            }
            if !matches!(name, "meta" | "br") {
                open.push(name);
            }
            for attribute in tag.split('"').collect::<Vec<_>>().chunks(2) {
                match attribute {
                    [key, value] if key.trim().ends_with(" id=") || key.trim() == "id=" => {
                        assert!(ids.insert((*value).to_owned()), "the id {value} stands twice");
                    }
                    [key, value] if key.ends_with("href=") => links.extend(value.strip_prefix('#').map(str::to_owned)),
                    _ => {}
                }
            }
        }
        assert_eq!(open, Vec::<&str>::new());
        for link in links {
            assert!(ids.contains(&link), "nothing has the id {link}");
        }
        assert!(
            !text.contains("<script") && !text.contains("<b>"),
            "the author's HTML is text"
        );
    }
}

#[test]
fn the_same_policy_and_day_give_the_same_text() {
    assert_eq!(html::write(&page_of(COMPACT)), html::write(&page_of(COMPACT)));
}
