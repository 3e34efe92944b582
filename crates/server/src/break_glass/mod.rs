//! Break-glass: the one exception to "what cannot be recorded does not happen", which the policy authorised beforehand.
//!
//! While the ledger takes no records, those of one named use and of named groups go to a spool on a local disk, durable
//! before anything happens, for an hour at most. The spool raises an alarm, goes into the ledger when that works again,
//! followed by the record of the gap, and no other time begins until somebody else has reviewed it. Verdicts are as ever;
//! only where the record goes is different. Why it is like this: `docs/decisions/0025-the-glass-is-broken-for-one-use.md`.
//!
//! `hour` is the time, `spool` the file, `ledger` the way back, `keeper` all of it without a clock, `thread` the one
//! who has a clock, `desk` what others see of it. Read [`Glass`] first; it is what the gateway holds.

mod desk;
mod hour;
mod keeper;
mod ledger;
pub mod review;
mod seal;
mod spool;
mod state;
#[cfg(test)]
mod tests;
mod thread;

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ordain_core::inspect::Rules;
use ordain_core::policy::compile::Policy;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub use desk::{Desk, Seen};
pub use hour::Moment;
use keeper::Standing;
pub use keeper::{Keeper, Untaken};
use review::{Given, Incident, NotCounted, ReviewError};
use thread::{Job, Worker};

use crate::config::BreakGlass;
use crate::metrics::Metrics;
use crate::recorder::RecorderHandle;
use crate::setup::Folder;
use crate::store::{NewRecord, Store};

/// What tells the moment.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// The clocks of this machine.
#[must_use]
pub fn clock() -> Clock {
    let begun = Instant::now();
    Arc::new(move || Moment {
        wall_ms: jiff::Timestamp::now().as_millisecond(),
        running: begun.elapsed(),
    })
}

/// How many records are written, or given to the ledger, at once.
const BATCH: usize = 256;
/// So many records may wait to be spooled.
const MOST_QUEUED: usize = 4096;
/// How long the thread is given at the end for what waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the spool cannot be used.
#[derive(Debug, Error)]
pub enum GlassError {
    /// Another process uses it.
    #[error("the spool `{}` is in use by another gateway: each needs a folder of its own", .0.display())]
    Held(PathBuf),
    /// A file of it cannot be used.
    #[error("could not {what} `{}`, which `break_glass` in `ordain.yaml` needs", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The thread could not be started.
    #[error("the thread of the break-glass could not be started")]
    Thread(#[source] io::Error),
}

/// Why a record is not spooled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// The time is over.
    #[error("the time of the break-glass is over")]
    Over,
    /// The last time was for another use and nobody has reviewed it.
    #[error("the last use of the break-glass has to be reviewed first")]
    Unreviewed,
    /// The spool has all that it may have.
    #[error("the spool is full")]
    Full,
    /// The spool's disk fails.
    #[error("the spool cannot be written")]
    Unwritable,
    /// Too many records wait, or the thread has ended.
    #[error("the spool does not come to it")]
    Busy,
}

/// What the policy allows, as far as the time goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entitled {
    pub(crate) use_: String,
    pub(crate) minutes: u32,
}

impl Entitled {
    /// What a policy allows.
    pub(crate) fn by(policy: &Policy) -> Option<Self> {
        let glass = policy.break_glass()?;
        Some(Self {
            use_: glass.use_.clone(),
            minutes: glass.minutes,
        })
    }
}

/// What the gateway and the thread share.
struct Shared {
    /// Records that wait to be spooled.
    queued: AtomicUsize,
    standing: Mutex<Option<Standing>>,
    /// Whether the spool did not take the last record that it was given.
    broken: AtomicBool,
    /// By whose policy a review counts.
    rules: Mutex<Arc<Rules>>,
}

/// The way to the spool.
pub struct Glass {
    jobs: mpsc::UnboundedSender<Job>,
    shared: Arc<Shared>,
}

impl fmt::Debug for Glass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Glass(…)")
    }
}

