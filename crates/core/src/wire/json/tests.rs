use proptest::prelude::*;

use super::text::{decode, escape, quote, raw_range};
use super::{Kind, Limits, Vectors, parse};

fn refusal(bytes: &[u8]) -> &'static str {
    parse(bytes, &Limits::default()).expect_err("is refused").reason
}

#[test]
fn small_numbers_in_arrays_can_be_left_out() {
    let text = r#"{"n":0.5,"v":[0.25,4111111111111111,-1e-7,[3,"a",{"m":7}],0.5,true],"w":[1]}"#;
    let kept = parse(text.as_bytes(), &Limits::default()).expect("is JSON");
    let limits = Limits {
        nodes: kept.count() - 5,
        vectors: Vectors::Thinned,
        ..Limits::default()
    };
    let thinned = parse(text.as_bytes(), &limits).expect("is JSON");
    assert_eq!(thinned.count(), kept.count() - 5);
    // What is left stands where it stood.
    for node in thinned.nodes() {
        let same = kept.at(thinned.span(node).start).expect("is there too");
        assert_eq!(thinned.pointer(node), kept.pointer(same));
        assert_eq!(thinned.raw(node), kept.raw(same));
        assert_eq!(thinned.position(node), kept.position(same));
    }
    assert_eq!(
        thinned
            .get(thinned.root(), "w")
            .map(|array| thinned.children(array).count()),
        Some(0)
    );
    assert!(thinned.nodes().any(|node| thinned.raw(node) == "4111111111111111"));
    // What is left out is read all the same.
    for bad in ["[01]", "[1.]", "[-]", "[1 2]", "[0.5,]"] {
        assert!(parse(bad.as_bytes(), &limits).is_err(), "{bad}");
    }
}

