//! The model of a request, given another name: in its body and in its path, and nothing else changed.
//!
//! A gateway that knows a model under a name of its own puts the provider's name in its place *before* anybody judges the
//! body, so that what is judged is what is sent (threats C10 and I1). Read [`rename`] first.

use std::ops::Range;

use super::endpoints::Endpoint;
use super::json::text::quote;
use crate::exchange::{Fixed, Half, Part, Place};

/// The body of a request, from which `half` was read, with `to` in place of the model that it names. A body that leaves the
/// model to the path stays as it is.
///
/// `None` if it names the model where it cannot be edited.
#[must_use]
pub fn rename(body: &[u8], half: &Half, to: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len() + to.len());
    let mut done = 0;
    for part in half.parts.iter().filter(|part| names_the_model(part)) {
        let Place::Body(Range { start, end }) = part.place else {
            return None;
        };
        out.extend_from_slice(body.get(done..start)?);
        // Gemini writes the collection before the name.
        let before = if part.text.starts_with(COLLECTION) {
            COLLECTION
        } else {
            ""
        };
        out.extend_from_slice(quote(&format!("{before}{to}")).as_bytes());
        done = end;
    }
    out.extend_from_slice(body.get(done..)?);
    Some(out)
}

const COLLECTION: &str = "models/";

/// Whether a part is the name of the model that the request is for. Wires read it at these places, and refuse a body in which
/// two of them differ.
fn names_the_model(part: &Part) -> bool {
    let Some(before) = part.pointer.strip_suffix("/model") else {
        return false;
    };
    let within = match before.strip_prefix("/requests/") {
        Some(place) => !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit()),
        None => ["", "/generateContentRequest", "/generate_content_request"].contains(&before),
    };
    within && part.fixed == Some(Fixed::Name)
}

/// The path of a request to an endpoint, with `to` in place of the model that it names; `None` if the path is none of the
/// endpoint's.
#[must_use]
pub fn rename_in_path(endpoint: &Endpoint, path: &str, to: &str) -> Option<String> {
    let mut pieces = Vec::new();
    let mut actual = path.split('/');
    for wanted in endpoint.path.split('/') {
        let piece = actual.next()?;
        pieces.push(if wanted.contains("{model}") {
            wanted.replace("{model}", to)
        } else {
            piece.to_owned()
        });
    }
    actual.next().is_none().then(|| pieces.join("/"))
}

/// The beginning of a conversation: what its first message of a user says, as far as it is a text. With who says it, that is
/// what one conversation has in common from request to request and does not share with most others.
#[must_use]
pub fn first_words(half: &Half) -> &str {
    let first = half.parts.iter().find(|part| {
        part.fixed.is_none()
            && part.source == crate::verdict::Source::User
            && TURNS.iter().any(|turns| part.pointer.starts_with(turns))
    });
    first.map_or("", |part| &part.text)
}

/// Where requests of the dialects have what users say. What else they carry differs from request to request.
const TURNS: [&str; 6] = ["/messages", "/contents", "/input", "/prompt", "/content", "/requests"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::endpoints::{Handling, find};
    use crate::wire::{Dialect, Wire};

    fn wire(path: &str) -> (&'static Endpoint, &'static dyn Wire, Option<&str>) {
        let found = find("POST", path, Dialect::Openai).expect("an endpoint");
        match found.endpoint.handling {
            Handling::Inspected(wire) => (found.endpoint, wire, found.model),
            Handling::Models | Handling::Passable | Handling::Refused(_) => panic!("{path} has no wire"),
        }
    }

    fn renamed(path: &str, body: &str) -> String {
        let (endpoint, wire, named) = wire(path);
        let half = wire.read_request(body.as_bytes(), named).expect("readable");
        let bytes = rename(body.as_bytes(), &half, "real-1").expect("editable");
        let named = named.map(|_| "real-1");
        let again = wire.read_request(&bytes, named).expect("readable again");
        assert_eq!(again.model.as_deref(), Some("real-1"), "{path}");
        assert_eq!(again.parts.len(), half.parts.len());
        let path = rename_in_path(endpoint, path, "real-1").expect("a path");
        format!("{path} {}", String::from_utf8(bytes).expect("UTF-8"))
    }

    #[test]
    fn only_the_name_changes_wherever_a_dialect_has_it() {
        for (path, body, expected) in [
            (
                "/v1/chat/completions",
                r#"{"messages":[{"role":"user","content":"model assistant"}], "model" : "\u0061ssistant" , "x":{"model":"assistant"}}"#,
                r#"/v1/chat/completions {"messages":[{"role":"user","content":"model assistant"}], "model" : "real-1" , "x":{"model":"assistant"}}"#,
            ),
            (
                "/v1/messages",
                r#"{"model":"assistant","max_tokens":1,"messages":[]}"#,
                r#"/v1/messages {"model":"real-1","max_tokens":1,"messages":[]}"#,
            ),
            (
                "/openai/deployments/assistant/chat/completions",
                r#"{"messages":[]}"#,
                r#"/openai/deployments/real-1/chat/completions {"messages":[]}"#,
            ),
            (
                "/openai/deployments/assistant/chat/completions",
                r#"{"messages":[],"model":"assistant"}"#,
                r#"/openai/deployments/real-1/chat/completions {"messages":[],"model":"real-1"}"#,
            ),
            (
                "/v1beta/models/assistant:generateContent",
                r#"{"contents":[],"model":"models/assistant"}"#,
                r#"/v1beta/models/real-1:generateContent {"contents":[],"model":"models/real-1"}"#,
            ),
            (
                "/v1beta/models/assistant:batchEmbedContents",
                r#"{"requests":[{"model":"models/assistant","content":{"parts":[{"text":"a"}]}},{"model":"assistant","content":{"parts":[{"text":"b"}]}}]}"#,
                r#"/v1beta/models/real-1:batchEmbedContents {"requests":[{"model":"models/real-1","content":{"parts":[{"text":"a"}]}},{"model":"real-1","content":{"parts":[{"text":"b"}]}}]}"#,
            ),
            (
                "/api/chat",
                r#"{"model":"assistant","messages":[]}"#,
                r#"/api/chat {"model":"real-1","messages":[]}"#,
            ),
        ] {
            assert_eq!(renamed(path, body), expected);
        }
    }

    #[test]
    fn a_conversation_begins_with_what_a_user_says_first() {
        for (path, body, expected) in [
            (
                "/v1/chat/completions",
                r#"{"model":"m","user":"u-7","messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"One."},{"role":"assistant","content":"Two."},{"role":"user","content":"Three."}]}"#,
                "One.",
            ),
            ("/v1/responses", r#"{"model":"m","input":"One."}"#, "One."),
            (
                "/v1beta/models/m:generateContent",
                r#"{"contents":[{"role":"user","parts":[{"text":"One."}]}]}"#,
                "One.",
            ),
            ("/v1/chat/completions", r#"{"model":"m","messages":[]}"#, ""),
        ] {
            let (_, wire, named) = wire(path);
            let half = wire.read_request(body.as_bytes(), named).expect("readable");
            assert_eq!(first_words(&half), expected, "{path}");
        }
    }
}
