//! One JSON value, one sequence of bytes: RFC 8785 (JCS) without its hard part.
//!
//! RFC 8785 prints numbers as ECMAScript does, which is where implementations disagree. Records carry integers only
//! (times in milliseconds, counts, offsets), so a float is an error here and not a formatting question, and so is an
//! integer that a reader with doubles would round. Start at [`canonical`].

use serde_json::{Number, Value};
use thiserror::Error;

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
}

/// The canonical bytes of `value`: keys sorted by UTF-16 code units, no white space, the fewest escapes.
///
/// # Errors
///
/// When a number is not an integer within ±(2^53 - 1), or the value is nested more than 128 levels deep.
pub fn canonical(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::with_capacity(512);
    write_value(value, 0, &mut out).map_err(Fault::into_error)?;
    Ok(out)
}

/// What went wrong, with the way back to the root collected while unwinding: the good path pays nothing for it.
struct Fault {
    cause: Cause,
    /// Pointer segments, innermost first.
    way: Vec<String>,
}

enum Cause {
    Float,
    OutOfRange,
    TooDeep,
}

impl Fault {
    const fn new(cause: Cause) -> Self {
        Self { cause, way: Vec::new() }
    }

    fn under(mut self, segment: String) -> Self {
        self.way.push(segment);
        self
    }

    fn into_error(self) -> CanonicalError {
        let mut pointer = String::new();
        for segment in self.way.iter().rev() {
            pointer.push('/');
            pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
        }
        match self.cause {
            Cause::Float => CanonicalError::Float { pointer },
            Cause::OutOfRange => CanonicalError::OutOfRange { pointer },
            Cause::TooDeep => CanonicalError::TooDeep { pointer },
        }
    }
}

fn write_value(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_integer(number, out)?,
        Value::String(text) => write_string(text, out),
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => return Err(Fault::new(Cause::TooDeep)),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(item, depth + 1, out).map_err(|fault| fault.under(index.to_string()))?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            // RFC 8785 §3.2.3. The order of UTF-8 bytes differs above U+FFFF.
            sorted.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (index, (key, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write_value(member, depth + 1, out).map_err(|fault| fault.under(key.clone()))?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_integer(number: &Number, out: &mut Vec<u8>) -> Result<(), Fault> {
    let magnitude = match (number.as_u64(), number.as_i64()) {
        (Some(positive), _) => positive,
        (None, Some(negative)) => negative.unsigned_abs(),
        (None, None) => return Err(Fault::new(Cause::Float)),
    };
    if magnitude > MAX_SAFE_INTEGER {
        return Err(Fault::new(Cause::OutOfRange));
    }
    out.extend_from_slice(number.to_string().as_bytes());
    Ok(())
}

/// RFC 8785 §3.2.2.2: only what JSON demands is escaped, with the short form where there is one.
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            control @ 0..0x20 => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
            other => out.push(other),
        }
    }
    out.push(b'"');
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
    fn keys_sort_by_utf16_code_units_and_not_by_utf8_bytes() {
        // U+1F600 is D83D DE00 in UTF-16, so it sorts before U+FB33; in UTF-8 it would come after.
        let value = json!({"\u{fb33}": 5, "\u{1f600}": 4, "\r": 1, "1": 2, "\u{f6}": 3, "": 0});
        assert_eq!(
            text(&value),
            "{\"\":0,\"\\r\":1,\"1\":2,\"\u{f6}\":3,\"\u{1f600}\":4,\"\u{fb33}\":5}"
        );
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
