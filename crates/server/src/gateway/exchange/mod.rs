//! One exchange, from the request's head to its answer.
//!
//! The order is the law of the house: who, what, judged, recorded, sent, judged, recorded, answered. Every early way out
//! is a reply of its own in the dialect's error shape. Read [`handle`] first.

mod bodies;
mod forward;
mod refuse;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use ordain_core::decide::Who;
use ordain_core::inspect::{Call, Fate, Inspection, Judged, Request as Inspected};
use ordain_core::record::Route as RecordedRoute;
use ordain_core::wire::Wire;
use ordain_core::wire::endpoints::{self, Found, Handling};
use tokio::time::timeout;

use super::account::{Account, NotRecorded, Traced};
use super::caller::{self, Caller, Unknown};
use super::live::Live;
use super::reply::{self, Reply, Timing};
use super::room::Held;
use super::{Gateway, models, upstream};
use crate::config::Dialect;
use crate::metrics::{Metrics, Stage};
use bodies::{LARGE, Unread, collect, unknown_expectation, unreadable_encoding};
use refuse::{error, not_recorded};

/// Answers one request.
pub(super) async fn handle(gateway: Arc<Gateway>, client: upstream::Client, request: Request<Incoming>) -> Reply {
    let path = request.uri().path();
    if request.method() == hyper::Method::GET {
        match path {
            "/healthz" => return reply::whole(StatusCode::OK, "text/plain", "ok\n"),
            "/readyz" => {
                let (status, text) = ready(&gateway);
                return reply::whole(status, "text/plain", text);
            }
            _ => {}
        }
    }
    let preferred = caller::preferred(request.headers());
    let live = gateway.live.take();
    let Caller { subject, who } = match caller::identify(&gateway, &live, request.headers()) {
        Ok(caller) => caller,
        Err(Unknown(reason)) => {
            gateway.metrics.unauthenticated();
            return error(endpoints::speaks(path, preferred), StatusCode::UNAUTHORIZED, reason);
        }
    };
    let found = endpoints::find(request.method().as_str(), path, preferred);
    let wire = match found.map(|found| found.endpoint.handling) {
        Some(Handling::Models) => {
            let found = found.and_then(|found| found.model);
            return models::answer(&live, endpoints::speaks(path, preferred), &who, found);
        }
        Some(Handling::Inspected(wire)) => Some(wire),
        Some(Handling::Refused) | None => None,
    };
    let mut exchange = Exchange {
        account: Account::new(&gateway, &live, wire.map_or("", Wire::id), subject),
        metrics: Arc::clone(&gateway.metrics),
        dialect: found.map_or_else(|| endpoints::speaks(path, preferred), |found| found.endpoint.dialect),
        endpoint_name: match found {
            Some(Found { endpoint, .. }) => format!("{} {}", endpoint.method, endpoint.path),
            None => "(unknown)".to_owned(),
        },
        live,
        client,
        who,
        wire,
        bytes: 0,
        held: gateway.room.hold(),
        timing: Timing::default(),
    };
    exchange.account.traced = Traced::begin(gateway.tracer.as_ref(), request.headers(), |trace| {
        trace.dialect = exchange.dialect;
        trace.wire = wire.map_or("", Wire::id);
        trace.endpoint.clone_from(&exchange.endpoint_name);
        trace.record.clone_from(&exchange.account.name);
    });
    match wire {
        Some(wire) => {
            exchange
                .run(wire, found.and_then(|found| found.model).map(str::to_owned), request)
                .await
        }
        None => {
            let reason = "this endpoint is not inspected and therefore not served; docs/reference/endpoints.md lists those that are";
            exchange.refuse_unread(StatusCode::FORBIDDEN, reason).await
        }
    }
}

/// Whether it can carry out requests, and under which policy.
pub(super) fn ready(gateway: &Gateway) -> (StatusCode, String) {
    if gateway.recorder.trouble().is_some() {
        let text = "not ready: records cannot be written\n".to_owned();
        return (StatusCode::SERVICE_UNAVAILABLE, text);
    }
    let digest = gateway.live.take().rules.policy.digest;
    let stale = if gateway.stale.load(Ordering::Relaxed) {
        "stale: what changed since cannot be used; `ordain serve --check` says why\n"
    } else {
        ""
    };
    (StatusCode::OK, format!("ready\npolicy {digest}\n{stale}"))
}

/// One exchange on its way.
struct Exchange {
    live: Arc<Live>,
    client: upstream::Client,
    who: Arc<Who>,
    account: Account,
    metrics: Arc<Metrics>,
    dialect: Dialect,
    /// What reads its bodies; `None` where nothing does.
    wire: Option<&'static dyn Wire>,
    endpoint_name: String,
    bytes: u64,
    /// Its part of the room for bodies.
    held: Held,
    timing: Timing,
}

impl Exchange {
    async fn run(mut self, wire: &'static dyn Wire, named: Option<String>, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
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
        let inspected = self.inspect(wire, named, &head.headers, &body).await;
        self.timing.inspect = begun.elapsed();
        self.metrics.took(Stage::Inspect, self.timing.inspect);
        let inspected = match inspected {
            Ok(inspected) => inspected,
            Err(reason) => return self.refuse_unread(StatusCode::BAD_REQUEST, &reason).await,
        };
        let Inspected {
            judged,
            fate,
            stream,
            inspection,
        } = inspected;
        let forward = match fate {
            Fate::Stop => return self.refuse(&judged, &inspection, stream).await,
            Fate::Forward(edited) => edited.map_or(body, Bytes::from),
        };
        let live = Arc::clone(&self.live);
        let Some(route) = live
            .route(self.dialect, inspection.model())
            .filter(|route| route.serves(inspection.model()))
        else {
            let reason = "no upstream of this gateway serves this model";
            return self.turn_away(&judged, stream, StatusCode::NOT_FOUND, reason).await;
        };
        if self.intent(&judged, stream).await.is_err() {
            return not_recorded(self.dialect);
        }
        self.forward(route, &head, forward, inspection, &judged.decision).await
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

    /// Reads and judges the body; an error is a reason for the client, without any of the text.
    async fn inspect(
        &self,
        wire: &'static dyn Wire,
        named: Option<String>,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Inspected, String> {
        // A use that the policy does not know is as good as any other: what a client wrote there is not kept.
        let declared = headers
            .get("ordain-use")
            .map(|value| value.to_str().unwrap_or_default());
        let use_ = declared.map(|name| {
            if self.live.rules.policy.has_use(name) {
                name
            } else {
                "(undeclared)"
            }
            .to_owned()
        });
        let (live, dialect, who) = (Arc::clone(&self.live), self.dialect, Arc::clone(&self.who));
        let (record, body) = (self.account.name.clone(), body.clone());
        let work = move || {
            let call = |model: &str| Call {
                now: jiff::Timestamp::now(),
                who,
                to: live
                    .route(dialect, model)
                    .map(|route| Arc::clone(&route.destination))
                    .unwrap_or_default(),
                use_,
                record,
            };
            Inspection::request(&live.rules, wire, &body, named.as_deref(), call)
                .map_err(|malformed| format!("the body cannot be read: {malformed}"))
        };
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
        };
        let written = self.account.intent(&route, judged).await;
        self.timing.record = begun.elapsed();
        written
    }
}
