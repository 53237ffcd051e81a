//! The live channels: what a client that was away gets.

use anyhow::Result;
use serde_json::{Value, json};
use telltale_tests::{LiveClient, Proxy};

use super::{
    field::Field,
    site::{CELLAR, HALL, PASSWORD, SENSOR},
};

/// Waits until a client has so many envelopes.
async fn until_more_than(client: &LiveClient, count: usize) -> Result<()> {
    client.until(&format!("pushed more than {count} times"), |envelopes| (envelopes.len() > count).then_some(())).await
}

/// Waits until a client has of a channel what another one, that was never away, was sent since the client's first
/// subscription: in order, each once.
async fn has_all_that(stayed: &LiveClient, client: &LiveClient, channel: &str) -> Result<()> {
    let first = client.acknowledged().into_iter().find(|answer| answer["channel"] == channel);
    let first = first.and_then(|answer| answer["seq"].as_u64());
    let sent: Vec<Value> =
        stayed.envelopes_of(channel).into_iter().filter(|envelope| envelope["seq"].as_u64() > first).collect();
    let as_many = |envelopes: &[&Value]| {
        (envelopes.iter().filter(|envelope| envelope["channel"] == channel).count() >= sent.len()).then_some(())
    };
    client.until("as far", as_many).await?;
    let mut has = client.envelopes_of(channel);
    has.truncate(sent.len());
    assert!(!sent.is_empty() && has == sent, "{has:#?} instead of {sent:#?}");
    Ok(())
}

#[tokio::test]
async fn a_client_that_was_away_gets_exactly_what_it_missed() -> Result<()> {
    let mut field = Field::start().await?;
    let channels = [HALL, "me"];
    let stayed = LiveClient::start(field.server.url(), field.ann.token(), &channels).await?;
    let mut left = LiveClient::start(field.server.url(), field.ann.token(), &channels).await?;
    until_more_than(&left, 1).await?;

    left.leave().await?;
    field.slave.set(SENSOR, &[352, 600, 1]).await?;
    let is_alarm = |envelope: &&Value| envelope["channel"] == "me" && envelope["event"] == "alarm";
    stayed.until("told of the alarm", |envelopes| envelopes.iter().any(is_alarm).then_some(())).await?;
    until_more_than(&stayed, stayed.envelopes().len() + 2).await?;
    left.come(field.server.url()).await?;
    has_all_that(&stayed, &left, HALL).await?;
    has_all_that(&stayed, &left, "me").await
}

#[tokio::test]
async fn a_client_whose_connection_breaks_in_the_middle_misses_nothing() -> Result<()> {
    let field = Field::start().await?;
    let proxy = Proxy::start(vec![field.server.url().trim_start_matches("http://").to_owned()]).await?;
    let stayed = LiveClient::start(field.server.url(), field.ann.token(), &[HALL]).await?;
    let broken = LiveClient::start(proxy.url(), field.ann.token(), &[HALL]).await?;
    for cuts in 1..=3 {
        until_more_than(&broken, broken.envelopes().len() + 1).await?;
        proxy.cut();
        broken.until_acknowledged(cuts + 1).await?;
    }
    has_all_that(&stayed, &broken, HALL).await
}

#[tokio::test]
async fn after_a_restart_of_the_one_process_there_is_a_gap_and_a_snapshot() -> Result<()> {
    let mut field = Field::start().await?;
    let mut client = LiveClient::start(field.server.url(), field.ann.token(), &[HALL, "me"]).await?;
    until_more_than(&client, 0).await?;
    client.leave().await?;
    field.server.terminate().await?;
    field.server.restart().await?;
    client.come(field.server.url()).await?;
    for (channel, snapshot) in [(HALL, format!("/api/terminals/{HALL}")), ("me", "/api/alarms".to_owned())] {
        let gap = client
            .until("told of a gap", |envelopes| {
                let gap = envelopes.iter().find(|one| one["event"] == "gap" && one["channel"] == channel)?;
                Some((*gap).clone())
            })
            .await?;
        assert_eq!(gap["snapshot"], json!(snapshot), "{gap}");
        field.ann.get(&snapshot).await?;
    }
    Ok(())
}

#[tokio::test]
async fn who_may_not_see_a_terminal_is_told_why_and_hears_nothing_of_it() -> Result<()> {
    let field = Field::start().await?;
    let ben = field.server.sign_in("ben", PASSWORD).await?;
    let stayed = LiveClient::start(field.server.url(), field.ann.token(), &[HALL]).await?;
    let mut client = LiveClient::start(field.server.url(), ben.token(), &[HALL, CELLAR, "me"]).await?;
    let refused = json!({ "channel": HALL, "ok": false, "code": "not_yours" });
    assert_eq!(client.acknowledged()[0], refused);
    until_more_than(&stayed, stayed.envelopes().len() + 2).await?;
    client.leave().await?;
    client.come(field.server.url()).await?;
    until_more_than(&client, client.envelopes().len() + 1).await?;
    assert!(client.acknowledged().contains(&refused));
    assert!(client.envelopes().iter().all(|envelope| envelope["channel"] != HALL), "{:?}", client.envelopes());
    Ok(())
}
