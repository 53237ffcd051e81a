//! A bare room: a socketioxide server in a process of its own that shows everybody in the room the same reading for each post,
//! and does nothing else.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use socketioxide::{SocketIo, extract::SocketRef};

use crate::{apart, posted::QueryData};

/// The argument that makes this program the bare room. What it shows follows.
pub(crate) const SERVE: &str = "serve-room";

const NAMESPACE: &str = "/web";
const ROOM: &str = "all";

/// What is in the room.
#[derive(Clone)]
struct Room {
    io: SocketIo,
    shown: Arc<Value>,
}

/// Serves until it is killed. Its first line says where.
pub(crate) async fn serve(shown: &str) -> Result<()> {
    let (sockets, io) = SocketIo::builder().req_path("/client").build_svc();
    // What a client says before it is let in is lost, so nobody has to say anything.
    io.ns(NAMESPACE, async |socket: SocketRef| {
        socket.join(ROOM);
        drop(socket.emit("registerSuccess", "hello"));
    });
    let shown = serde_json::from_str(shown).context("what is shown is JSON")?;
    let room = Room { io, shown: Arc::new(shown) };
    let router = Router::new().route("/api/node/queryData", post(show)).with_state(room);
    apart::serve(router.route_service("/client/", sockets)).await
}

async fn show(State(room): State<Room>, body: Bytes) -> Result<&'static str, StatusCode> {
    let told = serde_json::from_slice::<QueryData>(&body).map_err(|_| StatusCode::BAD_REQUEST)?.data;
    let mut shown = Value::clone(&room.shown);
    shown["asked"] = json!(told.time_stamp);
    let event = format!("{}{}", told.mac, told.pid);
    let room = room.io.of(NAMESPACE).ok_or(StatusCode::NOT_FOUND)?.within(ROOM);
    // Nobody may be there.
    drop(room.emit(event, &shown).await);
    Ok(r#"{"code":200}"#)
}
