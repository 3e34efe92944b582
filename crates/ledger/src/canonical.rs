//! One value, one sequence of bytes: RFC 8785 (JCS) without its hard part.
//!
//! RFC 8785 prints numbers as ECMAScript does, which is where implementations disagree. Records carry integers only
//! (times in milliseconds, counts, offsets), so a float is an error here and not a formatting question, and so is an
//! integer that a reader with doubles would round. Whatever says its shape through `serde` can be written, without a
//! tree of it in between; members that do not come in the order of RFC 8785 are put into it. Start at [`canonical`].

mod order;
mod write;

use serde::Serialize;
use thiserror::Error;

use self::write::{Fault, Writer};

/// The largest integer that every JSON reader keeps exactly (2^53 - 1, RFC 7493 §2.2).
const MAX_SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// How deeply a value may be nested; the bound that `serde_json` has when it parses.
const MAX_DEPTH: usize = 128;

/// Why a value has no canonical bytes. The pointer (RFC 6901) says where; it is empty for the whole value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CanonicalError {
    /// The number has a fraction or an exponent.
    #[error("a record holds integers only: the number at `{pointer}` is not one")]
    Float {
        /// Where the number is.
        pointer: String,
    },
    /// The integer does not survive a reader that keeps numbers as doubles.
    #[error("the integer at `{pointer}` is outside ±(2^53 - 1): write it as a string")]
    OutOfRange {
        /// Where the number is.
        pointer: String,
    },
    /// The value is nested too deeply to be read back.
    #[error("the value at `{pointer}` is nested more than {MAX_DEPTH} levels deep")]
    TooDeep {
        /// Where the limit was passed.
        pointer: String,
    },
    /// Two members of an object have one name: readers differ in which of them they take.
    #[error("two members of the object at `{pointer}` have the same name")]
    Twice {
        /// Where the object is.
        pointer: String,
    },
    /// The value says something that JSON has no word for.
    #[error("the value at `{pointer}` cannot be written: {why}")]
    Unwritable {
        /// Where it is.
        pointer: String,
        /// What it is.
        why: String,
    },
}

