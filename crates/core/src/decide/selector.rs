//! Compiled selectors: every key of a selector becomes one test on bound facts.
//!
//! Names are interned when the policy is compiled, so that a test is a look into a bit set. What a selector means is
//! `docs/reference/deciding.md`, "Selectors". One key is one function and one line in [`compile`].

use jiff::Timestamp;
use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use memchr::memmem;

use super::bound::Bound;
use crate::policy::compile::{Names, Table};
use crate::policy::document as doc;
use crate::verdict::{AppClass, Direction, SourceSet};

/// A set of small numbers. Most sets have none above 63, and those are found without leaving the value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    first: u64,
    more: Vec<u64>,
}

impl Bits {
    pub(crate) fn insert(&mut self, index: u32) {
        let Some(word) = (index as usize / 64).checked_sub(1) else {
            self.first |= 1 << index;
            return;
        };
        if self.more.len() <= word {
            self.more.resize(word + 1, 0);
        }
        if let Some(bits) = self.more.get_mut(word) {
            *bits |= 1 << (index % 64);
        }
    }

    pub(crate) fn contains(&self, index: u32) -> bool {
        let word = match (index as usize / 64).checked_sub(1) {
            None => self.first,
            Some(word) => self.more.get(word).copied().unwrap_or_default(),
        };
        word & (1 << (index % 64)) != 0
    }

    fn meets(&self, other: &Self) -> bool {
        self.first & other.first != 0 || self.more.iter().zip(&other.more).any(|(one, two)| one & two != 0)
    }
}

impl FromIterator<u32> for Bits {
    fn from_iter<I: IntoIterator<Item = u32>>(indices: I) -> Self {
        let mut bits = Self::default();
        indices.into_iter().for_each(|index| bits.insert(index));
        bits
    }
}

/// Keys that must all match.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    tests: Vec<Test>,
    /// What the `data` key selects, for masks.
    data: Option<Data>,
    /// The `source` key; every source when absent.
    sources: SourceSet,
}

/// One key of a selector.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Direction(Vec<Direction>),
    Data(Data, Option<SourceSet>),
    Source(SourceSet),
    Group(Bits),
    App(Vec<AppTest>),
    Principal(Bits),
    Client(Bits),
    Use(Bits),
    Model(Vec<Pattern>),
    Tool(Vec<Pattern>),
    Finding(Vec<String>, SourceSet),
    Training(Vec<String>),
    /// At most so many minutes ago.
    SignedIn(u32),
    Time(TimeTest),
}

/// What a `data` key names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Data {
    /// Entities, families resolved.
    pub(crate) entities: Bits,
    /// The lowest class named.
    pub(crate) class: Option<u8>,
}

impl Data {
    /// Whether a found entity of this index and class is meant.
    pub(crate) fn names(&self, entity: Option<u32>, class: u8) -> bool {
        entity.is_some_and(|entity| self.entities.contains(entity)) || self.class.is_some_and(|floor| class >= floor)
    }

    /// Whether something of it was found, wherever it stands.
    #[inline]
    fn could_be(&self, bound: &Bound<'_>) -> bool {
        self.class
            .is_some_and(|floor| bound.data_class.max(bound.policy.default_class) >= floor)
            || self.entities.meets(&bound.entities)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct AppTest {
    pub(crate) ids: Option<Bits>,
    pub(crate) classes: Option<Vec<AppClass>>,
    pub(crate) categories: Option<Vec<String>>,
}

#[derive(Debug, Clone)]
pub(crate) struct TimeTest {
    pub(crate) days: Option<Vec<Weekday>>,
    pub(crate) hours: Option<(Time, Time)>,
    pub(crate) from: Option<Timestamp>,
    /// The first moment after the last day.
    pub(crate) until: Option<Timestamp>,
}

/// A name with `*` for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<String>);

impl Pattern {
    /// Reads a pattern; every text is one.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.split('*').map(str::to_owned).collect())
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.join("*")
    }

    /// Whether a name fits. Letters are compared as they are written.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|whole| whole == name);
        };
        let Some(mut rest) = name
            .strip_prefix(first.as_str())
            .and_then(|rest| rest.strip_suffix(last.as_str()))
        else {
            return false;
        };
        middle.iter().all(|piece| {
            let found = memmem::find(rest.as_bytes(), piece.as_bytes());
            found
                .and_then(|at| rest.get(at + piece.len()..))
                .map(|after| rest = after)
                .is_some()
        })
    }
}

