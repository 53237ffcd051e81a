//! What a notice says, in its reader's language and by their clocks: from facts to a subject, a text, a page and a text message.
//!
//! The words stand in `templates/`, one file a language; a new language is a file there and a line in `templates.rs`. Whatever a
//! device or a person called something is data: it is cut, stripped of what turns text around, and escaped where a page is made.

mod clean;
pub mod page;
mod reader;
mod seen;
mod sms;
mod templates;
mod view;

use domain::alarm::Change;
use records::facts::Facts;
use serde::Serialize;

pub use reader::Reader;

use self::{
    clean::{cleaned, one_line},
    view::NoticeView,
};
use crate::links::Action;

/// The most characters of a subject: mail programs show fewer.
const MOST_SUBJECT: usize = 300;

/// What one notice says to one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as a page, for mail.
    pub html: Option<String>,
    /// The same in two parts of a text message at most.
    pub sms: String,
}

/// What a letter has beside its facts. Made when it is sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Enclosed {
    /// What its reader can do with a click.
    pub links: Vec<Button>,
    /// What the picture in it shows; the picture itself goes beside the page.
    pub chart: Option<ChartWords>,
}

/// Something that its reader can do with a click.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Button {
    /// What.
    pub action: Action,
    /// Where.
    pub url: String,
}

/// What stands around a picture, which has no words in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChartWords {
    /// What the page calls the picture.
    pub content_id: String,
    /// The value's name and unit.
    pub what: String,
    /// The least that is shown.
    pub least: String,
    /// The greatest that is shown.
    pub greatest: String,
    /// What it was held against.
    pub limits: Vec<String>,
    /// How many hours are shown.
    pub hours: u64,
    /// The first instant, by the reader's clocks.
    pub from: String,
    /// The last one.
    pub to: String,
}

/// What was seen of a change, in words.
pub(crate) fn seen_of(change: &Change, reader: &Reader) -> String {
    let words = templates::sights(reader.language, &seen::sights(change, reader));
    words.map_or_else(|| one_line(&change.detail), |words| one_line(&words))
}

/// What the facts are in words. A template that fails leaves the notice without a page, and its subject and text plain.
pub fn compose(facts: &Facts, reader: &Reader, enclosed: &Enclosed) -> Words {
    let notice = NoticeView::new(facts, reader, enclosed);
    let language = reader.language;
    let line = |text: Option<String>| text.map_or_else(|| notice.plain(), |text| one_line(&text));
    let subject = cleaned(&line(templates::subject(language, &notice)), MOST_SUBJECT);
    let text = templates::text(language, &notice).unwrap_or_else(|| notice.plain());
    let html = templates::page(language, &notice);
    let sms = sms::fitted(&line(templates::headline(language, &notice)), &templates::seen(language, &notice));
    Words { subject, text, html, sms }
}

#[cfg(test)]
mod tests;
