//! Problems as SARIF 2.1.0 (OASIS), the parts that code-review tools show: rules with help, levels, places and fixes.

use ordain_core::policy::fix;
use ordain_core::policy::node::Place;
use ordain_core::policy::problem::{Problem, Severity};
use serde_json::{Value, json};

use super::{listed, path};
use crate::policy::Read;

/// The log of one run.
pub(super) fn log(read: &Read) -> Value {
    let rule = |(code, severity, about, mend): (&str, Severity, &str, &str)| {
        json!({
            "id": code, "shortDescription": {"text": about}, "help": {"text": mend},
            "defaultConfiguration": {"level": severity.as_str()},
        })
    };
    let rules: Vec<Value> = listed().map(rule).collect();
    let results: Vec<Value> = read
        .loaded
        .problems
        .iter()
        .map(|problem| result(read, problem))
        .collect();
    let driver = json!({"name": "ordain", "version": env!("CARGO_PKG_VERSION"), "rules": rules});
    json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    })
}

fn result(read: &Read, problem: &Problem) -> Value {
    let text = match &problem.help {
        Some(help) => format!("{} ({help})", problem.message),
        None => problem.message.clone(),
    };
    let file = json!({"uri": path(&read.files, problem.place.file)});
    let mut result = json!({
        "ruleId": problem.code,
        "level": problem.severity.as_str(),
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": file, "region": region(problem.place)}}],
    });
    if let Some(index) = listed().position(|(code, ..)| code == problem.code) {
        result["ruleIndex"] = json!(index);
    }
    if let Some(witness) = &problem.witness {
        result["properties"] = json!({"witness": witness});
    }
    if let Some(change) = fix::change(&read.files, problem) {
        let replacement = json!({"deletedRegion": region(change.place), "insertedContent": {"text": change.new}});
        result["fixes"] = json!([{
            "description": {"text": format!("write `{}`", change.new)},
            "artifactChanges": [{"artifactLocation": file, "replacements": [replacement]}],
        }]);
    }
    result
}

fn region(place: Place) -> Value {
    let (line, column) = (place.line.max(1), place.column.max(1));
    json!({"startLine": line, "startColumn": column, "endColumn": column + place.length.max(1)})
}
