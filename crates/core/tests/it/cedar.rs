//! Cedar's own evaluator, given the text that [`ordain_core::cedar`] prints, says what the engine says.
//!
//! `ORDAIN_CEDAR_POLICIES=1000` compares as many policies; without it a share that fits into everyday runs.

use std::str::FromStr as _;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request, Schema,
    ValidationMode, Validator,
};
use ordain_core::catalog::Catalog;
use ordain_core::cedar::{self, ACTIONS, Bridge, Question};
use ordain_core::decide::{Facts, Who, decide};
use ordain_core::detect::scanner::Scanner;
use ordain_core::policy::cases::{self, Request as Asked};
use ordain_core::policy::compile::Policy;
use ordain_core::policy::document::Document;
use ordain_core::policy::problem::Severity;
use ordain_core::policy::{File, Files, Loaded, load};
use ordain_core::verdict::Verdict;

use crate::agreement::{convert, load_generated};
use crate::generate::{self, Rng};

const POLICIES: u64 = 120;
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
        let loaded = load_generated(&plain, &text);
        let (document, policy) = both(&loaded);
        let peer = Peer::new(document, policy);
        for _ in 0..EXCHANGES {
            let facts = generate::facts(&mut rng, &plain);
            let mut facts = convert(policy, &facts);
            if rng.below(8) == 0 {
                let other = convert(policy, &generate::facts(&mut rng, &plain)).who;
                let on_behalf_of = Some(other);
                facts.who = Arc::new(Who {
                    on_behalf_of,
                    ..Who::clone(&facts.who)
                });
            }
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

/// What somebody in `staff` hears who sends this to an app, from both sides.
fn asked(loaded: &Loaded, app: &str, text: &str) -> Verdict {
    let (document, policy) = both(loaded);
    let mut request = Asked {
        app: app.to_owned(),
        parts: vec![(ordain_core::verdict::Source::User, text.to_owned())],
        ..Asked::default()
    };
    request.who.groups = vec!["staff".to_owned()];
    let now = "2026-12-15T12:00:00Z".parse().expect("a moment");
    let scanner = Scanner::new(policy.own_detectors());
    let answer = cases::ask(policy, &scanner, &Catalog::built_in(), &request, now);
    let full = answer.decision.full;
    assert_eq!(Peer::new(document, policy).allows(&answer.facts), below(full));
    full
}

/// What is allowed under a verdict.
fn below(full: Verdict) -> [bool; ACTIONS.len()] {
    ACTIONS.map(|(_, threshold)| full < threshold)
}

#[test]
fn the_starter_policy_says_the_same_to_its_cases() {
    let loaded = with("", "  []");
    let (document, policy) = both(&loaded);
    let (peer, scanner) = (Peer::new(document, policy), Scanner::new(policy.own_detectors()));
    assert!(loaded.cases.len() > 20);
    for case in &loaded.cases {
        let outcome = cases::run(policy, document, &scanner, &Catalog::built_in(), case);
        let full = outcome.answer.decision.full;
        assert_eq!(peer.allows(&outcome.answer.facts), below(full), "{}", case.name.value);
    }
}

#[test]
fn an_exception_to_access_leaves_everything_else_to_count() {
    let exception = "  - {id: EX-1, clause: access, who: {group: staff}, then: coach, reason: trial, granted: 2026-12-01, expires: 2027-01-31}\n";
    let loaded = with("", exception);
    assert_eq!(
        asked(&loaded, "deepseek", "My card is 4111 1111 1111 1111."),
        Verdict::Block
    );
    assert_eq!(
        asked(&loaded, "openai-api", "My card is 4111 1111 1111 1111."),
        Verdict::Redact
    );
}

#[test]
fn what_cedar_cannot_express_is_said_and_left_out() {
    let clause = "    - id: AU-9\n      statement: \"Not \\\"here\\\"); permit(principal, action, resource);\\nnow\"\n      owner: ciso\n      rule:\n        when: {app: openai-api}\n        condition: |\n          hour >= 0 &&\n          hour < 24\n        then: hold\n";
    let loaded = with(clause, "  []");
    let (document, policy) = both(&loaded);
    let peer = Peer::new(document, policy);
    assert!(!peer.text.contains("@cites(\"AU-9\")"));
    assert!(peer.text.contains("// Not expressible: AU-9 (hold)"), "{}", peer.text);
    assert!(
        peer.text.contains("//   hour >= 0 &&\n//   hour < 24\n"),
        "{}",
        peer.text
    );
}

#[test]
fn a_rule_reads_like_its_clause() {
    let clause = "    - id: AU-9\n      statement: \"Not \\\"here\\\"); permit(principal, action, resource);\\nnow\"\n      owner: ciso\n      rule:\n        when: {data: [iban, restricted], source: [user, tool], app: {category: [coding]}}\n        unless: [{group: engineering, model: \"gpt-5*\"}, {time: {days: [sat, sun], hours: \"22:00-06:00\", until: 2026-12-31}}]\n        then: redact\n";
    let exception = "  - {id: EX-1, clause: AU-9, who: {use: coding, training: ai-basics}, then: allow, reason: trial, granted: 2026-12-01, expires: 2027-01-31}\n";
    let loaded = with(clause, exception);
    let (document, policy) = both(&loaded);
    let text = Peer::new(document, policy).text;
    let (_, rest) = text.split_once("@id(\"AU-9\")").expect("the rule");
    let (rule, _) = rest.split_once("@id(\"AU-1\")").expect("the next rule");
    insta::assert_snapshot!(rule);
}

fn both(loaded: &Loaded) -> (&Document, &Policy) {
    let document = loaded.document.as_ref().expect("a document");
    (document, loaded.policy.as_ref().expect("a policy"))
}

/// Cedar with one policy.
pub(crate) struct Peer<'p> {
    text: String,
    policies: PolicySet,
    schema: Schema,
    actions: Entities,
    bridge: Bridge<'p>,
    authorizer: Authorizer,
}

impl<'p> Peer<'p> {
    pub(crate) fn new(document: &Document, policy: &'p Policy) -> Self {
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
    pub(crate) fn allows(&self, facts: &Facts) -> [bool; ACTIONS.len()] {
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

/// A policy of one's own: the starter with clauses and exceptions added.
fn with(clauses: &str, exceptions: &str) -> Loaded {
    let starter = include_str!("../../../../policies/starter/policy.yaml");
    // What is enforced must be named by a case.
    let cases = concat!(
        include_str!("../../../../policies/starter/cases/starter.yaml"),
        "\n  - {name: all, request: {app: demo}, expect: {verdict: allow, clauses: [AU-9]}}\n"
    );
    let cases = if clauses.is_empty() {
        cases.replace("AU-9", "AU-1")
    } else {
        cases.to_owned()
    };
    let (before, after) = starter
        .split_once("  clauses:\n    - id: AU-1\n")
        .expect("the first rule");
    let text = format!("{before}  clauses:\n{clauses}    - id: AU-1\n{after}\nexceptions:\n{exceptions}");
    let file = |path: &str, text: String| File {
        path: path.to_owned(),
        text,
    };
    let files = Files::new(vec![file("policy.yaml", text), file("cases/starter.yaml", cases)]);
    let loaded = load(
        &files,
        &Catalog::built_in(),
        "2026-12-15T12:00:00Z".parse().expect("a moment"),
    );
    let errors: Vec<String> = loaded
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| files.render(problem))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    loaded
}
