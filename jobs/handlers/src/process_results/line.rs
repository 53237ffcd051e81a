//! What a batch brings of one terminal: readings, how its line stands, evidence for the alarms.

mod faults;
mod keeping;
mod presence;
mod silence;

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Mac, Pid, Source, Timestamp,
    alarm::{Evidence, Fact, Frames, Observed},
    reading::Reading,
    time::{is_ahead, is_newer},
};
use records::{
    Versioned,
    readings::{self, Latest},
    terminals::{self, Standing, Terminal},
};

use self::keeping::Whose;
pub(in crate::process_results) use self::presence::{becomes_unknown, parent_lost};
use super::{
    FollowUps,
    answer::{Read, Verified, verify},
};
use crate::{
    Context, JobError, known, pace,
    ports::{Audience, Push},
    report::{Answer, Event, Report, TerminalInfo},
};

/// How often a terminal is tried anew when another worker wrote it meanwhile.
const TRIES: usize = 8;

/// What is counted where a reading came too late for an alarm.
const LATE_READING: &str = "late_reading";

/// Applies a batch's reports of one terminal.
pub(super) async fn apply(
    cx: &Context,
    batch: &str,
    terminal: &Terminal,
    reports: &[&Report],
) -> Result<FollowUps, JobError> {
    let mine: Vec<&Report> = reports.iter().copied().filter(|report| is_of(terminal, report)).collect();
    let began =
        mine.iter().find(|report| matches!(report.event, Event::Answered(_))).map_or(cx.clock.now(), |first| first.at);
    for _ in 0..TRIES {
        let mut line = Line::load(cx, terminal, batch, began).await?;
        for report in &mine {
            line.take(cx, report).await?;
        }
        if line.store(cx).await? {
            line.tell_intervals(cx).await?;
            return Ok(line.follow_ups);
        }
    }
    Err(JobError::retry(format!("terminal {} is written by many at once", terminal.mac)))
}

fn is_of(terminal: &Terminal, report: &Report) -> bool {
    let mounted = terminal.node == report.node;
    if !mounted {
        tracing::warn!(
            terminal.mac = %terminal.mac, node.name = report.node, mount_node = terminal.node,
            "a node reports a terminal that is registered to another node"
        );
    }
    mounted
}

/// A terminal's line while a batch is applied to it.
struct Line<'a> {
    terminal: &'a Terminal,
    batch: &'a str,
    /// When the first answer in it arrived, whether it is this batch's to store or not: each run stores it in the same place.
    began: Timestamp,
    now: Timestamp,
    /// For how long a reading that says the same as the one before is not kept; none when every reading is.
    silence: Option<Duration>,
    /// The terminal's record, once something about it changed.
    record: Option<Versioned<Terminal>>,
    standing: Versioned<Standing>,
    stood: Standing,
    latest: Versioned<Latest>,
    moved: bool,
    /// Whether the terminal came or went.
    linked: bool,
    readings: Vec<Reading>,
    /// Whether nothing that is stored as latest tells of one of the readings that this batch stores it.
    unclaimed: bool,
    /// What was the latest until this batch, and is another's to store.
    displaced: Vec<(Pid, Timestamp)>,
    /// The devices of which this batch brings what it brought before.
    ran_before: BTreeSet<Pid>,
    follow_ups: FollowUps,
}

impl<'a> Line<'a> {
    async fn load(cx: &Context, terminal: &'a Terminal, batch: &'a str, began: Timestamp) -> Result<Self, JobError> {
        let standing = terminals::standing(cx.table.as_ref(), &terminal.mac).await?;
        let latest = readings::latest(cx.table.as_ref(), &terminal.mac).await?;
        let stood = standing.value.clone();
        let (record, moved, linked) = (None, false, false);
        Ok(Self {
            terminal,
            batch,
            began,
            now: cx.clock.now(),
            silence: cx.settings.readings.silence(),
            record,
            standing,
            stood,
            latest,
            moved,
            linked,
            readings: Vec::new(),
            unclaimed: false,
            displaced: Vec::new(),
            ran_before: BTreeSet::new(),
            follow_ups: FollowUps::default(),
        })
    }

