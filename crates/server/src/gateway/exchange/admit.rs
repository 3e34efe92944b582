//! What binds a caller beside the policy: the scope of their key, and their budgets.
//!
//! Whoever has neither passes here without a look at a lock or a clock.

use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};
use jiff::Timestamp;
use ordain_core::assurance::{Gap, Kind};
use ordain_core::inspect::{Inspection, Judged};
use ordain_core::record::Bounded;
use ordain_core::wire::Wire;
use ordain_core::wire::endpoints::Endpoint;

use super::Exchange;
use crate::budgets::Over;
use crate::config::{Budget, Per};
use crate::gateway::live::Route;
use crate::gateway::reply::Reply;
use crate::store::{Holder, Limit, Measure};

/// Why a request is turned away, for its record and for the client.
pub(super) struct Turned {
    status: StatusCode,
    bounded: Bounded,
    reason: String,
    /// After how many seconds to try again.
    wait: Option<u64>,
}

impl Exchange {
    /// The use that a request is for: the one that the key is bound to, or the declared one.
    pub(super) fn use_of<'u>(&'u self, headers: &'u HeaderMap) -> Option<&'u str> {
        let bound = self.key.as_ref().and_then(|key| key.terms.use_.as_deref());
        let declared = || headers.get(USE).map(|value| value.to_str().unwrap_or_default());
        bound.or_else(declared)
    }

    /// What the policy needs and cannot have on this route.
    pub(super) fn unassured(&self, wire: &dyn Wire, endpoint: &Endpoint) -> Option<Turned> {
        let (policy, assured) = (&self.live.rules.policy, &self.live.assured);
        let gap = assured.refuses(policy, wire.id(), endpoint)?;
        Some(Turned::unassured(gap, &self.account.name))
    }

    /// What the key has against a request, as far as its head tells.
    pub(super) fn outside_by_head(&self, headers: &HeaderMap) -> Option<Turned> {
        let terms = &self.key.as_ref()?.terms;
        if let Some(bound) = &terms.use_
            && headers
                .get_all(USE)
                .iter()
                .any(|declared| declared.as_bytes() != bound.as_bytes())
        {
            let reason =
                format!("this key is for the use `{bound}`: leave out the header `{USE}`, or say the same there");
            return Some(Turned::outside("use", reason));
        }
        if !terms.scope.has_use(self.use_of(headers)) {
            let reason = format!("this key is for some uses only; name one of them in the header `{USE}`");
            return Some(Turned::outside("use", reason));
        }
        let (wire, path) = (self.wire.map_or("", Wire::id), self.endpoint_name.as_str());
        let path = path.split_once(' ').map_or(path, |(_, path)| path);
        if !terms.scope.has_endpoint(wire, path) {
            return Some(Turned::outside(
                "endpoint",
                "this key is not for this endpoint".to_owned(),
            ));
        }
        None
    }

    /// What the key has against a request, now that its model is known.
    pub(super) fn outside(&self, judged: &Judged, inspection: &Inspection) -> Option<Turned> {
        let scope = &self.key.as_ref()?.terms.scope;
        if !scope.has_app(&judged.facts.to.app) {
            return Some(Turned::outside("app", "this key is not for this app".to_owned()));
        }
        // Either name opens: the one that the caller wrote, or the provider's.
        let written = self.aliased.as_ref().map(|aliased| aliased.picked.alias.as_str());
        if !scope.has_model(inspection.model()) && !written.is_some_and(|alias| scope.has_model(alias)) {
            return Some(Turned::outside("model", "this key is not for this model".to_owned()));
        }
        None
    }

    /// What the key has against a request to an endpoint that nobody reads. Where the path names no model, only a key for
    /// every model opens it.
    pub(super) fn outside_unread(&self, judged: &Judged) -> Option<Turned> {
        let scope = &self.key.as_ref()?.terms.scope;
        if !scope.has_app(&judged.facts.to.app) {
            return Some(Turned::outside("app", "this key is not for this app".to_owned()));
        }
        if !scope.has_model(judged.facts.model.as_deref().unwrap_or_default()) {
            let reason = "this key is for some models only, and this request names none of them";
            return Some(Turned::outside("model", reason.to_owned()));
        }
        None
    }

    /// Reserves a request to an endpoint that nobody reads. One that makes something is turned away under a limit of anything
    /// else: what nobody can count would be used without a limit.
    pub(super) fn reserve_unread(&mut self, makes: bool, now: Timestamp) -> Result<(), Turned> {
        let own = self.key.as_ref().map_or(&[][..], |key| &key.terms.limits);
        let limits = self.limits(own, &self.live.spending.budgets);
        if limits.is_empty() {
            return Ok(());
        }
        let uncounted = |(_, limit): &&(Holder, Limit)| makes && limit.measure != Measure::Requests;
        if let Some((holder, limit)) = limits.iter().find(uncounted) {
            self.metrics.over_budget(limit.measure);
            return Err(Turned {
                status: StatusCode::FORBIDDEN,
                bounded: bounded(holder, *limit),
                reason: format!("your budget is {limit}, and nobody can tell what this endpoint uses"),
                wait: None,
            });
        }
        self.hold(&limits, now)
    }

