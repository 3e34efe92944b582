//! A body for each row of each table: no table says more, or less, than its wire does.

use std::collections::BTreeSet;

use super::{Field, Sight, Table};
use crate::exchange::{Fixed, Half, Part};
use crate::verdict::{Direction, Source};
use crate::wire::sse::Event;
use crate::wire::{EventReading, Flow, Wire, all};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Prompt,
    Answer,
    Stream,
}

/// Bodies for the wires of these ids. Each row says what is in its field, in place of the `$` of the frame; a row that begins
/// with `=` is the whole body. Text in the field says `canary`.
struct Golden {
    wires: &'static [&'static str],
    place: Place,
    frame: &'static str,
    rows: &'static [(Field, &'static str)],
}

const GOLDEN: &[Golden] = &[
    Golden {
        wires: &["openai-chat"],
        place: Place::Prompt,
        frame: r#"{"model":"m","messages":[$]}"#,
        rows: &[
            (Field::Text, r#"{"role":"user","content":"a canary"}"#),
            (Field::SystemText, r#"{"role":"developer","content":"a canary"}"#),
            (
                Field::ToolDefinitions,
                r#"={"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f","description":"a canary","parameters":{}}}]}"#,
            ),
            (Field::EarlierAnswers, r#"{"role":"assistant","content":"a canary"}"#),
            (
                Field::ToolCalls,
                r#"{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":\"a canary\"}"}}]}"#,
            ),
            (
                Field::ToolResults,
                r#"{"role":"tool","tool_call_id":"c","content":"a canary"}"#,
            ),
            (
                Field::Reasoning,
                r#"{"role":"assistant","reasoning_content":"a canary"}"#,
            ),
            (Field::Names, r#"{"role":"user","name":"canary","content":"a"}"#),
            (
                Field::Images,
                r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#,
            ),
            (
                Field::Audio,
                r#"{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}"#,
            ),
            (
                Field::Files,
                r#"{"role":"user","content":[{"type":"file","file":{"file_data":"AAAA"}}]}"#,
            ),
            (
                Field::RemoteReferences,
                r#"={"model":"m","messages":[],"data_sources":[{"type":"azure_search"}]}"#,
            ),
            (
                Field::StoredState,
                r#"{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}"#,
            ),
            (
                Field::EncryptedReasoning,
                r#"{"role":"assistant","reasoning_details":[{"type":"reasoning.encrypted","data":"AAAA"}]}"#,
            ),
        ],
    },
    Golden {
        wires: &["openai-chat"],
        place: Place::Answer,
        frame: r#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant",$}}]}"#,
        rows: &[
            (Field::Text, r#""content":"a canary""#),
            (
                Field::ToolCalls,
                r#""tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":\"a canary\"}"}}]"#,
            ),
            (Field::Reasoning, r#""reasoning_content":"a canary""#),
            (Field::Names, r#""name":"canary""#),
            (
                Field::Images,
                r#""content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]"#,
            ),
            (
                Field::Images,
                r#""content":"a","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]"#,
            ),
            (Field::Audio, r#""audio":{"id":"a","data":"AAAA"}"#),
            (
                Field::EncryptedReasoning,
                r#""reasoning_details":[{"type":"reasoning.encrypted","data":"AAAA"}]"#,
            ),
            (
                Field::LogProbabilities,
                r#"={"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"b"},"logprobs":{"content":[{"token":"canary","logprob":-0.5}]}}]}"#,
            ),
        ],
    },
    Golden {
        wires: &["openai-chat"],
        place: Place::Stream,
        frame: r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{$}}]}"#,
        rows: &[
            (Field::Text, r#""content":"a canary""#),
            (
                Field::ToolCalls,
                r#""tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":\"a canary\"}"}}]"#,
            ),
            (Field::Reasoning, r#""reasoning_content":"a canary""#),
            (Field::Names, r#""name":"canary""#),
            (
                Field::Images,
                r#""content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]"#,
            ),
            (
                Field::Images,
                r#""content":"a","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]"#,
            ),
            (Field::Audio, r#""audio":{"id":"a","data":"AAAA"}"#),
            (
                Field::EncryptedReasoning,
                r#""reasoning_details":[{"type":"reasoning.encrypted","data":"AAAA"}]"#,
            ),
            (
                Field::LogProbabilities,
                r#"={"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{"token":"canary","logprob":-0.5}]}}]}"#,
            ),
        ],
    },
    Golden {
        wires: &["openai-responses", "openai-responses-tokens"],
        place: Place::Prompt,
        frame: r#"{"model":"m","input":[$]}"#,
        rows: &[
            (Field::Text, r#"{"role":"user","content":"a canary"}"#),
            (
                Field::SystemText,
                r#"={"model":"m","input":[],"instructions":"a canary"}"#,
            ),
            (
                Field::ToolDefinitions,
                r#"={"model":"m","input":[],"tools":[{"type":"function","name":"f","description":"a canary","parameters":{}}]}"#,
            ),
            (
                Field::EarlierAnswers,
                r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a canary"}]}"#,
            ),
            (
                Field::ToolCalls,
                r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":\"a canary\"}"}"#,
            ),
            (
                Field::ToolResults,
                r#"{"type":"function_call_output","call_id":"c","output":"a canary"}"#,
            ),
            (
                Field::Retrieved,
                r#"{"type":"file_search_call","id":"f","queries":["q"],"results":[{"file_id":"f","text":"a canary"}]}"#,
            ),
            (
                Field::Reasoning,
                r#"{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"a canary"}]}"#,
            ),
            (
                Field::Names,
                r#"{"type":"function_call","call_id":"c","name":"canary","arguments":"{}"}"#,
            ),
            (
                Field::Images,
                r#"{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}"#,
            ),
            (
                Field::Audio,
                r#"{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}"#,
            ),
            (
                Field::Files,
                r#"{"role":"user","content":[{"type":"input_file","file_data":"AAAA"}]}"#,
            ),
            (
                Field::RemoteReferences,
                r#"{"role":"user","content":[{"type":"input_file","file_url":"https://a.example/f"}]}"#,
            ),
            (
                Field::StoredState,
                r#"={"model":"m","input":"a","previous_response_id":"resp_1"}"#,
            ),
            (
                Field::EncryptedReasoning,
                r#"{"type":"reasoning","id":"r","summary":[],"encrypted_content":"AAAA"}"#,
            ),
        ],
    },
    Golden {
        wires: &["openai-responses"],
        place: Place::Answer,
        frame: r#"{"id":"r","model":"m","output":[$]}"#,
        rows: &[
            (
                Field::Text,
                r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a canary","annotations":[]}]}"#,
            ),
            (
                Field::ToolCalls,
                r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":\"a canary\"}"}"#,
            ),
            (
                Field::HostedCalls,
                r#"{"type":"mcp_call","id":"c","server_label":"s","name":"f","arguments":"{\"a\":\"a canary\"}"}"#,
            ),
            (
                Field::ToolResults,
                r#"{"type":"code_interpreter_call","id":"c","container_id":"k","code":"x","outputs":[{"type":"logs","logs":"a canary"}]}"#,
            ),
            (
                Field::Retrieved,
                r#"{"type":"file_search_call","id":"f","queries":["q"],"results":[{"file_id":"f","text":"a canary"}]}"#,
            ),
            (
                Field::Reasoning,
                r#"{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"a canary"}]}"#,
            ),
            (
                Field::Names,
                r#"{"type":"function_call","call_id":"c","name":"canary","arguments":"{}"}"#,
            ),
            (
                Field::Images,
                r#"{"type":"image_generation_call","id":"i","result":"AAAA"}"#,
            ),
            (
                Field::EncryptedReasoning,
                r#"{"type":"reasoning","id":"r","summary":[],"encrypted_content":"AAAA"}"#,
            ),
            (
                Field::LogProbabilities,
                r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"b","logprobs":[{"token":"canary","logprob":-0.5}]}]}"#,
            ),
        ],
    },
    Golden {
        wires: &["openai-responses"],
        place: Place::Stream,
        frame: r#"{"type":"response.output_item.done","output_index":0,"item":$}"#,
        rows: &[
            (
                Field::Text,
                r#"={"type":"response.output_text.delta","item_id":"i","output_index":0,"content_index":0,"delta":"a canary"}"#,
            ),
            (
                Field::ToolCalls,
                r#"{"type":"function_call","id":"i","call_id":"c","name":"f","arguments":"{\"a\":\"a canary\"}"}"#,
            ),
            (
                Field::HostedCalls,
                r#"{"type":"mcp_call","id":"c","server_label":"s","name":"f","arguments":"{\"a\":\"a canary\"}"}"#,
            ),
            (
                Field::ToolResults,
                r#"{"type":"code_interpreter_call","id":"c","container_id":"k","code":"x","outputs":[{"type":"logs","logs":"a canary"}]}"#,
            ),
            (
                Field::Retrieved,
                r#"{"type":"file_search_call","id":"f","queries":["q"],"results":[{"file_id":"f","text":"a canary"}]}"#,
            ),
            (
                Field::Reasoning,
                r#"={"type":"response.reasoning_summary_text.delta","item_id":"i","output_index":0,"summary_index":0,"delta":"a canary"}"#,
            ),
            (
                Field::Names,
                r#"{"type":"function_call","id":"i","call_id":"c","name":"canary","arguments":"{}"}"#,
            ),
            (
                Field::Images,
                r#"={"type":"response.image_generation_call.partial_image","item_id":"i","output_index":0,"partial_image_index":0,"partial_image_b64":"AAAA"}"#,
            ),
            (
                Field::EncryptedReasoning,
                r#"{"type":"reasoning","id":"r","summary":[],"encrypted_content":"AAAA"}"#,
            ),
            (
                Field::LogProbabilities,
                r#"={"type":"response.output_text.delta","item_id":"i","output_index":0,"content_index":0,"delta":"b","logprobs":[{"token":"canary","logprob":-0.5}]}"#,
            ),
        ],
    },
    Golden {
        wires: &["openai-completions"],
        place: Place::Prompt,
        frame: r#"{"model":"m",$}"#,
        rows: &[
            (Field::Text, r#""prompt":"a canary""#),
            (Field::Names, r#""prompt":"a","service_tier":"canary""#),
            (Field::TokenIds, r#""prompt":[17,23]"#),
        ],
    },
    Golden {
        wires: &["openai-completions"],
        place: Place::Answer,
        frame: r#"{"id":"c","model":"m","choices":[{"index":0,$}]}"#,
        rows: &[
            (Field::Text, r#""text":"a canary""#),
            (Field::Names, r#""text":"a","finish_reason":"canary""#),
            (
                Field::LogProbabilities,
                r#""text":"b","logprobs":{"tokens":["canary"],"token_logprobs":[-0.5]}"#,
            ),
        ],
    },
    Golden {
        wires: &["openai-completions"],
        place: Place::Stream,
        frame: r#"{"id":"c","model":"m","choices":[{"index":0,$}]}"#,
        rows: &[
            (Field::Text, r#""text":"a canary""#),
            (Field::Names, r#""text":"a","finish_reason":"canary""#),
            (
                Field::LogProbabilities,
                r#""text":"b","logprobs":{"tokens":["canary"],"token_logprobs":[-0.5]}"#,
            ),
        ],
    },
    Golden {
        wires: &["openai-embeddings"],
        place: Place::Prompt,
        frame: r#"{"model":"m",$}"#,
        rows: &[
            (Field::Text, r#""input":["a canary"]"#),
            (Field::Names, r#""input":"a","encoding_format":"canary""#),
            (Field::TokenIds, r#""input":[[17,23]]"#),
        ],
    },
    Golden {
        wires: &["openai-embeddings"],
        place: Place::Answer,
        frame: r#"{"object":"list","model":"$","data":[{"index":0,"embedding":[0.5,-0.25]}]}"#,
        rows: &[(Field::Names, "canary"), (Field::Vectors, "m")],
    },
    Golden {
        wires: &["openai-moderations"],
        place: Place::Prompt,
        frame: r#"{"model":"m","input":$}"#,
        rows: &[
            (Field::Text, r#""a canary""#),
            (Field::Names, r#"={"model":"canary","input":"a"}"#),
            (
                Field::Images,
                r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]"#,
            ),
        ],
    },
    Golden {
        wires: &["openai-moderations"],
        place: Place::Answer,
        frame: r#"{"id":"m","model":"canary","results":[{"flagged":false}$]}"#,
        rows: &[(Field::Names, "")],
    },
    Golden {
        wires: &["openai-images"],
        place: Place::Prompt,
        frame: r#"{"model":"m",$}"#,
        rows: &[
            (Field::Text, r#""prompt":"a canary""#),
            (Field::Names, r#""prompt":"a","quality":"canary""#),
            (Field::Images, r#""prompt":"a","image":"AAAA""#),
        ],
    },
    Golden {
        wires: &["openai-images"],
        place: Place::Answer,
        frame: r#"{"created":1,"data":[{$}]}"#,
        rows: &[
            (Field::Text, r#""b64_json":"AAAA","revised_prompt":"a canary""#),
            (
                Field::Names,
                r#"={"created":1,"data":[{"b64_json":"AAAA"}],"output_format":"canary"}"#,
            ),
            (Field::Images, r#""b64_json":"AAAA""#),
            (Field::RemoteReferences, r#""url":"https://a.example/i""#),
        ],
    },
    Golden {
        wires: &["openai-speech"],
        place: Place::Prompt,
        frame: r#"{"model":"m",$}"#,
        rows: &[
            (Field::Text, r#""input":"a canary","voice":"v""#),
            (Field::Names, r#""input":"a","voice":"canary""#),
        ],
    },
    Golden {
        wires: &["openai-speech"],
        place: Place::Answer,
        frame: "RIFF$",
        rows: &[(Field::Audio, "")],
    },
    Golden {
        wires: &["anthropic-messages", "anthropic-count-tokens"],
        place: Place::Prompt,
        frame: r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[$]}]}"#,
        rows: &[
            (Field::Text, r#"{"type":"text","text":"a canary"}"#),
            (Field::SystemText, r#"={"model":"m","messages":[],"system":"a canary"}"#),
            (
                Field::ToolDefinitions,
                r#"={"model":"m","messages":[],"tools":[{"name":"f","description":"a canary","input_schema":{}}]}"#,
            ),
            (
                Field::EarlierAnswers,
                r#"={"model":"m","messages":[{"role":"assistant","content":"a canary"}]}"#,
            ),
            (
                Field::ToolCalls,
                r#"={"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":"a canary"}}]}]}"#,
            ),
            (
                Field::ToolResults,
                r#"{"type":"tool_result","tool_use_id":"t","content":"a canary"}"#,
            ),
            (
                Field::Retrieved,
                r#"{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"a canary"}]}"#,
            ),
            (
                Field::Reasoning,
                r#"={"model":"m","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"a canary","signature":"s"}]}]}"#,
            ),
            (
                Field::Names,
                r#"{"type":"tool_use","id":"t","name":"canary","input":{}}"#,
            ),
            (
                Field::Images,
                r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}"#,
            ),
            (
                Field::Files,
                r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AAAA"}}"#,
            ),
            (
                Field::RemoteReferences,
                r#"{"type":"document","source":{"type":"url","url":"https://a.example/d"}}"#,
            ),
            (
                Field::StoredState,
                r#"{"type":"document","source":{"type":"file","file_id":"f"}}"#,
            ),
            (
                Field::EncryptedReasoning,
                r#"{"type":"redacted_thinking","data":"AAAA"}"#,
            ),
        ],
    },
    Golden {
        wires: &["anthropic-messages"],
        place: Place::Answer,
        frame: r#"{"id":"m","type":"message","role":"assistant","model":"m","content":[$]}"#,
        rows: &[
            (Field::Text, r#"{"type":"text","text":"a canary"}"#),
            (
                Field::ToolCalls,
                r#"{"type":"tool_use","id":"t","name":"f","input":{"a":"a canary"}}"#,
            ),
            (
                Field::HostedCalls,
                r#"{"type":"server_tool_use","id":"t","name":"web_search","input":{"query":"a canary"}}"#,
            ),
            (
                Field::ToolResults,
                r#"{"type":"code_execution_tool_result","tool_use_id":"t","content":{"type":"code_execution_result","stdout":"a canary"}}"#,
            ),
            (
                Field::Retrieved,
                r#"{"type":"web_search_tool_result","tool_use_id":"t","content":[{"type":"web_search_result","title":"a canary"}]}"#,
            ),
            (
                Field::Reasoning,
                r#"{"type":"thinking","thinking":"a canary","signature":"s"}"#,
            ),
            (
                Field::Names,
                r#"{"type":"tool_use","id":"t","name":"canary","input":{}}"#,
            ),
            (
                Field::StoredState,
                r#"{"type":"web_search_tool_result","tool_use_id":"t","content":[{"type":"web_search_result","title":"a","encrypted_content":"AAAA"}]}"#,
            ),
            (
                Field::EncryptedReasoning,
                r#"{"type":"redacted_thinking","data":"AAAA"}"#,
            ),
        ],
    },
    Golden {
        wires: &["anthropic-messages"],
        place: Place::Stream,
        frame: r#"{"type":"content_block_start","index":0,"content_block":$}"#,
        rows: &[
            (
                Field::Text,
                r#"={"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a canary"}}"#,
            ),
            (
                Field::ToolCalls,
                r#"={"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":\"a canary\"}"}}"#,
            ),
            (
                Field::HostedCalls,
                r#"{"type":"server_tool_use","id":"t","name":"web_search","input":{"query":"a canary"}}"#,
            ),
            (
                Field::ToolResults,
                r#"{"type":"code_execution_tool_result","tool_use_id":"t","content":{"type":"code_execution_result","stdout":"a canary"}}"#,
            ),
            (
                Field::Retrieved,
                r#"{"type":"web_search_tool_result","tool_use_id":"t","content":[{"type":"web_search_result","title":"a canary"}]}"#,
            ),
            (
                Field::Reasoning,
                r#"={"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"a canary"}}"#,
            ),
            (
                Field::Names,
                r#"{"type":"tool_use","id":"t","name":"canary","input":{}}"#,
            ),
            (
                Field::StoredState,
                r#"{"type":"web_search_tool_result","tool_use_id":"t","content":[{"type":"web_search_result","title":"a","encrypted_content":"AAAA"}]}"#,
            ),
            (
                Field::EncryptedReasoning,
                r#"{"type":"redacted_thinking","data":"AAAA"}"#,
            ),
        ],
    },
    Golden {
        wires: &["gemini-generate", "gemini-stream", "gemini-count"],
        place: Place::Prompt,
        frame: r#"{"contents":[{"role":"user","parts":[$]}]}"#,
        rows: &[
            (Field::Text, r#"{"text":"a canary"}"#),
            (
                Field::SystemText,
                r#"={"contents":[],"systemInstruction":{"parts":[{"text":"a canary"}]}}"#,
            ),
            (
                Field::ToolDefinitions,
                r#"={"contents":[],"tools":[{"functionDeclarations":[{"name":"f","description":"a canary"}]}]}"#,
            ),
            (
                Field::EarlierAnswers,
                r#"={"contents":[{"role":"model","parts":[{"text":"a canary"}]}]}"#,
            ),
            (
                Field::ToolCalls,
                r#"={"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":"a canary"}}}]}]}"#,
            ),
            (
                Field::ToolResults,
                r#"{"functionResponse":{"name":"f","response":{"a":"a canary"}}}"#,
            ),
            (
                Field::Retrieved,
                r#"{"toolResponse":{"toolType":"GOOGLE_SEARCH_WEB","response":{"a":"a canary"}}}"#,
            ),
            (
                Field::Reasoning,
                r#"={"contents":[{"role":"model","parts":[{"text":"a canary","thought":true}]}]}"#,
            ),
            (Field::Names, r#"{"functionResponse":{"name":"canary","response":{}}}"#),
            (
                Field::Images,
                r#"{"inlineData":{"mimeType":"image/png","data":"AAAA"}}"#,
            ),
            (Field::Audio, r#"{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}"#),
            (
                Field::Files,
                r#"{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}}"#,
            ),
            (
                Field::RemoteReferences,
                r#"{"fileData":{"mimeType":"image/png","fileUri":"https://a.example/i"}}"#,
            ),
            (
                Field::StoredState,
                r#"={"contents":[],"cachedContent":"cachedContents/c"}"#,
            ),
        ],
    },
    Golden {
        wires: &["gemini-generate"],
        place: Place::Answer,
        frame: r#"{"candidates":[{"index":0,"content":{"role":"model","parts":[$]}}]}"#,
        rows: &[
            (Field::Text, r#"{"text":"a canary"}"#),
            (
                Field::ToolCalls,
                r#"{"functionCall":{"name":"f","args":{"a":"a canary"}}}"#,
            ),
            (
                Field::HostedCalls,
                r#"{"toolCall":{"toolType":"GOOGLE_SEARCH_WEB","args":{"query":"a canary"}}}"#,
            ),
            (
                Field::ToolResults,
                r#"{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"a canary"}}"#,
            ),
            (
                Field::Retrieved,
                r#"{"toolResponse":{"toolType":"GOOGLE_SEARCH_WEB","response":{"a":"a canary"}}}"#,
            ),
            (Field::Reasoning, r#"{"text":"a canary","thought":true}"#),
            (Field::Names, r#"{"functionCall":{"name":"canary","args":{}}}"#),
            (
                Field::Images,
                r#"{"inlineData":{"mimeType":"image/png","data":"AAAA"}}"#,
            ),
            (Field::Audio, r#"{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}"#),
            (
                Field::LogProbabilities,
                r#"={"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"b"}]},"logprobsResult":{"chosenCandidates":[{"token":"canary","logProbability":-0.5}]}}]}"#,
            ),
        ],
    },
    Golden {
        wires: &["gemini-stream"],
        place: Place::Answer,
        frame: r#"[{"candidates":[{"index":0,"content":{"role":"model","parts":[$]}}]}]"#,
        rows: &[
            (
                Field::Text,
                r#"=[{"candidates":[{"content":{"parts":[{"text":"a can"}]}}]},{"candidates":[{"content":{"parts":[{"text":"ary"}]}}]}]"#,
            ),
            (
                Field::ToolCalls,
                r#"{"functionCall":{"name":"f","args":{"a":"a canary"}}}"#,
            ),
            (
                Field::HostedCalls,
                r#"{"toolCall":{"toolType":"GOOGLE_SEARCH_WEB","args":{"query":"a canary"}}}"#,
            ),
            (
                Field::ToolResults,
                r#"{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"a canary"}}"#,
            ),
            (
                Field::Retrieved,
                r#"{"toolResponse":{"toolType":"GOOGLE_SEARCH_WEB","response":{"a":"a canary"}}}"#,
            ),
            (
                Field::Reasoning,
                r#"=[{"candidates":[{"content":{"parts":[{"text":"a can","thought":true}]}}]},{"candidates":[{"content":{"parts":[{"text":"ary","thought":true}]}}]}]"#,
            ),
            (Field::Names, r#"{"functionCall":{"name":"canary","args":{}}}"#),
            (
                Field::Images,
                r#"{"inlineData":{"mimeType":"image/png","data":"AAAA"}}"#,
            ),
            (Field::Audio, r#"{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}"#),
            (
                Field::LogProbabilities,
                r#"=[{"candidates":[{"content":{"parts":[{"text":"b"}]},"logprobsResult":{"chosenCandidates":[{"token":"canary","logProbability":-0.5}]}}]}]"#,
            ),
        ],
    },
    Golden {
        wires: &["gemini-stream"],
        place: Place::Stream,
        frame: r#"{"candidates":[{"index":0,"content":{"role":"model","parts":[$]}}]}"#,
        rows: &[
            (Field::Text, r#"{"text":"a canary"}"#),
            (
                Field::ToolCalls,
                r#"{"functionCall":{"name":"f","args":{"a":"a canary"}}}"#,
            ),
            (
                Field::HostedCalls,
                r#"{"toolCall":{"toolType":"GOOGLE_SEARCH_WEB","args":{"query":"a canary"}}}"#,
            ),
            (
                Field::ToolResults,
                r#"{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"a canary"}}"#,
            ),
            (
                Field::Retrieved,
                r#"{"toolResponse":{"toolType":"GOOGLE_SEARCH_WEB","response":{"a":"a canary"}}}"#,
            ),
            (Field::Reasoning, r#"{"text":"a canary","thought":true}"#),
            (Field::Names, r#"{"functionCall":{"name":"canary","args":{}}}"#),
            (
                Field::Images,
                r#"{"inlineData":{"mimeType":"image/png","data":"AAAA"}}"#,
            ),
            (Field::Audio, r#"{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}"#),
            (
                Field::LogProbabilities,
                r#"={"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"b"}]},"logprobsResult":{"chosenCandidates":[{"token":"canary","logProbability":-0.5}]}}]}"#,
            ),
        ],
    },
    Golden {
        wires: &["gemini-embed"],
        place: Place::Prompt,
        frame: r#"{"content":{"parts":[$]}}"#,
        rows: &[
            (Field::Text, r#"{"text":"a canary"}"#),
            (
                Field::Names,
                r#"={"content":{"parts":[{"text":"a"}]},"taskType":"canary"}"#,
            ),
            (
                Field::Images,
                r#"{"inlineData":{"mimeType":"image/png","data":"AAAA"}}"#,
            ),
            (Field::Audio, r#"{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}"#),
            (
                Field::Files,
                r#"{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}}"#,
            ),
            (
                Field::RemoteReferences,
                r#"{"fileData":{"mimeType":"image/png","fileUri":"https://a.example/i"}}"#,
            ),
        ],
    },
    Golden {
        wires: &["gemini-embed"],
        place: Place::Answer,
        frame: r#"{"embedding":{"values":[$]}}"#,
        rows: &[(Field::Vectors, "0.5,-0.25")],
    },
    Golden {
        wires: &["ollama-chat"],
        place: Place::Prompt,
        frame: r#"{"model":"m","messages":[$]}"#,
        rows: &[
            (Field::Text, r#"{"role":"user","content":"a canary"}"#),
            (Field::SystemText, r#"{"role":"system","content":"a canary"}"#),
            (
                Field::ToolDefinitions,
                r#"={"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f","description":"a canary"}}]}"#,
            ),
            (Field::EarlierAnswers, r#"{"role":"assistant","content":"a canary"}"#),
            (
                Field::ToolCalls,
                r#"{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"a":"a canary"}}}]}"#,
            ),
            (Field::ToolResults, r#"{"role":"tool","content":"a canary"}"#),
            (Field::Reasoning, r#"{"role":"assistant","thinking":"a canary"}"#),
            (Field::Names, r#"{"role":"tool","tool_name":"canary","content":"a"}"#),
            (Field::Images, r#"{"role":"user","content":"a","images":["AAAA"]}"#),
        ],
    },
    Golden {
        wires: &["ollama-chat"],
        place: Place::Answer,
        frame: r#"{"model":"m","message":{"role":"assistant",$},"done":true}"#,
        rows: CHAT_OF_OLLAMA,
    },
    Golden {
        wires: &["ollama-chat"],
        place: Place::Stream,
        frame: r#"{"model":"m","message":{"role":"assistant",$},"done":false}"#,
        rows: CHAT_OF_OLLAMA,
    },
    Golden {
        wires: &["ollama-generate"],
        place: Place::Prompt,
        frame: r#"{"model":"m",$}"#,
        rows: &[
            (Field::Text, r#""prompt":"a canary""#),
            (Field::SystemText, r#""prompt":"a","system":"a canary""#),
            (Field::Names, r#""prompt":"a","format":"canary""#),
            (Field::Images, r#""prompt":"a","images":["AAAA"]"#),
            (Field::StoredState, r#""prompt":"a","context":[17,23]"#),
        ],
    },
    Golden {
        wires: &["ollama-generate"],
        place: Place::Answer,
        frame: r#"{"model":"m","done":true,$}"#,
        rows: RESPONSE_OF_OLLAMA,
    },
    Golden {
        wires: &["ollama-generate"],
        place: Place::Stream,
        frame: r#"{"model":"m","done":false,$}"#,
        rows: RESPONSE_OF_OLLAMA,
    },
    Golden {
        wires: &["ollama-embed"],
        place: Place::Prompt,
        frame: r#"{"model":"m",$}"#,
        rows: &[
            (Field::Text, r#""input":["a canary"]"#),
            (Field::Names, r#"={"model":"canary","input":"a"}"#),
            (Field::Images, r#""prompt":"a","images":["AAAA"]"#),
            (Field::TokenIds, r#""input":[17,23]"#),
        ],
    },
    Golden {
        wires: &["ollama-embed"],
        place: Place::Answer,
        frame: r#"{"model":"$","embeddings":[[0.5,-0.25]]}"#,
        rows: &[(Field::Names, "canary"), (Field::Vectors, "m")],
    },
];

const CHAT_OF_OLLAMA: &[(Field, &str)] = &[
    (Field::Text, r#""content":"a canary""#),
    (
        Field::ToolCalls,
        r#""content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":"a canary"}}}]"#,
    ),
    (Field::Reasoning, r#""content":"","thinking":"a canary""#),
    (
        Field::Names,
        r#""content":"","tool_calls":[{"function":{"name":"canary","arguments":{}}}]"#,
    ),
    (Field::Images, r#""content":"","images":["AAAA"]"#),
    (
        Field::LogProbabilities,
        r#"={"model":"m","message":{"role":"assistant","content":"b"},"logprobs":[{"token":"canary","logprob":-0.5}],"done":false}"#,
    ),
];

const RESPONSE_OF_OLLAMA: &[(Field, &str)] = &[
    (Field::Text, r#""response":"a canary""#),
    (Field::Reasoning, r#""response":"","thinking":"a canary""#),
    (Field::Names, r#""response":"","done_reason":"canary""#),
    (Field::Images, r#""image":"AAAA""#),
    (Field::TokenIds, r#""response":"b","context":[17,23]"#),
    (
        Field::LogProbabilities,
        r#""response":"b","logprobs":[{"token":"canary","logprob":-0.5}]"#,
    ),
];

/// What was made of a body, in the words of either form.
#[derive(Debug, Default)]
struct Read {
    /// Each text with who wrote it and whether it can be edited.
    texts: Vec<(String, Source, bool)>,
    uninspectable: bool,
    calls: usize,
}

impl From<Half> for Read {
    fn from(half: Half) -> Self {
        let parts = half.parts.into_iter().filter(|part| part.fixed != Some(Fixed::Key));
        // Of JSON in a string, what is inside counts.
        let parts = parts.filter(|part: &Part| !part.inner);
        Self {
            texts: parts
                .map(|part| (part.text, part.source, part.fixed.is_none()))
                .collect(),
            uninspectable: !half.uninspectable.is_empty(),
            calls: half.tools.len(),
        }
    }
}

impl From<EventReading> for Read {
    fn from(reading: EventReading) -> Self {
        let texts = reading.fragments.into_iter();
        Self {
            texts: texts
                .map(|one| (one.text, one.source, one.flow != Flow::Still))
                .collect(),
            uninspectable: !reading.uninspectable.is_empty(),
            calls: reading.tools.len(),
        }
    }
}

fn read(wire: &dyn Wire, place: Place, body: &str) -> Read {
    let what = || format!("{} {place:?} {body}", wire.id());
    match place {
        // The models of paths are named there; the others' bodies name them.
        Place::Prompt => {
            let named = wire.id().starts_with("gemini").then_some("m");
            wire.read_request(body.as_bytes(), named)
                .unwrap_or_else(|error| panic!("{error}: {}", what()))
                .into()
        }
        Place::Answer => wire
            .read_answer(body.as_bytes())
            .unwrap_or_else(|error| panic!("{error}: {}", what()))
            .into(),
        Place::Stream => {
            let talk = wire.talk().unwrap_or_else(|| panic!("does not talk: {}", what()));
            let event = Event::data(body.to_owned());
            talk.read_event(&event)
                .unwrap_or_else(|error| panic!("{error}: {}", what()))
                .into()
        }
    }
}

/// How far a wire gets with the field of a golden body, by what it makes of it.
fn seen(place: Place, field: Field, read: &Read) -> Result<Sight, String> {
    let found: Vec<_> = read.texts.iter().filter(|(text, ..)| text.contains("canary")).collect();
    if let (Some(source), Some((_, by, _))) = (
        field.source(if place == Place::Prompt {
            Direction::Prompt
        } else {
            Direction::Answer
        }),
        found.first(),
    ) && source != *by
    {
        return Err(format!("it is by `{by}` and not by `{source}`"));
    }
    Ok(match (field, found.as_slice()) {
        (Field::HostedCalls, [_, ..]) if read.calls > 0 => Sight::After,
        (Field::LogProbabilities, [_, ..]) => Sight::Pieces,
        (Field::Vectors | Field::TokenIds, []) if !read.uninspectable => Sight::NoText,
        (_, [_, ..]) if field.source(Direction::Prompt).is_some() || field == Field::Names => {
            if found.iter().all(|(_, _, editable)| *editable) {
                Sight::Edited
            } else {
                Sight::Stopped
            }
        }
        (_, []) if read.uninspectable => Sight::Unread,
        _ => return Err("it is neither read nor reported".to_owned()),
    })
}

fn table(wire: &dyn Wire, place: Place) -> Table {
    let sights = wire.sights();
    match place {
        Place::Prompt => sights.prompt,
        Place::Answer => sights.answer,
        Place::Stream => sights.stream,
    }
}

#[test]
fn every_table_says_what_its_wire_does() {
    let mut wrong = Vec::new();
    for wire in all() {
        for place in [Place::Prompt, Place::Answer, Place::Stream] {
            let rows: Vec<(Field, &str, &str)> = GOLDEN
                .iter()
                .filter(|golden| golden.place == place && golden.wires.contains(&wire.id()))
                .flat_map(|golden| golden.rows.iter().map(|&(field, row)| (field, golden.frame, row)))
                .collect();
            let shown: BTreeSet<Field> = rows.iter().map(|(field, ..)| *field).collect();
            let stated: BTreeSet<Field> = table(wire, place).iter().map(|(field, _)| *field).collect();
            assert_eq!(
                stated.len(),
                table(wire, place).len(),
                "{} {place:?}: a field stands twice",
                wire.id()
            );
            assert_eq!(
                shown,
                stated,
                "{} {place:?}: each row has a body, and each body a row",
                wire.id()
            );
            for (field, frame, row) in rows {
                let body = row
                    .strip_prefix('=')
                    .map_or_else(|| frame.replace('$', row), str::to_owned);
                let said = table(wire, place)
                    .iter()
                    .find(|(one, _)| *one == field)
                    .map(|(_, sight)| *sight);
                let does = seen(place, field, &read(wire, place, &body));
                if does.as_ref().ok() != said.as_ref() {
                    wrong.push(format!(
                        "{} {place:?} `{field}`: says {said:?}, does {does:?}",
                        wire.id()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_called_unreadable_is_not_reported_of_every_body() {
    for golden in GOLDEN {
        for wire in all().into_iter().filter(|wire| golden.wires.contains(&wire.id())) {
            let always = golden.place != Place::Prompt && wire.sights().opaque.is_some();
            let row = golden.rows.iter().find(|(field, _)| *field == Field::Text);
            if let Some((_, row)) = row {
                let body = row
                    .strip_prefix('=')
                    .map_or_else(|| golden.frame.replace('$', row), str::to_owned);
                assert_eq!(
                    read(wire, golden.place, &body).uninspectable,
                    always,
                    "{} {body}",
                    wire.id()
                );
            }
        }
    }
}

#[test]
fn what_an_answer_always_is_every_golden_answer_has() {
    for wire in all() {
        let Some(field) = wire.sights().opaque else { continue };
        let row = wire.sights().answer.iter().find(|(one, _)| *one == field);
        assert_eq!(row, Some(&(field, Sight::Unread)));
        let golden = GOLDEN
            .iter()
            .filter(|golden| golden.place == Place::Answer && golden.wires.contains(&wire.id()));
        for (frame, row) in golden.flat_map(|golden| golden.rows.iter().map(|(_, row)| (golden.frame, *row))) {
            let body = row
                .strip_prefix('=')
                .map_or_else(|| frame.replace('$', row), str::to_owned);
            assert!(read(wire, Place::Answer, &body).uninspectable, "{} {body}", wire.id());
        }
    }
}
