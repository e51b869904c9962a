//! A rendered view on its way to those who watch it. Must stay true: a message is written once for all whose view it starts
//! from; one that is too big for a socket is replaced by word of it, and so is a view for which there is no room any more: the
//! client asks.

use std::sync::{Arc, Mutex, PoisonError};

use flin_runtime::json::write_plain_text;
use flin_runtime::store::Lsn;
use flin_runtime::vm::bytecode::template::Template;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::room::{Room, Rooms};
use crate::live::{Live, count};
use crate::values::{Malformed, View, ViewName, Wanted};

/// Messages kept beside a view: most clients come from the view before, some from further back.
const MESSAGES_MAX: usize = 8;
/// A message that is bigger is not pushed: one page of ten thousand rows must not fill the buffers of all its sockets.
const MESSAGE_BYTES_MAX: usize = 256 << 10;

/// A view at a commit.
pub(crate) struct Shown {
    pub(crate) name: ViewName,
    pub(crate) seq: Lsn,
    // None: watched views take all the memory that they may take.
    held: Option<Held>,
}

struct Held {
    view: Arc<View>,
    rooms: Arc<Rooms>,
    // Held as long as the view.
    _room: Room,
    messages: Mutex<Vec<Written>>,
}

// A message, the view that it starts from, and its room.
struct Written {
    from: Option<ViewName>,
    text: Utf8Bytes,
    _room: Room,
}

impl Shown {
    pub(crate) fn new(rooms: &Arc<Rooms>, view: Arc<View>, seq: Lsn) -> Arc<Shown> {
        let name = view.name();
        let held = rooms.take(view.bytes()).map(|room| Held {
            view,
            rooms: Arc::clone(rooms),
            _room: room,
            messages: Mutex::default(),
        });
        Arc::new(Shown { name, seq, held })
    }

    /// `{"type":"patch",…}` or `{"type":"reset",…}` for who shows the view `from`, or word that there is a newer one.
    pub(crate) fn message(
        &self,
        live: &Live,
        templates: &[Template],
        from: Option<ViewName>,
    ) -> Result<Utf8Bytes, Malformed> {
        let Some(held) = &self.held else {
            return Ok(self.word().into());
        };
        // Held while the message is written: the others wait for it instead of writing it as well.
        let mut messages = held.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(written) = messages.iter().find(|written| written.from == from) {
            return Ok(written.text.clone());
        }
        let view = &held.view;
        let old = from.and_then(|from| live.known().get(from, view.page()));
        let kind = if old.is_some() { "patch" } else { "reset" };
        let mut text = format!("{{\"type\":\"{kind}\",");
        let wanted = Wanted::OfServer;
        write_view(
            &mut text,
            templates,
            (view, self.seq),
            old.as_deref(),
            wanted,
        )?;
        text.push('}');
        if text.len() > MESSAGE_BYTES_MAX {
            text = self.word();
        }
        count(&live.messages);
        let text = Utf8Bytes::from(text);
        if messages.len() < MESSAGES_MAX
            && let Some(room) = held.rooms.take(text.len())
        {
            messages.push(Written {
                from,
                text: text.clone(),
                _room: room,
            });
        }
        Ok(text)
    }

    // That there is a newer view.
    fn word(&self) -> String {
        let (name, seq) = (self.name, self.seq);
        format!("{{\"type\":\"changed\",\"seq\":{seq},\"view\":\"{name}\"}}")
    }
}

/// The entries of an answer: `"seq":…,"view":…` and a patch from `old`, or all values.
pub(crate) fn write_view(
    out: &mut String,
    templates: &[Template],
    (view, seq): (&View, Lsn),
    old: Option<&View>,
    wanted: Wanted,
) -> Result<(), Malformed> {
    out.push_str(&format!("\"seq\":{seq},\"view\":\"{}\"", view.name()));
    match old {
        Some(old) => {
            out.push_str(&format!(",\"from\":\"{}\",\"patch\":", old.name()));
            view.write_patch(out, templates, old)?;
        }
        None => {
            out.push_str(",\"values\":");
            view.write_values(out, templates, wanted)?;
        }
    }
    if old.is_none_or(|old| old.head() != view.head()) {
        out.push_str(",\"head\":");
        write_plain_text(out, view.head());
    }
    Ok(())
}
