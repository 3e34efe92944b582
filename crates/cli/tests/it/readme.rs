//! The README's code blocks are true.

use std::fs;
use std::path::Path;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).expect("README.md")
}

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    parts
        .filter_map(|part| part.split("\n```").next())
        .map(str::to_owned)
        .collect()
}

/// The excerpt, put in place of the starter's `data` section, reads without a problem of shape.
#[test]
fn the_policy_excerpt_is_valid() {
    let excerpt = blocks("yaml").into_iter().next().expect("a policy");
    let header = "ordain: 1\norganization: Example\nversion: \"1\"\nroles: {people: {ciso: a@example.com, dpo: b@example.com}}\n";
    let files = ordain_core::policy::Files::single(&format!("{header}{excerpt}\n"));
    let now = "2026-12-01T12:00:00Z".parse().expect("a moment");
    let problems = ordain_core::policy::load(&files, &ordain_core::catalog::Catalog::built_in(), now).problems;
    let codes: Vec<&str> = problems
        .iter()
        .filter(|problem| problem.severity == ordain_core::policy::problem::Severity::Error)
        .map(|problem| problem.code)
        .filter(|code| !matches!(*code, "missing-section" | "clause-without-case"))
        .collect();
    assert_eq!(codes, [""; 0], "{problems:#?}");
}

/// What the quickstart shows is what the demonstration upstream and the starter policy give: `commands` runs the same texts.
#[test]
fn the_quickstart_shows_each_verdict_with_its_clause() {
    let text = readme();
    for (verdict, clause) in super::commands::QUICKSTART.map(|(_, verdict, clause)| (verdict, clause)) {
        let shown = format!("ordain-decision: {verdict}\nordain-clause: {clause}\n");
        assert!(text.contains(&shown), "the README shows\n{shown}");
    }
}
