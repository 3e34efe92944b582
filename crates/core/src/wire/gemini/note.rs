//! Where a note to an answer goes, and where none may.

use std::ops::Range;

use super::content::called_tool;
use super::response::{candidates, log_probabilities, parts, speech};
use super::spelling::{each_of, field};
use crate::wire::json::{self, Document, Limits, Node};

/// Whether the answer has a form that words behind it would break.
pub(super) fn is_exact(doc: &Document<'_>, request: Node) -> bool {
    each_of(doc, request, "generationConfig").any(|config| {
        let is = |name: &str| field(doc, config, name);
        let kind = is("responseMimeType").and_then(|kind| doc.text(kind));
        let schemas = ["_responseJsonSchema", "responseJsonSchema", "responseSchema"];
        kind.is_some_and(|kind| kind != "text/plain")
            || schemas.into_iter().any(|name| is(name).is_some())
            || is("responseLogprobs").is_some_and(|asked| doc.raw(asked) != "false")
    })
}

/// The end of what the first candidate says, over all pieces of an answer.
pub(super) fn last_words(body: &[u8]) -> Option<Range<usize>> {
    let doc = json::parse(body, &Limits::default()).ok()?;
    let mut last = None;
    for response in super::responses(&doc) {
        let all = candidates(&doc, response).ok()?;
        for (_, candidate) in all.into_iter().filter(|(index, _)| *index == 0) {
            let exact = log_probabilities(&doc, candidate).is_some();
            for part in parts(&doc, candidate) {
                if exact || called_tool(&doc, part).is_some() {
                    return None;
                }
                let said = speech(&doc, part).filter(|(kind, _)| *kind == "text");
                let text = said.map(|(_, text)| text);
                last = text.filter(|&text| doc.raw(text) != "\"\"").or(last);
            }
        }
    }
    last.map(|text| doc.span(text))
}
