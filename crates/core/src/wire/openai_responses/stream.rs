//! Events of a streamed answer: items are added, grow and are done, and the response is told whole at the end.
//!
//! Every text comes several times: piece by piece, in an event that says it is done, with its part, with its item and with
//! the response. A channel has the same name in all of them: the item's index and the way to the text in the item. What
//! grows is held as usual; what is told whole is judged and edited where it stands. Texts that an item is added with are
//! pieces too, since a client puts the others behind them; what is held of them goes out in an event of its own, because an
//! item must not be added twice. Read [`read_event`] first.

use std::borrow::Cow;

use serde_json::json;

use crate::exchange::Opaque;
use crate::verdict::Source;
use crate::wire::fragments::{Channels, read_name};
use crate::wire::json::{self, Document, Kind, Limits, Node};
use crate::wire::lookup::{index_called, items, says_only};
use crate::wire::reading::{Marks, POINTER_BYTES, spend};
use crate::wire::sse::Event;
use crate::wire::{CallBegun, Carrier, EventReading, Falsified, Flow, Malformed};

use super::items::{mark_content_part, mark_item};
use super::{VOUCHING, mark_response, tools};

/// A text that grows in an item.
#[derive(Debug)]
struct Growth {
    /// What its events are called, before `.delta` and `.done`.
    stem: &'static str,
    /// The way to it in the item, with `#` for the index that the event names.
    way: &'static str,
    /// The member of an event that holds that index.
    index: &'static str,
    /// The member of an event that holds the whole text.
    told: &'static str,
    flow: Flow,
}

const fn growth(stem: &'static str, way: &'static str, index: &'static str, told: &'static str, flow: Flow) -> Growth {
    Growth {
        stem,
        way,
        index,
        told,
        flow,
    }
}

const OUTPUT_TEXT: Growth = growth(
    "response.output_text",
    "content/#/text",
    "content_index",
    "text",
    Flow::Text,
);
const REFUSAL: Growth = growth(
    "response.refusal",
    "content/#/refusal",
    "content_index",
    "refusal",
    Flow::Text,
);
const REASONING_TEXT: Growth = growth(
    "response.reasoning_text",
    "content/#/text",
    "content_index",
    "text",
    Flow::Text,
);
const SUMMARY_TEXT: Growth = growth(
    "response.reasoning_summary_text",
    "summary/#/text",
    "summary_index",
    "text",
    Flow::Text,
);
const ARGUMENTS: Growth = growth(
    "response.function_call_arguments",
    "arguments",
    "",
    "arguments",
    Flow::Arguments,
);
const MCP_ARGUMENTS: Growth = growth(
    "response.mcp_call_arguments",
    "arguments",
    "",
    "arguments",
    Flow::Arguments,
);
const INPUT: Growth = growth("response.custom_tool_call_input", "input", "", "input", Flow::Arguments);
const CODE: Growth = growth("response.code_interpreter_call_code", "code", "", "code", Flow::Text);
const COMMAND: Growth = growth(
    "response.shell_call_command",
    "action/commands/#",
    "command_index",
    "command",
    Flow::Text,
);

const GROWTHS: [&Growth; 9] = [
    &OUTPUT_TEXT,
    &REFUSAL,
    &REASONING_TEXT,
    &SUMMARY_TEXT,
    &ARGUMENTS,
    &MCP_ARGUMENTS,
    &INPUT,
    &CODE,
    &COMMAND,
];

/// What an event with a piece of arguments says beside it.
const PIECE: &[&str] = &[
    "type",
    "sequence_number",
    "item_id",
    "output_index",
    "delta",
    "obfuscation",
];

impl Growth {
    fn channel(&self, group: &str, index: u64) -> String {
        format!("{group}{}", self.way.replace('#', &index.to_string()))
    }

    /// How it is told in one piece.
    const fn whole(&self) -> Flow {
        match self.flow {
            Flow::Arguments => Flow::ToldArguments,
            _ => Flow::Told,
        }
    }
}

/// Whether an event begins something or tells it whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    Begins,
    Whole,
}

