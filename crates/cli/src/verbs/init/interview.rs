//! The interview: fifteen questions on a terminal, each with what its answer changes, and a look at all answers at the end.
//!
//! After each question the answers are kept with the key of the next one, so that leaving loses nothing and coming back goes on
//! there. Within a question, each step is kept once it is answered. Read [`ask`] first.

use inquire::InquireError;
use inquire::error::InquireResult;
use ordain_core::catalog::Catalog;
use ordain_core::library::Library;
use ordain_core::library::answers::{
    Answers, App, Appetite, CLASSES, COUNCIL, Group, Keywords, REGULATED, ROLES, Sector, Size, Tier, Use, Work,
    wrong_pattern,
};
use ordain_core::library::questions::{self, QUESTIONS, Question};
use ordain_core::library::regulation::REGULATIONS;
use ordain_core::verdict::AppClass;

use super::prompts::{Asked, Choice, address, choice, last_choice, name, names, needed, words};

/// How an interview ended.
pub(super) enum Ended {
    /// Every question is answered.
    Done(Box<Answers>),
    /// Somebody left; what was answered is kept.
    Left,
}

/// Where an interview begins that nobody has begun: with what is usual, but for the name.
pub(super) fn begin() -> Answers {
    Answers {
        organization: String::new(),
        next: QUESTIONS.first().map(|question| question.key.to_owned()),
        ..Answers::default()
    }
}

/// Asks every question from the one where `answers` stopped, then shows all answers.
pub(super) fn ask(mut answers: Answers, keep: &dyn Fn(&Answers) -> anyhow::Result<()>) -> anyhow::Result<Ended> {
    let next = answers.next.clone();
    let first = next.map_or(QUESTIONS.len(), |key| {
        QUESTIONS
            .iter()
            .position(|question| question.key == key)
            .unwrap_or_default()
    });
    for (number, question) in QUESTIONS.iter().enumerate().skip(first) {
        let answered = put(number, question, &mut answers);
        if answered.is_ok() {
            answers.next = QUESTIONS.get(number + 1).map(|question| question.key.to_owned());
        }
        keep(&answers)?;
        if has_left(answered)? {
            return Ok(Ended::Left);
        }
    }
    review(answers, keep)
}

