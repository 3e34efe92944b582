//! Cases: the tests of a policy, written by its owner.
//!
//! A case is a request and what the policy must say to it, under full enforcement, whatever the rollout of the day. Cases
//! stand in `cases/*.yaml` beside the document and are no part of its digest. Read [`Case`] first.

mod request;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

pub use request::{Assumed, Request, parse_request};
use request::{moment, request, usual_source};

use super::Files;
use super::compile::Policy;
use super::document::{At, Document, Text};
use super::fields::Reader;
use super::node::{self, Node, Place, Value};
use super::problem::Problem;
use crate::catalog::Catalog;
use crate::decide::{self, Decision, Destination, Facts};
use crate::detect::scanner::Scanner;
use crate::exchange::{Part, Place as PartPlace};
use crate::inspect::{arguments, content, tokens};
use crate::verdict::{Source, SourceSet, Verdict};

/// A request and what must be decided.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: Text,
    /// The request.
    pub request: Request,
    /// Its groups, where they stand.
    pub groups: Vec<Text>,
    /// The verdict under full enforcement.
    pub verdict: Option<At<Verdict>>,
    /// Exactly the citations that full enforcement names; not looked at when `None`.
    pub clauses: Option<Vec<Text>>,
    /// The texts after masking, in order; not looked at when `None`.
    pub texts: Option<Vec<Text>>,
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
    content.uninspectable = request.uninspectable || request.endpoint.is_some();
    content.endpoint.clone_from(&request.endpoint);
    content.failed |= request.failed;
    content.tools = request
        .tools
        .iter()
        .map(|call| arguments::called(policy, call.tool.clone(), call.arguments.as_deref()))
        .collect();
    let facts = Facts {
        now,
        direction: request.direction,
        who: Arc::new(request.who_at(now)),
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
    let masks = decision.full_masks(policy);
    let (edits, _) = tokens::edits(policy, request.direction, &parts, &scan, &masks);
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
        if let Some(tree) = node::parse_prose(index, &file.text, &mut reader.problems)
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
    let groups = fields.node("request").map(groups).unwrap_or_default();
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
        groups,
        verdict,
        clauses,
        texts,
    })
}

/// The groups that a request names; what else is wrong with it is reported where it is read.
fn groups(request: &Node) -> Vec<Text> {
    let Value::Map(entries) = &request.value else {
        return Vec::new();
    };
    let named = entries
        .iter()
        .filter(|entry| matches!(entry.key.as_str(), "group" | "groups"));
    let nodes = named.flat_map(|entry| match &entry.node.value {
        Value::List(items) => items.as_slice(),
        Value::Scalar { .. } | Value::Map(_) => std::slice::from_ref(&entry.node),
    });
    nodes
        .filter_map(|node| match &node.value {
            Value::Scalar { text, .. } => Some(At::new(text.clone(), node.place)),
            Value::List(_) | Value::Map(_) => None,
        })
        .collect()
}

/// Where a case stands, for reports.
impl Case {
    /// The place of its name.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.name.place
    }
}
