use proptest::prelude::*;
use serde_json::{Value, json};

use super::{GeminiCount, GeminiEmbed, GeminiGenerate, GeminiStream};
use crate::exchange::{Fixed, Half, Opaque, Part, Place};
use crate::verdict::Source;
use crate::wire::fixture::uninspectable;
use crate::wire::sse::{Event, Item, SseParser};
use crate::wire::{Dialect, EventReading, Flow, Malformed, Refusal, Seen, Talk as _, Wire};

const MODEL: Option<&str> = Some("gemini-x");

fn read(wire: &dyn Wire, body: &Value) -> Result<Half, Malformed> {
    wire.read_request(body.to_string().as_bytes(), MODEL)
}

fn request(body: &Value) -> Half {
    read(&GeminiGenerate, body).expect("is a request")
}

fn answer(wire: &dyn Wire, body: &Value) -> Half {
    wire.read_answer(body.to_string().as_bytes()).expect("is an answer")
}

fn part<'h>(half: &'h Half, pointer: &str) -> &'h Part {
    half.parts
        .iter()
        .find(|part| part.pointer == pointer && part.fixed != Some(Fixed::Key))
        .unwrap_or_else(|| panic!("{pointer} is a part"))
}

fn event(data: &Value) -> EventReading {
    GeminiStream
        .read_event(&Event::data(data.to_string()))
        .expect("is an event")
}

/// A piece of a streamed answer: the parts of its first candidate.
fn piece(parts: &Value) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}], "modelVersion": "m"})
}

fn flows(reading: &EventReading) -> Vec<(&str, Flow, &str)> {
    let flowing = reading.fragments.iter().filter(|fragment| fragment.flow != Flow::Still);
    flowing
        .map(|fragment| (fragment.channel.as_str(), fragment.flow, fragment.text.as_str()))
        .collect()
}

/// Every string of a body that is planted, in order, with what is known of it.
fn expect_plants(half: &Half, expected: &[(&str, Source, Option<Fixed>)]) {
    for (plant, (pointer, source, fixed)) in expected.iter().enumerate() {
        let text = format!("plant{plant}");
        let found: Vec<_> = half.parts.iter().filter(|part| part.text == text).collect();
        assert_eq!(found.len(), 1, "{text} at {pointer}");
        assert_eq!(
            (found[0].pointer.as_str(), found[0].source, found[0].fixed),
            (*pointer, *source, *fixed),
            "{text}"
        );
    }
}

const KEY: Option<Fixed> = Some(Fixed::Key);
const NAME: Option<Fixed> = Some(Fixed::Name);

