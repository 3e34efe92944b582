//! The shape of `ordain.yaml` as data: a row for each key, from which come its JSON Schema and its page of the reference.
//!
//! The tests hold it to the reader: every map is asked for just the keys that stand here, and what the one takes the other
//! takes. A new key is a row of `ROWS`, beside the line that reads it.

use ordain_core::wire::Dialect;
use serde_json::{Map, Value, json};

/// One key.
#[derive(Debug)]
struct Row {
    /// The way to it: names with points between, `[]` after a list of maps.
    path: &'static str,
    shape: Shape,
    required: bool,
    /// What holds without it, as the reference says it.
    default: &'static str,
    /// What it means.
    about: &'static str,
    /// A value, as JSON.
    example: &'static str,
}

/// What stands at a key.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A map with the keys of the rows below.
    Map,
    /// A list of such maps.
    Maps,
    /// A text; what looks like a number must be quoted.
    Text,
    /// One text or a list of texts.
    Texts,
    /// A text of this pattern.
    Pattern(&'static str),
    /// One word of a set.
    Word(fn() -> Vec<&'static str>),
    /// A whole number.
    Number,
    /// A number from 0 to 1.
    Share,
    /// Texts under names of one's own.
    Named,
    /// What has rules of its own, which stand on its page and in its reader.
    Own,
}

use Shape::{Map as Inner, Maps, Named, Number, Own, Pattern, Share, Text, Texts, Word};

const fn row(
    path: &'static str,
    shape: Shape,
    example: &'static str,
    default: &'static str,
    about: &'static str,
) -> Row {
    Row {
        path,
        shape,
        required: false,
        default,
        about,
        example,
    }
}

const fn needed(path: &'static str, shape: Shape, example: &'static str, about: &'static str) -> Row {
    Row {
        required: true,
        ..row(path, shape, example, "required", about)
    }
}

const ADDRESS: &str = "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#]+[^?]*$";
const ADDRESS_OR_BUILT_IN: &str = "^(built-in|[Hh][Tt][Tt][Pp][Ss]?://[^/?#]+[^?]*)$";

fn dialects() -> Vec<&'static str> {
    Dialect::ALL.map(Dialect::as_str).to_vec()
}

