//! `ordain check`: all problems of a policy, each at its line; with `--fix`, those mended that can be mended in one way only.

mod sarif;

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use ordain_core::policy::check::{ALL, FORM, foreign_groups};
use ordain_core::policy::fix::{self, Change};
use ordain_core::policy::problem::{Problem, Severity};
use ordain_core::policy::{File, Files, ROOT};
use ordain_server::directory::Source;
use ordain_server::setup::Folder;
use serde_json::{Value, json};

use super::PolicyDir;
use crate::exit::{Answer, print};
use crate::policy::{self, Counts, Read};

/// Report all problems of a policy
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    dir: PolicyDir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Mend what can be mended in one way only, and change nothing else
    #[arg(long)]
    fix: bool,
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

/// A fix can uncover the next mistake; more rounds than this mean that fixes chase each other.
const MOST_ROUNDS: usize = 8;

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        if self.list {
            return list(self.format);
        }
        let mut read = policy::read(self.dir.path())?;
        let mut fixed = Vec::new();
        if self.fix {
            (read, fixed) = mend(read)?;
        }
        directory(self.dir.path(), &mut read)?;
        let counts = read.counts();
        match self.format {
            Format::Text => show(&read, &fixed, counts)?,
            Format::Json => print(serde_json::to_string_pretty(&as_json(&read, &fixed, counts))?)?,
            Format::Sarif => print(serde_json::to_string_pretty(&sarif::log(&read))?)?,
        }
        Ok(Answer::from(counts.errors == 0))
    }
}

/// Adds what is wrong with the directory beside the policy, in a folder that `init` or `up` made: a group that the policy does
/// not know is none, and those in it can reach nothing.
fn directory(dir: &Path, read: &mut Read) -> anyhow::Result<()> {
    let (Some(document), false) = (&read.loaded.document, read.folder == dir) else {
        return Ok(());
    };
    let Some(source) = Source::find(&Folder::new(dir))? else {
        return Ok(());
    };
    let path = &source.path;
    let text = fs::read_to_string(path).with_context(|| format!("`{}` could not be read", path.display()))?;
    let mut problems = Vec::new();
    let directory = source.parse(&text, &mut problems);
    let what = "who is in no other counts as a stranger";
    foreign_groups(document, directory.groups().iter(), what, &mut problems);
    let path = format!("../{}", source.name());
    let Some(index) = read.files.add(File { path, text }) else {
        return Ok(());
    };
    for problem in &mut problems {
        problem.place.file = index;
        problem.fix = None;
    }
    read.loaded.problems.append(&mut problems);
    Ok(())
}

/// Every check and mistake of form as code, severity, what it is about and how to mend it.
fn listed() -> impl Iterator<Item = (&'static str, Severity, &'static str, &'static str)> {
    let checks = ALL
        .iter()
        .map(|check| (check.code, check.severity, check.about, check.mend));
    checks.chain(
        FORM.iter()
            .map(|form| (form.code, form.severity, form.about, form.mend)),
    )
}

fn list(format: Format) -> anyhow::Result<Answer> {
    match format {
        Format::Text => {
            for (code, severity, about, _) in listed() {
                print(format_args!("{code:<25} {:<8} {about}", severity.as_str()))?;
            }
        }
        Format::Json | Format::Sarif => {
            let one = |(code, severity, about, mend): (&str, Severity, &str, &str)| json!({"code": code, "severity": severity.as_str(), "about": about, "mend": mend});
            let checks: Vec<Value> = listed().map(one).collect();
            print(serde_json::to_string_pretty(&json!({"v": 1, "checks": checks}))?)?;
        }
    }
    Ok(Answer::Yes)
}

