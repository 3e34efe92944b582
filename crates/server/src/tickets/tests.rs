//! What a ticket is bound to, what its name looks like, and who may answer it.

use ordain_core::catalog::Catalog;
use ordain_core::policy::{File, Files, load};
use tempfile::TempDir;

use super::*;
use crate::store::conformance::collect;
use crate::store::sqlite::SqliteStore;
use crate::store::tickets::{PostedAnswer, TicketBook as _};
use crate::store::{Filter, Kind};

const POLICY: &str = r#"
ordain: 1
organization: Example
version: "1"
timezone: Europe/Berlin
approved: {by: board, on: 2026-11-20, effective: 2026-12-01}
rollout: {default: enforce}
purpose: {statement: Why.}
scope: {statement: Who.}
roles:
  people: {ciso: Ciso@example.com, cto: cto@example.com, cmo: cmo@example.com}
  owner: {accountable: ciso, deputy: cto}
applications:
  sanctioned: [{app: openai-api, owner: cto}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
acceptable_use:
  clauses:
    - {id: AU-1, statement: Two see it., owner: cmo, rule: {when: {model: "*"}, then: hold}}
access:
  grants: [{id: AC-1, groups: [everyone]}]
  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]
data:
  classes: [internal]
  default: internal
  matrix:
    internal: {sanctioned: allow, tolerated: block, unknown: block, unsanctioned: block}
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}]
shadow_ai: {statement: Found.}
transparency: {statement: Told.}
risk: {statement: Weighed.}
compliance: {statement: Kept.}
monitoring: {statement: Watched.}
education: {statement: Taught.}
consequences: {statement: Fair.}
"#;

fn rules(text: &str) -> Rules {
    let case = "cases:\n  - name: held\n    request: {app: openai-api, model: gpt-5, text: x}\n    expect: {verdict: hold, clauses: [AU-1]}\n";
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let files = Files::new(vec![file("policy.yaml", text), file("cases/own.yaml", case)]);
    let loaded = load(
        &files,
        &Catalog::built_in(),
        "2026-12-10T12:00:00Z".parse().expect("a moment"),
    );
    let problems: Vec<String> = loaded.problems.iter().map(|problem| files.render(problem)).collect();
    Rules::new(loaded.policy.unwrap_or_else(|| panic!("{}", problems.join("\n"))))
}

struct World {
    _dir: TempDir,
    store: SqliteStore,
    rules: Rules,
    ticket: Ticket,
}

/// A store in which Ana's request waits.
fn world() -> World {
    let dir = TempDir::new().expect("temporary directory");
    let mut store = SqliteStore::open(dir.path()).expect("open");
    let rules = rules(POLICY);
    let subject = store.subject("ana@example.com").expect("subject");
    let exchange = Uuid::now_v7();
    let ticket = Ticket {
        id: "T-0000-0000-0001".to_owned(),
        binding: [7; 32],
        subject,
        on_behalf_of: Some(store.subject("bea@example.com").expect("subject")),
        policy: rules.policy.digest.to_string(),
        clauses: vec!["AU-1".to_owned()],
        exchange,
        opened_ms: 1_000,
        expires_ms: 2_000,
        answered: None,
        used: None,
    };
    let beside = Beside {
        reason: None,
        ticket: Some(TicketStep::Open(ticket.clone())),
    };
    let refusal = NewRecord::refusal(exchange, 1_000, subject, b"{}".to_vec()).with(Some(Box::new(beside)));
    store.append(&[refusal]).expect("append");
    World {
        _dir: dir,
        store,
        rules,
        ticket,
    }
}

fn given(by: &str) -> Given<'_> {
    Given {
        ticket: "T-0000-0000-0001",
        agreed: true,
        by,
        reason: None,
        at_ms: 1_500,
    }
}

#[test]
fn names_are_read_as_people_type_them() {
    let id = new_id(&mut rand::rng());
    assert_eq!(id.len(), 16);
    assert_eq!(parse_id(&id).as_ref(), Some(&id));
    assert_eq!(parse_id(&format!(" {} ", id.to_lowercase())).as_ref(), Some(&id));
    assert_eq!(
        parse_id(&id.replacen('-', "", 3).replacen('T', "T-", 1)).as_ref(),
        Some(&id)
    );
    assert_eq!(parse_id("t-oooo-iiii-llll").as_deref(), Some("T-0000-1111-1111"));
    for wrong in [
        "",
        "T",
        "T-0000-0000-000",
        "T-0000-0000-00000",
        "K-0000-0000-0000",
        "T-0000-0000-000U",
        "T-0000-0000-000é",
    ] {
        assert_eq!(parse_id(wrong), None, "{wrong}");
    }
    assert_ne!(new_id(&mut rand::rng()), id);
}

