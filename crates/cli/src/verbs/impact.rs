//! `ordain impact`: from the records, what full enforcement would have done, what another policy would have changed, and
//! which clauses could be enforced.

mod changes;
mod progress;
mod promote;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use ordain_core::impact::promote::Reviews;
use ordain_core::impact::{Changes, Measure, Promotion, Seen};
use ordain_core::verdict::Verdict;
use ordain_server::reviews::{self, Judgement};
use ordain_server::setup::Folder;
use ordain_server::store::sqlite::SqliteStore;
use ordain_server::store::{Filter, Store as _};
use serde_json::{Value, json};

use self::progress::Progress;
use super::{Dir, Format};
use crate::exit::{Answer, print};
use crate::policy;

/// Say what full enforcement, or another policy, would have done
#[derive(Debug, Args)]
#[command(
    after_help = "Example: ordain impact --policy policy --since 2026-12-01T00:00:00Z\n         ordain impact --promote"
)]
pub(crate) struct Impact {
    #[command(flatten)]
    dir: Dir,
    /// Decide every recorded exchange again under this policy, and say what would change
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// With --policy: compare what full enforcement would have done, not what happened
    #[arg(long, requires = "policy", conflicts_with = "promote")]
    full: bool,
    /// Say which clauses that observe or coach could be enforced (of --policy, or else of the gateway's policy)
    #[arg(long)]
    promote: bool,
    /// List every record id, not only the first of each kind
    #[arg(long)]
    all: bool,
    /// Only exchanges from this moment on, as in 2026-12-01T00:00:00Z
    #[arg(long)]
    since: Option<Timestamp>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What full enforcement would have done with halves of exchanges.
#[derive(Debug, Default)]
struct Tally {
    /// Prompts and answers judged.
    judged: u64,
    /// By verdict under full enforcement: how many, and how many of them are not what happened.
    verdicts: BTreeMap<Verdict, (u64, u64)>,
    /// By verdict and clause.
    clauses: BTreeMap<(Verdict, String), u64>,
    unreadable: u64,
}

impl Tally {
    fn add(&mut self, record: &Value) {
        let word = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).and_then(Verdict::parse);
        let (Some(full), Some(happened)) = (word("/decision/full"), word("/decision/verdict")) else {
            // An outcome without an answer has nothing to judge.
            self.unreadable += u64::from(record.pointer("/decision").is_some());
            return;
        };
        self.judged += 1;
        let (count, differs) = self.verdicts.entry(full).or_default();
        *count += 1;
        *differs += u64::from(full != happened);
        for clause in record
            .pointer("/decision/clauses")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let says = clause.get("verdict").and_then(Value::as_str).and_then(Verdict::parse);
            let counts = clause.get("beside").is_none();
            if let (true, Some(says), Some(id)) = (counts, says, clause.get("id").and_then(Value::as_str))
                && says == full
                && full > Verdict::Allow
            {
                *self.clauses.entry((full, id.to_owned())).or_default() += 1;
            }
        }
    }
}

