use proptest::prelude::*;
use serde_json::{Value, json};

use super::{OpenaiResponses, OpenaiResponsesTokens};
use crate::exchange::{Fixed, Half, Opaque, Part, ToolCall};
use crate::verdict::Source;
use crate::wire::fixture::uninspectable;
use crate::wire::sse::{Event, Item, SseParser};
use crate::wire::{EventReading, Flow, Refusal, Seen, Talk as _, Wire as _};

fn request(body: &Value) -> Half {
    OpenaiResponses
        .read_request(body.to_string().as_bytes(), None)
        .expect("is a request")
}

fn answer(body: &Value) -> Half {
    OpenaiResponses
        .read_answer(body.to_string().as_bytes())
        .expect("is an answer")
}

fn event(data: &Value) -> EventReading {
    let name = data["type"].as_str().map(str::to_owned);
    let event = Event {
        event: name,
        data: data.to_string(),
    };
    OpenaiResponses.read_event(&event).expect("is an event")
}

fn part<'h>(half: &'h Half, pointer: &str) -> &'h Part {
    half.parts
        .iter()
        .find(|part| part.pointer == pointer && part.fixed != Some(Fixed::Key))
        .unwrap_or_else(|| panic!("no part at {pointer}"))
}

/// The pieces that are not still, with what they flow as.
fn flows(reading: &EventReading) -> Vec<(&str, Flow, &str)> {
    let flowing = reading
        .fragments
        .iter()
        .filter(|fragment| fragment.flow != Flow::Still && !fragment.text.is_empty());
    flowing
        .map(|fragment| (fragment.channel.as_str(), fragment.flow, fragment.text.as_str()))
        .collect()
}

/// A request with every kind of item and tool.
fn everything() -> Value {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string", "description": "d", "enum": ["e"]}}});
    json!({
        "model": "m",
        "instructions": "be kind",
        "input": [
            {"role": "user", "content": "hello"},
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "be brief"}]},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "said", "annotations": [{"type": "url_citation", "url": "https://a.example", "title": "page", "start_index": 0, "end_index": 1}]},
                {"type": "refusal", "refusal": "no"}]},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "pay", "arguments": "{\"to\": [\"you\"]}", "status": "completed"},
            {"type": "function_call_output", "call_id": "call_1", "output": "paid"},
            {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "paid twice"}]},
            {"type": "custom_tool_call", "call_id": "call_2", "name": "sh", "input": "ls \\d"},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": "files"},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "why"}], "content": [{"type": "reasoning_text", "text": "so"}]},
            {"type": "file_search_call", "id": "fs_1", "queries": ["q"], "results": [{"file_id": "file-1", "filename": "f", "text": "found", "attributes": {"id": "x"}}]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "w", "sources": [{"type": "url", "url": "https://b.example"}]}},
            {"type": "computer_call", "id": "cu_1", "call_id": "call_3", "action": {"type": "type", "text": "typed"}, "pending_safety_checks": []},
            {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "s", "tools": [{"name": "t", "description": "does", "input_schema": schema}]},
            {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "s", "name": "t", "arguments": "{\"a\": \"b\"}"},
            {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": false, "reason": "because"},
            {"type": "mcp_call", "id": "mcp_1", "server_label": "s", "name": "t", "arguments": "{\"a\": \"c\"}", "output": "result"},
            {"type": "code_interpreter_call", "id": "ci_1", "container_id": "cntr_1", "code": "print", "outputs": [{"type": "logs", "logs": "out"}]},
            {"type": "local_shell_call", "id": "ls_1", "call_id": "call_4", "action": {"type": "exec", "command": ["cat"], "env": {"id": "value"}}},
            {"type": "local_shell_call_output", "id": "ls_2", "output": "{\"o\": \"p\"}"},
            {"type": "shell_call", "call_id": "call_5", "action": {"commands": ["pwd"]}},
            {"type": "shell_call_output", "call_id": "call_5", "output": [{"stdout": "home", "stderr": "none", "outcome": {"type": "exit", "exit_code": 0}}]},
            {"type": "apply_patch_call", "call_id": "call_6", "status": "completed", "operation": {"type": "update_file", "path": "p", "diff": "+1"}},
            {"type": "apply_patch_call_output", "call_id": "call_6", "status": "failed", "output": "oops"},
            {"type": "tool_search_call", "arguments": {"id": "mail"}},
            {"type": "tool_search_output", "tools": [{"type": "function", "name": "g", "description": "sends", "parameters": schema}]},
            {"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "h", "description": "runs"}]},
            {"type": "program", "id": "p_1", "call_id": "call_7", "code": "go", "fingerprint": "f"},
            {"type": "program_output", "id": "p_2", "call_id": "call_7", "result": "went", "status": "completed"},
            {"type": "compaction_trigger"},
        ],
        "tools": [
            {"type": "function", "name": "pay", "description": "pays", "parameters": schema, "strict": true},
            {"type": "custom", "name": "sh", "description": "runs", "format": {"type": "grammar", "syntax": "lark", "definition": "start"}},
            {"type": "namespace", "name": "ns", "description": "more", "tools": [{"type": "function", "name": "n", "description": "inner", "parameters": schema}]},
            {"type": "web_search", "user_location": {"type": "approximate", "city": "Bonn"}},
            {"type": "tool_search", "description": "seeks", "parameters": schema},
            {"type": "computer_use_preview", "environment": "mac"},
            {"type": "image_generation", "size": "auto"}, {"type": "local_shell"}, {"type": "apply_patch"},
            {"type": "shell", "environment": {"type": "local"}},
        ],
        "text": {"format": {"type": "json_schema", "name": "out", "description": "shape", "schema": schema}, "verbosity": "low"},
        "tool_choice": {"type": "function", "name": "pay"},
        "metadata": {"id": "free"}, "user": "u", "safety_identifier": "si", "prompt_cache_key": "pk",
        "include": ["reasoning.encrypted_content"], "store": false, "background": false, "stream": true,
        "x_new": {"deep": ["vendor"]},
    })
}

