//! The policy, asked on behalf of one group.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::Given;
use super::super::words;
use crate::decide::{self, Content, Decision, Destination, Facts, Seen, Who};
use crate::detect::entities::{self, FAMILIES};
use crate::detect::{ENTITIES, EntityId};
use crate::policy::document::{App, Escalation, Text, Use};
use crate::verdict::{AppClass, Direction, Source, SourceSet, Verdict};

/// Stands behind the name of what nothing finds yet.
pub(super) const UNFOUND: &str = "*";
/// An app that stands for all those that the policy does not list.
const ANY_OTHER: &str = "any-other-app";

/// What somebody of a group would be told, for everything that could make a difference.
pub(super) struct Asked<'g> {
    given: &'g Given<'g>,
    group: String,
    apps: Vec<AppKind<'g>>,
    kinds: Vec<Kind>,
}

struct AppKind<'g> {
    name: String,
    id: String,
    entry: Option<&'g App>,
}

/// A kind of data, as a policy names it.
pub(super) struct Kind {
    /// In plain words.
    pub(super) name: String,
    /// The family by which the policy names it, if it does so.
    pub(super) family: Option<String>,
    /// The entities that it is, and how many different ones; none for text in which nothing is found.
    entities: Vec<(String, u32)>,
}

impl Kind {
    /// Whether it is this entity, one of it alone.
    pub(super) fn is(&self, entity: &str) -> bool {
        matches!(self.entities.as_slice(), [(only, 1)] if only == entity)
    }
}

/// Apps that get the same answers.
pub(super) struct Column {
    /// Their names.
    pub(super) name: String,
    app: usize,
}

/// Kinds of data that get the same answers.
pub(super) struct Row {
    /// Their names.
    pub(super) name: String,
    /// One for each column.
    pub(super) answers: Vec<Answer>,
}

/// What a request would meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// What the policy says.
    pub(super) full: Verdict,
    /// What happens now.
    acts: Verdict,
    refused: bool,
    /// What is said to requests for some of the uses, where that is stricter.
    but: Vec<(Verdict, Vec<String>)>,
}

impl Answer {
    pub(super) fn words(&self) -> String {
        let mut text = if self.refused {
            "cannot be reached".to_owned()
        } else {
            words::verdict(self.full).to_owned()
        };
        for (verdict, uses) in &self.but {
            text.push_str(&format!(
                "; {} for {}",
                words::verdict(*verdict),
                words::list(uses, "and")
            ));
        }
        if self.acts != self.full {
            text.push_str(if self.acts == Verdict::Coach {
                " (for now: only a notice)"
            } else {
                " (for now: only recorded)"
            });
        }
        text
    }
}

impl<'g> Asked<'g> {
    pub(super) fn new(given: &'g Given<'g>, group: &str) -> Self {
        let document = given.document;
        let mut apps: Vec<AppKind<'g>> = document
            .apps
            .iter()
            .map(|app| AppKind {
                name: words::app(given, app.id.as_str()),
                id: app.id.value.clone(),
                entry: Some(app),
            })
            .collect();
        apps.push(AppKind {
            name: "Any other app".to_owned(),
            id: ANY_OTHER.to_owned(),
            entry: None,
        });
        Self {
            given,
            group: group.to_owned(),
            apps,
            kinds: kinds(given),
        }
    }

