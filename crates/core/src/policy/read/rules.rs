//! Rules, their selectors, evidence and exceptions.

use jiff::civil::{Time, Weekday};

use super::subject::app_class;
use crate::policy::document::{AppSelector, At, Document, Evidence, Exception, Rule, Selector, Text, TimeSelector};
use crate::policy::fields::{Fields, Reader};
use crate::policy::node::{Node, Value};
use crate::policy::problem::Problem;
use crate::verdict::{Direction, Source, Verdict};

/// A verdict.
pub(super) fn verdict(reader: &mut Reader, node: &Node) -> Option<At<Verdict>> {
    reader.word(
        node,
        "a verdict",
        Verdict::parse,
        &Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect::<Vec<_>>(),
    )
}

/// A word of a closed set, kept as it is written.
pub(super) fn word(reader: &mut Reader, node: &Node, what: &str, words: &[&str]) -> Option<Text> {
    let text = reader.text(node)?;
    known(reader, &text, what, words).then_some(text)
}

/// Whether a word, or a key of the author's, is one of a closed set.
pub(super) fn known(reader: &mut Reader, text: &Text, what: &str, words: &[&str]) -> bool {
    let known = words.contains(&text.as_str());
    if !known {
        let problem = Problem::error("unknown-word", text.place, format!("`{}` is not {what}", text.value));
        reader
            .problems
            .push(problem.suggest(text.as_str(), words.iter().copied()));
    }
    known
}

pub(super) fn rule(node: &Node, reader: &mut Reader) -> Option<Rule> {
    let mut fields = reader.fields(node, "a rule")?;
    let when = if reader.extends {
        fields.node("when").map(|node| selectors(reader, node))
    } else {
        fields.required_with("when", reader, |reader, node| Some(selectors(reader, node)))
    };
    let rule = Rule {
        when: when.unwrap_or_default(),
        unless: fields
            .node("unless")
            .map(|node| selectors(reader, node))
            .unwrap_or_default(),
        condition: fields.text("condition", reader),
        then: fields
            .required_with("then", reader, verdict)
            .unwrap_or_else(|| At::new(Verdict::Block, node.place)),
        tell: fields.text("tell", reader),
        place: node.place,
    };
    fields.finish(reader);
    Some(rule)
}

/// One selector or a list of which one must match.
pub(super) fn selectors(reader: &mut Reader, node: &Node) -> Vec<Selector> {
    match &node.value {
        Value::List(items) => items.iter().filter_map(|item| selector(reader, item)).collect(),
        Value::Scalar { .. } | Value::Map(_) => selector(reader, node).into_iter().collect(),
    }
}

fn selector(reader: &mut Reader, node: &Node) -> Option<Selector> {
    let mut fields = reader.fields(node, "a selector")?;
    // `for: {uses: […], groups: […]}` is how people write it; both numbers of the word mean the same.
    let use_ = fields
        .some_texts("use", reader)
        .or_else(|| fields.some_texts("uses", reader));
    let group = fields
        .some_texts("group", reader)
        .or_else(|| fields.some_texts("groups", reader));
    let selector = Selector {
        place: node.place,
        principal: fields.some_texts("principal", reader),
        group,
        client: fields.some_texts("client", reader),
        app: fields.node("app").map(|node| app_selectors(reader, node)),
        model: fields.some_texts("model", reader),
        tool: fields.some_texts("tool", reader),
        use_,
        direction: words(
            &mut fields,
            "direction",
            reader,
            "a direction",
            Direction::parse,
            Direction::ALL.iter().map(|word| word.as_str()),
        ),
        data: fields.some_texts("data", reader),
        source: words(
            &mut fields,
            "source",
            reader,
            "a source",
            Source::parse,
            Source::ALL.iter().map(|word| word.as_str()),
        ),
        finding: fields.some_texts("finding", reader),
        training: fields.some_texts("training", reader),
        signed_in: fields.node("signed_in").and_then(|node| reader.minutes(node)),
        time: fields.node("time").and_then(|node| time(reader, node)),
    };
    fields.finish(reader);
    if let Value::Map(entries) = &node.value
        && entries.is_empty()
    {
        reader.problems.push(
            Problem::error(
                "empty-selector",
                node.place,
                "a selector without keys would match everything",
            )
            .help("name at least one key, such as `group: everyone`"),
        );
    }
    Some(selector)
}

fn words<'w, T: Copy>(
    fields: &mut Fields<'_>,
    key: &'static str,
    reader: &mut Reader,
    what: &str,
    parse: fn(&str) -> Option<T>,
    words: impl Iterator<Item = &'w str>,
) -> Option<Vec<At<T>>> {
    let node = fields.node(key)?;
    let words: Vec<&str> = words.collect();
    Some(
        each(node)
            .iter()
            .filter_map(|node| reader.word(node, what, parse, &words))
            .collect(),
    )
}

/// The items of a list, or the one value.
fn each(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        Value::Scalar { .. } | Value::Map(_) => std::slice::from_ref(node),
    }
}

