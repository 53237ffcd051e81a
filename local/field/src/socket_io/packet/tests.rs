use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn packets_read_as_the_wire_writes_them() {
    let event = |namespace, data| Packet::new(Kind::Event, namespace, Some(data));
    for (text, packet) in [
        ("0/node,", Packet::new(Kind::Connect, "/node", None)),
        ("0/node,{\"token\":\"t\"}", Packet::new(Kind::Connect, "/node", Some(json!({ "token": "t" })))),
        ("2/node,[\"accont\"]", event("/node", json!(["accont"]))),
        ("2[\"a\",1]", event("/", json!(["a", 1]))),
        ("3/web,12[]", Packet { ack: Some(12), ..Packet::new(Kind::Ack, "/web", Some(json!([]))) }),
        ("1/node,", Packet::new(Kind::Disconnect, "/node", None)),
        (
            "51-/node,[\"r\",{\"_placeholder\":true,\"num\":0}]",
            Packet {
                attachments: 1,
                ..Packet::new(Kind::BinaryEvent, "/node", Some(json!(["r", { "_placeholder": true, "num": 0 }])))
            },
        ),
    ] {
        assert_eq!(Packet::parse(text).as_ref(), Ok(&packet), "{text}");
        assert_eq!(packet.to_string(), text);
    }
    assert_eq!(Packet::parse("0/node").unwrap().namespace, "/node", "the comma may be missing");
}

#[test]
fn what_is_no_packet_is_refused_with_the_reason() {
    for (text, why) in [
        ("", PacketError::Kind(None)),
        ("9", PacketError::Kind(Some('9'))),
        ("5[]", PacketError::Attachments),
        ("599-[]", PacketError::Attachments),
        ("299999999999999999999[]", PacketError::Ack),
    ] {
        assert_eq!(Packet::parse(text), Err(why), "{text}");
    }
    assert!(matches!(Packet::parse("2[1"), Err(PacketError::Data(_))));
}

#[test]
fn engine_packets_are_told_apart_by_their_first_digit() {
    assert_eq!(parse_engine("0{}"), Ok(EnginePacket::Open("{}")));
    assert_eq!(parse_engine("2probe"), Ok(EnginePacket::Ping("probe")));
    assert_eq!(parse_engine("42[\"a\"]"), Ok(EnginePacket::Message("2[\"a\"]")));
    assert_eq!(parse_engine("1"), Ok(EnginePacket::Close));
    assert_eq!(parse_engine("6"), Ok(EnginePacket::Noop));
    assert_eq!(parse_engine("x"), Err(PacketError::Kind(Some('x'))));
}

#[test]
fn the_greeting_says_how_long_silence_may_last() {
    let json = r#"{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    assert_eq!(Greeting::parse(json), Ok(Greeting { ping_interval: 25_000, ping_timeout: 20_000 }));
}

#[test]
fn placeholders_give_way_to_their_bytes_and_strangers_stay() {
    let mut data =
        json!(["r", { "ok": 1, "upserted": { "_placeholder": true, "num": 0 } }, { "_placeholder": true, "num": 7 }]);
    fill_placeholders(&mut data, &[Bytes::from_static(&[1, 6])]);
    assert_eq!(data[1]["upserted"], json!({ "type": "Buffer", "data": [1, 6] }));
    assert_eq!(data[2]["num"], 7);
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let kind = proptest::sample::select(&Kind::ALL[..]);
    let namespace = "(/[a-z]{0,8})?";
    let data = proptest::option::of(proptest::collection::vec("\\PC{0,20}", 0..4));
    (kind, namespace, 0..=MOST_ATTACHMENTS, proptest::option::of(any::<u64>()), data).prop_map(
        |(kind, namespace, attachments, ack, data)| Packet {
            kind,
            namespace: if namespace.is_empty() { "/".to_owned() } else { namespace },
            attachments: if kind.is_binary() { attachments } else { 0 },
            ack,
            data: data.map(|texts| json!(texts)),
        },
    )
}

proptest! {
    #[test]
    fn every_packet_survives_the_wire(packet in any_packet()) {
        prop_assert_eq!(Packet::parse(&packet.to_string()), Ok(packet));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[0-9]{0,3}-?(/[a-z]{0,3},?)?[0-9]{0,22}\\PC{0,40}") {
        let _ = Packet::parse(&text);
        let _ = parse_engine(&text);
        let _ = Greeting::parse(&text);
    }
}
