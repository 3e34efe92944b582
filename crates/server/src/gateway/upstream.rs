//! Upstreams: a pool of connections for each worker, and what goes along with a request.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as LegacyClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use memchr::memmem;

use super::answers::Careful;
use super::hidden::Hidden;
use super::upload::{Outgoing, Upload};
use crate::config::{Dialect, Upstream};

/// A worker's connections to all upstreams.
pub(crate) type Client = Pool<Outgoing>;

/// Connections for requests with such bodies.
pub(crate) type Pool<B> = LegacyClient<Careful<HttpsConnector<HttpConnector>>, B>;

/// A pool with TLS by rustls and the system's certificates.
pub(crate) fn client<B: Body<Data: Send> + Send>(connect: Duration) -> Pool<B> {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.enforce_http(false);
    http.set_connect_timeout(Some(connect));
    let tls = match HttpsConnectorBuilder::new().with_native_roots() {
        Ok(builder) => builder,
        Err(error) => {
            // Plain upstreams still work; a TLS one then says that its certificate is not trusted.
            tracing::warn!(%error, "the system's certificates could not be read; install ca-certificates to reach providers");
            HttpsConnectorBuilder::new().with_tls_config(
                rustls::ClientConfig::builder()
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth(),
            )
        }
    };
    let connector = tls.https_or_http().enable_http1().wrap_connector(http);
    LegacyClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        // Bounds a head, and what is read ahead of a slow client (threats I9 and G4).
        .http1_max_buf_size(64 * 1024)
        .pool_max_idle_per_host(1024)
        .build(Careful(connector))
}

/// Where requests for one app go, and with which key.
#[derive(Debug)]
pub(super) struct Target {
    dialect: Dialect,
    /// The provider's address, without the version that endpoints' paths begin with.
    root: String,
    /// That version, as this provider writes it.
    version: String,
    credential: Option<(HeaderName, HeaderValue)>,
    /// The provider's key, to find it where an upstream repeats it.
    key: Option<Secret>,
}

