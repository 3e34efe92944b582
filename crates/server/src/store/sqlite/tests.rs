//! What is particular to SQLite: files, locks, other processes, full disks. The rest is in `conformance`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use tempfile::TempDir;

use super::super::conformance::{self, collect, intent, outcome};
use super::super::tickets::TicketBook as _;
use super::super::{
    Filter, KeyRow, NewRecord, Order, Rejection, Store as _, StoreError, StoredRecord, SubjectId, Terms, describe,
};
use super::files::{FILE, LOCK, SCHEMA};
use super::{Access, SqliteStore};

fn folder() -> (TempDir, PathBuf) {
    let dir = TempDir::new().expect("temporary directory");
    let store = dir.path().join("store");
    (dir, store)
}

#[test]
fn it_passes_the_suite_that_every_backend_must_pass() {
    let (dir, _) = folder();
    let mut stores = 0;
    conformance::run(&mut || {
        stores += 1;
        Box::new(SqliteStore::open(&dir.path().join(stores.to_string())).expect("open"))
    });
}

#[test]
fn what_was_appended_is_there_after_reopening() {
    let (_dir, path) = folder();
    let opening = intent(1, SubjectId::random());
    let mut store = SqliteStore::open(&path).expect("open");
    store.append(std::slice::from_ref(&opening)).expect("append");
    drop(store);
    let mut store = SqliteStore::open(&path).expect("open again");
    assert_eq!(
        store.append(&[outcome(&opening, 2)]).expect("append"),
        1..2,
        "numbering goes on"
    );
    assert_eq!(collect(&store, &Filter::default()).len(), 2);
}

#[test]
fn what_was_appended_is_there_after_a_kill() {
    let (dir, path) = folder();
    let opening = intent(1, SubjectId::random());
    let mut store = SqliteStore::open(&path).expect("open");
    store.append(std::slice::from_ref(&opening)).expect("append");
    // The files as a killed process would leave them: journal not checkpointed, nothing closed.
    let left = dir.path().join("left");
    fs::create_dir(&left).expect("create");
    for file in [FILE.to_owned(), format!("{FILE}-wal")] {
        fs::copy(path.join(&file), left.join(&file)).expect("copy");
    }
    for store in [
        SqliteStore::open_read_only(&left).expect("read"),
        SqliteStore::open(&left).expect("open"),
    ] {
        let read = collect(&store, &Filter::default());
        assert_eq!(read.iter().map(|record| record.id).collect::<Vec<_>>(), [opening.id]);
        assert_eq!(store.open_intents().expect("open intents").len(), 1);
    }
}

#[test]
fn every_commit_is_synced() {
    let (_dir, path) = folder();
    let store = SqliteStore::open(&path).expect("open");
    let setting = |name: &str| {
        store
            .connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .expect("pragma")
    };
    assert_eq!(setting("synchronous"), 2, "FULL");
    assert_eq!(setting("foreign_keys"), 1);
    assert_eq!(setting("secure_delete"), 1);
    let journal: String = store
        .connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .expect("journal mode");
    assert_eq!(journal, "wal");
}

#[test]
fn one_process_appends_and_the_second_hears_why_not() {
    let (_dir, path) = folder();
    let first = SqliteStore::open(&path).expect("open");
    let error = SqliteStore::open(&path).expect_err("held");
    let text = error.to_string();
    assert!(text.contains("in use by another ordain process"), "{text}");
    assert!(text.contains(&format!("(pid {})", std::process::id())), "{text}");
    drop(first);
    SqliteStore::open(&path).expect("free again");
}

#[test]
fn a_command_manages_keys_beside_the_writer_and_the_writer_sees_it() {
    let (_dir, path) = folder();
    let mut writer = SqliteStore::open(&path).expect("open");
    let reader = SqliteStore::open_read_only(&path).expect("open for reading");
    let mut command = SqliteStore::open_shared(&path).expect("open beside it");
    let subject = command.subject("ann").expect("subject");
    let key = KeyRow {
        id: "k_a".to_owned(),
        hash: [1; 32],
        prefix: "ord-AbC123".to_owned(),
        subject,
        client: None,
        label: String::new(),
        created_ms: 1,
        revoked_ms: None,
        expires_ms: None,
        line: "k_a".to_owned(),
        terms: Terms::default(),
        used_day: None,
    };
    let before = reader.keys_version().expect("version");
    command.add_key(&key).expect("add");
    assert_eq!(writer.keys().expect("keys"), std::slice::from_ref(&key));
    assert_eq!(writer.subject("ann").expect("subject"), subject);
    let added = reader.keys_version().expect("version");
    command.revoke_key("k_a", 2).expect("revoke");
    assert!(before < added && added < reader.keys_version().expect("version"));

    let refused = command.append(&[intent(1, subject)]);
    assert!(matches!(refused, Err(StoreError::NotTheWriter)));
    assert!(matches!(command.probe(), Err(StoreError::NotTheWriter)));
    writer.append(&[intent(1, subject)]).expect("the writer still appends");
}

