//! One half of an exchange as the policy sees it: which model, and every piece of text with where it stood.
//!
//! A wire makes a [`Half`] from body bytes; detectors read its parts; the decision reads facts about it. Nothing here
//! knows a dialect. Read [`Part`] first.

use std::fmt;
use std::ops::Range;

use crate::verdict::Source;

/// A request or an answer, taken apart.
#[derive(Debug, Clone, Default)]
pub struct Half {
    /// The model that the body names.
    pub model: Option<String>,
    /// Whether the request asks for a streamed answer.
    pub stream: bool,
    /// Every string, object key and long number of the body, in document order, but for what a server counts or
    /// measures.
    pub parts: Vec<Part>,
    /// What the body carries that cannot be read as text.
    pub uninspectable: Vec<Uninspectable>,
    /// The tools that an answer calls.
    pub tools: Vec<ToolCall>,
    /// The tools that a request lists, by the names that calls of them would have.
    pub listed: Vec<String>,
    /// Whether a request asks for an answer to which nothing may be added: one of a given form, or with probabilities of
    /// each token.
    pub exact: bool,
    /// How much a request lets the model say.
    pub bound: Bound,
    /// What an answer says of its tokens.
    pub usage: Usage,
}

/// How much a request lets the model say, as it stands in its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The most tokens of one answer, if the request says so.
    pub tokens: Option<u64>,
    /// How many answers it asks for.
    pub answers: u64,
}

impl Default for Bound {
    fn default() -> Self {
        Self {
            tokens: None,
            answers: 1,
        }
    }
}

/// Tokens, as a provider counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Those of the request, cached ones too.
    pub input: Option<u64>,
    /// Those of the answer, thoughts that nobody sees too.
    pub output: Option<u64>,
}

impl Usage {
    /// Of two statements about one answer, what is more: a stream counts on as it goes.
    #[must_use]
    pub fn or_more(self, other: Self) -> Self {
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
        }
    }
}

/// A call of a tool by a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolCall {
    /// The tool's name.
    pub tool: String,
    /// Its arguments as JSON text; `None` if it has none, or none that can be told apart by name.
    pub arguments: Option<String>,
}

/// One inspected string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// JSON pointer (RFC 6901) of the value; for an object key, of the member it names. Inside a string that holds JSON,
    /// the inner pointer follows a `#`.
    pub pointer: String,
    /// The text, decoded from every layer of escaping.
    pub text: String,
    /// Who wrote it.
    pub source: Source,
    /// Why it cannot be edited, if it cannot: what must stay as it is to keep the body meaningful.
    pub fixed: Option<Fixed>,
    /// Whether its text is JSON that is inspected through inner parts, so that it is not looked at itself.
    pub inner: bool,
    /// Where it stands in the body.
    pub place: Place,
}

/// Why a part cannot be edited safely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fixed {
    /// The name of an object member.
    Key,
    /// Something that others refer to: ids, model and tool names, roles, types, enumerations, settings.
    Name,
}

/// Where a part stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A JSON token of the body: a string with its quotes, or a number.
    Body(Range<usize>),
    /// A JSON token inside the text of another part (tool-call arguments).
    Within {
        /// Index of the outer part in [`Half::parts`].
        outer: usize,
        /// Byte range of the token in the outer part's decoded text.
        token: Range<usize>,
    },
}

/// Something that no detector can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uninspectable {
    /// Where it is.
    pub pointer: String,
    /// What it is.
    pub what: Opaque,
}

/// The kinds of content that cannot be read as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opaque {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// A document or another file.
    File,
    /// Something at an address, fetched by the provider.
    RemoteReference,
    /// Something that the provider keeps from before.
    ServerState,
    /// Reasoning that the provider encrypted.
    EncryptedReasoning,
    /// A content type, role or shape that the wire does not know.
    Unrecognized,
}

impl Opaque {
    /// The word in records and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::File => "file",
            Self::RemoteReference => "remote-reference",
            Self::ServerState => "server-state",
            Self::EncryptedReasoning => "encrypted-reasoning",
            Self::Unrecognized => "unrecognized",
        }
    }
}

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A change to the text of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Index in [`Half::parts`].
    pub part: usize,
    /// Byte range of the part's decoded text, on character boundaries.
    pub range: Range<usize>,
    /// What stands there instead.
    pub replacement: String,
}
