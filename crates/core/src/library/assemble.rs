//! From answers to a policy folder: which clauses come in, with which values, and the files that they make.
//!
//! The same answers on the same day give the same bytes. Read [`assemble`] first.

use jiff::civil::Date;

use super::answers::{Answers, Appetite, REGULATED, Size};
use super::cast::Cast;
use super::clause::{Clause, HeldBy, Kind, Parameter, Standing};
use super::words::{Words, words_in};
use super::{Library, frame, summary};
use crate::catalog::Catalog;
use crate::policy::document::Section;
use crate::policy::fields::Reader;
use crate::policy::node::{self, Value};
use crate::policy::{File, Files, ROOT};
use crate::verdict::Mode;

/// What answers make.
#[derive(Debug, Clone)]
pub struct Assembly {
    /// The files of the policy folder, by path.
    pub files: Vec<File>,
    /// What was decided, and why.
    pub decided: Vec<Decided>,
    /// The summary of it all, a page in Markdown.
    pub summary: String,
    /// The group that everybody ordinary is in, as the directory calls it.
    pub group: String,
    /// A sanctioned app, one of the organisation's own if it has any.
    pub app: String,
    /// A model that the app may be asked for, where not all are fine.
    pub model: Option<String>,
    /// Whether the works council has to consent before the gateway records anything.
    pub consent: bool,
}

/// Something that was decided for the organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What.
    pub what: String,
    /// Because of which answer.
    pub because: String,
}

/// A clause that comes in.
#[derive(Debug, Clone)]
pub(super) struct Adopted<'l> {
    pub(super) clause: &'l Clause,
    /// Its text with every word replaced.
    pub(super) text: String,
    /// Its statement, in plain words.
    pub(super) statement: String,
    pub(super) cases: Vec<String>,
    /// Values of its parameters.
    pub(super) values: Vec<(&'l str, String)>,
    pub(super) because: String,
}

/// All that the files are made from.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) answers: &'a Answers,
    pub(super) cast: Cast,
    pub(super) profiles: Vec<String>,
    pub(super) adopted: Vec<Adopted<'a>>,
    /// Clauses that would have come in if somebody did what they are about.
    pub(super) without_cast: Vec<&'a Clause>,
    pub(super) today: Date,
}

/// The moment of assembled cases: their dates of courses and their hours are read from here.
pub(super) const MOMENT: &str = "2026-12-01T12:00";

/// Makes a policy folder from answers.
#[must_use]
pub fn assemble(library: &Library, answers: &Answers, catalog: &Catalog, today: Date) -> Assembly {
    let plan = Plan::of(library, answers, catalog, today);
    let mut files = vec![File {
        path: ROOT.to_owned(),
        text: frame::document(&plan),
    }];
    for section in Section::ALL {
        let cases: Vec<&str> = plan
            .of_section(section)
            .flat_map(|one| one.cases.iter().map(String::as_str))
            .collect();
        if !cases.is_empty() {
            files.push(File {
                path: case_path(section),
                text: cases_file(&cases),
            });
        }
    }
    let decided = summary::decided(&plan);
    let app = plan.word("own-app");
    let limited = plan.cast.apps.iter().find(|one| one.app == app);
    Assembly {
        summary: summary::page(&plan, &decided),
        files,
        decided,
        group: plan.cast.in_directory(&plan.word("group")).to_owned(),
        model: limited.and_then(|app| Some(app.models.first()?.replace('*', ""))),
        app,
        consent: answers.works_council,
    }
}

impl Assembly {
    /// The files as a policy.
    #[must_use]
    pub fn as_files(&self) -> Files {
        Files::new(self.files.clone())
    }
}

/// Where the cases of a section's clauses stand.
#[must_use]
pub fn case_path(section: Section) -> String {
    format!("cases/{}.yaml", section.as_str())
}

