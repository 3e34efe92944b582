//! `login`: what the gateway tells `ordain login` about how to sign in for it.

use ordain_core::policy::fields::Reader;
use ordain_core::policy::node::Node;

use crate::login::{self, Wanted};

/// What is asked for where the configuration does not say: who it is, and that it can be renewed.
pub const USUAL_SCOPES: [&str; 2] = ["openid", "offline_access"];

pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Wanted> {
    let mut fields = reader.fields(node, "`login`")?;
    let issuer = fields.required_with("issuer", reader, |reader, node| {
        let text = reader.text(node)?;
        if !login::is_safe_address(text.as_str()) {
            reader.wrong(node, "an https address such as `https://login.example.com` is expected");
            return None;
        }
        Some(text.value)
    });
    let client_id = fields.required("client_id", reader);
    let audience = fields.text("audience", reader);
    let scopes = fields.some_texts("scopes", reader);
    fields.finish(reader);
    Some(Wanted {
        issuer: issuer?,
        client_id: client_id?.value,
        audience: audience.map(|text| text.value),
        scopes: scopes.map_or_else(
            || USUAL_SCOPES.map(str::to_owned).to_vec(),
            |scopes| scopes.into_iter().map(|scope| scope.value).collect(),
        ),
    })
}
