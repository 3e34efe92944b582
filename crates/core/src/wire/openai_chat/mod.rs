//! The Chat Completions dialect of OpenAI, which many other providers speak with additions of their own.
//!
//! `POST …/chat/completions`: a `model`, `messages` with roles, and a `stream` of chunks that ends with `[DONE]`. What is
//! marked here is what the dialect knows; everything else is read all the same (see [`reading`](super::reading)).
//! Read [`OpenaiChat`] first.

mod answers;
mod listing;
mod note;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

pub(super) use answers::{Head, done, error_value, open_choices};
pub(super) use listing::{listed, without_tools};
pub(super) use note::{first_choice, is_asked};

use super::json::{self, Document, Kind, Limits, Node};
use super::lookup::{is_streamed, items, log_probabilities, model_name, object, signatures, starts_in_body};
use super::reading::{Json, Marks};
use super::sse::Event;
use super::{EventReading, Malformed, Refusal, Seen, Talk, Wire};
use crate::exchange::{Half, Opaque, ToolCall};
use crate::verdict::Source;
use crate::wire::sight::{Field, Sight, Sights};

/// The Chat Completions dialect.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiChat;

impl Wire for OpenaiChat {
    fn id(&self) -> &'static str {
        "openai-chat"
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
            mark_turn(&mut marks, message);
        }
        let half = marks.read(Source::User)?;
        Ok(Half {
            model: Some(model),
            stream,
            listed: listed(&doc, root),
            exact: note::is_exact(&doc, root),
            ..half
        })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = object(&doc)?;
        let mut marks = Marks::new(&doc);
        let mut tools = Vec::new();
        mark_envelope(&mut marks, root);
        for choice in items(&doc, doc.get(root, "choices")) {
            marks.fix_members(choice, &["finish_reason", "index"]);
            for message in [doc.given(choice, "message"), doc.given(choice, "delta")]
                .into_iter()
                .flatten()
            {
                mark_message(&mut marks, message, Source::Model);
                tools.extend(called_tools(&doc, message));
            }
        }
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
        let edited = starts_in_body(half, parts);
        let mut values = signatures(&doc, &edited);
        values.extend(log_probabilities(&doc, &edited));
        values
    }

    fn without_tools(&self, body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
        without_tools(body, gone)
    }

    fn talk(&self) -> Option<&dyn Talk> {
        Some(self)
    }
}

impl Talk for OpenaiChat {
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
        Event::data(error_value(502, message).to_string()).encode()
    }

    fn last_words(&self, body: &[u8]) -> Option<Range<usize>> {
        note::last_words(body)
    }

    fn speaks<'r>(&self, _: &Event, reading: &'r EventReading) -> Option<&'r str> {
        reading.piece_of("0/content")
    }
}

/// Settings of a request: numbers, switches and names that the provider knows.
const SETTINGS: &[&str] = &[
    "audio",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "modalities",
    "model",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_retention",
    "reasoning_effort",
    "seed",
    "service_tier",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "function_call",
    "top_k",
    "top_logprobs",
    "top_p",
    "verbosity",
];

/// Members of a request that refer to what the provider keeps from before.
const KEPT: &[&str] = &["previous_response_id", "conversation", "thread_id", "assistant_id"];

