//! What the dialect knows of its requests.
//!
//! The server reads names of members whatever their case, and the last of several wins: with `model` and `Model` in one
//! body it would serve the one that the policy was not asked about. Such names are refused (threats A8 and C10).

use crate::exchange::Opaque;
use crate::verdict::Source;
use crate::wire::Malformed;
use crate::wire::json::{Document, Kind, Node};
use crate::wire::lookup::items;
use crate::wire::reading::Marks;

use super::{filled, mark_message, no_text};

/// Settings of a request: numbers, switches and names that the server knows.
const SETTINGS: &[&str] = &[
    "dimensions",
    "height",
    "keep_alive",
    "logprobs",
    "model",
    "raw",
    "shift",
    "steps",
    "stream",
    "think",
    "top_logprobs",
    "truncate",
    "width",
];

/// Options of a model that are numbers and switches. Of the others, `stop` is text.
const OPTIONS: &[&str] = &[
    "draft_num_predict",
    "embedding_only",
    "f16_kv",
    "frequency_penalty",
    "logits_all",
    "low_vram",
    "main_gpu",
    "min_p",
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "num_batch",
    "num_ctx",
    "num_gpu",
    "num_keep",
    "num_predict",
    "num_thread",
    "numa",
    "penalize_newline",
    "presence_penalty",
    "repeat_last_n",
    "repeat_penalty",
    "seed",
    "temperature",
    "tfs_z",
    "top_k",
    "top_p",
    "typical_p",
    "use_mlock",
    "use_mmap",
    "vocab_only",
];

/// The other members that the server reads in a request, its messages and their calls.
const MEMBERS: &[&str] = &[
    "arguments",
    "content",
    "context",
    "format",
    "function",
    "id",
    "images",
    "index",
    "input",
    "messages",
    "name",
    "options",
    "prompt",
    "role",
    "suffix",
    "system",
    "template",
    "thinking",
    "tool_call_id",
    "tool_calls",
    "tool_name",
    "tools",
];

pub(super) fn mark_settings(marks: &mut Marks<'_, '_>, root: Node) {
    let doc = marks.doc;
    marks.fix_members(root, SETTINGS);
    if let Some(options) = doc.get(root, "options") {
        marks.fix_members(options, OPTIONS);
    }
    for name in ["tools", "format", "system", "template"] {
        if let Some(definitions) = doc.get(root, name) {
            marks.source(definitions, Source::System);
        }
    }
    for tool in items(doc, doc.get(root, "tools")) {
        if let Some(function) = doc.get(tool, "function") {
            marks.fix(doc.get(function, "name"));
            marks.schema(doc.get(function, "parameters"));
        }
    }
    match doc.get(root, "format") {
        Some(format) if doc.kind(format) == Kind::String => marks.fix(format),
        format => marks.schema(format),
    }
}

/// The conversation of `/api/chat`. Without one, the server only loads the model.
pub(super) fn mark_turns(marks: &mut Marks<'_, '_>, root: Node) -> Result<(), Malformed> {
    let doc = marks.doc;
    let Some(messages) = doc.given(root, "messages") else {
        return Ok(());
    };
    if doc.kind(messages) != Kind::Array {
        return Err(Malformed {
            offset: doc.span(messages).start,
            reason: "`messages` is not an array",
        });
    }
    for message in doc.children(messages) {
        let source = match doc.member_text(message, "role").as_deref() {
            Some("user") => Source::User,
            Some("system") => Source::System,
            Some("tool") => Source::Tool,
            Some("assistant") => Source::Model,
            _ => {
                marks.opaque(message, Opaque::Unrecognized);
                Source::User
            }
        };
        mark_message(marks, message, source);
    }
    Ok(())
}

/// The prompt of `/api/generate`, and what stands around it.
pub(super) fn mark_prompt(marks: &mut Marks<'_, '_>, root: Node) {
    let doc = marks.doc;
    for name in ["prompt", "suffix", "system", "template"] {
        marks.opaque(no_text(doc, root, name), Opaque::Unrecognized);
    }
    marks.opaque(filled(doc, root, "images"), Opaque::Image);
    // An earlier conversation as token ids, which mean something to the model only.
    marks.opaque(filled(doc, root, "context"), Opaque::ServerState);
}

/// Refuses a member that the server would take for another one.
pub(super) fn refuse_look_alikes(doc: &Document<'_>) -> Result<(), Malformed> {
    let root = doc.root();
    let messages = items(doc, doc.get(root, "messages"));
    let mut objects: Vec<Node> = vec![root];
    for message in messages {
        objects.push(message);
        for call in items(doc, doc.get(message, "tool_calls")) {
            objects.push(call);
            objects.extend(doc.get(call, "function"));
        }
    }
    for tool in items(doc, doc.get(root, "tools")) {
        objects.push(tool);
        objects.extend(doc.get(tool, "function"));
    }
    for (name, value) in objects.into_iter().flat_map(|object| doc.members(object)) {
        let folded = fold(&name);
        let known = [SETTINGS, MEMBERS].into_iter().flatten().any(|&known| known == folded);
        if known && folded != name {
            return Err(Malformed {
                offset: doc.key_span(value).unwrap_or_default().start,
                reason: "a member name differs from a known one in case only",
            });
        }
    }
    Ok(())
}

/// A name as the server's reader (Go's `encoding/json`) compares it: two letters beyond ASCII fold into it.
fn fold(name: &str) -> String {
    let fold = |letter: char| match letter {
        'ſ' => 's',
        '\u{212A}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(fold).collect()
}
