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
    preferences, silences, terminals,
};
use tokio::sync::OnceCell;

const PAGE: usize = 500;
/// Where more alarms stand than that, the newest decide what they mute.
const MOST_STANDING: usize = 2000;

/// What was said whoever hears, and what stands. It is read once for all who are told at a time.
#[derive(Default)]
pub(crate) struct Common(OnceCell<Said>);

struct Said {
    silences: Vec<silences::Kept>,
    inhibitions: Vec<Inhibition>,
    /// What stands, and the node that it hangs on, if anything can be muted.
    standing: Vec<(Alarm, Option<String>)>,
}

impl Common {
    async fn read(&self, table: &dyn Table) -> Result<&Said, TableError> {
        let read = async || {
            let kept = inhibitions::all(table).await?;
            let inhibitions: Vec<Inhibition> = kept.into_iter().map(|kept| kept.inhibition).collect();
            let standing = if inhibitions.is_empty() { Vec::new() } else { standing(table).await? };
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
        let (said, preferences) = (common.read(table).await?, preferences::of_users(table, users).await?);
        Ok(Self { said, preferences, nothing: Preferences::default() })
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
        let moment = Moment {
            silences: &silences,
            is_muted: self.mutes(user, &subject, alarm),
            preferences: (user != EVERYBODY).then(|| self.chosen_by(user)),
            reachable,
            first,
            now,
        };
        decide(&moment, &subject, is_end, channel)
    }

    /// Whether an alarm that stands speaks for this one: not one that somebody else has by a rule or a setup of their own, of
    /// which the user does not hear.
    fn mutes(&self, user: &str, subject: &Subject<'_>, alarm: &str) -> bool {
        let may_hear = |standing: &Alarm| owner(&standing.rule).is_none_or(|owner| owner == user);
        let others = || self.said.standing.iter().filter(|(standing, _)| standing.id != alarm && may_hear(standing));
        self.said.inhibitions.iter().any(|inhibition| {
            others().any(|(standing, node)| {
                let Alarm { source, rule, severity, .. } = standing;
                let standing = Subject { source, node: node.as_deref(), rule, severity: *severity };
                inhibition.mutes(&standing, subject)
            })
        })
    }
}

async fn standing(table: &dyn Table) -> Result<Vec<(Alarm, Option<String>)>, TableError> {
    let (mut standing, mut after) = (Vec::new(), None);
    loop {
        let page = alarms::list(table, Which::Active, PAGE, after).await?;
        standing.extend(page.items.into_iter().filter(|alarm| !alarm.shadow));
        after = page.next;
        if after.is_none() || standing.len() >= MOST_STANDING {
            break;
        }
    }
    let macs: BTreeSet<Mac> = standing.iter().filter_map(|alarm| alarm.source.mac().cloned()).collect();
    let macs: Vec<Mac> = macs.into_iter().collect();
    let terminals = terminals::get_many(table, &macs).await?;
    let node =
        |alarm: &Alarm| alarm.source.mac().and_then(|mac| terminals.get(mac)).map(|terminal| terminal.node.clone());
    Ok(standing.into_iter().map(|alarm| (node(&alarm), alarm)).map(|(node, alarm)| (alarm, node)).collect())
}
