//! `ordain.yaml`: where the gateway listens, what it forwards to, and its bounds.
//!
//! Read like a policy: strictly, and with all problems in one run. A provider's key is never in the file, only the name of
//! the environment variable that holds it.

use std::time::Duration;

use hyper::Uri;
use ordain_core::policy::fields::{Fields, Reader};
use ordain_core::policy::node::{self, Node};
use ordain_core::policy::problem::Problem;

/// The configuration of a gateway.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address and port to listen on; port 0 lets the system choose.
    pub listen: String,
    /// Where requests go.
    pub upstreams: Vec<Upstream>,
    /// How a content block looks to a client.
    pub content_block: ContentBlock,
    /// The gateway's bounds.
    pub limits: Limits,
}

/// An app that requests can go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Its id in the catalogue, by which the policy classifies it.
    pub app: String,
    /// What it speaks.
    pub dialect: Dialect,
    /// Its base address; [`Upstream::BUILT_IN`] for the demonstration upstream.
    pub url: String,
    /// The environment variable that holds its key.
    pub key_env: Option<String>,
    /// The models that it serves; any when empty.
    pub models: Vec<String>,
    /// What is true of this route, for the policy's `require`.
    pub attributes: Vec<(String, String)>,
}

/// An API family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's.
    Openai,
    /// Anthropic's.
    Anthropic,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 2] = [Self::Openai, Self::Anthropic];

    /// The word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == word)
    }

    /// The app that an upstream of this dialect is, unless it says otherwise.
    #[must_use]
    pub const fn usual_app(self) -> &'static str {
        match self {
            Self::Openai => "openai-api",
            Self::Anthropic => "anthropic-api",
        }
    }

    /// The environment variable that usually holds its key.
    #[must_use]
    pub const fn usual_key_env(self) -> &'static str {
        match self {
            Self::Openai => "OPENAI_API_KEY",
            Self::Anthropic => "ANTHROPIC_API_KEY",
        }
    }

    /// The provider's own address.
    #[must_use]
    pub const fn usual_url(self) -> &'static str {
        match self {
            Self::Openai => "https://api.openai.com",
            Self::Anthropic => "https://api.anthropic.com",
        }
    }
}

impl Upstream {
    /// The address that stands for the demonstration upstream inside the program.
    pub const BUILT_IN: &'static str = "built-in";

    /// An upstream of a dialect at an address, as `--upstream DIALECT=URL` means it.
    #[must_use]
    pub fn usual(dialect: Dialect, url: &str) -> Self {
        Self {
            app: dialect.usual_app().to_owned(),
            dialect,
            url: url.to_owned(),
            key_env: Some(dialect.usual_key_env().to_owned()),
            models: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// The demonstration upstream for a dialect.
    #[must_use]
    pub fn demo(dialect: Dialect) -> Self {
        Self {
            app: "demo".to_owned(),
            url: Self::BUILT_IN.to_owned(),
            key_env: None,
            models: vec!["demo".to_owned()],
            ..Self::usual(dialect, "")
        }
    }
}

/// How a content block looks to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentBlock {
    /// A normal answer that refuses.
    Refuse,
    /// Status 400 in the API's own error shape.
    Error,
}

/// Bounds on what one client can ask for (threat I9).
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request body, and of an answer that is not streamed.
    pub body: usize,
    /// For a whole request body to arrive.
    pub body_time: Duration,
    /// For a connection to an upstream.
    pub connect: Duration,
    /// For the first byte of an answer.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// For a record to become durable.
    pub record: Duration,
    /// Records that may wait.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 20 * 1024 * 1024,
            body_time: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(300),
            idle: Duration::from_secs(120),
            record: Duration::from_secs(2),
            queue: 4096,
        }
    }
}

/// Reads a configuration; problems are added to `problems`.
#[must_use]
pub fn parse(text: &str, problems: &mut Vec<Problem>) -> Option<Config> {
    let mut reader = Reader::default();
    let config = node::parse(0, text, &mut reader.problems).and_then(|tree| read(&tree, &mut reader));
    let good = reader.problems.is_empty();
    problems.append(&mut reader.problems);
    config.filter(|_| good)
}

fn read(tree: &Node, reader: &mut Reader) -> Option<Config> {
    let mut fields = reader.fields(tree, "the configuration")?;
    let listen = fields
        .text("listen", reader)
        .map_or_else(|| "127.0.0.1:8080".to_owned(), |text| text.value);
    let mut upstreams = Vec::new();
    for node in fields.list("upstreams", reader) {
        upstreams.extend(upstream(node, reader));
    }
    let blocks = |word: &str| match word {
        "refuse" => Some(ContentBlock::Refuse),
        "error" => Some(ContentBlock::Error),
        _ => None,
    };
    let content_block = fields
        .node("content_block")
        .and_then(|node| reader.word(node, "a way to block content", blocks, &["refuse", "error"]));
    let limits = fields
        .node("limits")
        .and_then(|node| limits(node, reader))
        .unwrap_or_default();
    fields.finish(reader);
    Some(Config {
        listen,
        upstreams,
        content_block: content_block.map_or(ContentBlock::Refuse, |word| word.value),
        limits,
    })
}

