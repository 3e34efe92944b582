//! From a document to parts: what every dialect has in common.
//!
//! A dialect does not pick out the texts that it knows. It walks to the places that it knows and leaves `Marks` there:
//! who wrote this, this is a setting, this string holds JSON, this is a picture. Then one loop goes over the whole
//! document and hands over every string, member name and long number, marked or not. So nothing can go unread because a
//! vendor added a field. Left out are only numbers that say nothing by contract (`Numbers`). Read `Marks` first.

use std::borrow::Cow;
use std::ops::Range;

use super::Malformed;
use super::json::{self, Document, Kind, Limits, Node, TOO_MANY_VALUES};
use super::number::{is_small, long_number};
use super::usage;
use super::vector::is_vector;
use crate::exchange::{Fixed, Half, Opaque, Part, Place, Uninspectable};
use crate::verdict::Source;

/// What pointers of one body may take up in all. Only a body with long names around many values gets there.
pub(super) const POINTER_BYTES: usize = 64 * 1024 * 1024;

/// For how many parts of a document room is made at first.
const MOST_AT_FIRST: usize = 64;

/// What a string that may hold JSON is when it holds none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Json {
    /// A fault: its escapes hide text, so it counts as unrecognized if it has a backslash.
    Expected,
    /// Ordinary text; only an object or array is taken for JSON.
    Possible,
}

/// What the names in an object mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Names {
    /// The dialect's: some are known to hold ids and other fixed values.
    #[default]
    Dialect,
    /// Those of a JSON schema.
    Schema,
    /// Those of the properties that a JSON schema describes.
    Properties,
    /// Anybody's.
    Free,
}

/// What numbers are that are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Counted or timed: durations have as many digits as accounts.
    Counted,
    /// Measured: vectors, probabilities, scores. The digits of a small number are its precision; a large one is text.
    Measured,
}

