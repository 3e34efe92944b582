//! The files of a SQLite store: who may read them, who may append, how a connection is set up, and the schema.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior};

use crate::store::StoreError;

/// The folder and the database file, for this user alone. SQLite gives its journal the mode of the database.
pub(super) fn make_private(folder: &Path) -> Result<(), StoreError> {
    let file = folder.join(FILE);
    let at = |what, path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::File { what, path, source }
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(at("make", folder))?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&file)
        .map_err(at("open", &file))?;
    for (path, mode) in [(folder, 0o700), (&*file, 0o600)] {
        let found = fs::metadata(path)
            .map_err(at("read the permissions of", path))?
            .permissions()
            .mode();
        if found & 0o077 != 0 {
            fs::set_permissions(path, Permissions::from_mode(mode)).map_err(at("make private", path))?;
        }
    }
    Ok(())
}

/// Takes the lock of the one process that appends. The system lets go of it however that process ends.
pub(super) fn take_lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let failed = |what| {
        let path = path.clone();
        move |source| StoreError::File { what, path, source }
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed("open"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
            return Err(StoreError::Held {
                path: folder.to_owned(),
                pid,
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
    }
    // Who holds it is a courtesy to whoever is refused: a full disk must not keep the gateway from starting to say so.
    let noted = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    noted
        .or_else(|error| {
            if error.kind() == io::ErrorKind::StorageFull {
                Ok(())
            } else {
                Err(error)
            }
        })
        .map_err(failed("write"))?;
    Ok(file)
}

/// A connection that may write, with the schema in place.
pub(super) fn connect(folder: &Path, patience: Duration) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(folder.join(FILE), flags)?;
    connection.busy_timeout(patience)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(SETTINGS)?;
    connection.set_prepared_statement_cache_capacity(32);
    if schema_of(&connection)? != Some(SCHEMA) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = schema_of(&transaction)?.unwrap_or(0);
        let missing = usize::try_from(found).ok().and_then(|known| MIGRATIONS.get(known..));
        let missing = missing.ok_or(StoreError::Newer { found, known: SCHEMA })?;
        for step in missing {
            transaction.execute_batch(step)?;
        }
        transaction.execute("UPDATE meta SET value = ?1 WHERE name = 'schema'", [SCHEMA])?;
        transaction.commit()?;
    }
    Ok(connection)
}

