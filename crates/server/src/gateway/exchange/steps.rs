//! The second step of `justify` and `hold`: what came with a request that lets it pass, and what is said if nothing did.
//!
//! A reason comes in `ordain-justification`, an approved ticket in `ordain-ticket`. Nothing else about the request changes:
//! it is inspected and judged as if it had come for the first time, and its masks and notices stay. What the steps mean is
//! `docs/reference/approvals.md`. Read [`Exchange::step`] first.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use ordain_core::decide::explain::{self, Held, Standing};
use ordain_core::decide::{Asked, Decision};
use ordain_core::inspect::{Inspection, Judged, content};
use ordain_core::record::steps::Steps;
use ordain_core::verdict::Verdict;
use percent_encoding::percent_decode;
use tokio::time::timeout;

use super::Exchange;
use super::bodies::LARGE;
use super::refuse::not_recorded;
use crate::gateway::account::Second;
use crate::gateway::reply::Reply;
use crate::store::tickets::{Answered, Beside, Ticket, TicketStep};
use crate::store::{Store, StoreError};
use crate::tickets::{self, Binder, BoundTo};

/// What still has to be done before a request passes.
pub(super) enum Missing {
    /// A reason, or a better one: what is wrong with the one that came.
    Reason(Option<&'static str>),
    /// Somebody's agreement.
    Agreement(Box<Wait>),
    /// Nobody could be asked, since the store does not answer.
    Store,
}

/// What a held request waits for.
pub(super) struct Wait {
    what: Waiting,
    /// Why the ticket that came does not let it pass.
    wrong: Option<String>,
    /// The reason that was given, for whoever answers.
    reason: Option<String>,
}

/// The ticket of a held request, or why it has none.
enum Waiting {
    /// One that is to be opened.
    New(Ticket),
    /// One that was opened before.
    Known(Ticket),
    TooMany,
    Nobody,
}

/// So many tickets of one subject may wait: whoever answers them is a person.
const MOST_WAITING: usize = 20;

/// How long a client should wait before it asks again, in seconds; a person has to read something first.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("60");

impl Exchange {
    /// Looks whether everything that a decision asks for was done; then it is noted for the records. `body` is what would go
    /// upstream.
    pub(super) async fn step(
        &mut self,
        asked: Asked,
        judged: &Judged,
        inspection: &Inspection,
        head: &Parts,
        body: &Bytes,
    ) -> Result<(), Missing> {
        let policy = &self.live.rules.policy;
        let ids = |verdict| judged.decision.asking_ids(policy, verdict).map(str::to_owned).collect();
        let mut steps = Steps::default();
        let mut beside = Beside::default();
        if asked.justify {
            let reason = stated(&head.headers)
                .map_err(|wrong| Missing::Reason(Some(wrong)))?
                .ok_or(Missing::Reason(None))?;
            beside.reason = content::words(&self.live.rules.scanner, &reason);
            steps.justified = ids(Verdict::Justify);
        }
        if asked.hold {
            let clauses: Vec<String> = ids(Verdict::Hold);
            let binding = self.bind(inspection, head, &clauses, body).await;
            let ticket = self
                .agreement(&head.headers, &judged.decision, binding, clauses.clone())
                .await;
            match ticket {
                Ok(ticket) => {
                    steps.ticket = Some(ticket.clone());
                    steps.agreed = clauses;
                    beside.ticket = Some(TicketStep::Use { ticket, binding });
                }
                Err(Missing::Agreement(mut wait)) => {
                    wait.reason = beside.reason;
                    return Err(Missing::Agreement(wait));
                }
                Err(missing) => return Err(missing),
            }
        }
        self.account.second = Some(Box::new(Second {
            steps: Some(steps),
            waits: None,
            beside,
        }));
        Ok(())
    }

    /// The keyed hash of everything that an agreement is about.
    async fn bind(&self, inspection: &Inspection, head: &Parts, clauses: &[String], body: &Bytes) -> [u8; 32] {
        let call = inspection.call();
        let policy = self.live.rules.policy.digest.to_string();
        // Of an alias in the path, people agree to the model that it stands for now.
        let aliased = self.aliased.as_ref();
        let at = aliased.and_then(|aliased| aliased.at(&head.uri, &aliased.picked.first));
        let uri = at.as_deref().unwrap_or(&head.uri);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let bind = |binder: &Binder, clauses: &[String], body: &[u8]| {
            binder.bind(&BoundTo {
                subject: self.account.subject,
                on_behalf_of: self.account.on_behalf_of,
                client: self.who.client.as_deref(),
                use_: call.use_.as_deref(),
                method: head.method.as_str(),
                path,
                app: &call.to.app,
                policy: &policy,
                clauses,
                body,
            })
        };
        if body.len() <= LARGE {
            return bind(&self.gateway.binder, clauses, body);
        }
        // A large body would hold up the worker's other connections: only its own hash is taken beside it, under the same key.
        let (binder, whole) = (self.gateway.binder.clone(), body.clone());
        let digest = tokio::task::spawn_blocking(move || binder.digest(&whole)).await;
        bind(&self.gateway.binder, clauses, &digest.unwrap_or_default())
    }

