//! Vehicle identification numbers (ISO 3779).
//!
//! **Finds** seventeen capital letters and digits without I, O and Q, of which the last four are digits, whose check digit
//! in the ninth place is right; beside a word for the number (`VIN`, `chassis`, `Fahrgestellnummer`, …) also those without,
//! because makers outside North America and China fill that place as they like.
//!
//! **Matters** because it leads to the holder of a car and, in the hands of a thief, to a second set of papers or keys.
//!
//! **Deliberately does not find** older, shorter numbers, seventeen digits without letters, and anything inside a longer
//! token.
//!
//! **Tune** by excepting a fleet's own paths.

use std::sync::LazyLock;

use super::checks::value;
use super::shapes::{Kind, Shapes};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "vin";

/// The detector of vehicle identification numbers.
#[derive(Debug, Clone, Copy)]
pub struct Vin;

impl Detector for Vin {
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
        17
    }

    fn fewest_digits(&self) -> usize {
        4
    }

    fn starts(&self) -> ByteSet {
        Shapes::STARTS
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        static SHAPES: LazyLock<Shapes> = LazyLock::new(|| Shapes::new(KINDS));
        Ok(SHAPES.detect(window, ID, matches))
    }
}

static KINDS: &[Kind] = &[
    Kind {
        id: "checked",
        alone: &["CCCCCCCCCCCCC0000"],
        beside: &[],
        holds: |number| is_vin(number) && has_check(number),
        words: &[],
    },
    Kind {
        id: "named",
        alone: &[],
        beside: &["CCCCCCCCCCCCC0000"],
        holds: is_vin,
        words: &[
            "vin",
            "vehicle identification number",
            "chassis",
            "chassis number",
            "chassis no",
            "fin",
            "fahrgestellnummer",
            "fahrgestellnr",
            "fahrzeug-identnummer",
            "fahrzeugidentifikationsnummer",
            "numéro de série",
            "numéro de châssis",
            "bastidor",
            "número de bastidor",
            "telaio",
            "numero di telaio",
            "chassi",
            "chassisnummer",
            "vin code",
            "車台番号",
            "车架号",
        ],
    },
];

fn is_vin(number: &[u8]) -> bool {
    let letters = number.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    letters > 1 && !number.iter().any(|byte| matches!(byte, b'I' | b'O' | b'Q'))
}

/// 49 CFR 565.15: letters count as digits, the ninth place is the sum modulo 11 with `X` for ten.
fn has_check(number: &[u8]) -> bool {
    let weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let sum: u32 = number
        .iter()
        .zip(weights)
        .map(|(&byte, weight)| worth(byte) * weight)
        .sum();
    let expected = match sum % 11 {
        10 => b'X',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    number.get(8) == Some(&expected)
}

/// A to H count 1 to 8, J to R 1 to 9 and S to Z 2 to 9.
fn worth(byte: u8) -> u32 {
    match byte {
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'R' => u32::from(byte - b'J') + 1,
        b'S'..=b'Z' => u32::from(byte - b'S') + 2,
        _ => value(byte),
    }
}

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "«1M8GDM9AXKP042788»",
    "VIN «WVWZZZ1JZ3W386752» sold",
    "«5GZCZ43D13S812715».",
    "chassis no. «WDB9634031L738289»",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "WVWZZZ1JZ3W386752",
    "1M8GDM9A0KP042788",
    "11111111111111111",
    "1M8GDM9AXKP04278",
    "1M8GDM9AXKP0427881",
    "VIN 1M8GDM9AXKPO42788",
    "x_1M8GDM9AXKP042788",
];