/// Whatever of it changes, the hash is another; and none of it can be moved into its neighbour.
#[test]
fn a_ticket_is_bound_to_every_byte_and_to_everything_around_it() {
    let binder = Binder::new(&KeyHasher::new(&[1; 32]));
    let clauses = ["AU-1".to_owned(), "AU-2".to_owned()];
    let to = BoundTo {
        subject: SubjectId::from_bytes([1; 16]),
        on_behalf_of: None,
        client: Some("ide"),
        use_: Some("letters"),
        method: "POST",
        path: "/v1/chat/completions",
        app: "openai-api",
        policy: "sha256:00",
        clauses: &clauses,
        body: b"{\"model\":\"gpt-5\"}",
    };
    let bound = binder.bind(&to);
    assert_eq!(binder.bind(&to), bound);
    let joined = ["AU-1AU-2".to_owned()];
    let others = [
        BoundTo {
            subject: SubjectId::from_bytes([2; 16]),
            ..to
        },
        BoundTo {
            on_behalf_of: Some(SubjectId::from_bytes([2; 16])),
            ..to
        },
        BoundTo { client: None, ..to },
        BoundTo { client: Some(""), ..to },
        BoundTo {
            client: Some("idel"),
            use_: Some("etters"),
            ..to
        },
        BoundTo { use_: None, ..to },
        BoundTo { method: "PUT", ..to },
        BoundTo {
            path: "/v1/chat/completions?x",
            ..to
        },
        BoundTo {
            app: "azure-openai",
            ..to
        },
        BoundTo {
            policy: "sha256:01",
            ..to
        },
        BoundTo {
            clauses: &clauses[..1],
            ..to
        },
        BoundTo { clauses: &joined, ..to },
        BoundTo {
            body: b"{\"model\":\"gpt-5\"} ",
            ..to
        },
    ];
    for other in others {
        assert_ne!(binder.bind(&other), bound, "{other:?}");
    }
    assert_ne!(
        Binder::new(&KeyHasher::new(&[2; 32])).bind(&to),
        bound,
        "another server's secret"
    );
}

#[test]
fn only_somebody_else_to_whom_the_policy_gives_it_answers_and_only_once() {
    let World {
        mut store,
        rules,
        ticket,
        ..
    } = world();
    let mut refused = |given: &Given<'_>, rules: &Rules| match answer(&mut store, rules, given) {
        Err(AnswerError::NotCounted(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&given(" ANA@example.com"), &rules), NotCounted::Own);
    assert_eq!(
        refused(&given("bea@example.com"), &rules),
        NotCounted::Own,
        "it is asked for them"
    );
    assert!(matches!(
        refused(&given("eve@example.com"), &rules),
        NotCounted::NotEntitled { .. }
    ));
    let other = self::rules(&POLICY.replace("Two see it.", "Two people see it."));
    assert_eq!(refused(&given("cmo@example.com"), &other), NotCounted::OtherPolicy);
    let late = Given {
        at_ms: 2_000,
        ..given("cmo@example.com")
    };
    assert!(matches!(refused(&late, &rules), NotCounted::Unknown(_)));
    let unknown = Given {
        ticket: "T-0000-0000-0002",
        ..given("cmo@example.com")
    };
    assert!(matches!(refused(&unknown, &rules), NotCounted::Unknown(_)));
    assert_eq!(collect(&store, &Filter::default()).len(), 1, "nothing was written");

    let reason = Given {
        reason: Some("my key is AKIAIOSFODNN7EXAMPLX, and it is fine"),
        ..given("cmo@example.com")
    };
    let record = answer(&mut store, &rules, &reason).expect("the clause's owner agrees");
    let records = collect(
        &store,
        &Filter {
            kind: Some(Kind::Approval),
            ..Filter::default()
        },
    );
    assert_eq!(records.first().map(|one| one.id), Some(record));
    let bytes = String::from_utf8(records.into_iter().next().expect("a record").bytes).expect("UTF-8");
    assert!(
        bytes.contains(r#""reasoned":true"#) && bytes.contains(&ticket.id),
        "{bytes}"
    );
    assert!(!bytes.contains("fine") && !bytes.contains("example.com"), "{bytes}");
    let words = store.reason(record).expect("reason").expect("words");
    assert!(words.contains("and it is fine"), "{words}");
    assert!(
        !words.contains("AKIAIOSFODNN7EXAMPLX"),
        "a secret in it is masked: {words}"
    );
    assert!(
        store
            .ticket(&ticket.id)
            .expect("find")
            .expect("there")
            .answered
            .is_some_and(|one| one.agreed)
    );
    let again = answer(
        &mut store,
        &rules,
        &Given {
            agreed: false,
            ..given("cto@example.com")
        },
    );
    assert!(matches!(again, Err(AnswerError::NotCounted(NotCounted::Answered(_)))));
}

#[test]
fn answers_that_were_left_are_taken_in_or_turned_down_with_the_reason() {
    let World {
        mut store,
        rules,
        ticket,
        ..
    } = world();
    let post = |store: &mut SqliteStore, by: &str| {
        let posted = PostedAnswer {
            ticket: ticket.id.clone(),
            agreed: false,
            by: store.subject(by).expect("subject"),
            at_ms: 1_500,
            reason: Some("not this week".to_owned()),
            rejected: None,
        };
        store.post_answer(&posted).expect("post");
    };
    post(&mut store, "eve@example.com");
    assert!(store.tickets_due(1_500).expect("due"));
    take_in(&mut store, &rules, 1_500);
    let posted = store.posted_answers().expect("posted");
    let why = posted
        .first()
        .and_then(|one| one.rejected.clone())
        .expect("turned down");
    assert!(
        why.contains("eve@example.com") && why.contains("cmo, ciso, cto"),
        "{why}"
    );
    assert_eq!(posted.first().and_then(|one| one.reason.clone()), None);
    assert!(!store.tickets_due(1_500).expect("due"));

    post(&mut store, "cto@example.com");
    take_in(&mut store, &rules, 1_500);
    assert_eq!(store.posted_answers().expect("posted"), []);
    assert_eq!(
        collect(
            &store,
            &Filter {
                kind: Some(Kind::Denial),
                ..Filter::default()
            }
        )
        .len(),
        1
    );
    assert!(store.tickets_due(2_000).expect("due"), "it expires");
    take_in(&mut store, &rules, 2_000);
    assert_eq!(store.tickets().expect("tickets"), []);
}
