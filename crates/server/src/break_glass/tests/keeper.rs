//! The spool and its way back into the ledger, with crashes wherever they hurt.

use std::sync::Mutex;

use serde_json::Value;
use tempfile::TempDir;

use super::super::ledger::InHand;
use super::*;
use crate::recorder::tests::{Script, Scripted};
use crate::store::conformance::collect;
use crate::store::sqlite::SqliteStore;
use crate::store::tickets::TicketBook as _;
use crate::store::{Amount, Filter, Holder, Kind, Period, Spend, Store as _, StoredRecord, SubjectId};

struct World {
    dir: TempDir,
    keeper: Option<Keeper>,
    script: Arc<Mutex<Script>>,
    store: Scripted,
}

impl World {
    fn new() -> Self {
        let dir = TempDir::new().expect("temporary directory");
        let script = Arc::default();
        let store = SqliteStore::open(&dir.path().join("store")).expect("a store");
        let store = Scripted::new(store, &script);
        let mut world = Self {
            dir,
            keeper: None,
            script,
            store,
        };
        world.restart(at(0));
        world
    }

    /// What is left when a process is killed, and another one begins.
    fn restart(&mut self, now: Moment) {
        self.keeper = None;
        self.keeper = Some(Keeper::open(self.dir.path(), &config(), &hasher(), now).expect("a keeper"));
    }

    fn keeper(&mut self) -> &mut Keeper {
        self.keeper.as_mut().expect("a keeper")
    }

    fn spool(&mut self, records: &[NewRecord], now: Moment) -> Result<(), Refused> {
        self.keeper().spool(records, &letters(), now)
    }

    fn breaks_after(&self, appends: Option<usize>) {
        let mut script = self.script.lock().expect("script");
        script.batches.clear();
        script.breaks_after = appends;
    }

    fn settle(&mut self) -> Result<u64, Untaken> {
        let Self { keeper, store, .. } = self;
        let keeper = keeper.as_mut().expect("a keeper");
        keeper.settle(&mut InHand(store), at(40).wall_ms)
    }

    fn begin(&mut self) -> u64 {
        let Self { keeper, store, .. } = self;
        let keeper = keeper.as_mut().expect("a keeper");
        keeper.begin(store, at(40).wall_ms).expect("it can be read")
    }

    fn records(&self) -> Vec<StoredRecord> {
        collect(&self.store, &Filter::default())
    }

    fn of(&self, kind: Kind) -> Vec<StoredRecord> {
        self.records()
            .into_iter()
            .filter(|record| record.kind == kind)
            .collect()
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("spool/incident")
    }

    fn review(&mut self, by: &str) -> Result<Uuid, ReviewError> {
        let Self { keeper, store, .. } = self;
        let given = Given {
            by,
            reason: "The disk was full; card 4111 1111 1111 1111 was not sent.",
            at_ms: at(50).wall_ms,
        };
        keeper.as_mut().expect("a keeper").review(store, &rules(), &given)
    }
}

/// The records of so many whole exchanges of a principal, in the order in which they come.
fn exchanges(count: usize, subject: SubjectId) -> Vec<NewRecord> {
    let mut records = Vec::new();
    for number in 0..count {
        let bytes = ordain_ledger::canonical(&serde_json::json!({"number": number})).expect("canonical bytes");
        let spend = Spend {
            holder: Holder::Principal(subject),
            period: Period::Month,
            start_ms: 1_000,
            adds: Amount {
                requests: 1,
                tokens: 10,
                cost: 0,
            },
            takes: Amount::default(),
        };
        let opening = NewRecord::intent(Uuid::now_v7(), 5_000, subject, bytes.clone()).with_spends(vec![spend]);
        let closing = NewRecord::outcome(Uuid::now_v7(), opening.id, 6_000, subject, bytes);
        records.extend([opening, closing]);
    }
    records
}

fn ids(records: &[StoredRecord]) -> Vec<Uuid> {
    records.iter().map(|record| record.id).collect()
}

fn value(record: &StoredRecord) -> Value {
    serde_json::from_slice(&record.bytes).expect("JSON")
}

fn number(record: &Value, pointer: &str) -> u64 {
    record.pointer(pointer).and_then(Value::as_u64).expect("a number")
}

