//! Which path is which dialect. What is not listed is not inspected, and therefore not served (threat I2).

use hyper::Method;
use ordain_core::wire::Wire;
use ordain_core::wire::anthropic_messages::AnthropicMessages;
use ordain_core::wire::openai_chat::OpenaiChat;

use crate::config::Dialect;

/// An endpoint that a wire can read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoint {
    pub(super) path: &'static str,
    pub(super) dialect: Dialect,
    pub(super) wire: &'static dyn Wire,
}

const ENDPOINTS: [Endpoint; 2] = [
    Endpoint {
        path: "/v1/chat/completions",
        dialect: Dialect::Openai,
        wire: &OpenaiChat,
    },
    Endpoint {
        path: "/v1/messages",
        dialect: Dialect::Anthropic,
        wire: &AnthropicMessages,
    },
];

/// The endpoint of a request; paths are compared as they are, without any normalisation that an upstream might not share.
pub(super) fn find(method: &Method, path: &str) -> Option<Endpoint> {
    ENDPOINTS
        .into_iter()
        .find(|endpoint| *method == Method::POST && endpoint.path == path)
}

/// The dialect whose error shape a client at this path understands.
pub(super) fn speaks(path: &str, anthropic_header: bool) -> &'static dyn Wire {
    if anthropic_header || path.starts_with("/v1/messages") {
        &AnthropicMessages
    } else {
        &OpenaiChat
    }
}
