//! What every backend of [`Store`] must do. A backend's own tests call [`run`] with a way to make an empty store.

use std::ops::ControlFlow;

use uuid::Uuid;

use super::tickets::{Beside, PostedAnswer, Ticket, TicketStep};
use super::{
    Amount, Filter, Holder, KeyRow, Kind, NewRecord, Order, Period, Rejection, Spend, Spent, Store, StoreError,
    StoredRecord, SubjectId, Terms,
};

/// Runs the whole suite, each law on a store of its own.
pub(crate) fn run(make: &mut dyn FnMut() -> Box<dyn Store>) {
    let laws: [fn(&mut dyn Store); 25] = [
        a_record_comes_back_as_it_was_written,
        sequence_numbers_start_at_zero_and_have_no_gaps,
        a_rejected_batch_leaves_nothing_behind,
        an_id_is_used_once,
        an_exchange_has_one_outcome_at_most,
        an_outcome_needs_an_intent,
        an_opening_record_opens_its_own_exchange,
        open_intents_are_those_without_an_outcome,
        a_version_in_force_stands_for_itself,
        a_gap_and_its_review_stand_for_themselves,
        a_scan_shows_what_its_filter_says,
        a_scan_stops_when_told,
        a_subject_is_stable_random_and_erasable,
        keys_are_found_until_they_are_not,
        keys_are_refused_when_they_clash,
        a_rotated_key_ends_and_its_successor_is_there_or_neither,
        the_last_day_of_use_is_noted_and_changes_nothing_else,
        what_a_record_spends_is_counted_with_it_or_not_at_all,
        a_counter_holds_one_period_and_never_less_than_nothing,
        a_probe_leaves_no_record,
        words_stand_beside_a_record_and_can_be_erased,
        a_ticket_is_opened_answered_and_used_once_each,
        a_ticket_is_good_for_its_own_request_alone,
        of_a_hundred_that_use_a_ticket_one_does,
        an_answer_can_be_left_for_whoever_appends,
    ];
    for law in laws {
        law(&mut *make());
    }
}

