//! How one thing is asked for: a line, one of a few, several of many.
//!
//! Each prompt shows what its answer changes, broken at words for a narrow terminal. Read [`Asked`] first.

use std::fmt;

use inquire::error::{CustomUserError, InquireResult};
use inquire::list_option::ListOption;
use inquire::validator::Validation;
use inquire::{Confirm, MultiSelect, Select, Text};
use ordain_core::library::answers::is_name;
use ordain_core::library::questions::Question;

/// A question about to be put, in the words that stand before its answer.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// What is asked.
    pub(super) label: &'a str,
    /// The question that it belongs to.
    pub(super) question: &'a Question,
}

/// One thing to choose, with the words that a person reads.
pub(super) struct Choice<T> {
    pub(super) value: T,
    shown: String,
    /// Whether it stays in sight, last, whatever is searched for.
    stays: bool,
}

impl<T> fmt::Display for Choice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&wrapped(&self.shown, WIDTH - OPTION, OPTION))
    }
}

pub(super) fn choice<T>(value: T, shown: impl Into<String>) -> Choice<T> {
    Choice {
        value,
        shown: shown.into(),
        stays: false,
    }
}

/// A choice that a search never hides, so that a search without a match shows a way on.
pub(super) fn last_choice<T>(value: T, shown: impl Into<String>) -> Choice<T> {
    Choice {
        stays: true,
        ..choice(value, shown)
    }
}

/// How many lines of a list are shown at once.
const PAGE: usize = 10;
/// How wide a terminal is at least.
const WIDTH: usize = 78;
/// How far a choice is moved to the right by what stands before it.
const OPTION: usize = 6;

/// A text in lines of at most so many signs, broken at words; lines after the first are moved to the right.
pub(super) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let own: String = line.chars().take_while(|c| *c == ' ').collect();
        out.push_str(&own);
        let mut used = own.len();
        let mut first = true;
        for word in line.split_whitespace() {
            let long = word.chars().count();
            if !first && used + 1 + long > width {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                used = indent;
            } else if !first {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += long;
            first = false;
        }
    }
    out
}

impl Asked<'_> {
    fn label(&self) -> String {
        self.said(self.label)
    }

    /// A text as it is asked. What is typed begins on a line of its own where the text is long.
    fn said(&self, text: &str) -> String {
        wrapped(text, WIDTH - 2, 2)
    }

    fn help(&self) -> String {
        wrapped(self.question.changes, WIDTH - 2, 1)
    }

    /// A line that always says something; enter takes what was said before.
    pub(super) fn text<F>(&self, before: &str, wrong: F) -> InquireResult<String>
    where
        F: Fn(&str) -> Option<&'static str> + Clone + 'static,
    {
        let check = move |text: &str| -> Result<Validation, CustomUserError> { Ok(verdict(wrong(text.trim()))) };
        let (label, help) = (self.label(), self.help());
        let prompt = Text::new(&label).with_help_message(&help).with_validator(check);
        let prompt = if before.is_empty() {
            prompt
        } else {
            prompt.with_default(before)
        };
        Ok(prompt.prompt()?.trim().to_owned())
    }

    /// A line of words that may stay empty; what was said before stands in it.
    pub(super) fn words<F>(&self, before: &[String], wrong: F) -> InquireResult<Vec<String>>
    where
        F: Fn(&str) -> Option<&'static str> + Clone + 'static,
    {
        let check = move |text: &str| -> Result<Validation, CustomUserError> {
            Ok(verdict(words(text).iter().find_map(|word| wrong(word))))
        };
        let (label, help) = (self.label(), self.help());
        let line = Text::new(&label)
            .with_initial_value(&before.join(", "))
            .with_help_message(&help)
            .with_validator(check)
            .prompt()?;
        Ok(words(&line))
    }

    pub(super) fn confirm(&self, label: &str, before: bool) -> InquireResult<bool> {
        let (label, help) = (self.said(label), self.help());
        Confirm::new(&label)
            .with_default(before)
            .with_help_message(&help)
            .prompt()
    }

    pub(super) fn one<T: Copy + PartialEq>(
        &self,
        all: &[T],
        before: T,
        shown: impl Fn(T) -> &'static str,
    ) -> InquireResult<T> {
        let cursor = all.iter().position(|&value| value == before).unwrap_or(0);
        self.one_of(all.iter().map(|&value| choice(value, shown(value))).collect(), cursor)
    }

    /// One of a few; the cursor stands on the one with this number.
    pub(super) fn one_of<T>(&self, choices: Vec<Choice<T>>, cursor: usize) -> InquireResult<T> {
        let (label, help) = (self.label(), self.help());
        let chosen = Select::new(&label, choices)
            .with_starting_cursor(cursor)
            .with_page_size(PAGE)
            .with_formatter(&|chosen| short(&chosen.value.shown).to_owned())
            .with_help_message(&help)
            .without_filtering()
            .prompt()?;
        Ok(chosen.value)
    }

    pub(super) fn several<T: PartialEq + 'static>(
        &self,
        choices: Vec<Choice<T>>,
        before: &[T],
    ) -> InquireResult<Vec<T>> {
        self.several_with(choices, before, |_| None)
    }

    /// Several of a list; `wrong` says why a choice will not do.
    pub(super) fn several_with<T: PartialEq + 'static>(
        &self,
        choices: Vec<Choice<T>>,
        before: &[T],
        wrong: impl Fn(&[&T]) -> Option<&'static str> + Clone + 'static,
    ) -> InquireResult<Vec<T>> {
        if choices.is_empty() {
            return Ok(Vec::new());
        }
        let chosen: Vec<usize> = (0..choices.len())
            .filter(|&index| choices.get(index).is_some_and(|one| before.contains(&one.value)))
            .collect();
        let check = move |options: &[ListOption<&Choice<T>>]| -> Result<Validation, CustomUserError> {
            let values: Vec<&T> = options.iter().map(|option| &option.value.value).collect();
            Ok(verdict(wrong(&values)))
        };
        let searched = choices.len() > PAGE;
        let keys = if searched {
            "Space chooses, enter keeps it and goes on, letters search."
        } else {
            "Space chooses, enter keeps it and goes on."
        };
        let help = wrapped(&format!("{}\n{keys}", self.question.changes), WIDTH - 2, 1);
        let label = self.label();
        let prompt = MultiSelect::new(&label, choices)
            .with_default(&chosen)
            .with_page_size(PAGE)
            .with_formatter(&|chosen| {
                let names = chosen.iter().filter(|one| !one.value.stays);
                let names: Vec<&str> = names.map(|one| short(&one.value.shown)).collect();
                wrapped(&names.join(", "), WIDTH - 2, 2)
            })
            .with_scorer(&score)
            .with_help_message(&help)
            .with_validator(check);
        let picked = if searched { prompt } else { prompt.without_filtering() }.prompt()?;
        Ok(picked.into_iter().map(|one| one.value).collect())
    }
}

