//! What requests say beside their contents.

use super::content::{mark_content, mark_parts};
use super::spelling::{each, each_of, field, fields, fix_fields};
use crate::exchange::Opaque;
use crate::verdict::Source;
use crate::wire::Malformed;
use crate::wire::json::{Document, Kind, Node};
use crate::wire::lookup::is_plain_name;
use crate::wire::reading::Marks;

/// The model in the path. Where a body names one too, it is the same (threat C10).
pub(super) fn model(doc: &Document<'_>, named: Option<&str>) -> Result<String, Malformed> {
    let named = named.filter(|named| is_plain_name(named)).ok_or(Malformed {
        offset: 0,
        reason: "no `model`",
    })?;
    let root = doc.root();
    let within = ["generateContentRequest", "requests"]
        .into_iter()
        .flat_map(|name| each_of(doc, root, name));
    for request in within.chain([root]) {
        let Some(model) = field(doc, request, "model") else {
            continue;
        };
        let name = doc.text(model).unwrap_or_default();
        if name.strip_prefix("models/").unwrap_or(&name) != named {
            return Err(Malformed {
                offset: doc.span(model).start,
                reason: "`model` is not the one in the path",
            });
        }
    }
    Ok(named.to_owned())
}

/// A request for content.
pub(super) fn mark_request(marks: &mut Marks<'_, '_>, request: Node) -> Result<(), Malformed> {
    let doc = marks.doc;
    let contents = field(doc, request, "contents");
    let contents = contents.filter(|&contents| matches!(doc.kind(contents), Kind::Array | Kind::Object));
    contents.ok_or(Malformed {
        offset: doc.span(request).start,
        reason: "`contents` is not an array",
    })?;
    for content in each(doc, contents) {
        mark_content(marks, content, Source::User);
    }
    fix_fields(
        marks,
        request,
        &["safetySettings", "serviceTier", "store", "toolConfig"],
    );
    for (name, value) in fields(doc, request) {
        match name.as_ref() {
            "systemInstruction" => {
                marks.source(value, Source::System);
                mark_parts(marks, value);
            }
            "tools" => {
                marks.source(value, Source::System);
                for tool in each(doc, Some(value)) {
                    mark_tool(marks, tool);
                }
            }
            "generationConfig" => mark_config(marks, value),
            "cachedContent" | "continuationToken" => {
                marks.fix(value);
                marks.opaque(value, Opaque::ServerState);
            }
            "labels" => marks.free(value),
            _ => {}
        }
    }
    Ok(())
}

/// A request for the embedding of one content.
pub(super) fn mark_embedding(marks: &mut Marks<'_, '_>, request: Node) -> Result<(), Malformed> {
    let doc = marks.doc;
    let content = field(doc, request, "content").filter(|&content| doc.kind(content) == Kind::Object);
    let content = content.ok_or(Malformed {
        offset: doc.span(request).start,
        reason: "`content` is not an object",
    })?;
    mark_content(marks, content, Source::User);
    fix_fields(marks, request, &["taskType"]);
    for config in each_of(doc, request, "embedContentConfig") {
        fix_fields(marks, config, &["taskType"]);
    }
    Ok(())
}

/// One entry of `tools`, which may hold several tools.
fn mark_tool(marks: &mut Marks<'_, '_>, tool: Node) {
    let doc = marks.doc;
    for (name, value) in fields(doc, tool) {
        match name.as_ref() {
            "functionDeclarations" => {
                for function in each(doc, Some(value)) {
                    fix_fields(marks, function, &["behavior", "name"]);
                    mark_schemas(
                        marks,
                        function,
                        &["parameters", "parametersJsonSchema", "response", "responseJsonSchema"],
                    );
                }
            }
            "codeExecution"
            | "computerUse"
            | "enterpriseWebSearch"
            | "googleMaps"
            | "googleSearch"
            | "googleSearchRetrieval" => marks.fix(value),
            // The provider fetches what addresses in the text lead to, or asks others.
            "exaAiSearch" | "mcpServers" | "parallelAiSearch" | "urlContext" => {
                marks.fix(value);
                marks.opaque(value, Opaque::RemoteReference);
            }
            "fileSearch" | "retrieval" => {
                marks.fix(value);
                marks.opaque(value, Opaque::ServerState);
            }
            _ => marks.opaque(value, Opaque::Unrecognized),
        }
    }
}

/// Settings of `generationConfig`: numbers, switches and names that the provider knows.
const SETTINGS: &[&str] = &[
    "audioTranscriptionConfig",
    "candidateCount",
    "frequencyPenalty",
    "imageConfig",
    "logprobs",
    "maxOutputTokens",
    "mediaResolution",
    "presencePenalty",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "seed",
    "speechConfig",
    "temperature",
    "thinkingConfig",
    "topK",
    "topP",
    "translationConfig",
];

fn mark_config(marks: &mut Marks<'_, '_>, config: Node) {
    let doc = marks.doc;
    fix_fields(marks, config, SETTINGS);
    mark_schemas(
        marks,
        config,
        &["_responseJsonSchema", "responseJsonSchema", "responseSchema"],
    );
    for name in ["modelSelectionConfig", "routingConfig"] {
        // Nobody could say which model answers.
        marks.opaque(field(doc, config, name), Opaque::Unrecognized);
    }
    for speech in each_of(doc, config, "speechConfig") {
        let voices = doc.within(speech).filter(|&voice| doc.kind(voice) == Kind::Object);
        for voice in voices {
            marks.opaque(field(doc, voice, "replicatedVoiceConfig"), Opaque::Audio);
        }
    }
}

/// Schemas, which the application wrote.
fn mark_schemas(marks: &mut Marks<'_, '_>, holder: Node, names: &[&str]) {
    let doc = marks.doc;
    for (name, value) in fields(doc, holder) {
        if names.contains(&name.as_ref()) {
            marks.source(value, Source::System);
            marks.schema(value);
        }
    }
}
