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
    let ten = Installation { devices_per_terminal: 10.0, together: 10.0, suppressed: 0.0, ..one };
    assert!(ten.writes_per_reading() <= 0.5, "{}", ten.writes_per_reading());
}

#[test]
fn more_of_anything_costs_more() {
    let usual = dollars(|_| {});
    let more: [Change; 7] = [
        |it| it.terminals *= 2.0,
        |it| it.interval /= 2.0,
        |it| it.suppressed = 0.0,
        |it| it.values = 200.0,
        |it| it.nodes *= 10.0,
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
    assert!(dollars(|it| (it.devices_per_terminal, it.together) = (247.0, 247.0)) > 0.0);
}

#[test]
fn a_batch_that_gathers_costs_less_than_one_that_does_not() {
    assert!(dollars(|it| it.gather = 1.0) < dollars(|it| it.gather = 0.0));
}

#[test]
fn what_no_installation_has_is_refused_with_its_bounds() {
    let wrong: [(Change, &str); 5] = [
        (|it| it.terminals = 0.0, "terminals"),
        (|it| it.suppressed = 1.5, "nothing new is 0 to 1, not 1.5"),
        (|it| it.interval = f64::NAN, "interval"),
        (|it| it.together = 2.0, "in one batch is 1 to 1, not 2"),
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
