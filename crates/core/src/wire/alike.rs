//! Events that say what the one before them said, but for texts that grow: nearly all of a streamed answer.
//!
//! Such an event is not taken apart anew. Where its data is, byte for byte, that of a known event outside of the tokens of
//! growing texts, the same values stand in it at the same places, so it reads the same with other texts. What a dialect
//! could conclude from a text itself is left to the dialect. Start at [`Alike::of`].

use std::ops::Range;

use super::reading::opaque_data;
use super::sse::Event;
use super::{EventReading, Flow, Fragment, json};

/// An event that others are held against, and what it said.
#[derive(Debug)]
pub struct Alike {
    event: Event,
    reading: EventReading,
    /// The fragments that may say something else, in the order of their tokens.
    varying: Vec<usize>,
}

impl Alike {
    /// Takes an event as one that others may be like: one that carries pieces of text, and nothing that needs more thought.
    #[must_use]
    pub fn of(event: &Event, reading: &EventReading) -> Option<Self> {
        let EventReading {
            fragments,
            falsified,
            once,
            carriers,
            number,
            ends,
            terminal,
            may_end: _,
            tools,
            calls,
            only_arguments,
            uninspectable,
            usage: _,
            vouches_for,
        } = reading;
        let plain = event.data.len() <= LONGEST
            && falsified.is_empty()
            && once.is_empty()
            && carriers.is_empty()
            && number.is_none()
            && ends.is_empty()
            && !terminal
            && tools.is_empty()
            && calls.is_empty()
            && !only_arguments
            && uninspectable.is_empty()
            && vouches_for.is_none();
        let varying: Vec<usize> = (0..fragments.len())
            .filter(|&place| fragments.get(place).is_some_and(varies))
            .collect();
        let tokens = || varying.iter().filter_map(|&place| fragments.get(place));
        let in_order = tokens()
            .zip(tokens().skip(1))
            .all(|(one, next)| one.token.end <= next.token.start);
        (plain && !varying.is_empty() && in_order).then(|| Self {
            event: event.clone(),
            reading: reading.clone(),
            varying,
        })
    }

    /// What an event says, if it is like this one.
    #[must_use]
    pub fn read(&self, event: &Event) -> Option<EventReading> {
        if event.event != self.event.event {
            return None;
        }
        let (mut known, mut rest) = (0, event.data.as_str());
        let mut texts = Vec::with_capacity(self.varying.len());
        for &place in &self.varying {
            let token = &self.reading.fragments.get(place)?.token;
            rest = rest.strip_prefix(self.event.data.get(known..token.start)?)?;
            let (text, length) = json::leading_string(rest)?;
            if opaque_data(&text).is_some() {
                return None;
            }
            let start = event.data.len() - rest.len();
            texts.push((place, text.into_owned(), start..start + length));
            rest = rest.get(length..)?;
            known = token.end;
        }
        if self.event.data.get(known..)? != rest {
            return None;
        }
        let mut reading = self.reading.clone();
        let mut texts = texts.into_iter().peekable();
        // How far what follows has moved, and where.
        let (mut longer, mut shorter) = (0, 0);
        for (place, fragment) in reading.fragments.iter_mut().enumerate() {
            if let Some((_, text, token)) = texts.next_if(|(varying, ..)| *varying == place) {
                (longer, shorter) = (token.end, fragment.token.end);
                (fragment.text, fragment.token) = (text, token);
            } else if !fragment.token.is_empty() {
                fragment.token = moved(&fragment.token, longer, shorter)?;
            }
        }
        Some(reading)
    }
}

/// Longer events are taken apart each time: they are rare, and every stream keeps one.
const LONGEST: usize = 4096;

/// A range behind a place that was `from` and is `to`.
fn moved(range: &Range<usize>, to: usize, from: usize) -> Option<Range<usize>> {
    let place = |offset: usize| offset.checked_sub(from)?.checked_add(to);
    Some(place(range.start)?..place(range.end)?)
}

/// Whether a fragment's text decides about nothing but itself. Members that hold addresses are not among them, since what
/// an address refers to cannot be read; what a chunk is filled up with to hide its length is.
fn varies(fragment: &Fragment) -> bool {
    let piece = fragment.flow == Flow::Text && !fragment.channel.ends_with("url");
    (piece || fragment.channel == "still/obfuscation") && !fragment.token.is_empty()
}

#[cfg(test)]
mod tests {
    use super::Alike;
    use crate::wire::all;
    use crate::wire::sse::Event;