/// A file of cases.
pub(super) fn cases_file(cases: &[&str]) -> String {
    let mut out = format!(
        "# What the policy must say to these requests, under full enforcement. `now` is their moment, unless one names another.\nnow: {MOMENT}\ncases:\n"
    );
    for case in cases {
        out.push_str(&indented(case, 2));
    }
    out
}

/// Lines moved to the right; empty ones stay empty.
pub(super) fn indented(text: &str, by: usize) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        if !line.trim().is_empty() {
            out.push_str(&" ".repeat(by));
            out.push_str(line.trim_end());
        }
        out.push('\n');
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

impl<'a> Plan<'a> {
    fn of(library: &'a Library, answers: &'a Answers, catalog: &Catalog, today: Date) -> Self {
        let cast = Cast::of(answers, catalog);
        let profiles = answers.effective_profiles();
        let (mut adopted, mut without_cast): (Vec<Adopted<'a>>, Vec<&Clause>) = (Vec::new(), Vec::new());
        for section in Section::ALL {
            for clause in library.clauses.iter().filter(|clause| clause.section == section) {
                let Some(because) = wanted(clause, answers, &profiles) else {
                    continue;
                };
                let made = is_offered(clause, &cast.words).then(|| adopt(clause, because, answers, &profiles, &cast));
                match made.flatten() {
                    Some(one) => adopted.push(one),
                    None => without_cast.push(clause),
                }
            }
        }
        let mut plan = Self {
            answers,
            cast,
            profiles,
            adopted,
            without_cast,
            today,
        };
        plan.drop_cases_about_others(library);
        plan
    }

    /// The adopted clauses of a section.
    pub(super) fn of_section(&self, section: Section) -> impl Iterator<Item = &Adopted<'a>> {
        self.adopted.iter().filter(move |one| one.clause.section == section)
    }

    /// What a word stands for; empty if it stands for nothing.
    pub(super) fn word(&self, word: &str) -> String {
        self.cast
            .words
            .get(word)
            .map(|list| list.join(", "))
            .unwrap_or_default()
    }

    /// The value of a parameter of an adopted clause, for the tables that it speaks of.
    pub(super) fn value(&self, clause: &str, parameter: &str, usual: &str) -> String {
        let found = self.adopted.iter().find(|one| one.clause.id == clause);
        let value = found.and_then(|one| one.values.iter().find(|(name, _)| *name == parameter));
        value.map_or_else(|| usual.to_owned(), |(_, value)| value.clone())
    }

    /// Whether the overlay is laid over.
    pub(super) fn is_regulated(&self) -> bool {
        self.profiles.iter().any(|profile| profile == REGULATED)
    }

    /// A case may count on other clauses having their say; without them it says nothing.
    fn drop_cases_about_others(&mut self, library: &Library) {
        let ids: Vec<String> = self.adopted.iter().map(|one| one.clause.id.clone()).collect();
        for one in &mut self.adopted {
            one.cases.retain(|case| {
                expected(case)
                    .iter()
                    .all(|id| library.clause(id).is_none() || ids.contains(id))
            });
        }
    }
}

/// Why a clause comes in; `None` if it does not.
fn wanted(clause: &Clause, answers: &Answers, profiles: &[String]) -> Option<String> {
    let standing = |wanted: Standing| {
        profiles
            .iter()
            .find(|profile| clause.standing_in(profile) == wanted)
            .cloned()
    };
    if let Some(profile) = standing(Standing::Required) {
        return Some(format!("required by `{profile}`"));
    }
    let tags = tags(answers, profiles);
    if let Some(tag) = clause.required_where.iter().find(|tag| tags.contains(tag)) {
        return Some(format!("required by `{tag}`"));
    }
    if answers.also.contains(&clause.id) {
        return Some("asked for by name".to_owned());
    }
    if answers.without.contains(&clause.id) || answers.appetite == Appetite::Bold {
        return None;
    }
    let spared =
        answers.size == Size::Small && answers.appetite != Appetite::Careful && clause.held_by == HeldBy::Evidence;
    if spared {
        return None;
    }
    standing(Standing::Recommended).map(|profile| format!("recommended by `{profile}`"))
}

