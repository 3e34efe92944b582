//! Wrong keys, counted: whoever tries many is told to wait.
//!
//! Counted by what a presented key begins with and by the address that it comes from, in tables of a fixed size that forget as
//! time passes. A valid key is never held up: whoever shares an address with a guesser goes on working. Whether a beginning is
//! that of a real key is not asked anywhere, so that neither answers nor times can tell (threat C6). Read [`Lockout::wrong`] first.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// The tables.
#[derive(Debug)]
pub(super) struct Lockout {
    /// Nobody outside can choose what shares a slot with what.
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    prefixes: Table,
    peers: Table,
    /// When somebody was told about it last.
    logged_ms: i64,
    unlogged: u64,
}

/// Buckets that leak: each holds the moment at which it will be empty.
#[derive(Debug)]
struct Table {
    slots: Vec<Slot>,
    /// How many wrong keys it takes.
    burst: i64,
    /// After how many milliseconds one of them is forgotten.
    step_ms: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    tag: u64,
    empty_at_ms: i64,
}

/// Too many wrong keys came; more of them are told to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Locked {
    /// For how many seconds.
    pub(super) wait: u64,
    /// How many were told to wait since this was logged last, when it is time to log it.
    pub(super) unlogged: Option<u64>,
}

impl Lockout {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            state: Mutex::new(State {
                prefixes: Table::new(PREFIX_BURST, PREFIX_STEP_MS),
                peers: Table::new(PEER_BURST, PEER_STEP_MS),
                logged_ms: i64::MIN,
                unlogged: 0,
            }),
        }
    }

    /// Notes a wrong key at a moment; the answer is whether too many came before it.
    pub(super) fn wrong(&self, presented: &str, peer: IpAddr, now_ms: i64) -> Option<Locked> {
        let prefix = presented.as_bytes().get(..PREFIX_LEN).unwrap_or(presented.as_bytes());
        let (prefix, peer) = (self.tag(prefix), self.tag(network(peer)));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = state.prefixes.add(prefix, now_ms).max(state.peers.add(peer, now_ms))?;
        state.unlogged += 1;
        let is_time = now_ms.saturating_sub(state.logged_ms) >= LOG_EVERY_MS;
        let unlogged = is_time.then(|| std::mem::take(&mut state.unlogged));
        if is_time {
            state.logged_ms = now_ms;
        }
        Some(Locked { wait, unlogged })
    }

    fn tag(&self, of: impl Hash) -> u64 {
        self.hasher.hash_one(of)
    }
}

impl Table {
    fn new(burst: i64, step_ms: i64) -> Self {
        Self {
            slots: vec![Slot::default(); SLOTS],
            burst,
            step_ms,
        }
    }

    /// Adds one; if there is no room for it, the answer is for how many seconds there will be none.
    fn add(&mut self, tag: u64, now_ms: i64) -> Option<u64> {
        let first = (tag as usize % SLOTS) / WAYS * WAYS;
        let set = self.slots.get_mut(first..first + WAYS)?;
        let known = set.iter().position(|slot| slot.tag == tag);
        // Otherwise whoever is forgotten soonest makes room.
        let place = known.or_else(|| {
            let places = set.iter().enumerate();
            places.min_by_key(|(_, slot)| slot.empty_at_ms).map(|(place, _)| place)
        })?;
        let slot = set.get_mut(place)?;
        if known.is_none() {
            *slot = Slot {
                tag,
                empty_at_ms: i64::MIN,
            };
        }
        // A clock that was set back locks nobody out for longer than a full bucket does.
        let full = now_ms + self.burst * self.step_ms;
        slot.empty_at_ms = slot.empty_at_ms.clamp(now_ms, full);
        let empty_at = slot.empty_at_ms + self.step_ms;
        if empty_at > full {
            return Some(u64::try_from(empty_at - full).unwrap_or(0).div_ceil(1_000).max(1));
        }
        slot.empty_at_ms = empty_at;
        None
    }
}

/// Of an IPv6 address, the network that one subscriber has (RFC 6177).
fn network(peer: IpAddr) -> [u8; 8] {
    let mut network = [0; 8];
    match peer.to_canonical() {
        // No network of IPv6 begins like this (RFC 4291 §2.5.5).
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            network = [0, 0, 0, 0, a, b, c, d];
        }
        IpAddr::V6(address) => {
            for (to, from) in network.iter_mut().zip(address.octets()) {
                *to = from;
            }
        }
    }
    network
}

