//! Who would have been told how often: as routing tells, by incidents.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    DeviceId, Mac, Source, Timestamp,
    alarm::{Change, Rule, owner},
    routing::{
        Preferences, Subject, Way,
        incident::{News, Pace, Telling, TellingKind},
    },
};
use records::{
    Table, TableError,
    channels::Channels,
    preferences,
    routing::{self, GroupBy, Policy, Written},
    terminals::Terminal,
    users::{self, Role, User},
};

use super::{
    Backtest,
    incidents::{Happened, Said, Untold, lived},
};
use crate::{
    deliver_notice::event_of_telling,
    fan_out::{
        place,
        policies::{Steps, narrowest, steps_of},
        shares::AT_ONCE,
    },
};

/// What a backtest takes for granted when it counts notices, in words.
pub const ASSUMED: [&str; 6] = [
    "Nobody acknowledges anything, so notices are repeated and escalated until the alarms end.",
    "What is latched is reset as soon as its condition is over.",
    "Silences, maintenance windows, inhibitions, quiet hours and daily limits hold nothing back. What goes into a digest, the inbox \
     and topics are not counted.",
    "No other rule raises anything: what they raise at the same place would share its notices.",
    "Every channel takes what it is given, so nothing goes on to the next one.",
    "Policies, rotas, users and what they chose are as they are now.",
];

/// How often one person would have been told on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The user.
    pub user: String,
    /// The channel.
    pub channel: String,
    /// Notices of alarms that began, or came to matter more or less, maybe beside others that ended.
    pub alarms: usize,
    /// Notices of ends alone.
    pub recoveries: usize,
    /// Notices that say again what stands.
    pub repeats: usize,
    /// Notices to those who hear since nobody acknowledged.
    pub escalations: usize,
}

impl Told {
    /// All notices.
    pub fn notices(&self) -> usize {
        self.alarms + self.recoveries + self.repeats + self.escalations
    }
}

/// Who hears together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Audience {
    User(String),
    Policy(String),
    Recipients,
}

/// Gathers what would have happened, and says who would have been told.
pub(super) struct Consequences<'a> {
    rule: &'a Rule,
    /// Those of the rule's recipients, if it has any.
    recipients: Option<Steps>,
    pace: &'a Pace,
    everybody: Vec<User>,
    policies: Vec<Written<Policy>>,
    bound: BTreeMap<Mac, BTreeSet<String>>,
    happened: Vec<Happened>,
    /// What comes and goes too often to be told each time.
    untold: Untold,
    /// What each audience hears of, by what belongs together: places in `happened`.
    heard: BTreeMap<(Audience, String), Vec<usize>>,
}

impl<'a> Consequences<'a> {
    pub(super) async fn of(table: &dyn Table, backtest: &'a Backtest) -> Result<Self, TableError> {
        let Backtest { rule, recipients, terms, .. } = backtest;
        let is_told = owner(&rule.id).is_none() && !recipients.is_empty();
        Ok(Self {
            rule,
            recipients: is_told.then(|| Steps::of_recipients(recipients)),
            pace: &terms.pace,
            everybody: users::list(table).await?,
            policies: routing::all(table).await?,
            bound: BTreeMap::new(),
            happened: Vec::new(),
            untold: Untold::default(),
            heard: BTreeMap::new(),
        })
    }

    /// Takes in what would have changed on a device.
    pub(super) async fn add(
        &mut self,
        table: &dyn Table,
        terminal: &Terminal,
        device: &DeviceId,
        changes: &[Change],
    ) -> Result<(), TableError> {
        let source = Source::Device(device.clone());
        let policy = narrowest(&self.policies, &source, Some(terminal));
        let by = policy.map_or(GroupBy::default(), |policy| policy.value.group_by);
        let policy = policy.filter(|policy| !policy.value.steps.is_empty() && owner(&self.rule.id).is_none());
        let policy = policy.map(|policy| Audience::Policy(policy.id.clone()));
        let told: Vec<Change> = changes.iter().filter(|change| change.is_told()).cloned().collect();
        if told.is_empty() {
            return Ok(());
        }
        self.untold.extend(changes);
        let bound = users::of_terminal(table, &device.mac).await?.into_iter().collect();
        let bound = self.bound.entry(device.mac.clone()).or_insert(bound);
        let whose = owner(&self.rule.id);
        let hears = |user: &&User| match &whose {
            Some(owner) if *owner != user.user => false,
            _ => user.role == Role::Admin || bound.contains(&user.user),
        };
        let users = self.everybody.iter().filter(hears).map(|user| Audience::User(user.user.clone()));
        let recipients = self.recipients.as_ref().map(|_| Audience::Recipients);
        let audiences: Vec<Audience> = users.chain(policy).chain(recipients).collect();
        let site = place::site_of(table, by, &source).await?;
        let place = place::At { terminal: Some(terminal), site: site.as_deref() };
        for changes in told.chunk_by(|one, next| one.at == next.at) {
            for ((group, _), changes) in place::groups(by, (&source, changes), place) {
                let Some(at) = changes.first().map(|change| change.at) else { continue };
                for audience in &audiences {
                    self.heard.entry((audience.clone(), group.clone())).or_default().push(self.happened.len());
                }
                self.happened.push(Happened { at, source: source.clone(), changes });
            }
        }
        Ok(())
    }

