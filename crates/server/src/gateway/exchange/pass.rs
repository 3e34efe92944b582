//! Endpoints that pass unread, since a line of the policy says so: files, batches and the like (threat C12).
//!
//! Nobody looks at their bodies, which is a fact of both halves; who may use them, the grants, the matrix and the rules are
//! asked as for every request. Both bodies flow through: the request's at the upstream's pace ([`Upload`]), the answer's at
//! the client's ([`Passing`]). The intent is durable before the first byte leaves, the outcome before the answer ends. Why
//! it is so stands in `docs/decisions/0023-what-passes-unread-flows.md`.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::response::Parts as Answered;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Error as Unreached;
use ordain_core::decide::{Content, Covered, Facts, decide, explain, sign_in_needed};
use ordain_core::inspect::{Judged, Said};
use ordain_core::record::Result as Ended;
use ordain_core::verdict::{Direction, Source, SourceSet};
use tokio::time::{sleep, timeout};

use super::Exchange;
use super::bodies::{unknown_expectation, unreadable_encoding};
use super::refuse::{error, not_recorded};
use crate::gateway::account::{Account, NotRecorded};
use crate::gateway::bill::Heard;
use crate::gateway::hidden::Hidden;
use crate::gateway::live::Route;
use crate::gateway::reply::{self, Reply};
use crate::gateway::streaming::{BrokenOff, StreamBody};
use crate::gateway::upload::{Cut, Outgoing, Progress, Upload};
use crate::gateway::upstream;
use crate::metrics::Stage;

/// The kind of what cannot be read, in records.
const UNREAD: &str = "endpoint";

/// Bytes of a query that is not looked at either.
const LONGEST_QUERY: usize = 4096;

/// What is asked of the policy: the endpoint's name, the model that its path names, and the declared use.
struct About {
    endpoint: String,
    model: Option<String>,
    use_: Option<String>,
}

