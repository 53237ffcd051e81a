//! Gateway programs that answer what they are asked, as far as posts have place.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    poster::Poster,
    sensor::TOO_WARM,
    site::{self, Scale},
    socket::Socket,
};

/// What the sensors answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answers {
    /// How often each of them does.
    pub(crate) rounds: u16,
    /// How many of them are too warm in the end: the first ones.
    pub(crate) too_warm: u32,
}

/// A gateway program, connected.
pub(crate) struct Gateway {
    number: u32,
    terminals: Vec<u32>,
    socket: Socket,
}

impl Gateway {
    /// Connects a gateway of the site and says that it is there, and none of its terminals.
    pub(crate) async fn connect(url: &str, scale: Scale, number: u32) -> Result<Self> {
        let mut socket = Socket::connect(url, "/node", &site::token(number)).await?;
        until(&mut socket, "accont").await?;
        socket.emit("register", json!({ "hostname": "bench" })).await?;
        until(&mut socket, "registerSuccess").await?;
        Ok(Self { number, terminals: site::terminals_of(scale, number).collect(), socket })
    }

    /// Says that its terminals are there.
    pub(crate) async fn announce(&mut self) -> Result<()> {
        let macs: Vec<String> = self.terminals.iter().copied().map(site::mac).collect();
        self.socket.emit("terminalOn", json!(macs)).await?;
        self.socket.emit("ready", Value::Null).await
    }

    /// Stays connected, and answers nothing but pings, until the connection ends.
    pub(crate) async fn stay(mut self) {
        while self.socket.event().await.is_ok() {}
    }

    /// Answers queries, until each terminal has answered as often as it should.
    pub(crate) async fn answer(mut self, poster: Arc<Poster>, answers: Answers) -> Result<()> {
        let mut left: HashMap<u32, u16> = self.terminals.iter().map(|terminal| (*terminal, answers.rounds)).collect();
        let mut posts = JoinSet::new();
        let mut unposted = self.terminals.len() * usize::from(answers.rounds);
        while unposted > 0 {
            let (event, query) = self.socket.event().await?;
            if event != "query" {
                continue;
            }
            let answer = asked(&query).context("a query names its terminal and its instant")?;
            let Some(left) = left.get_mut(&answer.0).filter(|left| **left > 0) else { continue };
            *left -= 1;
            unposted -= 1;
            let tenths = if *left == 0 && answer.0 < answers.too_warm { TOO_WARM } else { 200 + *left % 60 };
            let (poster, number) = (Arc::clone(&poster), self.number);
            posts.spawn(async move { poster.post(number, answer, tenths).await });
            while let Some(posted) = posts.try_join_next() {
                posted??;
            }
        }
        while let Some(posted) = posts.join_next().await {
            posted??;
        }
        Ok(())
    }
}

async fn until(socket: &mut Socket, wanted: &str) -> Result<()> {
    while socket.event().await?.0 != wanted {}
    Ok(())
}

fn asked(query: &Value) -> Option<(u32, i64)> {
    Some((site::terminal(query["mac"].as_str()?)?, query["timeStamp"].as_i64()?))
}
