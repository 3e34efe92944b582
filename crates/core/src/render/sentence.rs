//! Selectors and rules as sentences.

use super::Given;
use super::block::{Inline, Inlines};
use super::words;
use crate::policy::document::{AppSelector, Rule, Selector, Text, TimeSelector};
use crate::verdict::Direction;

/// A rule: what it is about, what it is not about, and what happens. Alternatives are apart by semicolons, so that "and" and
/// "or" inside them cannot be read in two ways.
pub(super) fn rule(given: &Given<'_>, rule: &Rule) -> Inlines {
    let mut out = Inlines::new();
    for (index, selector) in rule.when.iter().enumerate() {
        out.push(Inline::from(if index == 0 { "When " } else { "; or when " }));
        out.push(Inline::from(subject(selector)));
        out.push(Inline::from(" "));
        out.extend(does(given, selector));
    }
    for (index, selector) in rule.unless.iter().enumerate() {
        out.push(Inline::from(if index == 0 { "; unless " } else { "; or unless " }));
        out.push(Inline::from(if selector.direction.is_some() {
            subject(selector)
        } else {
            "it"
        }));
        out.push(Inline::from(" "));
        out.extend(does(given, selector));
    }
    if let Some(condition) = &rule.condition {
        out.push(Inline::from("; and only if the condition "));
        out.push(Inline::code(condition.as_str()));
        out.push(Inline::from(" holds"));
    }
    out.push(Inline::from(
        if rule.when.len() + rule.unless.len() > 1 || rule.condition.is_some() {
            ": "
        } else {
            ", "
        },
    ));
    out.push(Inline::Strong(vec![Inline::from(words::happens(rule.then.value))]));
    out.push(Inline::from("."));
    out
}

/// Whom selectors are about, as in "for …": without the exchange, where that goes without saying.
pub(super) fn whom(given: &Given<'_>, selectors: &[Selector]) -> Inlines {
    let items = selectors
        .iter()
        .map(|selector| {
            let parts = conditions(given, selector);
            if parts.is_empty() {
                vec![Inline::from("everyone")]
            } else {
                let mut out = vec![Inline::from("what ")];
                out.extend(words::runs(parts, "and"));
                out
            }
        })
        .collect();
    words::runs(items, "or")
}

fn subject(selector: &Selector) -> &'static str {
    let Some(direction) = &selector.direction else {
        return "a prompt or an answer";
    };
    match direction.as_slice() {
        [only] if matches!(only.value, Direction::Prompt) => "a prompt",
        [only] if matches!(only.value, Direction::Answer) => "an answer",
        _ => "a prompt or an answer",
    }
}

/// What an exchange does when a selector matches it.
fn does(given: &Given<'_>, selector: &Selector) -> Inlines {
    let parts = conditions(given, selector);
    if parts.is_empty() {
        vec![Inline::from("goes through the gateway")]
    } else {
        words::runs(parts, "and")
    }
}

/// The keys of a selector as what an exchange does: "contains …", "comes from …".
fn conditions(given: &Given<'_>, selector: &Selector) -> Vec<Inlines> {
    let mut parts: Vec<Inlines> = Vec::new();
    let mut say = |text: String| parts.push(vec![Inline::Text(text)]);
    if let Some(data) = &selector.data {
        let found: Vec<String> = data.iter().map(|name| data_name(given, name)).collect();
        let mut text = format!("contains {}", words::list(&found, "or"));
        if let Some(sources) = &selector.source {
            let sources: Vec<String> = sources.iter().map(|one| words::source(one.value).to_owned()).collect();
            text.push_str(&format!(" in a part {}", words::list(&sources, "or")));
        }
        say(text);
    } else if let Some(sources) = &selector.source {
        let sources: Vec<String> = sources.iter().map(|one| words::source(one.value).to_owned()).collect();
        say(format!("has a part {}", words::list(&sources, "or")));
    }
    let named = |names: &Option<Vec<Text>>| names.as_ref().map(|names| words::texts(names, "or"));
    if let Some(names) = named(&selector.finding) {
        say(format!("is found to be {names}"));
    }
    if let Some(names) = named(&selector.principal) {
        say(format!("comes from {names}"));
    }
    if let Some(names) = &selector.group {
        let names: Vec<String> = names.iter().map(|name| format!("“{}”", name.value)).collect();
        say(format!("comes from somebody in {}", words::list(&names, "or")));
    }
    if let Some(names) = named(&selector.training) {
        say(format!("comes from somebody with the course {names}"));
    }
    if let Some(within) = &selector.signed_in {
        say(format!(
            "comes from somebody who signed in within {}",
            words::minutes(within.value)
        ));
    }
    if let Some(names) = named(&selector.client) {
        say(format!("comes from the software {names}"));
    }
    if let Some(selected) = &selector.app {
        say(format!("is exchanged with {}", apps(given, selected)));
    }
    if let Some(names) = named(&selector.model) {
        say(format!("is for a model like {names}"));
    }
    if let Some(names) = named(&selector.use_) {
        say(format!("is for the use {names}"));
    }
    if let Some(names) = named(&selector.tool) {
        say(format!("calls the tool {names}"));
    }
    if let Some(selected) = &selector.time {
        say(time(selected));
    }
    parts
}

fn data_name(given: &Given<'_>, name: &Text) -> String {
    let classes = &given.document.data.classes;
    if classes.iter().any(|class| class.as_str() == name.as_str()) {
        let last = classes.last().is_some_and(|class| class.as_str() == name.as_str());
        let more = if last { "" } else { " or higher" };
        format!("data of class {}{more}", name.value)
    } else {
        words::some(given, name.as_str())
    }
}

/// Apps as a sentence names them.
pub(super) fn apps(given: &Given<'_>, selected: &[AppSelector]) -> String {
    let one = |app: &AppSelector| {
        let ids = app.id.as_deref().unwrap_or_default();
        let ids: Vec<String> = ids.iter().map(|id| words::app(given, id.as_str())).collect();
        let classes = app.class.as_deref().unwrap_or_default();
        let classes: Vec<String> = classes
            .iter()
            .map(|class| words::app_class(class.value).to_owned())
            .collect();
        let categories = app.category.as_deref().unwrap_or_default();
        let mut text = if ids.is_empty() {
            if classes.is_empty() {
                "any app".to_owned()
            } else {
                format!("{} apps", words::list(&classes, "or"))
            }
        } else {
            let mut text = words::list(&ids, "or");
            if !classes.is_empty() {
                text.push_str(&format!(" (while {})", words::list(&classes, "or")));
            }
            text
        };
        if !categories.is_empty() {
            text.push_str(&format!(" for {}", words::texts(categories, "or")));
        }
        text
    };
    words::list(&selected.iter().map(one).collect::<Vec<_>>(), "or")
}

fn time(time: &TimeSelector) -> String {
    let mut parts = Vec::new();
    if let Some(days) = &time.days {
        let days: Vec<String> = days.iter().map(|day| format!("{day:?}")).collect();
        parts.push(format!("on {}", words::list(&days, "or")));
    }
    if let Some((from, to)) = time.hours {
        parts.push(format!(
            "between {} and {}",
            from.strftime("%H:%M"),
            to.strftime("%H:%M")
        ));
    }
    if let Some(from) = time.from {
        parts.push(format!("from {from}"));
    }
    if let Some(until) = time.until {
        parts.push(format!("until {until}"));
    }
    format!("is sent {}", parts.join(" "))
}
