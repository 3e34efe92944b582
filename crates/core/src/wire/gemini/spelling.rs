//! The two spellings of a field.
//!
//! The API's bodies are protocol buffers in JSON, whose parsers accept `inlineData` and `inline_data` for the same field.
//! Which of the two counts if an object has both differs from parser to parser, so that is refused. Objects whose names
//! are the client's own (arguments, labels, schemas) may have what they like; all of their strings are read anyway.
//! Read [`field`] first.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::wire::Malformed;
use crate::wire::json::{Document, Kind, Node};
use crate::wire::lookup::items;
use crate::wire::reading::Marks;

/// A member name as the dialect writes it, in camel case.
pub(super) fn camel(name: Cow<'_, str>) -> Cow<'_, str> {
    let (mark, rest) = name.split_at(usize::from(name.starts_with('_')));
    if !rest.contains('_') {
        return name;
    }
    let mut out = String::with_capacity(name.len());
    out.push_str(mark);
    for (place, word) in rest.split('_').enumerate() {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            out.push(if place == 0 { first } else { first.to_ascii_uppercase() });
            out.push_str(letters.as_str());
        }
    }
    Cow::Owned(out)
}

/// The members of an object by their names in camel case, but for those that are `null`.
pub(super) fn fields<'b>(doc: &Document<'b>, object: Node) -> impl Iterator<Item = (Cow<'b, str>, Node)> {
    doc.members(object)
        .filter(|&(_, value)| doc.kind(value) != Kind::Null)
        .map(|(name, value)| (camel(name), value))
}

/// The field of this name in camel case, however it is spelled, unless it is `null`.
pub(super) fn field(doc: &Document<'_>, object: Node, name: &str) -> Option<Node> {
    fields(doc, object).find_map(|(known, value)| (known == name).then_some(value))
}

/// The values of a field that may have several. The API takes one value for a list of one.
pub(super) fn each<'d>(doc: &'d Document<'_>, field: Option<Node>) -> impl Iterator<Item = Node> + 'd {
    let alone = field.filter(|&value| doc.kind(value) != Kind::Array);
    items(doc, field).chain(alone)
}

/// The values of the field of this name, of which there may be several.
pub(super) fn each_of<'d>(doc: &'d Document<'_>, object: Node, name: &str) -> impl Iterator<Item = Node> + 'd {
    each(doc, field(doc, object, name))
}

/// Fixes each of the fields that is there.
pub(super) fn fix_fields(marks: &mut Marks<'_, '_>, object: Node, names: &[&str]) {
    let doc = marks.doc;
    for (name, value) in fields(doc, object) {
        if names.contains(&name.as_ref()) {
            marks.fix(value);
        }
    }
}

/// Refuses a document in which an object of the dialect has a field in two spellings.
pub(super) fn check(marks: &Marks<'_, '_>) -> Result<(), Malformed> {
    let doc = marks.doc;
    let mut next = doc.root();
    for node in doc.nodes() {
        if node < next {
            continue;
        }
        if marks.is_foreign(node) {
            next = doc.after(node);
        } else if doc.kind(node) == Kind::Object {
            let mut seen = BTreeSet::new();
            for (name, value) in doc.members(node) {
                if !seen.insert(camel(name)) {
                    let reason = "a field stands in two spellings";
                    let offset = doc.key_span(value).unwrap_or_default().start;
                    return Err(Malformed { offset, reason });
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json::{Limits, parse};

    #[test]
    fn both_spellings_are_one_name() {
        for (name, expected) in [
            ("inline_data", "inlineData"),
            ("inlineData", "inlineData"),
            ("top_p", "topP"),
            ("top__p_", "topP"),
            ("_responseJsonSchema", "_responseJsonSchema"),
            ("_response_json_schema", "_responseJsonSchema"),
            ("__x", "_X"),
            ("_", "_"),
            ("", ""),
            ("\u{e4}_\u{e9}", "\u{e4}\u{e9}"),
        ] {
            assert_eq!(camel(Cow::Borrowed(name)), expected, "{name}");
        }
    }

    #[test]
    fn one_value_is_a_list_of_one() {
        let doc = parse(br#"{"a":[1,2],"some_thing":{"b":3},"c":null}"#, &Limits::default()).expect("is JSON");
        let count = |name| each_of(&doc, doc.root(), name).count();
        assert_eq!((count("a"), count("someThing"), count("c"), count("d")), (2, 1, 0, 0));
    }
}
