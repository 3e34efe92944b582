//! The one who owns the spool: decides whether the time is still running, writes lines, gives them to the ledger, and takes
//! reviews in.
//!
//! Nothing here waits or looks at a clock; [`super::thread`] does both. Read [`Keeper::spool`] and [`Keeper::settle`] first.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use ordain_core::record::gap::Gap;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use uuid::Uuid;

use super::hour::{Hour, Moment};
use super::ledger::{self, InHand, Ledger, Put};
use super::seal::Seal;
use super::spool::{self, Read, Spool};
use super::state::{Paths, State, Taking};
use super::{BATCH, Entitled, GlassError, Refused};
use crate::config::BreakGlass;
use crate::keys::KeyHasher;
use crate::recorder::RecordError;
use crate::store::{Kind, NewRecord, Store, StoreError, describe};

/// The spool, and what is known of it.
#[derive(Debug)]
pub struct Keeper {
    paths: Paths,
    seal: Seal,
    most: u64,
    /// The incident that runs, or waits for its review.
    running: Option<Running>,
    /// Exchanges that an earlier process left open in the store, while what it spooled of them is not there yet.
    left: HashSet<Uuid>,
    _lock: File,
}

#[derive(Debug)]
struct Running {
    state: State,
    hour: Hour,
    spool: Spool,
    /// Lines that an earlier process wrote.
    earlier: u64,
    /// Exchanges whose records go on in the spool, since the ledger has not taken their first one.
    open: HashSet<Uuid>,
}

