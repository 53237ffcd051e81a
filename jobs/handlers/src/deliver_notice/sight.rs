//! Whether somebody may still see what a notice tells of that could not be delivered when it was written.

use std::collections::BTreeSet;

use domain::alarm::RuleId;
use records::{incidents::Audience, notices::Notice, users};

use super::wording::said_to;
use crate::{Context, JobError, whole_incident};

/// Whether its reader hears by what they see.
pub(super) async fn is_by_sight(cx: &Context, notice: &Notice) -> Result<bool, JobError> {
    if notice.incident.is_empty() || notice.way.in_place_of.is_some() {
        return Ok(false);
    }
    let incident = whole_incident::incident_of(cx.table.as_ref(), notice).await?;
    Ok(incident.is_some_and(|incident| matches!(incident.audience, Audience::User(_))))
}

/// Leaves out of a notice that was tried in vain what its reader may not see any more; whether anything is left. Whom a policy names, or
/// who is told in the place of another, hears by that, whatever they see.
pub(super) async fn keeps_what_is_seen(cx: &Context, notice: &mut Notice) -> Result<bool, JobError> {
    let table = cx.table.as_ref();
    if notice.attempts.is_empty() || !is_by_sight(cx, notice).await? {
        return Ok(true);
    }
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
