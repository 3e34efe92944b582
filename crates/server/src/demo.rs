//! The demonstration upstream: a small server that repeats what it is told, so that a policy can be tried with no provider.
//!
//! It speaks two dialects ([`DIALECTS`]), streams where it is asked to, and says plainly what it is. It listens on loopback, on a port
//! that the system picks, and is reached like any other upstream.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::thread;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::config::Dialect;

const MODEL: &str = "demo";
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The dialects that it speaks.
pub const DIALECTS: [Dialect; 2] = [Dialect::Openai, Dialect::Anthropic];

/// Starts it in a thread of its own, for as long as the program runs.
///
/// # Errors
///
/// If no port or thread could be had.
pub fn start() -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve = move || {
        runtime.block_on(async {
            let Ok(listener) = TcpListener::from_std(listener) else {
                return;
            };
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(async move {
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service_fn(answer))
                        .await;
                });
            }
        });
    };
    thread::Builder::new().name("demo-upstream".to_owned()).spawn(serve)?;
    Ok(address)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let anthropic = request.uri().path().ends_with("/messages");
    let body = match Limited::new(request.into_body(), MOST_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            return Ok(reply(
                StatusCode::BAD_REQUEST,
                "application/json",
                json!({"error": {"message": "the body broke off"}}).to_string(),
            ));
        }
    };
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let told = last_text(&request);
    let text = format!("[{MODEL}: no model runs here, this only repeats] You said: {told}");
    let streamed = request.get("stream").and_then(Value::as_bool).unwrap_or(false);
    Ok(match (anthropic, streamed) {
        (false, false) => reply(StatusCode::OK, "application/json", chat(&text).to_string()),
        (false, true) => reply(StatusCode::OK, "text/event-stream", chat_stream(&text)),
        (true, false) => reply(StatusCode::OK, "application/json", message(&text).to_string()),
        (true, true) => reply(StatusCode::OK, "text/event-stream", message_stream(&text)),
    })
}

fn reply(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The text of the last message, whichever way it is written.
fn last_text(request: &Value) -> String {
    let last = request
        .get("messages")
        .and_then(Value::as_array)
        .and_then(|messages| messages.last());
    match last.and_then(|message| message.get("content")) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text"))
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" "),
        _ => String::new(),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

fn chat(text: &str) -> Value {
    json!({
        "id": "chatcmpl-demo", "object": "chat.completion", "created": 0, "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": null}, "logprobs": null, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    })
}

fn chat_stream(text: &str) -> String {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        let chunk = json!({"id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": 0, "model": MODEL, "choices": [choice]});
        format!("data: {chunk}\n\n")
    };
    let mut out = chunk(json!({"role": "assistant", "content": ""}), Value::Null);
    words(text).for_each(|word| out.push_str(&chunk(json!({"content": word}), Value::Null)));
    out.push_str(&chunk(json!({}), json!("stop")));
    out.push_str("data: [DONE]\n\n");
    out
}

fn message(text: &str) -> Value {
    json!({
        "id": "msg_demo", "type": "message", "role": "assistant", "model": MODEL, "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": 0, "output_tokens": 0},
    })
}

fn message_stream(text: &str) -> String {
    let event = |value: Value| {
        format!(
            "event: {}\ndata: {value}\n\n",
            value.get("type").and_then(Value::as_str).unwrap_or_default()
        )
    };
    let mut start = message("");
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    let mut out = event(json!({"type": "message_start", "message": start}));
    out.push_str(&event(
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    ));
    for word in words(text) {
        out.push_str(&event(
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}),
        ));
    }
    out.push_str(&event(json!({"type": "content_block_stop", "index": 0})));
    out.push_str(&event(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 0}})));
    out.push_str(&event(json!({"type": "message_stop"})));
    out
}
