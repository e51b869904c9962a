//! A connection that must not dawdle: the head of a request has its time, so has the pause between two requests, and so
//! has a client that takes nothing of what is sent to it. Here because hyper's own head timeout does not tell the first
//! two apart and closes without a word, and because hyper waits for ever for a client to read, and throws the last answer away
//! with what was not read before it. Must stay true: while a
//! request is being answered, and after an upgrade, only a client that takes nothing ends the connection here; where many
//! requests share a connection (HTTP/2), it pauses only when none of them is under way; a client that still sends hears the
//! last word.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::payload::Payload;

const TOO_LATE: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A socket that is closed with bytes in it that nobody read, or that gets some more, is reset by the system, and a reset takes
/// away what the client has not read yet. So what still comes is thrown away for so long, and so much of it.
const PARTING_TIME: Duration = Duration::from_secs(2);
const PARTING_BYTES: usize = 16 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    // Nothing of the next request has arrived.
    Waiting { until: Instant },
    // The head is arriving.
    Head { until: Instant },
    // A request is being answered, or the connection is no longer HTTP.
    Free,
}

/// Where a connection stands; shared by its stream and its requests.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    state: Arc<Mutex<State>>,
    head_time: Duration,
    idle_time: Duration,
    // Many requests at a time: their bytes cannot be told from others here.
    is_shared: bool,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    under_way: usize,
    // The client may still be sending when the connection ends.
    leaves_unread: bool,
}

impl Pace {
    /// A new connection: its first head is due. `is_shared`: many requests at a time (HTTP/2).
    pub(crate) fn new(head_time: Duration, idle_time: Duration, is_shared: bool) -> Pace {
        let until = Instant::now() + head_time;
        Pace {
            state: Arc::new(Mutex::new(State {
                phase: Phase::Waiting { until },
                under_way: 0,
                leaves_unread: false,
            })),
            head_time,
            idle_time,
            is_shared,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The head is complete; the answer takes what it takes, until what this gives is dropped.
    pub(crate) fn head_done(&self) -> UnderWay {
        let mut state = self.state();
        state.phase = Phase::Free;
        state.under_way += 1;
        UnderWay {
            pace: self.clone(),
            ends: true,
        }
    }

    /// The connection ends with this answer, whatever the client still sends.
    pub(crate) fn leave_unread(&self) {
        self.state().leaves_unread = true;
    }

    // Whether the client may be sending something that nobody will read.
    fn may_be_unread(&self) -> bool {
        let state = self.state();
        state.leaves_unread || matches!(state.phase, Phase::Head { .. })
    }

    fn answered(&self) {
        let mut state = self.state();
        state.under_way -= 1;
        if state.under_way == 0 {
            state.phase = Phase::Waiting {
                until: Instant::now() + self.idle_time,
            };
        }
    }

    fn got_bytes(&self) {
        let mut state = self.state();
        if let (Phase::Waiting { .. }, false) = (state.phase, self.is_shared) {
            state.phase = Phase::Head {
                until: Instant::now() + self.head_time,
            };
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct UnderWay {
    pace: Pace,
    ends: bool,
}

impl UnderWay {
    /// It goes on as long as its connection: that is no longer HTTP.
    pub(crate) fn stays(mut self) {
        self.pace.leave_unread();
        self.ends = false;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.ends {
            self.pace.answered();
        }
    }
}

/// A stream under a `Pace`.
pub(crate) struct PacedStream<S> {
    stream: S,
    pace: Pace,
    timer: Pin<Box<Sleep>>,
    send_time: Duration,
    // Runs while nothing of what is to be written is taken.
    stalled: Option<Pin<Box<Sleep>>>,
    // Runs since the last word was said.
    parting: Option<Pin<Box<Sleep>>>,
    // Bytes since then.
    thrown_away: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> PacedStream<S> {
    /// `send_time`: how long the other side may take nothing of what is written.
    pub(crate) fn new(stream: S, pace: Pace, send_time: Duration) -> PacedStream<S> {
        PacedStream {
            stream,
            pace,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            send_time,
            stalled: None,
            parting: None,
            thrown_away: 0,
        }
    }

    // What a write gave, or the end of patience.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let send_time = self.send_time;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(send_time)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the other side takes nothing of what is sent",
        )))
    }

    // Ready when the client has been too slow, and has been told.
    fn check_time(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.parting.is_none() {
            let phase = self.pace.state().phase;
            let (until, in_head) = match phase {
                Phase::Free => return Poll::Pending,
                Phase::Waiting { until } => (until, false),
                Phase::Head { until } => (until, true),
            };
            if self.timer.deadline() != until {
                self.timer.as_mut().reset(until);
            }
            ready!(self.timer.as_mut().poll(cx));
            let mut stream = Pin::new(&mut self.stream);
            // A client that reads nothing gets no explanation.
            if in_head && let Poll::Ready(Ok(_)) = stream.as_mut().poll_write(cx, TOO_LATE) {
                ready!(self.part(cx));
            }
        } else {
            ready!(self.throw_away(cx));
        }
        Poll::Ready(io::Error::new(
            io::ErrorKind::TimedOut,
            "the request took too long to arrive",
        ))
    }

    // Says that nothing more will be sent, and waits for the client to go; it has nothing to say that counts.
    fn part(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.parting.is_none() {
            let done = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
            if done.is_err() || !self.pace.may_be_unread() {
                return Poll::Ready(());
            }
            self.parting = Some(Box::pin(tokio::time::sleep(PARTING_TIME)));
        }
        self.throw_away(cx)
    }

    fn throw_away(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 4096];
        loop {
            if let Some(patience) = &mut self.parting
                && patience.as_mut().poll(cx).is_ready()
            {
                return Poll::Ready(());
            }
            let mut space = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut space));
            let bytes = space.filled().len();
            self.thrown_away += bytes;
            if read.is_err() || bytes == 0 || self.thrown_away > PARTING_BYTES {
                return Poll::Ready(());
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for PacedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Before the bytes: a drop now and then must not keep the head open.
        if let Poll::Ready(late) = self.check_time(cx) {
            return Poll::Ready(Err(late));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.pace.got_bytes();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for PacedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.part(cx).map(Ok)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The body of an answer; when it has gone out, its request is no longer under way.
pub(crate) struct PacedBody {
    body: Payload,
    _under_way: Option<UnderWay>,
}

impl PacedBody {
    /// `under_way` is none for an answer after which the connection is no longer HTTP.
    pub(crate) fn new(body: Payload, under_way: Option<UnderWay>) -> PacedBody {
        PacedBody {
            body,
            _under_way: under_way,
        }
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
