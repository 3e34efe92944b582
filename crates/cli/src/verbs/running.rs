//! A gateway that runs: everything under it, from its start to its end.

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use ordain_server::break_glass::{self, Keeper};
use ordain_server::budgets::{self, Budgets};
use ordain_server::config::Upstream;
use ordain_server::gateway::{self, Gateway, Listening, StartError};
use ordain_server::keys::{self, KeyHasher, KeyRing};
use ordain_server::recorder::Recorder;
use ordain_server::reload::{self, Watch};
use ordain_server::setup::{FIRST_PRINCIPAL, Folder};
use ordain_server::store::Store as _;
use ordain_server::store::sqlite::SqliteStore;
use ordain_server::version::{Given, Version};
use ordain_server::{demo, recovery};
use tokio::signal::unix::{SignalKind, signal};

use super::assurance;
use crate::exit::Answer;

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

/// What is true of the whole process, once: where logs go, and who does the cryptography.
pub(super) fn prepare() {
    log_to_stderr();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
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

/// A gateway with everything under it.
pub(super) struct Running {
    recorder: Recorder,
    listening: Listening,
    /// Ends before what it hands versions to.
    watch: Watch,
    scheme: &'static str,
    drain: Duration,
    /// The policy that it started with, in a line.
    pub(super) policy: String,
    /// How many exchanges an earlier run had left open.
    pub(super) recovered: usize,
    needs_key: bool,
}

impl Running {
    /// Starts a gateway on a version of a folder, and follows what becomes of the folder.
    pub(super) fn start(folder: &Folder, given: Given, version: Version) -> anyhow::Result<Self> {
        let Version { policy, config, .. } = &version;
        let summary = format!("{} version {} ({})", policy.organization, policy.version, policy.digest);
        let (listen, metrics, limits) = (config.listen.clone(), config.metrics.clone(), config.limits);
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let hasher = KeyHasher::load_or_create(&folder.keys(), &mut rand::rng())?;
        let mut store = SqliteStore::open(&folder.store())?;
        let (mut keeper, clock) = (None, break_glass::clock());
        for note in break_glass::notes(policy, config.break_glass.as_ref(), folder) {
            tracing::warn!("{note}");
        }
        if let Some(config) = &config.break_glass {
            let mut own = Keeper::open(folder.path(), config, &hasher, clock())?;
            own.begin(&mut store, Timestamp::now().as_millisecond())?;
            keeper = Some(own);
        }
        // What an earlier run spooled comes first: it may have the outcomes of what is open.
        let recovered = if keeper.as_ref().is_some_and(Keeper::has_left_open) {
            0
        } else {
            recovery::close_what_is_open(&mut store).context("open intents of an earlier run could not be closed")?
        };
        let keys = KeyRing::load(&store, &hasher)?;
        store.forget_spending(Timestamp::now().as_millisecond() - budgets::LONGEST_MS)?;
        let budgets = Budgets::new(store.spending()?);
        let needs_key = store.keys()?.is_empty();
        let demo = if config.upstreams.iter().any(|one| one.url == Upstream::BUILT_IN) {
            Some(demo::start().context("the demonstration upstream could not be started")?)
        } else {
            None
        };
        let recorder = Recorder::start(Box::new(store), limits.queue).context("the recorder could not be started")?;
        let mut gateway = Gateway::new(version, keys, budgets, recorder.handle(), demo)?;
        if let Some(keeper) = keeper {
            gateway = gateway.with_break_glass(keeper, clock)?;
        }
        let listening = gateway::listen(gateway, &listen, metrics.as_deref(), &folder.store(), hasher).map_err(said)?;
        let switch = listening.switch();
        let watch = reload::watch(folder.clone(), given, move |version| switch.take(version));
        Ok(Self {
            recorder,
            listening,
            watch: watch.context("changes of the folder cannot be followed")?,
            scheme,
            drain: limits.drain,
            policy: summary,
            recovered,
            needs_key,
        })
    }

    /// Where clients find it.
    pub(super) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.listening.address())
    }

    /// What the policy in force cannot do on the routes that there are, in a line; nothing if it can do all.
    pub(super) fn assurance(&self) -> Option<String> {
        let found = self.listening.assured();
        let complete = found.gaps == 0 && found.missing == 0;
        (!complete).then(|| assurance::line(found.refused, found.gaps, found.missing))
    }

    /// Where metrics are served.
    pub(super) fn metrics_url(&self) -> Option<String> {
        let address = self.listening.metrics_address()?;
        Some(format!("http://{address}/metrics"))
    }

    /// Whether nobody has a key yet.
    pub(super) fn needs_key(&self) -> bool {
        self.needs_key
    }

    /// Makes a key for the first principal and takes it into force.
    pub(super) fn make_key(&self, folder: &Folder, label: &str) -> anyhow::Result<String> {
        let mut store = SqliteStore::open_shared(&folder.store())?;
        let hasher = KeyHasher::load_or_create(&folder.keys(), &mut rand::rng())?;
        let request = keys::Request::unlimited(FIRST_PRINCIPAL, label, Timestamp::now().as_millisecond());
        let (secret, _) = keys::issue(&mut store, &hasher, &mut rand::rng(), request)?;
        self.listening.reload_keys(&store, &hasher)?;
        Ok(secret.expose().to_owned())
    }

    /// Serves until SIGINT or SIGTERM, then lets running exchanges end. SIGHUP reads the folder again.
    pub(super) fn until_signal(self) -> anyhow::Result<Answer> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut term = signal(SignalKind::terminate())?;
            let mut hangup = signal(SignalKind::hangup())?;
            loop {
                tokio::select! {
                    interrupted = tokio::signal::ctrl_c() => return interrupted,
                    _ = term.recv() => return Ok(()),
                    _ = hangup.recv() => self.watch.now(),
                }
            }
        })?;
        drop(self.watch);
        let glass = self.listening.break_glass();
        self.listening.stop(self.drain);
        if let Some(glass) = glass {
            glass.close();
        }
        self.recorder
            .shutdown()
            .map_err(|unwritten| anyhow::anyhow!("{unwritten}"))?;
        Ok(Answer::Yes)
    }
}
