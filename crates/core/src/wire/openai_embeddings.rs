//! The Embeddings endpoint of OpenAI: texts in, vectors out. Many other providers have it too.
//!
//! An input of token ids cannot be read. The numbers of a vector are numbers by contract: they are not searched for accounts,
//! and a batch of them does not count as so many values. As base64, which official SDKs ask for unless told otherwise, they
//! are not read as text either, since chance would find something in megabytes of noise and no detector can find anything
//! else there. Both holds only for what is a vector indeed: a number of nine digits or more before the point is read, and so
//! is a string that is something else. The answers are no conversation, so what is refused is an error. Read
//! [`OpenaiEmbeddings`] first.

#[cfg(test)]
mod tests;

use super::json::{self, Limits};
use super::lookup::{items, model_name, needed, object};
use super::reading::{Marks, Numbers};
use super::{Malformed, Wire};
use crate::exchange::Half;
use crate::verdict::Source;
use crate::wire::sight::{Field, Sight, Sights};

/// The Embeddings endpoint.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiEmbeddings;

impl Wire for OpenaiEmbeddings {
    fn id(&self) -> &'static str {
        "openai-embeddings"
    }

    fn sights(&self) -> &'static Sights {
        &SIGHTS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let model = model_name(&doc, named)?;
        let input = needed(&doc, "input", "no `input`")?;
        let mut marks = Marks::new(&doc);
        marks.fix_members(doc.root(), SETTINGS);
        marks.texts(input);
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
        marks.fix_members(root, &["model", "usage"]);
        for item in items(&doc, doc.get(root, "data")) {
            marks.numbers(doc.get(item, "embedding"), Numbers::Measured);
        }
        let half = marks.read(Source::Model)?;
        Ok(Half {
            model: doc.member_text(root, "model").map(Into::into),
            ..half
        })
    }
}

/// Settings of a request: numbers and names that the provider knows.
const SETTINGS: &[&str] = &[
    "dimensions",
    "encoding_format",
    "input_type",
    "model",
    "output_dtype",
    "task",
    "truncation",
];

/// What it sees, and what it can do there.
const SIGHTS: Sights = Sights {
    prompt: &[
        (Field::Text, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::TokenIds, Sight::Unread),
    ],
    answer: &[(Field::Names, Sight::Stopped), (Field::Vectors, Sight::NoText)],
    stream: &[],
    opaque: None,
};
