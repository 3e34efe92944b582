//! What answers say beside their contents, whole or in pieces, and what edits to them falsify.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::content::{called_tool, mark_content};
use super::spelling::{camel, each, each_of, field, fields, fix_fields};
use crate::exchange::{Fixed, Half, Part, Place, ToolCall};
use crate::verdict::Source;
use crate::wire::Malformed;
use crate::wire::json::{Document, Kind, Node};
use crate::wire::lookup::starts_in_body;
use crate::wire::reading::{Marks, Numbers};

/// One answer, or one piece of one.
pub(super) fn mark_response(marks: &mut Marks<'_, '_>, response: Node) {
    let doc = marks.doc;
    fix_fields(
        marks,
        response,
        &["createTime", "modelVersion", "responseId", "usageMetadata"],
    );
    for (name, value) in fields(doc, response) {
        match name.as_ref() {
            "candidates" => {
                for candidate in each(doc, Some(value)) {
                    mark_candidate(marks, candidate);
                }
            }
            "promptFeedback" => {
                fix_fields(marks, value, &["blockReason", "safetyRatings"]);
                marks.numbers(field(doc, value, "safetyRatings"), Numbers::Measured);
            }
            // Its details are of any type, with any names.
            "error" => marks.free(value),
            _ => {}
        }
    }
}

fn mark_candidate(marks: &mut Marks<'_, '_>, candidate: Node) {
    let doc = marks.doc;
    fix_fields(
        marks,
        candidate,
        &["continuationToken", "finishReason", "index", "safetyRatings"],
    );
    for (name, value) in fields(doc, candidate) {
        match name.as_ref() {
            "content" => mark_content(marks, value, Source::Model),
            "avgLogprobs" | "logprobsResult" | "safetyRatings" => marks.numbers(value, Numbers::Measured),
            "citationMetadata" | "groundingMetadata" | "urlContextMetadata" => {
                marks.source(value, Source::Retrieved);
                marks.numbers(value, Numbers::Measured);
            }
            _ => {}
        }
    }
}

/// The candidates of an answer with their numbers. A zero is not written, unless nothing is.
pub(super) fn candidates(doc: &Document<'_>, response: Node) -> Result<Vec<(u64, Node)>, Malformed> {
    let all: Vec<Node> = each_of(doc, response, "candidates").collect();
    let numbered = all.iter().any(|&candidate| field(doc, candidate, "index").is_some());
    let number = |(place, candidate): (usize, Node)| match field(doc, candidate, "index") {
        Some(index) => {
            let reason = "`index` is not a whole number";
            let number = doc.raw(index).parse().map_err(|_| Malformed {
                offset: doc.span(index).start,
                reason,
            })?;
            Ok((number, candidate))
        }
        None => Ok((if numbered { 0 } else { place as u64 }, candidate)),
    };
    all.into_iter().enumerate().map(number).collect()
}

/// The parts of a candidate.
pub(super) fn parts<'d>(doc: &'d Document<'_>, candidate: Node) -> impl Iterator<Item = Node> + 'd {
    let content = field(doc, candidate, "content");
    content.into_iter().flat_map(|content| each_of(doc, content, "parts"))
}

/// What a part says, with the kind of speech that it is, if it says anything.
pub(super) fn speech(doc: &Document<'_>, part: Node) -> Option<(&'static str, Node)> {
    let text = field(doc, part, "text").filter(|&text| doc.kind(text) == Kind::String)?;
    let thought = field(doc, part, "thought").is_some_and(|thought| doc.raw(thought) == "true");
    Some((if thought { "thought" } else { "text" }, text))
}

/// The tools that an answer calls.
pub(super) fn called_tools(doc: &Document<'_>, response: Node) -> Vec<ToolCall> {
    each_of(doc, response, "candidates")
        .flat_map(|candidate| parts(doc, candidate))
        .filter_map(|part| called_tool(doc, part))
        .collect()
}

