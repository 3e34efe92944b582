//! The dialect of Google's Gemini: content, whole and streamed, counts of tokens and embeddings.
//!
//! `POST /v1beta/models/{model}:generateContent` and its siblings. The model stands in the path, and what is said in
//! `contents` of parts, in both directions. Fields have two spellings (see `spelling`). An event of a stream is a whole
//! answer with the next piece, and nothing says that it was the last one. What is marked here is what the dialect knows;
//! everything else is read all the same (see [`reading`](super::reading)). Read [`GeminiGenerate`] first.

mod answers;
mod content;
mod listing;
mod note;
mod request;
mod response;
mod spelling;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

pub(super) use answers::error_value;
use serde_json::json;

use self::spelling::{each_of, field};
use super::json::{self, Document, Kind, Limits, Node};
use super::reading::{Marks, Numbers};
use super::sse::Event;
use super::{EventReading, Malformed, Refusal, Seen, Talk, Wire};
use crate::exchange::Half;
use crate::verdict::Source;
use crate::wire::sight::{Field, Sight, Sights};

/// `:generateContent`, answered in one piece.
#[derive(Debug, Clone, Copy)]
pub struct GeminiGenerate;

/// `:streamGenerateContent`, answered as an event stream, or as one array if the query does not ask for events
/// (`alt=sse`).
#[derive(Debug, Clone, Copy)]
pub struct GeminiStream;

/// `:countTokens`, which takes the same requests and answers with numbers.
#[derive(Debug, Clone, Copy)]
pub struct GeminiCount;

/// `:embedContent` and `:batchEmbedContents`, answered with vectors.
#[derive(Debug, Clone, Copy)]
pub struct GeminiEmbed;

impl Wire for GeminiGenerate {
    fn id(&self) -> &'static str {
        "gemini-generate"
    }

    fn sights(&self) -> &'static Sights {
        &SIGHTS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        read_request(body, named, |marks| request::mark_request(marks, marks.doc.root()))
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        expect_object(&doc, doc.root())?;
        read_responses(&doc, &[doc.root()])
    }

    fn falsified(&self, body: &[u8], half: &Half, parts: &[usize]) -> Vec<Range<usize>> {
        falsified(body, half, parts)
    }

    fn without_tools(&self, body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
        listing::without_tools(body, gone)
    }

    fn talk(&self) -> Option<&dyn Talk> {
        Some(self)
    }
}

impl Talk for GeminiGenerate {
    fn read_event(&self, event: &Event) -> Result<EventReading, Malformed> {
        stream::read_event(event)
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Vec<u8> {
        answers::refusal(refusal).to_string().into_bytes()
    }

    fn refusal_stream(&self, refusal: &Refusal<'_>) -> Vec<u8> {
        answers::refusal_stream(refusal)
    }

    fn stop_stream(&self, seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8> {
        answers::stop_stream(seen, refusal)
    }

    fn broken_stream(&self, message: &str) -> Vec<u8> {
        answers::event(&error_value(502, message))
    }

    fn last_words(&self, body: &[u8]) -> Option<Range<usize>> {
        note::last_words(body)
    }

    fn speaks<'r>(&self, _: &Event, reading: &'r EventReading) -> Option<&'r str> {
        reading.piece_of("0/text")
    }
}

impl Wire for GeminiStream {
    fn id(&self) -> &'static str {
        "gemini-stream"
    }

    fn sights(&self) -> &'static Sights {
        &STREAM
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        let half = GeminiGenerate.read_request(body, named)?;
        Ok(Half { stream: true, ..half })
    }

    /// Reads an array of answers, of which each has the next piece, or one answer.
    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let responses = responses(&doc);
        for &response in &responses {
            expect_object(&doc, response)?;
        }
        let mut half = read_responses(&doc, &responses)?;
        half.parts.extend(response::joined(&doc, &responses)?);
        Ok(half)
    }

    fn falsified(&self, body: &[u8], half: &Half, parts: &[usize]) -> Vec<Range<usize>> {
        falsified(body, half, parts)
    }

    fn without_tools(&self, body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
        listing::without_tools(body, gone)
    }

    fn talk(&self) -> Option<&dyn Talk> {
        Some(self)
    }
}

impl Talk for GeminiStream {
    fn read_event(&self, event: &Event) -> Result<EventReading, Malformed> {
        GeminiGenerate.read_event(event)
    }

    /// An answer in one piece is an array here.
    fn refusal(&self, refusal: &Refusal<'_>) -> Vec<u8> {
        json!([answers::refusal(refusal)]).to_string().into_bytes()
    }

    fn refusal_stream(&self, refusal: &Refusal<'_>) -> Vec<u8> {
        GeminiGenerate.refusal_stream(refusal)
    }

    fn stop_stream(&self, seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8> {
        GeminiGenerate.stop_stream(seen, refusal)
    }

    fn broken_stream(&self, message: &str) -> Vec<u8> {
        GeminiGenerate.broken_stream(message)
    }

    fn last_words(&self, body: &[u8]) -> Option<Range<usize>> {
        note::last_words(body)
    }

    fn speaks<'r>(&self, _: &Event, reading: &'r EventReading) -> Option<&'r str> {
        reading.piece_of("0/text")
    }
}

