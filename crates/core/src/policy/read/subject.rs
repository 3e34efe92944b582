//! The sections about what is governed: purpose, scope, applications, access, data.

use super::rules::{app_selectors, known, selectors, verdict, word};
use crate::decide::arguments::ArgumentTest;
use crate::policy::document::{
    App, At, Document, Escalation, Exclude, Expires, Grant, Group, Matrix, MatrixRow, Objective, Pass, TOKENS, Text,
    Tool, Tools, Unseen, Use,
};
use crate::policy::fields::{Fields, Reader};
use crate::policy::node::{Node, Value};
use crate::policy::problem::Problem;
use crate::verdict::AppClass;

pub(super) fn purpose(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    for node in fields.list("objectives", reader) {
        let Some(mut inner) = reader.fields(node, "an objective") else {
            continue;
        };
        document.objectives.push(Objective {
            id: inner.required("id", reader),
            statement: inner.text("statement", reader),
            metric: inner.text("metric", reader),
            target: inner.node("target").and_then(|node| reader.raw(node)),
            owner: inner.text("owner", reader),
            place: node.place,
        });
        inner.finish(reader);
    }
}

pub(super) fn scope(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    let scope = &mut document.scope;
    if let Some(place) = fields.key_place("groups") {
        scope.groups_place = Some(place);
        for (name, node) in fields.pairs("groups", reader, |_, node| node) {
            if name.as_str() == "unmapped" {
                scope.unmapped = verdict(reader, node);
            } else if let Some(mut inner) = reader.fields(node, "a group") {
                scope.groups.push(Group {
                    name,
                    claim: inner.text("claim", reader),
                });
                inner.finish(reader);
            }
        }
    }
    scope.uses_place = fields.key_place("uses");
    for node in fields.list("uses", reader) {
        let Some(mut inner) = reader.fields(node, "a use") else {
            continue;
        };
        let id = inner.required("id", reader);
        let (statement, owner) = (inner.text("statement", reader), inner.text("owner", reader));
        let (groups, ceiling, tier) = (
            inner.texts("groups", reader),
            inner.text("ceiling", reader),
            inner.node("tier").and_then(|node| word(reader, node, "a tier", &TIERS)),
        );
        inner.finish(reader);
        scope.uses.extend(id.map(|id| Use {
            id,
            statement,
            owner,
            groups,
            ceiling,
            tier,
        }));
    }
    scope.outside = fields.node("outside").and_then(|node| verdict(reader, node));
    scope.exclude_place = fields.key_place("exclude");
    for node in fields.list("exclude", reader) {
        let Some(mut inner) = reader.fields(node, "an exclusion") else {
            continue;
        };
        scope.exclude.push(Exclude {
            group: inner.required("group", reader),
            reason: inner.required("reason", reader),
            until: inner.required_with("until", reader, Reader::date),
            place: node.place,
        });
        inner.finish(reader);
    }
}

pub(super) fn applications(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    for (key, class) in [
        ("sanctioned", AppClass::Sanctioned),
        ("tolerated", AppClass::Tolerated),
        ("unsanctioned", AppClass::Unsanctioned),
    ] {
        for node in fields.list(key, reader) {
            let Some(mut inner) = reader.fields(node, "an app") else {
                continue;
            };
            let id = inner.required("app", reader);
            let mut terms = inner.pairs("terms", reader, |_, node| node);
            let checked = terms
                .iter()
                .position(|(name, _)| name.as_str() == "checked")
                .map(|index| terms.remove(index));
            let app = App {
                id: id.unwrap_or_else(|| At::new(String::new(), node.place)),
                class,
                owner: inner.text("owner", reader),
                reason: inner.text("reason", reader),
                instead: inner.text("instead", reader),
                models: inner.some_texts("models", reader),
                require: inner.good_pairs("require", reader, Reader::text),
                cells: inner.good_pairs("cells", reader, verdict),
                only_for: inner
                    .node("for")
                    .map(|node| At::new(selectors(reader, node), node.place)),
                terms_checked: checked.and_then(|(_, node)| reader.date(node)),
                terms: terms
                    .into_iter()
                    .filter_map(|(name, node)| term(name, node, reader))
                    .collect(),
                expires: inner.node("expires").and_then(|node| expires(reader, node)),
            };
            inner.finish(reader);
            if !app.id.value.is_empty() {
                document.apps.push(app);
            }
        }
    }
}

/// How much a use can do to people.
pub(in crate::policy) const TIERS: [&str; 3] = ["minimal", "limited", "high"];

/// What a tool does: it looks, it changes, or it does what cannot be undone.
pub(in crate::policy) const KINDS: [&str; 3] = ["read", "write", "irreversible"];

