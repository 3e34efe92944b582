//! The way to an issuer's keys (threats C4, E1, E2): where it may lead, and what an answer may be.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::signer::{Signer, header};
use super::{Algorithm, claims, issuer, set};
use crate::config::{Issuer, KeySource};
use crate::identity::fetch::{allowed, fetch, keys_address};
use crate::identity::keys::IssuerKeys;
use crate::identity::{Address, FetchError};

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

#[test]
fn discovery_leads_to_the_issuer_itself_or_to_a_named_origin() {
    let at = address("https://login.example.com/a");
    let origins = [address("https://keys.example.net")];
    let said = |issuer: &str, keys: &str| {
        let text = format!("{{\"issuer\":\"{issuer}\",\"jwks_uri\":\"{keys}\"}}");
        keys_address(text.as_bytes(), &at, &origins).map(|found| found.as_str().to_owned())
    };
    let good = "https://login.example.com/a";
    for keys in ["https://login.example.com/keys", "https://keys.example.net/v1?x=1"] {
        assert_eq!(said(good, keys), Ok(keys.to_owned()));
    }
    for (issuer, keys) in [
        ("https://login.example.com/a/", "https://login.example.com/keys"),
        ("https://eve.example", "https://login.example.com/keys"),
        (good, "https://eve.example/keys"),
        (good, "https://login.example.com.eve.example/keys"),
        (good, "https://login.example.com@eve.example/keys"),
        (good, "https://login.example.com:8443/keys"),
        (good, "http://login.example.com/keys"),
        (good, "http://127.0.0.1/keys"),
        (good, "http://169.254.169.254/latest/meta-data"),
        (good, "http://[::1]/keys"),
        (good, "file:///etc/passwd"),
        (good, "//login.example.com/keys"),
        (good, ""),
    ] {
        assert!(said(issuer, keys).is_err(), "{issuer} {keys}");
    }
    for text in ["", "[]", "{}", "{\"issuer\":\"https://login.example.com/a\"}"] {
        assert!(keys_address(text.as_bytes(), &at, &origins).is_err(), "{text}");
    }
}

#[test]
fn a_name_does_not_lead_to_this_machine_or_to_what_only_a_machine_should_reach() {
    let reached = |host: &str, addresses: &[&str]| {
        let found = addresses
            .iter()
            .map(|one| SocketAddr::new(one.parse().expect("an address"), 443));
        allowed(host, found).len()
    };
    for forbidden in [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "255.255.255.255",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
    ] {
        assert_eq!(reached("login.example.com", &[forbidden]), 0, "{forbidden}");
        // A second answer with a good address does not bring the bad one along.
        assert_eq!(
            reached("login.example.com", &[forbidden, "192.0.2.1"]),
            1,
            "{forbidden}"
        );
    }
    assert_eq!(
        reached("login.example.com", &["10.0.0.5", "2001:db8::1"]),
        2,
        "an organisation's own network"
    );
    assert_eq!(reached("localhost", &["127.0.0.1", "192.0.2.1"]), 1);
    assert_eq!(
        reached("127.0.0.1", &["127.0.0.1"]),
        1,
        "what is written as a number is meant"
    );
    assert_eq!(reached("login.example.com", &["192.0.2.1"; 50]), 8, "bounded");
}

/// An issuer on this machine that answers each path as it is told to, and counts who asks.
struct Local {
    at: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Local {
    async fn serve(answer: impl Fn(&str, SocketAddr) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let read = stream.read(&mut head).await.unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                count.fetch_add(1, Ordering::Relaxed);
                let _ = stream.write_all(&answer(&path, at)).await;
            }
        });
        Self { at, asked }
    }

    fn issuer(&self, keys: KeySource) -> Issuer {
        Issuer {
            keys,
            ..issuer(&format!("http://{}", self.at), &[Algorithm::Es256])
        }
    }
}

fn http(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn discovery(at: SocketAddr) -> Vec<u8> {
    http(
        "200 OK",
        format!("{{\"issuer\":\"http://{at}\",\"jwks_uri\":\"http://{at}/keys\"}}").as_bytes(),
    )
}

#[tokio::test]
async fn keys_come_by_discovery_from_an_address_and_from_a_file() {
    let signer = Signer::p256("k");
    let published = set(&[signer.jwk()]);
    let body = published.clone();
    let local = Local::serve(move |path, at| match path {
        "/.well-known/openid-configuration" => discovery(at),
        "/keys" => http("200 OK", &body),
        _ => http("404 Not Found", b""),
    })
    .await;
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&published).expect("written");
    for keys in [
        KeySource::Discovery(Vec::new()),
        KeySource::At(address(&format!("http://{}/keys", local.at))),
        KeySource::File(file.path().to_owned()),
    ] {
        let issuer = local.issuer(keys);
        let name = format!("\"{}\"", issuer.issuer.as_str());
        let identity = crate::identity::Identity::new(&[issuer], None).expect("an issuer");
        fetch(&identity.issuers()[0]).await.expect("fetched");
        let now = jiff::Timestamp::now();
        let end = (now.as_second() + 60).to_string();
        let token = signer.token(
            &header("ES256", "k"),
            &claims(&[("iss", &name), ("exp", &end), ("iat", ""), ("nbf", "")]),
        );
        assert!(identity.verify(&token, now).is_ok());
    }
    assert_eq!(local.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Local::serve(|_, _| http("200 OK", b"{}")).await;
    let target = elsewhere.at;
    let local = Local::serve(move |_, _| {
        format!("HTTP/1.1 302 Found\r\nlocation: http://{target}/\r\ncontent-length: 0\r\n\r\n").into_bytes()
    })
    .await;
    let keys = IssuerKeys::new(local.issuer(KeySource::Discovery(Vec::new())));
    assert!(matches!(fetch(&keys).await, Err(FetchError::Status(302))));
    assert_eq!(elsewhere.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_is_too_large_or_breaks_off_or_is_not_there_leaves_what_was_known() {
    let signer = Signer::p256("k");
    let good = set(&[signer.jwk()]);
    let huge = [
        b"{\"keys\":[],\"x\":\"".to_vec(),
        vec![b'x'; 1024 * 1024],
        b"\"}".to_vec(),
    ]
    .concat();
    for answer in [
        http("200 OK", &huge),
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"keys\"".to_vec(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz".to_vec(),
        http("500 Internal Server Error", b"{}"),
        http("200 OK", b"<html>"),
        http("200 OK", b"{\"keys\":[]}"),
        b"SSH-2.0-x\r\n".to_vec(),
        Vec::new(),
    ] {
        let said = answer.clone();
        let local = Local::serve(move |_, _| said.clone()).await;
        let keys = IssuerKeys::new(local.issuer(KeySource::At(address(&format!("http://{}/keys", local.at)))));
        keys.take(good.clone(), jiff::Timestamp::now()).expect("keys");
        let before = keys.fetched();
        assert!(
            fetch(&keys).await.is_err(),
            "{:?}",
            String::from_utf8_lossy(&answer[..answer.len().min(60)])
        );
        assert_eq!(keys.fetched(), before);
    }
}

#[tokio::test]
async fn an_issuer_that_is_away_is_an_error_and_no_more() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address");
    drop(listener);
    let configured = issuer(&format!("http://{at}"), &[Algorithm::Es256]);
    let keys = IssuerKeys::new(configured);
    assert!(matches!(fetch(&keys).await, Err(FetchError::Connect { .. })));
    assert_eq!(keys.fetched(), None);
}