impl Glass {
    /// Starts the thread that owns the spool.
    ///
    /// # Errors
    ///
    /// [`GlassError::Thread`].
    pub(crate) fn start(
        keeper: Keeper,
        recorder: RecorderHandle,
        metrics: Arc<Metrics>,
        rules: Arc<Rules>,
        clock: Clock,
    ) -> Result<Self, GlassError> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            queued: AtomicUsize::new(0),
            standing: Mutex::new(None),
            broken: AtomicBool::new(false),
            rules: Mutex::new(rules),
        });
        let worker = Worker {
            keeper,
            recorder,
            metrics,
            shared: Arc::clone(&shared),
            clock,
            alarmed: None,
            untaken: None,
            ran: false,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(GlassError::Thread)?;
        std::thread::Builder::new()
            .name("break-glass".to_owned())
            .spawn(move || runtime.block_on(worker.run(queue)))
            .map_err(GlassError::Thread)?;
        Ok(Self { jobs, shared })
    }

    /// Notes by which policy reviews count from now on.
    pub(crate) fn judge_by(&self, rules: Arc<Rules>) {
        *self.shared.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// Spools a record to which the break-glass is open: on `Ok` it is on the disk.
    pub(crate) async fn spool(&self, record: NewRecord, entitled: Entitled) -> Result<(), Refused> {
        if self.shared.queued.fetch_add(1, Ordering::Relaxed) >= MOST_QUEUED {
            self.shared.queued.fetch_sub(1, Ordering::Relaxed);
            return Err(Refused::Busy);
        }
        let (answer, wait) = oneshot::channel();
        let sent = self.jobs.send(Job::Spool(record, entitled, answer));
        sent.map_err(|_| Refused::Busy)?;
        wait.await.map_err(|_| Refused::Busy)?
    }

    /// Spools the outcome of an exchange that began in the spool. It comes back if the ledger has taken its intent: then it is
    /// the recorder's.
    pub(crate) async fn follow(&self, record: NewRecord) -> Result<Option<NewRecord>, Refused> {
        let (answer, wait) = oneshot::channel();
        self.jobs.send(Job::Follow(record, answer)).map_err(|_| Refused::Busy)?;
        wait.await.map_err(|_| Refused::Busy)?
    }

    /// The same, and nobody waits for it.
    pub(crate) fn leave(&self, record: NewRecord) {
        if self.jobs.send(Job::Leave(record)).is_err() {
            tracing::error!("an outcome came after the spool was closed; its exchange is closed as unknown");
        }
    }

    /// Looks at once whether the ledger works again, and whether somebody has reviewed.
    #[cfg(test)]
    pub(crate) async fn look(&self) {
        let (done, wait) = oneshot::channel();
        if self.jobs.send(Job::Look(done)).is_ok() {
            let _ = wait.await;
        }
    }

    /// For how many more seconds requests may go on without the ledger, as it stood when it was last looked at.
    pub(crate) fn seconds_left(&self, policy: &Policy) -> i64 {
        let Some(glass) = policy.break_glass() else { return 0 };
        if self.shared.broken.load(Ordering::Relaxed) {
            return 0;
        }
        let standing = self.standing();
        let whole = i64::from(glass.minutes) * 60;
        standing.map_or(whole, |standing| (standing.left_ms / 1000).min(whole))
    }

    fn standing(&self) -> Option<Standing> {
        *self.shared.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was used and nobody has reviewed that.
    pub(crate) fn is_unreviewed(&self) -> bool {
        self.standing().is_some()
    }

    /// Waits until what was handed over is done, and ends the thread.
    pub fn close(&self) {
        let (done, wait) = std::sync::mpsc::channel();
        if self.jobs.send(Job::End(done)).is_ok() && wait.recv_timeout(PATIENCE).is_err() {
            tracing::error!("the spool of the break-glass did not come to an end");
        }
    }
}

/// Says so where the policy wants a break-glass for which there is no spool: then there is none.
pub(crate) fn warn_unless_spooled(spooled: bool, policy: &Policy) {
    if !spooled && policy.break_glass().is_some() {
        tracing::warn!("{}", NO_SPOOL);
    }
}

/// What is said where the policy wants a break-glass for which there is no spool.
pub const NO_SPOOL: &str =
    "the policy authorises a break-glass, but `break_glass` in `ordain.yaml` names no spool: without one there is none";

/// What keeps a break-glass from being what people take it for: no spool where the policy wants one, one that no policy
/// asks for, and a spool on the very disk of the store.
#[must_use]
pub fn notes(policy: &Policy, config: Option<&BreakGlass>, folder: &Folder) -> Vec<String> {
    let mut notes = Vec::new();
    let Some(config) = config else {
        if policy.break_glass().is_some() {
            notes.push(NO_SPOOL.to_owned());
        }
        return notes;
    };
    if policy.break_glass().is_none() {
        notes.push(
            "`break_glass` names a spool, but the policy authorises no break-glass: nothing will go there".to_owned(),
        );
    }
    let spool = folder.path().join(&config.spool);
    // Before the first start the spool is not there, and lies where its folder does.
    let device = |path: &Path| {
        path.ancestors()
            .find_map(|path| std::fs::metadata(path).ok())
            .map(|found| found.dev())
    };
    if device(&spool) == device(&folder.store()) {
        notes.push(format!(
            "the spool `{}` lies on the disk of the store: what fills that one, or breaks it, takes the break-glass with it",
            spool.display()
        ));
    }
    notes
}

impl Keeper {
    /// Writes a review where no gateway runs, and ends the incident; the id of the record.
    ///
    /// # Errors
    ///
    /// [`ReviewError`]; then nothing was written.
    pub fn review(&mut self, store: &mut dyn Store, rules: &Rules, given: &Given<'_>) -> Result<Uuid, ReviewError> {
        let (state, path) = self.reviewable().ok_or(NotCounted::Nothing)?;
        let incident = Incident::read(state, &path, self.seal())?;
        let id = review::review(&incident, store, rules, given)?;
        self.end()?;
        Ok(id)
    }
}
