//! Calls of tools: judged with their arguments, whole or streamed, and remembered without them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::world::{
    Dialect, Dice, POLICY, WITH_TOOLS, admitted, candidate, chunk, line, named, of_text, response, run, run_whole,
    tools,
};
use crate::inspect::{Ending, Fate, Judged, Rules};
use crate::record;
use crate::verdict::Verdict;

/// Letters go home, or to partners with a notice; everything else is blocked.
pub(super) fn letters() -> Arc<Rules> {
    let text = POLICY
        .replace("THEN", "redact")
        .replace("MODE", "enforce")
        .replace("UNAVAILABLE", "block")
        .replace("restricted, email-address: restricted", "restricted")
        .replace(
            "  clauses: [{id: AC-2,",
            "  tools:\n    list:\n      - {tool: clock}\n      - {tool: mail, args: {to: \"*@northwind.example\"}}\n      - {tool: mail, args: {to: \"*@partner.example\"}, then: coach}\n  clauses: [{id: AC-3, statement: Tools., enforced_by: access.tools}, {id: AC-2,",
        );
    of_text(&text)
}

/// A tool, and its arguments in pieces.
pub(super) type Called<'c> = (&'c str, &'c [&'c str]);

pub(super) fn stream(dialect: Dialect, calls: &[Called<'_>]) -> String {
    let (mut out, mut end) = (dialect.start(), dialect.end(""));
    if dialect == Dialect::Anthropic {
        // Blocks come one after another; the calls' are all that there are.
        out = out.split_inclusive("\n\n").take(1).collect();
        end = end.split_inclusive("\n\n").skip(1).collect();
    }
    for (index, (tool, pieces)) in calls.iter().enumerate() {
        match dialect {
            Dialect::OpenAi => {
                let call =
                    json!({"index": index, "id": "c", "type": "function", "function": {"name": tool, "arguments": ""}});
                out += &chunk(0, &json!({"tool_calls": [call]}), None);
                for piece in *pieces {
                    let call = json!({"index": index, "function": {"arguments": piece}});
                    out += &chunk(0, &json!({"tool_calls": [call]}), None);
                }
            }
            Dialect::Completions => unreachable!("it has no tools"),
            Dialect::Anthropic => {
                let block = json!({"type": "tool_use", "id": "t", "name": tool, "input": {}});
                out += &named(&json!({"type": "content_block_start", "index": index, "content_block": block}));
                for piece in *pieces {
                    let delta = json!({"type": "input_json_delta", "partial_json": piece});
                    out += &named(&json!({"type": "content_block_delta", "index": index, "delta": delta}));
                }
                out += &named(&json!({"type": "content_block_stop", "index": index}));
            }
            Dialect::Gemini => out += &candidate(0, &json!([function_call(tool, &pieces.concat())]), None),
            Dialect::Ollama => {
                let call = whole_call(tool, &pieces.concat());
                out += &line(&json!({"role": "assistant", "content": "", "tool_calls": [call]}));
            }
            Dialect::Responses => {
                let index = index + 1;
                let told = |kind: &str, mut data: Value| {
                    data["type"] = format!("response.{kind}").into();
                    data["output_index"] = index.into();
                    named(&data)
                };
                out += &told("output_item.added", json!({"item": call_item(tool, "")}));
                for piece in *pieces {
                    out += &told("function_call_arguments.delta", json!({"delta": piece}));
                }
                let whole = pieces.concat();
                out += &told("function_call_arguments.done", json!({"arguments": whole}));
                out += &told("output_item.done", json!({"item": call_item(tool, &whole)}));
            }
        }
    }
    out + &end
}

fn whole(dialect: Dialect, calls: &[Called<'_>]) -> String {
    let calls = calls.iter().map(|(tool, pieces)| (tool, pieces.concat()));
    match dialect {
        Dialect::OpenAi => {
            let calls: Vec<Value> = calls
                .map(|(tool, text)| json!({"id": "c", "type": "function", "function": {"name": tool, "arguments": text}}))
                .collect();
            let message = json!({"role": "assistant", "content": null, "tool_calls": calls});
            json!({"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
                .to_string()
        }
        Dialect::Completions => unreachable!("it has no tools"),
        Dialect::Anthropic => {
            let blocks: Vec<Value> = calls
                .map(|(tool, text)| {
                    let input: Value = serde_json::from_str(&text).unwrap_or_else(|_| json!({}));
                    json!({"type": "tool_use", "id": "t", "name": tool, "input": input})
                })
                .collect();
            json!({"model": "m", "role": "assistant", "type": "message", "content": blocks, "stop_reason": "tool_use"})
                .to_string()
        }
        Dialect::Gemini => {
            let parts: Vec<Value> = calls.map(|(tool, text)| function_call(tool, &text)).collect();
            json!({"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}]}).to_string()
        }
        Dialect::Ollama => {
            let calls: Vec<Value> = calls.map(|(tool, text)| whole_call(tool, &text)).collect();
            let message = json!({"role": "assistant", "content": "", "tool_calls": calls});
            json!({"model": "m", "message": message, "done": true}).to_string()
        }
        Dialect::Responses => {
            let items: Vec<Value> = calls.map(|(tool, text)| call_item(tool, &text)).collect();
            response(&json!(items)).to_string()
        }
    }
}

/// A call of Gemini's, whose arguments are an object at once, or none.
fn function_call(tool: &str, arguments: &str) -> Value {
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
    json!({"functionCall": {"name": tool, "args": arguments}})
}

/// A call of Ollama's, whose arguments are an object.
fn whole_call(tool: &str, arguments: &str) -> Value {
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
    json!({"function": {"name": tool, "arguments": arguments}})
}

/// A call of Responses.
pub(super) fn call_item(tool: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "id": "fc", "call_id": "c", "name": tool, "arguments": arguments, "status": "completed"})
}

pub(super) const HOME: Called<'_> = ("mail", &["{\"to\": [\"ana@north", "wind.example\"]", "}"]);
pub(super) const PARTNER: Called<'_> = ("mail", &["{\"to\": \"bo\\u0040partner.example\"}"]);
pub(super) const ELSEWHERE: Called<'_> = ("mail", &["{\"to\": \"eve@else", "where.example\"}"]);
pub(super) const CLOCK: Called<'_> = ("clock", &["{}"]);

#[test]
fn each_call_is_judged_with_its_arguments_and_the_strictest_counts() {
    let rules = letters();
    for (calls, verdict) in [
        (&[HOME][..], Verdict::Allow),
        (&[CLOCK, PARTNER, HOME], Verdict::Coach),
        (&[HOME, ELSEWHERE], Verdict::Block),
        (&[HOME, ("mail", &[])], Verdict::Block),
        (&[HOME, ("mail", &["{\"to\": \"ana@northwind.exam"])], Verdict::Block),
        (&[CLOCK, ("other", &["{}"])], Verdict::Block),
    ] {
        for dialect in WITH_TOOLS {
            let (judged, fate) = admitted(&rules, dialect).answer(whole(dialect, calls).as_bytes());
            assert_eq!(judged.decision.verdict, verdict, "{dialect:?} {calls:?}");
            assert_eq!(fate == Fate::Stop, verdict == Verdict::Block);
            let done = run_whole(&rules, dialect, &stream(dialect, calls));
            assert_eq!(done.judged.decision.verdict, verdict, "{dialect:?} {calls:?}");
            assert_eq!(done.ending == Ending::Stopped, verdict == Verdict::Block);
            assert!(!done.text().contains("elsewhere"), "what was stopped did not go out");
        }
    }
}

#[test]
fn cutting_the_bytes_changes_no_judgement() {
    let rules = letters();
    let mut dice = Dice(3);
    for calls in [&[CLOCK, HOME, PARTNER][..], &[HOME, ELSEWHERE]] {
        for dialect in WITH_TOOLS {
            let stream = stream(dialect, calls);
            let first = run_whole(&rules, dialect, &stream);
            for most in [1, 7, 60] {
                let done = run(admitted(&rules, dialect), dice.cut_bytes(stream.as_bytes(), most));
                assert_eq!(done.bytes, first.bytes);
                assert_eq!(done.judged.facts.content, first.judged.facts.content);
            }
        }
    }
}

/// Until the arguments are whole, nobody knows which entry a call falls under, so it is neither stopped nor passed for good.
#[test]
fn a_call_whose_arguments_never_end_is_judged_without_any() {
    let rules = letters();
    for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
        let mut cut = stream(dialect, &[("mail", &["{\"to\": \"ana@northwind.example\""])]);
        cut.truncate(
            cut.find("finish_reason\":\"stop")
                .or(cut.find("event: content_block_stop"))
                .or(cut.find("\"finishReason\":\"STOP"))
                .or(cut.find("event: response.function_call_arguments.done"))
                .expect("an end"),
        );
        let cut = cut.rsplit_once("\n\n").map_or("", |(whole, _)| whole).to_owned() + "\n\n";
        let done = run_whole(&rules, dialect, &cut);
        assert_eq!(
            (done.ending, done.judged.decision.verdict),
            (Ending::Stopped, Verdict::Block)
        );
    }
}

/// Some servers repeat the tool's name with every piece; some send what the pieces say again at the start.
#[test]
fn one_call_told_twice_is_one_call_and_must_hold_twice() {
    let rules = letters();
    let piece = |text: &str| {
        let call = json!({"index": 0, "function": {"name": "mail", "arguments": text}});
        chunk(0, &json!({"tool_calls": [call]}), None)
    };
    let repeated = piece("{\"to\": \"ana@") + &piece("northwind.example\"}") + &Dialect::OpenAi.end("");
    let done = run_whole(&rules, Dialect::OpenAi, &repeated);
    assert_eq!((tools(&done.judged), done.ending), (vec!["mail"], Ending::Complete));

    for (first, verdict) in [
        ("ana@northwind.example", Verdict::Allow),
        ("eve@elsewhere.example", Verdict::Block),
    ] {
        let block = json!({"type": "tool_use", "id": "t", "name": "mail", "input": {"to": first}});
        let delta = json!({"type": "input_json_delta", "partial_json": "{\"to\": \"bo@northwind.example\"}"});
        let twice = named(&json!({"type": "content_block_start", "index": 0, "content_block": block}))
            + &named(&json!({"type": "content_block_delta", "index": 0, "delta": delta}))
            + &Dialect::Anthropic.end("");
        let done = run_whole(&rules, Dialect::Anthropic, &twice);
        assert_eq!(done.judged.decision.verdict, verdict, "{first}");
    }
    // All of it in the first event.
    let block = json!({"type": "tool_use", "id": "t", "name": "mail", "input": {"to": "bo@partner.example"}});
    let once = named(&json!({"type": "content_block_start", "index": 0, "content_block": block}))
        + &Dialect::Anthropic.end("");
    let done = run_whole(&rules, Dialect::Anthropic, &once);
    assert_eq!(done.judged.decision.verdict, Verdict::Coach);
}

/// A client may go by the pieces of the arguments or by any place where they are said again.
#[test]
fn arguments_that_are_said_again_must_hold_wherever_they_are() {
    let rules = letters();
    let (home, elsewhere) = (HOME.1.concat(), "{\"to\": \"eve@elsewhere.example\"}".to_owned());
    for place in 0..5 {
        let at = |here: usize| if here == place { &elsewhere } else { &home };
        let done = |kind: &str, more: Value| {
            let mut data = json!({"type": format!("response.{kind}"), "output_index": 0});
            data.as_object_mut()
                .expect("an object")
                .extend(more.as_object().cloned().unwrap_or_default());
            named(&data)
        };
        let stream = named(&json!({"type": "response.created", "response": response(&json!([]))}))
            + &done("output_item.added", json!({"item": call_item("mail", "")}))
            + &done("function_call_arguments.delta", json!({"delta": at(0)}))
            + &done("function_call_arguments.done", json!({"arguments": at(1)}))
            + &done("output_item.done", json!({"item": call_item("mail", at(2))}))
            + &done(
                "completed",
                json!({"response": response(&json!([call_item("mail", at(3))]))}),
            );
        let outcome = run_whole(&rules, Dialect::Responses, &stream);
        let verdict = if place < 4 { Verdict::Block } else { Verdict::Allow };
        assert_eq!(outcome.judged.decision.verdict, verdict, "{place}");
        assert!(!outcome.text().contains("elsewhere"));
        assert_eq!(tools(&outcome.judged), ["mail"]);
    }
}

#[test]
fn the_record_keeps_which_conditions_held_and_no_argument() {
    let rules = letters();
    let kept = |judged: &Judged| {
        let header = record::Header {
            on_behalf_of: None,
            id: "2",
            at_ms: 0,
            subject: "s",
        };
        let record = record::outcome(&header, "1", record::Result::Completed, 200, 9, &rules, Some(judged));
        serde_json::to_value(record).expect("JSON")
    };
    for dialect in WITH_TOOLS {
        let done = run_whole(&rules, dialect, &stream(dialect, &[CLOCK, HOME, PARTNER]));
        let record = kept(&done.judged);
        let expected = json!([
            {"name": "clock"},
            {"name": "mail", "met": ["to: *@northwind.example"]},
            {"name": "mail", "met": ["to: *@partner.example"]},
        ]);
        assert_eq!(record["content"]["tools"], expected);
        assert!(!record.to_string().contains("ana") && !record.to_string().contains("bo@"));
    }
}
