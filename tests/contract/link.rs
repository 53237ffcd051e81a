//! The link's suite: what jobs give arrives at the broker it is for, whole and in order.

mod memory;
mod positions;

use std::{collections::BTreeSet, sync::Arc};

use domain::Source;
use engine_redis::redis::cmd;
use jobs::ports::{Audience, Link, NodeCommand, Operation, Order, Plan, PlannedQuery, Position, Push, ToBroker};
use link::{RedisInbox, RedisLink};
use serde_json::json;
use telltale_tests::{Aws, PATIENCE, RedisServer, eventually, flow::mac};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use self::{memory::*, positions::*};

suite!([in_process]; [
    a_command_arrives_whole,
    everything_that_is_given_arrives,
    what_is_given_arrives_in_order,
    pushes_arrive_whole,
    positions_follow_one_another,
    what_many_publish_at_once_has_one_order,
    a_plan_for_a_broker_that_is_gone_is_nobodys_loss,
    an_operation_for_a_broker_that_is_gone_is_told_to_have_failed,
]);

suite!(async [redis]; [
    a_command_arrives_whole,
    everything_that_is_given_arrives,
    what_is_given_arrives_in_order,
    a_plan_of_any_size_arrives_whole,
    pushes_arrive_whole,
    a_plan_for_a_broker_that_is_gone_is_nobodys_loss,
    an_operation_for_a_broker_that_is_gone_is_told_to_have_failed,
    an_inbox_that_is_closed_is_gone,
    what_is_in_an_inbox_when_it_is_closed_is_handed_on,
    what_redis_kept_arrives_after_its_restart,
    an_inbox_in_which_there_is_always_something_stays,
    every_broker_is_shown_what_all_may_see,
    positions_follow_one_another,
    what_many_publish_at_once_has_one_order,
    a_broker_that_starts_is_told_the_past_and_where_it_ends,
    a_broker_that_starts_first_is_told_that_there_is_no_past,
    what_could_not_be_published_leaves_a_hole,
    what_could_not_be_published_is_told_although_nothing_follows,
    a_redis_that_lost_everything_begins_another_epoch,
    what_is_shown_takes_no_more_memory_than_is_written,
    much_at_once_goes_in_parts_and_in_order,
    a_push_that_is_too_large_leaves_a_hole,
    while_memory_is_full_the_oldest_make_room_for_what_is_shown,
    what_an_older_version_left_makes_room_too,
]);

// SQS keeps no order: plans carry their instants, and an operation is on its own.
suite!(async [aws]; [
    a_command_arrives_whole,
    everything_that_is_given_arrives,
    a_plan_of_any_size_arrives_whole,
    pushes_arrive_whole,
    a_plan_for_a_broker_that_is_gone_is_nobodys_loss,
    an_operation_for_a_broker_that_is_gone_is_told_to_have_failed,
    an_inbox_that_is_closed_is_gone,
]);

const BROKER: &str = "broker-1";

/// A link, and the inbox of the broker at its end.
pub(super) struct Fixture {
    link: Arc<dyn Link>,
    inbox: mpsc::Receiver<ToBroker>,
    close: CancellationToken,
    _aws: Option<Aws>,
    redis: Option<RedisServer>,
}

impl Fixture {
    fn in_process() -> Self {
        let (link, inbox) = link::in_process(BROKER);
        Self { link: Arc::new(link), inbox, close: CancellationToken::new(), _aws: None, redis: None }
    }

    async fn aws() -> Self {
        let aws = Aws::start().await.unwrap();
        let (link, inbox) = aws.link(BROKER).await.unwrap();
        let (sender, receiver) = mpsc::channel(100);
        let close = CancellationToken::new();
        tokio::spawn(inbox.run(sender, close.clone()));
        Self { link: Arc::new(link), inbox: receiver, close, _aws: Some(aws), redis: None }
    }

    async fn redis() -> Self {
        let server = RedisServer::start().await.unwrap();
        let inbox = RedisInbox::open(server.connect().await.unwrap(), BROKER).await.unwrap();
        let (sender, receiver) = mpsc::channel(100);
        let close = CancellationToken::new();
        tokio::spawn(inbox.run(sender, close.clone()));
        let link = RedisLink::new(server.connect().await.unwrap());
        Self { link: Arc::new(link), inbox: receiver, close, _aws: None, redis: Some(server) }
    }

