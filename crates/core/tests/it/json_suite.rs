//! The strict JSON reader against cases that readers are known to differ in.
//!
//! The cases here are our own, each with its verdict. With `ORDAIN_JSON_SUITE` the reader is also held against the files
//! of a folder, such as the public suite of 318 files that `scripts/eval/json` fetches: what begins with `y_` is accepted,
//! `n_` refused, and `i_`, which the standard leaves open, has a verdict that is pinned here (threat A8). What is accepted
//! is the same to `serde_json`.

use ordain_core::wire::Wire as _;
use ordain_core::wire::json::{Kind, Limits, parse};
use ordain_core::wire::openai_chat::OpenaiChat;

const TAIL: &str = "trailing data";
const VALUE: &str = "expected a value";
const NAME: &str = "expected a member name";
const COLON: &str = "expected a colon";
const COMMA: &str = "expected a comma or a closing bracket";
const END: &str = "unexpected end";
const NUMBER: &str = "bad number";
const ESCAPE: &str = "bad escape or half a surrogate pair";
const CONTROL: &str = "control character in a string";
const OPEN: &str = "string without an end";
const UTF8: &str = "invalid UTF-8";
const BOM: &str = "byte order mark";
const TWICE: &str = "duplicate member name";
const DEEP: &str = "nested too deeply";

/// Accepted.
const GOOD: &[&str] = &[
    // Every kind of value may stand alone, and white space around it.
    "null",
    "true",
    "false",
    "0",
    "\"\"",
    "\"text\"",
    "[]",
    "{}",
    " null ",
    "\t\r\n[ ]\n\r\t",
    "[\n]",
    "{ }",
    "[true ,false, null]",
    "{ \"a\" : 1 , \"b\" : [ 2 ] }",
    "[[],[[]],[[[]]]]",
    "{\"\":{\"\":{}}}",
    // Numbers of every shape, however large: they are their own text.
    "-0",
    "-1",
    "10",
    "1.5",
    "-0.0",
    "0.10",
    "1e1",
    "1E1",
    "1e+1",
    "1e-1",
    "1.5e00",
    "0e0",
    "0e+1",
    "123456789012345678901234567890",
    "-123456789012345678901234567890",
    "0.000000000000000000000000000000000000000000000001",
    "1e400",
    "-1e400",
    "1e-400",
    // Strings: every escape, every plane, and what is invisible.
    r#""\"\\\/\b\f\n\r\t""#,
    r#""/""#,
    r#""\u0041""#,
    r#""\u00e9\u00E9""#,
    r#""\u0000""#,
    r#""\u001f\u007f""#,
    r#""\ud83d\ude00""#,
    r#""\uD83D\uDE00""#,
    r#""\udbff\udfff""#,
    r#""\ufdd0\uffff\ufffe""#,
    r#""\u2028\u2029\ufeff""#,
    r#""\\u0041""#,
    r#""\\""#,
    r#""a\\\"b""#,
    "\"\u{7f}\"",
    "\"\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}\"",
    "\"\u{2028}\u{2029}\"",
    "\"\u{feff}\"",
    "\"\u{e000}\u{fdd0}\"",
    "\"e\u{301}\"",
    "\"// /* */ # ' , : ] }\"",
    // Names that only look alike are two names.
    "{\"a\":1,\"A\":2}",
    "{\"a\":1,\"a \":2}",
    "{\"\u{e9}\":1,\"e\u{301}\":2}",
    "{\"a\":{\"a\":{\"a\":1}}}",
    "[{\"a\":1},{\"a\":2}]",
    "{\"\\u0000\":1,\"\":2}",
    "{\"constructor\":1,\"__proto__\":2}",
];

