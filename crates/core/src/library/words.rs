//! Words that stand in a clause's text for what an organisation answered: `<developers>`, `<days>`.
//!
//! A word is replaced by its list: with commas where a machine reads it, with "and" where a person does. Read [`Words`].

use std::collections::BTreeMap;

use crate::policy::node::{self, Value};

/// What words stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(BTreeMap<String, Vec<String>>);

/// A text with its words replaced, or the words that stand for nothing.
pub type Filled = Result<String, Vec<String>>;

impl Words {
    /// Has `word` stand for one thing.
    pub fn set(&mut self, word: &str, value: &str) {
        self.0.insert(word.to_owned(), vec![value.to_owned()]);
    }

    /// Has `word` stand for a list; an empty one leaves it standing for nothing.
    pub fn set_list(&mut self, word: &str, values: Vec<String>) {
        if !values.is_empty() {
            self.0.insert(word.to_owned(), values);
        }
    }

    /// Whether `word` stands for something.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.0.contains_key(word)
    }

    /// What `word` stands for.
    #[must_use]
    pub fn get(&self, word: &str) -> Option<&[String]> {
        self.0.get(word).map(Vec::as_slice)
    }

    /// Every word.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// `text` with every word replaced, lists with commas.
    ///
    /// # Errors
    ///
    /// The words that stand for nothing.
    pub fn fill(&self, text: &str) -> Filled {
        self.replace(text, |list| list.join(", "))
    }

    /// A clause or case with every word replaced: what people read (`statement`, `tell`) gets lists with "and".
    ///
    /// # Errors
    ///
    /// The words that stand for nothing.
    pub fn fill_yaml(&self, text: &str) -> Filled {
        let mut out = String::with_capacity(text.len());
        let mut missing = Vec::new();
        // The indentation of the `statement` or `tell` whose folded text the line may belong to.
        let mut folded: Option<usize> = None;
        for line in text.lines() {
            let indent = line.chars().take_while(|&c| c == ' ').count();
            if folded.is_some_and(|key| indent <= key && !line.trim().is_empty()) {
                folded = None;
            }
            let head = prose(line);
            let filled = match head {
                Some((key, value)) if !value.starts_with(['>', '|', '"', '\'']) => self
                    .replace(value, in_prose)
                    .map(|value| format!("{key}{}", plain_or_quoted(&value))),
                _ if head.is_some() || folded.is_some() => self.replace(line, in_prose),
                _ => self.fill(line),
            };
            if head.is_some_and(|(_, value)| value.starts_with(['>', '|'])) {
                folded = Some(indent);
            }
            match filled {
                Ok(line) => {
                    out.push_str(&line);
                    out.push('\n');
                }
                Err(words) => missing.extend(words),
            }
        }
        if missing.is_empty() { Ok(out) } else { Err(missing) }
    }

    fn replace(&self, text: &str, join: impl Fn(&[String]) -> String) -> Filled {
        let mut out = String::with_capacity(text.len());
        let mut missing = Vec::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Word(word) => match self.get(word) {
                    Some(list) => out.push_str(&join(list)),
                    None => missing.push(word.to_owned()),
                },
            }
        }
        if missing.is_empty() { Ok(out) } else { Err(missing) }
    }
}

/// The words that a text holds.
#[must_use]
pub fn words_in(text: &str) -> Vec<&str> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Word(word) => Some(word),
            Piece::Text(_) => None,
        })
        .collect()
}

