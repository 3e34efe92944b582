//! Sending an admitted request, and answering with what comes back: streamed as it flows, or in one piece.

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
use crate::gateway::hidden::Hidden;
use crate::gateway::live::Route;
use crate::gateway::reply::{self, Reply};
use crate::gateway::streaming::StreamBody;
use crate::gateway::upstream::{self, Target};
use crate::metrics::Stage;

impl Exchange {
    /// Sends the request and answers with what comes back.
    pub(super) async fn forward(
        mut self,
        route: &Route,
        head: &Parts,
        body: Bytes,
        inspection: Inspection,
        decided: &Decision,
    ) -> Reply {
        let begun = Instant::now();
        let Some(mut request) = route.target.request(&head.uri, &head.headers, &self.account.name, body) else {
            let reason = "the upstream's address cannot be used for this endpoint";
            return self.upstream_failed(StatusCode::BAD_GATEWAY, reason, decided).await;
        };
        if let Some(traced) = &mut self.account.traced {
            traced.send(request.headers_mut());
        }
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
            (Some(framing), Some(stream)) => self.stream(framing, (body, route.target.hidden()), stream, decided),
            _ => self.whole(&head, body, &route.target, &inspection, decided).await,
        };
        for (name, value) in passed {
            answer.headers_mut().append(name, value);
        }
        answer
    }

    /// An answer as it streams; its outcome is recorded before its last piece.
    pub(super) fn stream(
        mut self,
        framing: Framing,
        (body, hidden): (Incoming, Option<Hidden>),
        inspection: StreamInspection,
        decided: &Decision,
    ) -> Reply {
        self.account.status = 200;
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
        answer
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer
    }

    /// An answer in one piece: read, judged, recorded, sent.
    pub(super) async fn whole(
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
    pub(super) async fn upstream_failed(mut self, status: StatusCode, reason: &str, decided: &Decision) -> Reply {
        self.account.status = status.as_u16();
        if self.account.outcome(Ended::UpstreamFailed).await.is_err() {
            return not_recorded(self.dialect);
        }
        self.named(error(self.dialect, status, reason), &[decided])
    }
}
