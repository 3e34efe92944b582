//! Image generation of OpenAI: a text in, pictures out.
//!
//! `POST …/images/generations`. The prompt is read; a picture in the answer cannot be, nor can one that only its address is
//! given of, so the policy says of both what it says of all that is uninspectable. A request must name its model, since the
//! model that the API would take depends on its other settings. A streamed answer consists of pictures that are not done yet.
//! Nothing of it could be released before the policy has spoken of the whole, and then it is no stream any more, so a request
//! for one is refused, and who leaves `stream` out gets the same picture. The answers are no conversation, so what is refused
//! is an error. Edits and variations are uploads, and other endpoints. Read [`OpenaiImages`] first.

#[cfg(test)]
mod tests;

use super::json::{self, Limits};
use super::lookup::{is_streamed, items, model_name, needed, object};
use super::reading::Marks;
use super::{Malformed, Wire};
use crate::exchange::{Half, Opaque};
use crate::verdict::Source;
use crate::wire::sight::{Field, Sight, Sights};

/// Image generation.
#[derive(Debug, Clone, Copy)]
pub struct OpenaiImages;

impl Wire for OpenaiImages {
    fn id(&self) -> &'static str {
        "openai-images"
    }

    fn sights(&self) -> &'static Sights {
        &SIGHTS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = doc.root();
        let model = model_name(&doc, named)?;
        if is_streamed(&doc)? {
            return Err(Malformed {
                offset: doc.get(root, "stream").map_or(0, |stream| doc.span(stream).start),
                reason: "pictures that stream cannot be inspected; leave `stream` out",
            });
        }
        let prompt = needed(&doc, "prompt", "no `prompt`")?;
        let mut marks = Marks::new(&doc);
        marks.fix_members(root, SETTINGS);
        marks.texts(prompt);
        marks.references(root);
        // Some servers take pictures to begin with.
        for name in ["image", "images", "image_url", "mask"] {
            marks.opaque(doc.given(root, name), Opaque::Image);
        }
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
        marks.fix_members(
            root,
            &["background", "created", "output_format", "quality", "size", "usage"],
        );
        for item in items(&doc, doc.get(root, "data")) {
            // An edit would break the picture.
            marks.fix(doc.get(item, "b64_json"));
            marks.opaque(doc.given(item, "b64_json"), Opaque::Image);
            marks.opaque(doc.given(item, "url"), Opaque::RemoteReference);
        }
        marks.read(Source::Model)
    }
}

/// Settings of a request: numbers, switches and names that the provider knows.
const SETTINGS: &[&str] = &[
    "background",
    "model",
    "moderation",
    "n",
    "output_compression",
    "output_format",
    "partial_images",
    "quality",
    "response_format",
    "size",
    "stream",
    "style",
];

/// What it sees, and what it can do there.
const SIGHTS: Sights = Sights {
    prompt: &[
        (Field::Text, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
    ],
    answer: &[
        (Field::Text, Sight::Edited),
        (Field::Names, Sight::Stopped),
        (Field::Images, Sight::Unread),
        (Field::RemoteReferences, Sight::Unread),
    ],
    stream: &[],
    opaque: Some(Field::Images),
};
