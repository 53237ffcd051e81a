//! Test letters: they go the whole way that an alarm's go, and stand in the ledger like those.

use std::{sync::Arc, time::Duration};

use domain::{Need, Source};
use engine_http::{Json, Path, Problem, axum::extract::State};
use jobs::{
    DeliverNotice, Job,
    words::{self, Enclosed, Reader},
};
use records::{
    channels::{self, Channels},
    facts::{Facts, Kind},
    notices::{self, Notice, NoticeStatus, Way, channel},
    users::User,
};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

use crate::{error::ApiError, site::Site, visitor::SignedIn};

/// How often one channel may be tested.
const PAUSE: Duration = Duration::from_secs(30);

/// How long the answer waits for what the other side says, and how often it looks.
const WAITS: Duration = Duration::from_secs(15);
const LOOKS_EVERY: Duration = Duration::from_millis(150);

/// What came of a test letter.
#[derive(Serialize, ToSchema)]
pub(super) struct Tested {
    /// The notice's id, under which your notices show it.
    notice: String,
    /// How it stands.
    status: TestStatus,
    /// What the other side said; none when it is on its way still.
    said: Option<String>,
}

/// How a test letter stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TestStatus {
    /// On its way: see your notices.
    Waiting,
    /// The other side took it.
    Sent,
    /// It did not.
    Failed,
}

/// Test one of your channels
///
/// Sends a letter to your own address and tells what the other side said; twice a minute at most.
#[utoipa::path(
    post, path = "/api/channels/{channel}/test", operation_id = "test_channel", tag = "channels",
    params(("channel" = String, Path, description = "`email`, `sms`, `wechat` or `webhook`")),
    responses((status = 200, description = "What came of it", body = Tested))
)]
pub(super) async fn channel(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(name): Path<String>,
) -> Result<Json<Tested>, ApiError> {
    test(&site, &user, &name).await
}

/// Test one of your webhooks
///
/// Sends a letter there and tells what the other side said; twice a minute at most.
#[utoipa::path(
    post, path = "/api/channels/webhooks/{id}/test", operation_id = "test_webhook", tag = "channels",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "What came of it", body = Tested))
)]
pub(super) async fn webhook(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Tested>, ApiError> {
    test(&site, &user, &channel::endpoint(&id)).await
}

async fn test(site: &Site, user: &User, name: &str) -> Result<Json<Tested>, ApiError> {
    if !Channels::of(&*site.table, user).await?.all().iter().any(|channel| channel == name) {
        return Err(Problem::not_found("There is no such channel among yours.").into());
    }
    if !channels::may_test(&*site.table, &user.user, name, site.clock.now(), PAUSE).await? {
        let how = format!("Wait {} s between two tests of a channel.", PAUSE.as_secs());
        return Err(Problem::too_many("tested-lately", how, PAUSE).into());
    }
    let notice = letter(site, user, name);
    let (id, user) = (notice.id.clone(), notice.user.clone());
    let _ = site.table.write(notices::put_new(&notice)?).await?;
    site.jobs.enqueue(vec![DeliverNotice { user: user.clone(), notice: id.clone() }.message()]).await?;
    let began = Instant::now();
    loop {
        let notice = notices::get(&*site.table, &user, &id).await?.map(|notice| notice.value);
        let settled = notice.filter(|notice| notice.status != NoticeStatus::Waiting);
        if let Some(notice) = settled {
            let status = if notice.status == NoticeStatus::Sent { TestStatus::Sent } else { TestStatus::Failed };
            let said = notice.attempts.into_iter().next_back().map(|attempt| attempt.outcome);
            return Ok(Json(Tested { notice: id, status, said }));
        }
        if began.elapsed() >= WAITS {
            return Ok(Json(Tested { notice: id, status: TestStatus::Waiting, said: None }));
        }
        sleep(LOOKS_EVERY).await;
    }
}

fn letter(site: &Site, user: &User, name: &str) -> Notice {
    let at = site.clock.now();
    let id = site.new_id();
    let facts = Facts { kind: Kind::Test, ..Facts::default() };
    let words = words::compose(&facts, &Reader::new(&user.locale, &site.words), &Enclosed::default());
    Notice {
        user: user.user.clone(),
        channel: name.to_owned(),
        source: Source::Platform(Need { part: "test".to_owned(), needs: name.to_owned() }),
        transition: format!("test/{id}"),
        transitions: Vec::new(),
        incident: String::new(),
        sequence: 0,
        subject: words.subject,
        text: words.text,
        at,
        status: NoticeStatus::Waiting,
        attempts: Vec::new(),
        way: Way { once: true, event: Some(jobs::TEST_EVENT.to_owned()), ..Way::default() },
        facts: Some(facts),
        id,
    }
}
