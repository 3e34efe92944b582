//! The schema and the reader know the same language.

#![expect(clippy::disallowed_methods, reason = "tests read the repository's own files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::{Object, Shape, json as emit};
use crate::policy::fields::known::{self, Known};
use crate::policy::node::{self, Node};
use crate::policy::problem::Problem;
use crate::policy::{File, Files, read};
use crate::verdict::AppClass;

/// What the reader says about shape; the rest is about meaning.
const SHAPE: [&str; 4] = ["unknown-key", "wrong-type", "missing-key", "unknown-word"];

/// Whether a problem is that the policy which a document extends is not there; its own shape was read by then.
fn is_of_the_parent(problem: &Problem) -> bool {
    problem.code == "unknown-parent"
}

/// A file that the language has a schema for.
struct Language {
    path: &'static str,
    root: &'static Object,
    schema: Value,
}

fn languages() -> [Language; 2] {
    [
        Language {
            path: "policy.yaml",
            root: &super::header::POLICY,
            schema: super::policy(),
        },
        Language {
            path: "cases/all.yaml",
            root: &super::cases::CASES,
            schema: super::cases(),
        },
    ]
}

impl Language {
    fn validator(&self) -> Validator {
        jsonschema::validator_for(&self.schema).expect("a schema")
    }

    /// What the reader says to a text, and what it asked for on the way.
    fn read(&self, text: &str) -> (Vec<Problem>, Known) {
        let file = File {
            path: self.path.to_owned(),
            text: text.to_owned(),
        };
        let (files, mut problems) = (Files::new(vec![file]), Vec::new());
        known::take();
        if self.path == "policy.yaml" {
            read::document(&files, &mut problems);
        } else {
            crate::policy::cases::read(&files, None, &mut problems);
        }
        (problems, known::take())
    }
}

#[test]
fn schemas_are_schemas_with_a_word_on_everything() {
    for language in languages() {
        assert!(jsonschema::meta::is_valid(&language.schema));
        let mut seen = BTreeSet::new();
        described(language.root, &mut seen);
    }
}

fn described(object: &'static Object, seen: &mut BTreeSet<&'static str>) {
    if !seen.insert(object.name) {
        return;
    }
    assert!(object.about.ends_with('.'), "{}", object.name);
    for key in object.keys {
        assert!(key.about.ends_with('.'), "{}.{}", object.name, key.name);
        if !key.example.is_empty() {
            assert!(emit::example(key.example).is_some(), "{}.{}", object.name, key.name);
        }
        if let Some(inner) = below(key.shape) {
            described(inner, seen);
        }
    }
    object
        .own
        .and_then(below)
        .into_iter()
        .for_each(|inner| described(inner, seen));
}

/// The map that a shape leads to.
fn below(shape: Shape) -> Option<&'static Object> {
    match shape {
        Shape::Map(object) | Shape::Maps(object) | Shape::SomeMaps(object) | Shape::NamesOrMaps(object) => Some(object),
        Shape::Own(inner) | Shape::OwnEntities(inner) => below(*inner),
        _ => None,
    }
}

#[test]
fn every_key_of_the_reader_is_in_the_schema_and_the_other_way_round() {
    for (language, way) in languages().iter().flat_map(|language| [(language, 0), (language, 1)]) {
        let text = whole(language.root, way).to_string();
        let (mut problems, mut asked) = language.read(&text);
        problems.retain(|problem| !is_of_the_parent(problem));
        assert_eq!(problems, [], "{text}");
        let tree = node::parse(0, &text, &mut Vec::new()).expect("a tree");
        compare(&tree, language.root, language.root.name, &mut asked);
        assert_eq!(
            asked,
            Known::new(),
            "the reader reads these maps, and the schema has none there"
        );
    }
}

/// Holds what was asked of a map to the keys of its table, and of the maps inside.
fn compare(node: &Node, object: &'static Object, path: &str, asked: &mut Known) {
    let node::Value::Map(entries) = &node.value else {
        panic!("{path} is a map")
    };
    let mut keys: BTreeSet<&str> = object.keys.iter().map(|key| key.name).collect();
    if let Some(words) = read_by_word(object) {
        assert_eq!(
            words, keys,
            "words that the reader knows in {path}, and keys in the schema"
        );
    } else if object.own.is_none() {
        // Maps with names of the author's own are not read key by key.
        let known = asked
            .remove(&node.place)
            .unwrap_or_else(|| panic!("the reader does not read {path}"));
        if object.name == "policy" {
            // `include` is taken out before the keys are read.
            keys.remove("include");
        }
        // The second way to write a key is only looked for where the first one is not.
        let written = |key: &str| entries.iter().any(|entry| entry.key == key);
        for [first, second] in object.either {
            if written(first) {
                keys.remove(second);
            }
        }
        assert_eq!(
            known, keys,
            "keys that the reader knows in {path}, and keys in the schema"
        );
    }
    for entry in entries {
        let key = object.keys.iter().find(|key| key.name == entry.key);
        let shape = key.map(|key| key.shape).or(object.own).expect("a known key");
        inside(&entry.node, shape, &format!("{path}.{}", entry.key), asked);
    }
}

