//! Silences and maintenance windows: what is not told for a while.
//!
//! A silence is somebody's own, or everybody's, which administrators make. Others' own are nobody else's business: they are
//! not found.

mod changing;
mod form;

use std::sync::Arc;

use domain::Source;
use engine_http::{
    Json, Path, Problem, Query,
    axum::{self, extract::State},
};
use records::{
    Listed, TableError, Versioned, held,
    silences::{self, Kept},
    users::{self, Role, User},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::form::Silence;
use crate::{
    error::ApiError,
    paging::{Listing, Paging},
    site::Site,
    visitor::SignedIn,
};

const LIST: &str = "silences";

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list, changing::create)).routes(routes!(
        get,
        changing::replace,
        changing::delete
    ))
}

/// Silences
///
/// Everybody's, then your own, each in the order in which they were made. One that is over is shown for 30 days.
#[utoipa::path(
    get, path = "/api/silences", operation_id = "list_silences", tag = "silences", params(Paging),
    responses((status = 200, description = "A page of silences", body = Listing<Silence>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Silence>>, ApiError> {
    let page = page(&site, &user, paging.limit()?, paging.after(LIST)?).await?;
    let now = site.clock.now();
    Ok(Listing::answer(LIST, page.items.into_iter().map(|kept| Silence::of(kept, now)).collect(), page.next))
}

/// Everybody's and then the user's; its places are those of the store.
async fn page(site: &Site, user: &User, limit: usize, after: Option<String>) -> Result<Listed<Kept>, TableError> {
    let table = &*site.table;
    let common = silences::of_owner(table, None).await?;
    let named: Vec<Vec<Source>> = common.iter().map(named).collect();
    let seen = users::seen_among(table, user, named.iter().flatten()).await?;
    let may_see = |named: &Vec<Source>| named.iter().all(|source| seen.contains(source));
    let mut all: Vec<Kept> =
        common.into_iter().zip(&named).filter(|(_, named)| may_see(named)).map(|(kept, _)| kept).collect();
    all.extend(silences::of_owner(table, Some(&user.user)).await?);
    // Few enough to be read whole: a page is a part of them.
    let place = |kept: &Kept| format!("{}{}", u8::from(kept.owner.is_some()), kept.id);
    let mut left: Vec<Kept> =
        all.into_iter().filter(|kept| after.as_ref().is_none_or(|after| place(kept) > *after)).collect();
    let more = left.len() > limit;
    left.truncate(limit);
    let next = left.last().filter(|_| more).map(place);
    Ok(Listed { items: left, next })
}

/// One silence
#[utoipa::path(
    get, path = "/api/silences/{id}", operation_id = "get_silence", tag = "silences",
    params(("id" = String, Path, description = "The silence")),
    responses((status = 200, description = "The silence", body = Silence))
)]
async fn get(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Silence>, ApiError> {
    Ok(Json(Silence::of(find(&site, &user, &id).await?.value, site.clock.now())))
}

/// The silence of that id among everybody's and the user's own.
async fn find(site: &Site, user: &User, id: &str) -> Result<Versioned<Kept>, ApiError> {
    let nowhere = || Problem::not_found("There is no such silence among everybody's and yours.");
    ulid::Ulid::from_string(id).map_err(|_| nowhere())?;
    let kept = silences::get(&*site.table, &user.user, id).await?.ok_or_else(nowhere)?;
    let named = named(&kept.value);
    let seen = users::seen_among(&*site.table, user, &named).await?;
    if named.iter().all(|source| seen.contains(source)) { Ok(kept) } else { Err(nowhere().into()) }
}

/// The sources that everybody's silence names; one's own shows nobody else anything.
fn named(kept: &Kept) -> Vec<Source> {
    if kept.owner.is_some() {
        return Vec::new();
    }
    let matcher = &kept.silence.matcher;
    let (terminal, node) = (matcher.terminal.clone(), matcher.node.clone());
    let of_them = [matcher.source.clone(), terminal.map(Source::Terminal), node.map(Source::Node)];
    of_them.into_iter().flatten().collect()
}

/// That the user may change a silence of this owner.
fn may_change(user: &User, owner: Option<&str>) -> Result<(), Problem> {
    match (owner, user.role) {
        (Some(_), _) | (None, Role::Admin) => Ok(()),
        (None, Role::User) => {
            Err(Problem::forbidden("admins-only", "Only an administrator may silence something for everybody."))
        }
    }
}

/// Has what is held for those concerned looked at: what held it may be over.
async fn look_again(site: &Site, owner: Option<&str>) -> Result<(), ApiError> {
    Ok(held::wake_all(&*site.table, owner, site.clock.now()).await?)
}