pub(super) fn read_event(event: &Event) -> Result<EventReading, Malformed> {
    let mut reading = EventReading::default();
    // Some servers end as Chat Completions does.
    if event.data == "[DONE]" {
        read_name(event, &["message"], &mut reading);
        reading.terminal = true;
        return Ok(reading);
    }
    if event.data.trim().is_empty() {
        read_name(event, &[], &mut reading);
        return Ok(reading);
    }
    let doc = json::parse(event.data.as_bytes(), &Limits::default())?;
    let root = doc.root();
    let told = doc.member_text(root, "type");
    if told.is_none() {
        read_name(event, &[], &mut reading);
    }
    let name = event.event.as_deref();
    let kind = told.or(name.map(Cow::Borrowed)).unwrap_or_default();
    // Some SDKs go by one, some by the other.
    if name.is_some_and(|name| name != kind) {
        return Err(Malformed {
            offset: 0,
            reason: "the event's name and its type differ",
        });
    }
    let number = doc.get(root, "sequence_number");
    reading.number = number
        .filter(|&number| doc.kind(number) == Kind::Number)
        .map(|number| doc.span(number));
    let mut marks = Marks::new(&doc);
    let mut channels = Channels::of_whole_values(Flow::Told);
    let mut streamed = Streamed {
        doc: &doc,
        marks: &mut marks,
        channels: &mut channels,
        reading: &mut reading,
        group: String::new(),
    };
    if doc.get(root, "output_index").is_some() {
        streamed.group = group(index_called(&doc, root, "output_index", 0)?);
    }
    streamed.read(&kind)?;
    channels.read(&marks, &mut reading)?;
    Ok(reading)
}

/// What the channels of an item begin with.
fn group(index: u64) -> String {
    format!("output/{index}/")
}

/// An event as it is read.
struct Streamed<'s, 'a, 'b> {
    doc: &'a Document<'b>,
    marks: &'s mut Marks<'a, 'b>,
    channels: &'s mut Channels,
    reading: &'s mut EventReading,
    /// That of the item which the event is about; empty if it is about none.
    group: String,
}

