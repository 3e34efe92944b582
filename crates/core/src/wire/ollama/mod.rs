//! The dialect of Ollama, which serves models on one's own machines.
//!
//! `POST /api/chat` takes `messages`, `POST /api/generate` a `prompt`. Both stream unless told not to: a JSON value a line,
//! the last one with `done`. `POST /api/embed` and `/api/embeddings` make vectors of texts ([`OllamaEmbed`]). What is
//! marked here is what the dialect knows; everything else is read all the same (see [`reading`](super::reading)). Read
//! [`Ollama`] first.

mod answers;
mod embed;
mod requests;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

pub use embed::OllamaEmbed;

use super::framing::Framing;
use super::json::{self, Document, Kind, Limits, Node};
use super::lookup::{items, model_name, object, stream_wish};
use super::openai_chat::{is_asked, listed, without_tools};
use super::reading::{Json, Marks, Numbers};
use super::sse::Event;
use super::{EventReading, Malformed, Refusal, Seen, Talk, Wire};
use crate::exchange::{Half, Opaque, ToolCall};
use crate::verdict::Source;
use crate::wire::sight::{Field, Sight, Sights};

/// The two endpoints of the dialect that talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ollama {
    /// `/api/chat`: messages, and a message in answer.
    Chat,
    /// `/api/generate`: a prompt, and a response.
    Generate,
}

impl Wire for Ollama {
    fn id(&self) -> &'static str {
        match self {
            Self::Chat => "ollama-chat",
            Self::Generate => "ollama-generate",
        }
    }

    fn sights(&self) -> &'static Sights {
        match self {
            Self::Chat => &CHAT,
            Self::Generate => &GENERATE,
        }
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = doc.root();
        requests::refuse_look_alikes(&doc)?;
        let model = model_name(&doc, named)?;
        let stream = stream_wish(&doc)?.unwrap_or(true);
        let mut marks = Marks::new(&doc);
        requests::mark_settings(&mut marks, root);
        match self {
            Self::Chat => requests::mark_turns(&mut marks, root)?,
            Self::Generate => requests::mark_prompt(&mut marks, root),
        }
        let half = marks.read(Source::User)?;
        Ok(Half {
            model: Some(model),
            stream,
            listed: listed(&doc, root),
            exact: filled(&doc, root, "format").is_some()
                || ["logprobs", "suffix"]
                    .iter()
                    .any(|name| is_asked(&doc, doc.given(root, name))),
            ..half
        })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = object(&doc)?;
        let mut marks = Marks::new(&doc);
        let mut tools = Vec::new();
        mark_envelope(&mut marks, root);
        if let Some(message) = doc.given(root, "message") {
            mark_message(&mut marks, message, Source::Model);
            tools.extend(calls(&doc, message).filter_map(|call| called_tool(&doc, call)));
        }
        let half = marks.read(Source::Model)?;
        Ok(Half {
            model: doc.member_text(root, "model").map(Into::into),
            tools,
            ..half
        })
    }

    fn falsified(&self, body: &[u8], _: &Half, parts: &[usize]) -> Vec<Range<usize>> {
        let Ok(doc) = json::parse(body, &Limits::default()) else {
            return Vec::new();
        };
        let values = ["logprobs", "context"].map(|name| doc.given(doc.root(), name));
        let values = values.into_iter().flatten().filter(|_| !parts.is_empty());
        values.map(|value| doc.span(value)).collect()
    }

    fn without_tools(&self, body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
        without_tools(body, gone)
    }

    fn talk(&self) -> Option<&dyn Talk> {
        Some(self)
    }
}

