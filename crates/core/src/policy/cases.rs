//! Cases: the tests of a policy, written by its owner.
//!
//! A case is a request and what the policy must say to it, under full enforcement, whatever the rollout of the day. Cases
//! stand in `cases/*.yaml` beside the document and are no part of its digest. Read [`Case`] first.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::Files;
use super::compile::Policy;
use super::document::{At, Document, Text};
use super::fields::{Fields, Reader};
use super::node::{self, Node, Place, Value};
use super::problem::Problem;
use crate::catalog::Catalog;
use crate::decide::{self, Decision, Destination, Facts, Who};
use crate::detect::scanner::Scanner;
use crate::exchange::{Part, Place as PartPlace, ToolCall};
use crate::inspect::{arguments, content};
use crate::verdict::{Direction, Source, SourceSet, Verdict};

/// A request and what must be decided.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: Text,
    /// The request.
    pub request: Request,
    /// The verdict under full enforcement.
    pub verdict: Option<At<Verdict>>,
    /// Exactly the citations that full enforcement names; not looked at when `None`.
    pub clauses: Option<Vec<Text>>,
    /// The texts after masking, in order; not looked at when `None`.
    pub texts: Option<Vec<Text>>,
}

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
    /// Whether a detector failed.
    pub failed: bool,
    /// Tools called.
    pub tools: Vec<ToolCall>,
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
            failed: false,
            tools: Vec::new(),
            now: None,
        }
    }
}

/// What the policy says to a request.
#[derive(Debug)]
pub struct Answer {
    /// The facts that it was decided on.
    pub facts: Facts,
    /// The decision.
    pub decision: Decision,
    /// The texts as full enforcement would pass them on.
    pub texts: Vec<String>,
}

/// Asks the policy about a request, with its detectors.
#[must_use]
pub fn ask(policy: &Policy, scanner: &Scanner, catalog: &Catalog, request: &Request, now: Timestamp) -> Answer {
    let part = |(source, text): &(Source, String)| Part {
        pointer: String::new(),
        text: text.clone(),
        source: *source,
        fixed: None,
        inner: false,
        place: PartPlace::Body(0..0),
    };
    let parts: Vec<Part> = request.parts.iter().map(part).collect();
    let scan = scanner.scan(&parts);
    let mut content = content::of(&parts, &scan);
    let sources = match content.sources.union(request.sources) {
        SourceSet::EMPTY => SourceSet::of(usual_source(request.direction)),
        sources => sources,
    };
    for one in &request.data {
        content::assume(&mut content, one, sources);
    }
    content.sources = sources;
    let about = |(id, about): &(String, SourceSet)| (id.clone(), if about.is_empty() { sources } else { *about });
    content.findings = request.findings.iter().map(about).collect();
    content.uninspectable = request.uninspectable;
    content.failed |= request.failed;
    content.tools = request
        .tools
        .iter()
        .map(|call| arguments::called(policy, call.tool.clone(), call.arguments.as_deref()))
        .collect();
    let facts = Facts {
        now,
        direction: request.direction,
        who: Arc::new(request.who.clone()),
        to: Arc::new(Destination {
            app: request.app.clone(),
            categories: catalog.categories(&request.app),
            attributes: request.attributes.clone(),
        }),
        model: request.model.clone(),
        use_: request.use_.clone(),
        content,
    };
    let decision = decide::decide(policy, &facts);
    let edits = content::edits(&parts, &scan, &decision.full_masks(policy));
    let texts = (0..parts.len())
        .map(|part| content::edited(&parts, part, &edits))
        .collect();
    Answer { facts, decision, texts }
}

/// How a case went.
#[derive(Debug)]
pub struct Outcome<'c> {
    /// The case.
    pub case: &'c Case,
    /// What the policy said.
    pub answer: Answer,
    /// What differs from what was expected, a sentence each.
    pub differences: Vec<String>,
}