#[test]
fn a_reader_changes_nothing_and_makes_nothing() {
    let (_dir, path) = folder();
    assert!(matches!(
        SqliteStore::open_read_only(&path),
        Err(StoreError::Missing { .. })
    ));
    assert!(!path.exists());
    drop(SqliteStore::open(&path).expect("open"));
    let mut reader = SqliteStore::open_read_only(&path).expect("open for reading");
    assert!(reader.subject("ann").is_err());
    assert!(reader.append(&[]).is_err());
}

#[test]
fn a_newer_schema_is_refused_with_both_numbers() {
    let (_dir, path) = folder();
    drop(SqliteStore::open(&path).expect("open"));
    let raw = Connection::open(path.join(FILE)).expect("open");
    raw.execute("UPDATE meta SET value = 7 WHERE name = 'schema'", [])
        .expect("update");
    drop(raw);
    for opened in [
        SqliteStore::open(&path),
        SqliteStore::open_shared(&path),
        SqliteStore::open_read_only(&path),
    ] {
        let error = opened.expect_err("newer");
        assert!(
            matches!(
                error,
                StoreError::Newer {
                    found: 7,
                    known: SCHEMA
                }
            ),
            "{error}"
        );
    }
}

/// A store as the first released schema had it, with one key, one closed exchange and one open intent.
fn old_store(path: &Path) -> SubjectId {
    let mut store = SqliteStore::open(path).expect("open");
    let subject = store.subject("ann").expect("subject");
    let closed = intent(1, subject);
    let records = [closed.clone(), outcome(&closed, 2), intent(3, subject)];
    store.append(&records).expect("append");
    drop(store);
    let raw = Connection::open(path.join(FILE)).expect("open");
    raw.execute_batch(
        "CREATE TABLE open_exchanges (exchange BLOB PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         INSERT INTO open_exchanges SELECT id, seq FROM records WHERE seq = 2;
         CREATE UNIQUE INDEX records_outcome ON records (exchange) WHERE kind = 2;
         CREATE INDEX records_at ON records (at_ms);
         CREATE INDEX records_subject ON records (subject, seq);
         DROP TABLE by_subject; DROP TABLE outcomes; DROP TABLE spans;
         DELETE FROM meta WHERE name IN ('listed', 'settled');
         DROP TABLE reasons; DROP TABLE tickets; DROP TABLE posted_answers;
         DROP TABLE spending;
         ALTER TABLE keys DROP COLUMN expires_ms;
         ALTER TABLE keys DROP COLUMN line;
         ALTER TABLE keys DROP COLUMN terms;
         ALTER TABLE keys DROP COLUMN used_day;
         UPDATE meta SET value = 1 WHERE name = 'schema';",
    )
    .expect("the older schema");
    raw.execute(
        "INSERT INTO keys VALUES ('k_a', ?1, 'ord-AbC123', ?2, NULL, 'laptop', 5, NULL)",
        (&[1; 32], subject.as_bytes()),
    )
    .expect("a key");
    subject
}

#[test]
fn an_older_store_is_brought_up_to_date_with_all_that_is_in_it() {
    let (_dir, path) = folder();
    let subject = old_store(&path);
    let reader = SqliteStore::open_read_only(&path).expect_err("a reader changes nothing");
    assert!(
        matches!(
            reader,
            StoreError::Older {
                found: 1,
                known: SCHEMA
            }
        ),
        "{reader}"
    );
    let mut store = SqliteStore::open(&path).expect("open");
    let keys = store.keys().expect("keys");
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    assert_eq!((&*key.id, &*key.line, key.subject), ("k_a", "k_a", subject));
    assert_eq!(
        (key.expires_ms, key.used_day, &key.terms),
        (None, None, &Terms::default())
    );
    let open = store.open_intents().expect("open intents");
    assert_eq!(open.iter().map(|record| record.sequence).collect::<Vec<_>>(), [2]);
    let of_subject = Filter {
        subject: Some(subject),
        ..Filter::default()
    };
    let first = collect(&store, &of_subject);
    assert_eq!(first.len(), 3);
    let of_exchange = Filter {
        exchange: Some(first[0].exchange),
        ..Filter::default()
    };
    assert_eq!(collect(&store, &of_exchange), first[..2]);
    assert_eq!(store.append(&[intent(4, subject)]).expect("append"), 3..4);
    assert_eq!(store.tickets().expect("tickets"), []);
    SqliteStore::open_read_only(&path).expect("it is up to date");
}

