//! A second reading of `docs/reference/deciding.md`: a plain interpreter of its own plain model of a policy. It shares
//! nothing with the product, neither code nor types, and does everything the long way, so that it can be proofread
//! against that page line by line. Start at [`decide`]. It knows no `condition:` and does not check a policy.

pub(crate) mod model;

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use model::{
    Answer, App, AppClass, AppSelector, Call, DAYS, Direction, Escalation, Exception, FAMILIES, Facts, Found, Mode,
    OneOf, Period, Policy, Rule, Selector, Source, Spot, Value, Verdict,
};
use std::collections::BTreeSet;

/// A verdict with its citation.
struct Contribution {
    citation: String,
    verdict: Verdict,
    /// What it masks if it is a `redact`.
    masks: BTreeSet<Spot>,
    /// What it masks if an exception turns it into a `redact`.
    about: BTreeSet<Spot>,
}

/// Decides one half of an exchange, in the order of the page.
pub(crate) fn decide(policy: &Policy, facts: &Facts) -> Answer {
    let zone = jiff::tz::TimeZone::get(&policy.timezone).expect("the generator names real zones");
    let local = facts.now.to_zoned(zone).datetime();
    let case = Case { policy, facts, local };

    let mut answer = Answer {
        verdict: Verdict::Allow,
        full: Verdict::Allow,
        cited: BTreeSet::new(),
        masks: BTreeSet::new(),
        app_class: case.app_class(),
        data_class: policy.data.classes[case.text_class()].clone(),
    };

    // 1. They have no mode and no exception.
    if let Some(endpoint) = &facts.endpoint {
        let lines = policy.passes.iter().filter(|line| {
            line.endpoints.contains(endpoint)
                && case.in_one_of(&line.groups)
                && line.until.is_none_or(|until| case.local.date() <= until)
        });
        let strictest = lines.map(|line| line.then).max();
        answer.add("access.endpoints", strictest.unwrap_or(Verdict::Block), Mode::Enforce);
        // Cited even where it lets the request pass without a word.
        answer.cited.insert("access.endpoints".to_owned());
    } else if facts.uninspectable {
        answer.add(
            "uninspectable",
            policy.data.uninspectable.unwrap_or(Verdict::Block),
            Mode::Enforce,
        );
    }
    if facts.failed {
        answer.add(
            "detector-failure",
            policy.data.unavailable.unwrap_or(Verdict::Block),
            Mode::Enforce,
        );
    }

    // 2.
    if case.is_excluded() {
        return answer;
    }

    // 3. The full decision of a refusal is `block` already, whatever else may be cited.
    if facts.direction == Direction::Prompt && !case.has_access() {
        let mode = case.mode("access");
        answer.add("access", Verdict::Block, mode);
        if mode == Mode::Enforce {
            return answer;
        }
    }

    // 4. to 7.
    for mut it in case.contributions() {
        if it.verdict == Verdict::Allow {
            continue;
        }
        let excepted = case.exception(&it.citation);
        if let Some(exception) = excepted {
            it.verdict = exception.then;
            it.masks = it.about;
        }
        // A table masks for each of its redact cells, whatever its strictest cell says; anything else only as a redact.
        let is_table = excepted.is_none() && (it.citation == "data.matrix" || it.citation == "data.answers");
        let masks = it.verdict == Verdict::Redact || (is_table && !it.masks.is_empty());
        if masks && (it.masks.is_empty() || it.masks.iter().any(|spot| case.is_fixed(spot))) {
            it.verdict = Verdict::Block;
        }
        let mode = case.mode(&it.citation);
        answer.add(&it.citation, it.verdict, mode);
        if masks && it.verdict != Verdict::Block && mode == Mode::Enforce {
            answer.masks.extend(it.masks);
        }
    }

    // 8.
    if answer.verdict == Verdict::Block {
        answer.masks.clear();
    }
    answer
}

impl Answer {
    fn add(&mut self, citation: &str, verdict: Verdict, mode: Mode) {
        if verdict == Verdict::Allow {
            return;
        }
        let acts_as = match mode {
            Mode::Observe => Verdict::Allow,
            Mode::Coach => verdict.min(Verdict::Coach),
            Mode::Enforce => verdict,
        };
        self.verdict = self.verdict.max(acts_as);
        self.full = self.full.max(verdict);
        self.cited.insert(citation.to_owned());
    }
}

