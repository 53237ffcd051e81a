//! What was found in a world of chance, played again by hand.

use std::sync::Arc;

use domain::DeviceId;
use jobs::{
    JOB_NAMES, Job, ProcessResults, Verdict,
    ports::{Consume, Leased, Message, Settlement, Ticket},
    report::Report,
};
use records::{
    alarms::{self, Which},
    notices::{self, NoticeStatus},
};

use super::{
    faults::LEASE,
    gate::{Call, Fate, Moment},
    in_a_runtime,
    run::Run,
    says::{Answers, Say},
    site::{self, NODE, TERMINALS},
    world::{World, at_once},
};

/// A world in which nothing happens by itself.
struct Stage {
    world: Arc<World>,
    runs: u64,
}

impl Stage {
    fn new() -> Self {
        let world = Arc::new(World::new(true, false));
        site::furnish(&world);
        Self { world, runs: 0 }
    }

    /// A batch in which the first sensors of these terminals say so many tenths of a degree.
    fn says(&self, batch: &str, tenths: i16, terminals: &[&str]) -> Message {
        self.world.clock.advance(std::time::Duration::from_secs(5));
        let (answers, at) = (Answers::of(site::protocol(&self.world)), self.world.now());
        let report = |mac: &&str| {
            let device = DeviceId { mac: mac.parse().unwrap(), pid: 1 };
            let event = answers.event(&Say::Answer(device, at, tenths), 0, false);
            Report { node: NODE.to_owned(), at, event }
        };
        ProcessResults { batch: batch.to_owned(), reports: terminals.iter().map(report).collect() }.message()
    }

    /// Begins to run a message; if it is already over, it was at once.
    fn begin(&mut self, message: Message) -> Run {
        self.runs += 1;
        let leased = Leased { ticket: Ticket("0-0".to_owned()), message, attempt: 1 };
        let (run, verdict) = Run::begin(self.runs, leased, &self.world);
        assert_eq!(verdict, None);
        run
    }

    /// Runs a message from its begin to its end.
    fn run(&mut self, message: Message) -> Verdict {
        let mut run = self.begin(message);
        finish(&mut run)
    }

    /// Takes the messages of a job out of the queue.
    fn take(&self, job: &str) -> Vec<Message> {
        let leased = at_once(self.world.queue.claim(job, 100, LEASE)).unwrap();
        let tickets = leased.iter().map(|leased| Settlement::Done(leased.ticket.clone())).collect();
        at_once(self.world.queue.settle(tickets)).unwrap();
        leased.into_iter().map(|leased| leased.message).collect()
    }

    /// Runs what is in the queue, and what follows.
    fn settle(&mut self) {
        loop {
            let messages: Vec<Message> = JOB_NAMES.iter().flat_map(|job| self.take(job)).collect();
            if messages.is_empty() {
                return;
            }
            for message in messages {
                assert_eq!(self.run(message), Verdict::Done);
            }
        }
    }

    /// The first sensor of a terminal is too warm, and its alarm is raised.
    fn raises(&mut self, mac: &str) {
        let hot = self.says("hot", 400, &[mac]);
        self.world.enqueue(hot);
        self.settle();
    }

    /// It is too warm still, which is stored and looked at, and changes nothing.
    fn changes_nothing(&mut self, mac: &str) {
        let hot = self.says("still hot", 410, &[mac]);
        assert_eq!(self.run(hot), Verdict::Done);
        let evaluation = self.take("evaluate_alarms").remove(0);
        assert_eq!(self.run(evaluation), Verdict::Done);
    }

    fn active(&self) -> usize {
        at_once(alarms::list(self.world.table.as_ref(), Which::Active, 100, None)).unwrap().items.len()
    }
}

/// Goes on until a call like this waits; which of those that wait it is.
fn until(run: &mut Run, is_wanted: impl Fn(Moment, &str) -> bool) -> usize {
    loop {
        let waiting = (0..run.gate().len()).find(|&index| {
            let (moment, label) = run.gate().at(index);
            is_wanted(moment, &label.unwrap_or_default())
        });
        if let Some(index) = waiting {
            return index;
        }
        assert_eq!(run.go_on(0, Fate::GoOn), None, "no such call");
    }
}

fn finish(run: &mut Run) -> Verdict {
    loop {
        if let Some(verdict) = run.go_on(0, Fate::GoOn) {
            return verdict;
        }
    }
}

#[test]
fn what_could_not_be_stored_at_first_is_evaluated_though_the_rest_of_its_batch_still_waits_to_be() {
    in_a_runtime(|| {
        let mut stage = Stage::new();
        let [(first, _), (second, _)] = TERMINALS;
        let batch = stage.says("hot", 400, &[first, second]);
        let mut run = stage.begin(batch.clone());
        let put = until(&mut run, |_, label| label.starts_with(&format!("put history#{second}")));
        assert_eq!(run.go_on(put, Fate::Away), None);
        assert!(matches!(finish(&mut run), Verdict::Again { .. }));
        assert_eq!(stage.run(batch), Verdict::Done);
        stage.settle();
        assert_eq!(stage.active(), 3, "the common limit at both, and somebody's own at the first");
    });
}

