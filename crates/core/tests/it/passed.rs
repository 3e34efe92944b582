//! Endpoints that a line of `access.endpoints` passes unread: what is decided, what `diff` says, and what Cedar says.

use std::sync::Arc;

use ordain_core::catalog::Catalog;
use ordain_core::cedar::{ACTIONS, Bridge};
use ordain_core::decide::{Content, Covered, Destination, Facts, Who, decide, explain};
use ordain_core::diff;
use ordain_core::policy::problem::Severity;
use ordain_core::policy::{File, Files, Loaded, load};
use ordain_core::verdict::{Direction, Source, SourceSet, Verdict};
use ordain_core::wire::endpoints;

use crate::cedar::Peer;

const NOW: &str = "2026-12-15T12:00:00Z";

/// The starter policy with these lines of `access.endpoints`.
fn loaded(lines: &str) -> Loaded {
    let starter = include_str!("../../../../policies/starter/policy.yaml");
    let marker = "  clauses:\n    - id: AC-4\n";
    let cited = "  clauses:\n    - {id: AC-9, statement: What may go unread., owner: cto, enforced_by: access.endpoints}\n    - id: AC-4\n";
    let text = if lines.is_empty() {
        starter.to_owned()
    } else {
        starter.replacen(marker, &format!("  endpoints:\n{lines}{cited}"), 1)
    };
    assert_eq!(lines.is_empty(), text == starter);
    let file = |path: &str, text: String| File {
        path: path.to_owned(),
        text,
    };
    let cases = include_str!("../../../../policies/starter/cases/starter.yaml").to_owned();
    let files = Files::new(vec![file("policy.yaml", text), file("cases/starter.yaml", cases)]);
    load(&files, &Catalog::built_in(), NOW.parse().expect("a moment"))
}

fn errors(lines: &str) -> Vec<(&'static str, String)> {
    let problems = loaded(lines).problems.into_iter();
    let errors = problems.filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| (problem.code, problem.message)).collect()
}

fn facts(group: &str, endpoint: Option<&str>, now: &str, direction: Direction) -> Facts {
    Facts {
        now: now.parse().expect("a moment"),
        direction,
        who: Arc::new(Who {
            principal: "bo".to_owned(),
            groups: vec![group.to_owned()],
            ..Who::default()
        }),
        to: Arc::new(Destination {
            app: "openai-api".to_owned(),
            categories: Catalog::built_in().categories("openai-api"),
            attributes: Vec::new(),
        }),
        model: None,
        use_: None,
        content: Content {
            sources: SourceSet::of(Source::User),
            uninspectable: true,
            endpoint: endpoint.map(str::to_owned),
            ..Content::default()
        },
    }
}

const LINES: &str = "    - {id: EP-1, endpoints: [openai POST /v1/files, openai GET /v1/files], groups: [staff], then: allow, reason: Looked at before., until: 2026-12-31}
    - {id: EP-2, endpoints: [openai POST /v1/files], groups: [everyone], then: coach, reason: Nobody reads it.}
    - {id: EP-3, endpoints: [openai POST /v1/batches], groups: [everyone], then: block, reason: Not yet.}
";

#[test]
fn the_strictest_line_that_matches_decides_and_what_none_matches_is_blocked() {
    let loaded = loaded(LINES);
    let policy = loaded.policy.as_ref().expect("a policy");
    let peer = Peer::new(loaded.document.as_ref().expect("a document"), policy);
    let (staff, stranger) = ("staff", "engineering");
    for (group, endpoint, now, verdict) in [
        (staff, "openai GET /v1/files", NOW, Verdict::Allow),
        (staff, "openai GET /v1/files", "2026-12-31T22:00:00Z", Verdict::Allow),
        (staff, "openai GET /v1/files", "2027-01-02T00:00:00Z", Verdict::Block),
        (stranger, "openai GET /v1/files", NOW, Verdict::Block),
        (staff, "openai POST /v1/files", NOW, Verdict::Coach),
        (stranger, "openai POST /v1/files", NOW, Verdict::Coach),
        (staff, "openai POST /v1/batches", NOW, Verdict::Block),
        (staff, "openai GET /v1/batches", NOW, Verdict::Block),
        (staff, "anthropic POST /v1/files", NOW, Verdict::Block),
    ] {
        for direction in [Direction::Prompt, Direction::Answer] {
            let facts = facts(group, Some(endpoint), now, direction);
            let decision = decide(policy, &facts);
            assert_eq!(decision.verdict, verdict, "{group} {endpoint} {now}");
            let cited = decision
                .contributions
                .iter()
                .find(|one| policy.citation(one.citation).id == "access.endpoints");
            assert_eq!(cited.map(|one| one.acts), Some(verdict), "{group} {endpoint} {now}");
            let below = ACTIONS.map(|(_, threshold)| decision.full < threshold);
            assert_eq!(peer.allows(&facts), below, "{group} {endpoint} {now}");
        }
    }
    // Something unreadable in a body that is read is none of these lines' business.
    let within = decide(policy, &facts(staff, None, NOW, Direction::Prompt));
    assert_eq!(within.verdict, Verdict::Block);
    let named = |name: &str| {
        let endpoint = endpoints::table().iter().find(|one| one.name() == name);
        policy.passes_endpoint(endpoint.expect("an endpoint"))
    };
    assert!(named("openai POST /v1/files") && !named("openai GET /v1/batches"));
    // The same path of another dialect is another endpoint.
    assert!(!named("anthropic POST /v1/files"));
}

