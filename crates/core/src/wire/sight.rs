//! Sights: what each wire can see of a body and what it can do there, as data.
//!
//! A wire reads every string of a body, but a policy needs more than that: it masks, it asks who wrote a text, and it cannot
//! judge a picture. Each wire states field by field how far it gets, for prompts, for whole answers and for answers that
//! stream. `assurance` holds a policy against these tables when it is loaded. A test reads a body for each row, so that no
//! table says more than its wire does. Read [`Sights`] first.

#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::verdict::{Direction, Source, SourceSet, words};

words! {
    /// What a body consists of, in the words of no dialect.
    Field {
        /// What a person asks, or a model says.
        Text = "text",
        /// Instructions of whoever made the client.
        SystemText = "system-text",
        /// Descriptions of tools, and schemas.
        ToolDefinitions = "tool-definitions",
        /// What the client says that a model said before.
        EarlierAnswers = "earlier-answers",
        /// Calls of tools that the client carries out, with their arguments.
        ToolCalls = "tool-calls",
        /// Calls of tools that the provider carries out itself.
        HostedCalls = "hosted-calls",
        /// What tools returned.
        ToolResults = "tool-results",
        /// What a search or a document brought in.
        Retrieved = "retrieved",
        /// What a model thought, in the clear.
        Reasoning = "reasoning",
        /// Ids, roles, names of tools and whatever else others refer to.
        Names = "names",
        /// Pictures.
        Images = "images",
        /// Sound.
        Audio = "audio",
        /// Documents and other files.
        Files = "files",
        /// What lies at an address.
        RemoteReferences = "remote-references",
        /// What the provider keeps from before.
        StoredState = "stored-state",
        /// Reasoning that the provider encrypted.
        EncryptedReasoning = "encrypted-reasoning",
        /// Text as numbers of tokens.
        TokenIds = "token-ids",
        /// What embeddings are.
        Vectors = "vectors",
        /// Probabilities of single tokens.
        LogProbabilities = "log-probabilities",
    }
}

words! {
    /// How far a wire gets with a field.
    Sight {
        /// It is read, and what is found there can be masked.
        Edited = "edited",
        /// It is read; what would have to be masked there stops the whole.
        Stopped = "stopped",
        /// It is read when what it tells of has happened already.
        After = "after",
        /// It is read piece by piece. It repeats what is read whole elsewhere, and goes where that is masked.
        Pieces = "pieces",
        /// There is no text in it, or none that is not read elsewhere.
        NoText = "no-text",
        /// Nobody can read it, and the wire says so each time.
        Unread = "unread",
    }
}

/// Fields with how far a wire gets there. A field that is not listed has no place of its own in the dialect.
pub type Table = &'static [(Field, Sight)];

/// What a wire can see and do.
#[derive(Debug, Clone, Copy)]
pub struct Sights {
    /// Of requests.
    pub prompt: Table,
    /// Of answers in one piece.
    pub answer: Table,
    /// Of answers that stream; empty if none do.
    pub stream: Table,
    /// What every answer that is no error consists of, if that cannot be read.
    pub opaque: Option<Field>,
}

impl Field {
    /// Who writes it, if it is text of somebody.
    #[must_use]
    pub const fn source(self, direction: Direction) -> Option<Source> {
        Some(match self {
            Self::Text => match direction {
                Direction::Prompt => Source::User,
                Direction::Answer => Source::Model,
            },
            Self::SystemText | Self::ToolDefinitions => Source::System,
            Self::EarlierAnswers | Self::ToolCalls | Self::HostedCalls | Self::Reasoning => Source::Model,
            Self::ToolResults => Source::Tool,
            Self::Retrieved => Source::Retrieved,
            Self::Names
            | Self::Images
            | Self::Audio
            | Self::Files
            | Self::RemoteReferences
            | Self::StoredState
            | Self::EncryptedReasoning
            | Self::TokenIds
            | Self::Vectors
            | Self::LogProbabilities => return None,
        })
    }
}

/// The sources that a table tells apart.
#[must_use]
pub fn told_apart(table: Table, direction: Direction) -> SourceSet {
    table.iter().filter_map(|(field, _)| field.source(direction)).collect()
}
