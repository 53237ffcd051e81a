//! What an alarm is about, in parts: for channels that fill a template with them.

use domain::{
    Source,
    alarm::{Change, unowned},
};
use records::{
    facts::Part,
    locale::{Language, Locale},
    notices::Notice,
    terminals,
};
use serde_json::{Value, json};

use crate::{
    Context, JobError,
    ports::Address,
    words::{self, Reader},
};

/// Whether an address wants them.
pub(super) fn are_for(address: &Address) -> bool {
    matches!(address, Address::Sms { .. } | Address::WeChat { .. })
}

/// `{kind, state, unwatched, at, name, mac, pid, model, details, words, count, places}`: `kind` is `timeout`, `offline` or `argument`,
/// `state` is `raised`, or `cleared` where all of it is over; `unwatched` where nothing watches for some of that any more; `at` in milliseconds; `count` says of how many sources it tells, and `places` (`{name, over, details, words}`) which
/// they are, where they are several: then there is one `mac` only if all have it, and no `pid`. None where the notice tells of no
/// source.
pub(super) async fn of(cx: &Context, notice: &Notice) -> Result<Option<Value>, JobError> {
    let Some(facts) = &notice.facts else { return Ok(None) };
    let Some(part) = facts.parts.iter().max_by_key(|part| part.source == notice.source) else { return Ok(None) };
    let Some(last) = part.changes.last() else { return Ok(None) };
    let terminal = match part.source.mac() {
        Some(mac) => terminals::get(cx.table.as_ref(), mac).await?,
        None => None,
    };
    let is_alone = facts.parts.len() == 1 && facts.more == 0;
    let pid = match &part.source {
        Source::Device(device) if is_alone => Some(device.pid),
        _ => None,
    };
    let device = terminal.as_ref().zip(pid).and_then(|(terminal, pid)| terminal.device(pid));
    let name = terminal.as_ref().map_or_else(|| part.source.to_string(), |terminal| terminal.name.clone());
    let is_of_one = facts.parts.iter().all(|other| other.source.mac() == part.source.mac()) && facts.more == 0;
    let mac = match part.source.mac() {
        Some(mac) if is_of_one => mac.to_string(),
        Some(_) => "-".to_owned(),
        None => part.source.to_string(),
    };
    let is_over = facts.parts.iter().all(Part::is_over);
    let standing = facts.standing();
    // Beside what alarms, what is over by now is not named: no template says so of it.
    let is_named = |change: &&Change| is_over || standing.contains(change.alarm.as_str());
    let changes = || facts.parts.iter().flat_map(|part| &part.changes).filter(is_named);
    // The approved templates are in Chinese, whoever reads them.
    let language = Locale { language: Some(Language::Zh), ..Locale::default() };
    let reader = Reader::new(&language, &cx.settings.words);
    let places = facts.parts.iter().filter(|_| !is_alone);
    Ok(Some(json!({
        "kind": if changes().all(|change| kind(change) == kind(last)) { kind(last) } else { "argument" },
        "state": if is_over { "cleared" } else { "raised" },
        "unwatched": is_over && facts.parts.iter().any(Part::is_unwatched),
        "at": last.at.0,
        "name": name,
        "mac": mac,
        "pid": pid,
        "model": device.map(|device| device.model.as_str()),
        "details": changes().map(|change| change.detail.as_str()).collect::<Vec<_>>(),
        "words": changes().map(|change| words::seen_of(change, &reader)).collect::<Vec<_>>(),
        "count": facts.parts.len() + usize::try_from(facts.more).unwrap_or_default(),
        "places": places.map(|part| place(part, &reader)).collect::<Vec<_>>(),
    })))
}

fn place(part: &Part, reader: &Reader) -> Value {
    let words: Vec<String> = part.changes.iter().map(|change| words::seen_of(change, reader)).collect();
    let details: Vec<&str> = part.changes.iter().map(|change| change.detail.as_str()).collect();
    json!({ "name": part.place, "over": part.is_over(), "details": details, "words": words })
}

fn kind(change: &Change) -> &'static str {
    match unowned(&change.rule) {
        "timeout" => "timeout",
        "offline" | "away" => "offline",
        _ => "argument",
    }
}