/// Calls `visit` with the pointer of every string within `value`.
fn strings(value: &Value, pointer: &str, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(_) => visit(pointer),
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                strings(value, &format!("{pointer}/{index}"), visit);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                strings(value, &format!("{pointer}/{name}"), visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn a_planted_value_shows_up_wherever_it_stands() {
    let everything = everything();
    let half = request(&everything);
    assert_eq!(uninspectable(&half), []);
    let mut pointers = Vec::new();
    strings(&everything, "", &mut |pointer| pointers.push(pointer.to_owned()));
    assert!(pointers.len() > 150);
    for pointer in pointers {
        let mut body = everything.clone();
        *body.pointer_mut(&pointer).expect("is there") = "canary".into();
        let half = request(&body);
        assert_eq!(part(&half, &pointer).text, "canary");
        // In an answer, too.
        let half = answer(&json!({"output": [], "x": body}));
        assert_eq!(part(&half, &format!("/x{pointer}")).text, "canary");
    }
}

#[test]
fn every_part_has_who_wrote_it_and_whether_it_can_be_edited() {
    let half = request(&everything());
    let (key, name) = (Some(Fixed::Key), Some(Fixed::Name));
    assert!(half.parts.iter().any(|part| part.fixed == key));
    for (pointer, source, fixed) in [
        ("/model", Source::User, name),
        ("/instructions", Source::System, None),
        ("/input/0/content", Source::User, None),
        ("/input/1/content/0/text", Source::System, None),
        ("/input/2/content/0/text", Source::Model, None),
        ("/input/2/content/0/annotations/0/title", Source::Retrieved, None),
        ("/input/2/content/1/refusal", Source::Model, None),
        ("/input/2/status", Source::Model, name),
        ("/input/3/name", Source::Model, name),
        ("/input/3/call_id", Source::Model, name),
        ("/input/3/arguments#/to/0", Source::Model, None),
        ("/input/4/output", Source::Tool, None),
        ("/input/5/output/0/text", Source::Tool, None),
        ("/input/6/input", Source::Model, None),
        ("/input/7/output", Source::Tool, None),
        ("/input/8/summary/0/text", Source::Model, None),
        ("/input/8/content/0/text", Source::Model, None),
        ("/input/9/queries/0", Source::Model, None),
        ("/input/9/results/0/text", Source::Retrieved, None),
        ("/input/9/results/0/attributes/id", Source::Retrieved, None),
        ("/input/10/action/query", Source::Model, None),
        ("/input/10/action/sources/0/url", Source::Retrieved, None),
        ("/input/11/action/text", Source::Model, None),
        ("/input/12/tools/0/name", Source::Tool, name),
        (
            "/input/12/tools/0/input_schema/properties/a/description",
            Source::Tool,
            None,
        ),
        ("/input/13/arguments#/a", Source::Model, None),
        ("/input/14/reason", Source::User, None),
        ("/input/15/arguments#/a", Source::Model, None),
        ("/input/15/output", Source::Tool, None),
        ("/input/16/code", Source::Model, None),
        ("/input/16/outputs/0/logs", Source::Tool, None),
        ("/input/17/action/command/0", Source::Model, None),
        ("/input/17/action/env/id", Source::Model, None),
        ("/input/18/output#/o", Source::Tool, None),
        ("/input/19/action/commands/0", Source::Model, None),
        ("/input/20/output/0/stdout", Source::Tool, None),
        ("/input/21/operation/diff", Source::Model, None),
        ("/input/22/output", Source::Tool, None),
        ("/input/23/arguments/id", Source::Model, None),
        ("/input/24/tools/0/description", Source::Tool, None),
        ("/input/25/tools/0/description", Source::System, None),
        ("/input/26/code", Source::Model, None),
        ("/input/27/result", Source::Tool, None),
        ("/tools/0/name", Source::System, name),
        ("/tools/0/description", Source::System, None),
        ("/tools/0/parameters/properties/a/enum/0", Source::System, name),
        ("/tools/0/parameters/properties/a/description", Source::System, None),
        ("/tools/1/format/definition", Source::System, name),
        ("/tools/2/tools/0/description", Source::System, None),
        ("/tools/2/tools/0/parameters/properties/a/enum/0", Source::System, name),
        ("/tools/3/user_location/city", Source::System, None),
        ("/text/format/name", Source::System, name),
        ("/text/format/description", Source::System, None),
        ("/text/format/schema/properties/a/enum/0", Source::System, name),
        ("/tool_choice/name", Source::User, name),
        ("/metadata/id", Source::User, None),
        ("/user", Source::User, None),
        ("/x_new/deep/0", Source::User, None),
    ] {
        let part = part(&half, pointer);
        assert_eq!((part.source, part.fixed), (source, fixed), "{pointer}");
    }
    assert!(half.stream);
    assert_eq!(half.model.as_deref(), Some("m"));
}

#[test]
fn what_no_detector_can_read_is_reported() {
    let content = json!([
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_image", "image_url": "https://pictures.example/1.png"},
        {"type": "input_image", "file_id": "file-1"},
        {"type": "input_file", "filename": "f", "file_data": "data:application/pdf;base64,AAAA"},
        {"type": "input_file", "file_id": "file-2"},
        {"type": "input_file", "file_url": "https://files.example/f.pdf"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "hologram", "beam": "x"},
        {"type": "input_text", "text": "hidden", "file_data": "AAAA"},
        7,
    ]);
    let half = request(&json!({"model": "m", "input": [
        {"role": "user", "content": content},
        {"role": "tool", "content": "x"},
        {"type": "message", "content": "x"},
        {"role": "user", "content": 7},
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_2"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "compaction", "encrypted_content": "gAAA"},
        {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,AAAA"}},
        {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "file_id": "file-3"}},
        {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AAAA"},
        {"type": "code_interpreter_call", "id": "ci_1", "outputs": [{"type": "image", "url": "https://files.example/1.png"}]},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{\"a\":\"\\u0041\",}"},
        {"type": "novel_call", "beam": "x"},
        "loose",
    ], "tools": [
        {"type": "mcp", "server_label": "s", "server_url": "https://mcp.example", "authorization": "t", "headers": {"x": "y"}},
        {"type": "mcp", "server_label": "s", "connector_id": "connector_gmail"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "code_interpreter", "container": "cntr_1"},
        {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file-4"]}},
        {"type": "code_interpreter", "container": {"type": "auto", "file_ids": []}},
        {"type": "shell", "environment": {"type": "container_auto", "skills": [{"type": "skill_reference", "skill_id": "sk"}, {"type": "inline", "source": {"data": "AAAA"}}]}},
        {"type": "shell", "environment": {"type": "container_reference", "container_id": "cntr_2"}},
        {"type": "image_generation", "input_image_mask": {"file_id": "file-5"}},
        {"type": "namespace", "name": "n", "tools": [{"type": "novel"}]},
        {"type": "novel"},
    ], "previous_response_id": "resp_1", "conversation": {"id": "conv_1"}, "background": true,
       "prompt": {"id": "pmpt_1", "version": "2", "variables": {"id": "free", "pic": {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}}}}));
    let at = |pointer: &str, what: Opaque| (pointer.to_owned(), what);
    let input = "/input/0/content";
    let mut expected = vec![
        at(&format!("{input}/1"), Opaque::Image),
        at(&format!("{input}/2"), Opaque::Image),
        at(&format!("{input}/2/image_url"), Opaque::RemoteReference),
        at(&format!("{input}/3"), Opaque::Image),
        at(&format!("{input}/3/file_id"), Opaque::ServerState),
        at(&format!("{input}/4"), Opaque::File),
        at(&format!("{input}/5/file_id"), Opaque::ServerState),
        at(&format!("{input}/6/file_url"), Opaque::RemoteReference),
        at(&format!("{input}/7"), Opaque::Audio),
        at(&format!("{input}/8"), Opaque::Unrecognized),
        at(&format!("{input}/9"), Opaque::File),
        at(&format!("{input}/10"), Opaque::Unrecognized),
        at("/input/1", Opaque::Unrecognized),
        at("/input/2", Opaque::Unrecognized),
        at("/input/3/content", Opaque::Unrecognized),
        at("/input/4", Opaque::ServerState),
        at("/input/5", Opaque::ServerState),
        at("/input/6/encrypted_content", Opaque::EncryptedReasoning),
        at("/input/7/encrypted_content", Opaque::EncryptedReasoning),
        at("/input/8/output", Opaque::Image),
        at("/input/9/output", Opaque::ServerState),
        at("/input/9/output/file_id", Opaque::ServerState),
        at("/input/10/result", Opaque::Image),
        at("/input/11/outputs/0", Opaque::Image),
        at("/input/11/outputs/0/url", Opaque::RemoteReference),
        at("/input/12/output/0", Opaque::Image),
        at("/input/13/arguments", Opaque::Unrecognized),
        at("/input/14", Opaque::Unrecognized),
        at("/input/15", Opaque::Unrecognized),
        at("/tools/0/server_url", Opaque::RemoteReference),
        at("/tools/1/connector_id", Opaque::RemoteReference),
        at("/tools/2/vector_store_ids", Opaque::ServerState),
        at("/tools/3/container", Opaque::ServerState),
        at("/tools/4/container/file_ids", Opaque::ServerState),
        at("/tools/6/environment/skills/0/skill_id", Opaque::ServerState),
        at("/tools/6/environment/skills/1/source", Opaque::File),
        at("/tools/7/environment/container_id", Opaque::ServerState),
        at("/tools/8/input_image_mask", Opaque::Image),
        at("/tools/8/input_image_mask/file_id", Opaque::ServerState),
        at("/tools/9/tools/0", Opaque::Unrecognized),
        at("/tools/10", Opaque::Unrecognized),
        at("/background", Opaque::ServerState),
        at("/conversation", Opaque::ServerState),
        at("/previous_response_id", Opaque::ServerState),
        at("/prompt", Opaque::ServerState),
        at("/prompt/variables/pic", Opaque::Image),
    ];
    let mut found: Vec<(String, Opaque)> = half
        .uninspectable
        .iter()
        .map(|one| (one.pointer.clone(), one.what))
        .collect();
    let key = |one: &(String, Opaque)| (one.0.clone(), one.1.as_str());
    expected.sort_by_key(key);
    found.sort_by_key(key);
    assert_eq!(found, expected);
    // And its strings are read all the same.
    assert_eq!(part(&half, "/input/14/beam").text, "x");
    assert_eq!(part(&half, "/tools/0/authorization").fixed, Some(Fixed::Name));
    assert_eq!(part(&half, "/prompt/variables/id").fixed, None);
}

#[test]
fn a_request_without_the_basic_shape_is_malformed() {
    for body in [
        json!([]),
        json!({}),
        json!({"input": "x"}),
        json!({"prompt": {"id": "pmpt_1"}, "input": "x"}),
        json!({"model": "m", "input": {}}),
        json!({"model": "m", "input": 1}),
        json!({"model": "gpt 4", "input": "x"}),
        json!({"model": "m", "input": "x", "stream": "true"}),
    ] {
        let body = body.to_string();
        assert!(OpenaiResponses.read_request(body.as_bytes(), None).is_err(), "{body}");
        assert!(
            OpenaiResponsesTokens.read_request(body.as_bytes(), None).is_err(),
            "{body}"
        );
    }
    assert_eq!(
        part(&request(&json!({"model": "m", "input": "hello"})), "/input").text,
        "hello"
    );
    assert!(!request(&json!({"model": "m", "input": null, "stream": null})).stream);
    assert!(OpenaiResponses.read_answer(b"[]").is_err());
}

#[test]
fn counting_tokens_reads_the_same_request_and_never_streams() {
    let body = everything().to_string();
    let half = OpenaiResponsesTokens
        .read_request(body.as_bytes(), None)
        .expect("is a request");
    assert_eq!(half.parts, request(&everything()).parts);
    assert!(!half.stream && OpenaiResponsesTokens.talk().is_none());
    let half = OpenaiResponsesTokens
        .read_answer(br#"{"object":"response.input_tokens","input_tokens":11,"x":"canary"}"#)
        .expect("is an answer");
    assert_eq!(part(&half, "/x").text, "canary");
}

/// A response as an API would answer, with the request in it.
fn answered() -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": "completed", "model": "m-2024", "error": null,
        "instructions": "be kind", "previous_response_id": "resp_0", "conversation": {"id": "conv_1"}, "background": false,
        "tools": [{"type": "mcp", "server_label": "s", "server_url": "https://mcp.example", "headers": null},
            {"type": "file_search", "vector_store_ids": ["vs_1"]}],
        "metadata": {"id": "free"}, "prompt": {"id": "pmpt_1", "variables": {"a": "b"}},
        "output": [
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "said", "logprobs": [{"token": "sa", "logprob": -0.1, "bytes": [], "top_logprobs": []}],
                 "annotations": [{"type": "file_citation", "file_id": "file-1", "filename": "f", "index": 0},
                    {"type": "url_citation", "url": "https://a.example", "title": "page", "start_index": 0, "end_index": 1}]}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "why"}], "encrypted_content": null},
            {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "pay", "arguments": "{\"to\": \"you\"}"},
            {"type": "custom_tool_call", "id": "ct_1", "call_id": "c", "name": "sh", "input": "ls"},
            {"type": "mcp_call", "id": "mcp_1", "server_label": "s", "name": "find", "arguments": "{}", "output": "result"},
            {"type": "shell_call", "id": "sh_1", "call_id": "c", "action": {"commands": ["pwd"]}},
            {"type": "web_search_call", "id": "ws_1", "action": {"query": "q"}},
            {"type": "function_call", "id": "fc_2", "call_id": "c", "name": "", "arguments": "{}"},
        ],
        "incomplete_details": null, "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
    })
}

