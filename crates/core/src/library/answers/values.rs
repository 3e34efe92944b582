//! Words of closed sets, and what a parameter's value has to look like.

use super::{Appetite, CLASSES, Sector, Size, Tier, ToolKind, Work};
use crate::library::clause::Kind;
use crate::policy::document::Text;
use crate::policy::node::{self, Node};
use crate::verdict::Verdict;

/// A word of a closed set.
pub(super) trait OneOf: Copy + 'static {
    /// What it is, for messages.
    const WHAT: &'static str;
    fn read(word: &str) -> Option<Self>;
    fn words() -> Vec<&'static str>;
}

macro_rules! one_of {
    ($($name:ident: $what:literal),+) => {
        $(impl OneOf for $name {
            const WHAT: &'static str = $what;
            fn read(word: &str) -> Option<Self> {
                Self::parse(word)
            }
            fn words() -> Vec<&'static str> {
                Self::ALL.iter().map(|word| word.as_str()).collect()
            }
        })+
    };
}
one_of!(Size: "a size", Sector: "a sector", Appetite: "an appetite for risk", Tier: "a tier", ToolKind: "a kind of tool", Work: "what a group does");

/// What a parameter of a kind expects, if a value is not that.
pub(in crate::library) fn wrong_value(kind: Kind, value: &str) -> Option<&'static str> {
    let is_days = || {
        let (number, unit) = value.split_once(' ')?;
        let unit_known = ["day", "days", "week", "weeks", "month", "months", "year", "years"].contains(&unit);
        (unit_known && number.parse::<u32>().is_ok_and(|number| number > 0)).then_some(())
    };
    match kind {
        Kind::Days if is_days().is_none() => Some("a length of time is expected, such as `30 days` or `2 years`"),
        Kind::Number if value.parse::<u32>().is_err() => Some("a whole number is expected"),
        Kind::Verdict if Verdict::parse(value).is_none() => Some("a verdict is expected"),
        Kind::Class if !CLASSES.contains(&value) => Some("a data class is expected"),
        _ if value.trim().is_empty() => Some("a value is expected"),
        _ => None,
    }
}

/// What a pattern of models has to look like, if it does not.
#[must_use]
pub fn wrong_pattern(pattern: &str) -> Option<&'static str> {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '@' | '+' | '*');
    if pattern.chars().all(|c| c == '*') {
        Some("name a model, such as `gpt-5*`; where all of them are fine, name none")
    } else if !pattern.chars().all(name) {
        Some("write the name of a model as its provider writes it, such as `gpt-5*`: no spaces, `*` for any ending")
    } else {
        None
    }
}

/// The items of a list, or the one value.
pub(super) fn each(node: &Node) -> &[Node] {
    match &node.value {
        node::Value::List(items) => items,
        node::Value::Scalar { .. } | node::Value::Map(_) => std::slice::from_ref(node),
    }
}

/// The texts themselves.
pub(super) fn strings(texts: Vec<Text>) -> Vec<String> {
    texts.into_iter().map(|text| text.value).collect()
}
