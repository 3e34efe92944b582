//! A statement as words, and what of it can be told without knowing the policy.

use crate::policy::document::Text;

/// The words of a statement.
pub(super) struct Prose {
    words: Vec<Word>,
}

struct Word {
    /// In lower case.
    text: String,
    /// Whether it is written as a name within a sentence.
    is_name: bool,
    /// Whether a sentence ends after it.
    ends: bool,
    /// Whether a hyphen joins it to the word before.
    glued: bool,
}

/// Some words of a statement that name something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mention {
    /// Whether `only`, `except` or their like set it apart.
    pub(super) singled_out: bool,
}

/// What has to stand around a phrase for it to be a name.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Whether it is written as a name within a sentence.
    pub(super) as_name: bool,
    /// One of these follows.
    pub(super) then: &'static [&'static str],
    /// One of these stands before.
    pub(super) after: &'static [&'static str],
    /// None of these stands before.
    pub(super) not_after: &'static [&'static str],
}

/// How far before a name such a word may stand: `only to the sanctioned apps`.
const NEAR: usize = 3;
const APART: [&str; 7] = ["only", "except", "excepting", "unless", "excluding", "than", "outside"];
const EVERYONE: [&str; 5] = ["everyone", "everybody", "anyone", "anybody", "nobody"];
const PEOPLE: [&str; 6] = ["people", "employees", "colleagues", "users", "staff", "person"];
const APPS: [&str; 6] = ["app", "apps", "tool", "tools", "service", "services"];

impl Prose {
    /// Takes a statement apart. The policy's own keywords stand for themselves and name nothing: `internal use only`.
    pub(super) fn read(statement: &str, keywords: &[(Text, Vec<Text>)]) -> Self {
        let mut words: Vec<Word> = Vec::new();
        let mut begins = true;
        for chunk in statement.split_whitespace() {
            let ends = chunk.ends_with(['.', '!', '?', ':', ';']);
            // `e-mail` and `email` are one word; other hyphens join two.
            let chunk = chunk.replace("e-mail", "email").replace("E-mail", "Email");
            for (index, text) in tokens(&chunk).enumerate() {
                let upper = text.chars().next().is_some_and(char::is_uppercase);
                words.push(Word {
                    text: text.to_lowercase(),
                    is_name: upper && !begins || text.chars().skip(1).any(char::is_uppercase),
                    ends: false,
                    glued: index > 0 && chunk.contains('-'),
                });
                begins = false;
            }
            if ends && let Some(last) = words.last_mut() {
                last.ends = true;
                begins = true;
            }
        }
        let mut prose = Self { words };
        for phrase in keywords.iter().flat_map(|(_, phrases)| phrases) {
            prose.blank(phrase.as_str());
        }
        prose
    }

    /// Where a phrase stands, in the singular or the plural, and what stands after it.
    pub(super) fn mentions(&self, phrase: &str, around: &Around) -> Vec<Mention> {
        let phrase: Vec<String> = tokens(phrase).map(str::to_lowercase).collect();
        let mentions = self.places(&phrase).filter_map(|start| {
            let end = start + phrase.len();
            let follows = |word: &Word| around.then.contains(&word.text.as_str());
            let named = self.words.get(start).is_some_and(|word| word.is_name);
            let before = start.checked_sub(1).and_then(|index| self.words.get(index));
            let fits = (around.then.is_empty() || self.words.get(end).is_some_and(follows))
                && (named || !around.as_name)
                && (around.after.is_empty() || before.is_some_and(|word| around.after.contains(&word.text.as_str())))
                && before.is_none_or(|word| !around.not_after.contains(&word.text.as_str()));
            // `sanctioned apps only`: what has to follow belongs to the name.
            let end = end + usize::from(!around.then.is_empty());
            fits.then(|| Mention {
                singled_out: self.is_singled_out(start, end),
            })
        });
        mentions.collect()
    }

    /// Whether it speaks of all people.
    pub(super) fn says_everyone(&self) -> bool {
        self.has(|word| EVERYONE.contains(&word))
            || self.has_pair(&["all", "every", "any", "no"], &PEOPLE)
            || self.has_pair(&["no"], &["one"])
    }

    /// Whether it speaks of all apps.
    pub(super) fn says_every_app(&self) -> bool {
        let all = ["all", "every", "any", "no"];
        self.has_pair(&all, &APPS)
            || self.words.windows(3).any(|words| match words {
                [one, ai, app] => {
                    all.contains(&one.text.as_str()) && ai.text == "ai" && APPS.contains(&app.text.as_str())
                }
                _ => false,
            })
    }

    /// Whether it makes an exception in words.
    pub(super) fn says_except(&self) -> bool {
        self.has(|word| APART.contains(&word) || matches!(word, "but" | "other" | "without"))
    }

    fn has(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.words.iter().any(|word| wanted(&word.text))
    }

    fn has_pair(&self, first: &[&str], second: &[&str]) -> bool {
        self.words.windows(2).any(|words| match words {
            [one, two] => first.contains(&one.text.as_str()) && second.contains(&two.text.as_str()),
            _ => false,
        })
    }

    fn is_singled_out(&self, start: usize, end: usize) -> bool {
        let before = self.words.get(..start).unwrap_or_default();
        let near = before.iter().rev().take_while(|word| !word.ends).take(NEAR);
        let after = self.words.get(end).filter(|word| word.text == "only");
        near.chain(after).any(|word| APART.contains(&word.text.as_str()))
    }

    fn places<'s>(&'s self, phrase: &'s [String]) -> impl Iterator<Item = usize> + 's {
        let windows = self.words.windows(phrase.len().max(1));
        windows.enumerate().filter_map(move |(start, window)| {
            let last = phrase.len().checked_sub(1)?;
            let same =
                window.iter().zip(phrase).enumerate().all(|(index, (word, wanted))| {
                    word.text == *wanted || index == last && is_plural(&word.text, wanted)
                });
            // `ops` is no part of `people-ops`.
            let glued = |index: usize| self.words.get(index).is_some_and(|word| word.glued);
            let whole = !glued(start) && !glued(start + phrase.len());
            (same && whole).then_some(start)
        })
    }

    fn blank(&mut self, phrase: &str) {
        let phrase: Vec<String> = tokens(phrase).map(str::to_lowercase).collect();
        let starts: Vec<usize> = self.places(&phrase).collect();
        for start in starts {
            for word in self.words.iter_mut().skip(start).take(phrase.len()) {
                word.text.clear();
            }
        }
    }
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|token| !token.is_empty())
}

fn is_plural(word: &str, singular: &str) -> bool {
    match word.strip_prefix(singular) {
        Some(end) => matches!(end, "s" | "es"),
        None => singular
            .strip_suffix('y')
            .is_some_and(|stem| word.strip_prefix(stem) == Some("ies")),
    }
}
