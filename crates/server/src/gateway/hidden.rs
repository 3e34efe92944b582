//! The provider's key, should an upstream repeat it in a stream: stars in its place (threat C7).
//!
//! The bytes are looked at before anything else is. What could be the beginning of the key at the end of a piece waits for
//! the next one.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// A key, and what could be the beginning of it.
pub(super) struct Hidden {
    key: Arc<str>,
    waiting: BytesMut,
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

impl Hidden {
    pub(super) fn new(key: Arc<str>) -> Self {
        Self {
            key,
            waiting: BytesMut::new(),
        }
    }

    /// The next bytes, as far as they are known to be no beginning of the key. Stars are as many as the key has bytes, so
    /// that nothing else moves.
    pub(super) fn push(&mut self, piece: Bytes) -> Bytes {
        let key = self.key.as_bytes();
        if self.waiting.is_empty() && memmem::find(&piece, key).is_none() && begun(&piece, key) == 0 {
            return piece;
        }
        let mut bytes = std::mem::take(&mut self.waiting);
        bytes.extend_from_slice(&piece);
        let found: Vec<usize> = memmem::find_iter(&bytes, key).collect();
        for start in found {
            if let Some(bytes) = bytes.get_mut(start..start + key.len()) {
                bytes.fill(b'*');
            }
        }
        let waits = begun(&bytes, key);
        self.waiting = bytes.split_off(bytes.len() - waits);
        bytes.freeze()
    }

    /// What waited, once nothing more comes.
    pub(super) fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.waiting).freeze()
    }
}

/// How many bytes at the end could be the beginning of the key.
fn begun(bytes: &[u8], key: &[u8]) -> usize {
    let most = bytes.len().min(key.len().saturating_sub(1));
    (1..=most)
        .rev()
        .find(|&size| key.get(..size).is_some_and(|beginning| bytes.ends_with(beginning)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]]) -> Vec<u8> {
        let mut hidden = Hidden::new("key-key-1".into());
        let mut shown = Vec::new();
        for piece in pieces {
            shown.extend(hidden.push(Bytes::copy_from_slice(piece)));
        }
        shown.extend(hidden.finish());
        shown
    }

    #[test]
    fn however_it_is_cut_it_is_stars() {
        let text = b"key key-key-key-1 and key-key-1, key-key-";
        let wanted = b"key key-********* and *********, key-key-";
        assert_eq!(shown(&[text]), wanted);
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(shown(&pieces), wanted, "cut at {first} and {second}");
            }
        }
        assert_eq!(shown(&text.chunks(1).collect::<Vec<_>>()), wanted);
    }

    #[test]
    fn what_has_nothing_of_it_is_passed_as_it_is() {
        let mut hidden = Hidden::new("key-key-1".into());
        let piece = Bytes::from_static(b"All is well.");
        assert_eq!(hidden.push(piece.clone()).as_ptr(), piece.as_ptr());
    }
}