/// Whether the store in `folder` has an older schema, which a running gateway may be using.
pub(super) fn is_older(folder: &Path) -> Result<bool, StoreError> {
    let connection = Connection::open_with_flags(folder.join(FILE), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(SHARED_PATIENCE)?;
    Ok(schema_of(&connection)?.is_some_and(|found| found < SCHEMA))
}

/// The schema that the store was written with; none when it is new.
pub(super) fn schema_of(connection: &Connection) -> Result<Option<i64>, StoreError> {
    let exists = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta')";
    if !connection.query_row(exists, [], |row| row.get(0))? {
        return Ok(None);
    }
    Ok(connection
        .query_row("SELECT value FROM meta WHERE name = 'schema'", [], |row| row.get(0))
        .optional()?)
}

pub(super) const FILE: &str = "ordain.sqlite";
pub(super) const LOCK: &str = "lock";

/// The newest schema that this program knows.
pub(super) const SCHEMA: i64 = MIGRATIONS.len() as i64;

/// What leads from nothing to the newest schema, one step a schema. A step that was released is never changed.
const MIGRATIONS: [&str; 4] = [TABLES, KEY_TERMS, super::tickets::TABLES, FEWER_INDICES];

/// How long the writer waits for a command that manages keys: those hold their lock for a few milliseconds, and the
/// gateway's callers are waiting.
pub(super) const WRITER_PATIENCE: Duration = Duration::from_secs(1);
pub(super) const SHARED_PATIENCE: Duration = Duration::from_secs(5);

/// `fullfsync` matters on macOS only, where a plain sync stops at the disk's cache. `secure_delete` overwrites erased
/// names. A checkpoint comes every 16 MiB: it is the one slow commit of a process that manages keys, and the writer leaves it to
/// a thread (`journal.rs`). The cache of 16 MiB holds the ends of the indices that every commit touches.
const SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 4096;
    PRAGMA journal_size_limit = 33554432;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -16384;
";

/// `id` is unique, and an intent or refusal has the id of its exchange: hence one opening an exchange.
const TABLES: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta (name, value) VALUES ('schema', 1), ('keys_version', 0), ('probes', 0);

    CREATE TABLE records (
        seq INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
        kind INTEGER NOT NULL,
        exchange BLOB NOT NULL CHECK (kind = 2 OR exchange = id),
        at_ms INTEGER NOT NULL,
        subject BLOB NOT NULL,
        bytes BLOB NOT NULL,
        leaf BLOB NOT NULL CHECK (length(leaf) = 32)
    ) STRICT;
    CREATE UNIQUE INDEX records_outcome ON records (exchange) WHERE kind = 2;
    CREATE INDEX records_at ON records (at_ms);
    CREATE INDEX records_subject ON records (subject, seq);
    CREATE TRIGGER records_stay BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'records never change'); END;

    CREATE TABLE open_exchanges (exchange BLOB PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;

    CREATE TABLE subjects (id BLOB PRIMARY KEY CHECK (length(id) = 16), name TEXT UNIQUE) STRICT, WITHOUT ROWID;

    CREATE TABLE keys (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
        prefix TEXT NOT NULL,
        subject BLOB NOT NULL REFERENCES subjects (id),
        client TEXT,
        label TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        revoked_ms INTEGER
    ) STRICT, WITHOUT ROWID;
";

/// Keys that end, that open a part only, that follow others, and what is spent with them.
const KEY_TERMS: &str = "
    ALTER TABLE keys ADD COLUMN expires_ms INTEGER;
    ALTER TABLE keys ADD COLUMN line TEXT NOT NULL DEFAULT '';
    ALTER TABLE keys ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE keys ADD COLUMN used_day INTEGER;
    UPDATE keys SET line = id;

    CREATE TABLE spending (
        holder TEXT NOT NULL,
        period TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        requests INTEGER NOT NULL CHECK (requests >= 0),
        tokens INTEGER NOT NULL CHECK (tokens >= 0),
        cost INTEGER NOT NULL CHECK (cost >= 0),
        PRIMARY KEY (holder, period)
    ) STRICT, WITHOUT ROWID;
";

/// Only the index by id is kept with every record; `lookups.rs` and `open.rs` say what has taken the place of the others.
const FEWER_INDICES: &str = "
    CREATE TABLE by_subject (subject BLOB, seq INTEGER, PRIMARY KEY (subject, seq)) STRICT, WITHOUT ROWID;
    CREATE TABLE outcomes (exchange BLOB PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE spans (
        first INTEGER PRIMARY KEY,
        last INTEGER NOT NULL,
        from_ms INTEGER NOT NULL,
        to_ms INTEGER NOT NULL
    ) STRICT;
    INSERT INTO by_subject SELECT subject, seq FROM records ORDER BY subject, seq;
    INSERT INTO outcomes SELECT exchange, seq FROM records WHERE kind = 2 ORDER BY exchange;
    INSERT INTO spans SELECT min(seq), max(seq), min(at_ms), max(at_ms) FROM records GROUP BY seq / 1024;
    INSERT INTO meta SELECT 'listed', coalesce(max(seq) + 1, 0) FROM records;
    INSERT INTO meta SELECT 'settled', coalesce(
        (SELECT min(seq) FROM open_exchanges), (SELECT max(seq) + 1 FROM records), 0);
    DROP TABLE open_exchanges;
    DROP INDEX records_outcome;
    DROP INDEX records_at;
    DROP INDEX records_subject;
";
