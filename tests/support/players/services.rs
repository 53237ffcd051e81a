use anyhow::Result;
use domain::Timestamp;
use serde_json::{Value, json};

use super::Player;

/// The services that carry letters: Alibaba Cloud's text messages, WeChat, and the chats' robots, which check what their
/// documents say that they check.
#[derive(Debug)]
pub struct Services {
    player: Player,
    port: u16,
}

impl Services {
    /// All of them, on the clock that stands at `now`; on our own when none.
    pub async fn start(now: Option<Timestamp>) -> Result<Self> {
        let player = Player::python("services", &json!({ "now": now }))?;
        let port = player.port().await?;
        Ok(Self { player, port })
    }

    /// Where one of them is: `aliyun`, `wechat`, `dingtalk`, `feishu`, `slack`, `telegram`.
    pub fn url(&self, service: &str) -> String {
        format!("http://127.0.0.1:{}/{service}", self.port)
    }

    /// The settings of the channels that the operator runs, with this machine's own network open.
    pub fn settings(&self) -> Value {
        json!({
            "webhook": { "allowed_nets": ["127.0.0.0/8"] },
            "aliyun_sms": {
                "access_key_id": "LTAI-test", "access_key_secret": "secret of the key", "sign_name": "天地网",
                "endpoint": self.url("aliyun"),
            },
            "wechat": {
                "app_id": "wx-test", "app_secret": "secret of the app", "template_id": "template-1",
                "endpoint": self.url("wechat"),
            },
        })
    }

    /// The URL of a robot's room, and the secret that it wants signatures with.
    pub fn room(&self, service: &str) -> (String, Option<&'static str>) {
        let secret = Some("secret of the robot");
        match service {
            "dingtalk" => (format!("{}/robot/send?access_token=123:token", self.url(service)), secret),
            "telegram" => (format!("{}/bot123:token", self.url(service)), None),
            "slack" => (format!("{}/services/T0/B0/x", self.url(service)), None),
            _ => (self.url(service), secret),
        }
    }

    /// The next calls of a service are answered so.
    pub async fn answer(&mut self, service: &str, body: Value, times: usize) -> Result<()> {
        let order = json!({ "service": service, "status": 200, "body": body, "headers": {}, "times": times });
        self.player.order_done("answer", order).await
    }

    /// WeChat's token does not count any more.
    pub async fn spend_token(&mut self) -> Result<()> {
        self.player.order_done("spend", json!({})).await
    }

    /// What a service took so far, oldest first.
    pub async fn taken(&mut self, service: &str) -> Result<Vec<Value>> {
        self.catch_up().await?;
        let taken = self.player.reports("taken").into_iter();
        Ok(taken.filter(|taken| taken["service"] == service).collect())
    }

    /// How often a token of WeChat's was asked for, and how often by force.
    pub async fn tokens(&mut self) -> Result<(usize, usize)> {
        self.catch_up().await?;
        let asked = self.player.reports("token");
        let forced = asked.iter().filter(|asked| asked["force"] == true).count();
        Ok((asked.len(), forced))
    }

    /// What was answered may not be reported yet: its reports come before that of an order that is given now.
    async fn catch_up(&mut self) -> Result<()> {
        self.answer("none", Value::Null, 0).await
    }
}
