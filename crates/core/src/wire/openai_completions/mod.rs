//! The Completions dialect of OpenAI, from before there were messages; many other providers and servers speak it still.
//!
//! `POST …/completions`: a `model`, a `prompt` that is one text or several, and a `stream` of chunks that ends with `[DONE]`.
//! A prompt of token ids cannot be read. What is marked here is what the dialect knows; everything else is read all the same
//! (see [`reading`](super::reading)). In `logprobs`, tokens are names of members too, which cannot be masked: a value that is
//! one token long, such as a keyword, and is to be masked there blocks. Read [`OpenaiCompletions`] first.

mod answers;
mod stream;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::json::{self, Limits, Node};
use super::lookup::{is_streamed, items, log_probabilities, model_name, object, starts_in_body};
use super::openai_chat::{error_value, first_choice, is_asked, mark_envelope};
use super::reading::Marks;
use super::sse::Event;
use super::{EventReading, Malformed, Refusal, Seen, Talk, Wire};
use crate::exchange::{Half, Opaque};
use crate::verdict::Source;
use crate::wire::sight::{Field, Sight, Sights};

/// The Completions dialect.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiCompletions;

impl Wire for OpenaiCompletions {
    fn id(&self) -> &'static str {
        "openai-completions"
    }

    fn sights(&self) -> &'static Sights {
        &SIGHTS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = doc.root();
        let model = model_name(&doc, named)?;
        let stream = is_streamed(&doc)?;
        let mut marks = Marks::new(&doc);
        marks.fix_members(root, SETTINGS);
        marks.free(doc.get(root, "metadata"));
        // Without a prompt the model begins as it likes.
        if let Some(prompt) = doc.get(root, "prompt") {
            marks.texts(prompt);
        }
        marks.opaque(doc.given(root, "prompt_embeds"), Opaque::Unrecognized);
        let half = marks.read(Source::User)?;
        Ok(Half {
            model: Some(model),
            stream,
            // What is filled in stands in the middle of somebody's text.
            exact: ["logprobs", "suffix"]
                .iter()
                .any(|name| is_asked(&doc, doc.given(root, name))),
            ..half
        })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = object(&doc)?;
        let mut marks = Marks::new(&doc);
        mark_envelope(&mut marks, root);
        for choice in items(&doc, doc.get(root, "choices")) {
            mark_choice(&mut marks, choice);
        }
        let half = marks.read(Source::Model)?;
        Ok(Half {
            model: doc.member_text(root, "model").map(Into::into),
            ..half
        })
    }

    fn falsified(&self, body: &[u8], half: &Half, parts: &[usize]) -> Vec<Range<usize>> {
        json::parse(body, &Limits::default())
            .map(|doc| log_probabilities(&doc, &starts_in_body(half, parts)))
            .unwrap_or_default()
    }

    fn talk(&self) -> Option<&dyn Talk> {
        Some(self)
    }
}

impl Talk for OpenaiCompletions {
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
        let doc = json::parse(body, &Limits::default()).ok()?;
        let text = doc.get(first_choice(&doc)?, "text")?;
        doc.text(text).filter(|text| !text.is_empty())?;
        Some(doc.span(text))
    }

    fn speaks<'r>(&self, _: &Event, reading: &'r EventReading) -> Option<&'r str> {
        reading.piece_of("0/text")
    }
}

/// Settings of a request: numbers, switches and names that the provider knows.
const SETTINGS: &[&str] = &[
    "best_of",
    "echo",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "model",
    "n",
    "presence_penalty",
    "seed",
    "service_tier",
    "stream",
    "stream_options",
    "temperature",
    "top_k",
    "top_p",
];

/// Members of a choice that stand for themselves.
const STILL: &[&str] = &["finish_reason", "index", "native_finish_reason", "stop_reason"];

fn mark_choice(marks: &mut Marks<'_, '_>, choice: Node) {
    marks.fix_members(choice, STILL);
}

/// What it sees, and what it can do there.
const SIGHTS: Sights = Sights {
    prompt: &[
        (Field::Text, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::TokenIds, Sight::Unread),
    ],
    answer: &[
        (Field::Text, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    stream: &[
        (Field::Text, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::LogProbabilities, Sight::Pieces),
    ],
    opaque: None,
};
