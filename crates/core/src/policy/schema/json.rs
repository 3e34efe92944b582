//! From the tables to JSON Schema, draft 2020-12.

use serde_json::{Map, Value, json};

use super::{Key, Needed, Object, Shape, Words};
use crate::detect::entities::{ENTITIES, FAMILIES};
use crate::policy::document::{REUSE, TOKENS};
use crate::policy::{node, read};
use crate::verdict::{AppClass, Direction, Mode, Source, Verdict};

/// The whole schema of a file with `root` at its top.
pub(super) fn schema(root: &'static Object, title: &str) -> Value {
    let mut builder = Builder::default();
    let body = builder.body(root);
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("title".to_owned(), json!(title));
    schema.extend(body);
    if let Some(alone) = builder.alone(root) {
        schema.insert("if".to_owned(), json!({"required": ["extends"]}));
        schema.insert("else".to_owned(), Value::Object(alone));
    }
    schema.insert("$defs".to_owned(), Value::Object(builder.definitions));
    Value::Object(schema)
}

#[derive(Default)]
struct Builder {
    definitions: Map<String, Value>,
}

impl Builder {
    fn body(&mut self, object: &'static Object) -> Map<String, Value> {
        let mut properties = Map::new();
        for key in object.keys {
            properties.insert(key.name.to_owned(), self.key(key));
        }
        let required = needed(object, Needed::Always);
        let others = object.own.map_or(json!(false), |own| self.shape(own));
        let mut body = Map::new();
        let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
        put("description", json!(object.about));
        put("type", json!("object"));
        put("properties", Value::Object(properties));
        if !required.is_empty() {
            put("required", json!(required));
        }
        if !object.one_of.is_empty() {
            let one = |key: &&str| json!({ "required": [key] });
            put("oneOf", object.one_of.iter().map(one).collect());
        }
        if !object.either.is_empty() {
            let not_both = |keys: &[&str; 2]| json!({"not": {"required": keys}});
            put("allOf", object.either.iter().map(not_both).collect());
        }
        if !object.may_be_empty {
            put("minProperties", json!(1));
        }
        put("additionalProperties", others);
        body
    }

    /// What a document that extends none must have besides, in this map and in those below.
    fn alone(&mut self, object: &'static Object) -> Option<Map<String, Value>> {
        let required = needed(object, Needed::Alone);
        let properties: Map<String, Value> = object
            .keys
            .iter()
            .filter_map(|key| {
                let inner = match key.shape {
                    Shape::Map(inner) => self.alone_reference(inner)?,
                    Shape::Maps(inner) => json!({"items": self.alone_reference(inner)?}),
                    _ => return None,
                };
                Some((key.name.to_owned(), inner))
            })
            .collect();
        let mut body = Map::new();
        if !required.is_empty() {
            body.insert("required".to_owned(), json!(required));
        }
        if !properties.is_empty() {
            body.insert("properties".to_owned(), Value::Object(properties));
        }
        (!body.is_empty()).then_some(body)
    }

    fn alone_reference(&mut self, object: &'static Object) -> Option<Value> {
        let body = self.alone(object)?;
        let name = format!("{}-alone", object.name);
        let reference = json!({ "$ref": format!("#/$defs/{name}") });
        self.definitions.insert(name, Value::Object(body));
        Some(reference)
    }

    fn key(&mut self, key: &Key) -> Value {
        let mut value = self.shape(key.shape);
        if let Some(value) = value.as_object_mut() {
            value.insert("description".to_owned(), json!(key.about));
            if let Some(example) = example(key.example) {
                value.insert("examples".to_owned(), json!([example]));
            }
        }
        value
    }

    fn shape(&mut self, shape: Shape) -> Value {
        match shape {
            Shape::Text => json!({"type": "string"}),
            Shape::Texts => some(&json!({"type": "string"})),
            Shape::SomeTexts => at_least_one(&json!({"type": "string"})),
            Shape::Raw => json!({"type": ["string", "number", "boolean", "null"]}),
            Shape::Flag => json!({"type": "boolean"}),
            Shape::QuotedFlag => json!({"enum": [true, false, "true", "false"]}),
            Shape::Number => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
            Shape::Format => json!({"const": 1}),
            Shape::Days => {
                json!({"type": "string", "pattern": r"^\s*\+?[0-9]+ \s*(day|days|week|weeks|month|months|year|years)\s*$"})
            }
            Shape::Minutes => {
                json!({"type": "string", "pattern": r"^\s*\+?[0-9]+ \s*(minute|minutes|hour|hours|day|days)\s*$"})
            }
            Shape::Date => json!({"type": "string", "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"}),
            Shape::Moment => {
                json!({"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}(:?[0-9]{2}(:?[0-9]{2}([.,][0-9]+)?)?)?)?$"})
            }
            Shape::Hours => {
                json!({"type": "string", "pattern": r"^\s*([01]?[0-9]|2[0-3]):[0-5]?[0-9]\s*-\s*([01]?[0-9]|2[0-3]):[0-5]?[0-9]\s*$"})
            }
            Shape::Records => json!({"type": "string", "pattern": r"^(?!\.\.)((?!\.{1,2}/)[^/\\]+/)*[^/\\]*\.csv$"}),
            Shape::Arguments => {
                let number = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?";
                let pattern = format!(r"^($|[^<>]|[<>]=?\s*{number}\s*$)");
                let patterns = at_least_one(&json!({"type": "string", "pattern": pattern}));
                let name = r"^(/|[^.]+(\.[^.]+)*$)";
                json!({"type": "object", "propertyNames": {"pattern": name}, "additionalProperties": patterns})
            }
            Shape::AnyMap => json!({"type": "object"}),
            Shape::Word(words) => self.word(words),
            Shape::SomeWords(words) => some(&self.word(words)),
            Shape::Map(object) => self.reference(object),
            Shape::Maps(object) => json!({"type": "array", "items": self.reference(object)}),
            Shape::SomeMaps(object) => some(&self.reference(object)),
            Shape::NamesOrMaps(object) => {
                let one = json!({"anyOf": [{"type": "string"}, self.reference(object)]});
                some(&one)
            }
            Shape::Own(value) => json!({"type": "object", "additionalProperties": self.shape(*value)}),
            Shape::OwnEntities(value) => {
                let value = self.shape(*value);
                let described = |about: &str| {
                    let mut value = value.clone();
                    if let Some(value) = value.as_object_mut() {
                        value.insert("description".to_owned(), json!(about));
                    }
                    value
                };
                let families = FAMILIES.iter().map(|family| {
                    (
                        (*family).to_owned(),
                        described(&format!("Everything of the family `{family}`.")),
                    )
                });
                let entities = ENTITIES
                    .iter()
                    .map(|entity| (entity.id.to_owned(), described(entity.label)));
                let known: Map<String, Value> = families.chain(entities).collect();
                json!({"type": "object", "properties": known, "additionalProperties": value})
            }
        }
    }

