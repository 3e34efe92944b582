//! Items: what the input of a request and the output of a response consist of.

use crate::exchange::Opaque;
use crate::verdict::Source;
use crate::wire::json::{Kind, Node};
use crate::wire::lookup::items;
use crate::wire::openai_chat;
use crate::wire::reading::{Json, Marks};

use super::tools::{mark_definition, mark_reach};

/// Members of an item that name or say how something stands.
const FIXED: &[&str] = &[
    "caller",
    "created_by",
    "execution",
    "fingerprint",
    "name",
    "namespace",
    "phase",
    "server_label",
    "status",
];

/// An item of either direction.
pub(super) fn mark_item(marks: &mut Marks<'_, '_>, item: Node) {
    let doc = marks.doc;
    marks.fix_members(item, FIXED);
    let kind = doc.member_text(item, "type").unwrap_or_else(|| {
        // Messages may leave it out, and so may references.
        let usual = if doc.get(item, "role").is_some() {
            "message"
        } else if doc.given(item, "id").is_some() && doc.members(item).all(|(name, _)| name == "id" || name == "type") {
            "item_reference"
        } else {
            ""
        };
        usual.into()
    });
    match kind.as_ref() {
        "message" => mark_message(marks, item),
        "function_call" | "mcp_call" | "mcp_approval_request" => {
            marks.source(item, Source::Model);
            mark_arguments(marks, item, "arguments", Json::Expected);
            // What a remote server answered stands beside the call.
            for name in ["output", "error"] {
                if let Some(output) = doc.get(item, name) {
                    marks.source(output, Source::Tool);
                }
            }
        }
        "custom_tool_call" => {
            marks.source(item, Source::Model);
            // By contract free text, in which a backslash means nothing.
            mark_arguments(marks, item, "input", Json::Possible);
        }
        "function_call_output" | "custom_tool_call_output" | "computer_call_output" => {
            marks.source(item, Source::Tool);
            mark_content(marks, doc.given(item, "output"));
        }
        "local_shell_call_output" => {
            marks.source(item, Source::Tool);
            mark_arguments(marks, item, "output", Json::Possible);
        }
        "shell_call_output" | "apply_patch_call_output" | "program_output" => marks.source(item, Source::Tool),
        "mcp_approval_response" => marks.source(item, Source::User),
        "reasoning" => {
            marks.source(item, Source::Model);
            mark_content(marks, doc.given(item, "summary"));
            mark_content(marks, doc.given(item, "content"));
        }
        // Their `encrypted_content` is reported wherever it stands.
        "compaction" | "compaction_summary" | "program" => marks.source(item, Source::Model),
        "compaction_trigger" => {}
        "item_reference" => marks.opaque(item, Opaque::ServerState),
        "file_search_call" | "web_search_call" => mark_search(marks, item),
        "code_interpreter_call" => mark_code(marks, item),
        "image_generation_call" => {
            marks.source(item, Source::Model);
            marks.opaque(doc.given(item, "result"), Opaque::Image);
        }
        "computer_call" | "apply_patch_call" | "shell_call" => marks.source(item, Source::Model),
        "local_shell_call" => {
            marks.source(item, Source::Model);
            marks.free(doc.get(item, "action").and_then(|action| doc.get(action, "env")));
        }
        "tool_search_call" => {
            marks.source(item, Source::Model);
            mark_arguments(marks, item, "arguments", Json::Expected);
        }
        "mcp_list_tools" => {
            marks.source(item, Source::Tool);
            for tool in items(doc, doc.get(item, "tools")) {
                mark_definition(marks, tool);
            }
        }
        "tool_search_output" | "additional_tools" => {
            let source = if kind == "additional_tools" {
                Source::System
            } else {
                Source::Tool
            };
            marks.source(item, source);
            for tool in items(doc, doc.get(item, "tools")) {
                mark_definition(marks, tool);
                mark_reach(marks, tool);
            }
        }
        _ => marks.opaque(item, Opaque::Unrecognized),
    }
}

fn mark_message(marks: &mut Marks<'_, '_>, message: Node) {
    let doc = marks.doc;
    match doc.member_text(message, "role").as_deref() {
        Some("user") => marks.source(message, Source::User),
        Some("system" | "developer") => marks.source(message, Source::System),
        Some("assistant") => marks.source(message, Source::Model),
        _ => marks.opaque(message, Opaque::Unrecognized),
    }
    mark_content(marks, doc.given(message, "content"));
}

fn mark_arguments(marks: &mut Marks<'_, '_>, call: Node, name: &str, json: Json) {
    let arguments = marks.doc.get(call, name);
    // Where it is an object, its names are the tool's.
    marks.free(arguments);
    marks.json(arguments, json);
}

fn mark_search(marks: &mut Marks<'_, '_>, item: Node) {
    let doc = marks.doc;
    marks.source(item, Source::Model);
    let results = doc.get(item, "results");
    let sources = doc.get(item, "action").and_then(|action| doc.get(action, "sources"));
    for found in [results, sources].into_iter().flatten() {
        marks.source(found, Source::Retrieved);
    }
    for result in items(doc, results) {
        marks.free(doc.get(result, "attributes"));
    }
}

fn mark_code(marks: &mut Marks<'_, '_>, item: Node) {
    let doc = marks.doc;
    marks.source(item, Source::Model);
    for output in items(doc, doc.get(item, "outputs")) {
        marks.source(output, Source::Tool);
        if doc.member_text(output, "type").as_deref() != Some("logs") {
            mark_content_part(marks, output);
        }
    }
}

fn mark_content(marks: &mut Marks<'_, '_>, content: Option<Node>) {
    let doc = marks.doc;
    let Some(content) = content else { return };
    match doc.kind(content) {
        Kind::String => {}
        Kind::Array => {
            for part in doc.children(content) {
                mark_content_part(marks, part);
            }
        }
        // A screenshot is one part.
        Kind::Object => mark_content_part(marks, content),
        Kind::Null | Kind::Bool | Kind::Number => marks.opaque(content, Opaque::Unrecognized),
    }
}

/// A part of a message's content, of a reasoning or of a tool's output.
pub(super) fn mark_content_part(marks: &mut Marks<'_, '_>, part: Node) {
    let doc = marks.doc;
    let kind = doc.member_text(part, "type");
    let is_text = matches!(
        kind.as_deref(),
        Some("input_text" | "output_text" | "reasoning_text" | "summary_text" | "text" | "refusal")
    );
    if !is_text || openai_chat::carried(doc, part).is_some() {
        return openai_chat::mark_content_part(marks, part);
    }
    // A citation names what it cites, and brings nothing with it that it does not say.
    if let Some(annotations) = doc.get(part, "annotations") {
        marks.source(annotations, Source::Retrieved);
    }
}
