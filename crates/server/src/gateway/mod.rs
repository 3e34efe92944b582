//! The LLM gateway: official SDKs point their `base_url` here.
//!
//! One acceptor hands each connection to one of the workers in turn; a worker is one thread that does everything for its
//! connections, from the first byte to the upstream and back (`exchange`). What may be said is decided in the core; what
//! must be durable before what is kept here: the intent before the first upstream byte, the outcome before the last byte
//! to the client (threat I3). Read [`Gateway`] first.

mod account;
mod aliases;
mod answers;
mod aside;
mod assured;
mod bearer;
mod behalf;
mod bill;
mod caller;
mod exchange;
mod hidden;
mod live;
mod lockout;
mod models;
mod operate;
mod peer;
mod peers;
mod proxy;
mod reply;
mod retries;
mod room;
mod streaming;
mod strict;
mod subjects;
mod turn;
mod upload;
mod upstream;

pub use assured::Summary;
pub(crate) use upstream::client as pool;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::metrics::gauge::Gauge;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use crate::break_glass::{self, Clock, Glass, GlassError, Keeper};
use crate::budgets::Budgets;
use crate::current::Current;
use crate::identity;
use crate::keys::{KeyHasher, KeyRing};
use crate::metrics::Metrics;
use crate::recorder::RecorderHandle;
use crate::reload::Then;
use crate::store::sqlite::SqliteStore;
use crate::store::tickets::TicketBook as _;
use crate::store::{Store as _, StoreError};
use crate::tickets::{self, Binder};
use crate::traces::{Tracer, TracesError};
use crate::version::{Version, VersionError};
use live::Live;
use lockout::Lockout;
use peer::Peer;
use peers::{Peers, Seat};
use room::Room;
use strict::Strict;
use subjects::Subjects;

/// Everything that a request needs to know; shared by all workers.
#[derive(Debug)]
pub struct Gateway {
    live: Current<Live>,
    /// Whether what is in the folder now cannot be used, so that an older version is in force.
    stale: AtomicBool,
    keys: Current<KeyRing>,
    budgets: Arc<Budgets>,
    lockout: Lockout,
    subjects: Subjects,
    recorder: RecorderHandle,
    /// Where records go under a break-glass, if there is such a place.
    glass: Option<Arc<Glass>>,
    /// What tickets are bound with.
    binder: Binder,
    metrics: Arc<Metrics>,
    /// Second tries that are left.
    retries: retries::Budget,
    /// Room for request bodies.
    room: Arc<Room>,
    /// The connections of each address.
    peers: Arc<Peers>,
    /// Where spans go, if anywhere.
    tracer: Option<Arc<Tracer>>,
    /// Where the demonstration upstream listens, if there is one.
    demo: Option<SocketAddr>,
}

