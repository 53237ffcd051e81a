//! axum's extractors, refusing with a [`Problem`].

use std::{fmt, marker::PhantomData};

use axum::{
    body::HttpBody,
    extract::{self, FromRequest, FromRequestParts, OptionalFromRequest, Request, rejection},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::Problem;

/// A JSON body, in or out. As an `Option`, none when the request has no `Content-Type`, or nothing in its body.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// The parameters of the query string.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

/// The parameters of the path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = <axum::Json<Object<T>> as FromRequest<S>>::from_request(request, state).await;
        body.map(|axum::Json(Object(body))| Self(body)).map_err(bad_body)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if request.body().is_end_stream() {
            return Ok(None);
        }
        let body = <axum::Json<Object<T>> as OptionalFromRequest<S>>::from_request(request, state).await;
        body.map(|body| body.map(|axum::Json(Object(body))| Self(body))).map_err(bad_body)
    }
}

/// What a body has to be. Serde would take an array for a structure too, field by field: `[]` for one whose fields have defaults.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn bad_body(refusal: rejection::JsonRejection) -> Problem {
    Problem::of_rejection(refusal.status(), "bad-body", refusal.body_text())
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match extract::Query::from_request_parts(parts, state).await {
            Ok(extract::Query(query)) => Ok(Self(query)),
            Err(refusal) => Err(Problem::of_rejection(refusal.status(), "bad-query", refusal.body_text())),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(path)) => Ok(Self(path)),
            Err(refusal) => Err(Problem::of_rejection(refusal.status(), "bad-path", refusal.body_text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Body {
        number: u8,
    }

    async fn refusal(request: axum::http::request::Builder, body: &'static str) -> StatusCode {
        let request = request.body(axum::body::Body::from(body)).unwrap();
        let refused = <Json<Body> as FromRequest<()>>::from_request(request, &()).await.unwrap_err();
        refused.into_response().status()
    }

    #[tokio::test]
    async fn a_body_is_an_object() {
        let request = Request::builder().header("content-type", "application/json");
        let request = request.body(axum::body::Body::from(r#"{"number": 7}"#)).unwrap();
        let Json(body) = <Json<Body> as FromRequest<()>>::from_request(request, &()).await.unwrap();
        assert_eq!(body.number, 7);
    }

    #[tokio::test]
    async fn a_body_that_is_not_what_was_asked_for_is_a_bad_request() {
        let json = || Request::builder().header("content-type", "application/json");
        assert_eq!(refusal(json(), "{").await, StatusCode::BAD_REQUEST);
        for body in ["\"a text\"", "[]", "[7]", "7", "null", "{\"number\": [7]}"] {
            assert_eq!(refusal(json(), body).await, StatusCode::BAD_REQUEST, "{body}");
        }
        assert_eq!(refusal(Request::builder(), "{}").await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[tokio::test]
    async fn a_bad_query_string_is_a_bad_request() {
        let (mut parts, ()) = Request::builder().uri("/?limit=many").body(()).unwrap().into_parts();
        let refused = Query::<std::collections::BTreeMap<String, u8>>::from_request_parts(&mut parts, &()).await;
        assert_eq!(refused.unwrap_err().into_response().status(), StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn no_body_at_all_is_none() {
        let request = Request::builder().body(axum::body::Body::empty()).unwrap();
        let none = <Json<Body> as OptionalFromRequest<()>>::from_request(request, &()).await.unwrap();
        assert!(none.is_none());
    }
}
