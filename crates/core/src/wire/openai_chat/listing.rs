//! The tools that a request lists, and the request without some of them.
//!
//! Lists that are empty are not taken by the provider, and neither is a choice among tools that are not listed.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::wire::cut::{Cut, Rest, is_named};
use crate::wire::json::{self, Document, Limits, Node};
use crate::wire::lookup::items;

/// The name of a tool where it is defined or chosen: that of its function, or of the custom tool that it is.
pub(in crate::wire) fn defined<'b>(doc: &Document<'b>, tool: Node) -> Option<Cow<'b, str>> {
    let definition = doc.get(tool, "function").or_else(|| doc.get(tool, "custom"))?;
    doc.member_text(definition, "name")
}

/// The tools that `tools` lists, in dialects that define them as this one does.
pub(in crate::wire) fn listed(doc: &Document<'_>, root: Node) -> Vec<String> {
    let tools = items(doc, doc.get(root, "tools")).filter_map(|tool| defined(doc, tool));
    let functions = items(doc, doc.get(root, "functions")).filter_map(|function| doc.member_text(function, "name"));
    tools.chain(functions).map(Cow::into_owned).collect()
}

pub(in crate::wire) fn without_tools(body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
    let doc = json::parse(body, &Limits::default()).ok()?;
    let root = doc.root();
    let mut cut = Cut::new(&doc);
    match cut.items(doc.given(root, "tools"), |_, tool| is_named(gone, defined(&doc, tool))) {
        Rest::Whole => {}
        Rest::Some => choose(&doc, &mut cut, gone),
        Rest::Nothing => {
            cut.take(doc.get(root, "tool_choice"));
            cut.take(doc.get(root, "parallel_tool_calls"));
        }
    }
    let functions = doc.given(root, "functions");
    let rest = cut.items(functions, |_, function| {
        is_named(gone, doc.member_text(function, "name"))
    });
    let chosen = doc.given(root, "function_call");
    let goes = chosen.is_some_and(|chosen| is_named(gone, doc.member_text(chosen, "name")));
    cut.take(chosen.filter(|_| rest == Rest::Nothing || goes));
    Some(cut.finish(body))
}

/// A choice of one tool that goes is none; of several, what stays may be chosen.
fn choose(doc: &Document<'_>, cut: &mut Cut<'_, '_>, gone: &BTreeSet<String>) {
    let Some(choice) = doc.given(doc.root(), "tool_choice") else {
        return;
    };
    let allowed = doc
        .get(choice, "allowed_tools")
        .and_then(|allowed| doc.get(allowed, "tools"));
    let rest = cut.items(allowed, |_, tool| is_named(gone, defined(doc, tool)));
    if rest == Rest::Nothing || is_named(gone, defined(doc, choice)) {
        cut.take(choice);
    }
}
