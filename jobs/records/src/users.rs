//! People, and the terminals each may see.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`User`] | `user` | name |
//! | a user's terminals | `user-terminals#` name | mac |
//! | a terminal's users | `terminal#` mac | `user#` name |

use std::collections::{BTreeMap, BTreeSet};

use domain::{DeviceId, Mac, Source};
use serde::{Deserialize, Serialize};

use crate::{Key, Listed, Range, Table, TableError, Versioned, locale::Locale, record, terminals::get_many};

const PAGE: usize = 500;
/// How often a change is tried anew when somebody else changes the user meanwhile.
const TRIES: usize = 10;

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, on every terminal.
    Admin,
    /// The terminals bound to them.
    User,
}

/// A person who signs in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The sign-in name.
    pub user: String,
    /// What people call them.
    pub name: String,
    /// The password's Argon2id hash (PHC string).
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
    /// Where mail reaches them.
    pub mail: Option<String>,
    /// Where text messages reach them: a number as E.164 has it.
    #[serde(default)]
    pub phone: Option<String>,
    /// Where WeChat reaches them: their openid with the operator's official account.
    #[serde(default)]
    pub wechat: Option<String>,
    /// Where a webhook reaches their programs.
    pub webhook: Option<Webhook>,
    /// How they are spoken to.
    #[serde(default)]
    pub locale: Locale,
}

/// A user's webhook.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Where to POST.
    pub url: String,
    /// The secret to sign with: `whsec_` and base64.
    pub secret: String,
}

// Neither hash nor secret may reach a log through a debug print.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("user", &self.user).field("role", &self.role).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Stores a user, in place of one of the same name.
pub async fn put(table: &dyn Table, user: &User) -> Result<(), TableError> {
    record::commit(table, vec![record::put(key(&user.user), user)?]).await
}

/// The user of that name.
pub async fn get(table: &dyn Table, user: &str) -> Result<Option<User>, TableError> {
    if user.is_empty() || user.contains('\0') {
        return Ok(None);
    }
    Ok(record::get(table, &key(user)).await?.map(|user| user.value))
}

/// Stores how a user is spoken to, and nothing else of them; false when there is no such user.
pub async fn put_locale(table: &dyn Table, user: &str, locale: &Locale) -> Result<bool, TableError> {
    if user.is_empty() || user.contains('\0') {
        return Ok(false);
    }
    for _ in 0..TRIES {
        let Some(mut known) = record::get::<User>(table, &key(user)).await? else { return Ok(false) };
        known.value.locale = locale.clone();
        if table.write(known.put_back(key(user), None)?).await?.applied() {
            return Ok(true);
        }
    }
    Err(TableError::Away(format!("the user {user} is changed by many at once")))
}

/// Every user.
pub async fn list(table: &dyn Table) -> Result<Vec<User>, TableError> {
    record::all(table, Range::all("user", PAGE)).await
}

/// Lets a user see a terminal.
pub async fn bind(table: &dyn Table, user: &str, mac: &Mac) -> Result<(), TableError> {
    let writes = vec![record::put(terminal_of(user, mac), mac)?, record::put(user_of(mac, user), &user)?];
    record::commit(table, writes).await
}

/// Takes a terminal from a user's sight.
pub async fn unbind(table: &dyn Table, user: &str, mac: &Mac) -> Result<(), TableError> {
    record::commit(table, vec![record::delete(terminal_of(user, mac)), record::delete(user_of(mac, user))]).await
}

/// The terminals bound to a user.
pub async fn terminals(table: &dyn Table, user: &str) -> Result<Vec<Mac>, TableError> {
    record::all(table, Range::all(format!("user-terminals#{user}"), PAGE)).await
}

