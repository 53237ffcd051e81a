//! A stream of bytes that can be cut from outside.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Cuts the stream it was made for.
#[derive(Debug, Clone, Default)]
pub(super) struct Cutter(CancellationToken);

impl Cutter {
    /// From now on the stream is at its end, and takes nothing more.
    pub(super) fn cut(&self) {
        self.0.cancel();
    }
}

/// A stream that can be cut.
pub(super) struct Cuttable<S> {
    stream: S,
    cutter: Cutter,
    is_cut: Pin<Box<WaitForCancellationFutureOwned>>,
    when_dropped: Option<Box<dyn FnOnce() + Send>>,
}

impl<S> Cuttable<S> {
    pub(super) fn new(stream: S, cutter: Cutter) -> Self {
        let is_cut = Box::pin(cutter.0.clone().cancelled_owned());
        Self { stream, cutter, is_cut, when_dropped: None }
    }

    pub(super) fn cutter(&self) -> &Cutter {
        &self.cutter
    }

    /// Calls `call` when the stream is given up.
    pub(super) fn when_dropped(mut self, call: impl FnOnce() + Send + 'static) -> Self {
        self.when_dropped = Some(Box::new(call));
        self
    }

    fn if_whole(&self) -> io::Result<()> {
        if self.cutter.0.is_cancelled() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

impl<S> Drop for Cuttable<S> {
    fn drop(&mut self) {
        if let Some(call) = self.when_dropped.take() {
            call();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Cuttable<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cuttable<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.if_whole()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.if_whole()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_cut_stream_ends_for_the_reader_who_waits_and_takes_no_more() {
        let (near, mut far) = tokio::io::duplex(64);
        let cutter = Cutter::default();
        let mut stream = Cuttable::new(near, cutter.clone());
        far.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");

        let (mut reader, mut writer) = tokio::io::split(stream);
        let waits = tokio::spawn(async move { reader.read(&mut [0; 5]).await });
        tokio::task::yield_now().await;
        cutter.cut();
        assert_eq!(waits.await.unwrap().unwrap(), 0);
        assert_eq!(writer.write(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
