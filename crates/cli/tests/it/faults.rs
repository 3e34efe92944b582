//! Ten policies with faults planted in them: each is found where it stands, and nothing is made up.
//!
//! A folder below `faults/` has a clean policy with its cases, and in `faults.txt` what is planted in copies of it: each fault
//! alone, then all together. A fault is a code and edits:
//!
//! ```text
//! [code]                  what must be reported; `[code note]` for a severity other than the check's worst
//! - old text              stands once in the file; several lines are one text
//! + new text
//! @ text                  the line to be reported, if it is not the first one that was changed; `@ nowhere` for none
//! & code at text          what else comes of it
//! in cases/cases.yaml     the file to be changed, if it is not `policy.yaml`; before the first fault, for all of them
//! ```
//!
//! `whole` empties the file, `gone` removes it. `[code alone]` hides the other faults, and is left out when they are planted
//! together. A place in another file is written `@ policy.yaml: text`.

mod fault;
mod shows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use ordain_core::catalog::Catalog;
use ordain_core::policy::problem::{Problem, Severity};
use ordain_core::policy::{Files, Loaded, cases, load};
use serde_json::Value;
use tempfile::TempDir;

use crate::commands::{ordain, text};
use fault::{Expected, Fault};

/// The policy that goes through the binary as well: it names no dates, which would run out.
const BY_BINARY: &str = "start-up";

/// Reported when a document without other errors is compiled; other errors hide them.
const WHEN_COMPILED: [&str; 3] = ["bad-condition", "bad-keywords", "bad-pattern"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults")
}

/// Every policy: its name, its files and what is planted in it.
fn policies() -> Vec<(String, Files, Vec<Fault>)> {
    let entries = std::fs::read_dir(folder()).expect("the policies").flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let read = |name: String| {
        let path = folder().join(&name);
        let files = ordain_server::policy_files::read(&path).expect("a policy folder");
        let list = std::fs::read_to_string(path.join("faults.txt")).expect("a list of faults");
        (name, files, fault::parse(&list))
    };
    names.into_iter().map(read).collect()
}

/// When the policies are looked at.
fn now() -> Timestamp {
    let noon = date(2026, 12, 1).at(12, 0, 0, 0).to_zoned(TimeZone::UTC);
    noon.expect("a moment").timestamp()
}

fn loaded(files: &Files) -> Loaded {
    load(files, &Catalog::built_in(), now())
}

/// Code, severity, path and line of a problem.
fn found(files: &Files, problem: &Problem) -> Expected {
    Expected {
        code: problem.code.to_owned(),
        severity: problem.severity,
        path: files
            .get(problem.place.file)
            .map(|file| file.path.clone())
            .unwrap_or_default(),
        line: problem.place.line,
    }
}

/// The problems that the clean policy does not have; its notes stay its notes, wherever they have moved.
fn new_problems(clean: &Loaded, files: &Files, planted: &Loaded) -> Vec<Expected> {
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for problem in &clean.problems {
        *known.entry((problem.code, problem.message.as_str())).or_default() += 1;
    }
    let mut new: Vec<Expected> = Vec::new();
    for problem in &planted.problems {
        match known.get_mut(&(problem.code, problem.message.as_str())) {
            Some(left) if *left > 0 => *left -= 1,
            _ => new.push(found(files, problem)),
        }
    }
    new.sort();
    new
}

fn rendered(files: &Files, loaded: &Loaded) -> String {
    let problems = loaded.problems.iter();
    problems
        .filter(|problem| problem.severity > Severity::Note || problem.witness.is_some())
        .map(|problem| files.render(problem))
        .collect()
}

/// Plants faults in a copy; an answer says what is wrong with what was found.
fn plant(name: &str, clean: &Loaded, files: &Files, faults: &[&Fault]) -> Result<(), String> {
    let (copy, expected) = fault::plant(files, faults).map_err(|reason| format!("{name}: {reason}"))?;
    let planted = loaded(&copy);
    let new = new_problems(clean, &copy, &planted);
    let shown = || rendered(&copy, &planted);
    if new != expected {
        let codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
        return Err(format!(
            "{name}, {codes:?}\n expected {expected:?}\n found    {new:?}\n{}",
            shown()
        ));
    }
    shows::all(&planted, now()).map_err(|reason| format!("{name}: {reason}\n{}", shown()))
}

