//! What nodes post: replies of devices, what they found out about terminals, what they know of themselves.

mod dtu_info;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod properties;
mod query_data;
mod recent;
mod refusal;

use std::sync::Arc;

use domain::NodeName;
use dtu_info::DtuInfo;
use engine_http::axum::{
    Json, Router,
    body::to_bytes,
    extract::{Path, Request, State},
    http::request::Parts,
    response::{IntoResponse, Response},
    routing::post,
};
use jobs::report::Event;
use query_data::QueryData;
pub(crate) use recent::Recent;
use records::{Table, terminals};
use refusal::Refusal;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use crate::{
    counters::Counters,
    elsewhere::Elsewhere,
    node::{Identities, Registry, address_of, credential},
    pacer::{LineEvent, PacerHandle},
    reports::{NotTaken, Reporter},
    settings::BrokerSettings,
    web::Live,
    wire::MOST_MESSAGE_BYTES,
};

/// Where nodes post to.
pub(crate) struct Uploads {
    pub identities: Arc<Identities>,
    pub registry: Arc<Registry>,
    pub elsewhere: Arc<Elsewhere>,
    pub table: Arc<dyn Table>,
    pub reporter: Reporter,
    pub pacer: PacerHandle,
    pub live: Arc<Live>,
    pub counters: Arc<Counters>,
    pub settings: Arc<BrokerSettings>,
    /// The posts that are being answered.
    pub running: TaskTracker,
    /// The answers that are durable.
    pub recent: Recent,
}

/// What `nodeInfo` carries.
#[derive(Deserialize)]
struct NodeInfo {
    node: Value,
    #[serde(default)]
    tcp: u32,
}

/// The routes. The call's name may be written in any case: one program says `dtuinfo`, another `dtuInfo`.
pub(crate) fn router(uploads: Arc<Uploads>) -> Router {
    Router::new().route("/api/node/{call}", post(answer)).with_state(uploads)
}

async fn answer(State(uploads): State<Arc<Uploads>>, Path(call): Path<String>, request: Request) -> Response {
    let _running = uploads.running.token();
    match uploads.take(&call, request).await {
        Ok(reply) => Json(reply).into_response(),
        Err(refusal) => {
            uploads.counters.posts_refused.up();
            tracing::debug!(post.name = call, %refusal, "a post was refused");
            refusal.into_response()
        }
    }
}

impl Uploads {
    async fn take(&self, call: &str, request: Request) -> Result<Value, Refusal> {
        let (parts, body) = request.into_parts();
        let node = self.node_of(&parts).await?;
        let body = to_bytes(body, MOST_MESSAGE_BYTES).await.map_err(|_| Refusal::TooLarge)?;
        match call.to_ascii_lowercase().as_str() {
            "querydata" => self.query_data(node, read(&body)?).await,
            "dtuinfo" => self.dtu_info(node, read(&body)?).await,
            "nodeinfo" => self.node_info(node, read(&body)?).await,
            _ => Err(Refusal::NoSuchCall),
        }
    }

    async fn node_of(&self, parts: &Parts) -> Result<NodeName, Refusal> {
        let address = address_of(parts, &self.settings.trusted_proxies);
        let node = self.identities.recall(&credential(None, parts, address)).await?;
        node.map(|node| node.name.clone()).ok_or(Refusal::UnknownNode)
    }

    /// Answers once the replies are durable. Whoever posts them again is told so, and they are not taken twice.
    async fn query_data(&self, node: NodeName, data: QueryData) -> Result<Value, Refusal> {
        let (mac, pid, asked) = data.identity();
        // Whatever becomes of it: the terminal is done with the query.
        if self.registry.holds(&node) {
            self.pacer.tell(LineEvent::Answered { node: node.clone(), mac: mac.clone(), asked });
        } else {
            let (elsewhere, node, mac) = (Arc::clone(&self.elsewhere), node.clone(), mac.clone());
            self.running.spawn(async move { elsewhere.answered(node, mac, asked).await });
        }
        let done = json!({ "code": 200 });
        let Some(mut answer) = data.into_answer() else { return Ok(done) };
        self.live.answered(&answer);
        let (durable, overtaken) = self.recent.of((node.clone(), mac, pid, asked), self.live.clock.now());
        answer.overtaken = overtaken;
        if durable.initialized() {
            self.counters.results_repeated.up();
            return Ok(done);
        }
        let reporter = self.reporter.clone();
        // Goes on without the client: one that went away posts again, and is told how this ended.
        let submitted = self.running.spawn(async move {
            let submit = async || reporter.submit(node, Event::Answered(answer)).await;
            durable.get_or_try_init(submit).await.copied()
        });
        submitted.await.unwrap_or(Err(NotTaken::Away))?;
        self.counters.results.up();
        Ok(done)
    }

    async fn dtu_info(&self, node: NodeName, info: DtuInfo) -> Result<Value, Refusal> {
        if terminals::get(self.table.as_ref(), info.mac()).await?.is_none() {
            tracing::debug!(node.name = node, terminal.mac = %info.mac(), "a node tells of a terminal that is not registered");
            return Ok(json!({ "code": 0, "msg": "no terminal" }));
        }
        self.reporter.submit(node, Event::Terminal(info.into_terminal_info())).await?;
        Ok(json!({ "code": 200, "msg": "success" }))
    }

    async fn node_info(&self, node: NodeName, info: NodeInfo) -> Result<Value, Refusal> {
        self.reporter.submit(node, Event::NodeInfo { info: info.node, connections: info.tcp }).await?;
        Ok(json!({ "code": 200, "data": null }))
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(Refusal::Malformed)
}