impl Exchange {
    /// Carries out a request to an endpoint that nobody reads: `endpoint` is its name, `model` the one that the path names.
    pub(super) async fn pass(
        mut self: Box<Self>,
        endpoint: String,
        model: Option<String>,
        request: Request<Incoming>,
    ) -> Reply {
        let (head, body) = request.into_parts();
        if let Some(turned) = self.outside_by_head(&head.headers) {
            return self.bounded(None, turned).await;
        }
        let live = Arc::clone(&self.live);
        if let Some((status, reason)) = unfit(
            &head.method,
            &head.headers,
            head.uri.query(),
            &body,
            live.limits.passed_body,
        ) {
            return self.refuse_unread(status, reason).await;
        }
        self.bytes = body.size_hint().lower();
        let route = match &model {
            Some(model) => live.serving(self.dialect, model),
            // No model is named: the first upstream of the dialect is the one that keeps things.
            None => live.route(self.dialect, ""),
        };
        let about = About {
            use_: self.known_use(&head.headers),
            endpoint,
            model,
        };
        let judged = self.judge_unread(&about, route, Direction::Prompt);
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
        let (upload, progress) = Upload::new(body, live.limits.passed_body, live.limits.body_time);
        let request = route.and_then(|route| {
            let target = &route.target;
            Some((target, target.passing(&head, &self.account.name, upload)?))
        });
        let Some((target, mut request)) = request else {
            let reason = "no upstream of this gateway serves this endpoint";
            return self.turn_away(&judged, false, StatusCode::NOT_FOUND, reason).await;
        };
        let makes = !matches!(head.method, Method::GET | Method::HEAD | Method::DELETE);
        if let Err(turned) = self.reserve_unread(makes, judged.facts.now) {
            return self.bounded(Some((&judged, false)), turned).await;
        }
        // Whatever comes of it, nobody reads what was used: a request is what counts.
        self.account.bill.heard = Heard::Nothing;
        if self.intent(&judged, false).await.is_err() {
            return not_recorded(self.dialect);
        }
        self.account.sent = Some(Arc::clone(&progress));
        if let Some(traced) = &mut self.account.traced {
            traced.send(request.headers_mut());
        }
        let begun = Instant::now();
        let answered = self.answered(request, &progress).await;
        self.timing.upstream = begun.elapsed();
        self.metrics.took(Stage::Upstream, self.timing.upstream);
        let response = match answered {
            Ok(response) => response,
            Err((status, reason)) => return self.unanswered(status, reason, &progress, &judged).await,
        };
        let (answer, body) = response.into_parts();
        if let Some(reason) = unusable(&answer) {
            return self
                .unanswered(StatusCode::BAD_GATEWAY, reason, &progress, &judged)
                .await;
        }
        let judged_answer = self.judge_unread(&about, route, Direction::Answer);
        let decisions = [&judged.decision, &judged_answer.decision];
        if judged_answer.decision.stops() {
            let message = self.refused_unread(&judged_answer);
            self.account.answer = Some(judged_answer.clone());
            self.account.status = StatusCode::FORBIDDEN.as_u16();
            if self.account.outcome(Ended::Stopped).await.is_err() {
                return not_recorded(self.dialect);
            }
            let reply = error(self.dialect, StatusCode::FORBIDDEN, &message);
            return self.named(reply, &decisions);
        }
        let kind = media_type(&answer.headers);
        let mut reply = self.named(reply::whole(answer.status, kind, Bytes::new()), &decisions);
        for (name, value) in upstream::answer_headers(&answer.headers).filter(|(_, value)| !target.has_key(value)) {
            reply.headers_mut().append(name.clone(), value.clone());
        }
        self.account.answer = Some(judged_answer);
        self.account.status = answer.status.as_u16();
        if body.is_end_stream() || head.method == Method::HEAD {
            // Nothing follows that could wait for the outcome.
            return match self.account.outcome(Ended::Completed).await {
                Ok(()) => reply,
                Err(NotRecorded) => not_recorded(self.dialect),
            };
        }
        let live_events = kind == EVENTS;
        if live_events {
            let headers = reply.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        let passing = Passing {
            upstream: body,
            hidden: target.hidden(),
            account: self.account,
            idle: live.limits.idle,
            until: Instant::now() + live.limits.answer,
            left: live.limits.passed_body,
            progress,
            live_events,
            held: None,
        };
        reply.map(|_| Either::Right(StreamBody::passing(passing)))
    }

    /// Sends the request and waits for the head of its answer: as long as its body gets on, and then for the first byte. While
    /// the upstream takes nothing, nobody listens to the client either, so that one that leaves then is noticed only at the end
    /// of that wait.
    async fn answered(
        &self,
        request: Request<Outgoing>,
        progress: &Progress,
    ) -> Result<Response<Incoming>, (StatusCode, &'static str)> {
        let limits = &self.live.limits;
        let until = Instant::now() + limits.answer;
        let mut sending = pin!(self.client.request(request));
        loop {
            let before = progress.bytes();
            let wait = if progress.is_whole() {
                limits.first_byte
            } else {
                // The client has its own time to send more.
                limits.idle.max(limits.body_time)
            };
            let left = until.saturating_duration_since(Instant::now());
            tokio::select! {
                answered = &mut sending => return answered.map_err(|failure| self.unreached(&failure, progress)),
                () = progress.ended() => {}
                () = sleep(wait.min(left)) => {
                    if progress.bytes() == before || until <= Instant::now() {
                        return Err((StatusCode::GATEWAY_TIMEOUT, "the upstream did not answer in time"));
                    }
                }
            }
        }
    }

    /// What is said where no answer came.
    fn unreached(&self, failure: &Unreached, progress: &Progress) -> (StatusCode, &'static str) {
        match progress.cut() {
            Some(Cut::TooLarge) => (StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE),
            Some(Cut::Slow) => (StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive"),
            Some(Cut::Broken) => (StatusCode::BAD_REQUEST, "the body broke off"),
            Some(Cut::Over) | None => {
                tracing::warn!(error = %failure, record = %self.account.name, "the upstream could not be reached");
                (StatusCode::BAD_GATEWAY, "the upstream could not be reached")
            }
        }
    }

    /// There is no answer, or none that can be passed on: an outcome, and an error in the dialect's shape.
    async fn unanswered(
        mut self: Box<Self>,
        status: StatusCode,
        reason: &str,
        progress: &Progress,
        judged: &Judged,
    ) -> Reply {
        self.account.status = status.as_u16();
        if self.account.outcome(fault(progress)).await.is_err() {
            return not_recorded(self.dialect);
        }
        self.named(error(self.dialect, status, reason), &[&judged.decision])
    }

    /// What is decided about one half of which nobody has read anything.
    fn judge_unread(&self, about: &About, route: Option<&Route>, direction: Direction) -> Judged {
        let source = match direction {
            Direction::Prompt => Source::User,
            Direction::Answer => Source::Model,
        };
        let facts = Facts {
            now: jiff::Timestamp::now(),
            direction,
            who: Arc::clone(&self.who),
            to: route.map(|route| Arc::clone(&route.destination)).unwrap_or_default(),
            model: about.model.clone(),
            use_: about.use_.clone(),
            content: Content {
                sources: SourceSet::of(source),
                uninspectable: true,
                endpoint: Some(about.endpoint.clone()),
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

const TOO_LARGE: &str = "the body is larger than this gateway passes";

/// Why a request cannot be passed, whatever the policy says: what its head and the announced size tell.
fn unfit(
    method: &Method,
    headers: &HeaderMap,
    query: Option<&str>,
    body: &Incoming,
    most: u64,
) -> Option<(StatusCode, &'static str)> {
    if let Some(reason) = unreadable_encoding(headers) {
        return Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
    }
    if let Some(reason) = unknown_expectation(headers) {
        return Some((StatusCode::EXPECTATION_FAILED, reason));
    }
    if query.is_some_and(|query| query.len() > LONGEST_QUERY) {
        return Some((StatusCode::URI_TOO_LONG, "the query is longer than this gateway passes"));
    }
    // Servers differ in whether they read one, and could take it for the next request.
    if matches!(*method, Method::GET | Method::HEAD) && !body.is_end_stream() {
        return Some((StatusCode::BAD_REQUEST, "a request with this method has no body"));
    }
    (body.size_hint().lower() > most).then_some((StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE))
}

/// Why an answer is not passed on, if it is not: it leads elsewhere, or its bytes are not what they stand for.
fn unusable(answer: &Answered) -> Option<&'static str> {
    if answer.status.is_informational() {
        return Some("the upstream wants to change the protocol");
    }
    if answer.status.is_redirection() {
        return Some("the upstream's answer is elsewhere, and redirects are not followed");
    }
    unreadable_encoding(&answer.headers).map(|_| "the upstream's answer is compressed, though nobody asked for that")
}

/// Whose fault it is that an exchange ended before its end.
fn fault(progress: &Progress) -> Ended {
    match progress.cut() {
        Some(Cut::TooLarge | Cut::Slow) => Ended::Stopped,
        Some(Cut::Broken) => Ended::ClientGone,
        Some(Cut::Over) | None => Ended::UpstreamFailed,
    }
}

const EVENTS: &str = "text/event-stream";

/// What a client is told that it gets. What may be anything is bytes, so that no browser takes it for a page (threat B17).
fn media_type(headers: &HeaderMap) -> &'static str {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let plain = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    let known = ["application/json", "application/x-jsonl", "application/jsonl", EVENTS];
    let is = |known: &&str| plain.is_some_and(|plain| plain.eq_ignore_ascii_case(known));
    known.into_iter().find(is).unwrap_or("application/octet-stream")
}

/// An answer that nobody reads, on its way to the client at the client's pace.
pub(in crate::gateway) struct Passing {
    upstream: Incoming,
    /// The key that must not come back.
    hidden: Option<Hidden>,
    account: Account,
    idle: Duration,
    /// When it must have come to its end.
    until: Instant,
    /// Bytes that it may still have.
    left: u64,
    /// The body of the request, which may still be on its way.
    progress: Arc<Progress>,
    /// Whether somebody waits for each piece by itself.
    live_events: bool,
    /// The last piece that came: it waits until it is known that it is not the last one. None of live events does, whose end
    /// waits instead.
    held: Option<Bytes>,
}

impl Passing {
    /// The next piece for the client, and the rest if there may be more.
    pub(in crate::gateway) async fn next(mut self: Box<Self>) -> (Result<Option<Bytes>, BrokenOff>, Option<Box<Self>>) {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            let ended = match timeout(self.idle.min(left), self.upstream.frame()).await {
                // What is there already would be taken without a look at the clock.
                _ if left.is_zero() => Ended::UpstreamFailed,
                Ok(Some(Ok(frame))) => {
                    // Trailers are not passed on (threat B3).
                    let Ok(data) = frame.into_data() else { continue };
                    let data = match &mut self.hidden {
                        Some(hidden) => hidden.push(data),
                        None => data,
                    };
                    match self.left.checked_sub(data.len() as u64) {
                        Some(left) => self.left = left,
                        None => return (self.end(Ended::Stopped).await, None),
                    }
                    match self.released(data) {
                        Some(piece) => return (Ok(Some(piece)), Some(self)),
                        None => continue,
                    }
                }
                Ok(None) => Ended::Completed,
                Ok(Some(Err(_))) | Err(_) => fault(&self.progress),
            };
            return (self.end(ended).await, None);
        }
    }

    /// What may go now that `data` has come.
    fn released(&mut self, data: Bytes) -> Option<Bytes> {
        if data.is_empty() {
            return None;
        }
        let piece = if self.live_events {
            Some(data)
        } else {
            self.held.replace(data)
        };
        self.account.delivered += piece.as_ref().map_or(0, Bytes::len) as u64;
        piece
    }

    /// The last piece, once the outcome is durable. Without it, or if the answer broke off, the client sees it break off too.
    async fn end(mut self: Box<Self>, ended: Ended) -> Result<Option<Bytes>, BrokenOff> {
        let rest = self.hidden.as_mut().map(Hidden::finish).unwrap_or_default();
        let last = self.held.take().filter(|_| ended == Ended::Completed);
        let last = match (last, rest) {
            (last, rest) if rest.is_empty() || ended != Ended::Completed => last,
            (None, rest) => Some(rest),
            (Some(last), rest) => Some([last, rest].concat().into()),
        };
        self.account.delivered += last.as_ref().map_or(0, Bytes::len) as u64;
        match self.account.outcome(ended).await {
            Ok(()) if ended == Ended::Completed => Ok(last),
            Ok(()) | Err(NotRecorded) => Err(BrokenOff),
        }
    }
}