/// Refused, and why.
const BAD: &[(&[u8], &str)] = &[
    // Nothing, and not enough.
    (b"", END),
    (b" ", END),
    (b"\n", END),
    (b"[", END),
    (b"{", END),
    (b"[1", END),
    (b"[1,", END),
    (b"[[]", END),
    (b"{\"a\"", COLON),
    (b"{\"a\":", END),
    (b"{\"a\":1", END),
    (b"{\"a\":1,", END),
    (b"[{}", END),
    // Too much.
    (b"[]]", TAIL),
    (b"{}}", TAIL),
    (b"[] []", TAIL),
    (b"{}{}", TAIL),
    (b"1 2", TAIL),
    (b"null,", TAIL),
    (b"\"a\"\"b\"", TAIL),
    (b"[1];", TAIL),
    (b"{}\0", TAIL),
    (b"{}#", TAIL),
    (b"nullx", TAIL),
    (b"true1", TAIL),
    // The wrong brackets.
    (b"]", VALUE),
    (b"}", VALUE),
    (b"[}", VALUE),
    (b"{]", NAME),
    (b"[1}", COMMA),
    (b"{\"a\":1]", COMMA),
    (b"(1)", VALUE),
    (b"<1>", VALUE),
    // Commas and colons.
    (b"[,]", VALUE),
    (b"[1,]", VALUE),
    (b"[,1]", VALUE),
    (b"[1,,2]", VALUE),
    (b"[1 2]", COMMA),
    (b"[1;2]", COMMA),
    (b"[\"a\":1]", COMMA),
    (b"[\"a\" \"b\"]", COMMA),
    (b"{,}", NAME),
    (b"{\"a\":1,}", NAME),
    (b"{,\"a\":1}", NAME),
    (b"{\"a\":1,,\"b\":2}", NAME),
    (b"{\"a\":1 \"b\":2}", COMMA),
    (b"{\"a\":1;\"b\":2}", COMMA),
    (b"{\"a\"}", COLON),
    (b"{\"a\",1}", COLON),
    (b"{\"a\" 1}", COLON),
    (b"{\"a\"=1}", COLON),
    (b"{\"a\"::1}", VALUE),
    (b"{\"a\":}", VALUE),
    (b"{:1}", NAME),
    (b":", VALUE),
    (b",", VALUE),
    // Names that are no strings.
    (b"{a:1}", NAME),
    (b"{'a':1}", NAME),
    (b"{1:1}", NAME),
    (b"{null:1}", NAME),
    (b"{[]:1}", NAME),
    (b"{{}:1}", NAME),
    // Words of other languages.
    (b"NaN", VALUE),
    (b"Infinity", VALUE),
    (b"-Infinity", NUMBER),
    (b"-NaN", NUMBER),
    (b"undefined", VALUE),
    (b"None", VALUE),
    (b"True", VALUE),
    (b"NULL", VALUE),
    (b"nul", VALUE),
    (b"nil", VALUE),
    (b"fals", VALUE),
    (b"truth", VALUE),
    (b"'a'", VALUE),
    (b"`a`", VALUE),
    (b"a", VALUE),
    (b"\\u0041", VALUE),
    (b"@", VALUE),
    // Comments.
    (b"// a\n1", VALUE),
    (b"/* a */1", VALUE),
    (b"1// a", TAIL),
    (b"1/* a */", TAIL),
    (b"[1,/* a */2]", VALUE),
    (b"{/**/\"a\":1}", NAME),
    (b"# a\n1", VALUE),
    (b"{\"a\":1}--", TAIL),
    // White space of other kinds.
    (b"[\x0b]", VALUE),
    (b"[\x0c]", VALUE),
    (b"\0[]", VALUE),
    (b"[]\x0c", TAIL),
    (b"[\xc2\xa0]", VALUE),
    (b"[\xe2\x80\xa8]", VALUE),
    (b"[\xe2\x81\xa0]", VALUE),
    (b"\xe2\x81\xa0[]", VALUE),
    // Numbers.
    (b"+1", VALUE),
    (b".5", VALUE),
    (b"-.5", NUMBER),
    (b"1.", NUMBER),
    (b"1.e1", NUMBER),
    (b"1e", NUMBER),
    (b"1e+", NUMBER),
    (b"1E-", NUMBER),
    (b"1ee1", NUMBER),
    (b"1e1.5", TAIL),
    (b"1.2.3", TAIL),
    (b"01", NUMBER),
    (b"-01", NUMBER),
    (b"00", NUMBER),
    (b"-", NUMBER),
    (b"--1", NUMBER),
    (b"- 1", NUMBER),
    (b"0x1F", TAIL),
    (b"1_000", TAIL),
    (b"1f", TAIL),
    (b"1n", TAIL),
    (b"1+2", TAIL),
    (b"\xef\xbc\x91", VALUE),
    (b"1\xd9\xa1", TAIL),
    // Strings.
    (b"\"", OPEN),
    (b"\"a", OPEN),
    (b"\"a\\\"", OPEN),
    (b"[\"a]", OPEN),
    (b"a\"", VALUE),
    (b"\"a\nb\"", CONTROL),
    (b"\"a\tb\"", CONTROL),
    (b"\"a\0b\"", CONTROL),
    (b"\"\x1f\"", CONTROL),
    (b"\"\\\n\"", ESCAPE),
    (b"\"\\a\"", ESCAPE),
    (b"\"\\'\"", ESCAPE),
    (b"\"\\x41\"", ESCAPE),
    (b"\"\\0\"", ESCAPE),
    (b"\"\\101\"", ESCAPE),
    (b"\"\\U0041\"", ESCAPE),
    (b"\"\\u{41}\"", ESCAPE),
    (b"\"\\u41\"", ESCAPE),
    (b"\"\\u 041\"", ESCAPE),
    (b"\"\\u+041\"", ESCAPE),
    (b"\"\\u004g\"", ESCAPE),
    (b"\"\\\xf0\x9f\x98\x80\"", ESCAPE),
    // Halves of surrogate pairs.
    (b"\"\\ud800\"", ESCAPE),
    (b"\"\\udc00\"", ESCAPE),
    (b"\"\\ud800a\"", ESCAPE),
    (b"\"\\ud800\\n\"", ESCAPE),
    (b"\"\\ud800\\u0041\"", ESCAPE),
    (b"\"\\ud800\\ud800\"", ESCAPE),
    (b"\"\\udc00\\ud800\"", ESCAPE),
    (b"\"\\ud800\\\\udc00\"", ESCAPE),
    (b"\"\\ud83d\\ude0\"", ESCAPE),
    (b"{\"\\udfaa\":0}", ESCAPE),
    // The same name twice, however it is written.
    (b"{\"a\":1,\"a\":1}", TWICE),
    (b"{\"a\":1,\"b\":2,\"a\":3}", TWICE),
    (b"{\"a\":1,\"\\u0061\":2}", TWICE),
    (b"{\"\":1,\"\":2}", TWICE),
    (b"{\"/\":1,\"\\/\":2}", TWICE),
    (b"{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}", TWICE),
    (b"[{\"x\":[{\"a\":1,\"a\":2}]}]", TWICE),
    // Other encodings, and none.
    (b"\xef\xbb\xbf{}", BOM),
    (b"\xef\xbb\xbf", BOM),
];

