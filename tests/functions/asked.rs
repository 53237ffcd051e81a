//! The API as programs ask it: through API Gateway.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use telltale_tests::{Aws, LambdaHost, lambda_events::HttpRequest};

/// Somebody who is signed in at the API's function.
pub(crate) struct Asked {
    function: LambdaHost,
    token: String,
}

/// An answer: its status, and its body.
pub(crate) type Answer = (u64, Value);

impl Asked {
    /// Imports a site with one administrator, and signs in.
    pub(crate) async fn start(aws: &Aws) -> Result<Self> {
        let (user, password) = ("root", "a long password");
        let site = json!({ "users": [{ "user": user, "passwd": password, "userGroup": "admin" }] });
        let imported = aws.function("import_site", &[]).await?.invoke(site).await?;
        ensure!(imported == Ok(json!({ "protocols": 0, "nodes": 0, "terminals": 0, "users": 1 })), "{imported:?}");
        let mut asked = Self { function: aws.function("api", &[]).await?, token: String::new() };
        let login = json!({ "user": user, "password": password }).to_string();
        let (status, session) = asked.ask("POST", "/api/auth/login", "", Some(&login)).await?;
        ensure!(status == 200, "{session}");
        session["token"].as_str().context("the session has a token")?.clone_into(&mut asked.token);
        Ok(asked)
    }

    /// Whether the log says this of the latest request, by its id.
    pub(crate) fn logged(&self, message: &str) -> bool {
        let request = self.function.request();
        self.function
            .log()
            .iter()
            .any(|line| line["message"] == message && line["span"]["request.id"] == request.as_str())
    }

    /// Forgets who it is.
    pub(crate) fn sign_out(&mut self) {
        self.token.clear();
    }

    /// Gets what is at a path.
    pub(crate) async fn get(&self, path: &str, query: &str) -> Result<Answer> {
        self.ask("GET", path, query, None).await
    }

    /// Asks for something.
    pub(crate) async fn ask(&self, method: &str, path: &str, query: &str, body: Option<&str>) -> Result<Answer> {
        let bearer = format!("Bearer {}", self.token);
        let mut headers =
            vec![("Host", "id.execute-api.us-east-1.amazonaws.com"), ("Content-Type", "application/json")];
        if !self.token.is_empty() {
            headers.push(("Authorization", &bearer));
        }
        let request = HttpRequest { method, path, query, headers: &headers, cookies: &[], body };
        let answer = self.function.invoke(request.event()).await?;
        let answer = answer.map_err(|error| anyhow::anyhow!("the API failed: {error}"))?;
        let status = answer["statusCode"].as_u64().context("an answer has a status")?;
        let body =
            answer["body"].as_str().filter(|body| !body.is_empty()).map_or(Ok(Value::Null), serde_json::from_str)?;
        Ok((status, body))
    }
}
