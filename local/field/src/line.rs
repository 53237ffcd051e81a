//! A serial line: one exchange at a time, each with its time and its faults.

use std::time::Duration;

use domain::protocol::Line;
use rand::{RngExt as _, rngs::SmallRng};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::{
    FaultRates, chance,
    device::{Device, fault},
    hex::bytes_of_hex,
    world::World,
};

/// The bytes that an instruction's content becomes on a line; none when it is not hex and should be.
pub(crate) fn encode(line: Line, content: &str) -> Option<Vec<u8>> {
    match line {
        Line::Rs485 => bytes_of_hex(content),
        Line::Rs232 => Some(format!("{content}\r").into_bytes()),
    }
}

/// Why a reply is not the honest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyFault {
    /// Bytes were damaged on the way.
    Damaged,
    /// It answers something else.
    Foreign,
    /// The device refuses.
    Refusing,
}

/// A reply as the gateway got it.
pub(crate) struct Reply {
    pub(crate) bytes: Vec<u8>,
    pub(crate) took: Duration,
    pub(crate) fault: Option<ReplyFault>,
}

/// The line of one terminal and what hangs on it.
pub(crate) struct SerialLine {
    line: Line,
    devices: Vec<Device>,
    dice: SmallRng,
}

impl SerialLine {
    pub(crate) fn new(line: Line, devices: Vec<Device>, dice: SmallRng) -> Self {
        Self { line, devices, dice }
    }

    /// Writes a request and waits for what comes back; none when nothing does before the gateway gives up.
    pub(crate) async fn exchange(&mut self, request: &[u8], world: &World) -> Option<Reply> {
        let settings = &world.settings;
        let started = Instant::now();
        let at = started.duration_since(world.started);
        let honest = self.devices.iter_mut().find_map(|device| device.answer(request, at));
        let Some((bytes, fault)) = honest.and_then(|honest| self.spoil(request, honest, world)) else {
            sleep(settings.answer_timeout).await;
            return None;
        };
        sleep(chance::around(&mut self.dice, settings.answer_time)).await;
        Some(Reply { bytes, took: started.elapsed(), fault })
    }

    /// What really arrives in place of an honest reply.
    fn spoil(&mut self, request: &[u8], honest: Vec<u8>, world: &World) -> Option<(Vec<u8>, Option<ReplyFault>)> {
        let accident = accident(&world.settings.faults, self.dice.random());
        world.tally.count(|counters| match accident {
            None => {}
            Some(Accident::Withheld) => counters.replies_withheld += 1,
            Some(Accident::Fault(ReplyFault::Damaged)) => counters.replies_damaged += 1,
            Some(Accident::Fault(ReplyFault::Foreign)) => counters.replies_foreign += 1,
            Some(Accident::Fault(ReplyFault::Refusing)) => counters.replies_refusing += 1,
        });
        match accident {
            None => Some((honest, None)),
            Some(Accident::Withheld) => None,
            Some(Accident::Fault(what)) => {
                let bytes = match what {
                    ReplyFault::Damaged => fault::damaged(self.line, honest, &mut self.dice),
                    ReplyFault::Foreign => fault::foreign(self.line, request, &honest),
                    ReplyFault::Refusing => fault::refusing(self.line, request),
                };
                Some((bytes, Some(what)))
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accident {
    Withheld,
    Fault(ReplyFault),
}

/// Which accident a roll between 0 and 1 means, if any.
fn accident(rates: &FaultRates, mut roll: f64) -> Option<Accident> {
    let shares = [
        (rates.withheld_replies, Accident::Withheld),
        (rates.damaged_replies, Accident::Fault(ReplyFault::Damaged)),
        (rates.foreign_replies, Accident::Fault(ReplyFault::Foreign)),
        (rates.refusing_replies, Accident::Fault(ReplyFault::Refusing)),
    ];
    shares.into_iter().find_map(|(share, accident)| {
        let hit = roll < share;
        roll -= share;
        hit.then_some(accident)
    })
}

#[cfg(test)]
mod tests {
    use domain::frame::{RejectedFrame, RtuInstruction, VerifiedFrame};

    use super::*;
    use crate::Cooling;

    #[test]
    fn a_roll_hits_each_fault_in_its_share_and_mostly_none() {
        let rates = FaultRates { dead_devices: 0.5, ..FaultRates::uniform(0.1) };
        let hits = [0.05, 0.15, 0.25, 0.35, 0.45].map(|roll| accident(&rates, roll));
        let faults = [ReplyFault::Damaged, ReplyFault::Foreign, ReplyFault::Refusing].map(|f| Some(Accident::Fault(f)));
        assert_eq!(hits, [Some(Accident::Withheld), faults[0], faults[1], faults[2], None]);
        assert_eq!(accident(&FaultRates::default(), 0.0), None);
    }

    #[test]
    fn no_faulty_reply_of_a_modbus_line_can_be_proven() {
        let instruction = RtuInstruction::parse("0300000003").unwrap();
        let request = bytes_of_hex(&instruction.request(4)).unwrap();
        let mut sensor = Device::climate(1, "98D800010001", 4, Cooling::default());
        let honest = sensor.answer(&request, Duration::ZERO).unwrap();
        let rejected = |bytes: &[u8]| instruction.verify(4, bytes).unwrap_err();
        assert_eq!(rejected(&fault::foreign(Line::Rs485, &request, &honest)), RejectedFrame::Foreign { address: 5 });
        assert_eq!(rejected(&fault::refusing(Line::Rs485, &request)), RejectedFrame::Exception(4));
        let mut dice = chance::stream(1, "noise");
        for _ in 0..1000 {
            let damaged = fault::damaged(Line::Rs485, honest.clone(), &mut dice);
            assert!(matches!(rejected(&damaged), RejectedFrame::Crc { .. }));
        }
    }

    #[test]
    fn a_damaged_text_has_lost_its_end() {
        let mut dice = chance::stream(1, "noise");
        let damaged = fault::damaged(Line::Rs232, b"(220.1 50.0\r".to_vec(), &mut dice);
        assert_eq!(VerifiedFrame::text(&damaged), Err(RejectedFrame::NoTerminator));
    }

    #[test]
    fn content_becomes_bytes_as_the_line_wants_them() {
        assert_eq!(encode(Line::Rs232, "QGS").unwrap(), b"QGS\r");
        assert_eq!(encode(Line::Rs485, "0103").unwrap(), [1, 3]);
        assert_eq!(encode(Line::Rs485, "010"), None);
    }
}
