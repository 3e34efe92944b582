//! Sets of bytes: which ones a text has, and which ones a match can start with.

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// Every byte.
    pub const ALL: Self = Self([u64::MAX; 4]);
    /// The ASCII digits.
    pub const DIGITS: Self = Self::of(b"0123456789");

    /// The bytes that stand in `bytes`.
    #[must_use]
    pub const fn of(bytes: &[u8]) -> Self {
        let mut set = Self([0; 4]);
        let mut rest = bytes;
        while let [first, after @ ..] = rest {
            set.insert(*first);
            rest = after;
        }
        set
    }

    /// Adds a byte.
    pub const fn insert(&mut self, byte: u8) {
        let bit = 1 << (byte % 64);
        let Self([first, second, third, fourth]) = self;
        match byte / 64 {
            0 => *first |= bit,
            1 => *second |= bit,
            2 => *third |= bit,
            _ => *fourth |= bit,
        }
    }

    /// Whether the two have a byte in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(one, two)| one & two != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_meet_where_they_share_a_byte() {
        for byte in 0..=u8::MAX {
            let one = ByteSet::of(&[byte]);
            assert!(one.meets(&ByteSet::ALL) && one.meets(&one) && !one.meets(&ByteSet::of(&[])));
            assert!(!one.meets(&ByteSet::of(&[byte.wrapping_add(1), byte.wrapping_sub(64)])));
            assert_eq!(one.meets(&ByteSet::DIGITS), byte.is_ascii_digit());
        }
    }
}