#[test]
fn a_reading_that_changed_nothing_counts_though_an_older_one_was_about_to_clear_its_alarm() {
    in_a_runtime(|| {
        let mut stage = Stage::new();
        let [_, (mac, _)] = TERMINALS;
        stage.raises(mac);
        let cool = stage.says("cool", 200, &[mac]);
        assert_eq!(stage.run(cool), Verdict::Done);
        let mut clears = stage.begin(stage.take("evaluate_alarms").remove(0));
        until(&mut clears, |_, label| label.starts_with("put transition#"));
        stage.changes_nothing(mac);
        assert_eq!(finish(&mut clears), Verdict::Done);
        assert_eq!(stage.active(), 1);
    });
}

#[test]
fn so_does_one_where_the_older_was_told_to_come_again_after_it_was_stored_with_what_lies_between() {
    in_a_runtime(|| {
        let mut stage = Stage::new();
        let [_, (mac, _)] = TERMINALS;
        stage.raises(mac);
        for (batch, tenths) in [("cool", 200), ("within the deadband", 295)] {
            let says = stage.says(batch, tenths, &[mac]);
            assert_eq!(stage.run(says), Verdict::Done);
        }
        let cools = stage.take("evaluate_alarms").remove(0);
        let mut clears = stage.begin(cools.clone());
        let put = until(&mut clears, |_, label| label.starts_with("put transition#"));
        stage.changes_nothing(mac);
        assert_eq!(clears.go_on(put, Fate::GoOn), None);
        let stored = until(&mut clears, |moment, _| moment == Moment::After(Call::Write));
        assert!(matches!(clears.go_on(stored, Fate::Away), Some(Verdict::Again { .. })));
        assert_eq!(stage.run(cools), Verdict::Done);
        assert_eq!(stage.active(), 1);
    });
}

#[test]
fn a_letter_that_was_sent_stands_as_sent_though_another_worker_wrote_down_that_it_was_not() {
    in_a_runtime(|| {
        let mut stage = Stage::new();
        let [_, (mac, _)] = TERMINALS;
        let hot = stage.says("hot", 400, &[mac]);
        assert_eq!(stage.run(hot), Verdict::Done);
        for job in ["evaluate_alarms", "fan_out"] {
            let message = stage.take(job).remove(0);
            assert_eq!(stage.run(message), Verdict::Done);
        }
        for letter in stage.take("deliver_notice") {
            let mut sends = stage.begin(letter.clone());
            until(&mut sends, |_, label| label.starts_with("get ledger#"));
            let mut fails = stage.begin(letter);
            let send = until(&mut fails, |_, label| label.starts_with("send"));
            assert_eq!(fails.go_on(send, Fate::Away), None);
            assert!(matches!(finish(&mut fails), Verdict::Again { .. }));
            // By then it is time for the next attempt.
            stage.world.clock.advance(std::time::Duration::from_secs(10));
            assert_eq!(finish(&mut sends), Verdict::Done);
        }
        let rows = at_once(notices::list(stage.world.table.as_ref(), "tech", 10, None)).unwrap().items;
        let stand: Vec<_> = rows.iter().map(|row| (row.status, row.attempts.len())).collect();
        assert_eq!(stand, [(NoticeStatus::Sent, 2); 2], "both attempts are written down");
    });
}

#[test]
fn a_terminal_is_unknown_once_its_node_is_lost_though_its_line_is_written_at_the_same_time() {
    in_a_runtime(|| {
        let mut stage = Stage::new();
        let [_, (mac, _)] = TERMINALS;
        let mac: domain::Mac = mac.parse().unwrap();
        let report = |event| Report { node: NODE.to_owned(), at: stage.world.now(), event };
        let batch = |batch: &str, event| ProcessResults { batch: batch.to_owned(), reports: vec![report(event)] };
        let on = batch("on", jobs::report::Event::TerminalsOn { macs: vec![mac.clone()] }).message();
        assert_eq!(stage.run(on), Verdict::Done);
        let garbled = Say::Garbled(DeviceId { mac: mac.clone(), pid: 1 });
        stage.world.clock.advance(std::time::Duration::from_secs(5));
        let report = |event| Report { node: NODE.to_owned(), at: stage.world.now(), event };
        let reports = vec![report(Answers::of(site::protocol(&stage.world)).event(&garbled, 0, false))];
        let garbled = ProcessResults { batch: "garbled".to_owned(), reports }.message();
        let reports = vec![report(jobs::report::Event::NodeLost)];
        let lost = ProcessResults { batch: "lost".to_owned(), reports }.message();
        let mut is_lost = stage.begin(lost);
        until(&mut is_lost, |moment, label| {
            matches!(moment, Moment::Before(_)) && label.starts_with(&format!("put terminal#{mac} standing"))
        });
        assert_eq!(stage.run(garbled), Verdict::Done);
        assert_eq!(finish(&mut is_lost), Verdict::Done);
        let standing = at_once(records::terminals::standing(stage.world.table.as_ref(), &mac)).unwrap().value;
        assert_eq!(standing.presence, records::terminals::Presence::Unknown);
    });
}
