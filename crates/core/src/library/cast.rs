//! The cast: which groups, apps, uses and tools of an organisation the words of a clause stand for.
//!
//! Some words always have somebody to stand for; for the others, clauses that need them stay out. Read [`Cast`] first.

use super::answers::{Answers, App, CLASSES, Group, Tier, Tool, ToolKind, Use, Work};
use super::words::Words;
use crate::catalog::Catalog;
use crate::verdict::AppClass;

/// An organisation's answers made whole: with what every policy has, and what its words stand for.
#[derive(Debug, Clone)]
pub struct Cast {
    /// Its groups, with an ordinary one.
    pub groups: Vec<Group>,
    /// Its apps, with the demonstration app and an unsanctioned one.
    pub apps: Vec<App>,
    /// Its uses, with one that is open to everyone.
    pub uses: Vec<Use>,
    /// What words stand for in a clause.
    pub words: Words,
    /// What they stand for in a case, where groups are called as the directory calls them.
    pub case_words: Words,
}

/// The word that every clause may use, whoever the organisation is.
pub const ALWAYS: [&str; 9] = [
    "organization",
    "group",
    "groups",
    "own-app",
    "sanctioned",
    "unsanctioned",
    "unknown",
    "use",
    "unknown-coding-app",
];

/// The words of groups by what they do: all of them, and the first.
const GROUPS: [(Work, &str, &str); 5] = [
    (Work::Develops, "developers", "developer"),
    (Work::DecidesAboutPeople, "people-groups", "people-group"),
    (Work::HandlesMoney, "finance-groups", "finance-group"),
    (Work::TreatsPatients, "care-groups", "care-group"),
    (Work::TalksToCustomers, "customer-groups", "customer-group"),
];

/// Words that some organisations have nothing for, beside those of groups.
const SOMETIMES: [&str; 7] = [
    "other-app",
    "tolerated",
    "coding-app",
    "high-use",
    "high-uses",
    "tool",
    "irreversible-tool",
];

/// Whether a word is one of the cast's.
#[must_use]
pub fn is_word(word: &str) -> bool {
    let groups = GROUPS.iter().any(|(_, all, first)| *all == word || *first == word);
    groups || ALWAYS.contains(&word) || SOMETIMES.contains(&word)
}

/// The app that answers without a provider, for a first run.
pub(super) const DEMO: &str = "demo";

impl Cast {
    /// The cast of an organisation, with what every policy has.
    #[must_use]
    pub fn of(answers: &Answers, catalog: &Catalog) -> Self {
        let whole = Answers {
            groups: groups(answers),
            apps: apps(answers, catalog),
            uses: uses(answers),
            ..answers.clone()
        };
        Self::as_it_is(whole, catalog)
    }

    /// The cast of what is there, with nothing added.
    #[must_use]
    pub fn as_it_is(answers: Answers, catalog: &Catalog) -> Self {
        let mut words = Words::default();
        words.set("organization", &answers.organization);
        cast_apps(&answers.apps, catalog, &mut words);
        cast_uses(&answers.uses, &mut words);
        cast_tools(&answers.tools, &mut words);
        let mut case_words = words.clone();
        cast_groups(&answers.groups, &mut words, |group| &group.id);
        cast_groups(&answers.groups, &mut case_words, Group::in_directory);
        Self {
            groups: answers.groups,
            apps: answers.apps,
            uses: answers.uses,
            words,
            case_words,
        }
    }

    /// Has a word stand for what somebody says, and for a list its word for the first as well.
    pub(super) fn set(&mut self, word: &str, list: Vec<String>) {
        let in_cases: Vec<String> = list.iter().map(|name| self.in_directory(name).to_owned()).collect();
        let first = GROUPS
            .iter()
            .find(|(_, all, _)| *all == word)
            .map(|(_, _, first)| *first);
        for (words, list) in [(&mut self.words, list), (&mut self.case_words, in_cases)] {
            if let (Some(first), Some(name)) = (first, list.first()) {
                words.set(first, name);
            }
            words.set_list(word, list);
        }
    }

    /// What the directory calls a group.
    pub(super) fn in_directory<'c>(&'c self, id: &'c str) -> &'c str {
        let group = self.groups.iter().find(|group| group.id == id);
        group.map_or(id, Group::in_directory)
    }

    /// Apps of a class.
    pub fn apps_of(&self, class: AppClass) -> impl Iterator<Item = &App> {
        self.apps.iter().filter(move |app| app.class == class)
    }
}

fn groups(answers: &Answers) -> Vec<Group> {
    let mut groups = answers.groups.clone();
    if !groups.iter().any(|group| group.does.is_empty()) {
        let taken = groups.iter().any(|group| group.id == "staff");
        groups.insert(0, Group::new(if taken { "all-staff" } else { "staff" }, &[]));
    }
    groups
}

fn cast_groups(groups: &[Group], words: &mut Words, name: impl Fn(&Group) -> &str) {
    let names = |of: &dyn Fn(&&Group) -> bool| -> Vec<String> {
        groups.iter().filter(of).map(|group| name(group).to_owned()).collect()
    };
    let ordinary = groups.iter().find(|group| group.does.is_empty());
    if let Some(ordinary) = ordinary.or(groups.first()) {
        words.set("group", name(ordinary));
    }
    words.set_list("groups", names(&|_| true));
    for (work, all, first) in GROUPS {
        let doing = names(&|group| group.does.contains(&work));
        if let Some(group) = doing.first() {
            words.set(first, group);
        }
        words.set_list(all, doing);
    }
}