#[test]
fn what_two_parsers_could_read_differently_is_refused() {
    for (bytes, reason) in [
        (&b"\xEF\xBB\xBF{}"[..], "byte order mark"),
        (b"\"\xFF\"", "invalid UTF-8"),
        (b"\"\xED\xA0\x80\"", "invalid UTF-8"),
        (br#"{"a":1,"a":2}"#, "duplicate member name"),
        (br#"{"a":1,"\u0061":2}"#, "duplicate member name"),
        (br#""\ud800""#, "bad escape or half a surrogate pair"),
        (br#""\udc00\ud800""#, "bad escape or half a surrogate pair"),
        (br#""\ud800\u0041""#, "bad escape or half a surrogate pair"),
        (br#""\x41""#, "bad escape or half a surrogate pair"),
        (br#""\u12G4""#, "bad escape or half a surrogate pair"),
        (br#""\u+123""#, "bad escape or half a surrogate pair"),
        (b"\"a\nb\"", "control character in a string"),
        (b"\"a\0b\"", "control character in a string"),
        (b"\"abc", "string without an end"),
        (b"{} {}", "trailing data"),
        (b"{},", "trailing data"),
        (b"[1,]", "expected a value"),
        (b"[,1]", "expected a value"),
        (br#"{"a":1,}"#, "expected a member name"),
        (b"{a:1}", "expected a member name"),
        (br#"{"a" 1}"#, "expected a colon"),
        (b"[1 2]", "expected a comma or a closing bracket"),
        (b"[1}", "expected a comma or a closing bracket"),
        (b"NaN", "expected a value"),
        (b"Infinity", "expected a value"),
        (b"-Infinity", "bad number"),
        (b"[1] // no", "trailing data"),
        (b"[/* no */]", "expected a value"),
        (b"01", "bad number"),
        (b"-", "bad number"),
        (b"1.", "bad number"),
        (b".5", "expected a value"),
        (b"1e", "bad number"),
        (b"+1", "expected a value"),
        (b"0x10", "trailing data"),
        (b"tru", "expected a value"),
        (b"", "unexpected end"),
        (b"[\x0c]", "expected a value"),
        (b"[", "unexpected end"),
    ] {
        assert_eq!(refusal(bytes), reason, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn duplicates_are_found_among_many_members_too() {
    let mut members: Vec<String> = (0..20_000).map(|at| format!("\"m{at}\":{at}")).collect();
    let fine = format!("{{{}}}", members.join(","));
    assert!(parse(fine.as_bytes(), &Limits::default()).is_ok());
    members.push("\"m1\\u0037\":0".to_owned());
    assert_eq!(
        refusal(format!("{{{}}}", members.join(",")).as_bytes()),
        "duplicate member name"
    );
}

#[test]
fn depth_and_size_are_bounded() {
    let nest = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nest(128).as_bytes(), &Limits::default()).is_ok());
    assert_eq!(refusal(nest(129).as_bytes()), "nested too deeply");
    assert_eq!(refusal("[".repeat(1_000_000).as_bytes()), "nested too deeply");
    assert_eq!(
        refusal(format!("[{}1]", "1,".repeat(400_000)).as_bytes()),
        "too many values"
    );
}

#[test]
fn a_document_knows_where_everything_stands() {
    let body = br#" {"a/b": [1, {"t~": "x\ny"}], "c\u0064": null, "e": {}} "#;
    let doc = parse(body, &Limits::default()).expect("is JSON");
    let root = doc.root();
    let list = doc.get(root, "a/b").expect("is there");
    let items: Vec<_> = doc.children(list).collect();
    assert_eq!(items.len(), 2);
    assert_eq!((doc.kind(items[0]), doc.raw(items[0])), (Kind::Number, "1"));
    let text = doc.get(items[1], "t~").expect("is there");
    assert_eq!(doc.text(text).as_deref(), Some("x\ny"));
    assert_eq!(doc.pointer(text), "/a~1b/1/t~0");
    assert_eq!(doc.at(doc.span(text).start), Some(text));
    assert_eq!(doc.kind(doc.get(root, "cd").expect("is there")), Kind::Null);
    assert_eq!(doc.given(root, "cd"), None);
    assert_eq!(doc.get(root, "c\\u0064"), None);
    assert_eq!(doc.children(doc.get(root, "e").expect("is there")).count(), 0);
    assert_eq!(
        doc.members(root).map(|(name, _)| name.into_owned()).collect::<Vec<_>>(),
        ["a/b", "cd", "e"]
    );
    assert_eq!(doc.parent(text), Some(items[1]));
    assert_eq!(doc.pointer(root), "");
}

#[test]
fn a_range_of_text_has_its_place_in_the_token() {
    let token = r#""a\nb\ud83d\ude00cé""#;
    assert_eq!(decode(token), "a\nb😀cé");
    assert_eq!(raw_range(token, 0..1), Some(1..2));
    assert_eq!(raw_range(token, 1..2), Some(2..4));
    assert_eq!(raw_range(token, 3..7), Some(5..17));
    assert_eq!(raw_range(token, 8..10), Some(18..20));
    assert_eq!(raw_range(token, 10..10), Some(20..20));
    assert_eq!(raw_range(token, 4..7), None);
    assert_eq!(raw_range(token, 8..9), None);
    assert_eq!(raw_range(token, 8..11), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, &Limits::default());
    }

    #[test]
    fn text_survives_escaping(text in any::<String>()) {
        let quoted = quote(&text);
        prop_assert_eq!(decode(&quoted), text.as_str());
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).ok(), Some(text.clone()));
        prop_assert_eq!(escape(&text).len() + 2, quoted.len());
    }

    #[test]
    fn it_accepts_what_serde_json_accepts(
        base in prop::sample::select(&SEEDS[..]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&PIECES[..]), any::<bool>()), 0..4),
    ) {
        let mut bytes = base.as_bytes().to_vec();
        for (at, piece, insert) in changes {
            let at = at.index(bytes.len() + 1);
            let cut = if insert { at } else { (at + 1).min(bytes.len()) };
            bytes.splice(at..cut, piece.bytes());
        }
        let theirs = serde_json::from_slice::<serde_json::Value>(&bytes);
        match parse(&bytes, &Limits::default()) {
            Ok(doc) => {
                // Out of its range, but a number all the same.
                let too_big = theirs.as_ref().err().is_some_and(|error| error.to_string().contains("number out of range"));
                prop_assert!(too_big || theirs.is_ok(), "{:?}", String::from_utf8_lossy(&bytes));
                if let Ok(value) = theirs {
                    for node in doc.nodes().filter(|&node| doc.kind(node) == Kind::String) {
                        let found = value.pointer(&doc.pointer(node)).and_then(serde_json::Value::as_str);
                        let text = doc.text(node);
                        prop_assert_eq!(found, text.as_deref());
                    }
                }
            }
            Err(refused) => prop_assert!(
                theirs.is_err() || refused.reason == "duplicate member name",
                "{:?} {}", String::from_utf8_lossy(&bytes), refused
            ),
        }
    }
}

const SEEDS: [&str; 5] = [
    r#"{"model":"m","messages":[{"role":"user","content":"a\u00e9\ud83d\ude00b"}],"n":-1.5e+3,"x":null}"#,
    r#"[true,false,null,[],{},"",0,-0,1e5,"\"\\\/\b\f\n\r\t"]"#,
    r#"{"a":{"a":{"a":[1,2,3]}}, "b" : [ ] }"#,
    r#""just text""#,
    "12.25",
];
const PIECES: [&str; 28] = [
    "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "1", "-", "+", ".", "e", "E", "\\u", "\\ud83d", "\\ude00",
    "\\u0061", "\n", "\u{1}", " ", "null", "tru", "\"a\":1,", "é", "/", "",
];
