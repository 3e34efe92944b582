//! How much a request lets the model say, and what an answer says that it was.
//!
//! The names are data, and those of all dialects are looked for in all bodies: many providers speak another's dialect and count
//! in words of their own. What a dialect does not have costs a comparison. Where one body says the same in two ways, the larger
//! number counts.

use super::json::{Document, Kind, Node};
use crate::exchange::{Bound, Usage};

/// What bounds the tokens of an answer, at the root of a request.
const MOST: &[&str] = &["max_tokens", "max_completion_tokens", "max_output_tokens"];

/// The same within an object: where it stands, and what it is called there.
const MOST_WITHIN: &[(&str, &[&str])] = &[
    ("generationConfig", &["maxOutputTokens", "max_output_tokens"]),
    ("generation_config", &["maxOutputTokens", "max_output_tokens"]),
    ("options", &["num_predict"]),
];

/// How many answers a request asks for: at its root, and within Gemini's settings.
const ANSWERS: &[&str] = &["n", "best_of"];
const CANDIDATES: &[&str] = &["candidateCount", "candidate_count"];

/// Where an answer, or an event of one, has its counts.
const COUNTS: &[&str] = &["usage", "usageMetadata", "usage_metadata"];
/// What wraps such an object in events.
const WRAPPERS: &[&str] = &["response", "message"];

/// Tokens of the request; of several of these one counts.
const INPUT: &[&str] = &["prompt_tokens", "input_tokens", "promptTokenCount", "prompt_eval_count"];
/// What is counted beside them.
const INPUT_TOO: &[&str] = &[
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "toolUsePromptTokenCount",
];
/// Tokens of the answer; of several of these one counts.
const OUTPUT: &[&str] = &[
    "completion_tokens",
    "output_tokens",
    "candidatesTokenCount",
    "eval_count",
];
/// What is counted beside them.
const OUTPUT_TOO: &[&str] = &["thoughtsTokenCount"];

/// More tokens than any call can have: a larger number is no count.
const NO_COUNT: u64 = 1_000_000_000_000;

/// How much a request lets the model say.
pub(super) fn bound(doc: &Document<'_>) -> Bound {
    let mut bound = Bound::default();
    let root = doc.root();
    let mut prompts = 1;
    for (name, value) in doc.members(root) {
        let name = name.as_ref();
        if MOST.contains(&name) {
            bound.tokens = bound.tokens.max(number(doc, value));
        } else if ANSWERS.contains(&name) {
            bound.answers = bound.answers.max(number(doc, value).unwrap_or(1));
        } else if name == "prompt" && doc.kind(value) == Kind::Array {
            // Each has answers of its own.
            prompts = doc.children(value).count().max(1) as u64;
        } else if let Some((_, names)) = MOST_WITHIN.iter().find(|(holder, _)| *holder == name) {
            for (inner, value) in doc.members(value) {
                if names.contains(&inner.as_ref()) {
                    bound.tokens = bound.tokens.max(number(doc, value));
                } else if CANDIDATES.contains(&inner.as_ref()) {
                    bound.answers = bound.answers.max(number(doc, value).unwrap_or(1));
                }
            }
        }
    }
    bound.answers = bound.answers.saturating_mul(prompts);
    bound
}

/// What an answer, or an event of one, says of its tokens.
pub(super) fn stated(doc: &Document<'_>) -> Usage {
    let root = doc.root();
    if doc.kind(root) == Kind::Array {
        // A stream in one piece: each item is an event.
        let items = doc.children(root).map(|item| of_object(doc, item));
        return items.fold(Usage::default(), Usage::or_more);
    }
    of_object(doc, root)
}

fn of_object(doc: &Document<'_>, object: Node) -> Usage {
    // Ollama counts beside the answer, everybody else in an object.
    let mut usage = counts(doc, object, &["prompt_eval_count"], &[], &["eval_count"], &[]);
    for (name, value) in doc.members(object) {
        if COUNTS.contains(&name.as_ref()) {
            usage = usage.or_more(counts(doc, value, INPUT, INPUT_TOO, OUTPUT, OUTPUT_TOO));
        } else if WRAPPERS.contains(&name.as_ref()) {
            for (inner, value) in doc.members(value) {
                if COUNTS.contains(&inner.as_ref()) {
                    usage = usage.or_more(counts(doc, value, INPUT, INPUT_TOO, OUTPUT, OUTPUT_TOO));
                }
            }
        }
    }
    usage
}

