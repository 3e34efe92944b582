//! Requests to an issuer: forms out, JSON in, all of it bounded in bytes and in time.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use thiserror::Error;

use super::{LoginError, is_plain};

/// The largest answer.
const LARGEST: usize = 256 * 1024;

/// How long one request may take.
const LONGEST: Duration = Duration::from_secs(20);

/// What a form leaves as it is.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a request failed.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The address is not one of those that secrets are sent to.
    #[error("`{0}` is no https address (http is for this machine alone)")]
    Address(String),
    /// The system's certificates could not be read.
    #[error("the system's certificates could not be read; install ca-certificates")]
    Roots(#[source] std::io::Error),
    /// There is no connection, or it broke.
    #[error("the connection failed")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It took too long.
    #[error("no answer within {} s", LONGEST.as_secs())]
    Slow,
    /// The answer is not JSON, or too large.
    #[error("the answer is no JSON object of at most {LARGEST} bytes (status {0})")]
    Answer(u16),
}

/// A client for as long as one verb runs.
#[derive(Debug)]
pub(super) struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// An answer with its JSON object.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Http {
    pub(super) fn new() -> Result<Self, HttpError> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(HttpError::Roots)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    pub(super) async fn get(&self, address: &str) -> Result<Said, HttpError> {
        self.ask(Method::GET, address, Bytes::new()).await
    }

    pub(super) async fn post(&self, address: &str, form: &[(&str, &str)]) -> Result<Said, HttpError> {
        let pairs: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, FORM)))
            .collect();
        self.ask(Method::POST, address, pairs.join("&").into()).await
    }

    async fn ask(&self, method: Method, address: &str, body: Bytes) -> Result<Said, HttpError> {
        let uri: Uri = address
            .parse()
            .ok()
            .filter(|_| is_safe_address(address))
            .ok_or_else(|| HttpError::Address(address.to_owned()))?;
        let is_form = method == Method::POST;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if is_form {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(CONTENT_TYPE, form);
        }
        let answered = async {
            // Redirects are not followed: what is sent is meant for this address alone.
            let answer = self.0.request(request).await;
            let answer = answer.map_err(|error| HttpError::Connection(error.into()))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), LARGEST).collect().await;
            let body = body.map_err(|_| HttpError::Answer(status))?.to_bytes();
            // Nothing but a status is an answer too (RFC 7009, section 2.2).
            let body = if body.is_empty() {
                Ok(Value::Object(serde_json::Map::new()))
            } else {
                serde_json::from_slice(&body)
            };
            match body {
                Ok(body @ Value::Object(_)) => Ok(Said { status, body }),
                Ok(_) | Err(_) if status == 200 => Err(HttpError::Answer(status)),
                Ok(_) | Err(_) => Ok(Said {
                    status,
                    body: Value::Null,
                }),
            }
        };
        tokio::time::timeout(LONGEST, answered)
            .await
            .unwrap_or(Err(HttpError::Slow))
    }
}

impl Said {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name)?.as_str()
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.body.get(name)?.as_u64()
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let list = self.body.get(name).and_then(Value::as_array);
        let texts = list.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// The refusal that it is. Its code is shown where it is one; descriptions are not, as they can be anything.
    pub(super) fn refusal(&self) -> LoginError {
        let code = self.text("error").filter(|code| is_plain(code) && code.len() <= 64);
        LoginError::Refused(code.map_or_else(|| format!("status {}", self.status), str::to_owned))
    }
}

/// Whether secrets may be sent to an address: https, or http to this machine.
#[must_use]
pub fn is_safe_address(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let here = matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let no_user = uri
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'));
    no_user && (uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && here))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_over_tls_or_stay_on_this_machine() {
        for (address, safe) in [
            ("https://login.example/token", true),
            ("http://127.0.0.1:8080/token", true),
            ("http://localhost/token", true),
            ("http://login.example/token", false),
            ("http://localhost.evil.example/", false),
            ("http://127.0.0.1@evil.example/", false),
            ("https://login.example@evil.example/", false),
            ("javascript:alert(1)", false),
            ("file:///etc/passwd", false),
            ("/token", false),
        ] {
            assert_eq!(is_safe_address(address), safe, "{address}");
        }
    }

    #[test]
    fn a_refusal_shows_a_code_and_nothing_else() {
        let said = |body: Value| Said { status: 400, body }.refusal().to_string();
        let body = serde_json::json!({"error": "invalid_client", "error_description": "\u{1b}[2J"});
        assert_eq!(said(body), "the issuer refuses: invalid_client");
        assert_eq!(
            said(serde_json::json!({"error": "\u{1b}[2J"})),
            "the issuer refuses: status 400"
        );
    }
}