/// The texts that a client puts together from several answers, each as one more part. It stands in several places, so
/// it cannot be edited; only what is found within one piece can.
pub(super) fn joined(doc: &Document<'_>, responses: &[Node]) -> Result<Vec<Part>, Malformed> {
    let mut texts: BTreeMap<(u64, &str), Vec<Node>> = BTreeMap::new();
    for &response in responses {
        for (index, candidate) in candidates(doc, response)? {
            for (kind, text) in parts(doc, candidate).filter_map(|part| speech(doc, part)) {
                texts.entry((index, kind)).or_default().push(text);
            }
        }
    }
    let whole = |pieces: Vec<Node>| {
        let first = *pieces.first().filter(|_| pieces.len() > 1)?;
        Some(Part {
            pointer: doc.pointer(first),
            text: pieces.iter().filter_map(|&piece| doc.text(piece)).collect(),
            source: Source::Model,
            fixed: Some(Fixed::Name),
            inner: false,
            place: Place::Body(doc.span(first)),
        })
    };
    Ok(texts.into_values().filter_map(whole).collect())
}

/// The values of answers that edits falsify: signatures of edited parts, and what speaks of an edited candidate's text.
pub(super) fn falsified(doc: &Document<'_>, responses: &[Node], half: &Half, edited: &[usize]) -> Vec<Range<usize>> {
    let starts = starts_in_body(half, edited);
    let mut values = signatures(doc, &starts);
    let candidates: Vec<(u64, Node)> = responses
        .iter()
        .filter_map(|&response| candidates(doc, response).ok())
        .flatten()
        .collect();
    let touched = |node: Node| {
        let span = doc.span(node);
        let first = starts.partition_point(|&start| start < span.start);
        starts.get(first).is_some_and(|&start| start < span.end)
    };
    // In an array, a candidate goes on from answer to answer.
    let (mut any, mut said) = (BTreeSet::new(), BTreeSet::new());
    for &(index, candidate) in &candidates {
        if touched(candidate) {
            any.insert(index);
        }
        if field(doc, candidate, "content").is_some_and(touched) {
            said.insert(index);
        }
    }
    for (index, candidate) in candidates {
        let probabilities = log_probabilities(doc, candidate).filter(|_| any.contains(&index));
        values.extend(probabilities.map(|value| doc.span(value)));
        if said.contains(&index) {
            values.extend(places(doc, candidate).into_iter().map(|value| doc.span(value)));
        }
    }
    values
}

/// The log probabilities of all that a candidate says.
pub(super) fn log_probabilities(doc: &Document<'_>, candidate: Node) -> Option<Node> {
    field(doc, candidate, "logprobsResult")
}

/// What points to places in a candidate's text.
pub(super) fn places(doc: &Document<'_>, candidate: Node) -> Vec<Node> {
    let mut places = Vec::new();
    for grounding in each_of(doc, candidate, "groundingMetadata") {
        places.extend(field(doc, grounding, "groundingSupports"));
    }
    for cited in each_of(doc, candidate, "citationMetadata") {
        for name in ["citations", "citationSources"] {
            for citation in each_of(doc, cited, name) {
                places.extend(field(doc, citation, "startIndex"));
                places.extend(field(doc, citation, "endIndex"));
            }
        }
    }
    places
}

/// The signatures of parts that texts at these places stand in.
fn signatures(doc: &Document<'_>, starts: &[usize]) -> Vec<Range<usize>> {
    let mut holders = BTreeSet::new();
    for &start in starts {
        let mut at = doc.at(start);
        while let Some(node) = at.and_then(|node| doc.parent(node)) {
            if !holders.insert(node) {
                break;
            }
            at = Some(node);
        }
    }
    let signatures = holders
        .into_iter()
        .filter_map(|holder| field(doc, holder, "thoughtSignature"));
    signatures.map(|signature| doc.span(signature)).collect()
}

/// Whether a name is that of a field whose value would be told twice by a copy of its event.
pub(super) fn is_told_once(name: Cow<'_, str>) -> bool {
    matches!(
        camel(name).as_ref(),
        "citationMetadata" | "groundingMetadata" | "logprobsResult" | "urlContextMetadata" | "usageMetadata"
    )
}
