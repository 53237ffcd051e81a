//! How an alarm's source stands beside the alarm itself: whether anything is known of it, and whether it is in service.

use std::collections::BTreeSet;

use domain::alarm::{Quiet, SourceState};
use records::{
    TableError,
    alarms::{self, Watch},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::shown::{Alarm, Source};
use crate::{moment::Moment, site::Site};

/// That nothing is known of a source: whether the condition still holds cannot be said.
#[derive(Serialize, ToSchema)]
#[schema(as = AlarmUnknown)]
pub(super) struct Unknown {
    /// What was lost that it hangs on, which has an alarm of its own.
    cause: Source,
    /// Since when.
    #[schema(required)]
    since: Option<Moment>,
}

/// That a source, or the alarm's rule on it, is out of service: nobody is told.
#[derive(Serialize, ToSchema)]
#[schema(as = AlarmOutOfService)]
pub(super) struct OutOfService {
    /// Who took it out.
    by: String,
    /// Why.
    #[schema(required)]
    note: Option<String>,
    /// Since when.
    since: Moment,
    /// Until when; until somebody puts it back without.
    #[schema(required)]
    until: Option<Moment>,
}

/// Alarms as they stand now, by one read however many there are. What is over stands no way any more.
pub(super) async fn shown(site: &Site, alarms: Vec<alarms::Alarm>) -> Result<Vec<Alarm>, TableError> {
    let active = alarms.iter().filter(|alarm| alarm.cleared_at.is_none());
    let sources: BTreeSet<&domain::Source> = active.map(|alarm| &alarm.source).collect();
    let watches = alarms::watches(&*site.table, &sources).await?;
    let (now, nothing) = (site.clock.now(), Watch::default());
    let of = |alarm: alarms::Alarm| {
        let watch = watches.get(&alarm.source).unwrap_or(&nothing);
        Alarm::of(alarm, &watch.state, now)
    };
    Ok(alarms.into_iter().map(of).collect())
}

/// One alarm as it stands now.
pub(super) async fn shown_alone(site: &Site, alarm: alarms::Alarm) -> Result<Alarm, TableError> {
    let watch = alarms::watch(&*site.table, &alarm.source).await?.value;
    Ok(Alarm::of(alarm, &watch.state, site.clock.now()))
}

impl Unknown {
    pub(super) fn of(state: &SourceState) -> Option<Self> {
        let cause = state.unknown.clone()?.into();
        Some(Self { cause, since: state.lost().map(Moment) })
    }
}

impl From<&Quiet> for OutOfService {
    fn from(quiet: &Quiet) -> Self {
        let Quiet { by, why, since, until, .. } = quiet.clone();
        Self { by, note: why, since: Moment(since), until: until.map(Moment) }
    }
}
