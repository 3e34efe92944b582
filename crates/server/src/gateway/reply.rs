//! What a client gets: bodies, and the headers that name the decision.

use std::fmt::{self, Write as _};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use ordain_core::decide::Decision;
use ordain_core::inspect::Rules;
use ordain_core::verdict::Verdict;

use super::streaming::StreamBody;

/// A whole body, or one that streams.
pub(super) type Body = Either<Full<Bytes>, StreamBody>;
pub(super) type Reply = Response<Body>;

/// A whole answer.
pub(super) fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Either::Left(Full::new(body.into())));
    *reply.status_mut() = status;
    reply
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    whole(status, "application/json", body)
}

/// An answer that is passed on: JSON, or sound or a picture if the upstream says so. No other media type is, so that no
/// browser takes one for a page (threat B17).
pub(super) fn passed(status: StatusCode, media_type: Option<&HeaderValue>, body: Bytes) -> Reply {
    let mut reply = json(status, body);
    let of_media = |kind: &&HeaderValue| {
        let kind = kind.as_bytes();
        kind.starts_with(b"audio/") || (kind.starts_with(b"image/") && !kind.starts_with(b"image/svg"))
    };
    if let Some(kind) = media_type.filter(of_media) {
        reply.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    reply
}

/// Times of an exchange's parts, for `Server-Timing` (W3C Server Timing).
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Timing {
    pub(super) inspect: Duration,
    pub(super) record: Duration,
    pub(super) upstream: Duration,
}

/// Names the decision, its clauses, the policy and the record on an answer.
pub(super) fn name_decision(
    headers: &mut HeaderMap,
    rules: &Rules,
    decisions: &[&Decision],
    record: &str,
    timing: &Timing,
) {
    let policy = &rules.policy;
    let strictest = decisions.iter().copied().max_by_key(|decision| decision.verdict);
    let verdict = strictest.map_or(Verdict::Allow, |decision| decision.verdict);
    insert(headers, "ordain-decision", verdict.as_str());
    let first = decisions.iter().copied().find(|decision| decision.verdict == verdict);
    insert(
        headers,
        "ordain-clause",
        &first
            .map(|decision| decision.names(policy).join(", "))
            .unwrap_or_default(),
    );
    insert(headers, "ordain-policy", &rules.digest);
    insert(headers, "ordain-record", record);
    let mut notices: Vec<&str> = Vec::new();
    for notice in decisions.iter().flat_map(|decision| decision.notices(policy)) {
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    }
    if !notices.is_empty() {
        insert(headers, "ordain-notice", &notices.join(" "));
    }
    let Timing {
        inspect,
        record,
        upstream,
    } = timing;
    let times = format!(
        "inspect;dur={}, record;dur={}, upstream;dur={}",
        Millis(*inspect),
        Millis(*record),
        Millis(*upstream)
    );
    insert(headers, "server-timing", &times);
}

/// A time in milliseconds, with three decimals.
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0.as_millis(), self.0.subsec_micros() % 1000)
    }
}

/// Says that a record of the exchange is in the spool of the break-glass, and not in the ledger yet.
pub(super) fn name_break_glass(headers: &mut HeaderMap) {
    insert(headers, "ordain-break-glass", "spooled");
}

/// Names the class of an answer.
pub(super) fn name_label(headers: &mut HeaderMap, label: Option<&str>) {
    if let Some(label) = label {
        insert(headers, "ordain-label", label);
    }
}

/// Names the tools that were taken out of a request; of many, how many more there are.
pub(super) fn name_withheld(headers: &mut HeaderMap, tools: &[String]) {
    const MOST: usize = 16;
    const LONGEST: usize = 128;
    if tools.is_empty() {
        return;
    }
    let cut = |name: &String| name.chars().take(LONGEST).collect::<String>();
    let mut names: Vec<String> = tools.iter().take(MOST).map(cut).collect();
    if tools.len() > MOST {
        names.push(format!("and {} more", tools.len() - MOST));
    }
    insert(headers, "ordain-withheld", &names.join(", "));
}

/// Header values are visible ASCII (RFC 9110 §5.5); other characters are percent-encoded UTF-8, as in URLs.
fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'%';
    let made = if value.bytes().all(plain) {
        HeaderValue::from_str(value)
    } else {
        let mut text = String::with_capacity(value.len() + 16);
        for byte in value.bytes() {
            if plain(byte) {
                text.push(char::from(byte));
            } else {
                // Writing to a text cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
        HeaderValue::from_str(&text)
    };
    if let Ok(value) = made {
        headers.insert(HeaderName::from_static(name), value);
    }
}
