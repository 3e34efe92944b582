//! `ordain up`: the main job. A first run makes everything; later runs start what is there.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use ordain_core::catalog::Catalog;
use ordain_core::decide::Who;
use ordain_core::detect::scanner::Scanner;
use ordain_core::policy::cases::{self, Request};
use ordain_core::policy::compile::Policy;
use ordain_core::verdict::{Direction, Source};
use ordain_server::config::{self, Config, Dialect, Upstream};
use ordain_server::demo;
use ordain_server::setup::{FIRST_PRINCIPAL, Folder};
use ordain_server::version::{Given, Version};
use serde_json::json;

use super::Format;
use super::running::{self, Running};
use crate::exit::{Answer, print};

/// Make a first policy and gateway, or start what is there
#[derive(Debug, Args)]
#[command(
    after_help = "With OPENAI_API_KEY or ANTHROPIC_API_KEY set, a first run forwards to these providers; with neither, to a built-in \
                        model `demo` that repeats what it is told."
)]
pub(crate) struct Up {
    /// Folder for the policy, the store and the keys
    #[arg(long, default_value = "ordain", value_name = "DIR")]
    dir: PathBuf,
    /// Address to listen on; port 0 lets the system choose
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where to forward a dialect (openai, anthropic, gemini, ollama, azure) to; may be repeated
    #[arg(long = "upstream", value_name = "DIALECT=URL", value_parser = upstream)]
    upstreams: Vec<Upstream>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

fn upstream(text: &str) -> Result<Upstream, String> {
    let (dialect, url) = text
        .split_once('=')
        .ok_or("write DIALECT=URL, such as openai=https://api.openai.com")?;
    let dialect = Dialect::parse(dialect).ok_or_else(|| {
        let known = Dialect::ALL.map(Dialect::as_str).join(", ");
        format!("no dialect called `{dialect}`; there are {known}")
    })?;
    if !config::is_base_url(url) {
        return Err(format!("`{url}` is no address such as https://api.openai.com"));
    }
    Ok(Upstream::usual(dialect, url))
}

pub(super) const USUAL_ADDRESS: &str = "127.0.0.1:8080";

impl Up {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        running::prepare();
        let folder = Folder::new(&self.dir);
        let first = !folder.is_made();
        if first {
            let upstreams = if self.upstreams.is_empty() {
                usual_upstreams()
            } else {
                self.upstreams.clone()
            };
            folder.make(self.listen.as_deref().unwrap_or(USUAL_ADDRESS), &upstreams)?;
        }
        let given = Given {
            listen: self.listen.clone(),
            upstreams: self.upstreams.clone(),
        };
        let version = Version::read(&folder, &given)?;
        let config = version.config.clone();
        let tries = tries(&version.policy, &version.directory.who(FIRST_PRINCIPAL, None), &config);
        let running = Running::start(&folder, given, version)?;
        // Where there is none yet, and for scripts always.
        let key = match (running.needs_key(), self.format) {
            (true, _) => Some(running.make_key(&folder, "first key")?),
            (false, Format::Json) => Some(running.make_key(&folder, "made by `up --format json`")?),
            (false, Format::Text) => None,
        };
        match self.format {
            Format::Json => {
                print(json!({"gateway": running.url(), "key": key, "pid": std::process::id()}))?;
            }
            Format::Text => {
                welcome(&running, &folder, &config, first)?;
                how_to_try(&running, &folder, &config, key.as_deref(), &tries)?;
            }
        }
        running.until_signal()
    }
}

/// The providers whose keys are in the environment, or the demonstration upstream. Azure's address is nobody's usual one.
pub(super) fn usual_upstreams() -> Vec<Upstream> {
    let has_key = |dialect: &Dialect| std::env::var(dialect.usual_key_env()).is_ok_and(|key| !key.is_empty());
    let providers: Vec<Upstream> = Dialect::ALL
        .iter()
        .filter(|dialect| **dialect != Dialect::Azure && has_key(dialect))
        .map(|&dialect| Upstream::usual(dialect, dialect.usual_url()))
        .collect();
    if providers.is_empty() {
        demo::DIALECTS.map(Upstream::demo).to_vec()
    } else {
        providers
    }
}