/// Compiles the selectors of one list; any of them may match.
pub(crate) fn compile_all(selectors: &[doc::Selector], names: &Names, zone: &TimeZone) -> Vec<Selector> {
    selectors
        .iter()
        .map(|selector| compile(selector, names, zone))
        .collect()
}

/// Compiles one selector. The cheapest and most telling tests come first.
fn compile(selector: &doc::Selector, names: &Names, zone: &TimeZone) -> Selector {
    let sources = (selector.source.as_ref()).map(|words| words.iter().map(|word| word.value).collect::<SourceSet>());
    let everywhere = sources.unwrap_or(SourceSet::ALL);
    let test = |words: &Option<Vec<doc::Text>>, make: &dyn Fn(&[doc::Text]) -> Test| words.as_deref().map(make);
    let directions = |words: &Vec<doc::At<Direction>>| Test::Direction(words.iter().map(|word| word.value).collect());
    let principals = |words: &[doc::Text]| Test::Principal(bits(words, &names.principals));
    let clients = |words: &[doc::Text]| Test::Client(bits(words, &names.clients));
    let findings = |words: &[doc::Text]| Test::Finding(strings(words), everywhere);
    let mut tests = Vec::new();
    // registry:begin
    tests.extend(selector.direction.as_ref().map(directions));
    tests.extend(data(selector, names).map(|data| Test::Data(data, sources)));
    tests.extend(sources.map(Test::Source));
    tests.extend(test(&selector.group, &|words| Test::Group(bits(words, &names.groups))));
    tests.extend(selector.app.as_ref().map(|apps| Test::App(app_tests(apps, names))));
    tests.extend(test(&selector.principal, &principals));
    tests.extend(test(&selector.client, &clients));
    tests.extend(test(&selector.use_, &|words| Test::Use(bits(words, &names.uses))));
    tests.extend(test(&selector.model, &|words| Test::Model(patterns(words))));
    tests.extend(test(&selector.tool, &|words| Test::Tool(patterns(words))));
    tests.extend(test(&selector.finding, &findings));
    tests.extend(test(&selector.training, &|words| Test::Training(strings(words))));
    tests.extend(selector.signed_in.as_ref().map(|within| Test::SignedIn(within.value)));
    tests.extend(selector.time.as_ref().map(|time| Test::Time(time_test(time, zone))));
    // registry:end
    Selector {
        tests,
        data: data(selector, names),
        sources: everywhere,
    }
}

fn data(selector: &doc::Selector, names: &Names) -> Option<Data> {
    let words = selector.data.as_ref()?;
    let mut data = Data::default();
    for word in words {
        if let Some(class) = names.class(word.as_str()) {
            data.class = Some(data.class.map_or(class, |known| known.min(class)));
        }
        names
            .entity_indices(word.as_str())
            .for_each(|entity| data.entities.insert(entity));
    }
    Some(data)
}

fn bits(words: &[doc::Text], table: &Table) -> Bits {
    words.iter().filter_map(|word| table.index(word.as_str())).collect()
}

fn strings(words: &[doc::Text]) -> Vec<String> {
    words.iter().map(|word| word.value.clone()).collect()
}

/// Patterns of a list.
pub(crate) fn patterns(words: &[doc::Text]) -> Vec<Pattern> {
    words.iter().map(|word| Pattern::new(word.as_str())).collect()
}

/// Tests of app selectors; any of them may match.
pub(crate) fn app_tests(apps: &[doc::AppSelector], names: &Names) -> Vec<AppTest> {
    let test = |app: &doc::AppSelector| AppTest {
        ids: app.id.as_ref().map(|words| bits(words, &names.apps)),
        classes: app
            .class
            .as_ref()
            .map(|words| words.iter().map(|word| word.value).collect()),
        categories: app.category.as_ref().map(|words| strings(words)),
    };
    apps.iter().map(test).collect()
}

fn time_test(time: &doc::TimeSelector, zone: &TimeZone) -> TimeTest {
    let start = |date: jiff::civil::Date| zone.to_timestamp(date.at(0, 0, 0, 0)).ok();
    TimeTest {
        days: time.days.clone(),
        hours: time.hours,
        from: time.from.and_then(start),
        until: time.until.and_then(|date| date.tomorrow().ok()).and_then(start),
    }
}

