//! `ordain model`: which version an alias stands for, another one in use, and back.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use ordain_server::config::models::{Alias, State};
use ordain_server::config::rollout::{Change, Step};
use ordain_server::config::{self, Config};
use ordain_server::setup::Folder;
use serde_json::{Value, json};

use super::Format;
use crate::exit::{Answer, print};

/// Look at aliases of models, put another version in use, and take that back
#[derive(Debug, Subcommand)]
pub(crate) enum Model {
    /// List aliases with their versions
    List(List),
    /// Put another version of an alias in use: the candidate, or the one that is named
    Promote(Promote),
    /// Take the last step back: withdraw the candidate that has a share, else use the version before
    Rollback(Rollback),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Folder with the configuration
    #[arg(long, default_value = "ordain", value_name = "DIR")]
    dir: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Promote {
    /// The alias
    alias: String,
    /// The version to put in use; the candidate when left out
    version: Option<String>,
    /// Folder with the configuration
    #[arg(long, default_value = "ordain", value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The alias
    alias: String,
    /// Folder with the configuration
    #[arg(long, default_value = "ordain", value_name = "DIR")]
    dir: PathBuf,
}

impl Model {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::List(verb) => verb.run(),
            Self::Promote(verb) => change(&verb.dir, &verb.alias, Step::Promote(verb.version.as_deref())),
            Self::Rollback(verb) => change(&verb.dir, &verb.alias, Step::Rollback),
        }
    }
}

/// The configuration's path and text.
fn read(dir: &Path) -> anyhow::Result<(PathBuf, String)> {
    let path = Folder::new(dir).config();
    let text = fs::read_to_string(&path).with_context(|| format!("could not read `{}`", path.display()))?;
    Ok((path, text))
}

fn change(dir: &Path, alias: &str, step: Step<'_>) -> anyhow::Result<Answer> {
    let (path, text) = read(dir)?;
    let change = match Change::of(&text, alias, step) {
        Ok(change) => change,
        Err(error) => {
            eprintln!("{error}");
            return Ok(Answer::No);
        }
    };
    let help = "a file `.ordain.yaml.new` beside it is of a change that is under way, or of one that was cut off: remove it then";
    change
        .put(&path)
        .with_context(|| format!("could not change `{}`; {help}", path.display()))?;
    let used = &change.alias.versions.get(change.alias.in_use);
    print(format_args!(
        "{alias} uses {} now; {} has left\na gateway that runs takes this into force at once",
        used.map(|one| one.label.as_str()).unwrap_or_default(),
        change.left
    ))?;
    Ok(Answer::Yes)
}

/// What a version is to its alias beside its state.
fn part(alias: &Alias, place: usize) -> String {
    if place == alias.in_use {
        "in use".to_owned()
    } else if alias
        .versions
        .get(place)
        .is_some_and(|one| one.state == State::Candidate)
    {
        format!("{} % of conversations", alias.canary)
    } else if alias.fallback_of(alias.in_use) == Some(place) {
        "fallback".to_owned()
    } else {
        String::new()
    }
}

impl List {
    fn run(self) -> anyhow::Result<Answer> {
        let (path, text) = read(&self.dir)?;
        let mut problems = Vec::new();
        let Some(Config { models, .. }) = config::parse(&text, &mut problems) else {
            eprintln!("{}", ordain_server::version::shown(&problems, &path, &text));
            return Ok(Answer::No);
        };
        match self.format {
            Format::Text if models.is_empty() => print("no aliases; docs/reference/models.md says how to make one")?,
            Format::Text => {
                let mut table = Table::new();
                let head = ["ALIAS", "VERSION", "STATE", "MODEL", "UPSTREAM", ""];
                table.load_style(presets::NOTHING).set_header(head);
                for alias in &models {
                    for (place, one) in alias.versions.iter().enumerate() {
                        let part = part(alias, place);
                        let row = [
                            &alias.name,
                            &one.label,
                            one.state.as_str(),
                            &one.model,
                            &one.upstream,
                            part.as_str(),
                        ];
                        table.add_row(row);
                    }
                }
                print(table)?;
            }
            Format::Json => {
                let aliases: Vec<Value> = models.iter().map(shown).collect();
                print(serde_json::to_string_pretty(&json!({"v": 1, "aliases": aliases}))?)?;
            }
        }
        Ok(Answer::Yes)
    }
}

fn shown(alias: &Alias) -> Value {
    let label = |place: usize| alias.versions.get(place).map(|one| one.label.as_str());
    let versions = alias.versions.iter();
    let versions: Vec<Value> = versions
        .map(|one| json!({"version": one.label, "state": one.state.as_str(), "model": one.model, "upstream": one.upstream}))
        .collect();
    json!({
        "alias": alias.name,
        "use": label(alias.in_use),
        "before": alias.before.and_then(label),
        "candidate": alias.candidate().and_then(label),
        "canary": alias.canary,
        "fallback": alias.fallback_of(alias.in_use).and_then(label),
        "versions": versions,
    })
}
