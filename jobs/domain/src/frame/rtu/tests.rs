use proptest::prelude::*;

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    bytes_of_hex(&hex.replace(' ', "")).unwrap()
}

/// A frame with its CRC.
fn framed(hex: &str) -> Vec<u8> {
    let mut frame = bytes(hex);
    frame.extend_from_slice(&crc16_modbus(&frame).to_le_bytes());
    frame
}

fn verify(body: &str, reply: &[u8]) -> Result<Vec<u8>, RejectedFrame> {
    let instruction = RtuInstruction::parse(body).unwrap();
    instruction.verify(1, reply).map(|frame| frame.payload().to_vec())
}

#[test]
fn a_request_is_address_body_and_crc_low_byte_first() {
    for (pid, body, sent) in [
        (1, "0300000002", "010300000002c40b"),
        (1, "0300010002", "01030001000295cb"),
        (1, "0600010001", "01060001000119ca"),
        (1, "0300010001", "010300010001d5ca"),
        (2, "0300000002", "020300000002c438"),
        (1, "0400000002", "01040000000271cb"),
        (1, " 03000A0002", "0103000a0002e409"),
    ] {
        assert_eq!(rtu_request(pid, body).as_deref(), Ok(sent), "{body}");
    }
}

#[test]
fn what_is_no_instruction_is_refused_with_the_reason() {
    for (body, why) in [
        ("", BadInstruction::NotHex(String::new())),
        ("030", BadInstruction::NotHex("030".into())),
        ("QGS!", BadInstruction::NotHex("QGS!".into())),
        ("2b0e0100", BadInstruction::Function(0x2b)),
        ("03000000", BadInstruction::Length { function: 3, expected: 4, got: 3 }),
        ("030000000201", BadInstruction::Length { function: 3, expected: 4, got: 5 }),
        ("060001000100", BadInstruction::Length { function: 6, expected: 4, got: 5 }),
        ("0300000000", BadInstruction::Count { function: 3, most: 125, count: 0 }),
        ("030000007e", BadInstruction::Count { function: 3, most: 125, count: 126 }),
        ("01000007d1", BadInstruction::Count { function: 1, most: 2000, count: 2001 }),
        ("100001000204000a", BadInstruction::Length { function: 16, expected: 9, got: 7 }),
        ("100001000203000a0102", BadInstruction::Length { function: 16, expected: 9, got: 9 }),
    ] {
        assert_eq!(rtu_request(1, body), Err(why), "{body}");
    }
}

#[test]
fn a_read_is_proven_by_address_function_byte_count_and_crc() {
    assert_eq!(verify("0300000001", &bytes("01 03 02 01 f4 b8 53")), Ok(bytes("01f4")));
    assert_eq!(verify("0300000002", &bytes("01 03 04 01 f4 00 c8 bb ab")), Ok(bytes("01f400c8")));
    assert_eq!(verify("0100000003", &framed("01 01 01 05")), Ok(bytes("05")));
    assert_eq!(verify("0200000009", &framed("01 02 02 05 01")), Ok(bytes("0501")));
}

#[test]
fn a_write_is_proven_by_its_echo() {
    assert_eq!(verify("0600010001", &framed("01 06 00 01 00 01")), Ok(bytes("00010001")));
    assert_eq!(verify("05000aff00", &framed("01 05 00 0a ff 00")), Ok(bytes("000aff00")));
    assert_eq!(verify("100001000204000a0102", &framed("01 10 00 01 00 02")), Ok(bytes("00010002")));
    assert_eq!(
        verify("0f00130003010 5".replace(' ', "").as_str(), &framed("01 0f 00 13 00 03")),
        Ok(bytes("00130003"))
    );
    assert_eq!(verify("0600010001", &framed("01 06 00 01 00 02")), Err(RejectedFrame::Echo));
    assert_eq!(verify("0600010001", &framed("01 06 00 02 00 01")), Err(RejectedFrame::Echo));
}

