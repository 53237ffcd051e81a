//! How often each device of a terminal is asked, as its line stands: the one place that knows.

use std::{sync::Arc, time::Duration};

use domain::{Pid, schedule};
use records::{
    TableError,
    terminals::{Device, Standing, Terminal},
};

use crate::{Context, catalog::Model};

/// A device whose protocol is known, and how often it is asked.
pub(crate) struct Paced<'a> {
    pub device: &'a Device,
    pub model: Arc<Model>,
    pub interval: Duration,
}

/// The devices of a line that can be asked.
pub(crate) struct Line<'a> {
    devices: Vec<(&'a Device, Arc<Model>)>,
    load: schedule::LineLoad,
}

impl<'a> Line<'a> {
    /// The line of a terminal. A device whose protocol is not known is not on it.
    pub(crate) async fn of(cx: &Context, terminal: &'a Terminal) -> Result<Self, TableError> {
        let mut devices = Vec::with_capacity(terminal.devices.len());
        for device in &terminal.devices {
            if let Some(model) = cx.model(&device.protocol).await? {
                devices.push((device, model));
            }
        }
        let load = schedule::LineLoad {
            instructions: devices.iter().map(|(_, model)| model.protocol.instructions_in_use()).sum(),
            uplink: terminal.uplink(),
            least: Duration::from_millis(cx.settings.schedule.minimum_interval_ms),
            per_instruction: Duration::from_millis(cx.settings.schedule.instruction_ms),
            ..schedule::LineLoad::default()
        };
        Ok(Self { devices, load })
    }

    /// Each device with its interval.
    pub(crate) fn paced(&self, standing: &Standing) -> impl Iterator<Item = Paced<'a>> {
        self.devices.iter().map(|(device, model)| {
            let interval = self.interval_of(device, standing);
            Paced { device, model: Arc::clone(model), interval }
        })
    }

    /// The interval of the device at an address; none when it cannot be asked.
    pub(crate) fn interval(&self, pid: Pid, standing: &Standing) -> Option<Duration> {
        let (device, _) = self.devices.iter().find(|(device, _)| device.pid == pid)?;
        Some(self.interval_of(device, standing))
    }

    fn interval_of(&self, device: &Device, standing: &Standing) -> Duration {
        let device_minimum = Duration::from_millis(device.min_interval_ms);
        let interval = schedule::interval(&schedule::LineLoad { device_minimum, ..self.load.clone() });
        let misses = standing.misses.get(&device.pid).copied().unwrap_or(0);
        let unanswered = standing.unanswered.get(&device.pid).copied().unwrap_or(0);
        schedule::backed_off(schedule::slowed(interval, unanswered), misses, self.devices.len().saturating_sub(1))
    }
}