#[test]
fn a_store_is_not_brought_up_to_date_under_a_gateway_that_runs() {
    let (_dir, path) = folder();
    old_store(&path);
    let lock = super::files::take_lock(&path).expect("the lock of an older gateway");
    let error = SqliteStore::open_shared(&path).expect_err("held");
    assert!(matches!(error, StoreError::Held { .. }), "{error}");
    drop(lock);
    SqliteStore::open_shared(&path).expect("nobody runs");
}

#[test]
fn a_key_whose_terms_cannot_be_read_is_no_key_without_terms() {
    let (_dir, path) = folder();
    old_store(&path);
    let store = SqliteStore::open(&path).expect("open");
    store
        .connection
        .execute("UPDATE keys SET terms = '{\"regions\":[\"eu\"]}'", [])
        .expect("update");
    let error = store.keys().expect_err("damaged");
    assert!(error.to_string().contains("the terms of key k_a"), "{error}");
}

#[test]
fn only_the_owner_can_read_the_files() {
    let (_dir, path) = folder();
    fs::create_dir(&path).expect("create");
    fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("set permissions");
    let mut store = SqliteStore::open(&path).expect("open");
    store.append(&[intent(1, SubjectId::random())]).expect("append");
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for file in [
        FILE.to_owned(),
        format!("{FILE}-wal"),
        format!("{FILE}-shm"),
        LOCK.to_owned(),
    ] {
        assert_eq!(mode(&path.join(&file)), 0o600, "{file}");
    }
}

#[test]
fn records_cannot_be_changed_in_place() {
    let (_dir, path) = folder();
    let mut store = SqliteStore::open(&path).expect("open");
    store.append(&[intent(1, SubjectId::random())]).expect("append");
    let error = store
        .connection
        .execute("UPDATE records SET at_ms = 2", [])
        .expect_err("refused");
    assert!(error.to_string().contains("records never change"), "{error}");
}

#[test]
fn an_erased_name_is_in_no_file() {
    let (_dir, path) = folder();
    let mut store = SqliteStore::open(&path).expect("open");
    for other in 0..200 {
        store
            .subject(&format!("someone-{other}@northwind.example"))
            .expect("subject");
    }
    let subject = store.subject("forget-me@northwind.example").expect("subject");
    let found = || {
        fs::read_dir(&path).expect("list").any(|entry| {
            let bytes = fs::read(entry.expect("entry").path()).expect("read");
            bytes.windows(9).any(|window| window == b"forget-me")
        })
    };
    assert!(found());
    assert!(store.erase_name(subject).expect("erase"));
    assert!(!found());
}

/// Appends until the store says that it is full, and returns what was acknowledged before.
fn fill(store: &mut SqliteStore) -> Vec<NewRecord> {
    let mut written = Vec::new();
    loop {
        let mut record = intent(1, SubjectId::random());
        record.bytes = vec![b'x'; 40_000];
        match store.append(std::slice::from_ref(&record)) {
            Ok(_) => written.push(record),
            Err(StoreError::Full) => return written,
            Err(other) => panic!("full should say so: {}", describe(&other)),
        }
    }
}

#[test]
fn a_store_that_was_full_goes_on_once_it_may_grow() {
    let (_dir, path) = folder();
    let mut store = SqliteStore::open(&path).expect("open");
    let pages = |store: &SqliteStore, most: i64| {
        store
            .connection
            .query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(()))
            .expect("pragma");
    };
    pages(&store, 100);
    let written = fill(&mut store);
    assert!(!written.is_empty());
    assert!(
        store
            .append(&[intent(1, SubjectId::random()), intent(2, SubjectId::random())])
            .is_ok(),
        "small ones may fit"
    );
    pages(&store, 1_000_000);
    store.append(&[intent(3, SubjectId::random())]).expect("appends again");
    let sequences: Vec<u64> = collect(&store, &Filter::default())
        .iter()
        .map(|record| record.sequence)
        .collect();
    assert_eq!(sequences, (0..written.len() as u64 + 3).collect::<Vec<_>>());
}

