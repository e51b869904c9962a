//! The body of an answer: whole, or a stream of pieces as long as there is something to say. Must stay true: a stream ends when
//! whoever fills it is gone, and whoever fills it finds out when nobody reads any more.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// What an answer carries.
#[derive(Debug)]
pub(crate) enum Payload {
    /// All of it.
    Whole(Full<Bytes>),
    /// Pieces, as they come.
    Stream(mpsc::Receiver<Bytes>),
}

impl Payload {
    /// A whole body.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Payload {
        Payload::Whole(Full::new(bytes.into()))
    }
}

impl Default for Payload {
    fn default() -> Payload {
        Payload::Whole(Full::default())
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Payload::Whole(body) => Pin::new(body).poll_frame(cx),
            Payload::Stream(pieces) => {
                let piece = pieces.poll_recv(cx);
                piece.map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Payload::Whole(body) => body.is_end_stream(),
            Payload::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Payload::Whole(body) => body.size_hint(),
            Payload::Stream(_) => SizeHint::default(),
        }
    }
}
