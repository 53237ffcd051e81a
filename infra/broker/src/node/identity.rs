//! Who a gateway program is: known by its token, else by the address it comes from.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use engine_http::{
    IpNet,
    axum::{
        extract::{ConnectInfo, Query},
        http::request::Parts,
    },
};
use records::{
    Table, TableError,
    nodes::{self, Node},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, timeout};

/// For how long a node that was looked up is known without asking the store again.
pub(crate) const KNOWN_FOR: Duration = Duration::from_secs(30);

/// For how long it is known while the store cannot be asked.
const KNOWN_WHILE_AWAY: Duration = Duration::from_mins(10);

/// How long the store may take to be asked again about a node that is known, and for how long it is left alone then: the node's
/// program waits for its answer meanwhile, and has four posts on their way at most.
const ASKED_AGAIN_WITHIN: Duration = Duration::from_secs(2);
const LEFT_ALONE_FOR: Duration = Duration::from_secs(5);

/// How many are known so at most.
const MOST_KNOWN: usize = 10_000;

/// What a gateway program shows to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Credential {
    /// The SHA-256 of the token it brought.
    Token(String),
    /// It brought none: its address.
    Address(IpAddr),
}

/// What a request shows: the token of the handshake's `auth`, of the query, of the header, or none of them and its
/// address. An empty token is none.
pub(crate) fn credential(auth: Option<&Value>, parts: &Parts, address: IpAddr) -> Credential {
    #[derive(Deserialize)]
    struct InQuery {
        token: Option<String>,
    }
    let in_auth = || auth?.get("token")?.as_str().map(str::to_owned);
    let in_query = || Query::<InQuery>::try_from_uri(&parts.uri).ok()?.0.token;
    let in_header = || parts.headers.get("x-node-token")?.to_str().ok().map(str::to_owned);
    let told = |token: &String| !token.trim().is_empty();
    let token = in_auth().filter(told).or_else(|| in_query().filter(told)).or_else(|| in_header().filter(told));
    token.map_or(Credential::Address(address), |token| Credential::Token(nodes::token_sha256(token.trim())))
}

/// The address a request comes from.
pub(crate) fn address_of(parts: &Parts, trusted_proxies: &[IpNet]) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    engine_http::client_ip(&parts.headers, peer, trusted_proxies)
}

/// Looks nodes up, and remembers them for a while: every post asks.
pub(crate) struct Identities {
    table: Arc<dyn Table>,
    known: Mutex<HashMap<Credential, (Arc<Node>, Instant)>>,
    /// When the store last gave no answer about a node that is known.
    unanswered: Mutex<Option<Instant>>,
}

impl Identities {
    pub(crate) fn new(table: Arc<dyn Table>) -> Self {
        Self { table, known: Mutex::default(), unanswered: Mutex::default() }
    }

    /// The node with this credential, as the store has it now.
    pub(crate) async fn look_up(&self, credential: &Credential) -> Result<Option<Arc<Node>>, TableError> {
        let node = match credential {
            Credential::Token(token_sha256) => nodes::by_token(self.table.as_ref(), token_sha256).await?,
            Credential::Address(ip) => nodes::by_ip(self.table.as_ref(), &ip.to_string()).await?,
        };
        let node = node.map(Arc::new);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &node {
            Some(node) => {
                if known.len() >= MOST_KNOWN {
                    known.clear();
                }
                known.insert(credential.clone(), (Arc::clone(node), Instant::now()));
            }
            None => {
                known.remove(credential);
            }
        }
        Ok(node)
    }

