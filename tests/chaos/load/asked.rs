//! Whether each device is asked still: what nobody asks any more is no loss in any book.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use boot::SystemClock;
use records::Clock;
use tokio::time::{Instant, timeout_at};

use super::{Home, Load};

impl<H: Home> Load<H> {
    /// Waits until each terminal was asked something from now on, and what it said is acknowledged.
    pub(crate) async fn until_each_is_asked(&mut self) -> Result<()> {
        let (now, began) = (SystemClock.now(), Instant::now());
        let end = began + H::BEARS.goes_on_within;
        let terminals = usize::from(H::BEARS.nodes) * usize::from(H::BEARS.terminals_per_node);
        let mut asked = BTreeSet::new();
        while asked.len() < terminals {
            let Ok(next) = timeout_at(end, self.acknowledgements.recv()).await else { break };
            let next = next.context("the field ended")?;
            if next.time_stamp > now.0 {
                asked.insert(next.mac.clone());
            }
            self.acknowledged.push(next);
        }
        let known: BTreeSet<_> = self.acknowledged.iter().map(|result| result.mac.clone()).collect();
        let forgotten: Vec<_> = known.difference(&asked).collect();
        ensure!(asked.len() == terminals, "{} of {terminals} are asked: not {forgotten:?}", asked.len());
        println!("each is asked again {:.1?} later", began.elapsed());
        Ok(())
    }

    /// Goes on for a while in which nothing goes wrong: what is said then is judged exactly.
    pub(crate) async fn goes_on_in_calm(&mut self) -> Result<()> {
        for _ in 0..3 {
            self.until_each_is_asked().await?;
        }
        Ok(())
    }
}