    /// What all would have been told until then, by user and channel.
    pub(super) async fn told(mut self, table: &dyn Table, until: Timestamp) -> Result<Vec<Told>, TableError> {
        let mut count = Count { table, rule: &self.rule.id, reached: BTreeMap::new(), told: BTreeMap::new() };
        let mut elsewhere = Elsewhere::default();
        // Many hear of the same, and each is told the same of it.
        let mut together: BTreeMap<Vec<usize>, Vec<(String, String)>> = BTreeMap::new();
        let mut in_steps = Vec::new();
        for ((audience, group), mut places) in std::mem::take(&mut self.heard) {
            places.sort_by_key(|place| self.happened[*place].at);
            match audience {
                Audience::User(user) => together.entry(places).or_default().push((user, group)),
                Audience::Policy(_) | Audience::Recipients => in_steps.push((audience, group, places)),
            }
        }
        for (places, users) in together {
            let said = lived(places.iter().map(|place| &self.happened[*place]), (self.pace, &self.untold), until);
            for (user, group) in users {
                for Said { telling, .. } in &said {
                    elsewhere.own.entry((user.clone(), group.clone())).or_default().insert(telling.at);
                    count.add(&user, telling, false).await?;
                }
            }
        }
        // Policies come before the rule's recipients.
        for (audience, group, places) in in_steps {
            let steps = match &audience {
                Audience::Policy(id) => self.policies.iter().find(|policy| policy.id == *id),
                Audience::User(_) | Audience::Recipients => None,
            };
            let steps = steps.map(|policy| Steps::of_policy(&policy.value)).or_else(|| self.recipients.clone());
            let steps = steps.unwrap_or_default();
            self.in_steps(&mut count, &mut elsewhere, (&audience, &group, &steps), (&places, until)).await?;
        }
        Ok(count.told.into_values().collect())
    }

    /// Counts what those are told whom the steps of a policy name. Who hears of an incident once hears of all that is said of it,
    /// but for what they hear elsewhere.
    async fn in_steps(
        &self,
        count: &mut Count<'_>,
        elsewhere: &mut Elsewhere,
        (audience, group, steps): (&Audience, &str, &Steps),
        (places, until): (&[usize], Timestamp),
    ) -> Result<(), TableError> {
        let mut pace = self.pace.clone();
        steps.paced(&mut pace);
        let (mut people, mut of_incident) = (BTreeSet::new(), 0);
        let said = lived(places.iter().map(|place| &self.happened[*place]), (&pace, &self.untold), until);
        for Said { incident, telling, macs } in said {
            if incident != of_incident {
                (people, of_incident) = (BTreeSet::new(), incident);
            }
            let bound: BTreeSet<String> =
                macs.iter().filter_map(|mac| self.bound.get(mac)).flatten().cloned().collect();
            let mut named = BTreeSet::new();
            for step in steps_of(&telling) {
                named.extend(steps.named((count.table, telling.at), step, (&self.everybody, &bound)).await?);
            }
            people.extend(named.iter().cloned());
            let is_for_some = telling.kind == TellingKind::Escalation;
            let is_escalated = is_for_some && steps.waits(telling.level);
            for person in if is_for_some { &named } else { &people } {
                let is_told = if is_escalated {
                    !elsewhere.is_told_at(person, group, telling.at)
                } else {
                    !(*audience == Audience::Recipients && elsewhere.hears(person, group, telling.at))
                };
                let part = if is_escalated { Some(telling.clone()) } else { self.part(&telling, &macs, person) };
                if let Some(part) = part.filter(|_| is_told) {
                    count.add(person, &part, is_escalated).await?;
                }
            }
            if matches!(audience, Audience::Policy(_)) {
                let is_over = telling.kind == TellingKind::Recovery;
                elsewhere.policy_tells(&people, (group, telling.at), is_over);
            }
        }
        Ok(())
    }

