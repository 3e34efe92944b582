//! Hot reload: a changed folder becomes the version in force, whole or not at all.
//!
//! One thread looks at the files' stamps several times a second. What it reads counts only if nothing changed while it was
//! read, so that no half of an old and a new file is ever put together (threat D3). A version that cannot be used leaves the
//! one before it in force, and says so in the log and at `/readyz`. Read [`watch`] first.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::setup::Folder;
use crate::version::{self, Given, Version, VersionError};

/// The thread that watches a folder. Dropping it ends the thread.
#[derive(Debug)]
pub struct Watch {
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a watch does after it handed a version over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It waits for the next change.
    Watch,
    /// What kept the version out of force may pass: it hands it over again in a while.
    TryAgain,
}

/// How long a version waits that could not come into force for a reason that may pass.
const AGAIN: Duration = Duration::from_secs(2);

/// How often the files are looked at.
const POLL: Duration = Duration::from_millis(50);

/// How long files are given to be written whole before they are read.
const SETTLE: Duration = Duration::from_millis(10);

/// Watches a folder from now on, and hands over each version that is read from it, or why it cannot be used. What is there
/// now counts as known.
///
/// # Errors
///
/// If the thread cannot be started.
pub fn watch(
    folder: Folder,
    given: Given,
    mut take: impl FnMut(Result<Version, VersionError>) -> Then + Send + 'static,
) -> io::Result<Watch> {
    let (wake, woken) = mpsc::channel();
    let mut sources = version::sources(&folder);
    let mut known = stamps(&sources);
    let mut again: Option<Instant> = None;
    let run = move || {
        loop {
            let forced = match woken.recv_timeout(POLL) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let due = again.is_some_and(|at| Instant::now() >= at);
            if !forced && !due && stamps(&sources) == known {
                continue;
            }
            // A change may bring in files that nobody looked at yet.
            sources = version::sources(&folder);
            let seen = stamps(&sources);
            thread::sleep(SETTLE);
            let version = Version::read(&folder, &given);
            if stamps(&sources) == seen {
                known = seen;
                again = (take(version) == Then::TryAgain).then(|| Instant::now() + AGAIN);
            }
        }
    };
    let thread = thread::Builder::new().name("reload".to_owned()).spawn(run)?;
    Ok(Watch {
        wake: Some(wake),
        thread: Some(thread),
    })
}

impl Watch {
    /// Reads the folder again, changed or not.
    pub fn now(&self) {
        if let Some(wake) = &self.wake {
            let _ = wake.send(());
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What tells a file from the one that was there before: inode, length, and when it was changed.
type Stamp = (u64, u64, i64, i64);

fn stamps(sources: &[PathBuf]) -> BTreeMap<PathBuf, Stamp> {
    let mut stamps = BTreeMap::new();
    for source in sources {
        stamp(source, &mut stamps);
    }
    stamps
}

fn stamp(path: &Path, stamps: &mut BTreeMap<PathBuf, Stamp>) {
    // The file that a link leads to, as it is the one that is read.
    let Ok(metadata) = fs::metadata(path) else { return };
    if metadata.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            if !entry.file_name().to_string_lossy().starts_with('.') {
                stamp(&entry.path(), stamps);
            }
        }
        return;
    }
    let stamp = (metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec());
    stamps.insert(path.to_owned(), stamp);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use tempfile::TempDir;

    use super::*;
    use crate::config::{Dialect, Upstream};

    struct Bench {
        folder: Folder,
        taken: Receiver<Result<Version, VersionError>>,
        watch: Watch,
        _dir: TempDir,
    }

    fn bench() -> Bench {
        let dir = TempDir::new().expect("a folder");
        let folder = Folder::new(&dir.path().join("ordain"));
        let upstreams = [Upstream::demo(Dialect::Openai)];
        folder.make("127.0.0.1:0", &upstreams).expect("made");
        let (send, taken) = mpsc::channel();
        let watch = watch(folder.clone(), Given::default(), move |version| {
            let _ = send.send(version);
            Then::Watch
        });
        Bench {
            folder,
            taken,
            watch: watch.expect("a thread"),
            _dir: dir,
        }
    }

    impl Bench {
        fn next(&self) -> Result<Version, VersionError> {
            self.taken.recv_timeout(Duration::from_secs(30)).expect("a version")
        }

        fn policy(&self) -> String {
            fs::read_to_string(self.folder.policy().join("policy.yaml")).expect("the policy")
        }

        /// Puts a text in the policy's place in one step.
        fn put(&self, text: &str) {
            let beside = self.folder.policy().join(".new");
            fs::write(&beside, text).expect("written");
            fs::rename(beside, self.folder.policy().join("policy.yaml")).expect("renamed");
        }
    }

    #[test]
    fn a_changed_policy_is_handed_over_and_a_broken_one_with_its_problems() {
        let bench = bench();
        let before = bench.policy();
        bench.put(&format!("{before}# changed\n"));
        let changed = bench.next().expect("a version").policy.digest;
        bench.put("ordain: 1\n");
        let error = bench.next().expect_err("broken").to_string();
        assert!(error.starts_with("the policy cannot be used\n\nerror["), "{error}");
        bench.put(&before);
        assert_ne!(bench.next().expect("a version").policy.digest, changed);
    }

    #[test]
    fn a_changed_configuration_or_directory_counts_too() {
        let bench = bench();
        fs::write(bench.folder.config(), "listen: 127.0.0.1:0\ncontent_block: error\n").expect("written");
        let version = bench.next().expect("a version");
        assert!(version.config.upstreams.is_empty());
        fs::write(bench.folder.directory(), "people: {ann: {groups: [staff]}}\n").expect("written");
        assert_eq!(bench.next().expect("a version").directory.name_of("ANN"), Some("ann"));
    }

    #[test]
    fn asked_to_it_reads_again_what_has_not_changed() {
        let bench = bench();
        bench.watch.now();
        assert!(bench.next().is_ok());
    }

    #[test]
    fn what_may_yet_come_into_force_is_handed_over_again() {
        let dir = TempDir::new().expect("a folder");
        let folder = Folder::new(&dir.path().join("ordain"));
        folder
            .make("127.0.0.1:0", &[Upstream::demo(Dialect::Openai)])
            .expect("made");
        let (send, taken) = mpsc::channel();
        let mut then = [Then::TryAgain, Then::Watch].into_iter();
        let watch = watch(folder, Given::default(), move |version| {
            let _ = send.send(version.is_ok());
            then.next().unwrap_or(Then::Watch)
        });
        let watch = watch.expect("a thread");
        watch.now();
        for _ in 0..2 {
            assert_eq!(
                taken.recv_timeout(Duration::from_secs(30)),
                Ok(true),
                "nothing changed in between"
            );
        }
        drop(watch);
        assert!(taken.try_recv().is_err(), "once it is taken, nobody tries again");
    }
}
