//! A webhook receiver for tests: a real listener on loopback that keeps each request and answers as told.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with a request once it has read it.
#[derive(Clone)]
pub(crate) enum Then {
    /// Writes this whole response and waits for the next request.
    Answer(Vec<u8>),
    /// Hangs up without a word.
    HangUp,
    /// Writes this and then nothing, without end.
    Stall(&'static str),
}

pub(crate) struct Receiver {
    pub(crate) port: u16,
    requests: Requests,
}

type Requests = Arc<Mutex<Vec<String>>>;

impl Receiver {
    pub(crate) async fn that(then: Then) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Requests::default();
        let kept = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, then.clone(), Arc::clone(&kept)));
            }
        });
        Self { port, requests }
    }

    /// Answers with this status line and these headers (each ended by CRLF), and an empty body.
    pub(crate) async fn answering(status: &str, headers: &str) -> Self {
        let response = format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\n\r\n");
        Self::that(Then::Answer(response.into_bytes())).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Every request so far, head and body as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// The caller may hang up at any time; then there is nothing left to do.
async fn serve(mut stream: TcpStream, then: Then, kept: Requests) -> io::Result<()> {
    while let Some(request) = next_request(&mut stream).await? {
        kept.lock().unwrap().push(request);
        match &then {
            Then::Answer(response) => stream.write_all(response).await?,
            Then::HangUp => break,
            Then::Stall(beginning) => {
                stream.write_all(beginning.as_bytes()).await?;
                std::future::pending::<()>().await;
            }
        }
    }
    Ok(())
}

/// Reads until the body is as long as the head says. None when the caller hangs up first.
async fn next_request(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(None);
        }
        request.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let parts = request.split_once("\r\n\r\n");
        if parts.is_some_and(|(head, body)| body.len() >= content_length(head)) {
            return Ok(Some(request));
        }
    }
}

fn content_length(head: &str) -> usize {
    let value = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    value.map_or(0, |value| value.parse().unwrap())
}
