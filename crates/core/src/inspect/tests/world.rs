//! Policies, bodies and event streams to inspect, and a client that reads what comes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::decide::{Destination, Who};
use crate::detect::scanner::Scanner;
use crate::detect::{Detector, DetectorFailure, EntityId, Horizon, Match, Trouble, Window};
use crate::inspect::{Call, Ending, Inspection, Judged, Request, Rules, Step, StreamInspection};
use crate::policy::{Files, load};
use crate::wire::anthropic_messages::AnthropicMessages;
use crate::wire::framing::Parser;
use crate::wire::gemini::GeminiStream;
use crate::wire::ollama::Ollama;
use crate::wire::openai_chat::OpenaiChat;
use crate::wire::openai_completions::OpenaiCompletions;
use crate::wire::openai_responses::OpenaiResponses;
use crate::wire::sse::{Event, Item};
use crate::wire::{Framing, Wire};

pub(super) const CARD: &str = "4111 1111 1111 1111";
pub(super) const KEY: &str = "sk-proj-Qm3xT9vKc2LpWz8R-bN5y_hG7dSfAe4UoXi1Jk6VtM";
pub(super) const MAIL: &str = "ana@northwind.example";

pub(super) const POLICY: &str = r#"
ordain: 1
organization: Example
version: "1"
timezone: Europe/Berlin
approved: {by: board, on: 2026-11-20, effective: 2026-12-01}
rollout: {default: MODE}
purpose: {statement: Why.}
scope: {statement: Who.}
roles:
  people: {ciso: ciso@example.com, cto: cto@example.com}
  owner: {accountable: ciso, deputy: cto}
applications:
  sanctioned: [{app: openai-api, owner: cto}]
  clauses: [{id: AP-1, statement: Which., enforced_by: applications}]
acceptable_use: {statement: How.}
access:
  grants: [{id: AC-1, groups: [everyone]}]
  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]
data:
  classes: [internal, restricted]
  default: internal
  entities: {payment-card: restricted, secret: restricted, email-address: restricted}
  unavailable: UNAVAILABLE
  uninspectable: block
  matrix:
    internal:   {sanctioned: allow, tolerated: coach, unknown: block, unsanctioned: block}
    restricted: {sanctioned: THEN, tolerated: block, unknown: block, unsanctioned: block}
  answers: {restricted: THEN}
  clauses: [{id: DA-1, statement: What., enforced_by: data.matrix}, {id: DA-2, statement: Back., enforced_by: data.answers}]
shadow_ai: {statement: Found.}
transparency: {statement: Told.}
risk: {statement: Weighed.}
compliance: {statement: Kept.}
monitoring: {statement: Watched.}
education: {statement: Taught.}
consequences: {statement: Fair.}
"#;

/// Rules that treat cards, secrets and addresses as said.
pub(super) fn rules(then: &str, mode: &str, unavailable: &str) -> Arc<Rules> {
    let text = POLICY
        .replace("THEN", then)
        .replace("MODE", mode)
        .replace("UNAVAILABLE", unavailable);
    of_text(&text)
}

/// The rules of a whole document.
pub(super) fn of_text(text: &str) -> Arc<Rules> {
    of_files(&Files::single(text))
}

/// The rules of a policy with its cases.
pub(super) fn of_files(files: &Files) -> Arc<Rules> {
    let loaded = load(
        files,
        &Catalog::built_in(),
        "2026-12-10T12:00:00Z".parse().expect("a moment"),
    );
    let problems: Vec<String> = loaded.problems.iter().map(|problem| files.render(problem)).collect();
    Arc::new(Rules::new(
        loaded.policy.unwrap_or_else(|| panic!("{}", problems.join("\n"))),
    ))
}

pub(super) fn masking() -> Arc<Rules> {
    rules("redact", "enforce", "block")
}

pub(super) fn blocking() -> Arc<Rules> {
    rules("block", "enforce", "block")
}

/// The same rules with other detectors.
pub(super) fn detecting(rules: &Rules, detectors: Vec<Arc<dyn Detector>>) -> Arc<Rules> {
    Arc::new(Rules::with(Arc::clone(&rules.policy), Scanner::of(detectors)))
}

/// Panics whenever it is asked.
#[derive(Debug)]
pub(super) struct Panics;

impl Detector for Panics {
    fn id(&self) -> &str {
        "panics"
    }

    fn version(&self) -> u32 {
        1
    }

    fn entities(&self) -> Vec<EntityId> {
        Vec::new()
    }

