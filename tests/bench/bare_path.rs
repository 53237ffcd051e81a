//! The limit of the whole path: a bare server under the same load. It asks gateways by a socket, parses what they post, makes one
//! put durable on the embedded engine, answers, and shows whoever subscribed to it. It proves nothing, reads no values, watches no
//! limits, tells nobody, and whatever was under way when it ends is lost.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use boot::SystemClock;
use engine_embedded::{Engine, Space};
use records::Clock;
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
    handler::ConnectHandler,
};
use tokio::time::{Instant, interval_at};

use crate::{
    apart::{self, Apart},
    path::{self, Run},
    posted::QueryData,
    sensor::{PID, Sensor},
    site::Scale,
};

/// The argument that makes this program the bare server. How often it asks each terminal follows, in milliseconds; 0 asks it again
/// when it has answered.
pub(crate) const SERVE: &str = "serve-bare-path";

/// What a server knows.
#[derive(Clone)]
struct Bare {
    io: SocketIo,
    items: (Engine, Space),
    /// The socket that a terminal's gateway has.
    gateways: Arc<Mutex<HashMap<String, SocketRef>>>,
    /// What every terminal is asked; its mac and the instant are not in it.
    query: Arc<Value>,
    pace: Pace,
}

/// When a terminal is asked next.
#[derive(Clone, Copy)]
enum Pace {
    OnceItAnswered,
    Every(Duration),
}

/// Starts a server that asks each terminal every `interval_ms`, or again when it has answered, where that is 0.
pub(crate) async fn start(interval_ms: u32) -> Result<Apart> {
    Apart::start(&[SERVE, &interval_ms.to_string()]).await
}

/// As fast as it goes.
pub(crate) async fn closed_loop(terminals: u32, rounds: u16) -> Result<Run> {
    let server = start(0).await?;
    let scale = Scale { gateways: 16, terminals };
    path::drive((&server.url, ""), &[("bare", server.pid()?)], scale, rounds).await?.end()
}

/// Serves until it is killed. Its first line says where.
pub(crate) async fn serve(interval_ms: &str) -> Result<()> {
    let pace = match interval_ms.parse().context("the interval is a number of milliseconds")? {
        0 => Pace::OnceItAnswered,
        interval => Pace::Every(Duration::from_millis(interval)),
    };
    let folder = tempfile::tempdir()?;
    let engine = Engine::open(folder.path())?;
    let items = engine.space("items")?;
    let (sockets, io) = SocketIo::builder().req_path("/client").build_svc();
    let query = Arc::new(Sensor::new()?.query());
    let bare = Bare { io: io.clone(), items: (engine, items), gateways: Arc::default(), query, pace };
    // Before it is let in: what a client says before it is listened to is lost.
    let of_browsers = async |socket: SocketRef| {
        socket.on("subscribe", async |socket: SocketRef, Data(wanted): Data<Value>| {
            socket.join(wanted["event"].as_str().unwrap_or_default().to_owned());
        });
        welcomes(&socket);
        Ok::<(), Infallible>(())
    };
    let known = bare.clone();
    let of_nodes = async move |socket: SocketRef| {
        let known = known.clone();
        socket
            .on("terminalOn", async move |socket: SocketRef, Data(macs): Data<Vec<String>>| known.asks(&socket, macs));
        welcomes(&socket);
        Ok::<(), Infallible>(())
    };
    let let_in = async |socket: SocketRef| drop(socket.emit("accont", ""));
    io.ns("/web", let_in.with(of_browsers));
    io.ns("/node", let_in.with(of_nodes));
    let router = Router::new().route("/api/node/queryData", post(take)).with_state(bare);
    apart::serve(router.route_service("/client/", sockets)).await
}

fn welcomes(socket: &SocketRef) {
    socket.on("register", async |socket: SocketRef| drop(socket.emit("registerSuccess", "hello")));
}

async fn take(State(bare): State<Bare>, body: Bytes) -> Result<&'static str, StatusCode> {
    let told = serde_json::from_slice::<QueryData>(&body).map_err(|_| StatusCode::BAD_REQUEST)?.data;
    let key = format!("{}/{}/{}", told.mac, told.pid, told.time_stamp);
    let (engine, items) = bare.items.clone();
    let put = engine.commit(move |batch| {
        batch.put(&items, key, body);
        Ok(())
    });
    put.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    if matches!(bare.pace, Pace::OnceItAnswered) {
        bare.ask(&told.mac, told.time_stamp);
    }
    bare.show(&told.mac, told.time_stamp).await;
    Ok(r#"{"code":200}"#)
}

impl Bare {
    /// Asks the terminals of a gateway that are there, from now on.
    fn asks(&self, socket: &SocketRef, macs: Vec<String>) {
        let count = u32::try_from(macs.len()).unwrap_or(u32::MAX).max(1);
        for (number, mac) in (0..).zip(macs) {
            self.gateways.lock().unwrap_or_else(PoisonError::into_inner).insert(mac.clone(), socket.clone());
            match self.pace {
                Pace::OnceItAnswered => self.ask(&mac, 0),
                Pace::Every(period) => {
                    let mut turns = interval_at(Instant::now() + period * number / count, period);
                    let bare = self.clone();
                    tokio::spawn(async move {
                        loop {
                            turns.tick().await;
                            bare.ask(&mac, 0);
                        }
                    });
                }
            }
        }
    }

    /// Asks a terminal that was asked at `before` last: each question has an instant of its own.
    fn ask(&self, mac: &str, before: i64) {
        let mut query = Value::clone(&self.query);
        query["mac"] = json!(mac);
        query["timeStamp"] = json!(SystemClock.now().0.max(before + 1));
        let gateways = self.gateways.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gateway) = gateways.get(mac) {
            drop(gateway.emit("query", &query));
        }
    }

    async fn show(&self, mac: &str, asked: i64) {
        let event = format!("{mac}{PID}");
        if let Some(web) = self.io.of("/web") {
            drop(web.to(event.clone()).emit(event, &json!({ "mac": mac, "pid": PID, "asked": asked })).await);
        }
    }
}
