//! Whether a terminal is on its node.

use std::time::Duration;

use domain::{
    Mac, Pid, Source, Timestamp,
    alarm::{Evidence, Fact},
    time::{is_ahead, is_newer},
};
use records::terminals::{self, Presence, Standing, Terminal};

use super::{Line, TRIES, changed, evidence_id};
use crate::{
    Context, JobError,
    report::{Event, Report},
};

/// After so many missed queries of every device, a gateway reboots the terminal.
const MISSES_OF_A_REBOOT: u32 = 10;

/// How much longer than usual a terminal may stay away that its gateway reboots: it is called back after a minute.
const REBOOT: Duration = Duration::from_secs(90);

/// How long what a gateway posts is usually on its way, at most. A terminal that is rebooted takes longer to come back.
const ON_ITS_WAY: Duration = Duration::from_secs(3);

impl Line<'_> {
    /// The terminal was on its node at that instant: it said so, it answered an AT command, or something behind it answered.
    pub(super) fn seen(&mut self, report: &Report, at: Timestamp) {
        if self.standing.value.presence == Presence::Online && !matches!(report.event, Event::TerminalsOn { .. }) {
            return;
        }
        self.stands(at, Presence::Online);
        self.evidence_of(Source::Terminal(self.terminal.mac.clone()), report, at, Fact::LinkSeen);
        // What hangs on it can be known again: from here on, a device's silence is its own. One that answers says more.
        let answering = match &report.event {
            Event::Answered(answer) => Some(answer.pid),
            _ => None,
        };
        for device in self.terminal.devices.iter().filter(|device| Some(device.pid) != answering) {
            self.evidence_of(Source::Device(self.terminal.device_id(device.pid)), report, at, Fact::LinkSeen);
        }
    }

    /// Whether what a gateway tells of a terminal may be of after it was gone: it may have been on its way when it went.
    pub(super) fn is_told_anew(&self, report: &Report) -> bool {
        let since = self.standing.value.since;
        report.at > since.plus(ON_ITS_WAY) || is_ahead(since, self.now)
    }

    pub(super) fn off(&mut self, report: &Report) {
        self.stands(report.at, Presence::Offline);
        let terminal = Source::Terminal(self.terminal.mac.clone());
        self.follow_ups.evidence.extend(parent_lost(self.terminal, &terminal, report));
        let (cause, grace) = if self.is_being_rebooted() {
            ("its node reboots it, since nothing on its line answers", REBOOT)
        } else {
            ("it left its node", Duration::ZERO)
        };
        self.evidence(terminal, report, Fact::LinkLost { cause: cause.to_owned(), grace });
    }

    /// A gateway reboots a terminal when every device on its line has missed ten queries in a row.
    fn is_being_rebooted(&self) -> bool {
        let missed = |pid| self.standing.value.misses.get(&pid).copied().unwrap_or(0);
        let mut devices = self.terminal.devices.iter().peekable();
        devices.peek().is_some() && devices.all(|device| missed(device.pid) >= MISSES_OF_A_REBOOT)
    }

    /// The run that stored a change may not have come to show it.
    pub(super) fn show_again(&mut self) {
        let again = changed(&self.terminal.mac);
        if !self.follow_ups.pushes.contains(&again) {
            self.follow_ups.pushes.push(again);
        }
    }

    fn stands(&mut self, at: Timestamp, presence: Presence) {
        let standing = &mut self.standing.value;
        if !is_newer(at, standing.heard, self.now) {
            if (standing.since, standing.presence) == (at, presence) {
                self.show_again();
            }
            return;
        }
        self.linked = true;
        standing.heard = at;
        if standing.presence != presence {
            standing.presence = presence;
            standing.since = at;
            self.follow_ups.pushes.push(changed(&self.terminal.mac));
        }
    }
}

/// The node of a terminal is lost: unless it was heard of since, nobody knows whether it is there. Whoever writes about its
/// line meanwhile does not know either.
pub(in crate::process_results) async fn becomes_unknown(
    cx: &Context,
    mac: &Mac,
    lost: &Report,
) -> Result<(), JobError> {
    let table = cx.table.as_ref();
    for _ in 0..TRIES {
        let mut standing = terminals::standing(table, mac).await?;
        let Standing { presence, since, heard, newest, .. } = &mut standing.value;
        if !is_newer(lost.at, *heard, cx.clock.now()) {
            return Ok(());
        }
        if *presence != Presence::Unknown {
            (*presence, *since) = (Presence::Unknown, lost.at);
        }
        (*heard, *newest) = (lost.at, (*newest).max(lost.at));
        if table.write(terminals::put_standing(mac, &standing)?).await?.applied() {
            return Ok(());
        }
    }
    Err(JobError::retry(format!("terminal {mac} is written by many at once")))
}

/// What a terminal's devices are told when it, or its node, is lost.
pub(in crate::process_results) fn parent_lost(terminal: &Terminal, parent: &Source, report: &Report) -> Vec<Evidence> {
    let of_device = |pid: Pid| {
        let source = Source::Device(terminal.device_id(pid));
        let fact = Fact::ParentLost { parent: parent.clone() };
        Evidence::new(evidence_id(report, &source), source, report.at, fact)
    };
    terminal.devices.iter().map(|device| of_device(device.pid)).collect()
}
