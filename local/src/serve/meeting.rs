//! Looks, for as long as a process runs, whether where it meets others is still the same, keeps what it is given, and goes by the same
//! time. What is wrong is said; what comes of it is for each part: brokers go on, workers end where they would do harm.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use async_trait::async_trait;
use engine_redis::{AppendOnlyFile, QueueKind, Redis, RedisError, RedisSettings, clock_ahead, redis::cmd};
use jobs::ports::{Clock, Enqueue, MOST_APART_MS, MeetingPoint, MeetingState, Message, QueueError, SAID_APART_MS};
use queue::SpooledQueue;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    meeting_point,
    original::{IS_COPIED, Original},
};

/// How often it is looked, and how long an answer may take.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const ANSWERS_WITHIN: Duration = Duration::from_millis(2500);
/// How often what is wrong is said again in the log.
const SAY_EVERY: Duration = Duration::from_mins(1);
/// How long clocks may be apart before a worker ends: one that was set right in between did little harm.
const APART_FOR: Duration = Duration::from_secs(30);
/// How often it is asked for the time at the start: an answer that took long tells nothing.
const TRIES: usize = 5;

/// Where a process meets others.
pub(super) struct Meeting {
    redis: Redis,
    /// What this Redis called itself at the start.
    name: String,
    /// What knows the store from a copy of it.
    original: Option<Original>,
    settings: RedisSettings,
    clock: Arc<dyn Clock>,
    /// What an operator does who means to leave the Redis of before behind.
    how_to_leave: String,
    /// Whether Redis was seen to lose nothing when it was looked at last.
    keeps_all: AtomicBool,
    state: watch::Sender<MeetingState>,
}

impl Meeting {
    pub(super) fn new(
        (redis, name, original): (Redis, String, Option<Original>),
        settings: &RedisSettings,
        clock: &Arc<dyn Clock>,
        how_to_leave: String,
    ) -> Arc<Self> {
        let (settings, clock) = (settings.clone(), Arc::clone(clock));
        Arc::new(Self {
            redis,
            name,
            original,
            settings,
            clock,
            how_to_leave,
            keeps_all: AtomicBool::new(false),
            state: watch::Sender::default(),
        })
    }

    /// Looks once, so that whoever begins then knows what is so, and goes on to look until `stop`.
    pub(super) async fn begin(self: Arc<Self>, stop: CancellationToken) -> JoinHandle<()> {
        self.state.send_replace(Box::pin(self.look()).await);
        tokio::spawn(async move {
            stop.run_until_cancelled(self.watch()).await;
        })
    }

    async fn watch(&self) {
        let mut said = BTreeMap::new();
        loop {
            let seen = self.look().await;
            say(&seen, &mut said);
            self.state.send_replace(seen);
            sleep(LOOK_EVERY).await;
        }
    }

