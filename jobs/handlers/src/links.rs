//! Links in letters: what their reader can do with a click, signed so that nobody else can.
//!
//! A token says what is to be done, about which notice, for whom and until when, and carries an HMAC-SHA256 over that. A notice
//! is one person's and its id is its own, so the same letter sent again has the same links, and no two letters share one.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use records::users::Role;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// For how long a link is good, from when it was decided to tell.
pub const GOOD_FOR: Duration = Duration::from_hours(24);

/// What the server's secret is asked for, so that what is signed for one purpose is nothing for another.
const PURPOSE: &[u8] = b"telltale: links in letters, 1";

/// The most bytes of a token that are looked at.
const MOST_BYTES: usize = 1024;

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Its user takes on what the notice tells of.
    Acknowledge,
    /// Its user wants to hear nothing of it for an hour.
    #[serde(rename = "snooze_1h")]
    SnoozeHour,
    /// Its user wants to hear nothing of it for eight hours.
    #[serde(rename = "snooze_8h")]
    SnoozeShift,
    /// Nobody is told of it for eight hours: for administrators.
    Silence,
}

impl Action {
    /// What letters offer somebody.
    pub fn offered(role: Role) -> &'static [Self] {
        match role {
            Role::User => &[Self::Acknowledge, Self::SnoozeHour, Self::SnoozeShift],
            Role::Admin => &[Self::Acknowledge, Self::SnoozeHour, Self::SnoozeShift, Self::Silence],
        }
    }

    /// Its name, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::SnoozeHour => "snooze_1h",
            Self::SnoozeShift => "snooze_8h",
            Self::Silence => "silence",
        }
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it does.
    #[serde(rename = "a")]
    pub action: Action,
    /// For whom: nobody else's rights count.
    #[serde(rename = "u")]
    pub user: String,
    /// About what: one of their notices.
    #[serde(rename = "n")]
    pub notice: String,
    /// Until when.
    #[serde(rename = "e")]
    pub until: Timestamp,
}

impl Link {
    /// A link for the reader of a notice that was decided at that time.
    pub fn new(action: Action, user: &str, notice: &str, decided: Timestamp) -> Self {
        Self { action, user: user.to_owned(), notice: notice.to_owned(), until: decided.plus(GOOD_FOR) }
    }

    /// What its use is remembered by.
    pub fn name(&self) -> String {
        format!("{}/{}", self.notice, self.action.code())
    }
}

/// Why a token does nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadLink {
    /// We did not sign it.
    Wrong,
    /// It was good once; it said this.
    Expired(Link),
}

/// Who signs links and knows them again.
#[derive(Clone)]
pub struct Links {
    /// Where people reach the API, without a slash at its end.
    public_url: String,
    key: [u8; 32],
}

/// The address that people reach us at is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address that people can reach: give one such as https://telltale.example.com")]
pub struct BadPublicUrl(String);

impl Links {
    /// Links to an address, signed with what is derived from the server's secret.
    pub fn new(public_url: &str, secret: &[u8]) -> Result<Self, BadPublicUrl> {
        let bad = || BadPublicUrl(public_url.to_owned());
        let host =
            public_url.strip_prefix("https://").or_else(|| public_url.strip_prefix("http://")).ok_or_else(bad)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
        if host.is_empty() || host.starts_with('/') || !host.chars().all(is_plain) {
            return Err(bad());
        }
        let reading = Self::reading(secret).ok_or_else(bad)?;
        Ok(Self { public_url: public_url.trim_end_matches('/').to_owned(), ..reading })
    }

    /// The same where links are only read.
    pub fn reading(secret: &[u8]) -> Option<Self> {
        Some(Self { public_url: String::new(), key: mac(secret, PURPOSE)? })
    }

    /// Where a link leads.
    pub fn url(&self, link: &Link) -> String {
        format!("{}/act/{}", self.public_url, self.token(link))
    }

