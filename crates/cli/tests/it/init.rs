//! `init` and `clause`: from answers to a policy that runs, and one clause more in it.

use std::fs;
use std::path::{Path, PathBuf};

use rexpect::session::PtySession;
use serde_json::Value;
use tempfile::TempDir;

use super::commands::{Up, ordain, text};

fn answers() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../policies/library/answers.yaml")
        .display()
        .to_string()
}

fn folder(dir: &TempDir) -> (PathBuf, String) {
    let folder = dir.path().join("ours");
    let path = folder.display().to_string();
    (folder, path)
}

#[test]
fn answers_make_a_policy_that_is_clean_tested_and_runs() {
    let dir = TempDir::new().expect("a folder");
    let (folder, path) = folder(&dir);
    let made = ordain(&["init", &path, "--answers", &answers()]);
    let said = text(&made.stdout);
    assert_eq!(made.status.code(), Some(0), "{said}{}", text(&made.stderr));
    assert!(said.contains("check  0 errors, 0 warnings"), "{said}");
    assert!(said.contains(" cases passed, 0 failed"), "{said}");
    for file in [
        "policy/policy.yaml",
        "policy/cases/data.yaml",
        "ordain.yaml",
        "directory.yaml",
        "answers.yaml",
        "summary.md",
    ] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    assert_eq!(ordain(&["check", &path]).status.code(), Some(0));
    assert_eq!(ordain(&["test", &path]).status.code(), Some(0));

    // The gateway runs this very policy, and the first key is in a group that it knows.
    let policy = fs::read_to_string(folder.join("policy/policy.yaml")).expect("the policy");
    let up = Up::start(&folder);
    let answer = up.chat("Suggest a name for a sailing boat.");
    assert!(answer.contains("ordain-decision: allow"), "{answer}");
    drop(up);
    assert_eq!(
        fs::read_to_string(folder.join("policy/policy.yaml")).expect("the policy"),
        policy
    );
    let impact = ordain(&["impact", "--dir", &path, "--format", "json"]);
    let impact: Value = serde_json::from_slice(&impact.stdout).expect("JSON");
    assert!(impact["full"]["block"].is_null(), "{impact}");

    // What it wrote as answers makes the same policy again.
    let again = dir.path().join("again");
    let kept = folder.join("answers.yaml").display().to_string();
    let made = ordain(&["init", &again.display().to_string(), "--answers", &kept]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    assert_eq!(
        fs::read_to_string(again.join("policy/policy.yaml")).expect("the policy"),
        policy
    );
}

#[test]
fn profiles_alone_ask_nothing() {
    for profile in ["builds-models", "integrates-apis", "uses-saas", "public-tools"] {
        let dir = TempDir::new().expect("a folder");
        let (folder, path) = folder(&dir);
        let made = ordain(&[
            "init",
            &path,
            "--profile",
            profile,
            "--profile",
            "regulated",
            "--organization",
            "Nordwind: AG",
        ]);
        assert_eq!(
            made.status.code(),
            Some(0),
            "{}{}",
            text(&made.stdout),
            text(&made.stderr)
        );
        let policy = fs::read_to_string(folder.join("policy/policy.yaml")).expect("the policy");
        assert!(policy.contains("organization: \"Nordwind: AG\""), "{policy}");
        assert!(
            policy.contains(&format!("profiles: [{profile}, regulated]")),
            "{policy}"
        );
    }
}

#[test]
fn what_is_there_is_never_overwritten() {
    let dir = TempDir::new().expect("a folder");
    let (folder, path) = folder(&dir);
    let make = |more: &[&str]| ordain(&[&["init", &path, "--profile", "uses-saas"], more].concat());
    assert_eq!(make(&[]).status.code(), Some(0));
    let policy = folder.join("policy/policy.yaml");
    fs::write(&policy, "# mine\n").expect("a change");
    let refused = make(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("`--force`"), "{}", text(&refused.stderr));
    assert_eq!(fs::read_to_string(&policy).expect("the policy"), "# mine\n");
    assert_eq!(make(&["--force"]).status.code(), Some(0));
    let aside = fs::read_dir(&folder).expect("the folder").flatten();
    let aside = aside
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("/before-"));
    let old = aside.expect("the old policy aside").join("policy/policy.yaml");
    assert_eq!(fs::read_to_string(old).expect("the old policy"), "# mine\n");
}

