//! What a device answered, and what that says of its alarms.

use std::time::Duration;

use domain::Timestamp;
use field::Acknowledged;

use super::{
    super::history::{climate, is_proven},
    span::Span,
};

/// From a question to the broker's taking of its answer, with the two times that a gateway posts it again.
const IS_TAKEN_WITHIN: Duration = Duration::from_secs(5);

/// A device: its terminal, and its address on the line; and a rule that is watched on it.
pub(super) type Watched = (String, u8, &'static str);

/// Of a device that nothing proven comes from, and of a sensor's temperature.
pub(super) const TIMEOUT: &str = "timeout";
pub(super) const TEMPERATURE: &str = "threshold:temperature";

/// What an answer is to a rule: good, or not; none where the rule says nothing of it.
pub(super) fn judge(rule: &str, answer: &Acknowledged) -> Option<bool> {
    if rule == TIMEOUT {
        return Some(is_proven(answer));
    }
    judge_temperature(temperature(answer)?)
}

/// Whether an answer tells a temperature by which an alarm neither begins nor ends.
pub(super) fn lies_between(answer: &Acknowledged) -> bool {
    temperature(answer).is_some_and(|temperature| judge_temperature(temperature).is_none())
}

fn temperature(answer: &Acknowledged) -> Option<f64> {
    let [(_, temperature), _] = answer.replies.iter().find_map(climate)?;
    Some(temperature)
}

fn judge_temperature(temperature: f64) -> Option<bool> {
    // Between the limits and these, an alarm that there is goes on, and none begins.
    let (is_good, is_abnormal) = ((11.0..=29.0).contains(&temperature), !(10.0..=30.0).contains(&temperature));
    (is_good || is_abnormal).then_some(is_good)
}

/// An answer that was acknowledged.
pub(super) struct Answer {
    pub(super) asked: Timestamp,
    pub(super) is_good: bool,
    /// Whether it may be looked at after what is newer, or have been posted to two brokers, and nobody says whether it was.
    pub(super) may_be_late: bool,
    /// Whether a newer reading may have been looked at first, which then says what becomes of the alarm.
    pub(super) may_be_overtaken: bool,
}

impl Answer {
    pub(super) fn at(&self) -> String {
        self.asked.rfc3339()
    }

    /// When it was taken at the latest.
    pub(super) fn taken(&self) -> String {
        self.asked.plus(IS_TAKEN_WITHIN).rfc3339()
    }
}

/// A reading that is stored, and that the field did not hear to be acknowledged, since that died on the way.
pub(crate) struct Unheard {
    pub(crate) mac: String,
    pub(crate) pid: u8,
    /// When it was asked, as the API writes instants.
    pub(crate) asked: String,
    pub(crate) temperature: f64,
}

impl Unheard {
    /// Whether it is of that device.
    pub(super) fn is_of(&self, (mac, pid, _): &Watched) -> bool {
        (&self.mac, self.pid) == (mac, *pid)
    }

    /// Whether it was asked then, and was good or abnormal.
    pub(super) fn was(&self, at: &str, is_good: bool) -> bool {
        self.asked == at && judge_temperature(self.temperature) == Some(is_good)
    }
}

/// What is wrong with the alarms at one of a device's answers: an abnormal one lies in an alarm, a good one in none.
pub(super) fn wrong_at(answers: &[Answer], place: usize, spans: &[Span]) -> Option<String> {
    let answer = &answers[place];
    let at = answer.at();
    if answer.may_be_late {
        return None;
    }
    if answer.is_good {
        // An abnormal one that came late is ended by the newest good one there is.
        let inside = spans.iter().find(|span| span.holds(&at) && !span.may_be_late)?;
        let mut next = answers[place + 1..].iter().take_while(|next| next.is_good || next.may_be_overtaken);
        if answer.may_be_overtaken && next.any(|next| next.is_good && inside.cleared.as_ref() == Some(&next.at())) {
            return None;
        }
        // Nor does it end what is abnormal since, where that overtook it.
        let next = answers.get(place + 1).filter(|next| !next.is_good);
        if answer.may_be_overtaken && next.is_some_and(|next| inside.holds(&next.at())) {
            return None;
        }
        return Some(format!("was good at {at}, in an alarm since {}", inside.raised));
    }
    // A good one that comes late ends what began before it, and what was abnormal since had not begun anything.
    let good_before = answers[..place].iter().rev().find(|before| before.is_good);
    if good_before.is_some_and(|before| before.may_be_late) {
        return None;
    }
    if answer.may_be_overtaken && answers[place + 1..].iter().any(|next| next.is_good) {
        return None;
    }
    // The alarm begins with an abnormal one that overtook it, as long as those between may have been overtaken too.
    let overtaken = answers[place..].iter().take_while(|answer| answer.may_be_overtaken).count();
    let overtaking = answers.iter().skip(place + 1).take(overtaken);
    if overtaking.filter(|next| !next.is_good).any(|next| spans.iter().any(|span| span.raised == next.at())) {
        return None;
    }
    let until = answers.get(place + 1).map_or_else(|| answer.taken(), Answer::at);
    let is_told =
        spans.iter().any(|span| span.raised <= until && span.cleared.as_deref().is_none_or(|cleared| *at < *cleared));
    (!is_told).then(|| format!("was abnormal at {at}, outside of an alarm"))
}