    fn horizon(&self) -> Horizon {
        Horizon::Bounded(8)
    }

    fn detect(&self, _: Window<'_>, _: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        panic!("on purpose")
    }
}

/// Says that it could not look, and how it came not to.
#[derive(Debug)]
pub(super) struct Troubled(pub(super) Trouble);

impl Detector for Troubled {
    fn id(&self) -> &str {
        "troubled"
    }

    fn version(&self) -> u32 {
        1
    }

    fn entities(&self) -> Vec<EntityId> {
        Vec::new()
    }

    fn horizon(&self) -> Horizon {
        Horizon::Bounded(8)
    }

    fn detect(&self, _: Window<'_>, _: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        Err(DetectorFailure {
            detector: self.id().to_owned(),
            trouble: self.0,
            reason: "on purpose".to_owned(),
        })
    }
}

/// What failed on a half, and how.
pub(super) fn failed(judged: &Judged) -> Vec<(&str, Trouble)> {
    judged.failed.iter().map(|one| (one.id.as_str(), one.trouble)).collect()
}

/// Says that it needs no more than eight bytes, and never makes up its mind before the end.
#[derive(Debug)]
pub(super) struct Hesitates;

impl Detector for Hesitates {
    fn id(&self) -> &str {
        "hesitates"
    }

    fn version(&self) -> u32 {
        1
    }

    fn entities(&self) -> Vec<EntityId> {
        Vec::new()
    }

    fn horizon(&self) -> Horizon {
        Horizon::Bounded(8)
    }

    fn detect(&self, window: Window<'_>, _: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        Ok(if window.complete {
            window.text.len()
        } else {
            window.from
        })
    }
}

pub(super) fn call(_: &str) -> Call {
    Call {
        now: "2026-12-10T12:00:00Z".parse().expect("a moment"),
        who: Arc::new(Who {
            principal: "ana".to_owned(),
            groups: vec!["staff".to_owned()],
            ..Who::default()
        }),
        to: Arc::new(Destination {
            app: "openai-api".to_owned(),
            ..Destination::default()
        }),
        use_: None,
        record: "0190-rec".to_owned(),
    }
}

pub(super) fn request(rules: &Arc<Rules>, wire: &'static dyn Wire, body: &str) -> Request {
    named_request(rules, wire, body, None)
}

/// The same where the path names a model.
pub(super) fn named_request(rules: &Arc<Rules>, wire: &'static dyn Wire, body: &str, model: Option<&str>) -> Request {
    Inspection::request(rules, wire, body.as_bytes(), model, call).expect("a good body")
}

/// The inspection after a harmless request.
pub(super) fn admitted(rules: &Arc<Rules>, dialect: Dialect) -> Inspection {
    let body = r#"{"model":"m","stream":true,"max_tokens":9,"messages":[],"contents":[]}"#;
    named_request(rules, dialect.wire(), body, dialect.named()).inspection
}

/// A dialect with what tests need to speak it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    OpenAi,
    Completions,
    Anthropic,
    Gemini,
    Ollama,
    Responses,
}

pub(super) const DIALECTS: [Dialect; 6] = [
    Dialect::OpenAi,
    Dialect::Completions,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Ollama,
    Dialect::Responses,
];

/// Those in which a model can call tools.
pub(super) const WITH_TOOLS: [Dialect; 5] = [
    Dialect::OpenAi,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Ollama,
    Dialect::Responses,
];