#[test]
fn a_full_disk_fails_the_append_and_nothing_else() {
    let dir = TempDir::new().expect("temporary directory");
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).expect("create");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2m", "ordain-test"])
        .arg(&disk)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        #[expect(
            clippy::print_stderr,
            reason = "a test that did not run must not look like one that passed"
        )]
        {
            eprintln!("NOT RUN: a_full_disk_fails_the_append_and_nothing_else may not mount a small disk here");
        }
        return;
    }
    let _unmount = Unmount(disk.clone());
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![0; 600_000]).expect("ballast");
    let mut store = SqliteStore::open(&disk.join("store")).expect("open");
    let written = fill(&mut store);
    assert!(!written.is_empty());
    assert_eq!(
        collect(&store, &Filter::default()).len(),
        written.len(),
        "what was acknowledged is there, nothing else"
    );
    fs::remove_file(&ballast).expect("make room");
    store
        .append(&[intent(3, SubjectId::random())])
        .expect("appends again, on the same connection");
    assert_eq!(collect(&store, &Filter::default()).len(), written.len() + 1);
    drop(store);
    let store = SqliteStore::open_read_only(&disk.join("store")).expect("open again");
    assert_eq!(collect(&store, &Filter::default()).len(), written.len() + 1);
}

/// Takes the small disk away, however the test ends.
struct Unmount(PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn distrust(store: &mut SqliteStore) {
    let Access::Append(writer) = &mut store.access else {
        panic!("not the writer")
    };
    writer.suspect = true;
}

#[test]
fn after_an_io_error_the_file_is_opened_anew_and_goes_on() {
    let (_dir, path) = folder();
    let mut store = SqliteStore::open(&path).expect("open");
    store.append(&[intent(1, SubjectId::random())]).expect("append");
    distrust(&mut store);
    store.probe().expect("probe");
    distrust(&mut store);
    assert_eq!(store.append(&[intent(2, SubjectId::random())]).expect("append"), 1..2);
}

#[test]
fn after_an_io_error_a_batch_that_was_written_after_all_is_counted() {
    let (_dir, path) = folder();
    let mut store = SqliteStore::open(&path).expect("open");
    store.append(&[intent(1, SubjectId::random())]).expect("append");
    store
        .append(&[intent(2, SubjectId::random())])
        .expect("committed, but taken for failed");
    let Access::Append(writer) = &mut store.access else {
        panic!("not the writer")
    };
    (writer.next, writer.last) = (1, None);
    distrust(&mut store);
    assert_eq!(store.append(&[intent(3, SubjectId::random())]).expect("append"), 2..3);
}

#[test]
fn after_an_io_error_a_store_that_lost_an_acknowledged_record_is_not_written_to() {
    let (_dir, path) = folder();
    let mut store = SqliteStore::open(&path).expect("open");
    store.append(&[intent(1, SubjectId::random())]).expect("append");
    store.connection.execute("DELETE FROM records", []).expect("lose it");
    distrust(&mut store);
    for _ in 0..2 {
        let error = store.append(&[intent(2, SubjectId::random())]).expect_err("lost");
        assert!(matches!(error, StoreError::Lost { sequence: 0 }), "{error}");
    }
}

/// Records of six principals, mostly closed exchanges, on a clock that was set back in between.
fn many(count: i64) -> Vec<NewRecord> {
    let subjects: Vec<SubjectId> = (0..6).map(|_| SubjectId::random()).collect();
    let mut records = Vec::new();
    for number in 0..count {
        let at_ms = if number < count / 2 { number } else { number - count / 4 };
        let opening = intent(at_ms, subjects[(number % 6).unsigned_abs() as usize]);
        records.push(opening.clone());
        if number % 50 != 7 {
            records.push(outcome(&opening, at_ms + 1));
        }
    }
    records
}

#[test]
fn what_is_looked_up_is_what_reading_everything_finds() {
    let (_dir, path) = folder();
    let mut store = SqliteStore::open(&path).expect("open");
    let records = many(1500);
    for batch in records.chunks(70) {
        store.append(batch).expect("append");
    }
    let listed: i64 = store
        .connection
        .query_row("SELECT value FROM meta WHERE name = 'listed'", [], |row| row.get(0))
        .expect("listed");
    assert!(
        0 < listed && listed < records.len() as i64,
        "{listed}: some are listed, some are not"
    );
    let all = collect(&store, &Filter::default());
    assert_eq!(all.len(), records.len());
    let sought = [&all[3], &all[1400], &all[records.len() - 2]];
    for record in sought {
        for order in [Order::OldestFirst, Order::NewestFirst] {
            for (from_ms, until_ms) in [
                (None, None),
                (Some(record.at_ms), None),
                (None, Some(record.at_ms)),
                (Some(700), Some(900)),
            ] {
                for (subject, exchange) in [
                    (None, None),
                    (Some(record.subject), None),
                    (None, Some(record.exchange)),
                ] {
                    let filter = Filter {
                        subject,
                        exchange,
                        from_ms,
                        until_ms,
                        order,
                        ..Filter::default()
                    };
                    let mut expected: Vec<StoredRecord> = all
                        .iter()
                        .filter(|it| subject.is_none_or(|subject| it.subject == subject))
                        .filter(|it| exchange.is_none_or(|exchange| it.exchange == exchange))
                        .filter(|it| from_ms.is_none_or(|from| it.at_ms >= from))
                        .filter(|it| until_ms.is_none_or(|until| it.at_ms < until))
                        .cloned()
                        .collect();
                    if order == Order::NewestFirst {
                        expected.reverse();
                    }
                    assert!(collect(&store, &filter) == expected, "{filter:?}");
                }
            }
        }
    }
}

#[test]
fn what_is_open_is_found_again_after_a_start() {
    let (_dir, path) = folder();
    let records = many(1500);
    let open = |store: &SqliteStore| -> Vec<uuid::Uuid> {
        store.open_intents().expect("open").iter().map(|it| it.id).collect()
    };
    let mut store = SqliteStore::open(&path).expect("open");
    for batch in records.chunks(70) {
        store.append(batch).expect("append");
    }
    let before = open(&store);
    assert_eq!(before.len(), 30);
    drop(store);
    let mut store = SqliteStore::open(&path).expect("open again");
    assert_eq!(open(&store), before);
    let first = records.iter().find(|it| it.id == before[0]).expect("the first");
    let closing = outcome(first, 5000);
    store.append(std::slice::from_ref(&closing)).expect("close");
    let twice = store.append(&[outcome(first, 5001)]).expect_err("it is closed");
    assert!(
        matches!(
            twice,
            StoreError::Rejected {
                why: Rejection::AlreadyClosed,
                ..
            }
        ),
        "{twice}"
    );
    assert_eq!(open(&store), before[1..]);
}

#[test]
fn a_batch_that_is_rejected_closes_and_opens_nothing() {
    let (_dir, path) = folder();
    let mut store = SqliteStore::open(&path).expect("open");
    let (one, two) = (intent(1, SubjectId::random()), intent(2, SubjectId::random()));
    store.append(std::slice::from_ref(&one)).expect("append");
    let batch = [outcome(&one, 3), two.clone(), one.clone()];
    let error = store.append(&batch).expect_err("an id twice");
    assert!(matches!(error, StoreError::Rejected { index: 2, .. }), "{error}");
    let error = store.append(&[outcome(&two, 4)]).expect_err("it was never opened");
    assert!(
        matches!(
            error,
            StoreError::Rejected {
                why: Rejection::NeverOpened,
                ..
            }
        ),
        "{error}"
    );
    store.append(&[outcome(&one, 5)]).expect("it is open still");
}

#[test]
fn the_journal_begins_anew_under_a_writer_that_never_rests() {
    let (_dir, path) = folder();
    let mut store = SqliteStore::open(&path).expect("open");
    let subject = SubjectId::random();
    let journal = || {
        fs::metadata(path.join(format!("{FILE}-wal")))
            .expect("the journal")
            .len()
    };
    // What it is copied at, and half as much again.
    let long = 24 << 20;
    let (mut written, mut count) = (0, 0);
    // Five times as much as it has room for: it can only fit by beginning anew.
    while written < 5 * long {
        let batch: Vec<NewRecord> = (0..64)
            .map(|at_ms| NewRecord::refusal(uuid::Uuid::now_v7(), at_ms, subject, vec![b'x'; 4000]))
            .collect();
        store.append(&batch).expect("append");
        (written, count) = (written + 64 * 4000, count + 64);
    }
    assert!(journal() < 3 * long, "{} of {written} bytes", journal());
    drop(store);
    let store = SqliteStore::open_read_only(&path).expect("read");
    assert_eq!(collect(&store, &Filter::default()).len(), count);
}
