//! What was spent: one counter for each holder and length of period, beside the records and written with them.
//!
//! A counter holds the current period only. INVARIANT: what a record spends is counted in the transaction that makes the record
//! durable, or not at all. Read [`Spend`] first.

use std::fmt;
use std::sync::Arc;

use super::SubjectId;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Requests that went upstream.
    Requests,
    /// Tokens, of request and answer together.
    Tokens,
    /// Money, in millionths of the currency's unit.
    Cost,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 3] = [Self::Requests, Self::Tokens, Self::Cost];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Cost => "cost",
        }
    }
}

/// For how long is counted before it begins at nothing again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// A minute of the clock.
    Minute,
    /// An hour of the clock, in UTC.
    Hour,
    /// A day of the calendar.
    Day,
    /// A month of the calendar.
    Month,
}

impl Period {
    /// Every period, shortest first.
    pub const ALL: [Self; 4] = [Self::Minute, Self::Hour, Self::Day, Self::Month];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// Whose spending is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A line of keys, by the id of its first.
    Key(Arc<str>),
    /// A principal, whichever key or token they show.
    Principal(SubjectId),
}

impl Holder {
    /// The word for its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Principal(_) => "principal",
        }
    }

    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("key", line) => Some(Self::Key(line.into())),
            ("principal", subject) => SubjectId::parse(subject).map(Self::Principal),
            _ => None,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(line) => write!(f, "key:{line}"),
            Self::Principal(subject) => write!(f, "principal:{subject}"),
        }
    }
}

/// How much of each measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Requests.
    pub requests: u64,
    /// Tokens.
    pub tokens: u64,
    /// Millionths of the currency's unit.
    pub cost: u64,
}

impl Amount {
    /// The largest amount that is told apart. Sums stop here, which is far beyond any limit that makes sense and well within
    /// what a database counts.
    pub const MOST: u64 = 1 << 52;

    /// So much of one measure.
    #[must_use]
    pub const fn of(self, measure: Measure) -> u64 {
        match measure {
            Measure::Requests => self.requests,
            Measure::Tokens => self.tokens,
            Measure::Cost => self.cost,
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = |one: u64, other: u64| one.saturating_add(other).min(Self::MOST);
        Self {
            requests: sum(self.requests, other.requests),
            tokens: sum(self.tokens, other.tokens),
            cost: sum(self.cost, other.cost),
        }
    }

    /// What is left of it without `other`; never less than nothing.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(other.requests),
            tokens: self.tokens.saturating_sub(other.tokens),
            cost: self.cost.saturating_sub(other.cost),
        }
    }
}

/// What one record adds to a counter and takes from it. A start later than the counter's begins a new period; an earlier one
/// belongs to a period that is over, and counts nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// Whose.
    pub holder: Holder,
    /// For periods of this length.
    pub period: Period,
    /// When the period began, in milliseconds since 1970.
    pub start_ms: i64,
    /// What is added.
    pub adds: Amount,
    /// What is taken off: what was reserved before.
    pub takes: Amount,
}

/// A counter as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// Whose.
    pub holder: Holder,
    /// For periods of this length.
    pub period: Period,
    /// When its period began, in milliseconds since 1970.
    pub start_ms: i64,
    /// What was spent since, with what was reserved and not settled.
    pub amount: Amount,
}
