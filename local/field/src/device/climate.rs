//! A temperature and humidity sensor on a Modbus line.
//!
//! | register | holds |
//! |---|---|
//! | 0 | temperature, tenths of a degree |
//! | 1 | relative humidity, tenths of a percent |
//! | 2 | run state: 1 running, 0 stopped; can be written |

use std::time::Duration;

use super::{
    modbus::{self, ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, READ_HOLDING, READ_INPUT, Request, WRITE_ONE},
    signal::{between, drift, spell, wave},
};
use crate::Cooling;

const RUN_STATE: u16 = 2;

/// One sensor and the room it hangs in.
#[derive(Debug, Clone)]
pub(super) struct Climate {
    seed: u64,
    cooling: Cooling,
    run_state: u16,
}

impl Climate {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, cooling: Cooling::default(), run_state: 1 }
    }

    /// The same in a room with this cooling.
    pub(super) fn with(self, cooling: Cooling) -> Self {
        Self { cooling, ..self }
    }

    /// The answer to a request for the address `pid`.
    pub(super) fn answer(&mut self, pid: u8, request: &[u8], at: Duration) -> Option<Vec<u8>> {
        let asked = modbus::read_request(request).filter(|asked| asked.address == pid)?;
        Some(match asked.function {
            READ_HOLDING | READ_INPUT => self.read(&asked, at),
            WRITE_ONE if asked.register == RUN_STATE => {
                self.run_state = asked.operand;
                request.to_vec()
            }
            WRITE_ONE => modbus::exception(pid, asked.function, ILLEGAL_ADDRESS),
            other => modbus::exception(pid, other, ILLEGAL_FUNCTION),
        })
    }

    fn read(&self, asked: &Request, at: Duration) -> Vec<u8> {
        let temperature = self.temperature(at);
        let all = [tenths(temperature), tenths(self.humidity(temperature, at)), self.run_state];
        let first = usize::from(asked.register);
        match all.get(first..first + usize::from(asked.operand)) {
            Some(values @ [_, ..]) => modbus::registers(asked, values),
            _ => modbus::exception(asked.address, asked.function, ILLEGAL_ADDRESS),
        }
    }

    /// Degrees Celsius. Around 25 as the cooling cycles, above 30 when it fails.
    fn temperature(&self, at: Duration) -> f64 {
        let cycle = Duration::from_secs_f64(between(self.seed, 1, 600.0, 1500.0));
        between(self.seed, 2, 24.0, 26.0)
            + 1.2 * wave(self.seed ^ 1, cycle, at)
            + 0.3 * drift(self.seed ^ 2, Duration::from_secs(40), at)
            + 7.0 * spell(self.seed ^ 3, self.cooling.lasts, self.cooling.fails, at)
    }

    /// Percent. Warmer air is drier.
    fn humidity(&self, temperature: f64, at: Duration) -> f64 {
        between(self.seed, 3, 45.0, 60.0) - 1.8 * (temperature - 25.0)
            + 1.5 * drift(self.seed ^ 4, Duration::from_secs(90), at)
    }
}

/// A register that holds tenths, signed.
#[expect(clippy::cast_possible_truncation, reason = "a cast from float to integer saturates")]
fn tenths(value: f64) -> u16 {
    ((value * 10.0).round() as i16).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use domain::frame::RtuInstruction;

    use super::*;
    use crate::hex::bytes_of_hex;

    fn ask(sensor: &mut Climate, body: &str, at: Duration) -> Vec<u16> {
        let instruction = RtuInstruction::parse(body).unwrap();
        let request = bytes_of_hex(&instruction.request(5)).unwrap();
        let reply = sensor.answer(5, &request, at).unwrap();
        let proven = instruction.verify(5, &reply).unwrap();
        proven.payload().chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn what_a_sensor_answers_can_be_proven() {
        let mut sensor = Climate::new(11);
        let values = ask(&mut sensor, "0300000003", Duration::ZERO);
        assert!((200..300).contains(&values[0]), "{values:?}");
        assert!((350..700).contains(&values[1]), "{values:?}");
        assert_eq!(values[2], 1);
        assert_eq!(ask(&mut sensor, "0400010001", Duration::ZERO), values[1..2]);
    }

    #[test]
    fn the_run_state_can_be_written_and_is_read_back() {
        let mut sensor = Climate::new(11);
        ask(&mut sensor, "0600020000", Duration::ZERO);
        assert_eq!(ask(&mut sensor, "0300020001", Duration::ZERO), [0]);
    }

    #[test]
    fn what_it_does_not_know_is_refused_and_what_is_not_for_it_is_ignored() {
        let mut sensor = Climate::new(11);
        let mut answer = |hex: &str| sensor.answer(1, &bytes_of_hex(hex).unwrap(), Duration::ZERO);
        let refused = answer(&RtuInstruction::parse("0300020002").unwrap().request(1)).unwrap();
        assert_eq!(refused[..3], [0x01, 0x83, 0x02]);
        assert_eq!(answer(&RtuInstruction::parse("0300000001").unwrap().request(2)), None);
        assert_eq!(answer("0103000000010000"), None, "the CRC is wrong");
    }

    #[test]
    fn rooms_are_mostly_cool_and_sometimes_warmer_than_thirty() {
        let seconds = || (0..4 * 3600).step_by(20).map(Duration::from_secs);
        let rooms = (0..50).map(|seed| Climate::new(crate::chance::number(seed, "room")));
        let warm: Vec<usize> = rooms.map(|room| seconds().filter(|&at| room.temperature(at) > 30.0).count()).collect();
        let ever_warm = warm.iter().filter(|&&count| count > 0).count();
        assert!(ever_warm > 25, "{ever_warm} of 50 rooms were ever warm");
        assert!(warm.iter().sum::<usize>() * 20 < seconds().count() * 50, "warm is the exception");
    }
}
