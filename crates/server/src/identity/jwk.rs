//! A set of keys as an issuer publishes it (RFC 7517), read into those that tokens can be checked with.
//!
//! What is not understood is passed over, as the standard wants it (§5): keys for encryption, other curves, symmetric keys. A
//! key that is understood and broken, or that comes with its private half, is passed over as well, so that one slip of an
//! issuer does not lock everybody out; a set with nothing usable in it is an error. Read [`KeySet::parse`] first.

use std::fmt;

use aws_lc_rs::signature::ParsedPublicKey;
use ordain_core::wire::json::{self, Document, Kind, Limits, Node, Vectors};
use thiserror::Error;

use super::algorithm::{Algorithm, Material};
use super::fault::Fault;
use super::jws::decoded;

/// The most keys of a set.
const MOST_KEYS: usize = 100;

/// How much the JSON of a set may hold; certificates come as long texts, not as many values.
pub(super) const LIMITS: Limits = Limits {
    depth: 16,
    nodes: 20_000,
    vectors: Vectors::Kept,
};

/// The keys of an issuer.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Key>);

/// One key, with what it can check.
struct Key {
    id: Option<String>,
    verifiers: Vec<(Algorithm, ParsedPublicKey)>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a set cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeySetError {
    /// It is not what RFC 7517 §5 says.
    #[error("it is no JSON object with a list of `keys`")]
    Shape,
    /// It has too many keys.
    #[error("it has more than {MOST_KEYS} keys")]
    TooMany,
    /// It has no key for one of the configured algorithms.
    #[error("it has no key for signatures with one of the configured algorithms")]
    Nothing,
}

impl KeySet {
    /// Reads a set, for an issuer that signs with some algorithms.
    ///
    /// # Errors
    ///
    /// [`KeySetError`].
    pub(super) fn parse(bytes: &[u8], algorithms: &[Algorithm]) -> Result<Self, KeySetError> {
        let document = json::parse(bytes, &LIMITS).map_err(|_| KeySetError::Shape)?;
        let list = document
            .get(document.root(), "keys")
            .filter(|&list| document.kind(list) == Kind::Array)
            .ok_or(KeySetError::Shape)?;
        if document.children(list).count() > MOST_KEYS {
            return Err(KeySetError::TooMany);
        }
        let keys: Vec<Key> = document
            .children(list)
            .filter_map(|node| key(&document, node, algorithms))
            .collect();
        if keys.is_empty() {
            return Err(KeySetError::Nothing);
        }
        Ok(Self(keys))
    }

    /// The key for a signature: the one that is named, else the only one that there is.
    ///
    /// # Errors
    ///
    /// [`Fault::Key`] when there is none or nobody can say which; [`Fault::Algorithm`] when the key is not for this algorithm.
    pub(super) fn find(&self, id: Option<&str>, algorithm: &str) -> Result<&ParsedPublicKey, Fault> {
        let mut named = self
            .0
            .iter()
            .filter(|key| id.is_none() || key.id.as_deref() == id)
            .peekable();
        if named.peek().is_none() {
            return Err(Fault::Key);
        }
        let mut fitting = named
            .flat_map(|key| &key.verifiers)
            .filter(|(known, _)| known.as_str() == algorithm);
        let (_, verifier) = fitting.next().ok_or(Fault::Algorithm)?;
        // Two that fit leave it open whose signature it is.
        if fitting.next().is_some() {
            return Err(Fault::Key);
        }
        Ok(verifier)
    }
}

/// A key that can check signatures with one of the algorithms.
fn key(document: &Document<'_>, node: Node, algorithms: &[Algorithm]) -> Option<Key> {
    let member = |name: &str| document.get(node, name);
    // Each that is there narrows what the key is for (RFC 7517 §4.2 to §4.4).
    if let Some(purpose) = member("use")
        && document.text(purpose)? != "sig"
    {
        return None;
    }
    if let Some(operations) = member("key_ops") {
        let mut operations = document.children(operations);
        operations.find(|&one| document.text(one).as_deref() == Some("verify"))?;
    }
    // Whoever publishes the private half of a key has lost it.
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]
        .iter()
        .any(|name| member(name).is_some())
    {
        return None;
    }
    let only = match member("alg") {
        Some(name) => Some(Algorithm::parse(&document.text(name)?)?),
        None => None,
    };
    let id = match member("kid") {
        Some(id) => Some(document.text(id).filter(|id| id.len() <= 256)?.into_owned()),
        None => None,
    };
    let material = material(document, node)?;
    let verifiers: Vec<_> = algorithms
        .iter()
        .filter(|&&one| only.is_none_or(|only| only == one))
        .filter_map(|&one| Some((one, one.verifier(&material)?)))
        .collect();
    (!verifiers.is_empty()).then_some(Key { id, verifiers })
}

fn material(document: &Document<'_>, node: Node) -> Option<Material> {
    let text = |name: &str| document.member_text(node, name);
    let bytes = |name: &str| decoded(&text(name)?).ok();
    match (&*text("kty")?, text("crv").as_deref()) {
        ("RSA", _) => Some(Material::Rsa {
            n: bytes("n")?,
            e: bytes("e")?,
        }),
        ("EC", Some("P-256")) => point(bytes("x")?, bytes("y")?, 32).map(Material::P256),
        ("EC", Some("P-384")) => point(bytes("x")?, bytes("y")?, 48).map(Material::P384),
        ("OKP", Some("Ed25519")) => bytes("x").filter(|x| x.len() == 32).map(Material::Ed25519),
        _ => None,
    }
}

/// The uncompressed form of a point (SEC 1 §2.3.3). Coordinates have the full length (RFC 7518 §6.2.1.2).
fn point(x: Vec<u8>, y: Vec<u8>, length: usize) -> Option<Vec<u8>> {
    let fits = x.len() == length && y.len() == length;
    fits.then(|| [vec![4], x, y].concat())
}
