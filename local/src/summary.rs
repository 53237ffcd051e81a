//! What a server did so far, in one line.

use std::collections::BTreeMap;

use jobs::{Context, Job, ProcessResults};
use records::{
    TableError,
    alarms::{self, Which},
    notices::{self, NoticeStatus},
    users,
};

use crate::serve::Server;

/// How many alarms and notices are counted at most: this line is for demonstrations.
const COUNTED: usize = 1000;

/// The counts of polls, readings, alarms and notices.
pub(crate) async fn line(server: &Server) -> anyhow::Result<String> {
    let counters = &server.counters;
    let (active, raised) = alarms(&server.context).await?;
    let notices = notices(&server.context).await?;
    let told = |status: &str| notices.get(status).copied().unwrap_or(0);
    let waiting = server.queue.depth(ProcessResults::NAME).await?.waiting;
    Ok(format!(
        "polls {}   readings {}   alarms {active} active / {raised} raised   notices {} sent / {} failed   \
         (unanswered {}, batches waiting {waiting})",
        counters.queries_sent.get(),
        counters.results.get(),
        told("sent"),
        told("failed"),
        counters.queries_unanswered.get(),
    ))
}

async fn alarms(cx: &Context) -> Result<(usize, usize), TableError> {
    let table = cx.table.as_ref();
    let active = alarms::list(table, Which::Active, COUNTED, None).await?.items.len();
    let raised = alarms::list(table, Which::All, COUNTED, None).await?.items.len();
    Ok((active, raised))
}

async fn notices(cx: &Context) -> Result<BTreeMap<&'static str, usize>, TableError> {
    let table = cx.table.as_ref();
    let mut counts = BTreeMap::new();
    for user in users::list(table).await? {
        for notice in notices::list(table, &user.user, COUNTED, None).await?.items {
            let status = match notice.status {
                NoticeStatus::Waiting => "waiting",
                NoticeStatus::Sent => "sent",
                NoticeStatus::Failed => "failed",
            };
            *counts.entry(status).or_default() += 1;
        }
    }
    Ok(counts)
}