    /// The uses that the group may declare.
    pub(super) fn uses(&self) -> Vec<&'g Use> {
        let uses = self.given.document.scope.uses.iter();
        let mine = |one: &&Use| {
            one.groups.is_empty()
                || one
                    .groups
                    .iter()
                    .any(|group| group.as_str() == self.group || group.as_str() == words::EVERYONE)
        };
        uses.filter(mine).collect()
    }

    /// Whether no request without a declared use gets through, though some with one do.
    pub(super) fn needs_use(&self) -> bool {
        let passes = |use_: Option<&str>| {
            self.apps
                .iter()
                .any(|app| self.decide(app, use_, &[], Direction::Prompt).full != Verdict::Block)
        };
        !passes(None) && self.uses().iter().any(|one| passes(Some(one.id.as_str())))
    }

    /// Apps, those with equal answers together.
    pub(super) fn columns(&self) -> Vec<Column> {
        let mut groups: Vec<(Vec<Answer>, AppClass, Vec<usize>)> = Vec::new();
        for (index, app) in self.apps.iter().enumerate() {
            let answers: Vec<Answer> = self.kinds.iter().map(|kind| self.answer(app, kind)).collect();
            let class = app.entry.map_or(AppClass::Unknown, |entry| entry.class);
            match groups.iter_mut().find(|(same, of, _)| *same == answers && *of == class) {
                Some((_, _, apps)) => apps.push(index),
                None => groups.push((answers, class, vec![index])),
            }
        }
        let name = |apps: &[usize]| {
            let mut names: Vec<String> = apps
                .iter()
                .filter_map(|&app| Some(self.apps.get(app)?.name.clone()))
                .collect();
            let more = names.len().saturating_sub(4);
            if more > 1 {
                names.truncate(4);
                names.push(format!("{more} more"));
            }
            words::list(&names, "and")
        };
        groups
            .iter()
            .filter_map(|(_, _, apps)| {
                Some(Column {
                    name: name(apps),
                    app: *apps.first()?,
                })
            })
            .collect()
    }

    /// Kinds of data, those with equal answers together.
    pub(super) fn rows(&self, columns: &[Column]) -> Vec<Row> {
        let mut groups: Vec<(Vec<Answer>, Vec<&Kind>)> = Vec::new();
        for kind in &self.kinds {
            let apps = columns.iter().filter_map(|column| self.apps.get(column.app));
            let answers: Vec<Answer> = apps.map(|app| self.answer(app, kind)).collect();
            let same = groups
                .iter_mut()
                .find(|(of, kinds)| *of == answers && kinds.first().is_some_and(|first| !first.entities.is_empty()));
            match same {
                Some((_, kinds)) => kinds.push(kind),
                None => groups.push((answers, vec![kind])),
            }
        }
        groups
            .into_iter()
            .map(|(answers, kinds)| Row {
                name: words::capital(&words::list(&names(&kinds), "or")),
                answers,
            })
            .collect()
    }

    /// What rules that stop or remind somebody tell them, by clause, in the order of the document.
    pub(super) fn told(&self) -> Vec<(String, String)> {
        let policy = self.given.policy;
        let mut cited: BTreeSet<&str> = BTreeSet::new();
        for app in &self.apps {
            for kind in &self.kinds {
                for use_ in self.candidates() {
                    let decision = self.decide(app, use_, &kind.entities, Direction::Prompt);
                    let said = decision.full_contributions(policy);
                    cited.extend(said.map(|one| policy.citation(one.citation).id.as_str()));
                }
            }
        }
        let mut told: Vec<_> = policy
            .citations()
            .filter(|citation| cited.contains(citation.id.as_str()))
            .collect();
        told.sort_by_key(|citation| citation.place);
        told.into_iter()
            .filter_map(|citation| Some((citation.id.clone(), citation.tell.clone()?)))
            .collect()
    }

    /// What is masked in the answers of some app.
    pub(super) fn masked_in_answers(&self) -> Vec<String> {
        let masked = |kind: &&Kind| {
            let asked = self
                .apps
                .iter()
                .filter(|app| app.entry.is_some_and(|entry| entry.class <= AppClass::Tolerated));
            matches!(kind.entities.as_slice(), [(_, 1)])
                && asked
                    .into_iter()
                    .any(|app| self.decide(app, None, &kind.entities, Direction::Answer).full == Verdict::Redact)
        };
        names(&self.kinds.iter().filter(masked).collect::<Vec<_>>())
    }

    /// Whether nothing at all can be sent to an app.
    pub(super) fn is_refused(&self, id: &str) -> bool {
        let app = self.apps.iter().find(|app| app.id == id);
        app.is_some_and(|app| {
            self.kinds
                .iter()
                .all(|kind| self.answer(app, kind).full == Verdict::Block)
        })
    }

    /// Whether a rule looks at the clock.
    pub(super) fn by_the_clock(&self) -> bool {
        let rules = self
            .given
            .document
            .clauses
            .iter()
            .filter_map(|clause| clause.rule.as_ref());
        let mut selectors = rules.flat_map(|rule| rule.when.iter().chain(&rule.unless));
        selectors.any(|selector| {
            selector
                .time
                .as_ref()
                .is_some_and(|time| time.days.is_some() || time.hours.is_some())
        })
    }

    /// The uses to ask about; none where the group has none.
    fn candidates(&self) -> Vec<Option<&'g str>> {
        let uses: Vec<Option<&str>> = self.uses().iter().map(|one| Some(one.id.as_str())).collect();
        if uses.is_empty() { vec![None] } else { uses }
    }

    /// The mildest answer over the uses, and those that get a stricter one.
    fn answer(&self, app: &AppKind<'_>, kind: &Kind) -> Answer {
        let candidates = self.candidates();
        let decisions: Vec<(Option<&str>, Decision)> = candidates
            .into_iter()
            .map(|use_| (use_, self.decide(app, use_, &kind.entities, Direction::Prompt)))
            .collect();
        let mildest = decisions
            .iter()
            .map(|(_, decision)| decision.full)
            .min()
            .unwrap_or(Verdict::Block);
        let mut answer = Answer {
            full: mildest,
            acts: mildest,
            refused: decisions.iter().all(|(_, decision)| {
                let policy = self.given.policy;
                decision
                    .full_contributions(policy)
                    .any(|one| policy.is_access(one.citation))
            }),
            but: Vec::new(),
        };
        for (use_, decision) in &decisions {
            if decision.full == mildest {
                answer.acts = answer.acts.min(decision.verdict);
                continue;
            }
            let name = use_.unwrap_or_default().to_owned();
            match answer.but.iter_mut().find(|(verdict, _)| *verdict == decision.full) {
                Some((_, uses)) => uses.push(name),
                None => answer.but.push((decision.full, vec![name])),
            }
        }
        answer
    }

    fn decide(
        &self,
        app: &AppKind<'_>,
        use_: Option<&str>,
        entities: &[(String, u32)],
        direction: Direction,
    ) -> Decision {
        let (document, today) = (self.given.document, self.given.today);
        let noon = document.zone().to_timestamp(today.at(12, 0, 0, 0));
        let claim = document
            .scope
            .groups
            .iter()
            .find(|group| group.name.as_str() == self.group);
        let claim = claim.map(|group| group.claim.as_ref().unwrap_or(&group.name).value.clone());
        let source = if direction == Direction::Prompt {
            Source::User
        } else {
            Source::Model
        };
        let sources = SourceSet::of(source);
        let models = app.entry.and_then(|entry| entry.models.as_ref());
        let require = app.entry.map(|entry| entry.require.as_slice()).unwrap_or_default();
        let facts = Facts {
            now: noon.unwrap_or(Timestamp::UNIX_EPOCH),
            direction,
            who: Arc::new(Who {
                groups: claim.into_iter().collect(),
                // Courses have lines of their own: the table is for who holds them.
                training: document
                    .education
                    .courses
                    .iter()
                    .map(|course| (course.id.value.clone(), today))
                    .collect(),
                ..Who::default()
            }),
            to: Arc::new(Destination {
                app: app.id.clone(),
                categories: self.given.catalog.categories(&app.id),
                attributes: require
                    .iter()
                    .map(|(key, value)| (key.value.clone(), value.value.clone()))
                    .collect(),
            }),
            model: models
                .and_then(|models| models.first())
                .map(|pattern| pattern.value.replace('*', "")),
            use_: use_.map(str::to_owned),
            content: Content {
                sources,
                entities: entities
                    .iter()
                    .map(|(entity, distinct)| Seen {
                        entity: EntityId::from(entity.as_str()),
                        distinct: *distinct,
                        sources,
                        fixed: SourceSet::EMPTY,
                    })
                    .collect(),
                ..Content::default()
            },
        };
        decide::decide(self.given.policy, &facts)
    }
}

