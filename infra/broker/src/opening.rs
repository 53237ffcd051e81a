//! The moment in which a connection is let in, and cannot be sent to yet.

use std::time::Duration;

use socketioxide::extract::SocketRef;
use tokio::time::{sleep, timeout};

/// How long a browser that was just let in may take until it can be sent to, and how often that is looked at.
const OPENS_WITHIN: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

/// Waits until a connection can be sent to; false when it never is. The socket library tells a client that its namespace is
/// open a moment before it takes events for it.
pub(crate) async fn until_open(socket: &SocketRef) -> bool {
    let open = async {
        while !socket.connected() {
            sleep(LOOK).await;
        }
    };
    timeout(OPENS_WITHIN, open).await.is_ok()
}