#[test]
fn what_is_not_proven_says_why() {
    let registers = "0300000002";
    for (reply, kind) in [
        (bytes("01 03 04 01 f4 00 c8 bb ab")[..7].to_vec(), "short"),
        (bytes("01 03"), "short"),
        (Vec::new(), "empty"),
        (bytes("01 03 04 01 f4 00 c8 bb aa"), "crc"),
        (bytes("01 03 04 01 f5 00 c8 bb ab"), "crc"),
        (bytes("02 03 04 01 f4 00 c8 bb ab"), "crc"),
        (bytes("01 83 02 c0 f0"), "crc"),
        (bytes("01 03 04 01 f4 00 c8 bb ab 55"), "crc"),
        // a zero after a good frame keeps the CRC good: the length has to tell
        (bytes("01 03 04 01 f4 00 c8 bb ab 00"), "length"),
        (framed("02 03 04 01 f4 00 c8"), "foreign"),
        (framed("02 83 02"), "foreign"),
        (framed("01 83 02"), "exception"),
        (framed("01 84 02"), "wrong_function"),
        (framed("01 04 04 01 f4 00 c8"), "wrong_function"),
        (framed("01 03 02 01 f4"), "length"),
        (framed("01 03 06 01 f4 00 c8 03 e8"), "length"),
        (framed("01 03 05 01 f4 00 c8"), "length"),
    ] {
        assert_eq!(verify(registers, &reply).map_err(|why| why.kind()), Err(kind), "{reply:02x?}");
    }
    assert_eq!(verify(registers, &framed("01 83 02")), Err(RejectedFrame::Exception(2)));
    assert_eq!(
        RejectedFrame::Exception(2).to_string(),
        "the device refuses: Modbus exception 2 (illegal data address)"
    );
}

proptest! {
    #[test]
    fn a_good_reply_is_proven_and_says_what_it_carries(pid: u8, data in prop::collection::vec(any::<u16>(), 1..125)) {
        let data: Vec<u8> = data.into_iter().flat_map(u16::to_be_bytes).collect();
        let instruction = RtuInstruction::parse(&format!("030000{:04x}", data.len() / 2)).unwrap();
        let reply = framed(&hex_of_bytes(&[&[pid, 3, u8::try_from(data.len()).unwrap()], &data[..]].concat()));
        prop_assert_eq!(instruction.verify(pid, &reply).unwrap().payload(), &data[..]);
    }

    #[test]
    fn one_to_three_flipped_bits_never_verify(
        data in prop::collection::vec(any::<u16>(), 1..125),
        flips in prop::collection::vec(any::<prop::sample::Index>(), 1..=3),
    ) {
        let data: Vec<u8> = data.into_iter().flat_map(u16::to_be_bytes).collect();
        let instruction = RtuInstruction::parse(&format!("030000{:04x}", data.len() / 2)).unwrap();
        let mut reply = framed(&hex_of_bytes(&[&[1, 3, u8::try_from(data.len()).unwrap()], &data[..]].concat()));
        let bits: std::collections::BTreeSet<usize> = flips.iter().map(|flip| flip.index(reply.len() * 8)).collect();
        for bit in bits {
            reply[bit / 8] ^= 1 << (bit % 8);
        }
        prop_assert_eq!(instruction.verify(1, &reply).map_err(|why| why.kind()), Err("crc"));
    }

    #[test]
    fn arbitrary_bytes_never_panic(pid: u8, body in ".{0,30}", reply in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = rtu_request(pid, &body);
        for body in ["0300000002", "0100000009", "0600010001", "100001000204000a0102"] {
            let _ = RtuInstruction::parse(body).unwrap().verify(pid, &reply);
        }
    }
}

#[test]
fn a_request_is_read_back_unless_it_is_damaged() {
    let instruction = RtuInstruction::parse("06000100fa").unwrap();
    assert_eq!(RtuInstruction::of_request(&instruction.request(7)), Ok((7, instruction)));
    for damaged in ["", "01", "0106", "0106000100fad988", "xx"] {
        assert!(RtuInstruction::of_request(damaged).is_err(), "{damaged:?}");
    }
}
