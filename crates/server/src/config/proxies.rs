//! `trusted_proxies`: which peers may say in a header who somebody is.

use hyper::header::HeaderName;
use ipnet::IpNet;
use ordain_core::policy::fields::Reader;
use ordain_core::policy::node::Node;
use ordain_core::policy::problem::Problem;

/// Peers that authenticate people themselves, and the headers in which they say whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies {
    /// The addresses that their connections come from.
    pub peers: Vec<IpNet>,
    /// The header with the principal's name.
    pub principal: HeaderName,
    /// The header with the groups, separated by commas.
    pub groups: Option<HeaderName>,
}

pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<TrustedProxies> {
    let mut fields = reader.fields(node, "`trusted_proxies`")?;
    let place = fields.place;
    let ranges = fields.texts("peers", reader);
    if ranges.is_empty() {
        let problem = Problem::error("missing-key", place, "`trusted_proxies` needs `peers`");
        let help = "name the addresses that the proxies connect from, such as `[10.1.2.0/24]`";
        reader.problems.push(problem.help(help));
    }
    let mut peers = Vec::new();
    for range in &ranges {
        match range.as_str().parse::<IpNet>() {
            // A range that takes in everybody trusts everybody.
            Ok(net) if net.prefix_len() > 0 && net.trunc() == net => peers.push(net),
            _ => {
                let message = format!("`{}` stands here, but a range of addresses is expected", range.as_str());
                let help = "write a network with its prefix, such as `10.1.2.0/24`, or one address as `10.1.2.3/32`; not everybody";
                reader
                    .problems
                    .push(Problem::error("wrong-type", range.place, message).help(help));
            }
        }
    }
    let principal = fields.required_with("principal", reader, header);
    let groups = fields.node("groups").and_then(|node| header(reader, node));
    fields.finish(reader);
    Some(TrustedProxies {
        peers,
        principal: principal?,
        groups,
    })
}

/// The name of a header that has no other meaning to the gateway.
fn header(reader: &mut Reader, node: &Node) -> Option<HeaderName> {
    let text = reader.text(node)?;
    let name = HeaderName::from_bytes(text.as_str().as_bytes()).ok();
    let name = name.filter(|name| !TAKEN.contains(&name.as_str()) && !name.as_str().starts_with("ordain-"));
    if name.is_none() {
        reader.wrong(
            node,
            "the name of a header is expected that only the proxy sets, such as `x-forwarded-user`",
        );
    }
    name
}

/// Headers that clients and SDKs set themselves.
const TAKEN: [&str; 11] = [
    "accept",
    "api-key",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-api-key",
    "x-goog-api-key",
];

#[cfg(test)]
mod tests {
    use crate::config::parse;

    #[test]
    fn a_proxy_has_addresses_and_headers_of_its_own() {
        let read = |text: &str| {
            let mut problems = Vec::new();
            let config = parse(&format!("trusted_proxies: {text}\n"), &mut problems);
            config.ok_or_else(|| problems.first().map_or("", |problem| problem.code))
        };
        let good = "{peers: [10.1.2.0/24, '::1/128'], principal: X-Forwarded-User, groups: x-forwarded-groups}";
        let proxies = read(good).expect("usable").trusted_proxies.expect("there");
        assert_eq!(
            (proxies.peers.len(), proxies.principal.as_str()),
            (2, "x-forwarded-user")
        );
        for (bad, code) in [
            ("{peers: [], principal: x-user}", "missing-key"),
            ("{peers: [0.0.0.0/0], principal: x-user}", "wrong-type"),
            ("{peers: ['::/0'], principal: x-user}", "wrong-type"),
            ("{peers: [10.1.2.3/24], principal: x-user}", "wrong-type"),
            ("{peers: [10.1.2.3], principal: x-user}", "wrong-type"),
            ("{peers: [proxy.example.com], principal: x-user}", "wrong-type"),
            ("{peers: [10.1.2.0/24], principal: authorization}", "wrong-type"),
            ("{peers: [10.1.2.0/24], principal: 'x user'}", "wrong-type"),
            ("{peers: [10.1.2.0/24], principal: Ordain-Use}", "wrong-type"),
            ("{peers: [10.1.2.0/24]}", "missing-key"),
            ("{peers: [10.1.2.0/24], principal: x-user, group: x}", "unknown-key"),
        ] {
            assert_eq!(read(bad).err(), Some(code), "{bad}");
        }
    }
}
