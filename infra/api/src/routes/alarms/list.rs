//! Finding alarms.

use std::{collections::BTreeSet, sync::Arc};

use domain::{Mac, Source, Timestamp};
use engine_http::{Json, Problem, Query, axum::extract::State};
use futures::{StreamExt, TryStreamExt, stream};
use jobs::told_by_name;
use records::{
    Listed, Table, TableError,
    alarms::{self, Which},
    terminals,
    users::{self, Role, User},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Alarm, attended, concerns, standing::shown};
use crate::{
    error::ApiError,
    paging::{self, Listing, Paging},
    site::Site,
    visitor::SignedIn,
};

const LIST: &str = "alarms";
/// The least that is read at once: where much is filtered out, small reads would be many.
const LEAST_READ: usize = 50;
const MOST_READ: usize = 500;
const READS_AT_ONCE: usize = 16;

/// Which alarms are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those that are active, those that are over, or all.
    #[serde(default)]
    #[param(inline, required = false)]
    state: WantedState,
    /// Those of this terminal and its devices.
    terminal: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WantedState {
    Active,
    Cleared,
    #[default]
    All,
}

/// Whose alarms are looked for: those of terminals with their devices, and of nodes themselves.
pub(super) enum Scope {
    Everything,
    Of {
        terminals: BTreeSet<Mac>,
        nodes: BTreeSet<String>,
        /// What a policy, or a rule, told somebody of whatever they see.
        told: BTreeSet<String>,
    },
}

/// Alarms
///
/// Newest first: an administrator sees all, others those of the terminals bound to them, of the nodes that these hang on, and those
/// that they were told of by name, while the incident is open.
#[utoipa::path(
    get, path = "/api/alarms", operation_id = "list_alarms", tag = "alarms", params(Wanted, Paging),
    responses((status = 200, description = "A page of alarms", body = Listing<Alarm>))
)]
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Alarm>>, ApiError> {
    let (limit, after) = (paging.limit()?, paging.after(LIST)?);
    let scope = scope(&site, &user, wanted.terminal.as_deref()).await?;
    let page = find(&site, &user, wanted.state, &scope, (limit, after)).await?;
    let items = page.items.into_iter().map(|alarm| attended(&site, alarm)).collect();
    Ok(Listing::answer(LIST, shown(&site, items).await?, page.next))
}

pub(super) async fn scope(site: &Site, user: &User, terminal: Option<&str>) -> Result<Scope, ApiError> {
    let Some(text) = terminal else {
        return Ok(match user.role {
            Role::Admin => Scope::Everything,
            Role::User => {
                let macs = users::terminals(&*site.table, &user.user).await?;
                let nodes = terminals::get_many(&*site.table, &macs).await?.into_values().map(|terminal| terminal.node);
                let told = told_by_name::all(&*site.table, &user.user).await?;
                Scope::Of { nodes: nodes.collect(), terminals: macs.into_iter().collect(), told }
            }
        });
    };
    let mac: Mac = text.parse().map_err(|_| Problem::bad_request("bad-query", "terminal is not a terminal's mac."))?;
    if users::may_see(&*site.table, user, &mac).await? {
        Ok(Scope::Of { terminals: BTreeSet::from([mac]), nodes: BTreeSet::new(), told: BTreeSet::new() })
    } else {
        Err(Problem::not_found("There is no such terminal among yours.").into())
    }
}

impl Scope {
    pub(super) fn holds(&self, alarm: &alarms::Alarm) -> bool {
        match self {
            Self::Everything => true,
            Self::Of { told, .. } if told.contains(&alarm.id) => true,
            Self::Of { terminals, nodes, .. } => match &alarm.source {
                Source::Node(node) => nodes.contains(node),
                source => source.mac().is_some_and(|mac| terminals.contains(mac)),
            },
        }
    }

