//! Devices that are not the usual sensor.

use domain::{Pid, Timestamp, frame};
use jobs::report::{Answer, Event, RawReply};
use records::{
    protocols,
    terminals::{self, Device},
};
use serde_json::{Value, json};

use super::{Flow, mac};

/// The instruction that 64 bits come with, and the one for a hundred registers.
const BITS: &str = "0100000040";
const REGISTERS: &str = "0300000064";

impl Flow {
    /// The device at pid 1 has so many bits from now on, and each of them is an alarm when it is set.
    pub async fn speaks_bits(&self, bits: usize) {
        let names = (1..=bits).map(|bit| format!("bit {bit}"));
        let fields = names.clone().enumerate().map(|(at, name)| field(&name, &format!("{}-1", at + 1)));
        let states = names.map(|name| json!({ "name": name, "alarmStat": ["0"] })).collect::<Vec<_>>();
        self.speaks("bits", BITS, "bit2", fields.collect(), &json!({ "Protocol": "bits", "AlarmStat": states })).await;
        self.mounts("bits", [1]).await;
    }

    /// All bits of the device are set, or none is, and everything that follows is done.
    pub async fn bits_say(&self, set: bool) {
        self.reports([self.bits(&[if set { 0xff } else { 0 }; 8])]).await;
        self.settle().await;
    }

    /// Meters at these addresses, in place of the sensor: each has a hundred values, whose limit is 100.
    pub async fn speaks_registers(&self, pids: impl IntoIterator<Item = Pid>) {
        let names = (1..=100).map(|register| format!("phase voltage {register}"));
        let fields = names.clone().enumerate().map(|(at, name)| field(&name, &format!("{}-2", 2 * at + 1)));
        let limits = names.map(|name| json!({ "name": name, "max": 100 })).take(1).collect::<Vec<_>>();
        let constants = json!({ "Protocol": "meter", "Threshold": limits });
        self.speaks("meter", REGISTERS, "hex", fields.collect(), &constants).await;
        self.mounts("meter", pids).await;
    }

    /// A meter's answer in which every register holds this number.
    pub fn registers(&self, pid: Pid, number: u16) -> Event {
        self.different_registers(pid, |_| number)
    }

    /// A meter's answer, with what each of its hundred registers holds.
    pub fn different_registers(&self, pid: Pid, number: impl Fn(u16) -> u16) -> Event {
        let bytes: Vec<u8> = (0..100).flat_map(|register| number(register).to_be_bytes()).collect();
        self.answer_to("meter", pid, REGISTERS, &bytes)
    }

    /// The answer of the device with these bits, eight to a byte.
    pub fn bits(&self, bytes: &[u8]) -> Event {
        self.answer_to("bits", 1, BITS, bytes)
    }

    /// The answer of the climate sensor at `pid`.
    pub fn climate(&self, pid: Pid, celsius: f64, humidity: f64) -> Event {
        climate_of(pid, celsius, humidity, self.now())
    }

    async fn speaks(&self, name: &str, instruction: &str, result_type: &str, fields: Vec<Value>, constants: &Value) {
        let table = self.cx.table.as_ref();
        let instruct = json!([{ "name": instruction, "resultType": result_type, "formResize": fields }]);
        let document = json!({ "Type": 485, "Protocol": name, "ProtocolType": "io", "instruct": instruct });
        protocols::put(table, &serde_json::from_value(document).unwrap()).await.unwrap();
        protocols::put_constants(table, &serde_json::from_value(constants.clone()).unwrap()).await.unwrap();
    }

    async fn mounts(&self, protocol: &str, pids: impl IntoIterator<Item = Pid>) {
        let table = self.cx.table.as_ref();
        let mut terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
        let model = terminal.devices[0].clone();
        let device = |pid| Device { pid, protocol: protocol.to_owned(), ..model.clone() };
        terminal.devices = pids.into_iter().map(device).collect();
        terminals::put(table, &terminal).await.unwrap();
    }

    fn answer_to(&self, protocol: &str, pid: Pid, instruction: &str, data: &[u8]) -> Event {
        Event::Answered(answer_to(protocol, pid, instruction, data, self.now()))
    }
}

/// The answer of the climate sensor at `pid`, asked at `asked`.
pub fn climate_of(pid: Pid, celsius: f64, humidity: f64, asked: Timestamp) -> Event {
    let tenths = |number: f64| format!("{:.0}", number * 10.0).parse::<i16>().unwrap().to_be_bytes();
    let data = [tenths(celsius), tenths(humidity)].concat();
    Event::Answered(answer_to(&super::constants_protocol(), pid, "0300000002", &data, asked))
}

fn answer_to(protocol: &str, pid: Pid, instruction: &str, data: &[u8], asked: Timestamp) -> Answer {
    let request = frame::RtuInstruction::parse(instruction).unwrap().request(pid);
    let function = u8::from_str_radix(&instruction[..2], 16).unwrap();
    let mut reply = vec![pid, function, u8::try_from(data.len()).unwrap()];
    reply.extend(data);
    reply.extend(frame::crc16_modbus(&reply).to_le_bytes());
    let Event::Answered(answer) = super::answer_bytes(reply.clone(), asked) else { panic!("an answer is an answer") };
    let replies = vec![RawReply { content: request, bytes: reply }];
    Answer { replies, pid, protocol: protocol.to_owned(), ..answer }
}

fn field(name: &str, place: &str) -> Value {
    json!({ "name": name, "regx": place, "bl": "1", "unit": "V" })
}
