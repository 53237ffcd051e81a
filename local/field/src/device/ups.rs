//! A UPS that answers text commands, each with one line that begins with `(` and ends with a carriage return.
//!
//! | command | answer |
//! |---|---|
//! | `QGS` | input V, input Hz, output V, output Hz, output A, load %, bus V +, bus V -, battery V +, battery V -, ℃, status bits b9..b0 |
//! | `QMOD` | the mode: `L` line, `B` battery |
//! | `QWS` | 64 warning bits |
//! | `QFS` | `OK`: no fault; or the code of the fault that b4 tells of, and what it saw |

use std::time::Duration;

use super::signal::{between, drift, spell};

/// The answer to what it does not know.
pub(super) const REFUSAL: &[u8] = b"(NAK\r";

/// The mains fail for a while in one cell in twenty.
const MAINS: Duration = Duration::from_mins(10);
const MAINS_FAIL: f64 = 1.0 / 20.0;

/// A fault lasts for a while: a fan that stands, a charger, a battery.
const FAULTS: Duration = Duration::from_mins(10);
const CODES: [&str; 3] = ["44", "45", "28"];

/// One UPS and what hangs on it.
#[derive(Debug, Clone)]
pub(super) struct Ups {
    seed: u64,
    /// The share of the cells in which it has a fault.
    faults: f64,
}

impl Ups {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, faults: 0.0 }
    }

    /// One that has a fault in that share of the time.
    pub(super) fn with_faults(self, faults: f64) -> Self {
        Self { faults, ..self }
    }

    /// The answer to a command line.
    pub(super) fn answer(&self, request: &[u8], at: Duration) -> Option<Vec<u8>> {
        let command = request.strip_suffix(b"\r")?;
        Some(match command {
            b"QGS" => self.status(at).into_bytes(),
            b"QMOD" => if self.on_battery(at) { b"(B\r" } else { b"(L\r" }.to_vec(),
            b"QWS" => format!("({:064b}\r", u64::from(self.on_battery(at))).into_bytes(),
            b"QFS" => self.fault(at).map_or(b"(OK\r".to_vec(), |code| format!("({code} 220.0 370.0\r").into_bytes()),
            _ => REFUSAL.to_vec(),
        })
    }

    fn status(&self, at: Duration) -> String {
        let on_battery = self.on_battery(at);
        let mains = 220.0 + 4.0 * drift(self.seed ^ 1, Duration::from_secs(30), at);
        let (input, frequency) = if on_battery { (0.0, 0.0) } else { (mains, 50.0) };
        let load = between(self.seed, 1, 25.0, 45.0) + 5.0 * drift(self.seed ^ 2, Duration::from_mins(1), at);
        let battery = if on_battery { 49.2 } else { 54.6 };
        let warmth = 29.0 + 2.0 * drift(self.seed ^ 3, Duration::from_mins(5), at);
        let (on_battery, faulty) = (u8::from(on_battery), u8::from(self.fault(at).is_some()));
        let bits = format!("10{on_battery}00{faulty}0000");
        format!(
            "({input:05.1} {frequency:04.1} 220.0 50.0 {:05.1} {load:03.0} 370.0 370.0 {battery:05.1} 000.0 {warmth:05.1} {bits}\r",
            load * 0.09,
        )
    }

    /// The code of the fault that it has.
    fn fault(&self, at: Duration) -> Option<&'static str> {
        let which = (self.seed % 3) as usize;
        (spell(self.seed ^ 5, FAULTS, self.faults, at) > 0.0).then(|| CODES[which])
    }

    fn on_battery(&self, at: Duration) -> bool {
        spell(self.seed ^ 4, MAINS, MAINS_FAIL, at) > 0.7
    }
}

/// The answer to another command than the one just sent.
pub(super) fn late_answer(request: &[u8]) -> Vec<u8> {
    if request.starts_with(b"QMOD") { b"(OK\r".to_vec() } else { b"(L\r".to_vec() }
}

#[cfg(test)]
mod tests {
    use domain::frame::VerifiedFrame;

    use super::*;

    fn ask(ups: &Ups, command: &str, at: Duration) -> String {
        let reply = ups.answer(format!("{command}\r").as_bytes(), at).unwrap();
        let proven = VerifiedFrame::text(&reply).unwrap();
        String::from_utf8(proven.payload().to_vec()).unwrap()
    }

    #[test]
    fn the_status_has_twelve_words_of_fixed_width() {
        let status = ask(&Ups::new(5), "QGS", Duration::ZERO);
        let widths: Vec<usize> = status.trim_start_matches('(').split(' ').map(str::len).collect();
        assert_eq!(widths, [5, 4, 5, 4, 5, 3, 5, 5, 5, 5, 5, 10], "{status}");
    }

    #[test]
    fn when_the_mains_fail_every_answer_says_so() {
        let ups = Ups::new(5);
        let minutes = (0..60 * 24).map(|minute| Duration::from_secs(minute * 60));
        let (failed, fine): (Vec<_>, Vec<_>) = minutes.partition(|&at| ask(&ups, "QMOD", at) == "(B");
        assert!(!failed.is_empty() && failed.len() * 10 < fine.len(), "{} minutes", failed.len());
        let status = ask(&ups, "QGS", failed[0]);
        assert!(status.starts_with("(000.0 ") && status.ends_with("1010000000"), "{status}");
        assert!(ask(&ups, "QWS", failed[0]).ends_with('1'));
    }

    #[test]
    fn a_fault_is_told_by_a_bit_and_named_when_it_is_asked_for() {
        let (ups, sound) = (Ups::new(5).with_faults(0.1), Ups::new(5));
        let minutes = (0..60 * 24).map(|minute| Duration::from_secs(minute * 60));
        let (faulty, fine): (Vec<_>, Vec<_>) = minutes.partition(|&at| ask(&ups, "QGS", at).ends_with("10000"));
        assert!(!faulty.is_empty() && faulty.len() * 5 < fine.len(), "{} minutes", faulty.len());
        assert!(ask(&ups, "QFS", faulty[0]).starts_with("(28 "), "{}", ask(&ups, "QFS", faulty[0]));
        assert_eq!(ask(&ups, "QFS", fine[0]), "(OK");
        assert_eq!(ask(&sound, "QFS", faulty[0]), "(OK", "only where faults are wanted");
    }

    #[test]
    fn an_unknown_command_is_refused() {
        assert_eq!(ask(&Ups::new(5), "QXX", Duration::ZERO), "(NAK");
        assert_eq!(Ups::new(5).answer(b"QGS", Duration::ZERO), None, "a command ends with a carriage return");
    }
}