#[test]
fn without_a_terminal_and_with_mistakes_it_says_what_to_do() {
    let dir = TempDir::new().expect("a folder");
    let (folder, path) = folder(&dir);
    let lost = ordain(&["init", &path]);
    assert_eq!(lost.status.code(), Some(2));
    assert!(text(&lost.stderr).contains("--answers FILE"), "{}", text(&lost.stderr));
    let unknown = ordain(&["init", &path, "--profile", "use-saas"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        text(&unknown.stderr).contains("did you mean `uses-saas`?"),
        "{}",
        text(&unknown.stderr)
    );
    let file = dir.path().join("mine.yaml");
    fs::write(&file, "sector: helth\nsise: small\n").expect("a file");
    let mistaken = ordain(&["init", &path, "--answers", &file.display().to_string()]);
    let said = text(&mistaken.stderr);
    assert_eq!(mistaken.status.code(), Some(2));
    assert!(
        said.contains("mine.yaml:1:9")
            && said.contains("did you mean `health`?")
            && said.contains("did you mean `size`?"),
        "{said}"
    );
    assert!(!folder.exists(), "nothing was made");
}

#[test]
fn a_clause_is_listed_shown_and_added() {
    let list = ordain(&[
        "clause",
        "list",
        "--section",
        "acceptable_use",
        "--profile",
        "regulated",
        "--format",
        "json",
    ]);
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    let ids: Vec<&str> = list["clauses"]
        .as_array()
        .expect("clauses")
        .iter()
        .filter_map(|clause| clause["id"].as_str())
        .collect();
    assert!(
        ids.contains(&"AU-8") && ids.iter().all(|id| id.starts_with("AU-")),
        "{ids:?}"
    );
    let show = ordain(&["clause", "show", "AU-7"]);
    assert!(
        text(&show.stdout).contains("parameter   coders (groups)"),
        "{}",
        text(&show.stdout)
    );
    assert_eq!(ordain(&["clause", "show", "AU-99"]).status.code(), Some(2));

    let dir = TempDir::new().expect("a folder");
    let (folder, path) = folder(&dir);
    let made = ordain(&["init", &path, "--profile", "uses-saas"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let before = fs::read_to_string(folder.join("policy/policy.yaml")).expect("the policy");
    assert!(!before.contains("id: AU-7\n"), "it comes without");
    let missing = ordain(&["clause", "add", "AU-7", &path]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(
        text(&missing.stderr).contains("--set developers="),
        "{}",
        text(&missing.stderr)
    );
    let added = ordain(&["clause", "add", "AU-7", &path, "--set", "developers=staff"]);
    let said = text(&added.stdout);
    assert_eq!(added.status.code(), Some(0), "{said}{}", text(&added.stderr));
    assert!(
        said.contains("clause `AU-7`") && said.contains("check  0 errors, 0 warnings"),
        "{said}"
    );
    let after = fs::read_to_string(folder.join("policy/policy.yaml")).expect("the policy");
    let kept: Vec<&str> = after
        .lines()
        .filter(|line| before.lines().any(|old| old == *line))
        .collect();
    assert!(kept.len() >= before.lines().count(), "every old line stays");
    assert_eq!(
        ordain(&["clause", "add", "AU-7", &path]).status.code(),
        Some(2),
        "not twice"
    );
}

/// An interview on a pseudo-terminal.
fn interview(path: &str) -> PtySession {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ordain"));
    command
        .args(["init", path])
        .env("TERM", "xterm-256color")
        .env("NO_COLOR", "1");
    rexpect::session::spawn_command(command, Some(30_000)).expect("a terminal")
}

/// Types into a terminal.
fn say(terminal: &mut PtySession, keys: &str) {
    terminal.send(keys).expect("a terminal takes keys");
    terminal.flush().expect("they arrive");
}

#[test]
fn the_interview_asks_keeps_what_was_said_and_goes_on() {
    let dir = TempDir::new().expect("a folder");
    let (folder, path) = folder(&dir);
    let mut terminal = interview(&path);
    terminal.exp_string("[1/15]").expect("the first question");
    terminal
        .exp_string("The name stands at the head")
        .expect("what it changes");
    // Nobody is called by a default.
    say(&mut terminal, "\r");
    terminal
        .exp_string("something has to stand here")
        .expect("a name is needed");
    say(&mut terminal, "Northwind\r");
    for asked in ["[2/15]", "[3/15]", "[4/15]", "[5/15]"] {
        terminal.exp_string(asked).expect(asked);
        say(&mut terminal, "\r");
    }
    // Whoever leaves in the middle of a question keeps the steps that were answered: the first app is chosen no more.
    terminal.exp_string("Sanctioned,").expect("the apps");
    say(&mut terminal, " \r");
    terminal.exp_string("Tolerated for").expect("the next step");
    say(&mut terminal, "\u{3}");
    terminal.exp_string("goes on from there").expect("how to go on");
    terminal.exp_eof().expect("its end");
    let kept = fs::read_to_string(folder.join("answers.yaml")).expect("what was answered");
    assert!(
        kept.contains("organization: Northwind\n") && kept.contains("next: apps\n"),
        "{kept}"
    );
    assert!(
        !kept.contains("app: anthropic-api") && kept.contains("app: openai-api"),
        "{kept}"
    );
    assert!(!folder.join("policy").exists(), "no policy yet");
    let whole = ordain(&[
        "init",
        &path,
        "--answers",
        &folder.join("answers.yaml").display().to_string(),
    ]);
    assert!(text(&whole.stderr).contains("`next`"), "{}", text(&whole.stderr));

    // The second time it goes on at the question that was left, and enter takes what was said. Some questions have several steps.
    let mut terminal = interview(&path);
    for asked in [
        "[6/15]",
        "Tolerated for",
        "Unsanctioned,",
        "Which models of openai-api",
        "[7/15]",
        "nothing means none",
        "Names, separated",
        "What do people in `staff`",
        "What do people in `engineering`",
        "The domain of",
        "Who is ciso",
        "Who is cto",
        "Who is dpo",
        "Who is legal",
        "Who is hr",
        "[11/15]",
        "must agree",
        "[12/15]",
        "Add another",
        "[14/15]",
        "[15/15]",
    ] {
        terminal.exp_string(asked).expect(asked);
        say(&mut terminal, "\r");
    }
    // All answers are there to be looked at; the third is changed.
    terminal.exp_string("Everything is answered").expect("the last look");
    terminal.exp_string("change size: medium").expect("an answer");
    say(&mut terminal, "\u{1b}[B\u{1b}[B\u{1b}[B\r");
    terminal.exp_string("[3/15]").expect("the question again");
    say(&mut terminal, "\u{1b}[B\r");
    terminal.exp_string("change size: large").expect("another answer");
    say(&mut terminal, "\r");
    terminal.exp_string("0 errors, 0 warnings").expect("a clean policy");
    terminal.exp_eof().expect("its end");
    let policy = fs::read_to_string(folder.join("policy/policy.yaml")).expect("the policy");
    assert!(policy.contains("organization: Northwind\n"), "{policy}");
    let kept = fs::read_to_string(folder.join("answers.yaml")).expect("what was answered");
    assert!(kept.contains("size: large") && !kept.contains("next:"), "{kept}");
}

#[test]
fn the_interview_says_why_more_is_needed_and_takes_apps_of_ones_own() {
    let dir = TempDir::new().expect("a folder");
    let (folder, path) = folder(&dir);
    let mut terminal = interview(&path);
    terminal.exp_string("[1/15]").expect("the first question");
    say(&mut terminal, "Klinik\r");
    terminal.exp_string("[2/15]").expect("the second question");
    // Down from the first line: the second is chosen no more, the last is.
    let down = "\u{1b}[B";
    say(&mut terminal, &format!("{down} {down}{down}{down} \r"));
    terminal
        .exp_string("only makes another profile")
        .expect("why more is needed");
    say(&mut terminal, "\u{1b}[A\u{1b}[A \r");
    for asked in ["[3/15]", "[4/15]", "[5/15]"] {
        terminal.exp_string(asked).expect(asked);
        say(&mut terminal, "\r");
    }
    terminal.exp_string("Sanctioned,").expect("the apps");
    say(&mut terminal, "klinik-ki");
    terminal
        .exp_string("another one, not in this list")
        .expect("no app is called so");
    say(&mut terminal, " \r");
    terminal.exp_string("nothing means none").expect("its name");
    say(&mut terminal, "klinik ki\r");
    terminal
        .exp_string("letters, digits and hyphens")
        .expect("what a name is");
    say(&mut terminal, "\u{7f}\u{7f}\u{7f}-ki\r");
    terminal.exp_string("Tolerated for").expect("the next step");
    say(&mut terminal, "\u{3}");
    terminal.exp_eof().expect("its end");
    let kept = fs::read_to_string(folder.join("answers.yaml")).expect("what was answered");
    assert!(
        kept.contains("{app: klinik-ki, class: sanctioned, own: true}"),
        "{kept}"
    );
    // Software that is bought has no API of a model, so none is suggested.
    assert!(
        !kept.contains("openai-api") && kept.contains("app: perplexity"),
        "{kept}"
    );
}

#[test]
fn what_stops_a_beginner_has_a_way_out() {
    let dir = TempDir::new().expect("a folder");
    let (folder, path) = folder(&dir);
    let file = dir.path().join("mine.yaml");
    fs::write(&file, b"organization: Universit\xe4t\n").expect("a file");
    let refused = ordain(&["init", &path, "--answers", &file.display().to_string()]);
    assert!(
        text(&refused.stderr).contains("save it again as UTF-8"),
        "{}",
        text(&refused.stderr)
    );

    // The first command that is suggested is about an app of theirs, and can be typed as it stands.
    fs::write(
        &file,
        "apps: [{app: ms-copilot, class: sanctioned}]\ngroups: [{id: team, claim: \"all team\"}]\n",
    )
    .expect("a file");
    let made = ordain(&["init", &path, "--answers", &file.display().to_string()]);
    let said = text(&made.stdout);
    assert!(said.contains("--group 'all team' --app ms-copilot"), "{said}");
    let assumed = ordain(&["explain", "--dir", &path, "--group", "all team", "A text."]);
    let said = text(&assumed.stdout);
    assert!(
        said.contains("asked about the app ms-copilot; `--app` names another"),
        "{said}"
    );

    let up = Up::start(&folder);
    let other = dir.path().join("other").display().to_string();
    let second = ordain(&["up", "--dir", &other, "--listen", up.address()]);
    assert!(
        text(&second.stderr).contains("`--listen 127.0.0.1:8081`"),
        "{}",
        text(&second.stderr)
    );
}
