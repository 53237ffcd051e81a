//! A whole field for one test: devices, their gateway, the server, and whoever is told.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use telltale_tests::{
    Browser, Dtu, Gateway, GatewaySettings, Habits, Mailbox, Server, Session, Slave, Ups, Variant, WebhookReceiver,
};

use super::site::{CELLAR, HALL, METER, PASSWORD, SENSOR, TOKEN, settings, site};

/// Everything that stands around a server, and the server.
pub(crate) struct Field {
    pub slave: Slave,
    pub ups: Ups,
    pub mailbox: Mailbox,
    pub webhook: WebhookReceiver,
    pub server: Server,
    pub gateway: Gateway,
    pub ann: Session,
}

/// How a field differs from the usual one.
pub(crate) struct FieldSettings {
    pub variant: Variant,
    pub token: &'static str,
    pub register_after: Duration,
    /// Whether a heartbeat is posted to the webhooks' receiver, each second.
    pub beats: bool,
}

impl Default for FieldSettings {
    fn default() -> Self {
        Self { variant: Variant::OneSocket, token: TOKEN, register_after: Duration::ZERO, beats: false }
    }
}

impl Field {
    /// The usual field: 25.3 ℃, 60.0 %, a running fan; 230 V; a UPS at 220 V.
    pub(crate) async fn start() -> Result<Self> {
        Self::with(FieldSettings::default()).await
    }

    pub(crate) async fn with(wanted: FieldSettings) -> Result<Self> {
        let (slave, ups, mailbox, webhook) = tokio::try_join!(
            Slave::start([(SENSOR, &[253, 600, 1]), (METER, &[230])]),
            Ups::start("220.0 50.0 030"),
            Mailbox::start(),
            WebhookReceiver::start(),
        )?;
        let beat = format!("[heartbeat]\nurl = \"{}\"\nevery_ms = 1000\n", webhook.url());
        let settings = settings(&mailbox) + if wanted.beats { &beat } else { "" };
        let server = Server::start(&site(wanted.variant, &webhook), &settings).await?;
        let terminals =
            vec![Dtu { mac: HALL, port: slave.port(), sim: false }, Dtu { mac: CELLAR, port: ups.port(), sim: true }];
        let gateway = GatewaySettings {
            variant: wanted.variant,
            token: wanted.token,
            terminals,
            register_after: wanted.register_after,
            habits: Habits::default(),
        };
        let gateway = Gateway::start(server.url(), &gateway)?;
        let ann = server.sign_in("ann", PASSWORD).await?;
        Ok(Self { slave, ups, mailbox, webhook, server, gateway, ann })
    }

    /// A browser of that person, subscribed to `events`.
    pub(crate) async fn browser(&self, user: &str, events: &[&str]) -> Result<Browser> {
        let session = self.server.sign_in(user, PASSWORD).await?;
        Browser::start(self.server.url(), user, session.token(), events).await
    }

    /// Waits until Ann sees the sensor's newest value of that name as `display`.
    pub(crate) async fn until_sensor_shows(&self, name: &str, display: &str) -> Result<()> {
        until_latest(&self.ann, HALL, SENSOR, name, display).await
    }

    /// Waits until three more answers of the sensor are stored than are now.
    pub(crate) async fn three_more_readings(&self) -> Result<()> {
        let stored = self.sensor_history().await?.len();
        let enough = |history: &Value| (items(history).len() >= stored + 3).then_some(());
        self.ann.until(&sensor_history(), "three more readings", enough).await
    }

    /// The sensor's stored readings.
    pub(crate) async fn sensor_history(&self) -> Result<Vec<Value>> {
        Ok(items(&self.ann.get(&sensor_history()).await?))
    }

    /// Ann's alarms in that state.
    pub(crate) async fn alarms(&self, state: &str) -> Result<Vec<Value>> {
        Ok(items(&self.ann.get(&alarms(state)).await?))
    }

    /// Waits until that many of Ann's alarms are in that state.
    pub(crate) async fn until_alarms(&self, state: &str, count: usize) -> Result<Vec<Value>> {
        let wanted = format!("{count} of them");
        let found = |list: &Value| Some(items(list)).filter(|alarms| alarms.len() == count);
        self.ann.until(&alarms(state), &wanted, found).await
    }

    /// Asserts that Ann was told of so many alarms and so many recoveries, on each of her channels.
    pub(crate) fn was_told(&self, alarms: usize, recoveries: usize) {
        for (subject, times) in [("Alarm", alarms), ("Recovered", recoveries)] {
            let (webhooks, mails) = (self.webhook.deliveries(subject), self.mailbox.mails(subject));
            assert_eq!(webhooks.len(), times, "webhooks {subject:?}: {webhooks:#?}");
            assert_eq!(mails.len(), times, "mails {subject:?}: {mails:#?}");
        }
    }

    /// Waits until somebody was told so by webhook and by mail.
    pub(crate) async fn until_told(&self, subject: &str) -> Result<()> {
        let delivery = self.webhook.until_delivery(subject).await?;
        assert!(delivery.genuine, "the signature of {delivery:?} is wrong");
        let mail = self.mailbox.until_mail(subject).await?;
        assert_eq!(mail.to, ["ann@example.org"]);
        Ok(())
    }
}

/// Waits until the newest value of that name is shown as `display`, and is good.
pub(crate) async fn until_latest(who: &Session, mac: &str, pid: u8, name: &str, display: &str) -> Result<()> {
    let path = format!("/api/terminals/{mac}/devices/{pid}/latest");
    let shown = |latest: &Value| {
        let value = latest["values"].as_array()?.iter().find(|value| value["name"] == name)?;
        (value["display"] == display && value["quality"] == "good").then_some(())
    };
    who.until(&path, &format!("{name} as {display:?}"), shown).await
}

fn sensor_history() -> String {
    format!("/api/terminals/{HALL}/devices/{SENSOR}/history?limit=200")
}

fn alarms(state: &str) -> String {
    format!("/api/alarms?state={state}")
}

pub(crate) fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().cloned().unwrap_or_default()
}
