//! Speech of OpenAI: a text in, sound out.
//!
//! `POST …/audio/speech`. The text and the instructions for the voice are read. The answer is sound, as bytes or in events
//! (`stream_format: sse`), which is uninspectable as a whole; only an error is read as the JSON that it is. The answers are no
//! conversation, so what is refused is an error. Read [`OpenaiSpeech`] first.

#[cfg(test)]
mod tests;

use super::json::{self, Limits};
use super::lookup::{model_name, needed};
use super::reading::Marks;
use super::{Malformed, Wire};
use crate::exchange::{Half, Opaque, Uninspectable};
use crate::verdict::Source;
use crate::wire::sight::{Field, Sight, Sights};

/// Speech.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiSpeech;

impl Wire for OpenaiSpeech {
    fn id(&self) -> &'static str {
        "openai-speech"
    }

    fn sights(&self) -> &'static Sights {
        &SIGHTS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = doc.root();
        let model = model_name(&doc, named)?;
        let input = needed(&doc, "input", "no `input`")?;
        let mut marks = Marks::new(&doc);
        marks.fix_members(root, SETTINGS);
        marks.texts(input);
        marks.references(root);
        let half = marks.read(Source::User)?;
        Ok(Half {
            model: Some(model),
            ..half
        })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        // Sound is no JSON.
        if let Ok(doc) = json::parse(body, &Limits::default())
            && doc.given(doc.root(), "error").is_some()
        {
            return Marks::new(&doc).read(Source::Model);
        }
        let uninspectable = vec![Uninspectable {
            pointer: String::new(),
            what: Opaque::Audio,
        }];
        Ok(Half {
            uninspectable,
            ..Half::default()
        })
    }
}

/// Settings of a request: numbers and names that the provider knows.
const SETTINGS: &[&str] = &["model", "response_format", "speed", "stream_format", "voice"];

/// What it sees, and what it can do there.
const SIGHTS: Sights = Sights {
    prompt: &[(Field::Text, Sight::Edited), (Field::Names, Sight::Stopped)],
    answer: &[(Field::Audio, Sight::Unread)],
    stream: &[],
    opaque: Some(Field::Audio),
};