    fn word(&mut self, words: Words) -> Value {
        let (name, list, about) = words.parts();
        self.definitions
            .entry(name)
            .or_insert_with(|| json!({"description": about, "type": "string", "enum": list}));
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn reference(&mut self, object: &'static Object) -> Value {
        if !self.definitions.contains_key(object.name) {
            // Taken first, so that a map may hold itself.
            self.definitions.insert(object.name.to_owned(), Value::Null);
            let body = self.body(object);
            self.definitions.insert(object.name.to_owned(), Value::Object(body));
        }
        json!({ "$ref": format!("#/$defs/{}", object.name) })
    }
}

impl Words {
    /// The name of its definition, the words, and what they mean.
    pub(super) fn parts(self) -> (&'static str, Vec<&'static str>, &'static str) {
        match self {
            Self::Verdict => (
                "verdict",
                Verdict::ALL.iter().map(|word| word.as_str()).collect(),
                "What happens, weakest to strongest: `allow` passes, `coach` passes with a word to the person, `justify` asks for a reason, `redact` masks, `hold` waits for another person, `block` refuses. The strictest wins.",
            ),
            Self::Mode => (
                "mode",
                Mode::ALL.iter().map(|word| word.as_str()).collect(),
                "How a part of the policy acts now: `observe` only records, `coach` at most tells, `enforce` acts.",
            ),
            Self::AppClass => (
                "app-class",
                AppClass::ALL.iter().map(|word| word.as_str()).collect(),
                "What the organisation thinks of an app. What nobody listed is `unknown`.",
            ),
            Self::Direction => (
                "direction",
                Direction::ALL.iter().map(|word| word.as_str()).collect(),
                "What goes to the app, or what comes back.",
            ),
            Self::Source => (
                "source",
                Source::ALL.iter().map(|word| word.as_str()).collect(),
                "Who wrote a part: the `user`, the `system` instructions, a `tool`, something `retrieved`, or a `model`.",
            ),
            Self::Day => (
                "day",
                vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                "A day of the week.",
            ),
            Self::Event => (
                "event",
                read::EVENTS.to_vec(),
                "Something after which the policy is read again before its time.",
            ),
            Self::Tier => ("tier", read::TIERS.to_vec(), "How much a use can do to people."),
            Self::ToolKind => (
                "tool-kind",
                read::KINDS.to_vec(),
                "What a tool does: `read` looks, `write` changes, `irreversible` does what cannot be undone.",
            ),
            Self::Inherit => (
                "inherit",
                read::INHERIT.to_vec(),
                "Which label an answer takes: that of the most sensitive input, or none.",
            ),
            Self::Tokens => (
                "tokens",
                TOKENS.to_vec(),
                "How values are put back in place of tokens: `reversible` where the answer's rules let them pass, `restore` whatever these say.",
            ),
            Self::Reuse => (
                "reuse-of-answers",
                REUSE.to_vec(),
                "How answers may be reused: `free`, after `human-review`, or not at all (`none`).",
            ),
        }
    }
}

/// One of something, or a list of them.
fn some(one: &Value) -> Value {
    json!({"anyOf": [one, {"type": "array", "items": one}]})
}

/// One of something, or a list of at least one.
fn at_least_one(one: &Value) -> Value {
    json!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
}

fn needed(object: &Object, when: Needed) -> Vec<&'static str> {
    let keys = object.keys.iter().filter(|key| key.needed == when);
    keys.map(|key| key.name).collect()
}

/// An example, read as YAML.
pub(super) fn example(text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    let mut problems = Vec::new();
    node::parse(0, text, &mut problems).map(|node| plain(&node))
}

/// A node as an editor's YAML reader sees it (YAML 1.2, core schema).
pub(super) fn plain(node: &node::Node) -> Value {
    match &node.value {
        node::Value::Scalar { text, quoted: true } => json!(text),
        node::Value::Scalar { text, quoted: false } => match text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => json!(true),
            "false" | "False" | "FALSE" => json!(false),
            number => {
                let starts = number.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
                let whole = number.parse::<i64>().ok().map(|number| json!(number));
                let real = || {
                    number
                        .parse::<f64>()
                        .ok()
                        .filter(|_| starts)
                        .map(|number| json!(number))
                };
                whole.or_else(real).unwrap_or_else(|| json!(number))
            }
        },
        node::Value::List(items) => items.iter().map(plain).collect(),
        node::Value::Map(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.clone(), plain(&entry.node)));
            Value::Object(entries.collect())
        }
    }
}