#[test]
fn what_was_spooled_is_in_the_ledger_in_its_order_followed_by_the_gap() {
    let mut world = World::new();
    let ada = world.store.subject("ada@example.com").expect("a subject");
    let spooled = exchanges(300, ada);
    for part in spooled.chunks(7) {
        world.spool(part, at(1)).expect("spooled");
    }
    assert_eq!(world.settle().expect("taken"), 600);
    let records = world.records();
    let (gap, before) = records.split_last().expect("records");
    assert_eq!(ids(before), spooled.iter().map(|record| record.id).collect::<Vec<_>>());
    let leaves = before
        .iter()
        .zip(&spooled)
        .all(|(stored, new)| stored.leaf == new.leaf && stored.bytes == new.bytes);
    assert!(leaves, "the very bytes");
    let gap = value(gap);
    assert_eq!(
        (
            number(&gap, "/records"),
            number(&gap, "/damaged"),
            number(&gap, "/unplaced")
        ),
        (600, 0, 0)
    );
    assert_eq!(gap.pointer("/reviewed"), Some(&Value::Bool(false)));
    assert_eq!(gap.pointer("/break_glass/use"), Some(&"letters".into()));
    let path = std::fs::read_dir(world.dir.path().join("spool")).expect("a folder");
    let path = path
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "spool"));
    let bytes = std::fs::read(path.expect("the spool is kept")).expect("the spool");
    let digest: String = <sha2::Sha256 as sha2::Digest>::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(gap.pointer("/spool/digest"), Some(&format!("sha256:{digest}").into()));
    assert_eq!(world.settle().expect("nothing is left"), 0);
    let spent = world.store.spending().expect("counters");
    assert_eq!(spent.iter().map(|one| one.amount.requests).sum::<u64>(), 300);
}

#[test]
fn wherever_it_is_killed_each_record_is_there_once_and_one_gap() {
    // 260 exchanges are three batches, then the gap: it breaks before each of them, and after the last.
    for breaks_after in 0..=4 {
        let mut world = World::new();
        let ada = world.store.subject("ada@example.com").expect("a subject");
        let spooled = exchanges(260, ada);
        world.spool(&spooled, at(1)).expect("spooled");
        world.breaks_after(Some(breaks_after));
        let broken = world.settle();
        assert_eq!(broken.is_err(), breaks_after < 4, "{breaks_after}");
        // As it was when the last commit was made, and nothing of it had been noted.
        if broken.is_err() {
            let noted = std::fs::read(world.state()).expect("a state");
            world.breaks_after(None);
            world.settle().expect("taken");
            std::fs::write(world.state(), noted).expect("a write");
        }
        world.breaks_after(None);
        world.restart(at(2));
        world.begin();
        let (gaps, rest): (Vec<_>, Vec<_>) = world.records().into_iter().partition(|record| record.kind == Kind::Gap);
        assert_eq!(
            ids(&rest),
            spooled.iter().map(|record| record.id).collect::<Vec<_>>(),
            "{breaks_after}"
        );
        assert_eq!(gaps.len(), 1, "{breaks_after}");
        let spent = world.store.spending().expect("counters");
        assert_eq!(
            spent.iter().map(|one| one.amount.requests).sum::<u64>(),
            260,
            "{breaks_after}"
        );
        assert!(!world.keeper().has_left_open());
    }
}

#[test]
fn what_is_spooled_while_the_ledger_takes_the_first_part_comes_after_it() {
    let mut world = World::new();
    let ada = world.store.subject("ada@example.com").expect("a subject");
    let (first, second) = (exchanges(2, ada), exchanges(2, ada));
    world.spool(&first, at(1)).expect("spooled");
    world.breaks_after(Some(0));
    world.settle().expect_err("the store fails");
    let [opening, closing, rest @ ..] = second.as_slice() else {
        panic!("records")
    };
    world.spool(std::slice::from_ref(opening), at(2)).expect("spooled");
    world.settle().expect_err("the store fails still");
    let (written, elsewhere) = world.keeper().follow(vec![closing.clone()], at(45));
    assert_eq!(
        (written, elsewhere),
        (Ok(()), vec![]),
        "what has begun is written down after the time too"
    );
    world.spool(rest, at(3)).expect_err("the time is over");
    world.breaks_after(None);
    assert_eq!(world.settle().expect("taken"), 6);
    assert_eq!(world.of(Kind::Gap).len(), 2, "a gap for each part");
    assert_eq!(world.of(Kind::Outcome).len(), 3);
    assert!(world.store.open_intents().expect("intents").is_empty());
}

