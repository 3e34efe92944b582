//! What an organisation answered: typed, with defaults, read from a file and written back to it.
//!
//! A file says only what differs from the defaults; [`Answers::render`] writes all of it with what each answer changes.
//! Read [`Answers`] first.

mod read;
mod values;
mod write;

use std::fmt;

use jiff::civil::Date;

pub use values::wrong_pattern;
pub(super) use values::wrong_value;

use super::Library;
use super::regulation::{self, Regulation};
use crate::catalog::Catalog;
use crate::policy::problem::Problem;
use crate::verdict::{AppClass, Verdict, words};

/// What an organisation answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// Its name.
    pub organization: String,
    /// What it does with AI: ids of profiles.
    pub profiles: Vec<String>,
    /// How large it is.
    pub size: Size,
    /// What it does.
    pub sector: Sector,
    /// Ids of the rules that bind it.
    pub regulations: Vec<String>,
    /// Apps that somebody classified.
    pub apps: Vec<App>,
    /// Entities that it holds beside the usual ones.
    pub data: Vec<String>,
    /// Its own words.
    pub keywords: Vec<Keywords>,
    /// Groups of its directory.
    pub groups: Vec<Group>,
    /// The domain of its mail addresses.
    pub domain: String,
    /// Roles with an address of their own.
    pub people: Vec<(String, String)>,
    /// Roles on the board.
    pub board: Vec<String>,
    /// How many of them must agree; more than half when `None`.
    pub quorum: Option<u32>,
    /// Whether a works council has a say.
    pub works_council: bool,
    /// What AI is used for.
    pub uses: Vec<Use>,
    /// How careful it wants to be.
    pub appetite: Appetite,
    /// The zone of its dates.
    pub timezone: String,
    /// Tools that models may call.
    pub tools: Vec<Tool>,
    /// Clauses that it wants beside those of its profiles.
    pub also: Vec<String>,
    /// Recommended clauses that it does not want.
    pub without: Vec<String>,
    /// Values of clauses' parameters: clause, then parameter and value.
    pub settings: Vec<(String, Vec<(String, String)>)>,
    /// When management approved the policy, and from when it applies.
    pub approved: Option<Approved>,
    /// The question that the interview goes on with, by its key; `None` once all were asked.
    pub next: Option<String>,
}

words! {
    /// How large an organisation is.
    Size {
        /// Up to 50 people.
        Small = "small",
        /// Up to 500.
        Medium = "medium",
        /// More.
        Large = "large",
    }
}

words! {
    /// What an organisation does.
    Sector {
        /// Nothing under special supervision.
        General = "general",
        /// Health care.
        Health = "health",
        /// Banking, insurance, payments.
        Finance = "finance",
        /// Public administration.
        Public = "public",
    }
}

words! {
    /// How careful an organisation wants to be.
    Appetite {
        /// Everything recommended, often looked at.
        Careful = "careful",
        /// What is usual.
        Balanced = "balanced",
        /// Only what is required.
        Bold = "bold",
    }
}

words! {
    /// What a group does that clauses are about.
    Work {
        /// Writes software.
        Develops = "develops",
        /// Hires, pays, promotes, dismisses.
        DecidesAboutPeople = "decides-about-people",
        /// Handles money and results.
        HandlesMoney = "handles-money",
        /// Treats patients.
        TreatsPatients = "treats-patients",
        /// Talks to customers.
        TalksToCustomers = "talks-to-customers",
    }
}

words! {
    /// How much depends on a use.
    Tier {
        /// Nothing that matters.
        Minimal = "minimal",
        /// Something that a person checks.
        Limited = "limited",
        /// People's rights, health or money.
        High = "high",
    }
}

words! {
    /// What a tool does.
    ToolKind {
        /// It looks something up.
        Read = "read",
        /// It changes something that can be changed back.
        Write = "write",
        /// It does what cannot be undone.
        Irreversible = "irreversible",
    }
}

/// A classified app.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    /// Its id in the catalogue, or the organisation's own name for it.
    pub app: String,
    /// Whether it is the organisation's own, which no catalogue has.
    pub own: bool,
    /// Its class.
    pub class: AppClass,
    /// Patterns of the models that may be used; any when empty.
    pub models: Vec<String>,
    /// The role that owns it.
    pub owner: Option<String>,
    /// Why it is classified so.
    pub reason: Option<String>,
    /// When its terms were last read.
    pub terms_checked: Option<Date>,
}

