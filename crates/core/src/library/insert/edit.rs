//! Lines put into a YAML text at the right place, every other byte kept.
//!
//! Where things stand is asked of the same reader that reads policies; what it cannot be asked is where a block ends, and
//! that is told by indentation.

use crate::library::frame::item;
use crate::policy::fields::Reader;
use crate::policy::node::{self, Entry, Node, Place, Value};

/// Whether a text has a top-level key.
pub(super) fn has_section(text: &str, section: &str) -> bool {
    entry(text, section).is_some()
}

/// The texts of a top-level list.
pub(super) fn texts(text: &str, key: &str) -> Vec<String> {
    let mut reader = Reader::default();
    let texts = entry(text, key).map(|entry| reader.texts(&entry.node));
    texts.into_iter().flatten().map(|text| text.value).collect()
}

/// Puts a clause at the end of its section's list; the text and the line where it now stands.
pub(super) fn append_clause(text: &str, section: &str, clause: &str) -> Option<(String, usize)> {
    let found = entry(text, section)?;
    let Value::Map(members) = &found.node.value else {
        return None;
    };
    if starts_with_bracket(text, found.node.place) {
        return None;
    }
    match members.iter().find(|member| member.key == "clauses") {
        Some(member) => append_item(text, &member.node, clause),
        None => {
            let last = block_end(text, found.key_place.line, 0);
            Some((
                put_after(text, last, &format!("  clauses:\n{}", item(clause, 4))),
                last + 2,
            ))
        }
    }
}

/// Puts cases at the end of a file's list.
pub(super) fn append_cases(text: &str, cases: &[&str]) -> Option<String> {
    let list = entry(text, "cases")?.node;
    let mut out = text.to_owned();
    for case in cases {
        let list = entry(&out, "cases").map_or_else(|| list.clone(), |entry| entry.node);
        // A case comes as an item of a list already.
        let bare: String = case
            .lines()
            .enumerate()
            .map(|(number, line)| {
                let prefix = if number == 0 { "- " } else { "  " };
                format!("{}\n", line.strip_prefix(prefix).unwrap_or(line))
            })
            .collect();
        out = append_item(&out, &list, &bare)?.0;
    }
    Some(out)
}

/// Puts `key: value` into a top-level map, or makes the map.
pub(super) fn add_entry(text: &str, map: &str, key: &str, value: &str) -> Option<(String, usize)> {
    let Some(found) = entry(text, map) else {
        let line = first_section_line(text)?;
        let put = format!("{map}: {{{key}: {value}}}\n\n");
        return Some((put_after(text, line - 1, &put), line));
    };
    let Value::Map(members) = &found.node.value else {
        return None;
    };
    let last = members.last()?;
    let place = last.node.place;
    if starts_with_bracket(text, found.node.place) {
        let at = after(text, place)?;
        let (before, behind) = text.split_at_checked(at)?;
        Some((format!("{before}, {key}: {value}{behind}"), place.line as usize))
    } else {
        let columns = last.key_place.column.saturating_sub(1) as usize;
        let put = format!("{}{key}: {value}\n", " ".repeat(columns));
        let line = place.line as usize;
        Some((put_after(text, line, &put), line + 1))
    }
}

/// Puts a word into a top-level list, or makes the list.
pub(super) fn add_word(text: &str, list: &str, word: &str) -> Option<(String, usize)> {
    let Some(found) = entry(text, list) else {
        let lines = text.lines().count();
        return Some((put_after(text, lines, &format!("{list}: [{word}]\n")), lines + 1));
    };
    let Value::List(items) = &found.node.value else {
        return None;
    };
    let place = found.node.place;
    match items.last() {
        Some(last) if starts_with_bracket(text, place) => {
            let at = after(text, last.place)?;
            let (before, behind) = text.split_at_checked(at)?;
            Some((format!("{before}, {word}{behind}"), last.place.line as usize))
        }
        Some(_) => append_item(text, &found.node, word),
        None => {
            let at = offset(text, place.line, place.column)?;
            let (before, behind) = text.split_at_checked(at)?;
            let rest = behind.strip_prefix("[]")?;
            Some((format!("{before}[{word}]{rest}"), place.line as usize))
        }
    }
}

fn entry(text: &str, key: &str) -> Option<Entry> {
    match node::parse(0, text, &mut Vec::new())?.value {
        Value::Map(entries) => entries.into_iter().find(|entry| entry.key == key),
        Value::Scalar { .. } | Value::List(_) => None,
    }
}

fn append_item(text: &str, list: &Node, new: &str) -> Option<(String, usize)> {
    let Value::List(items) = &list.value else {
        return None;
    };
    let last = items.last()?.place.line;
    let line = text.lines().nth(last.saturating_sub(1) as usize)?;
    if !line.trim_start().starts_with("- ") {
        return None;
    }
    let dash = indentation(line);
    let end = block_end(text, last, dash);
    Some((put_after(text, end, &item(new, dash)), end + 1))
}

