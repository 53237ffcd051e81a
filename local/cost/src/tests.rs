use super::*;

type Change = fn(&mut Installation);

fn dollars(change: impl FnOnce(&mut Installation)) -> f64 {
    let mut installation = Installation::default();
    change(&mut installation);
    installation.check().unwrap();
    bill(installation).dollars
}

#[test]
fn the_lines_add_up_to_the_bill() {
    let bill = bill(Installation::default());
    let lines: f64 = bill.usage.iter().chain(&bill.alarms).chain(&bill.fixed).map(|line| line.dollars).sum();
    assert!((lines - bill.dollars).abs() < 1e-9);
    assert!((bill.dollars / 1000.0 - bill.dollars_per_device).abs() < 1e-9);
    assert!(bill.usage.iter().all(|line| line.amount > 0.0 && (line.amount * line.price - line.dollars).abs() < 1e-12));
}

#[test]
fn a_reading_costs_what_the_budget_allows() {
    let one = Installation { interval: 5.0, ..Installation::default() };
    assert!(one.writes_per_reading() <= 0.25, "{}", one.writes_per_reading());
    let ten = Installation { devices_per_terminal: 10.0, interval: 10.0, suppressed: 0.0, ..one };
    let ten = Installation { together: Some(10.0), ..ten };
    assert!(ten.writes_per_reading() <= 0.5, "{}", ten.writes_per_reading());
}

#[test]
fn more_of_anything_costs_more() {
    let usual = dollars(|_| {});
    let more: [Change; 6] = [
        |it| it.terminals *= 2.0,
        |it| it.interval /= 2.0,
        |it| it.suppressed = 0.0,
        |it| it.values = 200.0,
        |it| it.brokers += 1.0,
        |it| it.alarms *= 2.0,
    ];
    for (number, change) in more.into_iter().enumerate() {
        assert!(dollars(change) > usual, "change {number}");
    }
}

#[test]
fn what_never_moves_is_stored_once_in_the_silence() {
    let stored = |interval, suppressed| Installation { interval, suppressed, ..Installation::default() }.stored();
    assert!((stored(5.0, 1.0) - 1.0 / 60.0).abs() < 1e-9);
    assert!((stored(60.0, 1.0) - 0.2).abs() < 1e-9);
    assert!((stored(600.0, 0.9) - 1.0).abs() < 1e-9, "asked less often than that, every reading is stored");
    assert!((stored(5.0, 0.5) - 0.5).abs() < 1e-9);
}

#[test]
fn a_line_may_be_as_long_as_modbus_allows() {
    assert!(dollars(|it| (it.devices_per_terminal, it.interval) = (247.0, 300.0)) > 0.0);
}

#[test]
fn a_batch_that_gathers_costs_less_than_one_that_does_not() {
    assert!(dollars(|it| it.gather = 1.0) < dollars(|it| it.gather = 0.0));
}

#[test]
fn a_node_with_three_posts_ends_a_batch_however_much_is_posted() {
    let one = Installation { interval: 5.0, nodes: 1.0, brokers: 1.0, ..Installation::default() };
    let batch = one.batch();
    assert!((2.95..3.05).contains(&batch.readings), "two after the first, of 200 a second: {batch:?}");
    assert!((batch.of_a_terminal - 1.0).abs() < 1e-9, "each has one device: {batch:?}");
    let ten = Installation { terminals: 100.0, devices_per_terminal: 10.0, interval: 10.0, ..one };
    assert!(ten.batch().of_a_terminal < 1.1, "{:?}", ten.batch());
}

#[test]
fn more_nodes_make_fuller_batches() {
    let batch = |nodes| Installation { terminals: 10_000.0, interval: 5.0, nodes, ..Installation::default() }.batch();
    assert!(batch(100.0).readings > 2.0 * batch(10.0).readings);
}

#[test]
fn a_batch_is_no_larger_than_a_message_and_no_smaller_than_a_reading() {
    let huge = Installation { terminals: 1e6, interval: 60.0, nodes: 1e5, gather: 10.0, ..Installation::default() };
    assert!((150.0..200.5).contains(&huge.batch().readings), "{:?}", huge.batch());
    let lone = Installation { terminals: 1.0, nodes: 1.0, ..Installation::default() };
    assert_eq!(lone.batch(), Batch { readings: 1.0, of_a_terminal: 1.0 });
    let none = Installation { gather: 0.0, ..Installation::default() };
    assert_eq!(none.batch(), Batch { readings: 1.0, of_a_terminal: 1.0 });
}

#[test]
fn what_functions_are_given_at_once_costs_less() {
    let one_by_one = dollars(|it| it.interval = 5.0);
    assert!(dollars(|it| (it.interval, it.messages_per_run) = (5.0, 10.0)) < one_by_one);
}

#[test]
fn what_no_installation_has_is_refused_with_its_bounds() {
    let wrong: [(Change, &str); 7] = [
        (|it| (it.devices_per_terminal, it.interval) = (10.0, 5.0), "each device of a line takes one, is 10 to"),
        (|it| it.messages_per_run = 11.0, "at once is 1 to 10, not 11"),
        (|it| it.terminals = 0.0, "terminals"),
        (|it| it.suppressed = 1.5, "nothing new is 0 to 1, not 1.5"),
        (|it| it.interval = f64::NAN, "interval"),
        (|it| it.together = Some(2.0), "in one batch is 1 to 1, not 2"),
        (|it| it.sms_price = -1.0, "price"),
    ];
    for (change, named) in wrong {
        let mut installation = Installation::default();
        change(&mut installation);
        let refused = installation.check().unwrap_err().to_string();
        assert!(refused.contains(named), "{refused}");
    }
}

#[test]
fn what_a_thousand_readings_consume_is_what_the_bill_counts() {
    let bill = bill(Installation::default());
    let writes = bill.usage.iter().find(|line| line.what == "DynamoDB writes").unwrap();
    let per_thousand = writes.amount * 1e6 / bill.readings * 1000.0;
    assert!((per_thousand - bill.thousand_readings.writes).abs() < 1e-6);
    let requests = bill.usage.iter().find(|line| line.what == "SQS requests").unwrap();
    let per_thousand = requests.amount * 1e6 / bill.readings * 1000.0;
    assert!(per_thousand > bill.thousand_readings.queue_requests, "plans and looks come on top");
}
