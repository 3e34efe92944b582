//! One exchange, from the request's head to its answer.
//!
//! The order is the law of the house: who, what, judged, recorded, sent, judged, recorded, answered. Every early way out
//! is a reply of its own in the dialect's error shape. Read [`handle`] first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use ordain_core::decide::{Content, Decision, Facts, decide_unread, explain};
use ordain_core::inspect::{Call, Fate, Inspection, Judged, Request as Inspected};
use ordain_core::record::{Result as Ended, Route as RecordedRoute};
use ordain_core::verdict::{Direction, Source, SourceSet};
use ordain_core::wire::{Refusal, Wire};
use tokio::time::timeout;

use super::account::{Account, NotRecorded};
use super::reply::{self, Reply, Timing};
use super::routes::{self, Endpoint};
use super::streaming::StreamBody;
use super::{Gateway, Route, upstream};
use crate::config::ContentBlock;
use crate::keys::KeyEntry;

/// Bodies above this size are inspected beside the worker's thread, so that they do not hold up its other connections.
const LARGE: usize = 256 * 1024;

/// Answers one request.
pub(super) async fn handle(gateway: Arc<Gateway>, client: upstream::Client, request: Request<Incoming>) -> Reply {
    let path = request.uri().path();
    if request.method() == hyper::Method::GET {
        match path {
            "/healthz" => return reply::whole(StatusCode::OK, "text/plain", "ok\n"),
            "/readyz" => return ready(&gateway),
            _ => {}
        }
    }
    let wire = routes::speaks(path, request.headers().contains_key("anthropic-version"));
    let Some(key) = credential(request.headers()).and_then(|presented| gateway.keys().find(presented).cloned()) else {
        return error(
            wire,
            StatusCode::UNAUTHORIZED,
            "no valid key: send a virtual key of this gateway as `Authorization: Bearer …` or `x-api-key`",
        );
    };
    let account = Account::new(
        gateway.recorder.clone(),
        gateway.limits.record,
        Arc::clone(&gateway.rules),
        key.subject,
    );
    let found = routes::find(request.method(), path);
    let endpoint_name = format!(
        "{} {}",
        request.method(),
        found.map_or("(not inspected)", |endpoint| endpoint.wire.path())
    );
    let exchange = Exchange {
        gateway,
        client,
        key,
        account,
        wire,
        endpoint_name,
        bytes: 0,
        timing: Timing::default(),
    };
    match found {
        Some(endpoint) => exchange.run(endpoint, request).await,
        None => {
            let reason =
                "this endpoint is not inspected and therefore not served; use /v1/chat/completions or /v1/messages";
            exchange.refuse_unread(StatusCode::FORBIDDEN, reason).await
        }
    }
}

fn ready(gateway: &Gateway) -> Reply {
    match gateway.recorder.trouble() {
        None => {
            let text = format!("ready\npolicy {}\n", gateway.rules.policy.digest);
            reply::whole(StatusCode::OK, "text/plain", text)
        }
        Some(_) => reply::whole(
            StatusCode::SERVICE_UNAVAILABLE,
            "text/plain",
            "not ready: records cannot be written\n",
        ),
    }
}

/// The key that a client presents, as the two APIs do it.
fn credential(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    bearer.or_else(|| headers.get("x-api-key").and_then(|value| value.to_str().ok()))
}

