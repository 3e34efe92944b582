//! The table, the reader and the page of the reference know the same keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jsonschema::Validator;
use ordain_core::policy::fields::Reader;
use ordain_core::policy::node::{self, Node, Place, Value as Written};
use serde_json::{Map, Value, json};

use super::{Inner, Maps, Named, Own, ROWS, Row, Word, below, schema};

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).expect("a schema")
}

/// A configuration with every key in it that has no rules of its own. JSON is YAML.
fn whole() -> Value {
    filled("")
}

fn filled(before: &str) -> Value {
    let plain = below(before).filter(|(_, row)| !matches!(row.shape, Own));
    let members = plain.map(|(name, row)| {
        let value = match row.shape {
            Inner => filled(&format!("{}.", row.path)),
            Maps => json!([filled(&format!("{}[].", row.path))]),
            _ => serde_json::from_str(row.example).unwrap_or_else(|_| panic!("{} has no example", row.path)),
        };
        (name.to_owned(), value)
    });
    Value::Object(members.collect())
}

/// What the reader says to a configuration: its problems, and what each map was asked for.
fn read(config: &Value) -> (Vec<String>, BTreeMap<Place, Vec<&'static str>>, Node) {
    let mut reader = Reader::default();
    let tree = node::parse(0, &config.to_string(), &mut reader.problems).expect("a tree");
    let _ = super::super::read(&tree, &mut reader);
    let problems = reader.problems.iter().map(|problem| problem.message.clone()).collect();
    (problems, reader.asked.into_iter().collect(), tree)
}

/// Both take it, or neither does.
#[track_caller]
fn agree(config: &Value, taken: bool) {
    let (problems, ..) = read(config);
    assert_eq!(problems.is_empty(), taken, "the reader, of {config}: {problems:?}");
    assert_eq!(validator().is_valid(config), taken, "the schema, of {config}");
}

#[test]
fn every_map_is_asked_for_just_the_keys_of_the_table() {
    assert!(jsonschema::meta::is_valid(&schema()));
    let (problems, mut asked, tree) = read(&whole());
    assert_eq!(problems, Vec::<String>::new());
    compare("", &tree, &mut asked);
    assert!(
        asked.is_empty(),
        "maps that the reader reads and the table does not have: {asked:?}"
    );
}

fn compare(before: &str, node: &Node, asked: &mut BTreeMap<Place, Vec<&'static str>>) {
    let Written::Map(entries) = &node.value else {
        panic!("`{before}` is a map")
    };
    let mut known = asked.remove(&node.place).unwrap_or_default();
    let mut keys: Vec<&str> = below(before).map(|(name, _)| name).collect();
    known.sort_unstable();
    keys.sort_unstable();
    assert_eq!(known, keys, "keys of the reader and of the table in `{before}`");
    for entry in entries {
        let (_, row) = below(before).find(|(name, _)| *name == entry.key).expect("a key");
        match (row.shape, &entry.node.value) {
            (Inner, _) => compare(&format!("{}.", row.path), &entry.node, asked),
            (Maps, Written::List(items)) => {
                for item in items {
                    compare(&format!("{}[].", row.path), item, asked);
                }
            }
            _ => {}
        }
    }
}

/// The map of a configuration in which the key of a row stands, and the key's name.
fn holder<'v>(config: &'v mut Value, row: &Row) -> (&'v mut Map<String, Value>, &'static str) {
    let mut steps: Vec<&'static str> = row.path.split('.').collect();
    let name = steps.pop().expect("a name");
    let mut at = config;
    for step in steps {
        at = match step.strip_suffix("[]") {
            Some(list) => &mut at[list][0],
            None => &mut at[step],
        };
    }
    (at.as_object_mut().expect("a map"), name)
}

#[test]
fn what_the_one_takes_the_other_takes() {
    agree(&json!({}), true);
    agree(&whole(), true);
    for row in ROWS {
        let mut without = whole();
        let (map, name) = holder(&mut without, row);
        map.remove(name);
        agree(&without, !row.required);

        let mut misspelt = whole();
        let (map, name) = holder(&mut misspelt, row);
        map.insert(format!("{name}_"), json!("x"));
        agree(&misspelt, false);

        let wrong = match row.shape {
            Own => Vec::new(),
            Inner | Maps | Named => vec![json!("x"), json!(1)],
            Word(_) => vec![json!("x"), json!({}), json!([])],
            _ => vec![json!({"x": "y"}), json!(-1), json!(true)],
        };
        for value in wrong {
            let mut config = whole();
            let (map, name) = holder(&mut config, row);
            map.insert(name.to_owned(), value);
            agree(&config, false);
        }
        if let Word(words) = row.shape {
            for word in words() {
                let mut config = whole();
                let (map, name) = holder(&mut config, row);
                map.insert(name.to_owned(), json!(word));
                agree(&config, true);
            }
        }
    }
}

#[test]
fn numbers_and_addresses_have_their_bounds() {
    let at = |path: &str, value: Value| {
        let mut config = whole();
        let row = ROWS.iter().find(|row| row.path == path).expect("a row");
        let (map, name) = holder(&mut config, row);
        map.insert(name.to_owned(), value);
        config
    };
    for (share, good) in [
        ("0", true),
        ("1", true),
        ("0.25", true),
        ("1.5", false),
        ("\"0.1\"", false),
    ] {
        let share = serde_json::from_str(share).expect("a value");
        agree(&at("traces.sample", share), good);
    }
    for (number, good) in [
        (json!(0), true),
        (json!(u32::MAX), true),
        (json!(1_u64 << 32), false),
        (json!("1"), false),
    ] {
        agree(&at("limits.body_bytes", number), good);
    }
    for (address, good) in [
        ("http://127.0.0.1:4318/v1/traces", true),
        ("https://collector.example", true),
        ("ftp://collector.example", false),
        ("collector.example:4318", false),
        ("http://collector.example/?x=1", false),
        ("built-in", false),
    ] {
        agree(&at("traces.endpoint", json!(address)), good);
    }
    agree(&at("upstreams[].url", json!("built-in")), true);
    agree(&at("upstreams[].models", json!("gpt-5-mini")), true);
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/configuration.md");

/// `UPDATE=1 cargo test -p ordain-server --lib config::schema` writes the table of the page that this compares.
#[test]
fn the_page_of_the_reference_is_the_table() {
    let mut table = String::from("| key | meaning | default |\n|---|---|---|\n");
    for row in ROWS {
        let _ = writeln!(table, "| `{}` | {} | {} |", row.path, row.about, row.default);
    }
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let (before, rest) = page.split_once("| key | meaning | default |\n").expect("a table");
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    let wanted = format!("{before}{table}\n{after}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PAGE, &wanted).expect("the page");
    }
    let page = std::fs::read_to_string(PAGE).expect("the page");
    assert!(
        page == wanted,
        "{PAGE} is not what the table says; `UPDATE=1 cargo test -p ordain-server --lib config::schema` writes it anew"
    );
}
