//! Tools: how a request defines them, what they reach, and how items call them.

use crate::exchange::{Opaque, ToolCall};
use crate::wire::json::{Document, Kind, Node};
use crate::wire::lookup::items;
use crate::wire::reading::Marks;

/// Members of a definition that name something, decide what is valid, or let somebody in. A masked credential would fail
/// where nobody sees it.
const FIXED: &[&str] = &[
    "action",
    "allowed_callers",
    "allowed_tools",
    "authorization",
    "background",
    "environment",
    "execution",
    "headers",
    "input_fidelity",
    "moderation",
    "name",
    "output_format",
    "quality",
    "ranking_options",
    "require_approval",
    "search_context_size",
    "server_label",
    "size",
];

/// A tool, or the format of an answer: its names and schemas.
pub(super) fn mark_definition(marks: &mut Marks<'_, '_>, tool: Node) {
    let doc = marks.doc;
    mark_names(marks, tool);
    // A namespace holds tools, and no namespaces.
    for tool in items(doc, doc.get(tool, "tools")) {
        mark_names(marks, tool);
    }
}

fn mark_names(marks: &mut Marks<'_, '_>, tool: Node) {
    let doc = marks.doc;
    marks.fix_members(tool, FIXED);
    for name in ["parameters", "output_schema", "input_schema", "schema"] {
        marks.schema(doc.get(tool, name));
    }
    // The grammar of a custom tool.
    marks.fix(doc.get(tool, "format"));
    let container = doc
        .get(tool, "container")
        .into_iter()
        .chain(doc.get(tool, "environment"));
    for policy in container.filter_map(|holder| doc.get(holder, "network_policy")) {
        marks.fix(policy);
    }
}

/// What a tool of a request reaches that cannot be inspected: servers, and what the provider keeps.
pub(super) fn mark_reach(marks: &mut Marks<'_, '_>, tool: Node) {
    let doc = marks.doc;
    let kind = doc.member_text(tool, "type").unwrap_or_default();
    for name in ["server_url", "connector_id", "tunnel_id"] {
        marks.opaque(doc.given(tool, name), Opaque::RemoteReference);
    }
    for name in ["vector_store_ids", "file_ids"] {
        marks.opaque(doc.given(tool, name), Opaque::ServerState);
    }
    match kind.as_ref() {
        "function"
        | "custom"
        | "mcp"
        | "file_search"
        | "computer"
        | "computer_use_preview"
        | "local_shell"
        | "apply_patch"
        | "tool_search"
        | "programmatic_tool_calling" => {}
        "code_interpreter" => mark_container(marks, doc.given(tool, "container")),
        "shell" => mark_container(marks, doc.given(tool, "environment")),
        "image_generation" => {
            let mask = doc.given(tool, "input_image_mask");
            marks.opaque(mask, Opaque::Image);
            if let Some(mask) = mask {
                marks.references(mask);
            }
        }
        "namespace" => {
            for tool in items(doc, doc.get(tool, "tools")) {
                let kind = doc.member_text(tool, "type");
                if !matches!(kind.as_deref(), Some("function" | "custom")) {
                    marks.opaque(tool, Opaque::Unrecognized);
                }
            }
        }
        search if search.starts_with("web_search") => {}
        _ => marks.opaque(tool, Opaque::Unrecognized),
    }
}

/// Where code runs: somewhere by its id, or in a place that is made with files and skills in it.
fn mark_container(marks: &mut Marks<'_, '_>, container: Option<Node>) {
    let doc = marks.doc;
    let Some(container) = container else { return };
    if doc.kind(container) == Kind::String {
        return marks.opaque(container, Opaque::ServerState);
    }
    marks.opaque(doc.given(container, "container_id"), Opaque::ServerState);
    let files = doc.given(container, "file_ids");
    marks.opaque(
        files.filter(|&files| doc.children(files).next().is_some()),
        Opaque::ServerState,
    );
    for skill in items(doc, doc.get(container, "skills")) {
        marks.opaque(doc.given(skill, "skill_id"), Opaque::ServerState);
        marks.opaque(doc.given(skill, "source"), Opaque::File);
    }
}

/// Whether an item of this kind is a call that the client hears of only when it is whole. It may be the client's to carry
/// out; the rest are the provider's own, which show how far they are and leave the client nothing to do.
pub(super) fn waits(kind: &str) -> bool {
    let shown = [
        "code_interpreter_call",
        "file_search_call",
        "image_generation_call",
        "web_search_call",
    ];
    kind == "mcp_approval_request" || kind.ends_with("_call") && !shown.contains(&kind)
}

/// The tool that an item calls. One that the provider has built in goes by its kind: `web_search`, `shell`.
pub(super) fn called(doc: &Document<'_>, item: Node) -> Option<ToolCall> {
    let kind = doc.member_text(item, "type")?;
    let name = doc.member_text(item, "name");
    let (tool, arguments) = match kind.as_ref() {
        "function_call" | "mcp_call" | "mcp_approval_request" => (name?, doc.given(item, "arguments")),
        // What a custom tool takes is free text, without arguments.
        "custom_tool_call" => (name?, None),
        kind => {
            let built_in = kind.strip_suffix("_call")?.to_owned();
            let arguments = ["action", "actions", "operation", "arguments"];
            let given = arguments.iter().find_map(|name| doc.given(item, name));
            (built_in.into(), given)
        }
    };
    let arguments = arguments.map(|value| match doc.text(value) {
        Some(text) => text.into_owned(),
        None => doc.raw(value).to_owned(),
    });
    (!tool.is_empty()).then(|| ToolCall {
        tool: tool.into_owned(),
        arguments,
    })
}
