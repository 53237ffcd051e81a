use std::collections::HashMap;
use std::io;
use std::sync::Mutex;
use std::time::Instant;

use async_trait::async_trait;

use super::*;
use crate::receiver::{Receiver, Then};

/// Knows some hosts, and keeps who was asked for.
#[derive(Default)]
struct Hosts {
    known: HashMap<&'static str, Vec<IpAddr>>,
    asked: Mutex<Vec<String>>,
}

impl Hosts {
    fn that_know(hosts: &[(&'static str, &[&str])]) -> Arc<Self> {
        let parse = |addresses: &[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect();
        let known = hosts.iter().map(|(host, addresses)| (*host, parse(addresses))).collect();
        Arc::new(Self { known, ..Self::default() })
    }
}

#[async_trait]
impl Resolver for Hosts {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        self.known.get(host).cloned().ok_or_else(|| io::Error::other("no such host"))
    }
}

fn client(allowed: &[&str], resolver: &Arc<Hosts>) -> GuardedClient {
    let allowed = allowed.iter().map(|net| net.parse().unwrap()).collect();
    GuardedClient::new(allowed, Arc::<Hosts>::clone(resolver)).unwrap()
}

async fn post(client: &GuardedClient, url: &str) -> Result<Answer, GuardError> {
    client.post(url, HeaderMap::new(), "{}".to_owned()).await
}

#[tokio::test]
async fn every_spelling_of_an_internal_address_is_refused_without_a_lookup() {
    let hosts = Hosts::that_know(&[]);
    let client = client(&[], &hosts);
    for url in [
        "http://127.0.0.1/",
        "https://127.0.0.1:8443/hook",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://%31%32%37.0.0.1/",
        "http:\\\\127.0.0.1/",
        "http:127.0.0.1/",
        "HTTP://127.0.0.1/",
        " http://127.0.0.1/ ",
        "http://example.com@127.0.0.1/",
        "http://example.com:80@127.0.0.1:80/",
        "http://127.0.0.1#@example.com/",
        "http://127.0.0.1\\@example.com/",
        "http://0/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:169.254.169.254]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::a00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
    ] {
        let error = post(&client, url).await.unwrap_err();
        assert!(matches!(error, GuardError::Internal { .. }), "{url}: {error:?}");
    }
    assert!(hosts.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_http_url_is_refused() {
    let client = client(&["0.0.0.0/0", "::/0"], &Hosts::that_know(&[]));
    for url in [
        "",
        "example.com",
        "/hook",
        "//127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "unix:/run/docker.sock",
        "data:,x",
        "javascript:alert(1)",
        "http://",
        "http:///",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://1.2.3.4.5/",
        "http://256.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://a b/",
    ] {
        assert_eq!(post(&client, url).await.unwrap_err(), GuardError::Url, "{url}");
    }
}

#[tokio::test]
async fn a_host_with_any_internal_address_is_refused_and_the_address_is_not_told() {
    let hosts = Hosts::that_know(&[
        ("localhost", &["127.0.0.1", "::1"]),
        ("inside.example", &["10.1.2.3"]),
        ("mixed.example", &["93.184.215.14", "169.254.169.254"]),
        ("mapped.example", &["::ffff:192.168.0.1"]),
    ]);
    let client = client(&[], &hosts);
    for host in ["localhost", "inside.example", "mixed.example", "mapped.example"] {
        let error = post(&client, &format!("http://{host}:9/")).await.unwrap_err();
        assert_eq!(error, GuardError::Internal { host: host.to_owned() });
        assert!(!error.to_string().contains("10.1.2.3"), "{error}");
    }
}

#[tokio::test]
async fn a_host_is_looked_up_once_and_called_at_the_address_that_was_checked() {
    let receiver = Receiver::answering("200 OK", "").await;
    let hosts = Hosts::that_know(&[("hooks.example", &["127.0.0.1"])]);

    let answer = post(&client(&["127.0.0.0/8"], &hosts), &format!("http://hooks.example:{}/in", receiver.port)).await;

    assert_eq!(answer.unwrap().status, StatusCode::OK);
    assert_eq!(*hosts.asked.lock().unwrap(), ["hooks.example"]);
    let request = receiver.requests().concat();
    assert!(request.starts_with("POST /in HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: hooks.example:{}\r\n", receiver.port)), "{request}");
    assert!(request.contains(&format!("user-agent: Telltale/{}\r\n", env!("CARGO_PKG_VERSION"))), "{request}");
}

#[tokio::test]
async fn every_call_is_looked_up_and_checked_anew() {
    let receiver = Receiver::answering("200 OK", "").await;
    let hosts = Hosts::that_know(&[("hooks.example", &["127.0.0.1"])]);
    let client = client(&["127.0.0.0/8"], &hosts);
    for _ in 0..2 {
        post(&client, &format!("http://hooks.example:{}/", receiver.port)).await.unwrap();
    }
    assert_eq!(hosts.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let inside = Receiver::answering("200 OK", "").await;
    let location = format!("location: {}\r\n", inside.url());
    let receiver = Receiver::answering("307 Temporary Redirect", &location).await;

    let answer = post(&client(&["127.0.0.1/32"], &Hosts::that_know(&[])), &receiver.url()).await;

    assert_eq!(answer.unwrap().status, StatusCode::TEMPORARY_REDIRECT);
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn only_the_first_64_kib_of_a_body_are_read() {
    let mut response = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".to_vec();
    response.resize(response.len() + 1_000_000, b'x');
    let receiver = Receiver::that(Then::Answer(response)).await;

    let answer = post(&client(&["127.0.0.1/32"], &Hosts::that_know(&[])), &receiver.url()).await;

    assert_eq!(answer.unwrap().body.len(), 64 * 1024);
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_a_transport_error_without_the_urls_password() {
    let gone = Receiver::that(Then::HangUp).await;
    let client = client(&["127.0.0.1/32"], &Hosts::that_know(&[("empty.example", &[])]));
    for host in [format!("127.0.0.1:{}", gone.port), "unknown.example".to_owned(), "empty.example".to_owned()] {
        let error = post(&client, &format!("http://user:hunter2@{host}/?token=hunter2")).await.unwrap_err();
        assert!(matches!(error, GuardError::Transport(_)), "{host}: {error:?}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn https_is_never_spoken_in_the_clear() {
    let receiver = Receiver::answering("200 OK", "").await;
    let url = receiver.url().replace("http:", "https:");

    let error = post(&client(&["127.0.0.1/32"], &Hosts::that_know(&[])), &url).await;

    assert!(matches!(error, Err(GuardError::Transport(_))), "{error:?}");
    assert!(!receiver.requests().concat().contains("POST"));
}

#[tokio::test]
async fn a_receiver_that_stalls_is_left_after_five_seconds() {
    let silent = Receiver::that(Then::Stall("")).await;
    let begun = Receiver::that(Then::Stall("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")).await;
    let client = client(&["127.0.0.1/32"], &Hosts::that_know(&[]));
    let (silent, begun) = (silent.url(), begun.url());
    let started = Instant::now();

    let (silent, begun) = tokio::join!(post(&client, &silent), post(&client, &begun));

    assert!(matches!(silent.unwrap_err(), GuardError::Transport(_)));
    assert_eq!(begun.unwrap().body, b"half");
    assert!((4..9).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}
