//! `ordain break-glass`: what went on while the ledger took no records, and its review.
//!
//! Whoever runs these has the store in their hands: `--as` is taken at its word. A review is written by the process that has
//! the store, which is the gateway while one runs: it is left for it there, and this waits until it was taken in.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use ordain_core::inspect::Rules;
use ordain_server::break_glass::review::{Given, ReviewError};
use ordain_server::break_glass::{self, Desk, Keeper, Seen};
use ordain_server::config::{self, BreakGlass};
use ordain_server::keys::KeyHasher;
use ordain_server::setup::{self, Folder};
use ordain_server::store::StoreError;
use ordain_server::store::sqlite::SqliteStore;
use ordain_server::version;
use serde_json::json;

use super::records::moment;
use super::{Dir, Format};
use crate::exit::{Answer, print};
use crate::policy;

/// Look at what went on while the ledger took no records, and review it
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Say whether the break-glass was used and waits for its review
    Status(Status),
    /// Say that somebody looked at what was done under it; another time may begin then
    Review(Review),
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: ordain break-glass review --as dpo@northwind.example --reason 'the disk was full; twelve letters, all of them in order'"
)]
pub(crate) struct Review {
    /// Who reviewed: the name of a principal to whom the policy gives it, and who did not use it
    #[arg(long = "as", value_name = "PRINCIPAL")]
    principal: String,
    /// What was found; kept beside the record, where it can be erased
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How long a gateway is given to take a review in; it looks twice a second.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
/// The most characters of a reason.
const MOST_REASON: usize = 1000;

impl Verb {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::Status(verb) => verb.run(),
            Self::Review(verb) => verb.run(),
        }
    }
}

/// The spool of the gateway in a folder, if it has one.
fn spool(dir: &Dir) -> anyhow::Result<Option<(Folder, BreakGlass, KeyHasher)>> {
    let folder = Folder::new(dir.path());
    anyhow::ensure!(folder.is_made(), "{}", dir.missing());
    let path = folder.config();
    let text = setup::read(&path)?;
    let mut problems = Vec::new();
    let Some(config) = config::parse(&text, &mut problems) else {
        anyhow::bail!("{}", version::shown(&problems, &path, &text));
    };
    let hasher = KeyHasher::load_or_create(&folder.keys(), &mut rand::rng())?;
    Ok(config.break_glass.map(|config| (folder, config, hasher)))
}

/// Said where there is no spool.
fn none() -> &'static str {
    "this gateway has no break-glass: `break_glass` in `ordain.yaml` names no spool"
}

impl Status {
    fn run(self) -> anyhow::Result<Answer> {
        let Some((folder, config, hasher)) = spool(&self.dir)? else {
            match self.format {
                Format::Json => print(json!({"v": 1, "spool": null, "incident": null}))?,
                Format::Text => print(none())?,
            }
            return Ok(Answer::Yes);
        };
        let seen = Desk::new(folder.path(), &config, &hasher)
            .look()
            .context("the spool of the break-glass could not be read")?;
        match self.format {
            Format::Json => print(serde_json::to_string_pretty(&json!({
                "v": 1,
                "spool": config.spool,
                "incident": seen.map(|seen| json!({
                    "id": seen.incident.to_string(),
                    "use": seen.use_,
                    "minutes": seen.minutes,
                    "begun_ms": seen.begun_ms,
                    "records": seen.records,
                    "taken": seen.taken,
                    "gaps": seen.gaps.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "subjects": seen.users.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "turned_down": seen.turned_down,
                })),
            }))?)?,
            Format::Text => match seen {
                Some(seen) => show(&seen)?,
                None => print("the break-glass is whole: nothing waits for a review")?,
            },
        }
        Ok(Answer::Yes)
    }
}

fn show(seen: &Seen) -> anyhow::Result<()> {
    let state = if seen.taken < seen.records {
        "the ledger has not taken everything yet"
    } else {
        "waits for its review"
    };
    print(format_args!("incident {}: {state}", seen.incident))?;
    print(format_args!(
        "  use      {}, for {} minutes at most from {} UTC on",
        seen.use_,
        seen.minutes,
        moment(seen.begun_ms)
    ))?;
    print(format_args!(
        "  records  {} spooled, {} of them in the ledger",
        seen.records, seen.taken
    ))?;
    for gap in &seen.gaps {
        print(format_args!("  gap      {gap}"))?;
    }
    for user in &seen.users {
        print(format_args!("  subject  {user}"))?;
    }
    if let Some(why) = &seen.turned_down {
        print(format_args!("  the last review does not count: {why}"))?;
    }
    Ok(())
}

impl Review {
    fn run(self) -> anyhow::Result<Answer> {
        let reason = self.reason.trim();
        anyhow::ensure!(
            !reason.is_empty(),
            "a review says what was found: `--reason` has to say something"
        );
        anyhow::ensure!(
            reason.chars().count() <= MOST_REASON,
            "a reason has at most {MOST_REASON} characters"
        );
        let Some((folder, config, hasher)) = spool(&self.dir)? else {
            eprintln!("{}", none());
            return Ok(Answer::No);
        };
        let (policy, ..) = policy::read_for_use(self.dir.path())?.usable()?;
        let rules = Rules::new(policy);
        let directory = version::directory(&folder)?;
        let typed = self.principal.trim();
        let given = Given {
            by: directory.name_of(typed).unwrap_or(typed),
            reason,
            at_ms: Timestamp::now().as_millisecond(),
        };
        let reviewed = match SqliteStore::open(&folder.store()) {
            Ok(mut store) => {
                let now = break_glass::clock()();
                let mut keeper = Keeper::open(folder.path(), &config, &hasher, now)?;
                keeper.begin(&mut store, given.at_ms)?;
                keeper.review(&mut store, &rules, &given).map(drop)
            }
            Err(StoreError::Held { .. }) => post(&Desk::new(folder.path(), &config, &hasher), &rules, &given),
            Err(error) => Err(error.into()),
        };
        match reviewed {
            Ok(()) => {}
            Err(ReviewError::NotCounted(why)) => {
                eprintln!("{why}");
                return Ok(Answer::No);
            }
            Err(error) => return Err(error.into()),
        }
        match self.format {
            Format::Json => print(json!({"v": 1, "reviewed": true}))?,
            Format::Text => print("reviewed: the break-glass is whole again")?,
        }
        Ok(Answer::Yes)
    }
}

/// Leaves a review for the gateway that has the store, and waits until it was taken in.
fn post(desk: &Desk, rules: &Rules, given: &Given<'_>) -> Result<(), ReviewError> {
    desk.post(rules, given)?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if desk.is_taken_in()? {
            return Ok(());
        }
        std::thread::sleep(POLL);
    }
    Err(ReviewError::Late)
}
