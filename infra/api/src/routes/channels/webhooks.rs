//! Making, seeing, changing and deleting webhooks.

use std::sync::Arc;

use engine_http::{
    Json, Path, Problem,
    axum::{extract::State, http::StatusCode},
};
use records::{
    Versioned,
    channels::{self, Channels, Endpoint, MOST_OF_A_USER},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    form::{Form, Kind, Webhook, check},
    own, secrets, store,
};
use crate::{error::ApiError, site::Site, visitor::SignedIn};

/// Your webhooks.
#[derive(Serialize, ToSchema)]
pub(super) struct Webhooks {
    /// Oldest first.
    items: Vec<Webhook>,
}

/// Your webhooks
#[utoipa::path(
    get, path = "/api/channels/webhooks", operation_id = "list_webhooks", tag = "channels",
    responses((status = 200, description = "Your webhooks, oldest first", body = Webhooks))
)]
pub(super) async fn list(State(site): State<Arc<Site>>, SignedIn(user): SignedIn) -> Result<Json<Webhooks>, ApiError> {
    let channels = Channels::of(&*site.table, &user).await?;
    Ok(Json(Webhooks { items: channels.endpoints().iter().cloned().map(Webhook::from).collect() }))
}

/// Make a webhook
///
/// The answer tells the secret that what is sent is signed with, and nothing tells it again.
#[utoipa::path(
    post, path = "/api/channels/webhooks", operation_id = "create_webhook", tag = "channels", request_body = Form,
    responses((status = 201, description = "You are told there from now on", body = Webhook))
)]
pub(super) async fn create(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Json(form): Json<Form>,
) -> Result<(StatusCode, Json<Webhook>), ApiError> {
    check(&form)?;
    if Channels::of(&*site.table, &user).await?.endpoints().len() >= MOST_OF_A_USER {
        let how = format!("You may have at most {MOST_OF_A_USER} webhooks: delete one first.");
        return Err(Problem::conflict("too-many-webhooks", how).into());
    }
    let now = site.clock.now();
    let made = (form.kind == Kind::Webhook).then(|| secrets::new(&site));
    let endpoint = Endpoint {
        id: site.new_id(),
        owner: user.user,
        name: form.name,
        kind: form.kind.into(),
        url: form.url,
        secret: made.clone().or(form.secret),
        retired: None,
        chat: form.chat,
        events: form.events,
        made_at: now,
        disabled: None,
        failing: None,
    };
    store(&site, &Versioned { value: endpoint.clone(), version: 0 }).await?;
    tracing::info!(user.name = endpoint.owner, webhook.id = endpoint.id, "A webhook was made");
    let webhook = Webhook::from(endpoint);
    let webhook = match made {
        Some(secret) => webhook.told(secret),
        None => webhook,
    };
    Ok((StatusCode::CREATED, Json(webhook)))
}

/// A webhook of yours
#[utoipa::path(
    get, path = "/api/channels/webhooks/{id}", operation_id = "get_webhook", tag = "channels",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook, without its secret", body = Webhook))
)]
pub(super) async fn get(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Webhook>, ApiError> {
    Ok(Json(own(&site, &user, &id).await?.value.into()))
}

/// Change a webhook
///
/// Its secret stays, unless a chat's is given; so does a chat's address where `url` is what is shown of it. What waits for it is sent as it is now.
#[utoipa::path(
    put, path = "/api/channels/webhooks/{id}", operation_id = "replace_webhook", tag = "channels",
    params(("id" = String, Path, description = "The webhook")), request_body = Form,
    responses((status = 200, description = "It is changed", body = Webhook))
)]
pub(super) async fn replace(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Json(form): Json<Form>,
) -> Result<Json<Webhook>, ApiError> {
    let mut endpoint = own(&site, &user, &id).await?;
    let form = form.of_change(&endpoint.value);
    check(&form)?;
    if Kind::from(endpoint.value.kind) != form.kind {
        let why = "A webhook stays what it was made as: kind must be what it was. Make another one instead.";
        return Err(Problem::bad_request("other-kind", why).into());
    }
    let value = &mut endpoint.value;
    value.name = form.name;
    value.url = form.url;
    value.chat = form.chat;
    value.events = form.events;
    value.secret = form.secret.or(value.secret.take());
    store(&site, &endpoint).await?;
    Ok(Json(endpoint.value.into()))
}

/// Delete a webhook
///
/// What waits for it fails, and goes on to your next channel.
#[utoipa::path(
    delete, path = "/api/channels/webhooks/{id}", operation_id = "delete_webhook", tag = "channels",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let endpoint = own(&site, &user, &id).await?.value;
    channels::delete_endpoint(&*site.table, &user.user, &endpoint.id).await?;
    tracing::info!(user.name = user.user, webhook.id = endpoint.id, "A webhook was deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Send to a webhook again that was disabled
#[utoipa::path(
    post, path = "/api/channels/webhooks/{id}/enable", operation_id = "enable_webhook", tag = "channels",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "You are told there from now on", body = Webhook))
)]
pub(super) async fn enable(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Webhook>, ApiError> {
    let mut endpoint = own(&site, &user, &id).await?;
    endpoint.value.disabled = None;
    endpoint.value.failing = None;
    store(&site, &endpoint).await?;
    Ok(Json(endpoint.value.into()))
}
