//! What the broker cannot do without, and what is said when it is away: to administrators by an alarm, which goes its way once
//! there is one, and at once to the operator's webhook, which needs neither the queue nor the store.

mod left_behind;
mod measures;
mod operator;
mod outage;
mod samples;
mod settings;
mod teller;
mod words;

use std::{sync::Arc, time::Duration};

use domain::Need;
use jobs::ports::{Clock, Inspect, MOST_APART_MS, MeetingPoint, MeetingState, SpoolState, Spooling};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

pub use left_behind::end_outages;
pub(crate) use left_behind::end_part;
pub use operator::Operator;
pub use outage::Outage;
pub use samples::{Looks, Probe, WatchedQueue};
pub use settings::{PlatformSettings, PlatformWebhook};
pub use teller::{Forgetful, Memory};

use self::{
    measures::Measures,
    outage::{Turn, Watch},
    samples::Sample,
    teller::Teller,
};
use crate::reports::Reporter;

/// What reports go to.
pub const QUEUE: &str = "queue";
/// What everything is remembered in.
pub const STORE: &str = "store";
/// Room for what waits for the queue.
pub(crate) const SPOOL: &str = "spool";
/// That the queue keeps what it is given.
pub(crate) const DURABILITY: &str = "durability";
/// That the clock is right.
pub(crate) const CLOCK: &str = "clock";
/// All that is looked after.
pub(crate) const NEEDS: [&str; 5] = [QUEUE, STORE, SPOOL, DURABILITY, CLOCK];

/// How often it is looked whether something is to be said.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often what can be asked is asked whether it is there, and how long it may take to answer.
const ASK_EVERY: Duration = Duration::from_secs(2);
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// How often what is away is said again in the log.
const SAY_EVERY: Duration = Duration::from_mins(1);

/// The spool is nearly full at so many hundredths, and has room again at so many.
const NEARLY_FULL: u64 = 90;
const HAS_ROOM: u64 = 50;

/// A broker that dies with its name: whoever buries it ends its alarms.
pub fn part_of_member(broker: &str) -> String {
    format!("broker:{broker}")
}

/// What a lookout is made of.
pub struct LookoutParts {
    /// What the part is called in alarms.
    pub part: String,
    /// When something is told of.
    pub settings: PlatformSettings,
    /// What is seen of the queue and the store.
    pub looks: Arc<Looks>,
    /// What is asked whether it is there.
    pub probes: Vec<Probe>,
    /// The queue, to count what waits in it; none where counting costs.
    pub queue: Option<Arc<dyn Inspect>>,
    /// Where the broker meets others, if that can change under it.
    pub meeting: Option<Arc<dyn MeetingPoint>>,
    /// The operator.
    pub operator: Operator,
    /// Where it is remembered what was told, for whoever comes after this process.
    pub memory: Arc<dyn Memory>,
}

/// Looks after what the broker needs.
pub struct Lookout {
    parts: LookoutParts,
    reporter: Reporter,
    clock: Arc<dyn Clock>,
    spool: Option<Arc<dyn Spooling>>,
    watches: Vec<Watch>,
}

impl Lookout {
    pub(crate) fn new(
        parts: LookoutParts,
        reporter: Reporter,
        clock: Arc<dyn Clock>,
        spool: Option<Arc<dyn Spooling>>,
    ) -> Self {
        let told = parts.memory.told();
        let watch = |needs: &str| {
            let need = Need { part: parts.part.clone(), needs: needs.to_owned() };
            let told = told.iter().find(|outage| outage.need == need).cloned();
            Watch::new(need, told)
        };
        // An earlier process may have gone by another name: the end of what it told is told under that one.
        let earlier = told.iter().filter(|outage| outage.need.part != parts.part);
        let earlier = earlier.map(|outage| Watch::new(outage.need.clone(), Some(outage.clone())));
        let watches = NEEDS.map(watch).into_iter().chain(earlier).collect();
        Self { parts, reporter, clock, spool, watches }
    }

