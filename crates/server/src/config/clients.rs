//! `tls.clients`: which certificates of clients count, and which name in them is the principal.

use std::path::PathBuf;

use ordain_core::policy::fields::Reader;
use ordain_core::policy::node::Node;
use regex_automata::meta::Regex;

/// What clients prove with a certificate. Relative paths are below the gateway's folder.
#[derive(Debug, Clone)]
pub struct Clients {
    /// The authorities whose certificates count, as PEM.
    pub ca: PathBuf,
    /// Their lists of revoked certificates, as PEM; nothing is asked about revocation when there are none.
    pub crl: Vec<PathBuf>,
    /// Whether a connection without a certificate is refused; else such a client needs another credential.
    pub required: bool,
    /// Which name of a certificate is the principal.
    pub principal: PrincipalRule,
    /// Groups of everybody who comes with a certificate, beside those of the directory.
    pub groups: Vec<String>,
    /// The calling software, for the policy.
    pub client: Option<String>,
}

/// Which kind of name: the alternative names of RFC 5280, section 4.2.1.6, that can stand for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum San {
    /// A URI, such as a SPIFFE id.
    Uri,
    /// A name of a host.
    Dns,
    /// An address for mail.
    Email,
}

impl San {
    const WORDS: [&'static str; 3] = ["uri", "dns", "email"];

    fn parse(word: &str) -> Option<Self> {
        match word {
            "uri" => Some(Self::Uri),
            "dns" => Some(Self::Dns),
            "email" => Some(Self::Email),
            _ => None,
        }
    }
}

/// From the alternative names of a certificate to its principal.
#[derive(Debug, Clone)]
pub struct PrincipalRule {
    /// The kind of name that counts.
    pub san: San,
    /// What the name begins with; the principal is what follows. Names that begin otherwise do not count.
    pub prefix: String,
    /// What the principal's whole name has to match; names that do not match do not count.
    pub pattern: Option<Regex>,
}

pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Clients> {
    let mut fields = reader.fields(node, "`clients`")?;
    let ca = fields.required_with("ca", reader, Reader::text);
    let crl = fields.texts("crl", reader);
    let required = fields.node("required").map(|node| flag(reader, node));
    let principal = fields.required_with("principal", reader, principal);
    let groups = fields.texts("groups", reader);
    let client = fields.text("client", reader);
    fields.finish(reader);
    Some(Clients {
        ca: ca?.value.into(),
        crl: crl.into_iter().map(|path| path.value.into()).collect(),
        required: required.unwrap_or(Some(true))?,
        principal: principal?,
        groups: groups.into_iter().map(|group| group.value).collect(),
        client: client.map(|client| client.value),
    })
}

fn flag(reader: &mut Reader, node: &Node) -> Option<bool> {
    match reader.raw(node)?.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => {
            reader.wrong(node, "`true` or `false` is expected");
            None
        }
    }
}

fn principal(reader: &mut Reader, node: &Node) -> Option<PrincipalRule> {
    let mut fields = reader.fields(node, "`principal`")?;
    let san = fields.required_with("san", reader, |reader, node| {
        reader.word(node, "a kind of name", San::parse, &San::WORDS)
    });
    let prefix = fields.text("prefix", reader);
    let pattern = fields.node("pattern").map(|node| pattern(reader, node));
    fields.finish(reader);
    Some(PrincipalRule {
        san: san?.value,
        prefix: prefix.map(|text| text.value).unwrap_or_default(),
        pattern: pattern.map_or(Some(None), |one| one.map(Some))?,
    })
}

/// A regular expression that has to match the whole of a name.
fn pattern(reader: &mut Reader, node: &Node) -> Option<Regex> {
    let text = reader.text(node)?;
    let whole = Regex::new(&format!(r"\A(?:{})\z", text.as_str()));
    if whole.is_err() {
        reader.wrong(node, "a regular expression such as `[a-z-]+` is expected");
    }
    whole.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    const HEAD: &str = "tls:\n  certificate: c\n  key: k\n  clients:\n";

    fn clients(text: &str) -> Result<Clients, Vec<(&'static str, u32)>> {
        let mut problems = Vec::new();
        let config = config::parse(&format!("{HEAD}{text}"), &mut problems);
        let found = problems.iter().map(|one| (one.code, one.place.line)).collect();
        config.and_then(|config| config.tls?.clients).ok_or(found)
    }

    #[test]
    fn a_certificate_is_required_unless_the_file_says_otherwise() {
        let text = "    ca: ca.pem\n    principal: {san: uri, prefix: \"spiffe://x/\", pattern: \"[a-z]+\"}\n";
        let read = clients(text).expect("a configuration");
        assert!(read.required && read.crl.is_empty());
        let pattern = read.principal.pattern.expect("a pattern");
        assert!(pattern.is_match("abc") && !pattern.is_match("abc1") && !pattern.is_match("abc\n"));
        assert!(!clients(&format!("{text}    required: false\n")).expect("read").required);
    }

    #[test]
    fn mistakes_are_reported_at_their_lines() {
        let text = "    ca: ca.pem\n    required: perhaps\n    principal: {san: cn, pattern: \"(\"}\n    crls: x\n";
        assert_eq!(
            clients(text).expect_err("mistakes"),
            [
                ("wrong-type", 6),
                ("unknown-word", 7),
                ("wrong-type", 7),
                ("unknown-key", 8)
            ]
        );
    }
}