/// What is noted of a vendor's terms, beside the day on which they were `checked`.
pub(in crate::policy) const TERMS: [&str; 4] = ["trains_on_input", "retention", "region", "contract"];

fn term(name: Text, node: &Node, reader: &mut Reader) -> Option<(Text, Text)> {
    if !known(reader, &name, "a term that is noted", &TERMS) {
        return None;
    }
    let text = reader.raw(node)?;
    match name.as_str() {
        "trains_on_input" if !matches!(text.as_str(), "true" | "false") => {
            reader.wrong(node, "`true` or `false` is expected");
            return None;
        }
        "retention" => _ = reader.days(node)?,
        _ => {}
    }
    Some((name, text))
}

fn expires(reader: &mut Reader, node: &Node) -> Option<Expires> {
    let mut inner = reader.fields(node, "`expires`")?;
    let on = inner.required_with("on", reader, Reader::date);
    let then = inner.required_with("then", reader, app_class);
    inner.finish(reader);
    Some(Expires { on: on?, then: then? })
}

/// An app class.
pub(super) fn app_class(reader: &mut Reader, node: &Node) -> Option<At<AppClass>> {
    reader.word(
        node,
        "an app class",
        AppClass::parse,
        &AppClass::ALL.iter().map(|class| class.as_str()).collect::<Vec<_>>(),
    )
}

/// `access.endpoints`: what passes though nobody reads it.
fn passes(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    document.access.endpoints_place = fields.key_place("endpoints");
    for node in fields.list("endpoints", reader) {
        let Some(mut inner) = reader.fields(node, "a line of `endpoints`") else {
            continue;
        };
        let id = inner.required("id", reader);
        let endpoints = inner.required_with("endpoints", reader, |reader, node| Some(reader.texts(node)));
        let groups = inner.required_with("groups", reader, |reader, node| Some(reader.texts(node)));
        let then = inner.required_with("then", reader, verdict);
        let reason = inner.required("reason", reader);
        let until = inner.node("until").and_then(|node| reader.date(node));
        inner.finish(reader);
        if let (Some(id), Some(endpoints), Some(groups), Some(then)) = (id, endpoints, groups, then) {
            document.access.endpoints.push(Pass {
                id,
                endpoints,
                groups,
                then,
                reason,
                until,
            });
        }
    }
}

pub(super) fn access(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    document.access.grants_place = fields.key_place("grants");
    for node in fields.list("grants", reader) {
        let Some(mut inner) = reader.fields(node, "a grant") else {
            continue;
        };
        let id = inner.required("id", reader);
        let groups = inner.required_with("groups", reader, |reader, node| Some(reader.texts(node)));
        let grant = Grant {
            id: id.unwrap_or_else(|| At::new(String::new(), node.place)),
            groups: groups.unwrap_or_default(),
            apps: inner.node("apps").map(|node| app_selectors(reader, node)),
            uses: inner.some_texts("uses", reader),
            models: inner.some_texts("models", reader),
        };
        inner.finish(reader);
        document.access.grants.push(grant);
    }
    passes(fields, document, reader);
    let Some(entry) = fields.entry("tools") else { return };
    let Some(mut inner) = reader.fields(&entry.node, "`tools`") else {
        return;
    };
    let mut tools = Tools {
        unlisted: inner.node("unlisted").and_then(|node| verdict(reader, node)),
        list: Vec::new(),
        place: entry.key_place,
    };
    for node in inner.list("list", reader) {
        let Some(mut inner) = reader.fields(node, "a tool") else {
            continue;
        };
        let tool = inner.required("tool", reader);
        let tool = Tool {
            tool: tool.unwrap_or_else(|| At::new(String::new(), node.place)),
            kind: inner
                .node("kind")
                .and_then(|node| word(reader, node, "what a tool does", &KINDS)),
            groups: inner.texts("groups", reader),
            then: inner.node("then").and_then(|node| verdict(reader, node)),
            args: inner.good_pairs("args", reader, argument),
        };
        inner.finish(reader);
        for (name, _) in &tool.args {
            if !name.value.starts_with('/') && name.value.split('.').any(str::is_empty) {
                let message = format!("`{}` is no name of an argument", name.value);
                let problem = Problem::error("wrong-type", name.place, message);
                reader.problems.push(
                    problem.help("write a name, a path such as `order.id`, or a JSON pointer such as `/order/id`"),
                );
            }
        }
        tools.list.push(tool);
    }
    inner.finish(reader);
    document.access.tools = Some(tools);
}

