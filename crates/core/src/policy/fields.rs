//! Reading a map key by key: each taken key is known, each left-over key is a problem with a suggestion.

use jiff::civil::Date;

use super::document::{At, Text};
use super::node::{Entry, Node, Place, Value};
use super::problem::{Fix, Problem};
use super::syntax;

/// Collects problems while nodes are read.
#[derive(Debug, Default)]
pub struct Reader {
    /// The problems so far.
    pub problems: Vec<Problem>,
    /// Whether the document extends another one, from which it has what it does not say itself.
    pub extends: bool,
    /// The keys that each map was asked for, with where it stands: what a schema is held to.
    pub asked: Vec<(Place, Vec<&'static str>)>,
}

impl Reader {
    /// Reports a value of the wrong shape or content.
    pub fn wrong(&mut self, node: &Node, expected: &str) {
        self.wrong_with(node, expected, None);
    }

    /// The same, with what to write instead.
    pub(super) fn wrong_with(&mut self, node: &Node, expected: &str, help: Option<String>) {
        let found = match &node.value {
            Value::Scalar { text, .. } if text.chars().count() <= 40 => format!("`{text}`"),
            Value::Scalar { .. } => "a text".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        };
        let mut problem = Problem::error("wrong-type", node.place, format!("{found} stands here, but {expected}"));
        problem.help = help;
        self.problems.push(problem);
    }

    /// The members of a map.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &'static str) -> Option<Fields<'n>> {
        if let Value::Map(entries) = &node.value {
            return Some(Fields {
                entries,
                known: Vec::new(),
                what,
                place: node.place,
            });
        }
        self.no_map(node, what);
        None
    }

    fn no_map(&mut self, node: &Node, what: &str) {
        let help = match &node.value {
            Value::Scalar { text, quoted: false } => syntax::pair(text),
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => None,
        };
        self.wrong_with(node, &format!("{what} is a map (`name: value`)"), help);
    }

    /// A text. What looks like a number or a boolean must be quoted, so that nobody can read it in two ways.
    pub fn text(&mut self, node: &Node) -> Option<Text> {
        let Value::Scalar { text, quoted } = &node.value else {
            self.wrong(node, "a text is expected");
            return None;
        };
        if !quoted && looks_like_a_number(text) {
            let problem = Problem::error(
                "wrong-type",
                node.place,
                format!("`{text}` reads as a number, but a text is expected"),
            );
            self.problems.push(
                problem
                    .help(format!("write it in quotes: \"{text}\""))
                    .fix(Fix::quote(text)),
            );
            return None;
        }
        if !quoted && text.starts_with(['“', '„', '‘', '”']) && text.ends_with(['”', '“', '’', '‘']) {
            let problem = Problem::warning(
                "curly-quotes",
                node.place,
                format!("the quotes of {text} are part of the text: YAML knows straight ones alone"),
            );
            let inner = text.trim_matches(['“', '„', '‘', '”', '’']);
            self.problems.push(problem.help(format!("write \"{inner}\"")));
        }
        if !quoted && matches!(text.as_str(), "" | "~" | "null") {
            self.problems.push(Problem::error(
                "wrong-type",
                node.place,
                "a text is expected, but nothing stands here",
            ));
            return None;
        }
        Some(At::new(text.clone(), node.place))
    }

    /// A text or number as it is written.
    pub fn raw(&mut self, node: &Node) -> Option<Text> {
        match &node.value {
            Value::Scalar { text, .. } => Some(At::new(text.clone(), node.place)),
            Value::List(_) | Value::Map(_) => {
                self.wrong(node, "a single value is expected");
                None
            }
        }
    }

    /// One text or a list of texts.
    pub fn texts(&mut self, node: &Node) -> Vec<Text> {
        match &node.value {
            Value::List(items) => items.iter().filter_map(|item| self.text(item)).collect(),
            Value::Scalar { .. } | Value::Map(_) => self.text(node).into_iter().collect(),
        }
    }

