//! The site of these tests: a sensor and a meter on one 485 line, a UPS on a 232 line, two people.

use serde_json::{Value, json};
use telltale_tests::{Mailbox, Variant, WebhookReceiver};

/// Ann's terminal: a 485 line with the sensor and the meter.
pub(crate) const HALL: &str = "98D863CC870D";
/// Ben's terminal: a 232 line with the UPS, over a SIM.
pub(crate) const CELLAR: &str = "98D863CC870E";
/// The sensor's address on the line.
pub(crate) const SENSOR: u8 = 1;
/// The meter's.
pub(crate) const METER: u8 = 2;
/// The UPS's: the only device of a 232 line has none.
pub(crate) const UPS: u8 = 0;

/// The token of the gateway that has one.
pub(crate) const TOKEN: &str = "correct horse battery staple";
/// Everybody's password.
pub(crate) const PASSWORD: &str = "tests are no secret";

/// The settings under which the tests need not wait long.
pub(crate) const QUICK: &str = "
    [schedule]
    window_ms = 1000
    lead_ms = 500
    minimum_interval_ms = 1000
    instruction_ms = 200
    [alarms]
    offline_debounce_ms = 2500
    misses_allowed = 3
    [broker]
    operation_timeout_ms = 2000
";

/// Settings for those who are told something.
pub(crate) fn settings(mailbox: &Mailbox) -> String {
    format!(
        r#"
        {QUICK}
        [notify.smtp]
        url = "{}"
        from = "telltale@example.org"
        [words]
        public_url = "https://telltale.example"
        [notify.webhook]
        allowed_nets = ["127.0.0.0/8"]
        "#,
        mailbox.url()
    )
}

/// The site file. The gateway is known by its address or by its token, as its variant has one.
pub(crate) fn site(variant: Variant, webhook: &WebhookReceiver) -> Value {
    let node = match variant {
        Variant::OneSocket => json!({ "Name": "hill", "IP": "127.0.0.1", "Port": 9000, "MaxConnections": 100 }),
        Variant::TwoSockets => json!({ "Name": "hill", "Port": 9000, "MaxConnections": 100, "token": TOKEN }),
    };
    json!({
        "protocols": [sensor(), meter(), ups()],
        "constants": [{
            "Protocol": "sensor",
            "Threshold": [{ "name": "temperature", "min": 10, "max": 30 }],
            "OprateInstruct": [
                { "name": "set temperature", "value": "060000%i%i", "bl": "10" },
                { "name": "set both", "value": "1000000002040105%i%i", "bl": "10" },
                { "name": "set what is not there", "value": "060fff%i%i", "bl": "1" },
            ],
        }],
        "nodes": [node],
        "terminals": [
            terminal(HALL, "hall", &json!([
                { "Type": "th", "mountDev": "climate sensor", "protocol": "sensor", "pid": SENSOR },
                { "Type": "em", "mountDev": "power meter", "protocol": "meter", "pid": METER },
            ])),
            terminal(CELLAR, "cellar", &json!([
                { "Type": "ups", "mountDev": "UPS", "protocol": "ups", "pid": UPS },
            ])),
        ],
        "users": [
            {
                "user": "ann", "name": "Ann", "passwd": PASSWORD, "userGroup": "user", "terminals": [HALL],
                "mail": "ann@example.org",
                "webhook": { "url": webhook.url(), "secret": WebhookReceiver::secret() },
            },
            { "user": "ben", "name": "Ben", "passwd": PASSWORD, "userGroup": "user", "terminals": [CELLAR] },
            { "user": "root", "name": "Root", "passwd": PASSWORD, "userGroup": "admin" },
        ],
    })
}

fn terminal(mac: &str, name: &str, devices: &Value) -> Value {
    json!({ "DevMac": mac, "name": name, "mountNode": "hill", "mountDevs": devices })
}

fn sensor() -> Value {
    json!({ "Type": 485, "Protocol": "sensor", "ProtocolType": "th", "instruct": [
        { "name": "0300000002", "resultType": "hex", "formResize": [
            { "name": "temperature", "regx": "1-2", "bl": "0.1", "unit": "℃" },
            { "name": "humidity", "regx": "3-2", "bl": "0.1", "unit": "%" },
        ] },
        { "name": "0300020001", "resultType": "hex", "formResize": [
            { "name": "fan", "regx": "1-2", "bl": "1", "unit": "{0:stopped,1:running}", "isState": true },
        ] },
    ] })
}

fn meter() -> Value {
    json!({ "Type": 485, "Protocol": "meter", "ProtocolType": "em", "instruct": [
        { "name": "0300000001", "resultType": "hex", "formResize": [
            { "name": "voltage", "regx": "1-2", "bl": "1", "unit": "V" },
        ] },
    ] })
}

fn ups() -> Value {
    json!({ "Type": 232, "Protocol": "ups", "ProtocolType": "ups", "instruct": [
        { "name": "QGS", "resultType": "utf8", "isSplit": true, "shift": true, "shiftNum": 1, "pop": true, "popNum": 1,
          "formResize": [
            { "name": "input voltage", "regx": "1-1", "unit": "V" },
            { "name": "input frequency", "regx": "2-1", "unit": "Hz" },
            { "name": "load", "regx": "3-1", "unit": "%" },
        ] },
    ] })
}
