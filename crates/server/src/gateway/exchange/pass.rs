//! Endpoints that pass unread, since a line of the policy says so: files, batches and the like.
//!
//! Nobody looks at their bodies, which is a fact of both halves; who may use them, the grants, the matrix and the rules are asked
//! as for every request. The body goes as it is, the provider's key in place of the caller's, and the answer flows through
//! without being kept. The intent is durable before the first byte leaves, the outcome before the last byte reaches the
//! client.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::{Request, StatusCode};
use ordain_core::decide::{Content, Covered, Facts, decide, explain, sign_in_needed};
use ordain_core::inspect::{Judged, Said};
use ordain_core::record::Result as Ended;
use ordain_core::verdict::{Direction, Source, SourceSet};
use tokio::time::timeout;

use super::Exchange;
use super::bodies::{unknown_expectation, unreadable_encoding};
use super::refuse::{error, not_recorded};
use crate::gateway::account::{Account, NotRecorded};
use crate::gateway::bill::Heard;
use crate::gateway::live::{Live, Route};
use crate::gateway::reply::{self, Reply};
use crate::gateway::streaming::{BrokenOff, StreamBody};
use crate::gateway::upstream;

/// The kind of what cannot be read, in records.
const UNREAD: &str = "endpoint";

impl Exchange {
    /// Carries out a request to an endpoint that nobody reads.
    pub(super) async fn pass(mut self, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
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
        let (live, endpoint) = (Arc::clone(&self.live), self.endpoint_name.clone());
        // No model is named: the first upstream of the dialect is the one that keeps things.
        let route = live.route(self.dialect, "");
        let use_ = self.known_use(&head.headers);
        let judged = self.judge_unread(&endpoint, route, use_.as_deref(), Direction::Prompt);
        if let Some(turned) = self.outside_unread(&judged) {
            return self.bounded(Some((&judged, false)), turned).await;
        }
        if judged.decision.stops() {
            if let Some(minutes) = sign_in_needed(&live.rules.policy, &judged.facts, &judged.decision) {
                return self.ask_for_sign_in(&judged, false, minutes).await;
            }
            let message = self.refused_unread(&judged);
            return self.turn_away(&judged, false, StatusCode::FORBIDDEN, &message).await;
        }
        let request = route.and_then(|route| {
            let target = &route.target;
            Some((target, target.passed(&head, &self.account.name, body)?))
        });
        let Some((target, request)) = request else {
            let reason = "no upstream of this gateway serves this endpoint";
            return self.turn_away(&judged, false, StatusCode::NOT_FOUND, reason).await;
        };
        if let Err(turned) = self.reserve_unread(judged.facts.now) {
            return self.bounded(Some((&judged, false)), turned).await;
        }
        // Whatever comes of it, nobody reads what was used: a request is what counts.
        self.account.bill.heard = Heard::Nothing;
        if self.intent(&judged, false).await.is_err() {
            return not_recorded(self.dialect);
        }
        let decided = &judged.decision;
        let begun = Instant::now();
        let answered = timeout(live.limits.first_byte, self.client.request(request)).await;
        self.timing.upstream = begun.elapsed();
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => {
                tracing::warn!(error = %failure, record = %self.account.name, "the upstream could not be reached");
                let reason = "the upstream could not be reached";
                return self.upstream_failed(StatusCode::BAD_GATEWAY, reason, decided).await;
            }
            Err(_) => {
                let reason = "the upstream did not answer in time";
                return self.upstream_failed(StatusCode::GATEWAY_TIMEOUT, reason, decided).await;
            }
        };
        let (head, body) = response.into_parts();
        let answer = self.judge_unread(&endpoint, route, use_.as_deref(), Direction::Answer);
        if answer.decision.stops() {
            let message = self.refused_unread(&answer);
            self.account.answer = Some(answer.clone());
            self.account.status = StatusCode::FORBIDDEN.as_u16();
            if self.account.outcome(Ended::Stopped).await.is_err() {
                return not_recorded(self.dialect);
            }
            let reply = error(self.dialect, StatusCode::FORBIDDEN, &message);
            return self.named(reply, &[decided, &answer.decision]);
        }
        let mut reply = self.named(
            reply::whole(head.status, media_type(&head.headers), Bytes::new()),
            &[decided, &answer.decision],
        );
        for (name, value) in upstream::answer_headers(&head.headers).filter(|(_, value)| !target.has_key(value)) {
            reply.headers_mut().append(name.clone(), value.clone());
        }
        self.account.answer = Some(answer);
        self.account.status = head.status.as_u16();
        let route = route.and_then(|route| live.routes.iter().position(|one| std::ptr::eq(one, route)));
        let unread = Unread {
            upstream: body,
            account: self.account,
            idle: live.limits.idle,
            until: Instant::now() + live.limits.answer,
            route: route.unwrap_or_default(),
            live,
            held: None,
        };
        reply.map(|_| Either::Right(StreamBody::unread(unread)))
    }

    /// What is decided about one half of which nobody has read anything.
    fn judge_unread(&self, endpoint: &str, route: Option<&Route>, use_: Option<&str>, direction: Direction) -> Judged {
        let source = match direction {
            Direction::Prompt => Source::User,
            Direction::Answer => Source::Model,
        };
        let facts = Facts {
            now: jiff::Timestamp::now(),
            direction,
            who: Arc::clone(&self.who),
            to: route.map(|route| Arc::clone(&route.destination)).unwrap_or_default(),
            model: None,
            use_: use_.map(str::to_owned),
            content: Content {
                sources: SourceSet::of(source),
                uninspectable: true,
                endpoint: Some(endpoint.to_owned()),
                ..Content::default()
            },
        };
        Judged {
            decision: decide(&self.live.rules.policy, &facts),
            facts,
            model: None,
            masked: BTreeMap::new(),
            restored: BTreeMap::new(),
            withheld: Vec::new(),
            label: None,
            failed: Vec::new(),
            uninspectable: vec![(String::new(), UNREAD)],
            said: Said::default(),
        }
    }

    /// The words for what the policy stops. Nobody can take a second step here: what is not read cannot be agreed to.
    fn refused_unread(&self, judged: &Judged) -> String {
        let nothing = Covered::default();
        explain::refusal(&self.live.rules.policy, &judged.decision, &nothing, &self.account.name)
    }
}

