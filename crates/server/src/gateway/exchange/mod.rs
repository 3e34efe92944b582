//! One exchange, from the request's head to its answer.
//!
//! The order is the law of the house: who, what, judged, recorded, sent, judged, recorded, answered. Every early way out
//! is a reply of its own in the dialect's error shape. Read [`handle`] first.

mod admit;
mod again;
mod asked;
mod bodies;
mod forward;
mod pass;
mod refuse;
mod steps;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use ordain_core::decide::Who;
use ordain_core::inspect::{Fate, Judged, Request as Inspected};
use ordain_core::record::Route as RecordedRoute;
use ordain_core::wire::Wire;
use ordain_core::wire::endpoints::{self, Endpoint, Found, Handling};
use tokio::time::timeout;

use super::account::{Account, NotRecorded, Traced};
use super::behalf::Behalf;
use super::caller::{self, Caller, Unknown};
use super::live::Live;
use super::peer::Peer;
use super::reply::{self, Reply, Timing};
use super::room::Held;
use super::{Gateway, models, upstream};
use crate::budgets::Budgets;
use crate::config::{CoachNote, Dialect};
use crate::identity::State;
use crate::keys::{KeyEntry, KeyRing};
use crate::login::WELL_KNOWN;
use crate::metrics::{Metrics, Stage};
use asked::{Admitted, Aliased, Asked};
use bodies::{LARGE, Unread, collect, unknown_expectation, unreadable_encoding};
pub(super) use pass::Passing;
use refuse::{error, not_recorded};

/// Answers one request.
pub(super) async fn handle(
    gateway: Arc<Gateway>,
    client: upstream::Client,
    from: IpAddr,
    peer: Option<Arc<Peer>>,
    request: Request<Incoming>,
) -> Reply {
    let path = request.uri().path();
    if request.method() == hyper::Method::GET {
        match path {
            "/healthz" => return reply::whole(StatusCode::OK, "text/plain", "ok\n"),
            "/readyz" => {
                let (status, text) = ready(&gateway);
                return reply::whole(status, "text/plain", text);
            }
            WELL_KNOWN => {
                if let Some(login) = &gateway.live.take().login {
                    return reply::json(StatusCode::OK, login.clone());
                }
            }
            _ => {}
        }
    }
    let preferred = caller::preferred(request.headers());
    let live = gateway.live.take();
    let (caller, behalf) = match identify(&gateway, &live, request.headers(), from, peer.as_deref()).await {
        Ok(known) => known,
        Err(unknown) => {
            let Unknown(status, reason) = unknown;
            let dialect = endpoints::speaks(path, preferred);
            if status == StatusCode::UNAUTHORIZED
                && let Some(locked) = caller::locked_out(&gateway, &live, request.headers(), from)
            {
                return refuse::locked_out(dialect, locked);
            }
            gateway.metrics.unauthenticated();
            let answer = error(dialect, status, reason);
            return caller::challenge(&live, request.headers(), unknown, answer);
        }
    };
    let Caller { subject, who, key, .. } = caller;
    let found = endpoints::find(request.method().as_str(), path, preferred);
    let wire = match found.map(|found| found.endpoint.handling) {
        Some(Handling::Models) => {
            if let Behalf::Refused(reason) = behalf {
                return error(endpoints::speaks(path, preferred), StatusCode::FORBIDDEN, reason);
            }
            let found = found.and_then(|found| found.model);
            let scope = key.as_ref().map(|key| &key.terms.scope);
            return models::answer(&live, endpoints::speaks(path, preferred), &who, scope, found);
        }
        Some(Handling::Inspected(wire)) => Some(wire),
        Some(Handling::Passable | Handling::Refused(_)) | None => None,
    };
    let mut exchange = Box::new(Exchange {
        account: Account::new(&gateway, &live, wire.map_or("", Wire::id), subject),
        metrics: Arc::clone(&gateway.metrics),
        dialect: found.map_or_else(|| endpoints::speaks(path, preferred), |found| found.endpoint.dialect),
        endpoint_name: match found {
            Some(Found { endpoint, .. }) => format!("{} {}", endpoint.method, endpoint.path),
            None => "(unknown)".to_owned(),
        },
        budgets: Arc::clone(&gateway.budgets),
        key,
        aliased: None,
        live,
        client,
        who,
        wire,
        bytes: 0,
        held: gateway.room.hold(),
        timing: Timing::default(),
        gateway,
    });
    exchange.account.traced = Traced::begin(exchange.gateway.tracer.as_ref(), request.headers(), |trace| {
        trace.dialect = exchange.dialect;
        trace.wire = wire.map_or("", Wire::id);
        trace.endpoint.clone_from(&exchange.endpoint_name);
        trace.record.clone_from(&exchange.account.name);
    });
    match behalf {
        Behalf::Own => {}
        Behalf::Of(other) => exchange.account.done_for(other),
        Behalf::Refused(reason) => return exchange.refuse_unread(StatusCode::FORBIDDEN, reason).await,
    }
    match (wire, found) {
        (Some(wire), Some(Found { endpoint, model })) => {
            exchange.run(wire, endpoint, model.map(str::to_owned), request).await
        }
        (None, Some(Found { endpoint, model })) if exchange.live.rules.policy.passes_endpoint(endpoint) => {
            let model = model.map(str::to_owned);
            exchange.pass(endpoint.name(), model, request).await
        }
        _ => {
            let reason = "this endpoint is not inspected and therefore not served; docs/reference/endpoints.md lists those that are";
            exchange.refuse_unread(StatusCode::FORBIDDEN, reason).await
        }
    }
}