/// Where a choice stands in a search: in its order if it has the letters, and last if it always stays.
fn score<T>(sought: &str, choice: &Choice<T>, _: &str, index: usize) -> Option<i64> {
    let has = choice.shown.to_lowercase().contains(&sought.trim().to_lowercase());
    match (choice.stays, has) {
        (true, _) => Some(i64::MIN),
        (false, true) => i64::try_from(index).ok().map(|index| -index),
        (false, false) => None,
    }
}

fn verdict(wrong: Option<&'static str>) -> Validation {
    match wrong {
        None => Validation::Valid,
        Some(expected) => Validation::Invalid(wrapped(expected, WIDTH - 2, 2).into()),
    }
}

/// What is shown of a choice once it is made: its name, without what explains it.
fn short(shown: &str) -> &str {
    let name = shown.split_once(": ").map_or(shown, |(name, _)| name);
    name.split_once(" (").map_or(name, |(name, _)| name)
}

pub(super) fn needed(text: &str) -> Option<&'static str> {
    text.is_empty().then_some("something has to stand here")
}

pub(super) fn name(text: &str) -> Option<&'static str> {
    (!is_name(text)).then_some("letters, digits and hyphens, such as people-team")
}

pub(super) fn address(text: &str) -> Option<&'static str> {
    (!text.contains('@')).then_some("an address, such as ciso@example.com")
}

pub(super) fn names(text: &str) -> Option<&'static str> {
    words(text).iter().find_map(|word| match word.as_str() {
        "everyone" | "unmapped" => Some("`everyone` and `unmapped` are words of the policy; name your own groups"),
        word => name(word),
    })
}

pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_words_and_keep_their_indentation() {
        assert_eq!(wrapped("one two three", 8, 2), "one two\n  three");
        assert_eq!(wrapped("ask\n  then more", 9, 2), "ask\n  then\n  more");
        assert_eq!(wrapped("unbreakable", 4, 2), "unbreakable");
    }

    #[test]
    fn a_search_without_a_match_leaves_the_way_on() {
        let (openai, other) = (choice(1, "OpenAI API"), last_choice(2, "none of these"));
        assert_eq!(score("", &openai, "", 3), Some(-3));
        assert_eq!(score("openai", &openai, "", 3), Some(-3));
        assert_eq!(score("klinik", &openai, "", 3), None);
        assert_eq!(score("klinik", &other, "", 9), Some(i64::MIN));
    }
}
