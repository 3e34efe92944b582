//! Addresses of cryptocurrency wallets.
//!
//! **Finds** Bitcoin addresses in Base58Check (`1…`, `3…`) and Bech32 or Bech32m (`bc1…`) with their checksum verified, and Ethereum
//! addresses (`0x` and forty hexadecimal digits) beside a word that says so, at most 40 bytes before the address.
//!
//! **Matters** because every payment of a wallet is public: who knows the address knows the account.
//!
//! **Deliberately does not find** addresses whose checksum fails, hashes of transactions, keys, other currencies, and `0x` with forty
//! digits that nothing names, which may be any hash. The checksum in the case of an Ethereum address is not computed.
//!
//! **Tune** by excepting your own wallets.

use sha2::{Digest as _, Sha256};

use super::label::named;
use super::walk::{Probe, walk, word};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "crypto-wallet";

/// The detector of addresses of cryptocurrency wallets.
#[derive(Debug, Clone, Copy)]
pub struct CryptoWallet;

impl Detector for CryptoWallet {
    fn id(&self) -> &str {
        ID
    }

    fn version(&self) -> u32 {
        1
    }

    fn entities(&self) -> Vec<EntityId> {
        vec![EntityId::from(ID)]
    }

    fn horizon(&self) -> Horizon {
        Horizon::Bounded(LONGEST + 1)
    }

    fn shortest(&self) -> usize {
        26
    }

    fn fewest_digits(&self) -> usize {
        1
    }

    fn starts(&self) -> ByteSet {
        ByteSet::of(b"013bB")
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        Ok(walk(window, ID, matches, next, judge, open))
    }
}

fn next(bytes: &[u8], from: usize) -> Option<usize> {
    let mut offset = from;
    loop {
        let rest = bytes.get(offset..)?;
        let at = offset
            + rest
                .iter()
                .position(|byte| matches!(byte, b'0' | b'1' | b'3' | b'b' | b'B'))?;
        if bytes
            .get(..at)?
            .last()
            .is_none_or(|&byte| !word(byte) || matches!(byte, b'n' | b'r' | b't'))
        {
            return Some(at);
        }
        offset = at + 1;
    }
}

fn judge(probe: &Probe<'_>, start: usize) -> Option<usize> {
    if !probe.begins_token(start) {
        return None;
    }
    let length = probe.run(start, LONGEST + 1, |byte| byte.is_ascii_alphanumeric());
    let end = start + length;
    let text = probe.known(start, end);
    let holds = match (text.first()?, length) {
        (b'1' | b'3', 26..=35) => is_base58check(text),
        (b'b' | b'B', 42 | 62) => is_bech32(text),
        (b'0', 42) => {
            text.get(1) == Some(&b'x')
                && text.iter().skip(2).all(u8::is_ascii_hexdigit)
                && text.iter().skip(2).any(|&byte| byte != b'0')
                && named(probe, start, WORDS)
        }
        _ => false,
    };
    (holds && probe.ends_token(end)).then_some(end)
}

fn open(bytes: &[u8], from: usize) -> usize {
    bytes.len().max(from)
}

/// A version, twenty bytes of a hash, and the first four of the hash of a hash.
fn is_base58check(text: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0_u8; 25];
    for letter in text {
        let Some(mut carry) = ALPHABET.iter().position(|known| known == letter) else {
            return false;
        };
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = u8::try_from(carry % 256).unwrap_or(0);
            carry /= 256;
        }
        if carry > 0 {
            return false;
        }
    }
    let (payload, check) = bytes.split_at(21);
    let hash = Sha256::digest(Sha256::digest(payload));
    matches!(payload.first(), Some(0 | 5)) && hash.as_slice().starts_with(check)
}

/// BIP 173 and BIP 350: `bc`, `1` and a polynomial's remainder.
fn is_bech32(text: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let mixed = text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_uppercase);
    let Some(data) = text
        .get(3..)
        .filter(|_| !mixed && text.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(b"bc1")))
    else {
        return false;
    };
    // The human-readable part `bc`, expanded.
    let mut remainder = [3, 3, 0, 2, 3]
        .iter()
        .fold(1, |remainder, &value| polynomial(remainder, value));
    for letter in data {
        let Some(value) = ALPHABET
            .iter()
            .zip(0..)
            .find(|(known, _)| **known == letter.to_ascii_lowercase())
        else {
            return false;
        };
        remainder = polynomial(remainder, value.1);
    }
    matches!(remainder, 1 | 0x2bc8_30a3)
}

fn polynomial(remainder: u32, value: u32) -> u32 {
    let top = remainder >> 25;
    [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
        .iter()
        .enumerate()
        .filter(|(bit, _)| (top >> bit) & 1 == 1)
        .fold((remainder & 0x01ff_ffff) << 5 ^ value, |sum, (_, generator)| {
            sum ^ generator
        })
}

/// The longest address: Bech32 of a script's hash.
const LONGEST: usize = 62;

const WORDS: &[&str] = &[
    "wallet",
    "wallets",
    "eth",
    "ether",
    "ethereum",
    "crypto",
    "erc20",
    "erc-20",
    "usdt",
    "usdc",
    "metamask",
    "evm",
    "token address",
    "ens",
    "wallet address",
];

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "pay «1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa» or «3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy»",
    "«bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4».",
    "«BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4»",
    "«bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0»",
    "Wallet «0x6cc53c664ce4d08e6827dde66a8165b3db49504d» sent",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
    "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ2",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
    "bc1qW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "commit 0x6cc53c664ce4d08e6827dde66a8165b3db49504d",
    "wallet 0x0000000000000000000000000000000000000000",
    "wallet 0x6cc53c664ce4d08e6827dde66a8165b3db49504d0",
    "8f953371d3e85eddb89b05ed6b9e680791055315c73e1025ab5dba7bb2aee189",
];