    /// What is seen now. While it does not answer, the rest is as it was seen last.
    async fn look(&self) -> MeetingState {
        let before = self.state.borrow().clone();
        let away = match timeout(ANSWERS_WITHIN, self.ask()).await {
            Ok(Ok(seen)) => {
                let clock_ahead_ms = seen.clock_ahead_ms.or(before.clock_ahead_ms);
                return MeetingState { clock_ahead_ms, ..seen };
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("redis does not answer within {ANSWERS_WITHIN:?}"),
        };
        MeetingState { away: Some(away), ..before }
    }

    async fn ask(&self) -> Result<MeetingState, RedisError> {
        let name: Option<String> = self.redis.call(cmd("GET").arg(self.redis.key_of_name())).await?;
        let RedisSettings { may_forget, trust_durability, queue, .. } = self.settings;
        let losses = if may_forget { String::new() } else { self.losses(trust_durability).await? };
        let losses =
            (!losses.is_empty()).then(|| format!("this redis may lose jobs since its settings changed: {losses}"));
        let clock_ahead_ms = clock_ahead(&self.redis, self.clock.as_ref()).await?;
        let lost = match self.is_another(name.as_deref()) {
            None => self.is_a_copys().await,
            lost => lost,
        };
        let (lost, forgets) = match (lost, queue) {
            (Some(lost), _) => (Some(lost), None),
            (None, QueueKind::Streams) => (None, losses),
            // It stops for good at a task of which a part is gone.
            (None, QueueKind::ApalisRedis) => (losses, None),
        };
        // What is wrong with its settings may be why, and says what to do.
        let away = self.refuses_writes().await?.map(|why| match &forgets {
            Some(losses) => format!("{why}; {losses}"),
            None => why,
        });
        Ok(MeetingState { away, lost, forgets, clock_ahead_ms })
    }

    /// Why it takes no writes, though it answers: its disk or its memory is full, or its replicas are gone.
    async fn refuses_writes(&self) -> Result<Option<String>, RedisError> {
        let mut write = cmd("SET");
        write.arg(self.redis.key("written")).arg(1).arg("PX").arg(ANSWERS_WITHIN.as_millis());
        match self.redis.call::<()>(&write).await {
            Ok(()) => Ok(None),
            Err(error) if error.is_answer() => Ok(Some(format!("redis takes no writes: {error}"))),
            Err(error) => Err(error),
        }
    }

    async fn losses(&self, trust_durability: bool) -> Result<String, RedisError> {
        let kept_all = self.keeps_all.load(Ordering::Relaxed);
        let file = if kept_all { AppendOnlyFile::Whole } else { AppendOnlyFile::MayBeFirst };
        let losses = meeting_point::losses(&self.redis, trust_durability, file).await?;
        self.keeps_all.store(losses.is_empty(), Ordering::Relaxed);
        Ok(losses)
    }

    async fn is_a_copys(&self) -> Option<String> {
        // Where it takes no writes, nobody can say so, and what is wrong is said of that.
        let is_at_work = self.original.as_ref()?.is_at_work().await.unwrap_or(true);
        (!is_at_work).then(|| IS_COPIED.to_owned())
    }

    fn is_another(&self, name: Option<&str>) -> Option<String> {
        let what = match name {
            Some(name) if name == self.name => return None,
            Some(_) => "this is another redis than the one that the store's jobs wait in",
            None => "redis has lost everything (it was flushed, or came back empty), or is another one",
        };
        Some(format!(
            "{what}: nothing is given to it, and nothing taken. Bring the one of before back, and all goes on. If it is gone for good, so \
             is what waited there: {}, and start all parts again",
            self.how_to_leave
        ))
    }

    /// Returns when a process that works on jobs cannot go on, and says why: there are none that are its own, or its clock would have
    /// it do things at the wrong time.
    pub(super) async fn is_over(&self) -> String {
        is_over(self.state.subscribe()).await
    }

    /// Has a spool keep copies of what it gives while that may be forgotten, for as long as this is polled. What came back may
    /// have forgotten some of it already.
    pub(super) async fn keep_copies_in(&self, spool: &SpooledQueue) {
        let mut state = self.state.subscribe();
        let (mut copies, mut was_away) = (false, false);
        loop {
            let (forgets, is_away) = {
                let seen = state.borrow_and_update();
                (seen.forgets.is_some(), seen.away.is_some())
            };
            if forgets != copies || forgets && was_away && !is_away {
                spool.keep_copies(forgets);
            }
            (copies, was_away) = (forgets, is_away);
            if state.changed().await.is_err() {
                return;
            }
        }
    }
}

async fn is_over(mut state: watch::Receiver<MeetingState>) -> String {
    let mut apart_since = None;
    loop {
        let seen = state.borrow_and_update().clone();
        if let Some(why) = seen.lost {
            return why;
        }
        match seen.apart(MOST_APART_MS) {
            Some(why) if apart_since.get_or_insert_with(Instant::now).elapsed() >= APART_FOR => return why,
            Some(_) => {}
            None => apart_since = None,
        }
        if state.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

impl MeetingPoint for Meeting {
    fn state(&self) -> MeetingState {
        self.state.borrow().clone()
    }
}

/// Says what is wrong when it begins and every minute, and that it is over.
fn say(seen: &MeetingState, said: &mut BTreeMap<&'static str, Instant>) {
    let amiss = seen.amiss();
    for (code, why) in &amiss {
        if said.get(code).is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            said.insert(code, Instant::now());
            tracing::error!(code, "{why}");
        }
    }
    said.retain(|code, _| {
        let stays = amiss.iter().any(|(other, _)| other == code);
        if !stays {
            tracing::info!(code, "{code} is over");
        }
        stays
    });
}

/// Refuses to start with a clock that is wrong: delays would run out at the wrong time, and what is seen be of another.
pub(super) async fn clock_is_right(redis: &Redis, clock: &dyn Clock) -> anyhow::Result<()> {
    for _ in 0..TRIES {
        let Some(ahead) = clock_ahead(redis, clock).await? else { continue };
        let seen = MeetingState { clock_ahead_ms: Some(ahead), ..MeetingState::default() };
        if let Some(why) = seen.apart(SAID_APART_MS) {
            ensure!(ahead.abs() < MOST_APART_MS, "{why}. Less than {} s are borne", MOST_APART_MS / 1000);
            tracing::warn!("{why}");
        }
        return Ok(());
    }
    tracing::warn!("redis is too slow to tell whether the clock here is right");
    Ok(())
}

/// A queue that is given nothing while it is not the store's, and says why. Until that is seen the queue refuses by itself.
pub(super) struct OurQueue {
    pub(super) queue: Arc<dyn Enqueue>,
    pub(super) meeting: Arc<Meeting>,
}

#[async_trait]
impl Enqueue for OurQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        if let Some(why) = self.meeting.state.borrow().lost.clone() {
            return Err(QueueError::Away(why));
        }
        self.queue.enqueue(messages).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(ms: i64) -> MeetingState {
        MeetingState { clock_ahead_ms: Some(ms), ..MeetingState::default() }
    }

    /// Shows a worker each of these for so many looks. Why it ended, if it did.
    async fn ends(shown: &[(MeetingState, u32)]) -> Option<String> {
        let state = watch::Sender::default();
        let ended = tokio::spawn(is_over(state.subscribe()));
        for (seen, looks) in shown {
            for _ in 0..*looks {
                state.send_replace(seen.clone());
                sleep(LOOK_EVERY).await;
            }
        }
        if ended.is_finished() { ended.await.ok() } else { None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_ends_whose_clock_stays_wrong_and_not_for_one_that_is_set_right() {
        assert_eq!(ends(&[(ahead(4900), 100), (ahead(3_600_000), 14), (ahead(0), 1), (ahead(-9000), 14)]).await, None);
        let why = ends(&[(ahead(0), 1), (ahead(3_600_000), 17)]).await;
        assert!(why.is_some_and(|why| why.contains("3600.0 s ahead")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_ends_when_its_jobs_are_gone_and_not_when_they_are_out_of_reach_or_may_be_lost() {
        let why = || Some("why".to_owned());
        let away = MeetingState { away: why(), forgets: why(), ..MeetingState::default() };
        assert_eq!(ends(&[(away.clone(), 100)]).await, None);
        assert_eq!(ends(&[(away, 1), (MeetingState { lost: why(), ..MeetingState::default() }, 1)]).await, why());
    }
}
