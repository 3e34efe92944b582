//! `ordain diff`: whom a change is about, a request of somebody who is known, and the words before and after.

use std::path::Path;

use tempfile::TempDir;

use crate::commands::{ordain, text};

const EXCEPTION: &str = "exceptions: [{id: EX-1, clause: AU-1, who: {group: engineering}, then: allow, reason: trial, requested: cto, approved: [ciso], granted: 2026-11-20, expires: 2027-01-31}]\n";

/// What `diff` says of the starter policy with an exception for engineering, before and after an edit.
fn diff(format: &str, old: &str, new: &str) -> String {
    let starter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/starter");
    let starter = std::fs::read_to_string(starter.join("policy.yaml")).expect("the starter policy");
    let (rules, _) = starter.split_once("# Departures from a clause").expect("its end");
    let rules = rules.replace("enforce}", "enforce, AU-1: observe}");
    assert!(rules.contains(old));
    let folders = [rules.clone(), rules.replace(old, new)].map(|rules| {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("policy.yaml"), format!("{rules}{EXCEPTION}")).expect("a policy");
        std::fs::create_dir(folder.path().join("cases")).expect("a folder");
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/starter/cases/starter.yaml");
        std::fs::copy(cases, folder.path().join("cases/starter.yaml")).expect("cases");
        folder
    });
    let [one, two] = folders.each_ref().map(|folder| folder.path().display().to_string());
    let out = ordain(&["diff", &one, &two, "--now", "2026-12-01T12:00:00Z", "--format", format]);
    assert!(out.stderr.is_empty(), "{}", text(&out.stderr));
    text(&out.stdout)
}

/// Only the rollout changes; for engineering the exception holds before and after. It once said `who: everyone`, since the
/// exception ends some day.
#[test]
fn who_is_exempt_is_not_among_those_for_whom_it_changes() {
    let out = diff("text", "AU-1: observe", "AU-1: enforce");
    assert!(out.contains("redact → block by AU-1, by how it acts now"), "{out}");
    assert!(
        out.contains("who: staff (engineering at another time); prompts"),
        "{out}"
    );
    assert!(out.contains("for example: {group: staff, app: "), "{out}");
    assert!(
        out.contains("before: block by data.matrix, AU-1; acts as redact now\n"),
        "{out}"
    );
}

#[test]
fn what_is_reworded_stands_there_before_and_after() {
    let (old, new) = (
        "Keys and other secrets are never sent",
        "Keys and passwords are never sent",
    );
    let out = diff("text", old, new);
    let shown = "wording\n  DA-3 (reworded)\n      before: “Keys and other secrets are never sent to an AI app.”\n      after:  “Keys and passwords are never sent to an AI app.”\nno request is decided differently\n";
    assert_eq!(out, shown);
    let out = diff("markdown", old, new);
    assert!(out.contains("- DA-3 (reworded): “Keys and other"), "{out}");
    assert!(diff("json", old, new).contains("\"after\": \"Keys and passwords"));
}

/// What may go on without the ledger decides no request; it is told all the same.
#[test]
fn a_break_glass_is_told_although_it_decides_nothing() {
    let (old, new) = (
        "monitoring:\n",
        "monitoring:\n  break_glass: {statement: Letters cannot wait., use: drafting, groups: [staff], lasts: 30 minutes, reviewer: dpo}\n",
    );
    let out = diff("text", old, new);
    let told = "monitoring.break_glass (new)";
    assert!(
        out.contains(told) && out.contains("no request is decided differently"),
        "{out}"
    );
    assert!(
        out.contains("“use drafting, groups staff, 30 minutes, reviewed by dpo: Letters cannot wait.”"),
        "{out}"
    );
}
