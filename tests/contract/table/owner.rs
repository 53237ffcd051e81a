//! The table of another process, which may go away and come back.

use std::{path::Path, sync::Arc};

use records::{Condition, Key, Table, TableError, Write};
use table::{MemoryTable, RemoteTable, TableServer};
use telltale_tests::{ManualClock, PATIENCE, eventually};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::item;

/// A process that owns a table, as far as a test can have one.
fn owner(table: &Arc<MemoryTable>, socket: &Path) -> (CancellationToken, JoinHandle<()>) {
    let stop = CancellationToken::new();
    let server = TableServer::listen(Arc::clone(table) as _, socket).unwrap();
    (stop.clone(), tokio::spawn(server.run(stop)))
}

#[tokio::test]
async fn an_owner_that_went_away_is_found_again_when_it_is_back() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("table.sock");
    let table = Arc::new(MemoryTable::new(Arc::new(ManualClock::new())));
    let remote = RemoteTable::new(&socket);
    assert!(matches!(remote.get(&Key::new("p", "s")).await, Err(TableError::Away(_))), "nobody is there yet");

    let (stop, ended) = owner(&table, &socket);
    assert!(remote.write(Write::Put(item("p", "s"), Condition::Absent)).await.unwrap().applied());
    stop.cancel();
    ended.await.unwrap();
    eventually("it is noticed", async || remote.get(&Key::new("p", "s")).await.err()).await;

    let (_stop, _running) = owner(&table, &socket);
    assert_eq!(remote.get(&Key::new("p", "s")).await.unwrap(), Some(item("p", "s")));
}

#[tokio::test]
async fn who_talks_nonsense_loses_its_connection_or_is_left_alone_and_others_go_on() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("table.sock");
    let table = Arc::new(MemoryTable::new(Arc::new(ManualClock::new())));
    let (_stop, _running) = owner(&table, &socket);
    let remote = RemoteTable::new(&socket);
    for nonsense in [&[0xff; 64][..], &[0, 0, 0, 3, 1, 99, 7], &[0, 0, 0, 200, 1]] {
        let mut stream = UnixStream::connect(&socket).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answered = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answered)).await.expect("the connection ends").unwrap();
        assert_eq!(answered, b"", "nonsense gets no answer");
        assert_eq!(remote.get(&Key::new("p", "s")).await.unwrap(), None);
    }
}

#[tokio::test]
async fn only_the_owners_user_may_open_the_socket() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("table.sock");
    let table = Arc::new(MemoryTable::new(Arc::new(ManualClock::new())));
    let (_stop, _running) = owner(&table, &socket);
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}
