//! The journal of the file (SQLite's WAL): laid out ahead of time, and copied into the file beside the commits.
//!
//! A commit appends to the journal and syncs it. That is fast while the journal's place on the disk is there already, so it is
//! filled with zeros before it is used, which SQLite takes for a journal that ends before them. Now and then what stands in
//! it is copied into the file, so that the journal can begin anew. A thread does most of that with a connection of its own,
//! while commits go on; the few pages that came meanwhile are left to the writer, between two commits. Start at [`Journal::tend`].

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;

use super::files::{FILE, WRITER_PATIENCE, connect};
use crate::store::StoreError;

/// What the writer knows of the journal, and the thread that copies it.
#[derive(Debug)]
pub(super) struct Journal {
    shared: Arc<Shared>,
    /// Asks for a copy; the thread ends when it is dropped.
    ask: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How many pages stand in the journal, as of the last commit.
    pages: AtomicI32,
    /// [`IDLE`], [`COPYING`] or [`COPIED`].
    state: AtomicU8,
}

impl Journal {
    /// Watches the commits of `connection`, which stops to copy the journal by itself, and starts the thread.
    pub(super) fn watch(folder: &Path, connection: &mut Connection) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::default());
        let counted = Arc::clone(&shared);
        connection.wal_hook(Some(move |_: &mut Wal, pages| {
            counted.pages.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        let second = connect(folder, WRITER_PATIENCE)?;
        let (ask, asked) = mpsc::sync_channel(1);
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                while asked.recv().is_ok() {
                    copy(&second);
                    of_thread.state.store(COPIED, Ordering::Release);
                }
            })
            .map_err(|source| StoreError::File {
                what: "start the thread that copies the journal of",
                path: folder.to_owned(),
                source,
            })?;
        Ok(Self {
            shared,
            ask: Some(ask),
            thread: Some(thread),
        })
    }

    /// Called after each commit: asks for a copy when the journal has grown long, and copies the rest once that is done.
    pub(super) fn tend(&self, connection: &Connection) {
        match self.shared.state.load(Ordering::Acquire) {
            IDLE if self.shared.pages.load(Ordering::Relaxed) >= LONG => {
                self.shared.state.store(COPYING, Ordering::Release);
                if let Some(ask) = &self.ask {
                    // The channel has room for the one question that can be open.
                    let _ = ask.try_send(());
                }
            }
            COPIED => {
                copy(connection);
                self.shared.state.store(IDLE, Ordering::Release);
            }
            _ => {}
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            // It copies and ends; a panic in it would have nothing to say here.
            let _ = thread.join();
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

/// Makes room for the journal on the disk, behind whatever stands in it, once a connection has opened it (SQLite removes
/// a journal that it finds beside a new file). Nothing depends on it but speed, so that a disk
/// without room for it is no failure.
pub(super) fn lay_out(folder: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(folder.join(format!("{FILE}-wal")))?;
    let zeros = [0; 1 << 16];
    while file.metadata()?.len() < ROOM {
        file.write_all(&zeros)?;
    }
    file.sync_data()
}

/// Nothing to do: the journal is short.
const IDLE: u8 = 0;
/// The thread was asked.
const COPYING: u8 = 1;
/// The thread is done; what came meanwhile is left.
const COPIED: u8 = 2;

/// With so many pages (of 4 KiB) the journal is copied. Copying is work that no commit waits for, and a longer journal has
/// more changes of the same page in it, of which only the last is copied.
const LONG: i32 = 4096;

/// How much room is made: what is [`LONG`], and what comes while it is copied.
const ROOM: u64 = 24 << 20;
