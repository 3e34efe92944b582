//! `ordain check`: all problems of a policy, each at its line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ordain_core::policy::check::ALL;
use ordain_core::policy::problem::Severity;
use serde_json::{Value, json};

use crate::exit::{Answer, print};
use crate::policy;

/// Report all problems of a policy
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Policy folder, or the folder that `ordain up` made
    #[arg(default_value = "ordain", value_name = "DIR")]
    dir: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// List what is checked, and stop
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object with a list of problems
    Json,
    /// SARIF 2.1.0, for code-review tools
    Sarif,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        if self.list {
            for check in ALL {
                print(format_args!("{:<22} {}", check.code, check.about))?;
            }
            return Ok(Answer::Yes);
        }
        let read = policy::read(&self.dir)?;
        let (errors, warnings) = read.counts();
        match self.format {
            Format::Text => {
                for problem in &read.loaded.problems {
                    print(read.files.render(problem))?;
                }
                let clauses = read
                    .loaded
                    .document
                    .as_ref()
                    .map_or(0, |document| document.clauses.len());
                print(format_args!(
                    "{clauses} clauses, {} cases: {errors} errors, {warnings} warnings",
                    read.loaded.cases.len()
                ))?;
            }
            Format::Json => print(serde_json::to_string_pretty(
                &json!({"v": 1, "errors": errors, "warnings": warnings, "problems": problems(&read)}),
            )?)?,
            Format::Sarif => print(serde_json::to_string_pretty(&sarif(&read))?)?,
        }
        Ok(Answer::from(errors == 0))
    }
}

fn path(read: &policy::Read, file: u16) -> &str {
    read.files
        .get(file)
        .map_or(ordain_core::policy::ROOT, |file| &file.path)
}

fn problems(read: &policy::Read) -> Vec<Value> {
    let one = |problem: &ordain_core::policy::problem::Problem| {
        json!({
            "code": problem.code, "severity": problem.severity.as_str(), "message": problem.message, "help": problem.help,
            "path": path(read, problem.place.file), "line": problem.place.line, "column": problem.place.column,
        })
    };
    read.loaded.problems.iter().map(one).collect()
}

/// SARIF 2.1.0 (OASIS), the parts that code-review tools show.
fn sarif(read: &policy::Read) -> Value {
    let rules: Vec<Value> = ALL
        .iter()
        .map(|check| json!({"id": check.code, "shortDescription": {"text": check.about}}))
        .collect();
    let result = |problem: &ordain_core::policy::problem::Problem| {
        let text = problem.help.as_ref().map_or_else(
            || problem.message.clone(),
            |help| format!("{} ({help})", problem.message),
        );
        json!({
            "ruleId": problem.code,
            "level": if problem.severity == Severity::Error { "error" } else { "warning" },
            "message": {"text": text},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": path(read, problem.place.file)},
                "region": {"startLine": problem.place.line.max(1), "startColumn": problem.place.column.max(1)},
            }}],
        })
    };
    let results: Vec<Value> = read.loaded.problems.iter().map(result).collect();
    json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{"tool": {"driver": {"name": "ordain", "version": env!("CARGO_PKG_VERSION"), "rules": rules}}, "results": results}],
    })
}