/// Words of the organisation's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keywords {
    /// What they are, as an entity: `project-name`.
    pub entity: String,
    /// Its data class.
    pub class: String,
    /// The words.
    pub words: Vec<String>,
}

/// A group of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name in the policy.
    pub id: String,
    /// What the directory calls it, if that differs.
    pub claim: Option<String>,
    /// What it does.
    pub does: Vec<Work>,
}

/// A use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its id.
    pub id: String,
    /// What it is.
    pub statement: String,
    /// The role that owns it.
    pub owner: String,
    /// Whom it is for; everyone when empty.
    pub groups: Vec<String>,
    /// The highest data class; any when `None`.
    pub ceiling: Option<String>,
    /// How much depends on it.
    pub tier: Tier,
}

/// A tool that models may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name, or a pattern.
    pub tool: String,
    /// What it does.
    pub kind: ToolKind,
    /// Whose models may call it; everyone's when empty.
    pub groups: Vec<String>,
    /// What happens when it is called.
    pub then: Option<Verdict>,
}

/// An approval.
#[derive(Debug, Clone, PartialEq)]
pub struct Approved {
    /// The role, or `board`.
    pub by: String,
    /// When.
    pub on: Date,
    /// From when the policy applies.
    pub effective: Option<Date>,
}

/// The roles that every policy has.
pub const ROLES: [&str; 5] = ["ciso", "cto", "dpo", "legal", "hr"];

/// The role of the works council.
pub const COUNCIL: &str = "works-council";

/// The data classes, least sensitive first.
pub const CLASSES: [&str; 4] = ["public", "internal", "confidential", "restricted"];

impl Default for Answers {
    fn default() -> Self {
        Self {
            organization: "Example Organisation".to_owned(),
            profiles: vec!["integrates-apis".to_owned()],
            size: Size::Medium,
            sector: Sector::General,
            regulations: Vec::new(),
            apps: vec![
                App::new("openai-api", AppClass::Sanctioned),
                App::new("anthropic-api", AppClass::Sanctioned),
                App::new("deepseek", AppClass::Unsanctioned),
            ],
            data: Vec::new(),
            keywords: Vec::new(),
            groups: vec![Group::new("staff", &[]), Group::new("engineering", &[Work::Develops])],
            domain: "example.com".to_owned(),
            people: Vec::new(),
            board: ROLES
                .iter()
                .map(|&role| role.to_owned())
                .filter(|role| role != "hr")
                .collect(),
            quorum: None,
            works_council: false,
            uses: vec![Use {
                id: "drafting".to_owned(),
                statement: "Writing and improving texts.".to_owned(),
                owner: "hr".to_owned(),
                groups: Vec::new(),
                ceiling: None,
                tier: Tier::Limited,
            }],
            appetite: Appetite::Balanced,
            timezone: "UTC".to_owned(),
            tools: Vec::new(),
            also: Vec::new(),
            without: Vec::new(),
            settings: Vec::new(),
            approved: None,
            next: None,
        }
    }
}

impl App {
    /// An app with its class, and nothing more said of it.
    #[must_use]
    pub fn new(app: &str, class: AppClass) -> Self {
        Self {
            app: app.to_owned(),
            own: false,
            class,
            models: Vec::new(),
            owner: None,
            reason: None,
            terms_checked: None,
        }
    }
}

impl Group {
    /// A group with what it does.
    #[must_use]
    pub fn new(id: &str, does: &[Work]) -> Self {
        Self {
            id: id.to_owned(),
            claim: None,
            does: does.to_vec(),
        }
    }

    /// What the directory calls it.
    #[must_use]
    pub fn in_directory(&self) -> &str {
        self.claim.as_deref().unwrap_or(&self.id)
    }
}