/// What a client is told that it gets. What may be anything is bytes, so that no browser takes it for a page (threat B17).
fn media_type(headers: &HeaderMap) -> &'static str {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let plain = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    match plain {
        Some(kind) if kind.eq_ignore_ascii_case("application/json") => "application/json",
        _ => "application/octet-stream",
    }
}

/// An answer that nobody reads, on its way to the client at the client's pace.
pub(in crate::gateway) struct Unread {
    upstream: Incoming,
    account: Account,
    idle: Duration,
    /// When it must have come to its end.
    until: Instant,
    live: Arc<Live>,
    /// The route that it comes from, as an index.
    route: usize,
    /// The last piece that came: it waits until it is known that it is not the last one.
    held: Option<Bytes>,
}

impl Unread {
    /// The next piece for the client, and the rest if there may be more.
    pub(in crate::gateway) async fn next(mut self: Box<Self>) -> (Result<Option<Bytes>, BrokenOff>, Option<Box<Self>>) {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            let ended = match timeout(self.idle.min(left), self.upstream.frame()).await {
                Ok(Some(Ok(frame))) => {
                    // Trailers are not passed on (threat B3).
                    let Ok(data) = frame.into_data() else { continue };
                    let data = match self.live.routes.get(self.route) {
                        Some(route) => route.target.hide_key(data),
                        None => data,
                    };
                    if let Some(piece) = self.held.replace(data).filter(|piece| !piece.is_empty()) {
                        self.account.delivered += piece.len() as u64;
                        return (Ok(Some(piece)), Some(self));
                    }
                    continue;
                }
                Ok(None) => Ended::Completed,
                Ok(Some(Err(_))) | Err(_) => Ended::UpstreamFailed,
            };
            return (self.end(ended).await, None);
        }
    }

    /// The last piece, once the outcome is durable. Without it, or if the upstream broke off, the client sees the answer break
    /// off too.
    async fn end(mut self: Box<Self>, ended: Ended) -> Result<Option<Bytes>, BrokenOff> {
        let last = self.held.take().filter(|_| ended == Ended::Completed);
        self.account.delivered += last.as_ref().map_or(0, Bytes::len) as u64;
        match self.account.outcome(ended).await {
            Ok(()) if ended == Ended::Completed => Ok(last),
            Ok(()) | Err(NotRecorded) => Err(BrokenOff),
        }
    }
}
