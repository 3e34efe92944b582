//! Cedar's own evaluator, given the text that [`ordain_core::cedar`] prints, says what the engine says.
//!
//! `ORDAIN_CEDAR_POLICIES=1000` compares as many policies; without it a share that fits into everyday runs.

use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request, Schema,
    ValidationMode, Validator,
};
use ordain_core::cedar::{self, ACTIONS, Bridge, Question};
use ordain_core::decide::{Facts, decide};
use ordain_core::policy::Loaded;
use ordain_core::policy::compile::Policy;
use ordain_core::policy::document::Document;

use crate::agreement::{convert, load_generated};
use crate::generate::{self, Rng};

const POLICIES: u64 = 60;
const EXCHANGES: usize = 100;

#[test]
fn cedar_agrees_with_the_engine() {
    #[allow(clippy::disallowed_methods, reason = "a test may be told how much to do")]
    let policies = std::env::var("ORDAIN_CEDAR_POLICIES")
        .ok()
        .and_then(|count| count.parse().ok());
    let mut told = [[0usize; 2]; ACTIONS.len()];
    let mut calls = 0;
    for seed in 0..policies.unwrap_or(POLICIES) {
        let mut rng = Rng(seed);
        let plain = generate::policy(&mut rng);
        let text = generate::yaml(&plain);
        let loaded = load_generated(&plain, &text, seed);
        let (document, policy) = both(&loaded);
        let peer = Peer::new(document, policy);
        for _ in 0..EXCHANGES {
            let facts = generate::facts(&mut rng, &plain);
            let facts = convert(&facts);
            calls += usize::from(!facts.content.tools.is_empty());
            let full = decide(policy, &facts).full;
            let answers = peer.allows(&facts);
            for (index, (action, threshold)) in ACTIONS.into_iter().enumerate() {
                let allowed = answers[index];
                assert_eq!(
                    allowed,
                    full < threshold,
                    "seed {seed}: {action}, but the verdict is {full}\n{facts:#?}\n{}\n{text}",
                    peer.text
                );
                told[index][usize::from(allowed)] += 1;
            }
        }
    }
    let all: usize = told[0].iter().sum();
    for (count, (action, _)) in told.into_iter().zip(ACTIONS) {
        assert!(
            count[0] * 20 > all && count[1] * 20 > all,
            "{action} is mostly one answer: {told:?}"
        );
    }
    assert!(calls * 20 > all, "tools are called often enough");
}

fn both(loaded: &Loaded) -> (&Document, &Policy) {
    let document = loaded.document.as_ref().expect("a document");
    (document, loaded.policy.as_ref().expect("a policy"))
}

/// Cedar with one policy.
struct Peer<'p> {
    text: String,
    policies: PolicySet,
    schema: Schema,
    actions: Entities,
    bridge: Bridge<'p>,
    authorizer: Authorizer,
}

impl<'p> Peer<'p> {
    fn new(document: &Document, policy: &'p Policy) -> Self {
        let text = cedar::policies(document);
        let policies = PolicySet::from_str(&text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        let described = cedar::schema(document);
        let (schema, warnings) =
            Schema::from_cedarschema_str(&described).unwrap_or_else(|error| panic!("{error:?}\n{described}"));
        assert_eq!(warnings.count(), 0, "{described}");
        let report = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        let errors: Vec<String> = report.validation_errors().map(ToString::to_string).collect();
        assert!(report.validation_passed(), "{errors:#?}\n{text}");
        let actions = schema.action_entities().expect("actions");
        Self {
            bridge: Bridge::new(document, policy),
            authorizer: Authorizer::new(),
            text,
            policies,
            schema,
            actions,
        }
    }

    /// For each action, whether every question that the facts become is allowed.
    fn allows(&self, facts: &Facts) -> [bool; ACTIONS.len()] {
        let mut all = [true; ACTIONS.len()];
        for question in self.bridge.questions(facts) {
            let (context, entities) = self.read(&question);
            for (index, (action, _)) in ACTIONS.into_iter().enumerate() {
                all[index] &= self.allows_one(action, &question, &context, &entities);
            }
        }
        all
    }

    fn read(&self, question: &Question) -> (Context, Entities) {
        let action = name("Ordain::Action", ACTIONS[0].0);
        let context = Context::from_json_value(question.context.clone(), Some((&self.schema, &action)));
        let entities = self.actions.clone();
        let entities = entities.add_entities_from_json_value(question.entities.clone(), None);
        (
            context.expect("a context that fits the schema"),
            entities.expect("entities"),
        )
    }

    fn allows_one(&self, action: &str, question: &Question, context: &Context, entities: &Entities) -> bool {
        let request = Request::new(
            name("Ordain::Principal", &question.principal),
            name("Ordain::Action", action),
            name(question.resource.0, &question.resource.1),
            context.clone(),
            None,
        );
        let request = request.expect("a request");
        let answer = self.authorizer.is_authorized(&request, &self.policies, entities);
        let errors: Vec<String> = answer.diagnostics().errors().map(ToString::to_string).collect();
        assert!(errors.is_empty(), "{errors:?}\n{}", self.text);
        answer.decision() == Decision::Allow
    }
}

fn name(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(EntityTypeName::from_str(kind).expect("a type"), EntityId::new(id))
}
