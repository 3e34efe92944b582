//! Writes records durably and says when they are: one thread owns the store, and one commit serves all who wait.
//!
//! The gateway may send nothing before its intent is durable, and end nothing before its outcome is. So the thread takes
//! whatever has queued up while the last commit ran, commits it as one, and answers each caller. Nothing is delayed to
//! make a batch larger: under load the batches grow by themselves. Start at [`Recorder::start`].
//!
//! INVARIANT: records are written in the order in which they were handed over. An [`Ack`] means that the record is on
//! disk; no ack means that it may or may not be, and the caller acts as if it were not.
//!
//! INVARIANT: an outcome given to [`RecorderHandle::record_detached`] is written before the recorder ends, however long
//! the store fails meanwhile; [`Recorder::shutdown`] says so if even then it could not be.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::oneshot;

use crate::store::{Kind, NewRecord, Store, StoreError, StoredRecord, describe};

/// The thread that writes, and the end of its life.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<usize>>,
}

/// What everybody else holds: the way to the thread. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RecorderHandle {
    shared: Arc<Shared>,
}

/// The record is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Its place in the store and its leaf's index.
    pub sequence: u64,
}

/// Why a record has no ack.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// So many records wait that another would wait too long; it was not taken.
    #[error("the recorder's queue is full")]
    Full,
    /// The store failed. The recorder goes on trying to reach it by itself.
    #[error("the record could not be written: {0}")]
    Failed(Arc<str>),
    /// This record cannot stand in the store, whenever it is offered.
    #[error("the record was rejected: {0}")]
    Rejected(Arc<str>),
    /// The recorder has ended, or ended before it came to this record.
    #[error("the recorder has stopped")]
    Stopped,
}

/// Outcomes that could not be written before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{count} outcomes could not be written; the next start closes their exchanges as unknown")]
pub struct Unwritten {
    /// How many.
    pub count: usize,
}

impl Recorder {
    /// Starts the thread. `capacity` is how many records may wait before [`RecordError::Full`].
    pub fn start(store: Box<dyn Store>, capacity: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                jobs: VecDeque::new(),
                closed: false,
                idle: false,
            }),
            wake: Condvar::new(),
            trouble: Mutex::new(None),
            overflowed: AtomicU64::new(0),
            capacity,
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(move || {
            let guard = StopGuard(&of_thread);
            come_first();
            let mut writer = Writer {
                store,
                shared: guard.0,
                failing: false,
                batch: Vec::new(),
                callers: Vec::new(),
            };
            writer.run();
            writer.batch.len()
        })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// A way to the thread.
    pub fn handle(&self) -> RecorderHandle {
        RecorderHandle {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Takes no more records, writes those that wait, and ends the thread. Blocks until that is done.
    ///
    /// # Errors
    ///
    /// When the store still failed at the end and detached outcomes are lost with it.
    pub fn shutdown(mut self) -> Result<(), Unwritten> {
        match self.stop() {
            0 => Ok(()),
            count => Err(Unwritten { count }),
        }
    }

    fn stop(&mut self) -> usize {
        self.shared.close();
        let Some(thread) = self.thread.take() else { return 0 };
        thread.join().unwrap_or_else(|_| {
            tracing::error!("the recorder's thread panicked");
            0
        })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let count = self.stop();
        if count > 0 {
            tracing::error!(count, "outcomes could not be written before the recorder ended");
        }
    }
}

impl RecorderHandle {
    /// Queues `record` at once, before the future is first polled, so that the caller may do other things while it is
    /// written. The future ends when it is durable, or cannot be.
    ///
    /// A full queue turns away intents and refusals, never an outcome: its exchange was let in.
    ///
    /// Dropping the future takes nothing back: the record is written all the same. Whoever gives up waiting for an intent
    /// still owes its exchange an outcome, by [`Self::record_detached`]. So does whoever hears that an outcome failed, and
    /// it should say how the exchange ended because of that. An intent that failed needs nothing: at worst it was written
    /// after all, and the next start closes it.
    pub fn record(&self, record: NewRecord) -> impl Future<Output = Result<Ack, RecordError>> + Send + use<> {
        let (ack, wait) = oneshot::channel();
        let queued = self.shared.push(Job::Record(record, Some(ack)));
        async move {
            queued?;
            wait.await.unwrap_or(Err(RecordError::Stopped))
        }
    }

    /// Queues an outcome that nobody waits for: the client has gone. It is taken even when the queue is full, and kept
    /// while the store fails: its intent is on disk and must not stay open.
    ///
    /// # Errors
    ///
    /// Only [`RecordError::Stopped`].
    pub fn record_detached(&self, record: NewRecord) -> Result<(), RecordError> {
        self.shared.push(Job::Record(record, None))
    }

    /// Runs `work` on the recorder's thread, in its turn between the batches. For the rare writes of a running gateway (a
    /// new subject, a revoked key): records wait while it runs, so long reads belong on a read-only connection.
    pub fn with_store<T, W>(&self, work: W) -> impl Future<Output = Result<T, RecordError>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&mut dyn Store) -> T + Send + 'static,
    {
        let (answer, wait) = oneshot::channel();
        let job = Job::Run(Box::new(move |store| {
            // Whoever asked may have gone.
            let _ = answer.send(work(store));
        }));
        let queued = self.shared.push(job);
        async move {
            queued?;
            wait.await.map_err(|_| RecordError::Stopped)
        }
    }

    /// Why nothing can be recorded at the moment; none while all is well. While there is trouble the recorder probes the
    /// store by itself, so that a gateway that was taken out of service for it comes back.
    pub fn trouble(&self) -> Option<Arc<str>> {
        lock(&self.shared.trouble).clone()
    }

    /// Whether records can be written, as far as is known.
    pub fn healthy(&self) -> bool {
        self.trouble().is_none()
    }

    /// How many records wait, for a gauge.
    pub fn queued(&self) -> usize {
        lock(&self.shared.queue).jobs.len()
    }

    /// How many records were taken although the queue was full, for a counter.
    pub fn overflowed(&self) -> u64 {
        self.shared.overflowed.load(Ordering::Relaxed)
    }
}

