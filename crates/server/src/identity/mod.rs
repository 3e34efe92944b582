//! Callers who prove themselves by a token of an OpenID Connect issuer.
//!
//! A token is taken apart (`jws`), its issuer's own keys say whether it is genuine (`jwk`), and its claims who it is (`claims`).
//! Which algorithms count is the configuration's word, narrowed by the key, and never the token's. Keys are fetched in the
//! background (`fetch`); a request never waits for an issuer. The moment is an argument. Read [`Identity::verify`] first.

mod address;
mod algorithm;
mod cache;
mod claims;
mod fault;
mod fetch;
mod jwk;
mod jws;
mod keys;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use crate::config::{Issuer, KeySource};
pub use address::{Address, is_this_machine};
pub use algorithm::Algorithm;
use cache::Cache;
pub use claims::Verified;
pub use fault::Fault;
pub use fetch::{FetchError, refresh};
use jwk::KeySet;
pub use jwk::KeySetError;
use jws::Compact;
pub use jws::{LARGEST, is_shaped};
pub use keys::{IssuerKeys, State};

/// The issuers whose tokens are taken, with their keys.
#[derive(Debug)]
pub struct Identity {
    issuers: Vec<Arc<IssuerKeys>>,
    cache: Cache,
}

/// Why a configured file of keys cannot be used.
#[derive(Debug, Error)]
#[error("the keys of issuer `{issuer}` cannot be used")]
pub struct KeyFileUnusable {
    /// Whose keys.
    issuer: String,
    source: FetchError,
}

impl Identity {
    /// The issuers of a configuration; `None` where there are none. What is known of one that was there `before`, and is
    /// configured as it was, stays known.
    #[must_use]
    pub fn new(issuers: &[Issuer], before: Option<&Self>) -> Option<Arc<Self>> {
        let known = |issuer: &Issuer| before?.issuers.iter().find(|one| one.issuer() == issuer).cloned();
        let state = |issuer: &Issuer| known(issuer).unwrap_or_else(|| Arc::new(IssuerKeys::new(issuer.clone())));
        (!issuers.is_empty()).then(|| {
            Arc::new(Self {
                issuers: issuers.iter().map(state).collect(),
                cache: Cache::default(),
            })
        })
    }

    /// The issuers with what is known of their keys.
    #[must_use]
    pub fn issuers(&self) -> &[Arc<IssuerKeys>] {
        &self.issuers
    }

    /// Who somebody with this token is, at this moment.
    ///
    /// A token that was verified before costs one hash and one look-up, until it expires or its issuer's keys are others.
    ///
    /// # Errors
    ///
    /// [`Fault`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Verified>, Fault> {
        if token.len() > LARGEST {
            return Err(Fault::Malformed);
        }
        let hash = cache::hash(token);
        if let Some(found) = self.cache.find(&hash, now) {
            return Ok(found);
        }
        let (issuer, generation, verified) = self.judge(token, now)?;
        let verified = Arc::new(verified);
        self.cache.keep(hash, token.len(), issuer, generation, &verified);
        Ok(verified)
    }

    fn judge(&self, token: &str, now: Timestamp) -> Result<(&Arc<IssuerKeys>, u64, Verified), Fault> {
        let token = Compact::parse(token)?;
        let payload = jws::object(&token.payload)?;
        // Whose token it says it is decides by whose keys it is judged, and by no others (threat C3).
        let name = claims::issuer(&payload)?;
        let issuer = self
            .issuers
            .iter()
            .find(|one| one.issuer().issuer.as_str() == name)
            .ok_or(Fault::Issuer)?;
        let keys = issuer.current(now).ok_or(Fault::NoKeys)?;
        if let Err(fault) = check(&token, &keys.set) {
            if fault == Fault::Key {
                issuer.want();
            }
            return Err(fault);
        }
        let verified = claims::read(&payload, issuer.issuer(), now)?;
        Ok((issuer, keys.generation, verified))
    }
}

/// Whether one of these keys has signed it.
fn check(token: &Compact<'_>, keys: &KeySet) -> Result<(), Fault> {
    let key = keys.find(token.key.as_deref(), &token.algorithm)?;
    key.verify_sig(token.signed, &token.signature)
        .map_err(|_| Fault::Signature)
}

/// Whether the files of keys that issuers name can be used. Relative paths are below `folder`, and are made absolute.
///
/// # Errors
///
/// [`KeyFileUnusable`] for the first that cannot.
pub fn prepare(issuers: &mut [Issuer], folder: &Path) -> Result<(), KeyFileUnusable> {
    for issuer in issuers {
        if let KeySource::File(path) = &mut issuer.keys {
            *path = folder.join(&path);
            let read = fetch::file(path).and_then(|bytes| Ok(KeySet::parse(&bytes, &issuer.algorithms)?));
            read.map_err(|source| KeyFileUnusable {
                issuer: issuer.issuer.as_str().to_owned(),
                source,
            })?;
        }
    }
    Ok(())
}
