//! What a virtual key may be used for: its row in the store, its scope, and the limits that come with it.
//!
//! A store keeps [`Terms`] as one JSON text and looks into it no further; a newer member comes with a newer schema, so that an
//! older program never takes a limited key for one without limits. Read [`KeyRow`] first.

use std::fmt;

use ordain_core::decide::Pattern;
use serde_json::{Map, Value, json};

use super::SubjectId;
use super::spending::{Amount, Measure, Period};

/// A virtual key as the store knows it: never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// What people and commands call it; not secret.
    pub id: String,
    /// The keyed hash of the key.
    pub hash: [u8; 32],
    /// The beginning of the key, by which its owner recognises it.
    pub prefix: String,
    /// Whom it authenticates.
    pub subject: SubjectId,
    /// The calling software that it is bound to.
    pub client: Option<String>,
    /// What its maker wrote on it.
    pub label: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
    /// The moment from which on it lets nobody in; never if there is none.
    pub expires_ms: Option<i64>,
    /// The id of the first key of its line: a rotated key spends from the same budgets as the one before it.
    pub line: String,
    /// What it may be used for.
    pub terms: Terms,
    /// The last day on which it was used, in days since 1970 (UTC).
    pub used_day: Option<i64>,
}

impl KeyRow {
    /// How the key stands at a moment.
    #[must_use]
    pub fn state(&self, now_ms: i64) -> KeyState {
        if self.revoked_ms.is_some() {
            KeyState::Revoked
        } else if self.expires_ms.is_some_and(|end| end <= now_ms) {
            KeyState::Expired
        } else {
            KeyState::Valid
        }
    }
}

/// How a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It lets its owner in.
    Valid,
    /// Its time is over.
    Expired,
    /// Somebody took it back.
    Revoked,
}

impl KeyState {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// What a key may be used for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Where it opens anything.
    pub scope: Scope,
    /// The use that every request with it is for.
    pub use_: Option<String>,
    /// What may be spent with it, and with those that came before it by rotation.
    pub limits: Vec<Limit>,
}

/// Where a key opens anything. An empty list is no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Apps, by id.
    pub apps: Vec<String>,
    /// Models, as names in which `*` stands for any characters.
    pub models: Vec<Pattern>,
    /// Declared uses, by id.
    pub uses: Vec<String>,
    /// Wires by id (`openai-chat`), or endpoints by path (`/v1/chat/*`); `*` stands for any characters.
    pub endpoints: Vec<Pattern>,
}

impl Scope {
    /// Whether it bounds nothing.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.apps.is_empty() && self.models.is_empty() && self.uses.is_empty() && self.endpoints.is_empty()
    }

    /// Whether requests to this app may be made.
    #[must_use]
    pub fn has_app(&self, app: &str) -> bool {
        self.apps.is_empty() || self.apps.iter().any(|one| one == app)
    }

    /// Whether requests for this model may be made.
    #[must_use]
    pub fn has_model(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|one| one.matches(model))
    }

    /// Whether requests for this use may be made; without a declared use only where any may.
    #[must_use]
    pub fn has_use(&self, use_: Option<&str>) -> bool {
        self.uses.is_empty() || use_.is_some_and(|use_| self.uses.iter().any(|one| one == use_))
    }

    /// Whether requests to an endpoint may be made, with its wire and its path.
    #[must_use]
    pub fn has_endpoint(&self, wire: &str, path: &str) -> bool {
        // No id of a wire begins as a path does.
        let fits = |one: &Pattern| one.matches(wire) || one.matches(path);
        self.endpoints.is_empty() || self.endpoints.iter().any(fits)
    }

    /// The lists with their names.
    #[must_use]
    pub fn lists(&self) -> [(&'static str, Vec<String>); 4] {
        let written = |patterns: &[Pattern]| patterns.iter().map(Pattern::text).collect();
        [
            ("apps", self.apps.clone()),
            ("models", written(&self.models)),
            ("uses", self.uses.clone()),
            ("endpoints", written(&self.endpoints)),
        ]
    }
}

impl Terms {
    /// The terms as JSON; what is not bounded is left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut value = Map::new();
        for (name, list) in self.scope.lists() {
            if !list.is_empty() {
                value.insert(name.to_owned(), json!(list));
            }
        }
        if let Some(use_) = &self.use_ {
            value.insert("use".to_owned(), use_.clone().into());
        }
        if !self.limits.is_empty() {
            let limits: Vec<String> = self.limits.iter().map(ToString::to_string).collect();
            value.insert("limits".to_owned(), limits.into());
        }
        Value::Object(value)
    }

    /// Reads what [`Self::to_json`] makes, and nothing else.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let Value::Object(members) = serde_json::from_str(text).ok()? else {
            return None;
        };
        let texts = |value: Value| -> Option<Vec<String>> {
            let Value::Array(items) = value else { return None };
            items.into_iter().map(|item| item.as_str().map(str::to_owned)).collect()
        };
        let patterns = |value| Some(texts(value)?.iter().map(|text| Pattern::new(text)).collect());
        let mut terms = Self::default();
        for (name, value) in members {
            match name.as_str() {
                "apps" => terms.scope.apps = texts(value)?,
                "models" => terms.scope.models = patterns(value)?,
                "uses" => terms.scope.uses = texts(value)?,
                "endpoints" => terms.scope.endpoints = patterns(value)?,
                "use" => terms.use_ = Some(value.as_str()?.to_owned()),
                "limits" => {
                    let limits = texts(value)?;
                    terms.limits = limits.iter().map(|text| Limit::parse(text)).collect::<Option<_>>()?;
                }
                _ => return None,
            }
        }
        Some(terms)
    }
}

