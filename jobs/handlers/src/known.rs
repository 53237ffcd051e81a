//! What is known of terminals, nodes and parts of the platform, as values that rules look at.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    alarm::{Metric, Observed, Target, metric},
};
use records::{nodes::RunInfo, terminals::Terminal};
use serde_json::Value;

/// What is known of a terminal's SIM at an instant: nothing of one without a plan.
pub(crate) fn of_sim(terminal: &Terminal, now: Timestamp) -> Vec<Observed> {
    let Some(plan) = &terminal.data_plan else { return Vec::new() };
    let days = plan.days_left(now).map(|days| metric::SIM_DAYS_LEFT.number(days));
    let left = plan.left().map(|left| metric::DATA_LEFT.number(left));
    let kilobytes = |of: Metric, amount: Option<u64>| amount.map(|amount| of.number(as_number(amount)));
    let amounts = [kilobytes(metric::DATA_LEFT_KB, plan.left_kb), kilobytes(metric::DATA_USED_KB, plan.used_kb)];
    days.into_iter().chain(left).chain(amounts.into_iter().flatten()).collect()
}

/// What a gateway told of a terminal, of the signal it has and of its connection.
pub(crate) fn of_connection(signal: Option<u32>, state: Option<&str>, score: Option<u32>) -> Vec<Observed> {
    let signal = signal.map(|signal| metric::SIGNAL.number(f64::from(signal)));
    let state = state.map(|state| metric::STATE.text(state));
    let score = score.map(|score| metric::SCORE.number(f64::from(score)));
    signal.into_iter().chain(state).chain(score).collect()
}

/// What a gateway program said of its machine. What is no number there is left out.
pub(crate) fn of_node(said: &RunInfo) -> Vec<Observed> {
    let number = |name: &str| said.info.get(name).and_then(Value::as_f64);
    let load = said.info.get("loadavg").and_then(|loads| loads.get(0)).and_then(Value::as_f64);
    let memory = number("freemem").zip(number("totalmem")).filter(|(_, total)| *total > 0.0);
    let connections = Some(metric::CONNECTIONS.number(f64::from(said.connections)));
    let said = [
        connections,
        load.map(|load| metric::LOAD.number(load)),
        memory.map(|(free, total)| metric::MEMORY_FREE.number(free * 100.0 / total)),
        number("uptime").map(|uptime| metric::UPTIME.number(uptime)),
    ];
    said.into_iter().flatten().collect()
}

/// What a part of the platform counted, as far as rules have a name for it.
pub(crate) fn of_platform(counted: &BTreeMap<String, f64>) -> Vec<Observed> {
    let metrics = Target::Platform.metrics().iter();
    metrics.filter_map(|metric| Some(metric.number(*counted.get(metric.name)?))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "no plan has 2^53 KB")]
fn as_number(amount: u64) -> f64 {
    amount as f64
}

#[cfg(test)]
mod tests {
    use domain::schedule::DataPlan;
    use serde_json::json;

    use super::*;

    fn shown(values: &[Observed]) -> Vec<String> {
        values.iter().map(|value| format!("{} {} {}", value.name, value.display, value.unit)).collect()
    }

    #[test]
    fn a_sim_has_days_and_data_left() {
        let day = 86_400_000;
        let plan = DataPlan {
            flow_kb: 1000,
            used_kb: Some(925),
            left_kb: Some(75),
            expires: Some(Timestamp(10 * day)),
            ..DataPlan::default()
        };
        let (mac, name, node) = ("AABBCCDDEE01".parse().unwrap(), String::new(), String::new());
        let (devices, info) = (Vec::new(), BTreeMap::new());
        let mut terminal = Terminal { mac, name, node, devices, iccid: None, data_plan: Some(plan), info };
        let known = of_sim(&terminal, Timestamp(11 * day));
        assert_eq!(
            shown(&known),
            ["sim_days_left -1 d", "data_left 7.5 %", "data_left_kb 75 KB", "data_used_kb 925 KB"]
        );
        terminal.data_plan = Some(DataPlan { used_kb: Some(1), ..DataPlan::default() });
        assert_eq!(shown(&of_sim(&terminal, Timestamp(0))), ["data_used_kb 1 KB"], "of nothing nothing is left");
        terminal.data_plan = None;
        assert_eq!(of_sim(&terminal, Timestamp(0)), []);
    }

    #[test]
    fn a_node_says_what_of_its_machine_is_a_number() {
        let info = json!({ "loadavg": [0.5, 1, 2], "freemem": 1, "totalmem": 3, "uptime": "long" });
        let said = RunInfo { at: Timestamp(0), info, connections: 3 };
        assert_eq!(shown(&of_node(&said)), ["connections 3 ", "load 0.5 ", "memory_free 33.33 %"]);
        let said = RunInfo { info: json!("nothing"), ..said };
        assert_eq!(shown(&of_node(&said)), ["connections 3 "]);
    }
}
