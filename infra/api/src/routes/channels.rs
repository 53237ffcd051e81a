//! The channels of the one who asks: which reach them, in which order, and whether they work.
//!
//! They are nobody else's business, the administrators' neither: others' are not found.

mod form;
mod replay;
mod secrets;
mod test;
mod webhooks;

use std::sync::Arc;

use engine_http::{
    Json, Problem,
    axum::{self, extract::State},
};
use records::{
    Versioned,
    channels::{self, Channels, Endpoint},
    users::User,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{error::ApiError, moment::Moment, site::Site, visitor::SignedIn};

/// The most channels that an order names.
const MOST_ORDERED: usize = 100;

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(put_order))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::get, webhooks::replace, webhooks::delete))
        .routes(routes!(secrets::rotate))
        .routes(routes!(webhooks::enable))
        .routes(routes!(replay::replay))
        .routes(routes!(test::webhook))
        .routes(routes!(test::channel))
}

/// What reaches you.
#[derive(Serialize, ToSchema)]
#[schema(as = Channels)]
struct Reaching {
    /// Your channels, in your order.
    items: Vec<Reached>,
    /// Whether you are told on the first alone, and on the next only when that did not take it within 2 minutes; else on all
    /// at once.
    one_by_one: bool,
}

/// A way to you.
#[derive(Serialize, ToSchema)]
#[schema(as = Channel)]
struct Reached {
    /// `email`, `sms`, `wechat`, `webhook` for that of your record, or `webhook/` and the id of one of your webhooks.
    channel: String,
    /// What you call it, of a webhook.
    name: Option<String>,
    /// Since when nothing is sent there, of a webhook.
    disabled: Option<Moment>,
}

/// In which order you are told.
#[derive(Deserialize, ToSchema)]
#[schema(as = ChannelOrder)]
#[serde(deny_unknown_fields)]
struct Order {
    /// Channels, first ones first. What reaches you and is not among them comes after.
    #[serde(default)]
    channels: Vec<String>,
    /// As the list of channels has it.
    #[serde(default)]
    one_by_one: bool,
}

/// Your channels
#[utoipa::path(
    get, path = "/api/channels", operation_id = "list_channels", tag = "channels",
    responses((status = 200, description = "What reaches you, in your order", body = Reaching))
)]
async fn list(State(site): State<Arc<Site>>, SignedIn(user): SignedIn) -> Result<Json<Reaching>, ApiError> {
    Ok(Json(reaching(&site, &user).await?))
}

/// Put your channels in order
#[utoipa::path(
    put, path = "/api/channels/order", operation_id = "order_channels", tag = "channels", request_body = Order,
    responses((status = 200, description = "Your channels, in the order now", body = Reaching))
)]
async fn put_order(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Json(order): Json<Order>,
) -> Result<Json<Reaching>, ApiError> {
    let there = Channels::of(&*site.table, &user).await?.all();
    let unknown: Vec<String> = order
        .channels
        .iter()
        .filter(|channel| !there.contains(channel))
        .map(|channel| format!("channels: {channel} does not reach you"))
        .take(MOST_ORDERED)
        .collect();
    if !unknown.is_empty() || order.channels.len() > MOST_ORDERED {
        let how = format!("Name channels that reach you: {}.", there.join(", "));
        return Err(Problem::faults("no-such-channel", how, unknown).into());
    }
    let order = channels::Order { channels: order.channels, one_by_one: order.one_by_one };
    channels::put_order(&*site.table, &user.user, &order).await?;
    Ok(Json(reaching(&site, &user).await?))
}

async fn reaching(site: &Site, user: &User) -> Result<Reaching, ApiError> {
    let channels = Channels::of(&*site.table, user).await?;
    let items = channels.all().into_iter().map(|channel| {
        let endpoint = channels.endpoint(&channel);
        Reached {
            name: endpoint.map(|endpoint| endpoint.name.clone()),
            disabled: endpoint.and_then(|endpoint| endpoint.disabled.as_ref()).map(|disabled| Moment(disabled.at)),
            channel,
        }
    });
    Ok(Reaching { items: items.collect(), one_by_one: channels.order().one_by_one })
}

/// The user's webhook of that id.
async fn own(site: &Site, user: &User, id: &str) -> Result<Versioned<Endpoint>, ApiError> {
    let nowhere = || Problem::not_found("There is no such webhook among yours.");
    let id = ulid::Ulid::from_string(id).map_err(|_| nowhere())?.to_string();
    Ok(channels::endpoint(&*site.table, &user.user, &id).await?.ok_or_else(nowhere)?)
}

/// Stores a webhook in place of the one that was read.
async fn store(site: &Site, endpoint: &Versioned<Endpoint>) -> Result<(), ApiError> {
    if site.table.write(channels::put_endpoint(endpoint)?).await?.applied() {
        return Ok(());
    }
    let why = "The webhook was changed meanwhile: get it anew, and change what it is now.";
    Err(Problem::conflict("version-conflict", why).into())
}
