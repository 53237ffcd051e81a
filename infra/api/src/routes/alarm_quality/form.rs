//! The figures as callers see them.

use std::time::Duration;

use domain::{
    Timestamp,
    alarm::{
        Severity,
        quality::{self, Quality},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{moment::Moment, routes::alarms::Source};

/// How many actors are listed.
const WORST: usize = 10;
const MOST_LISTED: usize = 100;

/// How good the alarms of a time were.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlarmQuality {
    /// Alarms that began from then on.
    from: Moment,
    /// Up to when.
    to: Moment,
    /// How many were raised.
    alarms: usize,
    /// Whether these are all of them: else only the latest were looked at.
    is_whole: bool,
    /// How many a day. Up to some 150 a person can look after (ISA-18.2).
    per_day: f64,
    /// How many of them were `critical`. About 5 % should be.
    critical: usize,
    /// How many were `warning`. About 15 % should be.
    warning: usize,
    /// How many were `info`.
    info: usize,
    /// What alarms most, ten at most.
    worst: Vec<BadActor>,
    /// Which part of all alarms those raised, from 0 to 1. Above 0.05 they are worth a look.
    share_of_worst: f64,
    /// Alarms that stand for more than a day, longest first, a hundred at most: also of those that began before the time.
    stale: Vec<StaleAlarm>,
    /// Times with more alarms than a person can look at, oldest first.
    floods: Vec<AlarmFlood>,
    /// Which part of the time there was a flood, from 0 to 1. Below 0.01 is good.
    share_of_floods: f64,
}

/// A rule on a source that raised many alarms.
#[derive(Debug, Serialize, ToSchema)]
struct BadActor {
    /// The source.
    source: Source,
    /// The rule.
    rule: String,
    /// How many alarms.
    alarms: usize,
    /// How many of them came three or more in a minute.
    chattering: usize,
    /// How many were over within a minute.
    fleeting: usize,
    /// For how long there was an alarm, in milliseconds.
    active_ms: u64,
}

/// An alarm that stands for more than a day.
#[derive(Debug, Serialize, ToSchema)]
struct StaleAlarm {
    /// The alarm.
    id: String,
    /// What it is about.
    source: Source,
    /// The rule that raised it.
    rule: String,
    /// Since when.
    raised_at: Moment,
}

/// Ten alarms in ten minutes, or more, until there are fewer than five.
#[derive(Debug, Serialize, ToSchema)]
struct AlarmFlood {
    /// The first of them.
    from: Moment,
    /// The last one.
    to: Moment,
    /// How many.
    alarms: usize,
}

impl AlarmQuality {
    pub(super) fn of(quality: &Quality, from: Timestamp, to: Timestamp, is_whole: bool) -> Self {
        let of = |severity| quality.by_severity.get(&severity).copied().unwrap_or_default();
        let long = to.since(from).as_secs_f64().max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "counts of alarms are small")]
        let per_day = quality.alarms as f64 / (long / 86_400.0).max(1.0);
        Self {
            from: Moment(from),
            to: Moment(to),
            alarms: quality.alarms,
            is_whole,
            per_day,
            critical: of(Severity::Critical),
            warning: of(Severity::Warning),
            info: of(Severity::Info),
            worst: quality.actors.iter().take(WORST).map(BadActor::from).collect(),
            share_of_worst: quality.share_of_first(WORST),
            stale: quality.stale.iter().take(MOST_LISTED).map(StaleAlarm::from).collect(),
            floods: quality.floods.iter().rev().take(MOST_LISTED).rev().map(AlarmFlood::from).collect(),
            share_of_floods: quality.flooded().as_secs_f64() / long,
        }
    }
}

impl From<&quality::Actor> for BadActor {
    fn from(actor: &quality::Actor) -> Self {
        Self {
            source: actor.source.clone().into(),
            rule: actor.rule.clone(),
            alarms: actor.alarms,
            chattering: actor.chattering,
            fleeting: actor.fleeting,
            active_ms: millis(actor.active),
        }
    }
}

impl From<&quality::Raised> for StaleAlarm {
    fn from(alarm: &quality::Raised) -> Self {
        Self {
            id: alarm.id.clone(),
            source: alarm.source.clone().into(),
            rule: alarm.rule.clone(),
            raised_at: Moment(alarm.at),
        }
    }
}

impl From<&quality::Flood> for AlarmFlood {
    fn from(flood: &quality::Flood) -> Self {
        Self { from: Moment(flood.from), to: Moment(flood.to), alarms: flood.alarms }
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
