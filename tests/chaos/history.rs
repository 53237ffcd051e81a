//! What the field saw acknowledged, against what the history shows.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use domain::Timestamp;
use field::{Acknowledged, AcknowledgedReply};
use serde_json::Value;
use telltale_tests::Session;

use super::{
    alarms::Unheard,
    load::{all, look_until},
};

/// The body of the instruction that reads a sensor's temperature and humidity.
const CLIMATE: &str = "0300000002";

/// Every stored reading of every device that was heard, by who said it and when it was asked.
pub(crate) struct History(BTreeMap<(String, u8, String), Vec<Value>>);

impl History {
    /// The history, once it holds all that was acknowledged and proven; what there is when that takes too long.
    pub(crate) async fn until_complete(session: &Session, acknowledged: &[Acknowledged]) -> Result<Self> {
        let devices: BTreeSet<(&str, u8)> = acknowledged.iter().map(|result| (&*result.mac, result.pid)).collect();
        let look = async || {
            let mut stored: BTreeMap<_, Vec<Value>> = BTreeMap::new();
            for (mac, pid) in &devices {
                for reading in all(session, &format!("/api/terminals/{mac}/devices/{pid}/history")).await? {
                    let asked = reading["asked"].as_str().unwrap_or_default().to_owned();
                    stored.entry(((*mac).to_owned(), *pid, asked)).or_default().push(reading);
                }
            }
            Ok(Self(stored))
        };
        look_until(look, |history: &Self| history.lost(acknowledged).is_empty()).await
    }

    /// Asserts that it shows all that was acknowledged and proven, each once and with the values that the device said,
    /// and none of what was not proven.
    pub(crate) fn shows_each_once_and_as_it_was_said(&self, acknowledged: &[Acknowledged]) {
        let (proven, unproven): (Vec<_>, Vec<_>) = acknowledged.iter().partition(|result| is_proven(result));
        println!(
            "{} results acknowledged, {} of them proven; {} readings stored",
            acknowledged.len(),
            proven.len(),
            self.0.len()
        );
        let lost = self.lost(acknowledged);
        assert!(lost.is_empty(), "{} were acknowledged and are lost: {lost:#?}", lost.len());
        assert!(unproven.iter().all(|result| self.of(result).is_none()), "values without a proof are stored");
        for (asked, readings) in &self.0 {
            assert_eq!(readings.len(), 1, "{asked:?} is stored more than once: {readings:#?}");
        }
        for result in proven {
            for (name, said) in result.replies.iter().find_map(climate).into_iter().flatten() {
                let stored = self.of(result).and_then(|readings| value(&readings[0], name));
                let same = stored.is_some_and(|stored| (stored - said).abs() < 1e-6);
                assert!(same, "{name} was {said}, and {stored:?} is stored: {result:#?}");
            }
        }
    }

    /// Whether the server took it for one that came too late for an alarm. It says so of what it stored alone.
    pub(crate) fn is_late(&self, result: &Acknowledged) -> bool {
        self.of(result).is_some_and(|readings| readings.iter().any(|reading| reading["late"] == true))
    }

    /// The readings that are stored and that the field did not hear to be acknowledged.
    pub(crate) fn unheard(&self, acknowledged: &[Acknowledged]) -> Vec<Unheard> {
        let heard: BTreeSet<_> = acknowledged.iter().map(key).collect();
        let unheard = self.0.iter().filter(|(key, _)| !heard.contains(*key));
        let read = unheard.filter_map(|((mac, pid, asked), readings)| {
            let temperature = value(&readings[0], "temperature")?;
            Some(Unheard { mac: mac.clone(), pid: *pid, asked: asked.clone(), temperature })
        });
        read.collect()
    }

    fn lost<'a>(&self, acknowledged: &'a [Acknowledged]) -> Vec<&'a Acknowledged> {
        acknowledged.iter().filter(|result| is_proven(result) && self.of(result).is_none()).collect()
    }

    fn of(&self, result: &Acknowledged) -> Option<&Vec<Value>> {
        self.0.get(&key(result))
    }
}

/// Where a result is in the history.
fn key(result: &Acknowledged) -> (String, u8, String) {
    (result.mac.clone(), result.pid, Timestamp(result.time_stamp).rfc3339())
}

/// Whether at least one reply is the device's own, as it said it.
pub(crate) fn is_proven(result: &Acknowledged) -> bool {
    result.replies.iter().any(|reply| reply.fault.is_none())
}

/// The temperature and the humidity in an honest reply, if it is the one that holds them: after address, function and
/// length, each is two bytes of tenths.
pub(crate) fn climate(reply: &AcknowledgedReply) -> Option<[(&'static str, f64); 2]> {
    let tenths = |from: usize| Some(f64::from(u16::from_str_radix(reply.bytes.get(from..from + 4)?, 16).ok()?) / 10.0);
    let asked = reply.content.get(2..)?.starts_with(CLIMATE) && reply.fault.is_none();
    if asked { Some([("temperature", tenths(6)?), ("humidity", tenths(10)?)]) } else { None }
}

fn value(reading: &Value, name: &str) -> Option<f64> {
    reading["values"].as_array()?.iter().find(|value| value["name"] == name)?["value"].as_f64()
}
