//! From a body to a judgement: which version an alias stands for, the provider's name in its place, then the inspection.
//!
//! The name is put in before anybody judges, so that what is judged is what is sent (threats C10 and I1). For a second try
//! the same request is judged anew for where it then goes. Read [`Asked::judge`] first.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Uri;
use ordain_core::decide::{Asked as Steps, Decision, Facts, Who, decide};
use ordain_core::exchange::Half;
use ordain_core::inspect::{Call, Fate, Inspection, Request as Inspected};
use ordain_core::record::{Alias, Fallback};
use ordain_core::wire::endpoints::Endpoint;
use ordain_core::wire::{Wire, model};

use crate::gateway::aliases::{Choice, Picked};
use crate::gateway::live::{Live, Route};
use crate::keys::{KeyEntry, KeyRing};
use crate::store::SubjectId;

/// A request, as far as it is known before its body is judged.
pub(super) struct Asked {
    pub(super) live: Arc<Live>,
    pub(super) wire: &'static dyn Wire,
    pub(super) endpoint: &'static Endpoint,
    /// The model that the path names.
    pub(super) named: Option<String>,
    pub(super) who: Arc<Who>,
    /// The key that came with it.
    pub(super) key: Option<Arc<KeyEntry>>,
    pub(super) use_: Option<String>,
    pub(super) record: String,
    pub(super) now: jiff::Timestamp,
    pub(super) body: Bytes,
}

/// A request that was judged.
pub(super) struct Admitted {
    pub(super) inspected: Inspected,
    /// The bytes that were judged.
    pub(super) body: Bytes,
    /// What the alias stands for, if the request names one.
    pub(super) aliased: Option<Box<Aliased>>,
}

/// A request whose model is an alias.
pub(super) struct Aliased {
    pub(super) picked: Picked,
    asked: Asked,
    /// The tools that were taken out of it.
    withheld: Vec<String>,
    /// What is decided if it goes where it goes in the second place; `None` if it may not, or there is no such place.
    second: Option<Decision>,
}

impl Asked {
    /// Reads and judges the body; an error is a reason for the client, without any of the text.
    pub(super) fn judge(self, who: SubjectId, keys: Option<&KeyRing>) -> Result<Admitted, String> {
        let half = self.read(&self.body, self.named.as_deref())?;
        let dialect = self.endpoint.dialect;
        let picked = keys.and_then(|keys| self.live.aliases.pick(dialect, &half, who, keys));
        let Some(picked) = picked else {
            let call = |model: &str| self.call(self.live.route(dialect, model));
            let (rules, named) = (&self.live.rules, self.named.as_deref());
            let inspected = Inspection::of(rules, self.wire, &self.body, &half, named, call);
            return Ok(Admitted {
                inspected,
                body: self.body,
                aliased: None,
            });
        };
        let (inspected, body) = self.go_to(&half, &picked.first)?;
        let withheld = inspected.judged.withheld.clone();
        let second = picked
            .fallback
            .as_ref()
            .and_then(|choice| self.second(&picked, choice, &inspected));
        Ok(Admitted {
            inspected,
            body,
            aliased: Some(Box::new(Aliased {
                picked,
                asked: self,
                withheld,
                second,
            })),
        })
    }

    fn read(&self, body: &[u8], named: Option<&str>) -> Result<Half, String> {
        let half = self.wire.read_request(body, named);
        half.map_err(|malformed| format!("the body cannot be read: {malformed}"))
    }

    fn call(&self, route: Option<&Route>) -> Call {
        Call {
            now: self.now,
            who: Arc::clone(&self.who),
            to: route.map(|route| Arc::clone(&route.destination)).unwrap_or_default(),
            use_: self.use_.clone(),
            record: self.record.clone(),
        }
    }

