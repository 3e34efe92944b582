//! How many connections each address holds, where that is bounded (threat B8).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The connections of each address. Nothing is counted where there is no bound.
#[derive(Debug, Default)]
pub(super) struct Peers(Mutex<HashMap<IpAddr, u32>>);

/// One connection that counts, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    peers: Arc<Peers>,
    address: IpAddr,
}

impl Peers {
    /// Counts a connection, if its address may have one more.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr, most: u32) -> Option<Seat> {
        let address = one_of_many(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Seat {
            peers: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// In IPv6 a customer has a network of 64 bits at least (RFC 6177), so that is what is counted.
fn one_of_many(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_and_gets_them_back() {
        let peers = Arc::new(Peers::default());
        let admit = |text: &str| peers.admit(text.parse().expect("an address"), 2);
        let (first, second) = (admit("192.0.2.1"), admit("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(admit("192.0.2.1").is_none());
        assert!(admit("192.0.2.2").is_some());
        drop(first);
        assert!(admit("192.0.2.1").is_some());
        let network = [admit("2001:db8::1"), admit("2001:db8::ffff:1")];
        assert!(network.iter().all(Option::is_some));
        assert!(admit("2001:db8::2").is_none());
        assert!(admit("2001:db8:0:1::2").is_some());
        drop((network, second));
        assert!(
            peers.0.lock().expect("the counts").is_empty(),
            "what nobody holds is not kept"
        );
    }
}