    /// What a link is in its address.
    pub fn token(&self, link: &Link) -> String {
        // A link is three texts and a number: JSON has words for all of them.
        let said = URL_SAFE_NO_PAD.encode(serde_json::to_vec(link).unwrap_or_default());
        let mac = mac(&self.key, said.as_bytes()).unwrap_or_default();
        format!("{said}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    /// What a token says, if we signed it and it is still good.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<Link, BadLink> {
        let link = self.signed(token).ok_or(BadLink::Wrong)?;
        if link.until <= now { Err(BadLink::Expired(link)) } else { Ok(link) }
    }

    fn signed(&self, token: &str) -> Option<Link> {
        let (said, signature) = token.split_once('.').filter(|_| token.len() <= MOST_BYTES)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(said.as_bytes());
        // Takes as long wherever they differ.
        mac.verify_slice(&signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(said).ok()?).ok()
    }
}

// The key may not reach a log through a debug print.
impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

fn mac(key: &[u8], said: &[u8]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(said);
    mac.finalize().into_bytes().as_slice().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_424_466_000);

    fn links(secret: u8) -> Links {
        Links::new("https://site.test/", &[secret; 32]).unwrap()
    }

    fn link() -> Link {
        Link::new(Action::Acknowledge, "ann@example.org", "01JD0000000000000000000000", NOW)
    }

    #[test]
    fn a_token_says_what_was_signed_and_the_same_each_time() {
        let token = links(1).token(&link());
        assert_eq!(links(1).read(&token, NOW), Ok(link()));
        assert_eq!(links(1).url(&link()), format!("https://site.test/act/{token}"));
        assert!(token.len() < 300 && token.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{token}");
    }

    #[test]
    fn a_token_is_good_for_a_day() {
        let token = links(1).token(&link());
        let last = NOW.plus(GOOD_FOR).minus(Duration::from_millis(1));
        assert_eq!(links(1).read(&token, last), Ok(link()));
        assert_eq!(links(1).read(&token, NOW.plus(GOOD_FOR)), Err(BadLink::Expired(link())));
    }

    #[test]
    fn another_installations_token_says_nothing() {
        assert_eq!(links(1).read(&links(2).token(&link()), NOW), Err(BadLink::Wrong));
    }

    #[test]
    fn no_byte_of_a_token_can_be_another() {
        let token = links(1).token(&link());
        for place in 0..token.len() {
            for byte in [b'A', b'B', b'z', b'.', b'-', b'=', 0x7f] {
                let mut changed = token.clone().into_bytes();
                changed[place] = byte;
                let changed = String::from_utf8(changed).unwrap();
                assert!(changed == token || links(1).read(&changed, NOW) == Err(BadLink::Wrong), "{place}: {changed}");
            }
        }
        for other in ["", ".", "a.b", &token[1..], &token[..token.len() - 1], &format!("{token}A"), &"a".repeat(9999)] {
            assert_eq!(links(1).read(other, NOW), Err(BadLink::Wrong), "{other}");
        }
    }

    #[test]
    fn the_servers_secret_signs_nothing_by_itself_and_is_not_printed() {
        let links = links(1);
        let said = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&link()).unwrap());
        let forged = format!("{said}.{}", URL_SAFE_NO_PAD.encode(mac(&[1; 32], said.as_bytes()).unwrap()));
        assert_eq!(links.read(&forged, NOW), Err(BadLink::Wrong));
        assert_eq!(format!("{links:?}"), "Links { public_url: \"https://site.test\", .. }");
    }

    #[test]
    fn an_address_that_leads_nowhere_is_refused() {
        for url in [
            "",
            "telltale.example.com",
            "https://",
            "ftp://a",
            "https://a b",
            "https://a\r\nb",
            "https://a?b=\"",
            "https:///x",
        ] {
            assert_eq!(Links::new(url, &[1; 32]).err(), Some(BadPublicUrl(url.to_owned())));
        }
        assert!(Links::new("http://127.0.0.1:8080", &[1; 32]).is_ok());
    }
}
