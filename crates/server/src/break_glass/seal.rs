//! What makes a line of the spool one that this gateway wrote: a keyed hash before it.
//!
//! The spool lies on another disk than the store, and what is in it goes into the ledger. So each line begins with the
//! HMAC-SHA-256 of the rest under a key from the server's secret; whoever can write to that disk alone can make none. It
//! also tells a line that was torn by a crash from a whole one.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use crate::keys::KeyHasher;

/// Seals lines and opens them.
#[derive(Clone)]
pub(super) struct Seal(Hmac<Sha256>);

/// The digits of a seal, and the space behind it.
const HEAD: usize = 65;

impl Seal {
    pub(super) fn new(hasher: &KeyHasher) -> Self {
        // No key is as long as this text, so the two uses of the secret cannot meet.
        let key = hasher.hash("ordain: the key that lines of a break-glass spool are sealed with, version 1");
        Self(Hmac::new_from_slice(&key).expect("HMAC takes a key of any length"))
    }

    fn mac(&self, of: Uuid, body: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(of.as_bytes()).chain_update(body)
    }

    /// Adds `body`, sealed, as one line to `out`. A line of one incident cannot stand in another.
    pub(super) fn line(&self, of: Uuid, body: &[u8], out: &mut Vec<u8>) {
        for byte in self.mac(of, body).finalize().into_bytes() {
            for digit in [byte >> 4, byte & 15] {
                out.push(DIGITS[usize::from(digit)]);
            }
        }
        out.push(b' ');
        out.extend_from_slice(body);
        out.push(b'\n');
    }

    /// The body of a line, without its end, if the seal is whole.
    pub(super) fn open<'l>(&self, of: Uuid, line: &'l [u8]) -> Option<&'l [u8]> {
        let (head, body) = line.split_at_checked(HEAD)?;
        let (digits, space) = head.split_at_checked(HEAD - 1)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut mac = Vec::with_capacity(32);
        for pair in digits.chunks_exact(2) {
            let [high, low] = pair else { return None };
            mac.push(digit(*high)? << 4 | digit(*low)?);
        }
        let good = space == b" " && self.mac(of, body).verify_slice(&mac).is_ok();
        good.then_some(body)
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";
