//! `ordain render`: the same policy and day give the same bytes, and a wrong group is told the right ones.

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn render(arguments: &[&str]) -> Output {
    let starter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/starter");
    Command::new(env!("CARGO_BIN_EXE_ordain"))
        .arg("render")
        .arg(starter)
        .args(["--date", "2026-12-01"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("ordain runs")
}

#[test]
fn each_kind_comes_out_and_is_the_same_again() {
    for (kind, start) in [
        ("md", "# Example Organisation"),
        ("html", "<!DOCTYPE html>"),
        ("pdf", "%PDF-1.7"),
    ] {
        let (one, two) = (render(&["--to", kind]), render(&["--to", kind]));
        assert_eq!(one.status.code(), Some(0), "{}", String::from_utf8_lossy(&one.stderr));
        assert!(one.stdout.starts_with(start.as_bytes()), "{kind}");
        assert!(one.stdout == two.stdout, "{kind} differs from one run to the next");
    }
}

#[test]
fn a_group_that_nobody_knows_is_answered_with_those_that_are() {
    let answer = render(&["--group", "enginering"]);
    assert_eq!(answer.status.code(), Some(2));
    let told = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(
        told.contains("known here: `everyone`, `staff`, `engineering`"),
        "{told}"
    );
}
