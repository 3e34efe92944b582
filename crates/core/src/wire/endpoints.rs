//! Which endpoint is which wire: every operation of the public APIs, each with what the gateway does with it.
//!
//! The tables are data (`data/endpoints`): method, path and handling. What is not in them is unknown, and unknown is not
//! allowed (threat I2). Of what no wire reads, `data/never-passed.tsv` says what no policy can pass (threat C12). Paths are compared as they are, without any normalisation that an upstream might not share
//! (threat B12). Read [`find`] first.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Dialect, Wire, all};

/// One operation of an API.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The API family that it belongs to.
    pub dialect: Dialect,
    /// Its method, in capitals.
    pub method: &'static str,
    /// Its path, with `{name}` for what differs; `{model}` is the model that a request is for.
    pub path: &'static str,
    /// What the gateway does with it.
    pub handling: Handling,
}

impl Endpoint {
    /// Dialect, method and path, as policies name it: `openai POST /v1/files`. Two dialects have some paths in common, and a
    /// line about one of them is no line about the other.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {} {}", self.dialect.as_str(), self.method, self.path)
    }
}

/// What the gateway does with an endpoint.
#[derive(Debug, Clone, Copy)]
pub enum Handling {
    /// Its bodies are read and judged.
    Inspected(&'static dyn Wire),
    /// The gateway answers it: which models there are.
    Models,
    /// Nobody reads it: it is turned away, unless a line of the policy's `access.endpoints` passes it.
    Passable,
    /// It is turned away, whatever a policy says, since it does this.
    Refused(&'static str),
}

impl Handling {
    /// The word in published tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inspected(_) => "inspected",
            Self::Models => "answered",
            Self::Passable => "passed by clause",
            Self::Refused(_) => "refused",
        }
    }
}

/// The endpoint of a request.
#[derive(Debug, Clone, Copy)]
pub struct Found<'p> {
    /// Which.
    pub endpoint: &'static Endpoint,
    /// The model that the path names.
    pub model: Option<&'p str>,
}

/// The endpoint at a path. Where two dialects have the same path, `preferred` says which is meant.
#[must_use]
pub fn find<'p>(method: &str, path: &'p str, preferred: Dialect) -> Option<Found<'p>> {
    let mut found = TABLE.at(path).filter(|found| found.endpoint.method == method);
    let first = found.next()?;
    if first.endpoint.dialect == preferred {
        return Some(first);
    }
    Some(found.find(|found| found.endpoint.dialect == preferred).unwrap_or(first))
}

/// The dialect whose error bodies a client at this path understands: that of the endpoints there, or `preferred`.
#[must_use]
pub fn speaks(path: &str, preferred: Dialect) -> Dialect {
    let mut first = None;
    for found in TABLE.at(path) {
        if found.endpoint.dialect == preferred {
            return preferred;
        }
        first.get_or_insert(found.endpoint.dialect);
    }
    first.unwrap_or(preferred)
}

/// Every endpoint, dialect by dialect.
#[must_use]
pub fn table() -> &'static [Endpoint] {
    &TABLE.endpoints
}

/// Fits a path to a pattern; the answer is the model that it names, if it names one.
#[expect(
    clippy::option_option,
    reason = "whether it fits, and whether it then names a model, are two questions"
)]
fn fit<'p>(pattern: &str, path: &'p str) -> Option<Option<&'p str>> {
    let mut model = None;
    let mut pieces = path.split('/');
    for wanted in pattern.split('/') {
        let piece = pieces.next()?;
        let Some((before, rest)) = wanted.split_once('{') else {
            if piece != wanted {
                return None;
            }
            continue;
        };
        let (name, after) = rest.split_once('}')?;
        let value = piece.strip_prefix(before)?.strip_suffix(after)?;
        // Dots alone are a step in a path to whoever resolves them (threat B12).
        if value.bytes().all(|byte| byte == b'.') || !value.bytes().all(is_plain) {
            return None;
        }
        if name == "model" {
            model = Some(value);
        }
    }
    pieces.next().is_none().then_some(model)
}

/// What ids and names of models consist of. Nothing that could be written in two ways, and no colon, which sets verbs apart.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// The endpoints, and where to look for the ones at a path.
struct Table {
    endpoints: Vec<Endpoint>,
    /// Those whose path is always the same, by it.
    plain: HashMap<&'static str, Vec<usize>>,
    /// The others.
    patterns: Vec<usize>,
}