impl Wire for GeminiCount {
    fn id(&self) -> &'static str {
        "gemini-count"
    }

    /// Reads contents, a whole request for content, or both.
    fn sights(&self) -> &'static Sights {
        &COUNT
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        read_request(body, named, |marks| {
            let root = marks.doc.root();
            let whole = field(marks.doc, root, "generateContentRequest");
            if let Some(whole) = whole {
                request::mark_request(marks, whole)?;
            }
            if whole.is_none() || field(marks.doc, root, "contents").is_some() {
                request::mark_request(marks, root)?;
            }
            Ok(())
        })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        expect_object(&doc, doc.root())?;
        read_responses(&doc, &[doc.root()])
    }

    fn without_tools(&self, body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
        listing::without_tools(body, gone)
    }
}

impl Wire for GeminiEmbed {
    fn id(&self) -> &'static str {
        "gemini-embed"
    }

    /// Reads one request, or a batch of them.
    fn sights(&self) -> &'static Sights {
        &EMBED
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        read_request(body, named, |marks| {
            let doc = marks.doc;
            let root = doc.root();
            let batch = field(doc, root, "requests");
            for request in each_of(doc, root, "requests") {
                request::mark_embedding(marks, request)?;
            }
            if batch.is_none() || field(doc, root, "content").is_some() {
                request::mark_embedding(marks, root)?;
            }
            Ok(())
        })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::of_vectors())?;
        let root = doc.root();
        expect_object(&doc, root)?;
        let mut marks = Marks::new(&doc);
        response::mark_response(&mut marks, root);
        for name in ["embedding", "embeddings"] {
            marks.numbers(field(&doc, root, name), Numbers::Measured);
        }
        spelling::check(&marks)?;
        marks.read(Source::Model)
    }
}

/// Reads a request, in which `mark` knows its way.
fn read_request(
    body: &[u8],
    named: Option<&str>,
    mark: impl FnOnce(&mut Marks<'_, '_>) -> Result<(), Malformed>,
) -> Result<Half, Malformed> {
    let doc = json::parse(body, &Limits::default())?;
    let model = request::model(&doc, named)?;
    let mut marks = Marks::new(&doc);
    mark(&mut marks)?;
    spelling::check(&marks)?;
    let half = marks.read(Source::User)?;
    let requests = listing::requests(&doc);
    Ok(Half {
        model: Some(model),
        listed: requests
            .iter()
            .flat_map(|&request| listing::listed(&doc, request))
            .collect(),
        exact: note::is_exact(&doc, doc.root()),
        ..half
    })
}

fn read_responses(doc: &Document<'_>, responses: &[Node]) -> Result<Half, Malformed> {
    let mut marks = Marks::new(doc);
    let mut tools = Vec::new();
    for &response in responses {
        response::mark_response(&mut marks, response);
        tools.extend(response::called_tools(doc, response));
    }
    spelling::check(&marks)?;
    let half = marks.read(Source::Model)?;
    let model = responses.iter().find_map(|&response| {
        let model = field(doc, response, "modelVersion")?;
        doc.text(model)
    });
    Ok(Half {
        model: model.map(Into::into),
        tools,
        ..half
    })
}

fn falsified(body: &[u8], half: &Half, parts: &[usize]) -> Vec<Range<usize>> {
    match json::parse(body, &Limits::default()) {
        Ok(doc) => response::falsified(&doc, &responses(&doc), half, parts),
        Err(_) => Vec::new(),
    }
}

/// The answers in a body: one, or an array of them.
fn responses(doc: &Document<'_>) -> Vec<Node> {
    spelling::each(doc, Some(doc.root())).collect()
}

fn expect_object(doc: &Document<'_>, node: Node) -> Result<(), Malformed> {
    if doc.kind(node) == Kind::Object {
        return Ok(());
    }
    Err(Malformed {
        offset: doc.span(node).start,
        reason: "not an object",
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
        (Field::Retrieved, Sight::Edited),
        (Field::Reasoning, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::Audio, Sight::Unread),
        (Field::Files, Sight::Unread),
        (Field::RemoteReferences, Sight::Unread),
        (Field::StoredState, Sight::Unread),
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
        (Field::Audio, Sight::Unread),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    stream: &[],
    opaque: None,
};

/// The same where the answer streams. As an array, which is judged whole, a text in several pieces cannot be masked.
const STREAM: Sights = Sights {
    prompt: SIGHTS.prompt,
    answer: &[
        (Field::Text, Sight::Stopped),
        (Field::ToolCalls, Sight::Edited),
        (Field::HostedCalls, Sight::After),
        (Field::ToolResults, Sight::Edited),
        (Field::Retrieved, Sight::Edited),
        (Field::Reasoning, Sight::Stopped),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::Audio, Sight::Unread),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    stream: SIGHTS.answer,
    opaque: None,
};

/// What is seen of a count: all of the request, and a number.
const COUNT: Sights = Sights {
    prompt: SIGHTS.prompt,
    answer: &[],
    stream: &[],
    opaque: None,
};

/// What is seen of texts that become vectors.
const EMBED: Sights = Sights {
    prompt: &[
        (Field::Text, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::Audio, Sight::Unread),
        (Field::Files, Sight::Unread),
        (Field::RemoteReferences, Sight::Unread),
    ],
    answer: &[(Field::Vectors, Sight::NoText)],
    stream: &[],
    opaque: None,
};