#[test]
fn an_answer_is_read_item_by_item() {
    let half = answer(&answered());
    assert_eq!(half.model.as_deref(), Some("m-2024"));
    let call = |tool: &str, arguments: Option<&str>| ToolCall {
        tool: tool.to_owned(),
        arguments: arguments.map(str::to_owned),
    };
    let expected = [
        call("pay", Some("{\"to\": \"you\"}")),
        call("sh", None),
        call("find", Some("{}")),
        call("shell", Some("{\"commands\":[\"pwd\"]}")),
        call("web_search", Some("{\"query\":\"q\"}")),
    ];
    assert_eq!(half.tools, expected);
    // What the request said hides nothing here, and a citation only names what it cites.
    assert_eq!(uninspectable(&half), []);
    for (pointer, source) in [
        ("/output/0/content/0/text", Source::Model),
        ("/output/0/content/0/annotations/1/title", Source::Retrieved),
        ("/output/2/arguments#/to", Source::Model),
        ("/output/4/output", Source::Tool),
        ("/instructions", Source::System),
        ("/metadata/id", Source::User),
        ("/prompt/variables/a", Source::User),
    ] {
        assert_eq!(
            (part(&half, pointer).source, part(&half, pointer).fixed),
            (source, None),
            "{pointer}"
        );
    }
    let half = answer(&json!({"output": [
        {"type": "image_generation_call", "id": "ig_1", "result": "AAAA"},
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
        {"type": "novel"},
    ]}));
    let expected = [
        ("/output/0/result", Opaque::Image),
        ("/output/1/encrypted_content", Opaque::EncryptedReasoning),
        ("/output/2", Opaque::Unrecognized),
    ];
    assert_eq!(uninspectable(&half), expected);
}

