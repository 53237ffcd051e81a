//! The page that answers.

use domain::Timestamp;
use engine_http::axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use jobs::{
    WordSettings,
    words::{
        Reader,
        page::{Page, State, content_security_policy},
    },
};
use records::{
    locale::{Language, Locale},
    users::User,
};

use super::Seen;
use crate::site::Site;

/// An answer to somebody, in their language.
pub(super) struct Answer {
    settings: WordSettings,
    reader: Reader,
}

impl Answer {
    /// To somebody of whom nothing is known but what their browser says.
    pub(super) fn new(site: &Site, headers: &HeaderMap) -> Self {
        let locale = Locale { language: language(headers), zone: None };
        Self { settings: site.words.clone(), reader: Reader::new(&locale, &site.words) }
    }

    /// The same, to a user.
    pub(super) fn to(self, user: &User) -> Self {
        let reader = Reader::new(&user.locale, &self.settings);
        Self { reader, ..self }
    }

    /// A page about what a good link is about.
    pub(super) fn shows(&self, shown: State, seen: &Seen) -> Response {
        let word = seen.taken_on().and_then(|alarm| alarm.acknowledged.as_ref());
        let (by, at) = match (shown, seen.over, word) {
            (State::Over, Some(over), _) => ("", self.reader.time(over)),
            (_, _, Some(word)) => (word.by.as_str(), self.reader.time(word.at)),
            _ => Default::default(),
        };
        let (action, user, over) = (Some(seen.link.action), Some(seen.user.name.as_str()), seen.over.is_some());
        let (done, facts, counted) = (Some((by, at.as_str())), Some(&seen.facts), seen.counted());
        let page = Page { state: shown, action, user, done, over, facts, counted };
        self.sent(StatusCode::OK, &page)
    }

    /// A page that says one thing.
    pub(super) fn says(&self, status: StatusCode, shown: State) -> Response {
        self.sent(status, &Page::only(shown))
    }

    /// The same, and when it came to be so.
    pub(super) fn says_when(&self, status: StatusCode, shown: State, at: Timestamp) -> Response {
        let at = self.reader.time(at);
        self.sent(status, &Page { done: Some(("", &at)), ..Page::only(shown) })
    }

    fn sent(&self, status: StatusCode, page: &Page<'_>) -> Response {
        let headers = [
            (header::CONTENT_SECURITY_POLICY, content_security_policy()),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (HeaderName::from_static("x-robots-tag"), "noindex"),
        ];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        let body = page.html(&self.reader).unwrap_or_default();
        (status, HeaderMap::from_iter(headers), Html(body)).into_response()
    }
}

/// What a browser asks for first, if it is one of ours.
fn language(headers: &HeaderMap) -> Option<Language> {
    let asked = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    match asked.get(..2)?.to_ascii_lowercase().as_str() {
        "zh" => Some(Language::Zh),
        "en" => Some(Language::En),
        _ => None,
    }
}
