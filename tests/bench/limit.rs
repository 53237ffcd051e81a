//! The limit: a bare route that parses what gateways post, makes one put durable on the embedded engine, and answers.
//! It runs in a process of its own, as the server does, and is posted to by the same load.

use std::{process::Stdio, sync::Arc, time::Instant};

use anyhow::{Context, Result};
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post, serve::ListenerExt};
use engine_embedded::{Engine, Space};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::Command,
};

use crate::poster::{IN_FLIGHT, Poster};

/// The argument that makes this program the bare server.
pub(crate) const SERVE: &str = "serve-limit";

#[derive(Deserialize)]
struct QueryData {
    data: Told,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    mac: String,
    pid: u8,
    time_stamp: i64,
    #[serde(rename = "protocol")]
    _protocol: String,
    #[serde(rename = "Interval")]
    _interval: u64,
    #[serde(rename = "useTime")]
    _use_time: u64,
    #[serde(rename = "useBytes")]
    _use_bytes: u64,
    #[serde(rename = "time")]
    _time: Value,
    #[serde(rename = "contents")]
    _contents: Vec<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "content")]
    _content: String,
    #[serde(rename = "buffer")]
    _buffer: Buffer,
}

#[derive(Deserialize)]
struct Buffer {
    #[serde(rename = "data")]
    _data: Vec<u8>,
}

/// Serves until it is killed. Its first line says where.
pub(crate) async fn serve() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::open(folder.path())?;
    let items = engine.space("items")?;
    let router = Router::new().route("/api/node/queryData", post(take)).with_state((engine, items));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}

async fn take(State((engine, items)): State<(Engine, Space)>, body: Bytes) -> Result<&'static str, StatusCode> {
    let told = serde_json::from_slice::<QueryData>(&body).map_err(|_| StatusCode::BAD_REQUEST)?.data;
    let key = format!("{}/{}/{}", told.mac, told.pid, told.time_stamp);
    let put = engine.commit(move |batch| {
        batch.put(&items, key, body);
        Ok(())
    });
    put.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(r#"{"code":200}"#)
}

/// How many answers a second the bare route takes.
pub(crate) async fn per_second(terminals: u32, rounds: u16) -> Result<f64> {
    let program = std::env::current_exe()?;
    let mut child = Command::new(program).arg(SERVE).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("it has a stdout")?).lines();
    let address = lines.next_line().await?.context("the bare server says where it listens")?;
    let poster = Arc::new(Poster::new(&format!("http://{address}"))?);
    let began = Instant::now();
    let answers = (0..i64::from(rounds)).flat_map(|round| (0..terminals).map(move |terminal| (terminal, round)));
    let posts = answers.map(|answer| {
        let poster = Arc::clone(&poster);
        // On a task of its own, as the gateways' posts are.
        Ok(async move { tokio::spawn(async move { poster.post(0, answer, 200).await }).await? })
    });
    stream::iter(posts).boxed().try_buffer_unordered(IN_FLIGHT).try_collect::<()>().await?;
    child.kill().await?;
    Ok(f64::from(terminals) * f64::from(rounds) / began.elapsed().as_secs_f64())
}
