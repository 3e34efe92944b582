//! The acting part of Ordain: adapters that own sockets, the recorder that owns the disk.
//!
//! Everything is judged in `ordain-core`; here it is carried out. Read [`gateway`] for the path of a request,
//! [`recorder`] for what must be durable before what, and [`setup`] for what a first run makes.

pub mod config;
pub mod demo;
pub mod directory;
pub mod gateway;
pub mod keys;
pub mod policy_files;
pub mod recorder;
pub mod setup;
pub mod store;

/// The canonical bytes of a record whose value is made of text and integers.
#[must_use]
pub fn canonical(value: &serde_json::Value) -> Vec<u8> {
    ordain_ledger::canonical(value).unwrap_or_default()
}
