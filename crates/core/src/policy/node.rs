//! Strict YAML as a tree of nodes that know where they stand.
//!
//! YAML 1.2 without its traps: no anchors, aliases, tags, merge keys or second documents; a key stands once; a scalar stays
//! text until a reader asks for a number or a boolean, so that `no` and `012` mean what they say. The parser is
//! `granit-parser`; this file is the only one that knows it. Read [`Node`] first.

use granit_parser::{Event, Parser, ScalarStyle, Span as YamlSpan};

use super::problem::Problem;
use super::syntax;

/// Where something stands in a policy's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Index of the file in its [`super::Files`].
    pub file: u16,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Length in characters; 1 for what spans lines.
    pub length: u32,
}

/// A value in the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// The shapes of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar as written; `quoted` tells text from what could be a number.
    Scalar {
        /// The text after YAML's own escapes.
        text: String,
        /// Whether it was written in quotes or as a block.
        quoted: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in document order; keys are scalars and stand once.
    Map(Vec<Entry>),
}

/// A member of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub node: Node,
}

/// Keys whose values are sentences.
const PROSE: [&str; 6] = ["statement", "tell", "reason", "compensating", "name", "text"];
/// Deeper documents are refused; a policy needs about ten levels.
const MAX_DEPTH: usize = 64;
/// Larger documents are refused.
const MAX_NODES: usize = 200_000;

/// Reads one document; problems of form are added to `problems`. `None` when there is no tree to go on with.
pub fn parse(file: u16, text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    build(file, text, &[], problems)
}

/// The same for a document with sentences in it, where a `#` may have cut one.
pub(super) fn parse_prose(file: u16, text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let lines: Vec<&str> = text.lines().collect();
    build(file, text, &lines, problems)
}

fn build(file: u16, text: &str, lines: &[&str], problems: &mut Vec<Problem>) -> Option<Node> {
    let mut builder = Builder {
        file,
        lines,
        problems,
        open: Vec::new(),
        root: None,
        nodes: 0,
    };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                if builder.take(event, span).is_err() {
                    return None;
                }
            }
            Err(error) => {
                let marker = error.marker();
                let place = Place {
                    file,
                    line: marker.line().max(1) as u32,
                    column: marker.col() as u32 + 1,
                    length: 1,
                };
                let problem = Problem::error("yaml-syntax", place, format!("this is not YAML: {}", error.info()));
                let open: Vec<Place> = builder.open.iter().map(Open::place).collect();
                builder.problems.push(problem.help(syntax::help(text, place, &open)));
                return None;
            }
        }
    }
    let root = builder.root;
    if root.is_none() {
        let place = Place {
            file,
            line: 1,
            column: 1,
            length: 1,
        };
        problems.push(Problem::error("empty-document", place, "the document is empty"));
    }
    root
}

/// Stops the walk: a problem was reported.
struct Stop;

/// A collection under construction.
enum Open {
    List(Vec<Node>, Place),
    Map {
        entries: Vec<Entry>,
        place: Place,
        key: Option<(String, Place)>,
    },
}

impl Open {
    const fn place(&self) -> Place {
        match self {
            Self::List(_, place) | Self::Map { place, .. } => *place,
        }
    }
}

