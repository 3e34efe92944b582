//! Dates of birth.
//!
//! **Finds** a day between 1900 and 2029, in digits in any usual order or with the month's name, beside a word that says
//! that somebody was born (`born`, `DOB`, `geboren`, `née le`, `fecha de nacimiento`, …), at most 40 bytes before the date.
//!
//! **Matters** because day of birth, sex and postal code together single out most people, and because call centres take it
//! for a proof of identity.
//!
//! **Deliberately does not find** dates that nothing calls a birth, days that no calendar has, a year alone, and an age.
//!
//! **Tune** by excepting texts about people of the past: every biography has one.

use std::sync::LazyLock;

use super::checks::{is_day, part};
use super::shapes::{Kind, Shapes};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "date-of-birth";

/// The detector of dates of birth.
#[derive(Debug, Clone, Copy)]
pub struct DateOfBirth;

impl Detector for DateOfBirth {
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
        6
    }

    fn fewest_digits(&self) -> usize {
        5
    }

    fn starts(&self) -> ByteSet {
        Shapes::STARTS
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        static SHAPES: LazyLock<Shapes> = LazyLock::new(|| Shapes::new(KINDS));
        Ok(SHAPES.detect(window, ID, matches))
    }
}

static KINDS: &[Kind] = &[Kind {
    id: ID,
    alone: &[],
    beside: &[
        "0000-00-00",
        "0000/00/00",
        "0000.00.00",
        "0000-0-0",
        "0000/0/0",
        "00000000",
        "00/00/0000",
        "00-00-0000",
        "00.00.0000",
        "00. 00. 0000",
        "00 00 0000",
        "0/0/0000",
        "0/00/0000",
        "00/0/0000",
        "0.0.0000",
        "0.00.0000",
        "00.0.0000",
        "0-0-0000",
        "0-00-0000",
        "00-0-0000",
        "00/00/00",
        "00-00-00",
        "00.00.00",
        "00 M 0000",
        "0 M 0000",
        "00. M 0000",
        "0. M 0000",
        "00-M-0000",
        "0-M-0000",
        "00 M, 0000",
        "0 M, 0000",
        "00 de M de 0000",
        "0 de M de 0000",
        "00th M 0000",
        "0th M 0000",
        "0st M 0000",
        "00st M 0000",
        "0nd M 0000",
        "00nd M 0000",
        "0rd M 0000",
        "00rd M 0000",
        "M 00, 0000",
        "M 0, 0000",
        "M 00 0000",
        "M 0 0000",
        "M 00th, 0000",
        "M 0th, 0000",
        "M 0st, 0000",
        "M 00st, 0000",
        "M 0nd, 0000",
        "M 00nd, 0000",
        "M 0rd, 0000",
        "M 00rd, 0000",
        "0000年00月00日",
        "0000年0月0日",
        "0000年0月00日",
        "0000年00月0日",
    ],
    holds: is_birth,
    words: &[
        "born",
        "dob",
        "d.o.b",
        "date of birth",
        "birth date",
        "birthdate",
        "birthday",
        "birth",
        "geboren",
        "geb",
        "geburtsdatum",
        "geburtstag",
        "né",
        "née",
        "date de naissance",
        "naissance",
        "nacido",
        "nacida",
        "nacimiento",
        "nació",
        "nato",
        "nata",
        "nascita",
        "nascido",
        "nascida",
        "nascimento",
        "geboortedatum",
        "född",
        "fødd",
        "født",
        "födelsedatum",
        "fødselsdato",
        "fødselsdag",
        "syntynyt",
        "syntymäaika",
        "urodzony",
        "urodzona",
        "urodzenia",
        "narozen",
        "narozena",
        "narození",
        "született",
        "născut",
        "data nașterii",
        "doğum tarihi",
        "γεννήθηκε",
        "родился",
        "родилась",
        "рождения",
        "生年月日",
        "出生日期",
        "出生",
        "생년월일",
    ],
}];

/// Whether the digits can be read as a day. A month that is named stands in them as its own number, 1 to 12.
fn is_birth(number: &[u8]) -> bool {
    let years = 1900..2030;
    let (first, last) = (
        part(number, 0, 4),
        part(number, number.len().saturating_sub(4), number.len()),
    );
    if let Some(index) = number.iter().position(|byte| !byte.is_ascii_alphanumeric()) {
        let month = number.get(index).copied().map_or(0, u64::from);
        let digits = number.iter().filter(|byte| byte.is_ascii_digit());
        // The year comes last; ordinal endings are letters.
        let value = digits.fold(0, |value, &byte| value * 10 + u64::from(byte - b'0'));
        return years.contains(&last) && is_day(last, month, value / 10_000);
    }
    let either = |year, one, two| is_day(year, one, two) || is_day(year, two, one);
    match number.len() {
        8 => {
            (years.contains(&first) && is_day(first, part(number, 4, 6), part(number, 6, 8)))
                || (years.contains(&last) && either(last, part(number, 0, 2), part(number, 2, 4)))
        }
        // One digit for the day or for the month, or for both.
        7 => {
            let readings = [
                (part(number, 0, 1), part(number, 1, 3)),
                (part(number, 0, 2), part(number, 2, 3)),
            ];
            let ahead = [
                (part(number, 4, 5), part(number, 5, 7)),
                (part(number, 4, 6), part(number, 6, 7)),
            ];
            (years.contains(&last) && readings.iter().any(|&(one, two)| either(last, one, two)))
                || (years.contains(&first) && ahead.iter().any(|&(month, day)| is_day(first, month, day)))
        }
        6 => {
            either(part(number, 4, 6), part(number, 0, 2), part(number, 2, 4))
                || (years.contains(&last) && either(last, part(number, 0, 1), part(number, 1, 2)))
                || (years.contains(&first) && is_day(first, part(number, 4, 5), part(number, 5, 6)))
        }
        _ => false,
    }
}

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "Customer, DOB «1998-02-17», lives at",
    "DOB «09/08/2000» and dob: «27.10.1948»",
    "born on «12 May 1963», born «May 12, 1963»",
    "born in London on «3rd March 1970»",
    "geboren am «7. Juli 1981»",
    "née le «14 juillet 1990»",
    "fecha de nacimiento: «3 de mayo de 1975»",
    "出生日期«1990年1月2日»。",
    r#"{"date_of_birth": "«19900102»"}"#,
    "geb. «01.02.83»",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "1998-02-17",
    "delivered 09/08/2000",
    "born 1998-02-30",
    "born 32/01/1990",
    "born 1850-01-02",
    "reborn 1998-02-17",
    "born 12 Brumaire 1963",
    "born in 1963",
    "DOB 1.2.1998.4",
    "stubborn 12 May 1963",
];