/// Why the ledger has not taken the spool.
#[derive(Debug, Error)]
pub enum Untaken {
    /// The store fails.
    #[error("{}", describe(.0))]
    Store(#[from] StoreError),
    /// The recorder does.
    #[error(transparent)]
    Recorder(#[from] RecordError),
    /// The spool does.
    #[error("the spool cannot be read or written: {0}")]
    Spool(#[from] io::Error),
}

/// Where an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) incident: Uuid,
    /// Milliseconds that are left.
    pub(super) left_ms: i64,
    /// Records that the ledger has not taken.
    pub(super) waiting: u64,
}

impl Keeper {
    /// Opens the spool of a gateway, and makes its folder at the first run.
    ///
    /// # Errors
    ///
    /// [`GlassError`] if it cannot be used, or another process uses it.
    pub fn open(
        folder: &std::path::Path,
        config: &BreakGlass,
        hasher: &KeyHasher,
        now: Moment,
    ) -> Result<Self, GlassError> {
        let paths = Paths::new(folder.join(&config.spool));
        let failed = |what, path: PathBuf| move |source| GlassError::File { what, path, source };
        let mut builder = DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(paths.folder())
            .map_err(failed("make", paths.folder().to_owned()))?;
        let mut lock = OpenOptions::new();
        let lock = lock.write(true).create(true).truncate(false).mode(0o600);
        let lock = lock.open(paths.lock()).map_err(failed("open", paths.lock()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(GlassError::Held(paths.folder().to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed("lock", paths.lock())(source)),
        }
        let seal = Seal::new(hasher);
        let state = State::load(&paths, &seal).map_err(failed("read", paths.state()))?;
        let running = match state {
            None => None,
            Some(state) if state.reviewed => {
                clear(&paths, state.incident).map_err(failed("remove what is left in", paths.folder().to_owned()))?;
                None
            }
            Some(state) => {
                let path = paths.spool(state.incident);
                let opened = Running::resume(&paths, &seal, state, now);
                Some(opened.map_err(failed("use", path))?)
            }
        };
        Ok(Self {
            paths,
            seal,
            most: config.most,
            running,
            left: HashSet::new(),
            _lock: lock,
        })
    }

    /// Gives the ledger, before the gateway listens, what an earlier process spooled; how many records that were. Whether
    /// it could is no reason not to start: then it is tried again later. What that process left open is closed afterwards.
    ///
    /// # Errors
    ///
    /// If the store cannot be read either.
    pub fn begin(&mut self, store: &mut dyn Store, now_ms: i64) -> Result<u64, StoreError> {
        let waiting = self.waiting();
        match self.settle(&mut InHand(store), now_ms) {
            Ok(taken) => Ok(taken),
            Err(error) => {
                tracing::error!(%error, waiting, "the ledger cannot take what was spooled under the break-glass yet");
                self.left = store.open_intents()?.iter().map(|intent| intent.id).collect();
                Ok(0)
            }
        }
    }

    /// Whether exchanges of an earlier process stay open until the ledger has taken the spool.
    #[must_use]
    pub fn has_left_open(&self) -> bool {
        self.waiting() > 0
    }

    /// Where the incident is, if there is one.
    pub(super) fn standing(&mut self, now: Moment) -> Option<Standing> {
        let running = self.running.as_mut()?;
        Some(Standing {
            incident: running.state.incident,
            left_ms: running.hour.left(running.state.minutes, now),
            waiting: running.spool.lines() - running.state.taken.1,
        })
    }

    fn waiting(&self) -> u64 {
        let waiting = |running: &Running| running.spool.lines() - running.state.taken.1;
        self.running.as_ref().map_or(0, waiting)
    }

    /// Spools records of exchanges to which the break-glass is open. The first one begins the time.
    pub(super) fn spool(&mut self, records: &[NewRecord], entitled: &Entitled, now: Moment) -> Result<(), Refused> {
        let most = self.most / 8 * 7;
        let running = match &mut self.running {
            Some(running) => running,
            whole @ None => {
                let begun = Running::begin(&self.paths, &self.seal, entitled, now);
                whole.insert(begun.map_err(|error| unwritable(&error))?)
            }
        };
        if running.state.use_ != entitled.use_ {
            return Err(Refused::Unreviewed);
        }
        let minutes = entitled.minutes.min(running.state.minutes);
        if running.hour.left(minutes, now) == 0 {
            return Err(Refused::Over);
        }
        let bytes: usize = records.iter().map(|record| record.bytes.len()).sum();
        if running.spool.len() + bytes as u64 > most {
            return Err(Refused::Full);
        }
        let written = running.append(records);
        if written.is_err() && running.spool.lines() == 0 {
            // Nothing has happened under it, so that there is nothing to review.
            self.end().map_err(|error| unwritable(&error))?;
        }
        written
    }

    /// Spools the outcomes of exchanges that began in the spool, whether or not the time is over: what has begun is written
    /// down to its end. Gives those back whose intents are in the ledger by now.
    pub(super) fn follow(&mut self, records: Vec<NewRecord>, now: Moment) -> (Result<(), Refused>, Vec<NewRecord>) {
        let Some(running) = &mut self.running else {
            return (Ok(()), records);
        };
        let (here, elsewhere): (Vec<_>, Vec<_>) = records
            .into_iter()
            .partition(|record| running.open.contains(&record.exchange));
        if here.is_empty() {
            return (Ok(()), elsewhere);
        }
        running.hour.spent(now);
        let bytes: usize = here.iter().map(|record| record.bytes.len()).sum();
        if running.spool.len() + bytes as u64 > self.most {
            return (Err(Refused::Full), elsewhere);
        }
        (running.append(&here), elsewhere)
    }

    /// Keeps what is gone of the time, for the next process.
    pub(super) fn note(&mut self, now: Moment) {
        let Some(running) = &mut self.running else { return };
        running.hour.spent(now);
        running.state.hour = running.hour.kept();
        if let Err(error) = running.state.save(&self.paths, &self.seal) {
            tracing::error!(%error, "what is left of the break-glass could not be noted");
        }
    }

    /// Gives the ledger what it has not taken, then the record of the gap; how many records that were. INVARIANT: each is there
    /// once, whenever this is broken off and begun again.
    ///
    /// # Errors
    ///
    /// [`Untaken`]; then it is to be tried again, and goes on where it was.
    pub(super) fn settle(&mut self, ledger: &mut impl Ledger, now_ms: i64) -> Result<u64, Untaken> {
        let mut taken = 0;
        while self.waiting() > 0 {
            taken += self.settle_part(ledger, now_ms)?;
        }
        Ok(taken)
    }

    /// One part: what was begun before goes on to the end that it had then.
    fn settle_part(&mut self, ledger: &mut impl Ledger, now_ms: i64) -> Result<u64, Untaken> {
        let Some(running) = &mut self.running else { return Ok(0) };
        let end = (running.spool.len(), running.spool.lines());
        let taking = match running.state.taking {
            Some(taking) => taking,
            None => {
                let taking = Taking {
                    to: end,
                    gap: Uuid::now_v7(),
                    at_ms: now_ms,
                };
                running.state.taking = Some(taking);
                running.state.hour = running.hour.kept();
                if let Err(error) = running.state.save(&self.paths, &self.seal) {
                    running.state.taking = None;
                    return Err(error.into());
                }
                taking
            }
        };
        let (from, path) = (running.state.taken, self.paths.spool(running.state.incident));
        let mut part = Part::default();
        let mut batch = Vec::new();
        let key = (running.state.incident, &self.seal);
        spool::read::<Untaken>(&path, key, (from.0, taking.to.0), |bytes, line| {
            part.add(bytes, &line, running.earlier);
            if let Read::Whole(line) = line {
                batch.push(line.record);
            }
            if batch.len() >= BATCH {
                part.put(ledger, std::mem::take(&mut batch))?;
            }
            Ok(())
        })?;
        part.put(ledger, batch)?;
        let mut begun = std::mem::take(&mut part.begun);
        begun.extend(&self.left);
        if !begun.is_empty() {
            ledger.with(move |store| ledger::close(store, &begun, now_ms))??;
        }
        let digest = format!("sha256:{}", hex(&part.digest.finalize()));
        let gap = Gap {
            incident: &running.state.incident.to_string(),
            use_: &running.state.use_,
            minutes: running.state.minutes,
            from_ms: part.first_ms.unwrap_or(taking.at_ms),
            until_ms: part.last_ms,
            records: part.records,
            damaged: part.damaged,
            unplaced: part.put.unplaced,
            bytes: taking.to.0 - from.0,
            digest: &digest,
        };
        let gap = ledger::gap(taking.gap, taking.at_ms, &gap);
        ledger.with(move |store| ledger::put(store, vec![gap]))??;
        running.state.taken = taking.to;
        running.state.taking = None;
        running.state.gaps.push(taking.gap);
        for exchange in &part.opened {
            running.open.remove(exchange);
        }
        self.left.clear();
        // The ledger has it. If this cannot be noted, the next process offers all of it again, and it is passed over.
        running.state.save(&self.paths, &self.seal)?;
        let (incident, records) = (running.state.incident, part.records);
        tracing::error!(%incident, records, damaged = part.damaged, unplaced = part.put.unplaced, "the ledger has taken what was spooled under the break-glass; it has to be reviewed");
        Ok(records)
    }

    /// Ends an incident that was reviewed: its spool goes, and a new time may begin.
    pub(super) fn end(&mut self) -> io::Result<()> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        let incident = running.state.incident;
        running.state.reviewed = true;
        if let Err(error) = running.state.save(&self.paths, &self.seal) {
            // What is spooled from now on must not go with it.
            running.state.reviewed = false;
            return Err(error);
        }
        self.running = None;
        clear(&self.paths, incident)
    }

    /// What of the incident a review needs to know.
    pub(super) fn reviewable(&self) -> Option<(State, Arc<std::path::Path>)> {
        let running = self.running.as_ref()?;
        let path = self.paths.spool(running.state.incident);
        Some((running.state.clone(), path.into()))
    }

    pub(super) const fn paths(&self) -> &Paths {
        &self.paths
    }

    pub(super) const fn seal(&self) -> &Seal {
        &self.seal
    }
}

/// Removes what is left of an incident, the spool first: whoever is killed in between goes on with it.
fn clear(paths: &Paths, incident: Uuid) -> io::Result<()> {
    let path = paths.spool(incident);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::remove_file(paths.state())?;
    spool::sync_folder(&path)
}

fn unwritable(error: &io::Error) -> Refused {
    tracing::error!(%error, "the spool of the break-glass cannot be written");
    Refused::Unwritable
}

impl Running {
    /// Begins an incident: its state is durable before its first record is.
    fn begin(paths: &Paths, seal: &Seal, entitled: &Entitled, now: Moment) -> io::Result<Self> {
        let hour = Hour::begin(now);
        let state = State {
            incident: Uuid::now_v7(),
            use_: entitled.use_.clone(),
            minutes: entitled.minutes,
            hour: hour.kept(),
            taken: (0, 0),
            taking: None,
            gaps: Vec::new(),
            reviewed: false,
        };
        let path = paths.spool(state.incident);
        let spool = Spool::create(&path, state.incident, seal)?;
        if let Err(error) = state.save(paths, seal) {
            // Without a state the file means nothing; it is left only if the disk does not even let go of it.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        let incident = state.incident;
        tracing::error!(%incident, use_ = state.use_, minutes = state.minutes, "the break-glass is open: nothing can be recorded in the ledger, and requests for one use go on");
        Ok(Self {
            state,
            hour,
            spool,
            earlier: 0,
            open: HashSet::new(),
        })
    }

    /// Goes on with an incident that an earlier process began.
    fn resume(paths: &Paths, seal: &Seal, mut state: State, now: Moment) -> io::Result<Self> {
        let path = paths.spool(state.incident);
        let spool = Spool::open(&path, state.incident, seal)?;
        spool::read::<io::Error>(
            &path,
            (state.incident, seal),
            (state.taken.0, spool.len()),
            |_, line| {
                if let Read::Whole(line) = line {
                    state.hour.latest_ms = state.hour.latest_ms.max(line.wall_ms);
                    state.hour.spent_ms = state.hour.spent_ms.max(line.spent_ms);
                }
                Ok(())
            },
        )?;
        Ok(Self {
            hour: Hour::resume(state.hour, now),
            earlier: spool.lines(),
            state,
            spool,
            open: HashSet::new(),
        })
    }

    fn append(&mut self, records: &[NewRecord]) -> Result<(), Refused> {
        self.spool
            .append(records, self.hour.kept())
            .map_err(|error| unwritable(&error))?;
        for record in records {
            match record.kind {
                Kind::Intent => drop(self.open.insert(record.exchange)),
                _ => drop(self.open.remove(&record.exchange)),
            }
        }
        Ok(())
    }
}

/// A part of a spool on its way into the ledger.
#[derive(Debug, Default)]
struct Part {
    records: u64,
    damaged: u64,
    put: Put,
    first_ms: Option<i64>,
    last_ms: i64,
    digest: Sha256,
    /// Exchanges whose first record is in it.
    opened: Vec<Uuid>,
    /// Exchanges that an earlier process began.
    begun: HashSet<Uuid>,
}

impl Part {
    fn add(&mut self, bytes: &[u8], line: &Read, earlier: u64) {
        self.digest.update(bytes);
        let Read::Whole(line) = line else {
            self.damaged += 1;
            return;
        };
        self.records += 1;
        self.first_ms = self.first_ms.or(Some(line.wall_ms));
        self.last_ms = line.wall_ms;
        if line.record.kind == Kind::Intent {
            self.opened.push(line.record.exchange);
        }
        if line.number <= earlier && line.record.kind != Kind::Refusal {
            self.begun.insert(line.record.exchange);
        }
    }

    fn put(&mut self, ledger: &mut impl Ledger, batch: Vec<NewRecord>) -> Result<(), Untaken> {
        if !batch.is_empty() {
            let put = ledger.with(move |store| ledger::put(store, batch))??;
            self.put.added += put.added;
            self.put.known += put.known;
            self.put.unplaced += put.unplaced;
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
