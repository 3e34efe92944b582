//! The kinds of the Americas.

use super::super::checks::{at, is_uniform, is_yymmdd, luhn, luhn_sum, part, value, weigh};
use super::super::shapes::Kind;

pub(super) static KINDS: &[Kind] = &[
    Kind {
        id: "ar-cuit",
        alone: &["00-00000000-0"],
        beside: &["00000000000"],
        holds: ar_cuit,
        words: &["cuit", "cuil"],
    },
    Kind {
        id: "ar-dni",
        alone: &[],
        beside: &["00.000.000", "0.000.000", "00000000"],
        holds: |number| !is_uniform(number),
        words: &["dni", "documento nacional de identidad", "documento"],
    },
    Kind {
        id: "br-cpf",
        alone: &["000.000.000-00"],
        beside: &["00000000000", "000000000-00", "000 000 000 00"],
        holds: br_cpf,
        words: &["cpf", "cadastro de pessoas físicas", "cadastro de pessoa física"],
    },
    Kind {
        id: "ca-sin",
        alone: &[],
        beside: &["000 000 000", "000-000-000", "000000000"],
        holds: |number| !matches!(number.first(), Some(b'0' | b'8')) && !is_uniform(number) && luhn(number),
        words: &[
            "sin",
            "social insurance number",
            "social insurance",
            "nas",
            "numéro d'assurance sociale",
            "assurance sociale",
        ],
    },
    Kind {
        id: "cl-rut",
        alone: &["00.000.000-X", "0.000.000-X"],
        beside: &["00000000-X", "0000000-X", "00000000X"],
        holds: cl_rut,
        words: &[
            "rut",
            "run",
            "rol único tributario",
            "rol unico tributario",
            "cédula de identidad",
        ],
    },
    Kind {
        id: "ec-cedula",
        alone: &[],
        beside: &["0000000000", "000000000-0"],
        holds: |number| matches!(part(number, 0, 2), 1..=24 | 30) && at(number, 2) < 6 && luhn(number),
        words: &["cédula", "cedula", "cédula de identidad", "cedula de identidad", "ci"],
    },
    Kind {
        id: "mx-curp",
        alone: &["UUUU000000UUUUUUX0"],
        beside: &["AAAA000000AAAAAAX0"],
        holds: mx_curp,
        words: &["curp"],
    },
    Kind {
        id: "mx-rfc",
        alone: &["UUUU000000XXX"],
        beside: &["AAAA000000XXX"],
        holds: mx_rfc,
        words: &["rfc"],
    },
    Kind {
        id: "us-dea",
        alone: &[],
        beside: &["AA0000000", "A00000000"],
        holds: us_dea,
        words: &["dea", "dea number", "dea no", "certificate number"],
    },
    Kind {
        id: "us-itin",
        alone: &["000-00-0000"],
        beside: &["000000000", "000 00 0000"],
        holds: us_itin,
        words: &["itin", "taxpayer identification number", "taxpayer id", "tax id", "tin"],
    },
    Kind {
        id: "us-mbi",
        alone: &["0AX0-AX0-AA00", "0UX0UX0UU00"],
        beside: &["0AX0AX0AA00"],
        holds: us_mbi,
        words: &[
            "mbi",
            "medicare",
            "medicare id",
            "medicare number",
            "medicare beneficiary identifier",
        ],
    },
    Kind {
        id: "us-npi",
        alone: &[],
        beside: &["0000000000", "0000-000-000", "0000 000 000"],
        holds: |number| {
            matches!(number.first(), Some(b'1' | b'2')) && (luhn_sum(number.iter().copied()) + 24).is_multiple_of(10)
        },
        words: &[
            "npi",
            "national provider",
            "provider identifier",
            "provider number",
            "provider id",
        ],
    },
    Kind {
        id: "uy-ci",
        alone: &[],
        beside: &["0.000.000-0", "00000000", "0000000-0"],
        holds: |number| (weigh(number, &[2, 9, 8, 7, 6, 3, 4]) + at(number, 7)).is_multiple_of(10),
        words: &["ci", "cédula", "cedula", "cédula de identidad", "cedula de identidad"],
    },
];