/// Apps: names, or maps of id, class and category.
pub(super) fn app_selectors(reader: &mut Reader, node: &Node) -> Vec<AppSelector> {
    each(node)
        .iter()
        .filter_map(|item| app_selector(reader, item))
        .collect()
}

fn app_selector(reader: &mut Reader, node: &Node) -> Option<AppSelector> {
    if let Value::Scalar { .. } = node.value {
        return Some(AppSelector {
            id: Some(vec![reader.text(node)?]),
            ..AppSelector::default()
        });
    }
    let mut fields = reader.fields(node, "an app selector")?;
    let class = fields
        .node("class")
        .map(|node| each(node).iter().filter_map(|item| app_class(reader, item)).collect());
    let selector = AppSelector {
        id: fields.some_texts("id", reader),
        class,
        category: fields.some_texts("category", reader),
    };
    fields.finish(reader);
    Some(selector)
}

fn time(reader: &mut Reader, node: &Node) -> Option<TimeSelector> {
    let mut fields = reader.fields(node, "`time`")?;
    let days = fields
        .node("days")
        .map(|node| each(node).iter().filter_map(|item| day(reader, item)).collect());
    let hours = fields.node("hours").and_then(|node| hours(reader, node));
    let from = fields
        .node("from")
        .and_then(|node| reader.date(node))
        .map(|date| date.value);
    let until = fields
        .node("until")
        .and_then(|node| reader.date(node))
        .map(|date| date.value);
    fields.finish(reader);
    Some(TimeSelector {
        days,
        hours,
        from,
        until,
    })
}

fn day(reader: &mut Reader, node: &Node) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    let parse = |word: &str| DAYS.iter().find(|(name, _)| *name == word).map(|&(_, day)| day);
    reader
        .word(node, "a day of the week", parse, &DAYS.map(|(name, _)| name))
        .map(|day| day.value)
}

fn hours(reader: &mut Reader, node: &Node) -> Option<(Time, Time)> {
    let text = reader.text(node)?;
    let parsed = text
        .as_str()
        .split_once('-')
        .and_then(|(from, to)| Some((clock(from)?, clock(to)?)));
    if parsed.is_none() {
        reader.wrong(node, "hours are expected, such as `08:00-18:00`");
    }
    parsed
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

pub(super) fn evidence(node: &Node, reader: &mut Reader) -> Option<Evidence> {
    let mut fields = reader.fields(node, "evidence")?;
    let mut kinds = Vec::new();
    for kind in ["task", "attestation", "training", "ledger"] {
        if let Some(entry) = fields.entry(kind) {
            let what = reader.text(&entry.node);
            kinds.extend(what.map(|what| (At::new(kind.to_owned(), entry.key_place), what)));
        }
    }
    let (every, by) = (
        fields.node("every").and_then(|node| reader.stated_days(node)),
        fields.text("by", reader),
    );
    let last = fields.node("last").and_then(|node| reader.date(node));
    fields.finish(reader);
    if kinds.len() == 1 {
        let (kind, what) = kinds.remove(0);
        return Some(Evidence {
            kind,
            what,
            every,
            by,
            last,
            place: node.place,
        });
    }
    let problem = Problem::error(
        "missing-key",
        node.place,
        "evidence names one of `task`, `attestation`, `training` and `ledger`",
    );
    reader.problems.push(problem);
    None
}

pub(super) fn exceptions(fields: &mut Fields<'_>, document: &mut Document, reader: &mut Reader) {
    for node in fields.list("exceptions", reader) {
        let Some(mut inner) = reader.fields(node, "an exception") else {
            continue;
        };
        let (id, clause) = (inner.required("id", reader), inner.required("clause", reader));
        let who = inner.required_with("who", reader, |reader, node| match &node.value {
            Value::Scalar { text, .. } => {
                let help = format!("name what they are: `who: {{group: [{text}]}}`");
                reader.wrong_with(
                    node,
                    "`who` is a selector, a map such as `{group: [staff]}`",
                    Some(help),
                );
                Some(Vec::new())
            }
            Value::List(_) | Value::Map(_) => Some(selectors(reader, node)),
        });
        let then = inner.required_with("then", reader, verdict);
        let (reason, compensating) = (inner.required("reason", reader), inner.text("compensating", reader));
        let (requested, approved) = (inner.text("requested", reader), inner.texts("approved", reader));
        let granted = inner.node("granted").and_then(|node| reader.date(node));
        let end = inner.node("expires");
        let expires = end.and_then(|node| reader.date(node));
        let unread_end = end.is_some() && expires.is_none();
        inner.finish(reader);
        if let (Some(id), Some(clause)) = (id, clause) {
            let who = who.unwrap_or_default();
            document.exceptions.push(Exception {
                id,
                clause,
                who,
                then,
                reason,
                compensating,
                requested,
                approved,
                granted,
                expires,
                unread_end,
                place: node.place,
            });
        }
    }
    document.never_excepted = fields.texts("never_excepted", reader);
}
