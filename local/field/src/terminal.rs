//! A terminal as its gateway holds it: a queue in front of a line that takes one exchange at a time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rand::rngs::SmallRng;
use serde_json::json;
use tokio::time::sleep;

use crate::{
    BusyReports, chance,
    dtu::Dtu,
    line::{SerialLine, encode},
    node::Gateway,
    operation::{AtCommand, Instruct},
    plan::{TerminalPlan, living},
    query::{Asked, Query},
    socket_io::Emit,
    uploads::{About, Upload},
    waiting::Waiting,
};

/// After so many misses in a row of every device that was ever asked, the gateway reboots the DTU.
const REBOOT_AFTER: u32 = 10;
/// A longer queue makes a terminal busy.
const BUSY_ABOVE: usize = 3;

/// What others see of a terminal.
pub(crate) struct Terminal {
    pub(crate) mac: String,
    online: AtomicBool,
    work: Waiting<Work>,
}

/// What a terminal has to do.
pub(crate) enum Work {
    Query(Query),
    Instruct(Instruct),
    At(AtCommand),
}

/// Why a terminal is on line now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// The DTU called.
    Called,
    /// The gateway had rebooted the DTU.
    Rebooted,
}

impl Terminal {
    pub(crate) fn new(mac: String) -> Self {
        Self { mac, online: AtomicBool::new(false), work: Waiting::default() }
    }

    pub(crate) fn is_online(&self) -> bool {
        self.online.load(Ordering::Acquire)
    }

    /// Gives it work: a query waits its turn, an operation goes first. Off line, it is dropped and nobody is told.
    pub(crate) fn take(&self, work: Work, gateway: &Gateway) {
        if !self.is_online() {
            if matches!(work, Work::Query(_)) {
                gateway.world.tally.count(|counters| counters.queries_dropped += 1);
            }
            return;
        }
        match work {
            Work::Query(_) => self.work.push_back(work),
            Work::Instruct(_) | Work::At(_) => self.work.push_front(work),
        }
        self.tell_busy(gateway);
    }

    fn tell_busy(&self, gateway: &Gateway) {
        if gateway.world.settings.busy_reports == BusyReports::Chatty {
            let waiting = self.work.len();
            gateway.tell("busy", vec![json!(self.mac), json!(waiting > BUSY_ABOVE), json!(waiting)]);
        }
    }
}

/// A terminal's life: it connects, does what comes, drops and returns.
pub(crate) async fn run(terminal: Arc<Terminal>, plan: TerminalPlan, gateway: Arc<Gateway>) {
    let settings = &gateway.world.settings;
    let dice = |what| chance::stream(settings.seed, &format!("{} {what}", plan.mac));
    let mut life = Life {
        dtu: Dtu::new(settings.seed, &plan.mac),
        line: SerialLine::new(plan.line, living(settings, &plan), dice("line")),
        dice: dice("drops"),
        misses: BTreeMap::new(),
        terminal,
        gateway: Arc::clone(&gateway),
    };
    life.connect(Arrival::Called);
    loop {
        life.work_until_dropped().await;
        let away = chance::exponential(&mut life.dice, settings.away_time);
        gateway.world.tally.count(|counters| counters.terminals_dropped += 1);
        life.disconnect();
        sleep(away).await;
        life.connect(Arrival::Called);
    }
}

struct Life {
    terminal: Arc<Terminal>,
    gateway: Arc<Gateway>,
    dtu: Dtu,
    line: SerialLine,
    dice: SmallRng,
    /// Consecutive misses, of every pid that was ever asked.
    misses: BTreeMap<u8, u32>,
}

impl Life {
    fn connect(&self, arrival: Arrival) {
        self.terminal.online.store(true, Ordering::Release);
        self.gateway.tell("terminalOn", vec![json!(self.terminal.mac), json!(arrival == Arrival::Rebooted)]);
        if arrival == Arrival::Called {
            self.post_info();
        }
    }

    fn disconnect(&self) {
        self.terminal.online.store(false, Ordering::Release);
        self.gateway.tell("terminalOff", vec![json!(self.terminal.mac), json!(true)]);
    }

