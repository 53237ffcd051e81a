//! People's own channels, from the API to receivers that check what arrives.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use telltale_tests::{Session, Verifier};

use super::{
    field::Field,
    site::{PASSWORD, SENSOR},
};

const WEBHOOKS: &str = "/api/channels/webhooks";

/// Makes a webhook; gives its path and the secret.
async fn made(session: &Session, url: &str) -> Result<(String, String)> {
    let (status, webhook) = session.post(WEBHOOKS, &json!({ "name": "My server", "url": url })).await?;
    assert_eq!(status, 201, "{webhook}");
    let id = webhook["id"].as_str().context("it has an id")?;
    Ok((format!("{WEBHOOKS}/{id}"), webhook["secret"].as_str().context("it has a secret")?.to_owned()))
}

async fn tested(session: &Session, path: &str) -> Result<Value> {
    let (status, answer) = session.post(&format!("{path}/test"), &json!({})).await?;
    assert_eq!(status, 200, "{answer}");
    Ok(answer)
}

#[tokio::test]
async fn a_webhook_is_made_tested_and_given_a_new_secret_and_the_genuine_library_verifies_all_of_it() -> Result<()> {
    let mut field = Field::start().await?;
    let mut receiver = Verifier::start("whsec_AAAA").await?;
    let (path, secret) = made(&field.ann, &receiver.url()).await?;
    receiver.checks_with(&secret).await?;
    let answer = tested(&field.ann, &path).await?;
    assert_eq!((&answer["status"], &answer["said"]), (&json!("sent"), &json!("204 No Content")));
    let (status, again) = field.ann.post(&format!("{path}/test"), &json!({})).await?;
    assert_eq!((status, &again["code"]), (429, &json!("tested-lately")));

    let (_, rotated) = field.ann.post(&format!("{path}/rotate"), &json!({})).await?;
    field.slave.set(SENSOR, &[352, 600, 1]).await?;
    receiver.until_received(2).await?;
    receiver.checks_with(rotated["secret"].as_str().context("it has a secret")?).await?;
    field.slave.set(SENSOR, &[253, 600, 1]).await?;
    receiver.until_received(3).await?;
    let all = receiver.received();
    assert!(all.iter().all(|got| got.genuine), "{all:#?}");
    let types: Vec<&Value> = all.iter().map(|got| &got.body["type"]).collect();
    assert_eq!(types, ["notice.test", "alarm.raised", "alarm.cleared"]);
    let ledger = field.ann.get("/api/notices").await?;
    let tests = |row: &&Value| row["id"] == answer["notice"];
    let row = ledger["items"].as_array().into_iter().flatten().find(tests).context("the ledger shows the test")?;
    assert_eq!(row["attempts"][0]["outcome"], "204 No Content");
    Ok(())
}

#[tokio::test]
async fn what_a_webhook_refused_is_told_by_its_test_and_sent_again_when_its_owner_asks() -> Result<()> {
    let mut field = Field::start().await?;
    let mut receiver = Verifier::start("whsec_AAAA").await?;
    let (path, secret) = made(&field.ann, &receiver.url()).await?;
    receiver.checks_with(&secret).await?;
    receiver.answer(410, json!({}), 2).await?;
    let answer = tested(&field.ann, &path).await?;
    assert_eq!(answer["status"], "failed");
    assert!(answer["said"].as_str().is_some_and(|said| said.contains("410")), "{answer}");

    field.slave.set(SENSOR, &[352, 600, 1]).await?;
    receiver.until_received(2).await?;
    let id = path.rsplit('/').next().unwrap_or_default();
    let failed = |notices: &Value| {
        let rows = notices["items"].as_array()?;
        let is_lost = |row: &&Value| row["channel"] == format!("webhook/{id}") && row["subject"] != "Test";
        rows.iter().find(is_lost).filter(|row| row["status"] == "failed").cloned()
    };
    field.ann.until("/api/notices", "a failed notice", failed).await?;
    let (_, replayed) = field.ann.post(&format!("{path}/replay"), &json!({ "since": "2020-01-01T00:00:00Z" })).await?;
    assert_eq!(replayed, json!({ "replayed": 1, "more": false }), "the test is not sent again");
    receiver.until_received(3).await?;
    let all = receiver.received();
    assert_eq!((&all[1].id, all[1].taken, all[2].taken), (&all[2].id, false, true));
    Ok(())
}

#[tokio::test]
async fn others_find_no_trace_of_a_persons_channels() -> Result<()> {
    let field = Field::start().await?;
    let receiver = Verifier::start("whsec_AAAA").await?;
    let (path, _) = made(&field.ann, &receiver.url()).await?;
    for other in ["ben", "root"] {
        let session = field.server.sign_in(other, PASSWORD).await?;
        assert_eq!(session.get(WEBHOOKS).await?["items"], json!([]), "{other}");
        assert_eq!(session.ask(&path).await?.0, 404, "{other}");
        for action in ["test", "rotate", "enable", "replay"] {
            let body = if action == "replay" { json!({ "since": "0" }) } else { json!({}) };
            assert_eq!(session.post(&format!("{path}/{action}"), &body).await?.0, 404, "{other} {action}");
        }
        assert_eq!(session.delete(&path).await?.0, 404, "{other}");
    }
    assert_eq!(field.ann.ask(&path).await?.0, 200);
    assert_eq!(receiver.received(), []);
    Ok(())
}

#[tokio::test]
async fn a_test_of_a_mailbox_arrives_there() -> Result<()> {
    let field = Field::start().await?;
    let answer = tested(&field.ann, "/api/channels/email").await?;
    assert_eq!(answer["status"], "sent", "{answer}");
    assert_eq!(field.mailbox.mails("Test").len(), 1);
    assert_eq!(field.ann.post("/api/channels/sms/test", &json!({})).await?.0, 404, "she has no telephone");
    Ok(())
}