#[test]
fn what_vouches_falls_with_the_text_beside_it_only() {
    let mut body = answered();
    body["output"][1]["encrypted_content"] = "gAAA".into();
    let body = body.to_string();
    let half = OpenaiResponses.read_answer(body.as_bytes()).expect("is an answer");
    let falsified = |pointer: &str| -> Vec<&str> {
        let at = half
            .parts
            .iter()
            .position(|part| part.pointer == pointer && part.fixed != Some(Fixed::Key));
        let ranges = OpenaiResponses.falsified(body.as_bytes(), &half, &[at.expect("is a part")]);
        ranges
            .into_iter()
            .map(|range| body.get(range).expect("is in the body"))
            .collect()
    };
    assert!(matches!(falsified("/output/0/content/0/text")[..], [one] if one.contains("token")));
    assert_eq!(falsified("/output/1/summary/0/text"), ["\"gAAA\""]);
    assert!(falsified("/output/2/arguments#/to").is_empty());
    assert!(falsified("/instructions").is_empty());
}

#[test]
fn a_text_has_one_channel_wherever_it_is_said() {
    let text = "output/1/content/2/text";
    let part = json!({"type": "output_text", "text": "abc", "annotations": []});
    let item = json!({"type": "message", "id": "m", "role": "assistant", "content": [{}, {}, part]});
    let at = json!({"item_id": "m", "output_index": 1, "content_index": 2});
    let about = |kind: &str, name: &str, value: &Value| {
        let mut data = at.clone();
        data["type"] = format!("response.{kind}").into();
        data[name] = value.clone();
        event(&data)
    };
    let delta = about("output_text.delta", "delta", &"abc".into());
    assert_eq!(flows(&delta), [(text, Flow::Text, "abc")]);
    assert!(delta.ends.is_empty());
    for (reading, end) in [
        (about("output_text.done", "text", &"abc".into()), text),
        (about("content_part.done", "part", &part), "output/1/content/2/"),
        (about("output_item.done", "item", &item), "output/1/"),
    ] {
        assert_eq!(flows(&reading), [(text, Flow::Told, "abc")]);
        assert_eq!(reading.ends, [end]);
        assert!(!reading.terminal && reading.carriers.is_empty());
    }
    for (reading, kind) in [
        (about("content_part.added", "part", &part), "response.output_text.delta"),
        (about("output_item.added", "item", &item), "response.output_text.delta"),
    ] {
        assert_eq!(flows(&reading), [(text, Flow::Text, "abc")]);
        let [carrier] = &reading.carriers[..] else {
            panic!("one carrier")
        };
        assert_eq!(
            (carrier.channel.as_str(), carrier.event.event.as_deref()),
            (text, Some(kind))
        );
        let again = OpenaiResponses.read_event(&carrier.event).expect("is an event");
        assert_eq!(again.number, carrier.number);
        let token = again
            .fragments
            .iter()
            .find(|fragment| fragment.channel == text)
            .map(|one| one.token.clone());
        assert_eq!(token, Some(carrier.token.clone()));
    }
    for kind in ["completed", "failed", "incomplete"] {
        let reading = event(
            &json!({"type": format!("response.{kind}"), "response": {"id": "r", "output": [{}, item]}, "sequence_number": 12}),
        );
        assert_eq!(flows(&reading), [(text, Flow::Told, "abc")]);
        assert!(reading.terminal && reading.number.is_some());
    }
}