/// Why a gateway could not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// An upstream's address or key cannot be used.
    #[error("upstream `{app}` cannot be used: {reason}")]
    Upstream {
        /// The app.
        app: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// That a version comes into force cannot be recorded.
    #[error("that it comes into force cannot be recorded: {0}")]
    Unrecorded(String),
    /// Traces cannot be sent.
    #[error(transparent)]
    Traces(TracesError),
    /// A thread could not be started.
    #[error("a worker could not be started")]
    Worker(#[source] io::Error),
}

impl Gateway {
    /// A gateway with one version of everything. `demo` is the address of the demonstration upstream, for upstreams that
    /// name it.
    ///
    /// # Errors
    ///
    /// [`StartError::Upstream`], [`StartError::Unrecorded`].
    pub fn new(
        version: Version,
        keys: KeyRing,
        budgets: Arc<Budgets>,
        recorder: RecorderHandle,
        demo: Option<SocketAddr>,
    ) -> Result<Self, StartError> {
        let metrics = Metrics::new(jiff::Timestamp::now());
        metrics.policy(version.policy.digest.to_string(), version.policy.version.clone());
        let tracer = version.config.traces.as_ref();
        let tracer = tracer.map(|traces| Tracer::start(traces, metrics.dropped_traces.clone()));
        let room = Room::new(version.config.limits.bodies);
        let live = Live::new(version, demo, None)?;
        metrics.issuers(live.identity.as_deref());
        // INVARIANT: it is durable before the first exchange or together with it, since records are written in their order. So
        // a gateway may start on a store that fails for now: it says so, and serves nobody.
        let activation = live.assured.record(&live.rules).ok_or_else(no_form)?;
        let queued = recorder.record_detached(activation);
        queued.map_err(|error| StartError::Unrecorded(error.to_string()))?;
        live.assured.tell(&live.rules, &metrics);
        Ok(Self {
            room,
            peers: Arc::default(),
            tracer: tracer.transpose().map_err(StartError::Traces)?.map(Arc::new),
            metrics,
            live: Current::new(live),
            stale: AtomicBool::new(false),
            binder: Binder::new(keys.hasher()),
            keys: Current::new(keys),
            budgets,
            lockout: Lockout::new(),
            subjects: Subjects::default(),
            recorder,
            glass: None,
            retries: retries::Budget::default(),
            demo,
        })
    }

    /// With a spool for what the ledger does not take.
    ///
    /// # Errors
    ///
    /// [`GlassError::Thread`].
    pub fn with_break_glass(mut self, keeper: Keeper, clock: Clock) -> Result<Self, GlassError> {
        let rules = Arc::clone(&self.live.take().rules);
        let (recorder, metrics) = (self.recorder.clone(), Arc::clone(&self.metrics));
        self.glass = Some(Arc::new(Glass::start(keeper, recorder, metrics, rules, clock)?));
        Ok(self)
    }

    fn take(&self, version: Version) -> Result<(), StartError> {
        let (digest, number) = (version.policy.digest.to_string(), version.policy.version.clone());
        let live = Live::new(version, self.demo, self.live.take().identity.as_deref())?;
        self.record_activation(&live)?;
        self.metrics.issuers(live.identity.as_deref());
        live.assured.tell(&live.rules, &self.metrics);
        if let Some(glass) = &self.glass {
            glass.judge_by(Arc::clone(&live.rules));
        }
        break_glass::warn_unless_spooled(self.glass.is_some(), &live.rules.policy);
        self.live.replace(live);
        self.metrics.policy(digest, number);
        Ok(())
    }

    /// Waits until it is durable that a version comes into force. Not for a worker's thread.
    fn record_activation(&self, live: &Live) -> Result<(), StartError> {
        let activation = live.assured.record(&live.rules).ok_or_else(no_form)?;
        let unrecorded = |why: &dyn ToString| StartError::Unrecorded(why.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|error| unrecorded(&error))?;
        let patience = live.limits.record;
        let recorded = async { tokio::time::timeout(patience, self.recorder.record(activation)).await };
        match runtime.block_on(recorded) {
            Ok(recorded) => recorded.map(|_| ()).map_err(|error| unrecorded(&error)),
            Err(_) => Err(unrecorded(&"it took too long")),
        }
    }
}

fn no_form() -> StartError {
    StartError::Unrecorded("the record has no canonical form".to_owned())
}

/// A listening gateway.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    /// Where operators look.
    operate: Option<SocketAddr>,
    gateway: Arc<Gateway>,
    stop: watch::Sender<bool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Listening {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are served.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.operate
    }

    /// Where records go under a break-glass, if there is such a place.
    #[must_use]
    pub fn break_glass(&self) -> Option<Arc<Glass>> {
        self.gateway.glass.clone()
    }

    /// What puts other versions in force while it listens.
    #[must_use]
    pub fn switch(&self) -> Switch {
        Switch(Arc::clone(&self.gateway))
    }

    /// How much the policy in force cannot do on the routes that there are.
    #[must_use]
    pub fn assured(&self) -> Summary {
        let live = self.gateway.live.take();
        live.assured.summary(&live.rules)
    }

    /// Takes the keys of `store` into force at once, rather than at the next look for changed keys.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn reload_keys(&self, store: &dyn crate::store::Store, hasher: &KeyHasher) -> Result<(), StoreError> {
        let ring = KeyRing::load(store, hasher)?;
        self.gateway.keys.replace(ring.after(&self.gateway.keys.take()));
        Ok(())
    }

    /// Stops accepting, lets what runs end for at most `grace`, and returns when the workers have ended.
    pub fn stop(self, grace: Duration) {
        self.stop.send_replace(true);
        let deadline = std::time::Instant::now() + grace;
        for thread in self.threads {
            while !thread.is_finished() && std::time::Instant::now() < deadline {
                thread::park_timeout(Duration::from_millis(5));
            }
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
    }
}

/// Puts versions in force, whole. Requests that have begun keep theirs.
#[derive(Debug, Clone)]
pub struct Switch(Arc<Gateway>);

