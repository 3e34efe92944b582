//! From a file to answers: every problem with its line, and what was probably meant.

use jiff::tz::TimeZone;

use super::values::{OneOf, each, strings, wrong_pattern, wrong_value};
use super::{Answers, App, Approved, CLASSES, Group, Keywords, REGULATED, Tier, Tool, ToolKind, Use, Work, is_name};
use crate::catalog::Catalog;
use crate::detect::entities::{ENTITIES, FAMILIES};
use crate::library::Library;
use crate::library::clause::{Clause, Standing, flag, values};
use crate::library::questions::QUESTIONS;
use crate::library::regulation::REGULATIONS;
use crate::policy::document::{At, Text};
use crate::policy::fields::{Fields, Reader};
use crate::policy::node::{self, Node, Place, Value};
use crate::policy::problem::Problem;
use crate::verdict::{AppClass, Verdict};

pub(super) fn parse(text: &str, library: &Library, catalog: &Catalog) -> (Answers, Vec<Problem>) {
    let mut reader = Reader::default();
    let mut answers = Answers::default();
    if let Some(tree) = node::parse(0, text, &mut reader.problems)
        && let Some(mut fields) = reader.fields(&tree, "a file of answers")
    {
        let mut reading = Reading {
            answers: &mut answers,
            library,
            catalog,
            reader: &mut reader,
        };
        reading.organisation(&mut fields);
        reading.groups(&mut fields);
        reading.people(&mut fields);
        reading.apps(&mut fields);
        reading.data(&mut fields);
        reading.uses(&mut fields);
        reading.clauses(&mut fields);
        fields.finish(&mut reader);
    }
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.place);
    problems.dedup();
    (answers, problems)
}

/// What is wrong with the id of an app: it is not in the catalogue, and nobody says that it is their own.
fn app_problem(id: &Text, own: bool, catalogued: &[&str]) -> Option<Problem> {
    if catalogued.contains(&id.as_str()) {
        return None;
    }
    let message = format!("no app called `{}` in the catalogue", id.value);
    let problem = Problem::error("unknown-word", id.place, message).suggest(id.as_str(), catalogued.iter().copied());
    match (&problem.help, own) {
        (Some(_), _) => Some(problem),
        (None, true) => name_problem(id),
        (None, false) => Some(
            problem
                .help("if it is an app of your own, say so: `own: true`; else leave it out, and it counts as unknown"),
        ),
    }
}

struct Reading<'r> {
    answers: &'r mut Answers,
    library: &'r Library,
    catalog: &'r Catalog,
    reader: &'r mut Reader,
}

