//! The Moderations endpoint of OpenAI: whether texts and pictures are harmful.
//!
//! What is sent to be moderated leaves like every other prompt, and is judged like one. A request need not name a model; it
//! is then for the one that the published API takes, and judged so. The names of the answer's categories are the dialect's
//! and cannot be edited, and its scores are measures. The answers are no conversation, so what is refused is an error. Read
//! [`OpenaiModerations`] first.

#[cfg(test)]
mod tests;

use super::json::{self, Limits};
use super::lookup::{items, model_name, needed, object};
use super::openai_chat::mark_content;
use super::reading::{Marks, Numbers};
use super::{Malformed, Wire};
use crate::exchange::Half;
use crate::verdict::Source;
use crate::wire::sight::{Field, Sight, Sights};

/// The Moderations endpoint.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiModerations;

impl Wire for OpenaiModerations {
    fn id(&self) -> &'static str {
        "openai-moderations"
    }

    fn sights(&self) -> &'static Sights {
        &SIGHTS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = doc.root();
        let input = needed(&doc, "input", "no `input`")?;
        let unnamed = doc.get(root, "model").is_none();
        let model = model_name(&doc, named.or(unnamed.then_some(DEFAULT)))?;
        let mut marks = Marks::new(&doc);
        marks.fix_members(root, &["model"]);
        mark_content(&mut marks, Some(input));
        let half = marks.read(Source::User)?;
        Ok(Half {
            model: Some(model),
            ..half
        })
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = object(&doc)?;
        let mut marks = Marks::new(&doc);
        marks.fix_members(root, &["model", "usage"]);
        for result in items(&doc, doc.get(root, "results")) {
            marks.fix_members(result, &["categories", "category_applied_input_types"]);
            marks.numbers(doc.get(result, "category_scores"), Numbers::Measured);
        }
        let half = marks.read(Source::Model)?;
        Ok(Half {
            model: doc.member_text(root, "model").map(Into::into),
            ..half
        })
    }
}

/// The model of a request that names none.
const DEFAULT: &str = "omni-moderation-latest";

/// What it sees, and what it can do there.
const SIGHTS: Sights = Sights {
    prompt: &[
        (Field::Text, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
    ],
    answer: &[(Field::Names, Sight::Stopped)],
    stream: &[],
    opaque: None,
};
