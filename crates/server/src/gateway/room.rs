//! Room for request bodies: how many bytes of all of them together are held at a time (threat G4).
//!
//! Each body has a bound of its own; many of them at once would still fill the memory. What finds no room is told to come
//! again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The room of one gateway.
#[derive(Debug)]
pub(super) struct Room {
    most: usize,
    held: AtomicUsize,
}

/// There is no more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// What one request holds of it, until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            held: AtomicUsize::new(0),
        })
    }

    /// Nothing yet.
    pub(super) fn hold(self: &Arc<Self>) -> Held {
        Held {
            room: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl Held {
    /// Whether so many bytes more would find room now. Nothing is taken: what is announced need not come.
    pub(super) fn could_grow(&self, bytes: u64) -> bool {
        let left = self.room.most.saturating_sub(self.room.held.load(Ordering::Relaxed));
        bytes <= left as u64
    }

    /// Takes room for so many bytes more.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let more = |held: usize| held.checked_add(bytes).filter(|&sum| sum <= self.room.most);
        let taken = self.room.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map_err(|_| Full)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_given_back() {
        let room = Room::new(10);
        let (mut one, mut other) = (room.hold(), room.hold());
        assert_eq!((one.grow(6), other.grow(4)), (Ok(()), Ok(())));
        assert!(!one.could_grow(1));
        assert_eq!(one.grow(1), Err(Full));
        drop(other);
        assert!(one.could_grow(4) && !one.could_grow(5));
        assert_eq!(one.grow(usize::MAX), Err(Full));
        assert_eq!(one.grow(4), Ok(()));
        drop(one);
        assert!(room.hold().could_grow(10));
    }
}