impl Streamed<'_, '_, '_> {
    fn read(&mut self, kind: &str) -> Result<(), Malformed> {
        let doc = self.doc;
        let root = doc.root();
        match kind {
            "response.created" | "response.queued" | "response.in_progress" => self.response(Telling::Begins)?,
            "response.completed" | "response.failed" | "response.incomplete" | "response.cancelled" => {
                self.response(Telling::Whole)?;
                self.reading.terminal = true;
            }
            "error" => self.reading.terminal = true,
            "response.output_item.added" | "response.output_item.done" => {
                let telling = self.telling(kind, "");
                if let Some(item) = doc.get(root, "item") {
                    self.item(item, telling)?;
                }
            }
            "response.content_part.added" | "response.content_part.done" => {
                self.part(kind, "content", "content_index")?;
            }
            "response.reasoning_summary_part.added" | "response.reasoning_summary_part.done" => {
                self.part(kind, "summary", "summary_index")?;
            }
            "response.output_text.annotation.added" => {
                if let Some(annotation) = doc.get(root, "annotation") {
                    let part = index_called(doc, root, "content_index", 0)?;
                    let index = index_called(doc, root, "annotation_index", 0)?;
                    let place = format!("{}content/{part}/annotations/{index}/", self.group);
                    self.channels.place(doc, annotation, place);
                    self.marks.source(annotation, Source::Retrieved);
                }
            }
            "response.image_generation_call.partial_image" => {
                self.marks.opaque(doc.given(root, "partial_image_b64"), Opaque::Image);
            }
            "response.audio.delta" => self.marks.opaque(doc.given(root, "delta"), Opaque::Audio),
            _ => self.text(kind)?,
        }
        Ok(())
    }

    /// Whether an event adds something, or says that what begins with `way` is done.
    fn telling(&mut self, kind: &str, way: &str) -> Telling {
        if kind.ends_with(".added") {
            return Telling::Begins;
        }
        self.reading.ends.push(format!("{}{way}", self.group));
        Telling::Whole
    }

    /// An event of a text that grows.
    fn text(&mut self, kind: &str) -> Result<(), Malformed> {
        let doc = self.doc;
        let root = doc.root();
        let Some((stem, what)) = kind.rsplit_once('.') else {
            return Ok(());
        };
        let known = GROWTHS.into_iter().find(|growth| growth.stem == stem);
        let index = known.map_or(Ok(0), |growth| index_called(doc, root, growth.index, 0))?;
        let channel = match known {
            Some(growth) => growth.channel(&self.group, index),
            None => self.unknown(stem),
        };
        let told = known.and_then(|growth| doc.given(root, growth.told));
        let of_call = known.is_some_and(|growth| growth.flow == Flow::Arguments);
        if of_call {
            self.reading.calls.push(self.group.clone());
        }
        match what {
            "delta" => {
                self.vouching(root, &channel, Telling::Begins);
                self.reading.only_arguments = of_call && says_only(doc, root, PIECE);
                let flow = known.map_or(Flow::Text, |growth| growth.flow);
                if stem.ends_with("_output_content") {
                    self.marks.source(root, Source::Tool);
                }
                if let Some(delta) = doc.get(root, "delta") {
                    self.grow(delta, &channel, flow)?;
                }
            }
            "added" => {
                if let (Some(growth), Some(told)) = (known, told) {
                    self.begin(growth, told, index);
                }
            }
            "done" => {
                self.vouching(root, &channel, Telling::Whole);
                if let Some(growth) = known {
                    self.channels.name(told, channel.clone(), growth.whole());
                }
                self.reading.ends.push(channel);
            }
            _ => {}
        }
        Ok(())
    }

    /// The channel of a text whose events came later than this was written: every index that they name sets it apart.
    fn unknown(&self, stem: &str) -> String {
        let mut channel = format!("{}{stem}", self.group);
        for (name, index) in self.doc.members(self.doc.root()) {
            if name.ends_with("_index") && name != "output_index" && self.doc.kind(index) == Kind::Number {
                channel.push('.');
                channel.push_str(self.doc.raw(index));
            }
        }
        channel.push('/');
        channel
    }

    /// Every string of a delta is a piece of a text.
    fn grow(&mut self, delta: Node, channel: &str, flow: Flow) -> Result<(), Malformed> {
        let doc = self.doc;
        let mut pointers = POINTER_BYTES;
        let depth = doc.pointer(delta).len();
        for node in doc.within(delta).filter(|&node| doc.kind(node) == Kind::String) {
            let pointer = doc.pointer(node);
            spend(&mut pointers, &pointer, doc, node)?;
            let mut way = pointer.get(depth..).unwrap_or_default();
            if channel.ends_with('/') {
                way = way.trim_start_matches('/');
            }
            self.channels.name(node, format!("{channel}{way}"), flow);
        }
        Ok(())
    }

    /// A text that something is added with: its first piece.
    fn begin(&mut self, growth: &Growth, text: Node, index: u64) {
        let doc = self.doc;
        if doc.text(text).is_none_or(|text| text.is_empty()) {
            return;
        }
        let channel = growth.channel(&self.group, index);
        self.channels.name(text, channel.clone(), growth.flow);
        let around = |name| doc.parent(text).and_then(|holder| doc.member_text(holder, name));
        let item = doc.get(doc.root(), "item").and_then(|item| doc.member_text(item, "id"));
        let item = item.or_else(|| doc.member_text(doc.root(), "item_id")).or(around("id"));
        self.reading
            .carriers
            .extend(carrier(growth, channel, &item.unwrap_or_default(), &self.group, index));
    }

    fn response(&mut self, telling: Telling) -> Result<(), Malformed> {
        let doc = self.doc;
        let Some(response) = doc.get(doc.root(), "response") else {
            return Ok(());
        };
        mark_response(self.marks, response);
        for item in items(doc, doc.get(response, "output")) {
            self.group = group(doc.position(item) as u64);
            self.item(item, telling)?;
        }
        Ok(())
    }

    fn item(&mut self, item: Node, telling: Telling) -> Result<(), Malformed> {
        let doc = self.doc;
        let place = self.group.clone();
        self.channels.place(doc, item, place.clone());
        self.marks.source(item, Source::Model);
        mark_item(self.marks, item);
        self.vouching(item, &place, telling);
        for (list, index) in [("content", "content_index"), ("summary", "summary_index")] {
            for part in items(doc, doc.get(item, list)) {
                let position = doc.position(part) as u64;
                self.vouching(part, &format!("{place}{list}/{position}/"), telling);
                if telling == Telling::Begins {
                    self.begin_part(part, index, position);
                }
            }
        }
        let kind = doc.member_text(item, "type");
        if kind.as_deref().is_some_and(tools::waits) {
            self.reading.calls.push(place.clone());
        }
        let arguments = if kind.as_deref() == Some("mcp_call") {
            &MCP_ARGUMENTS
        } else {
            &ARGUMENTS
        };
        for growth in [arguments, &INPUT, &CODE] {
            let Some(text) = doc.get(item, growth.way).filter(|&text| doc.kind(text) == Kind::String) else {
                continue;
            };
            match telling {
                Telling::Begins => self.begin(growth, text, 0),
                Telling::Whole => self.channels.name(text, growth.channel(&place, 0), growth.whole()),
            }
        }
        if telling == Telling::Begins {
            let action = doc
                .get(item, "action")
                .filter(|_| kind.as_deref() == Some("shell_call"));
            for command in items(doc, action.and_then(|action| doc.get(action, "commands"))) {
                self.begin(&COMMAND, command, doc.position(command) as u64);
            }
        }
        if let Some(mut call) = tools::called(doc, item) {
            // A text grows, and its channel says when it is whole; anything else is whole when the item is done.
            let text = doc.member_text(item, "arguments").is_some();
            call.arguments.take_if(|_| text || telling == Telling::Begins);
            self.reading.tools.push(CallBegun { channel: place, call });
        }
        Ok(())
    }

    fn part(&mut self, kind: &str, list: &str, index: &str) -> Result<(), Malformed> {
        let doc = self.doc;
        let position = index_called(doc, doc.root(), index, 0)?;
        let way = format!("{list}/{position}/");
        let telling = self.telling(kind, &way);
        let Some(part) = doc.get(doc.root(), "part") else {
            return Ok(());
        };
        let place = format!("{}{way}", self.group);
        mark_content_part(self.marks, part);
        self.vouching(part, &place, telling);
        self.channels.place(doc, part, place);
        if telling == Telling::Begins {
            self.begin_part(part, index, position);
        }
        Ok(())
    }

    /// The texts that a part is added with.
    fn begin_part(&mut self, part: Node, index: &str, position: u64) {
        let doc = self.doc;
        let growth = match doc.member_text(part, "type").as_deref() {
            _ if index == SUMMARY_TEXT.index => &SUMMARY_TEXT,
            Some("reasoning_text") => &REASONING_TEXT,
            _ => &OUTPUT_TEXT,
        };
        for (member, growth) in [("text", growth), ("refusal", &REFUSAL)] {
            if let Some(text) = doc.get(part, member) {
                self.begin(growth, text, position);
            }
        }
    }

    /// Notes what vouches for the texts of `channel` in an object.
    fn vouching(&mut self, object: Node, channel: &str, telling: Telling) {
        for name in VOUCHING {
            if let Some(value) = self.doc.given(object, name) {
                self.reading.falsified.push(Falsified {
                    channel: channel.to_owned(),
                    value: self.doc.span(value),
                    // Beside a whole text, it speaks of every piece.
                    so_far: telling == Telling::Whole,
                });
            }
        }
    }
}

/// The event in which the rest of a text goes out that an item or a part was added with.
fn carrier(growth: &Growth, channel: String, item: &str, group: &str, index: u64) -> Option<Carrier> {
    let name = format!("{}.delta", growth.stem);
    let output: u64 = group.strip_prefix("output/")?.strip_suffix('/')?.parse().ok()?;
    let mut data = json!({"type": name, "item_id": item, "output_index": output, "delta": "", "sequence_number": 0});
    let members = data.as_object_mut()?;
    if !growth.index.is_empty() {
        members.insert(growth.index.to_owned(), index.into());
    }
    if growth.stem == OUTPUT_TEXT.stem {
        members.insert("logprobs".to_owned(), json!([]));
    }
    let data = data.to_string();
    // In a string, the quotes would be escaped.
    let place = |member: &str, length: usize| {
        let start = data.find(member)? + member.len();
        Some(start..start + length)
    };
    let (token, number) = (place("\"delta\":", 2)?, place("\"sequence_number\":", 1));
    Some(Carrier {
        channel,
        event: Event {
            event: Some(name),
            data,
        },
        token,
        number,
    })
}