/// The people's prefixes, and modulo 11.
fn ar_cuit(number: &[u8]) -> bool {
    let check = (11 - weigh(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    matches!(part(number, 0, 2), 20 | 23..=27) && check == at(number, 10)
}

fn br_cpf(number: &[u8]) -> bool {
    let check = |sum: u32| sum * 10 % 11 % 10;
    !is_uniform(number)
        && check(weigh(number, &[10, 9, 8, 7, 6, 5, 4, 3, 2])) == at(number, 9)
        && check(weigh(number, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) == at(number, 10)
}

/// Modulo 11 with the weights 2 to 7 from the right; `K` is ten.
fn cl_rut(number: &[u8]) -> bool {
    let Some((&check, digits)) = number.split_last() else {
        return false;
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([2, 3, 4, 5, 6, 7].iter().cycle())
        .map(|(&byte, weight)| u32::from(byte.wrapping_sub(b'0')) * weight)
        .sum();
    let expected = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    digits.iter().all(u8::is_ascii_digit) && !is_uniform(digits) && check == expected
}

/// Names, day of birth, sex, state, inner consonants, a sign for the century and the check digit.
fn mx_curp(number: &[u8]) -> bool {
    let state = number.get(11..13).unwrap_or_default();
    let sum: u32 = number
        .iter()
        .take(17)
        .zip((2..=18).rev())
        .map(|(&byte, weight): (_, u32)| mexican(byte) * weight)
        .sum();
    is_yymmdd(number.get(4..).unwrap_or_default())
        && matches!(number.get(10), Some(b'H' | b'M' | b'X'))
        && STATES.chunks(2).any(|known| known == state)
        && (10 - sum % 10) % 10 == at(number, 17)
}

/// Names, day of birth, a homonym key and the check digit.
fn mx_rfc(number: &[u8]) -> bool {
    let sum: u32 = number
        .iter()
        .take(12)
        .zip((2..=13).rev())
        .map(|(&byte, weight): (_, u32)| mexican(byte) * weight)
        .sum();
    let expected = match 11 - sum % 11 {
        11 => b'0',
        10 => b'A',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    is_yymmdd(number.get(4..).unwrap_or_default()) && number.get(12) == Some(&expected)
}

/// The value of a sign in the alphabets that have Ñ (CURP) or & (RFC) after N.
fn mexican(byte: u8) -> u32 {
    value(byte) + u32::from(byte > b'N')
}

const STATES: &[u8] = b"ASBCBSCCCSCHCLCMDFDGGRGTHGJCMCMNMSNENLNTOCPLQTQRSLSPSRTCTLTSVZYNZS";

fn us_dea(number: &[u8]) -> bool {
    let digits = number.get(2..).unwrap_or_default();
    let registrant = matches!(
        number.first(),
        Some(b'A' | b'B' | b'C' | b'D' | b'E' | b'F' | b'G' | b'H' | b'J'..=b'M' | b'P' | b'R'..=b'U' | b'X')
    );
    // Instead of the initial of a name, a business may have a nine.
    let initial = number
        .get(1)
        .is_some_and(|&byte| byte.is_ascii_uppercase() || byte == b'9');
    registrant && initial && weigh(digits, &[1, 2, 1, 2, 1, 2]) % 10 == at(digits, 6)
}

/// 9xx, and the middle pairs that are given out.
fn us_itin(number: &[u8]) -> bool {
    at(number, 0) == 9 && matches!(part(number, 3, 5), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// The letters leave out S, L, O, I, B and Z.
fn us_mbi(number: &[u8]) -> bool {
    at(number, 0) > 0
        && number
            .iter()
            .all(|byte| !matches!(byte, b'S' | b'L' | b'O' | b'I' | b'B' | b'Z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_hold() {
        assert!(ar_cuit(b"20123456786") && !ar_cuit(b"20123456787"));
        assert!(br_cpf(b"11144477735") && !br_cpf(b"11144477736") && !br_cpf(b"11111111111"));
        assert!(cl_rut(b"123456785") && !cl_rut(b"123456784"));
        assert!(mx_curp(b"HEGG560427MVZRRL04") && !mx_curp(b"HEGG560427MVZRRL05"));
        assert!(mx_rfc(b"GODE561231GR8") && !mx_rfc(b"GODE561231GR7"));
        assert!(us_dea(b"AP5836727") && !us_dea(b"AP5836728"));
        assert!(us_itin(b"912701234") && !us_itin(b"912691234"));
        assert!(us_mbi(b"1EG4TE5MK73") && !us_mbi(b"1SG4TE5MK73"));
        for (id, number) in [
            ("us-npi", "1234567893"),
            ("ca-sin", "046454286"),
            ("uy-ci", "12345672"),
            ("ec-cedula", "1710034065"),
        ] {
            let kind = KINDS.iter().find(|kind| kind.id == id).expect("a kind");
            // The Canadian example begins with the digit that is never given out.
            assert_eq!((kind.holds)(number.as_bytes()), id != "ca-sin", "{id}");
        }
        assert!(luhn(b"046454286"));
    }
}
