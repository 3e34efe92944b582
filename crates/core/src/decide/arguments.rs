//! Conditions on the arguments of a tool call, as `access.tools` states them.
//!
//! A decision never sees arguments. Where they are known (`crate::inspect::arguments`) each condition is tried, and only
//! which of them hold becomes a fact. What they mean is `docs/reference/deciding.md`, "Arguments". Read [`ArgumentTest`].

use super::selector::Pattern;

/// One line of `args`: an argument, and what its value may be.
#[derive(Debug, Clone)]
pub(crate) struct ArgumentTest {
    /// The line in the policy's words, by which facts and records name it.
    pub(crate) label: String,
    /// Where the argument stands.
    pub(crate) path: Path,
    /// One of them must fit.
    tests: Vec<ValueTest>,
}

/// Where an argument stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Path {
    /// Names of members, each in the one before; through an array to all its items.
    Names(Vec<String>),
    /// The steps of a JSON pointer (RFC 6901).
    Pointer(Vec<String>),
}

/// A single value of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument<'v> {
    /// A string, decoded.
    Text(&'v str),
    /// A number as written.
    Number(&'v str),
    /// `true` or `false`.
    Bool(&'v str),
}

#[derive(Debug, Clone)]
enum ValueTest {
    Pattern { text: String, pattern: Pattern },
    Bound(Bound, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtMost,
    Below,
    AtLeast,
    Above,
}

impl ArgumentTest {
    /// The test that a line states; `None` if one of its patterns is none.
    pub(crate) fn new<'t>(name: &str, patterns: impl Iterator<Item = &'t str> + Clone) -> Option<Self> {
        let tests: Option<Vec<ValueTest>> = patterns.clone().map(|text| ValueTest::parse(text).ok()).collect();
        let label = Self::label_of(name, patterns);
        let path = match name.strip_prefix('/') {
            Some(pointer) => Path::Pointer(
                pointer
                    .split('/')
                    .map(|step| step.replace("~1", "/").replace("~0", "~"))
                    .collect(),
            ),
            None => Path::Names(name.split('.').map(str::to_owned).collect()),
        };
        Some(Self {
            label,
            path,
            tests: tests?,
        })
    }

    /// A line in the policy's words.
    pub(crate) fn label_of<'t>(name: &str, patterns: impl Iterator<Item = &'t str>) -> String {
        let patterns: Vec<&str> = patterns.collect();
        match patterns.as_slice() {
            [one] => format!("{name}: {one}"),
            several => format!("{name}: [{}]", several.join(", ")),
        }
    }

    /// Why a pattern cannot be used.
    pub(crate) fn check(pattern: &str) -> Result<(), &'static str> {
        ValueTest::parse(pattern).map(|_| ())
    }

    /// Its patterns of texts.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().filter_map(|test| match test {
            ValueTest::Pattern { text, .. } => Some(text.as_str()),
            ValueTest::Bound(..) => None,
        })
    }

    /// Its limits of numbers.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = f64> {
        self.tests.iter().filter_map(|test| match test {
            ValueTest::Pattern { .. } => None,
            ValueTest::Bound(_, limit) => Some(*limit),
        })
    }

    /// Whether a value fits.
    pub(crate) fn accepts(&self, value: Argument<'_>) -> bool {
        self.tests.iter().any(|test| test.accepts(value))
    }
}

impl ValueTest {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let signs = [
            ("<=", Bound::AtMost),
            ("<", Bound::Below),
            (">=", Bound::AtLeast),
            (">", Bound::Above),
        ];
        match signs
            .iter()
            .find_map(|(sign, bound)| Some((text.strip_prefix(sign)?, *bound)))
        {
            None => Ok(Self::Pattern {
                text: text.to_owned(),
                pattern: Pattern::new(text),
            }),
            Some((number, bound)) => match number.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Self::Bound(bound, number)),
                Ok(_) | Err(_) => Err("compares with something that is no number"),
            },
        }
    }

    fn accepts(&self, value: Argument<'_>) -> bool {
        match (self, value) {
            (Self::Pattern { text, pattern }, Argument::Text(value)) => {
                text == "*" || (pattern.matches(value) && is_plain(text, value))
            }
            (Self::Pattern { pattern, .. }, Argument::Number(value) | Argument::Bool(value)) => pattern.matches(value),
            (Self::Bound(bound, limit), Argument::Number(value)) => {
                value.parse::<f64>().is_ok_and(|number| match bound {
                    Bound::AtMost => number <= *limit,
                    Bound::Below => number < *limit,
                    Bound::AtLeast => number >= *limit,
                    Bound::Above => number > *limit,
                })
            }
            (Self::Bound(..), Argument::Text(_) | Argument::Bool(_)) => false,
        }
    }
}

/// Whether a text is what it looks like to the pattern that it fits: no second address beside the one that was meant, no
/// way up out of the folder that was meant, nothing hidden behind a line break.
fn is_plain(pattern: &str, value: &str) -> bool {
    let addresses = |text: &str| text.matches('@').count();
    let climbs = || value.split(['/', '\\']).any(|step| step == "..");
    if value.chars().any(char::is_control) || (pattern.contains('/') && climbs()) {
        return false;
    }
    !pattern.contains('@') || addresses(pattern) == addresses(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_bounds_fit_what_they_say_and_nothing_that_only_looks_so() {
        let cases: &[(&str, Argument<'_>, bool)] = &[
            ("*@northwind.example", Argument::Text("ana@northwind.example"), true),
            ("*@northwind.example", Argument::Text("ana@elsewhere.example"), false),
            (
                "*@northwind.example",
                Argument::Text("eve@elsewhere.example, ana@northwind.example"),
                false,
            ),
            ("*@northwind.example", Argument::Text("x\nana@northwind.example"), false),
            ("/srv/*", Argument::Text("/srv/reports/may.txt"), true),
            ("/srv/*", Argument::Text("/srv/../etc/passwd"), false),
            ("/srv/*", Argument::Text("/srv/..\\etc"), false),
            ("/srv/*", Argument::Text("/srv/a..b"), true),
            ("*", Argument::Text("any\ntext @ all/../"), true),
            ("*", Argument::Number("5"), true),
            ("true", Argument::Bool("true"), true),
            ("true", Argument::Text("true"), true),
            ("<= 500", Argument::Number("500"), true),
            ("<= 500", Argument::Number("5e2"), true),
            ("<= 500", Argument::Number("500.5"), false),
            ("<= 500", Argument::Text("5"), false),
            ("< 0", Argument::Number("-0.5"), true),
            (">=2", Argument::Number("2"), true),
            ("> 2", Argument::Number("2"), false),
        ];
        for (pattern, value, expected) in cases {
            let test = ArgumentTest::new("it", [*pattern].into_iter()).expect("a pattern");
            assert_eq!(test.accepts(*value), *expected, "{pattern} {value:?}");
        }
        assert!(ArgumentTest::check("<= many").is_err());
        assert!(ArgumentTest::check("< inf").is_err());
    }
}
