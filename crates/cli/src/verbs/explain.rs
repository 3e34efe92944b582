//! `ordain explain`: one decision for one request, and why.

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;
use ordain_core::decide::{Who, explain};
use ordain_core::detect::ENTITIES;
use ordain_core::detect::scanner::Scanner;
use ordain_core::policy::Loaded;
use ordain_core::policy::cases::{self, Assumed, Request};
use ordain_core::policy::compile::Policy;
use ordain_core::policy::node::Place;
use ordain_core::policy::problem::Problem;
use ordain_core::verdict::{AppClass, Direction, Source, Verdict};
use serde_json::json;

use super::Format;
use crate::exit::{Answer, print};
use crate::policy;

/// Decide one request and say why
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 1 when the request would be blocked.\n\nExample: ordain explain --group staff --app openai-api 'My card is 4111 1111 1111 1111'"
)]
pub(crate) struct Explain {
    /// The text; read from standard input when absent or `-`
    text: Option<String>,
    /// A whole request as a case has it, such as `{group: staff, app: openai-api, data: [iban]}`; `check` and `diff` print them
    #[arg(long, value_name = "YAML", conflicts_with_all = ["text", "app", "groups", "principal", "client", "model", "use_", "direction", "source", "data"])]
    request: Option<String>,
    /// Policy folder, or the folder that `ordain up` made
    #[arg(long, default_value = "ordain", value_name = "DIR")]
    dir: PathBuf,
    /// The app that the request goes to; the first sanctioned app of the policy when absent
    #[arg(long)]
    app: Option<String>,
    /// A group of the principal, as the directory names it; may be repeated
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// The principal
    #[arg(long, default_value = "")]
    principal: String,
    /// The calling software
    #[arg(long)]
    client: Option<String>,
    /// The model
    #[arg(long)]
    model: Option<String>,
    /// The declared use
    #[arg(long = "use", value_name = "USE")]
    use_: Option<String>,
    /// prompt or answer
    #[arg(long, default_value = "prompt", value_parser = direction)]
    direction: Direction,
    /// Who wrote the text: user, system, tool, retrieved, model
    #[arg(long, value_parser = source)]
    source: Option<Source>,
    /// A kind of data to take as found, such as iban; may be repeated
    #[arg(long = "data", value_name = "ENTITY")]
    data: Vec<String>,
    /// The moment, as in 2026-12-01T09:30:00Z; now when absent
    #[arg(long)]
    now: Option<Timestamp>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

fn direction(word: &str) -> Result<Direction, String> {
    Direction::parse(word).ok_or_else(|| "use `prompt` or `answer`".to_owned())
}

fn source(word: &str) -> Result<Source, String> {
    Source::parse(word).ok_or_else(|| "use one of: user, system, tool, retrieved, model".to_owned())
}

/// The app that a request goes to when nobody says: the first sanctioned one that anything may go to, but for the
/// demonstration.
fn usual_app(loaded: &Loaded) -> String {
    let apps = loaded.document.iter().flat_map(|document| &document.apps);
    let sanctioned: Vec<_> = apps.filter(|app| app.class == AppClass::Sanctioned).collect();
    let own = || sanctioned.iter().filter(|app| app.id.as_str() != DEMO);
    let plain = own().find(|app| app.models.is_none() && app.require.is_empty() && app.only_for.is_none());
    let usual = plain.or_else(|| own().next()).or_else(|| sanctioned.first());
    usual.map_or_else(|| DEMO.to_owned(), |app| app.id.value.clone())
}

/// The app that comes with the program.
const DEMO: &str = "demo";

/// Refuses what is no kind of data: a family has members, which may be of several classes, and a misspelt name would pass as
/// nothing at all.
fn known(policy: &Policy, name: &str) -> anyhow::Result<()> {
    if policy.has_entity(name) {
        return Ok(());
    }
    let mut members: Vec<&str> = ENTITIES
        .iter()
        .filter(|entity| entity.family == Some(name))
        .map(|entity| entity.id)
        .collect();
    if !members.is_empty() {
        members.sort_unstable();
        bail!(
            "`{name}` is a family, not one kind of data: its members can be of different classes; name one of them: `{}`",
            members.join("`, `")
        );
    }
    let problem = Problem::error(
        "unknown-entity",
        Place::default(),
        format!("no kind of data called `{name}`"),
    )
    .suggest(name, policy.entities());
    let help = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
    bail!("{}{help}", problem.message)
}

impl Explain {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        let (policy, loaded, catalog) = policy::read_for_use(&self.dir)?.usable()?;
        let scanner = Scanner::new(policy.own_detectors());
        let assumed = usual_app(&loaded);
        let request = self.request(&assumed)?;
        for stated in &request.data {
            known(&policy, &stated.entity)?;
        }
        let stated = request.now.and_then(|now| policy.zone().to_timestamp(now).ok());
        let now = self.now.or(stated).unwrap_or_else(Timestamp::now);
        let answer = cases::ask(&policy, &scanner, &catalog, &request, now);
        let decision = &answer.decision;
        match self.format {
            Format::Text => {
                print(explain::trace(&policy, decision).trim_end())?;
                if decision.full != Verdict::Block && !answer.texts.is_empty() {
                    print(format_args!("  goes on as: {}", answer.texts.join("\n")))?;
                }
                if self.app.is_none() && self.request.is_none() {
                    print(format_args!("  asked about the app {assumed}; `--app` names another"))?;
                }
            }
            Format::Json => {
                let clauses: Vec<_> = decision
                    .contributions
                    .iter()
                    .map(|one| {
                        let citation = policy.citation(one.citation);
                        json!({"id": citation.id, "verdict": one.verdict.as_str(), "acts": one.acts.as_str(), "mode": one.mode.as_str(), "at": policy.locate(citation.place)})
                    })
                    .collect();
                let value = json!({
                    "v": 1, "app": request.app, "verdict": decision.verdict.as_str(), "full": decision.full.as_str(), "app_class": decision.app_class.as_str(),
                    "data_class": policy.class_name(decision.data_class), "clauses": clauses, "policy": policy.digest.to_string(), "texts": answer.texts,
                });
                print(serde_json::to_string_pretty(&value)?)?;
            }
        }
        Ok(Answer::from(decision.verdict != Verdict::Block))
    }

