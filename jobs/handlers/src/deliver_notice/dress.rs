//! What a letter says beyond what its notice keeps: words in its reader's language, links, a picture. All of it is made when
//! the letter is sent, and none of it can keep a letter from being sent.

use records::{
    facts::{Facts, Kind},
    notices::Notice,
    users::{Role, User},
};

use super::picture;
use crate::{
    Context,
    links::{Action, Link},
    ports::{Address, Letter},
    words::{self, Button, Enclosed, Reader},
};

/// The letter as its reader gets it. One whose notice keeps no facts stays as it is.
pub(super) async fn dressed(cx: &Context, notice: &Notice, user: Option<&User>, mut letter: Letter) -> Letter {
    let Some(facts) = &notice.facts else { return letter };
    let reader = Reader::new(&user.map(|user| user.locale.clone()).unwrap_or_default(), &cx.settings.words);
    let is_mail = matches!(letter.address, Address::Email { .. });
    // A room is read by others, and nobody may act as somebody else.
    let reached_alone = user.filter(|_| !matches!(letter.address, Address::Chat(_) | Address::Topic { .. }));
    let links = reached_alone.map_or_else(Vec::new, |user| buttons(cx, notice, facts, user.role));
    let picture = if is_mail { picture::of(cx, facts, &reader).await } else { None };
    let (chart, inline) = picture.unzip();
    // Programs find links beside the text; in a text message one would leave no place for anything else.
    let shown = if is_mail { links.clone() } else { Vec::new() };
    let words = words::compose(facts, &reader, &Enclosed { links: shown, chart });
    if !links.is_empty() && !matches!(letter.address, Address::Sms { .. }) {
        letter.data["links"] = links.into_iter().map(|link| (link.action.code(), link.url)).collect();
    }
    (letter.subject, letter.text) = (words.subject, words.text);
    letter.forms.short = Some(words.sms);
    if is_mail {
        letter.forms.html = words.html;
        letter.forms.inline = inline.into_iter().collect();
    }
    letter
}

/// What the reader can do with a click: only where something is wrong still, and where links lead somewhere.
fn buttons(cx: &Context, notice: &Notice, facts: &Facts, role: Role) -> Vec<Button> {
    let Some(links) = &cx.stationery.links else { return Vec::new() };
    if matches!(facts.kind, Kind::Test | Kind::ChannelDisabled) || facts.standing().is_empty() {
        return Vec::new();
    }
    let button = |action: &Action| Button {
        action: *action,
        url: links.url(&Link::new(*action, &notice.user, &notice.id, notice.at)),
    };
    Action::offered(role).iter().map(button).collect()
}
