//! `ordain up`: the main job. A first run makes everything; later runs start what is there.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use ordain_core::catalog::Catalog;
use ordain_core::decide::Who;
use ordain_core::detect::scanner::Scanner;
use ordain_core::inspect::Rules;
use ordain_core::policy::cases::{self, Request};
use ordain_core::policy::compile::Policy;
use ordain_core::policy::document::Document;
use ordain_core::policy::problem::Problem;
use ordain_core::verdict::{Direction, Source};
use ordain_server::config::{self, Config, Dialect, Upstream};
use ordain_server::directory;
use ordain_server::gateway::{self, Gateway, Listening, StartError};
use ordain_server::keys::{self, KeyHasher, KeyRing};
use ordain_server::recorder::Recorder;
use ordain_server::recovery;
use ordain_server::setup::{FIRST_PRINCIPAL, Folder};
use ordain_server::store::Store as _;
use ordain_server::store::sqlite::SqliteStore;
use ordain_server::training::{self, Columns};
use ordain_server::{demo, setup};
use serde_json::json;

use super::Format;
use crate::exit::{Answer, print};
use crate::policy;

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
    /// Where to forward a dialect (openai or anthropic) to; may be repeated
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
    let dialect =
        Dialect::parse(dialect).ok_or_else(|| format!("no dialect called `{dialect}`; use openai or anthropic"))?;
    if !config::is_base_url(url) {
        return Err(format!("`{url}` is no address such as https://api.openai.com"));
    }
    Ok(Upstream::usual(dialect, url))
}

pub(super) const USUAL_ADDRESS: &str = "127.0.0.1:8080";

/// How long running exchanges may take to end after a signal.
const GRACE: Duration = Duration::from_secs(10);

impl Up {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        log_to_stderr();
        // One crypto provider for the whole program; it may only be installed once, here.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
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
        let mut config = read_config(&folder)?;
        if !self.upstreams.is_empty() {
            config.upstreams.clone_from(&self.upstreams);
        }
        if let Some(listen) = &self.listen {
            config.listen.clone_from(listen);
        }
        let running = Running::start(&folder, &config)?;
        let key = running.first_key(&folder, self.format)?;
        match self.format {
            Format::Json => {
                print(json!({"gateway": running.url(), "key": key, "pid": std::process::id()}))?;
            }
            Format::Text => welcome(&running, &folder, &config, first, key.as_deref())?,
        }
        running.until_signal()
    }
}

/// Why the gateway did not start; an address that is taken has a way out.
fn said(error: StartError) -> anyhow::Error {
    match &error {
        StartError::Listen { address, source } if source.kind() == io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "another program listens on `{address}` already, perhaps another `ordain up`\n  = help: stop it, or name another address: `--listen 127.0.0.1:8081`"
        ),
        _ => error.into(),
    }
}

/// Logs go to standard error, as JSON lines, without content; `ORDAIN_LOG` sets what is logged.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ORDAIN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .try_init();
}

/// The providers whose keys are in the environment, or the demonstration upstream for both dialects.
pub(super) fn usual_upstreams() -> Vec<Upstream> {
    let has_key = |dialect: &Dialect| std::env::var(dialect.usual_key_env()).is_ok_and(|key| !key.is_empty());
    let providers: Vec<Upstream> = Dialect::ALL
        .iter()
        .filter(|dialect| has_key(dialect))
        .map(|&dialect| Upstream::usual(dialect, dialect.usual_url()))
        .collect();
    if providers.is_empty() {
        Dialect::ALL.map(Upstream::demo).to_vec()
    } else {
        providers
    }
}

pub(super) fn rendered(problems: &[Problem], path: &std::path::Path, text: &str) -> String {
    problems
        .iter()
        .map(|problem| problem.render(&path.display().to_string(), text))
        .collect::<Vec<_>>()
        .join("\n")
}

fn read_config(folder: &Folder) -> anyhow::Result<Config> {
    let text = setup::read(&folder.config())?;
    let mut problems = Vec::new();
    config::parse(&text, &mut problems).ok_or_else(|| {
        anyhow::anyhow!(
            "the configuration cannot be used\n\n{}",
            rendered(&problems, &folder.config(), &text)
        )
    })
}

pub(super) fn read_directory(folder: &Folder) -> anyhow::Result<directory::Directory> {
    let path = folder.directory();
    if !path.exists() {
        return Ok(directory::Directory::default());
    }
    let text = setup::read(&path)?;
    let mut problems = Vec::new();
    let directory = directory::parse(&text, &mut problems);
    anyhow::ensure!(
        problems.is_empty(),
        "the directory cannot be used\n\n{}",
        rendered(&problems, &path, &text)
    );
    Ok(directory)
}

