//! What is wrong with a policy, where, and what to do about it.
//!
//! Every reader and check adds to one list, so that a single run reports everything. Read [`Problem`] first.

use std::fmt::Write as _;

use super::node::Place;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Kebab-case, stable, never reused.
    pub code: &'static str,
    /// Whether the policy can be used in spite of it.
    pub severity: Severity,
    /// What is wrong: a lower-case fragment, the author's words in backticks.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What to do next.
    pub help: Option<String>,
    /// What to write instead, where that is certain.
    pub fix: Option<Fix>,
    /// A request that shows it, as `ordain explain --request` reads it.
    pub witness: Option<String>,
}

/// Another word for the one at a problem's place. [`super::fix`] finds out how it is to be written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The word that stands there.
    pub old: String,
    /// The word that belongs there.
    pub new: String,
    /// Whether it has to be written in quotes.
    pub quoted: bool,
}

impl Fix {
    /// One word for another.
    #[must_use]
    pub fn word(old: impl Into<String>, new: impl Into<String>) -> Self {
        Self {
            old: old.into(),
            new: new.into(),
            quoted: false,
        }
    }

    /// The same word in quotes.
    #[must_use]
    pub fn quote(word: &str) -> Self {
        Self {
            quoted: true,
            ..Self::word(word, word)
        }
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong; somebody may want to know.
    Note,
    /// The policy can be used; somebody should look at it.
    Warning,
    /// The policy cannot be used.
    Error,
}

impl Severity {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Problem {
    /// An error.
    #[must_use]
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            place,
            help: None,
            fix: None,
            witness: None,
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, place, message)
        }
    }

    /// A note.
    #[must_use]
    pub fn note(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Note,
            ..Self::error(code, place, message)
        }
    }

    /// With what to write instead.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// With a request that shows it.
    #[must_use]
    pub fn witness(mut self, witness: Option<String>) -> Self {
        self.witness = witness;
        self
    }

    /// With what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With "did you mean", when one of `known` is close to `word`, and with the fix, when it can only be that one; else with
    /// the list, when it is short.
    #[must_use]
    pub fn suggest<'k>(mut self, word: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        let mut known: Vec<&str> = known.into_iter().collect();
        known.sort_unstable();
        known.dedup();
        self.fix = certain(word, &known).map(|meant| Fix::word(word, meant));
        let near = nearest(word, &known);
        match near.as_slice() {
            [one] => self.help(format!("did you mean `{one}`?")),
            [two, more @ ..] if more.len() < 3 => {
                let others: Vec<String> = more.iter().map(|name| format!(" or `{name}`")).collect();
                self.help(format!("did you mean `{two}`{}?", others.concat()))
            }
            _ if known.is_empty() || !near.is_empty() => self,
            _ if known.len() <= 12 => {
                let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                self.help(format!("known here: {}", list.join(", ")))
            }
            _ => self,
        }
    }

    /// The problem as a person reads it, with the line of the document it is about.
    #[must_use]
    pub fn render(&self, path: &str, text: &str) -> String {
        let mut out = format!("{}[{}]: {}\n", self.severity.as_str(), self.code, self.message);
        let Place {
            line, column, length, ..
        } = self.place;
        let gutter = line.to_string().len();
        if line == 0 {
            // What is missing stands nowhere.
            let _ = writeln!(out, "{:gutter$}--> {path}", "");
        } else {
            let _ = writeln!(out, "{:gutter$}--> {path}:{line}:{column}", "");
        }
        if let Some(source) = line.checked_sub(1).and_then(|above| text.lines().nth(above as usize)) {
            let before = column.saturating_sub(1) as usize;
            let room = source.chars().count().saturating_sub(before).max(1);
            let marks = (length.max(1) as usize).min(room);
            let _ = writeln!(out, "{:gutter$} |", "");
            let _ = writeln!(out, "{line} | {source}");
            let _ = writeln!(out, "{:gutter$} | {:before$}{:^<marks$}", "", "", "");
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "{:gutter$} = help: {help}", "");
        }
        if let Some(witness) = &self.witness {
            let _ = writeln!(
                out,
                "{:gutter$} = shown by: ordain explain --request '{}'",
                "",
                witness.replace('\'', "'\\''")
            );
        }
        out
    }
}

