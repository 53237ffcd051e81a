//! What no job is: the API, and the import of a site. Told what the template tells them, with the rights that it gives them.

use std::sync::Arc;

use anyhow::Result;
use boot::SystemClock;
use jobs::{
    DispatchQueries, Job,
    ports::{Enqueue, Message},
};
use serde_json::{Value, json};
use telltale_tests::{Aws, eventually};

use super::asked::Asked;

#[tokio::test]
async fn the_api_answers_whom_it_knows_and_nobody_else() -> Result<()> {
    let aws = Aws::start().await?;
    let mut asked = Asked::start(&aws).await?;
    eventually("the sign-in is logged with its request", async || asked.logged("Signed in").then_some(())).await;
    let (status, nodes) = asked.get("/api/nodes", "limit=5").await?;
    assert_eq!((status, &nodes["items"]), (200, &json!([])));
    assert_eq!(asked.get("/api/nodes", "limit=0").await?.0, 400);
    assert_eq!(asked.get("/api/counters", "").await?, (200, json!({})), "no broker has written anything down");
    assert_eq!(asked.get("/nowhere", "").await?.0, 404);
    asked.sign_out();
    let (status, problem) = asked.get("/api/nodes", "").await?;
    assert_eq!((status, &problem["code"]), (401, &json!("not-signed-in")));
    Ok(())
}

#[tokio::test]
async fn a_site_that_makes_no_sense_is_not_imported_and_says_all_that_is_wrong() -> Result<()> {
    let aws = Aws::start().await?;
    let import = aws.function("import_site", &[]).await?;
    let site = json!({
        "nodes": [{ "Name": "dale" }],
        "users": [{ "user": "root", "passwd": "short", "userGroup": "admin" }],
    });
    for (event, wrong) in [
        (site, ["node dale: it needs a token", "user root: a password has"]),
        (json!({ "nods": [] }), ["is not understood", "nods"]),
        (json!("a file?"), ["is not understood", "a map"]),
        (json!([]), ["is not understood", "a map"]),
    ] {
        let refused = import.invoke(event).await?.unwrap_err();
        let why = refused["errorMessage"].as_str().unwrap_or_default();
        assert!(wrong.iter().all(|wrong| why.contains(wrong)), "{why}");
        assert_eq!(refused["errorType"], "import_site.never");
    }
    assert_eq!(import.programs(), 1, "the program lives on");
    eventually("the refusal in the log, with its request", async || {
        let is_it = |line: &Value| line["span"]["request.id"] == import.request().as_str();
        import.log().iter().any(is_it).then_some(())
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn dead_letters_are_seen_and_tried_again_and_given_up_through_the_api() -> Result<()> {
    let mut aws = Aws::start().await?;
    let asked = Asked::start(&aws).await?;
    let queues = aws.queues(Arc::new(SystemClock)).await?;
    let nonsense = |key: &str| Message {
        job: DispatchQueries::NAME.to_owned(),
        key: key.to_owned(),
        lane: DispatchQueries::LANE,
        not_before: None,
        max_attempts: 3,
        body: format!("nonsense {key}").into(),
    };
    queues.enqueue(vec![nonsense("a"), nonsense("b")]).await?;
    let function = aws.function(DispatchQueries::NAME, &[]).await?;
    aws.take(&function, "DispatchQueriesQueue").await?;

    let path = "/api/jobs/dispatch_queries/dead-letters";
    let (status, letters) = asked.get(path, "limit=10").await?;
    assert_eq!((status, letters.as_array().map(Vec::len)), (200, Some(2)), "{letters}");
    // They died together, so either may be the older one.
    let mut letters = letters.as_array().cloned().unwrap_or_default();
    letters.sort_by_key(|letter| letter["key"].to_string());
    assert!(letters[0]["why"].as_str().is_some_and(|why| why.contains("not a dispatch_queries job")), "{letters:?}");
    assert_eq!((&letters[0]["key"], &letters[0]["attempts"]), (&json!("a"), &json!(1)), "{letters:?}");
    let depth = async || {
        let (_, jobs) = asked.get("/api/jobs", "").await.ok()?;
        jobs.as_array()?.iter().find(|job| job["job"] == "dispatch_queries").cloned()
    };
    assert_eq!(depth().await.map(|depth| depth["dead"].clone()), Some(json!(2)));

    let id = |letter: usize| letters[letter]["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(asked.ask("POST", &format!("{path}/{}/redrive", id(0)), "", None).await?.0, 204);
    assert_eq!(asked.ask("DELETE", &format!("{path}/{}", id(1)), "", None).await?.0, 204);
    assert_eq!(asked.ask("DELETE", &format!("{path}/{}", id(1)), "", None).await?.0, 404);
    eventually("one waits, none is dead", async || {
        let depth = depth().await?;
        (depth["waiting"] == 1 && depth["dead"] == 0).then_some(())
    })
    .await;
    let again = asked.ask("POST", "/api/jobs/plan_window/dead-letters/x/redrive", "", None).await?;
    assert_eq!(again.0, 400, "the schedule asks again by itself: {}", again.1);
    Ok(())
}
