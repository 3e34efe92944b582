//! The shape of a policy as data, and as JSON Schema (draft 2020-12) for editors.
//!
//! The tables beside this file say for each map which keys it has, what stands there and what it means. They mirror what
//! `read/` and `cases.rs` read; tests compare the two key by key, and shake documents until one of them objects. What
//! names mean (whether an app exists, a class is declared) is for `check`, not for a schema. One schema is for policies that
//! stand alone and for those that extend another one; see `Needed`. Read `Object` first.

mod cases;
mod data;
mod header;
mod json;
mod monitoring;
mod people;
mod rules;
mod subject;

#[cfg(test)]
mod tests;

use serde_json::Value;

/// A map with keys that the language knows.
#[derive(Debug)]
pub(super) struct Object {
    /// The name of its definition.
    name: &'static str,
    /// What it is.
    about: &'static str,
    keys: &'static [Key],
    /// What the author's own names stand for, where such names are allowed.
    own: Option<Shape>,
    /// Exactly one of these keys must be there.
    one_of: &'static [&'static str],
    /// Two ways to write the same key, of which one may stand.
    either: &'static [[&'static str; 2]],
    /// Whether it may be empty.
    may_be_empty: bool,
}

/// One key of a map.
#[derive(Debug)]
struct Key {
    name: &'static str,
    shape: Shape,
    needed: Needed,
    /// What an author sees who points at it.
    about: &'static str,
    /// A value, as YAML in one line; none where the shape says enough.
    example: &'static str,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    /// It may be absent.
    Never,
    /// In a policy that stands alone; one that extends another has it from there.
    Alone,
    /// In every document.
    Always,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A text; what looks like a number must be quoted.
    Text,
    /// One text or a list of texts.
    Texts,
    /// One text or a list of at least one.
    SomeTexts,
    /// A single value as it is written.
    Raw,
    /// `true` or `false`.
    Flag,
    /// `true` or `false`, in quotes or not.
    QuotedFlag,
    /// A whole number.
    Number,
    /// The one number that is understood.
    Format,
    /// A length of time.
    Days,
    /// A length of time in minutes.
    Minutes,
    /// A day.
    Date,
    /// A local moment.
    Moment,
    /// From and to, as clock times.
    Hours,
    /// The name of a file of completions.
    Records,
    /// Names of arguments, with one pattern or bound, or a list of at least one.
    Arguments,
    /// A map of anything.
    AnyMap,
    /// A word of a closed set.
    Word(Words),
    /// One such word or a list of them.
    SomeWords(Words),
    /// A map with known keys.
    Map(&'static Object),
    /// A list of such maps.
    Maps(&'static Object),
    /// One such map or a list of them.
    SomeMaps(&'static Object),
    /// Names, or maps, or a list of both.
    NamesOrMaps(&'static Object),
    /// The author's own names, with what each stands for.
    Own(&'static Self),
    /// Entities, families and the author's own ones, with what each stands for.
    OwnEntities(&'static Self),
}

/// The closed sets of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    Verdict,
    Mode,
    AppClass,
    Direction,
    Source,
    Day,
    Event,
    Tier,
    ToolKind,
    Inherit,
    Reuse,
    Tokens,
}

impl Key {
    const fn new(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self {
            name,
            shape,
            needed: Needed::Never,
            about,
            example: "",
        }
    }

    /// It must be there.
    const fn required(self) -> Self {
        Self {
            needed: Needed::Always,
            ..self
        }
    }

    /// It must be there where nothing is extended.
    const fn required_alone(self) -> Self {
        Self {
            needed: Needed::Alone,
            ..self
        }
    }

    const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}

impl Object {
    const fn new(name: &'static str, about: &'static str, keys: &'static [Key]) -> Self {
        Self {
            name,
            about,
            keys,
            own: None,
            one_of: &[],
            either: &[],
            may_be_empty: true,
        }
    }
}

/// The schema of a policy document.
#[must_use]
pub fn policy() -> Value {
    json::schema(&header::POLICY, "Ordain policy")
}

/// The schema of a file of cases.
#[must_use]
pub fn cases() -> Value {
    json::schema(&cases::CASES, "Cases of an Ordain policy")
}