#[test]
fn clean_policies_are_clean_and_their_cases_pass() {
    let catalog = Catalog::built_in();
    for (name, files, _) in policies() {
        let loaded = loaded(&files);
        let problems = loaded
            .problems
            .iter()
            .filter(|problem| problem.severity > Severity::Note);
        let shown: String = problems.map(|problem| files.render(problem)).collect();
        assert!(shown.is_empty(), "{name}\n{shown}");
        shows::all(&loaded, now()).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let (policy, document) = (loaded.policy.expect("a policy"), loaded.document.expect("a document"));
        let scanner = ordain_core::detect::scanner::Scanner::new(policy.own_detectors());
        assert!(loaded.cases.len() > 4, "{name}");
        for case in &loaded.cases {
            let outcome = cases::run(&policy, &document, &scanner, &catalog, case);
            assert!(
                outcome.differences.is_empty(),
                "{name}: {}: {:?}",
                case.name.value,
                outcome.differences
            );
        }
    }
}

#[test]
fn each_fault_is_found_where_it_is_planted_and_nothing_else() {
    let mut wrong = Vec::new();
    for (name, files, faults) in policies() {
        let clean = loaded(&files);
        wrong.extend(
            faults
                .iter()
                .filter_map(|fault| plant(&name, &clean, &files, &[fault]).err()),
        );
    }
    assert!(wrong.is_empty(), "{} went wrong\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn faults_are_found_side_by_side() {
    let mut wrong = Vec::new();
    for (name, files, faults) in policies() {
        let clean = loaded(&files);
        let round = |fault: &&Fault| match fault.severity {
            Severity::Error if WHEN_COMPILED.contains(&fault.code.as_str()) => 1,
            Severity::Error => 0,
            Severity::Warning | Severity::Note => 2,
        };
        for wanted in 0..3 {
            let together: Vec<&Fault> = faults
                .iter()
                .filter(|fault| !fault.alone && round(fault) == wanted)
                .collect();
            wrong.extend(plant(&name, &clean, &files, &together).err());
        }
    }
    assert!(wrong.is_empty(), "{} went wrong\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_code_is_planted_somewhere() {
    let list = ordain(&["check", "--list", "--format", "json"]);
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    let codes = list["checks"].as_array().expect("checks").iter();
    let codes: BTreeSet<String> = codes
        .map(|check| check["code"].as_str().expect("a code").to_owned())
        .collect();
    let all: Vec<Fault> = policies().into_iter().flat_map(|(_, _, faults)| faults).collect();
    let planted: BTreeSet<String> = all.iter().map(|fault| fault.code.clone()).collect();
    assert_eq!(codes, planted, "each code is planted in some `faults/*/faults.txt`");
    assert!(all.len() >= 60, "{} faults", all.len());
}

/// The same through the binary: what `check` prints as a witness, `explain` takes and shows.
#[test]
fn witnesses_are_taken_by_explain() {
    let (_, files, faults) = policies()
        .into_iter()
        .find(|(name, ..)| name == BY_BINARY)
        .expect("the policy");
    let mut seen = BTreeSet::new();
    for fault in faults.iter().filter(|fault| !fault.alone) {
        let (copy, expected) = fault::plant(&files, &[fault]).expect("an edit");
        let dir = TempDir::new().expect("a folder");
        for file in copy.iter() {
            let path = dir.path().join(&file.path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, &file.text).expect("a file");
        }
        let path = dir.path().display().to_string();
        let check: Value = serde_json::from_slice(&ordain(&["check", "--format", "json", &path]).stdout).expect("JSON");
        let problems = check["problems"].as_array().expect("problems");
        for wanted in &expected {
            let is = |problem: &&Value| problem["code"] == wanted.code.as_str() && problem["line"] == wanted.line;
            assert!(problems.iter().any(|problem| is(&problem)), "{wanted:?}\n{check:#}");
        }
        for problem in problems.iter().filter(|problem| problem["witness"].is_string()) {
            let (code, message) = (
                problem["code"].as_str().expect("a code"),
                problem["message"].as_str().expect("a message"),
            );
            let witness = problem["witness"].as_str().expect("a witness");
            let out = ordain(&["explain", "--dir", &path, "--request", witness, "--format", "json"]);
            let said: Value =
                serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{witness}\n{}", text(&out.stderr)));
            let decided = shows::Decided::from_json(&said);
            assert!(shows::fault(code, message, &decided), "{message}\n{witness}\n{said:#}");
            seen.insert(code.to_owned());
        }
        let sarif: Value =
            serde_json::from_slice(&ordain(&["check", "--format", "sarif", &path]).stdout).expect("JSON");
        let results = sarif["runs"][0]["results"].as_array().expect("results").iter();
        let with_witness = results.filter(|result| result["properties"]["witness"].is_string());
        let witnesses = problems.iter().filter(|problem| problem["witness"].is_string());
        assert_eq!(with_witness.count(), witnesses.count());
    }
    let wanted = ["shadowed-clause", "unreachable-selector"].map(str::to_owned);
    assert!(seen.is_superset(&BTreeSet::from(wanted)), "{seen:?}");
}