    /// A word of a closed set.
    pub fn word<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        parse: fn(&str) -> Option<T>,
        words: &[&str],
    ) -> Option<At<T>> {
        let text = self.text(node)?;
        if let Some(value) = parse(text.as_str()) {
            return Some(At::new(value, node.place));
        }
        let problem = Problem::error("unknown-word", node.place, format!("`{}` is not {what}", text.value));
        self.problems
            .push(problem.suggest(text.as_str(), words.iter().copied()));
        None
    }

    /// A whole number.
    pub fn number(&mut self, node: &Node) -> Option<At<u32>> {
        if let Value::Scalar { text, quoted: false } = &node.value
            && let Ok(number) = text.parse()
        {
            return Some(At::new(number, node.place));
        }
        self.wrong(node, "a whole number is expected");
        None
    }

    /// A length of time in days: `30 days`, `6 weeks`, `2 years`.
    pub fn days(&mut self, node: &Node) -> Option<At<u32>> {
        let parsed = match &node.value {
            Value::Scalar { text, .. } => duration(text),
            Value::List(_) | Value::Map(_) => None,
        };
        match parsed {
            Some(days) => Some(At::new(days, node.place)),
            None => {
                let help = match &node.value {
                    Value::Scalar { text, .. } if text.parse::<u32>().is_ok() => {
                        Some(format!("say of what: `{text} days`"))
                    }
                    Value::Scalar { .. } | Value::List(_) | Value::Map(_) => None,
                };
                let expected = "a length of time is expected, such as `30 days`, `6 weeks` or `2 years`";
                self.wrong_with(node, expected, help);
                None
            }
        }
    }

    /// A length of time in minutes: `15 minutes`, `8 hours`, `2 days`.
    pub fn minutes(&mut self, node: &Node) -> Option<At<u32>> {
        let parsed = match &node.value {
            Value::Scalar { text, .. } => short(text),
            Value::List(_) | Value::Map(_) => None,
        };
        if parsed.is_none() {
            self.wrong(
                node,
                "a length of time is expected, such as `15 minutes`, `8 hours` or `2 days`",
            );
        }
        parsed.map(|minutes| At::new(minutes, node.place))
    }

    /// A length of time that is there; where it cannot be read, a very long one stands in for it, so that nobody is told as well
    /// that it is missing. A policy with such a mistake is not compiled.
    pub fn stated_days(&mut self, node: &Node) -> Option<At<u32>> {
        const VERY_LONG: u32 = 36_500;
        self.days(node).or(Some(At::new(VERY_LONG, node.place)))
    }

    /// A date.
    pub fn date(&mut self, node: &Node) -> Option<At<Date>> {
        let parsed = match &node.value {
            Value::Scalar { text, .. } if text.len() == 10 => text.parse().ok(),
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => None,
        };
        match parsed {
            Some(date) => Some(At::new(date, node.place)),
            None => {
                let text = match &node.value {
                    Value::Scalar { text, .. } => text.as_str(),
                    Value::List(_) | Value::Map(_) => "",
                };
                match no_such_day(text) {
                    Some(problem) => self.problems.push(Problem::error("wrong-type", node.place, problem)),
                    None => self.wrong_with(
                        node,
                        "a date is expected, such as `2026-12-31`",
                        iso(text).map(|date| format!("write `{date}`: year, month, day")),
                    ),
                }
                None
            }
        }
    }
}

/// What is wrong with a date that is written well and is on no calendar.
fn no_such_day(text: &str) -> Option<String> {
    let (year, month, day) = numbers(text, '-')?;
    let first = Date::new(year, month, 1).ok();
    match first {
        Some(first) if text.len() == 10 && day > 0 => Some(format!(
            "there is no {text}: that month has {} days",
            first.days_in_month()
        )),
        _ => None,
    }
}

/// A date as the language wants it, from one that is written `31.12.2026`.
fn iso(text: &str) -> Option<Date> {
    let (day, month, year) = numbers(text, '.')?;
    Date::new(year, month, i8::try_from(day).ok()?).ok()
}

/// Three numbers with a sign between them, the second small.
fn numbers(text: &str, between: char) -> Option<(i16, i8, i16)> {
    let mut parts = text.split(between);
    let (one, two, three) = (parts.next()?, parts.next()?, parts.next()?);
    let done = parts.next().is_none();
    done.then_some((one.parse().ok()?, two.parse().ok()?, three.parse().ok()?))
}