/// A text that nobody prints.
struct Secret(Arc<str>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Target {
    /// The target of an upstream; the error is a fragment for the operator.
    pub(super) fn new(upstream: &Upstream, demo: Option<SocketAddr>) -> Result<Self, String> {
        let base = match (upstream.url.as_str(), demo) {
            (Upstream::BUILT_IN, Some(address)) => format!("http://{address}"),
            (Upstream::BUILT_IN, None) => return Err("the demonstration upstream is not running".to_owned()),
            (url, _) => url.to_owned(),
        };
        // Providers are written with and without the version in their address.
        let base = base.trim_end_matches('/');
        let dialect = upstream.dialect;
        let (root, version) = match base.rsplit_once('/') {
            Some((root, last)) if is_version(last) || dialect.version().trim_start_matches('/') == last => {
                (root, format!("/{last}"))
            }
            _ => (base, dialect.version().to_owned()),
        };
        base.parse::<Uri>().map_err(|_| format!("`{base}` is no address"))?;
        let key = upstream
            .key_env
            .as_deref()
            .and_then(|name| std::env::var(name).ok())
            .filter(|key| !key.is_empty());
        Ok(Self {
            dialect,
            root: root.to_owned(),
            version,
            credential: key.as_deref().map(|key| credential(dialect, key)).transpose()?,
            key: key.map(|key| Secret(key.into())),
        })
    }

    /// The address for a path of the dialect, with what of the client's query belongs to it.
    fn uri(&self, path: &str, query: Option<&str>) -> Option<Uri> {
        self.uri_with(path, query, |pair| self.passes(pair))
    }

    /// The same with the pieces of a query that `passes` says.
    fn uri_with(&self, path: &str, query: Option<&str>, passes: impl Fn(&str) -> bool) -> Option<Uri> {
        let (root, version) = (&self.root, &self.version);
        let mut text = match path.strip_prefix(self.dialect.version()) {
            Some(rest) if rest.starts_with('/') => format!("{root}{version}{rest}"),
            _ => format!("{root}{path}"),
        };
        let passed = query.unwrap_or_default().split('&').filter(|pair| passes(pair));
        for (place, pair) in passed.enumerate() {
            text.push(if place == 0 { '?' } else { '&' });
            text.push_str(pair);
        }
        text.parse().ok()
    }

    /// An answer in which the provider's key, should the upstream repeat it, is stars (threat C7). Their number is that of
    /// the key's bytes, so that nothing else moves.
    pub(super) fn hide_key(&self, answer: Bytes) -> Bytes {
        let Some(Secret(key)) = &self.key else { return answer };
        let found: Vec<usize> = memmem::find_iter(&answer, key.as_bytes()).collect();
        if found.is_empty() {
            return answer;
        }
        let mut answer = Vec::from(answer);
        for start in found {
            if let Some(bytes) = answer.get_mut(start..start + key.len()) {
                bytes.fill(b'*');
            }
        }
        answer.into()
    }

    /// The same for a stream.
    pub(super) fn hidden(&self) -> Option<Hidden> {
        self.key.as_ref().map(|Secret(key)| Hidden::new(Arc::clone(key)))
    }

    /// Whether a header's value has the provider's key in it.
    pub(super) fn has_key(&self, value: &HeaderValue) -> bool {
        let key = self.key.as_ref().map(|Secret(key)| key.as_bytes());
        key.is_some_and(|key| memmem::find(value.as_bytes(), key).is_some())
    }

    /// Whether a piece of a query goes on; what does not is dropped, keys above all (threat C6).
    fn passes(&self, pair: &str) -> bool {
        match self.dialect {
            Dialect::Gemini => pair == "alt=sse",
            Dialect::Anthropic => pair == "beta=true",
            Dialect::Azure => pair
                .strip_prefix("api-version=")
                .is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')),
            Dialect::Openai | Dialect::Ollama => false,
        }
    }

    /// The request with its own headers and the provider's key. Of the client's headers only those pass that say how to
    /// read the body; its credential never does.
    /// `None` if the path and the provider's address make no address together.
    pub(super) fn request(
        &self,
        at: &Uri,
        headers: &HeaderMap,
        record: &str,
        body: Bytes,
    ) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri(at.path(), at.query())?;
        let out = request.headers_mut();
        for name in PASSED {
            for value in headers.get_all(&name) {
                out.append(name.clone(), value.clone());
            }
        }
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // What cannot be read cannot be judged: no compression (threat B6).
        out.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Ok(record) = HeaderValue::from_str(record) {
            out.insert(HeaderName::from_static("ordain-record"), record);
        }
        if let Some((name, value)) = &self.credential {
            out.insert(name.clone(), value.clone());
        }
        Some(request)
    }
}

impl Target {
    /// A request that goes as it is, with its method, its media type and its query, for what nobody reads. Of the query what may
    /// be a credential stays here (threat C6).
    pub(super) fn passing(&self, head: &Parts, record: &str, body: Upload) -> Option<Request<Outgoing>> {
        let request = self.request(&head.uri, &head.headers, record, Bytes::new())?;
        let mut request = request.map(|_| Outgoing::Passing(body));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = self.uri_with(head.uri.path(), head.uri.query(), |pair| !may_be_credential(pair))?;
        match head.headers.get(header::CONTENT_TYPE) {
            Some(kind) => request.headers_mut().insert(header::CONTENT_TYPE, kind.clone()),
            None => request.headers_mut().remove(header::CONTENT_TYPE),
        };
        Some(request)
    }
}

/// Whether a piece of a query is of a kind that carries credentials, or is written so that nobody can tell.
fn may_be_credential(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-[].".contains(&byte));
    let name = name.to_ascii_lowercase();
    // Where a list goes on is told by what its pages call a token.
    let of_pages = matches!(name.as_str(), "page_token" | "pagetoken");
    !plain
        || (!of_pages
            && ["key", "token", "auth", "secret", "signature", "credential", "password"]
                .iter()
                .any(|word| name.contains(word)))
}

