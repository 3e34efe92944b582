//! `issuers`: whose tokens let a caller in, and what of a token says who it is.

use std::path::PathBuf;
use std::time::Duration;

use ordain_core::policy::document::Text;
use ordain_core::policy::fields::{Fields, Reader};
use ordain_core::policy::node::{Node, Value};
use ordain_core::policy::problem::Problem;

use crate::identity::{Address, Algorithm};

/// An OpenID Connect issuer whose tokens are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Its name, as `iss` has it.
    pub issuer: Address,
    /// The audiences of which a token must have one.
    pub audience: Vec<String>,
    /// The algorithms that its signatures may have.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys come from.
    pub keys: KeySource,
    /// What names the principal.
    pub principal: Principal,
    /// The claim with its groups.
    pub groups: Option<ClaimPath>,
    /// The claim with the calling software; `azp`, else `client_id`, when absent.
    pub client: Option<ClaimPath>,
    /// How far its clock may be from this one.
    pub skew: Duration,
    /// How long a set of keys is used that cannot be fetched again.
    pub max_age: Duration,
}

/// Where the keys of an issuer come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// What the issuer says of itself at its well-known address; its keys must be of its own origin or of one of these.
    Discovery(Vec<Address>),
    /// A key set at an address.
    At(Address),
    /// A key set in a file. A relative path is below the gateway's folder.
    File(PathBuf),
}

/// What names the principal of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// `email` where the issuer says that it is verified, else issuer and `sub`.
    Usual,
    /// A claim.
    Claim(ClaimPath),
}

/// The way to a claim: its name, or a JSON pointer (RFC 6901) into nested ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// The claim of a name, or of a pointer, which begins with `/`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some(pointer) = text.strip_prefix('/') else {
            return (!text.is_empty()).then(|| Self(vec![text.to_owned()]));
        };
        let steps = pointer.split('/').map(unescaped).collect::<Option<Vec<_>>>()?;
        Some(Self(steps))
    }

    /// The names on the way.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.0
    }
}

/// A step of a JSON pointer; `None` where a `~` is not one of its two escapes.
fn unescaped(step: &str) -> Option<String> {
    let mut pieces = step.split('~');
    let mut out = pieces.next()?.to_owned();
    for piece in pieces {
        let mut rest = piece.chars();
        out.push(match rest.next()? {
            '0' => '~',
            '1' => '/',
            _ => return None,
        });
        out.push_str(rest.as_str());
    }
    Some(out)
}

/// The longest that a clock may differ (threat C3).
const MOST_SKEW: u32 = 60;

/// How long keys are used when the configuration does not say.
const USUAL_MAX_AGE: Duration = Duration::from_secs(24 * 3600);

pub(super) fn read_all(fields: &mut Fields<'_>, reader: &mut Reader) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = Vec::new();
    for node in fields.list("issuers", reader) {
        let Some(issuer) = read(node, reader) else { continue };
        // Two entries for one name would leave open by whose keys a token is judged.
        if issuers
            .iter()
            .any(|known| known.issuer.as_str() == issuer.issuer.as_str())
        {
            let message = format!("the issuer `{}` is there twice", issuer.issuer.as_str());
            let problem = Problem::error("duplicate-issuer", node.place, message);
            reader
                .problems
                .push(problem.help("put its audiences and algorithms into one entry"));
            continue;
        }
        issuers.push(issuer);
    }
    issuers
}

