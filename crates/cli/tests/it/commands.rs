//! The verbs as a person runs them: the starter policy through `check`, `test` and `explain`, and the main job through `up`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What the quickstart sends, and what comes of it under the starter policy.
pub(crate) const QUICKSTART: [(&str, &str, &str); 4] = [
    ("Suggest a name for a sailing boat.", "allow", "AC-1"),
    ("Draft a reply to jo@example.com.", "coach", "AU-2"),
    ("My card is 4111 1111 1111 1111, is it valid?", "redact", "data.matrix"),
    (
        "Why does sk-ant-api03-Zx8vQ2mN7bL4kJ1hG6fD3sA9pO5iU0yT not work?",
        "block",
        "DA-3",
    ),
];

pub(crate) fn ordain(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ordain"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("ordain runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn starter() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../policies/starter")
        .display()
        .to_string()
}

#[test]
fn the_starter_policy_is_clean_and_its_cases_pass() {
    let check = ordain(&["check", &starter()]);
    assert_eq!(check.status.code(), Some(0), "{}", text(&check.stdout));
    assert!(
        text(&check.stdout).trim_end().contains("0 errors, 0 warnings, "),
        "{}",
        text(&check.stdout)
    );
    let test = ordain(&["test", &starter()]);
    assert_eq!(test.status.code(), Some(0), "{}", text(&test.stdout));
}

#[test]
fn a_broken_policy_is_answered_with_one_and_its_lines() {
    let dir = TempDir::new().expect("a folder");
    std::fs::write(dir.path().join("policy.yaml"), "ordain: 1\norganisation: Example\n").expect("a file");
    let check = ordain(&["check", &dir.path().display().to_string()]);
    assert_eq!(check.status.code(), Some(1));
    assert!(
        text(&check.stdout).contains("did you mean `organization`?\n"),
        "{}",
        text(&check.stdout)
    );
    assert!(
        text(&check.stdout).contains("--> policy.yaml:2:1"),
        "{}",
        text(&check.stdout)
    );
}

#[test]
fn what_cannot_run_is_answered_with_two() {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().display().to_string();
    assert_eq!(ordain(&["check", &path]).status.code(), Some(2));
    assert_eq!(ordain(&["records", "list", "--dir", &path]).status.code(), Some(2));
}

/// `--data government-id` once passed as a harmless kind of data, where `--data us-ssn` is masked.
#[test]
fn explain_takes_kinds_of_data_and_neither_families_nor_typos() {
    let ask = |data: &str| {
        ordain(&[
            "explain",
            "--dir",
            &starter(),
            "--group",
            "staff",
            "--data",
            data,
            "Hello",
        ])
    };
    assert!(text(&ask("us-ssn").stdout).starts_with("redact"));
    for (data, told) in [
        (
            "government-id",
            "is a family, not one kind of data: its members can be of different classes; name one of them: `national-id`, `passport-number`, `us-ssn`",
        ),
        ("us-snn", "no kind of data called `us-snn`; did you mean `us-ssn`?"),
    ] {
        let out = ask(data);
        assert_eq!(out.status.code(), Some(2), "{data}");
        assert!(text(&out.stderr).contains(told), "{}", text(&out.stderr));
    }
}

#[test]
fn explain_answers_with_the_exit_code_of_the_verdict() {
    for (message, verdict, clause) in QUICKSTART {
        let out = ordain(&[
            "explain",
            "--dir",
            &starter(),
            "--group",
            "staff",
            "--format",
            "json",
            message,
        ]);
        let value: Value = serde_json::from_slice(&out.stdout).expect("JSON");
        assert_eq!(value["verdict"], verdict, "{message}");
        assert_eq!(out.status.code(), Some(i32::from(verdict == "block")), "{message}");
        assert!(
            verdict == "allow" || value["clauses"].to_string().contains(clause),
            "{value}"
        );
    }
}

/// A gateway that ends with the test.
pub(crate) struct Up {
    child: Child,
    address: String,
    key: String,
}

