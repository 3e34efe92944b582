//! Device numbers of mobile phones (IMEI, 3GPP TS 23.003).
//!
//! **Finds** fifteen digits that pass the Luhn check, written with hyphens (`AA-BBBBBB-CCCCCC-D`), or in one run or with
//! spaces beside the word `IMEI`, at most 40 bytes before the number.
//!
//! **Matters** because it follows a person's telephone through every network and SIM card.
//!
//! **Deliberately does not find** bare digits that nothing names, the sixteen digits with a software version, and
//! numbers whose check fails.
//!
//! **Tune** by excepting the paths of device management.

use std::sync::LazyLock;

use super::checks::{is_uniform, luhn};
use super::shapes::{Kind, Shapes};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "imei";

/// The detector of device numbers of mobile phones.
#[derive(Debug, Clone, Copy)]
pub struct Imei;

impl Detector for Imei {
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
        Horizon::Bounded(Shapes::HORIZON)
    }

    fn shortest(&self) -> usize {
        15
    }

    fn fewest_digits(&self) -> usize {
        15
    }

    fn starts(&self) -> ByteSet {
        ByteSet::DIGITS
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        static SHAPES: LazyLock<Shapes> = LazyLock::new(|| Shapes::new(KINDS));
        Ok(SHAPES.detect(window, ID, matches))
    }
}

static KINDS: &[Kind] = &[Kind {
    id: ID,
    alone: &["00-000000-000000-0"],
    beside: &[
        "000000000000000",
        "00 000000 000000 0",
        "000000-00-000000-0",
        "000000 00 000000 0",
        "00000000 000000 0",
    ],
    holds: |number| !is_uniform(number) && luhn(number),
    words: &["imei", "imei1", "imei2", "imei number", "imei-nummer"],
}];

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "IMEI «490154203237518»",
    "«49-015420-323751-8»",
    "imei: «490154 20 323751 8», imei1=«356938035643809»",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "490154203237518",
    "IMEI 490154203237519",
    "IMEI 4901542032375181",
    "49-015420-323751-9",
    "imeing 490154203237518",
    "IMEI 000000000000000",
];
