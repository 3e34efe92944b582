//! Anthropic's count of tokens: what a request for a message would come to.
//!
//! `POST /v1/messages/count_tokens` takes what [`anthropic_messages`](super::anthropic_messages) takes, and it leaves for the
//! provider all the same. The answer is a number and no conversation, so what is refused is an error. Read
//! [`AnthropicCountTokens`] first.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::anthropic_messages::AnthropicMessages;
use super::json::{self, Limits};
use super::lookup::object;
use super::reading::Marks;
use super::{Malformed, Wire};
use crate::exchange::Half;
use crate::verdict::Source;
use crate::wire::sight::Sights;

/// The count of tokens.
#[derive(Debug, Clone, Copy)]
pub struct AnthropicCountTokens;

impl Wire for AnthropicCountTokens {
    fn id(&self) -> &'static str {
        "anthropic-count-tokens"
    }

    fn sights(&self) -> &'static Sights {
        &SIGHTS
    }

    fn read_request(&self, body: &[u8], named: Option<&str>) -> Result<Half, Malformed> {
        AnthropicMessages.read_request(body, named)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Half, Malformed> {
        let doc = json::parse(body, &Limits::default())?;
        let root = object(&doc)?;
        let mut marks = Marks::new(&doc);
        marks.fix_members(root, &["context_management", "input_tokens"]);
        marks.read(Source::Model)
    }

    fn without_tools(&self, body: &[u8], gone: &BTreeSet<String>) -> Option<Vec<u8>> {
        AnthropicMessages.without_tools(body, gone)
    }
}

/// What it sees, and what it can do there.
const SIGHTS: Sights = Sights {
    prompt: super::anthropic_messages::SIGHTS.prompt,
    answer: &[],
    stream: &[],
    opaque: None,
};
