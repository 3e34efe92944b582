//! The Responses dialect of OpenAI.
//!
//! `POST /v1/responses`: a `model`, an `input` that is a text or a list of items, `instructions`, and a `stream` of named
//! events in which every text is said again whole when it is done. What is marked here is what the dialect knows;
//! everything else is read all the same (see [`reading`](super::reading)).
//!
//! A request must name its model, although the provider would take that of a stored prompt: nobody here could say which
//! one it is. What the provider keeps (`previous_response_id`, `conversation`, `prompt`, references to items, stores and
//! containers) cannot be inspected, and neither can an answer that is made in the `background`. With `store`, the provider
//! keeps what was judged here; the endpoints that hand it out are refused. Read [`OpenaiResponses`] first.

mod answers;
mod items;
mod listing;
mod note;
mod stream;
#[cfg(test)]
mod tests;
mod tools;

use std::collections::BTreeSet;
use std::ops::Range;

use super::json::{self, Kind, Limits, Node};
use super::lookup::{is_streamed, items, model_name, object, starts_in_body};
use super::openai_chat::error_value;
use super::reading::Marks;
use super::sse::Event;
use super::{EventReading, Malformed, Refusal, Seen, Talk, Wire};
use crate::exchange::{Half, Opaque};
use crate::verdict::Source;
use crate::wire::sight::{Field, Sight, Sights};
use items::{mark_content_part, mark_item};

/// The Responses dialect.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiResponses;

/// How many tokens a request of it would take: the same request, and a number for an answer.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiResponsesTokens;

impl Wire for OpenaiResponses {
    fn id(&self) -> &'static str {
        "openai-responses"
    }

    fn sights(&self) -> &'static Sights {
        &SIGHTS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        read_request(body, named)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = object(&doc)?;
        let mut marks = Marks::new(&doc);
        mark_response(&mut marks, root);
        let half = marks.read(Source::Model)?;
        Ok(Half {
            model: doc.member_text(root, "model").map(Into::into),
            tools: items(&doc, doc.get(root, "output"))
                .filter_map(|item| tools::called(&doc, item))
                .collect(),
            ..half
        })
    }

    fn falsified(&self, body: &[u8], half: &Half, parts: &[usize]) -> Vec<Range<usize>> {
        let Ok(doc) = json::parse(body, &Limits::default()) else {
            return Vec::new();
        };
        let edited = starts_in_body(half, parts);
        let vouches = |node: &Node| doc.key(*node).is_some_and(|key| VOUCHING.contains(&key.as_ref()));
        let is_edited = |node: Node| {
            let span = doc.span(node);
            let first = edited.partition_point(|&start| start < span.start);
            edited.get(first).is_some_and(|&start| start < span.end)
        };
        let values = doc.nodes().filter(|&node| doc.kind(node) != Kind::Null).filter(vouches);
        values
            .filter(|&value| doc.parent(value).is_some_and(is_edited))
            .map(|value| doc.span(value))
            .collect()
    }

    fn without_tools(&self, body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
        listing::without_tools(body, gone)
    }

    fn talk(&self) -> Option<&dyn Talk> {
        Some(self)
    }
}

impl Wire for OpenaiResponsesTokens {
    fn id(&self) -> &'static str {
        "openai-responses-tokens"
    }

    fn sights(&self) -> &'static Sights {
        &TOKENS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        let half = read_request(body, named)?;
        Ok(Half { stream: false, ..half })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        object(&doc)?;
        Marks::new(&doc).read(Source::Model)
    }

    fn without_tools(&self, body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
        listing::without_tools(body, gone)
    }
}

impl Talk for OpenaiResponses {
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
        answers::broken_stream(&error_value(502, message))
    }

    fn last_words(&self, body: &[u8]) -> Option<Range<usize>> {
        note::last_words(body)
    }

    fn speaks<'r>(&self, event: &Event, reading: &'r EventReading) -> Option<&'r str> {
        note::speaks(event, reading)
    }
}

/// Values that say of the texts beside them what is no longer true once these are edited: log probabilities, and the
/// encrypted form of a reasoning.
const VOUCHING: &[&str] = &["logprobs", "encrypted_content"];

