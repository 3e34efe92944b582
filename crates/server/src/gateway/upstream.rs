//! Upstreams: a pool of connections for each worker, and what goes along with a request.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as LegacyClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::config::{Dialect, Upstream};

/// A worker's connections to all upstreams.
pub(super) type Client = LegacyClient<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A pool with TLS by rustls and the system's certificates.
pub(super) fn client(connect: Duration) -> Client {
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
        .pool_max_idle_per_host(1024)
        .build(connector)
}

/// Where requests for one app go, and with which key.
#[derive(Debug)]
pub(super) struct Target {
    uri: Uri,
    credential: Option<(HeaderName, HeaderValue)>,
}

/// The path of a dialect's endpoint below the API's version.
const fn endpoint(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Openai => "/chat/completions",
        Dialect::Anthropic => "/messages",
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
        let versioned = base.rsplit('/').next().is_some_and(|last| {
            last.starts_with('v') && last.chars().skip(1).all(|c| c.is_ascii_digit()) && last.len() > 1
        });
        let version = if versioned { "" } else { "/v1" };
        let uri: Uri = format!("{base}{version}{}", endpoint(upstream.dialect))
            .parse()
            .map_err(|_| format!("`{base}` is no address"))?;
        let key = upstream
            .key_env
            .as_deref()
            .and_then(|name| std::env::var(name).ok())
            .filter(|key| !key.is_empty());
        let credential = key.map(|key| credential(upstream.dialect, &key)).transpose()?;
        Ok(Self { uri, credential })
    }

    /// The request with its own headers and the provider's key. Of the client's headers only those pass that say how to
    /// read the body; its credential never does.
    pub(super) fn request(&self, headers: &HeaderMap, record: &str, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
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
        request
    }
}

const PASSED: [HeaderName; 5] = [
    header::ACCEPT,
    header::USER_AGENT,
    HeaderName::from_static("anthropic-version"),
    HeaderName::from_static("anthropic-beta"),
    HeaderName::from_static("openai-beta"),
];

fn credential(dialect: Dialect, key: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, text) = match dialect {
        Dialect::Openai => (header::AUTHORIZATION, format!("Bearer {key}")),
        Dialect::Anthropic => (HeaderName::from_static("x-api-key"), key.to_owned()),
    };
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

    #[test]
    fn the_version_stands_once() {
        for url in [
            "http://127.0.0.1:1",
            "http://127.0.0.1:1/",
            "http://127.0.0.1:1/v1",
            "http://127.0.0.1:1/v1/",
        ] {
            let target = Target::new(
                &Upstream {
                    key_env: None,
                    ..Upstream::usual(Dialect::Openai, url)
                },
                None,
            )
            .expect("an address");
            assert_eq!(target.uri.path(), "/v1/chat/completions", "{url}");
        }
        let target = Target::new(
            &Upstream {
                key_env: None,
                ..Upstream::usual(Dialect::Anthropic, "https://x.example/proxy")
            },
            None,
        );
        assert_eq!(target.expect("an address").uri.path(), "/proxy/v1/messages");
    }
}