fn welcome(running: &Running, folder: &Folder, config: &Config, first: bool) -> anyhow::Result<()> {
    let url = running.url();
    let dir = folder.path().display();
    print(format_args!("Ordain listens on {url}"))?;
    print(format_args!("  policy     {}", running.policy))?;
    for one in &config.upstreams {
        print(format_args!(
            "  {:<10} {} at {}",
            one.dialect.as_str(),
            one.app,
            one.url
        ))?;
    }
    if first {
        print(format_args!(
            "  made       {dir}/policy, {dir}/ordain.yaml, {dir}/directory.yaml, {dir}/store, {dir}/keys"
        ))?;
    }
    if running.recovered > 0 {
        print(format_args!(
            "  recovered  {} exchanges that an earlier run left open are closed as `unknown`",
            running.recovered
        ))?;
    }
    Ok(())
}

/// What to do next: with a key that was just made, requests to try.
fn how_to_try(
    running: &Running,
    folder: &Folder,
    config: &Config,
    key: Option<&str>,
    tries: &[String],
) -> anyhow::Result<()> {
    let (url, dir) = (running.url(), folder.path().display());
    let Some(key) = key else {
        print(format_args!(
            "\nKeys: `ordain key create PRINCIPAL --dir {dir}` makes one, `ordain key list --dir {dir}` lists them."
        ))?;
        return print("Stop with Ctrl-C.");
    };
    print(format_args!(
        "\nYour first key, for {FIRST_PRINCIPAL}, shown this once:\n\n  export ORDAIN_KEY={key}\n"
    ))?;
    print("Four requests to try; each answer names the clause that decided (`ordain-clause`):\n")?;
    let (path, model) = endpoint(config);
    for (becomes, text) in tries.iter().zip(TRIES) {
        print(format_args!(
            "  # {becomes}\n  curl -si {url}{path} -H \"Authorization: Bearer $ORDAIN_KEY\" -H 'content-type: application/json' \\"
        ))?;
        print(format_args!(
            "    -d '{{\"model\":\"{model}\",\"max_tokens\":200,\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]}}'\n"
        ))?;
    }
    print(format_args!(
        "SDKs: base_url {url}/v1 (OpenAI), {url} (Anthropic), with the key above as API key."
    ))?;
    print(format_args!(
        "Then: `ordain records list --dir {dir}`, `ordain impact --dir {dir}`, `ordain check {dir}`. Stop with Ctrl-C."
    ))
}

/// Texts for a first try, one for each verdict of the starter policy.
const TRIES: [&str; 4] = [
    "Suggest a name for a sailing boat.",
    "Draft a reply to jo@example.com.",
    "My card is 4111 1111 1111 1111, is it valid?",
    "Why does sk-ant-api03-Zx8vQ2mN7bL4kJ1hG6fD3sA9pO5iU0yT not work?",
];

/// What the policy does with each text for a first try, and what it would do in full force.
fn tries(policy: &Policy, who: &Who, config: &Config) -> Vec<String> {
    let (catalog, scanner) = (Catalog::built_in(), Scanner::new(policy.own_detectors()));
    let (_, model) = endpoint(config);
    let openai = config.upstreams.iter().find(|one| one.dialect == Dialect::Openai);
    let app = openai.or_else(|| config.upstreams.first()).map(|one| one.app.clone());
    let becomes = |text: &str| {
        let request = Request {
            who: who.clone(),
            app: app.clone().unwrap_or_default(),
            model: Some(model.to_owned()),
            direction: Direction::Prompt,
            parts: vec![(Source::User, text.to_owned())],
            ..Request::default()
        };
        let decision = cases::ask(policy, &scanner, &catalog, &request, Timestamp::now()).decision;
        if decision.full == decision.verdict {
            decision.verdict.to_string()
        } else {
            format!("{} (full enforcement: {})", decision.verdict, decision.full)
        }
    };
    TRIES.into_iter().map(becomes).collect()
}

/// The endpoint and model that the printed commands use.
fn endpoint(config: &Config) -> (&'static str, &str) {
    let openai = config.upstreams.iter().find(|one| one.dialect == Dialect::Openai);
    let model = |one: &Upstream, usual: &'static str| -> String {
        one.models.first().cloned().unwrap_or_else(|| usual.to_owned())
    };
    match openai {
        Some(one) if model(one, "") == "demo" => ("/v1/chat/completions", "demo"),
        Some(_) => ("/v1/chat/completions", "gpt-4o-mini"),
        None => ("/v1/messages", "claude-3-5-haiku-latest"),
    }
}