    /// The ticket that lets the request pass, or the one under which it waits.
    async fn agreement(
        &self,
        headers: &HeaderMap,
        decision: &Decision,
        binding: [u8; 32],
        clauses: Vec<String>,
    ) -> Result<String, Missing> {
        let policy = &self.live.rules.policy;
        let (digest, subject) = (policy.digest.to_string(), self.account.subject);
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let (presented, mut wrong) = presented(headers);
        let wanted = presented.clone();
        let look = move |store: &mut dyn Store| -> Result<_, StoreError> {
            let named = wanted.map(|id| store.ticket(&id)).transpose()?.flatten();
            Ok((named, store.open_tickets_of(subject)?))
        };
        let found = timeout(self.live.limits.record, self.gateway.recorder.with_store(look)).await;
        let Ok(Ok(Ok((named, open)))) = found else {
            return Err(Missing::Store);
        };
        if let Some(id) = presented {
            let ticket = named.filter(|ticket| ticket.expires_ms > now_ms);
            let fault = match &ticket {
                None => Some("is unknown or has expired"),
                Some(ticket) if ticket.subject != subject => Some("was given to somebody else"),
                Some(ticket) if ticket.used.is_some() => Some("was used already"),
                Some(ticket) if ticket.policy != digest => Some("was given under another version of the policy"),
                Some(ticket) if ticket.binding != binding => {
                    Some("was given for another request: body, path, use and key have to be the same")
                }
                Some(ticket) if ticket.answered.is_some_and(|answer| answer.agreed) => return Ok(id),
                Some(_) => None,
            };
            wrong = wrong.or_else(|| fault.map(|fault| format!("Ticket {id} {fault}.")));
        }
        let mut open = open.into_iter().filter(|ticket| ticket.expires_ms > now_ms);
        let same = open
            .clone()
            .find(|ticket| ticket.binding == binding && ticket.policy == digest);
        let roles = policy.roles_that_agree(&decision.asking_ids(policy, Verdict::Hold).collect::<Vec<_>>());
        let what = if let Some(same) = same {
            Waiting::Known(same)
        } else if roles.is_empty() {
            Waiting::Nobody
        } else if open.by_ref().filter(|ticket| ticket.answered.is_none()).count() >= MOST_WAITING {
            Waiting::TooMany
        } else {
            let lasts = i64::try_from(self.live.limits.ticket.as_millis()).unwrap_or(i64::MAX);
            Waiting::New(Ticket {
                id: tickets::new_id(&mut rand::rng()),
                binding,
                subject,
                on_behalf_of: self.account.on_behalf_of,
                policy: digest,
                clauses,
                exchange: self.account.id,
                opened_ms: now_ms,
                expires_ms: now_ms.saturating_add(lasts),
                answered: None,
                used: None,
            })
        };
        Err(Missing::Agreement(Box::new(Wait {
            what,
            wrong,
            reason: None,
        })))
    }

