//! What the field saw acknowledged, against the alarms there are: an answer without a proof begins one, the next good one ends it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::Result;
use boot::SystemClock;
use domain::Timestamp;
use field::Acknowledged;
use records::Clock;
use serde_json::Value;
use telltale_tests::Session;

use super::{
    Clocks, Outage,
    history::{History, climate, is_proven},
    load::{all, look_until},
};

/// What was asked so long before an outage is answered and worked off when it begins; on a machine that is busy, too.
const IS_WORKED_OFF_WITHIN: Duration = Duration::from_secs(1);

/// What was in time is looked at so long after it at most where nobody dies.
const IS_LOOKED_AT_WITHIN: Duration = Duration::from_secs(5);

/// From a question to the broker's taking of its answer, with the two times that a gateway posts it again.
const IS_TAKEN_WITHIN: Duration = Duration::from_secs(5);

/// A device: its terminal, and its address on the line; and a rule that is watched on it.
type Watched = (String, u8, &'static str);

/// Of a device that nothing proven comes from, and of a sensor's temperature.
const TIMEOUT: &str = "timeout";
const TEMPERATURE: &str = "threshold:temperature";

/// What an answer is to a rule: good, or not; none where the rule says nothing of it.
fn judge(rule: &str, answer: &Acknowledged) -> Option<bool> {
    if rule == TIMEOUT {
        return Some(is_proven(answer));
    }
    let [(_, temperature), _] = answer.replies.iter().find_map(climate)?;
    // Between the limits and these, an alarm that there is goes on, and none begins.
    let (is_good, is_abnormal) = ((11.0..=29.0).contains(&temperature), !(10.0..=30.0).contains(&temperature));
    (is_good || is_abnormal).then_some(is_good)
}

/// A time of which nobody knows what was worked off in its order: from shortly before an outage to shortly after. As the API writes
/// instants, whose order is that of time.
struct Disorder {
    from: String,
    to: String,
}

impl Disorder {
    fn of(outage: &Outage) -> Self {
        let from = instant(outage.killed).minus(IS_WORKED_OFF_WITHIN);
        // What was killed listens again: who spooled for it finds out a little later.
        let to = instant(outage.over).plus(IS_WORKED_OFF_WITHIN);
        Self { from: from.rfc3339(), to: to.rfc3339() }
    }
}

/// An answer that was acknowledged.
struct Answer {
    asked: Timestamp,
    is_good: bool,
    /// Whether it may be looked at after what is newer, or have been posted to two brokers, and nobody says whether it was.
    may_be_late: bool,
    /// Whether a newer reading may have been looked at first, which then says what becomes of the alarm.
    may_be_overtaken: bool,
}

impl Answer {
    fn at(&self) -> String {
        self.asked.rfc3339()
    }

    /// When it was taken at the latest.
    fn taken(&self) -> String {
        self.asked.plus(IS_TAKEN_WITHIN).rfc3339()
    }
}

/// An alarm of a device.
struct Span {
    raised: String,
    cleared: Option<String>,
    /// Whether what began it may have been looked at after what is newer.
    may_be_late: bool,
}

impl Span {
    fn holds(&self, at: &str) -> bool {
        *self.raised < *at && self.cleared.as_deref().is_none_or(|cleared| *at < *cleared)
    }
}

/// What the field saw acknowledged of each device, and when nobody knows what was worked off in its order.
pub(crate) struct Said {
    watched: BTreeMap<Watched, Vec<Answer>>,
    disorder: Vec<Disorder>,
    clocks: Clocks,
    /// The readings that are stored as late: by terminal, address, and when they were asked.
    late: BTreeSet<(String, u8, String)>,
}

impl Said {
    /// What was acknowledged, and the outages meanwhile.
    pub(crate) fn new<'a>(
        acknowledged: &[Acknowledged],
        history: &History,
        outages: impl IntoIterator<Item = &'a Outage>,
        clocks: Clocks,
    ) -> Self {
        let disorder = outages.into_iter().map(Disorder::of).collect();
        let mut said = Self { watched: BTreeMap::new(), disorder, clocks, late: BTreeSet::new() };
        for result in acknowledged {
            let asked = Timestamp(result.time_stamp);
            for rule in [TIMEOUT, TEMPERATURE] {
                // What was read and is stored says itself whether it was late, and what is says nothing to an alarm.
                if rule == TEMPERATURE && history.is_late(result) {
                    said.late.insert((result.mac.clone(), result.pid, asked.rfc3339()));
                    continue;
                }
                let may_be_late = said.is_in_disorder(rule, &asked.rfc3339());
                let may_be_overtaken = rule == TEMPERATURE && said.is_near_an_outage(asked, IS_LOOKED_AT_WITHIN);
                let answers = said.watched.entry((result.mac.clone(), result.pid, rule)).or_default();
                let answer = |is_good| Answer { asked, is_good, may_be_late, may_be_overtaken };
                answers.extend(judge(rule, result).map(answer));
            }
        }
        for answers in said.watched.values_mut() {
            answers.sort_by_key(|answer| answer.asked);
        }
        said
    }

    /// Asserts that the alarms are those that the answers demand, once they are. How many answers were judged.
    pub(crate) async fn demands_the_alarms_there_are(&self, administrator: &Session) -> Result<usize> {
        let look = async || Ok(self.complaints(&all(administrator, "/api/alarms").await?));
        let complaints = look_until(look, Vec::is_empty).await?;
        let answers = || self.watched.values().flatten();
        let exact = answers().filter(|answer| !answer.may_be_late && !answer.may_be_overtaken).count();
        let in_any_order = answers().filter(|answer| !answer.may_be_late && answer.may_be_overtaken).count();
        let all = answers().count();
        println!(
            "alarms: {exact} of {all} answers are judged exactly, {in_any_order} more in whatever order they came"
        );
        assert!(complaints.is_empty(), "{} things are wrong with alarms: {complaints:#?}", complaints.len());
        Ok(exact + in_any_order)
    }

    fn complaints(&self, alarms: &[Value]) -> Vec<String> {
        let mut spans: BTreeMap<Watched, Vec<Span>> = BTreeMap::new();
        let mut found = Vec::new();
        let is_of_a_device =
            |alarm: &&Value| alarm["source"]["kind"] != "platform" && alarm["source"]["kind"] != "node";
        for alarm in alarms.iter().filter(is_of_a_device) {
            if alarm["late_readings"].is_u64() && self.is_of_a_late_reading(alarm) {
                continue;
            }
            match self.span(alarm) {
                Some((watched, span)) => spans.entry(watched).or_default().push(span),
                None => found.push(format!("nothing was said that demands {alarm}")),
            }
        }
        for (watched, answers) in &self.watched {
            let spans = spans.remove(watched).unwrap_or_default();
            let wrong = answers.iter().enumerate().filter_map(|(place, _)| wrong_at(answers, place, &spans));
            let wrong = wrong.chain(spans.iter().filter_map(|span| self.wrong_with(watched.2, span, answers)));
            found.extend(wrong.map(|wrong| format!("{watched:?} {wrong}: {}", told(answers, &spans))));
        }
        found
    }

    /// Whether it is on record for a reading that came too late to raise it.
    fn is_of_a_late_reading(&self, alarm: &Value) -> bool {
        let source = &alarm["source"];
        let [mac, asked] =
            [&source["mac"], &alarm["raised_at"]].map(|text| text.as_str().unwrap_or_default().to_owned());
        let pid = source["pid"].as_u64().and_then(|pid| u8::try_from(pid).ok());
        pid.is_some_and(|pid| self.late.contains(&(mac, pid, asked)))
    }

    /// An alarm, and what it is of, if the field said anything of that.
    fn span(&self, alarm: &Value) -> Option<(Watched, Span)> {
        let source = &alarm["source"];
        let rule = [TIMEOUT, TEMPERATURE].into_iter().find(|rule| alarm["rule"] == *rule)?;
        let watched = (source["mac"].as_str()?.to_owned(), u8::try_from(source["pid"].as_u64()?).ok()?, rule);
        let raised = alarm["raised_at"].as_str()?.to_owned();
        let cleared = alarm["cleared_at"].as_str().map(str::to_owned);
        let may_be_late = self.is_in_disorder(rule, &raised);
        self.watched.contains_key(&watched).then_some((watched, Span { raised, cleared, may_be_late }))
    }

    /// Whether nobody knows what became of what was asked then. Of what was read, the history does.
    fn is_in_disorder(&self, rule: &str, at: &str) -> bool {
        (rule == TIMEOUT || self.clocks == Clocks::Differ)
            && self.disorder.iter().any(|disorder| *disorder.from <= *at && *at <= *disorder.to)
    }

    /// Whether something was out of order then, or within so long after it.
    fn is_near_an_outage(&self, at: Timestamp, within: Duration) -> bool {
        let (at, until) = (at.rfc3339(), at.plus(within).rfc3339());
        self.disorder.iter().any(|disorder| disorder.from <= until && at <= disorder.to)
    }

    /// Whether the answer to a question that was asked since the device's last one may have been lost, with what died then: that
    /// none came is noticed when the next is asked.
    fn may_have_lost_a_question_before(&self, at: &str, answers: &[Answer]) -> bool {
        let last = answers.iter().rev().map(Answer::at).find(|answered| **answered < *at).unwrap_or_default();
        self.disorder.iter().any(|disorder| *disorder.from <= *at && last <= disorder.to)
    }

    /// An alarm begins when an abnormal answer is taken that nothing good followed yet, and ends with a good one.
    fn wrong_with(&self, rule: &str, span: &Span, answers: &[Answer]) -> Option<String> {
        let Span { raised, cleared, .. } = span;
        let before = answers.iter().rev().find(|answer| answer.at() <= *raised);
        let began = before.is_some_and(|answer| !answer.is_good && *raised <= answer.taken());
        let began = began || rule == TIMEOUT && self.may_have_lost_a_question_before(raised, answers);
        let ended = cleared.as_ref().is_none_or(|at| answers.iter().any(|answer| answer.is_good && answer.at() == *at));
        match (began || span.may_be_late, ended || cleared.as_ref().is_some_and(|at| self.is_in_disorder(rule, at))) {
            (false, _) => Some(format!("has an alarm since {raised} that nothing abnormal began")),
            (_, false) => Some(format!("has an alarm since {raised} that nothing good ended")),
            _ => None,
        }
    }
}

/// What is wrong with the alarms at one of a device's answers: an abnormal one lies in an alarm, a good one in none.
fn wrong_at(answers: &[Answer], place: usize, spans: &[Span]) -> Option<String> {
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

/// What a device said, with a question mark where it may be late, and its alarms, to be read by people.
fn told(answers: &[Answer], spans: &[Span]) -> String {
    let said = answers.iter().map(|answer| {
        let (what, late) =
            (["abnormal", "good"][usize::from(answer.is_good)], ["", "?"][usize::from(answer.may_be_late)]);
        format!("{} {what}{late}", answer.at())
    });
    let said: Vec<String> = said.collect();
    let spans: Vec<String> = spans.iter().map(|span| format!("{} to {:?}", span.raised, span.cleared)).collect();
    format!("said [{}], alarms [{}]", said.join(", "), spans.join(", "))
}

/// The wall clock's time of an instant.
pub(crate) fn instant(at: Instant) -> Timestamp {
    let (ago, ahead) = (at.elapsed(), at.saturating_duration_since(Instant::now()));
    SystemClock.now().minus(ago).plus(ahead)
}
