//! The keys before the sections: whose policy, which version, approved by whom, acting how.

use jiff::tz::TimeZone;

use super::rules::known;
use crate::policy::document::{Approved, At, Document, Review, Text};
use crate::policy::fields::{Fields, Reader};
use crate::policy::node::Value;
use crate::policy::problem::Problem;
use crate::verdict::Mode;

/// The document format that this program reads.
const FORMAT: u32 = 1;

pub(super) fn read(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    if let Some(format) = fields.required_with("ordain", reader, Reader::number)
        && format.value != FORMAT
    {
        let problem = Problem::error(
            "unknown-format",
            format.place,
            format!("format {} is not known here", format.value),
        );
        reader
            .problems
            .push(problem.help(format!("this program reads `ordain: {FORMAT}`")));
    }
    document.extends = fields.text("extends", reader);
    reader.extends = document.extends.is_some();
    document.delegated = fields.texts("delegated", reader);
    document.organization = if reader.extends {
        fields.text("organization", reader)
    } else {
        fields.required("organization", reader)
    };
    document.version = fields.required("version", reader);
    document.timezone = fields
        .text("timezone", reader)
        .and_then(|name| match TimeZone::get(name.as_str()) {
            Ok(zone) => Some(At::new(zone, name.place)),
            Err(_) => {
                let problem = Problem::error(
                    "unknown-timezone",
                    name.place,
                    format!("no time zone called `{}`", name.value),
                );
                reader
                    .problems
                    .push(problem.help("use an IANA name such as `Europe/Berlin` or `UTC`"));
                None
            }
        });
    document.profiles = fields.texts("profiles", reader);
    let approved = fields.node("approved").and_then(|node| match &node.value {
        Value::Map(_) => reader.fields(node, "`approved`"),
        Value::Scalar { .. } | Value::List(_) => {
            let help =
                "say by whom, when and from when on: `approved: {by: board, on: 2026-12-01, effective: 2026-12-15}`";
            reader.wrong_with(
                node,
                "`approved` is a map with `by`, `on` and `effective`",
                Some(help.to_owned()),
            );
            None
        }
    });
    if let Some(mut inner) = approved {
        document.approved = Some(Approved {
            by: inner.text("by", reader),
            on: inner.node("on").and_then(|node| reader.date(node)),
            effective: inner.node("effective").and_then(|node| reader.date(node)),
        });
        inner.finish(reader);
    }
    if let Some(mut inner) = fields.node("review").and_then(|node| reader.fields(node, "`review`")) {
        document.review = Some(Review {
            every: inner.node("every").and_then(|node| reader.stated_days(node)),
            also: also(inner.texts("also", reader), reader),
        });
        inner.finish(reader);
    }
    for (name, mode) in fields.good_pairs("rollout", reader, mode) {
        if name.as_str() == "default" {
            document.rollout.default = Some(mode);
        } else {
            document.rollout.entries.push((name, mode));
        }
    }
}

/// What else calls for reading the policy again.
pub(in crate::policy) const EVENTS: [&str; 8] = [
    "incident",
    "law-change",
    "new-app",
    "new-use",
    "vendor-change",
    "reorganisation",
    "audit",
    "risk-change",
];

fn also(mut events: Vec<Text>, reader: &mut Reader) -> Vec<Text> {
    events.retain(|event| known(reader, event, "an event after which a policy is read again", &EVENTS));
    events
}

fn mode(reader: &mut Reader, node: &crate::policy::node::Node) -> Option<At<Mode>> {
    reader.word(
        node,
        "a mode",
        Mode::parse,
        &Mode::ALL.iter().map(|mode| mode.as_str()).collect::<Vec<_>>(),
    )
}
