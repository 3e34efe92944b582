//! From nodes to the document: the shape of every section, all problems at once.
//!
//! The vocabulary of reading is in [`super::fields`]; each other file reads the sections it is named after.

mod extend;
mod header;
mod monitoring;
mod people;
mod rules;
mod subject;

pub(super) use extend::is_touched;
pub(super) use header::EVENTS;
pub(super) use people::INHERIT;
#[cfg(test)]
pub(super) use people::{AUDIENCES, BREACHES};
#[cfg(test)]
pub(super) use subject::TERMS;
pub(super) use subject::{KINDS, TIERS};

use std::collections::BTreeMap;

use super::document::{At, Clause, Document, Section, SectionHead};
use super::fields::{Fields, Reader};
use super::node::{self, Entry, Node, Value};
use super::problem::Problem;
use super::{File, Files, PolicyDigest, ROOT, join, parent_folder};

/// Reads the document of a policy folder with its includes, laid over the policy that it extends; `None` when there is
/// nothing to go on with.
pub(super) fn document(files: &Files, problems: &mut Vec<Problem>) -> Option<Document> {
    if files.find(ROOT).is_none() {
        let problem = Problem::error(
            "no-policy",
            node::Place::default(),
            format!("there is no `{ROOT}` here"),
        );
        problems.push(problem.help("name the policy folder, or run `ordain up` to have a first policy made"));
        return None;
    }
    let (document, _) = effective(files, "", &mut Vec::new(), problems)?;
    Some(document)
}

/// The files of a document with their paths as seen from its own folder.
type Used<'f> = BTreeMap<String, &'f File>;

/// The document in the folder `base`, laid over what it extends.
fn effective<'f>(
    files: &'f Files,
    base: &str,
    below: &mut Vec<String>,
    problems: &mut Vec<Problem>,
) -> Option<(Document, Used<'f>)> {
    let (index, root) = files.find(&join(base, ROOT)?)?;
    let mut reader = Reader::default();
    let read = read(files, base, index, root, &mut reader);
    problems.append(&mut reader.problems);
    let (mut document, mut used) = read?;
    below.push(base.to_owned());
    if let Some(reference) = document.extends.clone() {
        let above = parent_folder(base, reference.as_str());
        let found = above.filter(|above| join(above, ROOT).is_some_and(|path| files.find(&path).is_some()));
        let Some(above) = found else {
            let problem = Problem::error(
                "unknown-parent",
                reference.place,
                format!("no policy to extend in `{}`", reference.value),
            );
            problems.push(
                problem.help("name a folder with a `policy.yaml`, as seen from this policy's folder: `../group`"),
            );
            return None;
        };
        if below.contains(&above) {
            let problem = Problem::error(
                "extends-itself",
                reference.place,
                "this policy extends itself, by way of what it extends",
            );
            problems.push(problem.help("let the topmost policy stand alone, without `extends`"));
            return None;
        }
        let (parent, more) = effective(files, &above, below, problems)?;
        let near = parent_folder("", reference.as_str()).unwrap_or_default();
        used.extend(
            more.into_iter()
                .filter_map(|(path, file)| Some((join(&near, &path)?, file))),
        );
        document = extend::overlay(parent, &document, problems);
    }
    extend::check_delegated(&document, problems);
    document.digest = PolicyDigest::of(used.iter().map(|(path, file)| (path.as_str(), file.text.as_str())));
    Some((document, used))
}

fn read<'f>(
    files: &'f Files,
    base: &str,
    index: u16,
    root: &'f File,
    reader: &mut Reader,
) -> Option<(Document, Used<'f>)> {
    let tree = node::parse_prose(index, &root.text, &mut reader.problems)?;
    let Value::Map(mut entries) = tree.value else {
        reader.wrong(&tree, "a policy is a map of sections");
        return None;
    };
    let mut used: Used<'f> = BTreeMap::from([(ROOT.to_owned(), root)]);
    for entry in include(files, base, &mut entries, &mut used, reader) {
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
    let mut document = Document {
        paths: files.files.iter().map(|file| file.path.clone()).collect(),
        base: base.to_owned(),
        ..Document::default()
    };
    let root = Node {
        value: Value::Map(entries),
        place: tree.place,
    };
    top(&root, &mut document, reader);
    document.clauses.sort_by_key(|clause| clause.section);
    Some((document, used))
}

/// Takes `include` out of the root and returns the members of the files it names.
fn include<'f>(
    files: &'f Files,
    base: &str,
    entries: &mut Vec<Entry>,
    used: &mut Used<'f>,
    reader: &mut Reader,
) -> Vec<Entry> {
    let Some(position) = entries.iter().position(|entry| entry.key == "include") else {
        return Vec::new();
    };
    let list = entries.remove(position).node;
    let mut included = Vec::new();
    for path in reader.texts(&list) {
        let below = join("", path.as_str()).filter(|below| !below.starts_with(".."));
        let found = below.and_then(|below| Some((files.find(&join(base, &below)?)?, below)));
        let Some(((index, file), below)) = found else {
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
        if used.insert(below, file).is_some() {
            reader.problems.push(Problem::error(
                "duplicate-key",
                path.place,
                format!("`{}` is included twice", path.as_str()),
            ));
            continue;
        }
        if let Some(tree) = node::parse_prose(index, &file.text, &mut reader.problems) {
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
            Section::Monitoring => monitoring::read(&mut inner, document, reader),
            Section::ShadowAi | Section::Transparency | Section::Risk | Section::Compliance => {}
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
            statement: if reader.extends {
                inner.text("statement", reader)
            } else {
                inner.required("statement", reader)
            },
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
