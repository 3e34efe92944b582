//! Tokens that were verified, by their hash, so that only the first request with one pays for the signature.
//!
//! Two generations of a bounded size: when the younger is full, the older goes. A hit changes nothing, so that workers do not
//! wait for each other. Read [`Cache::find`] first.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::claims::Verified;
use super::keys::IssuerKeys;

/// Verified tokens.
#[derive(Debug, Default)]
pub(super) struct Cache(RwLock<Generations>);

/// A token's hash, by which nobody can find the token.
pub(super) type Hash = [u8; 32];

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Hash, Entry>,
    /// The bytes of the tokens in it.
    bytes: usize,
    old: HashMap<Hash, Entry>,
}

#[derive(Debug)]
struct Entry {
    issuer: Arc<IssuerKeys>,
    /// Of the keys that it was verified with.
    generation: u64,
    verified: Arc<Verified>,
}

/// How many tokens one generation holds.
pub(super) const MOST: usize = 8192;

/// How many bytes the tokens of one generation have together, which bounds what is kept of them.
pub(super) const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The hash of a token.
pub(super) fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

impl Cache {
    /// Who has a token, if it was verified before and would be again: it has not expired, and its issuer's keys are the same
    /// and not too old.
    pub(super) fn find(&self, hash: &Hash, now: Timestamp) -> Option<Arc<Verified>> {
        let both = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entry = both.young.get(hash).or_else(|| both.old.get(hash))?;
        let good = now.as_second() < entry.verified.until
            && entry
                .issuer
                .current(now)
                .is_some_and(|keys| keys.generation == entry.generation);
        good.then(|| Arc::clone(&entry.verified))
    }

    /// Keeps who has a token of some bytes.
    pub(super) fn keep(
        &self,
        hash: Hash,
        bytes: usize,
        issuer: &Arc<IssuerKeys>,
        generation: u64,
        verified: &Arc<Verified>,
    ) {
        let mut both = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if both.young.len() >= MOST || both.bytes + bytes > MOST_BYTES {
            both.old = std::mem::take(&mut both.young);
            both.bytes = 0;
        }
        both.bytes += bytes;
        let entry = Entry {
            issuer: Arc::clone(issuer),
            generation,
            verified: Arc::clone(verified),
        };
        both.young.insert(hash, entry);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let both = self.0.read().unwrap_or_else(PoisonError::into_inner);
        both.young.len() + both.old.len()
    }
}
