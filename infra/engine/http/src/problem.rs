//! Errors as RFC 9457 has them.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An error as clients see it (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// What is wrong, for programs: kebab-case, never changes.
    #[schema(example = "not-found")]
    code: &'static str,
    /// What is wrong and what to do about it, for people.
    detail: String,
    /// Everything that is wrong, each with its place, where there may be more than one thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl Problem {
    /// A problem with this status; `code` is kebab-case and stays the same for ever.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// 400: the request is wrong and stays wrong.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 400 for a body with these faults, each told with its place in it.
    pub fn faults(code: &'static str, detail: impl Into<String>, errors: Vec<String>) -> Self {
        Self { errors, ..Self::bad_request(code, detail) }
    }

    /// 409: it cannot be done as things stand; `detail` says what has to change first.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 401: who asks is not known.
    pub fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    /// 403: who asks is known and may not.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404, `not-found`: it is not there, or not for the one who asks.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// 429: too often; `after` says when to come again.
    pub fn too_many(code: &'static str, detail: impl Into<String>, after: Duration) -> Self {
        Self { retry_after: Some(after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail) }
    }

    /// 408, `too-slow`: the request did not come, or was not done, in time.
    pub fn request_timeout(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail)
    }

    /// 503: the same request may work later.
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
    }

    /// 500, `internal`: our fault. The cause belongs in the log, not here.
    pub fn internal() -> Self {
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What the status says by itself.
    fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("not-found", "There is nothing at this address."),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("method-not-allowed", "This address does not take this method; the Allow header names those it takes.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("body-too-large", "The body is larger than this address takes."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("not-json", "Send the body as JSON, with the header Content-Type: application/json.")
            }
            status if status.is_server_error() => {
                ("internal", "The server failed at this. Try again; if it stays so, tell the operator.")
            }
            _ => ("bad-request", "The request cannot be understood."),
        };
        Self::new(status, code, detail)
    }

    /// The problem behind an extractor's refusal: its status, and its own words where they help the caller.
    pub(crate) fn of_rejection(status: StatusCode, code: &'static str, said: String) -> Self {
        if status == StatusCode::BAD_REQUEST || status == StatusCode::UNPROCESSABLE_ENTITY {
            Self::bad_request(code, said)
        } else {
            Self::of_status(status)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, CONTENT_TYPE)]);
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        (status, headers, Json(self)).into_response()
    }
}

/// For a router's `map_response` layer: an error that is no problem yet (an unknown route, a method that is not taken,
/// a file that is not there) becomes one, its other headers kept.
pub async fn errors_as_problems(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.headers().get(header::CONTENT_TYPE) == Some(&CONTENT_TYPE) {
        return response;
    }
    let mut headers = response.headers().clone();
    for about_body in
        [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::TRANSFER_ENCODING]
    {
        headers.remove(about_body);
    }
    let mut problem = Problem::of_status(status).into_response();
    headers.extend(std::mem::take(problem.headers_mut()));
    *problem.headers_mut() = headers;
    problem
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn body_of(response: Response) -> serde_json::Value {
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn a_problem_says_what_rfc_9457_asks_for() {
        let response = Problem::not_found("There is no such terminal.").into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let expected = serde_json::json!({
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "code": "not-found",
            "detail": "There is no such terminal.",
        });
        assert_eq!(body_of(response).await, expected);
    }

    #[test]
    fn one_who_is_too_quick_is_told_when_to_come_again() {
        let response = Problem::too_many("locked", "Wait.", Duration::from_millis(1500)).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }

    #[tokio::test]
    async fn a_plain_error_becomes_a_problem_and_keeps_its_headers() {
        let plain = (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")], "no").into_response();
        let response = errors_as_problems(plain).await;
        assert_eq!(response.headers()[header::ALLOW], "GET");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(body_of(response).await["code"], "method-not-allowed");
    }

    #[tokio::test]
    async fn a_problem_and_a_success_pass_unchanged() {
        let problem = errors_as_problems(Problem::bad_request("odd", "Odd.").into_response()).await;
        assert_eq!(body_of(problem).await["code"], "odd");
        let fine = errors_as_problems("fine".into_response()).await;
        assert_eq!(fine.status(), StatusCode::OK);
    }
}
