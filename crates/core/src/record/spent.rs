//! What an exchange used, and what bound other than the policy turned one away.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// What an exchange used, for its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used<'u> {
    /// Tokens of the request.
    pub input: u64,
    /// Tokens of the answer.
    pub output: u64,
    /// Whether the provider did not state all of it.
    pub estimated: bool,
    /// What it cost, in millionths of the unit of this currency.
    pub cost: Option<(u64, &'u str)>,
}

impl Serialize for Used<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut used = serializer.serialize_map(None)?;
        if let Some((cost, currency)) = self.cost {
            used.serialize_entry("cost", &cost)?;
            used.serialize_entry("currency", currency)?;
        }
        if self.estimated {
            used.serialize_entry("estimated", &true)?;
        }
        used.serialize_entry("input", &self.input)?;
        used.serialize_entry("output", &self.output)?;
        used.end()
    }
}

/// A bound that a request was turned away by, beside what the policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bounded {
    /// The key does not open this app, model, use or endpoint.
    KeyScope(&'static str),
    /// A budget has no room for it.
    Budget {
        /// Whose: `key` or `principal`.
        per: &'static str,
        /// The limit, as people write it.
        limit: String,
    },
    /// A clause cannot see on this route what it needs.
    Assurance {
        /// What is amiss.
        kind: crate::assurance::Kind,
        /// With which field.
        field: crate::wire::sight::Field,
        /// Whose say it concerns.
        clauses: Vec<String>,
    },
}

impl Serialize for Bounded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bounded = serializer.serialize_map(None)?;
        match self {
            Self::KeyScope(what) => {
                bounded.serialize_entry("by", "key-scope")?;
                bounded.serialize_entry("what", what)?;
            }
            Self::Budget { per, limit } => {
                bounded.serialize_entry("by", "budget")?;
                bounded.serialize_entry("limit", limit)?;
                bounded.serialize_entry("per", per)?;
            }
            Self::Assurance { kind, field, clauses } => {
                bounded.serialize_entry("by", "assurance")?;
                bounded.serialize_entry("clauses", clauses)?;
                bounded.serialize_entry("field", field)?;
                bounded.serialize_entry("kind", kind)?;
            }
        }
        bounded.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn what_was_used_and_what_bound_it_stand_in_the_record() {
        let used = Used {
            input: 5,
            output: 7,
            estimated: true,
            cost: Some((12, "EUR")),
        };
        let stated = Used {
            estimated: false,
            cost: None,
            ..used
        };
        let all = json!({"input": 5, "output": 7, "estimated": true, "cost": 12, "currency": "EUR"});
        assert_eq!(to_value(used).expect("JSON"), all);
        assert_eq!(to_value(stated).expect("JSON"), json!({"input": 5, "output": 7}));
        let scope = Bounded::KeyScope("model");
        assert_eq!(
            to_value(scope).expect("JSON"),
            json!({"by": "key-scope", "what": "model"})
        );
        let blind = Bounded::Assurance {
            kind: crate::assurance::Kind::Undivided,
            field: crate::wire::sight::Field::ToolResults,
            clauses: vec!["AU-2".to_owned()],
        };
        assert_eq!(
            to_value(blind).expect("JSON"),
            json!({"by": "assurance", "clauses": ["AU-2"], "field": "tool-results", "kind": "undivided"})
        );
        let limit = "tokens=5/day".to_owned();
        let budget = Bounded::Budget { per: "key", limit };
        let expected = json!({"by": "budget", "per": "key", "limit": "tokens=5/day"});
        assert_eq!(to_value(budget).expect("JSON"), expected);
    }
}
