//! `ordain check` with fixes and as SARIF, and the frameworks that clauses map to.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// A policy with slips among comments, wide characters and both line ends.
const SLIPS: &str = "# Richtlinie für Müller & Söhne — bleibt so\nordain: 1\norganisation: 'Müller & Söhne' # größer\r\nversion: 2.0   # noch eine Zahl\nroles: {people: {ciso: ä@example.com}}\nrisk:\n  clauses:\n    - {id: RI-1, statement: Größe., owner: \"csio\", evidence: {task: prüfen, every: 9 days, by: ciso}, frameworks: {nist-ai-rmf: [MAP 5.1], mitre-atlas: [AML.T0019, 'T0058']}}\n";

/// The same, mended.
const MENDED: &str = "# Richtlinie für Müller & Söhne — bleibt so\nordain: 1\norganization: 'Müller & Söhne' # größer\r\nversion: \"2.0\"   # noch eine Zahl\nroles: {people: {ciso: ä@example.com}}\nrisk:\n  clauses:\n    - {id: RI-1, statement: Größe., owner: \"ciso\", evidence: {task: prüfen, every: 9 days, by: ciso}, frameworks: {nist-ai-rmf-1.0: [MAP 5.1], mitre-atlas: [AML.T0115.000, 'T0115.001']}}\n";

fn ordain(arguments: &[&str]) -> (Option<i32>, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_ordain"))
        .args(arguments)
        .output()
        .expect("ordain runs");
    (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned())
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&ordain(arguments).1).expect("JSON")
}

fn policy(text: &str) -> (TempDir, String) {
    let dir = TempDir::new().expect("a folder");
    std::fs::write(dir.path().join("policy.yaml"), text).expect("a file");
    let path = dir.path().display().to_string();
    (dir, path)
}

fn text(dir: &TempDir) -> String {
    std::fs::read_to_string(dir.path().join("policy.yaml")).expect("the policy")
}

#[test]
fn a_fix_changes_the_words_at_fault_and_nothing_else() {
    let (dir, path) = policy(SLIPS);
    let (_, before) = ordain(&["check", &path]);
    assert!(before.contains("did you mean `organization`?"), "{before}");
    assert_eq!(text(&dir), SLIPS, "without --fix nothing is written");

    let (_, out) = ordain(&["check", "--fix", &path]);
    assert_eq!(text(&dir), MENDED, "{out}");
    for line in [
        "policy.yaml:3:1 organisation → organization",
        "policy.yaml:4:10 2.0 → \"2.0\"",
        "policy.yaml:8:44 \"csio\" → \"ciso\"",
        "policy.yaml:8:116 nist-ai-rmf → nist-ai-rmf-1.0",
        "policy.yaml:8:154 AML.T0019 → AML.T0115.000",
        "policy.yaml:8:165 'T0058' → 'T0115.001'",
    ] {
        assert!(out.contains(line), "{line} is not in\n{out}");
    }

    let again = json(&["check", "--fix", "--format", "json", &path]);
    assert_eq!(again["fixed"], serde_json::json!([]));
    assert_eq!(text(&dir), MENDED);
    let left: Vec<String> = std::fs::read_dir(dir.path())
        .expect("the folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(left, ["policy.yaml"], "nothing is left beside it");
}

#[cfg(unix)]
#[test]
fn a_fixed_file_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, path) = policy(SLIPS);
    let file = dir.path().join("policy.yaml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("permissions");
    ordain(&["check", "--fix", &path]);
    let mode = std::fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn sarif_has_levels_rules_and_fixes() {
    let (_dir, path) = policy(SLIPS);
    let log = json(&["check", "--format", "sarif", &path]);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert!(
        rules
            .iter()
            .all(|rule| rule["help"]["text"].is_string() && rule.get("helpUri").is_none())
    );
    let results = run["results"].as_array().expect("results");
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("every code is a rule") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let retired = results
        .iter()
        .find(|result| result["ruleId"] == "retired-framework-item")
        .expect("a retired item");
    assert_eq!(retired["level"], "warning");
    let replacement = &retired["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["insertedContent"]["text"], "AML.T0115.000");
    let region = &replacement["deletedRegion"];
    assert_eq!(
        (&region["startColumn"], &region["endColumn"]),
        (&Value::from(154), &Value::from(163))
    );

    let starter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/starter");
    let starter = starter.display().to_string();
    let log = json(&["check", "--format", "sarif", &starter]);
    let levels = log["runs"][0]["results"].as_array().expect("results").iter();
    assert!(levels.clone().count() > 0 && levels.clone().all(|result| result["level"] == "note"));
    let counted = json(&["check", "--format", "json", &starter]);
    assert_eq!(counted["notes"], Value::from(levels.count()));
    assert_eq!(
        (&counted["errors"], &counted["warnings"]),
        (&Value::from(0), &Value::from(0))
    );
}

#[test]
fn frameworks_are_listed_and_shown() {
    let list = json(&["framework", "list", "--format", "json"]);
    let packs = list["packs"].as_array().expect("packs");
    assert!(
        packs
            .iter()
            .any(|pack| pack["id"] == "nist-ai-rmf-1.0" && pack["retired"] == false)
    );
    let pack = json(&["framework", "show", "owasp-llm-2025", "--format", "json"]);
    assert_eq!(pack["successor"], "owasp-llm-2026");
    let items = pack["items"].as_array().expect("items");
    let agency = items.iter().find(|item| item["id"] == "LLM06:2025").expect("an item");
    assert_eq!(agency["successor"], "LLM03:2026");
    let (code, said) = ordain(&["framework", "show", "owasp-llm"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("owasp-llm-2025, owasp-llm-2026"), "{said}");
}