#[test]
fn an_outcome_follows_its_intent_wherever_that_is() {
    let mut world = World::new();
    let ada = world.store.subject("ada@example.com").expect("a subject");
    let records = exchanges(2, ada);
    let [first, first_end, second, second_end] = records.as_slice() else {
        panic!("four records")
    };
    world.spool(&[first.clone(), second.clone()], at(1)).expect("spooled");
    let (written, elsewhere) = world.keeper().follow(vec![first_end.clone()], at(1));
    assert_eq!((written, elsewhere), (Ok(()), vec![]));
    assert_eq!(world.settle().expect("taken"), 3);
    let (written, elsewhere) = world.keeper().follow(vec![second_end.clone()], at(1));
    assert_eq!(
        (written, elsewhere),
        (Ok(()), vec![second_end.clone()]),
        "the ledger has its intent"
    );
    // It runs: whoever has begun it is there still.
    assert_eq!(world.store.open_intents().expect("intents").len(), 1);
}

#[test]
fn what_a_killed_process_left_open_is_closed_as_unknown() {
    let mut world = World::new();
    let ada = world.store.subject("ada@example.com").expect("a subject");
    let records = exchanges(3, ada);
    let [whole, whole_end, open, _, known, known_end] = records.as_slice() else {
        panic!("six records")
    };
    // The ledger took one intent before it broke; its outcome is in the spool.
    world.store.append(std::slice::from_ref(known)).expect("appended");
    world
        .spool(
            &[whole.clone(), whole_end.clone(), open.clone(), known_end.clone()],
            at(1),
        )
        .expect("spooled");
    world.restart(at(2));
    world.breaks_after(Some(0));
    assert_eq!(world.begin(), 0, "the store fails still");
    assert!(
        world.keeper().has_left_open(),
        "so that nothing is closed without what was spooled"
    );
    // This process begins one more, which stays open.
    let own = exchanges(1, ada);
    world.spool(own.get(..1).expect("an intent"), at(3)).expect("spooled");
    world.breaks_after(None);
    world.settle().expect("taken");
    let open_now = world.store.open_intents().expect("intents");
    assert_eq!(
        ids(&open_now),
        own.first().map(|record| record.id).into_iter().collect::<Vec<_>>()
    );
    let outcomes = world.of(Kind::Outcome);
    let unknown: Vec<Uuid> = outcomes
        .iter()
        .filter(|record| value(record).pointer("/result") == Some(&"unknown".into()))
        .map(|record| record.exchange)
        .collect();
    assert_eq!(unknown, [open.id]);
    assert_eq!(outcomes.len(), 3);
}

#[test]
fn the_time_is_one_however_often_it_is_started() {
    let mut world = World::new();
    let records = exchanges(1, SubjectId::NOBODY);
    let opening = records.get(..1).expect("an intent");
    world.spool(opening, at(0)).expect("the first use begins it");
    world.restart(at(20));
    let again = |world: &mut World, now| world.spool(exchanges(1, SubjectId::NOBODY).get(..1).expect("an intent"), now);
    assert_eq!(again(&mut world, at(29)), Ok(()));
    assert_eq!(again(&mut world, at(30)), Err(Refused::Over));
    // The clock is set back while nothing runs.
    world.restart(at(5));
    assert_eq!(again(&mut world, at(5)), Err(Refused::Over));
    assert_eq!(
        world
            .keeper()
            .standing(at(5))
            .map(|standing| (standing.left_ms, standing.waiting)),
        Some((0, 2))
    );
    // The ledger has it. That alone begins no other time, nor does a start.
    world.settle().expect("taken");
    assert_eq!(again(&mut world, at(50)), Err(Refused::Over));
    world.restart(at(60));
    assert_eq!(again(&mut world, at(60)), Err(Refused::Over));
    world.review("dpo@example.com").expect("reviewed");
    assert_eq!(again(&mut world, at(61)), Ok(()));
}

