//! The Messages dialect of Anthropic.
//!
//! `POST /v1/messages`: a `model`, a top-level `system`, `messages` of content blocks, and a `stream` of named events that
//! ends with `message_stop`. What is marked here is what the dialect knows; everything else is read all the same (see
//! [`reading`](super::reading)). Read [`AnthropicMessages`] first.

mod answers;
mod note;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

pub(super) use answers::error_value;

use super::cut::{Cut, Rest, is_named};
use super::json::{self, Document, Kind, Limits, Node};
use super::lookup::{is_streamed, items, model_name, object, signatures, starts_in_body};
use super::reading::Marks;
use super::sse::Event;
use super::{EventReading, Malformed, Refusal, Seen, Talk, Wire};
use crate::exchange::{Half, Opaque, ToolCall};
use crate::verdict::Source;
use crate::wire::sight::{Field, Sight, Sights};

/// The Messages dialect.
#[derive(Debug, Clone, Copy)]
pub struct AnthropicMessages;

impl Wire for AnthropicMessages {
    fn id(&self) -> &'static str {
        "anthropic-messages"
    }

    fn sights(&self) -> &'static Sights {
        &SIGHTS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = doc.root();
        let model = model_name(&doc, named)?;
        let stream = is_streamed(&doc)?;
        let messages = doc
            .get(root, "messages")
            .filter(|&messages| doc.kind(messages) == Kind::Array);
        let messages = messages.ok_or(Malformed {
            offset: 0,
            reason: "`messages` is not an array",
        })?;
        let mut marks = Marks::new(&doc);
        mark_settings(&mut marks, root);
        for message in doc.children(messages) {
            let source = match doc.member_text(message, "role").as_deref() {
                Some("user") => Source::User,
                Some("assistant") => Source::Model,
                role => {
                    marks.opaque(message, Opaque::Unrecognized);
                    if role == Some("system") {
                        Source::System
                    } else {
                        Source::User
                    }
                }
            };
            marks.source(message, source);
            mark_content(&mut marks, doc.given(message, "content"));
        }
        let half = marks.read(Source::User)?;
        Ok(Half {
            model: Some(model),
            stream,
            listed: items(&doc, doc.get(root, "tools"))
                .filter_map(|tool| Some(doc.member_text(tool, "name")?.into_owned()))
                .collect(),
            exact: note::is_exact(&doc),
            ..half
        })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = object(&doc)?;
        let mut marks = Marks::new(&doc);
        mark_message(&mut marks, root);
        mark_content(&mut marks, doc.given(root, "content"));
        let tools = items(&doc, doc.get(root, "content"))
            .filter_map(|block| called_tool(&doc, block))
            .collect();
        let half = marks.read(Source::Model)?;
        Ok(Half {
            model: doc.member_text(root, "model").map(Into::into),
            tools,
            ..half
        })
    }

    fn falsified(&self, body: &[u8], half: &Half, parts: &[usize]) -> Vec<Range<usize>> {
        let Ok(doc) = json::parse(body, &Limits::default()) else {
            return Vec::new();
        };
        signatures(&doc, &starts_in_body(half, parts))
    }

    fn without_tools(&self, body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
        let doc = json::parse(body, &Limits::default()).ok()?;
        let root = doc.root();
        let mut cut = Cut::new(&doc);
        let goes = |tool| is_named(gone, doc.member_text(tool, "name"));
        let rest = cut.items(doc.given(root, "tools"), |_, tool| goes(tool));
        // A choice of one tool that goes is none, and there is none among no tools.
        let choice = doc.get(root, "tool_choice");
        cut.take(choice.filter(|&choice| rest == Rest::Nothing || goes(choice)));
        Some(cut.finish(body))
    }

    fn talk(&self) -> Option<&dyn Talk> {
        Some(self)
    }
}

