use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use jobs::ports::QueueError;

use super::*;
use crate::fakes::{CutOff, MemoryTable};

/// As every queue does: a key that waits is taken once.
#[derive(Default)]
struct OneOfAKey(Mutex<BTreeMap<String, Message>>);

#[async_trait]
impl Enqueue for OneOfAKey {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        let mut waiting = self.0.lock().unwrap();
        for message in messages {
            waiting.entry(message.key.clone()).or_insert(message);
        }
        Ok(())
    }
}

#[tokio::test]
async fn every_node_of_a_dead_broker_is_reported_lost_also_where_the_table_goes_away_meanwhile() {
    let table = Arc::new(MemoryTable::default());
    for number in 0..400 {
        let session = Session {
            node: format!("n{number:03}"),
            broker: "dead".to_owned(),
            connection: format!("c{number}"),
            since: Timestamp(1000),
            ready: true,
        };
        nodes::open_session(table.as_ref(), &session).await.unwrap();
    }
    let (way, queue) = (CutOff::never(Arc::clone(&table)), OneOfAKey::default());
    let lost = |session: &Session| (session.broker == "dead").then_some(Timestamp(2000));
    way.after(100);
    assert!(end_stale_sessions(&way, &queue, "dead", lost).await.is_err());
    way.mend();
    end_stale_sessions(&way, &queue, "dead", lost).await.unwrap();
    assert_eq!(nodes::sessions(table.as_ref()).await.unwrap(), []);
    let waiting = queue.0.lock().unwrap();
    let batches = waiting.values().map(|message| serde_json::from_slice::<ProcessResults>(&message.body).unwrap());
    let lost: BTreeSet<String> = batches.flat_map(|batch| batch.reports).map(|report| report.node).collect();
    assert_eq!(lost.len(), 400);
}
