//! `ordain training`: completed courses, taken in from what a learning system exports, and listed as the gateway counts them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use ordain_core::policy::document::Document;
use ordain_server::setup::{self, Folder};
use ordain_server::training::{self, Columns};
use ordain_server::version;
use serde_json::json;

use super::{Dir, Format};
use crate::exit::{Answer, print};
use crate::policy;

/// Take in completed courses, and list them
#[derive(Debug, Subcommand)]
pub(crate) enum Training {
    /// Add the completions in a CSV file to DIR/training.csv
    Import(Import),
    /// List who has completed what, and what still counts
    List(List),
}

#[derive(Debug, Args)]
#[command(
    after_help = "The file has a header with the columns principal, course and completed (dates as 2026-12-31), with commas or semicolons; \
                  others are passed over. Of several completions the latest counts. A running gateway takes it up when it starts again."
)]
pub(crate) struct Import {
    /// The exported file
    file: PathBuf,
    #[command(flatten)]
    dir: Dir,
    /// The course that every row is about, for an export without that column
    #[arg(long, value_name = "ID")]
    course: Option<String>,
    /// A column that has another name there, such as principal=Email; may be repeated
    #[arg(long = "column", value_name = "NAME=THERE", value_parser = column)]
    columns: Vec<(String, String)>,
    /// The file in DIR to add to, as the policy's courses name it under `records`
    #[arg(long, value_name = "NAME", default_value = "training.csv")]
    into: String,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

fn column(text: &str) -> Result<(String, String), String> {
    let (name, there) = text
        .split_once('=')
        .ok_or("write NAME=THERE, such as principal=Email")?;
    if !["principal", "course", "completed"].contains(&name) {
        return Err(format!("no column called `{name}`; use principal, course or completed"));
    }
    Ok((name.to_owned(), there.to_owned()))
}

impl Training {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::Import(verb) => verb.run(),
            Self::List(verb) => verb.run(),
        }
    }
}

fn open(dir: &Dir) -> anyhow::Result<Folder> {
    let folder = Folder::new(dir.path());
    anyhow::ensure!(folder.path().is_dir(), "{}", dir.missing());
    Ok(folder)
}

/// The policy's document, as far as it can be read.
fn document(folder: &Folder) -> Option<Document> {
    policy::read(folder.path()).ok().and_then(|read| read.loaded.document)
}

impl Import {
    fn run(self) -> anyhow::Result<Answer> {
        let folder = open(&self.dir)?;
        let text = setup::read(&self.file)?;
        let mut columns = Columns {
            all: self.course.clone(),
            ..Columns::default()
        };
        for (name, there) in &self.columns {
            let slot = match name.as_str() {
                "principal" => &mut columns.principal,
                "course" => &mut columns.course,
                _ => &mut columns.completed,
            };
            slot.clone_from(there);
        }
        let mut problems = Vec::new();
        let mut rows = training::parse(&text, &columns, training::today(), &mut problems);
        if !problems.is_empty() {
            print(version::shown(&problems, &self.file, &text))?;
            print(format_args!(
                "nothing was taken in: {} rows need a look",
                problems.len()
            ))?;
            return Ok(Answer::No);
        }
        let directory = version::directory(&folder)?;
        let mut unknown = BTreeSet::new();
        for row in &mut rows {
            match directory.name_of(&row.principal) {
                Some(name) => row.principal = name.to_owned(),
                None => _ = unknown.insert(row.principal.clone()),
            }
        }
        let path = folder.training(&self.into);
        let mut known = Vec::new();
        if path.exists() {
            let text = setup::read(&path)?;
            known = training::parse(&text, &Columns::default(), training::today(), &mut problems);
            anyhow::ensure!(
                problems.is_empty(),
                "`{}` has problems of its own\n\n{}",
                path.display(),
                version::shown(&problems, &path, &text)
            );
        }
        let courses: BTreeSet<String> = rows.iter().map(|row| row.course.clone()).collect();
        let merged = training::merge(&mut known, rows);
        training::write(&path, &known).with_context(|| format!("`{}` could not be written", path.display()))?;
        let document = document(&folder);
        let files = document.as_ref().map(training::files).unwrap_or_default();
        let counted = files.get(self.into.as_str());
        let uncounted: Vec<&String> = courses
            .iter()
            .filter(|course| counted.is_none_or(|counted| !counted.contains(&course.as_str())))
            .collect();
        if self.format == Format::Json {
            print(
                json!({"v": 1, "added": merged.added, "updated": merged.updated, "unchanged": merged.unchanged, "unknown": unknown, "uncounted": uncounted}),
            )?;
            return Ok(Answer::Yes);
        }
        print(format_args!(
            "{} added, {} updated, {} unchanged, in {}",
            merged.added,
            merged.updated,
            merged.unchanged,
            path.display()
        ))?;
        if !unknown.is_empty() {
            let names: Vec<&str> = unknown.iter().map(String::as_str).take(10).collect();
            let more = if unknown.len() > names.len() { ", …" } else { "" };
            print(format_args!(
                "{} unknown: not in directory.yaml, kept all the same: {}{more}",
                unknown.len(),
                names.join(", ")
            ))?;
        }
        for course in uncounted {
            print(format_args!(
                "`{course}` does not count: no course of the policy is called so and says `records: {}`",
                self.into
            ))?;
        }
        print("A running gateway takes this up when it starts again.")?;
        Ok(Answer::Yes)
    }
}

impl List {
    fn run(self) -> anyhow::Result<Answer> {
        let folder = open(&self.dir)?;
        let document = document(&folder).context("the policy could not be read; `ordain check` says why")?;
        let directory = version::people(&folder, Some(&document))?;
        let today = document.date_of(Timestamp::now());
        let mut rows = Vec::new();
        for who in directory.people() {
            for (course, on) in &who.training {
                let known = document
                    .education
                    .courses
                    .iter()
                    .find(|known| known.id.value == *course);
                let until = known
                    .and_then(|known| known.valid.as_ref())
                    .and_then(|days| on.checked_add(jiff::Span::new().days(i64::from(days.value))).ok());
                let state = match (known, until) {
                    (None, _) => "not asked for",
                    (Some(_), Some(until)) if until < today => "expired",
                    (Some(_), _) => "counts",
                };
                rows.push((who.principal.clone(), course.clone(), *on, until, state));
            }
        }
        rows.sort();
        if self.format == Format::Json {
            let rows: Vec<_> = rows
                .iter()
                .map(|(principal, course, on, until, state)| {
                    json!({"principal": principal, "course": course, "completed": on.to_string(), "until": until.map(|date| date.to_string()), "state": state})
                })
                .collect();
            print(serde_json::to_string_pretty(&json!({"v": 1, "training": rows}))?)?;
        } else if rows.is_empty() {
            print("no completed courses yet; `ordain training import FILE` takes them in")?;
        } else {
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_header([
                "PRINCIPAL",
                "COURSE",
                "COMPLETED",
                "COUNTS UNTIL",
                "STATE",
            ]);
            for (principal, course, on, until, state) in rows {
                let until = until.map(|date| date.to_string()).unwrap_or_default();
                table.add_row([principal, course, on.to_string(), until, state.to_owned()]);
            }
            print(table)?;
        }
        Ok(Answer::Yes)
    }
}