impl Switch {
    /// Puts a version in force, if it can be used and that can be recorded.
    pub fn take(&self, version: Result<Version, VersionError>) -> Then {
        let digest = version.as_ref().ok().map(|version| version.policy.digest.to_string());
        let mut then = Then::Watch;
        let taken = match version {
            Ok(version) => self.0.take(version).map_err(|error| {
                if matches!(error, StartError::Unrecorded(_)) {
                    then = Then::TryAgain;
                }
                error.to_string()
            }),
            Err(error) => Err(error.to_string()),
        };
        self.0.stale.store(taken.is_err(), Ordering::Relaxed);
        self.0.metrics.reloaded(taken.is_ok());
        match taken {
            Ok(()) => tracing::info!(policy = digest, "another version is in force"),
            Err(error) => tracing::error!(%error, "what changed cannot be used; the version before stays in force"),
        }
        then
    }
}

/// A connection, and what counts it where connections are counted.
type Accepted = (StdStream, Option<Seat>);

/// How often a running gateway looks for keys that another process made or revoked.
const KEYS_POLL: Duration = Duration::from_millis(500);

/// Listens and serves in threads of its own; metrics at `operate`, if that is given. `store` is the folder of the store, for
/// keys that other processes change.
///
/// # Errors
///
/// [`StartError`].
pub fn listen(
    gateway: Gateway,
    address: &str,
    operate: Option<&str>,
    store: &std::path::Path,
    hasher: KeyHasher,
) -> Result<Listening, StartError> {
    let (listener, bound) = bind(address)?;
    let operate = operate.map(bind).transpose()?;
    let gateway = Arc::new(gateway);
    let (stop, stopped) = watch::channel(false);
    let mut threads = Vec::new();
    let mut workers = Vec::new();
    for number in 0..thread::available_parallelism().map_or(2, usize::from) {
        let (send, receive) = mpsc::unbounded_channel();
        let (gateway, stopped) = (Arc::clone(&gateway), stopped.clone());
        let run = move || worker(&gateway, receive, stopped);
        threads.push(
            thread::Builder::new()
                .name(format!("gateway-{number}"))
                .spawn(run)
                .map_err(StartError::Worker)?,
        );
        workers.push(send);
    }
    let folder = store.to_owned();
    let shared = Arc::clone(&gateway);
    let (watched, operate) = operate.map_or((None, None), |(listener, bound)| (Some(listener), Some(bound)));
    let accept = move || acceptor(listener, watched, &workers, stopped, &shared, &folder, &hasher);
    threads.push(
        thread::Builder::new()
            .name("acceptor".to_owned())
            .spawn(accept)
            .map_err(StartError::Worker)?,
    );
    Ok(Listening {
        address: bound,
        operate,
        gateway,
        stop,
        threads,
    })
}

/// A listener, and where it listens.
fn bind(address: &str) -> Result<(StdListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen {
        address: address.to_owned(),
        source,
    };
    let listener = StdListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Accepts connections, gives each to the next worker, keeps the key ring and issuers' keys fresh, takes in answers to
/// tickets, and serves operators.
fn acceptor(
    listener: StdListener,
    operate: Option<StdListener>,
    workers: &[mpsc::UnboundedSender<Accepted>],
    mut stopped: watch::Receiver<bool>,
    gateway: &Arc<Gateway>,
    store: &std::path::Path,
    hasher: &KeyHasher,
) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        let Ok(listener) = TcpListener::from_std(listener) else {
            return;
        };
        if let Some(operate) = operate.and_then(|operate| TcpListener::from_std(operate).ok()) {
            tokio::spawn(operate::serve(operate, Arc::clone(gateway), stopped.clone()));
        }
        let mut poll = tokio::time::interval(KEYS_POLL);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut reader = None;
        let mut next = 0;
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, from)) => {
                        let most = gateway.live.take().limits.per_peer;
                        let seat = most.map(|most| gateway.peers.admit(from.ip(), most));
                        // One that has too many already: it is closed at once.
                        let Some(seat) = seat.map_or(Some(None), |admitted| admitted.map(Some)) else { continue };
                        // A peer without this shows streams that stall for 40 ms.
                        let _ = stream.set_nodelay(true);
                        if let Ok(stream) = stream.into_std() {
                            next = (next + 1) % workers.len();
                            if let Some(worker) = workers.get(next) {
                                let _ = worker.send((stream, seat));
                            }
                        }
                    }
                    // Out of descriptors: wait for some to be closed instead of asking again at once.
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                _ = poll.tick() => {
                    if let Some(identity) = &gateway.live.take().identity {
                        identity::refresh(identity, &gateway.metrics);
                    }
                    if let Err(error) = refresh_keys(gateway, store, hasher, &mut reader) {
                        tracing::warn!(%error, "keys could not be read again; the known ones stay in force");
                        reader = None;
                    }
                    store_key_use(gateway);
                }
                _ = stopped.changed() => break,
            }
        }
        store_key_use(gateway);
    });
}

