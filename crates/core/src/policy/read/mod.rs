//! From nodes to the document: the shape of every section, all problems at once.
//!
//! The vocabulary of reading is in [`super::fields`]; each other file reads the sections it is named after.

mod header;
mod people;
mod rules;
mod subject;

use std::collections::BTreeMap;

use super::document::{At, Clause, Document, Section, SectionHead};
use super::fields::{Fields, Reader};
use super::node::{self, Entry, Node, Value};
use super::problem::Problem;
use super::{File, Files, PolicyDigest, ROOT};

/// Reads the document of a policy folder with its includes; `None` when there is nothing to go on with.
pub(super) fn document(files: &Files, problems: &mut Vec<Problem>) -> Option<Document> {
    let Some((index, root)) = files.find(ROOT) else {
        let problem = Problem::error(
            "no-policy",
            node::Place::default(),
            format!("there is no `{ROOT}` here"),
        );
        problems.push(problem.help("name the policy folder, or run `ordain up` to have a first policy made"));
        return None;
    };
    let mut reader = Reader::default();
    let document = read(files, index, root, &mut reader);
    problems.append(&mut reader.problems);
    document
}

fn read(files: &Files, index: u16, root: &File, reader: &mut Reader) -> Option<Document> {
    let tree = node::parse(index, &root.text, &mut reader.problems)?;
    let Value::Map(mut entries) = tree.value else {
        reader.wrong(&tree, "a policy is a map of sections");
        return None;
    };
    let mut used: BTreeMap<&str, &File> = BTreeMap::from([(ROOT, root)]);
    for entry in include(files, &mut entries, &mut used, reader) {
        match entries.iter().find(|known| known.key == entry.key) {
            None => entries.push(entry),
            Some(first) => {
                let problem = Problem::error(
                    "duplicate-key",
                    entry.key_place,
                    format!("`{}` stands here a second time", entry.key),
                );
                let path = files.get(first.key_place.file).map_or(ROOT, |file| &file.path);
                reader
                    .problems
                    .push(problem.help(format!("the first one is at {path}:{}", first.key_place.line)));
            }
        }
    }
    let paths = files.files.iter().map(|file| file.path.clone()).collect();
    let mut document = Document {
        digest: PolicyDigest::of(used.into_values()),
        paths,
        ..Document::default()
    };
    let root = Node {
        value: Value::Map(entries),
        place: tree.place,
    };
    top(&root, &mut document, reader);
    document.clauses.sort_by_key(|clause| clause.section);
    Some(document)
}

/// Takes `include` out of the root and returns the members of the files it names.
fn include<'f>(
    files: &'f Files,
    entries: &mut Vec<Entry>,
    used: &mut BTreeMap<&'f str, &'f File>,
    reader: &mut Reader,
) -> Vec<Entry> {
    let Some(position) = entries.iter().position(|entry| entry.key == "include") else {
        return Vec::new();
    };
    let list = entries.remove(position).node;
    let mut included = Vec::new();
    for path in reader.texts(&list) {
        let Some((index, file)) = files.find(path.as_str()) else {
            let problem = Problem::error(
                "unknown-file",
                path.place,
                format!("no file `{}` in the policy folder", path.as_str()),
            );
            reader
                .problems
                .push(problem.help("paths are below the policy folder, with `/` between names"));
            continue;
        };
        if used.insert(&file.path, file).is_some() {
            reader.problems.push(Problem::error(
                "duplicate-key",
                path.place,
                format!("`{}` is included twice", path.as_str()),
            ));
            continue;
        }
        if let Some(tree) = node::parse(index, &file.text, &mut reader.problems) {
            match tree.value {
                Value::Map(more) => included.extend(more),
                Value::Scalar { .. } | Value::List(_) => reader.wrong(&tree, "an included file is a map of sections"),
            }
        }
    }
    included
}

fn top(root: &Node, document: &mut Document, reader: &mut Reader) {
    let Some(mut fields) = reader.fields(root, "a policy") else {
        return;
    };
    header::read(&mut fields, document, reader);
    for section in Section::ALL {
        let Some(entry) = fields.entry(section.as_str()) else {
            continue;
        };
        let Some(mut inner) = reader.fields(&entry.node, "a section") else {
            continue;
        };
        let statement = inner.text("statement", reader);
        document.sections.push(SectionHead {
            section,
            place: entry.key_place,
            statement,
        });
        match section {
            Section::Purpose => subject::purpose(&mut inner, document, reader),
            Section::Scope => subject::scope(&mut inner, document, reader),
            Section::Roles => people::roles(&mut inner, document, reader),
            Section::Applications => subject::applications(&mut inner, document, reader),
            Section::AcceptableUse => people::outputs(&mut inner, document, reader),
            Section::Access => subject::access(&mut inner, document, reader),
            Section::Data => subject::data(&mut inner, document, reader),
            Section::Education => people::education(&mut inner, document, reader),
            Section::Consequences => people::consequences(&mut inner, document, reader),
            Section::ShadowAi | Section::Transparency | Section::Risk | Section::Compliance | Section::Monitoring => {}
        }
        clauses(section, &mut inner, document, reader);
        inner.finish(reader);
    }
    rules::exceptions(&mut fields, document, reader);
    fields.finish(reader);
}

fn clauses(section: Section, fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    for node in fields.list("clauses", reader) {
        let Some(mut inner) = reader.fields(node, "a clause") else {
            continue;
        };
        let id = inner.required("id", reader);
        let clause = Clause {
            section,
            id: id.unwrap_or_else(|| At::new(String::new(), node.place)),
            statement: inner.required("statement", reader),
            owner: inner.text("owner", reader),
            rule: inner.node("rule").and_then(|rule| rules::rule(rule, reader)),
            enforced_by: inner.text("enforced_by", reader),
            evidence: inner
                .node("evidence")
                .and_then(|evidence| rules::evidence(evidence, reader)),
            frameworks: inner.pairs("frameworks", reader, Reader::texts),
        };
        inner.finish(reader);
        if !clause.id.value.is_empty() {
            document.clauses.push(clause);
        }
    }
}