impl Dialect {
    pub(super) fn wire(self) -> &'static dyn Wire {
        match self {
            Self::OpenAi => &OpenaiChat,
            Self::Completions => &OpenaiCompletions,
            Self::Anthropic => &AnthropicMessages,
            Self::Gemini => &GeminiStream,
            Self::Ollama => &Ollama::Chat,
            Self::Responses => &OpenaiResponses,
        }
    }

    /// The model in the path, where there is one.
    pub(super) fn named(self) -> Option<&'static str> {
        (self == Self::Gemini).then_some("m")
    }

    /// Whether its streams end with a word that nothing follows.
    pub(super) fn has_last_word(self) -> bool {
        self != Self::Gemini
    }

    /// What comes before the first piece of text.
    pub(super) fn start(self) -> String {
        match self {
            Self::OpenAi => chunk(0, &json!({"role": "assistant", "content": ""}), None),
            Self::Completions => completed(0, "", None),
            Self::Anthropic => {
                named(
                    &json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
                    "model": "m", "content": [], "stop_reason": null, "usage": {"input_tokens": 1, "output_tokens": 1}}}),
                ) + &named(
                    &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                )
            }
            Self::Gemini => candidate(0, &json!([{"text": ""}]), None),
            Self::Ollama => line(&json!({"role": "assistant", "content": ""})),
            Self::Responses => {
                let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []});
                named(&json!({"type": "response.created", "response": response(&json!([]))}))
                    + &named(&json!({"type": "response.output_item.added", "output_index": 0, "item": item}))
                    + &named(
                        &json!({"type": "response.content_part.added", "item_id": "msg_1", "output_index": 0, "content_index": 0, "part": output_text("")}),
                    )
            }
        }
    }

    pub(super) fn piece(self, text: &str) -> String {
        match self {
            Self::OpenAi => chunk(0, &json!({"content": text}), None),
            Self::Completions => completed(0, text, None),
            Self::Anthropic => named(
                &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
            ),
            Self::Gemini => candidate(0, &json!([{"text": text}]), None),
            Self::Ollama => line(&json!({"role": "assistant", "content": text})),
            Self::Responses => named(
                &json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": text}),
            ),
        }
    }

    /// What comes after the last piece of text; in dialects that say it again, `text` is what was said.
    pub(super) fn end(self, text: &str) -> String {
        match self {
            Self::OpenAi => chunk(0, &json!({}), Some("stop")) + "data: [DONE]\n\n",
            Self::Completions => completed(0, "", Some("stop")) + "data: [DONE]\n\n",
            Self::Anthropic => {
                named(&json!({"type": "content_block_stop", "index": 0}))
                    + &named(
                        &json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 9}}),
                    )
                    + &named(&json!({"type": "message_stop"}))
            }
            Self::Gemini => {
                candidate(0, &json!([]), Some("STOP")) + "data: {\"usageMetadata\":{\"totalTokenCount\":9}}\n\n"
            }
            // The time that it took would pass for a card number.
            Self::Ollama => {
                let data = json!({"model": "m", "created_at": "2026-12-10T12:00:00.123456789Z", "done": true,
                    "message": {"role": "assistant", "content": ""}, "done_reason": "stop",
                    "total_duration": 4_111_111_111_111_111_u64, "eval_count": 9});
                format!("{data}\n")
            }
            Self::Responses => {
                let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [output_text(text)]});
                named(
                    &json!({"type": "response.output_text.done", "item_id": "msg_1", "output_index": 0, "content_index": 0, "text": text}),
                ) + &named(
                    &json!({"type": "response.content_part.done", "item_id": "msg_1", "output_index": 0, "content_index": 0, "part": output_text(text)}),
                ) + &named(&json!({"type": "response.output_item.done", "output_index": 0, "item": item}))
                    + &named(&json!({"type": "response.completed", "response": response(&json!([item]))}))
            }
        }
    }

    /// A whole stream that says these pieces.
    pub(super) fn stream(self, pieces: &[&str]) -> String {
        let text = pieces.concat();
        let pieces: String = pieces.iter().map(|piece| self.piece(piece)).collect();
        self.start() + &pieces + &self.end(&text)
    }
}

/// A response of OpenAI's with these items.
pub(super) fn response(output: &Value) -> Value {
    json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "in_progress", "output": output})
}

/// A part of a message in one.
pub(super) fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": []})
}

/// A chunk of OpenAI's.
pub(super) fn chunk(index: u64, delta: &Value, finish: Option<&str>) -> String {
    let data = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}]});
    format!("data: {data}\n\n")
}

/// An event of Gemini's.
pub(super) fn candidate(index: u64, parts: &Value, finish: Option<&str>) -> String {
    let data = json!({"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": index}],
        "usageMetadata": {"totalTokenCount": 3}, "modelVersion": "m", "responseId": "r"});
    format!("data: {data}\n\n")
}

