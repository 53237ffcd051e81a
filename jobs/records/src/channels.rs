//! The channels of a person: which reach them, and in which order they are told.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Order`] | `channels#` user | `order` |
//! | [`Endpoint`] | `channels#` user | `webhook#` id |
//! | a test letter that was asked for lately | `channels#` user | `test#` channel |
//!
//! What reaches a person lies in one partition, so that one query tells it.

mod endpoint;

use std::time::Duration;

use domain::{Source, Timestamp, alarm::Change, routing::Preferences};
use serde::{Deserialize, Serialize};

pub use endpoint::{Disabled, Endpoint, Failing, Kind, MOST_OF_A_USER, OVERLAP, Retired};

use crate::{Key, Outcome, Range, Table, TableError, Versioned, Write, notices::channel, record, users::User};

const PAGE: usize = 100;
const ORDER: &str = "order";
const ENDPOINTS: &str = "webhook#";

/// In which order a person is told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// Channels, first ones first. What reaches the person and is not among them comes after.
    pub channels: Vec<String>,
    /// Whether they are told on the first alone, and on the next only when that did not take it; else on all at once.
    pub one_by_one: bool,
}

/// What reaches a person.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Channels {
    order: Order,
    endpoints: Vec<Endpoint>,
    /// Those that are addresses of the person themselves.
    own: Vec<String>,
}

impl Channels {
    /// What reaches a user.
    pub async fn of(table: &dyn Table, user: &User) -> Result<Self, TableError> {
        let mut found = Self { own: own(user), ..Self::default() };
        let mut range = Range::all(partition(&user.user), PAGE).between(ORDER, format!("{ENDPOINTS}{}", char::MAX));
        loop {
            let page = table.query(&range).await?;
            for item in &page.items {
                if item.key.sk == ORDER {
                    found.order = record::decode(item)?.value;
                } else if item.key.sk.starts_with(ENDPOINTS) {
                    found.endpoints.push(record::decode(item)?.value);
                }
            }
            if page.next.is_none() {
                return Ok(found);
            }
            range.after = page.next;
        }
    }

    /// Every channel, in the person's order.
    pub fn all(&self) -> Vec<String> {
        let endpoints = self.endpoints.iter().map(|endpoint| channel::endpoint(&endpoint.id));
        let there: Vec<String> = self.own.iter().cloned().chain(endpoints).collect();
        let first = self.order.channels.iter().filter(|channel| there.contains(channel)).cloned();
        let mut all: Vec<String> = Vec::new();
        for channel in first.chain(there.iter().cloned()) {
            if !all.contains(&channel) {
                all.push(channel);
            }
        }
        all
    }

    /// Those that want an event, in the person's order.
    pub fn wanting(&self, event: &str) -> Vec<String> {
        let mut wanting = self.all();
        wanting.retain(|channel| self.endpoint(channel).is_none_or(|endpoint| endpoint.wants(event)));
        wanting
    }

    /// Those on which the person is told of an event before anything failed. Where one is told after the other, not on one that
    /// is off for it: nothing would fail there, and nothing follow.
    pub fn told_first(&self, event: &str, chosen: &Preferences, happened: &[(&Source, &Change)]) -> Vec<String> {
        let mut told = self.wanting(event);
        if self.order.one_by_one {
            told.retain(|channel| !self.is_off(channel, &[], chosen, happened));
            let well = |channel: &String| self.endpoint(channel).is_none_or(|endpoint| endpoint.disabled.is_none());
            // One that was disabled is told all the same where there is no other: the ledger shows it.
            let first = told.iter().position(well).unwrap_or_default();
            told = told.into_iter().skip(first).take(1).collect();
        }
        told
    }

    /// Those that follow the first where the person is told on one after the other; none where on all at once.
    pub fn told_after(
        &self,
        first: &str,
        event: &str,
        chosen: &Preferences,
        happened: &[(&Source, &Change)],
    ) -> Vec<String> {
        if !self.order.one_by_one {
            return Vec::new();
        }
        let mut following: Vec<String> =
            self.wanting(event).into_iter().skip_while(|channel| channel != first).skip(1).collect();
        following.retain(|channel| !self.is_off(channel, &[first], chosen, happened));
        following
    }

    /// Those that reach the person, without these.
    pub fn without(&self, tried: &[&str]) -> Vec<String> {
        self.all().into_iter().filter(|channel| !tried.contains(&channel.as_str())).collect()
    }

    /// Whether nothing of what happened there is told on a channel: as the person chose, or because another one is enough. One
    /// that was tried in vain is not.
    fn is_off(&self, channel: &str, tried: &[&str], chosen: &Preferences, happened: &[(&Source, &Change)]) -> bool {
        let left = self.without(tried);
        let reachable: Vec<&str> = left.iter().map(String::as_str).collect();
        chosen.is_off(happened, channel, &reachable)
    }

    /// The endpoint that a channel is, if it is one.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        let id = channel::endpoint_of(name)?;
        self.endpoints.iter().find(|endpoint| endpoint.id == id)
    }

    /// The person's endpoints, oldest first.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// What the person chose of the order.
    pub fn order(&self) -> &Order {
        &self.order
    }
}

/// Stores in which order a user is told.
pub async fn put_order(table: &dyn Table, user: &str, order: &Order) -> Result<(), TableError> {
    record::commit(table, vec![record::put(Key::new(partition(user), ORDER), order)?]).await
}

/// A user's endpoint.
pub async fn endpoint(table: &dyn Table, user: &str, id: &str) -> Result<Option<Versioned<Endpoint>>, TableError> {
    record::get(table, &endpoint_key(user, id)).await
}

/// The write that stores an endpoint in place of the one that was read; of version 0, a new one. Refused when somebody else
/// changed it meanwhile.
pub fn put_endpoint(endpoint: &Versioned<Endpoint>) -> Result<Write, TableError> {
    let Endpoint { owner, id, .. } = &endpoint.value;
    endpoint.put_back(endpoint_key(owner, id), None)
}

/// Removes an endpoint.
pub async fn delete_endpoint(table: &dyn Table, user: &str, id: &str) -> Result<(), TableError> {
    record::commit(table, vec![record::delete(endpoint_key(user, id))]).await
}

/// Whether a user may have a test letter on a channel now: none was asked for within `pause`.
pub async fn may_test(
    table: &dyn Table,
    user: &str,
    channel: &str,
    now: Timestamp,
    pause: Duration,
) -> Result<bool, TableError> {
    let key = Key::new(partition(user), format!("test#{channel}"));
    let asked = record::put_new(key, &now, Some(now.plus(pause)))?;
    Ok(matches!(table.write(asked).await?, Outcome::Applied))
}

fn own(user: &User) -> Vec<String> {
    let email = user.mail.as_ref().map(|_| channel::EMAIL);
    let sms = user.phone.as_ref().map(|_| channel::SMS);
    let wechat = user.wechat.as_ref().map(|_| channel::WECHAT);
    let webhook = user.webhook.as_ref().map(|_| channel::WEBHOOK);
    email.into_iter().chain(sms).chain(wechat).chain(webhook).map(str::to_owned).collect()
}

fn partition(user: &str) -> String {
    format!("channels#{user}")
}

fn endpoint_key(user: &str, id: &str) -> Key {
    Key::new(partition(user), format!("{ENDPOINTS}{id}"))
}

#[cfg(test)]
mod tests;
