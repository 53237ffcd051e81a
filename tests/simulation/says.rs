//! What can be said, and the reports that brokers make of it.

use domain::{DeviceId, Mac, Pid, Timestamp, frame};
use jobs::report::{Answer, Event, RawReply, Report};

use super::trace::Trace;

/// One thing that the field says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Say {
    /// A device answers what it was asked at that instant: so many tenths of a degree.
    Answer(DeviceId, Timestamp, i16),
    /// A device answers what nothing can be made of.
    Garbled(DeviceId),
    /// A device does not answer.
    Missed(DeviceId),
    /// Terminals are on their node.
    On(Vec<Mac>),
    /// A terminal left.
    Off(Mac),
    /// The node is gone.
    Lost,
    /// The node is back, and ready.
    Ready,
}

impl Say {
    /// The device that it is of.
    pub(super) fn device(&self) -> Option<&DeviceId> {
        match self {
            Self::Answer(device, ..) | Self::Garbled(device) | Self::Missed(device) => Some(device),
            Self::On(_) | Self::Off(_) | Self::Lost | Self::Ready => None,
        }
    }
}

/// Makes events of what is said.
pub(super) struct Answers {
    protocol: String,
}

impl Answers {
    /// Of devices that speak this protocol.
    pub(super) fn of(protocol: String) -> Self {
        Self { protocol }
    }

    /// What a broker reports of it. `counted` is how often the device has missed by its gateway's count.
    pub(super) fn event(&self, say: &Say, counted: u32, overtaken: bool) -> Event {
        match say {
            Say::Answer(device, asked, tenths) => {
                let answer = self.answer(device, climate(device.pid, *tenths));
                Event::Answered(Answer { asked: *asked, overtaken, ..answer })
            }
            Say::Garbled(device) => Event::Answered(self.answer(device, vec![device.pid, 3, 4, 0])),
            Say::Missed(device) => {
                Event::Missed { mac: device.mac.clone(), pid: device.pid, count: Some(counted), asked: None }
            }
            Say::On(macs) => Event::TerminalsOn { macs: macs.clone() },
            Say::Off(mac) => Event::TerminalOff { mac: mac.clone() },
            Say::Lost => Event::NodeLost,
            Say::Ready => Event::NodeReady,
        }
    }

    fn answer(&self, device: &DeviceId, bytes: Vec<u8>) -> Answer {
        Answer {
            mac: device.mac.clone(),
            pid: device.pid,
            protocol: self.protocol.clone(),
            asked: Timestamp::default(),
            told: None,
            interval: 5000,
            line_ms: 66,
            line_bytes: 17,
            replies: vec![RawReply { content: instruction(device.pid), bytes }],
            unanswered: 0,
            overtaken: false,
        }
    }
}

/// The instruction that a sensor's temperature and humidity come with.
fn instruction(pid: Pid) -> String {
    jobs::report::hex(&sealed(vec![pid, 3, 0, 0, 0, 2]))
}

/// A sensor's answer to it.
fn climate(pid: Pid, tenths: i16) -> Vec<u8> {
    let [high, low] = tenths.to_be_bytes();
    let [wet, damp] = 600_i16.to_be_bytes();
    sealed(vec![pid, 3, 4, high, low, wet, damp])
}

fn sealed(mut frame: Vec<u8>) -> Vec<u8> {
    let sum = frame::crc16_modbus(&frame);
    frame.extend(sum.to_le_bytes());
    frame
}

/// A report in few words.
pub(super) fn shown(report: &Report, trace: &Trace) -> String {
    match &report.event {
        Event::Answered(Answer { mac, pid, asked, replies, overtaken, .. }) => {
            let overtaken = if *overtaken { ", overtaken" } else { "" };
            let bytes = replies.iter().map(|reply| jobs::report::hex(&reply.bytes)).collect::<String>();
            format!("{mac}/{pid} answers what was asked at {}: {bytes}{overtaken}", trace.shown(*asked))
        }
        event => format!("{event:?}"),
    }
}
