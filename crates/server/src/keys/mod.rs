//! Virtual keys: what a caller shows to the gateway in place of a provider's key.
//!
//! A key is text like `ord-` and 38 letters and digits. The first six of them only serve to recognise it; the other 32
//! are its secret, 190 bits of it. The store keeps an HMAC of the key under a secret of the server, so neither a stolen
//! store nor a stolen key file opens anything alone. A key is shown once, when [`issue`] or [`rotate`] makes it; after that
//! [`KeyRing::find`] is the only way from a key to its owner.

mod hasher;
mod lifetime;
mod ring;

use std::fmt;

use rand::CryptoRng;

use crate::store::{KeyRow, Store, StoreError, Terms};

pub use hasher::{KeyFileError, KeyHasher};
pub use lifetime::{day, end_of, milliseconds};
pub use ring::{KeyEntry, KeyRing};

/// A virtual key in the clear. It is shown to its owner once and never printed by accident.
pub struct Secret(String);

impl Secret {
    /// The key itself, for its owner's eyes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A new key: its secret, and the parts that are not secret.
#[derive(Debug)]
pub struct Minted {
    /// What its owner gets to see, once.
    pub secret: Secret,
    /// The keyed hash under which it is found again.
    pub hash: [u8; 32],
    /// What people and commands call it.
    pub id: String,
    /// Its beginning, by which its owner recognises it.
    pub prefix: String,
}

/// What a key is made for.
#[derive(Debug, Clone)]
pub struct Request<'r> {
    /// The name of the principal whom it authenticates.
    pub principal: &'r str,
    /// The calling software that it is bound to.
    pub client: Option<&'r str>,
    /// A note for people.
    pub label: &'r str,
    /// When it is made, in milliseconds since 1970.
    pub at_ms: i64,
    /// When it ends, in milliseconds since 1970; never if there is no such moment.
    pub expires_ms: Option<i64>,
    /// What it may be used for.
    pub terms: Terms,
}

impl<'r> Request<'r> {
    /// A key for everything, without an end.
    #[must_use]
    pub fn unlimited(principal: &'r str, label: &'r str, at_ms: i64) -> Self {
        Self {
            principal,
            client: None,
            label,
            at_ms,
            expires_ms: None,
            terms: Terms::default(),
        }
    }
}

/// Makes a key for a principal and puts it into the store. The secret is in the answer and nowhere else.
pub fn issue(
    store: &mut dyn Store,
    hasher: &KeyHasher,
    rng: &mut impl CryptoRng,
    request: Request<'_>,
) -> Result<(Secret, KeyRow), StoreError> {
    let minted = hasher.mint(rng);
    let row = KeyRow {
        line: minted.id.clone(),
        id: minted.id,
        hash: minted.hash,
        prefix: minted.prefix,
        subject: store.subject(request.principal)?,
        client: request.client.map(str::to_owned),
        label: request.label.to_owned(),
        created_ms: request.at_ms,
        revoked_ms: None,
        expires_ms: request.expires_ms,
        terms: request.terms,
        used_day: None,
    };
    store.add_key(&row)?;
    Ok((minted.secret, row))
}

/// Makes a key in place of `old`: for the same owner and on the same terms, from the same budgets. The old one lets its owner in
/// until `until_ms`. The new one ends at `expires_ms`, or lives for as long as the old one was made for. Nothing if the old one
/// was revoked in between.
///
/// # Errors
///
/// If the store fails; then the old key is as it was.
pub fn rotate(
    store: &mut dyn Store,
    hasher: &KeyHasher,
    rng: &mut impl CryptoRng,
    old: &KeyRow,
    at_ms: i64,
    until_ms: i64,
    expires_ms: Option<i64>,
) -> Result<Option<(Secret, KeyRow)>, StoreError> {
    let minted = hasher.mint(rng);
    let lifetime = old.expires_ms.map(|end| end.saturating_sub(old.created_ms));
    let row = KeyRow {
        id: minted.id,
        hash: minted.hash,
        prefix: minted.prefix,
        created_ms: at_ms,
        expires_ms: expires_ms.or_else(|| Some(at_ms.saturating_add(lifetime?))),
        used_day: None,
        ..old.clone()
    };
    let rotated = store.rotate_key(&old.id, until_ms, &row)?;
    Ok(rotated.then_some((minted.secret, row)))
}

/// What every key begins with, so that people and scanners know one.
const PREFIX: &str = "ord-";
/// How many characters after the prefix are shown in lists. They carry none of the strength.
const SHOWN_LEN: usize = 6;
/// How many characters are secret: 32 of 62 are 190 bits.
const HIDDEN_LEN: usize = 32;
