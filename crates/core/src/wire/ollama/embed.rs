//! Texts in, vectors out: `POST /api/embed` with `input`, and the older `/api/embeddings` with `prompt`.

use crate::exchange::{Half, Opaque};
use crate::verdict::Source;
use crate::wire::json::{self, Limits};
use crate::wire::lookup::{model_name, object};
use crate::wire::reading::{Marks, Numbers};
use crate::wire::{Malformed, Wire};

use super::{filled, mark_envelope, no_text, requests};
use crate::wire::sight::{Field, Sight, Sights};

/// The endpoints that make vectors of texts. They do not talk, and never stream.
#[derive(Debug, Clone, Copy)]
pub struct OllamaEmbed;

impl Wire for OllamaEmbed {
    fn id(&self) -> &'static str {
        "ollama-embed"
    }

    fn sights(&self) -> &'static Sights {
        &SIGHTS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = doc.root();
        requests::refuse_look_alikes(&doc)?;
        let model = model_name(&doc, named)?;
        let mut marks = Marks::new(&doc);
        requests::mark_settings(&mut marks, root);
        marks.opaque(no_text(&doc, root, "prompt"), Opaque::Unrecognized);
        marks.opaque(filled(&doc, root, "images"), Opaque::Image);
        if let Some(input) = doc.given(root, "input") {
            marks.texts(input);
        }
        let half = marks.read(Source::User)?;
        Ok(Half {
            model: Some(model),
            ..half
        })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::of_vectors())?;
        let root = object(&doc)?;
        let mut marks = Marks::new(&doc);
        mark_envelope(&mut marks, root);
        marks.numbers(doc.get(root, "embeddings"), Numbers::Measured);
        marks.numbers(doc.get(root, "embedding"), Numbers::Measured);
        let half = marks.read(Source::Model)?;
        Ok(Half {
            model: doc.member_text(root, "model").map(Into::into),
            ..half
        })
    }
}

/// What it sees, and what it can do there.
const SIGHTS: Sights = Sights {
    prompt: &[
        (Field::Text, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::TokenIds, Sight::Unread),
    ],
    answer: &[(Field::Names, Sight::Stopped), (Field::Vectors, Sight::NoText)],
    stream: &[],
    opaque: None,
};