fn refresh_keys(
    gateway: &Gateway,
    folder: &std::path::Path,
    hasher: &KeyHasher,
    reader: &mut Option<SqliteStore>,
) -> Result<(), StoreError> {
    if reader.is_none() {
        *reader = Some(SqliteStore::open_read_only(folder)?);
    }
    let Some(store) = reader else { return Ok(()) };
    let known = gateway.keys.take();
    if store.keys_version()? != known.version() {
        gateway.keys.replace(KeyRing::load(store, hasher)?.after(&known));
    }
    let now_ms = jiff::Timestamp::now().as_millisecond();
    if store.tickets_due(now_ms)? {
        let rules = Arc::clone(&gateway.live.take().rules);
        // Queued at once; nobody waits for it, since whoever answered looks whether it was taken in.
        drop(
            gateway
                .recorder
                .with_store(move |store| tickets::take_in(store, &rules, now_ms)),
        );
    }
    Ok(())
}

/// Hands the days on which keys were used to the store: one write for all of them, and one a day for each.
fn store_key_use(gateway: &Gateway) {
    let keys = gateway.keys.take();
    let used = keys.unstored_use();
    if used.is_empty() {
        return;
    }
    // It is queued at once. Nobody waits, since nothing hangs on it: what could not be written is offered again.
    drop(
        gateway
            .recorder
            .with_store(move |store| match store.note_key_use(&used) {
                Ok(()) => keys.stored_use(&used),
                Err(error) => tracing::debug!(%error, "the days on which keys were used could not be noted"),
            }),
    );
}

/// One thread: its connections, their upstream connections, and nothing else.
fn worker(
    gateway: &Arc<Gateway>,
    mut connections: mpsc::UnboundedReceiver<Accepted>,
    mut stopped: watch::Receiver<bool>,
) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let client = upstream::client(gateway.live.take().limits.connect);
        let (running, mut idle) = mpsc::channel::<()>(1);
        loop {
            tokio::select! {
                connection = connections.recv() => {
                    let Some((stream, seat)) = connection else { break };
                    let Ok(stream) = tokio::net::TcpStream::from_std(stream) else { continue };
                    let (gateway, client) = (Arc::clone(gateway), client.clone());
                    let (running, stopped) = (running.clone(), stopped.clone());
                    tokio::task::spawn_local(async move {
                        serve(stream, gateway, client, stopped).await;
                        drop((running, seat));
                    });
                }
                _ = stopped.changed() => break,
            }
        }
        drop(running);
        // Every connection holds a sender; this ends when the last one has gone.
        let _ = idle.recv().await;
    });
}

/// A connection, with TLS if there is a certificate.
async fn serve(
    stream: tokio::net::TcpStream,
    gateway: Arc<Gateway>,
    client: upstream::Client,
    stopped: watch::Receiver<bool>,
) {
    let _counted = Counted::new(&gateway.metrics.connections);
    // Whose address is not known any more has gone.
    let Ok(from) = stream.peer_addr() else { return };
    let from = from.ip().to_canonical();
    let Some(acceptor) = gateway.live.take().tls.clone() else {
        return speak(stream, from, None, gateway, client, stopped).await;
    };
    match tokio::time::timeout(HEAD_TIME, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let peer = Peer::of(stream.get_ref().1).map(Arc::new);
            speak(stream, from, peer, gateway, client, stopped).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
}

/// How long a handshake and the head of a request may take.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Counts for as long as it lives.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// HTTP on a connection, until it ends or the gateway is to stop.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    from: IpAddr,
    peer: Option<Arc<Peer>>,
    gateway: Arc<Gateway>,
    client: upstream::Client,
    mut stopped: watch::Receiver<bool>,
) {
    let stream = Strict::new(stream, gateway.live.take().limits.write);
    let service = service_fn(move |request| {
        let (gateway, client, peer) = (Arc::clone(&gateway), client.clone(), peer.clone());
        // Made where it stays: it is some kilobytes large, and most of that is empty at first.
        let exchange = Box::write(
            Box::new_uninit(),
            exchange::handle(gateway, client, from, peer, request),
        );
        let exchange = Box::into_pin(exchange);
        async move { Ok::<_, std::convert::Infallible>(exchange.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(strict::LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return log_end(ended),
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    log_end(connection.await);
}

fn log_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
