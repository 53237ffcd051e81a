//! What the doors of the browsers have in common.

use std::{convert::Infallible, future::ready, sync::Arc};

use serde_json::Value;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, TryData},
    handler::ConnectHandler,
    operators::BroadcastOperators,
};

use crate::{viewers::show_strangers_out, wire::Wires};

/// A namespace that browsers come in by.
pub(crate) trait BrowserDoor: Send + Sync + 'static {
    /// The namespace.
    const NAMESPACE: &'static str;

    fn io(&self) -> &SocketIo;

    fn wires(&self) -> &Wires;

    /// Finds out who is there, and listens from then on.
    fn identify(self: Arc<Self>, socket: &SocketRef, auth: Option<&Value>) -> impl Future<Output = ()> + Send;

    /// Opens the namespace. Who comes is identified first; strangers are shown out.
    fn open(self: &Arc<Self>)
    where
        Self: Sized,
    {
        let (identifier, greeter) = (Arc::clone(self), Arc::clone(self));
        let identify = async move |socket: SocketRef, TryData(auth): TryData<Value>| {
            identifier.identify(&socket, auth.ok().as_ref()).await;
            Ok::<(), Infallible>(())
        };
        let greet = move |socket: SocketRef| {
            show_strangers_out(socket, greeter.wires());
            ready(())
        };
        self.io().ns(Self::NAMESPACE, greet.with(identify));
    }

    /// Breaks every connection: browsers come back by themselves.
    fn close(&self) {
        for socket in self.sockets() {
            self.wires().cut(&socket);
        }
    }

    fn sockets(&self) -> Vec<SocketRef> {
        self.io().of(Self::NAMESPACE).map(BroadcastOperators::sockets).unwrap_or_default()
    }
}
