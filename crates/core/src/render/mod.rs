//! The policy as a document that people read: from the author's words and the compiled policy to a tree of blocks.
//!
//! ```text
//! page(&given)         -> Page   the whole policy
//! part(&given, group)  -> Page   "my part": what it asks of one group, on one screen
//! html::write(&page), markdown::write(&page) -> String
//! ```
//!
//! A [`Page`] knows no file format; writers know no policy. Deliberately absent: the clock (the day is an argument) and
//! states that somebody typed; each is computed from the rollout, from evidence and from what the gateway can do. Read
//! [`Given`], then [`block::Page`].

pub mod block;
mod clauses;
mod closing;
mod front;
pub mod html;
pub mod markdown;
mod part;
mod prose;
mod sections;
mod sentence;
pub mod state;
mod words;

use jiff::civil::Date;

use crate::catalog::Catalog;
use crate::policy::compile::Policy;
use crate::policy::document::{Document, Section};
use crate::policy::problem::Problem;
use block::{Block, Page};

/// What a page is made from.
#[derive(Debug, Clone, Copy)]
pub struct Given<'g> {
    /// The document, as its author wrote it.
    pub document: &'g Document,
    /// The policy that was compiled from it.
    pub policy: &'g Policy,
    /// The names of apps.
    pub catalog: &'g Catalog,
    /// What `check` said; those with the code `awaits` tell what the gateway cannot act on yet.
    pub problems: &'g [Problem],
    /// The day for which states and dates are told.
    pub today: Date,
}

/// The whole policy.
#[must_use]
pub fn page(given: &Given<'_>) -> Page {
    let states = state::all(given);
    let mut body = Vec::new();
    for (number, section) in (1u32..).zip(Section::ALL) {
        sections::section(given, number, section, &states, &mut body);
    }
    closing::exceptions(given, &mut body);
    closing::index(given, &states, &mut body);
    closing::modes(given, &mut body);
    let mut blocks = vec![Block::Contents(front::contents(&body))];
    blocks.extend(front::reading(given, &states));
    blocks.append(&mut body);
    let mut page = front::page(given, blocks);
    page.settle_links();
    page
}

/// What the policy asks of one group, on one screen; `None` when the policy knows no such group.
#[must_use]
pub fn part(given: &Given<'_>, group: &str) -> Option<Page> {
    part::page(given, group)
}

/// The groups that [`part`] knows.
pub fn groups(document: &Document) -> impl Iterator<Item = &str> {
    let named = document.scope.groups.iter().map(|group| group.name.as_str());
    std::iter::once(words::EVERYONE).chain(named)
}

#[cfg(test)]
mod tests;
