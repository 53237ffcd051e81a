//! What the functions consume, as metrics: lines of the log in CloudWatch's Embedded Metric Format.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use table::{Consumed, Units};

/// Where the metrics are found, under the dimension `Function`.
const NAMESPACE: &str = "Telltale";

/// What was consumed since the process started.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Totals {
    reckoned: Units,
    told: Units,
    requests: u64,
}

/// Tells what each invocation added.
pub(crate) struct Metrics {
    consumed: Arc<Consumed>,
    last: Mutex<Totals>,
}

impl Metrics {
    /// Of a table's calls, and of the requests that are told with them.
    pub(crate) fn new(consumed: Arc<Consumed>) -> Self {
        Self { consumed, last: Mutex::default() }
    }

    /// The line for what was consumed since the last one, if anything was; `requests` is the number of calls to queues so far.
    pub(crate) fn line(&self, function: &str, millis: i64, requests: u64) -> Option<Value> {
        let totals = Totals { reckoned: self.consumed.reckoned(), told: self.consumed.told(), requests };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let line = (totals != *last).then(|| line(function, millis, *last, totals));
        *last = totals;
        line
    }
}

fn line(function: &str, millis: i64, last: Totals, totals: Totals) -> Value {
    let metric = |name: &str| json!({ "Name": name, "Unit": "Count" });
    let names = ["ConsumedReadUnits", "ConsumedWriteUnits", "BilledReadUnits", "BilledWriteUnits", "QueueRequests"];
    json!({
        "_aws": {
            "Timestamp": millis,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Function"]],
                "Metrics": names.map(metric),
            }],
        },
        "Function": function,
        "ConsumedReadUnits": totals.reckoned.reads - last.reckoned.reads,
        "ConsumedWriteUnits": totals.reckoned.writes - last.reckoned.writes,
        "BilledReadUnits": totals.told.reads - last.told.reads,
        "BilledWriteUnits": totals.told.writes - last.told.writes,
        "QueueRequests": totals.requests - last.requests,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_consumed_nothing_tells_nothing() {
        let metrics = Metrics::new(Arc::default());
        assert_eq!(metrics.line("sweep", 0, 0), None);
        assert!(metrics.line("sweep", 0, 1).is_some());
        assert_eq!(metrics.line("sweep", 0, 1), None);
    }

    #[test]
    fn a_line_tells_what_was_added_since_the_last() {
        let first = Totals { reckoned: Units { reads: 2.0, writes: 1.0 }, requests: 3, ..Totals::default() };
        let second = Totals { reckoned: Units { reads: 2.0, writes: 5.0 }, requests: 4, ..Totals::default() };
        let told = line("process_results", 1_795_424_466_000, first, second);
        assert_eq!((&told["ConsumedReadUnits"], &told["ConsumedWriteUnits"]), (&json!(0.0), &json!(4.0)));
        assert_eq!((&told["QueueRequests"], &told["Function"]), (&json!(1), &json!("process_results")));
        let directive = &told["_aws"]["CloudWatchMetrics"][0];
        let named = directive["Metrics"].as_array().unwrap();
        assert!(named.iter().all(|metric| told[metric["Name"].as_str().unwrap()].is_number()), "{told}");
    }
}
