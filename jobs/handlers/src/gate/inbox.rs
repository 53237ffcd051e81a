//! The inbox in the application: what people are told there, and how their browsers hear of it.

use domain::{
    alarm::{Change, Severity},
    routing::{Category, Subject},
};
use records::{
    facts::Facts,
    inbox::{self, Entry},
    notices::Notice,
};

use crate::{Context, JobError, inbox_events, ports::Push};

/// Puts what a user is told into their inbox, once; gives what their browsers are to be shown.
pub(crate) async fn put_in_inbox(cx: &Context, notice: &Notice, changes: &[Change]) -> Result<Option<Push>, JobError> {
    // What is said again tells of what stands, and of no change.
    let stands = notice.facts.iter().flat_map(Facts::changes).filter(|_| changes.is_empty());
    let changes: Vec<&Change> = changes.iter().chain(stands).collect();
    let entry = Entry {
        id: notice.id.clone(),
        category: category(notice, &changes),
        severity: changes.iter().map(|change| change.severity).max().unwrap_or(Severity::Info),
        title: notice.subject.clone(),
        content: notice.text.clone(),
        source: Some(notice.source.clone()),
        transition: Some(notice.transition.clone()),
        alarms: alarms(notice),
        at: notice.at,
        read_at: None,
    };
    let table = cx.table.as_ref();
    // Refused when an earlier run put it there: browsers, which know it by its id, may not have been shown it.
    let _ = table.transact(inbox::put_new(&notice.user, &entry)?).await?;
    let stored = inbox::get(table, &notice.user, &entry.id).await?.filter(|stored| stored.value.read_at.is_none());
    let Some(stored) = stored else { return Ok(None) };
    Ok(Some(inbox_events::new(&notice.user, &stored.value, inbox::unread(table, &notice.user).await?)))
}

/// The alarms that a notice names.
pub(super) fn alarms(notice: &Notice) -> Vec<String> {
    let alarms = notice.facts.iter().flat_map(Facts::alarms);
    alarms.map(str::to_owned).collect()
}

fn category(notice: &Notice, changes: &[&Change]) -> Option<Category> {
    let change = changes.first()?;
    if !changes.is_empty() && changes.iter().all(|change| change.ends()) {
        return Some(Category::Recoveries);
    }
    let Change { rule, severity, .. } = *change;
    Some(Category::of(&Subject { source: &notice.source, node: None, rule, severity: *severity }))
}
