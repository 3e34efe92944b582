//! `ordain policy`, as a person or a pipeline runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn ordain(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ordain"))
        .args(arguments)
        .current_dir(repository())
        .stdin(Stdio::null())
        .output()
        .expect("ordain runs")
}

fn stdout(output: &Output) -> String {
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn it_prints_the_published_schemas() {
    for (arguments, name) in [
        (["policy", "schema"].as_slice(), "policy"),
        (["policy", "schema", "--cases"].as_slice(), "cases"),
    ] {
        let path = repository().join(format!("docs/reference/{name}.schema.json"));
        assert_eq!(
            stdout(&ordain(arguments)),
            std::fs::read_to_string(path).expect("a schema")
        );
    }
}

#[test]
fn it_prints_a_policy_as_cedar_with_its_schema_and_cases() {
    let starter = ["policy", "cedar", "policies/starter"];
    let policies = stdout(&ordain(&starter));
    assert!(policies.contains("\npermit (principal, action, resource);\n"));
    assert!(policies.contains("@cites(\"DA-3\")"));
    assert!(stdout(&ordain(&[&starter[..], &["--schema"]].concat())).starts_with("namespace Ordain {\n"));
    let requests = stdout(&ordain(&[&starter[..], &["--requests"]].concat()));
    let cases: Vec<Value> = requests
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    assert!(cases.len() > 20);
    for case in cases {
        assert_eq!(case["v"], 1);
        assert_eq!(case["allowed"]["uncoached"], case["full"] == "allow", "{case}");
        assert_eq!(case["allowed"]["unblocked"], case["full"] != "block", "{case}");
        assert!(
            case["questions"].as_array().is_some_and(|all| !all.is_empty()),
            "{case}"
        );
    }
}

#[test]
fn a_policy_with_errors_has_no_cedar() {
    let dir = tempfile::TempDir::new().expect("a folder");
    std::fs::write(dir.path().join("policy.yaml"), "ordain: 1\n").expect("a file");
    let output = ordain(&["policy", "cedar", &dir.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing-key"));
}