/// Whether the organisation has what a clause is about.
pub(super) fn is_offered(clause: &Clause, words: &Words) -> bool {
    let needs = clause.needs.iter().map(String::as_str);
    needs.chain(clause.cast_words()).all(|word| words.has(word))
}

fn adopt<'l>(
    clause: &'l Clause,
    because: String,
    answers: &Answers,
    profiles: &[String],
    cast: &Cast,
) -> Option<Adopted<'l>> {
    let values: Vec<(&str, String)> = clause
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), value(clause, parameter, answers, profiles)))
        .collect();
    fill(clause, &values, cast, &tags(answers, profiles)).map(|filled| Adopted {
        clause,
        because,
        values: filled.values,
        statement: filled.statement,
        text: filled.text,
        cases: filled.cases,
    })
}

/// A clause with its words replaced.
pub(super) struct FilledClause<'l> {
    pub(super) text: String,
    pub(super) statement: String,
    pub(super) cases: Vec<String>,
    pub(super) values: Vec<(&'l str, String)>,
}

/// Replaces the words of a clause; `None` if one stands for nothing.
pub(super) fn fill<'l>(
    clause: &'l Clause,
    values: &[(&'l str, String)],
    cast: &Cast,
    tags: &[String],
) -> Option<FilledClause<'l>> {
    let (mut words, mut case_words) = (cast.words.clone(), cast.case_words.clone());
    let mut resolved = Vec::new();
    for (name, value) in values {
        // A default may be a word of the cast, and then stands for that word's list.
        let whole = words_in(value)
            .first()
            .filter(|word| format!("<{word}>") == *value)
            .copied();
        let list = match whole.and_then(|word| cast.words.get(word)) {
            Some(list) => list.to_vec(),
            None => vec![cast.words.fill(value).ok()?],
        };
        let kind = clause.parameter(name).map(|parameter| parameter.kind);
        let list: Vec<String> = match kind {
            Some(Kind::Groups | Kind::Apps | Kind::Uses | Kind::Entities | Kind::Models) => list
                .iter()
                .flat_map(|one| one.split(',').map(|item| item.trim().to_owned()))
                .collect(),
            _ => list,
        };
        resolved.push((*name, list.join(", ")));
        let in_case = match kind {
            Some(Kind::Groups) => list.iter().map(|group| cast.in_directory(group).to_owned()).collect(),
            _ => list.clone(),
        };
        case_words.set_list(name, in_case);
        words.set_list(name, list);
    }
    let text = words.fill_yaml(&clause.text).ok()?;
    let holds = |case: &&super::clause::CaseText| {
        (case.only.is_empty() || case.only.iter().any(|tag| tags.contains(tag)))
            && !case.not.iter().any(|tag| tags.contains(tag))
    };
    let cases = clause
        .cases
        .iter()
        .filter(holds)
        .filter_map(|case| case_words.fill(&case.text).ok())
        .collect();
    Some(FilledClause {
        statement: statement(&text),
        text,
        cases,
        values: resolved,
    })
}

/// What `only` and `not` of a case may name, as far as it is true here.
pub(super) fn tags(answers: &Answers, profiles: &[String]) -> Vec<String> {
    let mut tags = profiles.to_vec();
    tags.extend(
        [
            answers.appetite.as_str(),
            answers.size.as_str(),
            answers.sector.as_str(),
        ]
        .map(str::to_owned),
    );
    tags.extend(answers.regulations.iter().cloned());
    tags.extend(answers.council().map(str::to_owned));
    tags
}