/// The known words closest to `word`, if they are close enough to be what was meant. Ids such as `DA-31` are told apart by their
/// numbers: another number is another clause, and no slip.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Vec<&'k str> {
    let limit = (word.chars().count() / 3).max(1) + 1;
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let near: Vec<(usize, &str)> = known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|&(distance, candidate)| distance <= limit && distance < candidate.chars().count())
        .filter(|(_, candidate)| letters >= 4 || digits(word) == digits(candidate))
        .collect();
    let best = near.iter().map(|&(distance, _)| distance).min();
    near.into_iter()
        .filter(|&(distance, _)| Some(distance) == best)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// The known word that `word` can only be a slip of: the one nearest, with the same digits, and long enough that a slip is
/// likelier than another name. `AU-1` for `AC-1` and `cto` for `cfo` are guesses, not slips.
fn certain<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let mut near: Vec<(usize, &str)> = known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .collect();
    near.sort_unstable();
    let mut near = near.into_iter();
    let (best, meant) = near.next()?;
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let needed = match best {
        0 => 0,
        1 => 4,
        2 => 7,
        _ => return None,
    };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let alone = near.next().is_none_or(|(next, _)| next > best);
    (alone && letters >= needed && digits(word) == digits(meant)).then_some(meant)
}

/// Edit distance with insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().map(|c| c.to_ascii_lowercase()).collect();
    let b: Vec<char> = b.chars().map(|c| c.to_ascii_lowercase()).collect();
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
    let mut older: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let mut best = (at(&previous, j) + usize::from(from != to))
                .min(at(&previous, j + 1) + 1)
                .min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(&to) && b.get(j - 1) == Some(&from);
            if swapped {
                best = best.min(at(&older, j - 1) + 1);
            }
            row.push(best);
        }
        older = std::mem::replace(&mut previous, row);
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_recognised_and_a_stranger_is_not() {
        let known = ["payment-card", "iban", "email-address"];
        assert_eq!(nearest("payment-crad", &known), ["payment-card"]);
        assert_eq!(nearest("ibna", &known), ["iban"]);
        assert_eq!(nearest("passport", &known), [""; 0]);
        let clauses = ["DA-1", "DA-11", "DA-21", "AU-31"];
        assert_eq!(nearest("DA-31", &clauses), ["AU-31"]);
        assert_eq!(nearest("DA-3", &clauses), [""; 0], "a clause that is gone");
        assert_eq!(nearest("stafs", &["staff", "stars"]), ["staff", "stars"]);
    }

    #[test]
    fn a_fix_is_offered_for_a_slip_and_not_for_a_guess() {
        let known = [
            "payment-card",
            "iban",
            "cto",
            "ciso",
            "AU-1",
            "restricted",
            "iso-42001-2023",
        ];
        assert_eq!(certain("payment-crad", &known), Some("payment-card"));
        assert_eq!(certain("restrictd", &known), Some("restricted"));
        assert_eq!(certain("Iban", &known), Some("iban"));
        for guess in ["cfo", "AC-1", "AU-2", "iso-42001-2022", "strict", "passport"] {
            assert_eq!(certain(guess, &known), None, "{guess}");
        }
        assert_eq!(certain("stafs", &["staff", "stars"]), None, "two are as near");
    }

    #[test]
    fn what_stands_nowhere_points_at_the_file_alone() {
        let problem = Problem::warning("missing-topic", Place::default(), "no clause is about tools").help("add one");
        let text = problem.render("policy.yaml", "ordain: 1\n");
        assert_eq!(
            text,
            "warning[missing-topic]: no clause is about tools\n --> policy.yaml\n  = help: add one\n"
        );
    }

    #[test]
    fn a_problem_points_at_its_words() {
        let place = Place {
            file: 0,
            line: 2,
            column: 5,
            length: 6,
        };
        let problem = Problem::error("unknown-app", place, "no app called `opnai`").help("did you mean `openai`?");
        let text = problem.render("policy.yaml", "apps:\n  - opnaix\n");
        let expected = "error[unknown-app]: no app called `opnai`\n --> policy.yaml:2:5\n  |\n2 |   - opnaix\n  |     ^^^^^^\n  = help: did you mean `openai`?\n";
        assert_eq!(text, expected);
    }
}
