//! Whole exchanges through the inspection: what goes in, what comes out, and what the record would know.

mod calls;
mod facts;
mod ollama;
mod repeats;
mod requests;
mod steps;
mod streams;
mod tools;
mod whole_values;
mod world;
