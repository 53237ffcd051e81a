//! Events whose bytes are chosen by whoever fuzzes: those kept in `__fuzz__`, and on each run some new ones.

use bytes::Bytes;
use serde_json::Value;

use super::NodeEvent;

/// The packet's JSON, `[name, arguments…]`; what follows its first NUL is an attachment.
#[test]
fn events() {
    bolero::check!(name = "events").for_each(|input: &[u8]| {
        let mut parts = input.splitn(2, |byte| *byte == 0);
        let Some(Ok(Value::Array(packet))) = parts.next().map(serde_json::from_slice::<Value>) else { return };
        let Some((Value::String(name), arguments)) = packet.split_first() else { return };
        let attachments: Vec<Bytes> = parts.map(Bytes::copy_from_slice).collect();
        let _ = NodeEvent::read(name, arguments, &attachments);
    });
}
