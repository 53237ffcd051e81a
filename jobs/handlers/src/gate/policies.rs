//! What people and administrators said of who is told what, and when.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Mac, Source, Timestamp,
    alarm::{Change, Severity, owner},
    routing::{Inhibition, Moment, Preferences, Subject, Verdict, decide, incident::News},
};
use records::{
    Table, TableError,
    alarms::{self, Alarm, Which},
    inhibitions,
    notices::EVERYBODY,
    preferences, silences, terminals, users,
};
use tokio::sync::OnceCell;

use crate::{fan_out::aside_of, told_by_name};

const PAGE: usize = 500;
/// Where more alarms stand than that which speak for others, the newest of them do.
const MOST_STANDING: usize = 2000;
/// So many that stand are looked through for them.
const MOST_LOOKED_THROUGH: usize = 20_000;

/// What was said whoever hears, and what stands. It is read once for all who are told at a time.
#[derive(Default)]
pub(crate) struct Common(OnceCell<Said>);

struct Said {
    silences: Vec<silences::Kept>,
    inhibitions: Vec<Inhibition>,
    /// What stands that may speak for something else, and of which people are told, and the node that it hangs on.
    standing: Vec<(Alarm, Option<String>)>,
}

impl Common {
    async fn read(&self, table: &dyn Table) -> Result<&Said, TableError> {
        let read = async || {
            let kept = inhibitions::all(table).await?;
            let inhibitions: Vec<Inhibition> = kept.into_iter().map(|kept| kept.inhibition).collect();
            let standing = if inhibitions.is_empty() { Vec::new() } else { standing(table, &inhibitions).await? };
            Ok(Said { silences: silences::all(table).await?, inhibitions, standing })
        };
        self.0.get_or_try_init(read).await
    }
}

/// All of it that concerns some users.
pub(super) struct Policies<'a> {
    said: &'a Said,
    /// What they chose, by user.
    preferences: BTreeMap<String, Preferences>,
    nothing: Preferences,
    /// Of which of the alarms that stand each of them hears, by the alarms' ids.
    hears: BTreeMap<String, BTreeSet<String>>,
}

/// Of what somebody may be told.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// The source.
    pub source: &'a Source,
    /// The rule.
    pub rule: &'a str,
    /// How much it matters.
    pub severity: Severity,
    /// The alarm.
    pub alarm: &'a str,
    /// Whether it is the alarm's end.
    pub is_end: bool,
}

impl<'a> About<'a> {
    /// What a change of an alarm of a source is about.
    pub(super) fn change(source: &'a Source, change: &'a Change) -> Self {
        let Change { rule, severity, alarm, .. } = change;
        Self { source, rule, severity: *severity, alarm, is_end: change.ends() }
    }

    pub(super) fn of(news: &'a News) -> Self {
        Self::change(&news.source, &news.change)
    }
}

impl<'a> Policies<'a> {
    pub(super) async fn read(
        table: &dyn Table,
        common: &'a Common,
        users: impl IntoIterator<Item = &str>,
    ) -> Result<Self, TableError> {
        let users: Vec<&str> = users.into_iter().collect();
        let (said, preferences) =
            (common.read(table).await?, preferences::of_users(table, users.iter().copied()).await?);
        let mut hears = BTreeMap::new();
        if !said.standing.is_empty() {
            for user in users {
                hears.insert(user.to_owned(), heard_by(table, user, &said.standing).await?);
            }
        }
        Ok(Self { said, preferences, nothing: Preferences::default(), hears })
    }

    /// What a user chose; the default where they chose nothing.
    pub(super) fn chosen_by(&self, user: &str) -> &Preferences {
        self.preferences.get(user).unwrap_or(&self.nothing)
    }

