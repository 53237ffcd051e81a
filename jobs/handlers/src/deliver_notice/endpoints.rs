//! What an attempt shows of an endpoint: one that takes nothing for days is disabled, and its owner is told.

use std::time::Duration;

use domain::{Need, Source, Timestamp, identity::derived_id, routing::INBOX};
use records::{
    Versioned,
    channels::{self, Channels, Disabled, Endpoint, Failing},
    facts::{DisabledEndpoint, Facts, Kind},
    notices::{Notice, NoticeStatus, Way, channel},
    users,
};

use super::{event, passing_on::tell};
use crate::{
    Context, JobError,
    fan_out::show,
    gate::put_in_inbox,
    ports::Delivery,
    words::{self, Enclosed, Reader},
};

/// How often it is written down that an endpoint fails still.
const NOTED_EVERY: Duration = Duration::from_hours(1);

/// Notes what came of an attempt.
pub(super) async fn saw(
    cx: &Context,
    mut endpoint: Versioned<Endpoint>,
    notice: &Notice,
    delivery: &Delivery,
    at: Timestamp,
) -> Result<(), JobError> {
    let before = endpoint.value.clone();
    match delivery {
        Delivery::Sent(_) => endpoint.value.failing = None,
        // A test, or nothing was tried.
        _ if notice.way.once || before.disabled.is_some() => return Ok(()),
        Delivery::TryLater { why, .. } | Delivery::Refused { why } => {
            let failing = Failing::again(before.failing, at);
            if failing.is_hopeless() {
                let disabled = Disabled { at, why: format!("it took nothing for 5 days: {why}") };
                tell_owner(cx, &before, failing, &disabled).await?;
                endpoint.value.disabled = Some(disabled);
                endpoint.value.failing = Some(failing);
            } else if before.failing.is_none_or(|noted| at.since(noted.last) >= NOTED_EVERY) {
                endpoint.value.failing = Some(failing);
            }
        }
    }
    if endpoint.value != before {
        // Refused when somebody changed it meanwhile: then the next attempt shows it.
        let _ = cx.table.write(channels::put_endpoint(&endpoint)?).await?;
    }
    Ok(())
}

/// Tells the owner in their inbox, and on whatever else reaches them, under names that are the same each time.
async fn tell_owner(cx: &Context, endpoint: &Endpoint, failing: Failing, disabled: &Disabled) -> Result<(), JobError> {
    let Some(owner) = users::get(cx.table.as_ref(), &endpoint.owner).await? else { return Ok(()) };
    let mut told = Channels::of(cx.table.as_ref(), &owner).await?.wanting(event::DISABLED);
    told.retain(|name| *name != channel::endpoint(&endpoint.id));
    let need = Need { part: format!("webhook:{}", endpoint.id), needs: "receiver".to_owned() };
    let facts = Facts {
        kind: Kind::ChannelDisabled,
        since: Some(failing.since),
        disabled: Some(DisabledEndpoint { name: endpoint.name.clone(), said: disabled.why.clone() }),
        ..Facts::default()
    };
    let words = words::compose(&facts, &Reader::new(&owner.locale, &cx.settings.words), &Enclosed::default());
    let notice = |channel: String| Notice {
        id: derived_id(failing.since, &["disabled", &endpoint.id, &channel]),
        user: endpoint.owner.clone(),
        channel,
        source: Source::Platform(need.clone()),
        transition: format!("disabled/{}/{}", endpoint.id, failing.since.sortable()),
        transitions: Vec::new(),
        incident: String::new(),
        sequence: 0,
        subject: words.subject.clone(),
        text: words.text.clone(),
        at: disabled.at,
        status: NoticeStatus::Waiting,
        attempts: Vec::new(),
        way: Way { event: Some(event::DISABLED.to_owned()), ..Way::default() },
        facts: Some(facts.clone()),
    };
    // What was to tell them may have been all that reaches them.
    let shown = put_in_inbox(cx, &notice(INBOX.to_owned()), &[]).await?;
    tell(cx, told.into_iter().map(notice).collect()).await?;
    show(cx, shown.into_iter().collect()).await;
    Ok(())
}
