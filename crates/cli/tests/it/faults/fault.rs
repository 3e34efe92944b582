//! Faults as they are written down, and how they are planted.

use ordain_core::policy::check::{ALL, FORM};
use ordain_core::policy::problem::Severity;
use ordain_core::policy::{File, Files, ROOT};

/// A problem as it must be reported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Expected {
    pub(super) path: String,
    pub(super) line: u32,
    pub(super) code: String,
    pub(super) severity: Severity,
}

/// One fault of a list.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: String,
    pub(super) severity: Severity,
    /// Whether it hides what else is wrong.
    pub(super) alone: bool,
    path: String,
    edits: Vec<Edit>,
    whole: Option<Whole>,
    /// Where it is reported, if not at the first line that is changed.
    at: Option<String>,
    /// What else comes of it: code, severity and where.
    also: Vec<(String, Severity, String)>,
}

#[derive(Debug, Default)]
struct Edit {
    old: Vec<String>,
    new: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Whole {
    Emptied,
    Gone,
}

/// The worst that a code is reported as.
fn worst(code: &str) -> Severity {
    let check = ALL.iter().find(|check| check.code == code);
    let form = FORM.iter().find(|form| form.code == code);
    let severity = check.map(|check| check.severity).or(form.map(|form| form.severity));
    severity.unwrap_or_else(|| panic!("no code `{code}`"))
}

fn severity(word: &str) -> Option<Severity> {
    [Severity::Note, Severity::Warning, Severity::Error]
        .into_iter()
        .find(|severity| severity.as_str() == word)
}

/// Reads a list of faults.
pub(super) fn parse(list: &str) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut usual = ROOT.to_owned();
    for line in list.lines() {
        let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
        let Some(fault) = faults.last_mut().filter(|_| !line.starts_with('[')) else {
            match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                Some(heading) => faults.push(headed(heading, &usual)),
                None if sign == "in" => usual = rest.to_owned(),
                None => assert!(line.is_empty() || sign == "#", "`{line}` is read as nothing"),
            }
            continue;
        };
        match sign {
            "" | "#" => {}
            "in" => fault.path = rest.to_owned(),
            "@" => fault.at = Some(rest.to_owned()),
            "&" => {
                let (what, at) = rest.split_once(" at ").expect("`& code at text`");
                let (code, word) = what.split_once(' ').unwrap_or((what, ""));
                let severity = severity(word).unwrap_or_else(|| worst(code));
                fault.also.push((code.to_owned(), severity, at.to_owned()));
            }
            "whole" => fault.whole = Some(Whole::Emptied),
            "gone" => fault.whole = Some(Whole::Gone),
            "-" => {
                if fault.edits.last().is_none_or(|edit| !edit.new.is_empty()) {
                    fault.edits.push(Edit::default());
                }
                fault.edits.last_mut().expect("an edit").old.push(rest.to_owned());
            }
            "+" => fault
                .edits
                .last_mut()
                .expect("`-` before `+`")
                .new
                .push(rest.to_owned()),
            _ => panic!("`{line}` is read as nothing"),
        }
    }
    faults
}

fn headed(heading: &str, path: &str) -> Fault {
    let mut words = heading.split(' ');
    let code = words.next().unwrap_or_default();
    let more: Vec<&str> = words.collect();
    Fault {
        code: code.to_owned(),
        severity: more
            .iter()
            .find_map(|word| severity(word))
            .unwrap_or_else(|| worst(code)),
        alone: more.contains(&"alone"),
        path: path.to_owned(),
        edits: Vec::new(),
        whole: None,
        at: None,
        also: Vec::new(),
    }
}

/// Stands before the line that a fault has changed first, while more is changed.
const MARK: char = '\u{e000}';