    /// What becomes of something on a node, for a user who has an address on these channels. It was to be told `first`.
    pub(super) fn verdict(
        &self,
        (user, reachable): (&str, &[&str]),
        channel: &str,
        (node, about): (Option<&str>, About<'_>),
        (first, now): (Timestamp, Timestamp),
    ) -> Verdict {
        let About { source, rule, severity, alarm, is_end } = about;
        let subject = Subject { source, node, rule, severity };
        let own = self.said.silences.iter().filter(|kept| kept.owner.as_deref().is_none_or(|owner| owner == user));
        let silences: Vec<_> = own.map(|kept| &kept.silence).collect();
        let mut moment = Moment {
            silences: &silences,
            is_muted: false,
            preferences: (user != EVERYBODY).then(|| self.chosen_by(user)),
            reachable,
            first,
            now,
        };
        // What they silenced, or put off to the morning, does not speak for what they are to hear now.
        let is_told =
            |other: &Subject<'_>| decide(&Moment { first: now, ..moment }, other, false, channel) == Verdict::Tell;
        moment.is_muted = self.mutes(user, &subject, alarm, is_told);
        decide(&moment, &subject, is_end, channel)
    }

    /// Whether an alarm that stands, and of which the user hears, speaks for this one. Of two that would speak for each other, the
    /// older one does.
    fn mutes(&self, user: &str, subject: &Subject<'_>, alarm: &str, is_told: impl Fn(&Subject<'_>) -> bool) -> bool {
        let hears =
            |alarm: &Alarm| user == EVERYBODY || self.hears.get(user).is_some_and(|ids| ids.contains(&alarm.id));
        let any_mutes = |one: &Subject<'_>, other: &Subject<'_>| {
            self.said.inhibitions.iter().any(|inhibition| inhibition.mutes(one, other))
        };
        self.said.standing.iter().filter(|(other, _)| other.id != alarm).any(|(other, node)| {
            let is_older = *other.id < *alarm;
            let other_subject = subject_of(other, node.as_deref());
            any_mutes(&other_subject, subject)
                && (is_older || !any_mutes(subject, &other_subject))
                && hears(other)
                && is_told(&other_subject)
        })
    }
}

fn subject_of<'a>(alarm: &'a Alarm, node: Option<&'a str>) -> Subject<'a> {
    let Alarm { source, rule, severity, .. } = alarm;
    Subject { source, node, rule, severity: *severity }
}

/// The alarms that stand and may speak for others by these inhibitions: not those of which nobody is told, being tried out, on the shelf,
/// or out of service.
async fn standing(table: &dyn Table, inhibitions: &[Inhibition]) -> Result<Vec<(Alarm, Option<String>)>, TableError> {
    let (mut standing, mut after, mut looked) = (Vec::new(), None, 0);
    loop {
        let page = alarms::list(table, Which::Active, PAGE, after).await?;
        looked += page.items.len();
        let macs: BTreeSet<Mac> = page.items.iter().filter_map(|alarm| alarm.source.mac().cloned()).collect();
        let terminals = terminals::get_many(table, &macs.into_iter().collect::<Vec<_>>()).await?;
        for alarm in page.items.into_iter().filter(|alarm| !alarm.shadow) {
            let node = alarm.source.mac().and_then(|mac| terminals.get(mac)).map(|terminal| terminal.node.clone());
            let subject = subject_of(&alarm, node.as_deref());
            if inhibitions.iter().any(|inhibition| inhibition.standing.fits(&subject)) {
                standing.push((alarm, node));
            }
        }
        after = page.next;
        if after.is_none() || standing.len() >= MOST_STANDING || looked >= MOST_LOOKED_THROUGH {
            break;
        }
    }
    let ids = standing.iter().map(|(alarm, _)| alarm.id.clone()).collect();
    let aside = aside_of(table, &ids).await?;
    standing.retain(|(alarm, _)| !aside.contains(&alarm.id));
    Ok(standing)
}

/// The ids of those alarms of which somebody hears: not those that somebody else has by a rule or a setup of their own.
async fn heard_by(
    table: &dyn Table,
    name: &str,
    standing: &[(Alarm, Option<String>)],
) -> Result<BTreeSet<String>, TableError> {
    let Some(user) = users::get(table, name).await? else { return Ok(BTreeSet::new()) };
    let theirs = standing.iter().map(|(alarm, _)| alarm);
    let theirs: Vec<&Alarm> = theirs.filter(|alarm| owner(&alarm.rule).is_none_or(|owner| owner == name)).collect();
    let seen = users::seen_among(table, &user, theirs.iter().map(|alarm| &alarm.source)).await?;
    let named = told_by_name::all(table, name).await?;
    let heard = theirs.into_iter().filter(|alarm| seen.contains(&alarm.source) || named.contains(&alarm.id));
    Ok(heard.map(|alarm| alarm.id.clone()).collect())
}
