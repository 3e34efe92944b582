//! Passport numbers.
//!
//! **Finds** numbers in the forms that the main issuers use (nine digits; one to three letters and six to eight digits; the
//! mixed serials of Germany, the Netherlands, France and Korea) beside a word for passport in one of some twenty languages,
//! at most 40 bytes before the number.
//!
//! **Matters** because a passport number with a name opens accounts and crosses borders, and copies of passports are what
//! identity thieves trade.
//!
//! **Deliberately does not find** numbers that nothing names: their shapes are those of order and part numbers, and hardly
//! any has a check digit outside the machine-readable lines. Those lines are not read.
//!
//! **Tune** by pairing with `person-name` or `date-of-birth` where the word is used for other things than travel.

use std::sync::LazyLock;

use super::shapes::{Kind, Shapes};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "passport-number";

/// The detector of passport numbers.
#[derive(Debug, Clone, Copy)]
pub struct PassportNumber;

impl Detector for PassportNumber {
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
        7
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

static KINDS: &[Kind] = &[Kind {
    id: ID,
    alone: &[],
    beside: &[
        "000000000",
        "00000000",
        "A00000000",
        "A0000000",
        "AA0000000",
        "AA000000",
        "AA00000",
        "AA 0000000",
        "A 00000000",
        "00AA00000",
        "00 AA 00000",
        "AAA000000",
        "A000A0000",
        "A000000AA",
        "00 0000000",
        "00 00 000000",
        "A0XXXXXXX",
        "AA0XXXXXX",
    ],
    holds: |number| number.iter().filter(|byte| byte.is_ascii_digit()).count() > 3,
    words: &[
        "passport",
        "passports",
        "passport number",
        "passport no",
        "passportnumber",
        "passportno",
        "reisepass",
        "reisepassnummer",
        "reisepass-nr",
        "passnummer",
        "pass-nr",
        "passeport",
        "pasaporte",
        "passaporto",
        "passaporte",
        "paspoort",
        "paspoortnummer",
        "paszport",
        "paszportu",
        "pasaport",
        "útlevél",
        "pašaport",
        "passi",
        "passinumero",
        "pasnummer",
        "cestovní pas",
        "travel document",
        "διαβατήριο",
        "διαβατηρίου",
        "паспорт",
        "паспорта",
        "загранпаспорт",
        "护照",
        "護照",
        "パスポート",
        "旅券",
        "여권",
        "דרכון",
        "جواز",
    ],
}];

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "passport number: «J6932157»",
    "My passport is «912803456»",
    "Passport No. «A12803456», «AB1234567»",
    "Reisepass «C01X00T47» ausgestellt",
    "Mi pasaporte es «AAA123456»",
    "passeport n° «12AB34567»",
    "паспорт «75 1234567»",
    "护照号码«E12345678»。",
    "여권 «M123A4567»",
    r#"{"passport_no": "«k1234567»"}"#,
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "J6932157",
    "my passport number is T356907",
    "order AB1234567",
    "passport expires 2031-04-05",
    "passportless AB1234567",
    "passport X-AB1234567-99",
    "the passport office gave us a long list of numbers such as AB1234567",
    "passport ABCDEFGH1",
];