/// The directory, with the completions that the policy's courses take from files.
pub(super) fn people(folder: &Folder, document: Option<&Document>) -> anyhow::Result<directory::Directory> {
    let mut directory = read_directory(folder)?;
    let Some(document) = document else {
        return Ok(directory);
    };
    for (name, courses) in training::files(document) {
        let path = folder.training(name);
        if !path.exists() {
            // Without it nobody has completed the course, which is the stricter reading.
            tracing::warn!(file = name, "a course names a file of completions that is not there");
            continue;
        }
        let text = setup::read(&path)?;
        let mut problems = Vec::new();
        let rows = training::parse(&text, &Columns::default(), training::today(), &mut problems);
        anyhow::ensure!(
            problems.is_empty(),
            "the completed courses cannot be used\n\n{}",
            rendered(&problems, &path, &text)
        );
        for row in rows.iter().filter(|row| courses.contains(&row.course.as_str())) {
            let principal = directory.name_of(&row.principal).unwrap_or(&row.principal).to_owned();
            directory.complete(&principal, &row.course, row.on);
        }
    }
    Ok(directory)
}

/// A gateway with everything under it.
struct Running {
    recorder: Recorder,
    listening: Listening,
    policy: String,
    /// What the policy does with each text of [`TRIES`].
    tries: Vec<String>,
    recovered: usize,
    needs_key: bool,
}

impl Running {
    fn start(folder: &Folder, config: &Config) -> anyhow::Result<Self> {
        let (policy, loaded, catalog) = policy::read(folder.path())?.usable()?;
        let directory = people(folder, loaded.document.as_ref())?;
        let summary = format!("{} version {} ({})", policy.organization, policy.version, policy.digest);
        let tries = tries(&policy, &directory.who(FIRST_PRINCIPAL, None), &catalog, config);
        let hasher = KeyHasher::load_or_create(&folder.keys(), &mut rand::rng())?;
        let mut store = SqliteStore::open(&folder.store())?;
        let recovered =
            recovery::close_what_is_open(&mut store).context("open intents of an earlier run could not be closed")?;
        let keys = KeyRing::load(&store, &hasher)?;
        let needs_key = store.keys()?.is_empty();
        let demo = if config.upstreams.iter().any(|one| one.url == Upstream::BUILT_IN) {
            Some(demo::start().context("the demonstration upstream could not be started")?)
        } else {
            None
        };
        let recorder =
            Recorder::start(Box::new(store), config.limits.queue).context("the recorder could not be started")?;
        let gateway = Gateway::new(Rules::new(policy), directory, keys, config, recorder.handle(), demo)?;
        let listening = gateway::listen(gateway, &config.listen, &folder.store(), hasher).map_err(said)?;
        Ok(Self {
            recorder,
            listening,
            policy: summary,
            tries,
            recovered,
            needs_key,
        })
    }

    fn url(&self) -> String {
        format!("http://{}", self.listening.address())
    }

    /// The key to show: a new one where there is none yet, and for scripts always.
    fn first_key(&self, folder: &Folder, format: Format) -> anyhow::Result<Option<String>> {
        if !self.needs_key && format == Format::Text {
            return Ok(None);
        }
        let mut store = SqliteStore::open_shared(&folder.store())?;
        let hasher = KeyHasher::load_or_create(&folder.keys(), &mut rand::rng())?;
        let label = if self.needs_key {
            "first key"
        } else {
            "made by `up --format json`"
        };
        let request = keys::Request {
            principal: FIRST_PRINCIPAL,
            client: None,
            label,
            at_ms: Timestamp::now().as_millisecond(),
        };
        let (secret, _) = keys::issue(&mut store, &hasher, &mut rand::rng(), request)?;
        self.listening.reload_keys(&store, &hasher)?;
        Ok(Some(secret.expose().to_owned()))
    }

    /// Serves until SIGINT or SIGTERM, then lets running exchanges end.
    fn until_signal(self) -> anyhow::Result<Answer> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted,
                _ = term.recv() => Ok(()),
            }
        })?;
        self.listening.stop(GRACE);
        self.recorder
            .shutdown()
            .map_err(|unwritten| anyhow::anyhow!("{unwritten}"))?;
        Ok(Answer::Yes)
    }
}

fn welcome(running: &Running, folder: &Folder, config: &Config, first: bool, key: Option<&str>) -> anyhow::Result<()> {
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
    for (becomes, text) in running.tries.iter().zip(TRIES) {
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
fn tries(policy: &Policy, who: &Who, catalog: &Catalog, config: &Config) -> Vec<String> {
    let scanner = Scanner::new(policy.own_detectors());
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
        let decision = cases::ask(policy, &scanner, catalog, &request, Timestamp::now()).decision;
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