/// How much of something may be spent in each period: `requests=60/minute`, `tokens=2000000/day`, `cost=12.50/month`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Of what.
    pub measure: Measure,
    /// At most so much; of cost, in millionths of the currency's unit.
    pub most: u64,
    /// In each period of this length.
    pub period: Period,
}

impl Limit {
    /// Reads a limit as people write it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (measure, rest) = text.split_once('=')?;
        let (most, period) = rest.split_once('/')?;
        let measure = Measure::ALL.into_iter().find(|one| one.as_str() == measure)?;
        let period = Period::ALL.into_iter().find(|one| one.as_str() == period)?;
        let most = match measure {
            Measure::Cost => micro_units(most)?,
            Measure::Requests | Measure::Tokens => whole(most)?,
        };
        (most <= Amount::MOST).then_some(Self { measure, most, period })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (measure, period) = (self.measure.as_str(), self.period.as_str());
        match self.measure {
            Measure::Cost => write!(f, "{measure}={}/{period}", units(self.most)),
            Measure::Requests | Measure::Tokens => write!(f, "{measure}={}/{period}", self.most),
        }
    }
}

/// Digits and nothing else.
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Reads an amount of money with at most six decimals, in millionths of its unit.
#[must_use]
pub fn micro_units(text: &str) -> Option<u64> {
    let (before, after) = text.split_once('.').unwrap_or((text, "0"));
    if after.len() > 6 {
        return None;
    }
    let fraction = whole(&format!("{after:0<6}")).filter(|_| !after.is_empty())?;
    whole(before)?.checked_mul(MICRO)?.checked_add(fraction)
}

/// Millionths of a unit, as people write an amount of money.
#[must_use]
pub fn units(micro: u64) -> String {
    let (before, after) = (micro / MICRO, micro % MICRO);
    let decimals = format!("{after:06}");
    let decimals = decimals.trim_end_matches('0');
    if decimals.is_empty() {
        before.to_string()
    } else {
        format!("{before}.{decimals:0<2}")
    }
}

const MICRO: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_reads_back_as_it_is_written() {
        for text in [
            "requests=60/minute",
            "tokens=2000000/day",
            "cost=12.50/month",
            "cost=0.000001/hour",
            "cost=3/day",
        ] {
            assert_eq!(Limit::parse(text).expect(text).to_string(), text);
        }
        let cost = Limit::parse("cost=12.5/month").expect("a limit");
        assert_eq!((cost.most, cost.period), (12_500_000, Period::Month));
        for wrong in [
            "",
            "tokens",
            "tokens=1",
            "tokens=/day",
            "tokens=-1/day",
            "tokens=+1/day",
            "tokens=1.5/day",
            "tokens=1/week",
            "coins=1/day",
            "cost=1.0000001/day",
            "cost=.5/day",
            "cost=1./day",
            "tokens=9007199254740993/day",
            "tokens=1/day ",
        ] {
            assert_eq!(Limit::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn terms_read_back_and_nothing_unknown_is_passed_over() {
        let terms = Terms {
            scope: Scope {
                apps: vec!["openai-api".to_owned()],
                models: vec![Pattern::new("gpt-5*")],
                uses: vec!["coding".to_owned()],
                endpoints: vec![Pattern::new("openai-chat")],
            },
            use_: Some("coding".to_owned()),
            limits: vec![Limit::parse("tokens=5/day").expect("a limit")],
        };
        assert_eq!(Terms::from_json(&terms.to_json().to_string()), Some(terms));
        assert_eq!(Terms::from_json("{}"), Some(Terms::default()));
        for wrong in [
            "",
            "[]",
            "{\"regions\":[]}",
            "{\"apps\":\"x\"}",
            "{\"apps\":[1]}",
            "{\"limits\":[\"much\"]}",
        ] {
            assert_eq!(Terms::from_json(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_scope_opens_what_it_names() {
        let scope = Scope {
            models: vec![Pattern::new("gpt-5*"), Pattern::new("o4")],
            endpoints: vec![Pattern::new("openai-chat"), Pattern::new("/v1/embed*")],
            uses: vec!["coding".to_owned()],
            ..Scope::default()
        };
        assert!(scope.has_app("anything") && !scope.is_everything());
        for (model, has) in [
            ("gpt-5", true),
            ("gpt-5-mini", true),
            ("o4", true),
            ("o4-mini", false),
            ("GPT-5", false),
        ] {
            assert_eq!(scope.has_model(model), has, "{model}");
        }
        for (wire, path, has) in [
            ("openai-chat", "/v1/chat/completions", true),
            ("openai-embeddings", "/v1/embeddings", true),
            ("openai-responses", "/v1/responses", false),
            ("", "/v1/files", false),
        ] {
            assert_eq!(scope.has_endpoint(wire, path), has, "{path}");
        }
        assert!(scope.has_use(Some("coding")) && !scope.has_use(Some("letters")) && !scope.has_use(None));
    }
}
