//! Random conditions on arguments, and calls whose arguments are near to them.

use super::Rng;
use crate::naive::model::{Call, Value};
use std::collections::BTreeMap;

/// Names, dotted paths and pointers, each with patterns for it.
const CONDITIONS: [(&str, &[&str]); 5] = [
    ("to", &["*@corp.example", "ana@*", "*"]),
    ("amount", &["<= 500", "> 20.5", "500", ">=500"]),
    ("path", &["/srv/*", "/tmp/*", "*.txt"]),
    ("items.kind", &["memo", "m*"]),
    ("/a~1b/0", &["memo", "< 500"]),
];
const ADDRESSES: [&str; 4] = [
    "ana@corp.example",
    "eve@else.example",
    "eve@else.example,ana@corp.example",
    "ana@corp.example\n",
];
const PATHS: [&str; 4] = ["/srv/a.txt", "/srv/../etc", "/tmp/b", "/srv/..\\c.txt"];
const KINDS: [&str; 3] = ["memo", "mail", "note"];
/// In tenths.
const NUMBERS: [i32; 5] = [5000, 5005, 200, 210, -10];

pub(super) fn conditions(rng: &mut Rng) -> BTreeMap<String, Vec<String>> {
    rng.some(&CONDITIONS, 1, 2)
        .into_iter()
        .map(|(name, patterns)| (name.to_owned(), rng.names(patterns, 1, 2)))
        .collect()
}

pub(super) fn call(rng: &mut Rng, tool: String) -> Call {
    let mut args = BTreeMap::new();
    let mut put = |rng: &mut Rng, name: &str, make: fn(&mut Rng) -> Value| {
        if rng.percent(85) {
            let value = if rng.percent(20) {
                Value::List((0..rng.below(3)).map(|_| make(rng)).collect())
            } else {
                make(rng)
            };
            args.insert(name.to_owned(), value);
        }
    };
    put(rng, "to", |rng| Value::Text(rng.pick(&ADDRESSES).to_owned()));
    put(rng, "amount", |rng| match rng.below(10) {
        0 => Value::Text("500".to_owned()),
        _ => Value::Number(rng.pick(&NUMBERS)),
    });
    put(rng, "path", |rng| Value::Text(rng.pick(&PATHS).to_owned()));
    put(rng, "items", |rng| match rng.below(10) {
        0 => Value::Map(BTreeMap::new()),
        _ => Value::Map(BTreeMap::from([(
            "kind".to_owned(),
            Value::Text(rng.pick(&KINDS).to_owned()),
        )])),
    });
    put(rng, "a/b", |rng| {
        Value::List(vec![match rng.below(2) {
            0 => Value::Text(rng.pick(&KINDS).to_owned()),
            _ => Value::Number(rng.pick(&NUMBERS)),
        }])
    });
    Call { tool, args }
}
