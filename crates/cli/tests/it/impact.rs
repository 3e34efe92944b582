//! Another policy over what a gateway recorded, and reviews on the way to enforcing a clause.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::{QUICKSTART, Up, ordain, text};

/// The gateway's policy with a change, in a folder of its own.
fn changed(dir: &Path, name: &str, changes: &[(&str, &str)]) -> String {
    let to = dir.join(name);
    std::fs::create_dir_all(to.join("cases")).expect("a folder");
    let from = dir.join("ordain/policy");
    let mut policy = std::fs::read_to_string(from.join("policy.yaml")).expect("the policy");
    for (old, new) in changes {
        assert!(policy.contains(old), "{old}");
        policy = policy.replace(old, new);
    }
    std::fs::write(to.join("policy.yaml"), policy).expect("written");
    std::fs::copy(from.join("cases/starter.yaml"), to.join("cases/starter.yaml")).expect("copied");
    to.display().to_string()
}

fn json(arguments: &[&str]) -> Value {
    let out = ordain(arguments);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("JSON")
}

#[test]
fn another_policy_over_the_records_and_a_clause_on_its_way() {
    let world = TempDir::new().expect("a folder");
    let folder = world.path().join("ordain");
    let dir = folder.display().to_string();
    drop(Up::start(&folder));
    let own = folder.join("policy").display().to_string();
    let nothing = ordain(&["impact", "--dir", &dir, "--policy", &own]);
    assert!(
        text(&nothing.stdout).starts_with("no exchanges to decide again"),
        "{}",
        text(&nothing.stdout)
    );

    let up = Up::start(&folder);
    for (message, _, _) in QUICKSTART {
        up.chat(message);
    }
    drop(up);

    // The policy that decided changes nothing, whichever way it is asked.
    for measure in [&["--full"][..], &[]] {
        let same = json(
            &[
                &["impact", "--dir", &dir, "--policy", &own, "--format", "json"],
                measure,
            ]
            .concat(),
        );
        assert_eq!((&same["exchanges"], &same["changed"]), (&4.into(), &0.into()), "{same}");
        assert_eq!(same["unknown"]["unlooked"], serde_json::json!({}), "{same}");
    }

    let stricter = changed(
        world.path(),
        "stricter",
        &[("restricted:   {sanctioned: redact", "restricted:   {sanctioned: block")],
    );
    let found = json(&["impact", "--dir", &dir, "--policy", &stricter, "--format", "json"]);
    let [change] = found["changes"].as_array().expect("changes").as_slice() else {
        panic!("{found}")
    };
    assert_eq!(
        [&change["then"], &change["now"], &change["by"][0], &change["count"]],
        [
            &Value::from("redact"),
            &"block".into(),
            &"data.matrix".into(),
            &1.into()
        ]
    );
    let shown = ordain(&["impact", "--dir", &dir, "--policy", &stricter]);
    let shown = text(&shown.stdout);
    assert!(
        shown.starts_with("of 4 exchanges since 20") && shown.contains("1 prompt redact → block by data.matrix"),
        "{shown}"
    );
    let id = change["records"][0].as_str().expect("an id");
    let show = ordain(&["records", "show", id, "--dir", &dir]);
    assert_eq!(show.status.code(), Some(0));
    let shown = text(&show.stdout);
    assert!(
        shown.contains("\nat: 20") && shown.contains(" UTC\n"),
        "moments in the policy's zone: {shown}"
    );
    assert!(!shown.contains('{'), "no JSON: {shown}");
    let shown = json(&["records", "show", id, "--dir", &dir, "--format", "json"]);
    let record = &shown["records"][0];
    assert!(record["at"].is_number());
    let subject = record["subject"].as_str().expect("a subject").trim_start_matches("s-");
    let short: String = subject.chars().take(8).collect();
    for beginning in [short.as_str(), subject] {
        let listed = json(&[
            "records",
            "list",
            "--subject",
            beginning,
            "--dir",
            &dir,
            "--format",
            "json",
        ]);
        assert!(!listed["records"].as_array().expect("records").is_empty());
    }
    let none = ordain(&["records", "list", "--subject", "f0f0f0f0f0", "--dir", &dir]);
    assert_eq!(none.status.code(), Some(1));

    // A clause that only observes, and what one review says of it.
    let observing = changed(
        world.path(),
        "observing",
        &[("{default: enforce}", "{default: enforce, data.matrix: observe}")],
    );
    let promote = [
        "impact",
        "--dir",
        &dir,
        "--promote",
        "--policy",
        &observing,
        "--format",
        "json",
    ];
    let waiting = json(&promote);
    let matrix = &waiting["candidates"][0];
    assert_eq!(
        [
            &matrix["id"],
            &matrix["matches"],
            &matrix["would"]["redact"],
            &matrix["missing"]
        ],
        [&Value::from("data.matrix"), &2.into(), &1.into(), &59.into()],
        "the card, and the secret that another clause blocks: {waiting}"
    );
    let next = matrix["next"].as_array().expect("ids");
    assert!(next.iter().any(|next| next == id), "{waiting}");
    let unknown = ordain(&["records", "review", id, "--right", "--clause", "NO-1", "--dir", &dir]);
    assert_eq!(unknown.status.code(), Some(1), "{}", text(&unknown.stderr));
    let review = ordain(&[
        "records",
        "review",
        id,
        "--right",
        "--clause",
        "data.matrix",
        "--dir",
        &dir,
    ]);
    assert_eq!(review.status.code(), Some(0), "{}", text(&review.stderr));
    let reviewed = json(&promote);
    assert_eq!(
        [
            &reviewed["candidates"][0]["reviewed"],
            &reviewed["candidates"][0]["missing"]
        ],
        [&Value::from(1), &58.into()]
    );
}
