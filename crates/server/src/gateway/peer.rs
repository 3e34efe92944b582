//! What a connection proved by a client's certificate, for all of its requests (threats I7, C8).
//!
//! The handshake verified the chain and that the client has its key. Who that is belongs to a version of the configuration,
//! so it is worked out once for each: after a reload a certificate that was revoked, or whose authority went, lets nobody in
//! any more, on connections that are open already too. Read [`prove`] first.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use hyper::header::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use ordain_core::decide::Who;
use rustls::ServerConnection;
use rustls::pki_types::CertificateDer;

use super::caller::{CREDENTIALS, Unknown};
use super::live::Live;
use crate::certificates::{Certificates, NoProof, Proof};

/// The client's end of a connection, with the certificates that it showed.
#[derive(Debug)]
pub(super) struct Peer {
    chain: Vec<CertificateDer<'static>>,
    known: Mutex<Option<Known>>,
}

/// What was worked out, and until when that can be used.
#[derive(Debug)]
struct Known {
    under: Weak<Live>,
    until: Timestamp,
    found: Result<Arc<Who>, NoProof>,
}

/// For so long a certificate is not verified again: until then a list of revoked ones may have run out.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

impl Peer {
    /// The peer of a connection; `None` if it showed no certificate.
    pub(super) fn of(connection: &ServerConnection) -> Option<Self> {
        let chain = connection.peer_certificates()?;
        Some(Self {
            chain: chain.iter().map(|one| one.clone().into_owned()).collect(),
            known: Mutex::new(None),
        })
    }

    fn who(&self, live: &Arc<Live>, certificates: &Certificates, now: Timestamp) -> Result<Arc<Who>, NoProof> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known
            && std::ptr::eq(known.under.as_ptr(), Arc::as_ptr(live))
            && now < known.until
        {
            return known.found.clone();
        }
        let proof = certificates.prove(&self.chain, now);
        let fresh = now.checked_add(FRESH).unwrap_or(now);
        let until = proof.as_ref().map_or(fresh, |proof| fresh.min(proof.until));
        let found = proof.map(|proof| named(live, certificates, &proof));
        *known = Some(Known {
            under: Arc::downgrade(live),
            until,
            found: found.clone(),
        });
        found
    }
}

/// What is known of whom a certificate stands for.
fn named(live: &Live, certificates: &Certificates, proof: &Proof) -> Arc<Who> {
    let known = live.directory.name_of(&proof.principal);
    let principal = known
        .filter(|_| certificates.ignores_case())
        .unwrap_or(&proof.principal);
    let mut who = live.directory.who(principal, certificates.client());
    let inner = Arc::make_mut(&mut who);
    for group in certificates.groups() {
        if !inner.groups.contains(group) {
            inner.groups.push(group.clone());
        }
    }
    who
}

/// Whom a connection proved to be, if anybody: `None` where certificates are not asked for, or none is needed and there is
/// none.
///
/// # Errors
///
/// [`Unknown`] if the certificate stands for nobody, or is missing.
pub(super) fn prove(live: &Arc<Live>, peer: Option<&Peer>) -> Result<Option<Arc<Who>>, Unknown> {
    let Some(certificates) = &live.certificates else {
        return Ok(None);
    };
    let Some(peer) = peer else {
        return if certificates.required() {
            Err(Unknown::wrong("a client certificate is needed here: connect with one"))
        } else {
            Ok(None)
        };
    };
    let who = peer.who(live, certificates, Timestamp::now());
    who.map(Some).map_err(|reason| Unknown::wrong(reason.as_str()))
}

/// Whether a request says nothing of who makes it beside the certificate: no credential at all, or the word that stands for
/// "my certificate" in programs which insist on a key.
pub(super) fn stands_alone(headers: &HeaderMap) -> bool {
    CREDENTIALS.iter().all(|(name, before)| {
        headers
            .get_all(*name)
            .iter()
            .all(|value| value.to_str().ok().and_then(|value| value.strip_prefix(before)) == Some(IN_CERTIFICATE))
    })
}

/// What a client gives for a key when its certificate says who it is.
const IN_CERTIFICATE: &str = "certificate";

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_no_credential_and_the_word_leave_it_to_the_certificate() {
        for (headers, alone) in [
            (vec![], true),
            (vec![("authorization", "Bearer certificate")], true),
            (
                vec![("x-api-key", "certificate"), ("authorization", "Bearer certificate")],
                true,
            ),
            (vec![("authorization", "Basic certificate")], false),
            (vec![("authorization", "Bearer ord-x")], false),
            (vec![("x-api-key", "certificate"), ("authorization", "Bearer x")], false),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(stands_alone(&map), alone, "{headers:?}");
        }
    }
}