/// The value of a parameter: what was set by name, else what the profiles say, else the default.
pub(super) fn value(clause: &Clause, parameter: &Parameter, answers: &Answers, profiles: &[String]) -> String {
    let set = answers
        .settings
        .iter()
        .filter(|(id, _)| *id == clause.id)
        .flat_map(|(_, values)| values)
        .find(|(name, _)| *name == parameter.name);
    if let Some((_, value)) = set {
        return value.clone();
    }
    let by = |profile: &String| -> Option<&String> {
        let (_, values) = clause.overrides.iter().find(|(known, _)| known == profile)?;
        values
            .iter()
            .find(|(name, _)| *name == parameter.name)
            .map(|(_, value)| value)
    };
    let overlaid = profiles.iter().filter(|profile| *profile == REGULATED).find_map(by);
    let size = answers.size.to_string();
    let others = profiles.iter().filter(|profile| *profile != REGULATED);
    let others = others.chain(std::iter::once(&size)).filter_map(by);
    let kept_for = answers.bound_by().filter_map(|row| row.record_days).max();
    let told_within = answers.bound_by().filter_map(|row| row.report_hours).min();
    let is_record = parameter.name == "record-days";
    let value = match overlaid {
        Some(value) => value.clone(),
        // Of several profiles the stricter counts: the shorter time, but records for longer.
        None if is_record => others
            .max_by_key(|value| days_of(value))
            .unwrap_or(&parameter.default)
            .clone(),
        None => match others.min_by_key(|value| days_of(value).unwrap_or(u32::MAX)) {
            Some(value) => value.clone(),
            None => paced(clause, parameter, answers.appetite),
        },
    };
    match (is_record, days_of(&value), kept_for) {
        (true, Some(days), Some(least)) if days < least => return format!("{least} days"),
        _ => {}
    }
    match (value.parse::<u32>(), told_within) {
        (Ok(hours), Some(most)) if parameter.name == "report-hours" && hours > most => most.to_string(),
        _ => value,
    }
}

/// How often people show something, by appetite: a step more often, or a step less.
fn paced(clause: &Clause, parameter: &Parameter, appetite: Appetite) -> String {
    const STEPS: [u32; 6] = [14, 30, 60, 90, 180, 365];
    let days =
        days_of(&parameter.default).filter(|_| parameter.kind == Kind::Days && clause.is_cadence(&parameter.name));
    let step = days.and_then(|days| STEPS.iter().position(|&step| step == days));
    let next = match (step, appetite) {
        (Some(step), Appetite::Careful) => STEPS.get(step.saturating_sub(1)),
        (Some(step), Appetite::Bold) => STEPS.get(step + 1).or(STEPS.last()),
        _ => None,
    };
    next.map_or_else(|| parameter.default.clone(), |days| format!("{days} days"))
}

/// A length of time in days.
pub(super) fn days_of(value: &str) -> Option<u32> {
    let mut reader = Reader::default();
    let node = node::parse(0, value, &mut reader.problems)?;
    reader.days(&node).map(|days| days.value)
}

/// The statement of a clause's text.
fn statement(text: &str) -> String {
    let mut reader = Reader::default();
    let tree = node::parse(0, text, &mut reader.problems);
    let fields = tree.as_ref().and_then(|tree| reader.fields(tree, "a clause"));
    let statement = fields.and_then(|mut fields| fields.text("statement", &mut reader));
    statement.map(|text| text.value).unwrap_or_default()
}

/// The citations that a case expects.
fn expected(case: &str) -> Vec<String> {
    let mut reader = Reader::default();
    let Some(tree) = node::parse(0, case, &mut reader.problems) else {
        return Vec::new();
    };
    let Value::List(items) = &tree.value else {
        return Vec::new();
    };
    let mut ids = Vec::new();
    for item in items {
        let fields = reader.fields(item, "a case");
        let expect = fields.and_then(|mut fields| fields.node("expect"));
        if let Some(mut expect) = expect.and_then(|node| reader.fields(node, "`expect`")) {
            ids.extend(expect.texts("clauses", &mut reader).into_iter().map(|text| text.value));
        }
    }
    ids
}

impl Adopted<'_> {
    /// How it acts on adoption; only rules act.
    pub(super) fn mode(&self) -> Option<Mode> {
        (self.clause.held_by == HeldBy::Rule).then(|| self.clause.mode.unwrap_or(Mode::Observe))
    }
}