/// A page of the terminals bound to a user, in the macs' order.
pub async fn terminals_page(
    table: &dyn Table,
    user: &str,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Mac>, TableError> {
    record::page(table, &Range::all(format!("user-terminals#{user}"), limit).after(after)).await
}

/// The names of the users a terminal is bound to.
pub async fn of_terminal(table: &dyn Table, mac: &Mac) -> Result<Vec<String>, TableError> {
    record::all(table, Range::all(format!("terminal#{mac}"), PAGE).prefix("user#")).await
}

/// Whether a user may see a terminal.
pub async fn may_see(table: &dyn Table, user: &User, mac: &Mac) -> Result<bool, TableError> {
    match user.role {
        Role::Admin => Ok(true),
        Role::User => Ok(table.get(&terminal_of(&user.user, mac)).await?.is_some()),
    }
}

/// Whether a user may see what a source says: of a node, who sees a terminal that hangs on it; of the platform, administrators.
pub async fn may_see_source(table: &dyn Table, user: &User, source: &Source) -> Result<bool, TableError> {
    match source {
        _ if user.role == Role::Admin => Ok(true),
        Source::Device(DeviceId { mac, .. }) | Source::Terminal(mac) => may_see(table, user, mac).await,
        Source::Node(node) => Ok(nodes(table, &user.user).await?.contains(node)),
        Source::Platform(_) => Ok(false),
    }
}

/// Those of some sources that a user may see, by a few reads however many they are.
pub async fn seen_among<'a>(
    table: &dyn Table,
    user: &User,
    sources: impl IntoIterator<Item = &'a Source>,
) -> Result<BTreeSet<&'a Source>, TableError> {
    let mut seen: BTreeSet<&Source> = sources.into_iter().collect();
    if user.role == Role::Admin || seen.is_empty() {
        return Ok(seen);
    }
    let bound: BTreeSet<Mac> = terminals(table, &user.user).await?.into_iter().collect();
    let is_of_nodes = seen.iter().any(|source| matches!(source, Source::Node(_)));
    let nodes = if is_of_nodes { nodes(table, &user.user).await? } else { BTreeSet::new() };
    seen.retain(|source| match source {
        Source::Node(node) => nodes.contains(node),
        source => source.mac().is_some_and(|mac| bound.contains(mac)),
    });
    Ok(seen)
}

/// The nodes that the terminals bound to a user hang on.
pub async fn nodes(table: &dyn Table, user: &str) -> Result<BTreeSet<String>, TableError> {
    let macs = terminals(table, user).await?;
    Ok(get_many(table, &macs).await?.into_values().map(|terminal| terminal.node).collect())
}

/// Those of the users that may see a terminal, in one read.
pub async fn seers(table: &dyn Table, users: &[&str], mac: &Mac) -> Result<BTreeSet<String>, TableError> {
    let bindings: BTreeMap<Key, &str> = users.iter().map(|user| (terminal_of(user, mac), *user)).collect();
    let keys: Vec<Key> = bindings.keys().cloned().chain(users.iter().map(|user| key(user))).collect();
    let mut seers = BTreeSet::new();
    let mut known = BTreeSet::new();
    for item in table.get_many(&keys).await? {
        if let Some(user) = bindings.get(&item.key) {
            seers.insert((*user).to_owned());
        } else {
            let user: Versioned<User> = record::decode(&item)?;
            if user.value.role == Role::Admin {
                seers.insert(user.value.user.clone());
            }
            known.insert(user.value.user);
        }
    }
    Ok(seers.intersection(&known).cloned().collect())
}

/// Those of the users that are administrators: who sees what no terminal is of.
pub async fn admins(table: &dyn Table, users: &[&str]) -> Result<BTreeSet<String>, TableError> {
    let keys: Vec<Key> = users.iter().map(|user| key(user)).collect();
    let mut admins = BTreeSet::new();
    for item in table.get_many(&keys).await? {
        let user: User = record::decode(&item)?.value;
        if user.role == Role::Admin {
            admins.insert(user.user);
        }
    }
    Ok(admins)
}

fn key(user: &str) -> Key {
    Key::new("user", user)
}

fn terminal_of(user: &str, mac: &Mac) -> Key {
    Key::new(format!("user-terminals#{user}"), mac.as_str())
}

fn user_of(mac: &Mac, user: &str) -> Key {
    Key::new(format!("terminal#{mac}"), format!("user#{user}"))
}
