//! Keys from where an issuer publishes them: by discovery, from an address, or from a file.
//!
//! The way there is narrow (threats E1 and E2): only to hosts that the configuration names, each resolved once, and the
//! connection goes to an address that was looked at; redirects are answers like any other, and not the expected one. Everything
//! has a bound in bytes and in time. Read [`refresh`] first.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::header::{ACCEPT, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_rustls::ConfigBuilderExt as _;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use ordain_core::wire::json;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Identity;
use super::address::{Address, is_this_machine};
use super::jwk::{KeySetError, LIMITS};
use super::keys::IssuerKeys;
use crate::config::KeySource;
use crate::metrics::Metrics;

/// The largest document of an issuer.
const LARGEST: usize = 1024 * 1024;

/// How long one document may take, from the name's look-up to the last byte.
const LONGEST: Duration = Duration::from_secs(10);

/// Why keys could not be had.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The file could not be read.
    #[error("`{path}` could not be read")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The host has no address that may be connected to.
    #[error("`{0}` has no address that may be connected to")]
    NoAddress(String),
    /// No connection.
    #[error("`{host}` could not be connected to")]
    Connect {
        /// The host.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// The other side does not speak HTTP as it should.
    #[error("the request failed")]
    Http(#[from] hyper::Error),
    /// Another answer than the document.
    #[error("status {0} instead of the document; redirects are not followed")]
    Status(u16),
    /// The document is too large, or broke off.
    #[error("the document broke off, or is larger than {LARGEST} bytes")]
    Body,
    /// It took too long.
    #[error("no document within {} s", LONGEST.as_secs())]
    Slow,
    /// What discovery says cannot be used.
    #[error("what the issuer says of itself cannot be used: {0}")]
    Discovery(&'static str),
    /// The set of keys cannot be used.
    #[error("the set of keys cannot be used: {0}")]
    Keys(#[from] KeySetError),
}

/// Starts fetching the keys of each issuer for which it is time. Has to be called in a runtime, often.
pub fn refresh(identity: &Identity, metrics: &Arc<Metrics>) {
    for issuer in identity.issuers().iter().filter(|one| one.due(Instant::now())) {
        let (issuer, metrics) = (Arc::clone(issuer), Arc::clone(metrics));
        tokio::spawn(async move {
            let name = issuer.issuer().issuer.as_str().to_owned();
            let result = fetch(&issuer).await;
            if let Err(error) = &result {
                let error = crate::version::described(error);
                tracing::warn!(issuer = name, error, "the keys of an issuer could not be fetched");
            }
            metrics.fetched_keys(&name, issuer.fetched(), result.is_ok());
            issuer.done(result.is_ok());
        });
    }
}

/// Fetches the keys of one issuer, and takes them.
pub(super) async fn fetch(issuer: &IssuerKeys) -> Result<(), FetchError> {
    let configured = issuer.issuer();
    let bytes = match &configured.keys {
        KeySource::File(path) => file(path)?,
        KeySource::At(address) => document(address).await?,
        KeySource::Discovery(origins) => {
            let at = configured.issuer.discovery();
            let at = at.ok_or(FetchError::Discovery("its address is too long"))?;
            let said = document(&at).await?;
            let keys = keys_address(&said, &configured.issuer, origins).map_err(FetchError::Discovery)?;
            document(&keys).await?
        }
    };
    Ok(issuer.take(bytes, Timestamp::now())?)
}

/// Where the keys are, by an issuer's own word (OpenID Connect Discovery 1.0 §4.3). It must speak of itself and may send us to
/// no other place than its own, but for origins that the configuration names.
pub(super) fn keys_address(said: &[u8], issuer: &Address, origins: &[Address]) -> Result<Address, &'static str> {
    let document = json::parse(said, &LIMITS).map_err(|_| "it is no JSON of unique members")?;
    let member = |name| document.member_text(document.root(), name);
    if member("issuer").as_deref() != Some(issuer.as_str()) {
        return Err("its `issuer` is another than the configured one");
    }
    let keys = member("jwks_uri").ok_or("it has no `jwks_uri`")?;
    let keys = Address::parse(&keys).map_err(|_| "its `jwks_uri` is no https address")?;
    let known = std::iter::once(issuer).chain(origins);
    if !known.into_iter().any(|one| one.same_origin(&keys)) {
        return Err("its `jwks_uri` is of another origin; `key_origins` can name it");
    }
    Ok(keys)
}

/// The bytes of a file.
pub(super) fn file(path: &Path) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|source| FetchError::File {
        path: path.display().to_string(),
        source,
    })?;
    if bytes.len() > LARGEST {
        return Err(FetchError::Body);
    }
    Ok(bytes)
}

