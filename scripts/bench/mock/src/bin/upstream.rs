//! An upstream that answers at once: chat completions and messages, whole or as a stream.
//!
//! What it says is fixed and made before the first request, so that its own cost stays small and the same for every
//! subject. Prints its address, then serves until it is ended. Usage: `bench-upstream [EVENTS]`, the deltas of a stream.

use std::convert::Infallible;
use std::io::{Write as _, stdout};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The answers, by endpoint and form.
#[derive(Debug)]
struct Script {
    chat: Bytes,
    chat_stream: Arc<[Bytes]>,
    message: Bytes,
    message_stream: Arc<[Bytes]>,
}

/// A stream whose events are ready, but are handed over one at a time and not as one block.
#[derive(Debug)]
struct Events {
    events: Arc<[Bytes]>,
    next: usize,
    /// Whether the runtime had its turn since the last event; without it hyper would join them into one write.
    yielded: bool,
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if !this.yielded {
            this.yielded = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        this.yielded = false;
        let event = this.events.get(this.next).cloned();
        this.next += 1;
        Poll::Ready(event.map(|event| Ok(Frame::data(event))))
    }
}

const SENTENCE: &str = "Orders came in slightly above plan, costs stayed where they were, and the open items of last \
                        month are closed; there is nothing that the team would have to decide before Thursday.";

impl Script {
    fn new(events: usize) -> Self {
        let chat = format!(
            r#"{{"id":"chatcmpl-bench","object":"chat.completion","created":1760000000,"model":"bench-1","choices":[{{"index":0,"message":{{"role":"assistant","content":"{SENTENCE}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":130,"completion_tokens":38,"total_tokens":168}}}}"#
        );
        let message = format!(
            r#"{{"id":"msg_bench","type":"message","role":"assistant","model":"bench-1","content":[{{"type":"text","text":"{SENTENCE}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":130,"output_tokens":38}}}}"#
        );
        let words: Vec<&str> = SENTENCE.split_inclusive(' ').cycle().take(events).collect();
        Self {
            chat: chat.into(),
            chat_stream: Self::chat_stream(&words),
            message: message.into(),
            message_stream: Self::message_stream(&words),
        }
    }

    fn chat_stream(words: &[&str]) -> Arc<[Bytes]> {
        let event = |delta: &str, finish: &str| {
            Bytes::from(format!(
                "data: {{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench-1\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
            ))
        };
        let mut events = vec![event(r#"{"role":"assistant","content":""}"#, "null")];
        events.extend(
            words
                .iter()
                .map(|word| event(&format!(r#"{{"content":"{word}"}}"#), "null")),
        );
        events.extend([event("{}", r#""stop""#), Bytes::from_static(b"data: [DONE]\n\n")]);
        events.into()
    }

    fn message_stream(words: &[&str]) -> Arc<[Bytes]> {
        let event =
            |name: &str, fields: &str| Bytes::from(format!("event: {name}\ndata: {{\"type\":\"{name}\"{fields}}}\n\n"));
        let mut events = vec![
            event(
                "message_start",
                r#","message":{"id":"msg_bench","type":"message","role":"assistant","model":"bench-1","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":130,"output_tokens":1}}"#,
            ),
            event(
                "content_block_start",
                r#","index":0,"content_block":{"type":"text","text":""}"#,
            ),
        ];
        events.extend(words.iter().map(|word| {
            let delta = format!(r#","index":0,"delta":{{"type":"text_delta","text":"{word}"}}"#);
            event("content_block_delta", &delta)
        }));
        let stop = r#","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":38}"#;
        events.extend([
            event("content_block_stop", r#","index":0"#),
            event("message_delta", stop),
            event("message_stop", ""),
        ]);
        events.into()
    }

    fn answer(&self, path: &str, streamed: bool) -> Response<Either<Full<Bytes>, Events>> {
        let messages = path.ends_with("/messages");
        let (body, kind) = if streamed {
            let events = if messages {
                &self.message_stream
            } else {
                &self.chat_stream
            };
            let events = Events {
                events: Arc::clone(events),
                next: 0,
                yielded: true,
            };
            (Either::Right(events), "text/event-stream")
        } else {
            let whole = if messages { &self.message } else { &self.chat };
            (Either::Left(Full::new(whole.clone())), "application/json")
        };
        let mut response = Response::new(body);
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}

/// Whether the body asks for a stream; the bench sends no other spelling.
fn asks_for_stream(body: &[u8]) -> bool {
    const ASKED: &[u8] = br#""stream":true"#;
    body.windows(ASKED.len()).any(|window| window == ASKED)
}

async fn serve(events: usize) -> anyhow::Result<()> {
    let script = Arc::new(Script::new(events));
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .context("no free port on loopback")?;
    writeln!(stdout(), "{}", listener.local_addr()?)?;
    stdout().flush()?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let script = Arc::clone(&script);
        tokio::spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let script = Arc::clone(&script);
                async move {
                    let path = request.uri().path().to_owned();
                    let body = request.into_body().collect().await?.to_bytes();
                    Ok::<_, hyper::Error>(script.answer(&path, asks_for_stream(&body)))
                }
            });
            // A client that leaves in the middle is how every round ends.
            let _ended = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), answer)
                .await;
        });
    }
}

fn main() -> anyhow::Result<()> {
    let events = match std::env::args().nth(1) {
        Some(text) => text.parse().context("EVENTS is a number")?,
        None => 40,
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(serve(events))
}