/// The keys of a map that the reader reads entry by entry, where they are words of a closed set.
fn read_by_word(object: &Object) -> Option<BTreeSet<&'static str>> {
    match object.name {
        "row" => Some(AppClass::ALL.iter().map(|class| class.as_str()).collect()),
        "terms" => Some(read::TERMS.into_iter().chain(["checked"]).collect()),
        "reuse" => Some(read::AUDIENCES.into()),
        "start" => Some(read::BREACHES.into()),
        _ => None,
    }
}

fn inside(node: &Node, shape: Shape, path: &str, asked: &mut Known) {
    match (shape, &node.value) {
        (Shape::Own(inner) | Shape::OwnEntities(inner), node::Value::Map(entries)) => {
            for entry in entries {
                inside(&entry.node, *inner, &format!("{path}.{}", entry.key), asked);
            }
        }
        (Shape::Arguments | Shape::AnyMap, _) => {}
        (_, node::Value::List(items)) => items.iter().for_each(|item| inside(item, shape, path, asked)),
        (_, node::Value::Map(_)) => compare(node, below(shape).expect("a map"), path, asked),
        (_, node::Value::Scalar { .. }) => {}
    }
}

/// A file with every key of the language in it; where there are two ways to write a key, in one of them. In the first way a
/// policy stands alone, in the second one it extends another.
fn whole(object: &'static Object, way: usize) -> Value {
    let mut map = Map::new();
    for key in object.keys {
        let other_of_one = object.one_of.contains(&key.name) && object.one_of.first() != Some(&key.name);
        let other_way = object.either.iter().any(|ways| ways[1 - way] == key.name);
        let alone = way == 0 && key.name == "extends";
        if !other_of_one && !other_way && !alone {
            map.insert(key.name.to_owned(), value(key.shape, key.name, way));
        }
    }
    if let Some(own) = object.own {
        map.insert("a-name".to_owned(), value(own, "", way));
    }
    Value::Object(map)
}

fn value(shape: Shape, key: &str, way: usize) -> Value {
    match shape {
        Shape::Text if key == "timezone" => json!("UTC"),
        Shape::Texts if matches!(key, "include" | "delegated") => json!([]),
        Shape::Text => json!("a text"),
        Shape::Texts | Shape::SomeTexts => json!(["one", "two"]),
        Shape::Raw => json!(0),
        Shape::Flag | Shape::QuotedFlag => json!(true),
        Shape::Number => json!(20),
        Shape::Format => json!(1),
        Shape::Days => json!("30 days"),
        Shape::Minutes => json!("15 minutes"),
        Shape::Date => json!("2026-12-31"),
        Shape::Moment => json!("2026-12-01T09:30"),
        Shape::Hours => json!("08:00-18:00"),
        Shape::Records => json!("training.csv"),
        Shape::Arguments => json!({"a-name": ["a text", "<= 500"], "order.id": "*"}),
        Shape::AnyMap => json!({"a-name": ["a text", 1]}),
        Shape::Word(words) => json!(words.parts().1.last()),
        Shape::SomeWords(words) => json!(words.parts().1),
        Shape::Map(object) => whole(object, way),
        Shape::Maps(object) | Shape::SomeMaps(object) => json!([whole(object, way)]),
        Shape::NamesOrMaps(object) => json!(["a-name", whole(object, way)]),
        Shape::Own(inner) => json!({"a-name": value(*inner, "", way)}),
        Shape::OwnEntities(inner) => json!({"iban": value(*inner, "", way)}),
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file below the sample policies that a language is for.
fn samples() -> Vec<(PathBuf, Value)> {
    let mut folders = vec![repository().join("policies")];
    let mut samples = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("policy.yaml") || folder.ends_with("cases") {
                let text = fs::read_to_string(&path).expect("a text");
                let tree = node::parse(0, &text, &mut Vec::new()).expect("a tree");
                samples.push((path, emit::plain(&tree)));
            }
        }
    }
    samples
}

fn language_of<'l>(languages: &'l [Language; 2], path: &Path) -> &'l Language {
    let [policy, cases] = languages;
    if path.ends_with("policy.yaml") { policy } else { cases }
}

