//! One exchange, from the request's head to its answer.
//!
//! The order is the law of the house: who, what, judged, recorded, sent, judged, recorded, answered. Every early way out
//! is a reply of its own in the dialect's error shape. Read [`handle`] first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Either, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::response::Parts as Answered;
use hyper::{Request, Response, StatusCode};
use ordain_core::decide::{Content, Decision, Facts, Who, decide_unread, explain};
use ordain_core::inspect::{Call, Fate, Inspection, Judged, Request as Inspected, StreamInspection};
use ordain_core::record::{Result as Ended, Route as RecordedRoute};
use ordain_core::verdict::{Direction, Source, SourceSet};
use ordain_core::wire::endpoints::{self, Found, Handling};
use ordain_core::wire::{Framing, Refusal, Talk, Wire};
use tokio::time::timeout;

use super::account::{Account, NotRecorded};
use super::live::{Live, Route};
use super::reply::{self, Reply, Timing};
use super::streaming::StreamBody;
use super::upstream::Target;
use super::{Gateway, models, upstream};
use crate::config::{ContentBlock, Dialect};
use crate::metrics::{Metrics, Stage};

/// Bodies above this size are inspected beside the worker's thread, so that they do not hold up its other connections.
const LARGE: usize = 256 * 1024;

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
    let preferred = preferred(request.headers());
    let keys = gateway.keys.take();
    let Some(key) = credential(request.headers()).and_then(|presented| keys.find(presented).cloned()) else {
        gateway.metrics.unauthenticated();
        return error(
            endpoints::speaks(path, preferred),
            StatusCode::UNAUTHORIZED,
            "no valid key: send a virtual key of this gateway where the API has its key, such as `Authorization: Bearer …`",
        );
    };
    let live = gateway.live.take();
    let found = endpoints::find(request.method().as_str(), path, preferred);
    let who = live.directory.who(&key.principal, key.client.as_deref());
    let wire = match found.map(|found| found.endpoint.handling) {
        Some(Handling::Models) => {
            let found = found.and_then(|found| found.model);
            return models::answer(&live, endpoints::speaks(path, preferred), &who, found);
        }
        Some(Handling::Inspected(wire)) => Some(wire),
        Some(Handling::Refused) | None => None,
    };
    let exchange = Exchange {
        account: Account::new(&gateway, &live, wire.map_or("", Wire::id), key.subject),
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
        timing: Timing::default(),
    };
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

/// The dialect that a client's headers speak of, for paths that several have.
fn preferred(headers: &HeaderMap) -> Dialect {
    [
        ("anthropic-version", Dialect::Anthropic),
        ("x-goog-api-key", Dialect::Gemini),
        ("api-key", Dialect::Azure),
    ]
    .into_iter()
    .find(|(name, _)| headers.contains_key(*name))
    .map_or(Dialect::Openai, |(_, dialect)| dialect)
}

/// The key that a client presents, in any of the places where the dialects have it. Two different ones are none: nobody
/// could say whose request it is.
fn credential(headers: &HeaderMap) -> Option<&str> {
    let mut presented = None;
    for (name, before) in CREDENTIALS {
        for value in headers.get_all(name) {
            let key = value.to_str().ok()?.strip_prefix(before)?;
            if presented.is_some_and(|other| other != key) {
                return None;
            }
            presented = Some(key);
        }
    }
    presented
}

/// Where the dialects have their keys.
const CREDENTIALS: [(&str, &str); 4] = [
    Dialect::Openai.credential(),
    Dialect::Anthropic.credential(),
    Dialect::Gemini.credential(),
    Dialect::Azure.credential(),
];

fn error(dialect: Dialect, status: StatusCode, message: &str) -> Reply {
    let mut answer = reply::json(status, dialect.error(status.as_u16(), message));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
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
    timing: Timing,
}