fn read_request(body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
    let doc = json::parse(body, &Limits::default())?;
    let root = object(&doc)?;
    let model = model_name(&doc, named)?;
    let stream = is_streamed(&doc)?;
    let mut marks = Marks::new(&doc);
    mark_settings(&mut marks, root);
    mark_state(&mut marks, root);
    for tool in items(&doc, doc.get(root, "tools")) {
        tools::mark_reach(&mut marks, tool);
    }
    // A stored prompt may need no input.
    let input = doc.given(root, "input");
    match input.map(|input| (input, doc.kind(input))) {
        Some((input, Kind::Array)) => {
            for item in doc.children(input) {
                mark_item(&mut marks, item);
            }
        }
        None | Some((_, Kind::String)) => {}
        Some((input, _)) => {
            return Err(Malformed {
                offset: doc.span(input).start,
                reason: "`input` is neither a text nor an array",
            });
        }
    }
    let half = marks.read(Source::User)?;
    Ok(Half {
        model: Some(model),
        stream,
        listed: listing::listed(&doc),
        exact: note::is_exact(&doc),
        ..half
    })
}

/// Settings of a request, which an answer repeats, and those of an answer: numbers, switches and names that the provider
/// knows.
const SETTINGS: &[&str] = &[
    "background",
    "completed_at",
    "context_management",
    "conversation",
    "created_at",
    "include",
    "incomplete_details",
    "max_output_tokens",
    "max_tool_calls",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "service_tier",
    "status",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "top_logprobs",
    "top_p",
    "truncation",
    "usage",
];

/// What a request says beside its input. An answer says it again.
fn mark_settings(marks: &mut Marks<'_, '_>, root: Node) {
    let doc = marks.doc;
    marks.fix_members(root, SETTINGS);
    marks.free(doc.get(root, "metadata"));
    for name in ["instructions", "text", "tools"] {
        if let Some(given) = doc.get(root, name) {
            marks.source(given, Source::System);
        }
    }
    if let Some(text) = doc.get(root, "text") {
        marks.fix_members(text, &["verbosity"]);
        if let Some(format) = doc.get(text, "format") {
            tools::mark_definition(marks, format);
        }
    }
    for tool in items(doc, doc.get(root, "tools")) {
        tools::mark_definition(marks, tool);
    }
    if let Some(prompt) = doc.get(root, "prompt") {
        marks.fix_members(prompt, &["version"]);
        marks.free(doc.get(prompt, "variables"));
    }
}

/// What a request leaves to the provider's memory.
fn mark_state(marks: &mut Marks<'_, '_>, root: Node) {
    let doc = marks.doc;
    for name in ["previous_response_id", "conversation", "prompt"] {
        marks.opaque(doc.given(root, name), Opaque::ServerState);
    }
    // The answer to this call would be a receipt, and the text is fetched later.
    let background = doc
        .given(root, "background")
        .filter(|&background| doc.raw(background) != "false");
    marks.opaque(background, Opaque::ServerState);
    let variables = doc.get(root, "prompt").and_then(|prompt| doc.get(prompt, "variables"));
    for (_, variable) in variables.into_iter().flat_map(|variables| doc.members(variables)) {
        mark_content_part(marks, variable);
    }
    for item in items(doc, doc.get(root, "instructions")) {
        mark_item(marks, item);
    }
}

/// A response: what an answer is, and what the events carry that begin and end a stream.
fn mark_response(marks: &mut Marks<'_, '_>, response: Node) {
    let doc = marks.doc;
    mark_settings(marks, response);
    // What the request said comes back as it was sent.
    for name in ["metadata", "prompt", "prompt_cache_key", "safety_identifier", "user"] {
        if let Some(given) = doc.get(response, name) {
            marks.source(given, Source::User);
        }
    }
    for item in items(doc, doc.get(response, "output")) {
        marks.source(item, Source::Model);
        mark_item(marks, item);
    }
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
        (Field::Retrieved, Sight::Edited),
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
        (Field::HostedCalls, Sight::After),
        (Field::ToolResults, Sight::Edited),
        (Field::Retrieved, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::EncryptedReasoning, Sight::Unread),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    stream: &[
        (Field::Text, Sight::Edited),
        (Field::ToolCalls, Sight::Edited),
        (Field::HostedCalls, Sight::After),
        (Field::ToolResults, Sight::Edited),
        (Field::Retrieved, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::EncryptedReasoning, Sight::Unread),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    opaque: None,
};

/// What is seen of a count: all of the request, and a number.
const TOKENS: Sights = Sights {
    prompt: SIGHTS.prompt,
    answer: &[],
    stream: &[],
    opaque: None,
};
