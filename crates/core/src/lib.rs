//! The thinking part of Ordain: policies, decisions, detection and inspection.
//!
//! Nothing here does IO, asks for the time or is asynchronous: bytes, moments and identities are arguments, answers are
//! values. The map of the project is ARCHITECTURE.md. Read [`decide::decide`] for what it is all about, [`policy`] for where
//! the rules come from and [`inspect`] for how a request meets them.

#![warn(missing_docs, clippy::panic, clippy::indexing_slicing, clippy::expect_used)]

pub mod assurance;
pub mod catalog;
pub mod cedar;
pub mod decide;
pub mod detect;
pub mod diff;
pub mod exchange;
pub mod impact;
pub mod inspect;
pub mod library;
pub mod metric;
pub mod policy;
#[cfg(test)]
mod published;
pub mod record;
pub mod render;
pub mod standards;
pub mod verdict;
pub mod wire;
pub mod witness;