impl Talk for AnthropicMessages {
    fn read_event(&self, event: &Event) -> Result<EventReading, Malformed> {
        stream::read_event(event)
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Vec<u8> {
        answers::refusal(refusal)
    }

    fn refusal_stream(&self, refusal: &Refusal<'_>) -> Vec<u8> {
        answers::refusal_stream(refusal)
    }

    fn stop_stream(&self, seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8> {
        answers::stop_stream(seen, refusal)
    }

    fn broken_stream(&self, message: &str) -> Vec<u8> {
        answers::event("error", &error_value(502, message))
    }

    fn last_words(&self, body: &[u8]) -> Option<Range<usize>> {
        note::last_words(body)
    }

    fn postscript(&self, event: &Event, seen: &Seen, text: &str) -> Option<Vec<u8>> {
        note::postscript(event, seen, text)
    }
}

/// Settings of a request: numbers, switches and names that the provider knows.
const SETTINGS: &[&str] = &[
    "anthropic_beta",
    "anthropic_version",
    "betas",
    "inference_geo",
    "max_tokens",
    "model",
    "service_tier",
    "speed",
    "stream",
    "temperature",
    "thinking",
    "tool_choice",
    "top_k",
    "top_p",
];

fn mark_settings(marks: &mut Marks<'_, '_>, root: Node) {
    let doc = marks.doc;
    marks.fix_members(root, SETTINGS);
    marks.free(doc.get(root, "metadata"));
    marks.opaque(doc.given(root, "container"), Opaque::ServerState);
    let servers = doc
        .given(root, "mcp_servers")
        .filter(|&servers| doc.children(servers).next().is_some());
    marks.opaque(servers, Opaque::RemoteReference);
    for name in ["system", "tools", "output_format", "output_config"] {
        if let Some(definitions) = doc.get(root, name) {
            marks.source(definitions, Source::System);
        }
    }
    mark_content(marks, doc.given(root, "system"));
    for tool in items(doc, doc.get(root, "tools")) {
        marks.fix(doc.get(tool, "name"));
        marks.schema(doc.get(tool, "input_schema"));
    }
    let formats = [
        doc.get(root, "output_format"),
        doc.get(root, "output_config").and_then(|it| doc.get(it, "format")),
    ];
    for format in formats.into_iter().flatten() {
        marks.schema(doc.get(format, "schema"));
    }
}

/// The members of a message that an answer is, or that a stream begins with.
fn mark_message(marks: &mut Marks<'_, '_>, message: Node) {
    let doc = marks.doc;
    marks.fix_members(message, &["stop_reason", "usage"]);
    // In an answer it only names what the provider keeps; nothing is hidden in it.
    marks.fix(doc.get(message, "container"));
}

fn mark_content(marks: &mut Marks<'_, '_>, content: Option<Node>) {
    let doc = marks.doc;
    let Some(content) = content else { return };
    match doc.kind(content) {
        Kind::String => {}
        Kind::Array => {
            for block in doc.children(content) {
                mark_block(marks, block);
            }
        }
        // The content of a server tool's result may be one block.
        Kind::Object => mark_block(marks, content),
        Kind::Null | Kind::Bool | Kind::Number => marks.opaque(content, Opaque::Unrecognized),
    }
}

/// One content block. Blocks nest only a few levels deep, and the reader bounds that.
fn mark_block(marks: &mut Marks<'_, '_>, block: Node) {
    let doc = marks.doc;
    if doc.kind(block) == Kind::String {
        return;
    }
    let kind = doc.member_text(block, "type").unwrap_or_default();
    let sourced = doc
        .given(block, "source")
        .filter(|&source| doc.kind(source) == Kind::Object);
    match kind.as_ref() {
        // Of these, only a picture or document has a source; whoever adds one elsewhere means something by it.
        "text" | "thinking" | "compaction" => marks.opaque(sourced, Opaque::Unrecognized),
        "redacted_thinking" => marks.opaque(block, Opaque::EncryptedReasoning),
        "image" => {
            marks.opaque(block, Opaque::Image);
            marks.references(block);
        }
        "document" => {
            marks.source(block, Source::Retrieved);
            mark_document(marks, block, sourced);
        }
        "search_result" => {
            marks.source(block, Source::Retrieved);
            mark_content(marks, doc.given(block, "content"));
        }
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            marks.fix_members(block, &["name", "server_name"]);
            marks.free(doc.get(block, "input"));
        }
        "container_upload" => marks.opaque(block, Opaque::ServerState),
        "tool_reference" => marks.fix(doc.get(block, "tool_name")),
        "web_search_result" => marks.opaque(doc.given(block, "encrypted_content"), Opaque::ServerState),
        "web_fetch_result" => mark_content(marks, doc.given(block, "content")),
        result if result.ends_with("_tool_result") || result == "tool_result" => {
            let searched = matches!(result, "web_search_tool_result" | "web_fetch_tool_result");
            marks.source(block, if searched { Source::Retrieved } else { Source::Tool });
            mark_content(marks, doc.given(block, "content"));
        }
        // What the provider's own tools answer with: output as text, and files by their ids.
        result
            if ["_result", "_output", "_result_error"]
                .iter()
                .any(|end| result.ends_with(end)) =>
        {
            marks.references(block);
        }
        _ => marks.opaque(block, Opaque::Unrecognized),
    }
}

fn mark_document(marks: &mut Marks<'_, '_>, block: Node, source: Option<Node>) {
    let doc = marks.doc;
    let what = match source.and_then(|source| doc.member_text(source, "type")).as_deref() {
        Some("text") => return,
        Some("content") => {
            let content = source.and_then(|source| doc.given(source, "content"));
            return mark_content(marks, content);
        }
        Some("base64") => Opaque::File,
        Some("url") => Opaque::RemoteReference,
        Some("file") => Opaque::ServerState,
        _ => Opaque::Unrecognized,
    };
    marks.opaque(block, what);
}

/// The tool that a block calls.
fn called_tool(doc: &Document<'_>, block: Node) -> Option<ToolCall> {
    let kind = doc.member_text(block, "type")?;
    let calls = matches!(kind.as_ref(), "tool_use" | "server_tool_use" | "mcp_tool_use");
    let tool = doc
        .member_text(block, "name")
        .filter(|name| calls && !name.is_empty())?;
    Some(ToolCall {
        tool: tool.into(),
        arguments: doc.given(block, "input").map(|input| doc.raw(input).to_owned()),
    })
}

/// What it sees, and what it can do there.
pub(super) const SIGHTS: Sights = Sights {
    prompt: &[
        (Field::Text, Sight::Edited),
        (Field::SystemText, Sight::Edited),
        (Field::ToolDefinitions, Sight::Edited),
        (Field::EarlierAnswers, Sight::Edited),
        (Field::ToolCalls, Sight::Edited),
        (Field::ToolResults, Sight::Edited),
        (Field::Retrieved, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::Files, Sight::Unread),
        (Field::RemoteReferences, Sight::Unread),
        (Field::StoredState, Sight::Unread),
        (Field::EncryptedReasoning, Sight::Unread),
    ],
    answer: &[
        (Field::Text, Sight::Edited),
        (Field::ToolCalls, Sight::Edited),
        (Field::HostedCalls, Sight::After),
        (Field::ToolResults, Sight::Edited),
        (Field::Retrieved, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::StoredState, Sight::Unread),
        (Field::EncryptedReasoning, Sight::Unread),
    ],
    stream: &[
        (Field::Text, Sight::Edited),
        (Field::ToolCalls, Sight::Edited),
        (Field::HostedCalls, Sight::After),
        (Field::ToolResults, Sight::Stopped),
        (Field::Retrieved, Sight::Stopped),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::StoredState, Sight::Unread),
        (Field::EncryptedReasoning, Sight::Unread),
    ],
    opaque: None,
};
