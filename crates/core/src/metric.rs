//! What an objective of a policy can be measured by: a closed list, and the targets that are set for it.
//!
//! A metric that nothing measures yet is shown as unmeasured, never as 0. Read [`Metric`] first.

use std::fmt;

use crate::verdict::words;

words! {
    /// What the organisation can be measured by.
    Metric {
        /// Violations found only after the data had left.
        LeaksEscaped = "leaks-escaped",
        /// Principals who used a sanctioned app in the period, as a share of those who may.
        ActiveSanctionedUsers = "active-sanctioned-users",
        /// Principals with a sighting of an unsanctioned app in the period.
        UnsanctionedUsers = "unsanctioned-users",
        /// Requests that were blocked in the period.
        BlockedRequests = "blocked-requests",
        /// Tasks that evidence asks for and that are late today.
        OverdueTasks = "overdue-tasks",
        /// Exceptions that are in force today.
        OpenExceptions = "open-exceptions",
        /// Records of the period whose proofs were verified, as a share of all.
        RecordsVerified = "records-verified",
        /// People who hold every course that they need today, as a share of all.
        TrainingCurrent = "training-current",
        /// Incidents that are not closed today.
        IncidentsOpen = "incidents-open",
        /// Days from the first sighting of an app to its classification, on average.
        TimeToClassify = "time-to-classify",
    }
}

impl Metric {
    /// What it counts, in a fragment for people.
    #[must_use]
    pub const fn counts(self) -> &'static str {
        match self {
            Self::LeaksEscaped => "violations found only after the data had left",
            Self::ActiveSanctionedUsers => "share of those who may use a sanctioned app that did",
            Self::UnsanctionedUsers => "people seen with an unsanctioned app",
            Self::BlockedRequests => "requests that were blocked",
            Self::OverdueTasks => "tasks of the policy that are late",
            Self::OpenExceptions => "exceptions in force",
            Self::RecordsVerified => "share of the records whose proofs were verified",
            Self::TrainingCurrent => "share of people who hold every course that they need",
            Self::IncidentsOpen => "incidents that are not closed",
            Self::TimeToClassify => "days from the first sighting of an app to its classification",
        }
    }
}

/// How a measured value and a target's are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `=`, or nothing
    Exactly,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

/// What the value of a metric should be: `0`, `>= 60%`, `< 5`, `<= 3 days`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// On which side of the value.
    pub comparison: Comparison,
    /// The value.
    pub value: f64,
    /// What it counts in, where that is written: a share in hundredths or days.
    pub unit: Option<Unit>,
}

/// What a target counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `%`
    Percent,
    /// `days`
    Days,
}

impl Target {
    /// Reads a target; `None` when it cannot be read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let signs = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Below),
            (">", Comparison::Above),
            ("=", Comparison::Exactly),
            ("", Comparison::Exactly),
        ];
        let text = text.trim();
        let (rest, comparison) = signs
            .into_iter()
            .find_map(|(sign, comparison)| Some((text.strip_prefix(sign)?.trim(), comparison)))?;
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, unit) = rest.split_at_checked(end)?;
        let unit = match unit.trim() {
            "" => None,
            "%" => Some(Unit::Percent),
            "day" | "days" => Some(Unit::Days),
            _ => return None,
        };
        let value: f64 = number.parse().ok()?;
        value.is_finite().then_some(Self {
            comparison,
            value,
            unit,
        })
    }

    /// Whether a measured value meets it.
    #[must_use]
    pub fn is_met(&self, measured: f64) -> bool {
        match self.comparison {
            Comparison::Below => measured < self.value,
            Comparison::AtMost => measured <= self.value,
            Comparison::Exactly => (measured - self.value).abs() < f64::EPSILON,
            Comparison::AtLeast => measured >= self.value,
            Comparison::Above => measured > self.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_people_write_them() {
        let read = |text| Target::parse(text).map(|target| (target.comparison, target.value, target.unit));
        assert_eq!(read("0"), Some((Comparison::Exactly, 0.0, None)));
        assert_eq!(read(">= 60%"), Some((Comparison::AtLeast, 60.0, Some(Unit::Percent))));
        assert_eq!(read("<5"), Some((Comparison::Below, 5.0, None)));
        assert_eq!(read("<= 3 days"), Some((Comparison::AtMost, 3.0, Some(Unit::Days))));
        for text in ["", "few", ">= ", "60 percent", "-1", "1.2.3", ">= >= 3", "3 %%"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_target_is_met_on_its_side() {
        let met = |text, value| Target::parse(text).is_some_and(|target| target.is_met(value));
        assert!(met(">= 60%", 60.0) && !met(">= 60%", 59.9));
        assert!(met("0", 0.0) && !met("0", 1.0));
        assert!(met("< 5", 4.0) && !met("< 5", 5.0) && met("> 5", 6.0) && met("<= 5", 5.0));
    }
}
