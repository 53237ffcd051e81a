//! Runs a router on a socket until it is told to stop.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long requests that run when the shutdown begins may take to end.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Serves until `shutdown`: then takes no more connections, lets running requests end, and after [`SHUTDOWN_GRACE`]
/// returns all the same. Handlers can ask for `ConnectInfo<SocketAddr>`.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Answers are small and somebody waits for each. A socket that refuses this is slower, not wrong.
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        ended = server.into_future() => ended,
        () = grace_over(&shutdown) => {
            let grace = SHUTDOWN_GRACE.as_secs();
            tracing::warn!(grace.seconds = grace, "Requests still run at the end of the shutdown; not waited for");
            Ok(())
        }
    }
}

async fn grace_over(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(SHUTDOWN_GRACE).await;
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
        (address, shutdown.clone(), tokio::spawn(serve(listener, router, shutdown)))
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
}
