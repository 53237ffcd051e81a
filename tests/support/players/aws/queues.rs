//! The queues, and what Lambda does between a queue and its function: the event source mapping.

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Aws, of};
use crate::{Invoked, LambdaHost, lambda_events};

/// A message that a queue gave.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Received {
    /// Its id, and the receipt of this receive.
    pub id: String,
    /// What it is forgotten by.
    pub receipt: String,
    /// How often it was received, this time included.
    pub receives: String,
    /// Its body.
    pub body: String,
    /// Its attributes, by name.
    pub attributes: Value,
}

/// What became of a message that a function was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The message.
    pub message: Received,
    /// Whether the queue has forgotten it. Otherwise it comes again.
    pub is_forgotten: bool,
}

impl Aws {
    /// Puts a message into a queue of the template, as AWS itself does: with a body alone.
    pub async fn put(&mut self, queue: &str, body: &str) -> Result<()> {
        let queue = self.resource(queue)?;
        self.player.order_done("put", json!({ "queue": queue, "body": body })).await
    }

    /// What a queue of the template gives now: ten messages at most.
    pub async fn receive(&mut self, queue: &str) -> Result<Vec<Received>> {
        let before = self.player.count("messages");
        let queue = self.resource(queue)?;
        self.player.order("receive", json!({ "queue": queue })).await?;
        let messages = self.player.until("done with receive", |reports| of(reports, "messages").nth(before).cloned());
        Ok(serde_json::from_value(messages.await?)?)
    }

    /// Gives a function what its queue holds now. How many messages there were, and how many are to come again.
    pub async fn pump(&mut self, function: &LambdaHost, queue: &str) -> Result<(usize, usize)> {
        let taken = self.take(function, queue).await?;
        let again = taken.iter().filter(|taken| !taken.is_forgotten).count();
        Ok((taken.len(), again))
    }

    /// Gives a function what its queue holds now, ten messages at most, and tells what became of each.
    pub async fn take(&mut self, function: &LambdaHost, queue: &str) -> Result<Vec<Taken>> {
        let received = self.receive(queue).await?;
        if received.is_empty() {
            return Ok(Vec::new());
        }
        self.deliver(function, queue, received).await
    }

    /// Gives a function these messages of its queue as one batch, and has the queue forget those that are done.
    pub async fn deliver(&mut self, function: &LambdaHost, queue: &str, batch: Vec<Received>) -> Result<Vec<Taken>> {
        let answer = function.invoke(lambda_events::sqs_batch(queue, &batch)).await?;
        self.answered(queue, batch, &answer).await
    }

    /// Has a queue forget those of a batch that are done by the function's answer, and tells what became of each.
    pub async fn answered(&mut self, queue: &str, batch: Vec<Received>, answer: &Invoked) -> Result<Vec<Taken>> {
        let failed = failed(answer, &batch);
        if failed.is_none() {
            eprintln!("a batch of {queue} comes again whole: {answer:?}");
        }
        let is_done = |message: &Received| failed.as_ref().is_some_and(|failed| !failed.contains(&message.id.as_str()));
        let taken = batch.iter().map(|message| Taken { message: message.clone(), is_forgotten: is_done(message) });
        let taken: Vec<Taken> = taken.collect();
        let done = taken.iter().filter(|taken| taken.is_forgotten);
        let receipts: Vec<&str> = done.map(|taken| taken.message.receipt.as_str()).collect();
        let queue = self.resource(queue)?;
        self.player.order_done("forget", json!({ "queue": queue, "receipts": receipts })).await?;
        Ok(taken)
    }

    /// What was received by these receipts may be received again, as if the time for which the queue hides it had gone by.
    pub async fn give_again(&mut self, queue: &str, receipts: &[&str]) -> Result<()> {
        let queue = self.resource(queue)?;
        self.player.order_done("give_again", json!({ "queue": queue, "receipts": receipts })).await
    }

    /// What a queue hides for a time, or holds back, it gives now: as if the time had gone by.
    pub async fn show(&mut self, queue: &str) -> Result<()> {
        let queue = self.resource(queue)?;
        self.player.order_done("show", json!({ "queue": queue })).await
    }
}

/// Which messages of a batch are to come again by a function's answer; none when it is no answer to the batch, or none at
/// all: then all are. See "partial batch responses" in
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>.
fn failed<'a>(answer: &'a Invoked, batch: &[Received]) -> Option<Vec<&'a str>> {
    let answer = answer.as_ref().ok()?;
    let failures = match answer {
        Value::Null => return Some(Vec::new()),
        Value::Object(answer) => answer.get("batchItemFailures").unwrap_or(&Value::Null),
        _ => return None,
    };
    if failures.is_null() {
        return Some(Vec::new());
    }
    let id = |failure: &'a Value| failure["itemIdentifier"].as_str();
    let is_of_batch = |id: &&str| batch.iter().any(|message| message.id == **id);
    failures.as_array()?.iter().map(|failure| id(failure).filter(is_of_batch)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Vec<Received> {
        let message = |id: &str| Received {
            id: id.to_owned(),
            receipt: String::new(),
            receives: "1".to_owned(),
            body: String::new(),
            attributes: Value::Null,
        };
        ["a", "b"].map(message).into()
    }

    fn told(ids: &[Value]) -> Value {
        let failures: Vec<Value> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
        json!({ "batchItemFailures": failures })
    }

    #[test]
    fn what_is_not_named_is_done() {
        for (answer, expected) in [
            (Ok(told(&[])), vec![]),
            (Ok(told(&[json!("b")])), vec!["b"]),
            (Ok(Value::Null), vec![]),
            (Ok(json!({})), vec![]),
            (Ok(json!({ "batchItemFailures": null })), vec![]),
        ] {
            assert_eq!(failed(&answer, &batch()), Some(expected), "{answer:?}");
        }
    }

    #[test]
    fn a_batch_comes_again_whole_when_it_failed_or_the_answer_makes_no_sense() {
        for answer in [
            Err(json!({ "errorType": "Sandbox.Timedout" })),
            Ok(json!("no JSON")),
            Ok(json!({ "batchItemFailures": "b" })),
            Ok(json!({ "batchItemFailures": [{ "id": "b" }] })),
            Ok(told(&[json!("b"), json!("")])),
            Ok(told(&[Value::Null])),
            Ok(told(&[json!("c")])),
        ] {
            assert_eq!(failed(&answer, &batch()), None, "{answer:?}");
        }
    }
}