/// Every key, in the order in which people write them; a map stands before what is in it.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("listen", Text, "\"127.0.0.1:8080\"", "`127.0.0.1:8080`", "Address and port; port 0 lets the system choose."),
    row("content_block", Word(|| vec!["refuse", "error"]), "\"refuse\"", "`refuse`", "`refuse`: a content block is a normal answer that refuses; `error`: status 400 in the API's own shape."),
    row("coach_note", Word(|| vec!["off", "trailing"]), "\"off\"", "`off`", "`trailing`: what the person is told stands at the end of the answer's text too, below an empty line; `off`: in `ordain-notice` alone."),
    row("upstreams", Maps, "", "none", "Where requests go. The first of a dialect that serves a model gets its requests."),
    needed("upstreams[].dialect", Word(dialects), "\"openai\"", "What it speaks: `openai`, `anthropic`, `gemini`, `ollama` or `azure`."),
    needed("upstreams[].url", Pattern(ADDRESS_OR_BUILT_IN), "\"https://api.openai.com\"", "Base address, with or without `/v1`; `built-in` is the demonstration upstream."),
    row("upstreams[].id", Text, "\"openai\"", "its `app`", "What `models` calls it."),
    row("upstreams[].app", Text, "\"openai-api\"", "`openai-api`, `anthropic-api`, `google-ai-studio`, `ollama` or `azure-openai`, by dialect", "The app's id, by which the policy classifies it."),
    row("upstreams[].key_env", Text, "\"OPENAI_API_KEY\"", "none: no key is sent", "Name of the environment variable with the provider's key."),
    row("upstreams[].models", Texts, "[\"gpt-5-mini\"]", "any", "The models that it serves, as exact names."),
    row("upstreams[].attributes", Named, "{\"region\": \"eu\"}", "none", "What is true of the route, for the policy's `require`."),
    row("models", Own, "", "none", "[Aliases of models](models.md), with their versions."),
    row("tls", Inner, "", "none: plain HTTP", "TLS from clients. Relative paths are below DIR."),
    needed("tls.certificate", Text, "\"keys/tls.pem\"", "PEM file of the certificate that clients are shown, with those between it and a root."),
    needed("tls.key", Text, "\"keys/tls.key\"", "PEM file of its private key."),
    row("tls.clients", Own, "", "none: no certificate is asked for", "[Whose certificates let a caller in](certificates.md): `ca`, `crl`, `required`, `principal`, `groups`, `client`."),
    row("issuers", Own, "", "none", "[Whose tokens let a caller in](identity.md#tokens-of-an-issuer)."),
    row("trusted_proxies", Own, "", "none", "[Which peers may say in a header who somebody is](identity.md#trusted-proxies)."),
    row("delegation", Own, "", "none", "[Who may act on whose behalf](delegation.md)."),
    row("login", Own, "", "none", "What [`ordain login`](cli.md#login) is told: `issuer`, `client_id`, `audience`, `scopes`."),
    row("currency", Text, "\"EUR\"", "none", "What prices are in."),
    row("prices", Own, "", "none", "[What calls cost](keys.md#prices): `app`, `model`, and what a million tokens of `input` and `output` cost."),
    row("budgets", Own, "", "none", "[What may be spent](keys.md#budgets): `per` (`key` or `principal`), `limits`, and `groups` for whom it holds."),
    row("metrics", Inner, "", "none", "[Metrics](metrics.md) for operators."),
    needed("metrics.listen", Text, "\"127.0.0.1:9464\"", "Address at which they are served, without keys."),
    row("traces", Inner, "", "none", "[Traces](traces.md) of exchanges, without content."),
    needed("traces.endpoint", Pattern(ADDRESS), "\"http://127.0.0.1:4318/v1/traces\"", "The collector's address for OTLP over HTTP with protobuf."),
    row("traces.headers_env", Text, "\"OTEL_EXPORTER_OTLP_HEADERS\"", "none", "Name of the environment variable with headers for the collector, as `name=value,name=value`."),
    row("traces.sample", Share, "0.1", "1", "The share of exchanges that is traced, from 0 to 1, where the client's `traceparent` does not say."),
    row("break_glass", Inner, "", "none: what cannot be recorded never happens", "[Where records go](break-glass.md) when the ledger takes none, for the use that the policy names. Taken into force by a start."),
    needed("break_glass.spool", Text, "\"/var/spool/ordain\"", "A folder, best on another disk than DIR. A relative path is below DIR."),
    row("break_glass.max_mib", Number, "64", "64 (some 30,000 records)", "Most of it, in MiB; beyond that nothing more begins."),
    row("limits", Inner, "", "as below", "Bounds on what clients can ask for, and on every wait."),
    row("limits.body_bytes", Number, "20971520", "20971520 (20 MiB)", "Of a request's body, and of an answer that is not streamed."),
    row("limits.passed_body_bytes", Number, "536870912", "536870912 (512 MiB)", "Of a body that [passes unread](endpoints.md#what-a-line-passes), of a request or an answer. Such bodies flow through, so that they take no room."),
    row("limits.all_bodies_bytes", Number, "134217728", "134217728 (128 MiB)", "Of the bodies of all requests whose answers have not begun. Over it a request gets 503 with `retry-after`. The memory that they need is up to twice as much."),
    row("limits.connections_per_peer", Number, "1000", "any", "Connections from one address; more are closed at once. Leave it out behind a load balancer."),
    row("limits.body_seconds", Number, "30", "30", "For a request's body to arrive."),
    row("limits.connect_seconds", Number, "10", "10", "For a connection to an upstream."),
    row("limits.first_byte_seconds", Number, "300", "300", "For the head of an upstream's answer."),
    row("limits.idle_seconds", Number, "120", "120", "For a pause within an upstream's answer."),
    row("limits.answer_seconds", Number, "3600", "3600", "For a whole answer, streamed or not."),
    row("limits.write_seconds", Number, "30", "30", "For a client to take some of its answer."),
    row("limits.record_seconds", Number, "2", "2", "For a record to become durable."),
    row("limits.drain_seconds", Number, "10", "10", "For running exchanges once the gateway is to stop."),
    row("limits.ticket_seconds", Number, "86400", "86400 (a day)", "How long a [ticket](approvals.md) lasts."),
    row("limits.output_tokens", Number, "4096", "4096", "Tokens that an answer is taken to have at most, for [budgets](keys.md#budgets), where the request does not bound it."),
    row("limits.queued_records", Number, "4096", "4096", "Records that may wait."),
];

/// The JSON Schema (draft 2020-12) of `ordain.yaml`, for editors.
#[must_use]
pub fn schema() -> Value {
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("title".to_owned(), json!("Configuration of an Ordain gateway"));
    schema.extend(map(""));
    Value::Object(schema)
}

/// The rows right below a map, with their names; the map is named by what its keys' paths begin with.
fn below(map: &str) -> impl Iterator<Item = (&'static str, &'static Row)> {
    ROWS.iter().filter_map(move |row| {
        let name = row.path.strip_prefix(map)?;
        (!name.is_empty() && !name.contains('.') && !name.contains("[]")).then_some((name, row))
    })
}

/// The schema of a map.
fn map(before: &str) -> Map<String, Value> {
    let properties: Map<String, Value> = below(before).map(|(name, row)| (name.to_owned(), key(row))).collect();
    let required: Vec<&str> = below(before)
        .filter(|(_, row)| row.required)
        .map(|(name, _)| name)
        .collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

fn key(row: &Row) -> Value {
    let text = json!({"type": "string"});
    let mut schema = match row.shape {
        Inner => Value::Object(map(&format!("{}.", row.path))),
        Maps => json!({"type": "array", "items": map(&format!("{}[].", row.path))}),
        Text => text,
        Texts => json!({"anyOf": [text, {"type": "array", "items": text}]}),
        Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
        Word(words) => json!({"enum": words()}),
        Number => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        Share => json!({"type": "number", "minimum": 0, "maximum": 1}),
        Named => json!({"type": "object", "additionalProperties": text}),
        Own => json!({}),
    };
    if let Some(schema) = schema.as_object_mut() {
        let about = if row.required {
            row.about.to_owned()
        } else {
            format!("{} Without it: {}.", row.about, row.default)
        };
        schema.insert("description".to_owned(), json!(about));
        if let Ok(example) = serde_json::from_str::<Value>(row.example) {
            schema.insert("examples".to_owned(), json!([example]));
        }
    }
    schema
}

#[cfg(test)]
mod tests;
