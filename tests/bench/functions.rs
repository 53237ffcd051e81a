//! The functions' programs under a Runtime API of our own: how long the first answer takes from the start of the process, and
//! how many invocations follow in a second, beside a function that does nothing.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use telltale_tests::{Aws, LambdaHost};

/// How often each is started; the middle one counts.
const STARTS: usize = 15;

/// For how long each is invoked, one invocation after the other.
const INVOKED_FOR: Duration = Duration::from_secs(3);

/// Longer than any invocation takes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The functions whose event is a batch of messages.
const OF_QUEUES: [&str; 5] = ["dispatch_queries", "process_results", "evaluate_alarms", "fan_out", "deliver_notice"];

#[tokio::main]
async fn main() -> Result<()> {
    println!("{:<28} {:>18} {:>14}  beside the trivial one", "function", "first answer after", "invocations");
    let trivial = Figures::of(async || LambdaHost::start("examples/trivial", &[], TIMEOUT).await).await?;
    trivial.print("trivial", None);
    let aws = Aws::start().await?;
    for function in OF_QUEUES {
        Figures::of(async || aws.function(function, &[]).await).await?.print(function, Some(&trivial));
    }
    Ok(())
}

/// What was measured of one function.
struct Figures {
    first_answer: Duration,
    per_second: f64,
}

impl Figures {
    async fn of(start: impl AsyncFn() -> Result<LambdaHost>) -> Result<Self> {
        let mut first_answers = Vec::new();
        let mut function = None;
        for _ in 0..STARTS {
            let begin = Instant::now();
            let started = start().await?;
            invoke(&started).await?;
            first_answers.push(begin.elapsed());
            function = Some(started);
        }
        first_answers.sort();
        let function = function.context("it was started at least once")?;
        let (begin, mut invocations) = (Instant::now(), 0_u32);
        while begin.elapsed() < INVOKED_FOR {
            invoke(&function).await?;
            invocations += 1;
        }
        let per_second = f64::from(invocations) / begin.elapsed().as_secs_f64();
        Ok(Self { first_answer: first_answers[STARTS / 2], per_second })
    }

    fn print(&self, name: &str, beside: Option<&Self>) {
        let first = format!("{:.1} ms", self.first_answer.as_secs_f64() * 1000.0);
        let ratio = beside.map(|beside| {
            let slower = self.first_answer.as_secs_f64() / beside.first_answer.as_secs_f64();
            let rate = self.per_second / beside.per_second;
            format!("{slower:.1} times as long (target 50 ms at most), {rate:.2} of its invocations")
        });
        println!("{name:<28} {first:>18} {:>12.0}/s  {}", self.per_second, ratio.unwrap_or_default());
    }
}

/// An empty batch: what is measured is the way there and back.
async fn invoke(function: &LambdaHost) -> Result<Value> {
    let answer = function.invoke(json!({ "Records": [] })).await?;
    answer.map_err(|error| anyhow::anyhow!("the function failed: {error}"))
}
