//! Sending an admitted request, and answering with what comes back: streamed as it flows, or in one piece.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Either;
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::response::Parts as Answered;
use hyper::{Response, StatusCode};
use ordain_core::decide::Decision;
use ordain_core::inspect::{Fate, Inspection, StreamInspection};
use ordain_core::record::Result as Ended;
use ordain_core::wire::{Framing, Talk};
use tokio::time::timeout;

use super::Exchange;
use super::bodies::{Broken, LARGE, gather, unreadable_encoding};
use super::refuse::{error, not_recorded};
use crate::gateway::bill::Heard;
use crate::gateway::hidden::Hidden;
use crate::gateway::live::Route;
use crate::gateway::reply::{self, Reply};
use crate::gateway::streaming::StreamBody;
use crate::gateway::upload::Outgoing;
use crate::gateway::upstream::{self, Target};
use crate::metrics::Stage;

impl Exchange {
    /// Sends the request and answers with what comes back.
    pub(super) async fn forward(
        mut self: Box<Self>,
        route: &Route,
        head: &Parts,
        body: Bytes,
        inspection: Inspection,
        decided: &Decision,
    ) -> Reply {
        let live = Arc::clone(&self.live);
        let begun = Instant::now();
        let first = self.aliased.as_ref().map(|aliased| &aliased.picked.first);
        let Some(mut request) = self.request_to(&route.target, head, first, body) else {
            let reason = "the upstream's address cannot be used for this endpoint";
            return self.upstream_failed(StatusCode::BAD_GATEWAY, reason, decided).await;
        };
        if let Some(traced) = &mut self.account.traced {
            traced.send(request.headers_mut());
        }
        let mut answered = timeout(
            self.live.limits.first_byte,
            self.client.request(request.map(Outgoing::Whole)),
        )
        .await;
        let again = self.again(&answered, head).await;
        let (mut route, mut inspection, mut decided) = (route, inspection, decided);
        if let Some(again) = &again
            && let Some(other) = live.routes.get(again.route)
        {
            // What the first upstream says is not read: it is no answer (threat G7).
            answered = timeout(
                self.live.limits.first_byte,
                self.client.request(again.request.clone().map(Outgoing::Whole)),
            )
            .await;
            (route, decided) = (other, &again.decision);
            inspection = again.inspection.clone();
        }
        self.timing.upstream = begun.elapsed();
        self.metrics.took(Stage::Upstream, self.timing.upstream);
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => {
                if failure.is_connect() {
                    self.account.bill.heard = Heard::Nothing;
                }
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
        self.account.bill.heard = if head.status.is_success() {
            Heard::Unknown
        } else {
            Heard::Nothing
        };
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
        let streams = streams.and_then(|framing| Some((framing, inspection.clone().stream()?)));
        let mut answer = match streams {
            Some((framing, stream)) => self.stream(framing, (body, route.target.hidden()), stream, decided),
            None => self.whole(&head, body, &route.target, &inspection, decided).await,
        };
        for (name, value) in passed {
            answer.headers_mut().append(name, value);
        }
        answer
    }

    /// An answer as it streams; its outcome is recorded before its last piece.
    pub(super) fn stream(
        mut self: Box<Self>,
        framing: Framing,
        (body, hidden): (Incoming, Option<Hidden>),
        inspection: StreamInspection,
        decided: &Decision,
    ) -> Reply {
        self.account.status = 200;
        self.account.bill.heard = Heard::Answer;
        let label = inspection.judged().label.clone();
        let headers = self
            .named(
                reply::whole(StatusCode::OK, framing.media_type(), Bytes::new()),
                &[decided],
            )
            .into_parts()
            .0
            .headers;
        let body = StreamBody::new(body, hidden, inspection, self.account, self.metrics, &self.live.limits);
        let mut answer = Response::new(Either::Right(body));
        *answer.headers_mut() = headers;
        reply::name_label(answer.headers_mut(), label.as_deref());
        answer
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer
    }

    /// An answer in one piece: read, judged, recorded, sent.
    pub(super) async fn whole(
        mut self: Box<Self>,
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
            Fate::Stop | Fate::Wait(..) if !status.is_success() => (
                Ended::Stopped,
                error(
                    self.dialect,
                    StatusCode::BAD_GATEWAY,
                    "the upstream answered with an error that cannot be inspected",
                ),
            ),
            // Of an answer nothing is asked.
            Fate::Stop | Fate::Wait(..) => (
                Ended::Stopped,
                self.refusal(&judged.decision, inspection, self.block_status(), false),
            ),
        };
        self.account.status = answer.status().as_u16();
        self.account.delivered = answer.body().size_hint().exact().unwrap_or_default();
        if status.is_success() {
            self.account.bill.heard = Heard::Answer;
        }
        let (decision, label) = (judged.decision.clone(), judged.label.clone());
        self.account.answer = Some(judged);
        let begun = Instant::now();
        let written = self.account.outcome(ended).await;
        self.timing.record += begun.elapsed();
        if written.is_err() {
            return not_recorded(self.dialect);
        }
        answer = self.named(answer, &[decided, &decision]);
        reply::name_label(answer.headers_mut(), label.as_deref());
        answer
    }

    /// The upstream's fault: an outcome, and an error in the dialect's shape.
    pub(super) async fn upstream_failed(
        mut self: Box<Self>,
        status: StatusCode,
        reason: &str,
        decided: &Decision,
    ) -> Reply {
        self.account.status = status.as_u16();
        if self.account.outcome(Ended::UpstreamFailed).await.is_err() {
            return not_recorded(self.dialect);
        }
        self.named(error(self.dialect, status, reason), &[decided])
    }
}
