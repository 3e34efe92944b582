//! How one thing is asked for: a line, one of a few, several of many.
//!
//! Each prompt shows what its answer changes. Read [`Asked`] first.

use std::fmt;

use inquire::error::{CustomUserError, InquireResult};
use inquire::validator::Validation;
use inquire::{Confirm, MultiSelect, Select, Text};
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
}

impl<T> fmt::Display for Choice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

pub(super) fn choice<T>(value: T, shown: impl Into<String>) -> Choice<T> {
    Choice {
        value,
        shown: shown.into(),
    }
}

/// How many lines of a list are shown at once.
const PAGE: usize = 10;

impl Asked<'_> {
    /// A line that always says something; enter takes what was said before.
    pub(super) fn text<F>(&self, before: &str, wrong: F) -> InquireResult<String>
    where
        F: Fn(&str) -> Option<&'static str> + Clone + 'static,
    {
        let check = move |text: &str| -> Result<Validation, CustomUserError> {
            Ok(match wrong(text.trim()) {
                None => Validation::Valid,
                Some(expected) => Validation::Invalid(expected.into()),
            })
        };
        let prompt = Text::new(self.label)
            .with_help_message(self.question.changes)
            .with_validator(check);
        let prompt = if before.is_empty() {
            prompt
        } else {
            prompt.with_default(before)
        };
        Ok(prompt.prompt()?.trim().to_owned())
    }

    /// A line that may stay empty; what was said before stands in it.
    pub(super) fn words(&self, before: &[String]) -> InquireResult<Vec<String>> {
        let line = Text::new(self.label)
            .with_initial_value(&before.join(", "))
            .with_help_message(self.question.changes)
            .prompt()?;
        Ok(words(&line))
    }

    pub(super) fn confirm(&self, label: &str, before: bool) -> InquireResult<bool> {
        Confirm::new(label)
            .with_default(before)
            .with_help_message(self.question.changes)
            .prompt()
    }

    pub(super) fn one<T: Copy + PartialEq>(
        &self,
        all: &[T],
        before: T,
        shown: impl Fn(T) -> &'static str,
    ) -> InquireResult<T> {
        let cursor = all.iter().position(|&value| value == before).unwrap_or(0);
        let choices: Vec<Choice<T>> = all.iter().map(|&value| choice(value, shown(value))).collect();
        let chosen = Select::new(self.label, choices)
            .with_starting_cursor(cursor)
            .with_formatter(&|chosen| short(&chosen.value.shown).to_owned())
            .with_help_message(self.question.changes)
            .prompt()?;
        Ok(chosen.value)
    }

    pub(super) fn several<T: PartialEq + 'static>(
        &self,
        choices: Vec<Choice<T>>,
        before: &[T],
    ) -> InquireResult<Vec<T>> {
        self.several_with(choices, before, |_| true)
    }

    pub(super) fn several_with<T: PartialEq + 'static>(
        &self,
        choices: Vec<Choice<T>>,
        before: &[T],
        enough: impl Fn(&[&T]) -> bool + Clone + 'static,
    ) -> InquireResult<Vec<T>> {
        if choices.is_empty() {
            return Ok(Vec::new());
        }
        let chosen: Vec<usize> = (0..choices.len())
            .filter(|&index| choices.get(index).is_some_and(|one| before.contains(&one.value)))
            .collect();
        let check =
            move |options: &[inquire::list_option::ListOption<&Choice<T>>]| -> Result<Validation, CustomUserError> {
                let values: Vec<&T> = options.iter().map(|option| &option.value.value).collect();
                Ok(if enough(&values) {
                    Validation::Valid
                } else {
                    Validation::Invalid("choose more with the space bar".into())
                })
            };
        let help = format!(
            "{} (space chooses, enter goes on, letters search)",
            self.question.changes
        );
        let picked = MultiSelect::new(self.label, choices)
            .with_default(&chosen)
            .with_page_size(PAGE)
            .with_formatter(&|chosen| {
                let names: Vec<&str> = chosen.iter().map(|one| short(&one.value.shown)).collect();
                names.join(", ")
            })
            .with_help_message(&help)
            .with_validator(check)
            .prompt()?;
        Ok(picked.into_iter().map(|one| one.value).collect())
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
    let good = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    (!good).then_some("letters, digits and hyphens, such as people-team")
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
