//! API Gateway in front of the API's function: a real HTTP server whose requests become events.

use std::sync::Arc;

use anyhow::Result;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    LambdaHost, Session,
    lambda_events::HttpRequest,
    server::{http_client, sign_in},
};

/// An HTTP API, which ends when this is dropped.
#[derive(Debug)]
pub struct ApiGateway {
    url: String,
    client: reqwest::Client,
    _server: AbortOnDropHandle<()>,
}

impl ApiGateway {
    /// Opens it in front of the function `api`.
    pub async fn start(api: LambdaHost) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = Router::new().fallback(ask).with_state(Arc::new(api));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                eprintln!("the gateway of the API ended: {error}");
            }
        });
        Ok(Self { url, client: http_client()?, _server: AbortOnDropHandle::new(server) })
    }

    /// Signs in through it.
    pub async fn sign_in(&self, user: &str, password: &str) -> Result<Session> {
        sign_in(&self.client, &self.url, user, password).await
    }
}

async fn ask(
    State(api): State<Arc<LambdaHost>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let headers: Vec<(&str, &str)> =
        headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let body = std::str::from_utf8(&body).ok().filter(|body| !body.is_empty());
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    let request = HttpRequest { method: method.as_str(), path, query, headers: &headers, cookies: &[], body };
    match api.invoke(request.event()).await {
        Ok(Ok(answer)) => {
            let status =
                answer["statusCode"].as_u64().and_then(|status| StatusCode::from_u16(status.try_into().ok()?).ok());
            let body = answer["body"].as_str().unwrap_or_default().to_owned();
            (status.unwrap_or(StatusCode::BAD_GATEWAY), [(CONTENT_TYPE, "application/json")], body).into_response()
        }
        // As API Gateway answers where its function fails.
        Ok(Err(_)) | Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
