//! What a node's reply to an operation proves.
//!
//! The programs say `ok` of whatever a device answers, and call the echo of a write of several registers a failure. So
//! their words are passed on, and the frame itself decides.

use domain::{
    Pid,
    frame::{Proof, RejectedFrame, RtuInstruction, VerifiedFrame},
};
use jobs::{
    ports::Order,
    report::{OperationEnd, OperationVerdict},
};

use crate::node::{Brought, OperationReply};

const ACKNOWLEDGED: &[u8] = b"ACK";

/// An operation that was not done.
pub(super) fn failed(why: &str) -> OperationEnd {
    OperationEnd { verdict: OperationVerdict::Failed, said: why.to_owned(), reply: Vec::new() }
}

/// What a reply amounts to.
pub(super) fn of(order: &Order, reply: OperationReply) -> OperationEnd {
    match order {
        Order::Device { pid, content, proof, .. } => of_device(*pid, content, *proof, reply),
        Order::At { .. } => of_terminal(reply),
        Order::Restart if reply.ok => done(reply.message, Vec::new()),
        Order::Restart => failed(&reply.message),
    }
}

fn done(said: String, reply: Vec<u8>) -> OperationEnd {
    OperationEnd { verdict: OperationVerdict::Done, said, reply }
}

fn of_device(pid: Pid, content: &str, proof: Proof, reply: OperationReply) -> OperationEnd {
    let bytes = match (reply.brought, proof) {
        (Brought::Bytes(bytes), _) => bytes,
        (Brought::Text(text), Proof::Text) if reply.ok => text.into_bytes(),
        (Brought::Text(text), _) => return failed(&silence(&text, &reply.message)),
        (Brought::Nothing, _) => return failed(&silence("", &reply.message)),
    };
    let proven = match proof {
        Proof::Rtu => proven_rtu(pid, content, &bytes),
        Proof::Text => VerifiedFrame::text(&bytes).map(drop),
        Proof::Scripted => {
            return OperationEnd { verdict: OperationVerdict::Unproven, said: reply.message, reply: bytes };
        }
    };
    match proven {
        Ok(()) if proof == Proof::Text => of_words(readable(&bytes), bytes),
        Ok(()) => done("the device confirms it".to_owned(), bytes),
        // The cards of one maker say this word alone, without an end of the line.
        Err(_) if proof == Proof::Text && bytes == ACKNOWLEDGED => done(readable(&bytes), bytes),
        Err(why) => OperationEnd { verdict: OperationVerdict::Failed, said: why.to_string(), reply: bytes },
    }
}

/// A whole text is an answer; it says itself if that is a refusal.
fn of_words(words: String, bytes: Vec<u8>) -> OperationEnd {
    if words.trim_start_matches('(').starts_with("NAK") {
        let said = format!("the device refuses: {words}");
        return OperationEnd { verdict: OperationVerdict::Failed, said, reply: bytes };
    }
    done(words, bytes)
}

fn proven_rtu(pid: Pid, content: &str, reply: &[u8]) -> Result<(), RejectedFrame> {
    let (_, instruction) = RtuInstruction::of_request(content).map_err(|_| RejectedFrame::UnknownInstruction)?;
    instruction.verify(pid, reply).map(drop)
}

/// Why a node has no reply.
fn silence(word: &str, message: &str) -> String {
    match word {
        "timeOut" => "the device did not answer".to_owned(),
        "stream error" => "the terminal's connection broke".to_owned(),
        "unSocket" => "the terminal is not connected".to_owned(),
        _ if message.is_empty() => "the node brings no answer of the device".to_owned(),
        _ => format!("the node brings no answer of the device, and says: {message}"),
    }
}

fn of_terminal(reply: OperationReply) -> OperationEnd {
    let bytes = match reply.brought {
        Brought::Bytes(bytes) => bytes,
        Brought::Text(_) | Brought::Nothing => Vec::new(),
    };
    let answer = readable(&bytes);
    if reply.ok {
        return done(if answer.is_empty() { reply.message } else { answer }, bytes);
    }
    let why = match answer.as_str() {
        "" => format!("the DTU did not answer: {}", reply.message),
        answer => format!("the DTU refuses: {answer}"),
    };
    OperationEnd { verdict: OperationVerdict::Failed, said: why, reply: bytes }
}

fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A write of register 1 on device 1.
    const WRITE: &str = "01060001000119ca";
    /// A write of two registers from 1 on, on device 1.
    const WRITE_MANY: &str = "011000010002040001000223a3";

    fn device(content: &str, proof: Proof) -> Order {
        Order::Device {
            mac: "98D863CC870D".parse().unwrap(),
            pid: 1,
            line: 485,
            protocol: "p".to_owned(),
            content: content.to_owned(),
            proof,
        }
    }

    fn answered(ok: bool, message: &str, bytes: &[u8]) -> OperationReply {
        OperationReply { ok, message: message.to_owned(), brought: Brought::Bytes(bytes.to_vec()) }
    }

    fn framed(bytes: &[u8]) -> Vec<u8> {
        [bytes, &domain::frame::crc16_modbus(bytes).to_le_bytes()].concat()
    }

    fn verdict(order: &Order, reply: OperationReply) -> (OperationVerdict, String) {
        let end = of(order, reply);
        (end.verdict, end.said)
    }

    #[test]
    fn the_echo_of_a_write_is_success_whatever_the_node_calls_it() {
        let echo = framed(&[1, 6, 0, 1, 0, 1]);
        let end = of(&device(WRITE, Proof::Rtu), answered(true, "设备已响应,返回字节", &echo));
        assert_eq!((end.verdict, end.reply), (OperationVerdict::Done, echo));
        let many = rtu("10000100020400010002");
        let echo = framed(&[1, 16, 0, 1, 0, 2]);
        let (many, _) = verdict(&device(&many, Proof::Rtu), answered(true, "设备已响应，但操作失败", &echo));
        assert_eq!(many, OperationVerdict::Done);
    }

    fn rtu(instruction: &str) -> String {
        domain::frame::rtu_request(1, instruction).unwrap()
    }

    #[test]
    fn an_exception_is_failure_although_the_node_says_ok() {
        let exception = framed(&[1, 0x86, 2]);
        let (verdict, said) = verdict(&device(WRITE, Proof::Rtu), answered(true, "设备已响应，但操作失败", &exception));
        assert_eq!(verdict, OperationVerdict::Failed);
        assert!(said.contains("illegal data address"), "{said}");
    }

    #[test]
    fn a_damaged_foreign_or_late_reply_proves_nothing() {
        let mut damaged = framed(&[1, 6, 0, 1, 0, 1]);
        damaged[5] ^= 1;
        for reply in
            [damaged, framed(&[2, 6, 0, 1, 0, 1]), framed(&[1, 6, 0, 1, 0, 2]), framed(&[1, 3, 2, 0, 1]), vec![]]
        {
            let (verdict, said) = verdict(&device(WRITE, Proof::Rtu), answered(true, "", &reply));
            assert_eq!(verdict, OperationVerdict::Failed, "{reply:?}: {said}");
        }
        assert!(RtuInstruction::of_request(WRITE_MANY).is_err(), "a content that is damaged proves nothing either");
        assert_eq!(verdict(&device(WRITE_MANY, Proof::Rtu), answered(true, "", &[1])).0, OperationVerdict::Failed);
    }

    #[test]
    fn a_node_that_has_no_reply_says_why() {
        for (word, why) in [("timeOut", "did not answer"), ("stream error", "broke"), ("unSocket", "not connected")] {
            let brought = Brought::Text(word.to_owned());
            let reply = OperationReply { ok: false, message: "挂载设备响应超时".to_owned(), brought };
            let (verdict, said) = verdict(&device(WRITE, Proof::Rtu), reply);
            assert_eq!(verdict, OperationVerdict::Failed);
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn a_text_is_proven_by_its_end_and_a_script_is_asked_later() {
        let ups = |bytes: &[u8]| verdict(&device("SON", Proof::Text), answered(true, "", bytes));
        assert_eq!(ups(b"(ACK\r"), (OperationVerdict::Done, "(ACK".to_owned()));
        assert_eq!(ups(b"ACK"), (OperationVerdict::Done, "ACK".to_owned()));
        assert_eq!(ups(b"(AC").0, OperationVerdict::Failed);
        assert_eq!(ups(b"(NAK\r"), (OperationVerdict::Failed, "the device refuses: (NAK".to_owned()));
        let scripted = verdict(&device("aa55", Proof::Scripted), answered(true, "", &[1]));
        assert_eq!(scripted.0, OperationVerdict::Unproven);
    }

    #[test]
    fn a_dtu_confirms_or_refuses_or_says_nothing() {
        let order = Order::At { mac: "98D863CC870D".parse().unwrap(), command: "+++AT+VER".to_owned() };
        assert_eq!(
            verdict(&order, answered(true, "V1.0.18", b"+ok=V1.0.18\r\n")),
            (OperationVerdict::Done, "+ok=V1.0.18".to_owned())
        );
        let (refused, said) = verdict(&order, answered(false, "timeout", b"+ERR=1\r\n"));
        assert_eq!((refused, said.as_str()), (OperationVerdict::Failed, "the DTU refuses: +ERR=1"));
        let brought = Brought::Text("timeOut".to_owned());
        let silent = OperationReply { ok: false, message: "timeout".to_owned(), brought };
        assert_eq!(verdict(&order, silent).0, OperationVerdict::Failed);
    }
}
