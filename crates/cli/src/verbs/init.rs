//! `ordain init`: from an interview, a file of answers or a profile to a policy folder that is checked and tested.
//!
//! What the answers make of the policy is the core's business ([`ordain_core::library`]); here they are asked for, the files
//! are written, and nothing that is there is ever overwritten.

mod interview;
mod prompts;

use std::error::Error as _;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use jiff::Zoned;
use ordain_core::catalog::Catalog;
use ordain_core::detect::scanner::Scanner;
use ordain_core::library::Library;
use ordain_core::library::answers::Answers;
use ordain_core::library::assemble::{Assembly, assemble};
use ordain_core::policy::ROOT;
use ordain_core::policy::cases;
use ordain_core::policy::problem::{Problem, Severity};
use ordain_server::directory::Source;
use ordain_server::setup::{self, FIRST_PRINCIPAL, Folder};

use super::up;
use crate::exit::{Answer, print};
use crate::policy;
use interview::Ended;

/// Write a policy from an interview, from answers or from profiles
#[derive(Debug, Args)]
#[command(
    after_help = "On a terminal, and with neither --profile nor --answers, it asks: about fifteen questions, each with what its answer \
                  changes, and shows all answers at the end. Esc or Ctrl-C leaves; what was answered is kept in DIR/answers.yaml, and \
                  the same command goes on with the next question."
)]
pub(crate) struct Init {
    /// Folder for the policy and everything beside it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// What you do with AI: builds-models, integrates-apis, uses-saas, public-tools, and regulated laid over one of them
    #[arg(long = "profile", value_name = "NAME")]
    profiles: Vec<String>,
    /// File of answers, such as the answers.yaml of an earlier run
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Name of the organisation
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Move a policy that is there aside instead of stopping
    #[arg(long)]
    force: bool,
}

/// The answers beside the policy.
const ANSWERS: &str = "answers.yaml";
/// Who has completed which course, as the policy's `records` name it.
const COMPLETIONS: &str = "training.csv";
/// The page that sums up what was decided.
const SUMMARY: &str = "summary.md";

impl Init {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        let folder = Folder::new(&self.dir);
        let dir = self.dir.display();
        let is_there = folder.policy().join(ROOT).exists();
        if is_there && !self.force {
            bail!(
                "there is a policy in `{dir}` already, and it stays as it is\n  = help: name another folder, or say `--force`: it moves the old policy aside and deletes nothing"
            );
        }
        let Some(answers) = self.answered(&folder)? else {
            eprintln!(
                "left; what you answered is kept in `{}`, and `ordain init {dir}` goes on from there",
                folder.path().join(ANSWERS).display()
            );
            return Ok(Answer::No);
        };
        let now = Zoned::now();
        let assembly = assemble(Library::built_in(), &answers, &Catalog::built_in(), now.date());
        let aside = if is_there {
            Some(move_aside(&folder, &now)?)
        } else {
            None
        };
        write(&folder, &answers, &assembly)?;
        report(&folder, &assembly, aside.as_deref())
    }

    /// The answers, from wherever they come; `None` if somebody left the interview.
    fn answered(&self, folder: &Folder) -> anyhow::Result<Option<Answers>> {
        let mut answers = if let Some(path) = &self.answers {
            let answers = read(path)?;
            ensure!(
                answers.next.is_none(),
                "`{}` is of an interview that somebody left\n  = help: without `--answers`, the same command goes on with it; or take out its line `next`, and what stands in it counts",
                path.display()
            );
            answers
        } else if !self.profiles.is_empty() {
            Answers::suggested(&self.profiles)
        } else if io::stdin().is_terminal() && io::stdout().is_terminal() {
            return self.interview(folder);
        } else {
            bail!(
                "there is no terminal to ask questions on\n  = help: name a profile (`--profile integrates-apis`) or a file (`--answers FILE`)"
            );
        };
        if !self.profiles.is_empty() {
            answers.profiles.clone_from(&self.profiles);
        }
        if let Some(name) = &self.organization {
            answers.organization.clone_from(name);
        }
        // What came by options is held to the same rules as what comes from a file.
        let text = answers.render();
        let (answers, problems) = parse(&text);
        ensure!(problems.is_empty(), "{}", said(&problems));
        Ok(Some(answers))
    }

    fn interview(&self, folder: &Folder) -> anyhow::Result<Option<Answers>> {
        let kept = folder.path().join(ANSWERS);
        let mut answers = if kept.exists() {
            print(format_args!(
                "Going on with what you answered before ({}).\n",
                kept.display()
            ))?;
            read(&kept)?
        } else {
            interview::begin()
        };
        if let Some(name) = &self.organization {
            answers.organization.clone_from(name);
        }
        make_folder(folder.path())?;
        let keep = |answers: &Answers| put(&kept, &answers.render());
        match interview::ask(answers, &keep)? {
            Ended::Done(answers) => {
                let text = answers.render();
                let (_, problems) = parse(&text);
                ensure!(
                    problems.is_empty(),
                    "some answers do not fit together; mend them in `{}` and run `ordain init {} --answers {0}`\n\n{}",
                    kept.display(),
                    folder.path().display(),
                    rendered(&problems, &kept, &text)
                );
                Ok(Some(*answers))
            }
            Ended::Left => Ok(None),
        }
    }
}

