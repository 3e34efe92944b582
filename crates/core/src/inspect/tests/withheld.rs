//! Tools that a principal is not granted: gone from the request, and refused in the answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::world::{
    Dialect, POLICY, WITH_TOOLS, admitted, candidate, chunk, line, named, named_request, of_text, request, response,
    run_whole,
};
use crate::inspect::{Ending, Fate, Request, Rules};
use crate::record;
use crate::verdict::Verdict;
use crate::wire::Wire;
use crate::wire::anthropic_count_tokens::AnthropicCountTokens;
use crate::wire::gemini::{GeminiCount, GeminiGenerate};
use crate::wire::openai_responses::OpenaiResponsesTokens;

/// `clock`, `mail` and `pay` may be called by everybody, each in its own way; the rest by nobody, or by others.
fn granting(more: &str) -> Arc<Rules> {
    let text = POLICY
        .replace("THEN", "redact")
        .replace("MODE", "enforce")
        .replace("UNAVAILABLE", "block")
        .replace("scope: {statement: Who.}", "scope: {statement: Who., groups: {staff: {claim: staff}, nurses: {claim: nurses}, guests: {claim: guests}}, clauses: [{id: SC-1, statement: Groups., enforced_by: scope.groups}]}")
        .replace(
            "  clauses: [{id: AC-2,",
            "  tools:\n    unlisted: block\n    list:\n      - {tool: clock}\n      - {tool: mail, args: {to: \"*@northwind.example\"}}\n      - {tool: pay, then: coach}\n      - {tool: ehr, groups: [nurses]}\n      - {tool: wipe, args: {path: \"/tmp/*\"}, then: block}\n      - {tool: web_search}\n      - {tool: GOOGLE_MAPS}\n  clauses: [{id: AC-3, statement: Tools., enforced_by: access.tools}, {id: AC-2,",
        )
        + more;
    of_text(&text)
}

fn rules() -> Arc<Rules> {
    granting("")
}

/// What leaves, as JSON.
fn sent(asked: &Request, body: &Value) -> Value {
    match &asked.fate {
        Fate::Forward(Some(bytes)) => serde_json::from_slice(bytes).expect("is JSON"),
        Fate::Forward(None) => body.clone(),
        Fate::Wait(..) | Fate::Stop => panic!("it was stopped: {:?}", asked.judged.decision),
    }
}

fn asked(wire: &'static dyn Wire, named: Option<&str>, body: &Value) -> Request {
    named_request(&rules(), wire, &body.to_string(), named)
}

/// A tool as these dialects define it.
fn function(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}})
}

fn flat(name: &str) -> Value {
    json!({"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}})
}

fn declared(name: &str) -> Value {
    json!({"name": name, "description": "It, does \"things\"."})
}

/// A harmless request with these members more.
fn with(dialect: Dialect, more: &Value) -> Value {
    let mut body = match dialect {
        Dialect::Gemini => json!({"contents": [{"parts": [{"text": "Hi."}]}]}),
        Dialect::Responses => json!({"model": "m", "input": "Hi."}),
        _ => json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}]}),
    };
    let members = body.as_object_mut().expect("an object");
    members.extend(more.as_object().cloned().expect("an object"));
    body
}

