//! What goes wrong with Telltale itself is told to its operator.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sources::read;

use super::stack::{all, entry, functions, jobs, properties, resource, target};

#[test]
fn every_alarm_goes_to_the_operator() {
    for (name, alarm) in all("AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["Properties"]["AlarmActions"], json!([{ "Ref": "OperatorTopic" }]), "{name}");
        assert_ne!(alarm["Properties"]["ActionsEnabled"], false, "{name}");
    }
}

#[test]
fn cloudwatch_may_publish_to_the_operators_topic() {
    let key = &properties("AWS::SNS::Topic", "OperatorTopic")["KmsMasterKeyId"];
    assert_ne!(key, "alias/aws/sns", "CloudWatch may not use that key, and its alarms would be lost in silence");
    let subscription = properties("AWS::SNS::Subscription", "OperatorSubscription");
    assert_eq!(target(&subscription["TopicArn"]), Some("OperatorTopic"));
    assert_eq!(target(&subscription["Endpoint"]), Some("OperatorEmail"));
}

#[test]
fn one_dead_letter_is_an_alarm() {
    for job in jobs() {
        let letters = format!("{}DeadLetters", job.resource);
        let alarm = alarm("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", &letters);
        assert_eq!(alarm["EvaluationPeriods"], 1, "{letters}");
        assert!(rings(alarm, 1) && !rings(alarm, 0), "{letters}: {alarm}");
    }
}

#[test]
fn a_job_that_lags_is_an_alarm() {
    for job in jobs().iter().filter(|job| !job.is_scheduled) {
        let queue = format!("{}Queue", job.resource);
        let alarm = alarm("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", &queue);
        assert_eq!(alarm["Statistic"], "Maximum", "{queue}");
        // Sooner it would ring of evidence that waits for its minute; later nobody would call it an alarm.
        assert!(rings(alarm, 900) && !rings(alarm, 59), "{queue}: {alarm}");
    }
}

#[test]
fn every_function_has_an_alarm_of_its_errors_and_one_of_its_throttles() {
    for (_, name, _) in functions() {
        for metric in ["Errors", "Throttles"] {
            let alarm = alarm("AWS/Lambda", metric, "FunctionName", name);
            assert_eq!(alarm["Statistic"], "Sum", "{metric} of {name}");
            assert!(rings(alarm, 1) && !rings(alarm, 0), "{metric} of {name}: {alarm}");
        }
    }
}

#[test]
fn a_schedule_that_does_not_tick_is_an_alarm_unless_it_is_meant_to() {
    for job in jobs().iter().filter(|job| job.is_scheduled) {
        let alarm = alarm("AWS/Lambda", "Invocations", "FunctionName", &format!("{}Function", job.resource));
        assert_eq!(alarm["TreatMissingData"], "breaching", "{}", job.name);
        assert!(rings(alarm, 0) && !rings(alarm, 1), "{}: {alarm}", job.name);
        assert_eq!(resource(&format!("{}SilenceAlarm", job.resource))["Condition"], "IsScheduled");
    }
}

#[test]
fn a_table_that_turns_work_away_and_an_api_that_fails_are_alarms() {
    for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] {
        assert!(rings(alarm("AWS/DynamoDB", metric, "TableName", "Table"), 1), "{metric}");
    }
    assert!(rings(alarm("AWS/ApiGateway", "5xx", "ApiId", "HttpApi"), 1));
}

#[test]
fn a_broker_that_is_gone_is_an_alarm() {
    let alarm = alarm("AWS/NetworkELB", "HealthyHostCount", "TargetGroup", "BrokerTargets");
    assert_eq!(target(entry(&alarm["Dimensions"], "LoadBalancer")), Some("BrokerBalancer"));
    assert_eq!(alarm["TreatMissingData"], "breaching");
    assert!(rings(alarm, 0) && !rings(alarm, 1), "{alarm}");
}

#[test]
fn a_broker_that_says_that_something_is_away_is_an_alarm_for_as_long_as_it_says_so() {
    let filter = properties("AWS::Logs::MetricFilter", "BrokerAwayFilter");
    assert_eq!(target(&filter["LogGroupName"]), Some("BrokerLogs"));
    let word = filter["FilterPattern"].as_str().unwrap().trim_matches('"');
    assert!(
        read("infra/broker/src/lookout/teller.rs").contains(&format!("{word} =")),
        "the broker's log has no {word}"
    );
    let counted = &filter["MetricTransformations"][0];
    let alarm = properties("AWS::CloudWatch::Alarm", "BrokerAwayAlarm");
    assert_eq!(alarm["MetricName"], counted["MetricName"]);
    assert_eq!(alarm["Namespace"], counted["MetricNamespace"]);
    assert_eq!(alarm["DatapointsToAlarm"], 1);
    assert!(rings(alarm, 1) && !rings(alarm, 0), "{alarm}");
}

#[test]
fn each_severity_has_a_topic_that_notices_are_told_to() {
    let told = &properties("AWS::Lambda::Function", "DeliverNoticeFunction")["Environment"]["Variables"];
    let topics = [("CRITICAL", "Critical"), ("WARNING", "Warning"), ("INFO", "Info")].map(|(severity, name)| {
        let topic = target(&told[format!("TELLTALE_TOPICS__{severity}")]).unwrap();
        assert_eq!(topic, format!("{name}AlarmTopic"));
        properties("AWS::SNS::Topic", topic);
        topic
    });
    assert_eq!(BTreeSet::from(topics).len(), 3);
}

/// The alarm of a metric of a resource.
fn alarm(namespace: &str, metric: &str, dimension: &str, of: &str) -> &'static Value {
    let found = all("AWS::CloudWatch::Alarm").into_iter().map(|(_, alarm)| &alarm["Properties"]).find(|alarm| {
        let watched = target(entry(&alarm["Dimensions"], dimension));
        alarm["Namespace"] == namespace && alarm["MetricName"] == metric && watched == Some(of)
    });
    found.unwrap_or_else(|| panic!("{of} has no alarm of its {metric}"))
}

/// Whether an alarm rings at a value.
fn rings(alarm: &Value, value: u64) -> bool {
    let threshold = alarm["Threshold"].as_u64().unwrap();
    match alarm["ComparisonOperator"].as_str().unwrap() {
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "LessThanThreshold" => value < threshold,
        other => panic!("{other} is not known here"),
    }
}