#[test]
fn everything_that_grows_has_a_channel_of_its_own() {
    for (kind, channel, flow) in [
        ("refusal", "output/1/content/2/refusal", Flow::Text),
        ("reasoning_text", "output/1/content/2/text", Flow::Text),
        ("reasoning_summary_text", "output/1/summary/3/text", Flow::Text),
        ("function_call_arguments", "output/1/arguments", Flow::Arguments),
        ("mcp_call_arguments", "output/1/arguments", Flow::Arguments),
        ("custom_tool_call_input", "output/1/input", Flow::Arguments),
        ("code_interpreter_call_code", "output/1/code", Flow::Text),
        ("shell_call_command", "output/1/action/commands/4", Flow::Text),
        ("novel", "output/1/response.novel.2.3.4/", Flow::Text),
    ] {
        let at = |what: &str| json!({"type": format!("response.{kind}.{what}"), "output_index": 1, "content_index": 2, "summary_index": 3, "command_index": 4});
        let mut delta = at("delta");
        delta["delta"] = "abc".into();
        assert_eq!(flows(&event(&delta)), [(channel, flow, "abc")]);
        assert_eq!(event(&at("done")).ends, [channel]);
    }
    let nested = event(
        &json!({"type": "response.shell_call_output_content.delta", "output_index": 0, "command_index": 1, "delta": {"stdout": "a"}}),
    );
    let channel = "output/0/response.shell_call_output_content.1/stdout";
    assert_eq!(flows(&nested), [(channel, Flow::Text, "a")]);
    assert!(
        nested
            .fragments
            .iter()
            .all(|fragment| fragment.flow == Flow::Still || fragment.source == Source::Tool)
    );
    let spoken = event(&json!({"type": "response.audio.transcript.delta", "delta": "a"}));
    assert_eq!(flows(&spoken), [("response.audio.transcript/", Flow::Text, "a")]);
    let sound = event(&json!({"type": "response.audio.delta", "delta": "AAAA"}));
    assert_eq!(sound.uninspectable[0].what, Opaque::Audio);
    let picture = event(
        &json!({"type": "response.image_generation_call.partial_image", "partial_image_b64": "AAAA", "output_index": 0}),
    );
    assert_eq!(picture.uninspectable[0].what, Opaque::Image);
    let cited = event(
        &json!({"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0, "annotation_index": 1,
        "annotation": {"type": "url_citation", "title": "page"}}),
    );
    assert_eq!(
        flows(&cited),
        [("output/0/content/0/annotations/1/title", Flow::Told, "page")]
    );
}

