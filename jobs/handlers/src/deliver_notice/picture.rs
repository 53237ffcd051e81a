//! The picture in a mail: the last hours of the value that a notice is about.

use std::time::Duration;

use domain::{
    DeviceId, Source, Timestamp,
    alarm::{Change, Sight},
    reading::{Datum, Quality, Reading},
};
use records::{
    TableError,
    facts::Facts,
    readings::{self, Span},
};
use tokio::time::timeout;

use crate::{
    Context,
    ports::{Curve, Inline},
    words::{ChartWords, Reader},
};

/// How much of the past is shown.
const SHOWN: Duration = Duration::from_hours(6);
/// The most readings that are looked at; where more were taken, the picture begins later.
const MOST_READINGS: usize = 3000;
/// A mail does not wait for its picture for longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// A larger picture stays out of the mail.
const MOST_BYTES: usize = 40_000;

const CONTENT_ID: &str = "last-hours";

/// The picture, and the words around it; none where there is nothing to show, or no time to.
pub(super) async fn of(cx: &Context, facts: &Facts, reader: &Reader) -> Option<(ChartWords, Inline)> {
    let illustrator = cx.stationery.illustrator.as_ref()?;
    let about = Subject::of(facts)?;
    let to = cx.clock.now();
    let history = match timeout(PATIENCE, history(cx, &about.device, to)).await {
        Ok(Ok(history)) => history,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a mail goes without its picture");
            return None;
        }
        Err(_) => return None,
    };
    let (name, unit) = about.value(&history)?;
    let points = points(&history, &name);
    // One value says nothing that the text does not.
    let (&(from, _), _) = points.split_first().filter(|(_, others)| !others.is_empty())?;
    let curve = Curve { from, to, points, limits: about.limits(), alarms: about.alarms(to) };
    let bytes = illustrator.draw(&curve).filter(|bytes| bytes.len() <= MOST_BYTES)?;
    let inline = Inline { content_id: CONTENT_ID.to_owned(), mime: "image/png".to_owned(), bytes };
    Some((words(&curve, &format!("{name} {unit}"), reader), inline))
}

fn words(curve: &Curve, what: &str, reader: &Reader) -> ChartWords {
    let values = || curve.points.iter().map(|(_, value)| *value);
    let number = |number: f64| Datum::Number(number).text();
    ChartWords {
        content_id: CONTENT_ID.to_owned(),
        what: what.trim_end().to_owned(),
        least: number(values().fold(f64::INFINITY, f64::min)),
        greatest: number(values().fold(f64::NEG_INFINITY, f64::max)),
        limits: curve.limits.iter().map(|limit| number(*limit)).collect(),
        hours: curve.to.since(curve.from).as_secs().div_ceil(3600),
        from: reader.time(curve.from),
        to: reader.time(curve.to),
    }
}

/// What the picture is of: the first value of a device that the notice is about.
struct Subject<'a> {
    device: DeviceId,
    /// The value's name, and what was shown of it.
    what: String,
    sight: Sight,
    changes: Vec<&'a Change>,
}

impl<'a> Subject<'a> {
    fn of(facts: &'a Facts) -> Option<Self> {
        let devices = facts.parts.iter().filter_map(|part| match &part.source {
            Source::Device(device) => Some((device, &part.changes)),
            _ => None,
        });
        let mut subjects = devices.flat_map(|(device, changes)| changes.iter().map(move |it| (device, changes, it)));
        subjects.find_map(|(device, changes, change)| {
            let sight = change.sights().into_iter().find(|sight| matches!(sight, Sight::Value { .. }))?;
            let Sight::Value { what, .. } = &sight else { return None };
            let what = what.clone();
            let changes = changes.iter().filter(|other| other.alarm == change.alarm).collect();
            Some(Self { device: device.clone(), what, sight, changes })
        })
    }

    /// The name and the unit of the value: the longest of those that the device has and that the words begin with.
    fn value(&self, history: &[Reading]) -> Option<(String, String)> {
        let values = history.iter().rev().flat_map(|reading| &reading.values);
        let is_named = |name: &str| self.what.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
        let named = values.filter(|value| matches!(value.value, Datum::Number(_)) && is_named(&value.name));
        named.max_by_key(|value| value.name.len()).map(|value| (value.name.clone(), value.unit.clone()))
    }

    fn limits(&self) -> Vec<f64> {
        self.sight.limits()
    }

    /// When it was an alarm: it began before what is told of it, and goes on where its end is not told.
    fn alarms(&self, now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let end = self.changes.iter().find(|change| change.ends()).map_or(now, |change| change.at);
        self.changes.first().map(|change| (change.since, end)).into_iter().collect()
    }
}

/// What was read of the device in the last hours, oldest first.
async fn history(cx: &Context, device: &DeviceId, to: Timestamp) -> Result<Vec<Reading>, TableError> {
    let mut span = Span { from: to.minus(SHOWN), to, limit: MOST_READINGS, after: None };
    let mut history = Vec::new();
    while history.len() < MOST_READINGS {
        span.limit = MOST_READINGS - history.len();
        let page = readings::history(cx.table.as_ref(), &device.mac, device.pid, &span).await?;
        history.extend(page.items);
        span.after = page.next;
        if span.after.is_none() {
            break;
        }
    }
    history.sort_by_key(|reading| reading.at);
    Ok(history)
}

/// The good values of that name.
fn points(history: &[Reading], name: &str) -> Vec<(Timestamp, f64)> {
    let value = |reading: &Reading| {
        let value = reading.values.iter().find(|value| value.name == name && value.quality == Quality::Good)?;
        match value.value {
            Datum::Number(number) if number.is_finite() => Some((reading.at, number)),
            _ => None,
        }
    };
    history.iter().filter_map(value).collect()
}
