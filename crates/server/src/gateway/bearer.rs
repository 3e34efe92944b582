//! Callers who come with a token of an issuer, or by the word of a trusted proxy: a name that was proved, made a caller.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::HeaderMap;
use jiff::Timestamp;

use super::Gateway;
use super::caller::{Caller, Unknown};
use super::live::Live;
use super::proxy::{self, Unclear};
use crate::identity::{Fault, Identity};

/// The bearer of a token.
///
/// # Errors
///
/// [`Unknown`], with what is wrong with the token or why nobody can say.
pub(super) async fn caller(
    gateway: &Gateway,
    live: &Live,
    identity: &Identity,
    token: &str,
) -> Result<Caller, Unknown> {
    let verified = identity.verify(token, Timestamp::now()).map_err(|fault| {
        gateway.metrics.refused_token(fault);
        let status = match fault {
            Fault::NoKeys => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        };
        Unknown(status, fault.told())
    })?;
    let principal = &verified.principal;
    let who = live
        .directory
        .who_with(principal, verified.client.as_deref(), &verified.groups);
    Ok(Caller {
        subject: gateway.subject(principal).await?,
        who: Arc::new(who),
        key: None,
        signed_in: verified.signed_in,
    })
}

/// Whom a trusted proxy vouches for, if the request comes from one that does.
///
/// # Errors
///
/// [`Unknown`] when what it says is not clear.
pub(super) async fn vouched(
    gateway: &Gateway,
    live: &Live,
    headers: &HeaderMap,
    peer: Option<IpAddr>,
) -> Result<Option<Caller>, Unknown> {
    let Some(proxies) = &live.trusted_proxies else {
        return Ok(None);
    };
    let found = proxy::vouched(proxies, peer, headers)
        .map_err(|Unclear| Unknown::wrong("the proxy's headers do not say clearly whose request it is"))?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(Caller {
        subject: gateway.subject(found.principal).await?,
        who: Arc::new(live.directory.who_with(found.principal, None, &found.groups)),
        key: None,
        signed_in: None,
    }))
}
