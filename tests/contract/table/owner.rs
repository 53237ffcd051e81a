//! The table of another process, which may go away and come back.

use std::{path::Path, sync::Arc};

use records::{Condition, Key, Table, TableError, Write};
use table::{MemoryTable, RemoteTable, TableServer};
use telltale_tests::{ManualClock, PATIENCE, eventually};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::item;

/// What both sides say first.
const HELLO: &[u8; 16] = b"telltale table 1";

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
    let call = [0, 0, 0, 3, 1, 99, 7];
    let after_hello = [&[0, 0, 0, 16], &HELLO[..], &call].concat();
    // Whose first frame is another's is told who this is.
    let frame = [&[0, 0, 0, 16], &HELLO[..]].concat();
    for (nonsense, answer) in
        [(&[0xff; 64][..], &b""[..]), (&call, &frame), (&after_hello, &frame), (&[0, 0, 0, 200, 1], b"")]
    {
        let mut stream = UnixStream::connect(&socket).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answered = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answered)).await.expect("the connection ends").unwrap();
        assert_eq!(answered, answer, "nonsense gets no answer");
        assert_eq!(remote.get(&Key::new("p", "s")).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_owner_of_another_version_is_away_and_that_is_said() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("table.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let other = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let first = stream.read_u32().await.unwrap();
        assert_eq!(first, 16, "it says who it is, in a frame");
        stream.write_all(b"\0\0\0\x10telltale table 2").await.unwrap();
        // It must end it who does not understand.
        while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
    });
    let remote = RemoteTable::new(&socket);
    match remote.get(&Key::new("p", "s")).await {
        Err(TableError::Away(why)) => assert!(why.contains("versions") && why.contains("table 2"), "{why}"),
        otherwise => panic!("{otherwise:?}"),
    }
    timeout(PATIENCE, other).await.expect("the connection ends").unwrap();
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