struct Builder<'p> {
    file: u16,
    /// The lines in which to look for cut sentences; none where there are no sentences.
    lines: &'p [&'p str],
    problems: &'p mut Vec<Problem>,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: YamlSpan) -> Result<(), Stop> {
        let place = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.plain_node(anchor, tag.is_some(), place)?;
                if style == ScalarStyle::Plain {
                    self.cut(&text, span);
                }
                let node = Node {
                    value: Value::Scalar {
                        text: text.into_owned(),
                        quoted: style != ScalarStyle::Plain,
                    },
                    place,
                };
                self.put(node)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.plain_node(anchor, tag.is_some(), place)?;
                self.descend(Open::List(Vec::new(), place), place)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.plain_node(anchor, tag.is_some(), place)?;
                self.descend(
                    Open::Map {
                        entries: Vec::new(),
                        place,
                        key: None,
                    },
                    place,
                )
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.open.pop() {
                    Some(Open::List(items, place)) => Node {
                        value: Value::List(items),
                        place,
                    },
                    Some(Open::Map { entries, place, .. }) => Node {
                        value: Value::Map(entries),
                        place,
                    },
                    None => return Ok(()),
                };
                self.put(node)
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => self.refuse(
                place,
                "aliases (`*name`) are not read",
                "write the value out where it is used",
            ),
            Event::DocumentStart(_, _) if self.root.is_some() => self.refuse(
                place,
                "a second document begins here",
                "a policy file is one document; use `include` for more files",
            ),
            _ => Ok(()),
        }
    }

    /// Warns of a sentence that ends in a comment which could be the rest of it.
    fn cut(&mut self, text: &str, span: YamlSpan) {
        let (line, column) = (span.end.line(), span.end.col());
        let Some(source) = line.checked_sub(1).and_then(|above| self.lines.get(above)) else {
            return;
        };
        let Some(rest) = source.char_indices().nth(column).and_then(|(at, _)| source.get(at..)) else {
            return;
        };
        let trimmed = rest.trim_start();
        let Some(comment) = trimmed.strip_prefix('#') else {
            return;
        };
        let key = match self.open.last() {
            Some(Open::Map {
                key: Some((key, _)), ..
            }) => key.as_str(),
            _ => "",
        };
        let goes_on = comment.starts_with(|c: char| c.is_alphanumeric());
        let open_end = !text.ends_with(['.', '!', '?', ':', '…', '"', '”', ')']);
        let cuts = if PROSE.contains(&key) {
            goes_on || open_end
        } else {
            goes_on && text.contains(' ')
        };
        if cuts {
            let place = Place {
                file: self.file,
                line: line as u32,
                column: (column + rest.chars().count() - trimmed.chars().count()) as u32 + 1,
                length: trimmed.trim_end().chars().count() as u32,
            };
            let message = format!(
                "`{}` is a comment here, and no part of the text before it",
                trimmed.trim_end()
            );
            let help = "if it belongs to the text, put the whole text in quotes; if it is a comment, write it on a line of its own";
            self.problems
                .push(Problem::warning("comment-in-text", place, message).help(help));
        }
    }

    fn descend(&mut self, open: Open, place: Place) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return self.refuse(place, "nested too deeply", "a policy needs far fewer levels");
        }
        self.open.push(open);
        Ok(())
    }

    fn plain_node(&mut self, anchor: usize, tagged: bool, place: Place) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return self.refuse(place, "the document has too many values", "split it with `include`");
        }
        if anchor != 0 {
            return self.refuse(
                place,
                "anchors (`&name`) are not read",
                "write the value out where it is used",
            );
        }
        if tagged {
            return self.refuse(place, "tags (`!name`) are not read", "remove the tag");
        }
        Ok(())
    }

    fn put(&mut self, node: Node) -> Result<(), Stop> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(items, _)) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                None => {
                    let Value::Scalar { text, .. } = node.value else {
                        return self.refuse(node.place, "a key must be one word or sentence", "write `name: value`");
                    };
                    *key = Some((text, node.place));
                }
                Some((key, key_place)) => {
                    if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                        let line = first.key_place.line;
                        let problem =
                            Problem::error("duplicate-key", key_place, format!("`{key}` stands here a second time"));
                        self.problems
                            .push(problem.help(format!("the first one is on line {line}; keep one of them")));
                    } else {
                        entries.push(Entry { key, key_place, node });
                    }
                }
            },
        }
        Ok(())
    }

    fn refuse(&mut self, place: Place, message: &str, help: &str) -> Result<(), Stop> {
        self.problems
            .push(Problem::error("yaml-feature", place, message).help(help));
        Err(Stop)
    }

    fn place(&self, span: YamlSpan) -> Place {
        let (start, end) = (span.start, span.end);
        let length = if start.line() == end.line() {
            end.col().saturating_sub(start.col()).max(1)
        } else {
            1
        };
        Place {
            file: self.file,
            line: start.line().max(1) as u32,
            column: start.col() as u32 + 1,
            length: length as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        let mut problems = Vec::new();
        parse(0, text, &mut problems);
        problems.into_iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn strings_stay_strings() {
        let mut problems = Vec::new();
        let node = parse(0, "a: no\nb: 012\nc: 1e3\n", &mut problems).map(|node| node.value);
        let Some(Value::Map(entries)) = node else {
            panic!("a map")
        };
        let texts: Vec<_> = entries.into_iter().map(|entry| entry.node.value).collect();
        let plain = |text: &str| Value::Scalar {
            text: text.to_owned(),
            quoted: false,
        };
        assert_eq!(texts, [plain("no"), plain("012"), plain("1e3")]);
    }

    /// A `#` after a space makes a comment of the rest of a sentence, and nothing said so.
    #[test]
    fn a_sentence_that_ends_in_a_comment_is_warned_of() {
        let columns = |text: &str| {
            let mut problems = Vec::new();
            parse_prose(0, text, &mut problems);
            let place = |problem: Problem| (problem.code, problem.place.line, problem.place.column);
            problems.into_iter().map(place).collect::<Vec<_>>()
        };
        let cut = |line, column| vec![("comment-in-text", line, column)];
        assert_eq!(columns("statement: Größe, ask in #ki if unsure.\n"), cut(1, 26));
        assert_eq!(
            columns("statement: Ask in\n  channel  #ki if unsure.\nowner: x\n"),
            cut(2, 12)
        );
        assert_eq!(columns("statement: Ask in # ki\n"), cut(1, 19));
        assert_eq!(columns("a: {tell: Ask. #ki\n  , b: c}\n"), cut(1, 16));
        assert_eq!(columns("- Ask in #ki\n"), cut(1, 10));
        for fine in [
            "statement: Ask. # why\n",
            "statement: \"Ask in #ki\"\n",
            "statement: Ask in#ki\n",
            "statement: |\n  Ask in #ki\n",
            "owner: ciso #later\n",
            "owner: ciso # the head of it\n",
            "a: [one, two] #three\n",
        ] {
            assert_eq!(columns(fine), [], "{fine}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        assert_eq!(codes("a: 1\na: 2\n"), ["duplicate-key"]);
        assert_eq!(codes("a: &x 1\nb: *x\n"), ["yaml-feature"]);
        assert_eq!(codes("a: !!str 1\n"), ["yaml-feature"]);
        assert_eq!(codes("a: 1\n---\nb: 2\n"), ["yaml-feature"]);
        assert_eq!(codes("a: [1\n"), ["yaml-syntax"]);
        assert_eq!(codes(""), ["empty-document"]);
        assert_eq!(codes(&"[".repeat(100_000)).len(), 1);
    }
}
