//! The command line and the repository, from outside.

#![allow(clippy::expect_used, reason = "a test states its assumptions plainly")]

mod checks;
mod commands;
mod diff;
mod examples;
mod faults;
mod guide;
mod impact;
mod init;
mod layers;
mod policy;
mod readme;
mod render;
mod threats;
mod training;
