//! What was measured. `tests/cost` measures it anew, and fails where it is another.

/// The sizes of the items that a batch makes, in bytes, for answers of one and of ten devices that have two and a hundred
/// values each. Between and beyond them it is a plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// One device, two values.
    pub one_few: f64,
    /// Ten devices, two values each.
    pub ten_few: f64,
    /// One device, a hundred values.
    pub one_many: f64,
    /// Ten devices, a hundred values each.
    pub ten_many: f64,
}

/// A history item.
pub const HISTORY: Sizes = Sizes { one_few: 351.0, ten_few: 585.0, one_many: 2085.0, ten_many: 15_315.0 };

/// The latest readings of a line, which name the batch of each.
pub const LATEST: Sizes = Sizes { one_few: 355.0, ten_few: 658.0, one_many: 2120.0, ten_many: 15_415.0 };

impl Sizes {
    /// The size for so many devices that have so many values each.
    pub fn of(&self, devices: f64, values: f64) -> f64 {
        let at = |few: f64, many: f64| few + (many - few) * (values - 2.0) / 98.0;
        let (one, ten) = (at(self.one_few, self.one_many), at(self.ten_few, self.ten_many));
        one + (ten - one) * (devices - 1.0) / 9.0
    }
}

/// Read units for each terminal of a batch: itself, how it stands, its latest readings; and once more itself, for the
/// alarms.
pub const READS_PER_TERMINAL: f64 = 4.0;
/// Read units for each reading: what the alarm machine remembers of the device.
pub const READS_PER_READING: f64 = 1.0;

/// Read units for the plan of a minute: of each node its session and the list of its terminals, of each terminal itself and
/// how it stands.
pub const READS_OF_A_NODES_PLAN: f64 = 2.0;
/// See [`READS_OF_A_NODES_PLAN`].
pub const READS_OF_A_TERMINALS_PLAN: f64 = 2.0;

/// What an alarm costs with its end, where one person hears of both on one channel, and whoever subscribed to a topic.
pub mod alarm {
    /// Write units.
    pub const WRITES: f64 = 113.0;
    /// Read units.
    pub const READS: f64 = 98.0;
    /// Messages of jobs.
    pub const MESSAGES: f64 = 10.0;
}

/// How long a function runs for a batch, in milliseconds, beside its readings: calls to the table and the queues, most of
/// it waiting. Taken from AWS's usual latencies; measure yours by the functions' `Duration`.
pub const MS_PER_RUN: f64 = 25.0;
/// How long it works on one reading, in milliseconds, at a sixth of a processor (256 MB). The bench's 0.1 ms of a whole one.
pub const MS_PER_READING: f64 = 0.6;

/// How large one answer is in a batch, in bytes.
pub const ANSWER_BYTES: f64 = 450.0;