/// The names of kinds; a family that the policy names, and that is there whole, has one name for all of its members.
fn names(kinds: &[&Kind]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for kind in kinds {
        let whole = kind.family.as_deref().filter(|family| {
            let mut members = members(family).into_iter();
            members.all(|member| kinds.iter().any(|kind| kind.is(member)))
        });
        let Some(family) = whole else {
            names.push(kind.name.clone());
            continue;
        };
        let of_family = kinds.iter().filter(|other| other.family.as_deref() == Some(family));
        let members: Vec<String> = of_family.map(|other| other.name.clone()).collect();
        let name = match family {
            "secret" => words::label(family),
            _ => format!("{} ({})", words::label(family), words::list(&members, "or")),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Every kind of data that the policy has something to say on: first none at all, then what it names, then what weighs more
/// in numbers or together.
///
/// A family is no kind of data: its members may have classes of their own, so that each stands for itself.
fn kinds(given: &Given<'_>) -> Vec<Kind> {
    let document = given.document;
    let classes: BTreeSet<&str> = document.data.classes.iter().map(|class| class.as_str()).collect();
    let rules = document.clauses.iter().filter_map(|clause| clause.rule.as_ref());
    let selected = rules
        .flat_map(|rule| &rule.when)
        .flat_map(|selector| selector.data.iter().flatten());
    let named = document.data.entities.iter().map(|(name, _)| name).chain(selected);
    let mut kinds = vec![Kind {
        name: "nothing of what follows".to_owned(),
        family: None,
        entities: Vec::new(),
    }];
    for name in named.map(|name| name.as_str()).filter(|name| !classes.contains(name)) {
        let family = FAMILIES.contains(&name).then(|| name.to_owned());
        for entity in members(name) {
            let known = kinds.iter_mut().find(|kind| kind.is(entity));
            match known {
                Some(kind) => kind.family = kind.family.take().or_else(|| family.clone()),
                None => kinds.push(Kind {
                    name: marked(given, entity),
                    family: family.clone(),
                    entities: vec![(entity.to_owned(), 1)],
                }),
            }
        }
    }
    kinds.extend(document.data.escalate.iter().map(|one| combination(given, one)));
    kinds
}

/// What weighs more in numbers or together.
fn combination(given: &Given<'_>, one: &Escalation) -> Kind {
    let names: Vec<String> = one.entities.iter().map(|name| marked(given, name.as_str())).collect();
    let distinct = one.at_least.unwrap_or(1);
    // Of a family, the member that weighs least by itself: the others get at least that.
    let weight = |entity: &&str| {
        let class = document_class(given, entity);
        given
            .document
            .data
            .classes
            .iter()
            .position(|known| Some(known.as_str()) == class)
    };
    let lightest = |name: &Text| members(name.as_str()).into_iter().min_by_key(weight).map(str::to_owned);
    Kind {
        name: match one.at_least {
            Some(number) => format!("{} ({number} or more different ones)", words::list(&names, "or")),
            None => format!("{} together", words::list(&names, "and")),
        },
        family: None,
        entities: one
            .entities
            .iter()
            .filter_map(lightest)
            .map(|entity| (entity, distinct))
            .collect(),
    }
}

/// The class that the document gives an entity, by itself or by its family.
fn document_class<'g>(given: &Given<'g>, entity: &str) -> Option<&'g str> {
    let of = |wanted: &str| {
        let mut classified = given.document.data.entities.iter();
        classified
            .find(|(name, _)| name.as_str() == wanted)
            .map(|(_, class)| class.as_str())
    };
    let family = entities::entity(entity).and_then(|known| known.family);
    of(entity)
        .or_else(|| of(family?))
        .or_else(|| given.document.data.default.as_ref().map(Text::as_str))
}

/// The members of a family, those that something finds first; of anything else, itself.
pub(super) fn members(name: &str) -> Vec<&str> {
    if !FAMILIES.contains(&name) {
        return vec![name];
    }
    let of_family = || ENTITIES.iter().filter(|entity| entity.family == Some(name));
    let found = of_family().filter(|entity| entity.detected);
    let others = of_family().filter(|entity| !entity.detected);
    found.chain(others).map(|entity| entity.id).collect()
}

/// A kind of data in plain words, with a mark if nothing finds it yet.
fn marked(given: &Given<'_>, name: &str) -> String {
    let mark = if words::awaits_detector(given.document, name) {
        UNFOUND
    } else {
        ""
    };
    format!("{}{mark}", words::label(name))
}
