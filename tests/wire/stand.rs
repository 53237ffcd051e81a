//! A smaller field for one test: the 485 line, its gateway and the server, where nobody is told anything.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use telltale_tests::{Dtu, Gateway, GatewaySettings, Habits, Server, Session, Slave, Variant, WebhookReceiver};

use super::{
    field::{items, until_latest},
    site::{HALL, METER, PASSWORD, QUICK, SENSOR, TOKEN, site},
};

/// The sensor at 25.3 ℃ and 60.0 % with a running fan, the meter at 230 V, and who asks them.
pub(crate) struct Stand {
    pub slave: Slave,
    pub server: Server,
    pub gateway: Gateway,
    pub ann: Session,
    pub root: Session,
}

impl Stand {
    pub(crate) async fn start(variant: Variant) -> Result<Self> {
        Self::with(variant, Habits::default()).await
    }

    pub(crate) async fn with(variant: Variant, habits: Habits) -> Result<Self> {
        Self::on(variant, habits, |_| {}).await
    }

    /// On a site that was changed first.
    pub(crate) async fn on(variant: Variant, habits: Habits, change: impl FnOnce(&mut Value)) -> Result<Self> {
        let (slave, webhook) =
            tokio::try_join!(Slave::start([(SENSOR, &[253, 600, 1]), (METER, &[230])]), WebhookReceiver::start())?;
        let mut site = site(variant, &webhook);
        change(&mut site);
        let server = Server::start(&site, QUICK).await?;
        let terminals = vec![Dtu { mac: HALL, port: slave.port(), sim: true }];
        let settings =
            GatewaySettings { variant, token: TOKEN, terminals, register_after: std::time::Duration::ZERO, habits };
        let gateway = Gateway::start(server.url(), &settings)?;
        let (ann, root) = tokio::try_join!(server.sign_in("ann", PASSWORD), server.sign_in("root", PASSWORD))?;
        Ok(Self { slave, server, gateway, ann, root })
    }

    /// Waits until Ann sees the sensor's newest temperature as `display`.
    pub(crate) async fn until_temperature(&self, display: &str) -> Result<()> {
        until_latest(&self.ann, HALL, SENSOR, "temperature", display).await
    }

    /// The sensor changes, and Ann sees it: whatever happened before, the next good message is served.
    pub(crate) async fn serves_the_next(&mut self, tenths: u16) -> Result<()> {
        self.slave.set(SENSOR, &[tenths, 600, 1]).await?;
        self.until_temperature(&(f64::from(tenths) / 10.0).to_string()).await?;
        ensure!(self.gateway.lives()?, "the gateway died");
        Ok(())
    }

    /// The sensor's stored readings, newest first.
    pub(crate) async fn history(&self) -> Result<Vec<Value>> {
        Ok(items(&self.ann.get(&history()).await?))
    }

    /// Waits until so many readings of the sensor are stored.
    pub(crate) async fn until_stored(&self, count: usize) -> Result<Vec<Value>> {
        let enough = |list: &Value| Some(items(list)).filter(|items| items.len() >= count);
        self.ann.until(&history(), &format!("{count} readings"), enough).await
    }

    /// Every value of that name the sensor was ever believed to have.
    pub(crate) async fn believed(&self, name: &str) -> Result<Vec<Value>> {
        let named = |reading: &Value| {
            let mut values = reading["values"].as_array()?.iter();
            values.find(|value| value["name"] == name).map(|value| value["value"].clone())
        };
        Ok(self.history().await?.iter().filter_map(named).collect())
    }

    /// Whether the node can be addressed, as administrators see it.
    pub(crate) async fn until_session(&self, ready: Option<bool>) -> Result<()> {
        let wanted = ready.map_or(json!(null), |ready| json!(ready));
        let shown = |list: &Value| (list["items"][0]["session"]["ready"] == wanted).then_some(());
        self.root.until("/api/nodes", &format!("a session that is ready: {wanted}"), shown).await
    }

    /// What the server counted under that name.
    pub(crate) async fn counted(&self, name: &str) -> Result<u64> {
        Ok(self.root.get("/api/counters").await?[name].as_u64().unwrap_or_default())
    }

    /// The alarms there are.
    pub(crate) async fn alarms(&self) -> Result<Vec<Value>> {
        Ok(items(&self.root.get("/api/alarms?state=active").await?))
    }
}

fn history() -> String {
    format!("/api/terminals/{HALL}/devices/{SENSOR}/history?limit=200")
}
