//! Which model a streamed answer says it is from: a member of one of its first events, at a place of its dialect's.

use super::StreamInspection;
use crate::inspect::content;
use crate::wire::json::{self, Document, Limits};
use crate::wire::sse::Event;

/// Beginnings of streams that say it in none of so many events do not say it at all.
const MOST_ASKED: u8 = 4;

impl StreamInspection {
    /// Keeps the model that an event names, if none of those before it did.
    pub(super) fn note_model(&mut self, event: &Event) {
        if self.judged.model.is_some() || self.asked_for_model >= MOST_ASKED {
            return;
        }
        self.asked_for_model += 1;
        let Ok(doc) = json::parse(event.data.as_bytes(), &Limits::default()) else {
            return;
        };
        let scanner = &self.inspection.rules.scanner;
        self.judged.model = named_in(&doc).and_then(|model| content::stated(scanner, &model));
    }
}

/// The model that an event names.
fn named_in(doc: &Document<'_>) -> Option<String> {
    let root = doc.root();
    let within = ["message", "response"]
        .into_iter()
        .filter_map(|name| doc.get(root, name));
    within
        .chain([root])
        .flat_map(|holder| {
            let names = ["model", "modelVersion", "model_version"];
            names.into_iter().filter_map(move |name| doc.member_text(holder, name))
        })
        .map(|name| name.to_string())
        .find(|name| !name.is_empty())
}