fn apps(answers: &Answers, catalog: &Catalog) -> Vec<App> {
    let mut apps = answers.apps.clone();
    let listed = |apps: &[App], id: &str| apps.iter().any(|app| app.app == id);
    if !listed(&apps, DEMO) {
        apps.insert(0, App::new(DEMO, AppClass::Sanctioned));
    }
    if !apps.iter().any(|app| app.class == AppClass::Unsanctioned) {
        let usual = ["deepseek", "character-ai", "kimi", "qwen"];
        let others = catalog.apps().map(|app| app.id);
        if let Some(id) = usual.into_iter().chain(others).find(|id| !listed(&apps, id)) {
            apps.push(App::new(id, AppClass::Unsanctioned));
        }
    }
    apps
}

fn cast_apps(apps: &[App], catalog: &Catalog, words: &mut Words) {
    let is = |id: &str, category: &str| catalog.app(id).is_some_and(|app| app.categories.contains(&category));
    let of = |class: AppClass| {
        apps.iter()
            .filter(move |app| app.class == class && app.models.is_empty())
    };
    // An app of the organisation's own comes before the demonstration.
    let apis: Vec<&App> = of(AppClass::Sanctioned).filter(|app| is(&app.app, "api")).collect();
    let own = apis.iter().find(|app| app.app != DEMO);
    if let Some(app) = own.or(apis.first()) {
        words.set("sanctioned", &app.app);
    }
    // People are pointed to an app that they have, whatever it is; cases need one that takes every model.
    let first = |app: &&App| app.class == AppClass::Sanctioned && app.app != DEMO;
    let theirs = of(AppClass::Sanctioned).find(first).or(apps.iter().find(first));
    if let Some(app) = own.copied().or(theirs).or(apis.first().copied()) {
        words.set("own-app", &app.app);
    }
    if let Some(app) = of(AppClass::Sanctioned).find(|app| is(&app.app, "coding")) {
        words.set("coding-app", &app.app);
    }
    if let Some(app) = of(AppClass::Sanctioned).find(|app| !is(&app.app, "coding") && !is(&app.app, "api")) {
        words.set("other-app", &app.app);
    }
    if let Some(app) = of(AppClass::Tolerated).next() {
        words.set("tolerated", &app.app);
    }
    if let Some(app) = apps.iter().find(|app| app.class == AppClass::Unsanctioned) {
        words.set("unsanctioned", &app.app);
    }
    let strangers = |category: &'static str, usual: &'static str| {
        let rest = catalog.apps().filter(move |app| is(app.id, category)).map(|app| app.id);
        std::iter::once(usual)
            .chain(rest)
            .find(|id| !apps.iter().any(|app| app.app == *id))
    };
    for (word, category, usual) in [
        ("unknown", "chat", "duckai"),
        ("unknown-coding-app", "coding", "tabnine"),
    ] {
        if let Some(id) = strangers(category, usual) {
            words.set(word, id);
        }
    }
}

fn uses(answers: &Answers) -> Vec<Use> {
    let mut uses = answers.uses.clone();
    if !uses.iter().any(is_open) {
        let id = if uses.iter().any(|one| one.id == "drafting") {
            "everyday"
        } else {
            "drafting"
        };
        uses.insert(
            0,
            Use {
                id: id.to_owned(),
                statement: "Writing and improving texts.".to_owned(),
                owner: "hr".to_owned(),
                groups: Vec::new(),
                ceiling: None,
                tier: Tier::Limited,
            },
        );
    }
    uses
}

fn is_open(one: &Use) -> bool {
    one.groups.is_empty() && one.ceiling.as_deref().is_none_or(|class| class == "restricted") && one.tier != Tier::High
}

fn cast_tools(tools: &[Tool], words: &mut Words) {
    for (kind, word) in [(ToolKind::Read, "tool"), (ToolKind::Irreversible, "irreversible-tool")] {
        let open = |tool: &&Tool| tool.kind == kind && tool.groups.is_empty() && !tool.tool.contains('*');
        if let Some(tool) = tools.iter().find(open) {
            words.set(word, &tool.tool);
        }
    }
    // A clause about tools asks whether there are any, whatever they do.
    if let (false, Some(tool)) = (words.has("tool"), tools.first()) {
        words.set("tool", &tool.tool);
    }
}

fn cast_uses(uses: &[Use], words: &mut Words) {
    if let Some(one) = uses.iter().find(|one| is_open(one)) {
        words.set("use", &one.id);
    }
    let high: Vec<&Use> = uses.iter().filter(|one| one.tier == Tier::High).collect();
    // The one that stands for them in cases is the one that may see most.
    let rank = |one: &&&Use| one.ceiling.as_deref().map_or(CLASSES.len(), class_rank);
    if let Some(one) = high.iter().rev().max_by_key(rank) {
        words.set("high-use", &one.id);
    }
    words.set_list("high-uses", high.iter().map(|one| one.id.clone()).collect());
}

fn class_rank(class: &str) -> usize {
    CLASSES
        .iter()
        .position(|known| *known == class)
        .unwrap_or(CLASSES.len())
}
