//! The least that a proxy on hyper does: passes requests and answers on as they come, and looks at nothing.
//!
//! It shows what the HTTP library and the kernel cost, so that what is left of a gateway's cost is its own. One thread for
//! each core does everything for its connections. Prints its address, then serves until it is ended. Usage:
//! `bench-proxy UPSTREAM_HOST:PORT`.

use std::io::{Write as _, stdout};
use std::net::SocketAddr;
use std::thread;

use anyhow::Context as _;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use tokio::task::LocalSet;

type Upstream = Client<HttpConnector, Incoming>;

fn main() -> anyhow::Result<()> {
    let upstream = std::env::args().nth(1).context("UPSTREAM_HOST:PORT is missing")?;
    let first = listener("127.0.0.1:0".parse()?)?;
    let address = first.local_addr()?;
    let workers = thread::available_parallelism().map_or(2, usize::from);
    // Listeners of one port share its connections.
    let mut listeners = vec![first];
    for _ in 1..workers {
        listeners.push(listener(address)?);
    }
    let threads: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            let upstream = upstream.clone();
            thread::spawn(move || work(listener, &upstream))
        })
        .collect();
    writeln!(stdout(), "{address}")?;
    stdout().flush()?;
    for thread in threads {
        thread.join().ok().context("a worker panicked")??;
    }
    Ok(())
}

fn listener(address: SocketAddr) -> anyhow::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

fn work(listener: std::net::TcpListener, upstream: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::from_std(listener)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: Upstream = Client::builder(TokioExecutor::new()).build(connector);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (client, upstream) = (client.clone(), upstream.to_owned());
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| pass(&client, &upstream, request));
                // A client that goes is no news.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}

async fn pass(client: &Upstream, upstream: &str, mut request: Request<Incoming>) -> anyhow::Result<Response<Incoming>> {
    let path = request.uri().path_and_query().context("a path")?.clone();
    *request.uri_mut() = Uri::builder()
        .scheme("http")
        .authority(upstream)
        .path_and_query(path)
        .build()?;
    request.headers_mut().remove(HOST);
    let mut answer = client.request(request).await?;
    if answer.status() == StatusCode::OK {
        answer.headers_mut().remove(CONNECTION);
    }
    Ok(answer)
}
