//! Values that are taken out of a body whole, each with the comma that goes with it; all other bytes stay as they are.
//!
//! What [`splice`](super::splice) is for text, this is for items of lists and members of objects. Read [`Cut`] first.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::json::{Document, Kind, Node};

/// What is to go from a document.
#[derive(Debug)]
pub(super) struct Cut<'a, 'b> {
    doc: &'a Document<'b>,
    gone: BTreeSet<Node>,
    /// The containers of what goes.
    holders: BTreeSet<Node>,
}

/// What becomes of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing goes, or there is no such list.
    Whole,
    /// Some of it goes.
    Some,
    /// All of it goes.
    Nothing,
}

impl<'a, 'b> Cut<'a, 'b> {
    pub(super) const fn new(doc: &'a Document<'b>) -> Self {
        Self {
            doc,
            gone: BTreeSet::new(),
            holders: BTreeSet::new(),
        }
    }

    /// Takes a value out, whatever it holds.
    pub(super) fn take(&mut self, node: impl Into<Option<Node>>) {
        if let Some(node) = node.into()
            && let Some(holder) = self.doc.parent(node)
        {
            self.gone.insert(node);
            self.holders.insert(holder);
        }
    }

    /// Takes those items out of a list that `goes` names; of a value that stands for a list of one, the value. A list that
    /// nothing is left of goes as a whole.
    pub(super) fn items(&mut self, list: Option<Node>, mut goes: impl FnMut(&mut Self, Node) -> bool) -> Rest {
        let Some(list) = list else { return Rest::Whole };
        let doc = self.doc;
        let items: Vec<Node> = match doc.kind(list) {
            Kind::Array => doc.children(list).collect(),
            _ => vec![list],
        };
        let going: Vec<Node> = items.iter().copied().filter(|&item| goes(self, item)).collect();
        if going.is_empty() {
            return Rest::Whole;
        }
        if going.len() == items.len() {
            self.take(list);
            return Rest::Nothing;
        }
        going.into_iter().for_each(|item| self.take(item));
        Rest::Some
    }

    /// The body without what goes.
    pub(super) fn finish(self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(body.len());
        let mut done = 0;
        for range in self.ranges() {
            // Within something that went as a whole.
            if range.end <= done {
                continue;
            }
            out.extend_from_slice(body.get(done..range.start.max(done)).unwrap_or_default());
            done = range.end;
        }
        out.extend_from_slice(body.get(done..).unwrap_or_default());
        out
    }

    /// What goes, in order. What has something before it that stays goes with the comma before it, else with the one behind.
    fn ranges(&self) -> Vec<Range<usize>> {
        let doc = self.doc;
        let begins = |node: Node| doc.key_span(node).unwrap_or_else(|| doc.span(node)).start;
        let mut ranges = Vec::with_capacity(self.gone.len());
        for &holder in &self.holders {
            let mut before: Option<usize> = None;
            let mut stays = false;
            let mut children = doc.children(holder).peekable();
            while let Some(child) = children.next() {
                let end = doc.span(child).end;
                if self.gone.contains(&child) {
                    let next = children.peek().copied();
                    let range = match before.filter(|_| stays) {
                        Some(before) => before..end,
                        None => begins(child)..next.map_or(end, begins),
                    };
                    ranges.push(range);
                } else {
                    stays = true;
                }
                before = Some(end);
            }
        }
        ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        ranges
    }
}

/// The names that go.
pub(super) fn is_named(gone: &BTreeSet<String>, name: Option<Cow<'_, str>>) -> bool {
    name.is_some_and(|name| gone.contains(name.as_ref()))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::json::{self, Limits};
    use super::*;

    /// The body without the values at these pointers.
    fn without(body: &str, pointers: &[&str]) -> String {
        let doc = json::parse(body.as_bytes(), &Limits::default()).expect("is JSON");
        let mut cut = Cut::new(&doc);
        for pointer in pointers {
            let node = doc.nodes().find(|&node| doc.pointer(node) == *pointer);
            cut.take(node.unwrap_or_else(|| panic!("{pointer} in {body}")));
        }
        String::from_utf8(cut.finish(body.as_bytes())).expect("is text")
    }

    #[test]
    fn what_goes_takes_one_comma_with_it() {
        let body = r#"{ "a" : [ 1 , 2,3 ] , "b" : {"c":[{"d":1}]} }"#;
        for (pointers, left) in [
            (&["/a/0"][..], r#"{ "a" : [ 2,3 ] , "b" : {"c":[{"d":1}]} }"#),
            (&["/a/1"], r#"{ "a" : [ 1,3 ] , "b" : {"c":[{"d":1}]} }"#),
            (&["/a/2"], r#"{ "a" : [ 1 , 2 ] , "b" : {"c":[{"d":1}]} }"#),
            (&["/a/0", "/a/1"], r#"{ "a" : [ 3 ] , "b" : {"c":[{"d":1}]} }"#),
            (&["/a/1", "/a/2"], r#"{ "a" : [ 1 ] , "b" : {"c":[{"d":1}]} }"#),
            (&["/a/0", "/a/2"], r#"{ "a" : [ 2 ] , "b" : {"c":[{"d":1}]} }"#),
            (&["/a/0", "/a/1", "/a/2"], r#"{ "a" : [  ] , "b" : {"c":[{"d":1}]} }"#),
            (&["/a"], r#"{ "b" : {"c":[{"d":1}]} }"#),
            (&["/b", "/b/c/0"], r#"{ "a" : [ 1 , 2,3 ] }"#),
            (&["/b/c/0/d"], r#"{ "a" : [ 1 , 2,3 ] , "b" : {"c":[{}]} }"#),
            (&["/a", "/b"], "{  }"),
        ] {
            assert_eq!(without(body, pointers), left, "{pointers:?}");
        }
    }

    #[test]
    fn whatever_goes_the_rest_is_as_if_it_had_never_been_there() {
        let body = r#"{"a":[1,{"x":[7,8]},"3"],"b":2,"c":{"d":[],"e":null,"f":"\u0041"}}"#;
        let doc = json::parse(body.as_bytes(), &Limits::default()).expect("is JSON");
        let pointers: Vec<String> = doc.nodes().skip(1).map(|node| doc.pointer(node)).collect();
        for set in 0_u32..1 << pointers.len() {
            let chosen = (0..pointers.len()).filter(|place| set >> place & 1 == 1);
            let mut chosen: Vec<&str> = chosen.map(|place| pointers[place].as_str()).collect();
            let left: Value = serde_json::from_str(&without(body, &chosen)).expect("is JSON still");
            // From the back, so that places in lists stay what they are.
            let mut expected: Value = serde_json::from_str(body).expect("is JSON");
            chosen.reverse();
            for pointer in chosen {
                let (holder, name) = pointer.rsplit_once('/').expect("has a step");
                match expected.pointer_mut(holder) {
                    Some(Value::Array(items)) => drop(items.remove(name.parse().expect("a place"))),
                    Some(Value::Object(members)) => drop(members.remove(name)),
                    _ => unreachable!("what holds it is still there"),
                }
            }
            assert_eq!(left, expected, "{set:b}");
        }
    }
}
