//! Aliases: which version of a model a request gets, and where it goes if that one's upstream fails.
//!
//! A request that names an alias gets the provider's name put in its place before anybody judges it. One conversation stays
//! with one version: the share of the canary is that of a keyed hash over who asks and what they said first, so that nothing
//! has to be remembered. Read [`Aliases::pick`] first.

use std::collections::{HashMap, HashSet};

use ordain_core::exchange::Half;
use ordain_core::wire::model;

use super::StartError;
use super::live::Route;
use crate::config::models::{Alias as Configured, State};
use crate::config::{Config, Dialect};
use crate::keys::KeyRing;
use crate::store::SubjectId;

/// The aliases of one version of the configuration.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    by_name: HashMap<(Dialect, String), Alias>,
    /// Names of models that only an alias may lead to, or nobody: candidates and what is retired.
    withheld: HashSet<(Dialect, String)>,
}

/// An alias, ready for use.
#[derive(Debug)]
struct Alias {
    configured: Configured,
    /// The route of each version, as an index.
    routes: Vec<usize>,
}

/// What an alias stands for in one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picked {
    /// The alias.
    pub(super) alias: String,
    /// Where the request goes.
    pub(super) first: Choice,
    /// Where it goes if that fails.
    pub(super) fallback: Option<Choice>,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// Its label.
    pub(super) version: String,
    /// The model's name at the provider.
    pub(super) model: String,
    /// The route, as an index.
    pub(super) route: usize,
}

impl Aliases {
    /// The aliases of a configuration, whose upstreams have become `routes` in their order.
    pub(super) fn new(config: &Config, routes: &[Route]) -> Result<Self, StartError> {
        let mut it = Self::default();
        let mut approved = HashSet::new();
        for alias in &config.models {
            let mut places = Vec::with_capacity(alias.versions.len());
            for version in &alias.versions {
                let place = config.upstreams.iter().position(|one| one.id == version.upstream);
                let route = place.and_then(|place| Some((place, routes.get(place)?)));
                let Some((place, route)) = route else {
                    // The command line gave other upstreams than the file has.
                    return Err(StartError::Upstream {
                        app: version.upstream.clone(),
                        reason: format!("alias `{}` leads to it, and it is not there", alias.name),
                    });
                };
                places.push(place);
                let model = (route.dialect, version.model.clone());
                match version.state {
                    State::Approved => approved.insert(model),
                    State::Candidate | State::Retired => it.withheld.insert(model),
                };
            }
            let dialect = places.first().and_then(|&place| Some(routes.get(place)?.dialect));
            if let Some(dialect) = dialect {
                let (configured, routes) = (alias.clone(), places);
                it.by_name
                    .insert((dialect, alias.name.clone()), Alias { configured, routes });
            }
        }
        it.withheld.retain(|model| !approved.contains(model));
        Ok(it)
    }

    /// Whether there are none, so that no request needs a look.
    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The names of the aliases of a dialect, each with the route of the version in use.
    pub(super) fn names(&self, dialect: Dialect) -> impl Iterator<Item = (&str, Choice)> {
        let of_dialect = self.by_name.iter().filter(move |((of, _), _)| *of == dialect);
        let mut names: Vec<_> = of_dialect
            .filter_map(|((_, name), alias)| Some((name.as_str(), alias.choice(alias.configured.in_use)?)))
            .collect();
        names.sort_by_key(|(name, _)| *name);
        names.into_iter()
    }

    /// Whether a model is only to be had through an alias, or no longer.
    pub(super) fn withholds(&self, dialect: Dialect, model: &str) -> bool {
        !self.withheld.is_empty() && self.withheld.contains(&(dialect, model.to_owned()))
    }

    /// What the model that a request names stands for, if it is an alias.
    pub(super) fn pick(&self, dialect: Dialect, half: &Half, who: SubjectId, keys: &KeyRing) -> Option<Picked> {
        let name = half.model.as_deref()?;
        let alias = self.by_name.get(&(dialect, name.to_owned()))?;
        let configured = &alias.configured;
        let canary = configured.candidate().filter(|_| {
            let conversation = || share(keys, name, who, model::first_words(half));
            configured.canary > 0 && conversation() < configured.canary
        });
        let first = canary.unwrap_or(configured.in_use);
        Some(Picked {
            alias: name.to_owned(),
            first: alias.choice(first)?,
            fallback: configured.fallback_of(first).and_then(|place| alias.choice(place)),
        })
    }
}

impl Alias {
    fn choice(&self, place: usize) -> Option<Choice> {
        let version = self.configured.versions.get(place)?;
        Some(Choice {
            version: version.label.clone(),
            model: version.model.clone(),
            route: *self.routes.get(place)?,
        })
    }
}

/// Where among a hundred a conversation stands. The hash is keyed, so that nobody outside can choose a version by choosing
/// words, and one of the alias too, so that not the same people are the first to try everything.
fn share(keys: &KeyRing, alias: &str, who: SubjectId, words: &str) -> u8 {
    let words = words.get(..words.floor_char_boundary(MOST_WORDS)).unwrap_or(words);
    let hash = keys.keyed(&format!("conversation\n{alias}\n{who}\n{words}"));
    let [first, second, third, fourth, ..] = hash;
    (u32::from_be_bytes([first, second, third, fourth]) % 100) as u8
}

/// More of a first message tells no conversations apart that matter here; hashing it would be work for nothing.
const MOST_WORDS: usize = 4096;
