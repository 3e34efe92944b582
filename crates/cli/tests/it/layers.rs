//! Who may import whom: the tables of ARCHITECTURE.md against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of every table headed "crate or module | may import".
fn tables() -> Vec<BTreeMap<String, BTreeSet<String>>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut tables = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "| crate or module | may import |" {
            continue;
        }
        let mut table = BTreeMap::new();
        for row in lines.by_ref().skip(1).take_while(|row| row.starts_with('|')) {
            let names = |cell: &str| {
                cell.split('`')
                    .skip(1)
                    .step_by(2)
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let mut cells = row.trim_matches('|').splitn(2, '|');
            let (of, may) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
            if let Some(name) = names(of).into_iter().next() {
                table.insert(name, names(may).into_iter().collect());
            }
        }
        tables.push(table);
    }
    tables
}

/// Every Rust file below a path, with its text; files and folders of tests, and pages that only tests write, are left out.
fn sources(path: &Path) -> Vec<String> {
    if path.is_file() {
        return vec![fs::read_to_string(path).expect("a source file")];
    }
    let mut texts = Vec::new();
    let entries = fs::read_dir(path)
        .map(|entries| entries.flatten().collect::<Vec<_>>())
        .unwrap_or_default();
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            texts.extend(sources(&path));
        } else if name.ends_with(".rs") && !["tests.rs", "page.rs"].contains(&name.as_str()) {
            texts.push(fs::read_to_string(&path).expect("a source file"));
        }
    }
    texts
}

/// The code of a file without its comments and without an inline `mod tests` at its end.
fn code(text: &str) -> String {
    let product = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    product
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The top-level modules that a file reaches by `crate::`.
fn reached(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let after = code(text)
        .split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|&c| is_name(c)).collect())
        .collect::<Vec<String>>();
    after.into_iter().filter(|name| !name.is_empty()).collect()
}

#[test]
fn crates_import_what_the_table_says() {
    let tables = tables();
    let table = tables.first().expect("the table of crates");
    for (name, may) in table {
        let folder = name.trim_start_matches("ordain-");
        let manifest = fs::read_to_string(root().join("crates").join(folder).join("Cargo.toml")).expect("a manifest");
        let product = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        let own = product
            .lines()
            .filter(|line| line.starts_with("ordain-") && line.contains('='));
        let found: BTreeSet<String> = own
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .map(str::to_owned)
            .collect();
        assert!(
            found.is_subset(may),
            "{name} imports {found:?}; ARCHITECTURE.md allows {may:?}"
        );
    }
    let folders: BTreeSet<String> = fs::read_dir(root().join("crates"))
        .expect("crates")
        .flatten()
        .map(|entry| format!("ordain-{}", entry.file_name().to_string_lossy()))
        .collect();
    assert_eq!(
        folders,
        table.keys().cloned().collect(),
        "every crate stands in the table"
    );
}

#[test]
fn modules_of_the_core_import_what_the_table_says() {
    let tables = tables();
    let table = tables.get(1).expect("the table of the core's modules");
    let core = root().join("crates/core/src");
    for (name, may) in table {
        let mut texts = sources(&core.join(format!("{name}.rs")).canonicalize().unwrap_or_default());
        texts.extend(sources(&core.join(name)));
        assert!(!texts.is_empty(), "there is no module {name}");
        let mut found: BTreeSet<String> = texts.iter().flat_map(|text| reached(text)).collect();
        found.remove(name);
        assert_eq!(&found, may, "what {name} imports, and what ARCHITECTURE.md says");
    }
}
