//! The limit: a bare route that parses what gateways post, makes one put durable on the embedded engine, and answers.
//! It runs in a process of its own, as the server does, and is posted to by the same load.

use std::{sync::Arc, time::Instant};

use anyhow::Result;
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use engine_embedded::{Engine, Space};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    apart::{self, Apart},
    posted::QueryData,
    poster::{IN_FLIGHT, Poster},
};

/// The argument that makes this program the bare server.
pub(crate) const SERVE: &str = "serve-limit";

/// Serves until it is killed. Its first line says where.
pub(crate) async fn serve() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::open(folder.path())?;
    let items = engine.space("items")?;
    apart::serve(Router::new().route("/api/node/queryData", post(take)).with_state((engine, items))).await
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
    let server = Apart::start(&[SERVE]).await?;
    let poster = Arc::new(Poster::new(&server.url)?);
    let began = Instant::now();
    let answers = (0..i64::from(rounds)).flat_map(|round| (0..terminals).map(move |terminal| (terminal, round)));
    let posts = answers.map(|answer| {
        let poster = Arc::clone(&poster);
        // On a task of its own, as the gateways' posts are.
        Ok(async move { tokio::spawn(async move { poster.post(0, answer, 200).await }).await? })
    });
    stream::iter(posts).boxed().try_buffer_unordered(IN_FLIGHT).try_collect::<()>().await?;
    Ok(f64::from(terminals) * f64::from(rounds) / began.elapsed().as_secs_f64())
}
