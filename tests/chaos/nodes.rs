//! The nodes that are gone, against the alarms of nodes.

use std::collections::BTreeSet;

use anyhow::Result;
use domain::Timestamp;
use serde_json::Value;
use telltale_tests::Session;

use super::load::{NODES, all, look_until};

/// Asserts, once it is so, that each node has one alarm, which began no earlier than this and goes on.
pub(crate) async fn are_missed_since(administrator: &Session, since: Timestamp) -> Result<()> {
    let since = since.rfc3339();
    let look = async || {
        let alarms = all(administrator, "/api/alarms").await?.into_iter();
        Ok(alarms.filter(|alarm| alarm["source"]["kind"] == "node").collect::<Vec<_>>())
    };
    let alarms = look_until(look, |alarms| alarms.len() >= usize::from(NODES)).await?;
    let nodes: BTreeSet<String> = alarms.iter().map(|alarm| alarm["source"]["name"].to_string()).collect();
    let is_of_the_end =
        |alarm: &Value| alarm["raised_at"].as_str() >= Some(since.as_str()) && alarm["state"] == "active";
    let are_right =
        alarms.len() == usize::from(NODES) && nodes.len() == alarms.len() && alarms.iter().all(is_of_the_end);
    assert!(are_right, "each node is missed once, since {since}: {alarms:#?}");
    Ok(())
}