fn mark_settings(marks: &mut Marks<'_, '_>, root: Node) {
    let doc = marks.doc;
    marks.fix_members(root, SETTINGS);
    marks.free(doc.get(root, "metadata"));
    for name in KEPT {
        marks.opaque(doc.given(root, name), Opaque::ServerState);
    }
    // A stored prompt; as a plain string it is text.
    marks.opaque(
        doc.get(root, "prompt")
            .filter(|&prompt| doc.get(prompt, "id").is_some()),
        Opaque::ServerState,
    );
    marks.opaque(doc.given(root, "data_sources"), Opaque::RemoteReference);
    for name in ["tools", "functions", "response_format"] {
        if let Some(definitions) = doc.get(root, name) {
            marks.source(definitions, Source::System);
        }
    }
    for tool in items(doc, doc.get(root, "tools")) {
        for kind in ["function", "custom"] {
            if let Some(definition) = doc.get(tool, kind) {
                mark_definition(marks, definition);
            }
        }
        marks.opaque(doc.given(tool, "server_url"), Opaque::RemoteReference);
        marks.opaque(doc.given(tool, "vector_store_ids"), Opaque::ServerState);
    }
    for function in items(doc, doc.get(root, "functions")) {
        mark_definition(marks, function);
    }
    if let Some(format) = doc
        .get(root, "response_format")
        .and_then(|format| doc.get(format, "json_schema"))
    {
        mark_definition(marks, format);
    }
    if let Some(prediction) = doc.get(root, "prediction") {
        mark_content(marks, doc.given(prediction, "content"));
    }
}

/// A function, a custom tool or an answer's schema.
fn mark_definition(marks: &mut Marks<'_, '_>, definition: Node) {
    let doc = marks.doc;
    marks.fix(doc.get(definition, "name"));
    marks.schema(doc.get(definition, "parameters"));
    marks.schema(doc.get(definition, "schema"));
}

/// A message of a request.
fn mark_turn(marks: &mut Marks<'_, '_>, message: Node) {
    let doc = marks.doc;
    let source = match doc.member_text(message, "role").as_deref() {
        Some("user") => Source::User,
        Some("system" | "developer") => Source::System,
        Some("tool" | "function") => Source::Tool,
        Some("assistant") => Source::Model,
        _ => {
            marks.opaque(message, Opaque::Unrecognized);
            Source::User
        }
    };
    mark_message(marks, message, source);
}

/// A message of a request or an answer, or the delta of one.
fn mark_message(marks: &mut Marks<'_, '_>, message: Node, source: Source) {
    let doc = marks.doc;
    marks.source(message, source);
    marks.fix(doc.get(message, "name"));
    mark_content(marks, doc.given(message, "content"));
    for call in items(doc, doc.get(message, "tool_calls")) {
        if let Some(function) = doc.get(call, "function") {
            mark_call(marks, function, "arguments", Json::Expected);
        }
        if let Some(custom) = doc.get(call, "custom") {
            // By contract free text, in which a backslash means nothing.
            mark_call(marks, custom, "input", Json::Possible);
        }
    }
    if let Some(function) = doc.get(message, "function_call") {
        mark_call(marks, function, "arguments", Json::Expected);
    }
    if let Some(audio) = doc.given(message, "audio") {
        let what = if doc.get(audio, "data").is_some() {
            Opaque::Audio
        } else {
            Opaque::ServerState
        };
        marks.opaque(audio, what);
    }
    // Where some providers put the pictures of an answer.
    for image in items(doc, doc.get(message, "images")) {
        marks.opaque(image, Opaque::Image);
    }
    for detail in items(doc, doc.get(message, "reasoning_details")) {
        if doc.member_text(detail, "type").as_deref() == Some("reasoning.encrypted") {
            marks.opaque(detail, Opaque::EncryptedReasoning);
        }
    }
}

fn mark_call(marks: &mut Marks<'_, '_>, call: Node, arguments: &str, json: Json) {
    let doc = marks.doc;
    marks.fix(doc.get(call, "name"));
    let arguments = doc.get(call, arguments);
    // Some servers send an object; its names are the tool's either way.
    marks.free(arguments);
    marks.json(arguments, json);
}

pub(super) fn mark_content(marks: &mut Marks<'_, '_>, content: Option<Node>) {
    let doc = marks.doc;
    let Some(content) = content else { return };
    match doc.kind(content) {
        Kind::String => {}
        Kind::Array => {
            for part in doc.children(content) {
                mark_content_part(marks, part);
            }
        }
        _ => marks.opaque(content, Opaque::Unrecognized),
    }
}

