//! The list of threats: every row stands in it, is held by tests that exist, or is open with a reason and an owner.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every threat of the parts that exist, by letter and number.
const ROWS: [&str; 43] = [
    "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15", "A16", "A17", "A18", "B1", "B2", "B3", "B4", "B5", "B6",
    "B7", "B8", "B9", "B10", "B11", "B12", "B13", "B16", "B17", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9",
    "C10", "C11", "C12", "C13", "E1", "E2", "E3", "E4",
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/reference/threats.md")).expect("the list of threats")
}

/// The cells of each row, by id, in the order of the page.
fn rows(page: &str) -> Vec<(&str, Vec<&str>)> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| "))
        .map(|line| {
            line.trim_end_matches('|')
                .split(" | ")
                .map(str::trim)
                .collect::<Vec<_>>()
        })
        .filter(|cells| cells.first().is_some_and(|id| !matches!(*id, "id" | "---")))
        .map(|cells| (cells[0], cells[1..].to_vec()))
        .collect()
}

#[test]
fn every_threat_stands_in_the_list_once() {
    let page = page();
    let ids: Vec<&str> = rows(&page).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ROWS);
}

/// The tests that a cell names, as `path::name` between backticks, and what it says to be open.
fn held(cell: &str) -> (Vec<(&str, &str)>, Option<&str>) {
    let (tests, open) = match cell.split_once("**open**: ") {
        Some((tests, open)) => (tests, Some(open)),
        None => (cell, None),
    };
    let named = tests.split('`').skip(1).step_by(2);
    (named.filter_map(|name| name.split_once("::")).collect(), open)
}

#[test]
fn every_row_is_held_by_tests_that_exist_or_is_open() {
    let page = page();
    let mut files = BTreeMap::new();
    for (id, cells) in rows(&page) {
        let [threat, does, by] = cells[..] else {
            panic!("{id} has {} cells beside its id", cells.len());
        };
        assert!(!threat.is_empty() && !does.is_empty(), "{id}");
        let (tests, open) = held(by);
        assert!(!tests.is_empty() || open.is_some(), "{id} is neither held nor open");
        for (path, name) in tests {
            let text = files
                .entry(path)
                .or_insert_with(|| fs::read_to_string(root().join(path)).unwrap_or_default());
            let heads = [format!("fn {name}("), format!("def {name}(")];
            assert!(
                heads.iter().any(|head| text.contains(head)),
                "{id} names `{path}::{name}`, which does not exist"
            );
        }
        if let Some(open) = open {
            let (reason, owner) = open
                .split_once(" (owner: ")
                .unwrap_or_else(|| panic!("{id} has no owner"));
            assert!(reason.len() > 20, "{id} says no reason");
            let owner = owner.strip_suffix(')').unwrap_or_default();
            assert!(
                !owner.is_empty() && owner.bytes().all(|byte| byte.is_ascii_lowercase()),
                "{id}: the owner is a role in one word, and ends the cell"
            );
        }
    }
}

#[test]
fn a_threat_that_the_code_cites_stands_in_the_list() {
    // Those of parts that this page leaves to others: policies, the ledger, and what a machine runs out of.
    let elsewhere = ["D", "F", "G", "I"];
    let page = page();
    let known: Vec<&str> = rows(&page).into_iter().map(|(id, _)| id).collect();
    let mut cited = 0;
    for folder in ["crates/core/src", "crates/server/src"] {
        for text in sources(&root().join(folder)) {
            for after in text.split("(threat ").skip(1) {
                let id: String = after.chars().take_while(char::is_ascii_alphanumeric).collect();
                cited += 1;
                assert!(
                    known.contains(&id.as_str()) || elsewhere.iter().any(|letter| id.starts_with(letter)),
                    "the code cites {id}"
                );
            }
        }
    }
    assert!(
        cited > 10,
        "the code cites threats in another way than this test looks for"
    );
}

fn sources(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            texts.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            texts.push(fs::read_to_string(&path).expect("a source file"));
        }
    }
    texts
}