fn read(node: &Node, reader: &mut Reader) -> Option<Issuer> {
    let mut fields = reader.fields(node, "an issuer")?;
    let issuer = fields.required_with("issuer", reader, |reader, node| {
        let issuer = address(reader, node)?;
        if issuer.has_query() {
            reader.wrong(node, "the name of an issuer has no query");
            return None;
        }
        Some(issuer)
    });
    let audience = fields.required_with("audience", reader, some);
    let algorithms = fields.required_with("algorithms", reader, algorithms);
    let explicit = fields.node("jwks").map(|node| source(node, reader));
    let origins = fields.node("key_origins").map(|node| {
        let addresses = items(node).into_iter();
        (
            node,
            addresses.filter_map(|node| address(reader, node)).collect::<Vec<_>>(),
        )
    });
    let principal = path(&mut fields, "principal", reader);
    let groups = path(&mut fields, "groups", reader);
    let client = path(&mut fields, "client", reader);
    let skew = fields.node("clock_skew_seconds").and_then(|node| {
        let seconds = reader.number(node)?.value;
        if seconds > MOST_SKEW {
            reader.wrong(node, "at most 60 seconds are allowed: set the clocks by NTP instead");
        }
        Some(seconds)
    });
    let max_age = fields.node("max_age_hours").and_then(|node| {
        let hours = reader.number(node)?.value;
        if !(1..=24 * 30).contains(&hours) {
            reader.wrong(node, "a number of hours from 1 to 720 is expected");
        }
        Some(Duration::from_secs(u64::from(hours) * 3600))
    });
    fields.finish(reader);
    let keys = match (explicit, origins) {
        (Some(source), None) => source?,
        (None, origins) => KeySource::Discovery(origins.map(|(_, origins)| origins).unwrap_or_default()),
        (Some(_), Some((node, _))) => {
            let message = "`key_origins` says where discovery may lead, but `jwks` takes its place";
            let problem = Problem::error("needless-key", node.place, message);
            reader.problems.push(problem.help("leave out one of the two"));
            return None;
        }
    };
    Some(Issuer {
        issuer: issuer?,
        audience: audience?,
        algorithms: algorithms?,
        keys,
        principal: principal.map_or(Principal::Usual, Principal::Claim),
        groups,
        client,
        skew: Duration::from_secs(u64::from(skew.unwrap_or(MOST_SKEW))),
        max_age: max_age.unwrap_or(USUAL_MAX_AGE),
    })
}

/// One value or the items of a list.
fn items(node: &Node) -> Vec<&Node> {
    match &node.value {
        Value::List(items) => items.iter().collect(),
        Value::Scalar { .. } | Value::Map(_) => vec![node],
    }
}

/// One text or several, but not none.
fn some(reader: &mut Reader, node: &Node) -> Option<Vec<String>> {
    let texts: Vec<Text> = reader.texts(node);
    if texts.is_empty() && items(node).is_empty() {
        reader.wrong(
            node,
            "at least one is needed: a token that is for nobody in particular lets nobody in",
        );
    }
    (!texts.is_empty()).then(|| texts.into_iter().map(|text| text.value).collect())
}

fn algorithms(reader: &mut Reader, node: &Node) -> Option<Vec<Algorithm>> {
    let words = Algorithm::ALL.map(Algorithm::as_str);
    let mut found = Vec::new();
    for item in items(node) {
        let what = "an algorithm that issuers can be configured with (no symmetric ones, and never `none`)";
        found.extend(reader.word(item, what, Algorithm::parse, &words));
    }
    if items(node).is_empty() {
        reader.wrong(
            node,
            "the algorithms that the issuer signs with are expected, such as `[ES256]`",
        );
    }
    (!found.is_empty()).then(|| found.into_iter().map(|word| word.value).collect())
}

fn source(node: &Node, reader: &mut Reader) -> Option<KeySource> {
    let text = reader.text(node)?;
    if text.as_str().contains("://") {
        return address(reader, node).map(KeySource::At);
    }
    Some(KeySource::File(text.value.into()))
}

fn address(reader: &mut Reader, node: &Node) -> Option<Address> {
    let text = reader.text(node)?;
    match Address::parse(text.as_str()) {
        Ok(address) => Some(address),
        Err(expected) => {
            reader.wrong(node, expected);
            None
        }
    }
}