fn error(wire: &dyn Wire, status: StatusCode, message: &str) -> Reply {
    let mut answer = reply::json(status, wire.error(status.as_u16(), message));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

/// One exchange on its way.
struct Exchange {
    gateway: Arc<Gateway>,
    client: upstream::Client,
    key: KeyEntry,
    account: Account,
    wire: &'static dyn Wire,
    endpoint_name: String,
    bytes: u64,
    timing: Timing,
}

/// Not recorded: nothing has happened, and the client may try again.
fn not_recorded(wire: &dyn Wire) -> Reply {
    error(
        wire,
        StatusCode::SERVICE_UNAVAILABLE,
        "the exchange cannot be recorded at the moment, so it was not carried out; try again",
    )
}

impl Exchange {
    async fn run(mut self, endpoint: Endpoint, request: Request<Incoming>) -> Reply {
        self.wire = endpoint.wire;
        let (head, body) = request.into_parts();
        if let Some(reason) = unreadable_encoding(&head.headers) {
            return self.refuse_unread(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason).await;
        }
        let body = match self.body(body).await {
            Ok(body) => body,
            Err((status, reason)) => return self.refuse_unread(status, reason).await,
        };
        self.bytes = body.len() as u64;
        let begun = Instant::now();
        let inspected = self.inspect(endpoint, &head.headers, &body).await;
        self.timing.inspect = begun.elapsed();
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
        let gateway = Arc::clone(&self.gateway);
        let Some(route) = gateway
            .route(endpoint.dialect, inspection.model())
            .filter(|route| route.serves(inspection.model()))
        else {
            let reason = "no upstream of this gateway serves this model";
            return self.turn_away(&judged, stream, StatusCode::NOT_FOUND, reason).await;
        };
        if self.intent(&judged, stream).await.is_err() {
            return not_recorded(self.wire);
        }
        self.forward(route, &head.headers, forward, inspection, &judged.decision)
            .await
    }

    /// The whole request body, within its bounds.
    async fn body(&self, body: Incoming) -> Result<Bytes, (StatusCode, &'static str)> {
        let limits = &self.gateway.limits;
        match timeout(limits.body_time, Limited::new(body, limits.body).collect()).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err((
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is larger than this gateway inspects",
            )),
            Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "the body broke off")),
            Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")),
        }
    }

    /// Reads and judges the body; an error is a reason for the client, without any of the text.
    async fn inspect(&self, endpoint: Endpoint, headers: &HeaderMap, body: &Bytes) -> Result<Inspected, String> {
        // A use that the policy does not know is as good as any other: what a client wrote there is not kept.
        let declared = headers
            .get("ordain-use")
            .map(|value| value.to_str().unwrap_or_default());
        let use_ = declared.map(|name| {
            if self.gateway.rules.policy.has_use(name) {
                name
            } else {
                "(undeclared)"
            }
            .to_owned()
        });
        let who = self
            .gateway
            .directory
            .who(&self.key.principal, self.key.client.as_deref());
        let (gateway, record, body) = (Arc::clone(&self.gateway), self.account.name.clone(), body.clone());
        let work = move || {
            let call = |model: &str| Call {
                now: jiff::Timestamp::now(),
                who,
                to: gateway
                    .route(endpoint.dialect, model)
                    .map(|route| Arc::clone(&route.destination))
                    .unwrap_or_default(),
                use_,
                record,
            };
            Inspection::request(&gateway.rules, endpoint.wire, &body, call)
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
            wire: self.wire.id(),
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
            wire: self.wire.id(),
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
            who: self
                .gateway
                .directory
                .who(&self.key.principal, self.key.client.as_deref()),
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
            decision: decide_unread(&self.gateway.rules.policy, &facts),
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
            return not_recorded(self.wire);
        }
        self.named(error(self.wire, status, reason), &[&judged.decision])
    }

    /// Turns away what the policy stops.
    async fn refuse(mut self, judged: &Judged, inspection: &Inspection, stream: bool) -> Reply {
        let access = judged.decision.is_access_refusal(&self.gateway.rules.policy);
        let status = match (access, self.gateway.content_block) {
            (true, _) => StatusCode::FORBIDDEN,
            (false, ContentBlock::Refuse) => StatusCode::OK,
            (false, ContentBlock::Error) => StatusCode::BAD_REQUEST,
        };
        if self.refused(judged, stream, status).await.is_err() {
            return not_recorded(self.wire);
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

    /// The words for a refused request or answer.
    fn refusal(&self, decision: &Decision, inspection: &Inspection, status: StatusCode, stream: bool) -> Reply {
        let message = explain::refusal(&self.gateway.rules.policy, decision, &self.account.name);
        if status != StatusCode::OK {
            return error(self.wire, status, &message);
        }
        let refusal = Refusal {
            message: &message,
            model: inspection.model(),
            record: &self.account.name,
            at: inspection.call().now.as_second(),
        };
        if stream {
            return reply::whole(StatusCode::OK, "text/event-stream", self.wire.refusal_stream(&refusal));
        }
        reply::json(StatusCode::OK, self.wire.refusal(&refusal))
    }

    fn named(&self, mut answer: Reply, decisions: &[&Decision]) -> Reply {
        reply::name_decision(
            answer.headers_mut(),
            &self.gateway.rules.policy,
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
        headers: &HeaderMap,
        body: Bytes,
        inspection: Inspection,
        decided: &Decision,
    ) -> Reply {
        let begun = Instant::now();
        let request = route.target.request(headers, &self.account.name, body);
        let answered = timeout(self.gateway.limits.first_byte, self.client.request(request)).await;
        self.timing.upstream = begun.elapsed();
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
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let streams = head
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        let mut answer = if streams && head.status == StatusCode::OK {
            self.stream(body, inspection, decided)
        } else {
            self.whole(head.status, body, &inspection, decided).await
        };
        for (name, value) in passed {
            answer.headers_mut().append(name, value);
        }
        answer
    }

    /// An answer as it streams; its outcome is recorded before its last piece.
    fn stream(mut self, body: Incoming, inspection: Inspection, decided: &Decision) -> Reply {
        self.account.status = 200;
        let headers = self
            .named(reply::json(StatusCode::OK, Bytes::new()), &[decided])
            .into_parts()
            .0
            .headers;
        let body = StreamBody::new(body, inspection.stream(), self.account, self.gateway.limits.idle);
        let mut answer = Response::new(Either::Right(body));
        *answer.headers_mut() = headers;
        answer
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        answer
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer
    }

    /// An answer in one piece: read, judged, recorded, sent.
    async fn whole(mut self, status: StatusCode, body: Incoming, inspection: &Inspection, decided: &Decision) -> Reply {
        let limits = &self.gateway.limits;
        let body = match timeout(limits.idle, Limited::new(body, limits.body).collect()).await {
            Ok(Ok(collected)) => collected.to_bytes(),
            Ok(Err(_)) => {
                return self
                    .upstream_failed(
                        StatusCode::BAD_GATEWAY,
                        "the upstream's answer broke off or is too large",
                        decided,
                    )
                    .await;
            }
            Err(_) => {
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
        self.timing.inspect += begun.elapsed();
        let (ended, mut answer) = match fate {
            Fate::Forward(edited) => (Ended::Completed, reply::json(status, edited.map_or(body, Bytes::from))),
            // An error of the upstream that cannot be read is the upstream's fault, not an answer that refuses.
            Fate::Stop if !status.is_success() => (
                Ended::Stopped,
                error(
                    self.wire,
                    StatusCode::BAD_GATEWAY,
                    "the upstream answered with an error that cannot be inspected",
                ),
            ),
            Fate::Stop => {
                let status = if self.gateway.content_block == ContentBlock::Refuse {
                    StatusCode::OK
                } else {
                    StatusCode::BAD_REQUEST
                };
                (
                    Ended::Stopped,
                    self.refusal(&judged.decision, inspection, status, false),
                )
            }
        };
        self.account.status = answer.status().as_u16();
        let decision = judged.decision.clone();
        self.account.answer = Some(judged);
        let begun = Instant::now();
        let written = self.account.outcome(ended).await;
        self.timing.record += begun.elapsed();
        if written.is_err() {
            return not_recorded(self.wire);
        }
        answer = self.named(answer, &[decided, &decision]);
        answer
    }

    /// The upstream's fault: an outcome, and an error in the dialect's shape.
    async fn upstream_failed(mut self, status: StatusCode, reason: &str, decided: &Decision) -> Reply {
        self.account.status = status.as_u16();
        if self.account.outcome(Ended::UpstreamFailed).await.is_err() {
            return not_recorded(self.wire);
        }
        self.named(error(self.wire, status, reason), &[decided])
    }
}

/// Why a body cannot be read, if its headers say so already.
fn unreadable_encoding(headers: &HeaderMap) -> Option<&'static str> {
    let encoded = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    encoded.then_some("a compressed body is not inspected: send it plain")
}