#[test]
fn a_call_begins_with_its_item_and_has_its_arguments_when_it_is_done() {
    let read = |kind: &str, item: &Value| {
        event(&json!({"type": format!("response.output_item.{kind}"), "output_index": 3, "item": item}))
    };
    for (item, tool, arguments) in [
        (
            json!({"type": "function_call", "name": "pay", "arguments": "{}"}),
            "pay",
            None,
        ),
        (
            json!({"type": "function_call", "name": "pay", "arguments": {"a": 1}}),
            "pay",
            Some("{\"a\":1}"),
        ),
        (
            json!({"type": "custom_tool_call", "name": "sh", "input": "ls"}),
            "sh",
            None,
        ),
        (
            json!({"type": "shell_call", "action": {"commands": []}}),
            "shell",
            Some("{\"commands\":[]}"),
        ),
        (
            json!({"type": "apply_patch_call", "operation": {"type": "x"}}),
            "apply_patch",
            Some("{\"type\":\"x\"}"),
        ),
    ] {
        for (kind, arguments) in [("added", None), ("done", arguments)] {
            let reading = read(kind, &item);
            let [begun] = &reading.tools[..] else {
                panic!("one call")
            };
            assert_eq!(begun.channel, "output/3/");
            assert_eq!(
                (begun.call.tool.as_str(), begun.call.arguments.as_deref()),
                (tool, arguments),
                "{kind} {item}"
            );
        }
    }
    assert!(
        read("done", &json!({"type": "reasoning", "summary": []}))
            .tools
            .is_empty()
    );
}

