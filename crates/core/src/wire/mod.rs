//! Wires: dialects that turn body bytes into the halves of an exchange, and edits back into the very same bytes.
//!
//! A wire is strict where two parsers could read differently ([`json`]) and open where vendors add fields: what it does
//! not know it still hands over as parts, and what nobody can read as text it reports as uninspectable. It knows nothing
//! of policies. One wire is one file or folder and one line in [`all`]; which endpoint speaks it is a row of
//! [`endpoints`]. Read [`Wire`] first.

pub mod alike;
pub mod anthropic_count_tokens;
pub mod anthropic_messages;
mod cut;
mod dialect;
pub mod endpoints;
#[cfg(test)]
mod fixture;
mod fragments;
pub mod framing;
pub mod gemini;
pub mod json;
mod lookup;
pub mod model;
mod number;
pub mod ollama;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_embeddings;
pub mod openai_images;
pub mod openai_moderations;
pub mod openai_responses;
pub mod openai_speech;
pub mod reading;
pub mod sight;
pub mod splice;
pub mod sse;
mod usage;
mod vector;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::Range;

pub use dialect::Dialect;
pub use framing::Framing;

use crate::exchange::{Half, ToolCall, Usage};
use crate::verdict::Source;

/// Why a body is refused before anybody judges it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset}")]
pub struct Malformed {
    /// Byte offset in the body or event.
    pub offset: usize,
    /// What is wrong, without any of the text.
    pub reason: &'static str,
}

/// Words for a client in place of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// The sentence that the person reads.
    pub message: &'a str,
    /// The model that the client asked for.
    pub model: &'a str,
    /// The id of the record.
    pub record: &'a str,
    /// Seconds since the Unix epoch.
    pub at: i64,
}

/// What a streamed event carries, for the stream inspection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventReading {
    /// Its pieces of text, in document order.
    pub fragments: Vec<Fragment>,
    /// JSON values to drop where text is changed, since they would falsify or repeat it (`logprobs`).
    pub falsified: Vec<Falsified>,
    /// JSON values that count each time they are sent, such as whole tool calls: byte ranges that are replaced by `null` in a
    /// copy of the event that only carries held text.
    pub once: Vec<Range<usize>>,
    /// How a rest of a channel's text is sent where a copy of this event would do harm.
    pub carriers: Vec<Carrier>,
    /// The number of this event, in dialects that count them: its byte range in the data. What is sent beside is counted too.
    pub number: Option<Range<usize>>,
    /// Channels that this event ends; everything that is held for them goes out before it. A name ends every channel
    /// that begins with it.
    pub ends: Vec<String>,
    /// Whether the stream is over with this event.
    pub terminal: bool,
    /// Whether the stream may end after this event, in dialects whose streams end without a word; `None` if the event
    /// leaves that as it was.
    pub may_end: Option<bool>,
    /// The calls of tools that this event begins.
    pub tools: Vec<CallBegun>,
    /// Calls of tools that it has a part of and that are whole only when they end, each by what its channels begin with.
    /// Until then the client hears of none of it.
    pub calls: Vec<String>,
    /// Whether it says nothing but pieces of arguments, so that without them it need not be sent.
    pub only_arguments: bool,
    /// What it carries that cannot be read as text.
    pub uninspectable: Vec<crate::exchange::Uninspectable>,
    /// What it says of the tokens so far.
    pub usage: Usage,
    /// If the event only vouches for text of a channel (a signature), that channel: the event is dropped when the
    /// channel's text was changed.
    pub vouches_for: Option<String>,
}

impl EventReading {
    /// The channel of this name, if it has a growing piece here.
    fn piece_of(&self, channel: &str) -> Option<&str> {
        let mut pieces = self.fragments.iter().filter(|fragment| fragment.flow.grows());
        let found = pieces.find(|fragment| fragment.channel == channel);
        found.map(|fragment| fragment.channel.as_str())
    }
}

/// A value that goes when the text of its channel group is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Falsified {
    /// Prefix of the channels whose change falsifies it.
    pub channel: String,
    /// Byte range of the value in the event's data, which is replaced by `null`.
    pub value: Range<usize>,
    /// Whether it speaks of all that the channels said so far (token ids of the conversation, places in a text), not of
    /// this event's text alone.
    pub so_far: bool,
}

/// An event that can carry text of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// The channel.
    pub channel: String,
    /// The event, with an empty text.
    pub event: sse::Event,
    /// Byte range in its data of the token that the text replaces.
    pub token: Range<usize>,
    /// Byte range of its number.
    pub number: Option<Range<usize>>,
}

/// The beginning of a call in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallBegun {
    /// Prefix of the channels that carry the rest of it, such as `0/tool/1/`.
    pub channel: String,
    /// The tool, with arguments only if the event carries them as a value rather than as a growing text.
    pub call: ToolCall,
}

impl CallBegun {
    /// Whether a channel carries its arguments.
    #[must_use]
    pub fn is_of(&self, channel: &str) -> bool {
        channel.strip_prefix(self.channel.as_str()) == Some("arguments")
    }
}

/// One piece of text in a streamed event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The flow it belongs to, such as `0/content` or `block/1/arguments`. Still pieces within a choice or block have
    /// channels of its group too (`block/1/still/…`), so that it counts as begun.
    pub channel: String,
    /// How the flow behaves.
    pub flow: Flow,
    /// The decoded text.
    pub text: String,
    /// Who wrote it: the model, but for what a provider's own search brought in.
    pub source: Source,
    /// Byte range of the JSON token (with its quotes) in the event's data; empty for the event's name.
    pub token: Range<usize>,
}

