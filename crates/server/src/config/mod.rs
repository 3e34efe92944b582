//! `ordain.yaml`: where the gateway listens, what it forwards to, and its bounds.
//!
//! Read like a policy: strictly, and with all problems in one run. A provider's key is never in the file, only the name of
//! the environment variable that holds it.

mod break_glass;
mod clients;
mod delegation;
mod issuers;
mod limits;
mod login;
pub mod models;
mod proxies;
pub mod rollout;
pub mod schema;
mod spending;
mod traces;
mod upstream;

use std::path::PathBuf;

use ordain_core::policy::fields::Reader;
use ordain_core::policy::node::{self, Node};
use ordain_core::policy::problem::Problem;
pub use ordain_core::wire::Dialect;

use crate::login::Wanted;

pub use break_glass::BreakGlass;
pub use clients::{Clients, PrincipalRule, San};
pub use delegation::Delegation;
pub use issuers::{ClaimPath, Issuer, KeySource, Principal};
pub use limits::Limits;
pub use login::USUAL_SCOPES;
pub use proxies::TrustedProxies;
pub use spending::{Budget, Per, Price, Rate, Spending};
pub use traces::Traces;
pub use upstream::{Upstream, is_base_url};

/// The configuration of a gateway.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address and port to listen on; port 0 lets the system choose.
    pub listen: String,
    /// Where requests go.
    pub upstreams: Vec<Upstream>,
    /// Names of the organisation's own for models.
    pub models: Vec<models::Alias>,
    /// How a content block looks to a client.
    pub content_block: ContentBlock,
    /// Whether coaching is said in the answer too.
    pub coach_note: CoachNote,
    /// The gateway's bounds.
    pub limits: Limits,
    /// The certificate that clients are shown; without one the listener is plain.
    pub tls: Option<Tls>,
    /// Who may act on whose behalf.
    pub delegation: Vec<Delegation>,
    /// What is told about how to sign in.
    pub login: Option<Wanted>,
    /// Where metrics are served, for whoever can reach it; nowhere without.
    pub metrics: Option<String>,
    /// What calls cost, and what may be spent.
    pub spending: Spending,
    /// Whose tokens let a caller in.
    pub issuers: Vec<Issuer>,
    /// Which peers may say in a header who somebody is; nobody without.
    pub trusted_proxies: Option<TrustedProxies>,
    /// Where traces go; nowhere without.
    pub traces: Option<Traces>,
    /// Where records go under a break-glass; nowhere without, and then there is none.
    pub break_glass: Option<BreakGlass>,
}

/// A certificate with its key, as PEM files. Relative paths are below the gateway's folder.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate, with those between it and a root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Which certificates of clients count; none is asked for without.
    pub clients: Option<Clients>,
}

/// How a content block looks to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentBlock {
    /// A normal answer that refuses.
    Refuse,
    /// Status 400 in the API's own error shape.
    Error,
}

/// Whether what the policy tells people stands in the answer, beside the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoachNote {
    /// In the header alone.
    Off,
    /// At the end of the answer's text too.
    Trailing,
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
        upstreams.extend(upstream::read(node, reader));
    }
    let models = fields
        .node("models")
        .map(|node| models::read(node, &upstreams, reader))
        .unwrap_or_default();
    let blocks = |word: &str| match word {
        "refuse" => Some(ContentBlock::Refuse),
        "error" => Some(ContentBlock::Error),
        _ => None,
    };
    let content_block = fields
        .node("content_block")
        .and_then(|node| reader.word(node, "a way to block content", blocks, &["refuse", "error"]));
    let notes = |word: &str| match word {
        "off" => Some(CoachNote::Off),
        "trailing" => Some(CoachNote::Trailing),
        _ => None,
    };
    let coach_note = fields
        .node("coach_note")
        .and_then(|node| reader.word(node, "a way to coach", notes, &["off", "trailing"]));
    let limits = fields
        .node("limits")
        .and_then(|node| limits::read(node, reader))
        .unwrap_or_default();
    let tls = fields.node("tls").and_then(|node| tls(node, reader));
    let mut delegation = Vec::new();
    for node in fields.list("delegation", reader) {
        delegation.extend(delegation::read(node, reader));
    }
    let login = fields.node("login").and_then(|node| login::read(node, reader));
    let metrics = fields.node("metrics").and_then(|node| {
        let mut fields = reader.fields(node, "`metrics`")?;
        let listen = fields.required_with("listen", reader, Reader::text);
        fields.finish(reader);
        Some(listen?.value)
    });
    let spending = spending::read(&mut fields, reader);
    let issuers = issuers::read_all(&mut fields, reader);
    let trusted_proxies = fields
        .node("trusted_proxies")
        .and_then(|node| proxies::read(node, reader));
    let traces = fields.node("traces").and_then(|node| traces::read(node, reader));
    let break_glass = fields
        .node("break_glass")
        .and_then(|node| break_glass::read(node, reader));
    fields.finish(reader);
    Some(Config {
        break_glass,
        spending,
        issuers,
        trusted_proxies,
        traces,
        tls,
        delegation,
        login,
        metrics,
        listen,
        upstreams,
        models,
        content_block: content_block.map_or(ContentBlock::Refuse, |word| word.value),
        coach_note: coach_note.map_or(CoachNote::Off, |word| word.value),
        limits,
    })
}

fn tls(node: &Node, reader: &mut Reader) -> Option<Tls> {
    let mut fields = reader.fields(node, "`tls`")?;
    let certificate = fields.required_with("certificate", reader, Reader::text);
    let key = fields.required_with("key", reader, Reader::text);
    let clients = fields.node("clients").map(|node| clients::read(node, reader));
    fields.finish(reader);
    Some(Tls {
        certificate: certificate?.value.into(),
        key: key?.value.into(),
        clients: clients.map_or(Some(None), |read| read.map(Some))?,
    })
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
    fn coaching_stands_in_answers_where_that_is_asked_for() {
        for (text, note) in [
            ("listen: 127.0.0.1:0\n", CoachNote::Off),
            ("coach_note: off\n", CoachNote::Off),
            ("coach_note: trailing\n", CoachNote::Trailing),
        ] {
            let config = parse(text, &mut Vec::new()).expect("a configuration");
            assert_eq!(config.coach_note, note);
        }
        let mut problems = Vec::new();
        assert!(parse("coach_note: leading\n", &mut problems).is_none());
        assert_eq!(problems.first().map(|problem| problem.code), Some("unknown-word"));
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
