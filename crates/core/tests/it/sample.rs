//! Every key of the policy language in one document, and what is said of words that it does not know.

use std::collections::BTreeSet;

use ordain_core::catalog::Catalog;
use ordain_core::policy::problem::Severity;
use ordain_core::policy::{File, Files, Loaded, load};

const POLICY: &str = include_str!("sample/policy.yaml");
const PEOPLE: &str = include_str!("sample/people.yaml");
/// What is coached is tried, too.
const CASES: &str =
    "cases: [{name: all, request: {app: demo}, expect: {verdict: block, clauses: [AU-3, SH-1, AU-5]}}]\n";

fn loaded(policy: &str, people: &str) -> (Loaded, Files) {
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let files = Files::new(vec![
        file("policy.yaml", policy),
        file("people.yaml", people),
        file("cases/all.yaml", CASES),
    ]);
    let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
    (load(&files, &Catalog::built_in(), now), files)
}

#[test]
fn the_whole_language_is_read() {
    let (loaded, files) = loaded(POLICY, PEOPLE);
    let errors = loaded
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    let errors: Vec<String> = errors.map(|problem| files.render(problem)).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert!(loaded.policy.is_some());
    let document = loaded.document.expect("a document");
    assert_eq!(document.sections.len(), 14);
    assert_eq!(document.delegated.len(), 6);
    assert_eq!(document.apps.first().map(|app| app.terms.len()), Some(2));
    assert_eq!(
        document.consequences.map(|consequences| consequences.start.len()),
        Some(3)
    );
    assert_eq!(document.outputs.map(|outputs| outputs.reuse.len()), Some(3));
}

/// What nothing carries out yet is said: labels, consequences, metrics, `hold`, and what no detector finds.
#[test]
fn what_awaits_is_named() {
    let (loaded, files) = loaded(POLICY, PEOPLE);
    let lines: BTreeSet<String> = loaded
        .problems
        .iter()
        .filter(|problem| problem.code == "awaits")
        .filter_map(|problem| {
            let text = &files.get(problem.place.file)?.text;
            let line = text.lines().nth(problem.place.line as usize - 1)?;
            let from = line.char_indices().nth(problem.place.column as usize - 1)?.0;
            let word = line.get(from..)?.split([',', ':', '}', ']', ' ']).next()?;
            Some(word.to_owned())
        })
        .collect();
    for word in [
        "outputs",
        "ladder",
        "leaks-escaped",
        "active-sanctioned-users",
        "hold",
        "person-name",
        "prompt-injection",
    ] {
        assert!(lines.contains(word), "{word}: {lines:?}");
    }
}

#[test]
fn words_of_closed_sets_are_read_strictly() {
    for (right, wrong, code) in [
        ("inherit: highest-input", "inherit: highest-inputs", "unknown-word"),
        ("external: human-review", "external: humans", "unknown-word"),
        ("public: none", "everywhere: none", "unknown-word"),
        ("also: [incident, law-change]", "also: [incident, rain]", "unknown-word"),
        ("tier: high", "tier: highest", "unknown-word"),
        ("kind: read,", "kind: reads,", "unknown-word"),
        ("trains_on_input: false", "trains_on_input: sometimes", "wrong-type"),
        ("trains_on_input: false", "trains: false", "unknown-word"),
        ("retention: 30 days,", "retention: long,", "wrong-type"),
        ("amount: \"<= 500\"", "amount: \"<= lots\"", "wrong-type"),
        ("path: [\"/srv/*\", \"/tmp/*\"]", "path: []", "wrong-type"),
        ("until: 2027-02-01", "until: soon", "wrong-type"),
        ("start: {mistake:", "start: {mistakes:", "unknown-word"),
        ("records: training.csv", "records: ../training.csv", "wrong-type"),
        ("records: training.csv", "records: training.yaml", "wrong-type"),
        ("task: review", "tasks: review", "missing-key"),
        ("roles.people,", "roles.peoples,", "unknown-path"),
    ] {
        assert!(POLICY.contains(right) || PEOPLE.contains(right), "{right}");
        let (loaded, _) = loaded(&POLICY.replace(right, wrong), &PEOPLE.replace(right, wrong));
        let errors = loaded
            .problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error);
        let codes: BTreeSet<&str> = errors.map(|problem| problem.code).collect();
        assert!(codes.contains(code), "{wrong}: {codes:?}");
        assert!(loaded.policy.is_none());
    }
}
