//! From facts to Cedar requests: what the context of a question holds.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::selectors::{EVERYONE, weekday};
use super::text::spot;
use crate::decide::selector::Pattern;
use crate::decide::{Bound, Called, Facts};
use crate::policy::compile::Policy;
use crate::policy::document::{Document, Selector};
use crate::verdict::{Direction, Source, SourceSet};

/// A policy with what it takes to put its facts into Cedar's terms.
#[derive(Debug)]
pub struct Bridge<'p> {
    policy: &'p Policy,
    /// Patterns in `tool` keys, which Cedar cannot match against a set by itself.
    tools: Vec<(String, Pattern)>,
    /// Courses that the schema knows.
    courses: BTreeSet<String>,
}

/// One Cedar request, but for its action: every action is asked of every question, and each must allow.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The principal's id, of type `Ordain::Principal`.
    pub principal: String,
    /// Type and id of the resource: the app, or one call of a tool.
    pub resource: (&'static str, String),
    /// The context, in Cedar's JSON.
    pub context: Value,
    /// Principal and resource with what they are in, in Cedar's JSON.
    pub entities: Value,
}

impl<'p> Bridge<'p> {
    /// The bridge of a policy and the document that it was made of.
    #[must_use]
    pub fn new(document: &Document, policy: &'p Policy) -> Self {
        let rules = document.clauses.iter().filter_map(|clause| clause.rule.as_ref());
        let who = document.exceptions.iter().flat_map(|exception| &exception.who);
        let selectors = rules.flat_map(|rule| rule.when.iter().chain(&rule.unless)).chain(who);
        let names: BTreeSet<&str> = selectors
            .flat_map(|selector: &Selector| selector.tool.iter().flatten())
            .map(|pattern| pattern.as_str())
            .collect();
        Self {
            policy,
            tools: names
                .into_iter()
                .map(|name| (name.to_owned(), Pattern::new(name)))
                .collect(),
            courses: document
                .education
                .courses
                .iter()
                .map(|course| course.id.value.clone())
                .collect(),
        }
    }

    /// The questions that facts become: one for the exchange, and one for each tool that an answer calls.
    #[must_use]
    pub fn questions(&self, facts: &Facts) -> Vec<Question> {
        // Whoever acts on somebody's behalf needs the answer for both.
        let others = facts
            .who
            .on_behalf_of
            .as_ref()
            .map(|other| self.questions(&facts.of(other)));
        let bound = Bound::new(self.policy, facts);
        let context = self.context(&bound);
        let mut groups: Vec<&str> = self.policy.names.group_names(&bound.groups).collect();
        if !groups.contains(&EVERYONE) {
            groups.push(EVERYONE);
        }
        let app = entity(
            "App",
            &facts.to.app,
            &named("Category", facts.to.categories.iter().map(String::as_str)),
        );
        let principal = entity("Principal", &facts.who.principal, &named("Group", groups));
        let ask = |resource: (&'static str, String), mut entities: Vec<Value>| {
            entities.extend([principal.clone(), app.clone()]);
            Question {
                principal: facts.who.principal.clone(),
                resource,
                context: context.clone(),
                entities: Value::Array(entities),
            }
        };
        let mut questions = vec![ask(("Ordain::App", facts.to.app.clone()), Vec::new())];
        if facts.direction == Direction::Answer {
            for call in facts.content.tools.iter().filter(|call| !call.awaited) {
                let mut tool = entity("Tool", &call.name, &[]);
                if let Some(attributes) = tool.get_mut("attrs") {
                    *attributes = json!({ "name": call.name, "met": call.met });
                }
                questions.push(ask(("Ordain::Tool", call.name.clone()), vec![tool]));
            }
        }
        questions.extend(others.into_iter().flatten());
        questions
    }

