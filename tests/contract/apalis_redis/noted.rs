//! A job that notes its runs.

use std::time::Duration;

use domain::Timestamp;
use jobs::{Context, Job, JobError, ports::Message};
use records::{Condition, Item, Key, Write};
use serde::{Deserialize, Serialize};
use tokio::time;

/// How a run ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum End {
    /// Well.
    Done,
    /// It will never work.
    Hopeless,
    /// Well, once the gate is open.
    WhenOpen,
}

/// A job that notes when it is run, and ends as it was told to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Noted {
    name: String,
    end: End,
}

/// A message that gets three runs.
pub(super) fn noted(name: &str, end: End) -> Message {
    Noted { name: name.to_owned(), end }.message()
}

impl Job for Noted {
    const NAME: &'static str = "noted";
    const MAX_ATTEMPTS: u32 = 3;

    fn key(&self) -> String {
        self.name.clone()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        note(cx, &self.name).await?;
        match self.end {
            End::Done => Ok(()),
            End::Hopeless => Err(JobError::fail("hopeless")),
            End::WhenOpen => {
                while cx.table.get(&gate()).await?.is_none() {
                    time::sleep(Duration::from_millis(5)).await;
                }
                Ok(())
            }
        }
    }
}

/// Lets every [`End::WhenOpen`] end.
pub(super) async fn open_the_gate(cx: &Context) {
    let gate = Item { key: gate(), version: 1, expires: None, body: "".into() };
    assert!(cx.table.write(Write::Put(gate, Condition::Always)).await.unwrap().applied());
}

/// How many runs were noted.
pub(super) async fn count(cx: &Context) -> u64 {
    cx.table.get(&last()).await.unwrap().map_or(0, |item| item.version)
}

/// The names of those that were run and when, in order.
pub(super) async fn runs(cx: &Context) -> Vec<(String, Timestamp)> {
    let mut runs = Vec::new();
    for number in 1..=count(cx).await {
        // Its number is taken before it is there.
        if let Some(item) = cx.table.get(&run(number)).await.unwrap() {
            runs.push(serde_json::from_slice(&item.body).unwrap());
        }
    }
    runs
}

async fn note(cx: &Context, name: &str) -> Result<(), JobError> {
    let number = loop {
        let before = count(cx).await;
        let condition = if before == 0 { Condition::Absent } else { Condition::Version(before) };
        let last = Item { key: last(), version: before + 1, expires: None, body: "".into() };
        if cx.table.write(Write::Put(last, condition)).await?.applied() {
            break before + 1;
        }
    };
    let body = serde_json::to_vec(&(name, cx.clock.now())).unwrap();
    let noted = Item { key: run(number), version: 1, expires: None, body: body.into() };
    assert!(cx.table.write(Write::Put(noted, Condition::Absent)).await?.applied());
    Ok(())
}

fn run(number: u64) -> Key {
    Key::new("runs", number.to_string())
}

fn last() -> Key {
    Key::new("runs", "last")
}

fn gate() -> Key {
    Key::new("gates", "open")
}