    /// Forgets what a node was known by, so that the store is asked at its next word.
    pub(crate) fn forget(&self, name: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (node, _)| node.name != name);
    }

    /// The node with this credential, as the store had it half a minute ago at most; while the store is away, ten minutes.
    pub(crate) async fn recall(&self, credential: &Credential) -> Result<Option<Arc<Node>>, TableError> {
        let known = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(credential).map(|(node, since)| (Arc::clone(node), since.elapsed()))
        };
        match known {
            Some((node, age)) if age < KNOWN_FOR => Ok(Some(node)),
            Some((node, age)) if age < KNOWN_WHILE_AWAY => match self.look_up_again(credential).await {
                Err(why) => {
                    tracing::debug!(node.name, age.seconds = age.as_secs(), why, "a node is taken for what it was");
                    Ok(Some(node))
                }
                Ok(looked_up) => Ok(looked_up),
            },
            _ => self.look_up(credential).await,
        }
    }

    /// The node with this credential as the store has it now, if that says so soon. Why not, otherwise.
    async fn look_up_again(&self, credential: &Credential) -> Result<Option<Arc<Node>>, String> {
        let unanswered = *self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        if unanswered.is_some_and(|since| since.elapsed() < LEFT_ALONE_FOR) {
            return Err("the store gave no answer a moment ago".to_owned());
        }
        let why = match timeout(ASKED_AGAIN_WITHIN, self.look_up(credential)).await {
            Ok(Ok(looked_up)) => return Ok(looked_up),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the store takes too long".to_owned(),
        };
        tracing::warn!(why, "the store cannot be asked: nodes are taken for what they were");
        *self.unanswered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Err(why)
    }
}

#[cfg(test)]
mod tests {
    use engine_http::axum::http::Request;
    use serde_json::json;

    use super::*;
    use crate::fakes::MemoryTable;

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn parts(uri: &str, header: &str) -> Parts {
        Request::builder().uri(uri).header("x-node-token", header).body(()).unwrap().into_parts().0
    }

    fn token(token: &str) -> Credential {
        Credential::Token(nodes::token_sha256(token))
    }

    #[test]
    fn the_handshake_goes_before_the_query_and_the_query_before_the_header() {
        let all = parts("/client/?EIO=4&token=query", "header");
        assert_eq!(credential(Some(&json!({ "token": "auth" })), &all, ADDRESS), token("auth"));
        assert_eq!(credential(None, &all, ADDRESS), token("query"));
        assert_eq!(credential(None, &parts("/client/?EIO=4", "header"), ADDRESS), token("header"));
    }

    #[test]
    fn a_token_in_the_query_is_decoded() {
        assert_eq!(credential(None, &parts("/client/?token=a%2Bb%3D", ""), ADDRESS), token("a+b="));
    }

    #[test]
    fn an_empty_token_is_none_and_the_next_place_counts() {
        let empty = json!({ "token": "" });
        assert_eq!(credential(Some(&empty), &parts("/client/?token=", "header"), ADDRESS), token("header"));
        assert_eq!(credential(Some(&empty), &parts("/client/", ""), ADDRESS), Credential::Address(ADDRESS));
        assert_eq!(credential(Some(&json!(7)), &parts("/client/", " "), ADDRESS), Credential::Address(ADDRESS));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_known_waits_for_a_store_that_hangs_for_two_seconds_and_the_next_not_at_all() {
        let table = Arc::new(MemoryTable::default());
        let hill = Node {
            name: "hill".to_owned(),
            ip: Some(ADDRESS.to_string()),
            port: 9000,
            max_connections: 1,
            token_sha256: None,
        };
        nodes::put(table.as_ref(), &hill).await.unwrap();
        let identities = Identities::new(Arc::clone(&table) as _);
        let by_address = Credential::Address(ADDRESS);
        assert!(identities.look_up(&by_address).await.unwrap().is_some());

        table.hangs(true);
        tokio::time::advance(KNOWN_FOR).await;
        let mut waited = Vec::new();
        for _ in 0..2 {
            let asked = Instant::now();
            assert!(identities.recall(&by_address).await.unwrap().is_some());
            waited.push(asked.elapsed().as_secs());
        }
        assert_eq!(waited, [2, 0]);

        table.hangs(false);
        nodes::put(table.as_ref(), &Node { port: 9100, ..hill }).await.unwrap();
        tokio::time::advance(LEFT_ALONE_FOR).await;
        assert_eq!(identities.recall(&by_address).await.unwrap().unwrap().port, 9100);
    }

    #[test]
    fn a_credential_holds_no_token() {
        assert!(
            !format!("{:?}", credential(Some(&json!({ "token": "secret" })), &parts("/", ""), ADDRESS))
                .contains("secret")
        );
    }
}
