//! The acting part of Ordain: adapters that own sockets, the recorder that owns the disk.
//!
//! Everything is judged in `ordain-core`; here it is carried out. Read [`gateway`] for the path of a request,
//! [`recorder`] for what must be durable before what, and [`setup`] for what a first run makes.

pub mod break_glass;
pub mod budgets;
pub mod certificates;
pub mod config;
mod current;
pub mod demo;
pub mod directory;
pub mod gateway;
pub mod identity;
pub mod keys;
pub mod login;
pub mod metrics;
pub mod policy_files;
pub mod recorder;
pub mod recovery;
pub mod reload;
pub mod reviews;
pub mod setup;
pub mod store;
pub mod tickets;
pub mod tls;
pub mod traces;
pub mod training;
pub mod version;