    /// What of a telling somebody does not see themselves; nothing where they see all of it.
    fn part(&self, telling: &Telling, macs: &BTreeSet<Mac>, person: &str) -> Option<Telling> {
        let is_admin = self.everybody.iter().any(|user| user.user == person && user.role == Role::Admin);
        let sees = |mac: &Mac| is_admin || self.bound.get(mac).is_some_and(|bound| bound.contains(person));
        if telling.news.is_empty() {
            return (!macs.iter().all(sees)).then(|| telling.clone());
        }
        let mut news = telling.news.clone();
        news.retain(|news| !news.source.mac().is_some_and(sees));
        (!news.is_empty()).then(|| Telling { news, ..telling.clone() })
    }
}

/// What people would have been told elsewhere, by the group.
#[derive(Default)]
struct Elsewhere {
    /// When each was told by their own incident.
    own: BTreeMap<(String, String), BTreeSet<Timestamp>>,
    /// From when to when each hears of an incident by a policy.
    by_policy: BTreeMap<(String, String), Vec<(Timestamp, Timestamp)>>,
}

impl Elsewhere {
    fn policy_tells(&mut self, people: &BTreeSet<String>, (group, at): (&str, Timestamp), is_over: bool) {
        for person in people {
            let heard = self.by_policy.entry((person.clone(), group.to_owned())).or_default();
            match heard.last_mut().filter(|(_, until)| *until > at) {
                Some((_, until)) if is_over => *until = at,
                Some(_) => {}
                None => heard.push((at, if is_over { at } else { FOR_GOOD })),
            }
        }
    }

    /// Whether somebody hears of it by a policy.
    fn hears(&self, person: &str, group: &str, at: Timestamp) -> bool {
        let heard = self.by_policy.get(&(person.to_owned(), group.to_owned()));
        heard.is_some_and(|heard| heard.iter().any(|(from, until)| (*from..=*until).contains(&at)))
    }

    /// Whether somebody's own incident says something at the same time.
    fn is_told_at(&self, person: &str, group: &str, at: Timestamp) -> bool {
        let own = self.own.get(&(person.to_owned(), group.to_owned()));
        own.is_some_and(|own| own.range(at.minus(AT_ONCE)..at.plus(AT_ONCE)).next().is_some())
    }
}

const FOR_GOOD: Timestamp = Timestamp(i64::MAX);

/// Counts notices.
struct Count<'a> {
    table: &'a dyn Table,
    rule: &'a str,
    /// How each user is reached, and what they chose; none of one who is not there.
    reached: BTreeMap<String, Option<(Channels, Preferences)>>,
    told: BTreeMap<(String, String), Told>,
}

impl Count<'_> {
    async fn add(&mut self, user: &str, telling: &Telling, is_escalated: bool) -> Result<(), TableError> {
        if !self.reached.contains_key(user) {
            let reached = match users::get(self.table, user).await? {
                Some(found) => {
                    Some((Channels::of(self.table, &found).await?, preferences::get(self.table, user).await?))
                }
                None => None,
            };
            self.reached.insert(user.to_owned(), reached);
        }
        let Some(Some((channels, chosen))) = self.reached.get(user) else { return Ok(()) };
        let changes: Vec<Change> = telling.news.iter().map(|news| news.change.clone()).collect();
        let happened: Vec<_> = telling.news.iter().map(|news| (&news.source, &news.change)).collect();
        let channels = channels.told_first(event_of_telling(telling), chosen, &happened);
        let reachable: Vec<&str> = channels.iter().map(String::as_str).collect();
        let rule = self.rule;
        for channel in channels.iter().filter(|channel| is_told((rule, chosen), telling, (channel, &reachable))) {
            let key = (user.to_owned(), channel.clone());
            let told = self.told.entry(key).or_insert_with(|| Told {
                user: user.to_owned(),
                channel: channel.clone(),
                alarms: 0,
                recoveries: 0,
                repeats: 0,
                escalations: 0,
            });
            match telling.kind {
                TellingKind::Repeat => told.repeats += 1,
                _ if is_escalated => told.escalations += 1,
                _ if changes.iter().all(Change::ends) => told.recoveries += 1,
                _ => told.alarms += 1,
            }
        }
        Ok(())
    }
}

/// Whether any of what a rule raised is told at once on a channel, as its reader chose.
fn is_told((rule, chosen): (&str, &Preferences), telling: &Telling, (channel, reachable): (&str, &[&str])) -> bool {
    let way = |source: &Source, is_end| {
        let subject = Subject { source, node: None, rule, severity: telling.severity };
        chosen.way(&subject, is_end, channel, reachable) == Way::Now
    };
    let news = |news: &News| way(&news.source, news.change.ends());
    // Of what is no part of the platform the category is the rule's, whichever the source.
    let again = || way(&Source::Node(String::new()), false);
    if telling.news.is_empty() { again() } else { telling.news.iter().any(news) }
}
