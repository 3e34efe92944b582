//! Looking things up in documents: the members that every dialect has, and where edited parts stand.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Malformed;
use super::json::{Document, Kind, Node};
use crate::exchange::{Half, Place};

/// The model that a request names in its body or, for endpoints that have it there, in its path; where both do, they agree
/// (threat C10).
pub(super) fn model_name(doc: &Document<'_>, named: Option<&str>) -> Result<String, Malformed> {
    let at = |node: Node, reason| {
        Err(Malformed {
            offset: doc.span(node).start,
            reason,
        })
    };
    match (doc.given(doc.root(), "model"), named) {
        (Some(node), named) => {
            let name = doc.text(node).unwrap_or_default();
            if !is_plain_name(&name) {
                at(node, "`model` is not a plain name")
            } else if named.is_some_and(|named| named != name) {
                at(node, "`model` is not the one in the path")
            } else {
                Ok(name.into_owned())
            }
        }
        (None, Some(named)) if is_plain_name(named) => Ok(named.to_owned()),
        (None, _) => Err(Malformed {
            offset: 0,
            reason: "no `model`",
        }),
    }
}

/// Why a choice of OpenAI's streams has ended, if it has. Some servers say `""` in every chunk, which ends nothing.
pub(super) fn finish_reason(doc: &Document<'_>, choice: Node) -> Option<Node> {
    let reason = doc.given(choice, "finish_reason")?;
    doc.text(reason).is_none_or(|text| !text.is_empty()).then_some(reason)
}

/// Whether a model's name is the same for everybody who reads it: plain ASCII and not long.
pub(super) fn is_plain_name(name: &str) -> bool {
    (1..=256).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The outermost value of an answer, which is an object.
pub(super) fn object(doc: &Document<'_>) -> Result<Node, Malformed> {
    let root = doc.root();
    if doc.kind(root) == Kind::Object {
        return Ok(root);
    }
    Err(Malformed {
        offset: 0,
        reason: "not an object",
    })
}

/// The member that a request cannot do without; `reason` says so where it is missing.
pub(super) fn needed(doc: &Document<'_>, name: &str, reason: &'static str) -> Result<Node, Malformed> {
    doc.given(doc.root(), name).ok_or(Malformed { offset: 0, reason })
}

/// Whether a request asks for a streamed answer, in dialects that stream only when asked to.
pub(super) fn is_streamed(doc: &Document<'_>) -> Result<bool, Malformed> {
    Ok(stream_wish(doc)?.unwrap_or(false))
}

/// Whether a request asks for a streamed answer, or for a whole one; `None` if it does not say.
pub(super) fn stream_wish(doc: &Document<'_>) -> Result<Option<bool>, Malformed> {
    let Some(node) = doc.given(doc.root(), "stream") else {
        return Ok(None);
    };
    match doc.raw(node) {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(Malformed {
            offset: doc.span(node).start,
            reason: "`stream` is neither true nor false",
        }),
    }
}

/// The items of an array that may be absent.
pub(super) fn items<'d>(doc: &'d Document<'_>, array: Option<Node>) -> impl Iterator<Item = Node> + 'd {
    array
        .filter(|&array| doc.kind(array) == Kind::Array)
        .into_iter()
        .flat_map(|array| doc.children(array))
}

/// The number that `index` holds, or `otherwise` if there is none.
pub(super) fn index_in(doc: &Document<'_>, object: Node, otherwise: u64) -> Result<u64, Malformed> {
    index_called(doc, object, "index", otherwise)
}

/// The number that the member `name` holds, or `otherwise` if there is none.
pub(super) fn index_called(doc: &Document<'_>, object: Node, name: &str, otherwise: u64) -> Result<u64, Malformed> {
    let Some(index) = doc.given(object, name) else {
        return Ok(otherwise);
    };
    let reason = "an index is not a whole number";
    doc.raw(index).parse().map_err(|_| Malformed {
        offset: doc.span(index).start,
        reason,
    })
}

/// Whether an object says nothing beside these members: others are absent or empty.
pub(super) fn says_only(doc: &Document<'_>, object: Node, names: &[&str]) -> bool {
    let empty = |value: Node| match doc.kind(value) {
        Kind::Null => true,
        Kind::String => doc.raw(value) == "\"\"",
        Kind::Array | Kind::Object => doc.children(value).next().is_none(),
        Kind::Bool | Kind::Number => false,
    };
    doc.kind(object) == Kind::Object
        && doc
            .members(object)
            .all(|(name, value)| names.contains(&name.as_ref()) || empty(value))
}

/// Where in the body the tokens of edited parts begin, in order; of a part within a string, that string.
pub(super) fn starts_in_body(half: &Half, parts: &[usize]) -> Vec<usize> {
    let start = |&part: &usize| match &half.parts.get(part)?.place {
        Place::Body(token) => Some(token.start),
        Place::Within { outer, .. } => match &half.parts.get(*outer)?.place {
            Place::Body(token) => Some(token.start),
            Place::Within { .. } => None,
        },
    };
    let mut starts: Vec<usize> = parts.iter().filter_map(start).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// The log probabilities of choices that hold edited texts.
pub(super) fn log_probabilities(doc: &Document<'_>, starts: &[usize]) -> Vec<Range<usize>> {
    let edited = |choice: Node| {
        let span = doc.span(choice);
        let first = starts.partition_point(|&start| start < span.start);
        starts.get(first).is_some_and(|&start| start < span.end)
    };
    let choices = items(doc, doc.get(doc.root(), "choices")).filter(|&choice| edited(choice));
    choices
        .filter_map(|choice| Some(doc.span(doc.given(choice, "logprobs")?)))
        .collect()
}

/// The signatures that stand beside edited texts and vouch for them.
pub(super) fn signatures(doc: &Document<'_>, starts: &[usize]) -> Vec<Range<usize>> {
    let holders: BTreeSet<Node> = starts.iter().filter_map(|&start| doc.parent(doc.at(start)?)).collect();
    let signatures = holders.into_iter().filter_map(|holder| doc.given(holder, "signature"));
    signatures.map(|signature| doc.span(signature)).collect()
}