/// Members of a content part that carry something other than text, whatever its type says.
const CARRIERS: &[(&str, Opaque)] = &[
    ("image_url", Opaque::Image),
    ("image", Opaque::Image),
    ("input_audio", Opaque::Audio),
    ("audio", Opaque::Audio),
    ("file", Opaque::File),
    ("file_url", Opaque::RemoteReference),
    ("file_data", Opaque::File),
    ("file_id", Opaque::ServerState),
];

/// A part of a message's content; OpenAI's dialects have most of them in common.
pub(super) fn mark_content_part(marks: &mut Marks<'_, '_>, part: Node) {
    let doc = marks.doc;
    if doc.kind(part) == Kind::String {
        return;
    }
    let carried = carried(doc, part);
    let what = match doc.member_text(part, "type").as_deref() {
        Some("text" | "refusal") => carried,
        Some("image_url" | "input_image" | "image") => Some(Opaque::Image),
        Some("input_audio" | "audio") => Some(Opaque::Audio),
        Some("file" | "input_file" | "document") => {
            // A file that is somewhere else is that, and not also a file.
            let inside = [doc.get(part, "file"), Some(part)].into_iter().flatten();
            let elsewhere = inside.flat_map(|holder| [doc.given(holder, "file_id"), doc.given(holder, "file_url")]);
            if elsewhere.flatten().next().is_some() {
                None
            } else {
                Some(Opaque::File)
            }
        }
        _ => Some(carried.unwrap_or(Opaque::Unrecognized)),
    };
    marks.opaque(what.map(|_| part), what.unwrap_or(Opaque::Unrecognized));
    marks.references(part);
}

/// What a content part carries beside text.
pub(super) fn carried(doc: &Document<'_>, part: Node) -> Option<Opaque> {
    let carrier = CARRIERS.iter().find(|(name, _)| doc.given(part, name).is_some());
    carrier.map(|&(_, what)| what)
}

/// What surrounds the choices of an answer or chunk.
pub(super) fn mark_envelope(marks: &mut Marks<'_, '_>, root: Node) {
    marks.fix_members(
        root,
        &["model", "created", "system_fingerprint", "service_tier", "usage"],
    );
}

/// The tools that a message calls.
fn called_tools(doc: &Document<'_>, message: Node) -> Vec<ToolCall> {
    let calls = items(doc, doc.get(message, "tool_calls"))
        .flat_map(|call| [doc.get(call, "function"), doc.get(call, "custom")]);
    let calls = calls.chain([doc.get(message, "function_call")]).flatten();
    calls.filter_map(|call| called_tool(doc, call)).collect()
}

/// The tool that a `function`, `custom` or `function_call` names. What a custom tool takes is free text, without arguments.
fn called_tool(doc: &Document<'_>, call: Node) -> Option<ToolCall> {
    let tool = doc.member_text(call, "name").filter(|name| !name.is_empty())?;
    let arguments = doc.given(call, "arguments").map(|value| match doc.text(value) {
        Some(text) => text.into_owned(),
        None => doc.raw(value).to_owned(),
    });
    Some(ToolCall {
        tool: tool.into(),
        arguments,
    })
}

/// What it sees, and what it can do there.
const SIGHTS: Sights = Sights {
    prompt: &[
        (Field::Text, Sight::Edited),
        (Field::SystemText, Sight::Edited),
        (Field::ToolDefinitions, Sight::Edited),
        (Field::EarlierAnswers, Sight::Edited),
        (Field::ToolCalls, Sight::Edited),
        (Field::ToolResults, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::Audio, Sight::Unread),
        (Field::Files, Sight::Unread),
        (Field::RemoteReferences, Sight::Unread),
        (Field::StoredState, Sight::Unread),
        (Field::EncryptedReasoning, Sight::Unread),
    ],
    answer: &[
        (Field::Text, Sight::Edited),
        (Field::ToolCalls, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::Audio, Sight::Unread),
        (Field::EncryptedReasoning, Sight::Unread),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    stream: &[
        (Field::Text, Sight::Edited),
        (Field::ToolCalls, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::Audio, Sight::Unread),
        (Field::EncryptedReasoning, Sight::Unread),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    opaque: None,
};