/// How far the clock of an issuer may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);

/// Who makes a request, and for whom.
async fn identify(
    gateway: &Gateway,
    live: &Arc<Live>,
    headers: &HeaderMap,
    from: IpAddr,
    peer: Option<&Peer>,
) -> Result<(Caller, Behalf), Unknown> {
    let mut caller = caller::identify(gateway, live, headers, from, peer).await?;
    if let Some(at) = caller.signed_in {
        // An issuer's clock may be a little ahead; what lies further in the future is no sign-in to the policy.
        let now = Timestamp::now();
        let here = if at < now + AHEAD { at.min(now) } else { at };
        Arc::make_mut(&mut caller.who).signed_in = Some(here);
    }
    let behalf = Behalf::of(gateway, live, headers, &mut caller).await?;
    Ok((caller, behalf))
}

/// Whether it can carry out requests, and under which policy.
pub(super) fn ready(gateway: &Gateway) -> (StatusCode, String) {
    if gateway.recorder.trouble().is_some() {
        return refuse::unrecordable(gateway);
    }
    let digest = gateway.live.take().rules.policy.digest;
    let stale = if gateway.stale.load(Ordering::Relaxed) {
        "stale: what changed since cannot be used; `ordain serve --check` says why\n"
    } else {
        ""
    };
    let issuers = issuers(gateway);
    let glass = refuse::unreviewed(gateway);
    (
        StatusCode::OK,
        format!("ready\npolicy {digest}\n{stale}{issuers}{glass}"),
    )
}

/// Which issuers' tokens let nobody in at the moment. Callers with keys are served all the same.
fn issuers(gateway: &Gateway) -> String {
    let live = gateway.live.take();
    let now = Timestamp::now();
    let mut text = String::new();
    for one in live.identity.iter().flat_map(|identity| identity.issuers()) {
        let trouble = match one.state(now) {
            State::Usable => continue,
            State::Missing => "its keys could not be fetched yet",
            State::TooOld => "its keys are too old and could not be fetched again",
        };
        text.push_str(&format!("issuer {}: {trouble}\n", one.issuer().issuer.as_str()));
    }
    text
}

/// One exchange on its way. Boxed, since every step hands it on to the next.
struct Exchange {
    live: Arc<Live>,
    client: upstream::Client,
    who: Arc<Who>,
    key: Option<Arc<KeyEntry>>,
    budgets: Arc<Budgets>,
    account: Account,
    metrics: Arc<Metrics>,
    /// The alias by which the request names its model.
    aliased: Option<Box<Aliased>>,
    dialect: Dialect,
    /// What reads its bodies; `None` where nothing does.
    wire: Option<&'static dyn Wire>,
    endpoint_name: String,
    bytes: u64,
    /// Its part of the room for bodies.
    held: Held,
    timing: Timing,
    gateway: Arc<Gateway>,
}