impl Impact {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        let store = super::records::open(&self.dir)?;
        match &self.policy {
            _ if self.promote => self.promote(&store),
            Some(policy) => self.changes(&store, policy),
            None => self.tally(&store),
        }
    }

    /// Shows every record that is asked about; none stands for one that is no JSON.
    fn scan(&self, store: &SqliteStore, visit: &mut dyn FnMut(Option<Value>)) -> anyhow::Result<()> {
        let mut progress = Progress::new(store)?;
        let filter = Filter {
            from_ms: self.since.map(Timestamp::as_millisecond),
            ..Filter::default()
        };
        store.scan(&filter, &mut |record| {
            progress.at(record.sequence);
            visit(serde_json::from_slice(&record.bytes).ok());
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    fn changes(&self, store: &SqliteStore, folder: &Path) -> anyhow::Result<Answer> {
        let (policy, ..) = policy::read_for_use(folder)?.usable()?;
        let measure = if self.full { Measure::Full } else { Measure::Acting };
        let mut found = Changes::new(&policy, measure);
        self.scan(store, &mut |record| match record {
            Some(record) => found.add(record),
            None => found.unreadable(),
        })?;
        match self.format {
            Format::Text => print(changes::text(&found, measure, self.all).trim_end())?,
            Format::Json => {
                let value = changes::json(&found, measure, &policy.digest.to_string(), self.all);
                print(serde_json::to_string_pretty(&value)?)?;
            }
        }
        Ok(Answer::Yes)
    }

    fn promote(&self, store: &SqliteStore) -> anyhow::Result<Answer> {
        let (policy, ..) =
            policy::read_for_use(self.policy.as_ref().map_or(self.dir.path(), PathBuf::as_path))?.usable()?;
        let reviews: Reviews = reviews::read(&Folder::new(self.dir.path()).reviews())?
            .into_iter()
            .map(|((exchange, clause), judgement)| ((exchange.to_string(), clause), judgement == Judgement::Right))
            .collect();
        let mut promotion = Promotion::new(&policy);
        self.scan(store, &mut |record| match record {
            Some(record) => promotion.add(record),
            None => promotion.unreadable(),
        })?;
        let (seen, candidates) = (promotion.seen(), promotion.candidates(&reviews));
        match self.format {
            Format::Text => print(promote::text(&seen, &candidates, self.all).trim_end())?,
            Format::Json => {
                let value = promote::json(&seen, &candidates, &policy.digest.to_string(), self.all);
                print(serde_json::to_string_pretty(&value)?)?;
            }
        }
        Ok(Answer::Yes)
    }

    fn tally(&self, store: &SqliteStore) -> anyhow::Result<Answer> {
        let mut tally = Tally::default();
        self.scan(store, &mut |record| match record {
            Some(record) => tally.add(&record),
            None => tally.unreadable += 1,
        })?;
        match self.format {
            Format::Text => tally.show()?,
            Format::Json => print(serde_json::to_string_pretty(&tally.json())?)?,
        }
        Ok(Answer::Yes)
    }
}

/// `12,480 exchanges since 2026-11-16`
fn since(seen: &Seen) -> String {
    let plural = if seen.exchanges == 1 { "exchange" } else { "exchanges" };
    let first = seen.first_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let since = first.map_or_else(String::new, |first| format!(" since {}", first.strftime("%Y-%m-%d")));
    format!("{} {plural}{since}", count(seen.exchanges))
}

/// A number with its thousands apart.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

impl Tally {
    fn show(&self) -> anyhow::Result<()> {
        if self.judged == 0 {
            return print("no records yet: send something through the gateway first");
        }
        print(format_args!(
            "{} prompts and answers judged; under full enforcement:",
            self.judged
        ))?;
        for (verdict, (count, differs)) in self.verdicts.iter().rev() {
            let clauses: Vec<String> = self
                .clauses
                .iter()
                .filter(|((of, _), _)| of == verdict)
                .map(|((_, clause), number)| format!("{number} by {clause}"))
                .collect();
            let by = if clauses.is_empty() {
                String::new()
            } else {
                format!(": {}", clauses.join(", "))
            };
            let change = if *differs == 0 {
                String::new()
            } else {
                format!(" ({differs} of them otherwise now)")
            };
            print(format_args!("  {:<8} {count}{change}{by}", verdict.as_str()))?;
        }
        let several = self.verdicts.iter().any(|(verdict, (count, _))| {
            let of = self.clauses.iter().filter(|((of, _), _)| of == verdict);
            of.map(|(_, number)| number).sum::<u64>() > *count
        });
        if several {
            print("  one of them counts under every clause that asked for the same")?;
        }
        if self.unreadable > 0 {
            print(format_args!("  {} records could not be read", self.unreadable))?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let verdicts: serde_json::Map<String, Value> = self
            .verdicts
            .iter()
            .map(|(verdict, (count, differs))| {
                let clauses: serde_json::Map<String, Value> = self
                    .clauses
                    .iter()
                    .filter(|((of, _), _)| of == verdict)
                    .map(|((_, clause), number)| (clause.clone(), Value::from(*number)))
                    .collect();
                (
                    verdict.as_str().to_owned(),
                    json!({"count": count, "differs": differs, "clauses": clauses}),
                )
            })
            .collect();
        json!({"v": 1, "judged": self.judged, "full": verdicts, "unreadable": self.unreadable})
    }
}
