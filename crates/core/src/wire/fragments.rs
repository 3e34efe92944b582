//! From an event's document to fragments: what streamed dialects have in common.
//!
//! A dialect names the channels that it knows; every other string, member name and long number of the event stands for
//! itself and is handed over as [`Flow::Still`]. Read [`Channels`] first.

use std::collections::BTreeMap;

use super::json::{Document, Kind, Node};
use super::reading::{Context, Marks, POINTER_BYTES, What, is_fixed_name, spend};
use super::sse::Event;
use super::{EventReading, Flow, Fragment, Malformed, usage};
use crate::exchange::Uninspectable;
use crate::verdict::Source;

/// The channels of an event's strings.
#[derive(Debug, Default)]
pub(super) struct Channels {
    named: BTreeMap<Node, (String, Flow)>,
    groups: BTreeMap<Node, Group>,
    /// How strings without a channel of their own come, unless others refer to them.
    others: Option<Flow>,
}

/// What channels of unnamed strings are called.
#[derive(Debug)]
struct Group {
    name: String,
    /// Where the pointer begins that follows the name.
    from: usize,
}

impl Channels {
    /// For a dialect whose events carry whole values: those that nothing refers to come in this flow, and can be edited where
    /// they stand.
    pub(super) fn of_whole_values(flow: Flow) -> Self {
        Self {
            others: Some(flow),
            ..Self::default()
        }
    }

    /// The string at `node` belongs to `channel`.
    pub(super) fn name(&mut self, node: impl Into<Option<Node>>, channel: String, flow: Flow) {
        if let Some(node) = node.into() {
            self.named.insert(node, (channel, flow));
        }
    }

    /// Every string that a member of a growing object is or holds grows on its own, known or not, but for what others refer
    /// to. `pointers` is what the names may still take up.
    pub(super) fn name_all(
        &mut self,
        doc: &Document<'_>,
        member: Node,
        group: &str,
        pointers: &mut usize,
    ) -> Result<(), Malformed> {
        let depth = doc.parent(member).map_or(0, |holder| doc.pointer(holder).len() + 1);
        for node in doc.within(member) {
            let named = doc.key(node).is_some_and(|key| is_fixed_name(&key) || key == "format");
            if doc.kind(node) == Kind::String && (node == member || !named) {
                let pointer = doc.pointer(node);
                spend(pointers, &pointer, doc, node)?;
                // Points rather than slashes: no invented name can look like another channel.
                let way = pointer.get(depth..).unwrap_or_default().replace('/', ".");
                self.name(node, format!("{group}{way}"), Flow::Text);
            }
        }
        Ok(())
    }

    /// Still strings within `node` have channels that begin with `group`, so that they count as part of it.
    pub(super) fn group(&mut self, node: Node, group: String) {
        self.groups.insert(node, Group { name: group, from: 0 });
    }

    /// Strings within `node` have channels of the same name wherever it stands: `prefix`, and the way from it to them.
    /// Groups do not nest.
    pub(super) fn place(&mut self, doc: &Document<'_>, node: Node, prefix: String) {
        let from = doc.pointer(node).len() + 1;
        self.groups.insert(node, Group { name: prefix, from });
    }

    /// Hands over every fragment and everything uninspectable of an event.
    pub(super) fn read(&self, marks: &Marks<'_, '_>, reading: &mut EventReading) -> Result<(), Malformed> {
        let doc = marks.doc;
        reading.usage = usage::stated(doc);
        let context = Context::of(Source::Model);
        let mut pointers = POINTER_BYTES;
        marks.walk(context, "", |found| {
            let source = found.context.source;
            let (text, token, flow) = match found.what {
                What::Opaque(what) => {
                    reading.uninspectable.push(Uninspectable {
                        pointer: found.pointer.to_owned(),
                        what,
                    });
                    return Ok(());
                }
                What::Key(name) if WELL_KNOWN.binary_search(&name.as_ref()).is_ok() => return Ok(()),
                What::Key(name) => (name, doc.key_span(found.node).unwrap_or_default(), Flow::Still),
                What::Text(text) => {
                    let token = doc.span(found.node);
                    if let Some((channel, flow)) = self.named.get(&found.node) {
                        let (channel, flow, text) = (channel.clone(), *flow, text.into_owned());
                        reading.fragments.push(Fragment {
                            channel,
                            flow,
                            text,
                            source,
                            token,
                        });
                        return Ok(());
                    }
                    let flow = self.others.filter(|_| !found.context.fixed);
                    (text, token, flow.unwrap_or(Flow::Still))
                }
            };
            let group = self.groups.range(..=found.node).next_back();
            let group = group
                .filter(|&(&start, _)| found.node < doc.after(start))
                .map_or(("still", 0), |(_, group)| (group.name.as_str(), group.from));
            spend(&mut pointers, found.pointer, doc, found.node)?;
            let (name, from) = group;
            let channel = format!("{name}{}", found.pointer.get(from..).unwrap_or_default());
            reading.fragments.push(Fragment {
                channel,
                flow,
                text: text.into_owned(),
                source,
                token,
            });
            Ok(())
        })
    }
}

