//! Clauses put into the starter policy and into assembled ones.

use super::*;

const STARTER: &str = include_str!("../../../../../policies/starter/policy.yaml");

fn starter() -> Files {
    Files::new(vec![
        File {
            path: ROOT.to_owned(),
            text: STARTER.to_owned(),
        },
        File {
            path: "cases/starter.yaml".to_owned(),
            text: include_str!("../../../../../policies/starter/cases/starter.yaml").to_owned(),
        },
    ])
}

fn try_in(files: &Files, id: &str, set: &[(&str, &str)]) -> Result<Insertion, InsertError> {
    let set: Vec<(String, String)> = set
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let wish = Wish {
        id,
        set: &set,
        answers: None,
    };
    let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
    insert(Library::built_in(), files, wish, &Catalog::built_in(), now)
}

#[test]
fn a_clause_comes_with_its_mode_and_its_cases() {
    let added = try_in(&starter(), "AU-7", &[("developers", "engineering")]).expect("it fits");
    let paths: Vec<&str> = added.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["cases/acceptable_use.yaml", ROOT], "{:?}", added.said);
    let text = &added.files.last().expect("the document").text;
    assert!(text.contains("rollout: {default: enforce, AU-7: observe}"), "{text}");
    assert!(
        text.contains("    - id: AU-7\n      statement: Source code may be sent only by engineering"),
        "{text}"
    );
    // Nothing else moved: without the new lines it is the old text.
    let new = text
        .lines()
        .skip_while(|line| !line.contains("id: AU-7"))
        .take_while(|line| !line.is_empty())
        .count();
    assert_eq!(text.lines().count(), STARTER.lines().count() + new);
}

#[test]
fn what_cannot_be_put_in_is_refused_with_a_way_out() {
    let refused = |id: &str, set: &[(&str, &str)]| try_in(&starter(), id, set).expect_err("refused").to_string();
    assert!(
        refused("AU-1", &[]).contains("already, at policy.yaml:"),
        "{}",
        refused("AU-1", &[])
    );
    assert!(
        refused("AU-7", &[]).contains("`--set developers=…`"),
        "{}",
        refused("AU-7", &[])
    );
    assert!(
        refused("ZZ-1", &[]).contains("no clause `ZZ-1`"),
        "{}",
        refused("ZZ-1", &[])
    );
    assert!(
        refused("AU-8", &[("days", "often")]).contains("a length of time"),
        "{}",
        refused("AU-8", &[("days", "often")])
    );
    assert!(
        refused("AU-8", &[("dys", "3 days")]).contains("it takes `days`"),
        "{}",
        refused("AU-8", &[("dys", "3 days")])
    );
}
