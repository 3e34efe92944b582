//! What a record is, byte for byte, and what it weighs in the tree.
//!
//! A record becomes evidence in two steps, and both must give the same answer on every machine and in every year:
//! [`canonical`] turns its JSON value into one exact sequence of bytes (RFC 8785, integers only), and [`leaf_hash`]
//! turns those bytes into a leaf of the Merkle tree (RFC 6962). The stored bytes are what is hashed; nobody has to
//! parse and print a record again to check it.
//!
//! There is no IO here and no clock, and the dependencies are few: an auditor builds this crate alone.
//!
//! ```
//! let record = serde_json::json!({"verdict": "block", "at": 1_796_000_000_000_u64});
//! let bytes = ordain_ledger::canonical(&record)?;
//! assert_eq!(bytes, br#"{"at":1796000000000,"verdict":"block"}"#);
//! println!("{}", ordain_ledger::leaf_hash(&bytes));
//! # Ok::<(), ordain_ledger::CanonicalError>(())
//! ```
#![warn(missing_docs, clippy::panic, clippy::indexing_slicing, clippy::expect_used)]

mod canonical;
mod leaf;

pub use canonical::{CanonicalError, canonical};
pub use leaf::{LeafHash, leaf_hash};