/// Whether somebody left a question.
fn has_left(answered: InquireResult<()>) -> anyhow::Result<bool> {
    match answered {
        Ok(()) => Ok(false),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn put(number: usize, question: &Question, answers: &mut Answers) -> InquireResult<()> {
    let label = format!("[{}/{}] {}", number + 1, QUESTIONS.len(), question.ask);
    let asked = Asked {
        label: &label,
        question,
    };
    asked.put(answers)
}

/// What to do once all is answered.
#[derive(Clone, Copy)]
enum Then {
    Write,
    Change(usize),
    Leave,
}

/// All answers, each to be changed, until the policy is to be written.
fn review(mut answers: Answers, keep: &dyn Fn(&Answers) -> anyhow::Result<()>) -> anyhow::Result<Ended> {
    let asked = Asked {
        label: "Everything is answered. What now?",
        question: &Question {
            key: "",
            ask: "",
            changes: "Enter on a line: the policy is written, or the question is asked again.",
        },
    };
    let mut at = 0;
    loop {
        let changes = QUESTIONS.iter().enumerate().map(|(number, question)| {
            let answer = said(&answers, question.key);
            choice(
                Then::Change(number),
                format!("change {}: {answer}", question.key.replace('_', " ")),
            )
        });
        let choices: Vec<Choice<Then>> = std::iter::once(choice(Then::Write, "write the policy"))
            .chain(changes)
            .chain([choice(Then::Leave, "leave, and go on another time")])
            .collect();
        let chosen = match asked.one_of(choices, at) {
            Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Then::Leave,
            chosen => chosen?,
        };
        match chosen {
            Then::Write => return Ok(Ended::Done(Box::new(answers))),
            Then::Leave => return Ok(Ended::Left),
            Then::Change(number) => {
                if let Some(question) = QUESTIONS.get(number) {
                    // Whoever leaves a question is back here, with the steps that were answered.
                    has_left(put(number, question, &mut answers))?;
                    keep(&answers)?;
                }
                at = 0;
            }
        }
    }
}

/// An answer in a few words.
fn said(answers: &Answers, key: &str) -> String {
    let several = |names: Vec<&str>| match names.as_slice() {
        [] => "none".to_owned(),
        few if few.len() <= 4 => few.join(", "),
        [first, second, third, rest @ ..] => format!("{first}, {second}, {third} and {} more", rest.len()),
        [..] => String::new(),
    };
    let strings = |names: &[String]| several(names.iter().map(String::as_str).collect());
    match key {
        "organization" => answers.organization.clone(),
        "profiles" => strings(&answers.profiles),
        "size" => answers.size.to_string(),
        "sector" => answers.sector.to_string(),
        "regulations" => strings(&answers.regulations),
        "apps" => several(answers.apps.iter().map(|app| app.app.as_str()).collect()),
        "data" => strings(&answers.data),
        "keywords" => several(
            answers
                .keywords
                .iter()
                .flat_map(|own| &own.words)
                .map(String::as_str)
                .collect(),
        ),
        "groups" => several(answers.groups.iter().map(|group| group.id.as_str()).collect()),
        "people" => format!("{} and others", answers.address("ciso")),
        "board" => strings(&answers.board),
        "works_council" => if answers.works_council { "yes" } else { "no" }.to_owned(),
        "uses" => several(answers.uses.iter().map(|one| one.id.as_str()).collect()),
        "appetite" => answers.appetite.to_string(),
        "timezone" => answers.timezone.clone(),
        _ => String::new(),
    }
}

impl Asked<'_> {
    fn put(&self, answers: &mut Answers) -> InquireResult<()> {
        match self.question.key {
            "organization" => answers.organization = self.text(&answers.organization, needed)?,
            "profiles" => self.profiles(answers)?,
            "size" => {
                let shown = |size: Size| match size {
                    Size::Small => "small: up to 50",
                    Size::Medium => "medium: up to 500",
                    Size::Large => "large: more",
                };
                answers.size = self.one(Size::ALL, answers.size, shown)?;
            }
            "sector" => {
                let shown = |sector: Sector| match sector {
                    Sector::General => "none of these",
                    Sector::Health => "health care",
                    Sector::Finance => "banking, insurance, payments",
                    Sector::Public => "public administration",
                };
                answers.sector = self.one(Sector::ALL, answers.sector, shown)?;
            }
            "regulations" => {
                let rows = REGULATIONS.iter();
                let choices = rows.map(|row| {
                    choice(
                        row.id.to_owned(),
                        format!("{}: {}", row.name.trim_start_matches("the "), row.duty),
                    )
                });
                answers.regulations = self.several(choices.collect(), &answers.regulations)?;
            }
            "apps" => self.apps(answers)?,
            "data" => {
                let held = questions::data_choices()
                    .map(|entity| choice(entity.id.to_owned(), format!("{} ({})", entity.id, entity.label)));
                answers.data = self.several(held.collect(), &answers.data)?;
            }
            "keywords" => self.keywords(answers)?,
            "groups" => self.groups(answers)?,
            "people" => self.people(answers)?,
            "board" => self.board(answers)?,
            "works_council" => self.works_council(answers)?,
            "uses" => self.uses(answers)?,
            "appetite" => {
                let shown = |appetite: Appetite| match appetite {
                    Appetite::Careful => "careful: everything that is recommended, looked at more often",
                    Appetite::Balanced => "balanced: what is usual",
                    Appetite::Bold => "bold: only what is required, looked at less often",
                };
                answers.appetite = self.one(Appetite::ALL, answers.appetite, shown)?;
            }
            "timezone" => {
                answers.timezone = self.text(&answers.timezone, |name| {
                    jiff::tz::TimeZone::get(name)
                        .err()
                        .map(|_| "an IANA name such as Europe/Berlin or UTC")
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn profiles(&self, answers: &mut Answers) -> InquireResult<()> {
        let profiles = Library::built_in().profiles.iter();
        let choices: Vec<Choice<String>> = profiles
            .map(|profile| choice(profile.id.clone(), format!("{}: {}", profile.name, profile.who)))
            .collect();
        let before = Answers::suggested(&answers.profiles);
        answers.profiles = self.several_with(choices, &answers.profiles, |chosen| match chosen {
            [] => Some("choose at least one with the space bar"),
            [only] if only.as_str() == REGULATED => {
                Some("`Regulated` only makes another profile stricter: choose what you do with AI as well")
            }
            _ => None,
        })?;
        // What nobody has touched follows the profiles.
        let usual = Answers::suggested(&answers.profiles);
        if answers.apps == before.apps {
            answers.apps = usual.apps;
        }
        if answers.groups == before.groups {
            answers.groups = usual.groups;
        }
        Ok(())
    }

    fn works_council(&self, answers: &mut Answers) -> InquireResult<()> {
        answers.works_council = self.confirm(self.label, answers.works_council)?;
        if answers.works_council {
            let usual = format!("{COUNCIL}@{}", answers.domain);
            let label = format!("{}\n  At which address is it asked?", self.label);
            let said = (Asked { label: &label, ..*self }).text(&answers.address(COUNCIL), address)?;
            answers.people.retain(|(role, _)| role != COUNCIL);
            if said != usual {
                answers.people.push((COUNCIL.to_owned(), said));
            }
        }
        Ok(())
    }

    fn apps(&self, answers: &mut Answers) -> InquireResult<()> {
        let catalog = Catalog::built_in();
        let mut settled: Vec<AppClass> = Vec::new();
        for (class, what) in [
            (AppClass::Sanctioned, "Sanctioned, fine for work, with an owner:"),
            (
                AppClass::Tolerated,
                "Tolerated for a while, for public and everyday text:",
            ),
            (AppClass::Unsanctioned, "Unsanctioned, not wanted, refused:"),
        ] {
            let is_free = |id: &str| {
                !answers
                    .apps
                    .iter()
                    .any(|app| app.app == id && settled.contains(&app.class))
            };
            let own = answers.apps.iter().filter(|app| app.own && is_free(&app.app));
            let own = own.map(|app| choice(app.app.clone(), format!("{} (your own)", app.app)));
            let known = catalog.apps().filter(|app| app.id != "demo" && is_free(app.id));
            let known = known.map(|app| {
                choice(
                    app.id.to_owned(),
                    format!("{} ({}; {})", app.name, app.vendor, app.categories.join(", ")),
                )
            });
            let mut choices: Vec<Choice<String>> = own.chain(known).collect();
            let of_class = answers.apps.iter().filter(|app| app.class == class);
            let chosen: Vec<String> = of_class.map(|app| app.app.clone()).collect();
            // What is chosen already stands where it is seen: the list is longer than the screen.
            choices.sort_by_key(|choice| !chosen.contains(&choice.value));
            choices.push(last_choice(
                OTHER.to_owned(),
                "another one, not in this list: choose this line, its name is asked next",
            ));
            let label = format!("{}\n  {what}", self.label);
            let mut picked = (Asked { label: &label, ..*self }).several(choices, &chosen)?;
            let other = picked.iter().any(|id| id == OTHER);
            picked.retain(|id| id != OTHER);
            classify(&mut answers.apps, class, &picked);
            if other {
                self.own_apps(answers, class)?;
            }
            settled.push(class);
        }
        let is_api = |app: &App| {
            catalog
                .app(&app.app)
                .is_some_and(|known| known.categories.contains(&"api"))
        };
        for app in answers
            .apps
            .iter_mut()
            .filter(|app| app.class == AppClass::Sanctioned && is_api(app))
        {
            let label = format!(
                "{}\n  Which models of {}? Patterns such as gpt-5*, separated by commas; nothing means all:",
                self.label, app.app
            );
            let asked = Asked { label: &label, ..*self };
            app.models = asked.words(&app.models, wrong_pattern)?;
        }
        Ok(())
    }

    /// Apps that the catalogue does not have.
    fn own_apps(&self, answers: &mut Answers, class: AppClass) -> InquireResult<()> {
        let label = format!(
            "{}\n  Names of apps that are not in the list, separated by commas. Requests have to name them so, and `ordain check` warns that nobody else knows them; nothing means none:",
            self.label
        );
        let taken: Vec<String> = answers.apps.iter().map(|app| app.app.clone()).collect();
        let wrong = move |id: &str| {
            if taken.iter().any(|known| known == id) || Catalog::built_in().app(id).is_some() {
                Some("it is in the list: leave it out here, and choose it there")
            } else {
                name(id)
            }
        };
        let named = (Asked { label: &label, ..*self }).words(&[], wrong)?;
        answers.apps.extend(named.iter().map(|id| App {
            own: true,
            ..App::new(id, class)
        }));
        Ok(())
    }

    fn keywords(&self, answers: &mut Answers) -> InquireResult<()> {
        const OWN: &str = "project-name";
        let known = answers.keywords.iter().find(|own| own.entity == OWN);
        let before = known.map(|own| own.words.clone()).unwrap_or_default();
        let label = format!("{}\n  Separated by commas; nothing means none:", self.label);
        let asked = Asked { label: &label, ..*self };
        let words = asked.words(&before, |_| None)?;
        answers.keywords.retain(|own| own.entity != OWN);
        if !words.is_empty() {
            answers.keywords.push(Keywords {
                entity: OWN.to_owned(),
                class: "confidential".to_owned(),
                words,
            });
        }
        Ok(())
    }

    fn groups(&self, answers: &mut Answers) -> InquireResult<()> {
        let ids: Vec<&str> = answers.groups.iter().map(|group| group.id.as_str()).collect();
        let label = format!(
            "{}\n  Names, separated by commas, the one that everybody is in first:",
            self.label
        );
        let named = (Asked { label: &label, ..*self }).text(&ids.join(", "), names)?;
        let mut groups = Vec::new();
        for id in words(&named) {
            let before = answers.groups.iter().find(|group| group.id == id).cloned();
            let mut group = before.unwrap_or_else(|| Group::new(&id, &[]));
            let label = format!("What do people in `{id}` do that clauses are about?");
            let choices: Vec<Choice<Work>> = Work::ALL
                .iter()
                .map(|&work| choice(work, work.as_str().replace('-', " ")))
                .collect();
            group.does = (Asked { label: &label, ..*self }).several(choices, &group.does)?;
            groups.push(group);
        }
        answers.groups = groups;
        // What named a group that is gone would be a mistake in the file.
        let known: Vec<String> = answers.groups.iter().map(|group| group.id.clone()).collect();
        for one in &mut answers.uses {
            one.groups.retain(|group| known.contains(group));
        }
        for tool in &mut answers.tools {
            tool.groups.retain(|group| known.contains(group));
        }
        Ok(())
    }

    fn people(&self, answers: &mut Answers) -> InquireResult<()> {
        let label = format!("{}\n  The domain of your mail addresses:", self.label);
        answers.domain = (Asked { label: &label, ..*self }).text(&answers.domain, |domain| {
            (domain.contains(['@', ' ']) || !domain.contains('.'))
                .then_some("what stands after the @, such as example.com")
        })?;
        for role in ROLES {
            let label = format!("Who is {}?", title(role));
            let usual = format!("{role}@{}", answers.domain);
            let said = (Asked { label: &label, ..*self }).text(&answers.address(role), address)?;
            answers.people.retain(|(known, _)| known != role);
            if said != usual {
                answers.people.push((role.to_owned(), said));
            }
        }
        Ok(())
    }

    fn board(&self, answers: &mut Answers) -> InquireResult<()> {
        let choices = answers
            .roles()
            .into_iter()
            .map(|role| choice(role.to_owned(), title(role)))
            .collect();
        answers.board = self.several_with(choices, &answers.board, |chosen| {
            (chosen.len() < 2).then_some("choose at least two with the space bar: nobody decides alone")
        })?;
        let members = answers.board_of_persons().len();
        let least = u32::try_from(members / 2 + 1).unwrap_or(u32::MAX);
        let most = u32::try_from(members).unwrap_or(u32::MAX);
        let label = format!("How many of the {members} must agree, {least} at least?");
        let quorum = answers.quorum_of(members).to_string();
        let number = (Asked { label: &label, ..*self }).text(&quorum, move |text| match text.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => None,
            _ => Some("more than half, and no more than there are"),
        })?;
        answers.quorum = number.parse().ok();
        Ok(())
    }

    fn uses(&self, answers: &mut Answers) -> InquireResult<()> {
        loop {
            let ids: Vec<&str> = answers.uses.iter().map(|one| one.id.as_str()).collect();
            let label = format!("{}\n  Listed: {}. Add another?", self.label, ids.join(", "));
            if !self.confirm(&label, false)? {
                return Ok(());
            }
            let taken: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
            let short = Asked {
                label: "A short name for it, such as coding",
                ..*self
            };
            let id = short.text("", move |id| {
                let twice = taken.iter().any(|known| known == id);
                if twice { Some("it is there already") } else { name(id) }
            })?;
            let what = Asked {
                label: "What is done, in a sentence",
                ..*self
            };
            let statement = what.text("", needed)?;
            let roles: Vec<Choice<String>> = answers
                .roles()
                .into_iter()
                .map(|role| choice(role.to_owned(), title(role)))
                .collect();
            let owner = (Asked {
                label: "Who owns it?",
                ..*self
            })
            .one_of(roles, 0)?;
            let groups = answers
                .groups
                .iter()
                .map(|group| choice(group.id.clone(), group.id.clone()))
                .collect();
            let whom = Asked {
                label: "Whom is it for? Nobody chosen means everyone",
                ..*self
            };
            let groups = whom.several(groups, &[])?;
            let ceilings: Vec<Choice<Option<String>>> = std::iter::once(choice(None, "any"))
                .chain(
                    CLASSES
                        .iter()
                        .rev()
                        .map(|class| choice(Some((*class).to_owned()), *class)),
                )
                .collect();
            let ceiling = (Asked {
                label: "The most sensitive data that it may see?",
                ..*self
            })
            .one_of(ceilings, 0)?;
            let depends = Asked {
                label: "How much depends on it?",
                ..*self
            };
            let tier = depends.one(Tier::ALL, Tier::Limited, |tier| match tier {
                Tier::Minimal => "minimal: nothing that matters",
                Tier::Limited => "limited: a person checks the answer",
                Tier::High => "high: people's rights, health or money",
            })?;
            answers.uses.push(Use {
                id,
                statement,
                owner,
                groups,
                ceiling,
                tier,
            });
        }
    }
}

/// Stands in a list of apps for one that is not in it. No app is called so.
const OTHER: &str = "";

/// Gives apps a class; those that had it and are not among them have none any more.
fn classify(apps: &mut Vec<App>, class: AppClass, picked: &[String]) {
    let before = std::mem::take(apps);
    let (mut kept, rest): (Vec<App>, Vec<App>) = before
        .into_iter()
        .partition(|app| app.class != class && !picked.contains(&app.app));
    for id in picked {
        let known = rest.iter().find(|app| app.app == *id).cloned();
        kept.push(match known {
            Some(app) if app.class == class => app,
            Some(app) => App {
                own: app.own,
                ..App::new(id, class)
            },
            None => App::new(id, class),
        });
    }
    kept.sort_by_key(|app| CLASSIFIED.iter().position(|class| *class == app.class));
    *apps = kept;
}

/// The classes that an app can be given, in the order of the questions.
const CLASSIFIED: [AppClass; 3] = [AppClass::Sanctioned, AppClass::Tolerated, AppClass::Unsanctioned];

/// A role as people call it.
fn title(role: &str) -> String {
    match role {
        "ciso" => "ciso (information security)".to_owned(),
        "cto" => "cto (technology)".to_owned(),
        "dpo" => "dpo (data protection)".to_owned(),
        "legal" => "legal".to_owned(),
        "hr" => "hr (personnel)".to_owned(),
        other => other.to_owned(),
    }
}