    async fn take(&mut self, cx: &Context, report: &Report) -> Result<(), JobError> {
        match &report.event {
            Event::Answered(answer) => match verify(cx, self.terminal, report, answer).await? {
                Verified::Reading(read) => self.read(cx, report, answer, *read).await?,
                Verified::Nothing(rejected) => {
                    self.count(report, &rejected);
                    self.missed(report, answer.pid, None);
                }
                Verified::Unknown => {
                    tracing::warn!(terminal.mac = %answer.mac, device.pid = answer.pid, "an answer of a device that is not registered");
                }
            },
            Event::Missed { pid, asked: Some(asked), .. } if self.has_answered(*pid, *asked) => {
                tracing::debug!(terminal.mac = %self.terminal.mac, device.pid = pid, "what was waited for in vain came elsewhere");
            }
            Event::Missed { pid, count, .. } => self.missed(report, *pid, *count),
            Event::PartlyMissed { pid, contents, .. } => self.partly_missed(report, *pid, contents.len()),
            Event::TerminalsOn { .. } => self.seen(report, report.at),
            Event::TerminalOff { .. } => self.off(report),
            Event::Terminal(info) => {
                if info.at && self.is_told_anew(report) {
                    // A terminal that its gateway rebooted is told of at once, and called back a minute later.
                    self.seen(report, report.at);
                }
                self.learn(cx, report, &found(info, report.at), info.iccid.as_ref()).await?;
                self.known(report, known::of_connection(info.signal, None, None));
            }
            Event::DtuState { state, score, .. } => {
                self.known(report, known::of_connection(None, Some(state), *score));
                let score = score.map(|score| score.to_string());
                self.learn(cx, report, &[("state", Some(state.clone())), ("score", score)], None).await?;
            }
            Event::DtuAlert { kind, message, .. } => {
                let alert = format!("{} {kind}: {message}", report.at.rfc3339());
                self.learn(cx, report, &[("alert", Some(alert))], None).await?;
            }
            Event::NodeRegistered
            | Event::NodeReady
            | Event::NodeSettled
            | Event::NodeLost
            | Event::NodeInfo { .. }
            | Event::PartAway { .. }
            | Event::PartBack { .. }
            | Event::PartCounted { .. }
            | Event::Operated { .. } => {}
        }
        if self.is_news(report) {
            self.standing.value.newest = report.at;
        }
        Ok(())
    }

    /// Whether the report is newer than what the standing rests on. When it is not, this batch ran before.
    fn is_news(&self, report: &Report) -> bool {
        is_newer(report.at, self.standing.value.newest, self.now)
    }