    /// The lists that hold all that is wanted, and as little else as can be. There are few active alarms, so for them
    /// one list does for every scope.
    pub(super) fn lists(&self, state: WantedState) -> Vec<Which<'_>> {
        match (state, self) {
            (WantedState::Active, _) => vec![Which::Active],
            (_, Self::Everything) => vec![Which::All],
            (_, Self::Of { terminals, nodes, told }) => {
                let of_nodes = nodes.iter().map(|node| Which::OfNode(node));
                let told = Some(Which::These(told)).filter(|_| !told.is_empty());
                terminals.iter().map(Which::OfTerminal).chain(of_nodes).chain(told).collect()
            }
        }
    }
}

/// Every alarm that a user may see and that is no older, newest first, up to about `most`; and whether those are all.
pub(in crate::routes) async fn every_visible(
    site: &Site,
    user: &User,
    since: Timestamp,
    most: usize,
) -> Result<(Vec<alarms::Alarm>, bool), ApiError> {
    let scope = scope(site, user, None).await?;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = find(site, user, WantedState::All, &scope, (MOST_READ, after)).await?;
        let is_past = page.items.last().is_none_or(|oldest| oldest.raised_at < since);
        found.extend(page.items.into_iter().filter(|alarm| alarm.raised_at >= since));
        after = page.next;
        if is_past || after.is_none() || found.len() >= most {
            return Ok((found, is_past || after.is_none()));
        }
    }
}

/// Those of the alarms that stand that a user may see, however long ago they began, and whether those are all.
pub(in crate::routes) async fn every_standing(
    site: &Site,
    user: &User,
    most: usize,
) -> Result<(Vec<alarms::Alarm>, bool), ApiError> {
    let scope = scope(site, user, None).await?;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = find(site, user, WantedState::Active, &scope, (MOST_READ, after)).await?;
        found.extend(page.items);
        after = page.next;
        if after.is_none() || found.len() >= most {
            return Ok((found, after.is_none()));
        }
    }
}

async fn find(
    site: &Site,
    user: &User,
    state: WantedState,
    scope: &Scope,
    (limit, after): (usize, Option<String>),
) -> Result<Listed<alarms::Alarm>, TableError> {
    let is_wanted = |alarm: &alarms::Alarm| {
        let of_state = match state {
            WantedState::Active => alarm.cleared_at.is_none(),
            WantedState::Cleared => alarm.cleared_at.is_some(),
            WantedState::All => true,
        };
        of_state && scope.holds(alarm) && concerns(alarm, user)
    };
    let lists = scope.lists(state);
    let mut found = Vec::new();
    let mut after = after;
    // One more than the limit shows that more follows.
    while found.len() <= limit {
        let read = newest(&*site.table, &lists, limit.max(LEAST_READ), after).await?;
        found.extend(read.items.into_iter().filter(is_wanted));
        after = read.next;
        if after.is_none() {
            break;
        }
    }
    let (items, next) = paging::cut(found, |alarm| &alarm.id, limit);
    Ok(Listed { items, next })
}

/// The next alarms of several lists as if they were one, newest first.
pub(super) async fn newest(
    table: &dyn Table,
    lists: &[Which<'_>],
    limit: usize,
    after: Option<String>,
) -> Result<Listed<alarms::Alarm>, TableError> {
    let reads: Vec<_> = lists.iter().map(|which| alarms::list(table, *which, limit, after.clone())).collect();
    let pages: Vec<Listed<alarms::Alarm>> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
    // What is older than the end of any one page may be missing from that page: it waits for the next round.
    let horizon = pages.iter().filter_map(|page| page.next.clone()).max();
    let mut items: Vec<_> = pages.into_iter().flat_map(|page| page.items).collect();
    items.retain(|alarm| horizon.as_ref().is_none_or(|horizon| alarm.id >= *horizon));
    items.sort_by(|a, b| b.id.cmp(&a.id));
    items.dedup_by(|a, b| a.id == b.id);
    Ok(Listed { items, next: horizon })
}