/// A policy and facts side by side, with the policy's local time.
struct Case<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    local: DateTime,
}

/// Classes.
impl Case<'_> {
    fn rank(&self, class: &str) -> usize {
        self.policy
            .data
            .classes
            .iter()
            .position(|it| it == class)
            .expect("the class is declared")
    }

    fn entry(&self) -> Option<&App> {
        self.policy.apps.iter().find(|app| app.id == self.facts.app)
    }

    fn app_class(&self) -> AppClass {
        let Some(app) = self.entry() else {
            return AppClass::Unknown;
        };
        let unmet = app
            .require
            .iter()
            .any(|(key, value)| self.facts.attributes.get(key) != Some(value));
        let not_for = app.serves.as_ref().is_some_and(|maps| !self.any_map(maps));
        let class = match app.expires {
            Some((on, then)) if self.local.date() > on => then,
            _ => app.listed,
        };
        if unmet || not_for {
            class.max(AppClass::Unknown)
        } else {
            class
        }
    }

    fn entity_class(&self, entity: &str) -> usize {
        let data = &self.policy.data;
        let given = data
            .entities
            .get(entity)
            .or_else(|| data.entities.get(family_of(entity)?));
        let mut class = self.rank(given.unwrap_or(&data.default));
        for escalation in &data.escalate {
            let (names, to, fires) = match escalation {
                Escalation::AtLeast {
                    entity: name,
                    at_least,
                    to,
                } => {
                    let distinct: u32 = self.found(name).iter().map(|(_, found)| found.distinct).sum();
                    (vec![name], to, distinct >= *at_least)
                }
                Escalation::All { all, to } => (
                    all.iter().collect(),
                    to,
                    all.iter().all(|name| !self.found(name).is_empty()),
                ),
            };
            if fires && names.iter().any(|name| members(name).contains(&entity)) {
                class = class.max(self.rank(to));
            }
        }
        class
    }

    /// The found entities that a name (an entity or a family) stands for.
    fn found(&self, name: &str) -> Vec<(&String, &Found)> {
        self.facts
            .entities
            .iter()
            .filter(|(entity, _)| members(name).contains(&entity.as_str()))
            .collect()
    }

    /// The classes of the entities found, or the default alone when none was found.
    fn classes_that_occur(&self) -> BTreeSet<usize> {
        let classes: BTreeSet<usize> = self
            .facts
            .entities
            .keys()
            .map(|entity| self.entity_class(entity))
            .collect();
        if classes.is_empty() {
            BTreeSet::from([self.rank(&self.policy.data.default)])
        } else {
            classes
        }
    }

    fn text_class(&self) -> usize {
        self.classes_that_occur().into_iter().max().expect("never empty")
    }

    /// The class of some sources. Whether an entity is escalated is judged on the whole text.
    fn class_of_sources(&self, sources: &[Source]) -> usize {
        let in_them = self
            .facts
            .entities
            .iter()
            .filter(|(_, found)| sources.iter().any(|it| found.sources.contains(it)));
        let classes = in_them.map(|(entity, _)| self.entity_class(entity));
        classes.max().unwrap_or_else(|| self.rank(&self.policy.data.default))
    }
}

