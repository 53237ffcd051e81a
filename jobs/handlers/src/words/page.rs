//! The pages that links in letters lead to: without scripts, in their reader's language.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use records::facts::Facts;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Enclosed, Reader, clean::cleaned, templates, view::NoticeView};
use crate::links::Action;

/// How a page looks; it stands in the page itself.
pub(super) const STYLE: &str = include_str!("templates/page.css");

/// The most characters of a user's name.
const MOST_NAME: usize = 120;

/// What a page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It asks whether its reader means it. Nothing has been done.
    Confirm,
    /// It is done for a part of what it is about, and asks whether to go on.
    Partly,
    /// It is done.
    Done,
    /// Somebody did it before.
    Taken,
    /// What it is about is over.
    Over,
    /// The link was used.
    Used,
    /// The link was good once.
    Expired,
    /// The link is none of ours.
    Wrong,
    /// The link's user may not do this any more.
    Refused,
    /// Somebody is just doing it.
    Busy,
    /// There were too many requests.
    TooMany,
    /// Something that is needed is away.
    Away,
}

/// A page.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// What it says.
    pub state: State,
    /// What its link does, where that is known.
    pub action: Option<Action>,
    /// Whose link it is.
    pub user: Option<&'a str>,
    /// Who did it, and when, by their reader's clocks; of what is over, since when.
    pub done: Option<(&'a str, &'a str)>,
    /// Whether what it is about is over.
    pub over: bool,
    /// What it is about.
    pub facts: Option<&'a Facts>,
    /// How many alarms that is, where it is said.
    pub counted: Option<Counted>,
}

/// How many alarms a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// All of them.
    pub of: usize,
    /// Those that nobody has on yet.
    pub left: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct PageView {
    state: State,
    action: Option<Action>,
    user: Option<String>,
    by: String,
    at: String,
    over: bool,
    counted: Option<Counted>,
}

impl Page<'_> {
    /// A page that says nothing else.
    pub fn only(state: State) -> Self {
        Self { state, action: None, user: None, done: None, over: false, facts: None, counted: None }
    }

    /// The page as HTML; none when it cannot be made, which the log tells of.
    pub fn html(&self, reader: &Reader) -> Option<String> {
        let name = |name: &str| cleaned(name, MOST_NAME);
        let (by, at) = self.done.unwrap_or_default();
        let user = self.user.map(name);
        let (by, at, Self { state, action, over, counted, .. }) = (name(by), at.to_owned(), *self);
        let view = PageView { state, action, user, by, at, over, counted };
        let notice = self.facts.map(|facts| NoticeView::new(facts, reader, &Enclosed::default()));
        templates::act(reader.language, &view, notice.as_ref())
    }
}

/// What a page's `Content-Security-Policy` allows: its own style, and its form. No script, no picture, no frame around it.
pub fn content_security_policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
    });
    &POLICY
}
