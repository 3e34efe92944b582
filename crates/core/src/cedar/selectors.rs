//! Selectors as Cedar expressions: one key, one conjunct. What a key means is `docs/reference/deciding.md`, "Selectors".

use jiff::civil::{Time, Weekday};

use super::text::{Expr, has_one_of, is_in, is_one_of, like, quote, spots};
use crate::detect::entities::{ENTITIES, FAMILIES};
use crate::policy::document::{AppSelector, Document, Selector, Text, TimeSelector};
use crate::verdict::Source;

/// The group that everybody is in.
pub(super) const EVERYONE: &str = "everyone";

/// What is printed, and where the app stands in the request that is printed for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer<'d> {
    pub(super) document: &'d Document,
    /// `resource` where the app is the resource, `context.app` where a tool is.
    pub(super) app: &'static str,
}

impl<'d> Printer<'d> {
    /// One of the selectors matches.
    pub(super) fn any(self, selectors: &'d [Selector]) -> Expr {
        Expr::any(selectors.iter().map(|selector| self.selector(selector)))
    }

    /// Every key matches.
    pub(super) fn selector(self, selector: &'d Selector) -> Expr {
        let sources = sources(selector);
        let directions = selector
            .direction
            .as_ref()
            .map(|words| is_one_of("context.direction", words.iter().map(|word| word.value.as_str())));
        let written = sources
            .as_ref()
            .map(|sources| has_one_of("context.sources", &spots(&names(sources), None)));
        let findings = selector
            .finding
            .as_ref()
            .map(|ids| has_one_of("context.findings", &spots(&strings(ids), sources.as_deref())));
        let tools = selector
            .tool
            .as_ref()
            .map(|patterns| has_one_of("context.tools", &spots(&strings(patterns), None)));
        let training = selector
            .training
            .as_ref()
            .map(|courses| Expr::any(courses.iter().map(|course| self.holds(course.as_str()))));
        let signed_in = selector.signed_in.as_ref().map(|within| {
            let recent = format!("context.signed_in <= duration(\"{}m\")", within.value);
            guarded("signed_in", Expr::atom(recent))
        });
        let optional = |key: &str, words: &'d Option<Vec<Text>>| {
            let subject = format!("context.{key}");
            words
                .as_ref()
                .map(|words| guarded(key, is_one_of(&subject, words.iter().map(Text::as_str))))
        };
        let principal = selector
            .principal
            .as_ref()
            .map(|words| is_in("principal", "Principal", words.iter().map(Text::as_str)));
        Expr::all(
            [
                directions,
                self.data(selector),
                written,
                selector.group.as_ref().map(|names| self.group(names)),
                selector.app.as_ref().map(|apps| self.apps(apps)),
                principal,
                optional("client", &selector.client),
                optional("use", &selector.use_),
                selector.model.as_ref().map(|patterns| model(patterns)),
                tools,
                findings,
                training,
                signed_in,
                selector.time.as_ref().map(time),
            ]
            .into_iter()
            .flatten(),
        )
    }

    /// The principal is in one of the groups.
    pub(super) fn group(self, names: &'d [Text]) -> Expr {
        if names.iter().any(|name| name.as_str() == EVERYONE) {
            return Expr::Const(true);
        }
        is_in("principal", "Group", names.iter().map(Text::as_str))
    }

    /// The app is one of those selected.
    pub(super) fn apps(self, apps: &'d [AppSelector]) -> Expr {
        Expr::any(apps.iter().map(|app| {
            let id = app
                .id
                .as_ref()
                .map(|ids| is_in(self.app, "App", ids.iter().map(Text::as_str)));
            let class = app
                .class
                .as_ref()
                .map(|classes| is_one_of("context.app_class", classes.iter().map(|class| class.value.as_str())));
            let category = app
                .category
                .as_ref()
                .map(|words| is_in(self.app, "Category", words.iter().map(Text::as_str)));
            Expr::all([id, class, category].into_iter().flatten())
        }))
    }

    /// The principal completed the course, and it still counts.
    pub(super) fn holds(self, course: &str) -> Expr {
        let quoted = quote(course);
        let known = self
            .document
            .education
            .courses
            .iter()
            .find(|one| one.id.as_str() == course);
        let Some(known) = known else {
            return Expr::Const(false);
        };
        let done = Expr::atom(format!("context.training has {quoted}"));
        let counts = known.valid.as_ref().map(|days| {
            Expr::atom(format!(
                "context.today <= context.training[{quoted}].offset(duration(\"{}d\"))",
                days.value
            ))
        });
        Expr::all([Some(done), counts].into_iter().flatten())
    }

    /// What a `data` key names was found.
    fn data(self, selector: &'d Selector) -> Option<Expr> {
        let words = self.named(selector)?;
        Some(words.occur("context.entities", "context.classes"))
    }

    /// What a `data` key names, taken apart.
    pub(super) fn named(self, selector: &'d Selector) -> Option<Words<'d>> {
        let words = selector.data.as_ref()?;
        let classes: Vec<&str> = self.document.data.classes.iter().map(Text::as_str).collect();
        let rank = |word: &str| classes.iter().position(|class| *class == word);
        let floor = words.iter().filter_map(|word| rank(word.as_str())).min();
        let mut entities: Vec<&'d str> = Vec::new();
        for word in words.iter().map(Text::as_str) {
            for entity in self.members(word, rank(word).is_some()) {
                if !entities.contains(&entity) {
                    entities.push(entity);
                }
            }
        }
        let default = self
            .document
            .data
            .default
            .as_ref()
            .and_then(|class| rank(class.as_str()));
        Some(Words {
            entities,
            classes: floor
                .and_then(|floor| classes.get(floor..))
                .unwrap_or_default()
                .to_vec(),
            sources: sources(selector),
            always_found: floor.is_none_or(|floor| default.is_some_and(|default| floor > default)),
        })
    }

    /// The entities that a word means: a family's, or itself; none for a class that no entity is called like.
    fn members(self, word: &'d str, is_class: bool) -> Vec<&'d str> {
        if FAMILIES.contains(&word) {
            let family = ENTITIES.iter().filter(|entity| entity.family == Some(word));
            return family.map(|entity| entity.id).collect();
        }
        let data = &self.document.data;
        let own = data
            .keywords
            .iter()
            .map(|(name, _)| name)
            .chain(data.patterns.iter().map(|(name, _)| name));
        let known =
            ENTITIES.iter().any(|entity| entity.id == word) || own.into_iter().any(|name| name.as_str() == word);
        if is_class && !known { Vec::new() } else { vec![word] }
    }
}

/// Entities, classes and sources that a selector names.
#[derive(Debug)]
pub(super) struct Words<'d> {
    entities: Vec<&'d str>,
    /// From the lowest class named upwards.
    classes: Vec<&'d str>,
    sources: Option<Vec<Source>>,
    /// Whether a text to which they apply always has something found in it.
    pub(super) always_found: bool,
}

