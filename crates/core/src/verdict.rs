//! The ordered words of a decision: verdicts, modes, app classes, directions and sources.
//!
//! Everything here is a closed set whose order is part of the policy language. Read [`Verdict`] first.

use std::fmt;

/// Declares an enum whose variants have one written name each, in one place.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// Every value, in the set's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that documents, records and headers use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word; `None` when it is not one of the set.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What is to happen to a request or an answer, weakest to strongest; the strictest wins.
    Verdict {
        /// Passes unchanged.
        Allow = "allow",
        /// Passes, with a notice to the person.
        Coach = "coach",
        /// Passes once a reason has been stated.
        Justify = "justify",
        /// Passes with the matches masked that asked for it.
        Redact = "redact",
        /// Waits until another person agrees.
        Hold = "hold",
        /// Does not pass.
        Block = "block",
    }
}

impl Verdict {
    /// Whether what says so keeps the bytes back; of a whole decision, ask
    /// [`Decision::stops`](crate::decide::Decision::stops).
    #[must_use]
    pub const fn stops(self) -> bool {
        matches!(self, Self::Block | Self::Hold | Self::Justify)
    }
}

words! {
    /// How a clause or a piece of section data acts now.
    Mode {
        /// Records what would have happened and does nothing.
        Observe = "observe",
        /// Acts at most by telling.
        Coach = "coach",
        /// Acts fully.
        Enforce = "enforce",
    }
}

impl Mode {
    /// What `verdict` amounts to in this mode.
    #[must_use]
    pub fn limit(self, verdict: Verdict) -> Verdict {
        match self {
            Self::Observe => Verdict::Allow,
            Self::Coach => verdict.min(Verdict::Coach),
            Self::Enforce => verdict,
        }
    }
}

words! {
    /// What the organisation thinks of an app, most to least trusted.
    AppClass {
        /// Approved for work.
        Sanctioned = "sanctioned",
        /// Put up with, for a while.
        Tolerated = "tolerated",
        /// Classified by nobody.
        Unknown = "unknown",
        /// Refused.
        Unsanctioned = "unsanctioned",
    }
}

words! {
    /// Which half of an exchange.
    Direction {
        /// What goes to the app.
        Prompt = "prompt",
        /// What comes back.
        Answer = "answer",
    }
}

words! {
    /// Who wrote a part.
    Source {
        /// The person or program that asks.
        User = "user",
        /// Instructions and definitions that the client's developer wrote.
        System = "system",
        /// What a tool returned.
        Tool = "tool",
        /// What a search or a document brought in.
        Retrieved = "retrieved",
        /// What a model wrote, now or (as the client claims) earlier.
        Model = "model",
    }
}

/// A set of [`Source`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct SourceSet(u8);

impl SourceSet {
    /// No source.
    pub const EMPTY: Self = Self(0);
    /// Every source.
    pub const ALL: Self = Self(0b1_1111);

    /// The set of one source.
    #[must_use]
    pub const fn of(source: Source) -> Self {
        Self(1 << source as u8)
    }

    /// This set and `source`.
    #[must_use]
    pub const fn with(self, source: Source) -> Self {
        Self(self.0 | 1 << source as u8)
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `source` is in it.
    #[must_use]
    pub const fn contains(self, source: Source) -> bool {
        self.0 & (1 << source as u8) != 0
    }

    /// Its members, in order.
    pub fn iter(self) -> impl Iterator<Item = Source> {
        Source::ALL.iter().copied().filter(move |&source| self.contains(source))
    }
}

impl FromIterator<Source> for SourceSet {
    fn from_iter<I: IntoIterator<Item = Source>>(sources: I) -> Self {
        sources.into_iter().fold(Self::EMPTY, Self::with)
    }
}