impl Answers {
    /// The defaults for some profiles.
    #[must_use]
    pub fn suggested(profiles: &[String]) -> Self {
        let mut answers = Self {
            profiles: profiles.to_vec(),
            ..Self::default()
        };
        let any = |names: [&str; 2]| profiles.iter().any(|profile| names.contains(&profile.as_str()));
        if !any(["builds-models", "integrates-apis"]) {
            answers.groups.retain(|group| group.does.is_empty());
            // Whoever builds nothing has no account with a model's API; which app they have, only they know.
            answers.apps.retain(|app| app.class != AppClass::Sanctioned);
        }
        if any(["public-tools", "uses-saas"]) {
            answers.apps.push(App {
                reason: Some("public research only".to_owned()),
                ..App::new("perplexity", AppClass::Tolerated)
            });
        }
        answers
    }

    /// Reads a file of answers; what it does not say keeps its default. All problems come back with it.
    #[must_use]
    pub fn parse(text: &str, library: &Library, catalog: &Catalog) -> (Self, Vec<Problem>) {
        read::parse(text, library, catalog)
    }

    /// The answers as a file, each with what it changes.
    #[must_use]
    pub fn render(&self) -> String {
        write::render(self)
    }

    /// The profiles that count: those answered, and the overlay `regulated` where sector or regulations bring it.
    #[must_use]
    pub fn effective_profiles(&self) -> Vec<String> {
        let mut profiles = self.profiles.clone();
        if self.brings_regulated().is_some() && !profiles.iter().any(|profile| profile == REGULATED) {
            profiles.push(REGULATED.to_owned());
        }
        profiles
    }

    /// What brings the overlay `regulated` without being asked.
    #[must_use]
    pub fn brings_regulated(&self) -> Option<String> {
        if self.sector != Sector::General {
            return Some(format!("sector {}", self.sector));
        }
        self.bound_by().find(|row| row.regulated).map(|row| row.name.to_owned())
    }

    /// The regulations that bind the organisation.
    pub fn bound_by(&self) -> impl Iterator<Item = &'static Regulation> {
        self.regulations.iter().filter_map(|id| regulation::regulation(id))
    }

    /// The role of the works council, if there is one. It consents and decides nothing else.
    #[must_use]
    pub fn council(&self) -> Option<&'static str> {
        self.works_council.then_some(COUNCIL)
    }

    /// The address of a role.
    #[must_use]
    pub fn address(&self, role: &str) -> String {
        self.people
            .iter()
            .find(|(known, _)| known == role)
            .map_or_else(|| format!("{role}@{}", self.domain), |(_, address)| address.clone())
    }

    /// Every role that can decide: those that each policy has, then those of the organisation's own.
    #[must_use]
    pub fn roles(&self) -> Vec<&str> {
        let own = self.people.iter().map(|(role, _)| role.as_str());
        let mut roles = ROLES.to_vec();
        roles.extend(own.filter(|&role| !ROLES.contains(&role) && self.council() != Some(role)));
        roles
    }

    /// The policy's owner, and who acts for them: the first role that another person holds.
    #[must_use]
    pub fn owner_and_deputy(&self) -> Option<(&str, &str)> {
        let owner = "ciso";
        let deputy = ["cto"].into_iter().chain(self.roles());
        let mut others = deputy.filter(|role| self.address(role) != self.address(owner));
        others.next().map(|deputy| (owner, deputy))
    }

    /// The board without members who are the same person twice.
    #[must_use]
    pub fn board_of_persons(&self) -> Vec<&str> {
        let mut seen: Vec<String> = Vec::new();
        let roles = self.board.iter().map(String::as_str).chain(self.roles());
        let wanted = self.board.len();
        let mut members = Vec::new();
        for (index, role) in roles.enumerate() {
            // Roles beyond those answered are only there to make up a board of two persons.
            if index >= wanted && members.len() >= 2 {
                break;
            }
            let address = self.address(role);
            if !seen.contains(&address) {
                seen.push(address);
                members.push(role);
            }
        }
        members
    }

    /// How many of the board must agree: what was answered if it can be reached, else more than half.
    #[must_use]
    pub fn quorum_of(&self, members: usize) -> u32 {
        let members = u32::try_from(members).unwrap_or(u32::MAX);
        let most = members / 2 + 1;
        self.quorum.map_or(most, |quorum| quorum.clamp(most, members.max(most)))
    }
}

/// Whether a name can stand in the policy as it is.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// The overlay.
pub const REGULATED: &str = "regulated";

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render())
    }
}

#[cfg(test)]
mod tests;
