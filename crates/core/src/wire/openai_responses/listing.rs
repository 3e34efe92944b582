//! The tools that a request lists, and the request without some of them.
//!
//! They stand in `tools`, in namespaces there, and in items that add some later. What the provider has built in goes by the
//! name that its calls have.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::wire::cut::{Cut, Rest, is_named};
use crate::wire::json::{self, Document, Kind, Limits, Node};
use crate::wire::lookup::items;

/// The name that calls of a tool have, where it is defined or chosen. A server's tools have names that only it knows, and a
/// namespace is none.
fn name<'b>(doc: &Document<'b>, tool: Node) -> Option<Cow<'b, str>> {
    let kind = doc.member_text(tool, "type")?;
    match kind.as_ref() {
        "function" | "custom" => doc.member_text(tool, "name"),
        "mcp" | "namespace" | "allowed_tools" => None,
        "computer_use_preview" => Some(Cow::Borrowed("computer")),
        search if search.starts_with("web_search") => Some(Cow::Borrowed("web_search")),
        _ => Some(kind),
    }
}

/// The lists of tools in a request, but for those in namespaces.
fn lists<'d>(doc: &'d Document<'_>) -> impl Iterator<Item = Node> + 'd {
    let root = doc.root();
    let added = items(doc, doc.get(root, "input")).filter(|&item| {
        let kind = doc.member_text(item, "type");
        matches!(kind.as_deref(), Some("additional_tools" | "tool_search_output"))
    });
    let added = added.filter_map(|item| doc.get(item, "tools"));
    let lists = doc.get(root, "tools").into_iter().chain(added);
    lists.filter(|&list| doc.kind(list) == Kind::Array)
}

pub(super) fn listed(doc: &Document<'_>) -> Vec<String> {
    let tools = lists(doc).flat_map(|list| doc.children(list));
    let with_inner = tools.flat_map(|tool| std::iter::once(tool).chain(items(doc, doc.get(tool, "tools"))));
    with_inner
        .filter_map(|tool| name(doc, tool))
        .map(Cow::into_owned)
        .collect()
}

pub(super) fn without_tools(body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
    let doc = json::parse(body, &Limits::default()).ok()?;
    let root = doc.root();
    let mut cut = Cut::new(&doc);
    let mut left = false;
    for list in lists(&doc) {
        let rest = cut.items(Some(list), |cut, tool| {
            let inner = doc.get(tool, "tools");
            let emptied = cut.items(inner, |_, tool| is_named(gone, name(&doc, tool))) == Rest::Nothing;
            emptied || is_named(gone, name(&doc, tool))
        });
        left |= rest != Rest::Nothing;
        // An item that adds nothing says nothing; the output of a search is the answer to one, and stays.
        let item = doc.parent(list).filter(|&item| item != root);
        let adds = item.filter(|&item| doc.member_text(item, "type").as_deref() == Some("additional_tools"));
        cut.take(adds.filter(|_| rest == Rest::Nothing));
    }
    let choice = doc.given(root, "tool_choice");
    if left {
        let allowed = choice.and_then(|choice| doc.get(choice, "tools"));
        let rest = cut.items(allowed, |_, tool| is_named(gone, name(&doc, tool)));
        let goes = choice.is_some_and(|choice| is_named(gone, name(&doc, choice)));
        cut.take(choice.filter(|_| goes || rest == Rest::Nothing));
    } else {
        cut.take(choice);
        cut.take(doc.get(root, "parallel_tool_calls"));
    }
    Some(cut.finish(body))
}