/// The patterns of one argument.
fn argument(reader: &mut Reader, node: &Node) -> Option<Vec<Text>> {
    let patterns = reader.texts(node);
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        reader.wrong(node, "a condition on an argument has at least one pattern");
    }
    for pattern in &patterns {
        if let Err(reason) = ArgumentTest::check(pattern.as_str()) {
            let problem = Problem::error("wrong-type", pattern.place, format!("`{}` {reason}", pattern.value));
            reader
                .problems
                .push(problem.help("write a pattern such as `*@example.com`, or a bound such as `<= 500`"));
        }
    }
    (!patterns.is_empty()).then_some(patterns)
}

pub(super) fn data(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    let data = &mut document.data;
    data.classes = fields.texts("classes", reader);
    data.default = if reader.extends {
        fields.text("default", reader)
    } else {
        fields.required("default", reader)
    };
    data.entities = fields.good_pairs("entities", reader, Reader::text);
    for node in fields.list("escalate", reader) {
        data.escalate.extend(escalation(reader, node));
    }
    data.matrix = fields
        .entry("matrix")
        .map(|entry| matrix(reader, &entry.node, entry.key_place));
    let answers_place = fields.key_place("answers");
    let answers = fields.good_pairs("answers", reader, verdict);
    data.answers = answers_place.map(|place| At::new(answers, place));
    let retention_place = fields.key_place("retention");
    let retention = fields.good_pairs("retention", reader, Reader::stated_days);
    data.retention = retention_place.map(|place| At::new(retention, place));
    data.uninspectable = fields.node("uninspectable").and_then(|node| verdict(reader, node));
    data.unavailable = fields.node("unavailable").and_then(|node| verdict(reader, node));
    data.keywords = fields.pairs("keywords", reader, |reader, node| {
        if let Value::Scalar { text, quoted: false } = &node.value
            && text.contains(", ")
        {
            let message = format!("`{text}` is one keyword, with its commas");
            let problem = Problem::warning("list-without-brackets", node.place, message);
            let help = format!("several keywords are a list: `[{text}]`; put quotes around one that has a comma");
            reader.problems.push(problem.help(help));
        }
        reader.texts(node)
    });
    data.patterns = fields.good_pairs("patterns", reader, Reader::text);
    data.tokens = fields.good_pairs("tokens", reader, |reader, node| {
        word(reader, node, "a way to put values back", &TOKENS)
    });
    for node in fields.list("unseen", reader) {
        let Some(mut inner) = reader.fields(node, "an endpoint that clauses may be blind on") else {
            continue;
        };
        data.unseen.push(Unseen {
            endpoint: inner.required("endpoint", reader),
            reason: inner.required("reason", reader),
            until: inner.required_with("until", reader, Reader::date),
            place: node.place,
        });
        inner.finish(reader);
    }
}

fn escalation(reader: &mut Reader, node: &Node) -> Option<Escalation> {
    let mut inner = reader.fields(node, "an escalation")?;
    let to = inner.required("to", reader);
    let entity = inner.text("entity", reader);
    let all = inner.texts("all", reader);
    let at_least = inner.node("at_least").and_then(|node| reader.number(node));
    inner.finish(reader);
    let (entities, at_least) = match (entity, all.is_empty()) {
        (Some(entity), true) => (vec![entity], Some(at_least.map_or(1, |number| number.value))),
        (None, false) => (all, None),
        _ => {
            let problem = Problem::error(
                "missing-key",
                node.place,
                "an escalation names `entity` (with `at_least`) or `all`, one of them",
            );
            reader.problems.push(problem);
            return None;
        }
    };
    Some(Escalation {
        entities,
        at_least,
        to: to?,
    })
}

fn matrix(reader: &mut Reader, node: &Node, place: crate::policy::node::Place) -> Matrix {
    let mut rows = Vec::new();
    let Value::Map(entries) = &node.value else {
        reader.wrong(node, "the matrix is a map of rows by data class");
        return Matrix { place, rows };
    };
    for row in entries {
        let Value::Map(cells) = &row.node.value else {
            reader.wrong(&row.node, "a row is a map of verdicts by app class");
            continue;
        };
        let mut read = Vec::new();
        for cell in cells {
            let key = Node {
                value: Value::Scalar {
                    text: cell.key.clone(),
                    quoted: true,
                },
                place: cell.key_place,
            };
            if let (Some(class), Some(verdict)) = (app_class(reader, &key), verdict(reader, &cell.node)) {
                read.push((class, verdict));
            }
        }
        rows.push(MatrixRow {
            class: Text::new(row.key.clone(), row.key_place),
            cells: read,
        });
    }
    Matrix { place, rows }
}