/// A copy with faults in it, and what must be reported about it.
pub(super) fn plant(files: &Files, faults: &[&Fault]) -> Result<(Files, Vec<Expected>), String> {
    let mut copy: Vec<File> = files.iter().cloned().collect();
    for (fault, mark) in faults.iter().zip(u32::from(MARK)..) {
        let mark = char::from_u32(mark).ok_or("too many faults")?;
        let code = &fault.code;
        let position = copy.iter().position(|file| file.path == fault.path);
        let position = position.ok_or_else(|| format!("{code}: no file `{}`", fault.path))?;
        match fault.whole {
            Some(Whole::Gone) => _ = copy.remove(position),
            Some(Whole::Emptied) => copy[position].text = mark.to_string(),
            None => {
                let text = &mut copy[position].text;
                for (index, edit) in fault.edits.iter().enumerate() {
                    *text = edited(text, edit, (index == 0).then_some(mark)).map_err(|why| format!("{code}: {why}"))?;
                }
            }
        }
    }
    let marked = Files::new(copy);
    let is_mark = |c: char| ('\u{e000}'..='\u{f8ff}').contains(&c);
    let clean = marked.iter().map(|file| File {
        path: file.path.clone(),
        text: file.text.replace(is_mark, ""),
    });
    let clean = Files::new(clean.collect());
    let mut expected = Vec::new();
    for (fault, mark) in faults.iter().zip(u32::from(MARK)..) {
        let mark = char::from_u32(mark).ok_or("too many faults")?;
        let place = |at: &str| place(&clean, &fault.path, at).map_err(|why| format!("{}: {why}", fault.code));
        let (path, line) = match &fault.at {
            Some(at) => place(at)?,
            None => (fault.path.clone(), line_of(&marked, &fault.path, &mark.to_string())?),
        };
        let one = |path: String, line, code: &String, severity| Expected {
            path,
            line,
            code: code.clone(),
            severity,
        };
        expected.push(one(path, line, &fault.code, fault.severity));
        for (code, severity, at) in &fault.also {
            let (path, line) = place(at)?;
            expected.push(one(path, line, code, *severity));
        }
    }
    expected.sort();
    Ok((clean, expected))
}

/// A text with one edit; `mark` is put before the first line of it that differs.
fn edited(text: &str, edit: &Edit, mark: Option<char>) -> Result<String, String> {
    let (old, mut new) = (edit.old.join("\n"), edit.new.clone());
    let count = text.matches(&old).count();
    if count != 1 {
        return Err(format!("`{old}` stands there {count} times"));
    }
    if let Some(mark) = mark {
        let same = new.iter().zip(&edit.old).take_while(|(new, old)| new == old).count();
        match new.get_mut(same) {
            Some(line) => line.insert(0, mark),
            None => new.push(mark.to_string()),
        }
    }
    Ok(text.replacen(&old, &new.join("\n"), 1))
}

/// Where `text`, `path: text` or `nowhere` is.
fn place(files: &Files, path: &str, at: &str) -> Result<(String, u32), String> {
    if at == "nowhere" {
        let there = files.find(path).is_some();
        let first = files.iter().next().map(|file| file.path.clone());
        return Ok((
            if there {
                path.to_owned()
            } else {
                first.unwrap_or_default()
            },
            0,
        ));
    }
    let other = at.split_once(": ").filter(|(path, _)| files.find(path).is_some());
    let (path, text) = other.unwrap_or((path, at));
    Ok((path.to_owned(), line_of(files, path, text)?))
}

/// The line on which a text stands that stands there once.
fn line_of(files: &Files, path: &str, text: &str) -> Result<u32, String> {
    let (_, file) = files.find(path).ok_or_else(|| format!("no file `{path}`"))?;
    let count = file.text.matches(text).count();
    if count != 1 {
        return Err(format!("`{text}` stands {count} times in {path}"));
    }
    let before = file.text.split(text).next().unwrap_or_default();
    u32::try_from(before.matches('\n').count() + 1).map_err(|error| error.to_string())
}
