//! Whole exchanges through the inspection: what goes in, what comes out, and what the record would know.

mod calls;
mod facts;
mod notes;
mod ollama;
mod repeats;
mod requests;
mod steps;
mod streams;
mod tokens;
mod tools;
mod whole_values;
mod withheld;
mod world;
