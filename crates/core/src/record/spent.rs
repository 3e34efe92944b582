//! What an exchange used, and what bound other than the policy turned one away.

use serde_json::{Value, json};

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

impl Used<'_> {
    /// Adds it to an outcome.
    pub fn note(&self, outcome: &mut Value) {
        let mut used = json!({"input": self.input, "output": self.output});
        if self.estimated {
            set(&mut used, "estimated", true.into());
        }
        if let Some((cost, currency)) = self.cost {
            set(&mut used, "cost", cost.into());
            set(&mut used, "currency", currency.into());
        }
        set(outcome, "usage", used);
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
}

impl Bounded {
    /// Adds it to a refusal.
    pub fn note(&self, refusal: &mut Value) {
        let bounded = match self {
            Self::KeyScope(what) => json!({"by": "key-scope", "what": what}),
            Self::Budget { per, limit } => json!({"by": "budget", "per": per, "limit": limit}),
        };
        set(refusal, "bounded", bounded);
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_and_what_bound_it_stand_in_the_record() {
        let mut record = json!({"kind": "outcome"});
        let used = Used {
            input: 5,
            output: 7,
            estimated: true,
            cost: Some((12, "EUR")),
        };
        used.note(&mut record);
        assert_eq!(
            record,
            json!({"kind": "outcome", "usage": {"input": 5, "output": 7, "estimated": true, "cost": 12, "currency": "EUR"}})
        );
        let mut record = json!({});
        let stated = Used {
            estimated: false,
            cost: None,
            ..used
        };
        stated.note(&mut record);
        assert_eq!(record, json!({"usage": {"input": 5, "output": 7}}));
        let mut record = json!({});
        Bounded::KeyScope("model").note(&mut record);
        assert_eq!(record, json!({"bounded": {"by": "key-scope", "what": "model"}}));
        let limit = "tokens=5/day".to_owned();
        Bounded::Budget { per: "key", limit }.note(&mut record);
        assert_eq!(
            record,
            json!({"bounded": {"by": "budget", "per": "key", "limit": "tokens=5/day"}})
        );
    }
}
