//! Jobs made for the tests. Each begins by counting its run in the table.

use std::{fmt::Display, future, time::Duration};

use jobs::{Context, Job, JobError};
use records::{Condition, Item, Key, Write};
use serde::{Deserialize, Serialize};
use tokio::time;

/// How a run ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum End {
    /// Well.
    Done,
    /// It may work another time.
    Failed,
    /// It wants to be run again in 90 seconds; then it ends well.
    LaterThenDone,
    /// It will never work.
    Hopeless,
    /// With a panic.
    Panic,
    /// Well, once there is an item `gates` / `open`.
    DoneWhenOpen,
}

/// A job that ends as it was told to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Errand {
    pub(super) name: String,
    pub(super) end: End,
}

pub(super) fn errand(name: impl Display, end: End) -> Errand {
    Errand { name: name.to_string(), end }
}

impl Job for Errand {
    const NAME: &'static str = "errand";
    const MAX_ATTEMPTS: u32 = 3;

    fn key(&self) -> String {
        self.name.clone()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        let run = count_run(cx, &self.name).await?;
        match self.end {
            End::Done => Ok(()),
            End::LaterThenDone if run > 1 => Ok(()),
            End::LaterThenDone => Err(JobError::retry_after("not yet", Duration::from_secs(90))),
            End::Failed => Err(JobError::retry("it did not work")),
            End::Hopeless => Err(JobError::fail("it cannot work")),
            End::Panic => panic!("this errand panics"),
            End::DoneWhenOpen => {
                while cx.table.get(&Key::new("gates", "open")).await?.is_none() {
                    time::sleep(Duration::from_millis(5)).await;
                }
                Ok(())
            }
        }
    }
}

/// Lets every [`End::DoneWhenOpen`] end.
pub(super) async fn open_the_gate(cx: &Context) {
    let gate = Item { key: Key::new("gates", "open"), version: 1, expires: None, body: "".into() };
    assert!(cx.table.write(Write::Put(gate, Condition::Always)).await.unwrap().applied());
}

/// A job that never ends by itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Endless;

impl Job for Endless {
    const NAME: &'static str = "endless";
    const LEASE: Duration = Duration::from_millis(50);
    const MAX_ATTEMPTS: u32 = 2;

    fn key(&self) -> String {
        "the only one".to_owned()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        count_run(cx, "endless").await?;
        future::pending().await
    }
}

async fn count_run(cx: &Context, name: &str) -> Result<u64, JobError> {
    let key = Key::new("runs", name);
    let before = cx.table.get(&key).await?.map_or(0, |item| item.version);
    let condition = if before == 0 { Condition::Absent } else { Condition::Version(before) };
    let item = Item { key, version: before + 1, expires: None, body: "".into() };
    let counted = cx.table.write(Write::Put(item, condition)).await?;
    assert!(counted.applied(), "{name} runs twice at a time");
    Ok(before + 1)
}