    /// The inbox of another broker on the same Redis.
    async fn another_broker(&self, name: &str) -> mpsc::Receiver<ToBroker> {
        let redis = self.redis.as_ref().unwrap().connect().await.unwrap();
        let (sender, inbox) = mpsc::channel(100);
        tokio::spawn(RedisInbox::open(redis, name).await.unwrap().run(sender, self.close.clone()));
        inbox
    }

    /// The next that is told; what says how far the past goes is left out.
    async fn next(&mut self) -> ToBroker {
        next(&mut self.inbox).await
    }
}

async fn next(inbox: &mut mpsc::Receiver<ToBroker>) -> ToBroker {
    loop {
        let told = timeout(PATIENCE, inbox.recv()).await.expect("something arrives").expect("the link is there");
        if !matches!(told, ToBroker::Past { .. }) {
            return told;
        }
    }
}

/// The position of what is shown, which are these pushes.
fn shown(told: ToBroker, wanted: &[Push]) -> Option<Position> {
    let ToBroker::Publish { pushes, position } = told else { panic!("only pushes were given, not {told:?}") };
    assert_eq!(pushes, wanted);
    position
}

fn plan(window: &str) -> NodeCommand {
    plan_of(window, 1)
}

fn plan_of(window: &str, queries: usize) -> NodeCommand {
    let query = PlannedQuery {
        at: domain::Timestamp(1_795_424_465_907),
        mac: mac(),
        pid: 1,
        line: 485,
        protocol: "温湿度".to_owned(),
        model: "TH-10".to_owned(),
        contents: vec!["010300000002c40b".to_owned()],
        interval: 5000,
    };
    NodeCommand::Plan(Plan { node: "hill".to_owned(), window: window.to_owned(), queries: vec![query; queries] })
}

fn operation() -> NodeCommand {
    operation_called("01J")
}

fn operation_called(id: &str) -> NodeCommand {
    NodeCommand::Operate(Operation {
        id: id.to_owned(),
        about: Source::Terminal(mac()),
        node: "hill".to_owned(),
        order: Order::At { mac: mac(), command: "+++AT+VER".to_owned() },
        until: None,
    })
}

async fn a_command_arrives_whole(mut fixture: Fixture) {
    let shed = NodeCommand::Shed { node: "hill".to_owned() };
    for command in [plan("w1"), shed, operation()] {
        fixture.link.command(BROKER, command.clone()).await.unwrap();
        assert_eq!(fixture.next().await, ToBroker::Command(command));
    }
}

async fn what_is_given_arrives_in_order(mut fixture: Fixture) {
    let windows: Vec<String> = (0..50).map(|number| format!("w{number}")).collect();
    for window in &windows {
        fixture.link.command(BROKER, plan(window)).await.unwrap();
    }
    for window in &windows {
        assert_eq!(fixture.next().await, ToBroker::Command(plan(window)));
    }
}

async fn everything_that_is_given_arrives(mut fixture: Fixture) {
    let mut windows: BTreeSet<String> = (0..25).map(|number| format!("w{number}")).collect();
    for window in &windows {
        fixture.link.command(BROKER, plan(window)).await.unwrap();
    }
    while !windows.is_empty() {
        let ToBroker::Command(NodeCommand::Plan(plan)) = fixture.next().await else { panic!("only plans were given") };
        windows.remove(&plan.window);
    }
}

async fn a_plan_of_any_size_arrives_whole(mut fixture: Fixture) {
    fixture.link.command(BROKER, plan_of("w", 5000)).await.unwrap();
    let mut queries = 0;
    while queries < 5000 {
        let ToBroker::Command(NodeCommand::Plan(part)) = fixture.next().await else { panic!("only a plan was given") };
        assert_eq!((part.node.as_str(), part.window.as_str()), ("hill", "w"));
        queries += part.queries.len();
    }
    assert_eq!(queries, 5000);
}