impl Up {
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, "warn", Stdio::inherit())
    }

    /// With a log level, and where the log goes.
    fn start_with(dir: &Path, level: &str, log: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordain"));
        command
            .args(["up", "--listen", "127.0.0.1:0", "--format", "json", "--dir"])
            .arg(dir);
        command.env_remove("OPENAI_API_KEY").env_remove("ANTHROPIC_API_KEY");
        command.env("ORDAIN_LOG", level).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("ordain starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line when it is ready");
        let ready: Value = serde_json::from_str(&line).expect("one line of JSON");
        let field = |name: &str| ready[name].as_str().expect("a text").to_owned();
        assert_eq!(ready["pid"], child.id());
        Self {
            address: field("gateway").trim_start_matches("http://").to_owned(),
            key: field("key"),
            child,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A chat request, as bytes on a socket; the whole answer.
    pub(crate) fn chat(&self, message: &str) -> String {
        let body = serde_json::json!({"model": "demo", "messages": [{"role": "user", "content": message}]}).to_string();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: ordain\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            self.key,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).expect("the gateway listens");
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.as_bytes()))
            .expect("the request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_main_job_works_offline_and_twice() {
    let dir = TempDir::new().expect("a folder");
    let folder = dir.path().join("ordain");
    let path = folder.display().to_string();
    let up = Up::start(&folder);
    for (message, verdict, clause) in QUICKSTART {
        let answer = up.chat(message);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(
            answer.contains(&format!("ordain-decision: {verdict}\r\nordain-clause: {clause}\r\n")),
            "{answer}"
        );
    }
    drop(up);
    let impact = ordain(&["impact", "--dir", &path, "--format", "json"]);
    let impact: Value = serde_json::from_slice(&impact.stdout).expect("JSON");
    assert_eq!(impact["full"]["block"]["clauses"]["DA-3"], 1, "{impact}");
    assert_eq!(impact["full"]["redact"]["clauses"]["data.matrix"], 1, "{impact}");

    // A second `up` finds what the first made, and the records of before are still there.
    let up = Up::start(&folder);
    assert!(up.chat("Hello").contains("ordain-decision: allow"));
    drop(up);
    let records = ordain(&["records", "list", "--dir", &path, "--format", "json"]);
    let records: Value = serde_json::from_slice(&records.stdout).expect("JSON");
    let kinds = records["records"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["kind"]);
    let (activations, others): (Vec<_>, Vec<_>) = kinds.partition(|kind| *kind == "activation");
    assert_eq!(
        (activations.len(), others.len()),
        (2, 9),
        "each start is on record, and each exchange"
    );
}

/// Switched to `observe`, the policy blocks nothing, and `impact` says exactly what the enforcing run did.
#[test]
fn observing_blocks_nothing_and_impact_tells_what_enforcing_did() {
    let dir = TempDir::new().expect("a folder");
    let mut told = Vec::new();
    for mode in ["enforce", "observe"] {
        let folder = dir.path().join(mode);
        let made = Up::start(&folder);
        drop(made);
        let file = folder.join("policy/policy.yaml");
        let policy = std::fs::read_to_string(&file).expect("the starter policy");
        let changed = policy.replace("default: enforce", &format!("default: {mode}"));
        assert!(
            mode == "enforce" || changed != policy,
            "the starter enforces by default"
        );
        std::fs::write(&file, changed).expect("the policy is written");
        let up = Up::start(&folder);
        for (message, verdict, _) in QUICKSTART {
            let expected = if mode == "observe" { "allow" } else { verdict };
            assert!(
                up.chat(message).contains(&format!("ordain-decision: {expected}\r\n")),
                "{mode}: {message}"
            );
        }
        drop(up);
        let impact = ordain(&["impact", "--dir", &folder.display().to_string(), "--format", "json"]);
        let impact: Value = serde_json::from_slice(&impact.stdout).expect("JSON");
        let clauses = |verdict: &str| impact["full"][verdict]["clauses"].clone();
        // Prompts only: what an observed prompt brings back in its answer is judged there again.
        told.push((
            clauses("block"),
            clauses("coach"),
            impact["full"]["redact"]["clauses"]["data.matrix"].clone(),
        ));
    }
    assert_eq!(told.first(), told.last());
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                files(&path)
            } else {
                vec![std::fs::read(&path).unwrap_or_default()]
            }
        })
        .collect()
}

/// Neither texts nor keys nor names of principals stand in the log (at its most talkative) or the records (threats I6, F14).
#[test]
fn no_text_and_no_key_reaches_the_log_or_the_store() {
    let dir = TempDir::new().expect("a folder");
    let folder = dir.path().join("ordain");
    let log = dir.path().join("log");
    let file = std::fs::File::create(&log).expect("a log");
    let up = Up::start_with(&folder, "trace", Stdio::from(file));
    let canary = "zanzibarfalcon";
    for (message, _, _) in QUICKSTART {
        up.chat(&format!("{message} {canary}"));
    }
    let malformed = up.chat(&format!("{canary} \u{0}"));
    assert!(malformed.starts_with("HTTP/1.1"), "{malformed}");
    let key = up.key.clone();
    drop(up);
    let mut texts = files(&folder.join("store"));
    texts.push(std::fs::read(&log).expect("the log"));
    for text in &texts {
        for secret in [canary, key.as_str(), "sk-ant-api03", "4111 1111"] {
            let found = text.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "`{secret}` is in the log or the store");
        }
    }
}

