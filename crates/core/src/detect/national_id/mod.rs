//! National identity, social insurance and personal tax numbers.
//!
//! **Finds** the numbers by which more than sixty states know a person, with their check digits and days of birth verified
//! where they have them, written as people write them. Where shape and check are telling (a Spanish NIF, a Polish PESEL, a
//! Brazilian CPF with its dots), the number counts alone; bare digits with a weak check count only beside a word that names
//! them (`NHS`, `BSN`, `Steuer-ID`, `マイナンバー`), at most 40 bytes before the number.
//!
//! **Matters** because such a number hardly ever changes, joins records that were never meant to be joined, and in most
//! states may be processed only for the purpose that a law names.
//!
//! **Deliberately does not find** numbers of companies, bare digits that nothing names, numbers whose check fails, and
//! anything that is part of a longer number or token. The US social security number is an entity of its own, `us-ssn`.
//!
//! **Tune** by excepting the paths where numbers of ten or eleven digits are the daily business: one random number of
//! eleven digits in fifty passes one of the checks that count alone.

mod americas;
mod elsewhere;
mod europe;

use std::sync::LazyLock;

use super::shapes::{Kind, Shapes};
use super::{ByteSet, Detector, DetectorFailure, EntityId, Horizon, Match, Window};

const ID: &str = "national-id";

/// The detector of national identity numbers.
#[derive(Debug, Clone, Copy)]
pub struct NationalId;

impl NationalId {
    /// The kinds that are found, such as `es-nif`: mostly the country and what its people call the number.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        table().map(|kind| kind.id)
    }
}

impl Detector for NationalId {
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
        8
    }

    fn fewest_digits(&self) -> usize {
        4
    }

    fn starts(&self) -> ByteSet {
        Shapes::STARTS
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        static SHAPES: LazyLock<Shapes> = LazyLock::new(|| Shapes::new(table()));
        Ok(SHAPES.detect(window, ID, matches))
    }
}

fn table() -> impl Iterator<Item = &'static Kind> {
    europe::KINDS.iter().chain(americas::KINDS).chain(elsewhere::KINDS)
}

/// What is found; the span stands between the marks.
#[cfg(test)]
pub(crate) const HITS: &[&str] = &[
    "«12345678Z» y «12345678-Z», NIE «X2482300W»",
    "«RCCMNL83S18D969H».",
    "hetu «131052-308T», «131052A308T»",
    "«S1234567D», «T1234567J»",
    "PAN «ABCPE1234F»",
    "PESEL: «44051401359»",
    "«111.444.777-35» e CPF «11144477735»",
    "«971013-1019902»",
    "«811218-9876»",
    "CPR «211062-5629»",
    "fnr «15108695088»",
    "RČ «710319/2745»",
    "«2 95 10 99 126 111 93», «253072B07300470»",
    "«85.07.30-033.28»",
    "CNP: «1630615123457»",
    "身份证号«11010519491231002X»。",
    "«7503305044089»",
    "TC Kimlik «10000000146»",
    "«HEGG560427MVZRRL04» «GODE561231GR8»",
    "DNI «12.345.678», CUIT «20-12345678-6»",
    "RUT «12.345.678-5»",
    "NI number «AB 12 34 56 C» or «AB123456C»",
    "NHS number: «943 476 5870»",
    r#"{"tfn": "«876 543 210»", "medicare_no": "«2123 45670 1»"}"#,
    "my SIN is «130-692-544»",
    "«2341 2341 2346», aadhaar «234123412346»",
    "bsn\n«111222333»",
    "BSN\\n«111222333»",
    "NIF do cliente: «123 456 789»",
    "Steuer-ID «36 574 261 809», SV-Nummer «15070649c103»",
    "teudat zehut «039337423»",
    "マイナンバー«123456789018»",
    "«912-70-1234»",
    "«1EG4-TE5-MK73»",
    "NPI «1234567893»",
    "DEA number «AP5836727»",
    "PPS No «6433435OA»",
    "«756.9217.0769.85»",
    "SVNR «1237 010180»",
    "ΑΜΚΑ «01013099997»",
    "ЕГН «7523169263»",
    "OIB: «33392005961»",
    "isikukood «36805280109»",
    "«A123456(3)»",
    "身分證字號«A123456789»",
    "«770305-02-1234»",
    "NIK «3171011708450001»",
    "«784-1980-1234567-8»",
];

/// What looks alike and is not found.
#[cfg(test)]
pub(crate) const MISSES: &[&str] = &[
    "12345678A",
    "A12345678Z",
    "12345678Z9",
    "id_12345678Z",
    "v1-12345678Z",
    "0.44051401359",
    "44051401358",
    "144051401359",
    "550e8400-e29b-41d4-a716-44051401359",
    "44051401359-1",
    "order 1732334072123",
    "order 11144477735",
    "111.444.777-36",
    "invoice 943 476 5870",
    "943-476-5870",
    "call 401-023-2137",
    "0000 2341 2341 2346",
    "2341 2341 2346 9999",
    "231312-3456",
    "2026-11-27 22:13:22",
    "20261127221322",
    "123 456 789",
    "part 36574261809",
    "className 111222333",
    "bsnMap 111222333",
    "9e107d9d372bb6826bd81d3542a419d6",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "192.168.100.200",
    "+49 30 1234567",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn kinds_have_forms_and_names() {
        let ids: BTreeSet<&str> = NationalId::kinds().collect();
        assert!(ids.len() > 60, "{}", ids.len());
        for kind in table() {
            assert!(
                !kind.words.is_empty() && kind.alone.len() + kind.beside.len() > 0,
                "{}",
                kind.id
            );
        }
    }
}