/// The restart comes upon a broker that has read and not acknowledged, or has not read, whichever it is.
async fn what_redis_kept_arrives_after_its_restart(mut fixture: Fixture) {
    let mut windows: BTreeSet<String> = (0..200).map(|number| format!("w{number}")).collect();
    for window in &windows {
        fixture.link.command(BROKER, plan(window)).await.unwrap();
    }
    let server = fixture.redis.as_ref().unwrap();
    server.kill().await.unwrap();
    assert!(fixture.link.command(BROKER, operation()).await.is_err(), "who gives something is told that it is away");
    server.restart().await.unwrap();
    while !windows.is_empty() {
        let ToBroker::Command(NodeCommand::Plan(plan)) = fixture.next().await else { panic!("only plans were given") };
        windows.remove(&plan.window);
    }
    let later = eventually("the link is back", async || fixture.link.command(BROKER, plan("later")).await.ok());
    later.await;
    while fixture.next().await != ToBroker::Command(plan("later")) {}
}

async fn an_inbox_in_which_there_is_always_something_stays(mut fixture: Fixture) {
    let redis = fixture.redis.as_ref().unwrap().connect().await.unwrap();
    let inbox = redis.key(&format!("inbox:{BROKER}"));
    // As after five busy minutes.
    redis.call::<u32>(cmd("PEXPIRE").arg(&inbox).arg(20_000)).await.unwrap();
    let reading = &mut fixture.inbox;
    let link = &fixture.link;
    eventually("it is said again that it is read", async || {
        link.command(BROKER, plan("busy")).await.unwrap();
        let _ = timeout(PATIENCE, reading.recv()).await.expect("what is given arrives");
        let left: u64 = redis.call(cmd("PTTL").arg(&inbox)).await.unwrap();
        (left > 60_000).then_some(())
    })
    .await;
}

async fn every_broker_is_shown_what_all_may_see(mut fixture: Fixture) {
    let mut another = fixture.another_broker("broker-2").await;
    for number in 0..20 {
        let pushes = vec![push(Audience::User(format!("user {number}")))];
        fixture.link.publish(pushes.clone()).await.unwrap();
        let position = shown(fixture.next().await, &pushes);
        assert!(position.is_some(), "it has a position");
        assert_eq!(shown(next(&mut another).await, &pushes), position, "and the same for all");
    }
}

async fn an_inbox_that_is_closed_is_gone(mut fixture: Fixture) {
    fixture.close.cancel();
    while timeout(PATIENCE, fixture.inbox.recv()).await.unwrap().is_some() {}
    eventually("the broker is gone", async || fixture.link.command(BROKER, operation()).await.is_err().then_some(()))
        .await;
    fixture.link.publish(vec![push(Audience::User("ann".to_owned()))]).await.unwrap();
}

async fn what_is_in_an_inbox_when_it_is_closed_is_handed_on(mut fixture: Fixture) {
    let giving = async {
        let mut given = BTreeSet::new();
        loop {
            let id = format!("o{}", given.len());
            if fixture.link.command(BROKER, operation_called(&id)).await.is_err() {
                return given;
            }
            given.insert(id);
            if given.len() == 200 {
                fixture.close.cancel();
            }
        }
    };
    let taking = async {
        let mut taken = BTreeSet::new();
        while let Some(told) = fixture.inbox.recv().await {
            if let ToBroker::Command(NodeCommand::Operate(operation)) = told {
                taken.insert(operation.id);
            }
        }
        taken
    };
    let (given, taken) = timeout(PATIENCE, async { tokio::join!(giving, taking) }).await.unwrap();
    assert_eq!(given, taken);
}

fn push(audience: Audience) -> Push {
    Push { event: "alarm".to_owned(), audience, data: json!({ "msg": "过高 > 30 ℃" }) }
}

async fn pushes_arrive_whole(mut fixture: Fixture) {
    let pushes = vec![push(Audience::User("ann".to_owned())), push(Audience::Terminal(mac()))];
    fixture.link.publish(pushes.clone()).await.unwrap();
    shown(fixture.next().await, &pushes);
}

async fn a_plan_for_a_broker_that_is_gone_is_nobodys_loss(mut fixture: Fixture) {
    fixture.link.command("broker-0", plan("w1")).await.unwrap();
    fixture.link.command("broker-0", NodeCommand::Shed { node: "hill".to_owned() }).await.unwrap();
    fixture.link.command(BROKER, plan("w2")).await.unwrap();
    assert_eq!(fixture.next().await, ToBroker::Command(plan("w2")), "it is not given to another");
}

async fn an_operation_for_a_broker_that_is_gone_is_told_to_have_failed(fixture: Fixture) {
    assert!(fixture.link.command("broker-0", operation()).await.is_err());
}