    /// Turns away a request for which something is still to be done, and says what.
    pub(super) async fn ask(
        mut self: Box<Self>,
        missing: Missing,
        mut judged: Judged,
        inspection: &Inspection,
        stream: bool,
    ) -> Reply {
        // Nothing was sent, so nothing was masked.
        judged.masked.clear();
        let policy = Arc::clone(&self.live.rules.policy);
        let name = self.account.name.clone();
        let (message, ticket) = match missing {
            Missing::Store => return not_recorded(self.dialect),
            Missing::Reason(wrong) => (explain::justify(&policy, &judged.decision, wrong, &name), None),
            Missing::Agreement(wait) => {
                let Wait { what, wrong, reason } = *wait;
                let now_ms = jiff::Timestamp::now().as_millisecond();
                let standing = match &what {
                    Waiting::TooMany => Standing::TooMany,
                    Waiting::Nobody => Standing::Nobody,
                    Waiting::New(ticket) | Waiting::Known(ticket) => standing(ticket, now_ms),
                };
                let held = Held {
                    standing,
                    wrong: wrong.as_deref(),
                };
                let message = explain::hold(&policy, &judged.decision, &held, &name);
                let mut beside = Beside::default();
                let ticket = match what {
                    Waiting::New(ticket) => {
                        let id = ticket.id.clone();
                        beside = Beside {
                            reason,
                            ticket: Some(TicketStep::Open(ticket)),
                        };
                        Some(id)
                    }
                    Waiting::Known(ticket) => Some(ticket.id),
                    Waiting::TooMany | Waiting::Nobody => None,
                };
                self.account.second = Some(Box::new(Second {
                    steps: None,
                    waits: ticket.clone(),
                    beside,
                }));
                (message, ticket)
            }
        };
        let status = self.block_status();
        if self.refused(&judged, stream, status).await.is_err() {
            return not_recorded(self.dialect);
        }
        let mut answer = self.refusal_with(&message, inspection, status, stream);
        if let Some(ticket) = ticket.and_then(|ticket| HeaderValue::from_str(&ticket).ok()) {
            let headers = answer.headers_mut();
            headers.insert(HeaderName::from_static("ordain-ticket"), ticket);
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        self.named(answer, &[&judged.decision])
    }
}

fn standing(ticket: &Ticket, now_ms: i64) -> Standing<'_> {
    match ticket.answered {
        Some(Answered { agreed: true, .. }) => Standing::Agreed(&ticket.id),
        Some(Answered { agreed: false, .. }) => Standing::Refused(&ticket.id),
        // Rounded up: what is said to last an hour is not over after 59 minutes.
        None => Standing::Waiting(&ticket.id, ((ticket.expires_ms - now_ms) + 3_599_999) / 3_600_000),
    }
}

/// The ticket that a request names, and what is wrong with how it does.
fn presented(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let mut named = headers.get_all("ordain-ticket").iter();
    let Some(first) = named.next() else {
        return (None, None);
    };
    let id = first.to_str().ok().and_then(tickets::parse_id);
    match (id, named.next()) {
        (Some(id), None) => (Some(id), None),
        _ => (
            None,
            Some("The header `ordain-ticket` has to name one ticket.".to_owned()),
        ),
    }
}

/// The reason that a request states, or what is wrong with it.
fn stated(headers: &HeaderMap) -> Result<Option<String>, &'static str> {
    let mut stated = headers.get_all("ordain-justification").iter();
    let Some(first) = stated.next() else {
        return Ok(None);
    };
    if stated.next().is_some() {
        return Err("it came twice");
    }
    let plain = first.to_str().map_err(|_| "it is not percent-encoded UTF-8")?;
    let text = percent_decode(plain.as_bytes())
        .decode_utf8()
        .map_err(|_| "it is not percent-encoded UTF-8")?;
    let text = text.trim();
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err("it has control characters");
    }
    if !(10..=1000).contains(&text.chars().count()) {
        return Err("it has to have 10 to 1,000 characters");
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let values = values.iter().map(|value| HeaderValue::from_static(value));
        values
            .map(|value| (HeaderName::from_static("ordain-justification"), value))
            .collect()
    }

    #[test]
    fn a_reason_is_ten_characters_in_any_language() {
        for (values, expected) in [
            (vec![], Ok(None)),
            (vec!["for the audit of 2026"], Ok(Some("for the audit of 2026"))),
            (vec!["f%C3%BCr%20die%20Pr%C3%BCfung"], Ok(Some("für die Prüfung"))),
            (vec!["   because  "], Err("it has to have 10 to 1,000 characters")),
            (vec!["%F0%9F%98%80"], Err("it has to have 10 to 1,000 characters")),
            (
                vec!["%FF%FF%FF%FF%FF%FF%FF%FF%FF%FF"],
                Err("it is not percent-encoded UTF-8"),
            ),
            (vec!["ring the bell %07"], Err("it has control characters")),
            (vec!["for the audit", "for the audit"], Err("it came twice")),
        ] {
            let found = stated(&headers(&values));
            assert_eq!(
                found.as_ref().map(Option::as_deref).map_err(|why| *why),
                expected,
                "{values:?}"
            );
        }
        let long = |count: usize| HeaderValue::from_str(&"a".repeat(count)).expect("a value");
        for (count, good) in [(1000, true), (1001, false)] {
            let mut headers = HeaderMap::new();
            headers.insert("ordain-justification", long(count));
            assert_eq!(stated(&headers).is_ok(), good);
        }
    }
}