#[test]
fn a_planted_value_shows_up_wherever_it_stands() {
    let half = request(&json!({
        "contents": [
            {"role": "user", "parts": [{"text": "plant0"}, {"text": "plant1", "partMetadata": {"id": "plant2"}}]},
            {"parts": {"text": "plant3"}},
            {"role": "model", "parts": [
                {"text": "plant4", "thought": true, "thoughtSignature": "plant5"},
                {"functionCall": {"id": "plant6", "name": "plant7", "args": {"plant8": {"id": "plant9", "name": ["plant10"]}, "n": 123456789}}},
                {"executableCode": {"language": "plant11", "code": "plant12"}},
                {"codeExecutionResult": {"outcome": "plant13", "output": "plant14"}},
                {"toolResponse": {"toolType": "plant15", "response": {"plant16": "plant17"}}},
            ]},
            {"role": "user", "parts": [{"functionResponse": {"id": "plant18", "name": "plant19", "response": {"name": "plant20"}}}]},
            {"role": "function", "parts": [{"functionResponse": {"name": "f", "response": {"plant21": "plant22"}}}]},
            {"role": "user", "parts": [{"text": "plant23", "videoMetadata": {"startOffset": "plant24"}}]},
        ],
        "systemInstruction": {"role": "user", "parts": [{"text": "plant25"}]},
        "tools": [{"functionDeclarations": [{"name": "plant26", "description": "plant27",
                "parameters": {"type": "OBJECT", "properties": {"plant28": {"type": "STRING", "description": "plant29", "enum": ["plant30"], "example": {"type": "plant31"}}},
                    "propertyOrdering": ["plant32"]},
                "parametersJsonSchema": {"$defs": {"plant33": {"title": "plant34", "pattern": "plant35"}}},
                "response": {"description": "plant36"}}]},
            {"googleSearch": {"excludeDomains": ["plant37"]}}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["plant38"]}},
        "generationConfig": {"stopSequences": ["plant39"], "responseMimeType": "plant40",
            "responseSchema": {"description": "plant41"}, "responseJsonSchema": {"required": ["plant42"]},
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "plant43"}}}, "invented": "plant44"},
        "safetySettings": [{"category": "plant45", "threshold": "t"}],
        "labels": {"plant46": "plant47", "user_id": "plant48", "userId": "plant49"},
        "invented": {"plant50": ["plant51"]},
    }));
    let (user, model, tool, system) = (Source::User, Source::Model, Source::Tool, Source::System);
    let call = "/contents/2/parts/1/functionCall";
    let declared = "/tools/0/functionDeclarations/0";
    let at = |base: &str, way: &str| format!("{base}/{way}");
    let expected: Vec<(String, Source, Option<Fixed>)> = vec![
        ("/contents/0/parts/0/text".to_owned(), user, None),
        ("/contents/0/parts/1/text".to_owned(), user, None),
        ("/contents/0/parts/1/partMetadata/id".to_owned(), user, None),
        ("/contents/1/parts/text".to_owned(), user, None),
        ("/contents/2/parts/0/text".to_owned(), model, None),
        ("/contents/2/parts/0/thoughtSignature".to_owned(), model, NAME),
        (at(call, "id"), model, NAME),
        (at(call, "name"), model, NAME),
        (at(call, "args/plant8"), model, KEY),
        (at(call, "args/plant8/id"), model, None),
        (at(call, "args/plant8/name/0"), model, None),
        ("/contents/2/parts/2/executableCode/language".to_owned(), model, NAME),
        ("/contents/2/parts/2/executableCode/code".to_owned(), model, None),
        ("/contents/2/parts/3/codeExecutionResult/outcome".to_owned(), tool, NAME),
        ("/contents/2/parts/3/codeExecutionResult/output".to_owned(), tool, None),
        (
            "/contents/2/parts/4/toolResponse/toolType".to_owned(),
            Source::Retrieved,
            NAME,
        ),
        (
            "/contents/2/parts/4/toolResponse/response/plant16".to_owned(),
            Source::Retrieved,
            KEY,
        ),
        (
            "/contents/2/parts/4/toolResponse/response/plant16".to_owned(),
            Source::Retrieved,
            None,
        ),
        ("/contents/3/parts/0/functionResponse/id".to_owned(), tool, NAME),
        ("/contents/3/parts/0/functionResponse/name".to_owned(), tool, NAME),
        (
            "/contents/3/parts/0/functionResponse/response/name".to_owned(),
            tool,
            None,
        ),
        (
            "/contents/4/parts/0/functionResponse/response/plant21".to_owned(),
            tool,
            KEY,
        ),
        (
            "/contents/4/parts/0/functionResponse/response/plant21".to_owned(),
            tool,
            None,
        ),
        ("/contents/5/parts/0/text".to_owned(), user, None),
        ("/contents/5/parts/0/videoMetadata/startOffset".to_owned(), user, NAME),
        ("/systemInstruction/parts/0/text".to_owned(), system, None),
        (at(declared, "name"), system, NAME),
        (at(declared, "description"), system, None),
        (at(declared, "parameters/properties/plant28"), system, KEY),
        (at(declared, "parameters/properties/plant28/description"), system, None),
        (at(declared, "parameters/properties/plant28/enum/0"), system, NAME),
        (at(declared, "parameters/properties/plant28/example/type"), system, None),
        (at(declared, "parameters/propertyOrdering/0"), system, NAME),
        (at(declared, "parametersJsonSchema/$defs/plant33"), system, KEY),
        (at(declared, "parametersJsonSchema/$defs/plant33/title"), system, None),
        (at(declared, "parametersJsonSchema/$defs/plant33/pattern"), system, NAME),
        (at(declared, "response/description"), system, None),
        ("/tools/1/googleSearch/excludeDomains/0".to_owned(), system, NAME),
        (
            "/toolConfig/functionCallingConfig/allowedFunctionNames/0".to_owned(),
            user,
            NAME,
        ),
        ("/generationConfig/stopSequences/0".to_owned(), user, None),
        ("/generationConfig/responseMimeType".to_owned(), user, NAME),
        ("/generationConfig/responseSchema/description".to_owned(), system, None),
        (
            "/generationConfig/responseJsonSchema/required/0".to_owned(),
            system,
            NAME,
        ),
        (
            "/generationConfig/speechConfig/voiceConfig/prebuiltVoiceConfig/voiceName".to_owned(),
            user,
            NAME,
        ),
        ("/generationConfig/invented".to_owned(), user, None),
        ("/safetySettings/0/category".to_owned(), user, NAME),
        ("/labels/plant46".to_owned(), user, KEY),
        ("/labels/plant46".to_owned(), user, None),
        ("/labels/user_id".to_owned(), user, None),
        ("/labels/userId".to_owned(), user, None),
        ("/invented/plant50".to_owned(), user, KEY),
        ("/invented/plant50/0".to_owned(), user, None),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(pointer, source, fixed)| (pointer.as_str(), *source, *fixed))
        .collect();
    expect_plants(&half, &expected);
    assert_eq!(part(&half, &at(call, "args/n")).text, "123456789");
    assert_eq!(uninspectable(&half), []);
    assert_eq!((half.model.as_deref(), half.stream), (MODEL, false));
}

/// `body` with every name of the dialect in snake case.
fn snake(body: &Value) -> Value {
    match body {
        Value::Array(items) => items.iter().map(snake).collect(),
        Value::Object(members) => {
            let name = |name: &str| {
                name.chars().fold(String::new(), |mut out, letter| {
                    if letter.is_ascii_uppercase() {
                        out.push('_');
                    }
                    out.push(letter.to_ascii_lowercase());
                    out
                })
            };
            members.iter().map(|(key, value)| (name(key), snake(value))).collect()
        }
        other => other.clone(),
    }
}

