//! Messages of one client that wait to be sent. Must stay true: bounded; whoever fills it beyond that is told to refresh.

use std::collections::VecDeque;

use flin_runtime::json::write_plain_text;
use flin_runtime::store::Lsn;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// A change that is bigger is told as a refresh: one big record must not end the sockets of everybody who follows it.
pub(super) const CHANGE_BYTES_MAX: usize = 256 << 10;
/// Bytes that wait for one client.
pub(super) const WAITING_BYTES_MAX: usize = 4 * CHANGE_BYTES_MAX;

/// A message, and the commit that it tells of.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) text: Utf8Bytes,
    pub(super) seq: Option<Lsn>,
}

impl Message {
    /// A message that tells of a commit.
    pub(super) fn of(seq: Lsn, text: impl Into<Utf8Bytes>) -> Message {
        Message {
            text: text.into(),
            seq: Some(seq),
        }
    }

    /// The same, but not to be come back to by its number.
    pub(super) fn unnumbered(self) -> Message {
        Message { seq: None, ..self }
    }

    /// One that tells of none.
    pub(super) fn other(text: impl Into<Utf8Bytes>) -> Message {
        Message {
            text: text.into(),
            seq: None,
        }
    }
}

/// A queue of messages.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    messages: VecDeque<Message>,
    bytes: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, message: Message) {
        self.bytes += message.text.len();
        self.messages.push_back(message);
    }

    /// Whether a message of this length may be added.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.bytes + bytes <= WAITING_BYTES_MAX
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.text.len();
        if self.messages.is_empty() {
            // A thousand sockets that say nothing hold no queues.
            self.messages = VecDeque::new();
        }
        Some(message)
    }

    /// Tells the client that it asked for something that cannot be.
    pub(super) fn complain(&mut self, message: &str) {
        let mut out = String::from("{\"type\":\"error\",\"message\":");
        write_plain_text(&mut out, message);
        out.push('}');
        self.push(Message::other(out));
    }
}
