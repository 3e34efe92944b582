//! A strict JSON reader that keeps where everything stood.
//!
//! It reads RFC 8259 and nothing more, and refuses what two parsers could read differently: duplicate names, lone
//! surrogates, a byte order mark, anything after the value. The result is a flat arena in document order, so that the
//! reader and everything that walks a document is a loop, never a recursion. Values are not converted; a number is its
//! own text. Read [`Document`] first.

mod parse;
#[cfg(test)]
mod tests;
pub mod text;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::iter;
use std::ops::Range;

use super::Malformed;

/// How much a document may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting.
    pub depth: usize,
    /// Values, containers included.
    pub nodes: usize,
    /// What becomes of the numbers in arrays.
    pub vectors: Vectors,
}

/// What becomes of the numbers in arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vectors {
    /// Each is a value of the document.
    Kept,
    /// Those that only measure something, since they are small, are read and left out: a batch of embeddings has millions of
    /// them. Positions are as they were.
    Thinned,
}

impl Limits {
    /// For bodies that carry vectors.
    #[must_use]
    pub fn of_vectors() -> Self {
        Self {
            vectors: Vectors::Thinned,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 128,
            nodes: 400_000,
            vectors: Vectors::Kept,
        }
    }
}

/// Why a document with too many values is refused.
pub const TOO_MANY_VALUES: &str = "too many values";

/// Reads one JSON document.
///
/// # Errors
///
/// [`Malformed`] with the first offence.
pub fn parse<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Document<'b>, Malformed> {
    parse::parse(bytes, limits)
}

/// The string token that a text begins with, if it begins with one that is whole: what it says, and how many bytes it takes.
#[must_use]
pub fn leading_string(text: &str) -> Option<(Cow<'_, str>, usize)> {
    parse::leading_string(text)
}

/// A document that was read, over the bytes that it was read from.
#[derive(Debug, Clone)]
pub struct Document<'b> {
    text: &'b str,
    slots: Vec<Slot>,
}

/// A value of a [`Document`]. Values are ordered as they begin in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(u32);

impl Node {
    /// Its place in the order of [`Document::nodes`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// One value in the arena. Its descendants follow it up to `next`.
#[derive(Debug, Clone, Copy)]
struct Slot {
    kind: Kind,
    /// Whether the token of a string has an escape in it: without one it says what is written.
    escaped: bool,
    key_escaped: bool,
    /// The token with its quotes or brackets.
    start: u32,
    end: u32,
    /// The member name with its quotes; empty if it is not a member.
    key_start: u32,
    key_end: u32,
    parent: u32,
    /// How many siblings stand before it.
    position: u32,
    next: u32,
}

impl Slot {
    /// The member name, decoded; `None` if it is not a member.
    fn name<'b>(&self, text: &'b str) -> Option<Cow<'b, str>> {
        (self.key_end > self.key_start).then(|| said(text, self.key_start..self.key_end, self.key_escaped))
    }

    /// Whether it is a member of this name.
    fn is_called(&self, key: &str, text: &str) -> bool {
        if self.key_escaped {
            return self.name(text).is_some_and(|name| name == key);
        }
        let (start, end) = (self.key_start as usize, self.key_end as usize);
        end - start == key.len() + 2 && text.as_bytes().get(start + 1..end - 1) == Some(key.as_bytes())
    }
}

/// What the string token at a place of a text says.
fn said(text: &str, token: Range<u32>, escaped: bool) -> Cow<'_, str> {
    let token = text.get(token.start as usize..token.end as usize).unwrap_or_default();
    if escaped {
        return text::decode(token);
    }
    Cow::Borrowed(token.get(1..token.len().saturating_sub(1)).unwrap_or_default())
}

/// The parent of the root.
const NOWHERE: u32 = u32::MAX;

impl<'b> Document<'b> {
    /// The outermost value.
    #[must_use]
    pub const fn root(&self) -> Node {
        Node(0)
    }

