//! Whole exchanges through the inspection: what goes in, what comes out, and what the record would know.

mod facts;
mod repeats;
mod requests;
mod streams;
mod tools;
mod world;