fn path(fields: &mut Fields<'_>, key: &'static str, reader: &mut Reader) -> Option<ClaimPath> {
    let node = fields.node(key)?;
    let text = reader.text(node)?;
    let path = ClaimPath::parse(text.as_str());
    if path.is_none() {
        reader.wrong(
            node,
            "the name of a claim is expected, or a JSON pointer such as `/realm_access/roles`",
        );
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn issuers(text: &str) -> Result<Vec<Issuer>, Vec<(&'static str, usize)>> {
        let mut problems = Vec::new();
        let config = parse(text, &mut problems);
        let found = problems.iter().map(|one| (one.code, one.place.line as usize)).collect();
        config.map(|config| config.issuers).ok_or(found)
    }

    #[test]
    fn an_issuer_needs_a_name_an_audience_and_algorithms_alone() {
        let text =
            "issuers:\n  - {issuer: 'https://login.example.com', audience: ordain, algorithms: [ES256, RS256]}\n";
        let read = issuers(text).expect("an issuer");
        let expected = Issuer {
            issuer: Address::parse("https://login.example.com").expect("an address"),
            audience: vec!["ordain".to_owned()],
            algorithms: vec![Algorithm::Es256, Algorithm::Rs256],
            keys: KeySource::Discovery(Vec::new()),
            principal: Principal::Usual,
            groups: None,
            client: None,
            skew: Duration::from_secs(60),
            max_age: Duration::from_secs(86_400),
        };
        assert_eq!(read, [expected]);
    }

    #[test]
    fn what_could_weaken_a_token_cannot_be_configured() {
        for bad in [
            "algorithms: [HS256]",
            "algorithms: [none]",
            "algorithms: [ES256, hs512]",
            "algorithms: [es256]",
            "algorithms: []",
            "audience: []",
            "issuer: http://login.example.com",
            "issuer: 'https://login.example.com?x=1'",
            "jwks: http://keys.example.com/set",
            "clock_skew_seconds: 61",
            "max_age_hours: 0",
            "max_age_hours: 721",
            "groups: /a~2b",
            "audiences: [a]",
            "{jwks: keys.json, key_origins: [https://x.example]}",
        ] {
            let mut entry = [
                ("issuer", "issuer: 'https://login.example.com'"),
                ("audience:", "audience: [ordain]"),
                ("algorithms", "algorithms: [ES256]"),
            ]
            .map(|(key, line)| if bad.starts_with(key) { bad } else { line })
            .to_vec();
            if !entry.contains(&bad) {
                entry.push(bad.trim_matches(['{', '}']));
            }
            let text = format!("issuers:\n  - {{{}}}\n", entry.join(", "));
            let found = issuers(&text).expect_err(bad);
            assert!(found.iter().all(|(_, line)| *line == 2), "{bad}: {found:?}");
        }
    }

    #[test]
    fn every_problem_is_told_with_its_line() {
        let text = "issuers:\n  - issuer: https://a.example\n    audience: x\n    algorithms: [RS265]\n    jwk: y\n  - audience: x\n    algorithms: ES256\n";
        assert_eq!(
            issuers(text).expect_err("problems"),
            [("unknown-word", 4), ("unknown-key", 5), ("missing-key", 6)]
        );
        let twice = "issuers:\n  - &a {issuer: 'https://a.example', audience: x, algorithms: ES256}\n  - {issuer: 'https://a.example', audience: y, algorithms: ES256}\n";
        assert!(
            issuers(&twice.replace("&a ", ""))
                .expect_err("twice")
                .contains(&("duplicate-issuer", 3))
        );
    }

    #[test]
    fn a_claim_is_named_or_pointed_at() {
        let steps = |text| ClaimPath::parse(text).map(|path| path.steps().to_vec());
        assert_eq!(steps("groups"), Some(vec!["groups".to_owned()]));
        assert_eq!(
            steps("https://example.com/roles"),
            Some(vec!["https://example.com/roles".to_owned()])
        );
        assert_eq!(
            steps("/realm_access/roles"),
            Some(vec!["realm_access".to_owned(), "roles".to_owned()])
        );
        assert_eq!(steps("/a~1b/c~0d"), Some(vec!["a/b".to_owned(), "c~d".to_owned()]));
        assert_eq!(steps("/a~"), None);
        assert_eq!(steps(""), None);
    }
}
