//! The kinds of Asia, Africa and Oceania.

use super::super::checks::{at, is_day, is_uniform, is_yymmdd, luhn, mod_11_2, part, value, verhoeff, weigh};
use super::super::shapes::Kind;

pub(super) static KINDS: &[Kind] = &[
    Kind {
        id: "ae-emirates-id",
        alone: &["000-0000-0000000-0"],
        beside: &["000000000000000"],
        holds: |number| number.starts_with(b"784") && luhn(number),
        words: &["emirates id", "eid", "الهوية"],
    },
    Kind {
        id: "au-medicare",
        alone: &[],
        beside: &[
            "0000 00000 0",
            "0000000000",
            "0000-00000-0",
            "0000 00000 0-0",
            "0000 00000 0/0",
            "00000000000",
        ],
        holds: |number| {
            matches!(number.first(), Some(b'2'..=b'6'))
                && weigh(number, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == at(number, 8)
        },
        words: &[
            "medicare",
            "medicare number",
            "medicare no",
            "medicare card",
            "medicare card number",
        ],
    },
    Kind {
        id: "au-tfn",
        alone: &[],
        beside: &["000 000 000", "000-000-000", "000000000"],
        holds: |number| part(number, 0, 9) > 0 && weigh(number, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11),
        words: &["tfn", "tax file number", "tax file no", "tax file"],
    },
    Kind {
        id: "cn-resident-id",
        alone: &["00000000000000000X"],
        beside: &[],
        holds: cn_resident_id,
        words: &["身份证", "身份证号", "身份证号码", "公民身份号码", "resident id"],
    },
    Kind {
        id: "hk-hkid",
        alone: &["U000000(X)", "UU000000(X)"],
        beside: &["A000000(X)", "AA000000(X)", "A000000X", "AA000000X"],
        holds: hk_hkid,
        words: &[
            "hkid",
            "hong kong identity card",
            "identity card",
            "id card",
            "身份證",
            "身份證號碼",
        ],
    },
    Kind {
        id: "id-nik",
        alone: &[],
        beside: &["0000000000000000", "000000 000000 0000"],
        holds: |number| {
            // Women have forty added to the day.
            let day = part(number, 6, 8) % 40;
            (11..=97).contains(&part(number, 0, 2)) && is_day(part(number, 10, 12), part(number, 8, 10), day)
        },
        words: &["nik", "nomor induk kependudukan", "ktp", "no ktp", "no. ktp"],
    },
    Kind {
        id: "il-teudat-zehut",
        alone: &[],
        beside: &["000000000", "00000000-0", "0-0000000-0"],
        holds: |number| part(number, 0, 9) > 0 && luhn(number),
        words: &["teudat zehut", "israeli id", "תעודת זהות", "ת.ז", "ת\"ז", "מספר זהות"],
    },
    Kind {
        id: "in-aadhaar",
        alone: &["0000 0000 0000", "0000-0000-0000"],
        beside: &["000000000000", "0000:0000:0000"],
        holds: |number| at(number, 0) > 1 && !is_uniform(number) && verhoeff(number),
        words: &["aadhaar", "aadhar", "uidai", "uid", "आधार"],
    },
    Kind {
        id: "in-pan",
        alone: &["UUUUU0000U"],
        beside: &["AAAAA0000A"],
        holds: |number| {
            let holder = b"PCHABGJLFTE".iter().any(|known| number.get(3) == Some(known));
            holder && part(number, 5, 9) > 0
        },
        words: &["pan", "pan number", "pan card", "permanent account number"],
    },
    Kind {
        id: "jp-my-number",
        alone: &[],
        beside: &["000000000000", "0000 0000 0000", "0000-0000-0000"],
        holds: |number| {
            let check = 11 - weigh(number, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
            (if check > 9 { 0 } else { check }) == at(number, 11)
        },
        words: &["my number", "マイナンバー", "個人番号", "individual number"],
    },
    Kind {
        id: "kr-rrn",
        alone: &["000000-0000000"],
        beside: &["0000000000000", "000000 0000000"],
        holds: |number| is_yymmdd(number) && (1..=8).contains(&at(number, 6)),
        words: &[
            "rrn",
            "frn",
            "resident registration number",
            "foreigner registration number",
            "주민등록번호",
            "주민번호",
            "외국인등록번호",
        ],
    },
    Kind {
        id: "kz-iin",
        alone: &[],
        beside: &["000000000000"],
        holds: |number| {
            let sum = weigh(number, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
            let other = weigh(number, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11;
            is_yymmdd(number) && (if sum == 10 { other } else { sum }) == at(number, 11)
        },
        words: &["iin", "иин", "ИИН", "жсн", "ЖСН"],
    },
    Kind {
        id: "my-nric",
        alone: &["000000-00-0000"],
        beside: &["000000000000"],
        holds: |number| {
            is_yymmdd(number) && !matches!(part(number, 6, 8), 0 | 17..=20 | 69 | 70 | 73 | 80 | 81 | 94..=97)
        },
        words: &[
            "nric",
            "mykad",
            "ic",
            "ic number",
            "ic no",
            "no. kp",
            "no kad pengenalan",
            "kad pengenalan",
        ],
    },
    Kind {
        id: "ng-nin",
        alone: &[],
        beside: &["00000000000", "0000 000 0000"],
        holds: |number| !is_uniform(number),
        words: &["nin", "national identification number"],
    },
    Kind {
        id: "pk-cnic",
        alone: &[],
        beside: &["00000-0000000-0", "0000000000000"],
        holds: |number| (1..=8).contains(&at(number, 0)) && !is_uniform(number),
        words: &["cnic", "nicop", "nadra", "شناختی کارڈ"],
    },
    Kind {
        id: "sa-national-id",
        alone: &[],
        beside: &["0000000000"],
        holds: |number| matches!(number.first(), Some(b'1' | b'2')) && luhn(number),
        words: &["iqama", "saudi id", "absher", "رقم الهوية", "الإقامة", "هوية"],
    },
    Kind {
        id: "sg-nric-fin",
        alone: &["U0000000U"],
        beside: &["A0000000A"],
        holds: sg_nric_fin,
        words: &["nric", "fin", "nric/fin", "identity card"],
    },
    Kind {
        id: "th-national-id",
        alone: &["0-0000-00000-00-0"],
        beside: &["0000000000000", "0 0000 00000 00 0"],
        holds: |number| {
            let sum = weigh(number, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
            at(number, 0) > 0 && !is_uniform(number) && (11 - sum % 11) % 10 == at(number, 12)
        },
        words: &[
            "tnin",
            "thai id",
            "thai national id",
            "thai national id number",
            "ประชาชน",
        ],
    },
    Kind {
        id: "tr-kimlik",
        alone: &["00000000000"],
        beside: &["000 000 000 00"],
        holds: tr_kimlik,
        words: &[
            "tckn",
            "t.c",
            "tc",
            "kimlik",
            "tc kimlik",
            "kimlik no",
            "kimlik numarası",
        ],
    },
    Kind {
        id: "tw-national-id",
        alone: &[],
        beside: &["A000000000"],
        holds: tw_national_id,
        words: &[
            "身分證",
            "身分證字號",
            "身份證",
            "身份證字號",
            "統一編號",
            "taiwan id",
            "national id",
            "identity card",
        ],
    },
    Kind {
        id: "za-id",
        alone: &["0000000000000"],
        beside: &["000000 0000 000", "000000 0000 00 0"],
        holds: |number| is_yymmdd(number) && at(number, 10) < 3 && matches!(at(number, 11), 8 | 9 | 0) && luhn(number),
        words: &[
            "id number",
            "id no",
            "sa id",
            "rsa id",
            "identity number",
            "south african id",
            "id-nommer",
        ],
    },
];

/// Region, day of birth, serial and ISO 7064 MOD 11-2 (GB 11643-1999).
fn cn_resident_id(number: &[u8]) -> bool {
    (1..=8).contains(&at(number, 0))
        && (1900..=2099).contains(&part(number, 6, 10))
        && is_day(part(number, 6, 10), part(number, 10, 12), part(number, 12, 14))
        && matches!(number.last(), Some(b'0'..=b'9' | b'X'))
        && mod_11_2(number)
}

/// Modulo 11 over one or two letters, where a missing one counts 36, and the digits; `A` is ten.
fn hk_hkid(number: &[u8]) -> bool {
    let Some((&check, prefix)) = number.split_last() else {
        return false;
    };
    let check = match check {
        b'A' => 10,
        b'0'..=b'9' => value(check),
        _ => return false,
    };
    let sum = if prefix.len() == 8 {
        weigh(prefix, &[9, 8, 7, 6, 5, 4, 3, 2])
    } else {
        36 * 9 + weigh(prefix, &[8, 7, 6, 5, 4, 3, 2])
    };
    (sum + check).is_multiple_of(11)
}

/// The letter before the digits picks an offset and the alphabet of the letter after them.
fn sg_nric_fin(number: &[u8]) -> bool {
    let (offset, letters) = match number.first() {
        Some(b'S') => (0, b"JZIHGFEDCBA"),
        Some(b'T') => (4, b"JZIHGFEDCBA"),
        Some(b'F') => (0, b"XWUTRQPNMLK"),
        Some(b'G') => (4, b"XWUTRQPNMLK"),
        Some(b'M') => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    let sum = offset + weigh(number.get(1..).unwrap_or_default(), &[2, 7, 6, 5, 4, 3, 2]);
    number.last().is_some() && letters.get((sum % 11) as usize) == number.last()
}

fn tr_kimlik(number: &[u8]) -> bool {
    let odd = weigh(number, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weigh(number, &[0, 1, 0, 1, 0, 1, 0, 1]);
    at(number, 0) > 0 && (odd * 7 + 100 - even) % 10 == at(number, 9) && weigh(number, &[1; 10]) % 10 == at(number, 10)
}

/// The letter is a place, which counts two digits; then sex or status, serial and check digit.
fn tw_national_id(number: &[u8]) -> bool {
    let place = number
        .first()
        .and_then(|letter| b"ABCDEFGHJKLMNPQRSTUVXYWZIO".iter().position(|known| known == letter))
        .map_or(0, |index| index + 10);
    let Ok(place) = u32::try_from(place) else {
        return false;
    };
    let sum = place / 10 + place % 10 * 9 + weigh(number.get(1..).unwrap_or_default(), &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    matches!(number.get(1), Some(b'1' | b'2' | b'8' | b'9')) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_hold() {
        let examples: &[(&str, &[&str], &[&str])] = &[
            ("ae-emirates-id", &["784198012345678"], &["784198012345679"]),
            ("au-medicare", &["2123456701"], &["2123456711"]),
            ("au-tfn", &["876543210", "123456782"], &["876543211"]),
            ("cn-resident-id", &["11010519491231002X"], &["110105194912310021"]),
            ("hk-hkid", &["A1234563", "C1234569"], &["A1234564"]),
            ("id-nik", &["3171011708450001"], &["3171013513450001"]),
            ("il-teudat-zehut", &["039337423"], &["039337424"]),
            ("in-aadhaar", &["234123412346"], &["234123412347"]),
            ("in-pan", &["ABCPE1234F"], &["ABCZE1234F"]),
            ("jp-my-number", &["123456789018"], &["123456789017"]),
            ("kr-rrn", &["9710131019902"], &["9713131019902"]),
            ("my-nric", &["770305021234"], &["771305021234"]),
            ("sa-national-id", &["1101798278"], &["1101798277"]),
            ("sg-nric-fin", &["S1234567D", "M4332674T"], &["S1234567E"]),
            ("th-national-id", &["3100600445635"], &["3100600445636"]),
            ("tr-kimlik", &["10000000146", "17291716060"], &["17291716050"]),
            ("tw-national-id", &["A123456789"], &["A123456788"]),
            ("za-id", &["7503305044089"], &["7503305044088"]),
        ];
        for (id, holding, failing) in examples {
            let kind = KINDS.iter().find(|kind| kind.id == *id).expect(id);
            for number in *holding {
                assert!((kind.holds)(number.as_bytes()), "{id} {number}");
            }
            for number in *failing {
                assert!(!(kind.holds)(number.as_bytes()), "{id} {number}");
            }
        }
    }
}
