//! `traces`: where spans of exchanges go.

use ordain_core::policy::fields::Reader;
use ordain_core::policy::node::{Node, Value};

use super::upstream::is_base_url;

/// Where spans go, as OTLP over HTTP with protobuf.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// The collector's address for traces, such as `http://127.0.0.1:4318/v1/traces`.
    pub endpoint: String,
    /// The environment variable with headers for the collector, as `name=value,name=value`.
    pub headers_env: Option<String>,
    /// The share of exchanges that is traced, from 0 to 1, where a client does not say.
    pub sample: f64,
}

pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Traces> {
    let mut fields = reader.fields(node, "`traces`")?;
    let endpoint = fields.required_with("endpoint", reader, address);
    let headers_env = fields.text("headers_env", reader);
    let sample = fields.node("sample").map_or(Some(1.0), |node| share(reader, node));
    fields.finish(reader);
    Some(Traces {
        endpoint: endpoint?,
        headers_env: headers_env.map(|name| name.value),
        sample: sample?,
    })
}

fn address(reader: &mut Reader, node: &Node) -> Option<String> {
    let text = reader.text(node)?;
    if is_base_url(text.as_str()) {
        return Some(text.value);
    }
    reader.wrong(node, "an address such as `http://127.0.0.1:4318/v1/traces` is expected");
    None
}

fn share(reader: &mut Reader, node: &Node) -> Option<f64> {
    if let Value::Scalar { text, quoted: false } = &node.value
        && let Ok(share) = text.parse::<f64>()
        && (0.0..=1.0).contains(&share)
    {
        return Some(share);
    }
    reader.wrong(node, "a share from 0 to 1 is expected, such as `0.1`");
    None
}