/// The order.
impl Case<'_> {
    fn in_one_of(&self, groups: &[String]) -> bool {
        groups
            .iter()
            .any(|group| group == "everyone" || self.facts.groups.contains(group))
    }

    fn mode(&self, citation: &str) -> Mode {
        self.policy
            .rollout
            .get(citation)
            .copied()
            .or(self.policy.rollout_default)
            .unwrap_or(Mode::Enforce)
    }

    fn is_excluded(&self) -> bool {
        let mut groups = self.policy.scope.exclude.iter();
        groups.any(|(group, until)| self.facts.groups.contains(group) && self.local.date() <= *until)
    }

    fn has_access(&self) -> bool {
        let granted = self.policy.grants.iter().any(|grant| {
            self.in_one_of(&grant.groups)
                && grant.apps.as_ref().is_none_or(|apps| self.app_matches(apps))
                && is_one_of(&grant.uses, self.facts.uses.as_ref())
                && fits_one_of(&grant.models, self.facts.model.as_slice())
        });
        granted
            && self
                .entry()
                .is_none_or(|app| fits_one_of(&app.models, self.facts.model.as_slice()))
    }

    fn contributions(&self) -> Vec<Contribution> {
        let mut all: Vec<Contribution> = match self.facts.direction {
            Direction::Prompt => [self.on_scope(), vec![self.on_matrix()], self.on_gates()]
                .into_iter()
                .flatten()
                .collect(),
            Direction::Answer => [vec![self.on_answers()], self.on_tools()]
                .into_iter()
                .flatten()
                .collect(),
        };
        all.extend(self.policy.rules.iter().filter_map(|rule| self.on_rule(rule)));
        all
    }

    fn on_scope(&self) -> Vec<Contribution> {
        let scope = &self.policy.scope;
        let mut all = Vec::new();
        if let Some(verdict) = scope.unmapped
            && !scope.groups.iter().any(|group| self.facts.groups.contains(group))
        {
            all.push(self.section("scope.groups", verdict));
        }
        if let Some(declared) = &self.facts.uses {
            match scope.uses.iter().find(|it| it.id == *declared) {
                None => all.push(self.section("scope.outside", scope.outside.unwrap_or(Verdict::Block))),
                Some(it) if !self.in_one_of(&it.groups) || self.rank(&it.ceiling) < self.text_class() => {
                    all.push(self.section("scope.uses", Verdict::Block));
                }
                Some(_) => {}
            }
        }
        all
    }

    fn on_matrix(&self) -> Contribution {
        let app_class = self.app_class();
        self.by_class("data.matrix", |class| {
            let entry = self.entry().filter(|app| app.listed == app_class);
            let own = entry.and_then(|app| app.cells.get(class));
            own.copied()
                .unwrap_or_else(|| self.policy.data.matrix[class][&app_class])
        })
    }

    fn on_answers(&self) -> Contribution {
        self.by_class("data.answers", |class| {
            self.policy.data.answers.get(class).copied().unwrap_or(Verdict::Allow)
        })
    }

    /// The strictest cell, and what the redact cells mask.
    fn by_class(&self, citation: &str, cell: impl Fn(&str) -> Verdict) -> Contribution {
        let cell = |rank: usize| cell(&self.policy.data.classes[rank]);
        let verdict = self
            .classes_that_occur()
            .into_iter()
            .map(cell)
            .max()
            .expect("never empty");
        let masks = self.spots(|entity| cell(self.entity_class(entity)) == Verdict::Redact);
        Contribution {
            masks,
            ..self.section(citation, verdict)
        }
    }

    fn on_tools(&self) -> Vec<Contribution> {
        let Some(tools) = &self.policy.tools else {
            return Vec::new();
        };
        let judge = |called: &Call| {
            let entry = tools.list.iter().find(|entry| {
                matches_pattern(&entry.tool, &called.tool)
                    && entry.groups.as_ref().is_none_or(|groups| self.in_one_of(groups))
                    && entry
                        .args
                        .iter()
                        .all(|(name, patterns)| argument_fits(called, name, patterns))
            });
            entry.map_or(tools.unlisted, |entry| entry.then.unwrap_or(Verdict::Allow))
        };
        self.facts
            .tools
            .iter()
            .map(|called| self.section("access.tools", judge(called)))
            .collect()
    }

    fn on_gates(&self) -> Vec<Contribution> {
        let mut all = Vec::new();
        for gate in &self.policy.gates {
            let in_grace = self
                .facts
                .since
                .is_some_and(|since| self.local.date() <= since + gate.grace.days());
            if !self.holds(&gate.without) && !in_grace {
                let (masks, about) = (BTreeSet::new(), BTreeSet::new());
                all.push(Contribution {
                    citation: gate.id.clone(),
                    verdict: gate.then,
                    masks,
                    about,
                });
            }
        }
        all
    }

    fn on_rule(&self, rule: &Rule) -> Option<Contribution> {
        if !self.any_map(&rule.when) || rule.unless.as_ref().is_some_and(|maps| self.any_map(maps)) {
            return None;
        }
        let mut masks = BTreeSet::new();
        for map in rule.when.iter().filter(|map| self.map_matches(map)) {
            let named = self.spots(|entity| map.data.iter().flatten().any(|name| self.names_entity(name, entity)));
            masks.extend(
                named
                    .into_iter()
                    .filter(|(_, source)| is_one_of(&map.source, Some(source))),
            );
        }
        Some(Contribution {
            citation: rule.id.clone(),
            verdict: rule.then,
            about: masks.clone(),
            masks,
        })
    }

    /// A contribution of section data: by itself it masks nothing, and it is about all that has the class of the text.
    fn section(&self, citation: &str, verdict: Verdict) -> Contribution {
        let about = self.spots(|entity| self.entity_class(entity) == self.text_class());
        Contribution {
            citation: citation.to_owned(),
            verdict,
            masks: BTreeSet::new(),
            about,
        }
    }

    fn spots(&self, chosen: impl Fn(&str) -> bool) -> BTreeSet<Spot> {
        let entities = self.facts.entities.iter().filter(|(entity, _)| chosen(entity));
        entities
            .flat_map(|(entity, found)| found.sources.iter().map(|source| (entity.clone(), *source)))
            .collect()
    }

    fn is_fixed(&self, (entity, source): &Spot) -> bool {
        self.facts.entities[entity].fixed.contains(source)
    }

    fn exception(&self, citation: &str) -> Option<&Exception> {
        self.policy.exceptions.iter().find(|it| {
            it.clause == citation
                && it.who.as_ref().is_none_or(|maps| self.any_map(maps))
                && self.local.date() <= it.expires
        })
    }
}