/// How the pieces of a channel make up its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flow {
    /// Text that grows piece by piece; pieces may be held back and joined.
    Text,
    /// JSON that grows piece by piece and means something only when whole; held until the channel ends.
    Arguments,
    /// A text that is whole in its event and comes once (in arguments that are an object, in citations): judged and edited there.
    Whole,
    /// The whole text of a channel, told in one event and perhaps again in later ones: judged and edited there, and what is
    /// masked counts once.
    Told,
    /// The same for what would be [`Self::Arguments`] if it grew.
    ToldArguments,
    /// A value that stands for itself in each event (ids, names, unknown fields); inspected there and cannot be edited.
    Still,
}

impl Flow {
    /// Whether its pieces make up a text that grows from event to event.
    #[must_use]
    pub const fn grows(self) -> bool {
        matches!(self, Self::Text | Self::Arguments)
    }
}

/// What the bodies of one endpoint look like.
pub trait Wire: Debug + Send + Sync {
    /// Kebab-case id for records and configuration, such as `openai-chat`.
    fn id(&self) -> &'static str;

    /// What it can see of bodies, and what it can do there.
    fn sights(&self) -> &'static sight::Sights;

    /// Takes a request body apart. `named` is the model that the path names, for endpoints whose path does.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for what two parsers could read differently, and for what lacks the wire's basic shape.
    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed>;

    /// Takes a whole answer body apart.
    ///
    /// # Errors
    ///
    /// As for [`Self::read_request`].
    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed>;

    /// Byte ranges of the body, each replaced by `null`, that edits to `parts` (indices into `half.parts`) of an answer
    /// falsify, such as log probabilities.
    fn falsified(&self, _body: &[u8], _half: &Half, _parts: &[usize]) -> Vec<Range<usize>> {
        Vec::new()
    }

    /// A request body without the tools of these names: out of its lists, and out of what it says about choosing one. A list
    /// that nothing is left of goes with all that only means something beside it, so that the provider takes the request.
    /// `None` if the body cannot be read, or lists no tools in this wire.
    fn without_tools(&self, _body: &[u8], _gone: &BTreeSet<String>) -> Option<Vec<u8>> {
        None
    }

    /// How it talks, if its answers are those of a conversation: then a refusal can be one of them, and they can stream.
    fn talk(&self) -> Option<&dyn Talk> {
        None
    }
}

/// A wire whose answers are words of a model.
pub trait Talk: Debug + Send + Sync {
    /// How the events of a streamed answer are told apart.
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    /// Takes one streamed event apart.
    ///
    /// # Errors
    ///
    /// As for [`Wire::read_request`].
    fn read_event(&self, event: &sse::Event) -> Result<EventReading, Malformed>;

    /// A normal answer that refuses, in place of a content-blocked request or answer.
    fn refusal(&self, refusal: &Refusal<'_>) -> Vec<u8>;

    /// The same as a whole event stream.
    fn refusal_stream(&self, refusal: &Refusal<'_>) -> Vec<u8>;

    /// The events that end a stream which has begun: `seen` is what the client got so far.
    fn stop_stream(&self, seen: &Seen, refusal: &Refusal<'_>) -> Vec<u8>;

    /// The event that tells a client that the upstream broke off.
    fn broken_stream(&self, message: &str) -> Vec<u8>;

    /// Where the text of an answer's first choice ends: the byte range of its last JSON string. `None` if it says nothing, or
    /// if something depends on what exactly it says.
    fn last_words(&self, _body: &[u8]) -> Option<Range<usize>> {
        None
    }

    /// The channel of the first choice's text, if the event has a piece of it.
    fn speaks<'r>(&self, _event: &sse::Event, _reading: &'r EventReading) -> Option<&'r str> {
        None
    }

    /// Events that say something behind all texts, in dialects whose texts end before it is known whether more follows. They
    /// go out before `event`, if that is the one behind the last text.
    fn postscript(&self, _event: &sse::Event, _seen: &Seen, _text: &str) -> Option<Vec<u8>> {
        None
    }
}

/// What a client has seen of a stream.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Whether any event went out.
    pub begun: bool,
    /// Channels that have begun and not ended, in order of appearance.
    pub open: Vec<String>,
    /// All channels that have begun, in order of appearance.
    pub channels: Vec<String>,
    /// The data of the last event that carried text of a channel, to take ids and model from.
    pub last: Option<String>,
    /// The data of the first event.
    pub first: Option<String>,
    /// The number of the last event, in dialects that count them.
    pub number: Option<u64>,
}

/// Every wire.
pub fn all() -> [&'static dyn Wire; 17] {
    [
        &openai_chat::OpenaiChat,
        &openai_responses::OpenaiResponses,
        &openai_responses::OpenaiResponsesTokens,
        &openai_completions::OpenaiCompletions,
        &openai_embeddings::OpenaiEmbeddings,
        &openai_moderations::OpenaiModerations,
        &openai_images::OpenaiImages,
        &openai_speech::OpenaiSpeech,
        &anthropic_messages::AnthropicMessages,
        &anthropic_count_tokens::AnthropicCountTokens,
        &gemini::GeminiGenerate,
        &gemini::GeminiStream,
        &gemini::GeminiCount,
        &gemini::GeminiEmbed,
        &ollama::Ollama::Chat,
        &ollama::Ollama::Generate,
        &ollama::OllamaEmbed,
    ]
}
