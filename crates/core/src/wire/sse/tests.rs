use proptest::prelude::*;

use super::{Event, Item, SseError, SseParser};

fn read(pieces: &[&[u8]]) -> Result<Vec<Item>, SseError> {
    let mut parser = SseParser::default();
    let mut items = Vec::new();
    for piece in pieces {
        items.extend(parser.push(piece)?);
    }
    parser.finish().map(|()| items)
}

fn event(name: Option<&str>, data: &str) -> Item {
    Item::Event(Event {
        event: name.map(str::to_owned),
        data: data.to_owned(),
    })
}

const STREAM: &[u8] =
    "\u{feff}data: one\r\n\r\n: keep-alive\n\nevent: grow\rdata: é😀\rdata:  two\rid: 7\r\rretry: 3\n\
    nobody: knows\ndata\n\ndata:{\"a\":\n data: not a field\ndata: 1}\r\n\nevent: alone\n\nevent:\ndata: end\n\n"
        .as_bytes();

#[test]
fn the_framing_is_that_of_the_standard() {
    let items = [
        event(None, "one"),
        Item::Comment,
        event(Some("grow"), "é😀\n two"),
        event(None, ""),
        event(None, "{\"a\":\n1}"),
        event(None, "end"),
    ];
    assert_eq!(read(&[STREAM]).as_deref(), Ok(&items[..]));
}

/// What the standard (WHATWG HTML, 9.2.6) says of fields, spaces, comments and ends, one stream each; comments left out.
#[test]
fn fields_spaces_and_ends_are_those_of_the_standard() {
    let cases: [(&str, &[&str]); 16] = [
        ("data: a\ndata: b\ndata: c\n\n", &["a\nb\nc"]),
        ("data\n\ndata\ndata\n\n", &["", "\n"]),
        ("data:a\n\ndata: a\n\n", &["a", "a"]),
        ("data:  a\n\n", &[" a"]),
        ("data: a \n\n", &["a "]),
        ("data:\ta\n\n", &["\ta"]),
        ("data: a: b\n\n", &["a: b"]),
        (" data: a\n\ndata: b\n\n", &["b"]),
        ("Data: a\n\ndata: b\n\n", &["b"]),
        ("data : a\n\ndata: b\n\n", &["b"]),
        ("data: a\r\rdata: b\r\n\r\ndata: c\n\r\n", &["a", "b", "c"]),
        (":\n\n:data: a\n\ndata: b\n\n", &["b"]),
        ("event: a\nid: 1\nretry: 10\n\ndata: b\n\n", &["b"]),
        ("event: a\n\ndata: b\n\n", &["b"]),
        ("\u{feff}data: a\n\ndata: \u{feff}b\n\n", &["a", "\u{feff}b"]),
        ("data: \u{2028}\u{85}\u{b}\n\n", &["\u{2028}\u{85}\u{b}"]),
    ];
    for (stream, wanted) in cases {
        for size in [stream.len(), 1, 2] {
            let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
            let items = read(&pieces).expect("a stream");
            let data: Vec<&str> = items
                .iter()
                .filter_map(|item| match item {
                    Item::Event(event) => Some(event.data.as_str()),
                    Item::Comment => None,
                })
                .collect();
            assert_eq!(data, wanted, "{stream:?} in pieces of {size}");
        }
    }
}

#[test]
fn it_does_not_matter_how_the_bytes_are_cut() {
    let whole = read(&[STREAM]);
    for cut in 0..=STREAM.len() {
        let (one, two) = STREAM.split_at(cut);
        assert_eq!(read(&[one, two]), whole, "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
    assert_eq!(read(&bytes), whole);
}

#[test]
fn a_stream_must_not_end_within_an_event() {
    for (stream, whole) in [
        (&b""[..], true),
        (b"data: a\n\n", true),
        (b"data: a\n\n:", true),
        (b": half a comment", true),
        (b"event: a\n", true),
        (b"data: a\n", false),
        (b"data: a", false),
        (b"da", false),
        (b"data: a\r", false),
        (b"data: a\r\n\r", true),
    ] {
        assert_eq!(read(&[stream]).is_ok(), whole, "{}", String::from_utf8_lossy(stream));
    }
}

#[test]
fn events_are_bounded() {
    let mut parser = SseParser::new(100);
    assert_eq!(parser.push(&[b'a'; 101]), Err(SseError::TooLarge));
    assert_eq!(parser.push(b"data: a\n\n"), Err(SseError::TooLarge));
    assert_eq!(parser.finish(), Err(SseError::TooLarge));
    let mut parser = SseParser::new(100);
    let lines = b"data: 0123456789\n".repeat(20);
    assert_eq!(parser.push(&lines), Err(SseError::TooLarge));
    let mut parser = SseParser::new(100);
    for _ in 0..20 {
        assert_eq!(parser.push(b"data: 0123456789\n\n").map(|items| items.len()), Ok(1));
    }
}

#[test]
fn what_came_before_an_offence_is_still_read() {
    let mut parser = SseParser::default();
    assert_eq!(parser.push(b"data: a\n\ndata: \xFF\n\n"), Ok(vec![event(None, "a")]));
    assert_eq!(parser.finish(), Err(SseError::NotUtf8));
    assert_eq!(parser.push(b""), Err(SseError::NotUtf8));
}

#[test]
fn an_event_is_always_written_in_the_same_way() {
    let event = Event {
        event: Some("x".to_owned()),
        data: " a\n\nb".to_owned(),
    };
    assert_eq!(event.encode(), b"event: x\ndata:  a\ndata: \ndata: b\n\n");
    assert_eq!(Event::data(String::new()).encode(), b"data: \n\n");
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(name in proptest::option::of("[a-z_]{1,9}"), data in any::<String>(), cut in any::<prop::sample::Index>()) {
        let written = Event { event: name.clone(), data: data.clone() }.encode();
        let (one, two) = written.split_at(cut.index(written.len()));
        let data = data.replace("\r\n", "\n").replace('\r', "\n");
        prop_assert_eq!(read(&[one, two]), Ok(vec![event(name.as_deref(), &data)]));
    }

    #[test]
    fn arbitrary_bytes_read_the_same_in_one_piece_or_many(bytes in proptest::collection::vec(prop::sample::select(&b"data:event \r\n\n\xEF\xBB\xBFx"[..]), 0..60)) {
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        let (mut one, mut many) = (SseParser::default(), SseParser::default());
        let whole = one.push(&bytes).unwrap_or_default();
        let pieces: Vec<Item> = single.iter().flat_map(|piece| many.push(piece).unwrap_or_default()).collect();
        prop_assert_eq!(whole, pieces);
        prop_assert_eq!(one.finish(), many.finish());
    }
}