/// As much of a key as lists show: `ord-` and six characters.
const PREFIX_LEN: usize = 10;

/// Wrong keys with one beginning: ten, and then ten a minute.
const PREFIX_BURST: i64 = 10;
const PREFIX_STEP_MS: i64 = 6_000;

/// Wrong keys from one address: a hundred, and then a hundred a minute. Many clients may share one.
const PEER_BURST: i64 = 100;
const PEER_STEP_MS: i64 = 600;

/// Slots of a table, in sets of which one is searched.
const SLOTS: usize = 4_096;
const WAYS: usize = 4;

const LOG_EVERY_MS: i64 = 60_000;

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn peer(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number))
    }

    #[test]
    fn one_beginning_is_locked_wherever_it_comes_from_and_let_go_with_time() {
        let lockout = Lockout::new();
        let try_it = |number: u32, now| lockout.wrong(&format!("ord-AbC123{number:032}"), peer(number), now);
        for number in 0..10 {
            assert_eq!(try_it(number, 1_000), None);
        }
        let locked = try_it(11, 1_000).expect("locked");
        assert_eq!(locked.wait, 6);
        assert_eq!(
            try_it(12, 6_999).map(|locked| locked.wait),
            Some(1),
            "trying on makes it no longer"
        );
        assert_eq!(try_it(13, 7_000), None, "one is forgotten");
        assert!(try_it(14, 7_000).is_some());
        assert!(
            lockout.wrong("ord-Other1", peer(15), 7_000).is_none(),
            "another beginning is not locked"
        );
    }

    #[test]
    fn one_address_is_locked_whatever_it_tries() {
        let lockout = Lockout::new();
        let tried = |peer, number: u32| lockout.wrong(&format!("ord-{number:06}"), peer, 0).is_some();
        assert_eq!((0..300).filter(|number| tried(peer(1), *number)).count(), 200);
        assert!(!tried(peer(2), 301));
        let subscriber = |last| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 3, 4, 5, last));
        let locked = (0..300_u16).filter(|last| tried(subscriber(*last), 400 + u32::from(*last)));
        assert_eq!(locked.count(), 200, "a network of one subscriber is one address");
        let mapped = IpAddr::V6(Ipv4Addr::from_bits(0x0a00_0001).to_ipv6_mapped());
        assert!(tried(mapped, 900), "the same address in another form");
    }

    #[test]
    fn tables_stay_as_they_are_and_forget_the_weakest() {
        let lockout = Lockout::new();
        for number in 0..100_000 {
            let _ = lockout.wrong(&format!("ord-{number:06}"), peer(number), 0);
        }
        let state = lockout.state.lock().expect("state");
        assert_eq!((state.prefixes.slots.len(), state.peers.slots.len()), (SLOTS, SLOTS));
        drop(state);
        for _ in 0..10 {
            let _ = lockout.wrong("ord-AbC123", peer(200_000), 0);
        }
        assert!(
            lockout.wrong("ord-AbC123", peer(200_001), 0).is_some(),
            "a full table still counts"
        );
    }

    #[test]
    fn it_is_logged_once_a_minute_with_how_many_there_were() {
        let lockout = Lockout::new();
        let logged = |now| {
            lockout
                .wrong("ord-AbC123", peer(1), now)
                .and_then(|locked| locked.unlogged)
        };
        for _ in 0..10 {
            assert_eq!(logged(0), None);
        }
        assert_eq!(logged(0), Some(1));
        for _ in 0..5 {
            assert_eq!(logged(1), None);
        }
        let told: Vec<u64> = (0..20).filter_map(|_| logged(60_000)).collect();
        assert_eq!(told, [6]);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_for_long() {
        let lockout = Lockout::new();
        for _ in 0..11 {
            let _ = lockout.wrong("ord-AbC123", peer(1), 1_000_000_000);
        }
        let locked = lockout.wrong("ord-AbC123", peer(1), 0).expect("still full");
        assert_eq!(locked.wait, 6);
        assert_eq!(lockout.wrong("ord-AbC123", peer(1), 6_000), None);
    }
}