/// Runs one case.
#[must_use]
pub fn run<'c>(
    policy: &Policy,
    document: &Document,
    scanner: &Scanner,
    catalog: &Catalog,
    case: &'c Case,
) -> Outcome<'c> {
    let now = case.request.now.unwrap_or_else(|| usual_moment(document));
    let now = document.zone().to_timestamp(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let answer = ask(policy, scanner, catalog, &case.request, now);
    let mut differences = Vec::new();
    if let Some(wanted) = &case.verdict
        && wanted.value != answer.decision.full
    {
        differences.push(format!(
            "expected `{}`, but the policy says `{}`",
            wanted.value, answer.decision.full
        ));
    }
    if let Some(wanted) = &case.clauses {
        let wanted: BTreeSet<&str> = wanted.iter().map(Text::as_str).collect();
        let cited: BTreeSet<&str> = answer
            .decision
            .full_contributions(policy)
            .map(|one| policy.citation(one.citation).id.as_str())
            .collect();
        let list = |names: Vec<&&str>| {
            names
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let missing = list(wanted.difference(&cited).collect());
        let extra = list(cited.difference(&wanted).collect());
        if !missing.is_empty() {
            differences.push(format!("expected {missing} to have a say"));
        }
        if !extra.is_empty() {
            differences.push(format!("did not expect {extra} to have a say"));
        }
    }
    if let Some(wanted) = &case.texts {
        let wanted: Vec<&str> = wanted.iter().map(Text::as_str).collect();
        if wanted != answer.texts {
            differences.push(format!(
                "expected the text {wanted:?}, but it goes on as {:?}",
                answer.texts
            ));
        }
    }
    Outcome {
        case,
        answer,
        differences,
    }
}

fn usual_moment(document: &Document) -> DateTime {
    let effective = document
        .approved
        .as_ref()
        .and_then(|approved| approved.effective.as_ref().or(approved.on.as_ref()));
    effective
        .map_or(Date::constant(2026, 1, 1), |date| date.value)
        .at(12, 0, 0, 0)
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

/// Reads the cases of a policy folder, after those of what the policy extends. A child's own case of the same name takes
/// the place of the parent's, for the same request and with an expectation that is at least as strict.
pub(super) fn read(files: &Files, document: Option<&Document>, problems: &mut Vec<Problem>) -> Vec<Case> {
    let parent = document.and_then(|document| document.parent.as_deref());
    let mut cases = parent
        .map(|parent| read(files, Some(parent), problems))
        .unwrap_or_default();
    for case in of_folder(files, document.map_or("", |document| document.base.as_str()), problems) {
        let inherited = cases
            .iter_mut()
            .filter(|known| parent.is_some() && known.name.place.file != case.name.place.file)
            .find(|known| known.name.value == case.name.value);
        let (Some(known), Some(parent)) = (inherited, parent) else {
            cases.push(case);
            continue;
        };
        if case.request != known.request {
            let problem = Problem::error(
                "child-loosens",
                case.name.place,
                "the parent has a case of this name for another request",
            );
            problems.push(problem.help("give this case a name of its own, and the parent's keeps running"));
        }
        let milder = match (&known.verdict, &case.verdict) {
            (Some(was), Some(now)) => now.value < was.value,
            (None, _) => false,
            (Some(_), None) => true,
        };
        let delegated = known
            .clauses
            .iter()
            .flatten()
            .any(|citation| super::read::is_touched(parent, citation.as_str()));
        if milder && !delegated {
            let problem = Problem::error(
                "child-loosens",
                case.verdict.as_ref().map_or(case.name.place, |verdict| verdict.place),
                "this expects less than the parent's case of the same name",
            );
            problems.push(problem.help("a child's policy may only expect more, but for what the parent delegates"));
        }
        *known = case;
    }
    cases
}

/// The cases of one folder.
fn of_folder(files: &Files, base: &str, problems: &mut Vec<Problem>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, file) in files.cases(base) {
        let mut reader = Reader::default();
        if let Some(tree) = node::parse(index, &file.text, &mut reader.problems)
            && let Some(mut fields) = reader.fields(&tree, "a file of cases")
        {
            // The moment of the file's cases that name none, so that they keep their meaning when the policy is approved anew.
            let now = fields.node("now").and_then(|node| moment(node, &mut reader));
            for node in fields.list("cases", &mut reader) {
                cases.extend(case(node, &mut reader).map(|mut case| {
                    case.request.now = case.request.now.or(now);
                    case
                }));
            }
            fields.finish(&mut reader);
        }
        problems.append(&mut reader.problems);
    }
    cases
}

fn case(node: &Node, reader: &mut Reader) -> Option<Case> {
    let mut fields = reader.fields(node, "a case")?;
    let name = fields.required("name", reader);
    let request = fields.required_with("request", reader, |reader, node| request(node, reader));
    let expect = fields.required_with("expect", reader, |reader, node| reader.fields(node, "`expect`"));
    fields.finish(reader);
    let mut expect = expect?;
    let words: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
    let verdict = expect.required_with("verdict", reader, |reader, node| {
        reader.word(node, "a verdict", Verdict::parse, &words)
    });
    let (clauses, texts) = (expect.some_texts("clauses", reader), expect.some_texts("text", reader));
    expect.finish(reader);
    Some(Case {
        name: name?,
        request: request?,
        verdict,
        clauses,
        texts,
    })
}

fn request(node: &Node, reader: &mut Reader) -> Option<Request> {
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
        failed: fields.node("failed").is_some_and(|node| flag(node, reader)),
        tools: fields.node("tools").map(|node| calls(node, reader)).unwrap_or_default(),
        now: fields.node("now").and_then(|node| moment(node, reader)),
    };
    fields.finish(reader);
    Some(request)
}

/// Who writes what no source is given for.
const fn usual_source(direction: Direction) -> Source {
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

fn moment(node: &Node, reader: &mut Reader) -> Option<DateTime> {
    let text = reader.raw(node)?;
    let parsed = text.as_str().parse::<DateTime>().ok();
    if parsed.is_none() {
        reader.wrong(node, "a local moment is expected, such as `2026-12-01T09:30`");
    }
    parsed
}

/// Where a case stands, for reports.
impl Case {
    /// The place of its name.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.name.place
    }
}