    /// Charges the exchange, and reserves what it may use under every budget that holds for its caller.
    pub(super) fn reserve(&mut self, route: &Route, inspection: &Inspection, body: &Bytes) -> Result<(), Turned> {
        let bound = inspection.bound();
        let most = bound.tokens.unwrap_or(self.live.limits.output_tokens);
        let bill = &mut self.account.bill;
        bill.input = body.len() as u64;
        // Only a wire that talks has answers that grow with what the model says.
        bill.output = if self.wire.and_then(Wire::talk).is_some() {
            most.saturating_mul(bound.answers)
        } else {
            0
        };
        self.charge_at(route, inspection.model());
        let spending = &self.live.spending;
        let own = self.key.as_ref().map_or(&[][..], |key| &key.terms.limits);
        if own.is_empty() && spending.budgets.is_empty() {
            return Ok(());
        }
        let limits = self.limits(own, &spending.budgets);
        if limits.is_empty() {
            return Ok(());
        }
        let bill = &mut self.account.bill;
        if bill.rate.is_none()
            && let Some((holder, limit)) = limits.iter().find(|(_, limit)| limit.measure == Measure::Cost)
        {
            // A limit that cannot be kept to is one that would not be there.
            self.metrics.over_budget(limit.measure);
            return Err(Turned {
                status: StatusCode::FORBIDDEN,
                bounded: bounded(holder, *limit),
                reason: format!(
                    "your budget is {limit}, and nobody has said what this model costs: choose another, or ask for a price in `ordain.yaml`"
                ),
                wait: None,
            });
        }
        self.hold(&limits, inspection.call().now)
    }

    /// Reserves what the bill says under these limits.
    fn hold(&mut self, limits: &[(Holder, Limit)], now: Timestamp) -> Result<(), Turned> {
        let bill = &mut self.account.bill;
        let zone = self.live.rules.policy.zone();
        match self.budgets.reserve(limits, bill.asks(), now, zone) {
            Ok(reservation) => {
                bill.reservation = Some(reservation);
                Ok(())
            }
            Err(over) => {
                self.metrics.over_budget(over.limit.measure);
                Err(Turned::over(&over))
            }
        }
    }

    /// Charges what the model costs at that upstream, where that is known.
    pub(super) fn charge_at(&mut self, route: &Route, model: &str) {
        let rate = self.live.spending.rate(&route.destination.app, model);
        self.account.bill.rate = rate.zip(self.live.currency.clone());
    }

    /// The limits that hold for the caller, each with whose spending it counts.
    fn limits(&self, own: &[Limit], budgets: &[Budget]) -> Vec<(Holder, Limit)> {
        let line = self.key.as_ref().map(|key| Holder::Key(Arc::clone(&key.line)));
        let person = Holder::Principal(self.account.subject());
        let mut limits: Vec<(Holder, Limit)> = Vec::new();
        if let Some(line) = &line {
            limits.extend(own.iter().map(|limit| (line.clone(), *limit)));
        }
        for budget in budgets {
            let holds = budget.groups.is_empty() || self.who.groups.iter().any(|group| budget.groups.contains(group));
            let holder = match budget.per {
                Per::Key => line.as_ref(),
                Per::Principal => Some(&person),
            };
            if let Some(holder) = holder.filter(|_| holds) {
                limits.extend(budget.limits.iter().map(|limit| (holder.clone(), *limit)));
            }
        }
        limits
    }

    /// Turns away, with a record that says by what.
    pub(super) async fn bounded(mut self: Box<Self>, judged: Option<(&Judged, bool)>, turned: Turned) -> Reply {
        self.account.bounded = Some(turned.bounded);
        let mut reply = match judged {
            Some((judged, stream)) => self.turn_away(judged, stream, turned.status, &turned.reason).await,
            None => self.refuse_unread(turned.status, &turned.reason).await,
        };
        // What could not be recorded says itself when to try again.
        if let Some(wait) = turned.wait.filter(|_| reply.status() == turned.status) {
            reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        reply
    }
}

impl Turned {
    fn unassured(gap: &Gap, record: &str) -> Self {
        let (field, clauses) = (gap.field, gap.refusing.join("`, `"));
        let reason = match gap.kind {
            Kind::Unanswerable => format!(
                "nothing was sent: what comes back from this endpoint ({field}) cannot be read, and the policy stops what cannot be read (`{clauses}`). Record: {record}"
            ),
            _ => format!(
                "nothing was sent: `{clauses}` cannot act on this endpoint, which does not tell {field} apart. Use one that has messages, or ask the policy's owner. Record: {record}"
            ),
        };
        Self {
            status: StatusCode::FORBIDDEN,
            bounded: Bounded::Assurance {
                kind: gap.kind,
                field,
                clauses: gap.refusing.clone(),
            },
            reason,
            wait: None,
        }
    }

    fn outside(what: &'static str, reason: String) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            bounded: Bounded::KeyScope(what),
            reason,
            wait: None,
        }
    }

    fn over(over: &Over) -> Self {
        let (limit, whose) = (over.limit, over.holder.kind());
        let wait = u64::try_from(over.wait_ms).unwrap_or(1).div_ceil(1_000).max(1);
        let reason = if over.alone {
            format!(
                "this request alone may use more than the budget of this {whose} ({limit}): ask for less, or bound the answer with the parameter for its tokens"
            )
        } else {
            format!("the budget of this {whose} ({limit}) has no room for this request; try again in {wait} s")
        };
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            bounded: bounded(&over.holder, limit),
            reason,
            wait: Some(wait),
        }
    }
}

fn bounded(holder: &Holder, limit: Limit) -> Bounded {
    Bounded::Budget {
        per: holder.kind(),
        limit: limit.to_string(),
    }
}

/// The header that declares a use.
const USE: &str = "ordain-use";
