//! The recorder against a store that waits, fails and recovers when told.

use std::future::Future;
use std::ops::Range;
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use tempfile::TempDir;
use tokio::runtime::Builder;
use uuid::Uuid;

use super::{Ack, RecordError, Recorder, RecorderHandle, Unwritten, close_open_intents};
use crate::store::conformance::{collect, intent, outcome};
use crate::store::sqlite::SqliteStore;
use crate::store::tickets::{PostedAnswer, Ticket, TicketBook};
use crate::store::{Filter, KeyRow, NewRecord, Spent, Store, StoreError, StoredRecord, SubjectId, Visit};

/// What a test does with the store behind the recorder.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// The size of each append that was tried, failed ones too.
    pub(crate) batches: Vec<usize>,
    pub(crate) broken: bool,
    /// It breaks once so many appends were tried.
    pub(crate) breaks_after: Option<usize>,
}

/// A real store with a script and, if wanted, a gate before each append.
pub(crate) struct Scripted {
    store: SqliteStore,
    script: Arc<Mutex<Script>>,
    gate: Option<Gate>,
}

/// Says that an append begins, and waits to be let through. Opens for good when the test lets go of its ends.
struct Gate {
    arrived: Sender<()>,
    go: Receiver<()>,
}

impl Scripted {
    /// A store that works until its script says otherwise.
    pub(crate) fn new(store: SqliteStore, script: &Arc<Mutex<Script>>) -> Self {
        Self {
            store,
            script: Arc::clone(script),
            gate: None,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        let script = self.script.lock().expect("script");
        let spent = script.breaks_after.is_some_and(|most| script.batches.len() > most);
        if script.broken || spent {
            Err(StoreError::Full)
        } else {
            Ok(())
        }
    }
}

impl Store for Scripted {
    fn append(&mut self, batch: &[NewRecord]) -> Result<Range<u64>, StoreError> {
        if let Some(gate) = &self.gate {
            let _ = gate.arrived.send(());
            let _ = gate.go.recv();
        }
        self.script.lock().expect("script").batches.push(batch.len());
        self.check()?;
        self.store.append(batch)
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.check()?;
        self.store.probe()
    }

    fn open_intents(&self) -> Result<Vec<StoredRecord>, StoreError> {
        self.store.open_intents()
    }

    fn scan(&self, filter: &Filter, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.store.scan(filter, visit)
    }

    fn subject(&mut self, name: &str) -> Result<SubjectId, StoreError> {
        self.store.subject(name)
    }

    fn name_of(&self, subject: SubjectId) -> Result<Option<String>, StoreError> {
        self.store.name_of(subject)
    }

    fn erase_name(&mut self, subject: SubjectId) -> Result<bool, StoreError> {
        self.store.erase_name(subject)
    }

    fn add_key(&mut self, key: &KeyRow) -> Result<(), StoreError> {
        self.store.add_key(key)
    }

    fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        self.store.keys()
    }

    fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
        self.store.key_by_hash(hash)
    }

    fn revoke_key(&mut self, id: &str, at_ms: i64) -> Result<bool, StoreError> {
        self.store.revoke_key(id, at_ms)
    }

    fn rotate_key(&mut self, id: &str, until_ms: i64, new: &KeyRow) -> Result<bool, StoreError> {
        self.store.rotate_key(id, until_ms, new)
    }

    fn note_key_use(&mut self, used: &[(String, i64)]) -> Result<(), StoreError> {
        self.store.note_key_use(used)
    }

    fn spending(&self) -> Result<Vec<Spent>, StoreError> {
        self.store.spending()
    }

    fn forget_spending(&mut self, at_ms: i64) -> Result<(), StoreError> {
        self.store.forget_spending(at_ms)
    }

    fn keys_version(&self) -> Result<u64, StoreError> {
        self.store.keys_version()
    }
}

impl TicketBook for Scripted {
    fn ticket(&self, id: &str) -> Result<Option<Ticket>, StoreError> {
        self.store.ticket(id)
    }

    fn open_tickets_of(&self, subject: SubjectId) -> Result<Vec<Ticket>, StoreError> {
        self.store.open_tickets_of(subject)
    }

    fn tickets(&self) -> Result<Vec<Ticket>, StoreError> {
        self.store.tickets()
    }

