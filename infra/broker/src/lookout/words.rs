//! What people are told.

use std::time::Duration;

use domain::{Timestamp, identity::derived_id};
use jobs::ports::SpoolState;
use serde_json::{Value, json};

use super::{CLOCK, DURABILITY, Outage, QUEUE, SPOOL};

/// What lies in a spool.
pub(super) fn waiting(spool: SpoolState) -> String {
    const KIB: u64 = 1024;
    let (kib, most) = (spool.bytes.div_ceil(KIB), spool.most_bytes / KIB);
    format!("{} batches of results wait in the spool, {kib} of {most} KiB", spool.messages)
}

/// That it is away.
pub(super) fn away(outage: &Outage) -> String {
    let Outage { need, since, why } = outage;
    let what = match need.needs.as_str() {
        SPOOL => "the spool is nearly full",
        DURABILITY => "the queue may lose what it is given",
        CLOCK => "the clock is wrong",
        needs => return format!("the {needs} is away since {}: {why}", since.rfc3339()),
    };
    format!("{what} since {}: {why}", since.rfc3339())
}

/// That it is back.
pub(super) fn back(outage: &Outage, at: Timestamp) -> String {
    let what = match outage.need.needs.as_str() {
        SPOOL => "has room again",
        DURABILITY => "of the queue is given again",
        CLOCK => "is right again",
        QUEUE => "is back, and nothing waits for it any more,",
        _ => "is back",
    };
    format!("the {} {what} after {}", outage.need.needs, span(at.since(outage.since)))
}

fn span(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// What a letter to the operator is.
pub(super) struct Words {
    pub id: String,
    pub subject: String,
    pub text: String,
    pub data: Value,
}

/// One id for each time that it is away, and one for its end, whoever tells.
pub(super) fn letter(outage: &Outage, back_at: Option<Timestamp>) -> Words {
    let Outage { need, since, .. } = outage;
    let state = if back_at.is_some() { "back" } else { "away" };
    let text = back_at.map_or_else(|| away(outage), |at| back(outage, at));
    let heading = if back_at.is_some() { "Recovered" } else { "Alarm" };
    let subject = format!("{heading}: {}, {}", need.part, need.needs);
    let data = json!({
        "type": "platform",
        "part": need.part,
        "needs": need.needs,
        "state": state,
        "since": since.rfc3339(),
        "back": back_at.map(Timestamp::rfc3339),
        "subject": subject,
        "text": text,
    });
    Words { id: derived_id(*since, &["platform", &need.to_string(), state]), subject, text, data }
}

#[cfg(test)]
mod tests {
    use domain::{
        Need,
        alarm::{Sight, Why},
    };

    use super::{super::NEEDS, *};

    /// Whether something of it is in words that no reader knows in another language.
    fn is_unknown(sight: &Sight) -> bool {
        match sight {
            Sight::Other { .. } => true,
            Sight::Away { why, .. } => why.iter().any(|why| matches!(why, Why::Said { .. })),
            _ => false,
        }
    }

    #[test]
    fn every_sentence_of_what_is_away_and_of_its_end_is_read_back() {
        let state = |disk_is_full, disk_refuses| SpoolState {
            messages: 45,
            bytes: 262_144 * 1024,
            most_bytes: 262_144 * 1024,
            disk_is_full,
            disk_refuses,
            ..SpoolState::default()
        };
        let spools = [(false, false), (true, false), (false, true)].map(|(full, refuses)| state(full, refuses));
        let of_spool = spools.map(|state| super::super::of_spool(state, false).away.unwrap());
        let queue = super::super::of_queue(None, Some(spools[0])).unwrap().away.unwrap();
        let apart = |ahead| jobs::ports::MeetingState { clock_ahead_ms: Some(ahead), ..Default::default() };
        let clocks = [9000, -9000].map(|ahead| apart(ahead).apart(1000).unwrap());
        let hangs = "it does not answer within 5s".to_owned();
        let forgets = "this redis may lose jobs since its settings changed: appendonly is no".to_owned();
        let whys = of_spool.into_iter().chain(clocks).chain([queue, hangs, forgets]);
        let (since, at) = (Timestamp(1_795_424_466_000), Timestamp(1_795_424_591_000));
        for why in whys {
            for needs in NEEDS {
                let need = Need { part: "broker:8081".to_owned(), needs: needs.to_owned() };
                let outage = Outage { need, since, why: why.clone() };
                for sentence in [away(&outage), back(&outage, at)] {
                    let sights = Sight::read(&sentence);
                    assert!(!sights.iter().any(is_unknown), "{sentence}: {sights:?}");
                }
            }
        }
    }
}