/// Closes what an earlier process left open: for each intent without an outcome, writes the one that `make_outcome`
/// makes of it (`unknown`, as nobody can say what became of it). `make_outcome` is given the time to put on it, which is
/// `now_ms` but never before the intent, should the clock have been set back. Call it before the gateway listens; returns
/// how many there were.
pub fn close_open_intents(
    store: &mut dyn Store,
    now_ms: i64,
    mut make_outcome: impl FnMut(&StoredRecord, i64) -> NewRecord,
) -> Result<usize, StoreError> {
    let open = store.open_intents()?;
    let outcomes: Vec<NewRecord> = open
        .iter()
        .map(|intent| make_outcome(intent, now_ms.max(intent.at_ms)))
        .collect();
    debug_assert!(
        outcomes.iter().all(|outcome| outcome.kind == Kind::Outcome),
        "only an outcome closes an intent"
    );
    for batch in outcomes.chunks(MOST_AT_ONCE) {
        store.append(batch)?;
    }
    Ok(open.len())
}

/// What the thread and the handles share.
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    trouble: Mutex<Option<Arc<str>>>,
    overflowed: AtomicU64,
    capacity: usize,
}

/// A deque under a lock, and not a channel: one deque keeps the order of everything, bounds what may be bounded and
/// lets outcomes pass the bound.
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
    /// The thread sleeps and has to be woken. Otherwise it looks again by itself, and a system call is saved.
    idle: bool,
}

enum Job {
    /// A record, and who waits for it; nobody when it is detached.
    Record(NewRecord, Caller),
    Run(Work),
}

/// Other work for the thread.
type Work = Box<dyn FnOnce(&mut dyn Store) + Send>;

/// Who waits for a record, if anybody.
type Caller = Option<oneshot::Sender<Result<Ack, RecordError>>>;

impl Job {
    /// Whether a full queue turns it away. Never an outcome, nor a record that nobody waits for: there are no more of
    /// them than intents were let in, and the bound was for those.
    const fn is_bounded(&self) -> bool {
        match self {
            Self::Record(record, caller) => caller.is_some() && !matches!(record.kind, Kind::Outcome),
            Self::Run(_) => true,
        }
    }
}

impl Shared {
    fn push(&self, job: Job) -> Result<(), RecordError> {
        let mut queue = lock(&self.queue);
        if queue.closed {
            return Err(RecordError::Stopped);
        }
        if queue.jobs.len() >= self.capacity {
            if job.is_bounded() {
                return Err(RecordError::Full);
            }
            self.overflowed.fetch_add(1, Ordering::Relaxed);
        }
        queue.jobs.push_back(job);
        let sleeping = std::mem::take(&mut queue.idle);
        drop(queue);
        if sleeping {
            self.wake.notify_one();
        }
        Ok(())
    }

    fn close(&self) {
        lock(&self.queue).closed = true;
        self.wake.notify_one();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

/// However the thread ends, nobody waits for it in vain.
struct StopGuard<'s>(&'s Shared);

impl Drop for StopGuard<'_> {
    fn drop(&mut self) {
        // Before anybody is told, so that whoever hears of it finds it here.
        *lock(&self.0.trouble) = Some("the recorder has stopped".into());
        let mut queue = lock(&self.0.queue);
        queue.closed = true;
        // Dropping the jobs drops their ends of the channels, which tells the callers.
        let left = std::mem::take(&mut queue.jobs);
        drop(queue);
        drop(left);
    }
}

/// The thread's own state.
struct Writer<'s> {
    store: Box<dyn Store>,
    shared: &'s Shared,
    /// The last append or probe failed.
    failing: bool,
    /// What the next append writes; between appends, the detached outcomes that the store could not take.
    batch: Vec<NewRecord>,
    /// Who waits for each record of the batch.
    callers: Vec<Caller>,
}

/// What the thread does next.
enum Step {
    Write,
    Run(Work),
    Probe,
    End,
}

