//! Contents and their parts, which requests and answers share.

use super::spelling::{camel, each_of, field, fields, fix_fields};
use crate::exchange::{Opaque, ToolCall};
use crate::verdict::Source;
use crate::wire::json::{Document, Kind, Node};
use crate::wire::reading::Marks;

/// One turn. Without a role it was said by `unnamed`.
pub(super) fn mark_content(marks: &mut Marks<'_, '_>, content: Node, unnamed: Source) {
    let doc = marks.doc;
    let source = match field(doc, content, "role").map(|role| doc.text(role)) {
        None if doc.kind(content) == Kind::Object => unnamed,
        Some(Some(role)) if role == "user" => Source::User,
        Some(Some(role)) if role == "model" => Source::Model,
        Some(Some(role)) if role == "function" => Source::Tool,
        role => {
            marks.opaque(content, Opaque::Unrecognized);
            let system = role.flatten().is_some_and(|role| role == "system");
            if system { Source::System } else { unnamed }
        }
    };
    marks.source(content, source);
    mark_parts(marks, content);
}

/// The parts of a turn.
pub(super) fn mark_parts(marks: &mut Marks<'_, '_>, content: Node) {
    let doc = marks.doc;
    for part in each_of(doc, content, "parts") {
        if doc.kind(part) == Kind::Object {
            mark_part(marks, part);
        } else {
            marks.opaque(part, Opaque::Unrecognized);
        }
    }
}

/// How the strings of a field in a part come in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coming {
    /// As pieces of a text that grows.
    Growing,
    /// Whole.
    Whole,
    /// As settings of the part, which say nothing themselves.
    Setting,
}

impl Coming {
    /// Whatever came later than this may be a piece of a growing text.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "codeExecutionResult"
            | "executableCode"
            | "fileData"
            | "functionCall"
            | "functionResponse"
            | "inlineData"
            | "partMetadata"
            | "toolCall"
            | "toolResponse" => Self::Whole,
            "audioMetadata"
            | "documentMetadata"
            | "mediaProcessing"
            | "mediaResolution"
            | "speechMetadata"
            | "spreadsheetMetadata"
            | "thought"
            | "thoughtSignature"
            | "videoMetadata" => Self::Setting,
            _ => Self::Growing,
        }
    }
}

/// One part. A part is one thing by contract; if it says to be several, each is taken for what it says.
fn mark_part(marks: &mut Marks<'_, '_>, part: Node) {
    let doc = marks.doc;
    for (name, value) in fields(doc, part) {
        match name.as_ref() {
            "text" if doc.kind(value) == Kind::String => {}
            "audioTranscription" | "mediaProcessing" => {}
            "inlineData" => {
                fix_fields(marks, value, &["mimeType"]);
                marks.opaque(value, data_kind(doc, value));
            }
            "fileData" => {
                fix_fields(marks, value, &["mimeType"]);
                marks.opaque(value, Opaque::RemoteReference);
            }
            "functionCall" | "toolCall" => {
                fix_fields(marks, value, &["name", "toolType"]);
                marks.free(field(doc, value, "args"));
                // Arguments that grow, which only another service of Google's sends.
                marks.opaque(field(doc, value, "partialArgs"), Opaque::Unrecognized);
            }
            "functionResponse" => {
                marks.source(value, Source::Tool);
                fix_fields(marks, value, &["name", "scheduling"]);
                marks.free(field(doc, value, "response"));
                mark_parts(marks, value);
            }
            "toolResponse" => {
                // Search, pages, maps and stores are all that there is.
                marks.source(value, Source::Retrieved);
                fix_fields(marks, value, &["toolType"]);
                marks.free(field(doc, value, "response"));
            }
            "executableCode" => fix_fields(marks, value, &["language"]),
            "codeExecutionResult" => {
                marks.source(value, Source::Tool);
                fix_fields(marks, value, &["outcome"]);
            }
            "partMetadata" => marks.free(value),
            name if Coming::of(name) == Coming::Setting => marks.fix(value),
            _ => marks.opaque(value, Opaque::Unrecognized),
        }
    }
}

/// What data in the body itself is, by what it says to be.
fn data_kind(doc: &Document<'_>, data: Node) -> Opaque {
    let kind = field(doc, data, "mimeType").and_then(|kind| doc.text(kind));
    let is = |family: &str| {
        kind.as_ref()
            .and_then(|kind| kind.get(..family.len()))
            .is_some_and(|start| start.eq_ignore_ascii_case(family))
    };
    match () {
        () if is("image/") => Opaque::Image,
        () if is("audio/") => Opaque::Audio,
        () => Opaque::File,
    }
}

/// Whether the arguments of a part's call come in pieces, which only another service of Google's sends.
pub(super) fn comes_in_pieces(doc: &Document<'_>, part: Node) -> bool {
    let pieces = |call| field(doc, call, "partialArgs").is_some() || field(doc, call, "willContinue").is_some();
    ["functionCall", "toolCall"]
        .into_iter()
        .any(|kind| field(doc, part, kind).is_some_and(pieces))
}

/// The tool that a part calls: a function, or one of the provider's own by its type.
pub(super) fn called_tool(doc: &Document<'_>, part: Node) -> Option<ToolCall> {
    let mut named = doc
        .members(part)
        .filter_map(|(name, value)| match camel(name).as_ref() {
            "functionCall" => Some((value, field(doc, value, "name")?)),
            "toolCall" => Some((value, field(doc, value, "toolType")?)),
            _ => None,
        });
    let (call, name) = named.next()?;
    let tool = doc.text(name).filter(|name| !name.is_empty())?;
    let arguments = match field(doc, call, "args") {
        Some(arguments) => Some(doc.raw(arguments).to_owned()),
        // A field that is not there is empty, unless the rest is still to come.
        None if comes_in_pieces(doc, part) => None,
        None => Some("{}".to_owned()),
    };
    Some(ToolCall {
        tool: tool.into(),
        arguments,
    })
}