#[test]
fn the_sample_policies_and_their_cases_fit() {
    let (languages, samples) = (languages(), samples());
    assert!(samples.len() >= 2);
    for (path, value) in samples {
        let validator = language_of(&languages, &path).validator();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

#[test]
fn what_the_reader_refuses_for_its_shape_the_schema_refuses_and_nothing_else() {
    const CHANGES: usize = 400;
    let languages = languages();
    let mut originals = samples();
    for way in [0, 1] {
        let whole = |one: &Language| (PathBuf::from(one.path), whole(one.root, way));
        originals.extend(languages.iter().map(whole));
    }
    let mut dice = Dice(20_261_123);
    let (mut refused, mut accepted) = (0, 0);
    for (path, original) in originals {
        let language = language_of(&languages, &path);
        let validator = language.validator();
        for _ in 0..CHANGES {
            let mut changed = original.clone();
            let what = change(&mut changed, &mut dice);
            let (problems, _) = language.read(&changed.to_string());
            let valid = validator.is_valid(&changed);
            let said: Vec<&Problem> = problems
                .iter()
                .filter(|problem| SHAPE.contains(&problem.code))
                .collect();
            if let Some(problem) = said.first() {
                assert!(
                    !valid,
                    "{what} in {}: the schema does not mind, but {problem:?}",
                    path.display()
                );
                refused += 1;
            } else if problems.iter().all(is_of_the_parent) {
                let errors: Vec<String> = validator.iter_errors(&changed).map(|error| error.to_string()).collect();
                assert!(valid, "{what} in {}: only the schema minds: {errors:?}", path.display());
                accepted += 1;
            }
        }
    }
    assert!(
        refused > 300 && accepted > 100,
        "{refused} refused, {accepted} accepted"
    );
}

#[test]
fn a_policy_that_extends_another_may_leave_out_what_that_one_has() {
    let [policy, _] = languages();
    let validator = policy.validator();
    let clause = json!({"id": "AU-2", "rule": {"then": "block"}});
    let mut document = json!({
        "ordain": 1,
        "extends": "../group",
        "version": "2",
        "acceptable_use": {"clauses": [clause]},
        "data": {"entities": {"iban": "restricted"}},
    });
    assert!(validator.is_valid(&document));
    let keys = document.as_object_mut().expect("a map");
    keys.shift_remove("extends");
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    for key in ["organization", "statement", "when", "default"] {
        assert!(errors.iter().any(|error| error.contains(key)), "{key}: {errors:?}");
    }
    assert_eq!(errors.len(), 4, "{errors:?}");
}

#[test]
fn names_that_have_a_form_are_held_to_it() {
    let [policy, _] = languages();
    let validator = policy.validator();
    let whole = whole(policy.root, 0);
    let accepts = |pointer: &str, value: Value| {
        let mut changed = whole.clone();
        *changed.pointer_mut(pointer).expect("a place") = value;
        let (problems, _) = policy.read(&changed.to_string());
        let valid = validator.is_valid(&changed);
        assert_eq!(valid, problems.is_empty(), "{pointer}: {problems:?}");
        valid
    };
    for (name, good) in [
        ("training.csv", true),
        ("people/training.csv", true),
        ("people/..old/.csv", true),
        ("training.txt", false),
        ("../training.csv", false),
        ("./training.csv", false),
        ("people//training.csv", false),
        ("people/../training.csv", false),
        ("/etc/training.csv", false),
        ("people\\training.csv", false),
    ] {
        assert_eq!(
            accepts("/education/courses/a-name/records", json!(name)),
            good,
            "{name}"
        );
    }
    for (args, good) in [
        (json!({"order.id": "A-*", "/order/id.": ["", "> 0", "<=-1.5e3"]}), true),
        (json!({"order..id": "*"}), false),
        (json!({"": "*"}), false),
        (json!({"amount": "<= many"}), false),
        (json!({"amount": ["*", "<"]}), false),
        (json!({"amount": []}), false),
    ] {
        assert_eq!(accepts("/access/tools/list/0/args", args.clone()), good, "{args}");
    }
    for (told, good) in [(json!(false), true), (json!("false"), true), (json!("no"), false)] {
        let place = "/applications/sanctioned/0/terms/trains_on_input";
        assert_eq!(accepts(place, told.clone()), good, "{told}");
    }
}

/// Drops or renames a key, or puts something else in the place of a value.
fn change(value: &mut Value, dice: &mut Dice) -> String {
    let inner = match value {
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(dice.below(map.len())).cloned().expect("a key");
            let turn = dice.below(12);
            if turn == 0 {
                map.shift_remove(&key);
                return format!("{key} dropped");
            }
            if turn == 1 {
                let taken = map.shift_remove(&key).expect("a value");
                map.insert(format!("{key}x"), taken);
                return format!("{key} renamed");
            }
            map.get_mut(&key)
        }
        Value::Array(items) if !items.is_empty() => {
            let index = dice.below(items.len());
            items.get_mut(index)
        }
        _ => None,
    };
    match inner {
        Some(inner) if dice.below(6) > 0 => change(inner, dice),
        _ => {
            let before = value.to_string();
            *value = match dice.below(10) {
                0 => json!(7),
                1 => json!(true),
                2 => Value::Null,
                3 => json!("word"),
                4 => json!([]),
                5 => json!({}),
                6 => json!(["word"]),
                7 => json!({"word": 1}),
                8 => json!("block"),
                _ => json!("30 days"),
            };
            format!("{before:.60} became {value}")
        }
    }
}

/// Small, seedable, and the same everywhere (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).expect("smaller than a usize")
    }
}

/// `UPDATE=1 cargo test -p ordain-core --lib policy::schema` writes the files that this compares.
#[test]
fn the_published_schemas_are_these() {
    for (name, schema) in [("policy", super::policy()), ("cases", super::cases())] {
        let path = repository().join(format!("docs/reference/{name}.schema.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).expect("JSON"));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &text).expect("written");
        }
        let published = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == text,
            "{} is not what the tables say; UPDATE=1 writes it anew",
            path.display()
        );
    }
}
