//! What no job is: the API, and the import of a site. Told what the template tells them, with the rights that it gives them.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use telltale_tests::Aws;

#[tokio::test]
async fn a_site_that_was_imported_can_be_asked_for_by_whoever_signs_in() -> Result<()> {
    let aws = Aws::start().await?;
    let site = json!({
        "nodes": [{ "Name": "dale", "token": "a token of the node" }],
        "users": [{ "user": "root", "passwd": "a long password", "userGroup": "admin" }],
    });
    let imported = aws.function("import_site", &[]).await?.invoke(site).await?;
    let imported = imported.map_err(|error| anyhow::anyhow!("the import failed: {error}"))?;
    assert_eq!((&imported["nodes"], &imported["users"]), (&json!(1), &json!(1)));

    let api = aws.function("api", &[]).await?;
    let ask = async |request: Value| -> Result<Value> {
        let answer = api.invoke(request).await?.map_err(|error| anyhow::anyhow!("the API failed: {error}"))?;
        assert_eq!(answer["statusCode"], 200, "{answer}");
        Ok(serde_json::from_str(answer["body"].as_str().context("the answer is text")?)?)
    };
    let login = json!({ "user": "root", "password": "a long password" });
    let session = ask(request("POST", "/api/auth/login", None, Some(&login))).await?;
    let token = session["token"].as_str().context("the session has a token")?;
    let nodes = ask(request("GET", "/api/nodes", Some(token), None)).await?;
    assert_eq!(nodes["items"][0]["name"], "dale", "{nodes}");
    let waiting = ask(request("GET", "/api/jobs", Some(token), None)).await?;
    assert!(waiting.as_array().is_some_and(|jobs| !jobs.is_empty()), "{waiting}");
    Ok(())
}

/// A request as API Gateway hands it on (payload format 2.0).
fn request(method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {
            "host": "api.example.com", "content-type": "application/json",
            "authorization": token.map(|token| format!("Bearer {token}")).unwrap_or_default(),
        },
        "requestContext": {
            "accountId": "123456789012", "apiId": "api", "domainName": "api.example.com", "domainPrefix": "api",
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "a test",
            },
            "requestId": "id", "routeKey": "$default", "stage": "$default",
            "time": "26/Nov/2026:01:00:00 +0000", "timeEpoch": 1_795_424_466_000_u64,
        },
        "body": body.map(Value::to_string), "isBase64Encoded": false,
    })
}