fn upstream(node: &Node, reader: &mut Reader) -> Option<Upstream> {
    let mut fields = reader.fields(node, "an upstream")?;
    let words = Dialect::ALL.map(Dialect::as_str);
    let dialect = fields.required_with("dialect", reader, |reader, node| {
        reader.word(node, "a dialect", Dialect::parse, &words)
    });
    let url = fields.required_with("url", reader, address);
    let app = fields.text("app", reader);
    let key_env = fields.text("key_env", reader);
    let models = fields.texts("models", reader);
    let attributes = fields.good_pairs("attributes", reader, Reader::text);
    fields.finish(reader);
    let dialect = dialect?.value;
    Some(Upstream {
        app: app.map_or_else(|| dialect.usual_app().to_owned(), |app| app.value),
        dialect,
        url: url?,
        key_env: key_env.map(|name| name.value),
        models: models.into_iter().map(|model| model.value).collect(),
        attributes: attributes
            .into_iter()
            .map(|(key, value)| (key.value, value.value))
            .collect(),
    })
}

fn address(reader: &mut Reader, node: &Node) -> Option<String> {
    let text = reader.text(node)?;
    if text.as_str() == Upstream::BUILT_IN || is_base_url(text.as_str()) {
        return Some(text.value);
    }
    reader.wrong(
        node,
        "an address such as `https://api.openai.com`, or `built-in`, is expected",
    );
    None
}

/// Whether a text is an `http` or `https` address with a host and without query.
#[must_use]
pub fn is_base_url(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    })
}

fn limits(node: &Node, reader: &mut Reader) -> Option<Limits> {
    let mut fields = reader.fields(node, "`limits`")?;
    let mut limits = Limits::default();
    let mut number = |fields: &mut Fields<'_>, key: &'static str| {
        fields
            .node(key)
            .and_then(|node| reader.number(node))
            .map(|number| number.value)
    };
    if let Some(bytes) = number(&mut fields, "body_bytes") {
        limits.body = bytes as usize;
    }
    if let Some(records) = number(&mut fields, "queued_records") {
        limits.queue = records.max(1) as usize;
    }
    for (key, slot) in [
        ("body_seconds", &mut limits.body_time),
        ("connect_seconds", &mut limits.connect),
        ("first_byte_seconds", &mut limits.first_byte),
        ("idle_seconds", &mut limits.idle),
        ("record_seconds", &mut limits.record),
    ] {
        if let Some(seconds) = number(&mut fields, key) {
            *slot = Duration::from_secs(u64::from(seconds.max(1)));
        }
    }
    fields.finish(reader);
    Some(limits)
}

/// A configuration as a file that people go on with.
#[must_use]
pub fn render(listen: &str, upstreams: &[Upstream]) -> String {
    let mut out = format!(
        "# What this gateway does with requests. Providers' keys stay in the environment.\nlisten: {listen}\n\n# refuse: a content block is a normal answer that refuses; error: status 400 in the API's own shape.\ncontent_block: refuse\n\nupstreams:\n"
    );
    for one in upstreams {
        out.push_str(&format!(
            "  - app: {}\n    dialect: {}\n    url: {}\n",
            one.app,
            one.dialect.as_str(),
            one.url
        ));
        if let Some(name) = &one.key_env {
            out.push_str(&format!("    key_env: {name}\n"));
        }
        if !one.models.is_empty() {
            out.push_str(&format!("    models: [{}]\n", one.models.join(", ")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let upstreams = [
            Upstream::usual(Dialect::Openai, "https://api.openai.com"),
            Upstream::demo(Dialect::Anthropic),
        ];
        let mut problems = Vec::new();
        let config = parse(&render("127.0.0.1:0", &upstreams), &mut problems);
        assert_eq!(problems, []);
        let config = config.expect("a configuration");
        assert_eq!(
            (config.listen.as_str(), config.upstreams.as_slice()),
            ("127.0.0.1:0", upstreams.as_slice())
        );
    }

    #[test]
    fn every_mistake_is_reported_at_its_line() {
        let mut problems = Vec::new();
        let text = "lisen: x\nupstreams:\n  - dialect: opnai\n    url: ftp://x\nlimits: {body_bytes: many}\n";
        assert!(parse(text, &mut problems).is_none());
        let found: Vec<_> = problems
            .iter()
            .map(|problem| (problem.code, problem.place.line))
            .collect();
        assert_eq!(
            found,
            [
                ("unknown-word", 3),
                ("wrong-type", 4),
                ("wrong-type", 5),
                ("unknown-key", 1)
            ]
        );
    }
}
