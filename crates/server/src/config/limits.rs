//! Bounds: what one client can ask for, and how long anything may take.

use std::time::Duration;

use ordain_core::policy::fields::{Fields, Reader};
use ordain_core::policy::node::Node;

/// Bounds on what one client can ask for (threat I9).
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request body, and of an answer that is not streamed.
    pub body: usize,
    /// Bytes of a body that passes unread, of a request or an answer.
    pub passed_body: u64,
    /// Bytes of all request bodies that are being read or have not been answered yet.
    pub bodies: usize,
    /// Connections that one address may hold; any number without.
    pub per_peer: Option<u32>,
    /// For a whole request body to arrive.
    pub body_time: Duration,
    /// For a connection to an upstream.
    pub connect: Duration,
    /// For the first byte of an answer.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// For a whole answer, streamed or not.
    pub answer: Duration,
    /// For a client to take something of what is sent to it.
    pub write: Duration,
    /// For a record to become durable.
    pub record: Duration,
    /// For running exchanges to end once the gateway is to stop.
    pub drain: Duration,
    /// For a ticket to be approved and used.
    pub ticket: Duration,
    /// Records that may wait.
    pub queue: usize,
    /// Tokens that an answer is taken to have where the request does not bound them.
    pub output_tokens: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 20 * 1024 * 1024,
            passed_body: 512 * 1024 * 1024,
            bodies: 128 * 1024 * 1024,
            per_peer: None,
            body_time: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(300),
            idle: Duration::from_secs(120),
            answer: Duration::from_secs(3600),
            write: Duration::from_secs(30),
            record: Duration::from_secs(2),
            drain: Duration::from_secs(10),
            ticket: Duration::from_secs(24 * 3600),
            queue: 4096,
            output_tokens: 4096,
        }
    }
}

pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Limits> {
    let mut fields = reader.fields(node, "`limits`")?;
    let mut limits = Limits::default();
    let mut number = |fields: &mut Fields<'_>, key: &'static str| {
        fields
            .node(key)
            .and_then(|node| reader.number(node))
            .map(|number| number.value)
    };
    if let Some(bytes) = number(&mut fields, "body_bytes") {
        limits.body = bytes as usize;
    }
    if let Some(bytes) = number(&mut fields, "passed_body_bytes") {
        limits.passed_body = u64::from(bytes);
    }
    if let Some(bytes) = number(&mut fields, "all_bodies_bytes") {
        limits.bodies = bytes as usize;
    }
    if let Some(connections) = number(&mut fields, "connections_per_peer") {
        limits.per_peer = Some(connections.max(1));
    }
    if let Some(records) = number(&mut fields, "queued_records") {
        limits.queue = records.max(1) as usize;
    }
    if let Some(tokens) = number(&mut fields, "output_tokens") {
        limits.output_tokens = u64::from(tokens);
    }
    for (key, slot) in [
        ("body_seconds", &mut limits.body_time),
        ("connect_seconds", &mut limits.connect),
        ("first_byte_seconds", &mut limits.first_byte),
        ("idle_seconds", &mut limits.idle),
        ("answer_seconds", &mut limits.answer),
        ("write_seconds", &mut limits.write),
        ("record_seconds", &mut limits.record),
        ("drain_seconds", &mut limits.drain),
        ("ticket_seconds", &mut limits.ticket),
    ] {
        if let Some(seconds) = number(&mut fields, key) {
            *slot = Duration::from_secs(u64::from(seconds.max(1)));
        }
    }
    fields.finish(reader);
    Some(limits)
}
