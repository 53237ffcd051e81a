//! What happens on the wire, as it happens, for those who watch it. Nothing is kept, and nobody waits for it.

use std::sync::Arc;

use domain::{Mac, Pid};
use jobs::{
    ports::Clock,
    report::{Answer, hex},
};
use records::users::Role;
use serde_json::{Value, json};
use socketioxide::{SocketIo, extract::SocketRef, operators::BroadcastOperators};

use super::{NAMESPACE, channel::Channel};
use crate::{counters::Counters, said::Said, viewers::Viewer};

/// The channel of all terminals' events, for administrators.
const LOG: &str = "mac_log";

/// What administrators are told in words.
const MESSAGE: &str = "message";

/// Shows events to those who watch.
pub(crate) struct Live {
    pub io: SocketIo,
    pub clock: Arc<dyn Clock>,
    pub counters: Arc<Counters>,
}

impl Live {
    /// A gateway said something about terminals.
    pub(crate) fn heard(&self, said: &Said) {
        if !self.is_watched() {
            return;
        }
        for mac in macs(said.arguments.first()) {
            self.show(&mac, &said.name, &json!(said.arguments));
        }
    }

    /// A gateway posted a device's replies.
    pub(crate) fn answered(&self, answer: &Answer) {
        if !self.is_watched() {
            return;
        }
        let replies =
            answer.replies.iter().map(|reply| json!({ "content": reply.content, "bytes": hex(&reply.bytes) }));
        let data = json!({ "pid": answer.pid, "useTime": answer.line_ms, "contents": replies.collect::<Vec<_>>() });
        self.show(&answer.mac, "queryData", &data);
    }

    /// Some instructions were not answered: administrators get the sentence that they know.
    pub(crate) fn partly_missed(&self, mac: &Mac, pid: Pid, contents: &[String]) {
        if !self.is_watched() {
            return;
        }
        let message = format!("部分指令超时,mac:{mac}/pid:{pid}/instruct:{}", contents.join(","));
        let of_an_admin = |socket: &SocketRef| {
            let viewer = socket.extensions.get::<Viewer>().filter(|viewer| viewer.user.role == Role::Admin);
            let own = viewer.map(|viewer| Channel::Own.room(MESSAGE, &viewer.user.user));
            own.is_some_and(|own| socket.rooms().iter().any(|room| *room == own))
        };
        let browsers = self.io.of(NAMESPACE).map(BroadcastOperators::sockets).unwrap_or_default();
        for socket in browsers.into_iter().filter(of_an_admin) {
            self.send(&socket, MESSAGE, &json!(message));
        }
    }

    fn show(&self, mac: &Mac, kind: &str, data: &Value) {
        let event = json!({ "type": kind, "time": self.clock.now(), "mac": mac, "data": data });
        for channel in [format!("{mac}_live"), LOG.to_owned()] {
            let watching = self.io.of(NAMESPACE).map(|web| web.within(channel.clone()).sockets()).unwrap_or_default();
            for socket in watching {
                self.send(&socket, &channel, &event);
            }
        }
    }

    /// A browser that is too slow does without.
    fn send(&self, socket: &SocketRef, event: &str, data: &Value) {
        match socket.emit(event, data) {
            Ok(()) => self.counters.pushes_sent.up(),
            Err(_) => self.counters.pushes_dropped.up(),
        }
    }

    fn is_watched(&self) -> bool {
        self.counters.browser_connections.get() > 0
    }
}

/// The terminals that an event names: one, a list of them, or one in an object.
fn macs(argument: Option<&Value>) -> Vec<Mac> {
    let mac = |value: &Value| value.as_str()?.parse().ok();
    match argument {
        Some(Value::Array(list)) => list.iter().filter_map(mac).collect(),
        Some(Value::Object(object)) => object.get("mac").and_then(mac).into_iter().collect(),
        Some(value) => mac(value).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_about_the_terminals_that_its_first_argument_names() {
        let (one, other) = ("98D863CC870D", "98D863CC870E");
        for (argument, named) in [
            (json!(one), vec![one]),
            (json!([one, 7, other]), vec![one, other]),
            (json!({ "mac": one, "score": 75 }), vec![one]),
            (json!({ "mac": null }), vec![]),
            (json!("oprate1"), vec![]),
        ] {
            let named: Vec<Mac> = named.into_iter().map(|mac| mac.parse().unwrap()).collect();
            assert_eq!(macs(Some(&argument)), named, "{argument}");
        }
        assert_eq!(macs(None), vec![]);
    }
}
