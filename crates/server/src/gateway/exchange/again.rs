//! A second try: at another version of the alias, after the first upstream could not be reached or asked to go elsewhere.
//!
//! Never after a byte of an answer went to the client, never more than one, and only within the budget (threat G7). The intent
//! has named both places already.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Error as Unreached;
use ordain_core::decide::Decision;
use ordain_core::inspect::{Inspection, Request as Inspected};
use ordain_core::record::{Tried, Try};
use tokio::time::error::Elapsed;

use super::Exchange;
use super::bodies::LARGE;
use crate::config::CoachNote;
use crate::gateway::aliases::Choice;
use crate::gateway::upstream::Target;

/// A request for its second try.
pub(super) struct Again {
    pub(super) request: Request<Full<Bytes>>,
    pub(super) inspection: Inspection,
    pub(super) decision: Decision,
    /// The route, as an index.
    pub(super) route: usize,
}

/// What came of a try.
type Answered = Result<Result<Response<Incoming>, Unreached>, Elapsed>;

impl Exchange {
    /// The request for an upstream, with the version's name in its address where that names a model.
    pub(super) fn request_to(
        &self,
        target: &Target,
        head: &Parts,
        choice: Option<&Choice>,
        body: Bytes,
    ) -> Option<Request<Full<Bytes>>> {
        let at = match self.aliased.as_ref().zip(choice) {
            Some((aliased, choice)) => aliased.at(&head.uri, choice)?,
            None => std::borrow::Cow::Borrowed(&head.uri),
        };
        target.request(&at, &head.headers, &self.account.name, body)
    }

    /// The request to send in the second place, if what came of the first try asks for it and there is such a place. Both
    /// tries are then part of the outcome.
    pub(super) async fn again(&mut self, answered: &Answered, head: &Parts) -> Option<Again> {
        if !self.aliased.as_ref()?.has_second() {
            return None;
        }
        self.gateway.retries.earn();
        let ended = match answered {
            Ok(Ok(response)) if asks_to_go_elsewhere(response.status()) => Tried::Status(response.status().as_u16()),
            Ok(Err(failure)) if failure.is_connect() => Tried::Unreachable,
            _ => return None,
        };
        if !self.gateway.retries.spend() {
            tracing::debug!(record = %self.account.name, "the budget of second tries is spent");
            return None;
        }
        let aliased = self.aliased.take()?;
        let first = aliased.picked.first.clone();
        let work = move || (aliased.again(), aliased);
        let judged = if self.bytes as usize <= LARGE {
            Some(work())
        } else {
            tokio::task::spawn_blocking(work).await.ok()
        };
        let (again, aliased) = judged?;
        self.aliased = Some(aliased);
        let (inspected, body, choice) = again?;
        let live = Arc::clone(&self.live);
        let route = live.routes.get(choice.route)?;
        let request = self.request_to(&route.target, head, Some(&choice), body)?;
        let app = |choice: &Choice| {
            let route = self.live.routes.get(choice.route);
            route.map(|route| route.destination.app.clone()).unwrap_or_default()
        };
        let tries = [(&first, ended), (&choice, Tried::Last)].map(|(choice, ended)| Try {
            app: app(choice),
            model: choice.model.clone(),
            ended,
        });
        self.account.tries = tries.into();
        // The reservation stays; what is charged goes by where the answer comes from.
        self.charge_at(route, &choice.model);
        let Inspected {
            judged, mut inspection, ..
        } = inspected;
        if self.live.coach_note == CoachNote::Trailing {
            inspection.add_note(&judged.decision);
        }
        tracing::warn!(record = %self.account.name, version = first.version, instead = choice.version, "an upstream failed; another version is tried");
        Some(Again {
            request,
            inspection,
            decision: judged.decision,
            route: choice.route,
        })
    }
}

/// Whether a status says that the upstream cannot take the request now: too many requests, or a fault of its own.
fn asks_to_go_elsewhere(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}