/// Hands over an event's name, which reaches the client too, unless it is one of the dialect's.
pub(super) fn read_name(event: &Event, known: &[&str], reading: &mut EventReading) {
    if let Some(name) = event.event.as_ref().filter(|name| !known.contains(&name.as_str())) {
        reading.fragments.push(Fragment {
            channel: "still".to_owned(),
            flow: Flow::Still,
            text: name.clone(),
            source: Source::Model,
            token: 0..0,
        });
    }
}

/// Member names of the dialects' events. They say nothing, and every event has a dozen. Sorted.
const WELL_KNOWN: &[&str] = &[
    "accepted_prediction_tokens",
    "action",
    "annotation",
    "annotation_index",
    "annotations",
    "args",
    "arguments",
    "audio_tokens",
    "avgLogprobs",
    "background",
    "blockReason",
    "bytes",
    "cache_creation",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cachedContentTokenCount",
    "cached_tokens",
    "call_id",
    "caller",
    "candidates",
    "candidatesTokenCount",
    "candidatesTokensDetails",
    "category",
    "choices",
    "chosenCandidates",
    "citation",
    "citationMetadata",
    "citations",
    "code",
    "codeExecutionResult",
    "completed_at",
    "completion_tokens",
    "completion_tokens_details",
    "container",
    "content",
    "content_block",
    "content_filter_results",
    "content_index",
    "context_management",
    "conversation",
    "created",
    "created_at",
    "custom",
    "data",
    "delta",
    "done",
    "done_reason",
    "effort",
    "encrypted_content",
    "endIndex",
    "ephemeral_1h_input_tokens",
    "ephemeral_5m_input_tokens",
    "error",
    "eval_count",
    "eval_duration",
    "executableCode",
    "finishMessage",
    "finishReason",
    "finish_reason",
    "format",
    "function",
    "functionCall",
    "function_call",
    "groundingChunks",
    "groundingMetadata",
    "groundingSupports",
    "id",
    "incomplete_details",
    "index",
    "inference_geo",
    "inlineData",
    "input",
    "input_tokens",
    "input_tokens_details",
    "instructions",
    "item",
    "item_id",
    "language",
    "load_duration",
    "logProbability",
    "logprob",
    "logprobs",
    "logprobsResult",
    "max_output_tokens",
    "max_tool_calls",
    "message",
    "metadata",
    "mimeType",
    "modality",
    "model",
    "modelVersion",
    "name",
    "native_finish_reason",
    "obfuscation",
    "object",
    "outcome",
    "output",
    "output_index",
    "output_tokens",
    "output_tokens_details",
    "parallel_tool_calls",
    "part",
    "partial_json",
    "parts",
    "phase",
    "previous_response_id",
    "probability",
    "promptFeedback",
    "promptTokenCount",
    "promptTokensDetails",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_eval_count",
    "prompt_eval_duration",
    "prompt_tokens",
    "prompt_tokens_details",
    "provider",
    "queries",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "reasoning_tokens",
    "refusal",
    "rejected_prediction_tokens",
    "response",
    "responseId",
    "results",
    "role",
    "safetyRatings",
    "safety_identifier",
    "sequence_number",
    "server_tool_use",
    "service_tier",
    "signature",
    "startIndex",
    "status",
    "stop_details",
    "stop_reason",
    "stop_sequence",
    "store",
    "summary",
    "summary_index",
    "system_fingerprint",
    "temperature",
    "text",
    "text_offset",
    "thinking",
    "thought",
    "thoughtSignature",
    "thoughtsTokenCount",
    "token",
    "tokenCount",
    "tokenId",
    "token_logprobs",
    "tokens",
    "tool_calls",
    "tool_choice",
    "tools",
    "topCandidates",
    "top_logprobs",
    "top_p",
    "totalTokenCount",
    "total_duration",
    "total_tokens",
    "truncation",
    "type",
    "uri",
    "usage",
    "usageMetadata",
    "user",
    "verbosity",
    "web",
];

#[cfg(test)]
mod tests {
    use super::WELL_KNOWN;

    #[test]
    fn well_known_names_are_sorted() {
        assert!(WELL_KNOWN.is_sorted());
    }
}
