//! Turning away: what nobody could read, what the policy stops, what has nowhere to go.
//!
//! Each has one record before the client hears of it. A refused prompt is an answer that refuses where the API has such a
//! thing, else an error in the API's own shape.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use ordain_core::decide::{Content, Decision, Facts, decide_unread, explain, sign_in_needed};
use ordain_core::inspect::{Inspection, Judged, Said};
use ordain_core::verdict::{Direction, Source, SourceSet};
use ordain_core::wire::{Refusal, Wire};

use super::{Exchange, Gateway};
use crate::config::{ContentBlock, Dialect};
use crate::gateway::account::NotRecorded;
use crate::gateway::lockout::Locked;
use crate::gateway::reply::{self, Reply};

pub(super) fn error(dialect: Dialect, status: StatusCode, message: &str) -> Reply {
    let mut answer = reply::json(status, dialect.error(status.as_u16(), message));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

/// Too many wrong keys came before this one. There is no record, since nobody is known to have asked.
pub(super) fn locked_out(dialect: Dialect, locked: Locked) -> Reply {
    if let Some(count) = locked.unlogged {
        tracing::warn!(count, "many wrong keys came; more of them are told to wait");
    }
    let reason = "too many wrong keys came before this one; wait, and check the key";
    let mut answer = error(dialect, StatusCode::TOO_MANY_REQUESTS, reason);
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(locked.wait));
    answer
}

/// Not recorded: nothing has happened, and the client may try again.
pub(super) fn not_recorded(dialect: Dialect) -> Reply {
    error(
        dialect,
        StatusCode::SERVICE_UNAVAILABLE,
        "the exchange cannot be recorded at the moment, so it was not carried out; try again",
    )
}

/// Readiness while the ledger takes no records: for one use at most, if the policy has a break-glass whose time is not over.
pub(super) fn unrecordable(gateway: &Gateway) -> (StatusCode, String) {
    let policy = &gateway.live.take().rules.policy;
    let left = gateway.glass.as_ref().map_or(0, |glass| glass.seconds_left(policy));
    match policy.break_glass().filter(|_| left > 0) {
        Some(glass) => {
            let text = format!(
                "ready in part: records cannot be written\nbreak-glass: for the use `{}` alone, for {left} seconds more\n",
                glass.use_
            );
            (StatusCode::OK, text)
        }
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: records cannot be written\n".to_owned(),
        ),
    }
}

/// What readiness says of a break-glass that was used.
pub(super) fn unreviewed(gateway: &Gateway) -> &'static str {
    match &gateway.glass {
        Some(glass) if glass.is_unreviewed() => "break-glass: was used and has to be reviewed\n",
        Some(_) | None => "",
    }
}

impl Exchange {
    /// Turns away what nobody could read: a record, and an error in the dialect's shape.
    pub(super) async fn refuse_unread(self: Box<Self>, status: StatusCode, reason: &str) -> Reply {
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
            model: None,
            masked: BTreeMap::new(),
            restored: BTreeMap::new(),
            withheld: Vec::new(),
            label: None,
            failed: Vec::new(),
            uninspectable: Vec::new(),
            said: Said::default(),
        };
        self.turn_away(&judged, false, status, reason).await
    }

    /// Turns away with an error in the dialect's shape.
    pub(super) async fn turn_away(
        mut self: Box<Self>,
        judged: &Judged,
        stream: bool,
        status: StatusCode,
        reason: &str,
    ) -> Reply {
        if self.refused(judged, stream, status).await.is_err() {
            return not_recorded(self.dialect);
        }
        self.named(error(self.dialect, status, reason), &[&judged.decision])
    }

    /// Turns away what the policy stops.
    pub(super) async fn refuse(mut self: Box<Self>, judged: &Judged, inspection: &Inspection, stream: bool) -> Reply {
        if let Some(minutes) = sign_in_needed(&self.live.rules.policy, &judged.facts, &judged.decision) {
            return self.ask_for_sign_in(judged, stream, minutes).await;
        }
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

    /// Turns away what would pass if its principal had signed in lately, and says so (RFC 9470, section 3).
    pub(super) async fn ask_for_sign_in(self: Box<Self>, judged: &Judged, stream: bool, minutes: u32) -> Reply {
        let reason = "the policy asks for a recent sign-in here: sign in again, for example with `ordain login`, and send the request with the new token";
        let mut answer = self.turn_away(judged, stream, StatusCode::UNAUTHORIZED, reason).await;
        let challenge = format!(
            "Bearer error=\"insufficient_user_authentication\", error_description=\"a more recent sign-in is needed\", max_age=\"{}\"",
            u64::from(minutes) * 60
        );
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Ok(challenge) = HeaderValue::try_from(challenge)
        {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        answer
    }

    /// Records that the request is turned away.
    pub(super) async fn refused(
        &mut self,
        judged: &Judged,
        stream: bool,
        status: StatusCode,
    ) -> Result<(), NotRecorded> {
        let begun = Instant::now();
        self.account.turned_away(judged, status.as_u16());
        let route = self.recorded_route(stream);
        let refusal = self.account.refusal(&route, judged, status.as_u16())?;
        let recorded = self.account.refuse(refusal).await;
        self.timing.record = begun.elapsed();
        recorded
    }

    /// What a content block looks like: an answer that refuses where there is such a thing, else an error.
    pub(super) fn block_status(&self) -> StatusCode {
        match (self.wire.and_then(Wire::talk), self.live.content_block) {
            (None, _) => StatusCode::FORBIDDEN,
            (Some(_), ContentBlock::Refuse) => StatusCode::OK,
            (Some(_), ContentBlock::Error) => StatusCode::BAD_REQUEST,
        }
    }

    /// The words for a refused request or answer.
    pub(super) fn refusal(
        &self,
        decision: &Decision,
        inspection: &Inspection,
        status: StatusCode,
        stream: bool,
    ) -> Reply {
        let covered = inspection.covered();
        let message = explain::refusal(&self.live.rules.policy, decision, covered, &self.account.name);
        self.refusal_with(&message, inspection, status, stream)
    }

    /// The same with other words: an answer that refuses where there is such a thing, else an error.
    pub(super) fn refusal_with(
        &self,
        message: &str,
        inspection: &Inspection,
        status: StatusCode,
        stream: bool,
    ) -> Reply {
        let talk = self.wire.and_then(Wire::talk).filter(|_| status == StatusCode::OK);
        let Some(talk) = talk else {
            return error(self.dialect, status, message);
        };
        let refusal = Refusal {
            message,
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

    pub(super) fn named(&self, mut answer: Reply, decisions: &[&Decision]) -> Reply {
        reply::name_decision(
            answer.headers_mut(),
            &self.live.rules,
            decisions,
            &self.account.name,
            &self.timing,
        );
        if self.account.aside.used {
            reply::name_break_glass(answer.headers_mut());
        }
        answer
    }
}