impl Exchange {
    async fn run(
        mut self: Box<Self>,
        wire: &'static dyn Wire,
        endpoint: &'static Endpoint,
        named: Option<String>,
        request: Request<Incoming>,
    ) -> Reply {
        let (head, body) = request.into_parts();
        if let Some(turned) = self.unassured(wire, endpoint) {
            return self.bounded(None, turned).await;
        }
        if let Some(turned) = self.outside_by_head(&head.headers) {
            return self.bounded(None, turned).await;
        }
        if let Some(reason) = unreadable_encoding(&head.headers) {
            return self.refuse_unread(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason).await;
        }
        if let Some(reason) = unknown_expectation(&head.headers) {
            return self.refuse_unread(StatusCode::EXPECTATION_FAILED, reason).await;
        }
        let body = match self.body(body).await {
            Ok(body) => body,
            Err((status, reason)) => return self.refuse_unread(status, reason).await,
        };
        self.bytes = body.len() as u64;
        let begun = Instant::now();
        let asked = Asked {
            live: Arc::clone(&self.live),
            wire,
            endpoint,
            named,
            who: Arc::clone(&self.who),
            key: self.key.clone(),
            use_: self.known_use(&head.headers),
            record: self.account.name.clone(),
            now: Timestamp::now(),
            body,
        };
        let inspected = self.inspect(asked).await;
        self.timing.inspect = begun.elapsed();
        self.metrics.took(Stage::Inspect, self.timing.inspect);
        let admitted = match inspected {
            Ok(admitted) => admitted,
            Err(reason) => return self.refuse_unread(StatusCode::BAD_REQUEST, &reason).await,
        };
        let Admitted {
            inspected,
            body,
            aliased,
        } = admitted;
        let Inspected {
            judged,
            fate,
            stream,
            mut inspection,
        } = inspected;
        self.aliased = aliased;
        if let Some(turned) = self.outside(&judged, &inspection) {
            return self.bounded(Some((&judged, stream)), turned).await;
        }
        let (asked, edited) = match fate {
            Fate::Stop => return self.refuse(&judged, &inspection, stream).await,
            Fate::Forward(edited) => (None, edited),
            Fate::Wait(asked, edited) => (Some(asked), edited),
        };
        let forward = edited.map_or(body, Bytes::from);
        let live = Arc::clone(&self.live);
        let route = match &self.aliased {
            Some(aliased) => live.routes.get(aliased.picked.first.route),
            None => live.serving(self.dialect, inspection.model()),
        };
        let Some(route) = route else {
            let reason = format!("no upstream of this gateway serves `{}`", inspection.model());
            return self.turn_away(&judged, stream, StatusCode::NOT_FOUND, &reason).await;
        };
        // Nobody is asked about what has nowhere to go.
        if let Some(asked) = asked {
            if let Err(missing) = self.step(asked, &judged, &inspection, &head, &forward).await {
                return self.ask(missing, judged, &inspection, stream).await;
            }
            inspection.cover(&judged.decision);
        }
        if let Err(turned) = self.reserve(route, &inspection, &forward) {
            return self.bounded(Some((&judged, stream)), turned).await;
        }
        if self.intent(&judged, stream).await.is_err() {
            // Another request was faster to use the ticket: it is told what that one left.
            if let Some(asked) = asked.filter(|_| self.account.outrun)
                && let Err(missing) = self.step(asked, &judged, &inspection, &head, &forward).await
            {
                return self.ask(missing, judged, &inspection, stream).await;
            }
            return not_recorded(self.dialect);
        }
        if self.live.coach_note == CoachNote::Trailing {
            inspection.add_note(&judged.decision);
        }
        let mut answer = self.forward(route, &head, forward, inspection, &judged.decision).await;
        reply::name_withheld(answer.headers_mut(), &judged.withheld);
        answer
    }

    /// The whole request body, within its bounds.
    async fn body(&mut self, body: Incoming) -> Result<Bytes, (StatusCode, &'static str)> {
        const TOO_LARGE: &str = "the body is larger than this gateway inspects";
        const NO_ROOM: &str = "too many large bodies are being read at the moment; try again";
        let limits = self.live.limits;
        // What is announced is judged before any of it is asked for (threat B4).
        if body.size_hint().lower() > limits.body as u64 {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE));
        }
        if !self.held.could_grow(body.size_hint().lower()) {
            return Err((StatusCode::SERVICE_UNAVAILABLE, NO_ROOM));
        }
        match timeout(limits.body_time, collect(body, limits.body, &mut self.held)).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(Unread::TooLarge)) => Err((StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE)),
            Ok(Err(Unread::NoRoom)) => Err((StatusCode::SERVICE_UNAVAILABLE, NO_ROOM)),
            Ok(Err(Unread::Broken)) => Err((StatusCode::BAD_REQUEST, "the body broke off")),
            Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")),
        }
    }

    /// The use that a request is for. One that the policy does not know is as good as any other: what a client wrote there is
    /// not kept.
    fn known_use(&self, headers: &HeaderMap) -> Option<String> {
        let named = self.use_of(headers)?;
        let known = self.live.rules.policy.has_use(named);
        Some(if known { named } else { "(undeclared)" }.to_owned())
    }

    /// Reads and judges the body; an error is a reason for the client, without any of the text.
    async fn inspect(&self, asked: Asked) -> Result<Admitted, String> {
        let who = self.account.subject;
        let keys: Option<Arc<KeyRing>> = (!self.live.aliases.is_empty()).then(|| self.gateway.keys.take());
        let work = move || asked.judge(who, keys.as_deref());
        if self.bytes as usize <= LARGE {
            return work();
        }
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|_| Err("the body could not be inspected".to_owned()))
    }

    fn recorded_route(&self, stream: bool) -> RecordedRoute<'_> {
        RecordedRoute {
            adapter: "gateway",
            wire: self.wire.map_or("", Wire::id),
            endpoint: &self.endpoint_name,
            bytes: self.bytes,
            stream,
            alias: self.aliased.as_ref().map(|aliased| aliased.recorded(&self.live)),
        }
    }

    async fn intent(&mut self, judged: &Judged, stream: bool) -> Result<(), NotRecorded> {
        let begun = Instant::now();
        let endpoint = std::mem::take(&mut self.endpoint_name);
        let route = RecordedRoute {
            adapter: "gateway",
            wire: self.wire.map_or("", Wire::id),
            endpoint: &endpoint,
            bytes: self.bytes,
            stream,
            alias: self.aliased.as_ref().map(|aliased| aliased.recorded(&self.live)),
        };
        let written = self.account.intent(&route, judged).await;
        self.timing.record = begun.elapsed();
        self.endpoint_name = endpoint;
        written
    }
}
