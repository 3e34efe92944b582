//! What is probably wrong where a text cannot be read as YAML, in the words of somebody who does not know YAML.
//!
//! The parser says where it had to stop; the slip is often on another line. Read [`help`] first.

use super::node::Place;

/// Where lines end and begin anew inside brackets.
const BRACKETS: [(char, char); 2] = [('{', '}'), ('[', ']')];
/// Signs that look like a space or like nothing.
const INVISIBLE: [char; 6] = ['\u{a0}', '\u{2007}', '\u{202f}', '\u{200b}', '\u{feff}', '\u{3000}'];

/// What to do about a mistake at `at`, inside collections that began at `open`, outermost first.
pub(super) fn help(text: &str, at: Place, open: &[Place]) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let line = |number: u32| {
        number
            .checked_sub(1)
            .and_then(|above| lines.get(above as usize))
            .copied()
    };
    let here = line(at.line).unwrap_or_default();
    let above = (1..at.line).rev().find(|&number| {
        line(number).is_some_and(|text| !text.trim().is_empty() && !text.trim_start().starts_with('#'))
    });
    for number in [Some(at.line), above].into_iter().flatten() {
        let text = line(number).unwrap_or_default();
        let indent = text.chars().take_while(|c| c.is_whitespace());
        if indent.clone().any(|c| c == '\t') {
            return format!("line {number} begins with a tab: indent with spaces");
        }
        if text.contains(INVISIBLE) {
            return format!(
                "line {number} has an invisible sign in it, such as a no-break space: delete the space and type it anew"
            );
        }
    }
    for place in open.iter().rev() {
        let first = line(place.line).and_then(|text| text.chars().nth(place.column.saturating_sub(1) as usize));
        if let Some(&(opening, closing)) = BRACKETS.iter().find(|(opening, _)| first == Some(*opening)) {
            let comment = line(place.line).is_some_and(|text| text.contains(" #"));
            let or = if comment {
                "; or a ` #` makes a comment of the rest of that line: put the text in quotes"
            } else {
                ""
            };
            return format!(
                "the `{opening}` on line {} is not closed: write `{closing}` where it ends{or}",
                place.line
            );
        }
    }
    sentence(here, at).unwrap_or_else(|| indented(here, at, above.and_then(|number| Some((number, line(number)?)))))
}

/// A text that YAML cuts at a colon or after a quote.
fn sentence(here: &str, at: Place) -> Option<String> {
    let body = here.trim_start().trim_start_matches("- ");
    let (key, value) = body.split_once(": ")?;
    let value = value.trim();
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let goes_on = value.chars().skip(1).position(|c| c == quote).is_some_and(|end| {
            let rest: String = value.chars().skip(end + 2).collect();
            !rest.trim().is_empty() && !rest.trim_start().starts_with('#')
        });
        let other = if quote == '"' { '\'' } else { '"' };
        return goes_on.then(|| {
            format!("the text after `{key}:` goes on after its closing {quote}: put the whole text in {other}…{other}")
        });
    }
    let second =
        here.chars().count() - body.chars().count() + key.chars().count() < at.column.saturating_sub(1) as usize;
    (second && (value.contains(": ") || value.ends_with(':')))
        .then(|| format!("the text after `{key}:` has a colon in it: put the whole text in quotes, `{key}: \"…\"`"))
}

/// A line that is not where it should be.
fn indented(here: &str, at: Place, above: Option<(u32, &str)>) -> String {
    if let Some(fixed) = pair(here.trim()) {
        return fixed;
    }
    let indent = |text: &str| text.chars().take_while(|&c| c == ' ').count();
    match above {
        Some((number, text)) if indent(text) != indent(here) => format!(
            "line {} begins with {} spaces and line {number} with {}: lines that belong together begin in one column, and it may be \
             either of them that does not",
            at.line,
            indent(here),
            indent(text)
        ),
        Some((number, _)) => format!("check the indentation and quotes of this line and of line {number}"),
        None => "check the indentation and quotes of this line".to_owned(),
    }
}

/// What a text lacks to be a pair of name and value.
pub(super) fn pair(text: &str) -> Option<String> {
    if text.contains(INVISIBLE) {
        return Some(
            "there is an invisible sign in it, such as a no-break space: delete the space and type it anew".to_owned(),
        );
    }
    let name = |text: &str| {
        let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        !text.is_empty() && text.chars().all(plain)
    };
    if let Some((key, value)) = text
        .split_once(':')
        .filter(|(key, value)| name(key) && !value.is_empty() && !value.starts_with([' ', '/']))
    {
        return Some(format!("a space belongs after the colon: `{key}: {value}`"));
    }
    let (key, value) = text.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    (name(key) && !value.is_empty()).then(|| format!("write it with a colon: `{key}: {value}`"))
}

#[cfg(test)]
mod tests {
    use super::super::node::{parse, parse_prose};

    fn told(text: &str) -> String {
        let mut problems = Vec::new();
        parse(0, text, &mut problems);
        let problem = problems.pop().expect("a mistake");
        problem.help.expect("a way out")
    }

    #[test]
    fn each_slip_is_told_by_its_cause() {
        for (text, wanted) in [
            (
                "a:\n  statement: Text that is marked: never send.\n",
                "the text after `statement:` has a colon in it: put the whole text in quotes",
            ),
            (
                "a:\n  - tell: \"Marked\" text stays.\n",
                "goes on after its closing \": put the whole text in '…'",
            ),
            ("a:\n\tb: c\n", "line 2 begins with a tab: indent with spaces"),
            (
                "a: {b: c, d: {e: f}\nscope:\n  x: y\n",
                "the `{` on line 1 is not closed: write `}` where it ends",
            ),
            (
                "a: [b, c\nscope:\n  x: y\n",
                "the `[` on line 1 is not closed: write `]` where it ends",
            ),
            (
                "a: {b: See #x, c: d}\ne: f\n",
                "or a ` #` makes a comment of the rest of that line",
            ),
            ("a:\n   b: c\n  d: e\n", "line 3 begins with 2 spaces and line 2 with 3"),
            ("a: x\n   b: c\n", "line 2 begins with 3 spaces and line 1 with 0"),
            (
                "a:\n  b: c\n  DA-13:enforce\n",
                "a space belongs after the colon: `DA-13: enforce`",
            ),
            (
                "a:\n  b: c\n  DA-13 = enforce\n",
                "write it with a colon: `DA-13: enforce`",
            ),
            (
                "a:\n  b: c\n  DA-13:\u{a0}enforce\n",
                "line 3 has an invisible sign in it",
            ),
        ] {
            let told = told(text);
            assert!(told.contains(wanted), "{text}\n{told}");
        }
        let mut none = Vec::new();
        assert!(parse_prose(0, "a: \"b: c\"\n", &mut none).is_some() && none.is_empty());
    }
}
