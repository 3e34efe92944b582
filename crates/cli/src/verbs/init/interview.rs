//! The interview: fifteen questions on a terminal, each with what its answer changes.
//!
//! What was answered before is offered again; after each question the answers are kept, so that leaving loses nothing.
//! Read [`ask`] first.

use inquire::error::InquireResult;
use inquire::{InquireError, Select};
use ordain_core::catalog::Catalog;
use ordain_core::library::Library;
use ordain_core::library::answers::{
    Answers, App, Appetite, CLASSES, Group, Keywords, ROLES, Sector, Size, Tier, Use, Work,
};
use ordain_core::library::questions::{self, QUESTIONS};
use ordain_core::library::regulation::REGULATIONS;
use ordain_core::verdict::AppClass;

use super::prompts::{Asked, Choice, choice, name, names, needed, words};

/// How an interview ended.
pub(super) enum Ended {
    /// Every question is answered.
    Done(Box<Answers>),
    /// Somebody left; what was answered is kept.
    Left,
}

/// Asks every question, offering what is in `answers`.
pub(super) fn ask(mut answers: Answers, keep: &dyn Fn(&Answers) -> anyhow::Result<()>) -> anyhow::Result<Ended> {
    for (number, question) in QUESTIONS.iter().enumerate() {
        let label = format!("[{}/{}] {}", number + 1, QUESTIONS.len(), question.ask);
        let asked = Asked {
            label: &label,
            question,
        };
        match asked.put(&mut answers) {
            Ok(()) => keep(&answers)?,
            Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => {
                keep(&answers)?;
                return Ok(Ended::Left);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Ended::Done(Box::new(answers)))
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
            "works_council" => answers.works_council = self.confirm(self.label, answers.works_council)?,
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
        answers.profiles = self.several_with(choices, &answers.profiles, |chosen| {
            chosen.iter().any(|id| *id != "regulated")
        })?;
        Ok(())
    }

    fn apps(&self, answers: &mut Answers) -> InquireResult<()> {
        let catalog = Catalog::built_in();
        let before = std::mem::take(&mut answers.apps);
        let mut apps: Vec<App> = Vec::new();
        for (class, what) in [
            (AppClass::Sanctioned, "Sanctioned, fine for work, with an owner:"),
            (
                AppClass::Tolerated,
                "Tolerated for a while, for public and everyday text:",
            ),
            (AppClass::Unsanctioned, "Unsanctioned, not wanted, refused:"),
        ] {
            let rest = catalog
                .apps()
                .filter(|app| app.id != "demo" && !apps.iter().any(|known| known.app == app.id));
            let mut choices: Vec<Choice<String>> = rest
                .map(|app| {
                    choice(
                        app.id.to_owned(),
                        format!("{} ({}; {})", app.name, app.vendor, app.categories.join(", ")),
                    )
                })
                .collect();
            let chosen: Vec<String> = before
                .iter()
                .filter(|app| app.class == class)
                .map(|app| app.app.clone())
                .collect();
            // What is chosen already stands where it is seen: the list is longer than the screen.
            choices.sort_by_key(|choice| !chosen.contains(&choice.value));
            let label = format!("{}\n  {what}", self.label);
            let picked = (Asked { label: &label, ..*self }).several(choices, &chosen);
            let picked = match picked {
                Ok(picked) => picked,
                Err(error) => {
                    answers.apps = before;
                    return Err(error);
                }
            };
            for id in picked {
                let known = before.iter().find(|app| app.app == id && app.class == class).cloned();
                apps.push(known.unwrap_or(App {
                    app: id,
                    class,
                    models: Vec::new(),
                    owner: None,
                    reason: None,
                    terms_checked: None,
                }));
            }
        }
        answers.apps = apps;
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
            app.models = asked.words(&app.models)?;
        }
        Ok(())
    }

    fn keywords(&self, answers: &mut Answers) -> InquireResult<()> {
        const OWN: &str = "project-name";
        let known = answers.keywords.iter().find(|own| own.entity == OWN);
        let before = known.map(|own| own.words.clone()).unwrap_or_default();
        let label = format!("{}\n  Separated by commas; nothing means none:", self.label);
        let asked = Asked { label: &label, ..*self };
        let words = asked.words(&before)?;
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
            let address = (Asked { label: &label, ..*self }).text(&answers.address(role), |address| {
                (!address.contains('@')).then_some("an address, such as ciso@example.com")
            })?;
            answers.people.retain(|(known, _)| known != role);
            if address != usual {
                answers.people.push((role.to_owned(), address));
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
        answers.board = self.several_with(choices, &answers.board, |chosen| chosen.len() >= 2)?;
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
            let owner = Select::new("Who owns it?", roles)
                .with_help_message(self.question.changes)
                .prompt()?
                .value;
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
            let ceiling = Select::new("The most sensitive data that it may see?", ceilings)
                .with_help_message(self.question.changes)
                .prompt()?
                .value;
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
