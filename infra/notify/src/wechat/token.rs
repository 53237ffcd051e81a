//! The account's access token: one for everybody who sends, asked for anew before it ends.

use std::time::Duration;

use domain::Timestamp;
use jobs::ports::Delivery;
use serde_json::json;
use tokio::sync::Mutex;

use super::Wire;
use crate::secret::Secret;

/// So long before its end a token is not used any more: our clock may be slow, and a message takes its time.
const SPARE: Duration = Duration::from_mins(5);

/// The tokens. They are asked for at `stable_token`: that gives everybody the same one, so that no process makes another's void.
pub(super) struct Tokens {
    app_id: String,
    app_secret: Secret,
    /// Whoever holds it asks; the others wait, and take what came.
    known: Mutex<Option<Token>>,
}

struct Token {
    value: String,
    until: Timestamp,
}

impl Tokens {
    pub(super) fn new(app_id: String, app_secret: Secret) -> Self {
        Self { app_id, app_secret, known: Mutex::default() }
    }

    /// A token that counts still.
    pub(super) async fn current(&self, wire: &Wire, now: Timestamp) -> Result<String, Delivery> {
        let mut known = self.known.lock().await;
        if let Some(token) = known.as_ref().filter(|token| now.plus(SPARE) < token.until) {
            return Ok(token.value.clone());
        }
        let token = self.ask(wire, false, now).await?;
        Ok(known.insert(token).value.clone())
    }

    /// Another token than this one, which does not count any more.
    pub(super) async fn instead_of(&self, spent: &str, wire: &Wire, now: Timestamp) -> Result<String, Delivery> {
        let mut known = self.known.lock().await;
        if let Some(token) = known.as_ref().filter(|token| token.value != spent) {
            return Ok(token.value.clone());
        }
        *known = None;
        let mut token = self.ask(wire, false, now).await?;
        if token.value == spent {
            token = self.ask(wire, true, now).await?;
        }
        Ok(known.insert(token).value.clone())
    }

    async fn ask(&self, wire: &Wire, force: bool, now: Timestamp) -> Result<Token, Delivery> {
        let body = json!({
            "grant_type": "client_credential",
            "appid": self.app_id,
            "secret": self.app_secret.text(),
            "force_refresh": force,
        });
        let said = wire.ask("/cgi-bin/stable_token", &body, now).await?;
        let lasts = Duration::from_secs(said.value["expires_in"].as_u64().unwrap_or_default());
        match said.value["access_token"].as_str() {
            Some(value) => Ok(Token { value: value.to_owned(), until: now.plus(lasts) }),
            // Whatever it is, the operator puts it right, and the letter is not at fault.
            None => Err(Delivery::TryLater { after: None, why: format!("WeChat gives no token: {}", said.words()) }),
        }
    }
}