/// Selectors.
impl Case<'_> {
    fn any_map(&self, maps: &[Selector]) -> bool {
        maps.iter().any(|map| self.map_matches(map))
    }

    fn map_matches(&self, map: &Selector) -> bool {
        let facts = self.facts;
        is_one_of(&map.principal, Some(&facts.principal))
            && is_one_of(&map.client, facts.client.as_ref())
            && is_one_of(&map.uses, facts.uses.as_ref())
            && map.group.as_ref().is_none_or(|groups| self.in_one_of(groups))
            && map.app.as_ref().is_none_or(|apps| self.app_matches(apps))
            && fits_one_of(&map.model, facts.model.as_slice())
            && fits_one_of(
                &map.tool,
                &facts.tools.iter().map(|call| call.tool.clone()).collect::<Vec<_>>(),
            )
            && map.direction.is_none_or(|direction| direction == facts.direction)
            && is_one_of(&map.source, &facts.sources)
            && map
                .data
                .as_ref()
                .is_none_or(|names| names.iter().any(|name| self.data_matches(name, &map.source)))
            && map
                .finding
                .as_ref()
                .is_none_or(|ids| ids.iter().any(|id| self.finding_matches(id, &map.source)))
            && map
                .training
                .as_ref()
                .is_none_or(|courses| courses.iter().any(|course| self.holds(course)))
            && map.signed_in.is_none_or(|minutes| {
                facts
                    .signed_in
                    .is_some_and(|at| at <= facts.now && facts.now <= at + minutes.minutes())
            })
            && map.time.as_ref().is_none_or(|time| self.time_matches(time))
    }

    fn app_matches(&self, apps: &[AppSelector]) -> bool {
        apps.iter().any(|app| {
            is_one_of(&app.id, Some(&self.facts.app))
                && (app.class.is_none() || is_one_of(&app.class, Some(&self.app_class())))
                && is_one_of(&app.category, &self.facts.categories)
        })
    }

    fn data_matches(&self, name: &str, sources: &OneOf<Source>) -> bool {
        if self.policy.data.classes.iter().any(|class| class == name) {
            return match sources {
                None => self.text_class() >= self.rank(name),
                // The `source` key, which must match too, sees to it that there is a part of them.
                Some(sources) => self.class_of_sources(sources) >= self.rank(name),
            };
        }
        self.found(name)
            .iter()
            .any(|(_, found)| is_one_of(sources, &found.sources))
    }

    /// Whether a name in `data` (an entity, family or class) stands for an entity that was found.
    fn names_entity(&self, name: &str, entity: &str) -> bool {
        if self.policy.data.classes.iter().any(|class| class == name) {
            return self.entity_class(entity) >= self.rank(name);
        }
        members(name).contains(&entity)
    }

    fn finding_matches(&self, id: &str, sources: &OneOf<Source>) -> bool {
        self.facts
            .findings
            .get(id)
            .is_some_and(|places| is_one_of(sources, places))
    }

    fn holds(&self, course: &str) -> bool {
        let valid = self.policy.courses[course];
        self.facts
            .training
            .get(course)
            .is_some_and(|on| self.local.date() <= *on + valid.days())
    }

    fn time_matches(&self, time: &Period) -> bool {
        let today = self.local.date();
        let day = DAYS[usize::try_from(today.weekday().to_monday_zero_offset()).expect("0 to 6")];
        let minute = i32::from(self.local.hour()) * 60 + i32::from(self.local.minute());
        time.days.as_ref().is_none_or(|days| days.iter().any(|it| it == day))
            && time.hours.is_none_or(|(start, end)| {
                if start <= end {
                    start <= minute && minute < end
                } else {
                    start <= minute || minute < end
                }
            })
            && time.from.is_none_or(|from| from <= today)
            && time.until.is_none_or(|until| today <= until)
    }
}