/// A chunk of a completion.
pub(super) fn completed(index: u64, text: &str, finish: Option<&str>) -> String {
    let choice = json!({"text": text, "index": index, "logprobs": null, "finish_reason": finish});
    let data = json!({"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]});
    format!("data: {data}\n\n")
}

/// An event that is named for its type.
pub(super) fn named(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().expect("a type"))
}

/// A line of Ollama's.
pub(super) fn line(message: &Value) -> String {
    let data = json!({"model": "m", "created_at": "2026-12-10T12:00:00.123456789Z", "message": message, "done": false});
    format!("{data}\n")
}

/// What came out of a stream.
#[derive(Debug)]
pub(super) struct Outcome {
    framing: Framing,
    pub(super) bytes: Vec<u8>,
    pub(super) ending: Ending,
    pub(super) judged: Judged,
}

impl Outcome {
    pub(super) fn text(&self) -> &str {
        str::from_utf8(&self.bytes).expect("UTF-8")
    }

    pub(super) fn events(&self) -> Vec<Value> {
        events(self.framing, &self.bytes)
    }

    pub(super) fn channels(&self) -> BTreeMap<String, String> {
        channels(&self.events())
    }

    /// The text of the first choice or block.
    pub(super) fn said(&self) -> String {
        self.channels().remove("0").unwrap_or_default()
    }
}

/// Names of the tools called.
pub(super) fn tools(judged: &Judged) -> Vec<&str> {
    judged
        .facts
        .content
        .tools
        .iter()
        .map(|call| call.name.as_str())
        .collect()
}

/// Runs a stream cut into these pieces of bytes, and closes it.
pub(super) fn run<'b>(inspection: Inspection, pieces: impl IntoIterator<Item = &'b [u8]>) -> Outcome {
    let framing = inspection.wire.talk().expect("a wire that talks").framing();
    let mut stream = inspection.stream().expect("a wire that streams");
    let mut bytes = Vec::new();
    let mut ending = None;
    let mut take = |steps: Vec<Step>| {
        for step in steps {
            assert!(ending.is_none(), "nothing follows the end");
            match step {
                Step::Forward(more) => bytes.extend(more),
                Step::End(how, more) => {
                    bytes.extend(more);
                    ending = Some(how);
                }
            }
        }
    };
    for piece in pieces {
        take(stream.push(piece));
    }
    take(stream.finish());
    Outcome {
        framing,
        bytes,
        ending: ending.expect("a stream ends"),
        judged: StreamInspection::judged(&stream).clone(),
    }
}

/// The same in one piece.
pub(super) fn run_whole(rules: &Arc<Rules>, dialect: Dialect, stream: &str) -> Outcome {
    run(admitted(rules, dialect), [stream.as_bytes()])
}

/// The JSON data of an event stream; what is no JSON as a string.
pub(super) fn events(framing: Framing, bytes: &[u8]) -> Vec<Value> {
    let mut parser = Parser::new(framing);
    let items = parser.push(bytes).expect("an event stream");
    assert_eq!(parser.finish(), Ok(None), "whole events");
    let value = |event: Event| serde_json::from_str(&event.data).unwrap_or(Value::String(event.data));
    let event = |item| match item {
        Item::Event(event) => Some(value(event)),
        Item::Comment => None,
    };
    items.into_iter().filter_map(event).collect()
}

/// The texts that a client puts together, by choice, candidate, block or item; tool calls by `choice/call`.
pub(super) fn channels(events: &[Value]) -> BTreeMap<String, String> {
    let mut channels: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |name: String, text: &Value| {
        if let Some(text) = text.as_str() {
            channels.entry(name).or_default().push_str(text);
        }
    };
    for event in events {
        for choice in event["choices"].as_array().into_iter().flatten() {
            let index = choice["index"].to_string();
            add(index.clone(), &choice["text"]);
            add(index.clone(), &choice["delta"]["content"]);
            for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
                add(format!("{index}/{}", call["index"]), &call["function"]["arguments"]);
            }
        }
        for candidate in event["candidates"].as_array().into_iter().flatten() {
            for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
                add(candidate["index"].to_string(), &part["text"]);
            }
        }
        if event["type"] == "content_block_delta" {
            for member in ["text", "thinking", "partial_json"] {
                add(event["index"].to_string(), &event["delta"][member]);
            }
        }
        for text in [&event["message"]["content"], &event["response"]] {
            add("0".to_owned(), text);
        }
        if event["type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("response.") && kind.ends_with(".delta"))
        {
            add(event["output_index"].to_string(), &event["delta"]);
        }
    }
    channels
}

/// A splitmix64 generator, for cuts.
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n.max(1) as u64).unwrap_or_default()
    }

    /// `text` in pieces of one to `most` characters.
    pub(super) fn cut<'t>(&mut self, text: &'t str, most: usize) -> Vec<&'t str> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let count = 1 + self.below(most);
            let at = rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at);
            let (piece, after) = rest.split_at(at);
            pieces.push(piece);
            rest = after;
        }
        pieces
    }

    /// Bytes in pieces of one to `most`.
    pub(super) fn cut_bytes<'b>(&mut self, bytes: &'b [u8], most: usize) -> Vec<&'b [u8]> {
        let mut pieces = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((1 + self.below(most)).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}