#[test]
fn the_time_of_one_use_is_not_that_of_another() {
    let mut world = World::new();
    let opening = exchanges(1, SubjectId::NOBODY);
    world
        .spool(opening.get(..1).expect("an intent"), at(0))
        .expect("spooled");
    let rosters = Entitled {
        use_: "rosters".to_owned(),
        minutes: 60,
    };
    let more = exchanges(1, SubjectId::NOBODY);
    assert_eq!(world.keeper().spool(&more, &rosters, at(1)), Err(Refused::Unreviewed));
    // A policy that has become stricter counts at once, and one that has become milder does not.
    for (minutes, now, written) in [
        (10, at(9), Ok(())),
        (10, at(11), Err(Refused::Over)),
        (60, at(31), Err(Refused::Over)),
    ] {
        let entitled = Entitled { minutes, ..letters() };
        let more = exchanges(1, SubjectId::NOBODY);
        assert_eq!(world.keeper().spool(&more, &entitled, now), written, "{minutes}");
    }
}

#[test]
fn the_spool_has_an_end_and_outcomes_have_room_behind_it() {
    let mut world = World::new();
    let large = |record: &NewRecord| NewRecord::intent(record.id, 1, record.subject, vec![b'1'; 100_000]);
    let mut begun = Vec::new();
    let full = loop {
        let records = exchanges(1, SubjectId::NOBODY);
        let [opening, closing] = records.as_slice() else {
            panic!("two records")
        };
        match world.spool(&[large(opening)], at(1)) {
            Ok(()) => begun.push(closing.clone()),
            Err(refused) => break refused,
        }
    };
    assert_eq!(
        (full, begun.len()),
        (Refused::Full, 9),
        "of 1 MiB an eighth is for outcomes"
    );
    assert_eq!(world.keeper().follow(begun, at(1)), (Ok(()), vec![]));
    assert_eq!(world.settle().expect("taken"), 18);
}

#[test]
fn who_used_it_does_not_review_it_and_whoever_does_ends_it() {
    let mut world = World::new();
    let dpo = world.store.subject("dpo@example.com").expect("a subject");
    assert!(matches!(
        world.review("dpo@example.com"),
        Err(ReviewError::NotCounted(NotCounted::Nothing))
    ));
    world.spool(&exchanges(1, dpo), at(0)).expect("spooled");
    assert!(matches!(
        world.review("dpo@example.com"),
        Err(ReviewError::NotCounted(NotCounted::Running))
    ));
    world.settle().expect("taken");
    assert!(matches!(
        world.review("DPO@example.com "),
        Err(ReviewError::NotCounted(NotCounted::Own))
    ));
    assert!(matches!(
        world.review("cmo@example.com"),
        Err(ReviewError::NotCounted(NotCounted::NotEntitled { .. }))
    ));
    // In the name of somebody else, it is theirs all the same.
    let mut world = World::new();
    let (agent, dpo) = (
        SubjectId::random(),
        world.store.subject("dpo@example.com").expect("a subject"),
    );
    let value = serde_json::json!({"who": {"on_behalf_of": {"subject": dpo.to_string()}}});
    let bytes = ordain_ledger::canonical(&value).expect("canonical bytes");
    world
        .spool(&[NewRecord::refusal(Uuid::now_v7(), 1, agent, bytes)], at(0))
        .expect("spooled");
    world.settle().expect("taken");
    assert!(matches!(
        world.review("dpo@example.com"),
        Err(ReviewError::NotCounted(NotCounted::Own))
    ));
}