    /// Events of the dialects, with a text at `TEXT`, as it stands between quotes, and a second one at `MORE`.
    const EVENTS: [(&str, Option<&str>, &str); 12] = [
        (
            "openai-chat",
            None,
            r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"TEXT"},"logprobs":null,"finish_reason":null}]}"#,
        ),
        (
            "openai-chat",
            None,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"content":"TEXT"}},{"index":1,"delta":{"refusal":"MORE"}}],"model":"4111111111111111"}"#,
        ),
        (
            "openai-chat",
            None,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"content":"TEXT"}}],"usage":null,"obfuscation":"MORE"}"#,
        ),
        (
            "openai-chat",
            None,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"image":{"url":"TEXT"}}}]}"#,
        ),
        (
            "openai-chat",
            None,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":"stop"}]}"#,
        ),
        (
            "openai-chat",
            None,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"TEXT"}}]}}]}"#,
        ),
        (
            "openai-completions",
            None,
            r#"{"id":"c1","choices":[{"index":0,"text":"TEXT","logprobs":null}],"model":"m"}"#,
        ),
        (
            "openai-responses",
            Some("response.output_text.delta"),
            r#"{"type":"response.output_text.delta","sequence_number":5,"item_id":"i","output_index":0,"content_index":0,"delta":"TEXT"}"#,
        ),
        (
            "anthropic-messages",
            Some("content_block_delta"),
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"TEXT"}}"#,
        ),
        (
            "anthropic-messages",
            Some("content_block_delta"),
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"TEXT"}}"#,
        ),
        (
            "gemini-stream",
            None,
            r#"{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"TEXT"}]}}],"modelVersion":"m"}"#,
        ),
        (
            "ollama-chat",
            None,
            r#"{"model":"m","created_at":"2026-12-01T00:00:00Z","message":{"role":"assistant","content":"TEXT"},"done":false}"#,
        ),
    ];

    /// As they stand between quotes; some are no text, and some end the string and go on with other members.
    const TEXTS: [&str; 18] = [
        "",
        "a",
        "two words",
        "a longer piece of text than the one before it was",
        r"\u0041\n\ud83d\ude00",
        r#"she said \"no\""#,
        r"back\\slash",
        "\u{1f600} \u{e9}",
        "data:image/png;base64,iVBORw0KGgo=",
        "DATA:;base64,AAAA",
        "https://files.example/a.png",
        "4111 1111 1111 1111",
        "[DONE]",
        r"\ud800",
        r"\x",
        "a\tb",
        r#"","more":""#,
        r#""}],"error":{"x":"#,
    ];

    #[test]
    fn what_is_like_an_event_reads_as_if_it_were_taken_apart() {
        let mut hits = 0;
        for (wire, name, shape) in EVENTS {
            let wire = all().into_iter().find(|one| one.id() == wire).expect("a wire");
            let talk = wire.talk().expect("it streams");
            let event = |text: &str, more: &str| Event {
                event: name.map(str::to_owned),
                data: shape.replace("TEXT", text).replace("MORE", more),
            };
            for (first, more) in TEXTS.iter().zip(TEXTS.iter().rev()) {
                let known = event(first, more);
                let Some(alike) = talk
                    .read_event(&known)
                    .ok()
                    .and_then(|reading| Alike::of(&known, &reading))
                else {
                    continue;
                };
                for text in TEXTS {
                    for more in TEXTS {
                        let other = event(text, more);
                        if let Some(reading) = alike.read(&other) {
                            assert_eq!(Ok(reading), talk.read_event(&other), "{known:?} {other:?}");
                            hits += 1;
                        }
                    }
                }
            }
        }
        assert!(hits > 10_000, "{hits}");
    }

    #[test]
    fn pieces_of_text_are_alike_and_other_events_are_not() {
        for (wire, name, shape) in EVENTS {
            let all = all();
            let talk = all
                .iter()
                .find(|one| one.id() == wire)
                .and_then(|wire| wire.talk())
                .expect("it streams");
            let event = |text: &str| Event {
                event: name.map(str::to_owned),
                data: shape.replace("TEXT", text).replace("MORE", text),
            };
            let reading = talk.read_event(&event("one")).expect("an event");
            let alike = Alike::of(&event("one"), &reading).and_then(|alike| alike.read(&event("another")));
            let simple = ![
                "url",
                "finish_reason\":\"stop",
                "arguments",
                "partial_json",
                "sequence_number",
            ]
            .iter()
            .any(|part| shape.contains(part));
            assert_eq!(alike.is_some(), simple, "{shape}");
        }
    }
}
