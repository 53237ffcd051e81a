//! Where a notice goes.

use domain::Timestamp;
use records::{
    Table, Versioned,
    channels::{self, Endpoint, Kind},
    notices::{self, Notice, channel},
    users::{self, User},
};

use crate::{
    Context, JobError,
    ports::{Address, Chat, ChatApp},
};

/// Where a notice goes, or why it goes nowhere.
pub(super) struct Found {
    pub(super) address: Result<Address, String>,
    /// The record of its own that the address is of.
    pub(super) endpoint: Option<Versioned<Endpoint>>,
    /// Whose it is; none of a topic.
    pub(super) user: Option<User>,
}

pub(super) async fn of(cx: &Context, notice: &Notice, now: Timestamp) -> Result<Found, JobError> {
    let table = cx.table.as_ref();
    if notice.channel == channel::HEARTBEAT {
        let url = cx.settings.heartbeat.url().map(str::to_owned);
        let address = url.map(|url| Address::Heartbeat { url }).ok_or_else(|| "nobody is to be told".to_owned());
        return Ok(Found { address, endpoint: None, user: None });
    }
    if let Some(severity) = channel::severity_of(&notice.channel) {
        return Ok(Found { address: Ok(Address::Topic { severity }), endpoint: None, user: None });
    }
    let user = users::get(table, &notice.user).await?;
    if let Some(id) = channel::endpoint_of(&notice.channel) {
        let Some(endpoint) = channels::endpoint(table, &notice.user, id).await? else {
            let why = format!("{} has no such webhook any more", notice.user);
            return Ok(Found { address: Err(why), endpoint: None, user });
        };
        let edits = edited(table, notice).await?;
        let address = of_endpoint(&endpoint.value, edits, now);
        return Ok(Found { address, endpoint: Some(endpoint), user });
    }
    let address = user.as_ref().and_then(|user| of_user(user, &notice.channel));
    let address = address.ok_or_else(|| format!("{} has no {} address", notice.user, notice.channel));
    Ok(Found { address, endpoint: None, user })
}

/// What the other side calls the message that this notice changes.
async fn edited(table: &dyn Table, notice: &Notice) -> Result<Option<String>, JobError> {
    let Some(earlier) = &notice.way.follows else { return Ok(None) };
    let earlier = notices::get(table, &notice.user, earlier).await?.map(|earlier| earlier.value);
    Ok(earlier.filter(|earlier| earlier.channel == notice.channel).and_then(|earlier| earlier.way.message))
}

fn of_endpoint(endpoint: &Endpoint, edits: Option<String>, now: Timestamp) -> Result<Address, String> {
    if let Some(disabled) = &endpoint.disabled {
        return Err(format!("it is disabled since {}: {}", disabled.at.rfc3339(), disabled.why));
    }
    let app = match endpoint.kind {
        Kind::Webhook => {
            let (url, secret) = (endpoint.url.clone(), endpoint.secret.clone().unwrap_or_default());
            let retired = endpoint.retired_at(now).map(str::to_owned);
            return Ok(Address::Webhook { url, secret, retired });
        }
        Kind::DingTalk => ChatApp::DingTalk,
        Kind::Feishu => ChatApp::Feishu,
        Kind::Slack => ChatApp::Slack,
        Kind::Telegram => ChatApp::Telegram,
    };
    let Endpoint { url, secret, chat, .. } = endpoint.clone();
    Ok(Address::Chat(Chat { app, url, secret, room: chat, edits }))
}

fn of_user(user: &User, name: &str) -> Option<Address> {
    match name {
        channel::EMAIL => user.mail.clone().map(|to| Address::Email { to }),
        channel::SMS => user.phone.clone().map(|to| Address::Sms { to }),
        channel::WECHAT => user.wechat.clone().map(|to| Address::WeChat { to }),
        channel::WEBHOOK => {
            user.webhook.clone().map(|hook| Address::Webhook { url: hook.url, secret: hook.secret, retired: None })
        }
        _ => None,
    }
}
