//! The hash of one record as a leaf of the tree: RFC 6962 §2.1.
//!
//! A leaf is hashed behind a zero byte and an inner node behind a one byte, so that no record can be passed off as a
//! part of the tree. Start at [`leaf_hash`].

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What RFC 6962 puts before the bytes of a leaf.
const LEAF_PREFIX: [u8; 1] = [0x00];

/// The SHA-256 of a record as a leaf. Shown in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafHash([u8; 32]);

impl LeafHash {
    /// The hash as it was stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A hash that was computed before: taken as it is, so compare it with [`leaf_hash`] of the record's bytes.
impl From<[u8; 32]> for LeafHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for LeafHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LeafHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeafHash({self})")
    }
}

/// The leaf of a record: SHA-256 over a zero byte and the record's stored bytes.
pub fn leaf_hash(bytes: &[u8]) -> LeafHash {
    let hash = Sha256::new().chain_update(LEAF_PREFIX).chain_update(bytes).finalize();
    LeafHash(hash.into())
}

#[cfg(test)]
mod tests {
    use super::{LeafHash, leaf_hash};

    #[test]
    fn the_empty_leaf_is_the_one_that_every_rfc_6962_log_has() {
        let known = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(leaf_hash(b"").to_string(), known);
    }

    #[test]
    fn a_leaf_is_not_the_plain_hash_of_its_bytes() {
        // SHA-256("abc"), FIPS 180-4.
        let plain = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_ne!(leaf_hash(b"abc").to_string(), plain);
    }

    #[test]
    fn a_leaf_survives_storage() {
        let leaf = leaf_hash(b"record");
        assert_eq!(LeafHash::from(*leaf.as_bytes()), leaf);
        assert_eq!(format!("{leaf:?}"), format!("LeafHash({leaf})"));
    }
}
