//! Taps on the ways between a process and what it works with, its Redis and its table: the process can be caught exactly
//! before an effect, and exactly after it, before it hears of it.

mod effect;
mod language;
mod way;

use std::{
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use futures::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream, unix::OwnedReadHalf},
    sync::{Notify, oneshot},
    time::timeout,
};
use tokio_util::{codec::FramedRead, task::AbortOnDropHandle};

pub use self::effect::{Effect, Moment};
use self::language::Language;
pub use self::way::Ways;
use crate::PATIENCE;

/// Where processes are caught: the next of them that comes to an effect. Shared by all taps.
#[derive(Debug, Default)]
pub(crate) struct Ambush {
    armed: Mutex<Option<Armed>>,
    lets_go: Notify,
    /// The ways to Redis.
    pub(crate) to_redis: Ways,
    /// The ways to the table.
    pub(crate) to_table: Ways,
}

#[derive(Debug)]
struct Armed {
    effect: Effect,
    moment: Moment,
    caught: oneshot::Sender<usize>,
}

impl Ambush {
    /// Lies in wait at this moment of an effect. Who awaits what comes back is given the number of the tap.
    pub(crate) fn arm(&self, effect: Effect, moment: Moment) -> impl Future<Output = Result<usize>> + use<> {
        let (caught, number) = oneshot::channel();
        let name = effect.name.clone();
        *self.place() = Some(Armed { effect, moment, caught });
        async move {
            let number =
                timeout(PATIENCE, number).await.with_context(|| format!("nobody comes to {moment:?} {name}"))?;
            Ok(number?)
        }
    }

    /// Lets go whoever is held: the way on which they were caught ends.
    pub(crate) fn let_go(&self) {
        self.lets_go.notify_waiters();
    }

    fn ways(&self, language: Language) -> &Ways {
        match language {
            Language::Redis => &self.to_redis,
            Language::Table => &self.to_table,
        }
    }

    /// Who makes this call is caught, if it is the one that is waited for.
    fn catches(&self, language: Language, call: &[u8]) -> Option<Armed> {
        self.place().take_if(|armed| armed.effect.is(language, call))
    }

    fn place(&self) -> MutexGuard<'_, Option<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The taps of one process. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Taps {
    /// The data folder that it is given: nothing is there but the way to the table, and its name.
    pub(crate) data: PathBuf,
    /// The Redis that it is given.
    pub(crate) redis: String,
    _listening: [AbortOnDropHandle<()>; 2],
}

impl Taps {
    /// Taps in `folder`, in front of a Redis and a store's table, for the process of this number.
    pub(crate) fn set(
        folder: &Path,
        redis: PathBuf,
        table: PathBuf,
        ambush: &Arc<Ambush>,
        number: usize,
    ) -> Result<Self> {
        let data = folder.join(format!("member-{number}"));
        std::fs::create_dir(&data)?;
        // Which store it is, as the folder says.
        std::fs::copy(table.with_file_name("name"), data.join("name"))?;
        let tap = |language, server| Arc::new(Tap { language, server, ambush: Arc::clone(ambush), number });
        let socket = data.join("redis.sock");
        let listening = [
            tap(Language::Redis, redis).listen(&socket)?,
            tap(Language::Table, table).listen(&data.join("table.sock"))?,
        ];
        Ok(Self { data, redis: format!("redis+unix://{}", socket.display()), _listening: listening })
    }
}

/// One of a process's ways.
struct Tap {
    language: Language,
    server: PathBuf,
    ambush: Arc<Ambush>,
    number: usize,
}

impl Tap {
    fn listen(self: Arc<Self>, socket: &Path) -> Result<AbortOnDropHandle<()>> {
        let listener = UnixListener::bind(socket)?;
        Ok(AbortOnDropHandle::new(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let tap = Arc::clone(&self);
                tokio::spawn(async move {
                    // Either side may go at any time.
                    let cut = tap.ambush.ways(tap.language).until_cut();
                    let _ = cut.run_until_cancelled(tap.carry(client)).await;
                });
            }
        })))
    }

    async fn carry(&self, client: UnixStream) -> Result<()> {
        let (from_server, mut to_server) = UnixStream::connect(&self.server).await?.into_split();
        let (from_client, mut to_client) = client.into_split();
        let (mut calls, mut answers) = (self.frames(from_client), self.frames(from_server));
        let (mut called, mut answered) = (0, 0);
        let mut caught: Option<(u64, Armed)> = None;
        loop {
            tokio::select! {
                call = calls.next() => {
                    let Some(call) = call.transpose()? else { return Ok(()) };
                    let number = self.language.number(&call, &mut called);
                    match self.ambush.catches(self.language, &call) {
                        Some(armed) if armed.moment == Moment::Before => return self.hold(armed, calls).await,
                        Some(armed) => caught = Some((number.context("a call has a number")?, armed)),
                        None => {}
                    }
                    self.ambush.ways(self.language).hold_up().await;
                    to_server.write_all(&call).await?;
                }
                answer = answers.next() => {
                    let Some(answer) = answer.transpose()? else { return Ok(()) };
                    let number = self.language.number(&answer, &mut answered);
                    self.ambush.ways(self.language).hold_up().await;
                    match caught.take_if(|(awaited, _)| number == Some(*awaited)) {
                        Some((_, armed)) => return self.hold(armed, calls).await,
                        None => to_client.write_all(&answer).await?,
                    }
                }
            }
        }
    }

    fn frames(&self, from: OwnedReadHalf) -> FramedRead<OwnedReadHalf, Language> {
        FramedRead::new(from, self.language)
    }

    /// The process has been caught: nothing more goes either way until it is gone, or let go.
    async fn hold(&self, armed: Armed, calls: FramedRead<OwnedReadHalf, Language>) -> Result<()> {
        let mut lets_go = pin!(self.ambush.lets_go.notified());
        lets_go.as_mut().enable();
        // Who armed it may have lost patience.
        let _ = armed.caught.send(self.number);
        let (mut client, mut unheard) = (calls.into_inner(), Vec::new());
        tokio::select! {
            gone = client.read_to_end(&mut unheard) => drop(gone?),
            () = lets_go => {}
        }
        Ok(())
    }
}
