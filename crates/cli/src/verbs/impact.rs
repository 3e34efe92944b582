//! `ordain impact`: what full enforcement would have done, by clause, from the records.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use clap::Args;
use jiff::Timestamp;
use ordain_core::verdict::Verdict;
use ordain_server::store::{Filter, Store as _};
use serde_json::{Value, json};

use super::{Dir, Format};
use crate::exit::{Answer, print};

/// Say what full enforcement would have done, by clause
#[derive(Debug, Args)]
pub(crate) struct Impact {
    #[command(flatten)]
    dir: Dir,
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
        let mut tally = Tally::default();
        let filter = Filter {
            from_ms: self.since.map(Timestamp::as_millisecond),
            ..Filter::default()
        };
        store.scan(&filter, &mut |record| {
            match serde_json::from_slice(&record.bytes) {
                Ok(value) => tally.add(&value),
                Err(_) => tally.unreadable += 1,
            }
            ControlFlow::Continue(())
        })?;
        match self.format {
            Format::Text => tally.show()?,
            Format::Json => print(serde_json::to_string_pretty(&tally.json())?)?,
        }
        Ok(Answer::Yes)
    }
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
