//! Whether somebody may still see what a notice tells of that could not be delivered when it was written.

use std::collections::BTreeSet;

use domain::alarm::RuleId;
use records::{
    incidents::{Audience, Incident},
    notices::Notice,
    users,
};

use super::wording::said_to;
use crate::{Context, JobError, whole_incident};

/// Whether the reader of a notice of that incident hears by what they see. Whom a policy names, or who is told in the place of another,
/// hears by that, whatever they see.
pub(super) fn is_by_sight(notice: &Notice, incident: Option<&Incident>) -> bool {
    let is_own = incident.is_some_and(|incident| matches!(incident.audience, Audience::User(_)));
    is_own && notice.way.in_place_of.is_none()
}

/// Leaves out of a notice that was tried in vain what its reader may not see any more; whether anything is left.
pub(super) async fn keeps_what_is_seen(cx: &Context, notice: &mut Notice) -> Result<bool, JobError> {
    if notice.attempts.is_empty() {
        return Ok(true);
    }
    let incident = whole_incident::incident_of(cx.table.as_ref(), notice).await?;
    if is_by_sight(notice, incident.as_ref()) { leaves_out_what_is_hidden(cx, notice).await } else { Ok(true) }
}

/// The same of what somebody hears by sight.
pub(super) async fn leaves_out_what_is_hidden(cx: &Context, notice: &mut Notice) -> Result<bool, JobError> {
    let table = cx.table.as_ref();
    let (Some(user), Some(facts)) = (users::get(table, &notice.user).await?, notice.facts.as_mut()) else {
        return Ok(true);
    };
    let sources: Vec<_> = facts.parts.iter().map(|part| part.source.clone()).collect();
    let seen = users::seen_among(table, &user, &sources).await?;
    facts.parts.retain(|part| seen.contains(&part.source));
    if facts.parts.len() == sources.len() {
        return Ok(true);
    }
    let rules: BTreeSet<RuleId> = facts.changes().map(|change| change.rule.clone()).collect();
    facts.rules.retain(|rule, _| rules.contains(rule));
    facts.has_a_place_of_several();
    let is_left = !facts.parts.is_empty();
    *notice = said_to(cx, Some(&user), notice.clone());
    Ok(is_left)
}