/// The canonical bytes of `value`: keys sorted by UTF-16 code units, no white space, the fewest escapes.
///
/// # Errors
///
/// When a number is not an integer within ±(2^53 - 1), a value is nested more than 128 levels deep, two members of an
/// object have one name, or a key is not text.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut writer = Writer::new();
    value.serialize(&mut writer).map_err(Fault::into_error)?;
    Ok(writer.into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{CanonicalError, MAX_DEPTH, canonical};

    fn text(value: &Value) -> String {
        String::from_utf8(canonical(value).expect("canonical")).expect("utf-8")
    }

    #[test]
    fn nothing_is_added_between_tokens() {
        assert_eq!(
            text(&json!({"b": [1, true, null], "a": {}, "c": []})),
            r#"{"a":{},"b":[1,true,null],"c":[]}"#
        );
    }

    #[test]
    fn what_json_escapes_is_seen_wherever_it_stands() {
        for length in 1..40 {
            for at in 0..length {
                for byte in 0..0x80_u8 {
                    let mut bytes = vec![b'\x7f'; length];
                    bytes[at] = byte;
                    let plain = String::from_utf8(bytes).expect("ASCII");
                    let written = text(&Value::from(plain.clone()));
                    assert_eq!(
                        written,
                        serde_json::to_string(&plain).expect("JSON"),
                        "{byte:#x} at {at}"
                    );
                }
            }
        }
        let multibyte = "\u{80}\u{a2}é\u{dc}€😀".repeat(3);
        assert_eq!(text(&json!(multibyte)), format!("\"{multibyte}\""));
    }

    #[test]
    fn keys_sort_by_utf16_code_units_and_not_by_utf8_bytes() {
        // U+1F600 is D83D DE00 in UTF-16, so it sorts before U+FB33; in UTF-8 it would come after.
        let value = json!({"\u{fb33}": 5, "\u{1f600}": 4, "\r": 1, "1": 2, "\u{f6}": 3, "": 0});
        assert_eq!(
            text(&value),
            "{\"\":0,\"\\r\":1,\"1\":2,\"\u{f6}\":3,\"\u{1f600}\":4,\"\u{fb33}\":5}"
        );
    }

    #[test]
    fn members_of_structs_and_maps_are_put_in_order() {
        #[derive(serde::Serialize)]
        struct Inner<'a> {
            z: u8,
            #[serde(skip_serializing_if = "Option::is_none")]
            none: Option<u8>,
            a: &'a [Option<i8>],
        }
        let value = [(
            "b",
            Inner {
                z: 1,
                none: None,
                a: &[None, Some(-1)],
            },
        )];
        let map: std::collections::HashMap<_, _> = value.into();
        let bytes = canonical(&map).expect("canonical");
        assert_eq!(bytes, br#"{"b":{"a":[null,-1],"z":1}}"#);
    }

    #[test]
    fn what_readers_would_differ_in_is_refused() {
        #[derive(serde::Serialize)]
        struct Twice {
            a: u8,
            #[serde(rename = "a")]
            b: u8,
        }
        #[derive(serde::Serialize)]
        enum Either {
            One(u8),
        }
        assert!(
            matches!(canonical(&[Twice { a: 1, b: 1 }]), Err(CanonicalError::Twice { pointer }) if pointer == "/0")
        );
        let keyed_by_numbers: std::collections::BTreeMap<u8, u8> = [(1, 1)].into();
        assert!(matches!(
            canonical(&keyed_by_numbers),
            Err(CanonicalError::Unwritable { .. })
        ));
        assert!(matches!(
            canonical(&Either::One(1)),
            Err(CanonicalError::Unwritable { .. })
        ));
    }

    #[test]
    fn a_key_sorts_before_its_own_extension() {
        assert_eq!(text(&json!({"ab": 2, "a": 1, "B": 0})), r#"{"B":0,"a":1,"ab":2}"#);
    }

    #[test]
    fn only_what_must_be_escaped_is() {
        let value = json!("\u{8}\t\n\u{c}\r\u{0}\u{1f}\"\\/\u{7f}é\u{2028}");
        assert_eq!(
            text(&value),
            "\"\\b\\t\\n\\f\\r\\u0000\\u001f\\\"\\\\/\u{7f}é\u{2028}\""
        );
    }

    #[test]
    fn integers_up_to_the_safe_bounds_are_kept() {
        let value = json!([0, -1, 9_007_199_254_740_991_i64, -9_007_199_254_740_991_i64]);
        assert_eq!(text(&value), "[0,-1,9007199254740991,-9007199254740991]");
    }

    #[test]
    fn other_numbers_are_named_by_their_pointer() {
        let float = |pointer: &str| {
            Err(CanonicalError::Float {
                pointer: pointer.to_owned(),
            })
        };
        let range = |pointer: &str| {
            Err(CanonicalError::OutOfRange {
                pointer: pointer.to_owned(),
            })
        };
        assert_eq!(canonical(&json!(1.5)), float(""));
        assert_eq!(canonical(&json!({"a": [0, 1.0]})), float("/a/1"));
        assert_eq!(canonical(&json!({"a/b": {"~": -0.0}})), float("/a~1b/~0"));
        assert_eq!(canonical(&json!({"n": 9_007_199_254_740_992_u64})), range("/n"));
        assert_eq!(canonical(&json!([-9_007_199_254_740_992_i64])), range("/0"));
        assert_eq!(canonical(&json!(u64::MAX)), range(""));
        assert_eq!(canonical(&json!(i64::MIN)), range(""));
    }

    #[test]
    fn the_canonical_bytes_read_back_as_the_same_value_and_the_same_bytes() {
        let value = json!({"z": ["\u{1}", {"y": -3}], "a": "\u{10ffff}", "k\"": null});
        let bytes = canonical(&value).expect("canonical");
        let again: Value = serde_json::from_slice(&bytes).expect("json");
        assert_eq!(again, value);
        assert_eq!(canonical(&again).expect("canonical"), bytes);
    }

    #[test]
    fn a_value_nested_too_deeply_is_refused_and_not_overflowed() {
        let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert!(canonical(&nested(MAX_DEPTH)).is_ok());
        assert!(matches!(
            canonical(&nested(MAX_DEPTH + 1)),
            Err(CanonicalError::TooDeep { .. })
        ));
    }
}
