//! The review of an incident: somebody else looks at what was done, and says so with a reason.
//!
//! Written by the process that has the store. While that is a gateway, whoever reviews leaves what they say in the folder of
//! the spool, and the gateway takes it in, as it does with answers to tickets. Read `review` first.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use ordain_core::inspect::{Rules, content};
use ordain_core::record::{Header, gap};
use serde_json::{Value, json};
use thiserror::Error;
use uuid::Uuid;

use super::seal::Seal;
use super::spool::{self, Read};
use super::state::{Paths, State};
use crate::store::tickets::Beside;
use crate::store::{NewRecord, Store, StoreError, SubjectId, describe};

/// What somebody says who has looked at an incident.
#[derive(Debug, Clone, Copy)]
pub struct Given<'g> {
    /// Who: the name of a principal.
    pub by: &'g str,
    /// What they found.
    pub reason: &'g str,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Why a review does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotCounted {
    /// There is nothing to review.
    #[error("no break-glass waits for a review")]
    Nothing,
    /// The ledger has to take the spool first.
    #[error("the ledger has not taken everything yet: it can be reviewed when records can be written again")]
    Running,
    /// They used it themselves.
    #[error("nobody can review a break-glass that they used")]
    Own,
    /// The policy does not give it to them.
    #[error("`{by}` may not review it: the policy gives that to {role}")]
    NotEntitled {
        /// Who tried.
        by: String,
        /// The role that may.
        role: String,
    },
    /// The process that has the store found one of these.
    #[error("{0}")]
    TurnedDown(String),
}

/// Why a review was not written.
#[derive(Debug, Error)]
pub enum ReviewError {
    /// It does not count.
    #[error(transparent)]
    NotCounted(#[from] NotCounted),
    /// The gateway has not come to it.
    #[error("the gateway has not taken the review in yet; it will, or `ordain break-glass status` says otherwise")]
    Late,
    /// It could not be stored.
    #[error("the review could not be stored: {}", describe(.0))]
    Store(#[from] StoreError),
    /// The spool could not be read.
    #[error("the spool could not be read or written: {0}")]
    Spool(#[from] io::Error),
}

/// An incident as a review needs it.
#[derive(Debug, Clone)]
pub(super) struct Incident {
    pub(super) state: State,
    pub(super) len: u64,
    pub(super) users: BTreeSet<SubjectId>,
}

impl Incident {
    /// Reads who used it.
    pub(super) fn read(state: State, path: &Path, seal: &Seal) -> io::Result<Self> {
        let len = std::fs::metadata(path)?.len();
        let mut users = BTreeSet::new();
        spool::read::<io::Error>(path, (state.incident, seal), (0, len), |_, line| {
            if let Read::Whole(line) = line {
                users.extend(spool::principals(&line.record));
            }
            Ok(())
        })?;
        Ok(Self { state, len, users })
    }

    /// Whether the ledger has all of it.
    pub(super) fn is_taken(&self) -> bool {
        self.state.taken.0 >= self.len && self.state.taking.is_none()
    }
}

/// Writes a review; the id of its record. The incident is to be ended then.
pub(super) fn review(
    incident: &Incident,
    store: &mut dyn Store,
    rules: &Rules,
    given: &Given<'_>,
) -> Result<Uuid, ReviewError> {
    let Incident { state, users, .. } = incident;
    if !incident.is_taken() {
        return Err(NotCounted::Running.into());
    }
    let policy = &rules.policy;
    if !policy.may_review_break_glass(given.by) {
        let role = policy.break_glass().map(|glass| glass.reviewer.clone());
        return Err(NotCounted::NotEntitled {
            by: given.by.to_owned(),
            role: role.unwrap_or_else(|| "those who answer for it".to_owned()),
        }
        .into());
    }
    let by = store.subject(given.by)?;
    let mut unnamed = 0;
    for user in users {
        match store.name_of(*user)? {
            Some(name) if name.trim().eq_ignore_ascii_case(given.by.trim()) => return Err(NotCounted::Own.into()),
            Some(_) => {}
            None => unnamed += 1,
        }
    }
    if users.contains(&by) {
        return Err(NotCounted::Own.into());
    }
    let id = Uuid::now_v7();
    let (name, subject, incident) = (id.to_string(), by.to_string(), state.incident.to_string());
    let gaps: Vec<String> = state.gaps.iter().map(Uuid::to_string).collect();
    let header = Header {
        id: &name,
        at_ms: given.at_ms,
        subject: &subject,
        on_behalf_of: None,
    };
    let value = gap::review(
        &header,
        &gap::Reviewed {
            incident: &incident,
            gaps: &gaps,
            policy: &policy.digest.to_string(),
            principals: users.len() as u64,
            unnamed,
        },
    );
    // INVARIANT: the record is made of text and small integers, which always have canonical bytes.
    let bytes = ordain_ledger::canonical(&value).expect("a review has canonical bytes");
    let beside = Beside {
        reason: content::words(&rules.scanner, given.reason),
        ticket: None,
    };
    let record = NewRecord::gap_review(id, given.at_ms, by, bytes).with(Some(Box::new(beside)));
    store.append(&[record])?;
    Ok(id)
}

/// A review that somebody left for the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Posted {
    pub(super) by: String,
    pub(super) reason: String,
}

impl Posted {
    /// Leaves it.
    pub(super) fn leave(&self, paths: &Paths) -> io::Result<()> {
        let gone = std::fs::remove_file(paths.turned_down());
        if let Err(error) = gone
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let value = json!({"by": self.by, "reason": self.reason});
        spool::replace(&paths.posted(), value.to_string().as_bytes())
    }

    /// What was left, if anything was. What cannot be read is taken as nothing and removed.
    pub(super) fn take(paths: &Paths) -> io::Result<Option<Self>> {
        let path = paths.posted();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let value: Value = serde_json::from_slice(&text).unwrap_or_default();
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let posted = text("by").zip(text("reason")).map(|(by, reason)| Self { by, reason });
        if posted.is_none() {
            std::fs::remove_file(path)?;
        }
        Ok(posted)
    }

    /// Forgets it, with why it did not count.
    pub(super) fn answer(paths: &Paths, why: Option<&NotCounted>) -> io::Result<()> {
        if let Some(why) = why {
            spool::replace(&paths.turned_down(), why.to_string().as_bytes())?;
        }
        std::fs::remove_file(paths.posted())
    }
}