#[test]
fn a_review_is_a_record_with_a_reason_beside_it() {
    let mut world = World::new();
    let ada = world.store.subject("ada@example.com").expect("a subject");
    world.spool(&exchanges(2, ada), at(0)).expect("spooled");
    world.settle().expect("taken");
    let id = world.review("dpo@example.com").expect("reviewed");
    let [review] = world.of(Kind::GapReview).try_into().expect("one review");
    let [gap] = world.of(Kind::Gap).try_into().expect("one gap");
    let said = value(&review);
    assert_eq!(
        (review.id, said.pointer("/gaps/0")),
        (id, Some(&gap.id.to_string().into()))
    );
    assert_eq!(said.pointer("/incident"), value(&gap).pointer("/incident"));
    assert_eq!((number(&said, "/principals"), number(&said, "/unnamed")), (1, 0));
    assert_eq!(
        review.subject,
        world.store.subject("dpo@example.com").expect("a subject")
    );
    let reason = world.store.reason(id).expect("a store").expect("a reason");
    assert!(
        reason.starts_with("The disk was full") && !reason.contains("4111"),
        "{reason}"
    );
    assert_eq!(
        std::fs::read_dir(world.dir.path().join("spool"))
            .expect("a folder")
            .count(),
        1,
        "the lock alone"
    );
    assert_eq!(
        Desk::new(world.dir.path(), &config(), &hasher())
            .look()
            .expect("a folder")
            .map(|seen| seen.incident),
        None
    );
}

#[test]
fn whoever_is_killed_behind_the_review_goes_on_with_the_end() {
    let mut world = World::new();
    world.spool(&exchanges(1, SubjectId::NOBODY), at(0)).expect("spooled");
    world.settle().expect("taken");
    let (mut state, path) = world.keeper().reviewable().expect("an incident");
    world.review("dpo@example.com").expect("reviewed");
    // As it was before the files were removed, and when one of them was.
    state.reviewed = true;
    for spool_is_there in [true, false] {
        let keeper = world.keeper();
        state.save(keeper.paths(), keeper.seal()).expect("a write");
        if spool_is_there {
            std::fs::write(&path, "").expect("a write");
        }
        world.restart(at(1));
        assert_eq!(world.keeper().standing(at(1)), None);
        let left = std::fs::read_dir(world.dir.path().join("spool"))
            .expect("a folder")
            .count();
        assert_eq!(left, 1, "the lock alone");
    }
    world
        .spool(&exchanges(1, SubjectId::NOBODY), at(2))
        .expect("another time");
}

#[test]
fn an_end_that_cannot_be_noted_is_none() {
    let mut world = World::new();
    world.spool(&exchanges(1, SubjectId::NOBODY), at(0)).expect("spooled");
    world.settle().expect("taken");
    // Where the state would be written anew lies something else.
    let draft = world.state().with_extension("new");
    std::fs::create_dir(&draft).expect("a folder");
    assert!(matches!(world.review("dpo@example.com"), Err(ReviewError::Spool(_))));
    std::fs::remove_dir(&draft).expect("removed");
    world
        .spool(&exchanges(1, SubjectId::NOBODY), at(1))
        .expect("the same time goes on");
    world.keeper().note(at(1));
    world.restart(at(2));
    assert_eq!(world.begin(), 2, "what was spooled since is not lost");
}

#[test]
fn a_spool_belongs_to_one_gateway() {
    let world = World::new();
    let other = Keeper::open(world.dir.path(), &config(), &hasher(), at(0));
    assert!(matches!(other, Err(GlassError::Held(_))), "{other:?}");
}

#[test]
fn what_somebody_changed_in_the_spool_is_counted_and_not_taken() {
    let mut world = World::new();
    let ada = world.store.subject("ada@example.com").expect("a subject");
    let spooled = exchanges(3, ada);
    world.spool(&spooled, at(0)).expect("spooled");
    let incident = world.keeper().standing(at(0)).expect("an incident").incident;
    let path = world.dir.path().join(format!("spool/{incident}.spool"));
    let text = std::fs::read_to_string(&path).expect("the spool");
    // The outcome of the first and the intent of the last; the outcome of the last has no place without it.
    let changed: String = text
        .lines()
        .enumerate()
        .map(|(at, line)| {
            if at == 1 || at == 4 {
                format!("{}\n", line.replace("\"v\":1", "\"v\":2"))
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    std::fs::write(&path, changed).expect("a write");
    world.restart(at(1));
    world.begin();
    let [gap] = world.of(Kind::Gap).try_into().expect("one gap");
    let gap = value(&gap);
    assert_eq!(
        (
            number(&gap, "/records"),
            number(&gap, "/damaged"),
            number(&gap, "/unplaced")
        ),
        (4, 2, 1)
    );
    assert!(world.store.open_intents().expect("intents").is_empty());
}
