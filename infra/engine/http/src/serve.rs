//! Runs a router on a socket until it is told to stop.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::{Problem, counted::Counted};

/// How long requests that run when the shutdown begins may take to end.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// How long a client may take for the head of a request, and a connection be idle between two.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// How long a request may take, its body included. Longer than a long poll.
const REQUEST_WITHIN: Duration = Duration::from_mins(1);

/// How long to wait before another connection is taken when taking one failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`: then takes no more connections, lets running requests end, and after [`SHUTDOWN_GRACE`]
/// returns all the same. Handlers can ask for `ConnectInfo<SocketAddr>`.
///
/// `most_connections` are open at a time, websockets among them; others wait until one ends. Who says nothing is not
/// among them for long.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    most_connections: usize,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let router = router.layer(middleware::from_fn(in_time));
    let places = Arc::new(Semaphore::new(most_connections.clamp(1, Semaphore::MAX_PERMITS)));
    let connections = TaskTracker::new();
    while let Some((stream, peer, place)) = shutdown.run_until_cancelled(next(&listener, &places)).await {
        connections.spawn(connection(Counted::new(stream, place), peer, router.clone(), shutdown.clone()));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(SHUTDOWN_GRACE, connections.wait()).await.is_err() {
        let grace = SHUTDOWN_GRACE.as_secs();
        tracing::warn!(grace.seconds = grace, "Requests still run at the end of the shutdown; not waited for");
    }
    Ok(())
}

/// The next connection, once there is a place for it.
async fn next(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else { return std::future::pending().await };
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(stream: Counted<TcpStream>, peer: SocketAddr, router: Router, shutdown: CancellationToken) {
    // Answers are small and somebody waits for each. A socket that refuses this is slower, not wrong.
    let _ = stream.get_ref().set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move {
            let mut request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.oneshot(request).await
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(client.address = %peer, %error, "a connection ended badly");
    }
}

/// A request that does not end in time gives up its connection.
async fn in_time(request: Request, next: Next) -> Result<Response, Infallible> {
    Ok(match tokio::time::timeout(REQUEST_WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::request_timeout("The request was not whole, or not done, within a minute.").into_response(),
    })
}

#[cfg(test)]
mod tests {
    use axum::{extract::ConnectInfo, routing::get};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        sync::Notify,
        task::JoinHandle,
        time::timeout,
    };

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    async fn start(router: Router) -> (SocketAddr, CancellationToken, JoinHandle<io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        (address, shutdown.clone(), tokio::spawn(serve(listener, router, 4, shutdown)))
    }

    async fn ask(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        stream
    }

    async fn answer(mut stream: TcpStream) -> String {
        let mut text = String::new();
        timeout(SOON, stream.read_to_string(&mut text)).await.expect("the connection ends soon").unwrap();
        text
    }

    #[tokio::test]
    async fn a_request_that_runs_at_shutdown_is_answered_and_the_server_ends() {
        let (entered, leave) = (std::sync::Arc::new(Notify::new()), std::sync::Arc::new(Notify::new()));
        let (enter, left) = (entered.clone(), leave.clone());
        let handler = move |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move {
            enter.notify_one();
            left.notified().await;
            format!("seen from {}", peer.ip())
        };
        let (address, shutdown, server) = start(Router::new().route("/", get(handler))).await;
        let request = ask(address).await;
        entered.notified().await;
        shutdown.cancel();
        leave.notify_one();
        assert!(answer(request).await.ends_with("seen from 127.0.0.1"));
        timeout(SOON, server).await.expect("the server ends soon").unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_never_ends_does_not_hold_the_shutdown_up_for_ever() {
        let entered = std::sync::Arc::new(Notify::new());
        let enter = entered.clone();
        let handler = move || async move {
            enter.notify_one();
            std::future::pending::<()>().await;
        };
        let (address, shutdown, server) = start(Router::new().route("/", get(handler))).await;
        let _request = ask(address).await;
        entered.notified().await;
        shutdown.cancel();
        let begun = tokio::time::Instant::now();
        server.await.unwrap().unwrap();
        assert_eq!(begun.elapsed().as_secs(), SHUTDOWN_GRACE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_makes_room_for_others() {
        let (address, _shutdown, _server) = start(Router::new().route("/", get(async || "hello"))).await;
        let mut silent = Vec::new();
        for _ in 0..4 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let begun = tokio::time::Instant::now();
        let mut late = ask(address).await;
        let mut answer = [0; 12];
        late.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        assert!(begun.elapsed() >= HEAD_WITHIN, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_whose_body_does_not_come_is_given_up() {
        let router = Router::new().route("/", axum::routing::post(async |body: axum::body::Bytes| body));
        let (address, _shutdown, _server) = start(router).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
}
