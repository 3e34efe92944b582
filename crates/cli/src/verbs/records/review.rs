//! `ordain records review`: whether a clause was right about an exchange, as a person sees it.

use std::collections::BTreeSet;

use clap::Args;
use jiff::Timestamp;
use ordain_server::reviews::{self, Judgement};
use ordain_server::setup::Folder;
use serde_json::Value;
use uuid::Uuid;

use super::super::Dir;
use super::{exchange, no_exchange, open, text, value};
use crate::exit::{Answer, print};
use crate::policy;

#[derive(Debug, Args)]
#[command(
    after_help = "`ordain impact --promote` tells what to review next and what the reviews are enough for.\n\nExample: ordain records review 019412f0-7c1e-7d5a-9c57-0d3a2b1c4e5f --wrong --clause AU-3"
)]
pub(crate) struct Review {
    /// The id from the `ordain-record` header
    id: Uuid,
    /// The clause was meant for this
    #[arg(long, required_unless_present = "wrong", conflicts_with = "wrong")]
    right: bool,
    /// It was not
    #[arg(long)]
    wrong: bool,
    /// Which clause, gate or section data; may be left out where only one had a say
    #[arg(long, value_name = "ID")]
    clause: Option<String>,
    #[command(flatten)]
    dir: Dir,
}

impl Review {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let records = exchange(&open(&self.dir)?, self.id)?;
        if records.is_empty() {
            return Ok(no_exchange(self.id));
        }
        let mut cited = BTreeSet::new();
        for record in &records {
            let record: Value = value(record)?;
            let clauses = record.pointer("/decision/clauses").and_then(Value::as_array);
            cited.extend(
                clauses
                    .into_iter()
                    .flatten()
                    .map(|clause| text(clause, "/id").to_owned()),
            );
        }
        let Some(clause) = self.meant(&cited) else {
            return Ok(Answer::No);
        };
        let judgement = if self.right { Judgement::Right } else { Judgement::Wrong };
        let path = Folder::new(self.dir.path()).reviews();
        reviews::add(&path, self.id, &clause, judgement, Timestamp::now())?;
        print(format_args!("{clause} was {} about {}", judgement.as_str(), self.id))?;
        Ok(Answer::Yes)
    }

    /// The clause that is judged: the one that was named, or the only one.
    fn meant(&self, cited: &BTreeSet<String>) -> Option<String> {
        let names = || cited.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match &self.clause {
            Some(clause) if cited.contains(clause) || self.is_in_policy(clause) => Some(clause.clone()),
            Some(clause) => {
                let others = if cited.is_empty() {
                    String::new()
                } else {
                    format!("; these had: {}", names())
                };
                eprintln!(
                    "`{clause}` had no say in `{}`, and is not in the policy{others}",
                    self.id
                );
                None
            }
            None if cited.len() == 1 => cited.first().cloned(),
            None if cited.is_empty() => {
                eprintln!("nothing had a say in `{}`; say which clause with `--clause`", self.id);
                None
            }
            None => {
                eprintln!(
                    "several had a say in `{}`; say which with `--clause`: {}",
                    self.id,
                    names()
                );
                None
            }
        }
    }

    /// Whether the gateway's policy has it now: it may match what was recorded before it was written.
    fn is_in_policy(&self, clause: &str) -> bool {
        let policy = policy::read_for_use(self.dir.path()).and_then(policy::Read::usable);
        policy.is_ok_and(|(policy, ..)| policy.citations().any(|citation| citation.id == *clause))
    }
}