#[test]
fn an_event_says_which_call_it_has_a_part_of_and_whether_that_is_all() {
    let of = |kind: &str, more: Value| {
        let mut data = json!({"type": format!("response.{kind}"), "sequence_number": 4, "output_index": 3});
        let members = data.as_object_mut().expect("an object");
        members.extend(more.as_object().cloned().unwrap_or_default());
        data
    };
    let item = |kind: &str| json!({"item": {"type": kind, "id": "i"}});
    let piece = json!({"item_id": "i", "delta": "{", "obfuscation": "aX3"});
    for (data, is_of_a_call, only) in [
        (of("output_item.added", item("function_call")), true, false),
        (of("output_item.added", item("mcp_call")), true, false),
        (of("output_item.added", item("mcp_approval_request")), true, false),
        (of("output_item.added", item("later_call")), true, false),
        (of("output_item.added", item("web_search_call")), false, false),
        (of("output_item.added", item("code_interpreter_call")), false, false),
        (of("output_item.added", item("message")), false, false),
        (of("function_call_arguments.delta", piece.clone()), true, true),
        (of("custom_tool_call_input.delta", piece.clone()), true, true),
        (
            of("function_call_arguments.delta", json!({"delta": "{", "x": "y"})),
            true,
            false,
        ),
        (
            of("function_call_arguments.done", json!({"arguments": "{}"})),
            true,
            false,
        ),
        (of("output_text.delta", piece.clone()), false, false),
        (of("code_interpreter_call_code.delta", piece), false, false),
    ] {
        let reading = event(&data);
        assert_eq!(
            reading.calls.iter().any(|call| call == "output/3/"),
            is_of_a_call,
            "{data}"
        );
        assert_eq!(reading.only_arguments, only, "{data}");
    }
}

