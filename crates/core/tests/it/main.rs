//! The core held to account from outside: laws, and an independent second opinion on every decision.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test states its assumptions plainly"
)]

mod agreement;
mod cedar;
mod differences;
mod generate;
mod json_suite;
mod laws;
mod naive;
mod passed;
mod replay;
mod sample;
