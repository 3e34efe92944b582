//! The example policies: clean, with cases that pass, and a unit that stays within its group.

use std::path::Path;

use tempfile::TempDir;

use crate::commands::{ordain, text};

fn examples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/examples")
}

#[test]
fn every_example_has_no_errors_and_its_cases_pass() {
    for entry in std::fs::read_dir(examples()).expect("examples").flatten() {
        let path = entry.path().display().to_string();
        let check = ordain(&["check", &path]);
        assert_eq!(check.status.code(), Some(0), "{path}\n{}", text(&check.stdout));
        let test = ordain(&["test", &path]);
        assert_eq!(test.status.code(), Some(0), "{path}\n{}", text(&test.stdout));
    }
}

/// The unit runs the group's cases too, and problems in either file are shown where they stand.
#[test]
fn a_unit_is_checked_against_its_group() {
    let dir = TempDir::new().expect("a folder");
    for file in [
        "group/policy.yaml",
        "group/cases/group.yaml",
        "unit/policy.yaml",
        "unit/cases/unit.yaml",
    ] {
        let to = dir.path().join(file);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder is made");
        std::fs::copy(examples().join(file), to).expect("a copy");
    }
    let unit = dir.path().join("unit").display().to_string();
    let cases = dir.path().join("unit/cases/unit.yaml");
    let own = std::fs::read_to_string(&cases).expect("the unit's cases");
    let renamed = own.replace("name: a card number is masked", "name: a card number is not sent");
    std::fs::write(&cases, renamed).expect("it is written");
    let test = ordain(&["test", &unit]);
    assert_eq!(test.status.code(), Some(1), "the group's case is not replaced any more");
    assert!(
        text(&test.stdout).contains("FAIL  a card number is masked"),
        "{}",
        text(&test.stdout)
    );
    std::fs::write(&cases, own).expect("it is written");

    let file = dir.path().join("unit/policy.yaml");
    let policy = std::fs::read_to_string(&file).expect("the unit's policy");
    std::fs::write(
        &file,
        policy.replace("restricted: {sanctioned: block}", "restricted: {sanctioned: coach}"),
    )
    .expect("it is written");
    let check = ordain(&["check", &unit]);
    assert_eq!(check.status.code(), Some(1));
    let shown = text(&check.stdout);
    assert!(
        shown.contains("error[child-loosens]: `coach` is milder than the parent's `redact`"),
        "{shown}"
    );
    assert!(shown.contains("the parent says so at ../group/policy.yaml:"), "{shown}");
    assert!(
        shown.contains("it would have to list `data.matrix.restricted.sanctioned` under `delegated`"),
        "{shown}"
    );

    std::fs::write(dir.path().join("group/policy.yaml"), "ordain: 1\nextends: ../unit\n").expect("it is written");
    let check = ordain(&["check", &unit]);
    assert_eq!(check.status.code(), Some(2));
    assert!(
        text(&check.stderr).contains("extends itself"),
        "{}",
        text(&check.stderr)
    );
}
