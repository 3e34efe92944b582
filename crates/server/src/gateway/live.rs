//! What requests are judged by and where they go: one version, from a request's start to its end (threat I8).

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use ordain_core::catalog::Catalog;
use ordain_core::decide::Destination;
use ordain_core::inspect::Rules;
use serde_json::json;
use tokio_rustls::TlsAcceptor;

use super::StartError;
use super::aliases::Aliases;
use super::assured::Assured;
use super::upstream::Target;
use crate::certificates::Certificates;
use crate::config::{CoachNote, ContentBlock, Delegation, Dialect, Limits, Spending, TrustedProxies, Upstream};
use crate::directory::Directory;
use crate::identity::Identity;
use crate::login::Wanted;
use crate::version::Version;

/// One version, ready for use.
pub(super) struct Live {
    pub(super) rules: Arc<Rules>,
    pub(super) directory: Directory,
    pub(super) routes: Vec<Route>,
    pub(super) aliases: Aliases,
    /// What the policy cannot do on these routes.
    pub(super) assured: Assured,
    pub(super) content_block: ContentBlock,
    pub(super) coach_note: CoachNote,
    pub(super) limits: Limits,
    pub(super) spending: Spending,
    /// What prices are in, for the records.
    pub(super) currency: Option<Arc<str>>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) delegations: Vec<Delegation>,
    /// What is told about how to sign in, as JSON.
    pub(super) login: Option<String>,
    /// The issuers whose tokens are taken.
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) trusted_proxies: Option<TrustedProxies>,
}

/// What `ordain login` is told.
fn sign_in(wanted: &Wanted) -> String {
    let Wanted {
        issuer,
        client_id,
        audience,
        scopes,
    } = wanted;
    json!({"issuer": issuer, "client_id": client_id, "audience": audience, "scopes": scopes}).to_string()
}

/// An upstream, ready to be called.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) dialect: Dialect,
    pub(super) models: Vec<String>,
    pub(super) destination: Arc<Destination>,
    pub(super) target: Target,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Live {
    /// A version with its upstreams. `demo` is the address of the demonstration upstream, for upstreams that name it; `known`
    /// has the keys of issuers that the version before had.
    pub(super) fn new(
        version: Version,
        demo: Option<SocketAddr>,
        known: Option<&Identity>,
    ) -> Result<Self, StartError> {
        let Version {
            policy,
            directory,
            config,
            tls,
            certificates,
        } = version;
        let catalog = Catalog::built_in();
        let route = |one: &Upstream| {
            let target = Target::new(one, demo).map_err(|reason| StartError::Upstream {
                app: one.app.clone(),
                reason,
            })?;
            let destination = Destination {
                app: one.app.clone(),
                categories: catalog.categories(&one.app),
                attributes: one.attributes.clone(),
            };
            Ok(Route {
                dialect: one.dialect,
                models: one.models.clone(),
                destination: Arc::new(destination),
                target,
            })
        };
        let routes: Vec<Route> = config.upstreams.iter().map(route).collect::<Result<_, _>>()?;
        let rules = Arc::new(Rules::new(policy));
        Ok(Self {
            assured: Assured::new(&rules, routes.iter().map(|route| route.dialect)),
            rules,
            directory,
            aliases: Aliases::new(&config, &routes)?,
            routes,
            content_block: config.content_block,
            coach_note: config.coach_note,
            limits: config.limits,
            currency: config.spending.currency.as_deref().map(Arc::from),
            spending: config.spending,
            tls: tls.map(TlsAcceptor::from),
            certificates,
            delegations: config.delegation,
            login: config.login.as_ref().map(sign_in),
            identity: Identity::new(&config.issuers, known),
            trusted_proxies: config.trusted_proxies,
        })
    }

    /// The route for a dialect and a model: the first that serves it, else the first of the dialect.
    pub(super) fn route(&self, dialect: Dialect, model: &str) -> Option<&Route> {
        let mut of_dialect = self.routes.iter().filter(|route| route.dialect == dialect);
        let first = of_dialect.clone().next();
        of_dialect.find(|route| route.serves(model)).or(first)
    }

    /// The route for a model that is asked for by its own name, if there is one: not for one that only an alias leads to.
    pub(super) fn serving(&self, dialect: Dialect, model: &str) -> Option<&Route> {
        let route = self.route(dialect, model).filter(|route| route.serves(model));
        route.filter(|_| !self.aliases.withholds(dialect, model))
    }
}

impl Route {
    /// Names are compared as they are written: what the policy judges is what the upstream gets (threat C10).
    pub(super) fn serves(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|known| known == model)
    }
}