    /// Looks until `stop`. What is away then stays told of, until another process finds it well.
    pub async fn run(mut self, stop: CancellationToken) {
        let (turns, told) = mpsc::unbounded_channel();
        let teller = Teller {
            reporter: self.reporter.clone(),
            clock: Arc::clone(&self.clock),
            operator: self.parts.operator.clone(),
            memory: Arc::clone(&self.parts.memory),
        };
        let measures = Measures {
            part: self.parts.part.clone(),
            queue: self.parts.queue.take(),
            spool: self.spool.clone(),
            meeting: self.parts.meeting.clone(),
            reporter: self.reporter.clone(),
        };
        let (probes, looks) = (std::mem::take(&mut self.parts.probes), Arc::clone(&self.parts.looks));
        let asking = futures::future::join_all(probes.into_iter().map(|probe| ask(probe, &looks)));
        let looking = async {
            let mut ticks = interval(LOOK_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut said = Instant::now();
            loop {
                ticks.tick().await;
                self.look(&turns);
                if said.elapsed() >= SAY_EVERY {
                    said = Instant::now();
                    self.watches.iter().filter_map(Watch::told).for_each(teller::say);
                }
            }
        };
        let all = async { tokio::join!(looking, asking, teller.run(told), measures.run()) };
        stop.run_until_cancelled(all).await;
    }

    fn look(&mut self, turns: &mpsc::UnboundedSender<Turn>) {
        let state = self.spool.as_ref().map(|spool| spool.state());
        let meeting = self.parts.meeting.as_ref().map(|meeting| meeting.state());
        let of_meeting = |wrong: fn(&MeetingState) -> Option<String>| {
            meeting.as_ref().map(|meeting| Sample { at: Instant::now(), away: wrong(meeting) })
        };
        let away_after = self.parts.settings.away_after();
        for watch in &mut self.watches {
            let (sample, delay) = match (watch.need.needs.as_str(), state) {
                (QUEUE, state) => (of_queue(self.parts.looks.last(QUEUE), state), away_after),
                (SPOOL, Some(state)) => (Some(of_spool(state, watch.is_away())), Some(Duration::ZERO)),
                (DURABILITY, _) => (of_meeting(|meeting| meeting.forgets.clone()), away_after),
                (CLOCK, _) => (of_meeting(|meeting| meeting.apart(MOST_APART_MS)), away_after),
                (needs, _) => (self.parts.looks.last(needs), away_after),
            };
            let (Some(sample), Some(delay)) = (sample, delay) else { continue };
            if let Some(turn) = watch.look(sample, delay, || self.reporter.instant()) {
                self.parts.looks.note(&turn);
                // The teller ends with the lookout.
                let _ = turns.send(turn);
            }
        }
        let part = &self.parts.part;
        self.watches.retain(|watch| watch.need.part == *part || watch.is_away());
    }
}

/// What is spooled waits for the queue, whether that can be reached by now or not.
fn of_queue(seen: Option<Sample>, spool: Option<SpoolState>) -> Option<Sample> {
    let Some(spool) = spool.filter(|spool| spool.messages > 0) else { return seen };
    let why = seen.and_then(|seen| seen.away).unwrap_or_else(|| "it takes what was spooled".to_owned());
    Some(Sample { at: Instant::now(), away: Some(format!("{why}; {}", words::waiting(spool))) })
}

fn of_spool(state: SpoolState, was_full: bool) -> Sample {
    let limit = if was_full { HAS_ROOM } else { NEARLY_FULL };
    let is_full = state.bytes > state.most_bytes / 100 * limit;
    let away = if state.disk_refuses {
        Some(format!("{}; its disk takes no more, and what gateways say is refused", words::waiting(state)))
    } else if state.disk_is_full {
        let lies = words::waiting(state);
        Some(format!(
            "{lies}; its disk takes no more (full, or read-only), and what gateways say is refused when the queue is away"
        ))
    } else {
        is_full.then(|| format!("{}; what gateways say is refused once it is full", words::waiting(state)))
    };
    Sample { at: Instant::now(), away }
}

async fn ask(probe: Probe, looks: &Looks) {
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let answered = timeout(ANSWERS_WITHIN, probe.ask()).await;
        let away = answered.unwrap_or_else(|_| Err(format!("it does not answer within {ANSWERS_WITHIN:?}"))).err();
        looks.saw(probe.needs, away);
    }
}

#[cfg(test)]
mod tests;