impl Writer<'_> {
    fn run(&mut self) {
        loop {
            match self.next() {
                Step::Run(work) => work(&mut *self.store),
                Step::Write => self.write(),
                Step::Probe => self.probe(),
                Step::End => {
                    // The last chance for what was kept.
                    self.write();
                    return;
                }
            }
        }
    }

    /// Waits for work and takes it: records up to the next piece of other work, or that piece. While the store fails it
    /// waits no longer than the time after which to probe.
    fn next(&mut self) -> Step {
        let mut queue = lock(&self.shared.queue);
        while queue.jobs.is_empty() {
            if queue.closed {
                return Step::End;
            }
            queue.idle = true;
            if self.failing {
                let waited = self.shared.wake.wait_timeout(queue, PROBE_AFTER);
                let (woken, time) = waited.unwrap_or_else(PoisonError::into_inner);
                queue = woken;
                if time.timed_out() && queue.jobs.is_empty() && !queue.closed {
                    queue.idle = false;
                    return Step::Probe;
                }
            } else {
                queue = self.shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            queue.idle = false;
        }
        // Whoever else can run does so first, which under load makes the batch larger; a quiet machine loses nothing.
        drop(queue);
        std::thread::yield_now();
        let mut queue = lock(&self.shared.queue);
        let kept = self.batch.len();
        while self.batch.len() < kept + MOST_AT_ONCE {
            match queue.jobs.pop_front() {
                Some(Job::Record(record, caller)) => {
                    self.batch.push(record);
                    self.callers.push(caller);
                }
                // What was queued before it comes first.
                Some(Job::Run(work)) if self.batch.len() > kept => {
                    queue.jobs.push_front(Job::Run(work));
                    break;
                }
                Some(Job::Run(work)) => return Step::Run(work),
                None => break,
            }
        }
        Step::Write
    }

    /// Appends the batch and answers its callers. A record that cannot stand is taken out, so that it hurts no other.
    fn write(&mut self) {
        while !self.batch.is_empty() {
            match self.store.append(&self.batch) {
                Ok(sequences) => {
                    self.note(None);
                    self.batch.clear();
                    for (caller, sequence) in self.callers.drain(..).zip(sequences) {
                        answer(caller, Ok(Ack { sequence }));
                    }
                }
                Err(StoreError::Rejected { index, why }) if index < self.batch.len() => {
                    let record = self.batch.remove(index);
                    tracing::error!(record = %record.id, kind = %record.kind, %why, "a record was rejected");
                    answer(
                        self.callers.remove(index),
                        Err(RecordError::Rejected(why.to_string().into())),
                    );
                }
                Err(error) => {
                    let why: Arc<str> = describe(&error).into();
                    self.note(Some(&why));
                    self.fail(&why);
                    return;
                }
            }
        }
    }

    /// Tells all who wait that their record was not written, and keeps what nobody waits for.
    fn fail(&mut self, why: &Arc<str>) {
        let mut kept = Vec::new();
        for (record, caller) in self.batch.drain(..).zip(self.callers.drain(..)) {
            match caller {
                Some(_) => answer(caller, Err(RecordError::Failed(Arc::clone(why)))),
                None => kept.push(record),
            }
        }
        self.callers.resize_with(kept.len(), || None);
        self.batch = kept;
    }

    /// Looks whether a store that failed works again: with what was kept for it, if anything was.
    fn probe(&mut self) {
        if self.batch.is_empty() {
            let why = self.store.probe().err().map(|error| describe(&error).into());
            self.note(why.as_ref());
        } else {
            self.write();
        }
    }

    /// Makes known how the store is, before anybody is answered; in the log only when that changes.
    fn note(&mut self, trouble: Option<&Arc<str>>) {
        match (self.failing, trouble) {
            (false, None) => return,
            (false, Some(error)) => tracing::error!(%error, "nothing can be recorded"),
            (true, None) => tracing::info!("records can be written again"),
            (true, Some(_)) => {}
        }
        self.failing = trouble.is_some();
        *lock(&self.shared.trouble) = trouble.cloned();
    }
}

/// Asks the system to let this thread run before others, where its user may ask for that. Everybody waits for it, and on a busy
/// machine it would wait for its turn after every sync. Without leave it goes on as it is.
fn come_first() {
    let own = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(own), PRIORITY) {
        tracing::debug!(%error, "the recorder runs with the priority of everything else");
    }
}

fn answer(caller: Caller, result: Result<Ack, RecordError>) {
    if let Some(caller) = caller {
        // Whoever asked may have given up; the record stands all the same.
        let _ = caller.send(result);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done under these locks, so a panic elsewhere leaves nothing to distrust.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many records one commit takes at most: beyond this a larger batch saves little and the first in it waits longer.
const MOST_AT_ONCE: usize = 512;

/// The nice value that the recorder asks for; others have 0.
const PRIORITY: i32 = -10;

/// How long the recorder waits between looks at a store that failed.
const PROBE_AFTER: Duration = Duration::from_millis(250);

#[cfg(test)]
pub(crate) mod tests;
