//! The published page of endpoints, `docs/reference/endpoints.md`: written from the table, and held to it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Handling, table};
use crate::wire::{Dialect, all};

/// `UPDATE=1 cargo test -p ordain-core --lib endpoints::page` writes the page that this compares.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the page is a file, and a test says when it is written"
)]
fn the_published_page_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/endpoints.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).expect("written");
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == page,
        "{} is not what the tables say; `UPDATE=1 cargo test -p ordain-core --lib endpoints::page` writes it anew",
        path.display()
    );
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for wire in all() {
        let blocked = if wire.talk().is_some() {
            "an answer that refuses, or an error"
        } else {
            "an error"
        };
        let streams = if wire.sights().stream.is_empty() { "no" } else { "yes" };
        let _ = writeln!(page, "| `{}` | {blocked} | {streams} |", wire.id());
    }
    for dialect in Dialect::ALL {
        let own: Vec<_> = table().iter().filter(|one| one.dialect == dialect).collect();
        if own.is_empty() {
            continue;
        }
        let count = |word: &str| own.iter().filter(|one| one.handling.as_str() == word).count();
        let _ = write!(
            page,
            "\n## `{}`\n\n{} operations: {} inspected, {} answered, {} refused.\n\n| method | path | handling |\n|---|---|---|\n",
            dialect.as_str(),
            own.len(),
            count("inspected"),
            count("answered"),
            count("refused"),
        );
        for one in own {
            let handling = match one.handling {
                Handling::Inspected(wire) => format!("inspected by `{}`", wire.id()),
                other @ (Handling::Models | Handling::Refused) => other.as_str().to_owned(),
            };
            let _ = writeln!(page, "| {} | `{}` | {handling} |", one.method, one.path);
        }
    }
    page
}

const HEAD: &str = "\
# Endpoints

The gateway knows the operations of these APIs by method and path, and what it does with each. A path is taken as it is
written: no slash more, no escape, no other case. What is not listed here is refused like what is listed so. This page is
written from the tables in `crates/core/data/endpoints`, and a test holds it to them.

| handling | means |
|---|---|
| inspected | the bodies of request and answer are read and judged by the policy |
| answered | the gateway answers by itself: which models there are |
| refused | it is turned away and recorded, whoever asks |

`{model}` in a path is the model, or the deployment, that a request is for. If the body names one too, it is the same one.

## Wires

A wire reads the bodies of an endpoint. Where answers are words of a model, a block can be one of them; elsewhere it is an
error in the shape of the API.

| wire | a block is | streams |
|---|---|---|
";