impl Reading<'_> {
    fn organisation(&mut self, fields: &mut Fields<'_>) {
        if let Some(next) = fields.text("next", self.reader) {
            let known: Vec<&str> = QUESTIONS.iter().map(|question| question.key).collect();
            self.known("question", std::slice::from_ref(&next), &known);
            self.answers.next = Some(next.value);
        }
        if let Some(name) = fields.text("organization", self.reader) {
            self.answers.organization = name.value;
        }
        if let Some(names) = fields.some_texts("profiles", self.reader) {
            let known: Vec<&str> = self
                .library
                .profiles
                .iter()
                .map(|profile| profile.id.as_str())
                .collect();
            self.known("profile", &names, &known);
            let place = fields.node("profiles").map_or_else(Place::default, |node| node.place);
            if names.iter().all(|name| name.as_str() == REGULATED) {
                let problem = Problem::error("missing-profile", place, "a profile that stands alone is needed");
                let help = "name at least one of `builds-models`, `integrates-apis`, `uses-saas` and `public-tools`";
                self.reader.problems.push(problem.help(help));
            }
            self.answers.profiles = strings(names);
        }
        self.answers.size = self.word(fields, "size", self.answers.size);
        self.answers.sector = self.word(fields, "sector", self.answers.sector);
        self.answers.appetite = self.word(fields, "appetite", self.answers.appetite);
        if let Some(names) = fields.some_texts("regulations", self.reader) {
            let known: Vec<&str> = REGULATIONS.iter().map(|row| row.id).collect();
            self.known("regulation", &names, &known);
            self.answers.regulations = strings(names);
        }
        if let Some(zone) = fields.text("timezone", self.reader) {
            if TimeZone::get(zone.as_str()).is_err() {
                self.problem(
                    "unknown-timezone",
                    zone.place,
                    format!("no time zone called `{}`", zone.value),
                )
                .help = Some("use an IANA name such as `Europe/Berlin` or `UTC`".to_owned());
            }
            self.answers.timezone = zone.value;
        }
        self.answers.works_council = flag(fields, "works_council", self.reader);
        if let Some(mut inner) = fields
            .node("approved")
            .and_then(|node| self.reader.fields(node, "`approved`"))
        {
            let by = inner.required("by", self.reader);
            let on = inner.required_with("on", self.reader, Reader::date);
            let effective = inner.node("effective").and_then(|node| self.reader.date(node));
            inner.finish(self.reader);
            if let (Some(by), Some(on)) = (by, on) {
                self.answers.approved = Some(Approved {
                    by: by.value,
                    on: on.value,
                    effective: effective.map(|date| date.value),
                });
            }
        }
    }

    fn groups(&mut self, fields: &mut Fields<'_>) {
        if fields.node("groups").is_none() {
            return;
        }
        let mut groups: Vec<Group> = Vec::new();
        for node in fields.list("groups", self.reader) {
            let Some(mut inner) = self.reader.fields(node, "a group") else {
                continue;
            };
            let id = inner.required("id", self.reader);
            let claim = inner.text("claim", self.reader);
            let does = inner.node("does").map(|node| {
                let words = Work::words();
                each(node)
                    .iter()
                    .filter_map(|node| self.reader.word(node, "what a group does", Work::parse, &words))
                    .map(|work| work.value)
                    .collect()
            });
            inner.finish(self.reader);
            let Some(id) = id else { continue };
            if matches!(id.as_str(), "everyone" | "unmapped") {
                self.problem(
                    "reserved-name",
                    id.place,
                    format!("`{}` is a word of the policy", id.value),
                )
                .help =
                    Some("leave it out: everybody is in `everyone`, and people without a group are refused".to_owned());
            } else if self.is_name(&id) && self.is_new("group", &id, groups.iter().map(|group| group.id.as_str())) {
                groups.push(Group {
                    id: id.value,
                    claim: claim.map(|claim| claim.value),
                    does: does.unwrap_or_default(),
                });
            }
        }
        self.answers.groups = groups;
    }

    fn people(&mut self, fields: &mut Fields<'_>) {
        if let Some(domain) = fields.text("domain", self.reader) {
            if domain.value.contains(['@', ' ']) || !domain.value.contains('.') {
                self.problem("wrong-type", domain.place, format!("`{}` is no domain", domain.value))
                    .help = Some("write what stands after the `@` of your addresses, such as `example.com`".to_owned());
            }
            self.answers.domain = domain.value;
        }
        let place = fields.key_place("people");
        let people = fields.good_pairs("people", self.reader, Reader::text);
        for (role, address) in &people {
            self.is_name(role);
            if !address.value.contains('@') {
                self.problem(
                    "wrong-type",
                    address.place,
                    format!("`{}` is no address", address.value),
                )
                .help = Some(format!("write an address, such as `{}@example.com`", role.value));
            }
        }
        if place.is_some() {
            self.answers.people = people
                .into_iter()
                .map(|(role, address)| (role.value, address.value))
                .filter(|(role, address)| {
                    let usual = super::ROLES.contains(&role.as_str()) || self.answers.council() == Some(role.as_str());
                    *address != format!("{role}@{}", self.answers.domain) || !usual
                })
                .collect();
        }
        if self.answers.owner_and_deputy().is_none() {
            let problem = self.problem(
                "one-person",
                place.unwrap_or_default(),
                "all roles are held by one person".to_owned(),
            );
            problem.help = Some("name a second person for at least one role: nobody should approve alone".to_owned());
        }
        let Some(entry) = fields.entry("board") else { return };
        let Some(mut inner) = self.reader.fields(&entry.node, "`board`") else {
            return;
        };
        let members = inner.some_texts("members", self.reader);
        let quorum = inner.node("quorum").and_then(|node| self.reader.number(node));
        inner.finish(self.reader);
        if let Some(members) = members {
            self.roles(&members);
            self.answers.board = strings(members);
        }
        if let Some(quorum) = quorum {
            let persons = self.answers.board_of_persons().len();
            let least = persons / 2 + 1;
            if (quorum.value as usize) < least || quorum.value as usize > persons {
                let message = format!("a quorum of {} of {persons} persons", quorum.value);
                self.problem("impossible-quorum", quorum.place, message).help = Some(format!(
                    "between {least} and {persons}: more than half, and no more than there are"
                ));
            }
            self.answers.quorum = Some(quorum.value);
        }
    }

    fn apps(&mut self, fields: &mut Fields<'_>) {
        if fields.node("apps").is_none() {
            return;
        }
        let ids: Vec<&str> = self.catalog.apps().map(|app| app.id).collect();
        let mut apps: Vec<App> = Vec::new();
        for node in fields.list("apps", self.reader) {
            let Some(mut inner) = self.reader.fields(node, "an app") else {
                continue;
            };
            let id = inner.required("app", self.reader);
            let words = ["sanctioned", "tolerated", "unsanctioned"];
            let parse = |word: &str| AppClass::parse(word).filter(|&class| class != AppClass::Unknown);
            let class = inner.required_with("class", self.reader, |reader, node| {
                reader.word(node, "a class that an app can be given", parse, &words)
            });
            let own = flag(&mut inner, "own", self.reader);
            let models = inner.texts("models", self.reader);
            let owner = inner.text("owner", self.reader);
            let reason = inner.text("reason", self.reader);
            let terms = inner.node("terms_checked").and_then(|node| self.reader.date(node));
            inner.finish(self.reader);
            let (Some(id), Some(class)) = (id, class) else { continue };
            if let Some(problem) = app_problem(&id, own, &ids) {
                self.reader.problems.push(problem);
            }
            for pattern in &models {
                if let Some(expected) = wrong_pattern(pattern.as_str()) {
                    let message = format!("`{}` fits no model", pattern.value);
                    self.problem("wrong-type", pattern.place, message).help = Some(expected.to_owned());
                }
            }
            self.roles(owner.as_slice());
            if self.is_new("app", &id, apps.iter().map(|app| app.app.as_str())) {
                apps.push(App {
                    app: id.value,
                    own,
                    class: class.value,
                    models: strings(models),
                    owner: owner.map(|owner| owner.value),
                    reason: reason.map(|reason| reason.value),
                    terms_checked: terms.map(|date| date.value),
                });
            }
        }
        self.answers.apps = apps;
    }

    fn data(&mut self, fields: &mut Fields<'_>) {
        if let Some(names) = fields.some_texts("data", self.reader) {
            let mut known: Vec<&str> = ENTITIES.iter().map(|entity| entity.id).collect();
            known.extend(FAMILIES);
            self.known("entity or family", &names, &known);
            self.answers.data = strings(names);
        }
        if fields.node("keywords").is_none() {
            return;
        }
        let mut keywords: Vec<Keywords> = Vec::new();
        for node in fields.list("keywords", self.reader) {
            let Some(mut inner) = self.reader.fields(node, "keywords") else {
                continue;
            };
            let entity = inner.required("entity", self.reader);
            let class = inner.text("class", self.reader);
            let words = inner.texts("words", self.reader);
            inner.finish(self.reader);
            let Some(entity) = entity else { continue };
            let taken = ENTITIES.iter().map(|entity| entity.id).chain(["internal-marking"]);
            let taken = taken.chain(CLASSES).chain(FAMILIES.iter().copied());
            let taken = taken.chain(keywords.iter().map(|own| own.entity.as_str()));
            let is_new = self.is_new("entity", &entity, taken);
            if let Some(class) = &class {
                self.known(
                    "data class",
                    std::slice::from_ref(class),
                    &["internal", "confidential", "restricted"],
                );
            }
            if words.is_empty() {
                self.problem("missing-key", node.place, format!("`{}` has no words", entity.value))
                    .help = Some("add them: `words: [project heron, project bittern]`".to_owned());
            } else if self.is_name(&entity) && is_new {
                keywords.push(Keywords {
                    entity: entity.value,
                    class: class.map_or_else(|| "confidential".to_owned(), |class| class.value),
                    words: strings(words),
                });
            }
        }
        self.answers.keywords = keywords;
    }

    fn uses(&mut self, fields: &mut Fields<'_>) {
        if fields.node("uses").is_some() {
            let mut uses: Vec<Use> = Vec::new();
            for node in fields.list("uses", self.reader) {
                let Some(mut inner) = self.reader.fields(node, "a use") else {
                    continue;
                };
                let (id, statement) = (
                    inner.required("id", self.reader),
                    inner.required("statement", self.reader),
                );
                let (owner, groups) = (inner.text("owner", self.reader), inner.texts("groups", self.reader));
                let ceiling = inner.text("ceiling", self.reader);
                let tier = self.word(&mut inner, "tier", Tier::Limited);
                inner.finish(self.reader);
                let (Some(id), Some(statement)) = (id, statement) else {
                    continue;
                };
                self.roles(owner.as_slice());
                self.group_names(&groups);
                self.known("data class", ceiling.as_slice(), &CLASSES);
                if self.is_name(&id) && self.is_new("use", &id, uses.iter().map(|one| one.id.as_str())) {
                    uses.push(Use {
                        id: id.value,
                        statement: statement.value,
                        owner: owner.map_or_else(|| "ciso".to_owned(), |owner| owner.value),
                        groups: strings(groups)
                            .into_iter()
                            .filter(|group| group != "everyone")
                            .collect(),
                        ceiling: ceiling.map(|class| class.value),
                        tier,
                    });
                }
            }
            self.answers.uses = uses;
        }
        if fields.node("tools").is_none() {
            return;
        }
        let mut tools: Vec<Tool> = Vec::new();
        for node in fields.list("tools", self.reader) {
            let Some(mut inner) = self.reader.fields(node, "a tool") else {
                continue;
            };
            let tool = inner.required("tool", self.reader);
            let kind = self.word(&mut inner, "kind", ToolKind::Read);
            let groups = inner.texts("groups", self.reader);
            let verdicts: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
            let then = inner
                .node("then")
                .and_then(|node| self.reader.word(node, "a verdict", Verdict::parse, &verdicts));
            inner.finish(self.reader);
            self.group_names(&groups);
            if let Some(tool) = tool
                && self.is_new("tool", &tool, tools.iter().map(|one| one.tool.as_str()))
            {
                tools.push(Tool {
                    tool: tool.value,
                    kind,
                    groups: strings(groups)
                        .into_iter()
                        .filter(|group| group != "everyone")
                        .collect(),
                    then: then.map(|then| then.value),
                });
            }
        }
        self.answers.tools = tools;
    }

    fn clauses(&mut self, fields: &mut Fields<'_>) {
        let library = self.library;
        let ids: Vec<&str> = library.clauses.iter().map(|clause| clause.id.as_str()).collect();
        let (also, without) = (fields.texts("also", self.reader), fields.texts("without", self.reader));
        self.known("clause", &also, &ids);
        self.known("clause", &without, &ids);
        let profiles = self.answers.effective_profiles();
        for id in &without {
            let Some(clause) = library.clause(id.as_str()) else {
                continue;
            };
            let by = profiles
                .iter()
                .find(|profile| clause.standing_in(profile) == Standing::Required);
            if let Some(by) = by {
                self.problem(
                    "required-clause",
                    id.place,
                    format!("`{}` is required by `{by}`", id.value),
                )
                .help = Some("keep it; a change of the profile is a change of what you do".to_owned());
            }
        }
        self.answers.also = strings(also);
        self.answers.without = strings(without);
        let mut settings = Vec::new();
        for (id, node) in fields.pairs("settings", self.reader, |_, node| node) {
            self.known("clause", std::slice::from_ref(&id), &ids);
            let Some(clause) = library.clause(id.as_str()) else {
                continue;
            };
            let values = values(node, self.reader);
            self.settings(clause, node, &values);
            settings.push((id.value, values));
        }
        self.answers.settings = settings;
    }

    fn settings(&mut self, clause: &Clause, node: &Node, values: &[(String, String)]) {
        let names: Vec<&str> = clause
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
            .collect();
        for (name, value) in values {
            let Some(parameter) = clause.parameter(name) else {
                let problem = Problem::error(
                    "unknown-key",
                    node.place,
                    format!("`{}` has no parameter `{name}`", clause.id),
                );
                self.reader.problems.push(problem.suggest(name, names.iter().copied()));
                continue;
            };
            if let Some(expected) = wrong_value(parameter.kind, value) {
                self.problem(
                    "wrong-type",
                    node.place,
                    format!("`{value}` stands here, but {expected}"),
                );
            }
        }
    }

    fn word<T: OneOf>(&mut self, fields: &mut Fields<'_>, key: &'static str, default: T) -> T {
        let Some(node) = fields.node(key) else { return default };
        // A number in the place of a word is no text that lacks its quotes.
        if let Value::Scalar { text, quoted: false } = &node.value
            && text.parse::<f64>().is_ok()
        {
            let known: Vec<String> = T::words().iter().map(|word| format!("`{word}`")).collect();
            let message = format!("`{text}` is not {}", T::WHAT);
            let problem = Problem::error("unknown-word", node.place, message);
            self.reader
                .problems
                .push(problem.help(format!("known here: {}", known.join(", "))));
            return default;
        }
        let word = self.reader.word(node, T::WHAT, T::read, &T::words());
        word.map_or(default, |word| word.value)
    }

    fn known(&mut self, what: &str, names: &[Text], known: &[&str]) {
        for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
            let problem = Problem::error("unknown-word", name.place, format!("no {what} called `{}`", name.value));
            self.reader
                .problems
                .push(problem.suggest(name.as_str(), known.iter().copied()));
        }
    }

    fn roles(&mut self, names: &[Text]) {
        let roles: Vec<String> = self.answers.roles().into_iter().map(str::to_owned).collect();
        let known: Vec<&str> = roles.iter().map(String::as_str).collect();
        self.known("role", names, &known);
    }

    fn group_names(&mut self, names: &[Text]) {
        let groups: Vec<String> = self.answers.groups.iter().map(|group| group.id.clone()).collect();
        let known: Vec<&str> = groups.iter().map(String::as_str).chain(["everyone", "staff"]).collect();
        self.known("group", names, &known);
    }

    fn is_new<'k>(&mut self, what: &str, name: &Text, mut known: impl Iterator<Item = &'k str>) -> bool {
        let twice = known.any(|known| known == name.as_str());
        if twice {
            self.problem(
                "duplicate-id",
                name.place,
                format!("the {what} `{}` is there already", name.value),
            );
        }
        !twice
    }

    /// Whether a name can stand in the policy as it is.
    fn is_name(&mut self, name: &At<String>) -> bool {
        let problem = name_problem(name);
        let good = problem.is_none();
        self.reader.problems.extend(problem);
        good
    }

    fn problem(&mut self, code: &'static str, place: Place, message: String) -> &mut Problem {
        self.reader.problems.push(Problem::error(code, place, message));
        let last = self.reader.problems.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the list has just got this entry")]
        &mut self.reader.problems[last]
    }
}

/// What is wrong with a name that is to stand in the policy.
fn name_problem(name: &Text) -> Option<Problem> {
    if is_name(&name.value) {
        return None;
    }
    let message = format!("`{}` cannot be a name here", name.value);
    let help = "use letters, digits and hyphens, such as `people-team`";
    Some(Problem::error("wrong-type", name.place, message).help(help))
}
