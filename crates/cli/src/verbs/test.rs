//! `ordain test`: a policy's cases, with a trace for each that fails, and the clauses that none tries.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use ordain_core::catalog::Catalog;
use ordain_core::decide::explain;
use ordain_core::detect::scanner::Scanner;
use ordain_core::policy::cases::{self, Outcome};
use ordain_core::policy::compile::Policy;
use ordain_core::policy::document::Document;
use ordain_core::verdict::{AppClass, Direction};
use ordain_core::witness;
use serde_json::json;

use super::PolicyDir;
use crate::exit::{Answer, print};
use crate::policy;

/// Run a policy's cases
#[derive(Debug, Args)]
pub(crate) struct Test {
    #[command(flatten)]
    dir: PolicyDir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Print a case to complete for each clause that no case tries; it counts once you have said what to expect
    #[arg(long, conflicts_with_all = ["format", "only"])]
    suggest: bool,
    /// Only cases whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object with a list of cases
    Json,
    /// `JUnit` XML, for CI servers
    Junit,
}

impl Test {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        let (policy, loaded, catalog) = policy::read_for_use(self.dir.path())?.usable()?;
        let Some(document) = &loaded.document else {
            anyhow::bail!("the policy could not be read")
        };
        let scanner = Scanner::new(policy.own_detectors());
        let wanted = |name: &str| self.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
        let chosen = loaded.cases.iter().filter(|case| wanted(case.name.as_str()));
        let outcomes: Vec<Outcome<'_>> = chosen
            .map(|case| cases::run(&policy, document, &scanner, &catalog, case))
            .collect();
        let failed = outcomes
            .iter()
            .filter(|outcome| !outcome.differences.is_empty())
            .count();
        let untried = untried(&policy, &outcomes);
        if self.suggest {
            let cases = suggested(&policy, &catalog, &untried);
            print(cases.trim_end())?;
            return Ok(Answer::Yes);
        }
        let cells = untried_cells(&policy, document, &outcomes);
        match self.format {
            Format::Text => {
                // What failed stands last, where it is seen.
                let (passing, failing): (Vec<_>, Vec<_>) =
                    outcomes.iter().partition(|outcome| outcome.differences.is_empty());
                for outcome in passing.into_iter().chain(failing) {
                    show(&policy, outcome)?;
                }
                if !untried.is_empty() && self.only.is_none() {
                    print(format_args!("no case tries: {}", untried.join(", ")))?;
                }
                if !cells.is_empty() && self.only.is_none() {
                    print(format_args!(
                        "cells of the matrix that no case tries: {}",
                        cells.join(", ")
                    ))?;
                }
                print(format_args!("{} passed, {failed} failed", outcomes.len() - failed))?;
            }
            Format::Json => {
                let cases: Vec<_> = outcomes
                    .iter()
                    .map(|outcome| json!({"name": outcome.case.name.value, "line": outcome.case.place().line, "passed": outcome.differences.is_empty(), "differences": outcome.differences, "verdict": outcome.answer.decision.full.as_str()}))
                    .collect();
                print(serde_json::to_string_pretty(
                    &json!({"v": 1, "passed": outcomes.len() - failed, "failed": failed, "cases": cases, "untried": untried, "untried_cells": cells}),
                )?)?;
            }
            Format::Junit => print(junit(&outcomes, failed))?,
        }
        if outcomes.is_empty() {
            anyhow::bail!("there are no cases to run; write some under `cases/`");
        }
        Ok(Answer::from(failed == 0))
    }
}

/// Cases for citations that no case tries. The verdict is left open: what is right is for a person to say, and a case without
/// it is an error.
fn suggested(policy: &Policy, catalog: &Catalog, untried: &[&str]) -> String {
    let found = witness::suggestions(policy, catalog, Timestamp::now(), untried);
    if found.is_empty() {
        return "# every clause that decides is tried by a case, or can have no say".to_owned();
    }
    let mut out =
        String::from("# Say after `verdict:` what you expect, and put the cases into a file under `cases/`.\ncases:\n");
    for (id, witness) in found {
        let _ = writeln!(
            out,
            "  - name: {id}, say in your own words what this shows\n    request: {}\n    expect: {{verdict: }}",
            witness.to_yaml(policy.zone())
        );
    }
    out
}

/// Cells of the matrix in which no prompt of a case falls, as `data class / app class`.
fn untried_cells(policy: &Policy, document: &Document, outcomes: &[Outcome<'_>]) -> Vec<String> {
    let tried: BTreeSet<(String, AppClass)> = outcomes
        .iter()
        .filter(|outcome| outcome.answer.facts.direction == Direction::Prompt)
        .map(|outcome| &outcome.answer.decision)
        .map(|decision| (policy.class_name(decision.data_class).to_owned(), decision.app_class))
        .collect();
    let rows = document.data.matrix.iter().flat_map(|matrix| &matrix.rows);
    let cells = rows.flat_map(|row| row.cells.iter().map(|(app, _)| (row.class.value.clone(), app.value)));
    cells
        .filter(|cell| !tried.contains(cell))
        .map(|(data, app)| format!("{data} / {app}"))
        .collect()
}

/// Citations that have a say in no case.
fn untried<'p>(policy: &'p Policy, outcomes: &[Outcome<'_>]) -> Vec<&'p str> {
    let tried: BTreeSet<&str> = outcomes
        .iter()
        .flat_map(|outcome| {
            outcome
                .answer
                .decision
                .full_contributions(policy)
                .map(|one| policy.citation(one.citation).id.as_str())
        })
        .collect();
    policy
        .citations()
        .filter(|citation| citation.statement.is_some())
        .map(|citation| citation.id.as_str())
        .filter(|id| !tried.contains(id))
        .collect()
}

fn show(policy: &Policy, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    if outcome.differences.is_empty() {
        return print(format_args!("ok    {}", outcome.case.name.value));
    }
    print(format_args!(
        "FAIL  {} ({})",
        outcome.case.name.value,
        policy.locate(outcome.case.place())
    ))?;
    for difference in &outcome.differences {
        print(format_args!("      {difference}"))?;
    }
    for line in explain::trace(policy, &outcome.answer.decision).lines() {
        print(format_args!("      | {line}"))?;
    }
    Ok(())
}

fn junit(outcomes: &[Outcome<'_>], failed: usize) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"ordain policy cases\" tests=\"{}\" failures=\"{failed}\">\n",
        outcomes.len()
    );
    for outcome in outcomes {
        let name = escape(&outcome.case.name.value);
        if outcome.differences.is_empty() {
            let _ = writeln!(out, "  <testcase name=\"{name}\"/>");
        } else {
            let _ = writeln!(
                out,
                "  <testcase name=\"{name}\"><failure message=\"{}\"/></testcase>",
                escape(&outcome.differences.join("; "))
            );
        }
    }
    out.push_str("</testsuite>");
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
