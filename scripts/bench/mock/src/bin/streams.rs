//! A client that reads streams to their end, one after the other on each connection, and times the first byte.
//!
//! wrk measures whole answers only. Usage: `bench-streams HOST:PORT PATH BODYFILE CONNECTIONS SECONDS [NAME:VALUE]…`.
//! Prints one line of JSON: streams a second, first-byte and total percentiles in microseconds, and failures.

use std::io::{Write as _, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What to send, and for how long.
#[derive(Debug)]
struct Plan {
    address: String,
    path: String,
    body: Bytes,
    connections: usize,
    duration: Duration,
    headers: Vec<(String, String)>,
}

impl Plan {
    fn parse(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut next = |name: &str| arguments.next().with_context(|| format!("{name} is missing"));
        let address = next("HOST:PORT")?;
        let path = next("PATH")?;
        let body = std::fs::read(next("BODYFILE")?)
            .context("the body cannot be read")?
            .into();
        let connections = next("CONNECTIONS")?.parse().context("CONNECTIONS is a number")?;
        let duration = Duration::from_secs_f64(next("SECONDS")?.parse().context("SECONDS is a number")?);
        let headers = arguments.map(|text| match text.split_once(':') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => bail!("`{text}` is no header"),
        });
        Ok(Self {
            address,
            path,
            body,
            connections,
            duration,
            headers: headers.collect::<Result<_, _>>()?,
        })
    }

    fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut builder = Request::post(&self.path)
            .header("host", &self.address)
            .header("content-type", "application/json");
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        Ok(builder.body(Full::new(self.body.clone()))?)
    }
}

/// What one connection, or all of them, have seen.
#[derive(Debug, Default)]
struct Tally {
    first_byte: Vec<Duration>,
    total: Vec<Duration>,
    failures: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.first_byte.extend(other.first_byte);
        self.total.extend(other.total);
        self.failures += other.failures;
    }
}

async fn connect(address: &str) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// One stream from request to end: when its first byte of body came, and its last.
async fn read_one(sender: &mut SendRequest<Full<Bytes>>, plan: &Plan) -> anyhow::Result<(Duration, Duration)> {
    sender.ready().await?;
    let started = Instant::now();
    let response = sender.send_request(plan.request()?).await?;
    if !response.status().is_success() {
        bail!("status {}", response.status());
    }
    let mut body = response.into_body();
    let mut first = None;
    while let Some(frame) = body.frame().await {
        frame?;
        first.get_or_insert_with(|| started.elapsed());
    }
    Ok((first.context("an empty stream")?, started.elapsed()))
}

async fn read_on(plan: Arc<Plan>, until: Instant) -> Tally {
    /// A subject that is down must not turn the client into a busy loop.
    const MOST_FAILURES: u64 = 1_000;
    let mut tally = Tally::default();
    let mut sender = None;
    while Instant::now() < until && tally.failures < MOST_FAILURES {
        let mut open = match sender.take() {
            Some(open) => open,
            None => match connect(&plan.address).await {
                Ok(open) => open,
                Err(_) => {
                    tally.failures += 1;
                    continue;
                }
            },
        };
        match read_one(&mut open, &plan).await {
            Ok((first, total)) => {
                tally.first_byte.push(first);
                tally.total.push(total);
                sender = Some(open);
            }
            Err(_) => tally.failures += 1,
        }
    }
    tally
}

fn percentile(sorted: &[Duration], percent: usize) -> u128 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0, Duration::as_micros)
}

async fn run(plan: Plan) -> anyhow::Result<()> {
    let plan = Arc::new(plan);
    let started = Instant::now();
    let until = started + plan.duration;
    let readers: Vec<_> = (0..plan.connections)
        .map(|_| tokio::spawn(read_on(Arc::clone(&plan), until)))
        .collect();
    let mut tally = Tally::default();
    for reader in readers {
        tally.add(reader.await?);
    }
    let seconds = started.elapsed().as_secs_f64();
    tally.first_byte.sort_unstable();
    tally.total.sort_unstable();
    writeln!(
        stdout(),
        r#"{{"rate":{:.1},"first_p50":{},"first_p99":{},"total_p50":{},"total_p99":{},"failures":{}}}"#,
        tally.total.len() as f64 / seconds,
        percentile(&tally.first_byte, 50),
        percentile(&tally.first_byte, 99),
        percentile(&tally.total, 50),
        percentile(&tally.total, 99),
        tally.failures
    )?;
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let plan = Plan::parse(std::env::args().skip(1))?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(plan))
}
