//! Sessions that begin by polling and are on their way to a websocket: gateway programs connect so.

use std::time::Duration;

use futures::{SinkExt, StreamExt, stream};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    task::yield_now,
    time::{Instant, timeout_at},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::site::{Site, TOKEN};
use crate::fakes::eventually;

const SOON: Duration = Duration::from_secs(3);

/// A session whose websocket has been probed, and is not yet what it speaks over.
struct Probed<'a> {
    site: &'a Site,
    polling: String,
    websocket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl<'a> Probed<'a> {
    async fn open(site: &'a Site) -> Self {
        let (_, opened) = site.http("GET", "/client/?EIO=4&transport=polling", "", "").await;
        let opened: Value = serde_json::from_str(&opened[1..]).unwrap();
        let session = opened["sid"].as_str().unwrap();
        let url = format!("ws://{}/client/?EIO=4&transport=websocket&sid={session}", site.address);
        let (mut websocket, _) = connect_async(url).await.unwrap();
        websocket.send(Message::text("2probe")).await.unwrap();
        assert_eq!(websocket.next().await.unwrap().unwrap(), Message::text("3probe"));
        Self { site, polling: format!("/client/?EIO=4&transport=polling&sid={session}"), websocket }
    }

    /// Opens the namespace, as who has this token.
    async fn join(&self, token: &str) {
        let packet = format!(r#"40/node,{{"token":"{token}"}}"#);
        self.site.http("POST", &self.polling, "content-type: text/plain\r\n", &packet).await;
    }
}

/// What became of who came with a token that nobody has, and went over to its websocket so many turns of the scheduler later.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Cut,
    /// It is connected, and nobody serves it.
    Stays,
    /// It went over before it was heard, which no real client does.
    Unheard,
}

async fn goes_over_after(turns: usize, site: &Site) -> End {
    let mut probed = Probed::open(site).await;
    let (mut sink, mut stream) = (&mut probed.websocket).split();
    let packet = r#"40/node,{"token":"wrong"}"#;
    let joins = site.http("POST", &probed.polling, "content-type: text/plain\r\n", packet);
    let goes_over = async {
        for _ in 0..turns {
            yield_now().await;
        }
        // It may be cut by now.
        let _ = sink.send(Message::text("5")).await;
    };
    let ((status, _), ()) = tokio::join!(joins, goes_over);
    if status != 200 {
        return End::Unheard;
    }
    let end = Instant::now() + SOON;
    loop {
        match timeout_at(end, stream.next()).await {
            Ok(Some(Ok(_))) => {}
            Ok(None | Some(Err(_))) => return End::Cut,
            Err(_) => return End::Stays,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_turned_away_in_the_middle_of_an_upgrade_is_cut_all_the_same() {
    let site = Site::start().await;
    let site = &site;
    let attempts = stream::iter(0..600).map(|attempt| goes_over_after(attempt, site));
    let ends: Vec<End> = attempts.buffer_unordered(30).collect().await;
    let count = |end| ends.iter().filter(|it| **it == end).count();
    let (cut, stays) = (count(End::Cut), count(End::Stays));
    assert!(cut > 0 && stays == 0, "{cut} of 600 were cut, and {stays} stay and are served by nobody");
}

#[tokio::test]
async fn a_websocket_that_breaks_in_the_middle_of_an_upgrade_leaves_no_session_behind() {
    let site = Site::start().await;
    let probed = Probed::open(&site).await;
    probed.join(TOKEN).await;
    eventually("it is there", || (site.counters.node_connections.get() == 1).then_some(())).await;
    drop(probed.websocket);
    eventually("it is gone", || (site.counters.node_connections.get() == 0).then_some(())).await;
}

#[tokio::test]
async fn who_is_turned_away_behind_a_proxy_that_asks_for_upgrades_is_cut_too() {
    let site = Site::start().await;
    let upgrade = "upgrade: h2c\r\n";
    let (_, opened) = site.http("GET", "/client/?EIO=4&transport=polling", upgrade, "").await;
    let opened: Value = serde_json::from_str(&opened[1..]).unwrap();
    let session = format!("/client/?EIO=4&transport=polling&sid={}", opened["sid"].as_str().unwrap());
    let headers = format!("{upgrade}content-type: text/plain\r\n");
    site.http("POST", &session, &headers, r#"40/node,{"token":"wrong"}"#).await;
    // What waits for it may be given out first; a session that lives would let the last of these wait.
    for _ in 0..10 {
        if site.http("GET", &session, upgrade, "").await.0 == 400 {
            return;
        }
    }
    panic!("the session lives on");
}
