//! Subjects of principals who have no virtual key: those whom a certificate names, and those whom somebody acts for.
//!
//! A subject is made when its principal is first seen, on the recorder's thread, and kept at hand from then on. When keys
//! change, or a name is erased (which counts as such a change), what is kept is forgotten.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::recorder::RecorderHandle;
use crate::store::SubjectId;

/// Subjects by the names of their principals.
#[derive(Debug, Default)]
pub(super) struct Subjects(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The version of the keys under which they were looked up.
    version: u64,
    subjects: HashMap<String, SubjectId>,
}

/// So many are kept at hand; beyond that all are looked up anew.
const MOST: usize = 10_000;

/// The subject could not be looked up: nothing could be recorded either.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unavailable;

impl Subjects {
    /// The subject that stands for a principal in records. `version` is that of the keys in force.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the store does not answer.
    pub(super) async fn of(
        &self,
        principal: &str,
        version: u64,
        recorder: &RecorderHandle,
    ) -> Result<SubjectId, Unavailable> {
        if let Some(known) = self.known(principal, version) {
            return Ok(known);
        }
        let name = principal.to_owned();
        let found = recorder.with_store(move |store| store.subject(&name)).await;
        match found {
            Ok(Ok(subject)) => {
                let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if known.version == version && known.subjects.len() < MOST {
                    known.subjects.insert(principal.to_owned(), subject);
                }
                Ok(subject)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "a subject could not be looked up");
                Err(Unavailable)
            }
            Err(error) => {
                tracing::error!(%error, "a subject could not be looked up");
                Err(Unavailable)
            }
        }
    }

    fn known(&self, principal: &str, version: u64) -> Option<SubjectId> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.version != version || known.subjects.len() >= MOST {
            known.subjects.clear();
            known.version = version;
        }
        known.subjects.get(principal).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::Recorder;
    use crate::store::sqlite::SqliteStore;

    #[tokio::test]
    async fn a_subject_is_made_once_and_forgotten_when_keys_change() {
        let dir = tempfile::TempDir::new().expect("a folder");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let recorder = Recorder::start(Box::new(store), 8).expect("a thread");
        let (handle, subjects) = (recorder.handle(), Subjects::default());
        let first = subjects.of("batch", 1, &handle).await.expect("a subject");
        assert_eq!(subjects.of("batch", 1, &handle).await.expect("a subject"), first);
        let erased = handle.with_store(move |store| store.erase_name(first)).await;
        assert!(matches!(erased, Ok(Ok(true))));
        assert_eq!(subjects.of("batch", 1, &handle).await.expect("a subject"), first);
        assert_ne!(subjects.of("batch", 2, &handle).await.expect("a subject"), first);
    }
}