/// A suggested case is an error until a person has said what to expect, and a case like any other from then on.
#[test]
fn a_suggested_case_counts_once_somebody_says_what_to_expect() {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().display().to_string();
    let policy = std::fs::read_to_string(Path::new(&starter()).join("policy.yaml")).expect("the starter");
    let policy = policy.replace("rollout: {default: enforce}", "rollout: {default: observe}");
    std::fs::create_dir(dir.path().join("cases")).expect("a folder");
    std::fs::write(dir.path().join("policy.yaml"), policy).expect("the policy");
    let cases = |text: &str| std::fs::write(dir.path().join("cases/cases.yaml"), text).expect("the cases");
    cases("cases: [{name: a text, request: {group: staff, app: openai-api, text: Hello}, expect: {verdict: allow}}]\n");
    let tested = text(&ordain(&["test", &path]).stdout);
    assert!(
        tested.contains("no case tries: ") && tested.contains("cells of the matrix that no case tries: "),
        "{tested}"
    );

    let suggested = text(&ordain(&["test", &path, "--suggest"]).stdout);
    let begins = suggested.find("  - name: AU-1,").expect("a case for AU-1");
    let case: Vec<&str> = suggested.get(begins..).expect("its lines").lines().take(3).collect();
    let case = format!("cases:\n{}\n", case.join("\n"));
    assert!(
        case.contains("data: [internal-marking]") && case.contains("{verdict: }"),
        "{case}"
    );
    cases(&case);
    let refused = ordain(&["check", &path]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stdout));
    assert!(
        text(&refused.stdout).contains("nothing stands here"),
        "{}",
        text(&refused.stdout)
    );
    cases(&case.replace("verdict: ", "verdict: block"));
    let passed = ordain(&["test", &path]);
    assert_eq!(passed.status.code(), Some(0), "{}", text(&passed.stdout));
}

/// A gateway's folder without a gateway: what `init` writes, and an empty store.
fn made() -> (TempDir, String) {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("ordain of ours").display().to_string();
    let out = ordain(&["init", &path, "--profile", "public-tools"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    (dir, path)
}

#[test]
fn a_folder_is_taken_with_and_without_its_flag() {
    let (_dir, path) = made();
    assert_eq!(
        ordain(&["key", "create", "you@example.com", &path]).status.code(),
        Some(0)
    );
    for verb in [
        vec!["check"],
        vec!["test"],
        vec!["render"],
        vec!["policy", "cedar"],
        vec!["impact"],
        vec!["records", "list"],
        vec!["key", "list"],
        vec!["training", "list"],
    ] {
        for folder in [vec![path.as_str()], vec!["--dir", &path]] {
            let out = ordain(&[verb.as_slice(), &folder].concat());
            assert_eq!(out.status.code(), Some(0), "{verb:?} {folder:?}: {}", text(&out.stderr));
        }
    }
    let nowhere = format!("{path}/nowhere");
    let told = text(&ordain(&["records", "list", &nowhere]).stderr);
    let help = format!("`ordain up --dir '{nowhere}'` makes one, and `--dir DIR` names another folder");
    assert!(told.contains(&help), "{told}");
}

/// A misspelt group once started without a word, and its people were strangers.
#[test]
fn groups_and_people_that_do_not_fit_together_are_told() {
    let (_dir, path) = made();
    let directory = Path::new(&path).join("directory.yaml");
    std::fs::write(
        &directory,
        "people:\n  ada@example.com: {groups: [staf]}\n  bob@example.com: {groups: [staf]}\n",
    )
    .expect("a file");
    let out = ordain(&["check", &path]);
    let said = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "a warning");
    assert!(said.contains("no group called `staf` in `scope.groups`"), "{said}");
    assert!(said.contains("../directory.yaml:2:30"), "{said}");
    assert!(said.contains("did you mean `staff`?"), "{said}");
    assert_eq!(said.matches("unknown-group").count(), 1, "once for all of its people");
    let key = |name: &str| text(&ordain(&["key", "create", name, "--dir", &path]).stderr);
    assert!(key("eve@example.com").contains("note: `eve@example.com` is not in"));
    assert!(key("Ada@example.com").contains("did you mean `ada@example.com`?"));
    assert!(!key("ada@example.com").contains("note:"));
}
