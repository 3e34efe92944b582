//! What may go on for a while when the ledger takes no records.

use crate::policy::document::{BreakGlass, Document};
use crate::policy::fields::{Fields, Reader};

pub(super) fn read(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    let Some(entry) = fields.entry("break_glass") else {
        return;
    };
    let Some(mut inner) = reader.fields(&entry.node, "`break_glass`") else {
        return;
    };
    // A policy that extends another one says only what it tightens.
    let alone = !reader.extends;
    let mut text = |key: &'static str, reader: &mut Reader| {
        if alone {
            inner.required(key, reader)
        } else {
            inner.text(key, reader)
        }
    };
    let (statement, use_, reviewer) = (text("statement", reader), text("use", reader), text("reviewer", reader));
    let (groups, lasts) = if alone {
        (
            inner.required_with("groups", reader, |reader, node| Some(reader.texts(node))),
            inner.required_with("lasts", reader, Reader::minutes),
        )
    } else {
        (
            inner.some_texts("groups", reader),
            inner.node("lasts").and_then(|node| reader.minutes(node)),
        )
    };
    document.break_glass = Some(BreakGlass {
        statement,
        use_,
        groups: groups.unwrap_or_default(),
        lasts,
        reviewer,
        place: entry.key_place,
    });
    inner.finish(reader);
}
