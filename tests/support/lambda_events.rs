//! Events as AWS shapes them for a function.

use serde_json::{Map, Value, json};

use crate::Received;

/// A batch of a queue's messages: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>.
pub fn sqs_batch<'a>(queue: &str, messages: impl IntoIterator<Item = &'a Received>) -> Value {
    let records: Vec<Value> = messages.into_iter().map(|message| sqs_record(queue, message)).collect();
    json!({ "Records": records })
}

/// One message of such a batch.
pub fn sqs_record(queue: &str, message: &Received) -> Value {
    let attribute = |(name, value): (&String, &Value)| {
        let attribute = json!({
            "stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String",
        });
        (name.clone(), attribute)
    };
    let attributes: Map<String, Value> = message.attributes.as_object().into_iter().flatten().map(attribute).collect();
    json!({
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": message.receives,
            "SentTimestamp": "1795424466000",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1795424466001",
        },
        "messageAttributes": attributes,
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:123456789012:{queue}"),
        "awsRegion": "us-east-1",
    })
}

/// A tick of the schedule at `time`, as RFC 3339:
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html>.
pub fn tick(time: &str) -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": time,
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/each-minute"],
        "detail": {},
    })
}

/// What Lambda gives to the dead letters of a function that it invoked by itself with this event, and as often as is said in
/// vain: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>.
pub fn undone(function: &str, event: &Value, error: &Value, runs: u32) -> Value {
    json!({
        "version": "1.0",
        "timestamp": "2026-11-24T07:05:00.000Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": format!("arn:aws:lambda:us-east-1:123456789012:function:{function}:$LATEST"),
            "condition": "RetriesExhausted",
            "approximateInvokeCount": runs,
        },
        "requestPayload": event,
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
        "responsePayload": error,
    })
}

/// A request to an HTTP API, as its proxy integration gives it to a function in payload format 2.0:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
#[derive(Debug, Clone)]
pub struct HttpRequest<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path, percent-encoded, with its leading slash.
    pub path: &'a str,
    /// The query, percent-encoded, without its question mark; empty for none.
    pub query: &'a str,
    /// The headers but for cookies; their names in any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The cookies, each as `name=value`.
    pub cookies: &'a [&'a str],
    /// The body, if any.
    pub body: Option<&'a str>,
}

impl HttpRequest<'_> {
    /// The event. A field of which there is nothing is left out, as AWS leaves it out.
    pub fn event(&self) -> Value {
        let lower = |(name, value): &(&str, &str)| (name.to_ascii_lowercase(), json!(value));
        let headers: Map<String, Value> = self.headers.iter().map(lower).collect();
        let agent = headers.get("user-agent").cloned().unwrap_or_else(|| json!(""));
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api-id",
                "domainName": "id.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "id",
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": agent,
                },
                "requestId": "id",
                "routeKey": "$default",
                "stage": "$default",
                "time": "23/Nov/2026:09:01:06 +0000",
                "timeEpoch": 1_795_424_466_000_u64,
            },
            "isBase64Encoded": false,
        });
        if !self.query.is_empty() {
            event["queryStringParameters"] = Value::Object(parameters(self.query));
        }
        if !self.cookies.is_empty() {
            event["cookies"] = json!(self.cookies);
        }
        if let Some(body) = self.body {
            event["body"] = json!(body);
        }
        event
    }
}

/// A query's parameters; those of one name are joined with commas.
fn parameters(query: &str) -> Map<String, Value> {
    let mut parameters = Map::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let joined = match parameters.get(name).and_then(Value::as_str) {
            Some(known) => format!("{known},{value}"),
            None => value.to_owned(),
        };
        parameters.insert(name.to_owned(), Value::String(joined));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_shape_of_payload_format_2() {
        let request = HttpRequest {
            method: "POST",
            path: "/api/nodes",
            query: "a=1&a=2&b=3",
            headers: &[("Content-Type", "application/json"), ("User-Agent", "agent")],
            cookies: &["token=t"],
            body: Some("{}"),
        };
        let event = request.event();
        assert_eq!((&event["version"], &event["routeKey"]), (&json!("2.0"), &json!("$default")));
        assert_eq!(event["headers"], json!({ "content-type": "application/json", "user-agent": "agent" }));
        assert_eq!(event["queryStringParameters"], json!({ "a": "1,2", "b": "3" }));
        assert_eq!((&event["cookies"], &event["body"]), (&json!(["token=t"]), &json!("{}")));
        assert_eq!(event["requestContext"]["http"]["userAgent"], "agent");
        let bare = HttpRequest { method: "GET", query: "", headers: &[], cookies: &[], body: None, ..request };
        for absent in ["queryStringParameters", "cookies", "body"] {
            assert_eq!(bare.event().get(absent), None, "{absent}");
        }
    }
}