impl Numbers {
    /// Whether a number, as it is written, is one of them.
    fn hold(self, raw: &str) -> bool {
        match self {
            Self::Counted => true,
            Self::Measured => is_small(raw),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    source: Option<Source>,
    fixed: Option<bool>,
    names: Option<Names>,
    json: Option<Json>,
    opaque: Option<Opaque>,
    numbers: Option<Numbers>,
}

/// What a dialect knows of the values in a document. A mark holds for all that is within the value.
#[derive(Debug)]
pub(super) struct Marks<'a, 'b> {
    /// The document.
    pub(super) doc: &'a Document<'b>,
    marks: Vec<Mark>,
}

impl<'a, 'b> Marks<'a, 'b> {
    pub(super) fn new(doc: &'a Document<'b>) -> Self {
        Self {
            doc,
            marks: vec![Mark::default(); doc.count()],
        }
    }

    /// States who wrote it.
    pub(super) fn source(&mut self, node: Node, source: Source) {
        self.mark(Some(node), |mark| mark.source = Some(source));
    }

    /// Others refer to it, or it is a setting: it cannot be edited.
    pub(super) fn fix(&mut self, node: impl Into<Option<Node>>) {
        self.mark(node, |mark| mark.fixed = Some(true));
    }

    /// Fixes each of the members that is there.
    pub(super) fn fix_members(&mut self, object: Node, names: &[&str]) {
        let doc = self.doc;
        for (name, value) in doc.members(object) {
            if names.contains(&name.as_ref()) {
                self.fix(value);
            }
        }
    }

    /// Its member names are the client's, not the dialect's: `id` in it is not an id of the dialect.
    pub(super) fn free(&mut self, node: impl Into<Option<Node>>) {
        self.mark(node, |mark| {
            mark.names = Some(Names::Free);
            mark.fixed = Some(false);
        });
    }

    /// Whether its member names are not the dialect's.
    pub(super) fn is_foreign(&self, node: Node) -> bool {
        let mark = self.marks.get(node.index());
        mark.is_some_and(|mark| mark.names.is_some_and(|names| names != Names::Dialect))
    }

    /// It is a JSON schema.
    pub(super) fn schema(&mut self, node: impl Into<Option<Node>>) {
        self.mark(node, |mark| mark.names = Some(Names::Schema));
    }

    /// Its text is JSON.
    pub(super) fn json(&mut self, node: impl Into<Option<Node>>, json: Json) {
        self.mark(node, |mark| mark.json = Some(json));
    }

    /// Its numbers are counted or computed by the server, such as durations and vectors: they are not looked at, since one
    /// in a thousand would pass for a card number. Strings and names within it are read all the same.
    pub(super) fn numbers(&mut self, node: impl Into<Option<Node>>, are: Numbers) {
        self.mark(node, |mark| mark.numbers = Some(are));
    }

    /// It cannot be read as text. What strings it has are read all the same.
    pub(super) fn opaque(&mut self, node: impl Into<Option<Node>>, what: Opaque) {
        self.mark(node, |mark| mark.opaque = Some(what));
    }

    /// It is a text or a list of texts. Everything else, such as the numbers of tokens, cannot be read.
    pub(super) fn texts(&mut self, node: Node) {
        let doc = self.doc;
        let readable = match doc.kind(node) {
            Kind::String | Kind::Null => true,
            Kind::Array => doc.children(node).all(|item| doc.kind(item) == Kind::String),
            Kind::Bool | Kind::Number | Kind::Object => false,
        };
        if !readable {
            self.opaque(node, Opaque::Unrecognized);
        }
    }

    /// Marks what lies elsewhere: members that hold a file's id or an address from which the provider fetches.
    pub(super) fn references(&mut self, within: Node) {
        let doc = self.doc;
        for node in doc.within(within) {
            if let (Some(key), Some(text)) = (doc.key(node), doc.text(node)) {
                if key == "file_id" {
                    self.opaque(node, Opaque::ServerState);
                } else if key.ends_with("url") && is_address(&text) {
                    self.opaque(node, Opaque::RemoteReference);
                }
            }
        }
    }

    fn mark(&mut self, node: impl Into<Option<Node>>, change: impl FnOnce(&mut Mark)) {
        if let Some(mark) = node.into().and_then(|node| self.marks.get_mut(node.index())) {
            change(mark);
        }
    }

    /// Hands over every part and everything uninspectable.
    pub(super) fn read(&self, source: Source) -> Result<Half, Malformed> {
        let mut half = Half::default();
        let mut reader = Reader::new(&mut half, self.doc.count());
        reader.read(self, Context::of(source), "", None)?;
        // One half states a bound, the other keeps to it or not.
        match source {
            Source::Model => half.usage = usage::stated(self.doc),
            _ => half.bound = usage::bound(self.doc),
        }
        Ok(half)
    }

    /// Calls `visit` with every member name, string and long number, in document order, and with everything
    /// uninspectable. Pointers begin with `base`.
    pub(super) fn walk(
        &self,
        outermost: Context,
        base: &str,
        mut visit: impl FnMut(Found<'_, 'b>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let doc = self.doc;
        let mut path = base.to_owned();
        let mut around: Vec<(Node, usize, Context)> = Vec::new();
        for node in doc.nodes() {
            while around
                .last()
                .is_some_and(|&(container, ..)| node >= doc.after(container))
            {
                around.pop();
            }
            let (length, outer) = around
                .last()
                .map_or((base.len(), outermost), |&(_, length, context)| (length, context));
            path.truncate(length);
            let key = doc.key(node);
            if !around.is_empty() {
                doc.push_step_called(&mut path, node, key.as_deref());
            }
            let kind = doc.kind(node);
            let mark = self.marks.get(node.index()).copied().unwrap_or_default();
            let mut context = outer.step(key.as_deref(), kind);
            context.source = mark.source.unwrap_or(context.source);
            context.fixed = mark.fixed.unwrap_or(context.fixed);
            context.names = mark.names.unwrap_or(context.names);
            context.numbers = mark.numbers.or(context.numbers);
            let text = doc.text(node);
            let opaque = mark.opaque.or_else(|| {
                let text = text.as_deref().filter(|_| !outer.reported)?;
                let encrypted = key.as_deref() == Some("encrypted_content");
                if encrypted {
                    Some(Opaque::EncryptedReasoning)
                } else {
                    opaque_data(text)
                }
            });
            if let Some(key) = key {
                visit(Found {
                    node,
                    pointer: &path,
                    context: outer,
                    json: None,
                    what: What::Key(key),
                })?;
            }
            if let Some(opaque) = opaque {
                context.reported = true;
                visit(Found {
                    node,
                    pointer: &path,
                    context,
                    json: None,
                    what: What::Opaque(opaque),
                })?;
            }
            if let Some(text) = text {
                if context.numbers == Some(Numbers::Measured) && is_vector(&text) {
                    continue;
                }
                visit(Found {
                    node,
                    pointer: &path,
                    context,
                    json: mark.json,
                    what: What::Text(text),
                })?;
            } else if kind == Kind::Number && !context.numbers.is_some_and(|are| are.hold(doc.raw(node))) {
                if let Some(text) = long_number(doc.raw(node)) {
                    visit(Found {
                        node,
                        pointer: &path,
                        context,
                        json: None,
                        what: What::Text(text),
                    })?;
                }
            } else if matches!(kind, Kind::Array | Kind::Object) {
                around.push((node, path.len(), context));
            }
        }
        Ok(())
    }
}

/// What the walk comes upon.
#[derive(Debug)]
pub(super) struct Found<'p, 'b> {
    pub(super) node: Node,
    /// The pointer of the value; for a member name, of the member.
    pub(super) pointer: &'p str,
    pub(super) context: Context,
    json: Option<Json>,
    pub(super) what: What<'b>,
}

/// The kinds of things that the walk comes upon.
#[derive(Debug)]
pub(super) enum What<'b> {
    /// The name of a member.
    Key(Cow<'b, str>),
    /// A string, or a number as text.
    Text(Cow<'b, str>),
    /// Something uninspectable.
    Opaque(Opaque),
}

/// What is known of a value from where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) source: Source,
    pub(super) fixed: bool,
    names: Names,
    /// Whether something around it was reported as uninspectable.
    reported: bool,
    /// What its numbers are, if they are no text.
    numbers: Option<Numbers>,
}

impl Context {
    /// The outermost context: `source` wrote it, and the names are the dialect's.
    pub(super) const fn of(source: Source) -> Self {
        Self {
            source,
            fixed: false,
            names: Names::Dialect,
            reported: false,
            numbers: None,
        }
    }

    /// What is known of a child of this value.
    fn step(mut self, key: Option<&str>, kind: Kind) -> Self {
        let key = key.unwrap_or_default();
        match self.names {
            Names::Dialect => self.fixed |= kind != Kind::Object && is_fixed_name(key),
            Names::Schema if kind == Kind::Object && SCHEMA_MAPS.contains(&key) => self.names = Names::Properties,
            Names::Schema if SCHEMA_VALUES.contains(&key) => self.names = Names::Free,
            Names::Schema => self.fixed |= SCHEMA_FIXED.contains(&key),
            Names::Properties => self.names = Names::Schema,
            Names::Free => {}
        }
        self
    }
}

/// Members of a JSON schema whose own members are named by the client.
const SCHEMA_MAPS: &[&str] = &[
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
];
/// Members of a JSON schema that hold any value.
const SCHEMA_VALUES: &[&str] = &["default", "example", "examples"];
/// Members of a JSON schema that decide what is valid.
const SCHEMA_FIXED: &[&str] = &[
    "enum",
    "const",
    "required",
    "type",
    "format",
    "pattern",
    "$ref",
    "$id",
    "$anchor",
    "$schema",
    "dependentRequired",
    "propertyOrdering",
    "property_ordering",
];

/// Whether a member of this name holds something that others refer to, wherever a dialect has it.
pub(super) fn is_fixed_name(name: &str) -> bool {
    matches!(
        name,
        "id" | "type" | "role" | "object" | "model" | "signature" | "media_type" | "cache_control"
    ) || name.ends_with("_id")
        || name.ends_with("_ids")
}

/// Takes a JSON text apart whose names are the client's own, such as the whole arguments of a tool call.
///
/// The parts stand in `text` as if it were a body; their pointers begin with `pointer` and a `#`.
///
/// # Errors
///
/// [`Malformed`] if it is not strict JSON; it can still be read as ordinary text.
pub fn read_arguments(text: &str, pointer: &str, source: Source) -> Result<Half, Malformed> {
    let doc = json::parse(text.as_bytes(), &Limits::default())?;
    let mut half = Half::default();
    let context = Context {
        names: Names::Free,
        ..Context::of(source)
    };
    Reader::new(&mut half, doc.count()).read(&Marks::new(&doc), context, &format!("{pointer}#"), None)?;
    Ok(half)
}

/// Gathers parts. One budget holds for a body and all the JSON in its strings.
struct Reader<'h> {
    half: &'h mut Half,
    nodes: usize,
    pointers: usize,
}

impl<'h> Reader<'h> {
    fn new(half: &'h mut Half, used: usize) -> Self {
        Self {
            half,
            nodes: Limits::default().nodes.saturating_sub(used),
            pointers: POINTER_BYTES,
        }
    }

    fn read(
        &mut self,
        marks: &Marks<'_, '_>,
        outermost: Context,
        base: &str,
        within: Option<usize>,
    ) -> Result<(), Malformed> {
        let doc = marks.doc;
        // A value has a name, a text or both.
        self.half.parts.reserve((2 * doc.count()).min(MOST_AT_FIRST));
        marks.walk(outermost, base, |found| {
            spend(&mut self.pointers, found.pointer, doc, found.node)?;
            let place = |token: Range<usize>| match within {
                Some(outer) => Place::Within { outer, token },
                None => Place::Body(token),
            };
            let (text, token, fixed) = match found.what {
                What::Opaque(what) => {
                    self.half.uninspectable.push(Uninspectable {
                        pointer: found.pointer.to_owned(),
                        what,
                    });
                    return Ok(());
                }
                What::Key(key) => (key, doc.key_span(found.node).unwrap_or_default(), Some(Fixed::Key)),
                What::Text(text) => (text, doc.span(found.node), found.context.fixed.then_some(Fixed::Name)),
            };
            let pointer = found.pointer.to_owned();
            let source = found.context.source;
            let part = Part {
                pointer,
                text: text.into_owned(),
                source,
                fixed,
                place: place(token),
                inner: false,
            };
            match found.json {
                Some(json) => self.push_json(part, json, found.context),
                None => {
                    self.half.parts.push(part);
                    Ok(())
                }
            }
        })
    }

    /// Pushes a part that may hold JSON, and the parts within it.
    fn push_json(&mut self, mut part: Part, json: Json, context: Context) -> Result<(), Malformed> {
        let text = part.text.clone();
        let limits = Limits {
            nodes: self.nodes,
            ..Limits::default()
        };
        match json::parse(text.as_bytes(), &limits) {
            Ok(doc) if json == Json::Expected || matches!(doc.kind(doc.root()), Kind::Array | Kind::Object) => {
                self.nodes = self.nodes.saturating_sub(doc.count());
                part.inner = true;
                let base = format!("{}#", part.pointer);
                self.half.parts.push(part);
                let outer = self.half.parts.len() - 1;
                let context = Context {
                    names: Names::Free,
                    fixed: false,
                    ..context
                };
                self.read(&Marks::new(&doc), context, &base, Some(outer))
            }
            Err(Malformed {
                reason: TOO_MANY_VALUES,
                ..
            }) => {
                let offset = if let Place::Body(token) = &part.place {
                    token.start
                } else {
                    0
                };
                Err(Malformed {
                    offset,
                    reason: TOO_MANY_VALUES,
                })
            }
            Ok(_) | Err(_) => {
                if json == Json::Expected && text.contains('\\') {
                    let what = Opaque::Unrecognized;
                    self.half.uninspectable.push(Uninspectable {
                        pointer: part.pointer.clone(),
                        what,
                    });
                }
                self.half.parts.push(part);
                Ok(())
            }
        }
    }
}

/// Takes the length of a pointer from what pointers may take up.
pub(super) fn spend(left: &mut usize, pointer: &str, doc: &Document<'_>, node: Node) -> Result<(), Malformed> {
    let reason = "member names are too long";
    *left = left.checked_sub(pointer.len()).ok_or(Malformed {
        offset: doc.span(node).start,
        reason,
    })?;
    Ok(())
}

/// What a `data:` address with base64 in it carries.
pub(super) fn opaque_data(text: &str) -> Option<Opaque> {
    let text = text.trim_start();
    let has_prefix = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let is_base64 = |piece: &str| {
        piece
            .trim()
            .get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case("base64,"))
    };
    if !has_prefix("data:") || !text.split(';').skip(1).any(is_base64) {
        return None;
    }
    Some(match () {
        () if has_prefix("data:image/") => Opaque::Image,
        () if has_prefix("data:audio/") => Opaque::Audio,
        () => Opaque::File,
    })
}

/// Whether the provider fetches from here.
pub(super) fn is_address(text: &str) -> bool {
    text.contains("://") && opaque_data(text).is_none()
}