impl AppTest {
    /// Whether the app of these facts, counting as `class`, is meant.
    pub(crate) fn matches(&self, facts: &Bound<'_>, class: AppClass) -> bool {
        self.ids
            .as_ref()
            .is_none_or(|ids| facts.app.is_some_and(|app| ids.contains(app)))
            && self.classes.as_ref().is_none_or(|classes| classes.contains(&class))
            && self
                .categories
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|one| facts.facts.to.categories.contains(one)))
    }
}

impl Selector {
    /// Its keys.
    pub(crate) fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Whether it looks at the tools that an answer calls.
    pub(crate) fn asks_about_tools(&self) -> bool {
        self.tests.iter().any(|test| matches!(test, Test::Tool(_)))
    }

    /// What its `data` names.
    pub(crate) fn data(&self) -> Option<&Data> {
        self.data.as_ref()
    }

    /// Whether every key matches.
    #[inline]
    pub(crate) fn matches(&self, facts: &Bound<'_>) -> bool {
        // Most rules are about data that is not there; that is seen without running a test.
        self.data.as_ref().is_none_or(|data| data.could_be(facts)) && self.passes_tests(facts)
    }

    #[inline(never)]
    fn passes_tests(&self, facts: &Bound<'_>) -> bool {
        self.tests.iter().all(|test| test.matches(facts))
    }

    /// What is to be masked for a match of this selector: what its `data` selects, and where.
    pub(crate) fn masked(&self) -> Option<(&Data, SourceSet)> {
        self.data.as_ref().map(|data| (data, self.sources))
    }
}

/// Whether one of the selectors matches.
pub(crate) fn any(selectors: &[Selector], facts: &Bound<'_>) -> bool {
    selectors.iter().any(|selector| selector.matches(facts))
}

impl Test {
    fn matches(&self, bound: &Bound<'_>) -> bool {
        let facts = bound.facts;
        match self {
            Self::Direction(wanted) => wanted.contains(&facts.direction),
            Self::Data(data, sources) => bound.has_data(data, *sources),
            Self::Source(wanted) => !wanted.intersection(facts.content.sources).is_empty(),
            Self::Group(wanted) => bound.groups.iter().any(|&group| wanted.contains(group)),
            Self::App(apps) => apps.iter().any(|app| app.matches(bound, bound.app_class)),
            Self::Principal(wanted) => bound.principal.is_some_and(|index| wanted.contains(index)),
            Self::Client(wanted) => bound.client.is_some_and(|index| wanted.contains(index)),
            Self::Use(wanted) => bound.use_.is_some_and(|index| wanted.contains(index)),
            Self::Model(wanted) => facts
                .model
                .as_ref()
                .is_some_and(|model| wanted.iter().any(|one| one.matches(model))),
            Self::Tool(wanted) => facts
                .content
                .tools
                .iter()
                .any(|call| wanted.iter().any(|one| one.matches(&call.name))),
            Self::Finding(wanted, sources) => {
                let made =
                    |(id, of): &(String, SourceSet)| wanted.contains(id) && !of.intersection(*sources).is_empty();
                facts.content.findings.iter().any(made)
            }
            Self::Training(courses) => courses.iter().any(|course| bound.holds_course(course)),
            Self::SignedIn(within) => bound.signed_in_within(*within),
            Self::Time(time) => time.holds_at(bound.facts.now, || bound.local()),
        }
    }
}

impl TimeTest {
    /// Whether a moment is meant.
    pub(crate) fn holds(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.holds_at(now, || zone.to_datetime(now))
    }

    fn holds_at(&self, now: Timestamp, local: impl FnOnce() -> DateTime) -> bool {
        if self.from.is_some_and(|from| now < from) || self.until.is_some_and(|until| now >= until) {
            return false;
        }
        if self.days.is_none() && self.hours.is_none() {
            return true;
        }
        let local = local();
        let time = local.time();
        self.days
            .as_ref()
            .is_none_or(|days| days.contains(&local.date().weekday()))
            && self.hours.is_none_or(|(from, to)| {
                if from <= to {
                    from <= time && time < to
                } else {
                    from <= time || time < to
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run() {
        let cases = [
            ("gpt-5*", "gpt-5-mini", true),
            ("gpt-5*", "gpt-4", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b", "ab", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
        assert!(!Pattern::new("gpt").matches("gpt-5"));
        assert!(
            !Pattern::new("aba*aba").matches("aba"),
            "a prefix and a suffix do not share characters"
        );
    }
}