impl Talk for Ollama {
    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn read_event(&self, event: &Event) -> Result<EventReading, Malformed> {
        stream::read_event(*self, event)
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Vec<u8> {
        answers::refusal(*self, refusal)
    }

    fn refusal_stream(&self, refusal: &Refusal<'_>) -> Vec<u8> {
        answers::refusal_stream(*self, refusal)
    }

    fn stop_stream(&self, seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8> {
        answers::stop_stream(*self, seen, refusal)
    }

    fn broken_stream(&self, message: &str) -> Vec<u8> {
        answers::broken_stream(message)
    }

    fn last_words(&self, body: &[u8]) -> Option<Range<usize>> {
        let doc = json::parse(body, &Limits::default()).ok()?;
        let root = doc.root();
        let text = match self {
            Self::Chat => {
                let message = doc.get(root, "message")?;
                if calls(&doc, message).next().is_some() {
                    return None;
                }
                doc.get(message, "content")
            }
            Self::Generate => doc.get(root, "response"),
        }?;
        doc.text(text).filter(|text| !text.is_empty())?;
        Some(doc.span(text))
    }

    fn speaks<'r>(&self, _: &Event, reading: &'r EventReading) -> Option<&'r str> {
        reading.piece_of(self.spoken())
    }
}

/// Names and moments in an answer that the server writes.
const ENVELOPE: &[&str] = &["model", "created_at", "done_reason", "remote_host", "remote_model"];

/// What the server counts and times, in tokens, steps and nanoseconds. A long run takes as many digits as a card number has.
const COUNTED: &[&str] = &[
    "completed",
    "eval_count",
    "eval_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "total",
    "total_duration",
];

/// What surrounds the text of an answer or line.
///
/// `context`, the conversation as token ids, is not uninspectable here, as it is in a request: it says again what was
/// read, and goes when that is edited.
fn mark_envelope(marks: &mut Marks<'_, '_>, root: Node) {
    let doc = marks.doc;
    marks.fix_members(root, ENVELOPE);
    for name in COUNTED {
        marks.numbers(doc.get(root, name), Numbers::Counted);
    }
    marks.numbers(doc.get(root, "logprobs"), Numbers::Measured);
    marks.opaque(filled(doc, root, "image"), Opaque::Image);
}

/// A message of a request or an answer, or a piece of one.
fn mark_message(marks: &mut Marks<'_, '_>, message: Node, source: Source) {
    let doc = marks.doc;
    marks.source(message, source);
    marks.fix(doc.get(message, "tool_name"));
    marks.opaque(filled(doc, message, "images"), Opaque::Image);
    marks.opaque(no_text(doc, message, "content"), Opaque::Unrecognized);
    for call in calls(doc, message) {
        marks.fix(doc.get(call, "name"));
        let arguments = doc.get(call, "arguments");
        marks.free(arguments);
        // By contract an object; some servers send its text.
        marks.json(arguments, Json::Expected);
    }
}

/// The calls of tools in a message: each is the `function` of an item of `tool_calls`.
fn calls<'d>(doc: &'d Document<'_>, message: Node) -> impl Iterator<Item = Node> + 'd {
    items(doc, doc.get(message, "tool_calls")).filter_map(|call| doc.get(call, "function"))
}

/// The tool that a `function` names.
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

/// The member, unless it says nothing: `null`, an empty list, an empty text.
fn filled(doc: &Document<'_>, object: Node, name: &str) -> Option<Node> {
    doc.given(object, name)
        .filter(|&value| doc.children(value).next().is_some() || !matches!(doc.raw(value), "[]" | "\"\""))
}

/// The member, if it is something other than a text.
fn no_text(doc: &Document<'_>, object: Node, name: &str) -> Option<Node> {
    doc.given(object, name).filter(|&value| doc.kind(value) != Kind::String)
}

/// What is seen of a chat.
const CHAT: Sights = Sights {
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
    ],
    answer: &[
        (Field::Text, Sight::Edited),
        (Field::ToolCalls, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    stream: &[
        (Field::Text, Sight::Edited),
        (Field::ToolCalls, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    opaque: None,
};

/// What is seen of a prompt and its response.
const GENERATE: Sights = Sights {
    prompt: &[
        (Field::Text, Sight::Edited),
        (Field::SystemText, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::StoredState, Sight::Unread),
    ],
    answer: &[
        (Field::Text, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::TokenIds, Sight::NoText),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    stream: &[
        (Field::Text, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::TokenIds, Sight::NoText),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    opaque: None,
};