impl Table {
    /// The endpoints at a path, whatever their method.
    fn at<'p>(&'static self, path: &'p str) -> impl Iterator<Item = Found<'p>> {
        let plain = self.plain.get(path).map(Vec::as_slice);
        let places = plain.unwrap_or(&self.patterns).iter();
        places
            .filter_map(|&place| self.endpoints.get(place))
            .filter_map(move |endpoint| {
                let model = if plain.is_some() {
                    None
                } else {
                    fit(endpoint.path, path)?
                };
                Some(Found { endpoint, model })
            })
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut endpoints = Vec::new();
    for (dialect, text) in FILES {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        endpoints.extend(lines.filter_map(|line| row(dialect, line)));
    }
    let mut plain: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut patterns = Vec::new();
    for (place, endpoint) in endpoints.iter().enumerate() {
        if endpoint.path.contains('{') {
            patterns.push(place);
        } else {
            plain.entry(endpoint.path).or_default().push(place);
        }
    }
    Table {
        endpoints,
        plain,
        patterns,
    }
});

/// The files come with the program, and a test reads every line of them.
const FILES: [(Dialect, &str); 5] = [
    (Dialect::Openai, include_str!("../../data/endpoints/openai.tsv")),
    (Dialect::Anthropic, include_str!("../../data/endpoints/anthropic.tsv")),
    (Dialect::Gemini, include_str!("../../data/endpoints/gemini.tsv")),
    (Dialect::Azure, include_str!("../../data/endpoints/azure.tsv")),
    (Dialect::Ollama, include_str!("../../data/endpoints/ollama.tsv")),
];

/// What no line of a policy passes, in the same form.
const NEVER: &str = include_str!("../../data/never-passed.tsv");

/// A row of it: the dialect, the path, and why.
fn never(line: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let mut columns = line.split('\t');
    Some((columns.next()?, columns.next()?, columns.next()?))
}

/// Why an endpoint is never passed, if it is so.
fn why_never(dialect: Dialect, path: &str) -> Option<&'static str> {
    let mut rows = NEVER.lines().filter(|line| !line.starts_with('#')).filter_map(never);
    let covers = |pattern: &str| match pattern.strip_suffix('*') {
        Some(above) => path.starts_with(above),
        None => path == pattern,
    };
    let row = rows.find(|(of, pattern, _)| *of == dialect.as_str() && covers(pattern))?;
    Some(row.2)
}

fn row(dialect: Dialect, line: &'static str) -> Option<Endpoint> {
    let mut columns = line.split('\t');
    let (method, path, handling) = (columns.next()?, columns.next()?, columns.next()?);
    let handling = match handling {
        "models" => Handling::Models,
        "refused" => why_never(dialect, path).map_or(Handling::Passable, Handling::Refused),
        id => Handling::Inspected(all().into_iter().find(|wire| wire.id() == id)?),
    };
    Some(Endpoint {
        dialect,
        method,
        path,
        handling,
    })
}