/// The counts in an object, by the names that they may have.
fn counts(
    doc: &Document<'_>,
    object: Node,
    input: &[&str],
    input_too: &[&str],
    output: &[&str],
    output_too: &[&str],
) -> Usage {
    let mut usage = Usage::default();
    let (mut more_input, mut more_output) = (0, 0);
    for (name, value) in doc.members(object) {
        let name = name.as_ref();
        if input.contains(&name) {
            usage.input = usage.input.max(number(doc, value));
        } else if output.contains(&name) {
            usage.output = usage.output.max(number(doc, value));
        } else if input_too.contains(&name) {
            more_input += number(doc, value).unwrap_or(0);
        } else if output_too.contains(&name) {
            more_output += number(doc, value).unwrap_or(0);
        }
    }
    usage.input = usage.input.map(|count| count + more_input);
    // Thoughts alone are an answer too, which was cut off before its first word.
    usage.output = match usage.output {
        None if more_output > 0 => Some(more_output),
        count => count.map(|count| count + more_output),
    };
    usage
}

/// A count as it is written; a provider takes `10.0` or `1e3` for one too.
fn number(doc: &Document<'_>, node: Node) -> Option<u64> {
    if doc.kind(node) != Kind::Number {
        return None;
    }
    let raw = doc.raw(node);
    let whole = raw.parse().ok();
    let number = whole.or_else(|| {
        raw.parse()
            .ok()
            .filter(|number: &f64| *number >= 0.0)
            .map(|number| number.ceil() as u64)
    })?;
    (number <= NO_COUNT).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::super::json::{Limits, parse};
    use super::*;

    fn read<T>(text: &str, of: impl FnOnce(&Document<'_>) -> T) -> T {
        of(&parse(text.as_bytes(), &Limits::default()).expect(text))
    }

    #[test]
    fn each_dialect_bounds_in_its_own_words() {
        for (body, tokens, answers) in [
            (r#"{"model":"m"}"#, None, 1),
            (r#"{"max_tokens":100}"#, Some(100), 1),
            (r#"{"max_tokens":null,"max_completion_tokens":7,"n":3}"#, Some(7), 3),
            (r#"{"max_tokens":9,"max_completion_tokens":7}"#, Some(9), 1),
            (r#"{"max_output_tokens":1e3}"#, Some(1_000), 1),
            (
                r#"{"max_tokens":5,"n":2,"best_of":4,"prompt":["a","b","c"]}"#,
                Some(5),
                12,
            ),
            (
                r#"{"generationConfig":{"maxOutputTokens":50,"candidateCount":2}}"#,
                Some(50),
                2,
            ),
            (r#"{"generation_config":{"max_output_tokens":50}}"#, Some(50), 1),
            (r#"{"options":{"num_predict":20}}"#, Some(20), 1),
            (r#"{"options":{"num_predict":-1},"n":0}"#, None, 1),
            (r#"{"max_tokens":"many","n":"x"}"#, None, 1),
            (r#"{"max_tokens":99999999999999999999}"#, None, 1),
            (r#"{"metadata":{"max_tokens":5}}"#, None, 1),
            ("[]", None, 1),
        ] {
            assert_eq!(read(body, bound), Bound { tokens, answers }, "{body}");
        }
    }

    #[test]
    fn each_dialect_counts_in_its_own_words() {
        for (body, input, output) in [
            (r#"{"choices":[]}"#, None, None),
            (r#"{"usage":null}"#, None, None),
            (
                r#"{"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}"#,
                Some(11),
                Some(7),
            ),
            (
                r#"{"usage":{"prompt_tokens":11,"input_tokens":11,"completion_tokens":7}}"#,
                Some(11),
                Some(7),
            ),
            (r#"{"usage":{"prompt_tokens":5,"total_tokens":5}}"#, Some(5), None),
            (
                r#"{"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":4}}}"#,
                Some(3),
                Some(4),
            ),
            (
                r#"{"type":"message_start","message":{"usage":{"input_tokens":3,"cache_read_input_tokens":100,"cache_creation_input_tokens":20,"output_tokens":1}}}"#,
                Some(123),
                Some(1),
            ),
            (
                r#"{"type":"message_delta","usage":{"output_tokens":40}}"#,
                None,
                Some(40),
            ),
            (
                r#"{"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":5,"thoughtsTokenCount":30,"toolUsePromptTokenCount":2,"cachedContentTokenCount":8}}"#,
                Some(10),
                Some(35),
            ),
            (
                r#"{"usageMetadata":{"promptTokenCount":8,"thoughtsTokenCount":30}}"#,
                Some(8),
                Some(30),
            ),
            (
                r#"[{"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":1}},{"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":6}}]"#,
                Some(8),
                Some(6),
            ),
            (
                r#"{"done":true,"prompt_eval_count":26,"eval_count":259}"#,
                Some(26),
                Some(259),
            ),
            (r#"{"done":true,"eval_count":259}"#, None, Some(259)),
            (
                r#"{"usage":{"prompt_tokens":-1,"completion_tokens":1e300}}"#,
                None,
                None,
            ),
            (r#"{"usage":{"prompt_tokens":"1"}}"#, None, None),
            (r#"{"choices":[{"usage":{"prompt_tokens":1}}]}"#, None, None),
        ] {
            assert_eq!(read(body, stated), Usage { input, output }, "{body}");
        }
    }
}