    /// The request with a version's name in it, judged for where that is.
    fn go_to(&self, half: &Half, choice: &Choice) -> Result<(Inspected, Bytes), String> {
        const CANNOT: &str = "the body names its model where it cannot be replaced";
        let body = model::rename(&self.body, half, &choice.model).ok_or(CANNOT)?;
        let named = self.named.as_ref().map(|_| choice.model.as_str());
        let half = self.read(&body, named)?;
        if half.model.as_deref() != Some(&choice.model) {
            return Err(CANNOT.to_owned());
        }
        let call = |_: &str| self.call(self.live.routes.get(choice.route));
        let inspected = Inspection::of(&self.live.rules, self.wire, &body, &half, named, call);
        Ok((inspected, body.into()))
    }

    /// What is decided about the request if it goes to another version, which has to be in an app of the same class. Its text
    /// is the same, so that facts about it hold.
    ///
    /// `None` if it may not go there: also if the key is not for it, if it has no price where the first one has, or if
    /// anybody is asked about the request here or there. Who gave a reason or agreed was told of one destination.
    fn second(&self, picked: &Picked, choice: &Choice, first: &Inspected) -> Option<Decision> {
        if !matches!(first.fate, Fate::Forward(_)) {
            return None;
        }
        let route = self.live.routes.get(choice.route)?;
        if !self.opens(picked, &route.destination.app, &choice.model) {
            return None;
        }
        let priced = |app: &str, model: &str| self.live.spending.rate(app, model).is_some();
        if priced(&first.judged.facts.to.app, &picked.first.model) && !priced(&route.destination.app, &choice.model) {
            return None;
        }
        let facts = Facts {
            to: Arc::clone(&route.destination),
            model: Some(choice.model.clone()),
            ..first.judged.facts.clone()
        };
        let policy = &self.live.rules.policy;
        let decision = decide(policy, &facts);
        let same_class = decision.app_class == first.judged.decision.app_class;
        let passes = decision.asks(policy) == Some(Steps::default());
        (same_class && passes).then_some(decision)
    }

    /// Whether the key is for this app and model, by either name of the model.
    fn opens(&self, picked: &Picked, app: &str, model: &str) -> bool {
        self.key.as_ref().is_none_or(|key| {
            let scope = &key.terms.scope;
            scope.has_app(app) && (scope.has_model(&picked.alias) || scope.has_model(model))
        })
    }
}

impl Aliased {
    /// As the record has it.
    pub(super) fn recorded<'r>(&'r self, live: &'r Live) -> Alias<'r> {
        let fallback = self.picked.fallback.as_ref().zip(self.second.as_ref());
        Alias {
            name: &self.picked.alias,
            version: &self.picked.first.version,
            fallback: fallback.and_then(|(choice, decision)| {
                Some(Fallback {
                    version: &choice.version,
                    to: &live.routes.get(choice.route)?.destination,
                    model: &choice.model,
                    decision,
                })
            }),
        }
    }

    /// Whether there is a second place where the request may go.
    pub(super) fn has_second(&self) -> bool {
        self.second.is_some()
    }

    /// The request for its second try: judged anew in full, and only if the judgement is the one that was recorded.
    pub(super) fn again(&self) -> Option<(Inspected, Bytes, Choice)> {
        let choice = self.picked.fallback.clone()?;
        let half = self.asked.read(&self.asked.body, self.asked.named.as_deref()).ok()?;
        let (inspected, body) = self.asked.go_to(&half, &choice).ok()?;
        let body = match &inspected.fate {
            Fate::Stop | Fate::Wait(..) => return None,
            Fate::Forward(edited) => edited.clone().map_or(body, Bytes::from),
        };
        let judged = &inspected.judged;
        let same = Some(&judged.decision) == self.second.as_ref() && judged.withheld == self.withheld;
        same.then_some((inspected, body, choice))
    }

    /// The address of the request, with a version's name in it where it names a model.
    pub(super) fn at<'u>(&self, uri: &'u Uri, choice: &Choice) -> Option<Cow<'u, Uri>> {
        if self.asked.named.is_none() {
            return Some(Cow::Borrowed(uri));
        }
        let mut text = model::rename_in_path(self.asked.endpoint, uri.path(), &choice.model)?;
        if let Some(query) = uri.query() {
            text.push('?');
            text.push_str(query);
        }
        text.parse().ok().map(Cow::Owned)
    }
}

#[cfg(test)]
mod tests;
