//! Who makes a request: from a credential that this gateway can verify, and from nothing else (threat I7).

use std::net::IpAddr;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use jiff::Timestamp;
use ordain_core::decide::Who;

use super::live::Live;
use super::lockout::Locked;
use super::peer::{self, Peer};
use super::reply::Reply;
use super::{Gateway, bearer};
use crate::config::Dialect;
use crate::identity::{self, Identity};
use crate::keys::{self, KeyEntry};
use crate::store::SubjectId;

/// Who makes a request.
#[derive(Debug)]
pub(super) struct Caller {
    /// Who stands in the records.
    pub(super) subject: SubjectId,
    /// Who the policy sees.
    pub(super) who: Arc<Who>,
    /// The key that they showed, with its terms.
    pub(super) key: Option<Arc<KeyEntry>>,
    /// When they last signed in, where the credential says so.
    pub(super) signed_in: Option<Timestamp>,
}

/// Why a request is nobody's, for whoever sent it, and with which status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unknown(pub(super) StatusCode, pub(super) &'static str);

impl Unknown {
    /// What was presented, or was not, is at fault.
    pub(super) const fn wrong(reason: &'static str) -> Self {
        Self(StatusCode::UNAUTHORIZED, reason)
    }
}

/// Who presents `headers`, on a connection from an address whose other end proved to be `peer`.
///
/// # Errors
///
/// [`Unknown`], with what to send.
pub(super) async fn identify(
    gateway: &Gateway,
    live: &Arc<Live>,
    headers: &HeaderMap,
    from: IpAddr,
    peer: Option<&Peer>,
) -> Result<Caller, Unknown> {
    let proved = peer::prove(live, peer)?;
    if let Some(who) = &proved
        && peer::stands_alone(headers)
    {
        return Ok(Caller {
            subject: gateway.subject(&who.principal).await?,
            who: Arc::clone(who),
            key: None,
            signed_in: None,
        });
    }
    let caller = by_credential(gateway, live, headers, from).await?;
    if proved.is_some_and(|proved| proved.principal != caller.who.principal) {
        return Err(Unknown::wrong(
            "the credential and the client's certificate are not of the same principal",
        ));
    }
    Ok(caller)
}

async fn by_credential(gateway: &Gateway, live: &Live, headers: &HeaderMap, from: IpAddr) -> Result<Caller, Unknown> {
    let presented = credential(headers);
    if let Some((identity, token)) = token(live, presented) {
        return bearer::caller(gateway, live, identity, token).await;
    }
    if let Some(caller) = presented.and_then(|presented| by_key(gateway, live, presented)) {
        return Ok(caller);
    }
    // Whoever shows something that is not valid is not helped by a proxy's word.
    if !has_credential(headers)
        && let Some(caller) = bearer::vouched(gateway, live, headers, Some(from)).await?
    {
        return Ok(caller);
    }
    Err(Unknown::wrong(if live.identity.is_some() {
        "no valid credential: send a virtual key of this gateway, or a token of your sign-in service, where the API has its key, such as `Authorization: Bearer …`"
    } else {
        "no valid key: send a virtual key of this gateway where the API has its key, such as `Authorization: Bearer …`"
    }))
}

/// Notes that nobody is known who presented `headers`; the answer is whether too many wrong keys came before. Tokens do not
/// count: they end by themselves, and their beginnings are alike.
pub(super) fn locked_out(gateway: &Gateway, live: &Live, headers: &HeaderMap, from: IpAddr) -> Option<Locked> {
    let presented = credential(headers)?;
    if token(live, Some(presented)).is_some() {
        return None;
    }
    let now_ms = Timestamp::now().as_millisecond();
    let locked = gateway.lockout.wrong(presented, from, now_ms)?;
    gateway.metrics.locked_out();
    Some(locked)
}

/// What is presented, if it is a token and there are issuers to ask.
fn token<'l, 'h>(live: &'l Live, presented: Option<&'h str>) -> Option<(&'l Identity, &'h str)> {
    let token = presented.filter(|presented| identity::is_shaped(presented))?;
    Some((live.identity.as_deref()?, token))
}

/// Adds to an answer of 401 what a client may prove itself by (RFC 9110 §11.6.1), and of a token what is wrong with it
/// (RFC 6750 §3).
pub(super) fn challenge(
    live: &Live,
    headers: &HeaderMap,
    Unknown(status, reason): Unknown,
    mut answer: Reply,
) -> Reply {
    if status == StatusCode::UNAUTHORIZED {
        let value = if token(live, credential(headers)).is_some() {
            HeaderValue::try_from(format!(
                "Bearer error=\"invalid_token\", error_description=\"{reason}\""
            ))
        } else {
            Ok(HeaderValue::from_static("Bearer"))
        };
        if let Ok(value) = value {
            answer.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
    }
    answer
}

impl Gateway {
    /// The subject of a principal who may have no key.
    ///
    /// # Errors
    ///
    /// [`Unknown`], with 503, when the store does not answer.
    pub(super) async fn subject(&self, principal: &str) -> Result<SubjectId, Unknown> {
        let version = self.keys.take().version();
        let found = self.subjects.of(principal, version, &self.recorder).await;
        let reason = "whoever calls cannot be recorded at the moment; try again";
        found.map_err(|_| Unknown(StatusCode::SERVICE_UNAVAILABLE, reason))
    }
}

/// The owner of a virtual key.
fn by_key(gateway: &Gateway, live: &Live, presented: &str) -> Option<Caller> {
    let ring = gateway.keys.take();
    let now_ms = Timestamp::now().as_millisecond();
    let key = ring.find(presented, now_ms)?;
    key.used_on(keys::day(now_ms));
    Some(Caller {
        subject: key.subject,
        who: live.directory.who(&key.principal, key.client.as_deref()),
        key: Some(Arc::clone(key)),
        signed_in: None,
    })
}

/// Whether anything is presented at all, valid or not.
fn has_credential(headers: &HeaderMap) -> bool {
    CREDENTIALS.iter().any(|(name, _)| headers.contains_key(*name))
}

/// The dialect that a client's headers speak of, for paths that several have.
pub(super) fn preferred(headers: &HeaderMap) -> Dialect {
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
pub(super) const CREDENTIALS: [(&str, &str); 4] = [
    Dialect::Openai.credential(),
    Dialect::Anthropic.credential(),
    Dialect::Gemini.credential(),
    Dialect::Azure.credential(),
];