    /// The request that was given whole, or in pieces.
    fn request(&self, assumed: &str) -> anyhow::Result<Request> {
        if let Some(text) = &self.request {
            return cases::parse_request(text).map_err(|problems| {
                let problems: Vec<String> = problems
                    .iter()
                    .map(|problem| problem.render("--request", text))
                    .collect();
                anyhow::anyhow!("the request cannot be read\n\n{}", problems.join("\n"))
            });
        }
        let usual = if self.direction == Direction::Prompt {
            Source::User
        } else {
            Source::Model
        };
        Ok(Request {
            who: Who {
                principal: self.principal.clone(),
                groups: self.groups.clone(),
                client: self.client.clone(),
                ..Who::default()
            },
            app: self.app.clone().unwrap_or_else(|| assumed.to_owned()),
            model: self.model.clone(),
            use_: self.use_.clone(),
            direction: self.direction,
            parts: vec![(self.source.unwrap_or(usual), self.text()?)],
            data: self.data.iter().cloned().map(Assumed::once).collect(),
            ..Request::default()
        })
    }

    fn text(&self) -> anyhow::Result<String> {
        match self.text.as_deref() {
            Some(text) if text != "-" => Ok(text.to_owned()),
            _ => {
                let mut stdin = std::io::stdin();
                if stdin.is_terminal() && self.text.is_none() {
                    bail!("give the text as an argument, or on standard input");
                }
                let mut text = String::new();
                stdin
                    .read_to_string(&mut text)
                    .context("standard input could not be read")?;
                Ok(text)
            }
        }
    }
}
