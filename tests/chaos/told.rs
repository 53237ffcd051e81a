//! What a person was told, against the alarms there were.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use anyhow::Result;
use serde_json::Value;
use telltale_tests::{Delivery, Mail};

use super::load::{Person, all, look_until};

/// One person's alarms and notices as the API shows them, and the webhooks and mails that came.
pub(crate) struct Told {
    name: &'static str,
    alarms: Vec<Value>,
    notices: Vec<Value>,
    deliveries: Vec<Delivery>,
    mails: Vec<Mail>,
}

impl Told {
    /// What somebody was told, once every change of an alarm is told; what it is when that takes too long.
    pub(crate) async fn until_settled(person: &Person) -> Result<Self> {
        let look = async || {
            let mut alarms = all(&person.session, "/api/alarms").await?;
            // What was heard of too late is on record, and told to nobody.
            alarms.retain(|alarm| alarm["late_readings"].is_null());
            let mut notices = all(&person.session, "/api/notices").await?;
            // What was not taken is told in the one that came after it.
            notices.retain(|notice| notice["status"] != "joined");
            Ok(Self { name: person.name, alarms, notices, deliveries: person.deliveries(), mails: person.mails() })
        };
        look_until(look, |told: &Self| {
            told.notices.iter().all(|notice| notice["status"] == "sent") && told.said() == told.changed()
        })
        .await
    }

    /// Asserts that no condition was raised again before it was cleared.
    pub(crate) fn raises_and_clears_alternate(&self) {
        let mut conditions: BTreeMap<_, Vec<(&str, Option<&str>)>> = BTreeMap::new();
        for alarm in &self.alarms {
            let times = (alarm["raised_at"].as_str().unwrap_or_default(), alarm["cleared_at"].as_str());
            conditions.entry((alarm["source"].to_string(), alarm["rule"].to_string())).or_default().push(times);
        }
        for (condition, mut times) in conditions {
            times.sort_unstable();
            let one_by_one = times.windows(2).all(|pair| pair[0].1.is_some_and(|cleared| cleared <= pair[1].0));
            assert!(one_by_one, "{condition:?} was raised while it was raised: {times:?}");
        }
    }

    /// Asserts that each raise and each clearing is in one notice, and that each notice was sent.
    pub(crate) fn says_each_change_once(&self) {
        let [raised, cleared] = self.changed();
        println!("{}: {raised} alarms raised, {cleared} cleared, {} notices", self.name, self.notices.len());
        assert_eq!(self.said(), [raised, cleared], "{} was not told of every change, or twice", self.name);
        let open: Vec<_> = self.notices.iter().filter(|notice| notice["status"] != "sent").collect();
        assert!(open.is_empty(), "notices that were not sent: {open:#?}");
        let transitions: BTreeSet<&str> =
            self.notices.iter().filter_map(|notice| notice["transition"].as_str()).collect();
        assert_eq!(transitions.len(), self.notices.len(), "{} has two notices of one transition", self.name);
    }

    /// Asserts that each notice came, genuine, under one id, and once; again only where its receipt may have been lost.
    pub(crate) fn was_delivered_once(&self, may_come_again: impl Fn(Instant) -> bool) {
        let mut by_id: BTreeMap<&str, Vec<&Delivery>> = BTreeMap::new();
        let mut ids_of_transition: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for delivery in &self.deliveries {
            assert!(delivery.genuine, "the signature of {delivery:?} is wrong");
            by_id.entry(&delivery.id).or_default().push(delivery);
            let transition = delivery.body["data"]["transition"].as_str().unwrap_or_default();
            ids_of_transition.entry(transition).or_default().insert(&delivery.id);
        }
        println!(
            "{}: {} webhooks, {} of them repeats",
            self.name,
            self.deliveries.len(),
            self.deliveries.len() - by_id.len()
        );
        for (transition, ids) in ids_of_transition {
            assert_eq!(ids.len(), 1, "{} was told of {transition} under several ids: {ids:?}", self.name);
        }
        for notice in self.notices.iter().filter(|notice| notice["channel"] == "webhook") {
            let id = notice["id"].as_str().unwrap_or_default();
            assert!(by_id.contains_key(id), "{notice} is sent and never came");
        }
        for (id, deliveries) in by_id {
            let (_, before) = deliveries.split_last().unwrap();
            let excused = before.iter().all(|delivery| may_come_again(delivery.at));
            assert!(excused, "{} was told {id} again, and no kill explains it: {deliveries:#?}", self.name);
        }
    }

    /// Asserts that each notice came as a mail of its own name, once; again only where its receipt may have been lost.
    pub(crate) fn was_mailed_once(&self, may_come_again: impl Fn(Instant) -> bool) {
        let mut by_name: BTreeMap<&str, Vec<&Mail>> = BTreeMap::new();
        for mail in &self.mails {
            let name = mail.message_id.trim_start_matches('<').split('@').next().unwrap_or_default();
            by_name.entry(name).or_default().push(mail);
        }
        println!("{}: {} mails, {} of them repeats", self.name, self.mails.len(), self.mails.len() - by_name.len());
        let mailed = self.notices.iter().filter(|notice| notice["channel"] == "email");
        let names: BTreeSet<&str> = mailed.filter_map(|notice| notice["id"].as_str()).collect();
        let came: BTreeSet<&str> = by_name.keys().copied().collect();
        assert_eq!(came, names, "{} got other mails than there are notices", self.name);
        for (name, mails) in by_name {
            let (_, before) = mails.split_last().unwrap();
            let excused = before.iter().all(|mail| may_come_again(mail.taken_at()));
            assert!(excused, "{} was mailed {name} again, and no kill explains it: {mails:#?}", self.name);
        }
    }

    /// How many alarms were raised and how many of them cleared.
    fn changed(&self) -> [usize; 2] {
        let cleared = self.alarms.iter().filter(|alarm| alarm["cleared_at"].is_string()).count();
        [self.alarms.len(), cleared]
    }

    /// Of how many raises and clearings the notices tell: each has a line.
    fn said(&self) -> [usize; 2] {
        let lines = |kind: &str| {
            let texts = self.notices.iter().filter_map(|notice| notice["text"].as_str());
            texts.flat_map(str::lines).filter(|line| line.starts_with(kind)).count()
        };
        [lines("raised "), lines("cleared ")]
    }
}
