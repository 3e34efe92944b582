//! `ordain policy`: the policy in the terms of other tools: JSON Schema for editors, Cedar for other systems.

use clap::{Args, Subcommand};
use ordain_core::cedar::{self, Bridge};
use ordain_core::detect::scanner::Scanner;
use ordain_core::policy::{cases, schema};
use serde_json::json;

use super::PolicyDir;
use crate::exit::{Answer, print};
use crate::policy;

/// The policy for other tools
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Print the JSON Schema of policies, for editors
    Schema(Schema),
    /// Print the policy as Cedar
    Cedar(Cedar),
}

/// Print the JSON Schema of policies, for editors
#[derive(Debug, Args)]
#[command(
    after_help = "In an editor that reads YAML with schemas, write as a policy's first line:\n  # yaml-language-server: $schema=policy.schema.json"
)]
pub(crate) struct Schema {
    /// The schema of files of cases instead
    #[arg(long)]
    cases: bool,
}

/// Print the policy as Cedar
#[derive(Debug, Args)]
#[command(
    after_help = "The rules permit everything and forbid what full enforcement would not let pass. Their five actions,\nand what a request holds, are in docs/reference/cedar.md."
)]
pub(crate) struct Cedar {
    #[command(flatten)]
    dir: PolicyDir,
    /// The Cedar schema instead of the rules
    #[arg(long, conflicts_with = "requests")]
    schema: bool,
    /// The policy's cases as Cedar requests instead, a line of JSON for each
    #[arg(long)]
    requests: bool,
}

impl Policy {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::Schema(verb) => verb.run(),
            Self::Cedar(verb) => verb.run(),
        }
    }
}

impl Schema {
    fn run(self) -> anyhow::Result<Answer> {
        let schema = if self.cases { schema::cases() } else { schema::policy() };
        print(serde_json::to_string_pretty(&schema)?)?;
        Ok(Answer::Yes)
    }
}

impl Cedar {
    fn run(self) -> anyhow::Result<Answer> {
        let (policy, loaded, catalog) = policy::read(self.dir.path())?.usable()?;
        let Some(document) = &loaded.document else {
            anyhow::bail!("the policy could not be read")
        };
        if self.schema {
            print(cedar::schema(document).trim_end())?;
        } else if self.requests {
            let (bridge, scanner) = (Bridge::new(document, &policy), Scanner::new(policy.own_detectors()));
            for case in &loaded.cases {
                let outcome = cases::run(&policy, document, &scanner, &catalog, case);
                let full = outcome.answer.decision.full;
                let allowed: serde_json::Map<_, _> = cedar::ACTIONS
                    .iter()
                    .map(|&(action, threshold)| (action.to_owned(), json!(full < threshold)))
                    .collect();
                let questions: Vec<_> = bridge
                    .questions(&outcome.answer.facts)
                    .into_iter()
                    .map(|question| {
                        json!({
                            "principal": {"type": "Ordain::Principal", "id": question.principal},
                            "resource": {"type": question.resource.0, "id": question.resource.1},
                            "context": question.context, "entities": question.entities,
                        })
                    })
                    .collect();
                print(json!({
                    "v": 1, "case": case.name.value, "full": full.as_str(), "allowed": allowed, "questions": questions,
                }))?;
            }
        } else {
            print(cedar::policies(document).trim_end())?;
        }
        Ok(Answer::Yes)
    }
}