    fn context(&self, bound: &Bound<'_>) -> Value {
        let (facts, content) = (bound.facts, &bound.facts.content);
        let (local, sets) = (bound.local(), Sets::of(bound));
        let time = local.time();
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        let mut context = json!({
            "direction": facts.direction.as_str(),
            "app": uid("App", &facts.to.app),
            "app_class": bound.app_class.as_str(),
            "sources": content.sources.iter().map(Source::as_str).collect::<Vec<_>>(),
            "entities": sets.entities,
            "fixed_entities": sets.fixed_entities,
            "class": self.policy.class_name(bound.data_class),
            "classes": sets.classes,
            "found_classes": sets.found_classes,
            "fixed_classes": sets.fixed_classes,
            "findings": sets.findings,
            "tools": self.tools(&content.tools),
            // Where an endpoint is asked about as a whole, its line says what that means.
            "uninspectable": content.uninspectable && content.endpoint.is_none(),
            "failed": content.failed,
            "today": datetime(local.date()),
            "time": extension("duration", &format!("{hour}h{minute}m{second}s")),
            "weekday": weekday(local.date().weekday()),
            "training": self.training(facts),
        });
        let optional = [
            ("model", &facts.model),
            ("use", &facts.use_),
            ("client", &facts.who.client),
            ("endpoint", &content.endpoint),
        ];
        if let Some(context) = context.as_object_mut() {
            for (key, value) in optional {
                context.extend(value.as_ref().map(|value| (key.to_owned(), json!(value))));
            }
            // In whole milliseconds, rounded up: what is over a limit stays over it.
            let ago = facts.who.signed_in.filter(|at| *at <= facts.now);
            let ago = ago.map(|at| {
                facts.now.duration_since(at).as_nanos().div_euclid(1_000_000)
                    + i128::from(facts.now.duration_since(at).as_nanos() % 1_000_000 > 0)
            });
            context.extend(ago.map(|ago| ("signed_in".to_owned(), extension("duration", &format!("{ago}ms")))));
            context.extend(facts.who.since.map(|since| ("since".to_owned(), datetime(since))));
        }
        context
    }

    /// When each course was last completed.
    fn training(&self, facts: &Facts) -> Value {
        let mut last: Map<String, Value> = Map::new();
        let mut done: Vec<_> = facts
            .who
            .training
            .iter()
            .filter(|(course, _)| self.courses.contains(course))
            .collect();
        done.sort_by_key(|(_, on)| *on);
        for (course, on) in done {
            last.insert(course.clone(), datetime(*on));
        }
        Value::Object(last)
    }

    /// The names called, and the patterns that match one of them.
    fn tools<'s>(&'s self, called: &'s [Called]) -> BTreeSet<&'s str> {
        let matched = self
            .tools
            .iter()
            .filter(|(_, pattern)| called.iter().any(|call| pattern.matches(&call.name)))
            .map(|(name, _)| name.as_str());
        called.iter().map(|call| call.name.as_str()).chain(matched).collect()
    }
}

/// The sets of words of the context.
#[derive(Default)]
struct Sets {
    entities: BTreeSet<String>,
    fixed_entities: BTreeSet<String>,
    classes: BTreeSet<String>,
    found_classes: BTreeSet<String>,
    fixed_classes: BTreeSet<String>,
    findings: BTreeSet<String>,
}

impl Sets {
    fn of(bound: &Bound<'_>) -> Self {
        let (policy, content) = (bound.policy, &bound.facts.content);
        let mut sets = Self::default();
        let mut silent = content.sources;
        for found in &bound.found {
            let (entity, class) = (found.seen.entity.as_str(), policy.class_name(found.class));
            put(&mut sets.entities, entity, found.seen.sources);
            put(&mut sets.classes, class, found.seen.sources);
            put(&mut sets.found_classes, class, found.seen.sources);
            if !found.seen.fixed.is_empty() {
                put(&mut sets.fixed_entities, entity, found.seen.fixed);
                put(&mut sets.fixed_classes, class, found.seen.fixed);
            }
            silent = silent
                .iter()
                .filter(|&source| !found.seen.sources.contains(source))
                .collect();
        }
        let default = policy.class_name(policy.default_class);
        sets.classes.extend(silent.iter().map(|source| spot(default, source)));
        if bound.found.is_empty() {
            sets.classes.insert(default.to_owned());
        }
        for (id, sources) in content.findings.iter().filter(|(_, sources)| !sources.is_empty()) {
            put(&mut sets.findings, id, *sources);
        }
        sets
    }
}

/// A word, and the word in each source.
fn put(set: &mut BTreeSet<String>, word: &str, sources: SourceSet) {
    set.insert(word.to_owned());
    set.extend(sources.iter().map(|source| spot(word, source)));
}

fn uid(kind: &str, id: &str) -> Value {
    json!({"__entity": {"type": format!("Ordain::{kind}"), "id": id}})
}

fn named<'n>(kind: &str, ids: impl IntoIterator<Item = &'n str>) -> Vec<Value> {
    let one = |id: &str| json!({"type": format!("Ordain::{kind}"), "id": id});
    ids.into_iter().map(one).collect()
}

fn entity(kind: &str, id: &str, parents: &[Value]) -> Value {
    json!({"uid": {"type": format!("Ordain::{kind}"), "id": id}, "attrs": {}, "parents": parents})
}

fn extension(function: &str, argument: &str) -> Value {
    json!({"__extn": {"fn": function, "arg": argument}})
}

fn datetime(date: jiff::civil::Date) -> Value {
    extension("datetime", &date.to_string())
}