/// The last line of the block that begins on a line: what is indented deeper, without blank lines and comments behind it.
fn block_end(text: &str, first: u32, columns: usize) -> usize {
    let mut end = first as usize;
    for (number, line) in text.lines().enumerate().skip(first as usize) {
        let is_blank = line.trim().is_empty();
        if !is_blank && indentation(line) <= columns {
            break;
        }
        if !is_blank {
            end = number + 1;
        }
    }
    end
}

fn put_after(text: &str, line: usize, new: &str) -> String {
    let mut out = String::with_capacity(text.len() + new.len());
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for part in lines.iter().take(line) {
        out.push_str(part);
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(new);
    if !new.ends_with('\n') {
        out.push('\n');
    }
    for part in lines.iter().skip(line) {
        out.push_str(part);
    }
    out
}

/// The line of the first section, or of the comment right above it.
fn first_section_line(text: &str) -> Option<usize> {
    let purpose = entry(text, "purpose")?.key_place.line as usize;
    let lines: Vec<&str> = text.lines().collect();
    let above = lines.iter().take(purpose - 1).rev();
    let comments = above.take_while(|line| line.starts_with('#')).count();
    Some(purpose - comments)
}

fn starts_with_bracket(text: &str, place: Place) -> bool {
    let at = offset(text, place.line, place.column);
    at.and_then(|at| text.get(at..))
        .is_some_and(|rest| rest.starts_with(['{', '[']))
}

/// The byte behind a value on one line.
fn after(text: &str, place: Place) -> Option<usize> {
    offset(text, place.line, place.column + place.length)
}

/// The byte at a line and column.
fn offset(text: &str, line: u32, column: u32) -> Option<usize> {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1) as usize)
        .map(str::len)
        .sum();
    let rest = text.get(before..)?;
    let within: usize = rest
        .chars()
        .take(column.saturating_sub(1) as usize)
        .map(char::len_utf8)
        .sum();
    Some(before + within)
}

fn indentation(line: &str) -> usize {
    line.chars().take_while(|&c| c == ' ').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# héad\nrollout: {default: observe} # how\n\n# Why.\npurpose:\n  statement: Why.\n  clauses:\n    - id: PU-1\n      statement: >-\n        Long\n\n        text.\n\n# Who.\nscope:\n  statement: Who.\n\nrisk: {statement: x}\nnever_excepted: []\n";

    #[test]
    fn a_clause_goes_to_the_end_of_its_list_and_all_else_stays() {
        let (out, line) = append_clause(TEXT, "purpose", "id: PU-2\nevidence: {task: a}\n").expect("a list");
        let put = "    - id: PU-2\n      evidence: {task: a}\n";
        assert_eq!(out, TEXT.replace("        text.\n", &format!("        text.\n{put}")));
        assert_eq!(out.lines().nth(line - 1), Some("    - id: PU-2"));
    }

    #[test]
    fn a_section_without_clauses_gets_a_list_and_one_in_brackets_is_refused() {
        let (out, line) = append_clause(TEXT, "scope", "id: SC-1\n").expect("a section");
        assert_eq!(
            out,
            TEXT.replace("  statement: Who.\n", "  statement: Who.\n  clauses:\n    - id: SC-1\n")
        );
        assert_eq!(out.lines().nth(line - 1), Some("    - id: SC-1"));
        assert_eq!(append_clause(TEXT, "risk", "id: RI-1\n"), None);
    }

    #[test]
    fn entries_and_words_go_into_brackets_and_blocks() {
        let (out, _) = add_entry(TEXT, "rollout", "PU-1", "coach").expect("a map");
        assert!(
            out.contains("rollout: {default: observe, PU-1: coach} # how\n"),
            "{out}"
        );
        let (out, line) = add_entry(
            "rollout:\n  default: observe # x\n\npurpose: {}\n",
            "rollout",
            "A",
            "coach",
        )
        .expect("a map");
        assert_eq!(
            (out.as_str(), line),
            ("rollout:\n  default: observe # x\n  A: coach\n\npurpose: {}\n", 3)
        );
        let (out, _) = add_entry("ordain: 1\n\n# Why.\npurpose: {}\n", "rollout", "A", "observe").expect("a new map");
        assert_eq!(out, "ordain: 1\n\nrollout: {A: observe}\n\n# Why.\npurpose: {}\n");
        let (out, _) = add_word(TEXT, "never_excepted", "PU-1").expect("a list");
        assert!(out.ends_with("never_excepted: [PU-1]\n"), "{out}");
        let (out, _) = add_word(&out, "never_excepted", "PU-2").expect("a list");
        assert!(out.ends_with("never_excepted: [PU-1, PU-2]\n"), "{out}");
        let (out, _) = add_word("a: 1", "never_excepted", "PU-2").expect("a new list");
        assert_eq!(out, "a: 1\nnever_excepted: [PU-2]\n");
    }
}
