//! The digest of a policy stands for exactly the bytes that make it up.

use ordain_core::catalog::Catalog;
use ordain_core::policy::{File, Files, load};

use super::world::{at, document};

fn digest(files: &[(&str, &str)]) -> String {
    let file = |&(path, text): &(&str, &str)| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let files = Files::new(files.iter().map(file).collect());
    let loaded = load(&files, &Catalog::built_in(), at("2026-12-10T12:00:00Z"));
    loaded.document.expect("it can be read").digest.to_string()
}

/// The base policy with its data section in a file of its own.
fn parts() -> (String, String) {
    let whole = document("");
    let (start, rest) = whole.split_once("data:\n").expect("it has one");
    let (data, end) = rest.split_once("shadow_ai:").expect("it follows");
    (
        format!("include: [data.yaml]\n{start}shadow_ai:{end}"),
        format!("data:\n{data}"),
    )
}

#[test]
fn includes_are_in_and_cases_and_strangers_are_out() {
    let (root, data) = parts();
    let plain = digest(&[("policy.yaml", &root), ("data.yaml", &data)]);
    assert!(plain.starts_with("sha256:") && plain.len() == 71);
    assert_eq!(
        digest(&[("data.yaml", &data), ("policy.yaml", &root)]),
        plain,
        "the order of files does not matter"
    );
    let case = "cases: []\n";
    assert_eq!(
        digest(&[("policy.yaml", &root), ("data.yaml", &data), ("cases/one.yaml", case)]),
        plain
    );
    assert_eq!(
        digest(&[("policy.yaml", &root), ("data.yaml", &data), ("notes.yaml", "a: b\n")]),
        plain
    );
    assert_ne!(
        digest(&[("policy.yaml", &root), ("data.yaml", &format!("{data}\n"))]),
        plain
    );
    let renamed = root.replace("data.yaml", "info.yaml");
    assert_ne!(digest(&[("policy.yaml", &renamed), ("info.yaml", &data)]), plain);
}

#[test]
fn every_byte_counts() {
    let (root, data) = parts();
    let plain = digest(&[("policy.yaml", &root), ("data.yaml", &data)]);
    // A comment changes no meaning; wherever it stands, and whatever it says, the digest is another one.
    let mut seen = vec![plain];
    for (offset, _) in root.match_indices('\n').chain([(root.len() - 1, "")]) {
        for byte in ["#a", "#b", "#a "] {
            let (before, after) = root.split_at(offset);
            let changed = format!("{before} {byte}{after}");
            seen.push(digest(&[("policy.yaml", &changed), ("data.yaml", &data)]));
        }
    }
    for (offset, _) in data.match_indices('\n') {
        let (before, after) = data.split_at(offset);
        let changed = format!("{before} #{after}");
        seen.push(digest(&[("policy.yaml", &root), ("data.yaml", &changed)]));
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    // The last line end is tried once more by its offset.
    assert_eq!(seen.len(), all - 3, "each change has a digest of its own");
}