impl Words<'_> {
    /// One of them is in the two sets of the context.
    pub(super) fn occur(&self, entities: &str, classes: &str) -> Expr {
        let sources = self.sources.as_deref();
        Expr::any([
            has_one_of(entities, &spots(&self.entities, sources)),
            has_one_of(classes, &spots(&self.classes, sources)),
        ])
    }
}

/// The model, if there is one, fits one of the patterns.
pub(super) fn model(patterns: &[Text]) -> Expr {
    guarded("model", like("context.model", patterns.iter().map(Text::as_str)))
}

/// `test`, where the context has `key` at all.
pub(super) fn guarded(key: &str, test: Expr) -> Expr {
    Expr::all([Expr::atom(format!("context has {key}")), test])
}

/// A date, as Cedar writes it.
pub(super) fn date(date: jiff::civil::Date) -> String {
    format!("datetime(\"{date}\")")
}

fn time(time: &TimeSelector) -> Expr {
    let days = time
        .days
        .as_ref()
        .map(|days| is_one_of("context.weekday", days.iter().map(|&day| weekday(day))));
    let hours = time.hours.map(|(from, to)| {
        let since = Expr::atom(format!("context.time >= {}", clock(from)));
        let before = Expr::atom(format!("context.time < {}", clock(to)));
        if from <= to {
            Expr::all([since, before])
        } else {
            Expr::any([since, before])
        }
    });
    let from = time
        .from
        .map(|from| Expr::atom(format!("context.today >= {}", date(from))));
    let until = time
        .until
        .map(|until| Expr::atom(format!("context.today <= {}", date(until))));
    Expr::all([days, hours, from, until].into_iter().flatten())
}

fn clock(time: Time) -> String {
    format!("duration(\"{}h{}m\")", time.hour(), time.minute())
}

/// The word for a day of the week.
pub(super) const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "mon",
        Weekday::Tuesday => "tue",
        Weekday::Wednesday => "wed",
        Weekday::Thursday => "thu",
        Weekday::Friday => "fri",
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
    }
}

fn sources(selector: &Selector) -> Option<Vec<Source>> {
    let words = selector.source.as_ref()?;
    Some(words.iter().map(|word| word.value).collect())
}

fn names(sources: &[Source]) -> Vec<&'static str> {
    sources.iter().map(|source| source.as_str()).collect()
}

fn strings(words: &[Text]) -> Vec<&str> {
    words.iter().map(Text::as_str).collect()
}
