use std::{collections::HashMap, sync::Arc};

use boot::{SystemClock, SystemDice};
use jobs::{Catalog, Context, JobError, Settings, Stationery};
use notify::recording::RecordingNotifier;
use queue::SqsQueue;
use serde_json::json;
use table::MemoryTable;

use super::*;
use crate::{metrics::Metrics, unwired::Unwired};

/// A job that ends as it is told to.
#[derive(Debug, Serialize, Deserialize)]
enum Errand {
    Done,
    Panic,
}

impl Job for Errand {
    const NAME: &'static str = "errand";

    fn key(&self) -> String {
        format!("{self:?}")
    }

    async fn run(&self, _: &Context) -> Result<(), JobError> {
        match self {
            Self::Done => Ok(()),
            Self::Panic => panic!("this errand panics"),
        }
    }
}

/// A function on AWS that nobody reaches: what it tells SQS is lost.
async fn function() -> Function {
    let aws = engine_aws::emulated("http://127.0.0.1:9").await;
    let queue = Arc::new(SqsQueue::new(&aws, HashMap::new(), Arc::new(SystemClock), Arc::new(SystemDice)));
    let cx = Context {
        table: Arc::new(MemoryTable::new(Arc::new(SystemClock))),
        queue: Arc::clone(&queue) as _,
        link: Arc::new(Unwired),
        notifier: Arc::new(RecordingNotifier::new()),
        clock: Arc::new(SystemClock),
        dice: Arc::new(SystemDice),
        settings: Arc::new(Settings::default()),
        catalog: Arc::new(Catalog::new(Arc::new(script::JavaScript))),
        stationery: Stationery::default(),
    };
    let metrics = Metrics::new(Arc::default());
    Function { cx, queue, dead_letters: "http://127.0.0.1:9/dead".to_owned(), metrics }
}

/// What a function says of messages with these bodies, called by their places.
async fn failed(bodies: &[Value]) -> Vec<String> {
    let record = |(place, body)| json!({ "messageId": place, "receiptHandle": "r", "body": body });
    let places = ["0", "1", "2", "3"];
    let records: Vec<Value> = places.iter().zip(bodies).map(record).collect();
    let batch: Batch = serde_json::from_value(json!({ "Records": records })).unwrap();
    let failures = function().await.perform_all::<Errand>(batch).await;
    let mut failed: Vec<String> =
        failures.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    failed.sort();
    failed
}

#[tokio::test]
async fn a_panic_is_the_failure_of_its_message_alone() {
    assert_eq!(failed(&[json!("\"Done\""), json!("\"Panic\""), json!("\"Done\"")]).await, ["1"]);
}

#[tokio::test]
async fn what_cannot_be_buried_comes_again() {
    assert_eq!(failed(&[json!("\"Done\""), json!("nonsense"), json!(7)]).await, ["1", "2"]);
}

#[tokio::test]
async fn a_batch_whose_lost_message_has_no_name_comes_again_whole() {
    let batch: Batch = serde_json::from_value(json!({ "Records": ["nonsense"] })).unwrap();
    let failures = serde_json::to_value(function().await.perform_all::<Errand>(batch).await).unwrap();
    assert_eq!(failures, json!({ "batchItemFailures": [{ "itemIdentifier": "" }] }));
}
