//! What a client gets: bodies, and the headers that name the decision.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use ordain_core::decide::Decision;
use ordain_core::policy::compile::Policy;
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
    policy: &Policy,
    decisions: &[&Decision],
    record: &str,
    timing: &Timing,
) {
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
    insert(headers, "ordain-policy", &policy.digest.to_string());
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
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let times = format!(
        "inspect;dur={:.3}, record;dur={:.3}, upstream;dur={:.3}",
        millis(timing.inspect),
        millis(timing.record),
        millis(timing.upstream)
    );
    insert(headers, "server-timing", &times);
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
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