/// Puts the fixes into the files, and reads what came of it.
fn mend(mut read: Read) -> anyhow::Result<(Read, Vec<Change>)> {
    let mut fixed = Vec::new();
    for _ in 0..MOST_ROUNDS {
        // What a policy extends is mended there, and not from below.
        let own = |problem: &&Problem| !path(&read.files, problem.place.file).starts_with("../");
        let problems: Vec<Problem> = read.loaded.problems.iter().filter(own).cloned().collect();
        let (files, changes) = fix::apply(&read.files, &problems);
        if changes.is_empty() {
            break;
        }
        let mended = policy::checked(read.folder.clone(), files);
        let mut touched: Vec<u16> = changes.iter().map(|change| change.place.file).collect();
        touched.dedup();
        for file in touched {
            if let (Some(old), Some(new)) = (read.files.get(file), mended.files.get(file)) {
                policy::replace(&read.folder.join(&old.path), &old.text, &new.text)?;
            }
        }
        fixed.extend(changes);
        read = mended;
    }
    Ok((read, fixed))
}

fn show(read: &Read, fixed: &[Change], counts: Counts) -> anyhow::Result<()> {
    for change in fixed {
        let place = change.place;
        let path = path(&read.files, place.file);
        print(format_args!(
            "{path}:{}:{} {} → {}",
            place.line, place.column, change.old, change.new
        ))?;
    }
    // What has to be mended stands last, right above the count, where it is seen.
    for note in notes(read) {
        print(note)?;
    }
    for severity in [Severity::Warning, Severity::Error] {
        let problems = read.loaded.problems.iter();
        for problem in problems.filter(|problem| problem.severity == severity) {
            print(format_args!("\n{}", read.files.render(problem).trim_end()))?;
        }
    }
    let apart = if read.loaded.problems.is_empty() { "" } else { "\n" };
    let Some(document) = read.loaded.document.as_ref() else {
        let counts = format!("{apart}the policy could not be read, and nothing else of it was checked: {counts}");
        return print(counts);
    };
    let plural = |number: usize| if number == 1 { "" } else { "s" };
    let (clauses, cases) = (document.clauses.len(), read.loaded.cases.len());
    print(format_args!(
        "{apart}{clauses} clause{}, {cases} case{}: {counts}",
        plural(clauses),
        plural(cases)
    ))
}

/// The notes, in a line for each thing that is noted, with the places where it is.
fn notes(read: &Read) -> Vec<String> {
    let mut notes: Vec<(String, Vec<String>)> = Vec::new();
    for problem in &read.loaded.problems {
        if problem.severity != Severity::Note {
            continue;
        }
        let said = format!("note[{}]: {}", problem.code, problem.message);
        let place = format!("{}:{}", path(&read.files, problem.place.file), problem.place.line);
        match notes.iter_mut().find(|(known, _)| *known == said) {
            Some((_, places)) => places.push(place),
            None => notes.push((said, vec![place])),
        }
    }
    notes
        .into_iter()
        .map(|(said, places)| format!("{said} ({})", places.join(", ")))
        .collect()
}

fn as_json(read: &Read, fixed: &[Change], counts: Counts) -> Value {
    let problem = |problem: &Problem| {
        let place = problem.place;
        let fix = fix::change(&read.files, problem).map(|change| json!({"old": change.old, "new": change.new}));
        json!({
            "code": problem.code, "severity": problem.severity.as_str(), "message": problem.message, "help": problem.help,
            "path": path(&read.files, place.file), "line": place.line, "column": place.column, "length": place.length, "fix": fix,
            "witness": problem.witness,
        })
    };
    let change = |change: &Change| {
        let place = change.place;
        json!({
            "path": path(&read.files, place.file), "line": place.line, "column": place.column, "old": change.old, "new": change.new,
        })
    };
    json!({
        "v": 1, "errors": counts.errors, "warnings": counts.warnings, "notes": counts.notes,
        "problems": read.loaded.problems.iter().map(problem).collect::<Vec<_>>(),
        "fixed": fixed.iter().map(change).collect::<Vec<_>>(),
    })
}

fn path(files: &Files, file: u16) -> &str {
    files.get(file).map_or(ROOT, |file| &file.path)
}