    fn post_answer(&mut self, answer: &PostedAnswer) -> Result<(), StoreError> {
        self.store.post_answer(answer)
    }

    fn posted_answers(&self) -> Result<Vec<PostedAnswer>, StoreError> {
        self.store.posted_answers()
    }

    fn turn_down(&mut self, ticket: &str, why: &str) -> Result<(), StoreError> {
        self.store.turn_down(ticket, why)
    }

    fn tickets_due(&self, now_ms: i64) -> Result<bool, StoreError> {
        self.store.tickets_due(now_ms)
    }

    fn clear_tickets(&mut self, now_ms: i64) -> Result<usize, StoreError> {
        self.store.clear_tickets(now_ms)
    }

    fn reason(&self, record: Uuid) -> Result<Option<String>, StoreError> {
        self.store.reason(record)
    }

    fn erase_reason(&mut self, record: Uuid) -> Result<bool, StoreError> {
        self.store.erase_reason(record)
    }
}

/// A recorder over a scripted store in a folder of its own.
struct Bench {
    dir: TempDir,
    script: Arc<Mutex<Script>>,
    recorder: Recorder,
    handle: RecorderHandle,
}

impl Bench {
    fn new(capacity: usize) -> Self {
        Self::with_gate(capacity, None)
    }

    /// With a gate: the test's ends hear that an append begins, and let it through.
    fn gated(capacity: usize) -> (Self, Receiver<()>, Sender<()>) {
        let (arrived, hear) = channel();
        let (let_go, go) = channel();
        (Self::with_gate(capacity, Some(Gate { arrived, go })), hear, let_go)
    }

    fn with_gate(capacity: usize, gate: Option<Gate>) -> Self {
        let dir = TempDir::new().expect("temporary directory");
        let script = Arc::new(Mutex::new(Script::default()));
        let store = SqliteStore::open(dir.path()).expect("open");
        let store = Scripted {
            store,
            script: Arc::clone(&script),
            gate,
        };
        let recorder = Recorder::start(Box::new(store), capacity).expect("start");
        let handle = recorder.handle();
        Self {
            dir,
            script,
            recorder,
            handle,
        }
    }

    fn break_store(&self, broken: bool) {
        self.script.lock().expect("script").broken = broken;
    }

