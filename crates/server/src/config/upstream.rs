//! Upstreams: where requests go, and what is true of the way there.

use hyper::Uri;
use ordain_core::policy::fields::Reader;
use ordain_core::policy::node::Node;
use ordain_core::wire::Dialect;

/// An app that requests can go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// What the configuration calls it; its app unless it says otherwise.
    pub id: String,
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

impl Upstream {
    /// The address that stands for the demonstration upstream inside the program.
    pub const BUILT_IN: &'static str = "built-in";

    /// An upstream of a dialect at an address, as `--upstream DIALECT=URL` means it.
    #[must_use]
    pub fn usual(dialect: Dialect, url: &str) -> Self {
        Self {
            id: dialect.usual_app().to_owned(),
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
            id: "demo".to_owned(),
            app: "demo".to_owned(),
            url: Self::BUILT_IN.to_owned(),
            key_env: None,
            models: vec!["demo".to_owned()],
            ..Self::usual(dialect, "")
        }
    }
}

pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Upstream> {
    let mut fields = reader.fields(node, "an upstream")?;
    let words = Dialect::ALL.map(Dialect::as_str);
    let dialect = fields.required_with("dialect", reader, |reader, node| {
        reader.word(node, "a dialect", Dialect::parse, &words)
    });
    let url = fields.required_with("url", reader, address);
    let id = fields.text("id", reader);
    let app = fields.text("app", reader);
    let key_env = fields.text("key_env", reader);
    let models = fields.texts("models", reader);
    let attributes = fields.good_pairs("attributes", reader, Reader::text);
    fields.finish(reader);
    let dialect = dialect?.value;
    let app = app.map_or_else(|| dialect.usual_app().to_owned(), |app| app.value);
    Some(Upstream {
        id: id.map_or_else(|| app.clone(), |id| id.value),
        app,
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