/// What goes in, what goes out, and what was taken.
type Row<'r> = (Dialect, Value, Value, &'r [&'r str]);

#[test]
fn tools_that_are_not_granted_vanish_with_whatever_chooses_them() {
    use Dialect::{Anthropic, Gemini, Ollama, OpenAi, Responses};
    let custom = |name: &str| json!({"type": "custom", "custom": {"name": name}});
    let choice = |name: &str| json!({"type": "function", "function": {"name": name}});
    let allowed = |names: &[&str]| {
        let tools: Vec<Value> = names.iter().map(|name| choice(name)).collect();
        json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": tools}})
    };
    let flat_allowed = |names: &[&str]| {
        let tools: Vec<Value> = names
            .iter()
            .map(|name| json!({"type": "function", "name": name}))
            .collect();
        json!({"type": "allowed_tools", "mode": "auto", "tools": tools})
    };
    let calling =
        |names: &[&str]| json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": names}, "x": 1});
    let named = |name: &str| json!({"name": name, "input_schema": {"type": "object"}});
    let rows: Vec<Row<'_>> = vec![
        (
            OpenAi,
            json!({"tools": [function("ehr"), function("clock"), custom("sh"), function("mail"), function("pay"), function("wipe")], "tool_choice": "required"}),
            json!({"tools": [function("clock"), function("mail"), function("pay")], "tool_choice": "required"}),
            &["ehr", "sh", "wipe"],
        ),
        (
            OpenAi,
            json!({"tools": [function("ehr"), function("clock")], "tool_choice": choice("ehr"), "parallel_tool_calls": false}),
            json!({"tools": [function("clock")], "parallel_tool_calls": false}),
            &["ehr"],
        ),
        (
            OpenAi,
            json!({"tools": [function("ehr"), function("clock")], "tool_choice": choice("clock")}),
            json!({"tools": [function("clock")], "tool_choice": choice("clock")}),
            &["ehr"],
        ),
        (
            OpenAi,
            json!({"tools": [function("ehr"), function("clock")], "tool_choice": allowed(&["ehr", "clock"])}),
            json!({"tools": [function("clock")], "tool_choice": allowed(&["clock"])}),
            &["ehr"],
        ),
        (
            OpenAi,
            json!({"tools": [function("ehr"), function("clock")], "tool_choice": allowed(&["ehr"])}),
            json!({"tools": [function("clock")]}),
            &["ehr"],
        ),
        (
            OpenAi,
            json!({"parallel_tool_calls": true, "tools": [function("ehr")], "tool_choice": "auto", "x": 1}),
            json!({"x": 1}),
            &["ehr"],
        ),
        (
            OpenAi,
            json!({"functions": [declared("ehr"), declared("clock")], "function_call": {"name": "clock"}}),
            json!({"functions": [declared("clock")], "function_call": {"name": "clock"}}),
            &["ehr"],
        ),
        (
            OpenAi,
            json!({"functions": [declared("ehr"), declared("clock")], "function_call": {"name": "ehr"}}),
            json!({"functions": [declared("clock")]}),
            &["ehr"],
        ),
        (
            OpenAi,
            json!({"functions": [declared("ehr")], "function_call": "auto"}),
            json!({}),
            &["ehr"],
        ),
        (
            Anthropic,
            json!({"tools": [named("ehr"), named("clock"), {"type": "web_search_20250305", "name": "web_search"}], "tool_choice": {"type": "any"}}),
            json!({"tools": [named("clock"), {"type": "web_search_20250305", "name": "web_search"}], "tool_choice": {"type": "any"}}),
            &["ehr"],
        ),
        (
            Anthropic,
            json!({"tools": [named("clock"), named("ehr"), {"type": "bash_20250124", "name": "bash"}], "tool_choice": {"type": "tool", "name": "ehr"}}),
            json!({"tools": [named("clock")]}),
            &["bash", "ehr"],
        ),
        (
            Anthropic,
            json!({"tool_choice": {"type": "auto"}, "tools": [named("ehr")]}),
            json!({}),
            &["ehr"],
        ),
        (
            Gemini,
            json!({"tools": [{"functionDeclarations": [declared("clock"), declared("ehr")]}, {"googleSearch": {}}, {"google_maps": {}}, {"codeExecution": {}}]}),
            json!({"tools": [{"functionDeclarations": [declared("clock")]}, {"google_maps": {}}, {"codeExecution": {}}]}),
            &["GOOGLE_SEARCH_WEB", "ehr"],
        ),
        (
            Gemini,
            json!({"tools": [{"function_declarations": [declared("ehr")], "googleMaps": {}}], "toolConfig": calling(&["ehr"])}),
            json!({"tools": [{"googleMaps": {}}], "toolConfig": {"x": 1}}),
            &["ehr"],
        ),
        (
            Gemini,
            json!({"tools": {"functionDeclarations": [declared("ehr"), declared("clock")]}, "tool_config": calling(&["clock", "ehr"])}),
            json!({"tools": {"functionDeclarations": [declared("clock")]}, "tool_config": calling(&["clock"])}),
            &["ehr"],
        ),
        (
            Gemini,
            json!({"toolConfig": calling(&["ehr"]), "tools": [{"functionDeclarations": declared("ehr")}]}),
            json!({"toolConfig": {"x": 1}}),
            &["ehr"],
        ),
        (
            Ollama,
            json!({"tools": [function("ehr"), function("clock")]}),
            json!({"tools": [function("clock")]}),
            &["ehr"],
        ),
        (Ollama, json!({"tools": [function("ehr")]}), json!({}), &["ehr"]),
        (
            Responses,
            json!({"tools": [flat("ehr"), {"type": "web_search_preview"}, {"type": "code_interpreter", "container": {"type": "auto"}}, {"type": "custom", "name": "clock"}], "tool_choice": "required"}),
            json!({"tools": [{"type": "web_search_preview"}, {"type": "custom", "name": "clock"}], "tool_choice": "required"}),
            &["code_interpreter", "ehr"],
        ),
        (
            Responses,
            json!({"tools": [{"type": "namespace", "name": "n", "tools": [flat("ehr"), flat("clock")]}, {"type": "namespace", "name": "o", "tools": [flat("ehr")]}], "tool_choice": flat_allowed(&["ehr", "clock"])}),
            json!({"tools": [{"type": "namespace", "name": "n", "tools": [flat("clock")]}], "tool_choice": flat_allowed(&["clock"])}),
            &["ehr"],
        ),
        (
            Responses,
            json!({"tools": [flat("clock"), flat("ehr")], "tool_choice": {"type": "function", "name": "ehr"}}),
            json!({"tools": [flat("clock")]}),
            &["ehr"],
        ),
        (
            Responses,
            json!({"tools": [flat("ehr")], "tool_choice": "auto", "parallel_tool_calls": true}),
            json!({}),
            &["ehr"],
        ),
        (
            Responses,
            json!({"input": [{"role": "user", "content": "Hi."}, {"type": "additional_tools", "role": "developer", "tools": [flat("ehr")]}, {"type": "additional_tools", "role": "developer", "tools": [flat("clock"), flat("ehr")]}]}),
            json!({"input": [{"role": "user", "content": "Hi."}, {"type": "additional_tools", "role": "developer", "tools": [flat("clock")]}]}),
            &["ehr"],
        ),
    ];
    for (dialect, more, left, taken) in rows {
        let body = with(dialect, &more);
        let asked = asked(dialect.wire(), dialect.named(), &body);
        assert_eq!(sent(&asked, &body), with(dialect, &left), "{dialect:?} {more}");
        assert_eq!(asked.judged.withheld, taken, "{dialect:?} {more}");
        assert_eq!(asked.judged.decision.verdict, Verdict::Allow);
    }
}

