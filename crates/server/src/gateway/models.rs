//! Which models there are: the gateway answers that itself, with the names in its configuration that the caller may use.
//!
//! Aliases are listed first, each if the caller may use the version in use. An upstream whose `models` are not listed
//! serves any, and has none to show. Each dialect has a shape of its own.

use std::sync::Arc;

use hyper::StatusCode;
use ordain_core::decide::{Content, Facts, Who, decide};
use ordain_core::verdict::Direction;
use serde_json::{Value, json};

use super::live::{Live, Route};
use super::reply::{self, Reply};
use crate::config::Dialect;
use crate::store::Scope;

/// The list of models for a dialect, or what is known of the one that is asked for.
pub(super) fn answer(live: &Live, dialect: Dialect, who: &Arc<Who>, scope: Option<&Scope>, one: Option<&str>) -> Reply {
    let opens = |app: &str, model: &str| scope.is_none_or(|scope| scope.has_app(app) && scope.has_model(model));
    let aliases = live.aliases.names(dialect).filter_map(|(name, choice)| {
        let route = live.routes.get(choice.route)?;
        let app = route.destination.app.as_str();
        // A key's scope may have either name.
        let opened = opens(app, name) || opens(app, &choice.model);
        (opened && may_use(live, route, &choice.model, who)).then_some((name, app))
    });
    let own = live
        .routes
        .iter()
        .filter(|route| route.dialect == dialect)
        .flat_map(|route| route.models.iter().map(move |model| (route, model.as_str())))
        .filter(|(_, model)| !live.aliases.withholds(dialect, model))
        .filter(|(route, model)| opens(&route.destination.app, model) && may_use(live, route, model, who))
        .map(|(route, model)| (model, route.destination.app.as_str()));
    let models: Vec<(&str, &str)> = aliases.chain(own).collect();
    let Some(wanted) = one else {
        return reply::json(StatusCode::OK, list(dialect, &models).to_string());
    };
    match models.iter().find(|(model, _)| *model == wanted) {
        Some(model) => reply::json(StatusCode::OK, entry(dialect, *model).to_string()),
        None => reply::json(
            StatusCode::NOT_FOUND,
            dialect.error(404, "there is no such model here, or none that you may use"),
        ),
    }
}

/// Whether access lets somebody reach a model at all.
fn may_use(live: &Live, route: &Route, model: &str, who: &Arc<Who>) -> bool {
    let facts = Facts {
        now: jiff::Timestamp::now(),
        direction: Direction::Prompt,
        who: Arc::clone(who),
        to: Arc::clone(&route.destination),
        model: Some(model.to_owned()),
        use_: None,
        content: Content::default(),
    };
    let policy = &live.rules.policy;
    !decide(policy, &facts).is_access_refusal(policy)
}

fn list(dialect: Dialect, models: &[(&str, &str)]) -> Value {
    let entries: Vec<Value> = models.iter().map(|&model| entry(dialect, model)).collect();
    match dialect {
        Dialect::Openai | Dialect::Azure => json!({"object": "list", "data": entries}),
        Dialect::Anthropic => json!({
            "data": entries,
            "has_more": false,
            "first_id": models.first().map(|(model, _)| model),
            "last_id": models.last().map(|(model, _)| model),
        }),
        Dialect::Gemini | Dialect::Ollama => json!({"models": entries}),
    }
}

/// One model. What only its provider knows (dates, sizes) is left out or as good as nothing.
fn entry(dialect: Dialect, (model, app): (&str, &str)) -> Value {
    match dialect {
        Dialect::Openai | Dialect::Azure => json!({"id": model, "object": "model", "created": 0, "owned_by": app}),
        Dialect::Anthropic => {
            json!({"type": "model", "id": model, "display_name": model, "created_at": "1970-01-01T00:00:00Z"})
        }
        Dialect::Gemini => json!({
            "name": format!("models/{model}"),
            "displayName": model,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens", "embedContent"],
        }),
        Dialect::Ollama => json!({"name": model, "model": model, "modified_at": "1970-01-01T00:00:00Z", "size": 0}),
    }
}
