//! What hangs on a terminal's line and answers.

mod climate;
pub(crate) mod fault;
mod modbus;
mod signal;
mod ups;

use std::time::Duration;

use climate::Climate;
use ups::Ups;

use crate::{Cooling, chance};

/// One device. It says nothing of its own; it is asked.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    /// Its address on the line, 0 on a text line.
    pub(crate) pid: u8,
    model: Model,
}

#[derive(Debug, Clone)]
enum Model {
    Climate(Climate),
    Ups(Ups),
}

/// How the server's site file describes a device.
pub(crate) struct Description {
    /// The kind of device.
    pub(crate) kind: &'static str,
    /// The model's name.
    pub(crate) model: &'static str,
    /// The protocol it speaks.
    pub(crate) protocol: &'static str,
}

impl Device {
    /// A temperature and humidity sensor.
    pub(crate) fn climate(seed: u64, mac: &str, pid: u8, cooling: Cooling) -> Self {
        let climate = Climate::new(chance::number(seed, &format!("{mac}/{pid}"))).with(cooling);
        Self { pid, model: Model::Climate(climate) }
    }

    /// A UPS, alone on its line, that has a fault in that share of the time.
    pub(crate) fn ups(seed: u64, mac: &str, faults: f64) -> Self {
        Self { pid: 0, model: Model::Ups(Ups::new(chance::number(seed, mac)).with_faults(faults)) }
    }

    /// The device as the site file describes it.
    pub(crate) fn description(&self) -> Description {
        match self.model {
            Model::Climate(_) => Description { kind: "温湿度", model: "TH-10", protocol: "温湿度传感器" },
            Model::Ups(_) => Description { kind: "UPS", model: "UPS-3K", protocol: "在线式UPS" },
        }
    }

    /// The answer to a request, if it is one for this device; `at` is the age of the field.
    pub(crate) fn answer(&mut self, request: &[u8], at: Duration) -> Option<Vec<u8>> {
        match &mut self.model {
            Model::Climate(climate) => climate.answer(self.pid, request, at),
            Model::Ups(ups) => ups.answer(request, at),
        }
    }
}
