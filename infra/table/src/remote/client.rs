//! The side of everybody else.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{SinkExt, StreamExt};
use records::{Item, Key, Outcome, Page, Range, Table, TableError, Write};
use tokio::{
    net::UnixStream,
    sync::{Mutex as AsyncMutex, mpsc, oneshot},
    time::timeout,
};
use tokio_util::bytes::Bytes;

use super::wire::{Answer, Call, HELLO, Number, framed, is_of_our_form, pack, unpack};
use crate::rules;

/// How long the owner may take to answer: it may have to wait for its disk.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How many calls may wait to be written.
const WAITING: usize = 1024;

/// The table that another process on this machine owns. Connects when it is called; while the owner is away every call
/// ends with [`TableError::Away`] at once.
pub struct RemoteTable {
    socket: PathBuf,
    connection: AsyncMutex<Option<Connection>>,
    last: AtomicU64,
}

#[derive(Clone)]
struct Connection {
    calls: mpsc::Sender<Bytes>,
    waiting: Arc<Waiting>,
}

/// Who waits for which answer; once the connection has ended, why.
struct Waiting(Mutex<Result<HashMap<Number, oneshot::Sender<Answer>>, TableError>>);

impl RemoteTable {
    /// The table behind `socket`.
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), connection: AsyncMutex::default(), last: AtomicU64::new(0) }
    }

    async fn call(&self, call: Call) -> Result<Answer, TableError> {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let frame = pack(number, &call)?;
        let connection = self.connection().await?;
        let (answer, answered) = oneshot::channel();
        connection.waiting.add(number, answer)?;
        let answered = timeout(ANSWERS_WITHIN, async {
            connection.calls.send(frame).await.map_err(|_| connection.waiting.why())?;
            answered.await.map_err(|_| connection.waiting.why())
        });
        let answered = answered.await;
        connection.waiting.forget(number);
        match answered {
            Ok(Ok(Answer::Failed(error))) => Err(error),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(went_away)) => Err(went_away),
            Err(_) => Err(TableError::Away(format!("its owner does not answer within {ANSWERS_WITHIN:?}"))),
        }
    }

    /// The connection there is, or a new one.
    async fn connection(&self) -> Result<Connection, TableError> {
        let mut connection = self.connection.lock().await;
        if let Some(connection) = connection.as_ref().filter(|connection| !connection.calls.is_closed()) {
            return Ok(connection.clone());
        }
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| {
            let socket = self.socket.display();
            TableError::Away(format!("nobody serves the table at {socket} ({error}): is the process that owns it up?"))
        })?;
        Ok(connection.insert(Connection::over(stream)).clone())
    }

    async fn outcome(&self, call: Call) -> Result<Outcome, TableError> {
        match self.call(call).await? {
            Answer::Outcome(outcome) => Ok(outcome),
            other => Err(unexpected(&other)),
        }
    }
}

impl Connection {
    fn over(stream: UnixStream) -> Self {
        let (mut sink, mut answers) = framed(stream).split();
        let (calls, mut given) = mpsc::channel::<Bytes>(WAITING);
        let waiting = Arc::new(Waiting(Mutex::new(Ok(HashMap::new()))));
        let told = Arc::clone(&waiting);
        let write = async move {
            if sink.feed(Bytes::from_static(HELLO)).await.is_err() {
                return;
            }
            while let Some(call) = given.recv().await {
                if sink.feed(call).await.is_err() || (given.is_empty() && sink.flush().await.is_err()) {
                    return;
                }
            }
        };
        let read = async move {
            let Some(Ok(first)) = answers.next().await else { return went_away() };
            if let Err(error) = is_of_our_form(&first) {
                return error;
            }
            while let Some(Ok(frame)) = answers.next().await {
                match unpack(&frame) {
                    Ok((number, answer)) => told.tell(number, answer),
                    Err(error) => {
                        tracing::error!(%error, "the table's owner");
                        break;
                    }
                }
            }
            went_away()
        };
        let ended = Arc::clone(&waiting);
        tokio::spawn(async move {
            let why = tokio::select! { why = read => why, () = write => went_away() };
            ended.end(why);
        });
        Self { calls, waiting }
    }
}

impl Waiting {
    fn add(&self, number: Number, answer: oneshot::Sender<Answer>) -> Result<(), TableError> {
        match &mut *self.answers() {
            Ok(answers) => drop(answers.insert(number, answer)),
            Err(why) => return Err(why.clone()),
        }
        Ok(())
    }

    fn forget(&self, number: Number) {
        let _ = self.answers().as_mut().map(|answers| answers.remove(&number));
    }

    fn tell(&self, number: Number, answer: Answer) {
        if let Ok(Some(waits)) = self.answers().as_mut().map(|answers| answers.remove(&number)) {
            // Who has stopped waiting is gone.
            let _ = waits.send(answer);
        }
    }

    /// Nobody is answered any more, since `why`.
    fn end(&self, why: TableError) {
        *self.answers() = Err(why);
    }

    /// Why nobody is answered any more.
    fn why(&self) -> TableError {
        self.answers().as_ref().err().cloned().unwrap_or_else(went_away)
    }

    fn answers(&self) -> MutexGuard<'_, Result<HashMap<Number, oneshot::Sender<Answer>>, TableError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Table for RemoteTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        match self.call(Call::Get(key.clone())).await? {
            Answer::Item(item) => Ok(item),
            other => Err(unexpected(&other)),
        }
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        match self.call(Call::GetMany(keys.to_vec())).await? {
            Answer::Items(items) => Ok(items),
            other => Err(unexpected(&other)),
        }
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        match self.call(Call::Query(range.clone())).await? {
            Answer::Page(page) => Ok(page),
            other => Err(unexpected(&other)),
        }
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.outcome(Call::Write(write)).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        rules::check_batch(&writes)?;
        match self.call(Call::WriteBatch(writes)).await? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        rules::check_transaction(&writes)?;
        self.outcome(Call::Transact(writes)).await
    }
}

/// What was asked may have been done.
fn went_away() -> TableError {
    TableError::Away("the process that owns it went away".to_owned())
}

fn unexpected(answer: &Answer) -> TableError {
    let kind = match answer {
        Answer::Item(_) => "an item",
        Answer::Items(_) => "items",
        Answer::Page(_) => "a page",
        Answer::Outcome(_) => "an outcome",
        Answer::Done | Answer::Failed(_) => "an end",
    };
    TableError::Damaged(format!("the table's owner answers with {kind}, which was not asked for"))
}