    fn count(&mut self, report: &Report, rejected: &[&'static str]) {
        if self.is_news(report) {
            for kind in rejected {
                *self.standing.value.rejected.entry((*kind).to_owned()).or_default() += 1;
            }
        }
    }

    /// Something was read out of an answer. What another batch brought first is passed over.
    async fn read(&mut self, cx: &Context, report: &Report, answer: &Answer, read: Read) -> Result<(), JobError> {
        let Read { mut reading, rejected, fault, frames } = read;
        let overtaken = match self.whose(cx, &reading).await? {
            Whose::Ours => answer.overtaken || self.is_overtaken(&reading),
            Whose::StoredByUs { late } => {
                self.ran_before.insert(reading.device.pid);
                late
            }
            Whose::Anothers => return Ok(()),
        };
        self.count(report, &rejected);
        self.faulty(report, &mut reading, fault);
        reading.late |= overtaken;
        self.answered(report, reading, overtaken, answer.unanswered, frames);
        Ok(())
    }

    fn answered(&mut self, report: &Report, reading: Reading, overtaken: bool, unanswered: u32, frames: Frames) {
        let pid = reading.device.pid;
        if self.readings.iter().any(|known| known.device == reading.device && known.asked == reading.asked) {
            return;
        }
        if reading.late {
            self.count(report, &[LATE_READING]);
        }
        if self.is_back(&reading) {
            self.seen(report, reading.asked.min(report.at));
        }
        if self.is_news(report) && !overtaken {
            self.left_out(pid, unanswered);
        }
        // That something else was heard of the terminal since does not take back that the device answered.
        let is_latest = self.latest.value.devices.get(&pid).is_none_or(|known| reading.asked > known.asked);
        if (self.is_news(report) || is_latest) && !overtaken {
            self.standing.value.misses.remove(&pid);
        }
        self.values(report, &reading, frames);
        let known = self.latest.value.devices.get(&pid);
        let is_repeat = known.is_some_and(|known| self.repeats(&reading, known));
        if !is_repeat {
            self.claim(&reading);
        }
        self.follow_ups.pushes.push(Push {
            event: format!("{}{pid}", self.terminal.mac),
            audience: Audience::Terminal(self.terminal.mac.clone()),
            data: serde_json::to_value(&reading).unwrap_or_default(),
        });
        if !is_repeat {
            self.readings.push(reading);
        }
    }

    /// Whether a newer reading of the device is stored. The broker knows more, but not after its restart.
    fn is_overtaken(&self, reading: &Reading) -> bool {
        let known = self.latest.value.devices.get(&reading.device.pid);
        known.is_some_and(|known| reading.asked < known.asked && !is_ahead(known.asked, self.now))
    }

    /// Whether a reading says that the terminal is there. A gateway posts what it has of a query after it said that the
    /// terminal is off.
    fn is_back(&self, reading: &Reading) -> bool {
        is_newer(reading.asked, self.standing.value.heard, self.now)
    }

    /// Values are as old as their question: two posts may arrive in another order than they were asked in.
    fn values(&mut self, report: &Report, reading: &Reading, frames: Frames) {
        let (source, at) = (Source::Device(reading.device.clone()), reading.asked.min(report.at));
        let evidence = Evidence::new(evidence_id(report, &source), source, at, Fact::of_reading(reading));
        self.follow_ups.evidence.push(Evidence { late: reading.late, ..evidence.read_from(frames) });
    }

    /// Takes over what a node found out, and shows that it did; what it did not tell stays.
    async fn learn(
        &mut self,
        cx: &Context,
        report: &Report,
        told: &[(&str, Option<String>)],
        iccid: Option<&String>,
    ) -> Result<(), JobError> {
        let record = match self.record.take() {
            Some(record) => Some(record),
            None => terminals::get_versioned(cx.table.as_ref(), &self.terminal.mac).await?,
        };
        let Some(mut record) = record else { return Ok(()) };
        let before = record.value.clone();
        for (field, value) in told {
            if let Some(value) = value {
                record.value.info.insert((*field).to_owned(), value.clone());
            }
        }
        if iccid.is_some() {
            record.value.iccid = iccid.cloned();
        }
        if record.value != before {
            self.follow_ups.pushes.push(changed(&self.terminal.mac));
            self.record = Some(record);
        } else if !self.is_news(report) {
            self.show_again();
        }
        Ok(())
    }

    /// What a gateway tells of the terminal, and what is known of its SIM.
    fn known(&mut self, report: &Report, told: Vec<Observed>) {
        let values = [told, known::of_sim(self.terminal, report.at)].concat();
        if !values.is_empty() {
            self.evidence(Source::Terminal(self.terminal.mac.clone()), report, Fact::Known { values });
        }
    }

    fn evidence(&mut self, source: Source, report: &Report, fact: Fact) {
        self.evidence_of(source, report, report.at, fact);
    }

    /// What a report tells of an instant that may be before it.
    fn evidence_of(&mut self, source: Source, report: &Report, at: Timestamp, fact: Fact) {
        self.follow_ups.evidence.push(Evidence::new(evidence_id(report, &source), source, at, fact));
    }

    /// Shows whose interval is another now.
    async fn tell_intervals(&mut self, cx: &Context) -> Result<(), JobError> {
        let (before, after) = (&self.stood, &self.standing.value);
        let mac = &self.terminal.mac;
        // The run that stored a change may not have come to show it.
        self.follow_ups.pushes.extend(self.ran_before.iter().map(|pid| interval_changed(mac, *pid)));
        if before.misses == after.misses && before.unanswered == after.unanswered {
            return Ok(());
        }
        let line = pace::Line::of(cx, self.terminal).await?;
        let moved = self.terminal.devices.iter().map(|device| device.pid);
        let moved = moved.filter(|pid| line.interval(*pid, before) != line.interval(*pid, after));
        self.follow_ups.pushes.extend(moved.map(|pid| interval_changed(mac, pid)));
        Ok(())
    }
}

fn evidence_id(report: &Report, source: &Source) -> String {
    format!("{}/{source}", report.at.sortable())
}

/// That something about a terminal changed: who looks at it looks again.
pub(super) fn changed(mac: &Mac) -> Push {
    Push {
        event: format!("MacUpdate{mac}"),
        audience: Audience::Terminal(mac.clone()),
        data: serde_json::json!({ "mac": mac }),
    }
}

fn interval_changed(mac: &Mac, pid: Pid) -> Push {
    Push {
        event: format!("MacIntervalUpdate{mac}{pid}"),
        audience: Audience::Terminal(mac.clone()),
        data: serde_json::json!({ "mac": mac }),
    }
}

/// What a node found out, by the names that people know.
fn found(info: &TerminalInfo, at: Timestamp) -> [(&'static str, Option<String>); 11] {
    [
        ("uptime", Some(at.rfc3339())),
        ("AT", Some(info.at.to_string())),
        ("ip", info.ip.clone()),
        ("port", info.port.map(|port| port.to_string())),
        ("model", info.model.clone()),
        ("ver", info.ver.clone()),
        ("gver", info.gver.clone()),
        ("iotStat", info.iot_stat.clone()),
        ("location", info.location.clone()),
        ("uart", info.uart.clone()),
        ("signal", info.signal.map(|signal| signal.to_string())),
    ]
}