    /// Ends the recorder and reads what is in the file.
    fn end(self) -> Vec<StoredRecord> {
        self.recorder.shutdown().expect("all written");
        collect(
            &SqliteStore::open_read_only(self.dir.path()).expect("open"),
            &Filter::default(),
        )
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().build().expect("runtime").block_on(future)
}

fn is_ready(future: impl Future) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn new_intent() -> NewRecord {
    intent(1, SubjectId::NOBODY)
}

fn ids(records: &[StoredRecord]) -> Vec<Uuid> {
    records.iter().map(|record| record.id).collect()
}

#[test]
fn an_acknowledged_record_is_on_disk_before_the_recorder_ends() {
    let bench = Bench::new(8);
    let opening = new_intent();
    let ack = wait(bench.handle.record(opening.clone())).expect("recorded");
    assert_eq!(ack, Ack { sequence: 0 });
    // What a killed process would leave: the files as they are now, nothing shut down.
    let left = bench.dir.path().join("left");
    std::fs::create_dir(&left).expect("create");
    for file in ["ordain.sqlite", "ordain.sqlite-wal"] {
        std::fs::copy(bench.dir.path().join(file), left.join(file)).expect("copy");
    }
    let read = collect(&SqliteStore::open_read_only(&left).expect("open"), &Filter::default());
    assert_eq!(ids(&read), [opening.id]);
}

#[test]
fn what_queues_up_behind_a_commit_becomes_one_commit_in_its_order() {
    let (bench, arrived, go) = Bench::gated(100);
    let records: Vec<NewRecord> = (0..6).map(|_| new_intent()).collect();
    let first = bench.handle.record(records[0].clone());
    arrived.recv().expect("the first append begins");
    let rest: Vec<_> = records[1..]
        .iter()
        .map(|record| bench.handle.record(record.clone()))
        .collect();
    go.send(()).expect("go");
    assert_eq!(wait(first).expect("recorded").sequence, 0);
    drop((arrived, go));
    for (future, sequence) in rest.into_iter().zip(1..) {
        assert_eq!(wait(future).expect("recorded").sequence, sequence);
    }
    assert_eq!(bench.script.lock().expect("script").batches, [1, 5]);
    assert_eq!(
        ids(&bench.end()),
        records.iter().map(|record| record.id).collect::<Vec<_>>()
    );
}

#[test]
fn a_full_queue_turns_intents_away_and_takes_outcomes() {
    let (bench, arrived, go) = Bench::gated(1);
    let opening = new_intent();
    let writing = bench.handle.record(opening.clone());
    arrived.recv().expect("the first append begins");
    let waiting = bench.handle.record(new_intent());
    assert_eq!(wait(bench.handle.record(new_intent())), Err(RecordError::Full));
    assert_eq!(wait(bench.handle.with_store(|_| ())), Err(RecordError::Full));
    let other = new_intent();
    bench.handle.record_detached(outcome(&opening, 2)).expect("taken");
    let ended = bench.handle.record(outcome(&other, 2));
    assert_eq!((bench.handle.queued(), bench.handle.overflowed()), (3, 2));
    drop((arrived, go));
    assert!(wait(writing).is_ok());
    assert!(wait(waiting).is_ok());
    assert!(
        matches!(wait(ended), Err(RecordError::Rejected(_))),
        "it has no intent, but it was taken"
    );
    assert_eq!(bench.end().len(), 3);
}

#[test]
fn a_failing_store_answers_everybody_and_recovers_by_itself() {
    let bench = Bench::new(8);
    let opening = new_intent();
    wait(bench.handle.record(opening.clone())).expect("recorded");
    bench.break_store(true);
    for _ in 0..3 {
        let error = wait(bench.handle.record(new_intent())).expect_err("broken");
        assert!(
            matches!(&error, RecordError::Failed(why) if why.contains("no space left")),
            "{error}"
        );
        assert!(bench.handle.trouble().is_some_and(|why| why.contains("no space left")));
    }
    bench.break_store(false);
    // Nobody records anything: readiness comes back because the recorder probes.
    while !bench.handle.healthy() {
        std::thread::yield_now();
    }
    assert_eq!(
        wait(bench.handle.record(outcome(&opening, 2)))
            .expect("recorded")
            .sequence,
        1
    );
    assert_eq!(bench.end().len(), 2);
}

#[test]
fn detached_outcomes_outlive_a_failing_store_and_keep_their_order() {
    let bench = Bench::new(8);
    let [first, second] = [new_intent(), new_intent()];
    wait(bench.handle.record(first.clone())).expect("recorded");
    wait(bench.handle.record(second.clone())).expect("recorded");
    bench.break_store(true);
    let outcomes = [outcome(&second, 2), outcome(&first, 3)];
    for outcome in &outcomes {
        bench.handle.record_detached(outcome.clone()).expect("taken");
        assert!(wait(bench.handle.record(new_intent())).is_err());
    }
    bench.break_store(false);
    while !bench.handle.healthy() {
        std::thread::yield_now();
    }
    let third = new_intent();
    wait(bench.handle.record(third.clone())).expect("recorded");
    assert_eq!(
        ids(&bench.end()),
        [first.id, second.id, outcomes[0].id, outcomes[1].id, third.id]
    );
}

#[test]
fn outcomes_that_could_not_be_written_are_counted_at_the_end() {
    let bench = Bench::new(8);
    let opening = new_intent();
    wait(bench.handle.record(opening.clone())).expect("recorded");
    bench.break_store(true);
    bench.handle.record_detached(outcome(&opening, 2)).expect("taken");
    assert_eq!(bench.recorder.shutdown(), Err(Unwritten { count: 1 }));
}

#[test]
fn a_bad_record_does_not_hurt_the_others_of_its_batch() {
    let (bench, arrived, go) = Bench::gated(100);
    let opening = new_intent();
    let first = bench.handle.record(opening.clone());
    arrived.recv().expect("the first append begins");
    let good = [
        bench.handle.record(new_intent()),
        bench.handle.record(outcome(&opening, 2)),
    ];
    let bad = [
        bench.handle.record(opening.clone()),
        bench.handle.record(outcome(&opening, 3)),
    ];
    let last = bench.handle.record(new_intent());
    drop((arrived, go));
    assert!(wait(first).is_ok());
    for (future, sequence) in good.into_iter().zip(1..) {
        assert_eq!(wait(future), Ok(Ack { sequence }));
    }
    for future in bad {
        assert!(matches!(wait(future), Err(RecordError::Rejected(_))));
    }
    assert_eq!(wait(last), Ok(Ack { sequence: 3 }));
    assert!(bench.handle.healthy(), "the store is not at fault");
    assert_eq!(bench.end().len(), 4);
}

#[test]
fn a_record_is_queued_before_its_future_is_polled_and_written_though_it_is_dropped() {
    let bench = Bench::new(8);
    let opening = new_intent();
    drop(bench.handle.record(opening.clone()));
    assert_eq!(ids(&bench.end()), [opening.id]);
}

#[test]
fn an_ack_does_not_come_before_the_commit() {
    let (bench, arrived, go) = Bench::gated(8);
    let mut writing = pin!(bench.handle.record(new_intent()));
    arrived.recv().expect("the append begins");
    assert!(!is_ready(writing.as_mut()));
    drop((arrived, go));
    assert!(wait(writing).is_ok());
}

#[test]
fn other_work_has_its_turn_between_the_records() {
    let bench = Bench::new(8);
    let before = bench.handle.record(new_intent());
    let seen = bench.handle.with_store(|store| {
        let subject = store.subject("ann").expect("subject");
        (
            collect(store, &Filter::default()).len(),
            store.name_of(subject).expect("name"),
        )
    });
    let after = bench.handle.record(new_intent());
    assert_eq!(wait(seen).expect("ran"), (1, Some("ann".to_owned())));
    assert!(wait(before).is_ok() && wait(after).is_ok());
}

#[test]
fn shutdown_writes_what_waits_and_takes_nothing_more() {
    let (bench, arrived, go) = Bench::gated(8);
    let waiting: Vec<_> = (0..4).map(|_| bench.handle.record(new_intent())).collect();
    let handle = bench.handle.clone();
    drop((arrived, go));
    assert_eq!(bench.end().len(), 4);
    for future in waiting {
        assert!(wait(future).is_ok());
    }
    assert_eq!(wait(handle.record(new_intent())), Err(RecordError::Stopped));
    assert_eq!(handle.record_detached(new_intent()), Err(RecordError::Stopped));
    assert!(!handle.healthy());
}

#[test]
fn nobody_waits_in_vain_when_the_thread_dies() {
    let (bench, arrived, go) = Bench::gated(8);
    let first = bench.handle.record(new_intent());
    arrived.recv().expect("the append begins");
    let broken = bench
        .handle
        .with_store(|_| panic!("a bug in other work, which this test is about"));
    let behind = bench.handle.record(new_intent());
    drop((arrived, go));
    assert!(wait(first).is_ok());
    assert_eq!(wait(broken), Err::<(), _>(RecordError::Stopped));
    assert_eq!(wait(behind), Err(RecordError::Stopped));
    assert!(!bench.handle.healthy());
}

#[test]
fn intents_that_a_crash_left_open_are_closed_once() {
    let dir = TempDir::new().expect("temporary directory");
    let mut store = SqliteStore::open(dir.path()).expect("open");
    let [early, closed, late] = [10, 20, 900].map(|at| intent(at, SubjectId::NOBODY));
    store
        .append(&[early.clone(), closed.clone(), late.clone(), outcome(&closed, 30)])
        .expect("append");
    let unknown = |intent: &StoredRecord, at_ms| {
        NewRecord::outcome(Uuid::now_v7(), intent.exchange, at_ms, intent.subject, b"{}".to_vec())
    };
    assert_eq!(close_open_intents(&mut store, 500, unknown).expect("recover"), 2);
    assert_eq!(close_open_intents(&mut store, 500, unknown).expect("recover"), 0);
    let closing: Vec<_> = collect(
        &store,
        &Filter {
            after: Some(3),
            ..Filter::default()
        },
    )
    .iter()
    .map(|record| (record.exchange, record.at_ms))
    .collect();
    assert_eq!(
        closing,
        [(early.id, 500), (late.id, 900)],
        "never before its intent, whatever the clock says"
    );
}
