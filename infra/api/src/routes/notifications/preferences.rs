//! How the one who asks is told.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Timestamp,
    routing::{Category, INBOX, Preferences as Chosen, Way, Zone},
};
use engine_http::{Json, Problem, axum::extract::State};
use records::{channels::Channels, held, preferences};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{error::ApiError, site::Site, visitor::SignedIn};

const MOST_CHANNELS: usize = 20;
const MOST_CHANNEL_BYTES: usize = 40;

/// How you are told.
#[derive(Serialize, ToSchema)]
pub(super) struct Preferences {
    /// What you chose.
    #[schema(value_type = Object)]
    chosen: Chosen,
    /// What comes of it: for each category, how you are told on the channels that you have an address for.
    #[schema(value_type = Object)]
    effective: BTreeMap<Category, BTreeMap<String, Way>>,
}

/// How you are told
#[utoipa::path(
    get, path = "/api/notifications/preferences", operation_id = "get_notification_preferences", tag = "notifications",
    responses((status = 200, description = "What you chose, and what comes of it", body = Preferences))
)]
pub(super) async fn get(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
) -> Result<Json<Preferences>, ApiError> {
    let chosen = preferences::get(&*site.table, &user.user).await?;
    Ok(Json(Preferences { effective: effective(&chosen, &Channels::of(&*site.table, &user).await?), chosen }))
}

/// Say how you want to be told
///
/// `zone`: where your days begin (`Asia/Shanghai`; where you leave it out, the zone of your locale, else the operator's). `quiet`: `{"calendar": {"zone", "hours": [{"days", "from", "until"}]},
/// "passes": "critical"}`: what matters less waits until then; null passes nothing. `digest_at`: `08:00`. `ways`: for a
/// category (`alarms`, `connections`, `recoveries`, `presence`, `platform`, `reports`) and a channel one of `now`, `digest`,
/// `off`. `sms_a_day`: how many text messages you get a day, if fewer than all get. The inbox is told of everything.
#[utoipa::path(
    put, path = "/api/notifications/preferences", operation_id = "put_notification_preferences", tag = "notifications",
    request_body(content = Object, description = "All of it: what is left out is as it is for who chose nothing"),
    responses((status = 200, description = "It holds for you", body = Preferences))
)]
pub(super) async fn put(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Json(mut chosen): Json<Chosen>,
) -> Result<Json<Preferences>, ApiError> {
    let now = site.clock.now();
    check(&chosen, now)?;
    let own = user.locale.zone.clone().and_then(|zone| Zone::try_from(zone).ok());
    chosen.zone = chosen.zone.or(own).or_else(|| Some(site.words.zone()));
    preferences::put(&*site.table, &user.user, &chosen).await?;
    // What waits may wait no longer.
    held::wake_all(&*site.table, Some(&user.user), now).await?;
    tracing::info!(user.name = user.user, "Preferences were stored");
    Ok(Json(Preferences { effective: effective(&chosen, &Channels::of(&*site.table, &user).await?), chosen }))
}

fn check(chosen: &Chosen, now: Timestamp) -> Result<(), Problem> {
    let bad = |why: &str| Err(Problem::bad_request("bad-preferences", why));
    if chosen.quiet.as_ref().is_some_and(|quiet| quiet.calendar.next_change(now).is_none()) {
        return bad("quiet.calendar never ends: you would be told of nothing again.");
    }
    for ways in chosen.ways.values() {
        if ways.contains_key(INBOX) {
            return bad("ways: the inbox is told of everything, at once.");
        }
        if ways.len() > MOST_CHANNELS || ways.keys().any(|channel| channel.len() > MOST_CHANNEL_BYTES) {
            return bad("ways: there are not so many channels.");
        }
    }
    Ok(())
}

fn effective(chosen: &Chosen, reaching: &Channels) -> BTreeMap<Category, BTreeMap<String, Way>> {
    let all = reaching.all();
    let reachable: Vec<&str> = all.iter().map(String::as_str).collect();
    let of_category = |category| {
        let channels = reachable.iter().chain([&INBOX]);
        let ways = channels.map(|channel| ((*channel).to_owned(), chosen.way_of(category, channel, &reachable)));
        (category, ways.collect())
    };
    Category::ALL.into_iter().map(of_category).collect()
}
