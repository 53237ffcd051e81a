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

fn damaged(error: &postcard::Error) -> TableError {
    TableError::Damaged(format!(
        "what came over the table's socket is not understood ({error}): are both of one version?"
    ))
}