/// The document at an address.
async fn document(at: &Address) -> Result<Vec<u8>, FetchError> {
    tokio::time::timeout(LONGEST, get(at))
        .await
        .unwrap_or(Err(FetchError::Slow))
}

async fn get(at: &Address) -> Result<Vec<u8>, FetchError> {
    let failed = |source| FetchError::Connect {
        host: at.host().to_owned(),
        source,
    };
    let stream = connect(at).await?;
    if !at.is_secure() {
        return ask(stream, at).await;
    }
    let name = ServerName::try_from(at.host().to_owned()).map_err(|error| failed(io::Error::other(error)))?;
    let config = tls().map_err(failed)?;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(failed)?;
    ask(stream, at).await
}

/// A connection to an address of the host that was looked at: a name is resolved once, so that a second answer cannot lead
/// elsewhere (threat E2).
async fn connect(at: &Address) -> Result<TcpStream, FetchError> {
    let failed = |source| FetchError::Connect {
        host: at.host().to_owned(),
        source,
    };
    let found = tokio::net::lookup_host((at.host(), at.port())).await.map_err(failed)?;
    let mut last = None;
    for address in allowed(at.host(), found) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| FetchError::NoAddress(at.host().to_owned()), failed))
}

/// The most addresses of a host that are tried.
const MOST_ADDRESSES: usize = 8;

/// Of the addresses of a host those that may be connected to. What the configuration writes as a number it means; behind a
/// name there may be an organisation's own network, but neither this machine nor what only a machine itself should reach.
pub(super) fn allowed(host: &str, found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let literal = host.parse::<IpAddr>().is_ok();
    let here = is_this_machine(host);
    let may = |address: &SocketAddr| {
        literal
            || if here {
                address.ip().is_loopback()
            } else {
                is_elsewhere(address.ip())
            }
    };
    found.filter(may).take(MOST_ADDRESSES).collect()
}

fn is_elsewhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !(v4.is_loopback()
                || v4.is_unspecified()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.octets()[0] == 0)
        }
        IpAddr::V6(v6) => {
            if let Some(inner) = v6.to_ipv4_mapped() {
                return is_elsewhere(IpAddr::V4(inner));
            }
            // NAT64 (RFC 6052 §2.1) and addresses with an IPv4 address in their last half (RFC 4291 §2.5.5.1).
            let segments = v6.segments();
            let translated = segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] || segments[..6] == [0; 6];
            if translated {
                let [.., a, b, c, d] = v6.octets();
                return is_elsewhere(IpAddr::from([a, b, c, d]));
            }
            !(v6.is_loopback() || v6.is_unspecified() || v6.is_unicast_link_local() || v6.is_multicast())
        }
    }
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    at: &Address,
) -> Result<Vec<u8>, FetchError> {
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(64 * 1024)
        .handshake(TokioIo::new(stream))
        .await?;
    let connection = tokio::spawn(connection);
    let answered = async {
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = at.target();
        let headers = request.headers_mut();
        if let Ok(host) = HeaderValue::from_str(at.authority()) {
            headers.insert(HOST, host);
        }
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = sender.send_request(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let body = Limited::new(answer.into_body(), LARGEST).collect().await;
        Ok(body.map_err(|_| FetchError::Body)?.to_bytes().to_vec())
    };
    let answered = answered.await;
    connection.abort();
    answered
}

/// TLS with the system's certificates, as for upstreams.
fn tls() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let mut config = ClientConfig::builder().with_native_roots()?.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}
