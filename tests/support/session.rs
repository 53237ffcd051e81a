//! A person's session at the API.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::PATIENCE;

const PAUSE: Duration = Duration::from_millis(100);

/// What somebody who signed in can ask.
#[derive(Debug)]
pub struct Session {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Session {
    pub(crate) fn new(client: reqwest::Client, url: String, token: String) -> Self {
        Self { client, url, token }
    }

    /// The sign-in token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Gets `path`, which must be there.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let (status, body) = self.ask(path).await?;
        ensure!(status == 200, "GET {path} answers {status}: {body}");
        Ok(body)
    }

    /// Posts to `path`, whatever it answers: the status and the JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<(u16, Value)> {
        self.send(reqwest::Method::POST, path, body).await
    }

    /// Puts to `path`, whatever it answers: the status and the JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Result<(u16, Value)> {
        self.send(reqwest::Method::PUT, path, body).await
    }

    async fn send(&self, method: reqwest::Method, path: &str, body: &Value) -> Result<(u16, Value)> {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        let response = request.json(body).send().await?;
        Ok((response.status().as_u16(), response.json().await.unwrap_or_default()))
    }

    /// Deletes `path`, whatever it answers: the status and the JSON.
    pub async fn delete(&self, path: &str) -> Result<(u16, Value)> {
        self.send(reqwest::Method::DELETE, path, &Value::Null).await
    }

    /// Gets `path`, whatever it answers: the status and the JSON.
    pub async fn ask(&self, path: &str) -> Result<(u16, Value)> {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await.unwrap_or_default()))
    }

    /// Gets `path` again and again until it shows what is wanted.
    pub async fn until<T>(&self, path: &str, wanted: &str, shown: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let end = Instant::now() + PATIENCE;
        loop {
            let (status, body) = self.ask(path).await?;
            if let Some(found) = shown(&body) {
                return Ok(found);
            }
            if Instant::now() > end {
                bail!("{path} does not show {wanted}; it answers {status}: {body}");
            }
            sleep(PAUSE).await;
        }
    }
}
