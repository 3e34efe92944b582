//! The journal of the file (SQLite's WAL): laid out ahead of time, and copied into the file beside the commits.
//!
//! A commit appends to the journal and syncs it. That is fast while the journal's place on the disk is there already, so it is
//! filled with zeros before it is used, which SQLite takes for a journal that ends before them. Now and then what stands in
//! it is copied into the file, so that the journal can begin anew. A thread does both, the latter with a connection of its own,
//! while commits go on; the few pages that came meanwhile are left to the writer, between two commits. Start at
//! [`Journal::tend`].

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;

use super::files::{FILE, WRITER_PATIENCE, connect};
use crate::store::StoreError;

/// What the writer knows of the journal, and the thread that works on it.
#[derive(Debug)]
pub(super) struct Journal {
    shared: Arc<Shared>,
    /// Asks for work; the thread ends when it is dropped.
    ask: Option<SyncSender<Work>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How many bytes of the journal are used, as of the last commit.
    used: AtomicU64,
    /// How long its file is, as far as it was laid out.
    room: AtomicU64,
    /// [`IDLE`], [`WORKING`] or [`COPIED`].
    state: AtomicU8,
}

/// What the thread does.
#[derive(Debug, Clone, Copy)]
enum Work {
    LayOut,
    Copy,
}

impl Journal {
    /// Watches the commits of `connection`, which stops to copy the journal by itself, and starts the thread.
    pub(super) fn watch(folder: &Path, connection: &mut Connection) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::default());
        let counted = Arc::clone(&shared);
        connection.wal_hook(Some(move |_: &mut Wal, pages| {
            let pages = u64::try_from(pages).unwrap_or_default();
            counted.used.store(pages * PAGE, Ordering::Relaxed);
            Ok(())
        }))?;
        let second = connect(folder, WRITER_PATIENCE)?;
        let file = folder.join(format!("{FILE}-wal"));
        let (ask, asked) = mpsc::sync_channel(1);
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                for work in asked {
                    let state = of_thread.work(work, &second, &file);
                    of_thread.state.store(state, Ordering::Release);
                }
            })
            .map_err(|source| StoreError::File {
                what: "start the thread for the journal of",
                path: folder.to_owned(),
                source,
            })?;
        let journal = Self {
            shared,
            ask: Some(ask),
            thread: Some(thread),
        };
        journal.tend(connection);
        Ok(journal)
    }

    /// Called after each commit: asks for room or for a copy when it is time, and copies the rest once the copy is done.
    pub(super) fn tend(&self, connection: &Connection) {
        let used = self.shared.used.load(Ordering::Relaxed);
        let work = match self.shared.state.load(Ordering::Acquire) {
            IDLE if used >= LONG => Work::Copy,
            IDLE if used + AHEAD > self.shared.room.load(Ordering::Relaxed) => Work::LayOut,
            COPIED => {
                copy(connection);
                self.shared.state.store(IDLE, Ordering::Release);
                return;
            }
            _ => return,
        };
        self.shared.state.store(WORKING, Ordering::Release);
        if let Some(ask) = &self.ask {
            // The channel has room for the one question that can be open.
            let _ = ask.try_send(work);
        }
    }

    /// The journal's file was cut off: there is no more room than what it uses.
    pub(super) fn was_cut(&self) {
        self.shared.used.store(0, Ordering::Relaxed);
        self.shared.room.store(0, Ordering::Relaxed);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            // It ends what it does; a panic in it would have nothing to say here.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn work(&self, work: Work, connection: &Connection, file: &Path) -> u8 {
        match work {
            Work::Copy => {
                copy(connection);
                COPIED
            }
            Work::LayOut => {
                let room = self.room.load(Ordering::Relaxed) + STEP;
                if let Err(error) = lay_out(file, room) {
                    tracing::debug!(%error, "no room could be made for the store's journal; commits take longer");
                }
                self.room.store(room, Ordering::Relaxed);
                IDLE
            }
        }
    }
}

/// Copies what can be copied without waiting for anybody. What fails is tried again after a later commit: until then the
/// journal keeps it, and it is there for every reader.
fn copy(connection: &Connection) {
    if let Err(error) = connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE) {
        tracing::warn!(%error, "the store's journal could not be copied into its file; it grows until it can");
    }
}

/// Makes the journal's file at least so long, behind whatever stands in it. Nothing depends on it but speed, so none is made on a
/// disk that has little room, nor where SQLite has no journal yet.
fn lay_out(file: &Path, length: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(file)?;
    let disk = rustix::fs::fstatvfs(&file)?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < SPARE {
        return Ok(());
    }
    let zeros = [0; 1 << 16];
    while file.metadata()?.len() < length {
        file.write_all(&zeros)?;
    }
    file.sync_data()
}

/// Nothing to do.
const IDLE: u8 = 0;
/// The thread was asked.
const WORKING: u8 = 1;
/// The thread has copied; what came meanwhile is left.
const COPIED: u8 = 2;

/// SQLite's pages, in bytes; those of an older file may be others, and then the numbers below are a little off.
const PAGE: u64 = 4096;

/// When the journal has so many bytes it is copied. No commit waits for that, and a longer journal has more changes of
/// the same page in it, of which only the last is copied.
const LONG: u64 = 16 << 20;

/// Room is made when less than this is left, so much at a time.
const AHEAD: u64 = 1 << 20;
const STEP: u64 = 2 << 20;

/// A disk with less than this left is not filled for speed.
const SPARE: u64 = 256 << 20;
