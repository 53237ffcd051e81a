//! Who sits at a browser's connection.

use std::{sync::Arc, time::Duration};

use engine_http::{
    Credential, Tokens,
    axum::http::{header::ORIGIN, request::Parts},
    credential_of, same_origin,
};
use jobs::ports::Clock;
use records::{
    Table, TableError,
    users::{self, User},
};
use serde_json::Value;
use socketioxide::extract::SocketRef;

use crate::wire::Wires;

/// How long a browser that nobody signed in on may stay. It comes back by itself, perhaps signed in.
const STRANGERS_STAY: Duration = Duration::from_secs(30);

/// Somebody who is signed in. Holds a token: never printed.
#[derive(Clone)]
pub(crate) struct Viewer {
    pub user: Arc<User>,
    pub token: Arc<str>,
}

/// Knows who is signed in.
pub(crate) struct Viewers {
    pub table: Arc<dyn Table>,
    pub tokens: Arc<Tokens>,
    pub clock: Arc<dyn Clock>,
}

impl Viewers {
    /// Writes to the connection who it is, if somebody is signed in on it.
    pub(crate) async fn identify(&self, socket: &SocketRef, auth: Option<&Value>) {
        if let Some(token) = token(auth, socket.req_parts())
            && let Ok(Some(user)) = self.user_of(token).await
        {
            socket.extensions.insert(Viewer { user: Arc::new(user), token: token.into() });
        }
    }

    /// The user that a token stands for now.
    pub(crate) async fn user_of(&self, token: &str) -> Result<Option<User>, TableError> {
        match self.tokens.verify(token, self.clock.now()) {
            Ok(claims) => users::get(self.table.as_ref(), &claims.user).await,
            Err(_) => Ok(None),
        }
    }
}

/// Breaks a connection that nobody is signed in on, after a while.
pub(crate) fn show_strangers_out(socket: SocketRef, wires: &Wires) {
    if socket.extensions.get::<Viewer>().is_none() {
        let wires = wires.clone();
        tokio::spawn(async move {
            tokio::time::sleep(STRANGERS_STAY).await;
            wires.cut(&socket);
        });
    }
}

/// The token of the handshake's `auth`, else the request's. A cookie does not count on another site's page.
fn token<'a>(auth: Option<&'a Value>, parts: &'a Parts) -> Option<&'a str> {
    let in_auth = auth.and_then(|auth| auth.get("token")?.as_str()).filter(|token| !token.is_empty());
    let in_request = || match credential_of(&parts.headers)? {
        Credential::Cookie(_) if parts.headers.contains_key(ORIGIN) && !same_origin(&parts.headers) => None,
        credential => Some(credential.token()),
    };
    in_auth.or_else(in_request)
}