/// What the public suite has as bytes that are no text, by its names; the package that carries it has lost them.
const RAW: &[(&str, &[u8])] = &[
    ("i_string_UTF-16LE_with_BOM", b"\xff\xfe[\0\"\0\xe9\0\"\0]\0"),
    ("i_string_UTF-8_invalid_sequence", b"[\"\xe6\x97\xa5\xd1\x88\xfa\"]"),
    ("i_string_UTF8_surrogate_U+D800", b"[\"\xed\xa0\x80\"]"),
    ("i_string_invalid_utf-8", b"[\"\xff\"]"),
    ("i_string_iso_latin_1", b"[\"\xe9\"]"),
    ("i_string_lone_utf8_continuation_byte", b"[\"\x81\"]"),
    ("i_string_not_in_unicode_range", b"[\"\xf4\xbf\xbf\xbf\"]"),
    ("i_string_overlong_sequence_2_bytes", b"[\"\xc0\xaf\"]"),
    ("i_string_overlong_sequence_6_bytes", b"[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
    (
        "i_string_overlong_sequence_6_bytes_null",
        b"[\"\xfc\x80\x80\x80\x80\x80\"]",
    ),
    ("i_string_truncated-utf-8", b"[\"\xe0\xff\"]"),
    ("i_string_utf16BE_no_BOM", b"\0[\0\"\0\xe9\0\"\0]"),
    ("i_string_utf16LE_no_BOM", b"[\0\"\0\xe9\0\"\0]\0"),
    ("n_array_a_invalid_utf8", b"[a\xe5]"),
    ("n_array_invalid_utf8", b"[\xff]"),
    ("n_number_invalid-utf-8-in-bigger-int", b"[123\xe5]"),
    ("n_number_invalid-utf-8-in-exponent", b"[1e1\xe5]"),
    ("n_number_invalid-utf-8-in-int", b"[0\xe5]"),
    ("n_number_real_with_invalid_utf8_after_e", b"[1e\xe5]"),
    (
        "n_object_lone_continuation_byte_in_key_and_trailing_comma",
        b"{\"\xb9\":\"0\",}",
    ),
    ("n_string_invalid-utf-8-in-escape", b"[\"\\u\xe5\"]"),
    ("n_string_invalid_utf8_after_escape", b"[\"\\\xe5\"]"),
    ("n_structure_incomplete_UTF8_BOM", b"\xef\xbb{}"),
    ("n_structure_lone-invalid-utf-8", b"\xe5"),
    ("n_structure_single_eacute", b"\xe9"),
];

/// Files of the public suite that the standard allows and we refuse: two parsers could read them differently.
const STRICTER: &[(&str, &str)] = &[
    ("y_object_duplicated_key", TWICE),
    ("y_object_duplicated_key_and_value", TWICE),
];

/// Files of the public suite that the standard leaves open, and what we do with each; those in [`RAW`] are refused.
const LEFT_OPEN: &[(&str, Option<&str>)] = &[
    ("i_number_double_huge_neg_exp", None),
    ("i_number_huge_exp", None),
    ("i_number_neg_int_huge_exp", None),
    ("i_number_pos_double_huge_exp", None),
    ("i_number_real_neg_overflow", None),
    ("i_number_real_pos_overflow", None),
    ("i_number_real_underflow", None),
    ("i_number_too_big_neg_int", None),
    ("i_number_too_big_pos_int", None),
    ("i_number_very_big_negative_int", None),
    ("i_object_key_lone_2nd_surrogate", Some(ESCAPE)),
    ("i_string_1st_surrogate_but_2nd_missing", Some(ESCAPE)),
    ("i_string_1st_valid_surrogate_2nd_invalid", Some(ESCAPE)),
    ("i_string_incomplete_surrogate_and_escape_valid", Some(ESCAPE)),
    ("i_string_incomplete_surrogate_pair", Some(ESCAPE)),
    ("i_string_incomplete_surrogates_escape_valid", Some(ESCAPE)),
    ("i_string_invalid_lonely_surrogate", Some(ESCAPE)),
    ("i_string_invalid_surrogate", Some(ESCAPE)),
    ("i_string_inverted_surrogates_U+1D11E", Some(ESCAPE)),
    ("i_string_lone_second_surrogate", Some(ESCAPE)),
    ("i_structure_500_nested_arrays", Some(DEEP)),
    ("i_structure_UTF-8_BOM_empty_object", Some(BOM)),
];

/// Why the reader refuses it; `None` if it does not. What it accepts, another parser reads in the same way.
fn refusal(bytes: &[u8]) -> Option<&'static str> {
    let doc = match parse(bytes, &Limits::default()) {
        Ok(doc) => doc,
        Err(error) => return Some(error.reason),
    };
    let shown = || String::from_utf8_lossy(bytes);
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(value) => {
            for node in doc.nodes() {
                let theirs = value.pointer(&doc.pointer(node)).expect("has the value too");
                assert_eq!(theirs.as_str(), doc.text(node).as_deref(), "{}", shown());
                let members = theirs.as_object().map(|members| members.len());
                let ours = (doc.kind(node) == Kind::Object).then(|| doc.members(node).count());
                assert_eq!(members, ours, "{}", shown());
            }
        }
        // It wants numbers that a double can hold.
        Err(error) => assert!(error.to_string().contains("number out of range"), "{} {error}", shown()),
    }
    None
}