#[test]
fn what_counts_tokens_counts_those_of_what_would_be_sent() {
    let tool = json!({"name": "ehr", "input_schema": {"type": "object"}});
    let body = with(Dialect::Anthropic, &json!({"tools": [tool]}));
    let left = with(Dialect::Anthropic, &json!({}));
    assert_eq!(sent(&asked(&AnthropicCountTokens, None, &body), &body), left);
    let body = with(Dialect::Responses, &json!({"tools": [flat("ehr"), flat("clock")]}));
    let left = with(Dialect::Responses, &json!({"tools": [flat("clock")]}));
    assert_eq!(sent(&asked(&OpenaiResponsesTokens, None, &body), &body), left);
    let tools = json!({"tools": [{"functionDeclarations": [declared("ehr")]}]});
    let body = json!({"generateContentRequest": with(Dialect::Gemini, &tools)});
    let left = json!({"generateContentRequest": with(Dialect::Gemini, &json!({}))});
    assert_eq!(sent(&asked(&GeminiCount, Some("m"), &body), &body), left);
    let body = with(Dialect::Gemini, &tools);
    assert_eq!(
        sent(&asked(&GeminiGenerate, Some("m"), &body), &body),
        with(Dialect::Gemini, &json!({}))
    );
}

/// Bytes that nobody asked to be changed are the ones that came.
#[test]
fn the_rest_of_the_body_is_left_byte_for_byte() {
    let body = r#"{"model": "m",  "messages":[{"role":"user","content":"caf\u00e9"}], "tools" : [ {"type":"function","function":{"name":"clock"}} , {"function":{"n\u0061me":"e\u0068r"},"type":"function"} ] }"#;
    let asked = request(&rules(), Dialect::OpenAi.wire(), body);
    let Fate::Forward(Some(bytes)) = &asked.fate else {
        panic!("it was stopped")
    };
    let left = r#"{"model": "m",  "messages":[{"role":"user","content":"caf\u00e9"}], "tools" : [ {"type":"function","function":{"name":"clock"}} ] }"#;
    assert_eq!(str::from_utf8(bytes).expect("text"), left);
    assert_eq!(asked.judged.withheld, ["ehr"]);
}

