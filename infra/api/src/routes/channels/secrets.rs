//! The secrets of webhooks.

use std::{iter, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use engine_http::{Json, Path, Problem, axum::extract::State};
use records::channels::{OVERLAP, Retired};

use super::{
    form::{Kind, Webhook},
    own, store,
};
use crate::{error::ApiError, site::Site, visitor::SignedIn};

/// How many times the dice are rolled for a secret: 256 bits.
const ROLLS: usize = 4;

/// A new secret, as the Standard Webhooks scheme has it.
pub(super) fn new(site: &Site) -> String {
    let key: Vec<u8> = iter::repeat_with(|| site.dice.roll().to_be_bytes()).take(ROLLS).flatten().collect();
    format!("whsec_{}", BASE64_STANDARD.encode(key))
}

/// Give a webhook a new secret
///
/// The answer tells it, and nothing tells it again. For 24 hours what is sent is signed with the one before as well, so that
/// a receiver can change over meanwhile; one before that counts no more.
#[utoipa::path(
    post, path = "/api/channels/webhooks/{id}/rotate", operation_id = "rotate_webhook_secret", tag = "channels",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook, with its new secret", body = Webhook))
)]
pub(super) async fn rotate(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Webhook>, ApiError> {
    let mut endpoint = own(&site, &user, &id).await?;
    if Kind::from(endpoint.value.kind) != Kind::Webhook {
        let why = "A chat's secret is made by the chat: change the webhook, and give it there.";
        return Err(Problem::bad_request("not-ours", why).into());
    }
    let secret = new(&site);
    let until = site.clock.now().plus(OVERLAP);
    let before = endpoint.value.secret.replace(secret.clone());
    endpoint.value.retired = before.map(|secret| Retired { secret, until });
    store(&site, &endpoint).await?;
    tracing::info!(user.name = user.user, webhook.id = endpoint.value.id, "A webhook has a new secret");
    Ok(Json(Webhook::from(endpoint.value).told(secret)))
}
