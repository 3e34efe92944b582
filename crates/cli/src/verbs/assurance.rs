//! `ordain assurance`: what the clauses of a policy cannot do on which endpoints.

use std::collections::BTreeSet;

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use ordain_core::assurance::{Assurance, Form, Gap, Group, Kind, passed, routes};
use ordain_core::inspect::Rules;
use ordain_core::policy::compile::Policy;
use ordain_core::wire::endpoints::Endpoint;
use ordain_server::config::{self, Dialect};
use ordain_server::setup::{self, Folder};
use serde_json::{Value, json};

use super::{Format, PolicyDir};
use crate::exit::{Answer, print};
use crate::policy;

/// Say what clauses cannot see or do on which endpoints, and which endpoints are refused for it
#[derive(Debug, Args)]
pub(crate) struct Verb {
    #[command(flatten)]
    dir: PolicyDir,
    /// Look at every API family, not only at those that `ordain.yaml` has an upstream for
    #[arg(long)]
    all: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Verb {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        let (policy, ..) = policy::read_for_use(self.dir.path())?.usable()?;
        let spoken = if self.all { Vec::new() } else { self.spoken()? };
        let found = Found::of(policy, spoken);
        match self.format {
            Format::Text => print(found.text().trim_end())?,
            Format::Json => print(serde_json::to_string_pretty(&found.json())?)?,
        }
        Ok(Answer::from(found.refused().is_empty()))
    }

    /// The dialects of the gateway's upstreams; none where there is only a policy.
    fn spoken(&self) -> anyhow::Result<Vec<Dialect>> {
        let folder = Folder::new(self.dir.path());
        if !folder.config().exists() {
            return Ok(Vec::new());
        }
        let config = config::parse(&setup::read(&folder.config())?, &mut Vec::new());
        let config =
            config.ok_or_else(|| anyhow::anyhow!("`ordain.yaml` cannot be used; `ordain serve --check` says why"))?;
        Ok(config.upstreams.iter().map(|upstream| upstream.dialect).collect())
    }
}

/// A policy held against endpoints.
pub(super) struct Found {
    rules: Rules,
    dialects: Vec<Dialect>,
    assurance: Assurance,
}

impl Found {
    /// Of these dialects, or of all where none is given.
    pub(super) fn of(policy: Policy, spoken: Vec<Dialect>) -> Self {
        let rules = Rules::new(policy);
        let dialects = if spoken.is_empty() {
            Dialect::ALL.to_vec()
        } else {
            spoken
        };
        let assurance = Assurance::of(&rules.policy, &rules.scanner, &dialects);
        Self {
            rules,
            dialects,
            assurance,
        }
    }

    fn refused(&self) -> Vec<(String, &Gap)> {
        let refused = self
            .assurance
            .refused(&self.rules.policy, &self.dialects, Timestamp::now());
        refused
            .into_iter()
            .map(|(endpoint, gap)| (endpoint.name(), gap))
            .collect()
    }

    fn opened(&self) -> Vec<(String, &Gap)> {
        let opened = self
            .assurance
            .opened(&self.rules.policy, &self.dialects, Timestamp::now());
        opened
            .into_iter()
            .map(|(endpoint, gap)| (endpoint.name(), gap))
            .collect()
    }

    /// What somebody may use unread.
    fn passed(&self) -> Vec<String> {
        let passed = passed(&self.rules.policy, &self.dialects, Timestamp::now());
        passed.into_iter().map(Endpoint::name).collect()
    }

    /// A sentence about all of it.
    pub(super) fn summary(&self) -> String {
        let unread = match self.passed().len() {
            0 => String::new(),
            1 => "; 1 endpoint passes unread".to_owned(),
            some => format!("; {some} endpoints pass unread"),
        };
        self.of_those_read() + &unread
    }

    fn of_those_read(&self) -> String {
        let (gaps, missing, refused) = (
            self.assurance.gaps.len(),
            self.assurance.missing.len(),
            self.refused().len(),
        );
        if self.assurance.is_complete() {
            return "every clause can act on every endpoint that is read".to_owned();
        }
        line(refused, gaps, missing)
    }