    fn post_info(&self) {
        let body = self.dtu.info(&self.terminal.mac).to_string().into();
        self.gateway.post(Upload { call: "dtuinfo", body, about: About::Equipment });
    }

    async fn work_until_dropped(&mut self) {
        let drop = chance::accident(&mut self.dice, self.gateway.world.settings.faults.terminal_drops_per_hour);
        let terminal = Arc::clone(&self.terminal);
        loop {
            let work = tokio::select! {
                () = chance::happens(drop) => return,
                work = terminal.work.next() => work,
            };
            match work {
                Some(Work::Query(query)) => self.query(query).await,
                Some(Work::Instruct(instruct)) => self.instruct(instruct).await,
                Some(Work::At(command)) => self.at(command),
                None => return,
            }
            terminal.tell_busy(&self.gateway);
        }
    }

    async fn query(&mut self, mut query: Query) {
        let pid = query.pid;
        if self.misses.get(&pid).is_some_and(|&misses| misses > 0) {
            query.keep_last_instruction();
        }
        let asked = self.ask(query).await;
        if asked.brought_nothing() {
            return self.missed(pid).await;
        }
        self.misses.insert(pid, 0);
        if !asked.unanswered.is_empty() {
            self.gateway.world.tally.count(|counters| counters.partial_timeouts_told += 1);
            self.gateway.tell("instructTimeOut", vec![json!(self.terminal.mac), json!(pid), json!(asked.unanswered)]);
        }
        self.post_result(&asked);
    }

    /// Asks one instruction after the other.
    async fn ask(&mut self, query: Query) -> Asked {
        let world = &self.gateway.world;
        let instructions = query.content.clone();
        let mut asked = Asked::new(query);
        for content in instructions {
            let request = encode(asked.query.line, &content).unwrap_or_default();
            match self.line.exchange(&request, world).await {
                Some(reply) => asked.answered(content, request.len(), reply),
                None => asked.unanswered(content, world.settings.answer_timeout),
            }
        }
        asked
    }

    fn post_result(&self, asked: &Asked) {
        let world = &self.gateway.world;
        world.tally.count(|counters| counters.queries_answered += 1);
        match asked.body() {
            Ok(body) => {
                let record = world.truth.is_recorded().then(|| Box::new(asked.record()));
                self.gateway.post(Upload { call: "queryData", body: body.into(), about: About::Result(record) });
            }
            Err(error) => tracing::error!(%error, "a result could not be written as JSON"),
        }
    }

    async fn missed(&mut self, pid: u8) {
        let misses = self.misses.entry(pid).or_default();
        *misses += 1;
        let misses = *misses;
        self.gateway.world.tally.count(|counters| {
            counters.queries_missed += 1;
            counters.timeouts_told += 1;
        });
        self.gateway.tell("terminalMountDevTimeOut", vec![json!(self.terminal.mac), json!(pid), json!(misses)]);
        if misses == REBOOT_AFTER && self.misses.values().all(|&misses| misses >= REBOOT_AFTER) {
            self.reboot().await;
        }
    }

    /// The DTU is back at once and says who it is, but the gateway calls it back only after a long pause.
    async fn reboot(&self) {
        self.disconnect();
        self.post_info();
        sleep(self.gateway.world.settings.reline_delay).await;
        self.connect(Arrival::Rebooted);
    }

    async fn instruct(&mut self, instruct: Instruct) {
        let request = encode(instruct.line, &instruct.content).unwrap_or_default();
        let reply = self.line.exchange(&request, &self.gateway.world).await;
        self.report(instruct.report(reply.map(|reply| reply.bytes)));
    }

    fn at(&self, command: AtCommand) {
        let answer = self.dtu.answer(&command.content);
        self.report(command.report(&answer));
    }

    fn report(&self, emit: Emit) {
        self.gateway.world.tally.count(|counters| counters.operations_reported += 1);
        self.gateway.outbox.push_back(emit);
    }
}
