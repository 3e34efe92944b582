//! Requests as cases have them: one half of an exchange in short, and how it is written.
//!
//! `ordain explain --request` reads the same form, and witnesses are printed in it. Read [`Request`] first.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use crate::decide::Who;
use crate::exchange::ToolCall;
use crate::policy::document::Text;
use crate::policy::fields::{Fields, Reader};
use crate::policy::node::{self, Node, Value};
use crate::policy::problem::Problem;
use crate::verdict::{Direction, Source, SourceSet};

/// One half of an exchange in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Who asks.
    pub who: Who,
    /// The app.
    pub app: String,
    /// What is configured about the route.
    pub attributes: Vec<(String, String)>,
    /// The model.
    pub model: Option<String>,
    /// The declared use.
    pub use_: Option<String>,
    /// Which half.
    pub direction: Direction,
    /// The texts with who wrote them.
    pub parts: Vec<(Source, String)>,
    /// Sources of parts whose text does not matter.
    pub sources: SourceSet,
    /// Entities taken as found, for what no detector finds yet.
    pub data: Vec<Assumed>,
    /// Findings taken as made, with the sources that they are about.
    pub findings: Vec<(String, SourceSet)>,
    /// Whether something could not be read as text.
    pub uninspectable: bool,
    /// The endpoint, where nobody reads its bodies.
    pub endpoint: Option<String>,
    /// Whether a detector failed.
    pub failed: bool,
    /// Tools called.
    pub tools: Vec<ToolCall>,
    /// How many minutes ago the principal signed in.
    pub signed_in: Option<u32>,
    /// The local moment, its own or that of its file; noon of the policy's effective date when `None`.
    pub now: Option<DateTime>,
}

/// An entity that is taken as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumed {
    /// Which.
    pub entity: String,
    /// How many distinct values.
    pub distinct: u32,
    /// In parts of which sources; of all that the request has when `None`.
    pub sources: Option<SourceSet>,
    /// In which sources it stands where nothing can be edited.
    pub fixed: SourceSet,
}

impl Assumed {
    /// An entity with one value, wherever there is text.
    #[must_use]
    pub const fn once(entity: String) -> Self {
        Self {
            entity,
            distinct: 1,
            sources: None,
            fixed: SourceSet::EMPTY,
        }
    }
}

impl Default for Request {
    fn default() -> Self {
        Self {
            who: Who::default(),
            app: String::new(),
            attributes: Vec::new(),
            model: None,
            use_: None,
            direction: Direction::Prompt,
            parts: Vec::new(),
            sources: SourceSet::EMPTY,
            data: Vec::new(),
            findings: Vec::new(),
            uninspectable: false,
            endpoint: None,
            failed: false,
            tools: Vec::new(),
            signed_in: None,
            now: None,
        }
    }
}

impl Request {
    /// Who asks, at a moment.
    #[must_use]
    pub fn who_at(&self, now: Timestamp) -> Who {
        let ago = self
            .signed_in
            .map(|minutes| SignedDuration::from_secs(60 * i64::from(minutes)));
        Who {
            signed_in: ago.and_then(|ago| now.checked_sub(ago).ok()),
            ..self.who.clone()
        }
    }
}

/// Reads one request, as a case has it: for example `{group: staff, app: openai-api, data: [iban]}`.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn parse_request(text: &str) -> Result<Request, Vec<Problem>> {
    let mut reader = Reader::default();
    let tree = node::parse(0, text, &mut reader.problems);
    let read = tree.and_then(|tree| request(&tree, &mut reader));
    match read {
        Some(request) if reader.problems.is_empty() => Ok(request),
        _ => Err(reader.problems),
    }
}

pub(super) fn request(node: &Node, reader: &mut Reader) -> Option<Request> {
    let mut fields = reader.fields(node, "a request")?;
    let strings = |texts: Vec<Text>| texts.into_iter().map(|text| text.value).collect::<Vec<_>>();
    let mut groups = fields.texts("group", reader);
    groups.extend(fields.texts("groups", reader));
    let who = Who {
        principal: fields
            .text("principal", reader)
            .map(|text| text.value)
            .unwrap_or_default(),
        groups: strings(groups),
        client: fields.text("client", reader).map(|text| text.value),
        training: fields
            .good_pairs("training", reader, Reader::date)
            .into_iter()
            .map(|(course, on)| (course.value, on.value))
            .collect(),
        since: fields
            .node("since")
            .and_then(|node| reader.date(node))
            .map(|date| date.value),
        signed_in: None,
        on_behalf_of: None,
    };
    let sources: Vec<&str> = Source::ALL.iter().map(|source| source.as_str()).collect();
    let directions: Vec<&str> = Direction::ALL.iter().map(|direction| direction.as_str()).collect();
    let direction = fields
        .node("direction")
        .and_then(|node| reader.word(node, "a direction", Direction::parse, &directions));
    let direction = direction.map_or(Direction::Prompt, |word| word.value);
    let usual = usual_source(direction);
    let source = fields
        .node("source")
        .and_then(|node| reader.word(node, "a source", Source::parse, &sources))
        .map_or(usual, |word| word.value);
    let mut parts: Vec<(Source, String)> = fields
        .texts("text", reader)
        .into_iter()
        .map(|text| (source, text.value))
        .collect();
    for part in fields.list("parts", reader) {
        let Some(mut inner) = reader.fields(part, "a part") else {
            continue;
        };
        let source = inner.required_with("source", reader, |reader, node| {
            reader.word(node, "a source", Source::parse, &sources)
        });
        let text = inner.required("text", reader);
        inner.finish(reader);
        if let (Some(source), Some(text)) = (source, text) {
            parts.push((source.value, text.value));
        }
    }
    let request = Request {
        who,
        app: fields
            .required("app", reader)
            .map(|text| text.value)
            .unwrap_or_default(),
        attributes: fields
            .good_pairs("attributes", reader, Reader::text)
            .into_iter()
            .map(|(key, value)| (key.value, value.value))
            .collect(),
        model: fields.text("model", reader).map(|text| text.value),
        use_: fields.text("use", reader).map(|text| text.value),
        direction,
        parts,
        sources: sources_of("sources", &mut fields, reader).unwrap_or_default(),
        data: items("data", &mut fields, reader)
            .iter()
            .filter_map(|node| assumed(node, reader))
            .collect(),
        findings: items("findings", &mut fields, reader)
            .iter()
            .filter_map(|node| finding(node, reader))
            .collect(),
        uninspectable: fields.node("uninspectable").is_some_and(|node| flag(node, reader)),
        endpoint: fields.text("endpoint", reader).map(|text| text.value),
        failed: fields.node("failed").is_some_and(|node| flag(node, reader)),
        tools: fields.node("tools").map(|node| calls(node, reader)).unwrap_or_default(),
        signed_in: fields
            .node("signed_in")
            .and_then(|node| reader.minutes(node))
            .map(|minutes| minutes.value),
        now: fields.node("now").and_then(|node| moment(node, reader)),
    };
    fields.finish(reader);
    Some(request)
}

