//! The sections about people: roles, what they may do with outputs, courses, consequences.

use super::rules::{known, verdict, word};
use crate::policy::document::{
    Board, Consequences, Course, Document, Gate, INHERIT_HIGHEST, Outputs, REUSE, Raci, Text,
};
use crate::policy::fields::{Fields, Reader};
use crate::policy::join;

pub(super) fn roles(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    let roles = &mut document.roles;
    roles.people = fields.good_pairs("people", reader, Reader::text);
    if let Some(mut inner) = fields.node("owner").and_then(|node| reader.fields(node, "`owner`")) {
        roles.accountable = inner.text("accountable", reader);
        roles.deputy = inner.text("deputy", reader);
        inner.finish(reader);
    }
    if let Some(entry) = fields.entry("board")
        && let Some(mut inner) = reader.fields(&entry.node, "`board`")
    {
        roles.board = Some(Board {
            members: inner.texts("members", reader),
            quorum: inner.node("quorum").and_then(|node| reader.number(node)),
            place: entry.key_place,
        });
        inner.finish(reader);
    }
    roles.raci_place = fields.key_place("raci");
    for node in fields.list("raci", reader) {
        let Some(mut inner) = reader.fields(node, "a line of `raci`") else {
            continue;
        };
        let subjects = inner.texts("for", reader);
        let accountable = inner.required_with("accountable", reader, |reader, node| Some(reader.texts(node)));
        let mut accountable = accountable.unwrap_or_default().into_iter();
        let raci = Raci {
            subjects,
            accountable: accountable.next(),
            more_accountable: accountable.collect(),
            responsible: inner.texts("responsible", reader),
            consulted: inner.texts("consulted", reader),
            informed: inner.texts("informed", reader),
            consent: inner.texts("consent", reader),
            place: node.place,
        };
        inner.finish(reader);
        roles.raci.push(raci);
    }
}

pub(super) fn outputs(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    if let Some(entry) = fields.entry("outputs")
        && let Some(mut inner) = reader.fields(&entry.node, "`outputs`")
    {
        document.outputs = Some(Outputs {
            inherit: inner
                .node("inherit")
                .and_then(|node| word(reader, node, "a way to label answers", &INHERIT)),
            reuse: reuse(&mut inner, reader),
            place: entry.key_place,
        });
        inner.finish(reader);
    }
}

/// Which label an answer takes: that of the most sensitive input, or none.
pub(in crate::policy) const INHERIT: [&str; 2] = [INHERIT_HIGHEST, "none"];

/// Where an answer may go.
pub(in crate::policy) const AUDIENCES: [&str; 3] = ["internal", "external", "public"];

fn reuse(fields: &mut Fields<'_>, reader: &mut Reader) -> Vec<(Text, Text)> {
    let mut reuse = fields.good_pairs("reuse", reader, |reader, node| {
        word(reader, node, "a way to reuse answers", &REUSE)
    });
    reuse.retain(|(audience, _)| known(reader, audience, "where an answer may go", &AUDIENCES));
    reuse
}

pub(super) fn education(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    for (id, node) in fields.pairs("courses", reader, |_, node| node) {
        let Some(mut inner) = reader.fields(node, "a course") else {
            continue;
        };
        let valid = inner.node("valid").and_then(|node| reader.days(node));
        document.education.courses.push(Course {
            id,
            valid,
            records: records(&mut inner, reader),
        });
        inner.finish(reader);
    }
    document.education.gates_place = fields.key_place("gates");
    for node in fields.list("gates", reader) {
        let Some(mut inner) = reader.fields(node, "a gate") else {
            continue;
        };
        let (id, without) = (inner.required("id", reader), inner.required("without", reader));
        let then = inner.required_with("then", reader, verdict);
        let grace = inner.node("grace").and_then(|node| reader.days(node));
        let tell = inner.text("tell", reader);
        inner.finish(reader);
        if let (Some(id), Some(without), Some(then)) = (id, without, then) {
            document.education.gates.push(Gate {
                id,
                without,
                grace,
                then,
                tell,
            });
        }
    }
}

/// What a breach can be, mildest first.
pub(in crate::policy) const BREACHES: [&str; 4] = ["mistake", "repeat", "evasion", "intent"];

fn start(fields: &mut Fields<'_>, reader: &mut Reader) -> Vec<(Text, Text)> {
    let mut start = fields.good_pairs("start", reader, Reader::text);
    start.retain(|(kind, _)| known(reader, kind, "a kind of breach", &BREACHES));
    start
}

/// A file beside the policy folder. Names of people are no part of a policy, so it is never one of its files.
fn records(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Text> {
    let node = fields.node("records")?;
    let file = reader.text(node)?;
    let plain = join("", file.as_str()).is_some_and(|path| path == file.value && !path.starts_with(".."));
    if plain && file.as_str().ends_with(".csv") {
        return Some(file);
    }
    reader.wrong(
        node,
        "the name of a file beside `ordain.yaml` is expected, such as `training.csv`",
    );
    None
}

pub(super) fn consequences(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    let keys = ["ladder", "start", "window", "two_people_from", "appeal"];
    let place = keys.into_iter().filter_map(|key| fields.key_place(key)).next();
    let consequences = Consequences {
        place: place.unwrap_or(fields.place),
        ladder: fields.texts("ladder", reader),
        window: fields.node("window").and_then(|node| reader.days(node)),
        start: start(fields, reader),
        two_people_from: fields.text("two_people_from", reader),
        appeal: fields.node("appeal").and_then(|node| reader.days(node)),
    };
    document.consequences = place.map(|_| consequences);
}
