//! Which path is which dialect. What no wire reads is not inspected, and therefore not served (threat I2).

use hyper::Method;
use ordain_core::wire::{self, Wire};

use crate::config::Dialect;

/// An endpoint that a wire can read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoint {
    pub(super) dialect: Dialect,
    pub(super) wire: &'static dyn Wire,
}

/// The endpoint of a request; paths are compared as they are, without any normalisation that an upstream might not share.
pub(super) fn find(method: &Method, path: &str) -> Option<Endpoint> {
    let wire = wire::all()
        .into_iter()
        .find(|wire| *method == Method::POST && wire.path() == path)?;
    Some(Endpoint {
        dialect: Dialect::parse(wire.family())?,
        wire,
    })
}

/// The dialect whose error shape a client at this path understands: its own, or the first that there is.
pub(super) fn speaks(path: &str, anthropic: bool) -> &'static dyn Wire {
    let family = if anthropic { Dialect::Anthropic } else { Dialect::Openai };
    let wires = wire::all();
    let [first, ..] = wires;
    let own = wires.into_iter().find(|wire| path.starts_with(wire.path()));
    own.or_else(|| wires.into_iter().find(|wire| wire.family() == family.as_str()))
        .unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wire_has_an_upstream_dialect() {
        for wire in wire::all() {
            assert!(find(&Method::POST, wire.path()).is_some(), "{}", wire.id());
        }
        for path in [
            "/v1/chat/completions/",
            "//v1/chat/completions",
            "/v1/embeddings",
            "/V1/messages",
        ] {
            assert!(find(&Method::POST, path).is_none(), "{path}");
        }
    }
}