#[cfg(test)]
mod page;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn wire_at(path: &str) -> Option<&'static str> {
        match find("POST", path, Dialect::Openai)?.endpoint.handling {
            Handling::Inspected(wire) => Some(wire.id()),
            Handling::Models | Handling::Passable | Handling::Refused(_) => None,
        }
    }

    #[test]
    fn every_line_of_the_tables_is_read_and_stands_once() {
        let lines = FILES.iter().flat_map(|(_, text)| text.lines());
        let lines = lines.filter(|line| !line.starts_with('#')).count();
        assert_eq!(
            table().len(),
            lines,
            "a line has another shape, or names a wire that there is not"
        );
        let keys: BTreeSet<(&str, &str, &str)> = table()
            .iter()
            .map(|one| (one.dialect.as_str(), one.method, one.path))
            .collect();
        assert_eq!(keys.len(), table().len(), "an endpoint stands twice");
    }

    #[test]
    fn every_wire_is_spoken_somewhere() {
        let spoken: BTreeSet<&str> = table()
            .iter()
            .filter_map(|one| match one.handling {
                Handling::Inspected(wire) => Some(wire.id()),
                Handling::Models | Handling::Passable | Handling::Refused(_) => None,
            })
            .collect();
        assert_eq!(spoken, all().into_iter().map(Wire::id).collect());
    }

    #[test]
    fn what_is_never_passed_is_refused_and_every_row_of_it_is_about_something() {
        let rows = NEVER.lines().filter(|line| !line.starts_with('#'));
        for line in rows {
            let (dialect, pattern, why) = never(line).unwrap_or_else(|| panic!("another shape: {line}"));
            let covered = table().iter().filter(|one| {
                let exact = one.path == pattern;
                let below = pattern
                    .strip_suffix('*')
                    .is_some_and(|above| one.path.starts_with(above));
                one.dialect.as_str() == dialect && (exact || below)
            });
            let refused: Vec<bool> = covered
                .map(|one| matches!(one.handling, Handling::Refused(said) if said == why))
                .collect();
            assert!(
                !refused.is_empty() && refused.iter().all(|it| *it),
                "{line}: {refused:?}"
            );
        }
        for (method, path) in [
            ("POST", "/v1/realtime/client_secrets"),
            ("POST", "/v1/organization/admin_api_keys"),
            ("GET", "/v1/organization/projects/p/api_keys"),
            ("POST", "/v1beta/auth_tokens"),
            ("GET", "/openai/realtime"),
        ] {
            let found = find(method, path, Dialect::Openai).expect("an endpoint");
            assert!(
                matches!(found.endpoint.handling, Handling::Refused(_)),
                "{method} {path}"
            );
        }
    }

    #[test]
    fn the_name_of_an_endpoint_is_that_of_no_other() {
        let names: BTreeSet<String> = table().iter().map(Endpoint::name).collect();
        assert_eq!(names.len(), table().len());
    }

    #[test]
    fn a_path_is_taken_as_it_is_written() {
        assert_eq!(wire_at("/v1/chat/completions"), Some("openai-chat"));
        for path in [
            "/v1/chat/completions/",
            "//v1/chat/completions",
            "/v1//chat/completions",
            "/V1/messages",
            "/v1/messages;x",
            "/v1/./messages",
            "/v1/chat%2fcompletions",
            "/v1/models/../chat/completions",
        ] {
            assert!(find("POST", path, Dialect::Openai).is_none(), "{path}");
        }
        assert!(find("GET", "/v1/models/a%2e", Dialect::Openai).is_none());
        assert!(find("GET", "/v1/models/..a", Dialect::Openai).is_some());
        for path in [
            "/v1/models/..",
            "/v1/files/./content",
            "/v1/vector_stores/../files",
            "/v1/vector_stores/../files/file-1",
            "/v1beta/batches/..:cancel",
        ] {
            for method in ["GET", "POST", "DELETE"] {
                assert!(find(method, path, Dialect::Openai).is_none(), "{method} {path}");
            }
        }
        assert!(find("GET", "/v1/models/", Dialect::Openai).is_none());
    }

    #[test]
    fn a_deployment_in_a_path_is_the_model() {
        for (operation, wire) in [
            ("chat/completions", "openai-chat"),
            ("completions", "openai-completions"),
            ("embeddings", "openai-embeddings"),
            ("images/generations", "openai-images"),
            ("audio/speech", "openai-speech"),
        ] {
            let path = format!("/openai/deployments/my-gpt_4.1/{operation}");
            assert_eq!(wire_at(&path), Some(wire));
            let found = find("POST", &path, Dialect::Openai).expect("an endpoint");
            assert_eq!(
                (found.endpoint.dialect, found.model),
                (Dialect::Azure, Some("my-gpt_4.1"))
            );
            for odd in ["", "a%2Fb", "a:b", "a b", "..%2f", "caf\u{e9}"] {
                let path = format!("/openai/deployments/{odd}/{operation}");
                assert!(find("POST", &path, Dialect::Azure).is_none(), "{path}");
            }
        }
        assert_eq!(wire_at("/openai/v1/embeddings"), Some("openai-embeddings"));
        assert!(wire_at("/openai/deployments/m/audio/transcriptions").is_none());
        assert_eq!(wire_at("/openai/v1/responses"), Some("openai-responses"));
        assert!(wire_at("/openai/v1/responses/compact").is_none());
    }

    #[test]
    fn a_path_that_two_dialects_have_is_the_preferred_one() {
        for preferred in [Dialect::Openai, Dialect::Anthropic] {
            let found = find("GET", "/v1/models/m-1.2", preferred).expect("an endpoint");
            assert_eq!((found.endpoint.dialect, found.model), (preferred, Some("m-1.2")));
            assert_eq!(speaks("/v1/models", preferred), preferred);
        }
        assert_eq!(speaks("/v1/messages", Dialect::Openai), Dialect::Anthropic);
        assert_eq!(speaks("/nothing", Dialect::Gemini), Dialect::Gemini);
    }
}
