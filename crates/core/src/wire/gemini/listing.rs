//! The tools that a request lists, and the request without some of them.
//!
//! An entry of `tools` may hold several functions and what the provider has built in. Settings for the calls of functions
//! are not taken without any function.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::spelling::{each, each_of, field, fields};
use crate::wire::cut::{Cut, Rest, is_named};
use crate::wire::json::{self, Document, Limits, Node};

/// What the provider has built in, with the type that calls of it have (`toolType`).
const BUILT_IN: &[(&str, &str)] = &[
    ("fileSearch", "FILE_SEARCH"),
    ("googleMaps", "GOOGLE_MAPS"),
    ("googleSearch", "GOOGLE_SEARCH_WEB"),
    ("googleSearchRetrieval", "GOOGLE_SEARCH_WEB"),
    ("urlContext", "URL_CONTEXT"),
];

/// The name that calls of a member of an entry have, if it is no list of functions.
fn built_in(member: &str) -> Option<&'static str> {
    let known = BUILT_IN.iter().find(|(name, _)| *name == member);
    known.map(|&(_, name)| name)
}

/// The name of a function.
fn name<'b>(doc: &Document<'b>, function: Node) -> Option<Cow<'b, str>> {
    doc.text(field(doc, function, "name")?)
}

/// The tools that a request for content lists.
pub(super) fn listed(doc: &Document<'_>, request: Node) -> Vec<String> {
    let mut listed = Vec::new();
    for tool in each_of(doc, request, "tools") {
        for (member, value) in fields(doc, tool) {
            match (member.as_ref(), built_in(&member)) {
                ("functionDeclarations", _) => {
                    listed
                        .extend(each(doc, Some(value)).filter_map(|function| Some(name(doc, function)?.into_owned())));
                }
                (_, Some(known)) => listed.push(known.to_owned()),
                (_, None) => {}
            }
        }
    }
    listed
}

/// The requests for content in a body: itself, or those of which tokens are counted.
pub(super) fn requests(doc: &Document<'_>) -> Vec<Node> {
    let root = doc.root();
    let within = each_of(doc, root, "generateContentRequest");
    within.chain([root]).collect()
}

pub(super) fn without_tools(body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
    let doc = json::parse(body, &Limits::default()).ok()?;
    let mut cut = Cut::new(&doc);
    for request in requests(&doc) {
        let mut functions = 0_usize;
        cut.items(field(&doc, request, "tools"), |cut, tool| {
            let mut stays = false;
            for (member, value) in fields(&doc, tool) {
                if member == "functionDeclarations" {
                    let rest = cut.items(Some(value), |_, function| {
                        let goes = is_named(gone, name(&doc, function));
                        functions += usize::from(!goes);
                        goes
                    });
                    stays |= rest != Rest::Nothing;
                } else if built_in(&member).is_some_and(|name| gone.contains(name)) {
                    cut.take(value);
                } else {
                    stays = true;
                }
            }
            !stays && doc.children(tool).next().is_some()
        });
        choose(&doc, &mut cut, request, gone, functions > 0);
    }
    Some(cut.finish(body))
}

/// What may be chosen is what stays; where nothing of it does, the model chooses.
fn choose(doc: &Document<'_>, cut: &mut Cut<'_, '_>, request: Node, gone: &BTreeSet<String>, left: bool) {
    for config in each_of(doc, request, "toolConfig") {
        let calling = field(doc, config, "functionCallingConfig");
        let allowed = calling.and_then(|calling| field(doc, calling, "allowedFunctionNames"));
        let rest = cut.items(allowed, |_, name| is_named(gone, doc.text(name)));
        cut.take(calling.filter(|_| !left || rest == Rest::Nothing));
    }
}
