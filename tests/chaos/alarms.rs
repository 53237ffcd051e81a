//! What the field saw acknowledged, against the alarms there are: an answer without a proof begins one, the next good one ends it.

mod answer;
mod span;

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

pub(crate) use self::answer::Unheard;
use self::{
    answer::{Answer, TEMPERATURE, TIMEOUT, Watched, judge, lies_between, wrong_at},
    span::{CameLate, Span},
};
use super::{
    Clocks, Outage,
    history::History,
    load::{all, look_until},
};

/// What was asked so long before an outage is answered and worked off when it begins; on a machine that is busy, too.
const IS_WORKED_OFF_WITHIN: Duration = Duration::from_secs(2);

/// What was in time is looked at so long after it at most where nobody dies.
const IS_LOOKED_AT_WITHIN: Duration = Duration::from_secs(5);

/// What a process held that died is given to another, run after run, on AWS half a minute later, and is looked at so long after it at most.
const IS_LOOKED_AT_AGAIN_WITHIN: Duration = Duration::from_secs(40);

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

/// What the field saw acknowledged of each device, and when nobody knows what was worked off in its order.
pub(crate) struct Said {
    watched: BTreeMap<Watched, Vec<Answer>>,
    disorder: Vec<Disorder>,
    clocks: Clocks,
    /// Those that are stored as late.
    late: BTreeMap<Watched, Vec<Answer>>,
    /// What else is stored.
    unheard: Vec<Unheard>,
    /// When last a temperature was told by which an alarm neither begins nor ends.
    between: BTreeMap<Watched, Timestamp>,
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
        let mut said = Self {
            watched: BTreeMap::new(),
            disorder,
            clocks,
            late: BTreeMap::new(),
            unheard: history.unheard(acknowledged),
            between: BTreeMap::new(),
        };
        for result in acknowledged {
            let asked = Timestamp(result.time_stamp);
            if lies_between(result) {
                let last = said.between.entry((result.mac.clone(), result.pid, TEMPERATURE)).or_insert(asked);
                *last = (*last).max(asked);
            }
            for rule in [TIMEOUT, TEMPERATURE] {
                let Some(is_good) = judge(rule, result) else { continue };
                let may_be_late = said.is_in_disorder(rule, &asked.rfc3339());
                let may_be_overtaken = rule == TEMPERATURE && said.is_near_an_outage(asked, IS_LOOKED_AT_WITHIN);
                let answer = Answer { asked, is_good, may_be_late, may_be_overtaken };
                // What was read and is stored says itself whether it was late, and what is begins and ends no alarm.
                let is_late = rule == TEMPERATURE && history.is_late(result);
                let answers = if is_late { &mut said.late } else { &mut said.watched };
                answers.entry((result.mac.clone(), result.pid, rule)).or_default().push(answer);
            }
        }
        let late = said.late.values().flatten();
        let (late, far) = late.partition::<Vec<_>, _>(|late| late.may_be_overtaken);
        println!("readings that are stored as late: {} near an outage, {} far from any", late.len(), far.len());
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
        let (mut spans, mut records) =
            (BTreeMap::<Watched, Vec<Span>>::new(), BTreeMap::<Watched, Vec<CameLate>>::new());
        let mut found = Vec::new();
        let is_of_a_device =
            |alarm: &&Value| alarm["source"]["kind"] != "platform" && alarm["source"]["kind"] != "node";
        for alarm in alarms.iter().filter(is_of_a_device) {
            match (self.span(alarm), CameLate::on(alarm)) {
                (Some((watched, _)), Some(record)) => records.entry(watched).or_default().push(record),
                (Some((watched, span)), None) => spans.entry(watched).or_default().push(span),
                (None, _) => found.push(format!("nothing was said that demands {alarm}")),
            }
        }
        for (watched, answers) in &self.watched {
            let spans = spans.remove(watched).unwrap_or_default();
            let records = records.remove(watched).unwrap_or_default();
            let is_last = |place: usize| place + 1 == answers.len();
            let judged = answers.iter().enumerate().filter(|(place, answer)| {
                // When the field goes, what was posted last is stored, and nobody hears so.
                !(is_last(*place) && (self.is_followed_unheard(watched, answer) || self.is_passed(watched, answer)))
            });
            let wrong = judged.filter_map(|(place, _)| wrong_at(answers, place, &spans));
            let wrong = wrong.chain(spans.iter().filter_map(|span| self.wrong_with(watched, span, answers)));
            let wrong = wrong.chain(self.wrong_with_late_ones(watched, &spans, &records));
            found.extend(wrong.map(|wrong| format!("{watched:?} {wrong}: {}", told(answers, &spans))));
        }
        found
    }

    /// An abnormal temperature is in an alarm, or on record as one that came too late to raise it: it was looked at, whatever died. And
    /// nothing is on record so that was not said.
    fn wrong_with_late_ones(&self, watched: &Watched, spans: &[Span], records: &[CameLate]) -> Vec<String> {
        let in_time = self.watched.get(watched).into_iter().flatten();
        let newest = in_time.clone().map(|answer| answer.asked).max();
        let late = self.late.get(watched).into_iter().flatten();
        let abnormal: Vec<&Answer> = late.chain(in_time).filter(|answer| !answer.is_good).collect();
        let is_in_an_alarm = |at: &str| spans.iter().any(|span| span.tells_of(at));
        let is_told = |at: &str| is_in_an_alarm(at) || records.iter().any(|record| record.holds(at));
        // It is put on record when the device is heard of again.
        let is_on_record =
            |answer: &Answer| newest.is_some_and(|newest| answer.asked.plus(IS_LOOKED_AT_AGAIN_WITHIN) < newest);
        let forgotten = abnormal.iter().filter(|answer| watched.2 == TEMPERATURE && !answer.may_be_late);
        let forgotten = forgotten.filter(|answer| is_on_record(answer) && !is_told(&answer.at()));
        let forgotten = forgotten.map(|answer| format!("was abnormal at {}, and nothing tells of it", answer.at()));
        let was_said = |record: &&CameLate| abnormal.iter().any(|answer| answer.at() == record.first);
        let invented = records.iter().filter(|record| !was_said(record));
        let invented = invented.map(|record| format!("said nothing at {} that was too late", record.first));
        let miscounted = self.miscounted(watched, &abnormal, is_in_an_alarm, records);
        forgotten.chain(invented).chain(miscounted).collect()
    }

    /// All that is counted as too late was said, once each; what an alarm tells of was not too late, unless what came in another order
    /// began that alarm.
    fn miscounted(
        &self,
        watched: &Watched,
        abnormal: &[&Answer],
        is_in_an_alarm: impl Fn(&str) -> bool,
        records: &[CameLate],
    ) -> Option<String> {
        let is_on_record = |at: &str| records.iter().any(|record| record.holds(at));
        let on_record = || abnormal.iter().filter(|answer| is_on_record(&answer.at()));
        let late: BTreeSet<Timestamp> =
            self.late.get(watched).into_iter().flatten().map(|answer| answer.asked).collect();
        let least = on_record().filter(|answer| late.contains(&answer.asked) && !is_in_an_alarm(&answer.at())).count();
        let said = on_record().filter(|answer| answer.may_be_overtaken || !is_in_an_alarm(&answer.at())).count();
        let unheard = self.unheard.iter().filter(|unheard| unheard.is_of(watched) && is_on_record(&unheard.asked));
        let most = said + unheard.count();
        let counted: usize = records.iter().map(|record| record.count).sum();
        let is_wrong = counted < least || most < counted;
        is_wrong.then(|| format!("has {counted} that came too late, and said from {least} to {most}"))
    }

    /// Whether a newer reading of the device is stored that was not heard of as acknowledged, and may have been looked at first.
    fn is_followed_unheard(&self, watched: &Watched, answer: &Answer) -> bool {
        let at = answer.at();
        self.unheard.iter().any(|unheard| unheard.is_of(watched) && unheard.asked > at)
    }

    /// Whether a newer reading, that by itself changes nothing, may have been looked at first.
    fn is_passed(&self, watched: &Watched, answer: &Answer) -> bool {
        answer.may_be_overtaken && self.between.get(watched).is_some_and(|last| *last > answer.asked)
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
    fn wrong_with(&self, watched: &Watched, span: &Span, answers: &[Answer]) -> Option<String> {
        let (Span { raised, cleared, .. }, rule) = (span, watched.2);
        let was_unheard = |at: &str, is_good| {
            // One that is stored as late may have been looked at in time, by a run that died before it stored it.
            let late = self.late.get(watched).into_iter().flatten();
            let is_late = late.filter(|late| late.is_good == is_good).any(|late| late.at() == at);
            let mut unheard = self.unheard.iter().filter(|unheard| rule == TEMPERATURE && unheard.is_of(watched));
            is_late || unheard.any(|unheard| unheard.was(at, is_good))
        };
        // Taking an answer frees the line: the next question may bear the instant at which the one before was taken.
        let before = answers.iter().rev().filter(|answer| answer.at() <= *raised);
        let mut before = before.skip_while(|answer| answer.is_good && answer.at() == *raised);
        let began = before.next().is_some_and(|answer| !answer.is_good && *raised <= answer.taken());
        let began = began
            || was_unheard(raised, false)
            || rule == TIMEOUT && self.may_have_lost_a_question_before(raised, answers);
        let was_good =
            |at: &String| answers.iter().any(|answer| answer.is_good && answer.at() == *at) || was_unheard(at, true);
        let ended = cleared.as_ref().is_none_or(was_good);
        match (began || span.may_be_late, ended || cleared.as_ref().is_some_and(|at| self.is_in_disorder(rule, at))) {
            (false, _) => Some(format!("has an alarm since {raised} that nothing abnormal began")),
            (_, false) => Some(format!("has an alarm since {raised} that nothing good ended")),
            _ => None,
        }
    }
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
