//! A notice in the words that its facts make for who reads it.

use records::{locale::Locale, notices::Notice, users::User};

use crate::{
    Context,
    words::{self, Enclosed, Reader},
};

/// The same notice, said anew to a user; as it is said already where it keeps no facts.
pub(super) fn said_to(cx: &Context, user: Option<&User>, notice: Notice) -> Notice {
    let Some(facts) = &notice.facts else { return notice };
    let locale = user.map_or_else(Locale::default, |user| user.locale.clone());
    let words = words::compose(facts, &Reader::new(&locale, &cx.settings.words), &Enclosed::default());
    Notice { subject: words.subject, text: words.text, ..notice }
}
