//! What can be subscribed to on `/live`.

use std::sync::Arc;

use domain::Mac;
use jobs::ports::{Audience, Push};
use records::users::User;

/// The name of one's own channel.
const ME: &str = "me";

/// A live channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Channel {
    /// What happens on a terminal. Its name is the terminal's.
    Terminal(Mac),
    /// What is for one user. Its name is `me`.
    Of(Arc<str>),
}

impl Channel {
    /// The channel that `user` calls so; none when there is none of that name.
    pub(super) fn named(name: &str, user: &User) -> Option<Self> {
        if name == ME {
            return Some(Self::Of(user.user.as_str().into()));
        }
        // Spelled as we spell it: the client must know it again.
        name.parse().ok().filter(|mac: &Mac| mac.as_str() == name).map(Self::Terminal)
    }

    /// The channel that a push belongs to.
    pub(super) fn of(push: &Push) -> Self {
        match &push.audience {
            Audience::Terminal(mac) => Self::Terminal(mac.clone()),
            Audience::User(user) => Self::Of(user.as_str().into()),
        }
    }

    /// What those who may hear it call it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Terminal(mac) => mac.as_str(),
            Self::Of(_) => ME,
        }
    }

    /// Where the API shows how things stand.
    pub(super) fn snapshot(&self) -> String {
        match self {
            Self::Terminal(mac) => format!("/api/terminals/{mac}"),
            Self::Of(_) => "/api/alarms".to_owned(),
        }
    }
}
