//! The owner's side.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures::{SinkExt, StreamExt};
use records::{Table, TableError};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc},
};
use tokio_util::{bytes::Bytes, sync::CancellationToken, task::TaskTracker};

use super::wire::{Answer, Call, HELLO, Number, framed, is_of_our_form, pack, unpack};

/// How many calls of one connection are under way at a time.
const AT_ONCE: usize = 1024;
/// How long to wait before another connection is taken when taking one failed.
const PAUSE: Duration = Duration::from_millis(100);
/// How long calls that are under way at the end may take.
const GRACE: Duration = Duration::from_secs(5);

/// Serves a table on a socket in the file system.
pub struct TableServer {
    table: Arc<dyn Table>,
    listener: UnixListener,
    socket: PathBuf,
}

impl TableServer {
    /// Listens on `socket`, in the place of one that a dead process left there: who owns the store is its only server.
    pub fn listen(table: Arc<dyn Table>, socket: &Path) -> io::Result<Self> {
        match fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(socket)?;
        fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
        Ok(Self { table, listener, socket: socket.to_owned() })
    }

    /// Serves until `stop`; then calls that are under way are answered, and the socket goes.
    pub async fn run(self, stop: CancellationToken) {
        let connections = TaskTracker::new();
        while let Some(taken) = stop.run_until_cancelled(self.listener.accept()).await {
            match taken {
                Ok((stream, _)) if is_ours(&stream) => {
                    connections.spawn(serve(stream, Arc::clone(&self.table), stop.clone()));
                }
                Ok(_) => tracing::warn!("another user's process was turned away from the table's socket"),
                Err(error) => {
                    tracing::warn!(%error, "a connection to the table could not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        connections.close();
        if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
            tracing::warn!("calls to the table were still under way; who made them is told that it is away");
        }
        if let Err(error) = fs::remove_file(&self.socket) {
            tracing::warn!(%error, "the table's socket stays behind");
        }
    }
}

/// Whether who connected is of the same user, or the system's.
fn is_ours(stream: &UnixStream) -> bool {
    let us = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == us || peer.uid() == 0)
}

async fn serve(stream: UnixStream, table: Arc<dyn Table>, stop: CancellationToken) {
    let (mut answers, mut calls) = framed(stream).split();
    let (answered, mut ready) = mpsc::channel::<Bytes>(AT_ONCE);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let write = async move {
        while let Some(answer) = ready.recv().await {
            if answers.feed(answer).await.is_err() || (ready.is_empty() && answers.flush().await.is_err()) {
                return;
            }
        }
    };
    let read = async move {
        let Some(Some(Ok(first))) = stop.run_until_cancelled(calls.next()).await else { return };
        // Who is of another form learns so.
        if answered.send(Bytes::from_static(HELLO)).await.is_err() {
            return;
        }
        if let Err(error) = is_of_our_form(&first) {
            return tracing::error!(%error, "a process was turned away from the table's socket");
        }
        while let Some(Some(Ok(call))) = stop.run_until_cancelled(calls.next()).await {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let (table, answered) = (Arc::clone(&table), answered.clone());
            tokio::spawn(async move {
                if let Some(answer) = answer(table.as_ref(), &call).await {
                    // Who has gone away does not wait for it.
                    let _ = answered.send(answer).await;
                }
                drop(place);
            });
        }
    };
    tokio::join!(read, write);
}

/// None where a frame holds no call: nobody can be told of it.
async fn answer(table: &dyn Table, frame: &[u8]) -> Option<Bytes> {
    let (number, call): (Number, Call) = match unpack(frame) {
        Ok(call) => call,
        Err(error) => {
            tracing::error!(%error, "a call to the table");
            return None;
        }
    };
    let answer = done(table, call).await.unwrap_or_else(Answer::Failed);
    pack(number, &answer).or_else(|error| pack(number, &Answer::Failed(error))).ok()
}

async fn done(table: &dyn Table, call: Call) -> Result<Answer, TableError> {
    Ok(match call {
        Call::Get(key) => Answer::Item(table.get(&key).await?),
        Call::GetMany(keys) => Answer::Items(table.get_many(&keys).await?),
        Call::Query(range) => Answer::Page(table.query(&range).await?),
        Call::Write(write) => Answer::Outcome(table.write(write).await?),
        Call::WriteBatch(writes) => {
            table.write_batch(writes).await?;
            Answer::Done
        }
        Call::Transact(writes) => Answer::Outcome(table.transact(writes).await?),
    })
}
