//! Putting certain fixes into a policy's files: exactly the words at fault change, and nothing else.
//!
//! A [`super::problem::Fix`] says which word is meant; this file knows how it stands in the text (in which quotes, in which
//! characters of the line) and how the other one has to be written there. Read [`apply`] first.

use super::node::{self, Place};
use super::problem::{Fix, Problem};
use super::{File, Files};

/// One replacement in a file's text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What is replaced.
    pub place: Place,
    /// Its text, quotes included.
    pub old: String,
    /// The text that takes its place.
    pub new: String,
}

/// What a problem's fix changes in the text; `None` where there is none, or where the text is not what the fix expects.
#[must_use]
pub fn change(files: &Files, problem: &Problem) -> Option<Change> {
    let (fix, place) = (problem.fix.as_ref()?, problem.place);
    let line = lines(&files.get(place.file)?.text).nth(place.line.checked_sub(1)? as usize)?;
    let rest = line.get(offset(line, place.column)?..)?;
    let form = |quote: &str| format!("{quote}{}{quote}", fix.old);
    let quote = ["", "\"", "'"]
        .into_iter()
        .find(|quote| rest.starts_with(&form(quote)) && form(quote).chars().count() == place.length as usize)?;
    let new = written(fix, quote)?;
    Some(Change {
        place,
        old: form(quote),
        new,
    })
    .filter(|change| change.old != change.new)
}

/// The files with every fix that is certain, and what was changed, in the order of the files.
#[must_use]
pub fn apply(files: &Files, problems: &[Problem]) -> (Files, Vec<Change>) {
    let mut wanted: Vec<Change> = problems.iter().filter_map(|problem| change(files, problem)).collect();
    wanted.sort();
    wanted.dedup();
    // Two opinions on one place are no certainty.
    let disputed = |change: &Change| wanted.iter().filter(|other| other.place == change.place).count() > 1;
    let certain: Vec<Change> = wanted.iter().filter(|change| !disputed(change)).cloned().collect();
    let mut mended = files.clone();
    let mut done = Vec::new();
    // From the right, so that the places before stay what they are.
    for change in certain.into_iter().rev() {
        let Some(file) = mended.files.get_mut(usize::from(change.place.file)) else {
            continue;
        };
        if let Some(text) = replaced(&file.text, &change)
            && faults(&text) <= faults(&file.text)
        {
            *file = File {
                path: file.path.clone(),
                text,
            };
            done.push(change);
        }
    }
    done.reverse();
    (mended, done)
}

/// How many mistakes of form a text has, such as keys that stand twice.
fn faults(text: &str) -> usize {
    let mut problems = Vec::new();
    node::parse(0, text, &mut problems);
    problems.len()
}

/// Lines with what ends them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
}

/// The byte at which a column of characters, from 1, begins.
fn offset(line: &str, column: u32) -> Option<usize> {
    let column = column.checked_sub(1)? as usize;
    line.char_indices().nth(column).map(|(byte, _)| byte)
}

/// The new word as it stands in the same quotes, or in quotes where it needs some.
fn written(fix: &Fix, quote: &str) -> Option<String> {
    let new = &fix.new;
    if !quote.is_empty() {
        let clean = new.chars().all(|c| !matches!(c, '"' | '\'' | '\\') && !c.is_control());
        return clean.then(|| format!("{quote}{new}{quote}"));
    }
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ' ');
    let plain = new.starts_with(char::is_alphabetic) && !new.ends_with(' ') && new.chars().all(letter);
    if plain && !fix.quoted {
        return Some(new.clone());
    }
    // Every JSON string is a double-quoted scalar of YAML 1.2.
    serde_json::to_string(new).ok()
}

fn replaced(text: &str, change: &Change) -> Option<String> {
    let above = (change.place.line as usize).checked_sub(1)?;
    let start: usize = lines(text).take(above).map(str::len).sum();
    let line = lines(text).nth(above)?;
    let from = start + offset(line, change.place.column)?;
    let (before, rest) = (text.get(..from)?, text.get(from..)?);
    let after = rest.strip_prefix(change.old.as_str())?;
    Some(format!("{before}{}{after}", change.new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::policy::load;

    fn mended(text: &str) -> (String, Vec<String>) {
        let files = Files::single(text);
        let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
        let problems = load(&files, &Catalog::built_in(), now).problems;
        let (files, changes) = apply(&files, &problems);
        let told = changes.iter().map(|change| {
            format!(
                "{}:{} {} → {}",
                change.place.line, change.place.column, change.old, change.new
            )
        });
        (files.files[0].text.clone(), told.collect())
    }

    #[test]
    fn only_the_word_at_fault_changes() {
        let before = "ordain: 1 # über alles\r\norganisation: Größe & Söhne\nversion: 1.0\ndata:   {defualt: 'x',  classes: [x]} # — bleibt\n";
        let after = "ordain: 1 # über alles\r\norganization: Größe & Söhne\nversion: \"1.0\"\ndata:   {default: 'x',  classes: [x]} # — bleibt\n";
        let (text, told) = mended(before);
        assert_eq!(text, after);
        assert_eq!(
            told,
            [
                "2:1 organisation → organization",
                "3:10 1.0 → \"1.0\"",
                "4:10 defualt → default"
            ]
        );
    }

    #[test]
    fn several_on_a_line_with_wide_characters_are_each_in_place() {
        let before = "ordain: 1\ndata: {classes: [größe, internal], default: 'größse', entities: {iban: internl, payment-crad: \"größe\"}}\n";
        let after = "ordain: 1\ndata: {classes: [größe, internal], default: 'größe', entities: {iban: internal, payment-card: \"größe\"}}\n";
        assert_eq!(mended(before).0, after);
    }

    #[test]
    fn what_would_stand_twice_or_could_mean_two_things_is_left() {
        for text in [
            "ordain: 1\norganization: A\norganisation: B\n",
            "ordain: 1\nrollout: {defalt: observe, default: observe}\n",
            "ordain: 1\nroles: {people: {cto: a@example.com}, owner: {accountable: cfo}}\n",
        ] {
            assert_eq!(mended(text), (text.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn a_word_that_plain_yaml_would_misread_is_quoted() {
        let fix = |new: &str| written(&Fix::word("x", new), "");
        assert_eq!(fix("GOVERN 1.1").as_deref(), Some("GOVERN 1.1"));
        assert_eq!(fix("4.2").as_deref(), Some("\"4.2\""));
        assert_eq!(fix("a: b").as_deref(), Some("\"a: b\""));
        assert_eq!(written(&Fix::word("x", "it's"), "'"), None);
    }
}