/// Whether a request that holds the value somewhere is read.
fn reads_within(value: &[u8]) -> bool {
    let body = [b"{\"model\":\"m\",\"messages\":[],\"x\":", value, b"}"].concat();
    OpenaiChat.read_request(&body, None).is_ok()
}

#[test]
fn every_case_has_its_verdict_alone_and_in_a_request() {
    for good in GOOD {
        assert_eq!(refusal(good.as_bytes()), None, "{good}");
        assert!(reads_within(good.as_bytes()), "{good}");
    }
    let raw = RAW.iter().map(|&(_, bytes)| (bytes, UTF8));
    for (bad, reason) in BAD.iter().copied().chain(raw) {
        assert_eq!(refusal(bad), Some(reason), "{}", String::from_utf8_lossy(bad));
        assert!(!reads_within(bad), "{}", String::from_utf8_lossy(bad));
    }
    assert!(GOOD.len() + BAD.len() >= 120);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test may read the suite where it was put")]
fn the_files_of_a_suite_have_their_verdicts() {
    let Some(folder) = std::env::var_os("ORDAIN_JSON_SUITE") else {
        return;
    };
    let mut counts = [0, 0, 0];
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a plain name");
        let bytes = std::fs::read(&path).expect("a file");
        let found = refusal(&bytes);
        let pinned = |table: &[(&str, Option<&'static str>)]| table.iter().find(|one| one.0 == name).map(|one| one.1);
        let (kind, fits) = if name.starts_with("n_") {
            (0, found.is_some())
        } else if name.starts_with("y_") {
            let stricter = STRICTER.iter().find(|one| one.0 == name).map(|one| one.1);
            (1, found == stricter)
        } else {
            let raw = RAW.iter().any(|one| one.0 == name).then_some(Some(UTF8));
            (2, raw.or(pinned(LEFT_OPEN)) == Some(found))
        };
        assert!(fits, "{name}: {found:?}");
        counts[kind] += 1;
    }
    let [refused, accepted, open] = counts;
    assert!(
        refused > 100 && accepted > 50 && open > 20,
        "this is no suite: {counts:?}"
    );
}