/// Who writes what no source is given for.
pub(super) const fn usual_source(direction: Direction) -> Source {
    match direction {
        Direction::Prompt => Source::User,
        Direction::Answer => Source::Model,
    }
}

/// One item or a list of them.
fn items<'n>(key: &'static str, fields: &mut Fields<'n>, reader: &mut Reader) -> &'n [Node] {
    match fields.node(key) {
        Some(node) if matches!(node.value, Value::List(_)) => fields.list(key, reader),
        Some(node) => std::slice::from_ref(node),
        None => &[],
    }
}

fn assumed(node: &Node, reader: &mut Reader) -> Option<Assumed> {
    if !matches!(node.value, Value::Map(_)) {
        return reader.text(node).map(|entity| Assumed::once(entity.value));
    }
    let mut fields = reader.fields(node, "an entity taken as found")?;
    let one = Assumed {
        entity: fields
            .required("entity", reader)
            .map(|text| text.value)
            .unwrap_or_default(),
        distinct: fields
            .node("distinct")
            .and_then(|node| reader.number(node))
            .map_or(1, |number| number.value),
        sources: sources_of("source", &mut fields, reader),
        fixed: sources_of("fixed", &mut fields, reader).unwrap_or_default(),
    };
    fields.finish(reader);
    Some(one)
}

fn finding(node: &Node, reader: &mut Reader) -> Option<(String, SourceSet)> {
    if !matches!(node.value, Value::Map(_)) {
        return reader.text(node).map(|id| (id.value, SourceSet::EMPTY));
    }
    let mut fields = reader.fields(node, "a finding taken as made")?;
    let id = fields
        .required("finding", reader)
        .map(|text| text.value)
        .unwrap_or_default();
    let sources = sources_of("source", &mut fields, reader).unwrap_or_default();
    fields.finish(reader);
    Some((id, sources))
}

fn sources_of(key: &'static str, fields: &mut Fields<'_>, reader: &mut Reader) -> Option<SourceSet> {
    fields.node(key)?;
    let words: Vec<&str> = Source::ALL.iter().map(|source| source.as_str()).collect();
    let nodes = items(key, fields, reader);
    let read = nodes
        .iter()
        .filter_map(|node| reader.word(node, "a source", Source::parse, &words));
    Some(read.map(|word| word.value).collect())
}

fn flag(node: &Node, reader: &mut Reader) -> bool {
    match &node.value {
        Value::Scalar { text, quoted: false } if text == "true" => true,
        Value::Scalar { text, quoted: false } if text == "false" => false,
        Value::Scalar { .. } | Value::List(_) | Value::Map(_) => {
            reader.wrong(node, "`true` or `false` is expected");
            false
        }
    }
}

/// Calls of tools: names, or maps of `name` and `args`.
fn calls(node: &Node, reader: &mut Reader) -> Vec<ToolCall> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Scalar { .. } | Value::Map(_) => std::slice::from_ref(node),
    };
    items.iter().filter_map(|item| call(item, reader)).collect()
}

fn call(node: &Node, reader: &mut Reader) -> Option<ToolCall> {
    if let Value::Scalar { .. } = node.value {
        let tool = reader.text(node)?.value;
        return Some(ToolCall { tool, arguments: None });
    }
    let mut fields = reader.fields(node, "a call of a tool")?;
    let name = fields.required("name", reader);
    let args = fields.node("args");
    if let Some(args) = args.filter(|args| !matches!(args.value, Value::Map(_))) {
        reader.wrong(args, "`args` is a map (`name: value`)");
    }
    fields.finish(reader);
    Some(ToolCall {
        tool: name?.value,
        arguments: args.map(|args| json(args).to_string()),
    })
}

/// A value of a case as the JSON that a model would write.
fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Scalar { text, quoted: false } => match serde_json::from_str(text) {
            Ok(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_) | serde_json::Value::Null)) => value,
            Ok(_) | Err(_) => text.clone().into(),
        },
        Value::Scalar { text, quoted: true } => text.clone().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), json(&entry.node)))
            .collect(),
    }
}

pub(super) fn moment(node: &Node, reader: &mut Reader) -> Option<DateTime> {
    let text = reader.raw(node)?;
    let parsed = text.as_str().parse::<DateTime>().ok();
    if parsed.is_none() {
        reader.wrong(node, "a local moment is expected, such as `2026-12-01T09:30`");
    }
    parsed
}
