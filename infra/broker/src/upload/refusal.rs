//! Why a post was not taken.

use engine_http::{
    Problem,
    axum::{
        Json,
        http::StatusCode,
        response::{IntoResponse, Response},
    },
};
use records::TableError;
use serde_json::json;

use crate::reports::NotTaken;

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no node has this token or address")]
    UnknownNode,
    #[error("there is no such call: post to dtuinfo, nodeInfo or queryData")]
    NoSuchCall,
    #[error("the body is not what this call takes: {0}")]
    Malformed(serde_json::Error),
    #[error("the body is larger than a result may be")]
    TooLarge,
    #[error("the result could not be made durable: post it again later")]
    Away,
    #[error("the store cannot be asked now: post it again later")]
    StoreAway(#[from] TableError),
}

impl From<NotTaken> for Refusal {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::TooLarge => Self::TooLarge,
            NotTaken::Away => Self::Away,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        match self {
            // Word for word what the programs in the field were written for.
            Self::UnknownNode => {
                let body = json!({ "code": 0, "status": 500, "message": "nodeData premiss" });
                (StatusCode::UNAUTHORIZED, Json(body)).into_response()
            }
            Self::NoSuchCall => Problem::not_found(detail).into_response(),
            Self::Malformed(_) => Problem::bad_request("bad-body", detail).into_response(),
            Self::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail).into_response(),
            Self::Away | Self::StoreAway(_) => Problem::unavailable("store-away", detail).into_response(),
        }
    }
}