/// Whether the last piece of an address is a version, such as `v1` or `v1beta`.
fn is_version(piece: &str) -> bool {
    let mut rest = piece.bytes();
    rest.next() == Some(b'v') && rest.next().is_some_and(|byte| byte.is_ascii_digit())
}

const PASSED: [HeaderName; 5] = [
    header::ACCEPT,
    header::USER_AGENT,
    HeaderName::from_static("anthropic-version"),
    HeaderName::from_static("anthropic-beta"),
    HeaderName::from_static("openai-beta"),
];

fn credential(dialect: Dialect, key: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, before) = dialect.credential();
    let (name, text) = (HeaderName::from_static(name), format!("{before}{key}"));
    let mut value =
        HeaderValue::from_str(&text).map_err(|_| "its key has characters that no header can carry".to_owned())?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Headers of an answer that reach the client; everything else stays here (threat B17).
pub(super) fn answer_headers(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    headers.iter().filter(|(name, _)| {
        let name = name.as_str();
        matches!(
            name,
            "request-id" | "x-request-id" | "retry-after" | "openai-processing-ms" | "openai-version"
        ) || name.starts_with("x-ratelimit-")
            || name.starts_with("anthropic-ratelimit-")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(dialect: Dialect, url: &str, path: &str, query: Option<&str>) -> String {
        let upstream = Upstream {
            key_env: None,
            ..Upstream::usual(dialect, url)
        };
        let target = Target::new(&upstream, None).expect("an address");
        target.uri(path, query).expect("an address").to_string()
    }

    #[test]
    fn the_version_stands_once() {
        let chat = "/v1/chat/completions";
        for url in ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"] {
            assert_eq!(uri(Dialect::Openai, url, chat, None), "http://h:1/v1/chat/completions");
        }
        assert_eq!(
            uri(Dialect::Openai, "http://h/api/v4", chat, None),
            "http://h/api/v4/chat/completions"
        );
        assert_eq!(
            uri(Dialect::Anthropic, "https://x.example/proxy", "/v1/messages", None),
            "https://x.example/proxy/v1/messages"
        );
        for url in ["http://h", "http://h/v1beta"] {
            for path in ["/v1beta/models/m:generateContent", "/v1/models/m:generateContent"] {
                assert_eq!(uri(Dialect::Gemini, url, path, None), format!("http://h{path}"));
            }
        }
        assert_eq!(
            uri(Dialect::Ollama, "http://h/api", "/api/chat", None),
            "http://h/api/chat"
        );
    }

    #[test]
    fn of_a_query_that_passes_nothing_goes_on_that_may_be_a_credential() {
        for pair in [
            "purpose=batch",
            "limit=2",
            "after=file-1",
            "include[]=a.b",
            "page_token=x",
            "pageToken=x",
            "a",
        ] {
            assert!(!may_be_credential(pair), "{pair}");
        }
        for pair in [
            "",
            "=x",
            "key=x",
            "api_key=x",
            "API-KEY=x",
            "access_token=x",
            "sig%6eature=x",
            "authorization=x",
            "client_secret",
            "page_token_secret=x",
            "x;key=x",
            "a%3Dkey",
        ] {
            assert!(may_be_credential(pair), "{pair}");
        }
    }

    #[test]
    fn of_a_query_only_what_the_dialect_has_goes_on() {
        let azure = "/openai/deployments/d/chat/completions";
        assert_eq!(
            uri(
                Dialect::Azure,
                "https://r.example",
                azure,
                Some("x=1&api-version=2026-01-01&key=k")
            ),
            "https://r.example/openai/deployments/d/chat/completions?api-version=2026-01-01"
        );
        let stream = "/v1beta/models/m:streamGenerateContent";
        assert_eq!(
            uri(Dialect::Gemini, "http://h", stream, Some("key=secret&alt=sse")),
            format!("http://h{stream}?alt=sse")
        );
        for query in ["", "api-version=%2e", "alt=sse&", "api-version=1/../x"] {
            assert!(
                !uri(Dialect::Azure, "http://h", azure, Some(query)).contains('?'),
                "{query}"
            );
        }
    }
}