enum Piece<'t> {
    Text(&'t str),
    Word(&'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let is_word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        match after.split_once('>') {
            Some((word, behind)) if is_word(word) => {
                pieces.push(Piece::Text(before));
                pieces.push(Piece::Word(word));
                rest = behind;
            }
            _ => {
                // A `<` of the text itself.
                pieces.push(Piece::Text(before));
                pieces.push(Piece::Text("<"));
                rest = after;
            }
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The key (with its indentation) and the value of a line that people read.
fn prose(line: &str) -> Option<(&str, &str)> {
    let bare = line.trim_start().trim_start_matches("- ");
    let key = ["statement: ", "tell: "]
        .into_iter()
        .find(|key| bare.starts_with(key))?;
    let value = bare.strip_prefix(key)?;
    Some((line.strip_suffix(value)?, value))
}

fn in_prose(list: &[String]) -> String {
    match list.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// A list as people read it.
#[must_use]
pub fn and(list: &[String]) -> String {
    in_prose(list)
}

/// A value for its own line: as it is if YAML reads it back as this very text, else in quotes.
#[must_use]
pub fn plain_or_quoted(value: &str) -> String {
    let mut problems = Vec::new();
    let tree = node::parse(0, &format!("v: {value}\n"), &mut problems);
    let same = problems.is_empty()
        && tree.is_some_and(|tree| match tree.value {
            Value::Map(entries) => matches!(entries.as_slice(), [entry] if matches!(&entry.node.value, Value::Scalar { text, quoted: false } if text == value)),
            Value::Scalar { .. } | Value::List(_) => false,
        });
    if same && !value.is_empty() && !reads_as_something_else(value) {
        value.to_owned()
    } else {
        quoted(value)
    }
}

/// A value for a line or for the inside of brackets: plain if it is a word or a sentence without signs, else in quotes.
#[must_use]
pub fn scalar(value: &str) -> String {
    let safe = value.starts_with(|c: char| c.is_alphanumeric() || c == '/')
        && !value.ends_with(' ')
        && value.chars().all(|c| {
            c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '@' | '/' | '*' | '+' | '(' | ')' | '\'')
        });
    if safe && !reads_as_something_else(value) {
        value.to_owned()
    } else {
        quoted(value)
    }
}

/// Values as a list in brackets.
#[must_use]
pub fn list<'v>(values: impl IntoIterator<Item = &'v str>) -> String {
    let values: Vec<String> = values.into_iter().map(scalar).collect();
    format!("[{}]", values.join(", "))
}

fn reads_as_something_else(value: &str) -> bool {
    value.parse::<f64>().is_ok()
        || matches!(
            value,
            "~" | "null" | "true" | "false" | "True" | "False" | "TRUE" | "FALSE"
        )
}

fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let mut words = Words::default();
        words.set("organization", "Smith: \"Sons\" #1");
        words.set("days", "90 days");
        words.set_list(
            "developers",
            vec!["one".to_owned(), "two".to_owned(), "three".to_owned()],
        );
        words
    }

    #[test]
    fn people_get_sentences_and_machines_get_lists() {
        let text = "id: AU-1\nstatement: Only <developers>.\nrule:\n  unless: {group: [<developers>]}\n  tell: >-\n    Ask\n    <developers>.\nevery: <days>\n";
        let filled = words().fill_yaml(text).expect("every word is known");
        assert_eq!(
            filled,
            "id: AU-1\nstatement: Only one, two and three.\nrule:\n  unless: {group: [one, two, three]}\n  tell: >-\n    Ask\n    one, two and three.\nevery: 90 days\n"
        );
    }

    #[test]
    fn a_word_without_meaning_is_named_and_signs_are_left_alone() {
        assert_eq!(
            words().fill("<unheard-of> and <days>"),
            Err(vec!["unheard-of".to_owned()])
        );
        assert_eq!(words().fill("a < b, <= 3, <B>"), Ok("a < b, <= 3, <B>".to_owned()));
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_text() {
        for value in [
            "Smith: \"Sons\" #1",
            "12",
            "a, b",
            "- x",
            "true",
            "",
            "tab\there",
            "O'Neil & Co",
            "Ünal",
        ] {
            for text in [
                format!("v: {}\n", plain_or_quoted(value)),
                format!("v: [{}]\n", scalar(value)),
            ] {
                let mut reader = crate::policy::fields::Reader::default();
                let tree = node::parse(0, &text, &mut reader.problems).expect("YAML");
                let mut fields = reader.fields(&tree, "a map").expect("a map");
                let read = fields.texts("v", &mut reader);
                assert_eq!(reader.problems, [], "{text}");
                assert_eq!(read.first().map(|text| text.as_str()), Some(value), "{text}");
            }
        }
        let filled = words()
            .fill_yaml("statement: At <organization> we care.\n")
            .expect("known");
        assert_eq!(filled, "statement: \"At Smith: \\\"Sons\\\" #1 we care.\"\n");
    }
}