    /// How many values there are, without those that were left out.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.slots.len()
    }

    /// Every value, in document order.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        (0..self.slots.len() as u32).map(Node)
    }

    /// `node` and all that it holds, in document order.
    pub fn within(&self, node: Node) -> impl Iterator<Item = Node> + use<> {
        (node.0..self.after(node).0.min(self.slots.len() as u32)).map(Node)
    }

    /// What `node` is.
    #[must_use]
    pub fn kind(&self, node: Node) -> Kind {
        self.slot(node).map_or(Kind::Null, |slot| slot.kind)
    }

    /// Where the token of `node` stands, quotes and brackets included.
    #[must_use]
    pub fn span(&self, node: Node) -> Range<usize> {
        self.slot(node)
            .map_or(0..0, |slot| slot.start as usize..slot.end as usize)
    }

    /// The token of `node` as it was written.
    #[must_use]
    pub fn raw(&self, node: Node) -> &'b str {
        self.text.get(self.span(node)).unwrap_or_default()
    }

    /// The text of a string, decoded; `None` for everything else.
    #[must_use]
    pub fn text(&self, node: Node) -> Option<Cow<'b, str>> {
        let slot = self.slot(node).filter(|slot| slot.kind == Kind::String)?;
        Some(said(self.text, slot.start..slot.end, slot.escaped))
    }

    /// Where the member name of `node` stands, quotes included; `None` if it is not a member.
    #[must_use]
    pub fn key_span(&self, node: Node) -> Option<Range<usize>> {
        let slot = self.slot(node)?;
        (slot.key_end > slot.key_start).then_some(slot.key_start as usize..slot.key_end as usize)
    }

    /// The member name of `node`, decoded; `None` if it is not a member.
    #[must_use]
    pub fn key(&self, node: Node) -> Option<Cow<'b, str>> {
        self.slot(node)?.name(self.text)
    }

    /// The object or array that holds `node`.
    #[must_use]
    pub fn parent(&self, node: Node) -> Option<Node> {
        self.slot(node)
            .filter(|slot| slot.parent != NOWHERE)
            .map(|slot| Node(slot.parent))
    }

    /// How many siblings stand before `node`, left out or not; in an array, its index.
    #[must_use]
    pub fn position(&self, node: Node) -> usize {
        self.slot(node).map_or(0, |slot| slot.position as usize)
    }

    /// The value after `node` and all that it holds, in document order.
    #[must_use]
    pub fn after(&self, node: Node) -> Node {
        Node(self.slot(node).map_or(NOWHERE, |slot| slot.next))
    }

    /// The items of an array or the member values of an object; nothing for everything else.
    pub fn children(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        let end = self.after(node);
        iter::successors(Some(Node(node.0 + 1)), |&child| Some(self.after(child))).take_while(move |&child| child < end)
    }

    /// The members of an object; nothing for everything else.
    pub fn members(&self, node: Node) -> impl Iterator<Item = (Cow<'b, str>, Node)> + '_ {
        self.children(node).filter_map(|child| Some((self.key(child)?, child)))
    }

    /// The member called `key`.
    #[must_use]
    pub fn get(&self, node: Node, key: &str) -> Option<Node> {
        self.children(node)
            .find(|&child| self.slot(child).is_some_and(|slot| slot.is_called(key, self.text)))
    }

    /// The member called `key`, unless it is `null`.
    #[must_use]
    pub fn given(&self, node: Node, key: &str) -> Option<Node> {
        self.get(node, key).filter(|&value| self.kind(value) != Kind::Null)
    }

    /// The text of the string member called `key`.
    #[must_use]
    pub fn member_text(&self, node: Node, key: &str) -> Option<Cow<'b, str>> {
        self.text(self.get(node, key)?)
    }

    /// The value whose token begins at `offset`.
    #[must_use]
    pub fn at(&self, offset: usize) -> Option<Node> {
        let found = self
            .slots
            .binary_search_by(|slot| (slot.start as usize).cmp(&offset))
            .ok()?;
        u32::try_from(found).ok().map(Node)
    }

    /// The JSON pointer (RFC 6901) of `node`.
    #[must_use]
    pub fn pointer(&self, node: Node) -> String {
        let mut way: Vec<Node> = iter::successors(Some(node), |&at| self.parent(at)).collect();
        way.pop();
        let mut pointer = String::new();
        for &step in way.iter().rev() {
            self.push_step(&mut pointer, step);
        }
        pointer
    }

    /// Appends the last step of the pointer of `node`.
    pub fn push_step(&self, pointer: &mut String, node: Node) {
        self.push_step_called(pointer, node, self.key(node).as_deref());
    }

    /// The same for a node whose member name, if it has one, is known.
    pub(super) fn push_step_called(&self, pointer: &mut String, node: Node, key: Option<&str>) {
        match key {
            Some(key) => push_name(pointer, key),
            None => {
                let _ = write!(pointer, "/{}", self.position(node));
            }
        }
    }

    fn slot(&self, node: Node) -> Option<&Slot> {
        self.slots.get(node.index())
    }
}

/// Appends a member name as one step of a JSON pointer.
fn push_name(pointer: &mut String, name: &str) {
    pointer.push('/');
    if !name.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        pointer.push_str(name);
        return;
    }
    for character in name.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