/// Whether the argument is there, and each of its values fits one of the patterns.
fn argument_fits(call: &Call, name: &str, patterns: &[String]) -> bool {
    let steps: Vec<String> = match name.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(|step| step.replace("~1", "/")).collect(),
        None => name.split('.').map(str::to_owned).collect(),
    };
    let through_lists = !name.starts_with('/');
    let values = values_at(&Value::Map(call.args.clone()), &steps, through_lists);
    values.is_some_and(|values| {
        let fits = |value: &Value| patterns.iter().any(|pattern| value_fits(pattern, value));
        !values.is_empty() && values.iter().all(fits)
    })
}

/// The single values at a path; `None` if it is absent somewhere, or leads to a map or an empty list.
fn values_at(value: &Value, steps: &[String], through_lists: bool) -> Option<Vec<Value>> {
    match (value, steps) {
        (Value::Map(_), []) => None,
        (Value::Map(members), [step, rest @ ..]) => values_at(members.get(step)?, rest, through_lists),
        (Value::List(items), [step, rest @ ..]) if !through_lists => {
            values_at(items.get(step.parse::<usize>().ok()?)?, rest, through_lists)
        }
        (Value::List(items), steps) => {
            if items.is_empty() {
                return None;
            }
            let each: Option<Vec<Vec<Value>>> =
                items.iter().map(|item| values_at(item, steps, through_lists)).collect();
            Some(each?.concat())
        }
        (single, []) => Some(vec![single.clone()]),
        (_, _) => None,
    }
}

fn value_fits(pattern: &str, value: &Value) -> bool {
    let bound = |sign: &str| {
        let number: f64 = pattern.strip_prefix(sign)?.trim().parse().ok()?;
        Some(number * 10.0)
    };
    match value {
        Value::Number(tenths) => {
            let number = f64::from(*tenths);
            match (bound("<="), bound("<"), bound(">="), bound(">")) {
                (Some(most), ..) => number <= most,
                (_, Some(end), ..) => number < end,
                (_, _, Some(least), _) => number >= least,
                (_, _, _, Some(end)) => number > end,
                _ => matches_pattern(pattern, &(number / 10.0).to_string()),
            }
        }
        Value::Text(text) => {
            let addresses = |text: &str| text.chars().filter(|c| *c == '@').count();
            let climbs = text.replace('\\', "/").split('/').any(|step| step == "..");
            pattern == "*"
                || (!pattern.starts_with(['<', '>'])
                    && matches_pattern(pattern, text)
                    && !text.contains(char::is_control)
                    && (addresses(pattern) == 0 || addresses(pattern) == addresses(text))
                    && (!pattern.contains('/') || !climbs))
        }
        Value::List(_) | Value::Map(_) => false,
    }
}

/// Whether the key is absent, or one of the facts is one of its values.
fn is_one_of<'a, T: PartialEq + 'a>(values: &OneOf<T>, facts: impl IntoIterator<Item = &'a T>) -> bool {
    values
        .as_ref()
        .is_none_or(|values| facts.into_iter().any(|fact| values.contains(fact)))
}

/// Whether the key is absent, or one of the facts matches one of its patterns.
fn fits_one_of(patterns: &OneOf<String>, facts: &[String]) -> bool {
    patterns
        .as_ref()
        .is_none_or(|all| facts.iter().any(|fact| all.iter().any(|it| matches_pattern(it, fact))))
}

fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).any(|skip| rest.get(skip..).is_some_and(|rest| matches_pattern(tail, rest)))
        }),
    }
}

/// The entities that a name stands for: a family's, or itself.
fn members(name: &str) -> Vec<&str> {
    match FAMILIES.iter().find(|(family, _)| *family == name) {
        Some((_, entities)) => entities.to_vec(),
        None => vec![name],
    }
}

fn family_of(entity: &str) -> Option<&'static str> {
    FAMILIES
        .iter()
        .find(|(_, entities)| entities.contains(&entity))
        .map(|(family, _)| *family)
}
