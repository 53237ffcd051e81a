//! What goes over the socket.

use records::{Item, Key, Outcome, Page, Range, TableError, Write};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;
use tokio_util::{
    bytes::Bytes,
    codec::{Framed, LengthDelimitedCodec},
};

/// The most bytes of one call or answer.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// What each side says first. The number is that of the form of calls and answers: it changes with each change of what is in them, and
/// nobody takes what is of another form for what it is not.
pub(super) const HELLO: &[u8] = b"telltale table 1";

/// Which of a connection's calls.
pub(super) type Number = u64;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Call {
    Get(Key),
    GetMany(Vec<Key>),
    Query(Range),
    Write(Write),
    WriteBatch(Vec<Write>),
    Transact(Vec<Write>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Item(Option<Item>),
    Items(Vec<Item>),
    Page(Page),
    Outcome(Outcome),
    Done,
    Failed(TableError),
}

pub(super) fn framed(stream: UnixStream) -> Framed<UnixStream, LengthDelimitedCodec> {
    LengthDelimitedCodec::builder().max_frame_length(MOST_BYTES).new_framed(stream)
}

pub(super) fn pack(number: Number, what: &impl Serialize) -> Result<Bytes, TableError> {
    let packed = postcard::to_stdvec(&(number, what)).map_err(|error| damaged(&error))?;
    if packed.len() > MOST_BYTES {
        let bytes = packed.len();
        return Err(TableError::Invalid(format!("a call of {bytes} bytes, the most is {MOST_BYTES}")));
    }
    Ok(packed.into())
}

pub(super) fn unpack<T: DeserializeOwned>(frame: &[u8]) -> Result<(Number, T), TableError> {
    postcard::from_bytes(frame).map_err(|error| damaged(&error))
}

/// Sees that the other side began as this one does.
pub(super) fn is_of_our_form(first: &[u8]) -> Result<(), TableError> {
    if first == HELLO {
        return Ok(());
    }
    let (theirs, ours) = (String::from_utf8_lossy(first), String::from_utf8_lossy(HELLO));
    Err(TableError::Away(format!(
        "its owner and this process are of versions that do not understand each other ({theirs:.40?}, {ours:?}): update all parts"
    )))
}

fn damaged(error: &postcard::Error) -> TableError {
    TableError::Damaged(format!(
        "what came over the table's socket is not understood ({error}): are both of one version?"
    ))
}
