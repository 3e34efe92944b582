//! Bodies read whole, within bounds, and headers that say they cannot be.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use tokio::time::timeout;

use crate::gateway::room::{Full, Held};

/// Bodies above this size are inspected beside the worker's thread, so that they do not hold up its other connections.
pub(super) const LARGE: usize = 256 * 1024;

/// Why the whole body of an answer did not come.
pub(super) enum Broken {
    /// It broke off, or is too large.
    Off,
    /// Nothing came for too long.
    Silent,
}

/// The whole body of an answer, within bounds on its size and on each pause in it.
pub(super) async fn gather(body: Incoming, most: usize, idle: Duration) -> Result<Bytes, Broken> {
    let mut body = Limited::new(body, most);
    let mut whole = BytesMut::new();
    loop {
        match timeout(idle, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                // Trailers are not passed on (threat B3).
                if let Ok(data) = frame.into_data() {
                    whole.extend_from_slice(&data);
                }
            }
            Ok(None) => return Ok(whole.freeze()),
            Ok(Some(Err(_))) => return Err(Broken::Off),
            Err(_) => return Err(Broken::Silent),
        }
    }
}

/// Why the whole body of a request did not come.
pub(super) enum Unread {
    /// It is larger than it may be.
    TooLarge,
    /// It broke off.
    Broken,
    /// All bodies together are larger than they may be.
    NoRoom,
}

/// The whole body of a request, within bounds on its size and on that of all of them.
pub(super) async fn collect(body: Incoming, most: usize, held: &mut Held) -> Result<Bytes, Unread> {
    let mut body = Limited::new(body, most);
    let (mut first, mut whole) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Unread::TooLarge
            } else {
                Unread::Broken
            }
        })?;
        // Trailers are not passed on (threat B3).
        let Ok(data) = frame.into_data() else { continue };
        held.grow(data.len()).map_err(|Full| Unread::NoRoom)?;
        // Most bodies come in one piece, which is taken as it is.
        if first.is_empty() && whole.is_empty() {
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// Why a request expects what no answer can give (RFC 9110 §10.1.1).
pub(super) fn unknown_expectation(headers: &HeaderMap) -> Option<&'static str> {
    let unknown = headers
        .get_all(header::EXPECT)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    unknown.then_some("only `100-continue` can be expected")
}

/// Why a body cannot be read, if its headers say so already.
pub(super) fn unreadable_encoding(headers: &HeaderMap) -> Option<&'static str> {
    let encoded = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    encoded.then_some("a compressed body is not inspected: send it plain")
}
