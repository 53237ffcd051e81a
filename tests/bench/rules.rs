//! How many evaluations a second: a reading, and a rule that looks at a value of it. Beside it, what a reading costs where
//! there are no other rules than those that look at it.

use std::{
    process,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use domain::{
    Timestamp,
    alarm::{Comparison, Condition, Level, Rule, Severity, Target},
};
use jobs::{Context, EvaluateAlarms, Verdict, execute, ports::Message};
use records::{
    Table,
    alert_rules::{self, AlertRule, Change, Changed, MOST, MOST_AT_ONCE, Scope, rule_id},
};
use tokio::task::JoinSet;

use crate::{
    alarms::{FINE, messages, world},
    process::Spent,
    sensor::Sensor,
    site,
};

/// How many rules look at each reading.
const OF_A_TERMINAL: u32 = 10;
/// How many judge at a time.
const CORES: usize = 2;

/// Evaluations by many rules.
pub(crate) struct Evaluated {
    /// How many rules there were.
    pub(crate) rules: u32,
    /// How many evaluations a second, by the clock on the wall.
    pub(crate) per_second: f64,
    /// How long this process ran for one reading.
    pub(crate) reading: Duration,
    /// The same where there are only the rules of the ten terminals that speak.
    pub(crate) alone: Duration,
    /// The same of those ten terminals, with all the other rules.
    pub(crate) among: Duration,
    /// The same where all the other rules are about every device, and look at values that none of them has.
    pub(crate) among_wide: Duration,
}

/// Judges so many readings of each of so many terminals, of which each has [`OF_A_TERMINAL`] rules of its own.
pub(crate) async fn measure(readings: u32, terminals: u32) -> Result<Evaluated> {
    let rules = terminals * OF_A_TERMINAL;
    ensure!(rules as usize <= MOST, "there may be {MOST} rules");
    let of_terminals = |count: u32| Rules { narrow: count * OF_A_TERMINAL, wide: 0 };
    let (took, reading) = judge(readings, terminals, of_terminals(terminals)).await?;
    let few = readings * 10;
    let evaluations = f64::from(readings * terminals * OF_A_TERMINAL);
    Ok(Evaluated {
        rules,
        per_second: evaluations / took.as_secs_f64(),
        reading,
        alone: judge(few, 10, of_terminals(10)).await?.1,
        among: judge(few, 10, of_terminals(terminals)).await?.1,
        among_wide: judge(few, 10, Rules { narrow: 10 * OF_A_TERMINAL, wide: rules - 10 * OF_A_TERMINAL }).await?.1,
    })
}

/// How many rules there are of single terminals, ten of each, and how many of all, which look at what no device has.
#[derive(Clone, Copy)]
struct Rules {
    narrow: u32,
    wide: u32,
}

/// The time by the clock, and for how long this process ran for one reading.
async fn judge(readings: u32, terminals: u32, rules: Rules) -> Result<(Duration, Duration)> {
    let sensor = Sensor::new()?;
    let cx = world(&sensor, terminals).await?;
    put_rules(cx.table.as_ref(), rules).await?;
    let now = cx.clock.now();
    let mut lanes: [Vec<Message>; CORES] = Default::default();
    // The first reading of each terminal makes its set of rules, and is not measured.
    let mut first = Vec::new();
    for number in 0..=readings {
        let at = now.minus(Duration::from_secs(1)).plus(Duration::from_millis(u64::from(number)));
        for (part, message) in messages(&sensor, terminals, FINE, at)?.into_iter().enumerate() {
            let lane = if number == 0 { &mut first } else { &mut lanes[part % CORES] };
            lane.push(message);
        }
    }
    run(&cx, first).await?;
    let (before, began) = (Spent::of(process::id())?, Instant::now());
    let mut running = JoinSet::new();
    for lane in lanes {
        let cx = cx.clone();
        running.spawn(async move { run(&cx, lane).await });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    let took = began.elapsed();
    let spent = Spent::of(process::id())?.since(&before);
    Ok((took, spent / (readings * terminals)))
}

async fn run(cx: &Context, jobs: Vec<Message>) -> Result<()> {
    for message in jobs {
        let verdict = execute::<EvaluateAlarms>(cx, &message.body).await;
        ensure!(matches!(verdict, Verdict::Done), "a job that cannot be done is no measure: {verdict:?}");
    }
    Ok(())
}

/// So many rules, none of which is ever true.
async fn put_rules(table: &dyn Table, Rules { narrow, wide }: Rules) -> Result<()> {
    let narrow = (0..narrow).map(|number| {
        let scope = Scope::Terminal { mac: site::mac(number / OF_A_TERMINAL).parse()? };
        let name = ["temperature", "humidity"].get(number as usize % 2).context("there are two values")?;
        anyhow::Ok(Change::create(rule(
            format!("{number:026}"),
            scope,
            condition((*name).to_owned(), number % OF_A_TERMINAL),
        )))
    });
    let wide = (0..wide).map(|number| {
        let condition = condition(format!("value {}", number % 100), number % OF_A_TERMINAL);
        Ok(Change::create(rule(format!("W{number:025}"), Scope::Everywhere, condition)))
    });
    let changes = narrow.chain(wide).collect::<Result<Vec<_>>>()?;
    for part in changes.chunks(MOST_AT_ONCE) {
        let ended = alert_rules::change(table, part, Timestamp(0)).await?;
        ensure!(ended == Changed::Done, "the rules are stored: {ended:?}");
    }
    Ok(())
}

fn rule(id: String, scope: Scope, condition: Condition) -> AlertRule {
    AlertRule {
        name: id.clone(),
        owner: None,
        target: Target::Device,
        scope,
        replaces: None,
        recipients: records::alert_rules::Recipients::default(),
        enabled: true,
        rule: Rule::new(rule_id(None, &id), condition, Severity::Warning),
        id,
        version: 1,
        changed_at: Timestamp(0),
        changed_by: "bench".to_owned(),
    }
}

fn condition(name: String, number: u32) -> Condition {
    let far = 1000.0 + f64::from(number);
    let compare = |name: String| Condition::Compare { name, is: Comparison::Greater, to: far, deadband: 1.0 };
    match number / 2 {
        0 => compare(name),
        1 => Condition::Outside { name, min: Some(-far), max: Some(far), deadband: 1.0 },
        2 => Condition::NotIn { name: name.clone(), normal: vec!["20".to_owned(), "60".to_owned(), "50".to_owned()] },
        3 => {
            let above = vec![Level { limit: far, severity: Severity::Critical, deadband: 1.0 }];
            Condition::Levels { name, above, below: Vec::new() }
        }
        _ => Condition::All { of: vec![compare(name.clone()), Condition::Not { of: Box::new(compare(name)) }] },
    }
}
