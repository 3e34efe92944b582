//! Cedar expressions as small trees, so that what is always true or never true is left out before it is printed.
//!
//! Read [`Expr`] first.

use std::fmt;

use crate::verdict::Source;

/// A boolean expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expr {
    Const(bool),
    /// Printed as it is; needs no parentheses within `&&` and `||`.
    Atom(String),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Expr {
    pub(super) fn atom(text: impl Into<String>) -> Self {
        Self::Atom(text.into())
    }

    /// Each of them.
    pub(super) fn all(items: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for item in items {
            match item {
                Self::Const(true) => {}
                Self::Const(false) => return Self::Const(false),
                Self::All(more) => kept.extend(more),
                other => kept.push(other),
            }
        }
        one_or(kept, true, Self::All)
    }

    /// One of them.
    pub(super) fn any(items: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for item in items {
            match item {
                Self::Const(false) => {}
                Self::Const(true) => return Self::Const(true),
                Self::Any(more) => kept.extend(more),
                other => kept.push(other),
            }
        }
        one_or(kept, false, Self::Any)
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Const(value) => Self::Const(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

/// The one item, or several joined; `empty` for none.
fn one_or(mut items: Vec<Expr>, empty: bool, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match (items.pop(), items.is_empty()) {
        (None, _) => Expr::Const(empty),
        (Some(only), true) => only,
        (Some(last), false) => {
            items.push(last);
            join(items)
        }
    }
}

/// Lines above this length are broken at their operators.
const WIDTH: usize = 100;

impl Expr {
    /// The expression as lines, indented by four.
    pub(super) fn lines(&self) -> String {
        let line = self.to_string();
        let (items, operator) = match self {
            Self::All(items) if line.len() > WIDTH => (items, "&&"),
            Self::Any(items) if line.len() > WIDTH => (items, "||"),
            _ => return format!("    {line}\n"),
        };
        let inside = |item: &Self| match item {
            Self::All(_) | Self::Any(_) => format!("({item})"),
            other => other.to_string(),
        };
        let items: Vec<String> = items.iter().map(inside).collect();
        format!("    {}\n", items.join(&format!(" {operator}\n    ")))
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, items: &[Self], operator: &str| {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    write!(f, " {operator} ")?;
                }
                match item {
                    Self::All(_) | Self::Any(_) => write!(f, "({item})")?,
                    other => write!(f, "{other}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::Const(value) => write!(f, "{value}"),
            Self::Atom(text) => f.write_str(text),
            Self::Not(inner) => write!(f, "!({inner})"),
            Self::All(items) => list(f, items, "&&"),
            Self::Any(items) => list(f, items, "||"),
        }
    }
}

/// A string literal.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

/// The name of an entity: `Ordain::Group::"staff"`.
pub(super) fn entity(kind: &str, id: &str) -> String {
    format!("Ordain::{kind}::{}", quote(id))
}

/// Whether `subject` is, or is below, one of some entities.
pub(super) fn is_in<'t>(subject: &str, kind: &str, ids: impl IntoIterator<Item = &'t str>) -> Expr {
    let names: Vec<String> = ids.into_iter().map(|id| entity(kind, id)).collect();
    match names.as_slice() {
        [] => Expr::Const(false),
        [only] => Expr::atom(format!("{subject} in {only}")),
        _ => Expr::atom(format!("{subject} in [{}]", names.join(", "))),
    }
}

/// Whether a string is one of some words.
pub(super) fn is_one_of<'t>(subject: &str, words: impl IntoIterator<Item = &'t str>) -> Expr {
    let words: Vec<String> = words.into_iter().map(quote).collect();
    match words.as_slice() {
        [] => Expr::Const(false),
        [only] => Expr::atom(format!("{subject} == {only}")),
        _ => Expr::atom(format!("[{}].contains({subject})", words.join(", "))),
    }
}

/// Whether a set has one of some words.
pub(super) fn has_one_of(set: &str, words: &[String]) -> Expr {
    match words {
        [] => Expr::Const(false),
        [only] => Expr::atom(format!("{set}.contains({})", quote(only))),
        _ => {
            let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
            Expr::atom(format!("{set}.containsAny([{}])", words.join(", ")))
        }
    }
}

/// Whether a string matches one of some patterns, in which `*` stands for any run of characters.
pub(super) fn like<'t>(subject: &str, patterns: impl IntoIterator<Item = &'t str>) -> Expr {
    Expr::any(patterns.into_iter().map(|pattern| {
        if !pattern.contains('*') {
            return Expr::atom(format!("{subject} == {}", quote(pattern)));
        }
        // A star is all that `like` reads for itself; nothing else needs more than a string's escapes.
        Expr::atom(format!("{subject} like {}", quote(pattern)))
    }))
}

/// A word in the parts of one source, as the sets of the context name it.
pub(super) fn spot(word: &str, source: Source) -> String {
    format!("{word}@{source}")
}

/// Words as they stand in the whole text, or in the parts of some sources.
pub(super) fn spots(words: &[&str], sources: Option<&[Source]>) -> Vec<String> {
    let Some(sources) = sources else {
        return words.iter().map(|&word| word.to_owned()).collect();
    };
    words
        .iter()
        .flat_map(|word| sources.iter().map(|&source| spot(word, source)))
        .collect()
}