/// Not recorded: nothing has happened, and the client may try again.
fn not_recorded(dialect: Dialect) -> Reply {
    error(
        dialect,
        StatusCode::SERVICE_UNAVAILABLE,
        "the exchange cannot be recorded at the moment, so it was not carried out; try again",
    )
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

    /// Turns away what nobody could read: a record, and an error in the dialect's shape.
    async fn refuse_unread(self, status: StatusCode, reason: &str) -> Reply {
        let facts = Facts {
            now: jiff::Timestamp::now(),
            direction: Direction::Prompt,
            who: Arc::clone(&self.who),
            to: Arc::default(),
            model: None,
            use_: None,
            content: Content {
                sources: SourceSet::of(Source::User),
                uninspectable: true,
                ..Content::default()
            },
        };
        let judged = Judged {
            decision: decide_unread(&self.live.rules.policy, &facts),
            facts,
            masked: BTreeMap::new(),
            failed: Vec::new(),
            uninspectable: Vec::new(),
        };
        self.turn_away(&judged, false, status, reason).await
    }

    /// Turns away with an error in the dialect's shape.
    async fn turn_away(mut self, judged: &Judged, stream: bool, status: StatusCode, reason: &str) -> Reply {
        if self.refused(judged, stream, status).await.is_err() {
            return not_recorded(self.dialect);
        }
        self.named(error(self.dialect, status, reason), &[&judged.decision])
    }

    /// Turns away what the policy stops.
    async fn refuse(mut self, judged: &Judged, inspection: &Inspection, stream: bool) -> Reply {
        let access = judged.decision.is_access_refusal(&self.live.rules.policy);
        let status = if access {
            StatusCode::FORBIDDEN
        } else {
            self.block_status()
        };
        if self.refused(judged, stream, status).await.is_err() {
            return not_recorded(self.dialect);
        }
        let answer = self.refusal(&judged.decision, inspection, status, stream);
        self.named(answer, &[&judged.decision])
    }

    /// Records that the request is turned away.
    async fn refused(&mut self, judged: &Judged, stream: bool, status: StatusCode) -> Result<(), NotRecorded> {
        let begun = Instant::now();
        let route = self.recorded_route(stream);
        let recorded = self.account.refusal(&route, judged, status.as_u16()).await;
        self.timing.record = begun.elapsed();
        recorded
    }

    /// What a content block looks like: an answer that refuses where there is such a thing, else an error.
    fn block_status(&self) -> StatusCode {
        match (self.wire.and_then(Wire::talk), self.live.content_block) {
            (None, _) => StatusCode::FORBIDDEN,
            (Some(_), ContentBlock::Refuse) => StatusCode::OK,
            (Some(_), ContentBlock::Error) => StatusCode::BAD_REQUEST,
        }
    }

    /// The words for a refused request or answer.
    fn refusal(&self, decision: &Decision, inspection: &Inspection, status: StatusCode, stream: bool) -> Reply {
        let message = explain::refusal(&self.live.rules.policy, decision, &self.account.name);
        let talk = self.wire.and_then(Wire::talk).filter(|_| status == StatusCode::OK);
        let Some(talk) = talk else {
            return error(self.dialect, status, &message);
        };
        let refusal = Refusal {
            message: &message,
            model: inspection.model(),
            record: &self.account.name,
            at: inspection.call().now.as_second(),
        };
        if stream {
            let media_type = talk.framing().media_type();
            return reply::whole(StatusCode::OK, media_type, talk.refusal_stream(&refusal));
        }
        reply::json(StatusCode::OK, talk.refusal(&refusal))
    }

    fn named(&self, mut answer: Reply, decisions: &[&Decision]) -> Reply {
        reply::name_decision(
            answer.headers_mut(),
            &self.live.rules.policy,
            decisions,
            &self.account.name,
            &self.timing,
        );
        answer
    }

    /// Sends the request and answers with what comes back.
    async fn forward(
        mut self,
        route: &Route,
        head: &Parts,
        body: Bytes,
        inspection: Inspection,
        decided: &Decision,
    ) -> Reply {
        let begun = Instant::now();
        let Some(request) = route.target.request(&head.uri, &head.headers, &self.account.name, body) else {
            let reason = "the upstream's address cannot be used for this endpoint";
            return self.upstream_failed(StatusCode::BAD_GATEWAY, reason, decided).await;
        };
        let answered = timeout(self.live.limits.first_byte, self.client.request(request)).await;
        self.timing.upstream = begun.elapsed();
        self.metrics.took(Stage::Upstream, self.timing.upstream);
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => {
                tracing::warn!(error = %failure, record = %self.account.name, "the upstream could not be reached");
                return self
                    .upstream_failed(StatusCode::BAD_GATEWAY, "the upstream could not be reached", decided)
                    .await;
            }
            Err(_) => {
                return self
                    .upstream_failed(
                        StatusCode::GATEWAY_TIMEOUT,
                        "the upstream did not answer in time",
                        decided,
                    )
                    .await;
            }
        };
        let (head, body) = response.into_parts();
        if unreadable_encoding(&head.headers).is_some() {
            return self
                .upstream_failed(
                    StatusCode::BAD_GATEWAY,
                    "the upstream's answer is encoded in a way that cannot be inspected",
                    decided,
                )
                .await;
        }
        let passed: Vec<(HeaderName, HeaderValue)> = upstream::answer_headers(&head.headers)
            .filter(|(_, value)| !route.target.has_key(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let media_type = head
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let framing = inspection.wire().talk().map(Talk::framing);
        let streams = framing.filter(|framing| {
            head.status == StatusCode::OK && media_type.is_some_and(|kind| kind.starts_with(framing.media_type()))
        });
        let mut answer = match (streams, inspection.clone().stream()) {
            (Some(framing), Some(stream)) => self.stream(framing, body, stream, decided),
            _ => self.whole(&head, body, &route.target, &inspection, decided).await,
        };
        for (name, value) in passed {
            answer.headers_mut().append(name, value);
        }
        answer
    }

    /// An answer as it streams; its outcome is recorded before its last piece.
    fn stream(mut self, framing: Framing, body: Incoming, inspection: StreamInspection, decided: &Decision) -> Reply {
        self.account.status = 200;
        let headers = self
            .named(
                reply::whole(StatusCode::OK, framing.media_type(), Bytes::new()),
                &[decided],
            )
            .into_parts()
            .0
            .headers;
        let body = StreamBody::new(body, inspection, self.account, self.metrics, &self.live.limits);
        let mut answer = Response::new(Either::Right(body));
        *answer.headers_mut() = headers;
        answer
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer
    }

    /// An answer in one piece: read, judged, recorded, sent.
    async fn whole(
        mut self,
        head: &Answered,
        body: Incoming,
        target: &Target,
        inspection: &Inspection,
        decided: &Decision,
    ) -> Reply {
        let status = head.status;
        let limits = &self.live.limits;
        let body = match timeout(limits.answer, gather(body, limits.body, limits.idle)).await {
            Ok(Ok(body)) => target.hide_key(body),
            Ok(Err(Broken::Off)) => {
                return self
                    .upstream_failed(
                        StatusCode::BAD_GATEWAY,
                        "the upstream's answer broke off or is too large",
                        decided,
                    )
                    .await;
            }
            Ok(Err(Broken::Silent)) | Err(_) => {
                return self
                    .upstream_failed(
                        StatusCode::GATEWAY_TIMEOUT,
                        "the upstream's answer took too long",
                        decided,
                    )
                    .await;
            }
        };
        let begun = Instant::now();
        let (judged, fate) = if body.len() <= LARGE {
            inspection.answer(&body)
        } else {
            let (own, whole) = (inspection.clone(), body.clone());
            match tokio::task::spawn_blocking(move || own.answer(&whole)).await {
                Ok(done) => done,
                Err(_) => {
                    return self
                        .upstream_failed(
                            StatusCode::BAD_GATEWAY,
                            "the upstream's answer could not be inspected",
                            decided,
                        )
                        .await;
                }
            }
        };
        let inspected = begun.elapsed();
        self.metrics.took(Stage::Inspect, inspected);
        self.timing.inspect += inspected;
        let (ended, mut answer) = match fate {
            Fate::Forward(edited) => {
                let media_type = head.headers.get(header::CONTENT_TYPE);
                (
                    Ended::Completed,
                    reply::passed(status, media_type, edited.map_or(body, Bytes::from)),
                )
            }
            // An error of the upstream that cannot be read is the upstream's fault, not an answer that refuses.
            Fate::Stop if !status.is_success() => (
                Ended::Stopped,
                error(
                    self.dialect,
                    StatusCode::BAD_GATEWAY,
                    "the upstream answered with an error that cannot be inspected",
                ),
            ),
            Fate::Stop => (
                Ended::Stopped,
                self.refusal(&judged.decision, inspection, self.block_status(), false),
            ),
        };
        self.account.status = answer.status().as_u16();
        self.account.delivered = answer.body().size_hint().exact().unwrap_or_default();
        let decision = judged.decision.clone();
        self.account.answer = Some(judged);
        let begun = Instant::now();
        let written = self.account.outcome(ended).await;
        self.timing.record += begun.elapsed();
        if written.is_err() {
            return not_recorded(self.dialect);
        }
        answer = self.named(answer, &[decided, &decision]);
        answer
    }

    /// The upstream's fault: an outcome, and an error in the dialect's shape.
    async fn upstream_failed(mut self, status: StatusCode, reason: &str, decided: &Decision) -> Reply {
        self.account.status = status.as_u16();
        if self.account.outcome(Ended::UpstreamFailed).await.is_err() {
            return not_recorded(self.dialect);
        }
        self.named(error(self.dialect, status, reason), &[decided])
    }
}

/// Why the whole body of an answer did not come.
enum Broken {
    /// It broke off, or is too large.
    Off,
    /// Nothing came for too long.
    Silent,
}

/// The whole body of an answer, within bounds on its size and on each pause in it.
async fn gather(body: Incoming, most: usize, idle: Duration) -> Result<Bytes, Broken> {
    let mut body = Limited::new(body, most);
    let mut whole = BytesMut::new();
    loop {
        match timeout(idle, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                // Trailers are not passed on (threat B3).
                if let Ok(data) = frame.into_data() {
                    whole.extend_from_slice(&data);
                }
            }
            Ok(None) => return Ok(whole.freeze()),
            Ok(Some(Err(_))) => return Err(Broken::Off),
            Err(_) => return Err(Broken::Silent),
        }
    }
}

/// Why a request expects what no answer can give (RFC 9110 §10.1.1).
fn unknown_expectation(headers: &HeaderMap) -> Option<&'static str> {
    let unknown = headers
        .get_all(header::EXPECT)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    unknown.then_some("only `100-continue` can be expected")
}

/// Why a body cannot be read, if its headers say so already.
fn unreadable_encoding(headers: &HeaderMap) -> Option<&'static str> {
    let encoded = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    encoded.then_some("a compressed body is not inspected: send it plain")
}