fn parse(text: &str) -> (Answers, Vec<Problem>) {
    Answers::parse(text, Library::built_in(), &Catalog::built_in())
}

fn read(path: &Path) -> anyhow::Result<Answers> {
    let text = setup::read(path).map_err(|error| {
        let is_text = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        let encoding = is_text.is_some_and(|source| source.kind() == io::ErrorKind::InvalidData);
        if encoding {
            anyhow::anyhow!(
                "`{}` is not written in UTF-8\n  = help: save it again as UTF-8; editors ask for the encoding under \"save as\"",
                path.display()
            )
        } else {
            error.into()
        }
    })?;
    let (answers, problems) = parse(&text);
    ensure!(
        problems.is_empty(),
        "the answers cannot be used\n\n{}",
        rendered(&problems, path, &text)
    );
    Ok(answers)
}

/// Problems of a file, each with its line.
fn rendered(problems: &[Problem], path: &Path, text: &str) -> String {
    let path = path.display().to_string();
    let shown: Vec<String> = problems.iter().map(|problem| problem.render(&path, text)).collect();
    shown.join("\n")
}

/// Problems of what came by options, which have no line.
fn said(problems: &[Problem]) -> String {
    let one = |problem: &Problem| match &problem.help {
        Some(help) => format!("{}\n  = help: {help}", problem.message),
        None => problem.message.clone(),
    };
    problems.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// Moves the policy and what belongs to it into a folder of its own, which is named by the moment.
fn move_aside(folder: &Folder, now: &Zoned) -> anyhow::Result<PathBuf> {
    let aside = folder
        .path()
        .join(format!("before-{}", now.strftime("%Y%m%dT%H%M%S%.3f")));
    make_folder(&aside)?;
    for (from, name) in [
        (folder.policy(), "policy"),
        (folder.path().join(ANSWERS), ANSWERS),
        (folder.path().join(SUMMARY), SUMMARY),
    ] {
        if from.exists() {
            fs::rename(&from, aside.join(name))
                .with_context(|| format!("`{}` could not be moved aside", from.display()))?;
        }
    }
    Ok(aside)
}

fn write(folder: &Folder, answers: &Answers, assembly: &Assembly) -> anyhow::Result<()> {
    make_folder(&folder.policy().join("cases"))?;
    for file in &assembly.files {
        let path = folder.policy().join(&file.path);
        ensure!(
            !path.exists(),
            "`{}` is there already, and nothing is overwritten",
            path.display()
        );
        put(&path, &file.text)?;
    }
    put(&folder.path().join(ANSWERS), &answers.render())?;
    let here = format!("--dir {}", folder.path().display());
    put(
        &folder.path().join(SUMMARY),
        &assembly.summary.replace("--dir DIR", &here),
    )?;
    if Source::find(folder)?.is_none() {
        let text = format!(
            "# Who is in which group, as the policy's `scope.groups` names them or their `claim`.\npeople:\n  {FIRST_PRINCIPAL}:\n    groups: [{}]\n",
            assembly.group
        );
        put(&folder.directory(), &text)?;
    }
    // The policy's courses are read from here; who has completed what is for `ordain training import` to say.
    let completions = folder.path().join(COMPLETIONS);
    if !completions.exists() {
        put(&completions, "principal,course,completed\n")?;
    }
    folder.make(up::USUAL_ADDRESS, &up::usual_upstreams())?;
    Ok(())
}

fn make_folder(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("`{}` could not be made", path.display()))
}