#[test]
fn an_event_that_sdks_could_take_for_two_is_refused() {
    let read = |name: Option<&str>, data: &str| {
        OpenaiResponses.read_event(&Event {
            event: name.map(str::to_owned),
            data: data.to_owned(),
        })
    };
    assert!(read(Some("response.completed"), r#"{"type":"response.output_text.delta"}"#).is_err());
    assert!(read(None, r#"{"type":"response.output_text.delta","output_index":"0"}"#).is_err());
    assert!(
        read(
            None,
            r#"{"type":"response.output_text.delta","output_index":0,"content_index":-1}"#
        )
        .is_err()
    );
    assert!(read(None, "not json").is_err());
    // The name stands for the type.
    assert!(read(Some("response.completed"), "{}").expect("is an event").terminal);
    assert!(read(None, "[DONE]").expect("is an event").terminal);
    assert!(
        read(None, r#"{"type":"error","message":"m"}"#)
            .expect("is an event")
            .terminal
    );
    assert_eq!(read(Some("leak"), "").expect("is an event").fragments[0].text, "leak");
    assert_eq!(read(Some("leak"), "{}").expect("is an event").fragments[0].text, "leak");
}

#[test]
fn long_names_do_not_multiply() {
    let (name, many) = ("n".repeat(1_000_000), vec!["x"; 100_000]);
    for data in [
        json!({"type": "response.output_text.delta", "delta": {&name: &many}}),
        json!({"type": "response.completed", "response": {&name: &many}}),
        json!({"type": "response.output_item.done", "item": {&name: &many}}),
    ] {
        assert!(OpenaiResponses.read_event(&Event::data(data.to_string())).is_err());
    }
}

const REFUSAL: Refusal<'_> = Refusal {
    message: "No \"cards\",\nplease.",
    model: "m",
    record: "r1",
    at: 1_700_000_000,
};

fn events(bytes: &[u8]) -> Vec<Event> {
    let mut parser = SseParser::default();
    let items = parser.push(bytes).expect("is a stream");
    parser.finish().expect("is whole");
    let event = |item| match item {
        Item::Event(event) => Some(event),
        Item::Comment => None,
    };
    items.into_iter().filter_map(event).collect()
}

fn data(event: &Event) -> Value {
    let data: Value = serde_json::from_str(&event.data).expect("is JSON");
    assert_eq!(event.event.as_deref(), data["type"].as_str());
    data
}

#[test]
fn its_own_words_are_read_as_its_own() {
    let refusal = OpenaiResponses.refusal(&REFUSAL);
    let half = OpenaiResponses.read_answer(&refusal).expect("is an answer");
    assert_eq!(part(&half, "/output/0/content/0/text").text, REFUSAL.message);
    assert_eq!(part(&half, "/status").text, "incomplete");
    assert_eq!(part(&half, "/incomplete_details/reason").text, "content_filter");
    assert_eq!(uninspectable(&half), []);
    let stream = events(&OpenaiResponses.refusal_stream(&REFUSAL));
    let kinds: Vec<Value> = stream.iter().map(|event| data(event)["type"].clone()).collect();
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "incomplete",
    ];
    assert_eq!(kinds, expected.map(|kind| format!("response.{kind}")));
    let numbers: Vec<Value> = stream
        .iter()
        .map(|event| data(event)["sequence_number"].clone())
        .collect();
    assert_eq!(numbers, (0..9).map(Value::from).collect::<Vec<Value>>());
    let readings: Vec<EventReading> = stream
        .iter()
        .map(|event| OpenaiResponses.read_event(event).expect("is an event"))
        .collect();
    let grown: String = readings
        .iter()
        .flat_map(flows)
        .filter(|(_, flow, _)| flow.grows())
        .map(|(_, _, text)| text)
        .collect();
    assert_eq!(grown, REFUSAL.message);
    let terminal: Vec<bool> = readings.iter().map(|reading| reading.terminal).collect();
    assert_eq!(terminal, (0..9).map(|place| place == 8).collect::<Vec<bool>>());
    // The last event says what a whole answer would have said.
    let whole: Value = serde_json::from_slice(&refusal).expect("is JSON");
    assert_eq!(data(&stream[8])["response"], whole);

    let broken = events(&OpenaiResponses.broken_stream("gone"));
    assert!(OpenaiResponses.read_event(&broken[0]).expect("is an event").terminal);
    let error = data(&broken[0]);
    assert_eq!(
        (&error["message"], &error["error"]["message"]),
        (&json!("gone"), &json!("gone"))
    );
    assert_eq!(
        (&error["code"], &error["param"]),
        (&json!("upstream_failed"), &Value::Null)
    );
}

#[test]
fn a_stopped_stream_ends_well() {
    assert_eq!(
        OpenaiResponses.stop_stream(&Seen::default(), &REFUSAL),
        OpenaiResponses.refusal_stream(&REFUSAL)
    );
    let strings = |list: &[&str]| list.iter().map(|&it| it.to_owned()).collect::<Vec<String>>();
    let seen = Seen {
        begun: true,
        open: strings(&["output/2/content/0/text"]),
        channels: strings(&["still/type", "output/0/content/0/text", "output/2/content/0/text"]),
        first: Some(r#"{"type":"response.created","response":{"id":"resp_7","model":"m-2024","status":"in_progress","output":[],"usage":null}}"#.to_owned()),
        number: Some(41),
        ..Seen::default()
    };
    let events: Vec<Value> = events(&OpenaiResponses.stop_stream(&seen, &REFUSAL))
        .iter()
        .map(data)
        .collect();
    assert_eq!(events.len(), 7);
    assert_eq!(
        (&events[0]["output_index"], &events[0]["sequence_number"]),
        (&json!(3), &json!(42))
    );
    let last = &events[6]["response"];
    assert_eq!(
        (&last["id"], &last["model"], &last["status"]),
        (&json!("resp_7"), &json!("m-2024"), &json!("incomplete"))
    );
    assert_eq!(last["output"], json!([events[5]["item"]]));
    assert_eq!(events[5]["item"]["content"][0]["text"], REFUSAL.message);
    // A stream that began with something else.
    for first in [None, Some("{"), Some("{\"response\":1}"), Some("7")] {
        let seen = Seen {
            begun: true,
            first: first.map(str::to_owned),
            number: Some(u64::MAX),
            ..Seen::default()
        };
        let bytes = OpenaiResponses.stop_stream(&seen, &REFUSAL);
        assert!(
            String::from_utf8(bytes).expect("is UTF-8").contains("please."),
            "{first:?}"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = OpenaiResponses.read_request(&bytes, None);
        let _ = OpenaiResponses.read_answer(&bytes);
        let _ = OpenaiResponsesTokens.read_answer(&bytes);
        let _ = OpenaiResponses.read_event(&Event::data(String::from_utf8_lossy(&bytes).into_owned()));
    }

    #[test]
    fn odd_shapes_never_panic(
        names in proptest::collection::vec(prop::sample::select(&NAMES[..]), 1..9),
        leaf in prop::sample::select(&LEAVES[..]),
        kind in prop::sample::select(&KINDS[..]),
        list in any::<u16>(),
    ) {
        let mut value: Value = serde_json::from_str(leaf).expect("is JSON");
        for (depth, name) in names.iter().enumerate() {
            value = if list >> depth & 1 == 1 { json!([value]) } else { json!({*name: value, "type": kind}) };
        }
        let mut body = json!({"model": "m", "input": [value], "output": [value], "tools": [value], "type": format!("response.{kind}")});
        for name in ["item", "part", "delta", "response", "text", "prompt", "instructions", "annotation"] {
            body[name] = value.clone();
        }
        let body = body.to_string();
        let half = OpenaiResponses.read_request(body.as_bytes(), None).expect("is a request");
        let all: Vec<usize> = (0..half.parts.len()).collect();
        OpenaiResponses.falsified(body.as_bytes(), &half, &all);
        let strings = body.matches('"').count();
        prop_assert!(half.parts.len() <= strings);
        let _ = OpenaiResponses.read_answer(body.as_bytes());
        let _ = OpenaiResponses.read_event(&Event::data(body.clone()));
        let _ = OpenaiResponses.stop_stream(&Seen { begun: true, first: Some(body), ..Seen::default() }, &REFUSAL);
    }
}

const NAMES: [&str; 16] = [
    "role",
    "content",
    "arguments",
    "summary",
    "output",
    "action",
    "commands",
    "results",
    "tools",
    "container",
    "environment",
    "variables",
    "logprobs",
    "code",
    "name",
    "output_index",
];
const KINDS: [&str; 12] = [
    "message",
    "function_call",
    "mcp_call",
    "shell_call",
    "code_interpreter_call",
    "namespace",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "created",
    "completed",
    "novel.done",
];
const LEAVES: [&str; 7] = ["null", "\"x\"", "1", "true", "[]", "{}", "\"{\\\"a\\\":1}\""];
