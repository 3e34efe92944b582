//! One exchange, from the request's head to its answer.
//!
//! The order is the law of the house: who, what, judged, recorded, sent, judged, recorded, answered. Every early way out
//! is a reply of its own in the dialect's error shape. Read [`handle`] first.

mod admit;
mod again;
mod bodies;
mod forward;
mod pass;
mod refuse;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use ordain_core::decide::Who;
use ordain_core::inspect::{Fate, Judged, Request as Inspected};
use ordain_core::record::Route as RecordedRoute;
use ordain_core::wire::Wire;
use ordain_core::wire::endpoints::{self, Endpoint, Found, Handling};
use tokio::time::timeout;

use super::account::{Account, NotRecorded};
use super::caller::{self, Caller, Unknown};
use super::live::Live;
use super::reply::{self, Reply, Timing};
use super::retries::Budget;
use super::{Gateway, models, upstream};
use crate::config::Dialect;
use crate::keys::KeyRing;
use crate::metrics::{Metrics, Stage};
use crate::store::SubjectId;
use admit::{Admitted, Aliased, Asked};
use bodies::{LARGE, unknown_expectation, unreadable_encoding};
pub(super) use pass::Unread;
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
    let exchange = Exchange {
        account: Account::new(&gateway, &live, wire.map_or("", Wire::id), subject),
        metrics: Arc::clone(&gateway.metrics),
        retries: Arc::clone(&gateway.retries),
        subject,
        aliased: None,
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
        timing: Timing::default(),
    };
    match (wire, found) {
        (Some(wire), Some(Found { endpoint, model })) => {
            let keys = (!exchange.live.aliases.is_empty()).then(|| gateway.keys.take());
            let named = model.map(str::to_owned);
            exchange.run(wire, endpoint, named, keys, request).await
        }
        (None, Some(_)) if exchange.live.rules.policy.names_endpoint(&exchange.endpoint_name) => {
            exchange.pass(request).await
        }
        _ => {
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
    retries: Arc<Budget>,
    subject: SubjectId,
    /// The alias by which the request names its model.
    aliased: Option<Box<Aliased>>,
    dialect: Dialect,
    /// What reads its bodies; `None` where nothing does.
    wire: Option<&'static dyn Wire>,
    endpoint_name: String,
    bytes: u64,
    timing: Timing,
}

impl Exchange {
    async fn run(
        mut self,
        wire: &'static dyn Wire,
        endpoint: &'static Endpoint,
        named: Option<String>,
        keys: Option<Arc<KeyRing>>,
        request: Request<Incoming>,
    ) -> Reply {
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
        let asked = Asked {
            live: Arc::clone(&self.live),
            wire,
            endpoint,
            named,
            who: Arc::clone(&self.who),
            use_: self.declared_use(&head.headers),
            record: self.account.name.clone(),
            now: jiff::Timestamp::now(),
            body,
        };
        let inspected = self.inspect(asked, keys).await;
        self.timing.inspect = begun.elapsed();
        self.metrics.took(Stage::Inspect, self.timing.inspect);
        let Admitted {
            inspected:
                Inspected {
                    judged,
                    fate,
                    stream,
                    inspection,
                },
            body,
            aliased,
        } = match inspected {
            Ok(admitted) => admitted,
            Err(reason) => return self.refuse_unread(StatusCode::BAD_REQUEST, &reason).await,
        };
        self.aliased = aliased;
        let forward = match fate {
            Fate::Stop => return self.refuse(&judged, &inspection, stream).await,
            Fate::Forward(edited) => edited.map_or(body, Bytes::from),
        };
        let live = Arc::clone(&self.live);
        let route = match &self.aliased {
            Some(aliased) => live.routes.get(aliased.picked.first.route),
            None => live.serving(self.dialect, inspection.model()),
        };
        let Some(route) = route else {
            let reason = format!("no upstream of this gateway serves `{}`", inspection.model());
            return self.turn_away(&judged, stream, StatusCode::NOT_FOUND, &reason).await;
        };
        if self.intent(&judged, stream).await.is_err() {
            return not_recorded(self.dialect);
        }
        self.forward(route, &head, forward, inspection, &judged.decision).await
    }

    /// The whole request body, within its bounds.
    async fn body(&self, body: Incoming) -> Result<Bytes, (StatusCode, &'static str)> {
        const TOO_LARGE: &str = "the body is larger than this gateway inspects";
        let limits = &self.live.limits;
        // What is announced is judged before any of it is asked for (threat B4).
        if body.size_hint().lower() > limits.body as u64 {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE));
        }
        match timeout(limits.body_time, Limited::new(body, limits.body).collect()).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err((StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE)),
            Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "the body broke off")),
            Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")),
        }
    }

    /// The use that a request declares. One that the policy does not know is as good as any other: what a client wrote there
    /// is not kept.
    fn declared_use(&self, headers: &HeaderMap) -> Option<String> {
        let declared = headers.get("ordain-use")?.to_str().unwrap_or_default();
        let known = self.live.rules.policy.has_use(declared);
        Some(if known { declared } else { "(undeclared)" }.to_owned())
    }

    /// Reads and judges the body; an error is a reason for the client, without any of the text.
    async fn inspect(&self, asked: Asked, keys: Option<Arc<KeyRing>>) -> Result<Admitted, String> {
        let who = self.subject;
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
        written
    }
}