fn duration(text: &str) -> Option<u32> {
    let (number, unit) = text.trim().split_once(' ')?;
    let number: u32 = number.parse().ok()?;
    let factor = match unit.trim() {
        "day" | "days" => 1,
        "week" | "weeks" => 7,
        "month" | "months" => 30,
        "year" | "years" => 365,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// A short time, in minutes.
fn short(text: &str) -> Option<u32> {
    let (number, unit) = text.trim().split_once(' ')?;
    let number: u32 = number.parse().ok()?;
    let factor = match unit.trim() {
        "minute" | "minutes" => 1,
        "hour" | "hours" => 60,
        "day" | "days" => 24 * 60,
        _ => return None,
    };
    number.checked_mul(factor)
}

fn looks_like_a_number(text: &str) -> bool {
    matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE") || text.parse::<f64>().is_ok()
}

/// The members of one map, being read.
#[derive(Debug)]
pub struct Fields<'n> {
    entries: &'n [Entry],
    known: Vec<&'static str>,
    what: &'static str,
    /// Where the map stands.
    pub place: Place,
}

impl<'n> Fields<'n> {
    /// The member called `key`, which is known from here on.
    pub fn entry(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.known.push(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of `key`.
    pub fn node(&mut self, key: &'static str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// Where the key stands, if it is there.
    pub fn key_place(&mut self, key: &'static str) -> Option<Place> {
        self.entry(key).map(|entry| entry.key_place)
    }

    /// A text.
    pub fn text(&mut self, key: &'static str, reader: &mut Reader) -> Option<Text> {
        self.node(key).and_then(|node| reader.text(node))
    }

    /// A text that must be there.
    pub fn required(&mut self, key: &'static str, reader: &mut Reader) -> Option<Text> {
        self.required_with(key, reader, Reader::text)
    }

    /// A value that must be there.
    pub fn required_with<T>(
        &mut self,
        key: &'static str,
        reader: &mut Reader,
        read: impl FnOnce(&mut Reader, &'n Node) -> Option<T>,
    ) -> Option<T> {
        match self.node(key) {
            Some(node) => read(reader, node),
            None => {
                reader.problems.push(Problem::error(
                    "missing-key",
                    self.place,
                    format!("{} needs `{key}`", self.what),
                ));
                None
            }
        }
    }

    /// One text or a list of texts; empty when absent.
    pub fn texts(&mut self, key: &'static str, reader: &mut Reader) -> Vec<Text> {
        self.node(key).map(|node| reader.texts(node)).unwrap_or_default()
    }

    /// One text or a list of texts; `None` when absent.
    pub fn some_texts(&mut self, key: &'static str, reader: &mut Reader) -> Option<Vec<Text>> {
        self.node(key).map(|node| reader.texts(node))
    }

    /// The items of a list.
    pub fn list(&mut self, key: &'static str, reader: &mut Reader) -> &'n [Node] {
        match self.node(key) {
            Some(Node {
                value: Value::List(items),
                ..
            }) => items,
            Some(node) => {
                reader.wrong(node, &format!("`{key}` is a list (`- …` or `[…]`)"));
                &[]
            }
            None => &[],
        }
    }

    /// The members of a map whose keys are the author's own names.
    pub fn pairs<T>(
        &mut self,
        key: &'static str,
        reader: &mut Reader,
        read: impl Fn(&mut Reader, &'n Node) -> T,
    ) -> Vec<(Text, T)> {
        let entries = match self.node(key) {
            Some(Node {
                value: Value::Map(entries),
                ..
            }) => entries.as_slice(),
            Some(node) => {
                reader.no_map(node, &format!("`{key}`"));
                &[]
            }
            None => &[],
        };
        entries
            .iter()
            .map(|entry| (At::new(entry.key.clone(), entry.key_place), read(reader, &entry.node)))
            .collect()
    }

    /// Those of [`Self::pairs`] that could be read.
    pub fn good_pairs<T>(
        &mut self,
        key: &'static str,
        reader: &mut Reader,
        read: impl Fn(&mut Reader, &'n Node) -> Option<T>,
    ) -> Vec<(Text, T)> {
        self.pairs(key, reader, read)
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect()
    }

    /// Reports the keys that nobody asked for.
    pub fn finish(self, reader: &mut Reader) {
        #[cfg(test)]
        known::note(self.place, &self.known);
        for entry in self
            .entries
            .iter()
            .filter(|entry| !self.known.contains(&entry.key.as_str()))
        {
            let message = format!("{} has no key `{}`", self.what, entry.key);
            let mut problem =
                Problem::error("unknown-key", entry.key_place, message).suggest(&entry.key, self.known.iter().copied());
            // What is meant may stand here already; then somebody has to choose.
            let there = |fix: &Fix| self.entries.iter().any(|other| other.key == fix.new);
            problem.fix = problem.fix.filter(|fix| !there(fix));
            if let (None, Some(help)) = (&problem.fix, syntax::pair(&entry.key)) {
                problem = problem.help(help);
            }
            reader.problems.push(problem);
        }
        reader.asked.push((self.place, self.known));
    }
}

/// What maps were asked for, so that a test can compare it with the schema.
#[cfg(test)]
pub(super) mod known {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    use super::Place;

    pub(in crate::policy) type Known = BTreeMap<Place, BTreeSet<&'static str>>;

    thread_local! {
        static KNOWN: RefCell<Known> = RefCell::default();
    }

    pub(super) fn note(place: Place, keys: &[&'static str]) {
        KNOWN.with_borrow_mut(|known| known.entry(place).or_default().extend(keys));
    }

    /// What was asked of each map since the last time, on this thread.
    pub(in crate::policy) fn take() -> Known {
        KNOWN.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::node;

    fn said(text: &str, read: fn(&mut Reader, &Node)) -> String {
        let mut reader = Reader::default();
        let node = node::parse(0, text, &mut reader.problems).expect("a node");
        read(&mut reader, &node);
        let problem = reader.problems.first().expect("a problem");
        format!("{}; {}", problem.message, problem.help.as_deref().unwrap_or_default())
    }

    #[test]
    fn a_date_or_a_length_that_is_nearly_right_is_put_right() {
        let date = |text| said(text, |reader, node| _ = reader.date(node));
        let days = |text| said(text, |reader, node| _ = reader.days(node));
        assert_eq!(date("2026-11-31"), "there is no 2026-11-31: that month has 30 days; ");
        assert!(date("31.12.2026").ends_with("; write `2026-12-31`: year, month, day"));
        assert!(date("soon").ends_with("such as `2026-12-31`; "));
        assert!(days("90").ends_with("; say of what: `90 days`"));
    }
}
