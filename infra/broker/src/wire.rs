//! The HTTP side of the sockets, and how one is cut without a word.
//!
//! A Socket.IO client never comes back from a disconnect packet or from a refusal of its namespace; it comes back by
//! itself, in about a second, when its transport breaks. The socket library says goodbye with a packet or not at all, so
//! we hold the transports ourselves: the bytes of a websocket pass through a [`Cuttable`], and a polling session is closed
//! in its client's name. A session that is on its way from the one to the other is cut as both.

mod cuttable;

use std::{
    collections::{HashMap, hash_map::Entry},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cuttable::{Cuttable, Cutter};
use engine_http::axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{self, StatusCode},
    middleware::{self, Next},
    response::Response,
};
use hyper::{
    service::Service,
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::TokioIo;
use socketioxide::{ParserConfig, SocketIo, TransportType, extract::SocketRef, socket::Sid};
use tokio::runtime::Handle;

/// Where the sockets are, with and without a slash behind it: the programs in the field know it.
const PATH: &str = "/client";

/// The most bytes of one message, in whatever transport (the limit of the server that the programs were written for).
pub(crate) const MOST_MESSAGE_BYTES: usize = 1_000_000;

/// The most packets that wait for a socket to take them; those beyond are dropped. A page that watches thousands of devices,
/// or a node of as many, gets this many at once. An idle socket pays nothing for it.
const MOST_WAITING_PACKETS: usize = 2048;

/// What is read from a websocket at once. Kept small, since each of thousands holds one, and what they say is short.
const READ_BUFFER: usize = 1024;

/// The most binary arguments of one event.
const MOST_ATTACHMENTS: usize = 16;

type Stream = Cuttable<TokioIo<Upgraded>>;
type Done = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Cuts the transports of sockets.
#[derive(Clone)]
pub(crate) struct Wires(Arc<Inner>);

struct Inner {
    /// Of websockets that began as a polling session, by session. Those that did not carry theirs in their request.
    upgraded: Mutex<HashMap<Sid, Cutter>>,
    /// Gives a websocket to the engine.
    open: Box<dyn Fn(Stream, http::Request<()>) + Send + Sync>,
    /// Closes a polling session.
    close: Box<dyn Fn(Sid) -> Done + Send + Sync>,
}

/// The sockets, the routes they are reached by, and what cuts them.
pub(crate) fn sockets() -> (SocketIo, Router, Wires) {
    let parser =
        ParserConfig::common().max_incoming_binary_buf_size(MOST_MESSAGE_BYTES).max_incoming_binaries(MOST_ATTACHMENTS);
    let (service, io) = SocketIo::builder()
        .req_path(PATH)
        .with_parser(parser)
        .max_payload(MOST_MESSAGE_BYTES as u64)
        .max_buffer_size(MOST_WAITING_PACKETS)
        .ws_read_buffer_size(READ_BUFFER)
        .ws_max_message_size(MOST_MESSAGE_BYTES)
        .ws_max_frame_size(MOST_MESSAGE_BYTES)
        .build_svc();
    let (for_websockets, for_polling) = (service.clone(), service.clone());
    let wires = Wires(Arc::new(Inner {
        upgraded: Mutex::default(),
        open: Box::new(move |stream, request| {
            // The engine spawns its own task; it refuses only what it refused to answer already.
            drop(Service::call(&for_websockets, (stream, request)));
        }),
        close: Box::new(move |session| {
            let call = close_request(session).map(|request| Service::call(&for_polling, request));
            Box::pin(async move {
                if let Some(call) = call {
                    let _ = call.await;
                }
            })
        }),
    }));
    let router = Router::new()
        .route_service(PATH, service.clone())
        .route_service(&format!("{PATH}/"), service)
        .layer(middleware::from_fn_with_state(wires.clone(), hold_websockets));
    (io, router, wires)
}

/// What a polling client sends to close its session.
fn close_request(session: Sid) -> Option<http::Request<Body>> {
    let uri = format!("{PATH}/?EIO=4&transport=polling&sid={session}");
    http::Request::post(uri).body(Body::from("1")).ok()
}

/// Lets the engine answer a websocket's handshake, but gives it the bytes through a [`Cuttable`].
async fn hold_websockets(State(wires): State<Wires>, mut request: Request, next: Next) -> Response {
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return next.run(request).await;
    };
    let cutter = Cutter::default();
    let (mut parts, body) = request.into_parts();
    // Proxies ask for an upgrade in polling requests as well: what is of no stream would cut nothing.
    if begins_as_websocket(&parts.uri) {
        parts.extensions.insert(cutter.clone());
    }
    let request = http::Request::from_parts(parts.clone(), ());
    let response = next.run(Request::from_parts(parts, body)).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        tokio::spawn(async move {
            // Who goes away in the middle of the handshake comes back.
            if let Ok(upgraded) = upgrade.await {
                wires.open(Cuttable::new(TokioIo::new(upgraded), cutter), request);
            }
        });
    }
    response
}

impl Wires {
    /// Breaks a socket's transport. Its client comes back by itself.
    pub(crate) fn cut(&self, socket: &SocketRef) {
        if let Some(cutter) = socket.req_parts().extensions.get::<Cutter>() {
            cutter.cut();
            return;
        }
        let is_polling = socket.transport_type() == TransportType::Polling;
        self.cut_upgraded(socket.id);
        if is_polling {
            // It may become a websocket before this is done, and a session of one is not closed so.
            let (wires, session, closed) = (self.clone(), socket.id, (self.0.close)(socket.id));
            tokio::spawn(async move {
                closed.await;
                wires.cut_upgraded(session);
            });
        }
    }

    fn cut_upgraded(&self, session: Sid) {
        if let Some(cutter) = self.upgraded().get(&session) {
            cutter.cut();
        }
    }

    fn open(&self, stream: Stream, request: http::Request<()>) {
        let stream = match session_of(request.uri()) {
            Some(session) => self.held(session, stream),
            None => stream,
        };
        (self.0.open)(stream, request);
    }

    /// Holds the websocket that a polling session becomes. Of several the engine takes the first.
    fn held(&self, session: Sid, stream: Stream) -> Stream {
        match self.upgraded().entry(session) {
            Entry::Occupied(_) => return stream,
            Entry::Vacant(place) => place.insert(stream.cutter().clone()),
        };
        let (wires, runtime) = (self.clone(), Handle::current());
        stream.when_dropped(move || {
            wires.upgraded().remove(&session);
            // One that broke on its way to a websocket is not pinged, and would stay for ever.
            runtime.spawn((wires.0.close)(session));
        })
    }

    fn upgraded(&self) -> MutexGuard<'_, HashMap<Sid, Cutter>> {
        self.0.upgraded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn session_of(uri: &http::Uri) -> Option<Sid> {
    queried(uri, "sid=")?.parse().ok()
}

/// Whether a request opens a session that is a websocket from the beginning.
fn begins_as_websocket(uri: &http::Uri) -> bool {
    queried(uri, "transport=") == Some("websocket") && queried(uri, "sid=").is_none()
}

fn queried<'a>(uri: &'a http::Uri, name: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(name))
}