/// A request with much of what the dialect knows.
fn full() -> Value {
    json!({
        "contents": [
            {"role": "user", "parts": [
                {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                {"inlineData": {"mimeType": "AUDIO/wav", "data": "AAAA"}},
                {"inlineData": {"mimeType": "text/plain", "data": "AAAA"}},
                {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}},
                {"inlineData": {"data": "AAAA"}},
                {"fileData": {"mimeType": "application/pdf", "fileUri": "https://papers.example/1"}},
                {"text": "look", "inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                {"hologram": {"beam": "x"}},
                {"functionResponse": {"name": "f", "response": {}, "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}},
                {"functionCall": {"name": "f", "partialArgs": [{"jsonPath": "$.a", "stringValue": "x"}]}},
                {"text": 5},
                "loose",
            ]},
            {"role": "System", "parts": []},
            {"role": "system", "parts": [{"text": "be"}]},
            "loose",
        ],
        "systemInstruction": {"parts": [{"fileData": {"fileUri": "x"}}]},
        "tools": [
            {"googleSearch": {}, "urlContext": {}},
            {"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/a"]}},
            {"mcpServers": [{"name": "n", "streamableHttpTransport": {"url": "https://tools.example"}}]},
            {"quantumSearch": {}},
            {"codeExecution": {}, "urlContext": null},
        ],
        "generationConfig": {"routingConfig": {"manualMode": {"modelName": "other"}},
            "speechConfig": {"voiceConfig": {"replicatedVoiceConfig": {"voiceSampleAudio": "AAAA"}}}},
        "cachedContent": "cachedContents/1",
    })
}

#[test]
fn what_no_detector_can_read_is_reported_however_it_is_spelled() {
    let expected = [
        ("/contents/0/parts/0/inlineData", Opaque::Image),
        ("/contents/0/parts/1/inlineData", Opaque::Audio),
        ("/contents/0/parts/2/inlineData", Opaque::File),
        ("/contents/0/parts/3/inlineData", Opaque::File),
        ("/contents/0/parts/4/inlineData", Opaque::File),
        ("/contents/0/parts/5/fileData", Opaque::RemoteReference),
        ("/contents/0/parts/6/inlineData", Opaque::Image),
        ("/contents/0/parts/7/hologram", Opaque::Unrecognized),
        ("/contents/0/parts/8/functionResponse/parts/0/inlineData", Opaque::Image),
        ("/contents/0/parts/9/functionCall/partialArgs", Opaque::Unrecognized),
        ("/contents/0/parts/10/text", Opaque::Unrecognized),
        ("/contents/0/parts/11", Opaque::Unrecognized),
        ("/contents/1", Opaque::Unrecognized),
        ("/contents/2", Opaque::Unrecognized),
        ("/contents/3", Opaque::Unrecognized),
        ("/systemInstruction/parts/0/fileData", Opaque::RemoteReference),
        ("/tools/0/urlContext", Opaque::RemoteReference),
        ("/tools/1/fileSearch", Opaque::ServerState),
        ("/tools/2/mcpServers", Opaque::RemoteReference),
        ("/tools/3/quantumSearch", Opaque::Unrecognized),
        ("/generationConfig/routingConfig", Opaque::Unrecognized),
        (
            "/generationConfig/speechConfig/voiceConfig/replicatedVoiceConfig",
            Opaque::Audio,
        ),
        ("/cachedContent", Opaque::ServerState),
    ];
    let sorted = |half: &Half| {
        let mut found: Vec<(String, Opaque)> = half
            .uninspectable
            .iter()
            .map(|one| {
                (
                    super::spelling::camel(one.pointer.as_str().into()).into_owned(),
                    one.what,
                )
            })
            .collect();
        found.sort_by(|one, two| one.0.cmp(&two.0));
        found
    };
    let mut expected: Vec<(String, Opaque)> = expected
        .iter()
        .map(|&(pointer, what)| (pointer.to_owned(), what))
        .collect();
    expected.sort_by(|one, two| one.0.cmp(&two.0));
    let half = request(&full());
    assert_eq!(sorted(&half), expected);
    assert_eq!(part(&half, "/contents/2/parts/0/text").source, Source::System);
    assert_eq!(part(&half, "/contents/0/parts/7/hologram/beam").text, "x");
    let twin = request(&snake(&full()));
    assert_eq!(sorted(&twin), expected);
    let known = |half: &Half| -> Vec<_> {
        let of_values = half.parts.iter().filter(|part| part.fixed != KEY);
        let mut known: Vec<_> = of_values
            .map(|part| (part.text.clone(), part.source, part.fixed))
            .collect();
        known.sort_by(|one, two| one.0.cmp(&two.0));
        known
    };
    assert_eq!(known(&half), known(&twin));
}

#[test]
fn a_field_in_two_spellings_is_refused() {
    let contents = r#"{"role":"user","parts":[{"text":"x"}]}"#;
    let twins = [
        r#"{"contents":[],"system_instruction":{},"systemInstruction":{}}"#.to_owned(),
        r#"{"contents":[],"cachedContent":null,"cached_content":"c"}"#.to_owned(),
        r#"{"contents":[],"cachedContent":"c","cached_\u0063ontent":"d"}"#.to_owned(),
        r#"{"contents":[{"parts":[{"inlineData":{},"inline_data":{}}]}]}"#.to_owned(),
        r#"{"contents":[],"generationConfig":{"topP":1,"top_p":0}}"#.to_owned(),
        r#"{"contents":[],"tools":[{"functionDeclarations":[{"parametersJsonSchema":{},"parameters_json_schema":{}}]}]}"#.to_owned(),
        format!(r#"{{"contents":[{contents}],"contents":[]}}"#),
    ];
    for body in &twins {
        for wire in [&GeminiGenerate as &dyn Wire, &GeminiStream, &GeminiCount] {
            assert!(wire.read_request(body.as_bytes(), MODEL).is_err(), "{body}");
        }
    }
    assert!(
        GeminiCount
            .read_request(
                format!(r#"{{"generateContentRequest":{}}}"#, twins[4]).as_bytes(),
                MODEL
            )
            .is_err()
    );
    assert!(
        GeminiEmbed
            .read_request(br#"{"content":{},"taskType":"a","task_type":"b"}"#, MODEL)
            .is_err()
    );
    let answered = r#"{"candidates":[{"finishReason":"STOP","finish_reason":"SAFETY"}]}"#;
    assert!(GeminiGenerate.read_answer(answered.as_bytes()).is_err());
    assert!(GeminiStream.read_event(&Event::data(answered.to_owned())).is_err());
    // What the client or its tools name is theirs.
    for body in [
        json!({"contents": [{"parts": [{"functionCall": {"name": "f", "args": {"user_id": 1, "userId": 2}}}]}]}),
        json!({"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {"a": {"user_id": 1, "userId": 2}}}}]}]}),
        json!({"contents": [], "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"properties": {"user_id": {}, "userId": {}}}}]}]}),
    ] {
        assert!(read(&GeminiGenerate, &body).is_ok(), "{body}");
    }
    let error = json!({"error": {"code": 429, "details": [{"metadata": {"a_b": "x", "aB": "y"}}]}});
    assert!(GeminiGenerate.read_answer(error.to_string().as_bytes()).is_ok());
}

#[test]
fn a_model_in_the_body_is_the_one_in_the_path() {
    let empty = json!({"parts": []});
    for (name, agrees) in [
        (json!("models/gemini-x"), true),
        (json!("gemini-x"), true),
        (Value::Null, true),
        (json!("models/gemini-y"), false),
        (json!("Models/gemini-x"), false),
        (json!("models/models/gemini-x"), false),
        (json!("tunedModels/gemini-x"), false),
        (json!("gemini-x "), false),
        (json!(["gemini-x"]), false),
    ] {
        for (wire, body) in [
            (&GeminiGenerate as &dyn Wire, json!({"contents": [], "model": name})),
            (&GeminiStream, json!({"contents": [], "model": name})),
            (&GeminiCount, json!({"contents": [], "model": name})),
            (
                &GeminiCount,
                json!({"generateContentRequest": {"contents": [], "model": name}}),
            ),
            (
                &GeminiCount,
                json!({"generate_content_request": {"contents": [], "model": name}}),
            ),
            (&GeminiEmbed, json!({"content": empty, "model": name})),
            (
                &GeminiEmbed,
                json!({"requests": [{"content": empty, "model": "models/gemini-x"}, {"content": empty, "model": name}]}),
            ),
        ] {
            let half = read(wire, &body);
            assert_eq!(half.is_ok(), agrees, "{body}");
            assert!(half.is_err() || half.is_ok_and(|half| half.model.as_deref() == MODEL));
        }
    }
    assert!(
        GeminiGenerate
            .read_request(br#"{"contents":[],"model":"models/m"}"#, None)
            .is_err()
    );
    assert!(GeminiGenerate.read_request(br#"{"contents":[]}"#, Some("a b")).is_err());
}

#[test]
fn a_request_without_the_basic_shape_is_malformed() {
    for body in [
        json!([]),
        json!({}),
        json!({"contents": "hello"}),
        json!({"contents": null}),
        json!("x"),
    ] {
        for wire in [&GeminiGenerate as &dyn Wire, &GeminiStream, &GeminiCount] {
            assert!(read(wire, &body).is_err(), "{body}");
        }
    }
    for body in [
        json!({}),
        json!({"content": "x"}),
        json!({"requests": [{}]}),
        json!({"requests": [], "content": 1}),
    ] {
        assert!(read(&GeminiEmbed, &body).is_err(), "{body}");
    }
    let contents = json!({"contents": [{"parts": [{"text": "plant0"}]}]});
    assert!(read(&GeminiStream, &contents).is_ok_and(|half| half.stream));
    expect_plants(
        &read(&GeminiCount, &contents).expect("is a request"),
        &[("/contents/0/parts/0/text", Source::User, None)],
    );
}

#[test]
fn what_is_counted_and_embedded_is_read_like_what_is_asked() {
    let half = read(&GeminiCount, &json!({
        "contents": [{"role": "user", "parts": [{"text": "plant0"}]}],
        "generateContentRequest": {"model": "models/gemini-x", "contents": [{"role": "model", "parts": [{"text": "plant1"}]}],
            "systemInstruction": {"parts": [{"text": "plant2"}]}, "tools": [{"urlContext": {}}]},
    }))
    .expect("is a request");
    expect_plants(
        &half,
        &[
            ("/contents/0/parts/0/text", Source::User, None),
            ("/generateContentRequest/contents/0/parts/0/text", Source::Model, None),
            (
                "/generateContentRequest/systemInstruction/parts/0/text",
                Source::System,
                None,
            ),
        ],
    );
    assert_eq!(
        uninspectable(&half),
        [("/generateContentRequest/tools/0/urlContext", Opaque::RemoteReference)]
    );
    let half = read(&GeminiEmbed, &json!({"requests": [
        {"model": "models/gemini-x", "content": {"parts": [{"text": "plant0"}]}, "taskType": "plant1", "title": "plant2"},
        {"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "plant3"}}]}},
    ]}))
    .expect("is a request");
    expect_plants(
        &half,
        &[
            ("/requests/0/content/parts/0/text", Source::User, None),
            ("/requests/0/taskType", Source::User, NAME),
            ("/requests/0/title", Source::User, None),
            ("/requests/1/content/parts/0/inlineData/data", Source::User, None),
        ],
    );
    assert_eq!(
        uninspectable(&half),
        [("/requests/1/content/parts/0/inlineData", Opaque::Image)]
    );
    assert!(GeminiCount.talk().is_none() && GeminiEmbed.talk().is_none());

    let half = answer(
        &GeminiCount,
        &json!({"totalTokens": 31, "promptTokensDetails": [{"modality": "TEXT"}]}),
    );
    assert_eq!(part(&half, "/promptTokensDetails/0/modality").text, "TEXT");
}

#[test]
fn vectors_are_measurements_and_whole_numbers_are_not() {
    let half = answer(
        &GeminiEmbed,
        &json!({"embeddings": [{"values": [0.123456789012, -1.5e-9, 4.111111111111111, 4111111111111111u64, 4.111111111111111e15]}],
            "other": 0.123456789012}),
    );
    let numbers: Vec<(&str, &str)> = half
        .parts
        .iter()
        .filter(|part| part.fixed != KEY)
        .map(|part| (part.pointer.as_str(), part.text.as_str()))
        .collect();
    assert_eq!(
        numbers,
        [
            ("/embeddings/0/values/3", "4111111111111111"),
            ("/embeddings/0/values/4", "4111111111111111"),
            ("/other", "0.123456789012"),
        ]
    );
    let half = answer(&GeminiEmbed, &json!({"embedding": {"values": [0.123456789012]}}));
    assert!(half.parts.iter().all(|part| part.fixed == KEY));
}

fn answered() -> Value {
    json!({
        "candidates": [
            {"content": {"role": "model", "parts": [
                {"text": "why", "thought": true},
                {"text": "what", "thoughtSignature": "c2ln"},
                {"functionCall": {"name": "pay", "args": {"card": {"number": "4111"}}}, "thoughtSignature": "c2ln2"},
                {"functionCall": {"name": "now"}},
                {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "args": {"query": "q"}}},
                {"executableCode": {"language": "PYTHON", "code": "1+1"}},
             ]}, "finishReason": "STOP", "index": 0, "avgLogprobs": -0.123456789012,
             "logprobsResult": {"chosenCandidates": [{"token": "wh", "logProbability": -0.5}]},
             "citationMetadata": {"citationSources": [{"startIndex": 1, "endIndex": 2, "uri": "cited"}]},
             "groundingMetadata": {"webSearchQueries": ["asked"], "groundingChunks": [{"web": {"title": "found"}}],
                "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 4, "text": "what"}, "confidenceScores": [0.987654321]}]}},
            {"content": {"parts": [{"text": "else"}]}, "index": 1, "logprobsResult": {"b": 1}},
        ],
        "promptFeedback": {"safetyRatings": [{"category": "HARM", "probability": "LOW"}]},
        "usageMetadata": {"totalTokenCount": 123456789},
        "modelVersion": "gemini-x-001", "responseId": "r-1",
    })
}

#[test]
fn an_answer_is_read_in_every_candidate() {
    let half = answer(&GeminiGenerate, &answered());
    for (pointer, text, source, fixed) in [
        ("/candidates/0/content/parts/0/text", "why", Source::Model, None),
        ("/candidates/0/content/parts/1/text", "what", Source::Model, None),
        (
            "/candidates/0/content/parts/1/thoughtSignature",
            "c2ln",
            Source::Model,
            NAME,
        ),
        (
            "/candidates/0/content/parts/2/functionCall/args/card/number",
            "4111",
            Source::Model,
            None,
        ),
        (
            "/candidates/0/content/parts/5/executableCode/code",
            "1+1",
            Source::Model,
            None,
        ),
        ("/candidates/0/finishReason", "STOP", Source::Model, NAME),
        (
            "/candidates/0/logprobsResult/chosenCandidates/0/token",
            "wh",
            Source::Model,
            None,
        ),
        (
            "/candidates/0/citationMetadata/citationSources/0/uri",
            "cited",
            Source::Retrieved,
            None,
        ),
        (
            "/candidates/0/groundingMetadata/groundingChunks/0/web/title",
            "found",
            Source::Retrieved,
            None,
        ),
        ("/candidates/1/content/parts/0/text", "else", Source::Model, None),
        ("/promptFeedback/safetyRatings/0/category", "HARM", Source::Model, NAME),
        ("/usageMetadata/totalTokenCount", "123456789", Source::Model, NAME),
    ] {
        let found = part(&half, pointer);
        assert_eq!(
            (found.text.as_str(), found.source, found.fixed),
            (text, source, fixed),
            "{pointer}"
        );
    }
    assert!(
        half.parts
            .iter()
            .all(|part| !part.text.contains("0.98") && !part.text.contains("0.12"))
    );
    let tools: Vec<(&str, Option<&str>)> = half
        .tools
        .iter()
        .map(|call| (call.tool.as_str(), call.arguments.as_deref()))
        .collect();
    assert_eq!(
        tools,
        [
            ("pay", Some(r#"{"card":{"number":"4111"}}"#)),
            ("now", Some("{}")),
            ("GOOGLE_SEARCH_WEB", Some(r#"{"query":"q"}"#)),
        ]
    );
    assert_eq!(
        (half.model.as_deref(), uninspectable(&half)),
        (Some("gemini-x-001"), vec![])
    );
    assert!(GeminiGenerate.read_answer(b"[]").is_err());
    assert!(GeminiGenerate.read_answer(b"3").is_err());
    assert!(GeminiStream.read_answer(b"[3]").is_err());
    let error = answer(
        &GeminiGenerate,
        &json!({"error": {"code": 400, "message": "leak", "status": "INVALID_ARGUMENT"}}),
    );
    assert_eq!(part(&error, "/error/message").text, "leak");
    let picture =
        json!({"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}}]});
    assert_eq!(
        uninspectable(&answer(&GeminiGenerate, &picture)),
        [("/candidates/0/content/parts/0/inlineData", Opaque::Image)]
    );
}

fn falsified<'b>(wire: &dyn Wire, body: &'b str, pointer: &str) -> Vec<&'b str> {
    let half = wire.read_answer(body.as_bytes()).expect("is an answer");
    let at = half
        .parts
        .iter()
        .position(|part| part.pointer == pointer && part.fixed.is_none())
        .expect("is a part");
    let ranges = wire.falsified(body.as_bytes(), &half, &[at]);
    ranges.into_iter().filter_map(|range| body.get(range)).collect()
}

#[test]
fn what_speaks_of_an_edited_text_falls_with_it() {
    let body = answered().to_string();
    let candidate = &answered()["candidates"][0];
    let about = [
        candidate["logprobsResult"].to_string(),
        candidate["groundingMetadata"]["groundingSupports"].to_string(),
        "1".to_owned(),
        "2".to_owned(),
    ];
    let with = |signature: &str| [&[signature.to_owned()][..], &about].concat();
    let parts = "/candidates/0/content/parts";
    for (way, expected) in [
        ("0/text", about.to_vec()),
        ("1/text", with("\"c2ln\"")),
        ("2/functionCall/args/card/number", with("\"c2ln2\"")),
    ] {
        assert_eq!(falsified(&GeminiGenerate, &body, &format!("{parts}/{way}")), expected);
    }
    assert_eq!(
        falsified(&GeminiGenerate, &body, "/candidates/1/content/parts/0/text"),
        [r#"{"b":1}"#]
    );
    assert_eq!(
        falsified(
            &GeminiGenerate,
            &body,
            "/candidates/0/groundingMetadata/groundingChunks/0/web/title"
        ),
        about.get(..1).expect("is the first")
    );
    // Of an array, in every answer that goes on with the same candidate.
    let array = json!([
        {"candidates": [{"content": {"parts": [{"text": "a"}]}}]},
        {"candidates": [{"content": {"parts": [{"text": "b"}]}, "logprobsResult": {"c": 1}}]},
    ])
    .to_string();
    assert_eq!(
        falsified(&GeminiStream, &array, "/0/candidates/0/content/parts/0/text"),
        [r#"{"c":1}"#]
    );
}

#[test]
fn what_an_array_says_in_pieces_is_looked_at_whole() {
    let piece = |text: &str, thought: bool| json!({"candidates": [{"content": {"parts": [{"text": text, "thought": thought}]}}]});
    let body =
        json!([piece("4111 1111 ", false), piece("hm ", true), piece("1111 1111", false), {"usageMetadata": {}}]);
    let half = answer(&GeminiStream, &body);
    let joined = half.parts.last().expect("is a part");
    assert_eq!((joined.text.as_str(), joined.fixed), ("4111 1111 1111 1111", NAME));
    assert_eq!(joined.pointer, "/0/candidates/0/content/parts/0/text");
    assert_eq!(half.parts.iter().filter(|part| part.text.contains("hm")).count(), 1);
    let Place::Body(token) = &joined.place else {
        panic!("it stands in the body")
    };
    assert_eq!(body.to_string().get(token.clone()), Some("\"4111 1111 \""));
    let alone = answer(&GeminiStream, &answered());
    assert!(alone.parts.iter().all(|part| !part.text.contains("whywhat")));
}

#[test]
fn pieces_of_a_stream_belong_to_candidates_and_kinds() {
    let reading = event(&json!({"candidates": [
        {"index": 1, "content": {"role": "model", "parts": [{"text": "a"}, {"text": "b", "thought": true}, {"text": "c"}, {"novel": {"said": "d", "id": "e"}}]}},
        {"content": {"parts": [{"functionCall": {"id": "f", "name": "pay", "args": {"id": "g", "n": 123456789}}}]}, "finishReason": "STOP"},
    ], "modelVersion": "m", "responseId": "h", "novel": "i"}));
    let still = "/candidates/1/content/parts/0/functionCall/args";
    assert_eq!(
        flows(&reading),
        [
            ("1/text", Flow::Text, "a"),
            ("1/thought", Flow::Text, "b"),
            ("1/text", Flow::Text, "c"),
            ("1/part.novel.said", Flow::Text, "d"),
            (&*format!("0/still{still}/id"), Flow::Whole, "g"),
            (&*format!("0/still{still}/n"), Flow::Whole, "123456789"),
            ("still/novel", Flow::Whole, "i"),
        ]
    );
    assert_eq!(reading.ends, ["0/", "0/call/0/"]);
    assert_eq!(
        (reading.terminal, reading.may_end),
        (false, Some(false)),
        "one of them goes on"
    );
    let begun: Vec<(&str, &str, Option<&str>)> = reading
        .tools
        .iter()
        .map(|one| {
            (
                one.channel.as_str(),
                one.call.tool.as_str(),
                one.call.arguments.as_deref(),
            )
        })
        .collect();
    assert_eq!(begun, [("0/call/0/", "pay", Some(r#"{"id":"g","n":123456789}"#))]);
    let fixed = |text: &str| {
        let fragment = reading.fragments.iter().find(|fragment| fragment.text == text);
        fragment.map(|fragment| (fragment.channel.as_str(), fragment.flow))
    };
    assert_eq!(fixed("h"), Some(("still/responseId", Flow::Still)));
    assert_eq!(fixed("f").map(|(_, flow)| flow), Some(Flow::Still));
    assert_eq!(fixed("candidates"), None);
    assert_eq!(reading.uninspectable.len(), 1);
    // Without any numbers, their places tell them apart.
    let reading =
        event(&json!({"candidates": [{"content": {"parts": {"text": "a"}}}, {"content": {"parts": {"text": "b"}}}]}));
    assert_eq!(
        flows(&reading),
        [("0/text", Flow::Text, "a"), ("1/text", Flow::Text, "b")]
    );
}

#[test]
fn what_a_copy_of_an_event_leaves_out() {
    let data = json!({"candidates": [{"content": {"parts": [
        {"text": "a", "thoughtSignature": "s"},
        {"functionCall": {"name": "f"}, "thoughtSignature": "t"},
        {"executableCode": {"code": "x"}},
    ]}, "groundingMetadata": {"groundingSupports": [1]}, "logprobsResult": {}}], "usageMetadata": {"a": 1}})
    .to_string();
    let reading = GeminiStream
        .read_event(&Event::data(data.clone()))
        .expect("is an event");
    let once: Vec<&str> = reading
        .once
        .iter()
        .filter_map(|range| data.get(range.clone()))
        .collect();
    assert_eq!(
        once,
        [
            r#"{"a":1}"#,
            r#"{"groundingSupports":[1]}"#,
            "{}",
            r#"{"name":"f"}"#,
            r#"{"code":"x"}"#
        ]
    );
    let falls: Vec<(&str, Option<&str>, bool)> = reading
        .falsified
        .iter()
        .map(|one| (one.channel.as_str(), data.get(one.value.clone()), one.so_far))
        .collect();
    assert_eq!(
        falls,
        [
            ("0/", Some("{}"), true),
            ("0/text", Some("[1]"), true),
            ("0/text", Some("\"s\""), true),
            ("0/still/candidates/0/content/parts/1/", Some("\"t\""), false),
        ]
    );
}

/// Elsewhere at Google's, arguments come in pieces.
#[test]
fn a_call_is_whole_in_its_event_unless_it_says_otherwise() {
    for (call, comes) in [
        (json!({"name": "f", "args": {}}), false),
        (json!({"name": "f"}), false),
        (json!({"name": "f", "willContinue": true}), true),
        (
            json!({"partial_args": [{"jsonPath": "$.a", "stringValue": "b"}], "will_continue": true}),
            true,
        ),
    ] {
        let calls = event(&piece(&json!([{"functionCall": call}]))).calls;
        assert_eq!(calls, if comes { vec!["0/more/"] } else { Vec::new() }, "{call}");
    }
}

#[test]
fn a_stream_may_end_when_its_candidates_have() {
    let may_end = |data: &Value| event(data).may_end;
    let finished = |index: u64| json!({"index": index, "finishReason": "STOP"});
    assert_eq!(may_end(&piece(&json!([{"text": "a"}]))), Some(false));
    assert_eq!(may_end(&json!({"candidates": [finished(0)]})), Some(true));
    assert_eq!(may_end(&json!({"candidates": [finished(0), finished(1)]})), Some(true));
    assert_eq!(
        may_end(&json!({"candidates": [finished(0), {"index": 1}]})),
        Some(false)
    );
    assert_eq!(may_end(&json!({"usageMetadata": {"totalTokenCount": 1}})), None);
    assert_eq!(may_end(&json!({"candidates": []})), None);
    assert_eq!(
        may_end(&json!({"promptFeedback": {"blockReason": "SAFETY"}})),
        Some(true)
    );
    assert_eq!(may_end(&json!({"promptFeedback": {"safetyRatings": []}})), None);
    let error = event(&json!({"error": {"code": 503, "message": "leak"}}));
    assert!(error.terminal && error.fragments.iter().any(|fragment| fragment.text == "leak"));
    let read = |data: &str| GeminiStream.read_event(&Event::data(data.to_owned()));
    for data in [
        "[DONE]",
        "[]",
        "\"x\"",
        "{",
        r#"{"candidates":[{"index":"0/text"}]}"#,
        r#"{"candidates":[{"index":-1}]}"#,
    ] {
        assert!(read(data).is_err(), "{data}");
    }
    assert!(read(" ").is_ok_and(|reading| reading.may_end.is_none()));
    let named = Event {
        event: Some("leak".to_owned()),
        data: "{}".to_owned(),
    };
    assert!(
        GeminiStream
            .read_event(&named)
            .is_ok_and(|reading| reading.fragments[0].text == "leak")
    );
}

#[test]
fn long_names_do_not_multiply() {
    let (name, many) = ("n".repeat(1_000_000), vec!["x"; 100_000]);
    for data in [piece(&json!([{"novel": {&name: &many}}])), json!({"x": {&name: &many}})] {
        assert!(GeminiStream.read_event(&Event::data(data.to_string())).is_err());
    }
    assert!(read(&GeminiGenerate, &json!({"contents": [], "x": {&name: &many}})).is_err());
}

const REFUSAL: Refusal<'_> = Refusal {
    message: "No \"cards\",\nplease.",
    model: "gemini-x",
    record: "r1",
    at: 1_700_000_000,
};

fn events(bytes: &[u8]) -> Vec<Event> {
    let mut parser = SseParser::default();
    let items = parser.push(bytes).expect("is a stream");
    parser.finish().expect("is whole");
    let event = |item| match item {
        Item::Event(event) => event,
        Item::Comment => Event::default(),
    };
    items.into_iter().map(event).collect()
}

#[test]
fn its_own_words_are_read_as_its_own() {
    let half = GeminiGenerate
        .read_answer(&GeminiGenerate.refusal(&REFUSAL))
        .expect("is an answer");
    assert_eq!(part(&half, "/candidates/0/content/parts/0/text").text, REFUSAL.message);
    assert_eq!(part(&half, "/candidates/0/finishReason").text, "PROHIBITED_CONTENT");
    let half = GeminiStream
        .read_answer(&GeminiStream.refusal(&REFUSAL))
        .expect("is an answer");
    assert_eq!(
        part(&half, "/0/candidates/0/content/parts/0/text").text,
        REFUSAL.message
    );
    let stream = events(&GeminiStream.refusal_stream(&REFUSAL));
    assert_eq!(stream.len(), 1);
    let reading = GeminiStream.read_event(&stream[0]).expect("is an event");
    assert_eq!(flows(&reading), [("0/text", Flow::Text, REFUSAL.message)]);
    assert_eq!((reading.ends, reading.may_end), (vec!["0/".to_owned()], Some(true)));
    let broken = events(&GeminiStream.broken_stream("gone"));
    assert!(
        GeminiStream
            .read_event(&broken[0])
            .is_ok_and(|reading| reading.terminal)
    );
    assert!(broken[0].data.starts_with("{\"error\":"), "where the SDK looks for it");
    let error: Value = serde_json::from_slice(&Dialect::Gemini.error(403, "no")).expect("is JSON");
    assert_eq!(
        error,
        json!({"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}})
    );
}

#[test]
fn a_stopped_stream_ends_well() {
    assert_eq!(
        GeminiStream.stop_stream(&Seen::default(), &REFUSAL),
        GeminiStream.refusal_stream(&REFUSAL)
    );
    let strings = |list: &[&str]| list.iter().map(|&it| it.to_owned()).collect::<Vec<String>>();
    let seen = |open: &[&str]| Seen {
        begun: true,
        open: strings(open),
        channels: strings(&["still/responseId", "0/text", "1/text", "2/thought"]),
        last: Some(r#"{"responseId":"r-7","modelVersion":"m-2026"}"#.to_owned()),
        ..Seen::default()
    };
    let told = |seen: &Seen| -> Vec<Value> {
        let value = |event: Event| serde_json::from_str(&event.data).expect("is JSON");
        events(&GeminiStream.stop_stream(seen, &REFUSAL))
            .into_iter()
            .map(value)
            .collect()
    };
    let two = told(&seen(&["2/thought", "still/responseId", "0/text"]));
    assert_eq!(two.len(), 2);
    assert_eq!(
        (&two[0]["responseId"], &two[0]["modelVersion"]),
        (&json!("r-7"), &json!("m-2026"))
    );
    let said = |told: &Value| told["candidates"][0]["content"]["parts"][0]["text"].clone();
    assert_eq!(said(&two[0]), format!("\n\n{}", REFUSAL.message));
    assert_eq!(
        (&two[1]["candidates"][0]["index"], said(&two[1])),
        (&json!(2), json!(""))
    );
    assert_eq!(two[1]["candidates"][0]["finishReason"], "PROHIBITED_CONTENT");
    let thinking = told(&seen(&["2/thought"]));
    assert_eq!((thinking.len(), said(&thinking[0])), (1, json!(REFUSAL.message)));
    assert_eq!(told(&seen(&["still/responseId"])).len(), 1, "somebody says why");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        for wire in [&GeminiGenerate as &dyn Wire, &GeminiStream, &GeminiCount, &GeminiEmbed] {
            let _ = wire.read_request(&bytes, MODEL);
            let _ = wire.read_answer(&bytes);
        }
        let _ = GeminiStream.read_event(&Event::data(String::from_utf8_lossy(&bytes).into_owned()));
    }

    #[test]
    fn odd_shapes_never_panic(names in proptest::collection::vec(prop::sample::select(&NAMES[..]), 1..9), leaf in prop::sample::select(&LEAVES[..]), list in any::<u16>()) {
        let mut value: Value = serde_json::from_str(leaf).expect("is JSON");
        for (depth, name) in names.iter().enumerate() {
            value = if list >> depth & 1 == 1 { json!([value]) } else { json!({*name: value}) };
        }
        let content = json!({"parts": [value]});
        let body = json!({"contents": [content, value], "content": content, "candidates": [{"content": content}, value],
            "tools": value, "systemInstruction": value, "generationConfig": value, "promptFeedback": value}).to_string();
        for wire in [&GeminiGenerate as &dyn Wire, &GeminiStream, &GeminiCount, &GeminiEmbed] {
            let half = wire.read_request(body.as_bytes(), MODEL).expect("is a request");
            prop_assert!(half.parts.len() <= body.matches('"').count());
        }
        for body in [body.clone(), format!("[{body},{body}]")] {
            if let Ok(half) = GeminiStream.read_answer(body.as_bytes()) {
                let all: Vec<usize> = (0..half.parts.len()).collect();
                GeminiStream.falsified(body.as_bytes(), &half, &all);
            }
        }
        let _ = GeminiStream.read_event(&Event::data(body));
    }
}

const NAMES: [&str; 16] = [
    "role",
    "parts",
    "text",
    "thought",
    "thoughtSignature",
    "functionCall",
    "functionResponse",
    "args",
    "inline_data",
    "index",
    "groundingMetadata",
    "groundingSupports",
    "citationMetadata",
    "citations",
    "speechConfig",
    "functionDeclarations",
];
const LEAVES: [&str; 7] = ["null", "\"x\"", "1", "true", "[]", "{}", "\"model\""];