    pub(super) fn text(&self) -> String {
        let mut out = format!("{}\n", self.summary());
        for (said, routes) in [
            ("Refused, since a clause can never act there", self.refused()),
            (
                "Open by `data.unseen`, although a clause can never act there",
                self.opened(),
            ),
        ] {
            if routes.is_empty() {
                continue;
            }
            let mut table = rows(&["ENDPOINT", "WHAT", "FIELD", "CLAUSES"]);
            for (endpoint, gap) in &routes {
                table.add_row([
                    endpoint.as_str(),
                    gap.kind.as_str(),
                    gap.field.as_str(),
                    &gap.refusing.join(", "),
                ]);
            }
            out.push_str(&format!("\n{said}:\n{table}\n"));
        }
        let passed = self.passed();
        if !passed.is_empty() {
            out.push_str(
                "\nUnread, to those whom `access.endpoints` lets use them; no clause about content acts there:\n",
            );
            let mut table = rows(&["ENDPOINT"]);
            table.add_rows(passed.iter().map(|endpoint| [endpoint]));
            out.push_str(&format!("{table}\n"));
        }
        if !self.assurance.missing.is_empty() {
            out.push_str("\nNo detector states, on any endpoint:\n");
            let mut table = rows(&["WHAT", "WHICH", "CLAUSES"]);
            for missing in &self.assurance.missing {
                table.add_row([missing.what.as_str(), missing.id.as_str(), &missing.clauses.join(", ")]);
            }
            out.push_str(&format!("{table}\n"));
        }
        let groups = self.assurance.groups();
        for kind in Kind::ALL {
            let of_kind: Vec<&Group<'_>> = groups.iter().filter(|group| group.kind == *kind).collect();
            if of_kind.is_empty() {
                continue;
            }
            out.push_str(&format!("\n{kind}: {}\n", meaning(*kind)));
            let mut table = rows(&["DIRECTION", "FIELD", "CLAUSES", "WIRES"]);
            for group in of_kind {
                let direction = match group.form {
                    Form::Any => group.direction.to_string(),
                    Form::Whole | Form::Streamed => format!("{}, {}", group.direction, group.form),
                };
                table.add_row([
                    direction.as_str(),
                    group.field.as_str(),
                    &group.clauses.join(", "),
                    &group.wires.join(", "),
                ]);
            }
            out.push_str(&format!("{table}\n"));
        }
        out
    }

    pub(super) fn json(&self) -> Value {
        let endpoints = |wire: &str| -> Vec<String> {
            let of_wire = routes(&self.dialects).filter(|(_, one)| one.id() == wire);
            of_wire.map(|(endpoint, _)| endpoint.name()).collect()
        };
        let routes_of = |routes: Vec<(String, &Gap)>| -> Vec<Value> {
            let one = |(endpoint, gap): &(String, &Gap)| json!({"endpoint": endpoint, "kind": gap.kind, "field": gap.field, "clauses": gap.refusing});
            routes.iter().map(one).collect()
        };
        let groups = self.assurance.groups();
        let gaps = groups.iter().map(|group| {
            json!({
                "direction": group.direction, "form": group.form, "field": group.field, "kind": group.kind,
                "clauses": group.clauses, "wires": group.wires,
            })
        });
        let missing = self.assurance.missing.iter();
        let missing = missing.map(|one| json!({"what": one.what, "id": one.id, "clauses": one.clauses}));
        let wires: BTreeSet<&str> = routes(&self.dialects).map(|(_, wire)| wire.id()).collect();
        let wires = wires.into_iter().map(|wire| (wire.to_owned(), json!(endpoints(wire))));
        json!({
            "v": 1,
            "policy": self.rules.digest,
            "refused": routes_of(self.refused()),
            "opened": routes_of(self.opened()),
            "passed": self.passed(),
            "missing": missing.collect::<Vec<_>>(),
            "gaps": gaps.collect::<Vec<_>>(),
            "endpoints": wires.collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// How much is amiss, in a line.
pub(super) fn line(refused: usize, gaps: usize, missing: usize) -> String {
    let number = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let refused = number(refused, "endpoint is", "endpoints are");
    let gaps = number(gaps, "place", "places");
    let missing = match missing {
        0 => String::new(),
        some => format!("; {} that no detector states", number(some, "thing", "things")),
    };
    format!("{refused} refused; {gaps} where some clause cannot act as it says{missing}")
}

fn rows(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(heads.to_vec());
    table
}

/// What a kind of gap means, for people.
const fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::Unanswerable => "every answer is this, nobody can read it, and the policy stops what nobody can read",
        Kind::Undivided => "the clause asks for text of these authors, whom the endpoint does not tell apart",
        Kind::PartlyUndivided => "the same for some of the authors that it asks for",
        Kind::Unread => "nobody can read it, and `data.uninspectable` lets it pass",
        Kind::Stopped => "nobody can read it, and `data.uninspectable` stops the request or answer in which it occurs",
        Kind::StopsInsteadOfMasks => "it cannot be edited; what was to be masked there stops the whole",
        Kind::Late => "what the clause is about has happened, or gone out, when it is known",
        Kind::NotRestored => "tokens stay tokens there",
        Kind::InputOnly => "the label says nothing of the answer's own text",
    }
}