#[test]
fn who_acts_for_another_passes_only_what_passes_for_both() {
    let loaded = loaded(LINES);
    let policy = loaded.policy.as_ref().expect("a policy");
    let verdict = |agent: &str, person: &str, endpoint: &str| {
        let mut facts = facts(agent, Some(endpoint), NOW, Direction::Prompt);
        let other = Who {
            principal: "cy".to_owned(),
            groups: vec![person.to_owned()],
            ..Who::default()
        };
        Arc::make_mut(&mut facts.who).on_behalf_of = Some(Arc::new(other));
        decide(policy, &facts).verdict
    };
    assert_eq!(verdict("staff", "staff", "openai GET /v1/files"), Verdict::Allow);
    for (agent, person) in [("staff", "engineering"), ("engineering", "staff")] {
        assert_eq!(verdict(agent, person, "openai GET /v1/files"), Verdict::Block);
        assert_eq!(verdict(agent, person, "openai POST /v1/files"), Verdict::Coach);
    }
}

#[test]
fn a_refusal_tells_that_nobody_reads_it_and_offers_no_second_step() {
    let lines = "    - {id: EP-1, endpoints: [openai POST /v1/files], groups: [staff], then: hold, reason: x}\n";
    let loaded = loaded(lines);
    let policy = loaded.policy.as_ref().expect("a policy");
    for (endpoint, more) in [
        ("openai POST /v1/files", " It cannot wait for somebody to agree."),
        ("openai GET /v1/files", ""),
    ] {
        let decision = decide(policy, &facts("staff", Some(endpoint), NOW, Direction::Prompt));
        let told = explain::refusal(policy, &decision, &Covered::default(), "r-1");
        let said = "Blocked by access.endpoints (AC-9): What may go unread. Nobody reads what goes to this endpoint. Use one that is inspected.";
        assert!(told.starts_with(&format!("{said}{more}")), "{told}");
    }
}

#[test]
fn a_line_more_is_a_change_that_a_request_shows() {
    let (before, after) = (loaded(""), loaded(LINES));
    let (old, new) = (before.policy.expect("a policy"), after.policy.expect("a policy"));
    let now = NOW.parse().expect("a moment");
    let changes = diff::changes(&old, &new, &Catalog::built_in(), now).changes;
    let shown: Vec<(diff::Direction, Option<&str>)> = changes
        .iter()
        .map(|change| (change.direction, change.witness.request.endpoint.as_deref()))
        .collect();
    assert!(
        shown.contains(&(diff::Direction::Loosened, Some("openai GET /v1/files"))),
        "{shown:?}"
    );
    assert!(
        shown
            .iter()
            .all(|(direction, _)| *direction == diff::Direction::Loosened),
        "{shown:?}"
    );
    let again = loaded(LINES).policy.expect("a policy");
    assert!(
        diff::changes(&new, &again, &Catalog::built_in(), now)
            .changes
            .is_empty()
    );
}

#[test]
fn a_line_is_about_endpoints_that_there_are_and_that_nobody_reads() {
    for (endpoint, message) in [
        (
            "openai POST /v1/chat/completions",
            "`openai POST /v1/chat/completions` is inspected: the rest of the policy decides about it",
        ),
        ("openai POST /v1/fils", "no endpoint called `openai POST /v1/fils`"),
        ("POST /v1/files", "no endpoint called `POST /v1/files`"),
        (
            "openai GET /v1/models",
            "`openai GET /v1/models` is answered by the gateway itself",
        ),
        (
            "openai POST /v1/realtime/client_secrets",
            "`openai POST /v1/realtime/client_secrets` is never passed: it opens a connection that does not come by the gateway, or hands out a key for one",
        ),
    ] {
        let line = format!("    - {{id: EP-1, endpoints: [{endpoint}], groups: [staff], then: allow, reason: x}}\n");
        assert_eq!(errors(&line), [("unknown-endpoint", message.to_owned())]);
    }
    let line = "    - {id: EP-1, endpoints: [openai POST /v1/files], groups: [staf], then: redact, reason: x}\n";
    assert!(
        errors(line).iter().any(|(code, _)| *code == "redact-without-span"),
        "{:?}",
        errors(line)
    );
    let line = "    - {id: EP-1, endpoints: [openai POST /v1/files], groups: [staf], then: allow, reason: x}\n";
    assert_eq!(errors(line).first().map(|(code, _)| *code), Some("unknown-group"));
}

#[test]
fn a_bridge_says_the_endpoint_only_where_there_is_one() {
    let loaded = loaded(LINES);
    let (document, policy) = (loaded.document.expect("a document"), loaded.policy.expect("a policy"));
    let bridge = Bridge::new(&document, &policy);
    let questions = bridge.questions(&facts("staff", Some("openai GET /v1/files"), NOW, Direction::Prompt));
    assert!(
        questions
            .iter()
            .all(|question| question.context["endpoint"] == "openai GET /v1/files")
    );
}