/// Writes a whole file beside its place and then puts it there, so that nobody ever reads half of it.
pub(super) fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Hidden, so that nobody takes it for a file of the policy.
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    written.with_context(|| format!("`{}` could not be written", path.display()))
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@');
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What was made, whether it holds, and what to try next.
fn report(folder: &Folder, assembly: &Assembly, aside: Option<&Path>) -> anyhow::Result<Answer> {
    let dir = folder.path().display();
    print(format_args!(
        "Made {dir}/policy from your answers. {dir}/{SUMMARY} says in one page what was decided and why."
    ))?;
    if let Some(aside) = aside {
        print(format_args!("  the old policy is in {}", aside.display()))?;
    }
    let good = verify(folder.path())?;
    let Assembly { group, app, model, .. } = assembly;
    let model = model
        .as_ref()
        .map(|model| format!(" --model {model}"))
        .unwrap_or_default();
    let source = Source::find(folder)?;
    let directory = source.as_ref().and_then(|source| fs::read_to_string(&source.path).ok());
    if !directory.unwrap_or_default().contains(group.as_str()) {
        let name = source.map_or("directory.yaml", |source| source.name());
        print(format_args!(
            "\nNobody in {dir}/{name} is in `{group}`, the group that this policy counts on: add it there."
        ))?;
    }
    let start = if assembly.consent {
        "start the gateway with it, once the works council has consented: it records each request"
    } else {
        "start the gateway with it"
    };
    print("\nThe policy observes: it records what it would do, and only a few rules act. Next:\n")?;
    for (command, what) in [
        (
            format!(
                "ordain explain --dir {dir} --group {} --app {app}{model} \"My card is 4111 1111 1111 1111\"",
                quoted(group)
            ),
            "one decision, with its reasons",
        ),
        (format!("ordain up --dir {dir}"), start),
        (
            format!("ordain impact --dir {dir}"),
            "after a while: what enforcing would have done",
        ),
        (
            format!("ordain clause list --missing {dir}"),
            "what else there is to adopt",
        ),
    ] {
        print(format_args!("  {command}\n      {what}"))?;
    }
    Ok(Answer::from(good))
}

/// Checks and tests the policy of a folder, in two lines.
pub(super) fn verify(dir: &Path) -> anyhow::Result<bool> {
    let read = policy::read(dir)?;
    print(format_args!(
        "  check  {} (`ordain check {}`)",
        read.counts(),
        dir.display()
    ))?;
    let shown = read
        .loaded
        .problems
        .iter()
        .filter(|problem| problem.severity != Severity::Note);
    for problem in shown {
        print(read.files.render(problem))?;
    }
    let (Some(policy), Some(document)) = (&read.loaded.policy, &read.loaded.document) else {
        return Ok(false);
    };
    let scanner = Scanner::new(policy.own_detectors());
    let outcomes = read
        .loaded
        .cases
        .iter()
        .map(|case| cases::run(policy, document, &scanner, &read.catalog, case));
    let failed: Vec<&str> = outcomes
        .filter(|outcome| !outcome.differences.is_empty())
        .map(|outcome| outcome.case.name.as_str())
        .collect();
    print(format_args!(
        "  test   {} cases passed, {} failed (`ordain test {}`)",
        read.loaded.cases.len() - failed.len(),
        failed.len(),
        dir.display()
    ))?;
    for name in &failed {
        print(format_args!("         failed: {name}"))?;
    }
    Ok(failed.is_empty())
}