/// An intent whose content tells it apart.
pub(crate) fn intent(at_ms: i64, subject: SubjectId) -> NewRecord {
    let id = Uuid::now_v7();
    NewRecord::intent(id, at_ms, subject, format!(r#"{{"intent":"{id}"}}"#).into_bytes())
}

/// The outcome of `intent`.
pub(crate) fn outcome(intent: &NewRecord, at_ms: i64) -> NewRecord {
    let bytes = format!(r#"{{"outcome":"{}"}}"#, intent.id).into_bytes();
    NewRecord::outcome(Uuid::now_v7(), intent.id, at_ms, intent.subject, bytes)
}

/// All that passes `filter`.
pub(crate) fn collect(store: &dyn Store, filter: &Filter) -> Vec<StoredRecord> {
    let mut records = Vec::new();
    let mut visit = |record| {
        records.push(record);
        ControlFlow::Continue(())
    };
    store.scan(filter, &mut visit).expect("scan");
    records
}

fn refusal(at_ms: i64, subject: SubjectId) -> NewRecord {
    NewRecord::refusal(Uuid::now_v7(), at_ms, subject, b"{}".to_vec())
}

fn sequences(store: &dyn Store, filter: &Filter) -> Vec<u64> {
    collect(store, filter).iter().map(|record| record.sequence).collect()
}

fn rejection(result: Result<impl Sized, StoreError>) -> (usize, Rejection) {
    match result {
        Err(StoreError::Rejected { index, why }) => (index, why),
        Err(other) => panic!("rejected for another reason: {other}"),
        Ok(_) => panic!("not rejected"),
    }
}

fn a_record_comes_back_as_it_was_written(store: &mut dyn Store) {
    let opening = intent(1_000, SubjectId::random());
    let closing = outcome(&opening, -5);
    let turned_away = refusal(i64::MAX, SubjectId::NOBODY);
    let written = [opening, closing, turned_away];
    store.append(&written).expect("append");
    let read = collect(store, &Filter::default());
    assert_eq!(read.len(), written.len());
    for (read, written) in read.into_iter().zip(written) {
        let StoredRecord {
            sequence: _,
            id,
            kind,
            exchange,
            at_ms,
            subject,
            bytes,
            leaf,
        } = read;
        assert_eq!(
            NewRecord {
                id,
                kind,
                exchange,
                at_ms,
                subject,
                bytes,
                leaf,
                spends: Vec::new(),
                beside: None,
            },
            written
        );
    }
}

fn sequence_numbers_start_at_zero_and_have_no_gaps(store: &mut dyn Store) {
    let subject = SubjectId::random();
    let first = intent(1, subject);
    assert_eq!(store.append(&[]).expect("append"), 0..0);
    assert_eq!(
        store.append(&[first.clone(), intent(2, subject)]).expect("append"),
        0..2
    );
    assert!(store.append(&[intent(3, subject), first]).is_err());
    assert_eq!(store.append(&[intent(4, subject)]).expect("append"), 2..3);
    assert_eq!(sequences(store, &Filter::default()), [0, 1, 2]);
}

fn a_rejected_batch_leaves_nothing_behind(store: &mut dyn Store) {
    let subject = SubjectId::random();
    let stray = outcome(&intent(1, subject), 2);
    let good = intent(3, subject);
    let batch = [good.clone(), stray, intent(4, subject)];
    assert_eq!(rejection(store.append(&batch)), (1, Rejection::NeverOpened));
    assert_eq!(collect(store, &Filter::default()), []);
    assert_eq!(store.open_intents().expect("open intents"), []);
    store.append(&[good]).expect("the good record can be offered again");
}

fn an_id_is_used_once(store: &mut dyn Store) {
    let opening = intent(1, SubjectId::random());
    store.append(std::slice::from_ref(&opening)).expect("append");
    assert_eq!(
        rejection(store.append(std::slice::from_ref(&opening))),
        (0, Rejection::Duplicate)
    );
    let same_id = NewRecord::refusal(opening.id, 2, opening.subject, b"{}".to_vec());
    assert_eq!(rejection(store.append(&[same_id])), (0, Rejection::Duplicate));
    store
        .append(&[outcome(&opening, 3)])
        .expect("the exchange is still open");
}

fn an_exchange_has_one_outcome_at_most(store: &mut dyn Store) {
    let opening = intent(1, SubjectId::random());
    store.append(&[opening.clone(), outcome(&opening, 2)]).expect("append");
    assert_eq!(
        rejection(store.append(&[outcome(&opening, 3)])),
        (0, Rejection::AlreadyClosed)
    );
    let other = intent(4, opening.subject);
    let twice = [other.clone(), outcome(&other, 5), outcome(&other, 6)];
    assert_eq!(rejection(store.append(&twice)), (2, Rejection::AlreadyClosed));
}

fn an_outcome_needs_an_intent(store: &mut dyn Store) {
    let opening = intent(1, SubjectId::random());
    let closing = outcome(&opening, 2);
    assert_eq!(
        rejection(store.append(&[closing, opening])),
        (0, Rejection::NeverOpened)
    );
    let turned_away = refusal(3, SubjectId::random());
    let late = outcome(&turned_away, 4);
    store.append(&[turned_away]).expect("append");
    assert_eq!(rejection(store.append(&[late])), (0, Rejection::NeverOpened));
}

fn an_opening_record_opens_its_own_exchange(store: &mut dyn Store) {
    for record in [intent(1, SubjectId::random()), refusal(1, SubjectId::random())] {
        let astray = NewRecord {
            exchange: Uuid::now_v7(),
            ..record
        };
        assert_eq!(rejection(store.append(&[astray])), (0, Rejection::Misfit));
    }
}

fn a_version_in_force_stands_for_itself(store: &mut dyn Store) {
    let one = NewRecord::activation(Uuid::now_v7(), 5, b"{}".to_vec());
    store
        .append(&[one.clone(), intent(6, SubjectId::random())])
        .expect("append");
    let of_kind = Filter {
        kind: Some(Kind::Activation),
        ..Filter::default()
    };
    let found = collect(store, &of_kind);
    assert_eq!(
        (found.len(), found[0].id, found[0].subject),
        (1, one.id, SubjectId::NOBODY)
    );
    assert_eq!(store.open_intents().expect("open intents").len(), 1, "it opens nothing");
    let strange = NewRecord {
        exchange: Uuid::now_v7(),
        ..NewRecord::activation(Uuid::now_v7(), 7, b"{}".to_vec())
    };
    assert!(matches!(
        store.append(&[strange]),
        Err(StoreError::Rejected { index: 0, .. })
    ));
}

fn open_intents_are_those_without_an_outcome(store: &mut dyn Store) {
    let subject = SubjectId::random();
    let [first, second, third] = [1, 2, 3].map(|at| intent(at, subject));
    let batch = [
        first.clone(),
        second.clone(),
        refusal(4, subject),
        third.clone(),
        outcome(&second, 5),
    ];
    store.append(&batch).expect("append");
    let open = |store: &dyn Store| -> Vec<Uuid> {
        store
            .open_intents()
            .expect("open intents")
            .iter()
            .map(|record| record.id)
            .collect()
    };
    assert_eq!(open(store), [first.id, third.id]);
    store.append(&[outcome(&third, 6), outcome(&first, 7)]).expect("append");
    assert!(open(store).is_empty());
}

fn a_scan_shows_what_its_filter_says(store: &mut dyn Store) {
    let [ann, bob] = [SubjectId::random(), SubjectId::random()];
    let opening = intent(10, ann);
    let exchange = opening.exchange;
    let batch = [
        opening.clone(),
        intent(20, bob),
        outcome(&opening, 30),
        refusal(40, ann),
        intent(50, ann),
    ];
    store.append(&batch).expect("append");
    let all = Filter::default();
    let cases = [
        (all.clone(), vec![0, 1, 2, 3, 4]),
        (
            Filter {
                kind: Some(Kind::Intent),
                ..all.clone()
            },
            vec![0, 1, 4],
        ),
        (
            Filter {
                kind: Some(Kind::Refusal),
                ..all.clone()
            },
            vec![3],
        ),
        (
            Filter {
                subject: Some(ann),
                ..all.clone()
            },
            vec![0, 2, 3, 4],
        ),
        (
            Filter {
                subject: Some(SubjectId::random()),
                ..all.clone()
            },
            vec![],
        ),
        (
            Filter {
                exchange: Some(exchange),
                ..all.clone()
            },
            vec![0, 2],
        ),
        (
            Filter {
                exchange: Some(exchange),
                kind: Some(Kind::Outcome),
                ..all.clone()
            },
            vec![2],
        ),
        (
            Filter {
                exchange: Some(exchange),
                order: Order::NewestFirst,
                ..all.clone()
            },
            vec![2, 0],
        ),
        (
            Filter {
                from_ms: Some(20),
                until_ms: Some(40),
                ..all.clone()
            },
            vec![1, 2],
        ),
        (
            Filter {
                after: Some(2),
                ..all.clone()
            },
            vec![3, 4],
        ),
        (
            Filter {
                before: Some(2),
                order: Order::NewestFirst,
                ..all.clone()
            },
            vec![1, 0],
        ),
        (
            Filter {
                limit: Some(2),
                ..all.clone()
            },
            vec![0, 1],
        ),
        (
            Filter {
                limit: Some(2),
                order: Order::NewestFirst,
                ..all.clone()
            },
            vec![4, 3],
        ),
        (
            Filter {
                limit: Some(0),
                ..all.clone()
            },
            vec![],
        ),
        (
            Filter {
                limit: Some(u64::MAX),
                ..all
            },
            vec![0, 1, 2, 3, 4],
        ),
        (
            Filter {
                kind: Some(Kind::Intent),
                subject: Some(ann),
                exchange: None,
                from_ms: Some(10),
                until_ms: Some(100),
                after: Some(0),
                before: Some(5),
                limit: Some(5),
                order: Order::NewestFirst,
            },
            vec![4],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(sequences(store, &filter), expected, "{filter:?}");
    }
}

fn a_scan_stops_when_told(store: &mut dyn Store) {
    let subject = SubjectId::random();
    store
        .append(&[intent(1, subject), intent(2, subject), intent(3, subject)])
        .expect("append");
    let mut seen = 0;
    let mut visit = |_| {
        seen += 1;
        if seen == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    store.scan(&Filter::default(), &mut visit).expect("scan");
    assert_eq!(seen, 2);
}

fn a_subject_is_stable_random_and_erasable(store: &mut dyn Store) {
    let ann = store.subject("ann@northwind.example").expect("subject");
    assert_eq!(store.subject("ann@northwind.example").expect("subject"), ann);
    assert_ne!(store.subject("bob@northwind.example").expect("subject"), ann);
    assert_ne!(ann, SubjectId::NOBODY);
    assert_eq!(
        store.name_of(ann).expect("name").as_deref(),
        Some("ann@northwind.example")
    );
    assert_eq!(store.name_of(SubjectId::random()).expect("name"), None);

    store.append(&[intent(1, ann)]).expect("append");
    let records = collect(store, &Filter::default());
    assert!(store.erase_name(ann).expect("erase"));
    assert!(!store.erase_name(ann).expect("erase"), "there is no name any more");
    assert_eq!(store.name_of(ann).expect("name"), None);
    assert_eq!(collect(store, &Filter::default()), records, "erasing touches no record");
    assert_ne!(
        store.subject("ann@northwind.example").expect("subject"),
        ann,
        "nothing leads back to the old subject"
    );
}

fn key(store: &mut dyn Store, id: &str, hash: [u8; 32]) -> KeyRow {
    KeyRow {
        id: id.to_owned(),
        hash,
        prefix: "ord-AbC123".to_owned(),
        subject: store.subject("ann").expect("subject"),
        client: Some("ide".to_owned()),
        label: "laptop".to_owned(),
        created_ms: 7,
        revoked_ms: None,
        expires_ms: Some(1_000),
        line: "k_0".to_owned(),
        terms: Terms::from_json(r#"{"models":["gpt-*"],"use":"coding","limits":["tokens=5/day"]}"#).expect("terms"),
        used_day: None,
    }
}

fn keys_are_found_until_they_are_not(store: &mut dyn Store) {
    let [first, second] = [("k_b", [1; 32]), ("k_a", [2; 32])].map(|(id, hash)| key(store, id, hash));
    let second = KeyRow {
        client: None,
        created_ms: 8,
        ..second
    };
    let mut version = store.keys_version().expect("version");
    let mut grew = |store: &dyn Store| {
        let before = std::mem::replace(&mut version, store.keys_version().expect("version"));
        version > before
    };
    store.add_key(&first).expect("add");
    assert!(grew(store));
    store.add_key(&second).expect("add");
    assert!(grew(store));
    assert_eq!(store.keys().expect("keys"), [first.clone(), second.clone()]);
    assert_eq!(store.key_by_hash(&[1; 32]).expect("find"), Some(first.clone()));
    assert_eq!(store.key_by_hash(&[3; 32]).expect("find"), None);
    assert!(!grew(store), "reading changes nothing");

    assert!(store.revoke_key("k_b", 99).expect("revoke"));
    assert!(grew(store));
    let revoked = KeyRow {
        revoked_ms: Some(99),
        ..first
    };
    assert_eq!(store.key_by_hash(&[1; 32]).expect("find"), Some(revoked.clone()));
    assert!(
        !store.revoke_key("k_b", 100).expect("revoke"),
        "the first revocation stands"
    );
    assert!(!store.revoke_key("k_c", 100).expect("revoke"));
    assert_eq!(store.keys().expect("keys"), [revoked, second.clone()]);

    assert!(store.erase_name(second.subject).expect("erase"));
    assert!(grew(store), "a key whose owner was erased lets nobody in");
}

fn keys_are_refused_when_they_clash(store: &mut dyn Store) {
    let row = key(store, "k_a", [1; 32]);
    store.add_key(&row).expect("add");
    let same_hash = KeyRow {
        id: "k_b".to_owned(),
        ..row.clone()
    };
    let same_id = KeyRow {
        hash: [2; 32],
        ..row.clone()
    };
    let stranger = KeyRow {
        id: "k_c".to_owned(),
        hash: [3; 32],
        subject: SubjectId::random(),
        ..row.clone()
    };
    assert_eq!(rejection(store.add_key(&same_hash)).1, Rejection::Duplicate);
    assert_eq!(rejection(store.add_key(&same_id)).1, Rejection::Duplicate);
    assert_eq!(rejection(store.add_key(&stranger)).1, Rejection::UnknownSubject);
    assert_eq!(store.keys().expect("keys"), [row]);
}

fn a_rotated_key_ends_and_its_successor_is_there_or_neither(store: &mut dyn Store) {
    let old = key(store, "k_a", [1; 32]);
    let new = KeyRow {
        created_ms: 8,
        ..key(store, "k_b", [2; 32])
    };
    store.add_key(&old).expect("add");
    let clash = KeyRow {
        hash: old.hash,
        ..new.clone()
    };
    assert_eq!(rejection(store.rotate_key("k_a", 50, &clash)).1, Rejection::Duplicate);
    let keys = store.keys().expect("keys");
    assert_eq!(keys.as_slice(), std::slice::from_ref(&old), "the old key is as it was");
    assert!(
        !store.rotate_key("k_c", 50, &new).expect("rotate"),
        "there is no such key"
    );
    let before = store.keys_version().expect("version");
    assert!(store.rotate_key("k_a", 50, &new).expect("rotate"));
    assert!(store.keys_version().expect("version") > before);
    let ended = KeyRow {
        expires_ms: Some(50),
        ..old
    };
    assert_eq!(store.keys().expect("keys"), [ended.clone(), new]);
    let third = KeyRow {
        created_ms: 9,
        ..key(store, "k_c", [3; 32])
    };
    assert!(store.rotate_key("k_a", 60, &third).expect("rotate"));
    assert_eq!(
        store.key_by_hash(&[1; 32]).expect("find"),
        Some(ended),
        "an end never moves back"
    );
    store.revoke_key("k_b", 55).expect("revoke");
    let fourth = key(store, "k_d", [4; 32]);
    assert!(
        !store.rotate_key("k_b", 60, &fourth).expect("rotate"),
        "a revoked key has no successor"
    );
    assert_eq!(store.keys().expect("keys").len(), 3);
}

fn the_last_day_of_use_is_noted_and_changes_nothing_else(store: &mut dyn Store) {
    let row = key(store, "k_a", [1; 32]);
    store.add_key(&row).expect("add");
    let version = store.keys_version().expect("version");
    let day = |store: &dyn Store| store.key_by_hash(&[1; 32]).expect("find").expect("a key").used_day;
    for (noted, known) in [(20_000, 20_000), (19_999, 20_000), (20_001, 20_001)] {
        let used = [("k_unknown".to_owned(), noted), ("k_a".to_owned(), noted)];
        store.note_key_use(&used).expect("note");
        assert_eq!(day(store), Some(known));
    }
    assert_eq!(store.keys_version().expect("version"), version);
}

fn amount(requests: u64, tokens: u64, cost: u64) -> Amount {
    Amount { requests, tokens, cost }
}

fn spend(holder: &Holder, start_ms: i64, adds: Amount, takes: Amount) -> Vec<Spend> {
    let period = Period::Day;
    let holder = holder.clone();
    vec![Spend {
        holder,
        period,
        start_ms,
        adds,
        takes,
    }]
}

fn what_a_record_spends_is_counted_with_it_or_not_at_all(store: &mut dyn Store) {
    let subject = SubjectId::random();
    let [line, person] = [Holder::Key("k_a".into()), Holder::Principal(subject)];
    let opening = intent(1, subject).with_spends(spend(&line, 100, amount(1, 500, 7), Amount::default()));
    let stray = outcome(&intent(1, subject), 2);
    let other = intent(3, subject).with_spends(spend(&person, 100, amount(1, 1, 1), Amount::default()));
    assert_eq!(rejection(store.append(&[opening.clone(), stray])).0, 1);
    assert_eq!(
        store.spending().expect("spending"),
        [],
        "nothing was written, so nothing is counted"
    );
    store.append(&[opening.clone(), other]).expect("append");
    let closing = outcome(&opening, 4).with_spends(spend(&line, 100, amount(1, 20, 3), amount(1, 500, 7)));
    store.append(&[closing]).expect("append");
    let counter = |holder: Holder, amount| Spent {
        holder,
        period: Period::Day,
        start_ms: 100,
        amount,
    };
    assert_eq!(
        store.spending().expect("spending"),
        [counter(line, amount(1, 20, 3)), counter(person, amount(1, 1, 1))]
    );
}

fn a_counter_holds_one_period_and_never_less_than_nothing(store: &mut dyn Store) {
    let subject = SubjectId::random();
    let holder = Holder::Principal(subject);
    let mut after = |start_ms, adds, takes| {
        let record = intent(1, subject).with_spends(spend(&holder, start_ms, adds, takes));
        store.append(&[record]).expect("append");
        let counters = store.spending().expect("spending");
        assert_eq!(counters.len(), 1);
        counters.first().map(|counter| (counter.start_ms, counter.amount))
    };
    let none = Amount::default();
    assert_eq!(after(100, amount(1, 50, 5), none), Some((100, amount(1, 50, 5))));
    assert_eq!(
        after(200, amount(1, 9, 1), none),
        Some((200, amount(1, 9, 1))),
        "a new period"
    );
    assert_eq!(
        after(100, amount(1, 9, 9), amount(1, 50, 5)),
        Some((200, amount(1, 9, 1))),
        "an old one"
    );
    assert_eq!(
        after(200, none, amount(5, 10, 10)),
        Some((200, none)),
        "never less than nothing"
    );
    let most = amount(Amount::MOST, u64::MAX, Amount::MOST);
    let full = amount(Amount::MOST, Amount::MOST, Amount::MOST);
    for _ in 0..3 {
        assert_eq!(
            after(200, most, none),
            Some((200, full)),
            "a sum stops before it overflows"
        );
    }
    store.forget_spending(200).expect("forget");
    assert_eq!(store.spending().expect("spending").len(), 1);
    store.forget_spending(201).expect("forget");
    assert_eq!(store.spending().expect("spending"), []);
}

fn a_probe_leaves_no_record(store: &mut dyn Store) {
    store.probe().expect("probe");
    assert_eq!(collect(store, &Filter::default()), []);
    assert_eq!(store.append(&[intent(1, SubjectId::random())]).expect("append"), 0..1);
}

fn beside(record: NewRecord, ticket: TicketStep) -> NewRecord {
    record.with(Some(Box::new(Beside {
        reason: None,
        ticket: Some(ticket),
    })))
}

fn ticket(id: &str, subject: SubjectId) -> Ticket {
    Ticket {
        id: id.to_owned(),
        binding: [7; 32],
        subject,
        on_behalf_of: None,
        policy: "sha256:00".to_owned(),
        clauses: vec!["AU-1".to_owned(), "data.matrix".to_owned()],
        exchange: Uuid::now_v7(),
        opened_ms: 10,
        expires_ms: 100,
        answered: None,
        used: None,
    }
}

/// Opens a ticket of `subject`.
fn open_ticket(store: &mut dyn Store, id: &str, subject: SubjectId) -> Ticket {
    let ticket = ticket(id, subject);
    let refusal = NewRecord::refusal(ticket.exchange, ticket.opened_ms, subject, b"{}".to_vec());
    let opens = beside(refusal, TicketStep::Open(ticket.clone()));
    store.append(&[opens]).expect("append");
    ticket
}

fn answers(id: &str, agreed: bool, by: SubjectId, at_ms: i64) -> NewRecord {
    let record = NewRecord::answer(Uuid::now_v7(), agreed, at_ms, by, b"{}".to_vec());
    let ticket = id.to_owned();
    beside(record, TicketStep::Answer { ticket, agreed })
}

fn uses(id: &str, subject: SubjectId, binding: [u8; 32], at_ms: i64) -> NewRecord {
    let ticket = id.to_owned();
    beside(intent(at_ms, subject), TicketStep::Use { ticket, binding })
}

fn a_gap_and_its_review_stand_for_themselves(store: &mut dyn Store) {
    let by = SubjectId::random();
    let gap = NewRecord::gap(Uuid::now_v7(), 1, b"{}".to_vec());
    let review = NewRecord::gap_review(Uuid::now_v7(), 2, by, b"{}".to_vec());
    store.append(&[gap.clone(), review.clone()]).expect("append");
    assert!(store.open_intents().expect("open").is_empty());
    assert_eq!(
        rejection(store.append(std::slice::from_ref(&gap))),
        (0, Rejection::Duplicate)
    );
    for (record, subject) in [(gap, SubjectId::NOBODY), (review, by)] {
        let filter = Filter {
            kind: Some(record.kind),
            ..Filter::default()
        };
        let found = collect(store, &filter);
        let found: Vec<_> = found.iter().map(|found| (found.id, found.subject)).collect();
        assert_eq!(found, [(record.id, subject)]);
    }
}

fn words_stand_beside_a_record_and_can_be_erased(store: &mut dyn Store) {
    let told = intent(1, SubjectId::random()).with(Some(Box::new(Beside {
        reason: Some("for the audit".to_owned()),
        ticket: None,
    })));
    let untold = intent(2, SubjectId::random());
    let stray = outcome(&intent(3, SubjectId::random()), 4);
    assert!(store.append(&[told.clone(), stray]).is_err());
    assert_eq!(store.reason(told.id).expect("reason"), None, "both or neither");
    store.append(&[told.clone(), untold.clone()]).expect("append");
    let records = collect(store, &Filter::default());
    assert_eq!(store.reason(told.id).expect("reason").as_deref(), Some("for the audit"));
    assert_eq!(store.reason(untold.id).expect("reason"), None);
    assert!(store.erase_reason(told.id).expect("erase"));
    assert!(!store.erase_reason(told.id).expect("erase"));
    assert_eq!(store.reason(told.id).expect("reason"), None);
    assert_eq!(collect(store, &Filter::default()), records, "erasing touches no record");
}

fn a_ticket_is_opened_answered_and_used_once_each(store: &mut dyn Store) {
    let [ann, bob] = [SubjectId::random(), SubjectId::random()];
    let opened = open_ticket(store, "T-1", ann);
    assert_eq!(store.ticket("T-1").expect("find"), Some(opened.clone()));
    assert_eq!(store.open_tickets_of(ann).expect("list"), std::slice::from_ref(&opened));
    assert_eq!(store.open_tickets_of(bob).expect("list"), []);
    let again = beside(
        NewRecord::refusal(Uuid::now_v7(), 10, ann, b"{}".to_vec()),
        TicketStep::Open(ticket("T-1", ann)),
    );
    assert_eq!(rejection(store.append(&[again])), (0, Rejection::Duplicate));
    let spent = (0, Rejection::TicketSpent);
    assert_eq!(
        rejection(store.append(&[uses("T-1", ann, [7; 32], 20)])),
        spent,
        "nobody agreed"
    );
    assert_eq!(
        rejection(store.append(&[answers("T-1", true, ann, 20)])),
        spent,
        "their own"
    );
    assert_eq!(
        rejection(store.append(&[answers("T-1", true, bob, 100)])),
        spent,
        "too late"
    );
    assert_eq!(
        rejection(store.append(&[answers("T-2", true, bob, 20)])),
        spent,
        "unknown"
    );
    let answer = answers("T-1", true, bob, 20);
    store.append(std::slice::from_ref(&answer)).expect("append");
    let answered = store.ticket("T-1").expect("find").and_then(|ticket| ticket.answered);
    let answered = answered.expect("answered");
    assert_eq!(
        (answered.agreed, answered.by, answered.at_ms, answered.record),
        (true, bob, 20, answer.id)
    );
    assert_eq!(
        rejection(store.append(&[answers("T-1", false, bob, 21)])),
        spent,
        "once"
    );
    let intent = uses("T-1", ann, [7; 32], 30);
    store.append(std::slice::from_ref(&intent)).expect("append");
    assert_eq!(
        store.ticket("T-1").expect("find").and_then(|ticket| ticket.used),
        Some(intent.id)
    );
    assert_eq!(rejection(store.append(&[uses("T-1", ann, [7; 32], 31)])), spent, "once");
    assert_eq!(store.open_tickets_of(ann).expect("list"), []);
    assert_eq!(store.tickets().expect("list").len(), 1);
}

fn a_ticket_is_good_for_its_own_request_alone(store: &mut dyn Store) {
    let [ann, bob] = [SubjectId::random(), SubjectId::random()];
    open_ticket(store, "T-1", ann);
    open_ticket(store, "T-2", ann);
    store
        .append(&[answers("T-1", true, bob, 20), answers("T-2", false, bob, 20)])
        .expect("append");
    for (wrong, why) in [
        (uses("T-1", bob, [7; 32], 30), "another principal"),
        (uses("T-1", ann, [8; 32], 30), "another request"),
        (uses("T-1", ann, [7; 32], 100), "expired"),
        (uses("T-2", ann, [7; 32], 30), "denied"),
    ] {
        assert_eq!(rejection(store.append(&[wrong])), (0, Rejection::TicketSpent), "{why}");
    }
    assert_eq!(
        store.open_intents().expect("open intents"),
        [],
        "no intent without its ticket"
    );
    assert!(!store.tickets_due(99).expect("due"));
    assert!(store.tickets_due(100).expect("due"));
    assert_eq!(store.clear_tickets(99).expect("clear"), 0);
    assert_eq!(store.clear_tickets(100).expect("clear"), 2);
    assert_eq!(store.ticket("T-1").expect("find"), None);
}

fn of_a_hundred_that_use_a_ticket_one_does(store: &mut dyn Store) {
    let [ann, bob] = [SubjectId::random(), SubjectId::random()];
    for race in 0..100 {
        let id = format!("T-{race}");
        open_ticket(store, &id, ann);
        store.append(&[answers(&id, true, bob, 20)]).expect("append");
        // As the recorder does: a rejected record is taken out of its batch, and the others are offered again.
        let mut batch: Vec<NewRecord> = (0..4).map(|at| uses(&id, ann, [7; 32], 30 + at)).collect();
        let mut rejected = 0;
        while let Err(StoreError::Rejected { index, why }) = store.append(&batch) {
            assert_eq!(why, Rejection::TicketSpent);
            batch.remove(index);
            rejected += 1;
        }
        assert_eq!((batch.len(), rejected), (1, 3));
    }
    assert_eq!(store.open_intents().expect("open intents").len(), 100);
}

fn an_answer_can_be_left_for_whoever_appends(store: &mut dyn Store) {
    let ann = SubjectId::random();
    let bob = store.subject("bob").expect("subject");
    open_ticket(store, "T-1", ann);
    let posted = PostedAnswer {
        ticket: "T-1".to_owned(),
        agreed: true,
        by: bob,
        at_ms: 20,
        reason: Some("fine".to_owned()),
        rejected: None,
    };
    assert!(!store.tickets_due(20).expect("due"));
    store.post_answer(&posted).expect("post");
    assert!(store.tickets_due(20).expect("due"));
    assert_eq!(
        rejection(store.post_answer(&posted)).1,
        Rejection::Duplicate,
        "one waits"
    );
    assert_eq!(store.posted_answers().expect("posted"), std::slice::from_ref(&posted));
    store.turn_down("T-1", "not yours").expect("turn down");
    let down = store.posted_answers().expect("posted");
    assert_eq!(down.first().and_then(|one| one.rejected.as_deref()), Some("not yours"));
    assert_eq!(down.first().and_then(|one| one.reason.as_deref()), None);
    assert!(!store.tickets_due(20).expect("due"));
    store.post_answer(&posted).expect("another try");
    store.append(&[answers("T-1", true, bob, 20)]).expect("append");
    assert_eq!(store.posted_answers().expect("posted"), [], "it was taken in");
}