/// What is taken out is not sent, so it is not judged either; what is left is masked as ever.
#[test]
fn what_is_judged_is_what_is_left() {
    let mut secret = function("ehr");
    secret["function"]["description"] = "Card 4111 1111 1111 1111".into();
    let mut body = with(Dialect::OpenAi, &json!({"tools": [secret, function("clock")]}));
    let asked_for = asked(Dialect::OpenAi.wire(), None, &body);
    assert!(asked_for.judged.masked.is_empty());
    body["messages"][0]["content"] = "Pay 4111 1111 1111 1111".into();
    let asked = asked(Dialect::OpenAi.wire(), None, &body);
    let left = sent(&asked, &body);
    assert_eq!(left["messages"][0]["content"], "Pay [payment-card]");
    assert_eq!(left["tools"], json!([function("clock")]));
    assert_eq!(asked.judged.withheld, ["ehr"]);
}

#[test]
fn the_record_says_what_was_withheld_and_by_which_citation() {
    let body = with(
        Dialect::OpenAi,
        &json!({"tools": [function("ehr"), function("mail ana@northwind.example")]}),
    );
    let asked = asked(Dialect::OpenAi.wire(), None, &body);
    let header = record::Header {
        id: "1",
        at_ms: 0,
        subject: "s",
        on_behalf_of: None,
    };
    let route = record::Route {
        alias: None,
        adapter: "gateway",
        wire: "openai-chat",
        endpoint: "POST /v1/chat/completions",
        bytes: 9,
        stream: false,
    };
    let rules = rules();
    let record = record::intent(&header, &route, &rules, &asked.judged);
    let record = serde_json::to_value(record).expect("JSON");
    assert_eq!(
        record["withheld"],
        json!({"access.tools": ["ehr", "mail [email-address]"]})
    );
    assert_eq!(record["decision"]["verdict"], "allow");
}

