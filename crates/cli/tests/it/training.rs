//! Completed courses at the surface: a gate reminds before an import, and no more after it and a restart.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::{Up, ordain, text};

/// The starter policy with a gate on its course.
fn gated(folder: &Path) {
    let file = folder.join("policy/policy.yaml");
    let policy = std::fs::read_to_string(&file).expect("the starter policy");
    let changed = policy.replace(
        "    ai-basics: {valid: 365 days}\n",
        "    ai-basics: {valid: 365 days, records: training.csv}\n  gates: [{id: ED-3, without: ai-basics, then: coach}]\n",
    );
    let changed = changed.replace(
        "    - id: ED-2\n",
        "    - {id: ED-4, statement: People without the course are reminded of it., owner: hr, enforced_by: education.gates}\n    - id: ED-2\n",
    );
    assert_ne!(policy, changed);
    std::fs::write(file, changed).expect("the policy is written");
}

#[test]
fn a_gate_reminds_until_the_course_is_imported() {
    let dir = TempDir::new().expect("a folder");
    let folder = dir.path().join("ordain");
    let path = folder.display().to_string();
    drop(Up::start(&folder));
    gated(&folder);
    let up = Up::start(&folder);
    assert!(
        up.chat("Hello")
            .contains("ordain-decision: coach\r\nordain-clause: ED-3\r\n")
    );
    drop(up);

    let yesterday = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
        .yesterday()
        .expect("a day");
    let export = dir.path().join("export.csv");
    let rows = format!(
        "Email;Course;Completed;Score\nYOU@example.com;ai-basics;{yesterday};98\nyou@example.com;ai-basics;2020-01-01;12\nbo@example.com;ai-basics;{yesterday};70\nbo@example.com;excel;{yesterday};70\n"
    );
    std::fs::write(&export, rows).expect("an export");
    let export = export.display().to_string();
    let import = [
        "training",
        "import",
        &export,
        "--dir",
        &path,
        "--column",
        "principal=Email",
        "--format",
        "json",
    ];
    let out = ordain(&import);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let value: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(
        (&value["added"], &value["updated"], &value["unchanged"]),
        (&3.into(), &0.into(), &1.into())
    );
    assert_eq!(value["unknown"], serde_json::json!(["bo@example.com"]));
    assert_eq!(value["uncounted"], serde_json::json!(["excel"]));
    // Again it says nothing new.
    let again: Value = serde_json::from_slice(&ordain(&import).stdout).expect("JSON");
    assert_eq!((&again["added"], &again["unchanged"]), (&0.into(), &4.into()));

    let up = Up::start(&folder);
    assert!(up.chat("Hello").contains("ordain-decision: allow\r\n"));
    drop(up);
    let list = ordain(&["training", "list", "--dir", &path, "--format", "json"]);
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    let rows: Vec<(&str, &str)> = list["training"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            (
                row["principal"].as_str().expect("a name"),
                row["state"].as_str().expect("a word"),
            )
        })
        .collect();
    assert_eq!(rows, [("bo@example.com", "counts"), ("you@example.com", "counts")]);
}

#[test]
fn a_file_with_bad_rows_is_taken_in_not_at_all_and_stops_a_start() {
    let dir = TempDir::new().expect("a folder");
    let folder = dir.path().join("ordain");
    let path = folder.display().to_string();
    drop(Up::start(&folder));
    gated(&folder);
    let export = dir.path().join("export.csv");
    std::fs::write(
        &export,
        "principal,course,completed\nyou@example.com,ai-basics,yesterday\n",
    )
    .expect("an export");
    let out = ordain(&["training", "import", &export.display().to_string(), "--dir", &path]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stdout).contains("export.csv:2:1"), "{}", text(&out.stdout));
    assert!(!folder.join("training.csv").exists());

    std::fs::copy(&export, folder.join("training.csv")).expect("a copy");
    let out = ordain(&["up", "--dir", &path, "--listen", "127.0.0.1:0"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("training.csv:2:1"), "{}", text(&out.stderr));
}
