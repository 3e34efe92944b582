//! Where a note to an answer goes, and where none may.

use std::ops::Range;

use crate::wire::json::{self, Document, Limits, Node};
use crate::wire::lookup::items;

/// Whether a member asks for something: it is there, and neither off nor empty.
pub(in crate::wire) fn is_asked(doc: &Document<'_>, node: Option<Node>) -> bool {
    node.is_some_and(|node| !matches!(doc.raw(node), "null" | "false" | "\"\""))
}

/// Whether the answer has a form that words behind it would break.
pub(super) fn is_exact(doc: &Document<'_>, root: Node) -> bool {
    let format = doc.given(root, "response_format");
    let formed = format.is_some_and(|format| doc.member_text(format, "type").as_deref() != Some("text"));
    formed || is_asked(doc, doc.given(root, "logprobs"))
}

/// The first choice of an answer, unless each of its tokens has a probability.
pub(in crate::wire) fn first_choice(doc: &Document<'_>) -> Option<Node> {
    let choices = items(doc, doc.get(doc.root(), "choices"));
    let numbered = |choice: Node| doc.get(choice, "index").map_or("0", |index| doc.raw(index)) == "0";
    let mut first = choices.filter(|&choice| numbered(choice));
    first.next().filter(|&choice| doc.given(choice, "logprobs").is_none())
}

pub(super) fn last_words(body: &[u8]) -> Option<Range<usize>> {
    let doc = json::parse(body, &Limits::default()).ok()?;
    let message = doc.get(first_choice(&doc)?, "message")?;
    let calls = items(&doc, doc.get(message, "tool_calls")).next().is_some();
    if calls || doc.given(message, "function_call").is_some() {
        return None;
    }
    let content = doc.get(message, "content")?;
    doc.text(content).filter(|text| !text.is_empty())?;
    Some(doc.span(content))
}
