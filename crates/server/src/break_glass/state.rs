//! What is known of the running incident beside its spool: when the time began, and how much the ledger has taken.
//!
//! One small file, replaced as a whole and sealed like a line of the spool. While it is there, no new time begins.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use uuid::Uuid;

use super::hour::Kept;
use super::seal::Seal;
use super::spool::replace;

/// The paths in the folder of a spool.
#[derive(Debug, Clone)]
pub(super) struct Paths(PathBuf);

impl Paths {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    pub(super) fn state(&self) -> PathBuf {
        self.0.join("incident")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    pub(super) fn spool(&self, incident: Uuid) -> PathBuf {
        self.0.join(format!("{incident}.spool"))
    }

    /// What somebody says who has reviewed an incident, for the process that has the store.
    pub(super) fn posted(&self) -> PathBuf {
        self.0.join("review")
    }

    /// Why it did not count.
    pub(super) fn turned_down(&self) -> PathBuf {
        self.0.join("review.turned-down")
    }
}

/// The incident that runs, or waits for its review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) incident: Uuid,
    /// The use that the time is for.
    pub(super) use_: String,
    /// What the policy allowed when it began.
    pub(super) minutes: u32,
    pub(super) hour: Kept,
    /// Bytes and lines of the spool that the ledger has.
    pub(super) taken: (u64, u64),
    /// What the ledger is being given.
    pub(super) taking: Option<Taking>,
    /// The gap records that were written.
    pub(super) gaps: Vec<Uuid>,
    /// Somebody has reviewed it: what is left of it can go.
    pub(super) reviewed: bool,
}

/// A part of the spool that is on its way into the ledger: named before it begins, so that whoever goes on with it after a
/// crash writes the same gap record and no second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taking {
    /// Its end: bytes and lines.
    pub(super) to: (u64, u64),
    /// The id of the gap record.
    pub(super) gap: Uuid,
    pub(super) at_ms: i64,
}

const VERSION: u64 = 1;

impl State {
    /// Makes it durable.
    pub(super) fn save(&self, paths: &Paths, seal: &Seal) -> io::Result<()> {
        let taking = self.taking.map(|taking| {
            json!({"bytes": taking.to.0, "lines": taking.to.1, "gap": taking.gap.to_string(), "at": taking.at_ms})
        });
        let gaps: Vec<String> = self.gaps.iter().map(Uuid::to_string).collect();
        let value = json!({
            "v": VERSION,
            "incident": self.incident.to_string(),
            "use": self.use_,
            "minutes": self.minutes,
            "begun": self.hour.begun_ms,
            "latest": self.hour.latest_ms,
            "spent": self.hour.spent_ms,
            "taken": {"bytes": self.taken.0, "lines": self.taken.1},
            "taking": taking,
            "gaps": gaps,
            "reviewed": self.reviewed,
        });
        let body = ordain_ledger::canonical(&value).map_err(io::Error::other)?;
        let mut line = Vec::new();
        seal.line(Uuid::nil(), &body, &mut line);
        replace(&paths.state(), &line)
    }

    /// What was saved; none when there is no incident.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] if it is not what a gateway with this secret wrote.
    pub(super) fn load(paths: &Paths, seal: &Seal) -> io::Result<Option<Self>> {
        let line = match std::fs::read(paths.state()) {
            Ok(line) => line,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let body = line.strip_suffix(b"\n").and_then(|line| seal.open(Uuid::nil(), line));
        let state = body.and_then(|body| parse(&serde_json::from_slice(body).ok()?));
        state.map(Some).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "it was changed, or another gateway wrote it",
            )
        })
    }
}

fn parse(value: &Value) -> Option<State> {
    let id = |value: &Value| Uuid::parse_str(value.as_str()?).ok();
    let number = |key: &str| value.get(key)?.as_i64();
    let place = |value: &Value| Some((value.get("bytes")?.as_u64()?, value.get("lines")?.as_u64()?));
    if value.get("v")?.as_u64()? != VERSION {
        return None;
    }
    let taking = match value.get("taking")? {
        Value::Null => None,
        taking => Some(Taking {
            to: place(taking)?,
            gap: id(taking.get("gap")?)?,
            at_ms: taking.get("at")?.as_i64()?,
        }),
    };
    Some(State {
        incident: id(value.get("incident")?)?,
        use_: value.get("use")?.as_str()?.to_owned(),
        minutes: u32::try_from(value.get("minutes")?.as_u64()?).ok()?,
        hour: Kept {
            begun_ms: number("begun")?,
            latest_ms: number("latest")?,
            spent_ms: number("spent")?,
        },
        taken: place(value.get("taken")?)?,
        taking,
        gaps: value.get("gaps")?.as_array()?.iter().map(id).collect::<Option<_>>()?,
        reviewed: value.get("reviewed")?.as_bool()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyHasher;

    #[test]
    fn it_comes_back_as_it_was_saved_and_from_nobody_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let (paths, seal) = (
            Paths::new(folder.path().to_owned()),
            Seal::new(&KeyHasher::new(&[1; 32])),
        );
        assert_eq!(State::load(&paths, &seal).expect("nothing yet"), None);
        let mut state = State {
            incident: Uuid::now_v7(),
            use_: "letters".to_owned(),
            minutes: 60,
            hour: Kept {
                begun_ms: 1,
                latest_ms: 2,
                spent_ms: i64::MAX >> 12,
            },
            taken: (3, 4),
            taking: None,
            gaps: vec![Uuid::now_v7()],
            reviewed: true,
        };
        for taking in [
            None,
            Some(Taking {
                to: (5, 6),
                gap: Uuid::now_v7(),
                at_ms: 7,
            }),
        ] {
            state.taking = taking;
            state.save(&paths, &seal).expect("saved");
            assert_eq!(State::load(&paths, &seal).expect("loaded"), Some(state.clone()));
        }
        let other = Seal::new(&KeyHasher::new(&[2; 32]));
        let error = State::load(&paths, &other).expect_err("another gateway's");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
