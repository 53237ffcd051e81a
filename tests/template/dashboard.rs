//! The dashboard's text is JSON in YAML, which nobody reads before AWS does.

use serde_json::Value;

use super::stack::{functions, jobs, properties};

#[test]
fn the_dashboard_is_whole_with_a_broker_and_without() {
    for broker in [true, false] {
        let widgets = widgets(broker);
        let mut places: Vec<(u64, u64)> = Vec::new();
        for widget in &widgets {
            let place = (widget["x"].as_u64().unwrap(), widget["y"].as_u64().unwrap());
            assert!(!places.contains(&place), "two widgets are at {place:?}");
            places.push(place);
            assert!(place.0 + widget["width"].as_u64().unwrap() <= 24, "{widget} is wider than the dashboard");
            assert!(!widget["properties"]["metrics"].as_array().unwrap().is_empty(), "{widget}");
        }
        let shows_broker = widgets.iter().any(|widget| widget.to_string().contains("ActiveFlowCount_TLS"));
        assert_eq!(shows_broker, broker);
    }
}

#[test]
fn the_dashboard_shows_every_function_and_every_queue() {
    let shown = Value::from(widgets(true)).to_string();
    for (_, name, _) in functions() {
        // Invocations, errors, throttles and how long they take.
        assert_eq!(shown.matches(&format!("\"{name}\"")).count(), 4, "{name}");
    }
    for job in jobs() {
        // What it says of itself: units written, units read, requests to queues.
        assert_eq!(shown.matches(&format!("\"{}\"", job.name)).count(), 3, "{}", job.name);
        let (queue, letters) = (format!("\"{}Queue\"", job.resource), format!("\"{}DeadLetters\"", job.resource));
        assert_eq!(shown.matches(&letters).count(), 1, "{letters}");
        assert_eq!(shown.matches(&queue).count(), if job.is_scheduled { 0 } else { 2 }, "{queue}");
    }
}

/// The dashboard's widgets, with the names of resources in place of what they are called in the account.
fn widgets(broker: bool) -> Vec<Value> {
    let body = &properties("AWS::CloudWatch::Dashboard", "Dashboard")["DashboardBody"]["Fn::Sub"];
    let alone = &body[1]["Broker"]["Fn::If"];
    assert_eq!(alone[0], "HasBroker");
    let more = if broker { alone[1]["Fn::Sub"].as_str().unwrap() } else { alone[2].as_str().unwrap() };
    let text = resolved(&body[0].as_str().unwrap().replace("${Broker}", more));
    let dashboard: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in:\n{text}"));
    dashboard["widgets"].as_array().unwrap().clone()
}

/// A text whose `${Name}` and `${Name.Attribute}` are replaced by the name.
fn resolved(text: &str) -> String {
    let mut parts = text.split("${");
    let mut resolved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap();
        resolved.push_str(name.split('.').next().unwrap());
        resolved.push_str(rest);
    }
    resolved
}