/// Observing changes nothing; neither does a policy that lists no tools, nor an exception while it holds.
#[test]
fn nothing_vanishes_unless_the_list_acts() {
    let body = with(
        Dialect::OpenAi,
        &json!({"tools": [function("ehr")], "tool_choice": "auto"}),
    );
    let excepted = |who: &str, then: &str| {
        granting(&format!(
            "exceptions:\n  - {{id: EX-1, clause: access.tools, who: {who}, then: {then}, reason: trial, compensating: review, requested: cto, approved: [ciso], expires: 2027-02-01}}\n"
        ))
    };
    let observing = POLICY
        .replace("THEN", "redact")
        .replace("MODE", "observe")
        .replace("UNAVAILABLE", "block")
        .replace("  clauses: [{id: AC-2,", "  tools: {list: [{tool: clock}]}\n  clauses: [{id: AC-3, statement: Tools., enforced_by: access.tools}, {id: AC-2,");
    for (rules, vanishes) in [
        (super::world::masking(), false),
        (of_text(&observing), false),
        (rules(), true),
        (excepted("{tool: ehr}", "coach"), false),
        (excepted("{tool: clock}", "coach"), true),
        (excepted("{group: staff}", "hold"), false),
        (excepted("{group: guests}", "coach"), true),
    ] {
        let asked = request(&rules, Dialect::OpenAi.wire(), &body.to_string());
        assert_eq!(asked.judged.withheld == ["ehr"], vanishes, "{:?}", rules.policy);
        assert_eq!(asked.fate != Fate::Forward(None), vanishes);
    }
}

/// A stream in which the model calls a tool that its request did not list.
fn calling(dialect: Dialect, tool: &str) -> String {
    let call = json!({"function": {"name": tool, "arguments": {}}});
    let events = match dialect {
        Dialect::OpenAi => chunk(
            0,
            &json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": tool, "arguments": "{}"}}]}),
            None,
        ),
        Dialect::Anthropic => {
            let block = json!({"type": "tool_use", "id": "t", "name": tool, "input": {}});
            named(&json!({"type": "content_block_start", "index": 1, "content_block": block}))
                + &named(&json!({"type": "content_block_stop", "index": 1}))
        }
        Dialect::Gemini => candidate(0, &json!([{"functionCall": {"name": tool, "args": {}}}]), None),
        Dialect::Ollama => line(&json!({"role": "assistant", "content": "", "tool_calls": [call]})),
        Dialect::Responses => {
            let item = json!({"type": "function_call", "id": "f", "call_id": "c", "name": tool, "arguments": "{}"});
            named(&json!({"type": "response.output_item.added", "output_index": 1, "item": item}))
                + &named(&json!({"type": "response.output_item.done", "output_index": 1, "item": item}))
        }
        Dialect::Completions => unreachable!("it has no tools"),
    };
    dialect.start() + &events + &dialect.end("")
}

/// The same in one piece.
fn called(dialect: Dialect, tool: &str) -> Value {
    let text = json!({"name": tool, "arguments": "{}"});
    match dialect {
        Dialect::OpenAi => {
            json!({"choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": text}]}}]})
        }
        Dialect::Anthropic => {
            json!({"type": "message", "content": [{"type": "tool_use", "id": "t", "name": tool, "input": {}}]})
        }
        Dialect::Gemini => {
            json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": tool, "args": {}}}]}}]})
        }
        Dialect::Ollama => {
            json!({"message": {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": tool, "arguments": {}}}]}, "done": true})
        }
        Dialect::Responses => {
            response(&json!([{"type": "function_call", "id": "f", "call_id": "c", "name": tool, "arguments": "{}"}]))
        }
        Dialect::Completions => unreachable!("it has no tools"),
    }
}

#[test]
fn a_call_of_what_was_withheld_is_refused_all_the_same() {
    let rules = rules();
    for dialect in WITH_TOOLS {
        for (tool, verdict) in [
            ("clock", Verdict::Allow),
            ("ehr", Verdict::Block),
            ("wipe", Verdict::Block),
        ] {
            let (judged, fate) = admitted(&rules, dialect).answer(called(dialect, tool).to_string().as_bytes());
            assert_eq!(judged.decision.verdict, verdict, "{dialect:?} {tool}");
            assert_eq!(fate == Fate::Stop, verdict == Verdict::Block);
            let done = run_whole(&rules, dialect, &calling(dialect, tool));
            assert_eq!(done.judged.decision.verdict, verdict, "{dialect:?} {tool}");
            assert_eq!(done.ending == Ending::Stopped, verdict == Verdict::Block);
        }
    }
}
