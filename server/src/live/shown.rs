//! A rendered view on its way to those who watch it. Must stay true: a message is written once for all whose view it starts
//! from; one that is too big for a socket is replaced by word of it, and the client asks.

use std::sync::{Arc, Mutex, PoisonError};

use flin_runtime::json::write_plain_text;
use flin_runtime::store::Lsn;
use flin_runtime::vm::bytecode::template::Template;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::live::{Live, count};
use crate::values::{Malformed, View, ViewName, Wanted};

/// Messages kept beside a view: most clients come from the view before, some from further back.
const MESSAGES_MAX: usize = 8;
/// A message that is bigger is not pushed: one page of ten thousand rows must not fill the buffers of all its sockets.
const MESSAGE_BYTES_MAX: usize = 256 << 10;

/// A view at a commit.
pub(crate) struct Shown {
    pub(crate) view: Arc<View>,
    pub(crate) seq: Lsn,
    messages: Mutex<Vec<(Option<ViewName>, Utf8Bytes)>>,
}

impl Shown {
    pub(crate) fn new(view: Arc<View>, seq: Lsn) -> Arc<Shown> {
        Arc::new(Shown {
            view,
            seq,
            messages: Mutex::default(),
        })
    }

    /// `{"type":"patch",…}` or `{"type":"reset",…}` for who shows the view `from`.
    pub(crate) fn message(
        &self,
        live: &Live,
        templates: &[Template],
        from: Option<ViewName>,
    ) -> Result<Utf8Bytes, Malformed> {
        // Held while the message is written: the others wait for it instead of writing it as well.
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, message)) = messages.iter().find(|(known, _)| *known == from) {
            return Ok(message.clone());
        }
        let old = from.and_then(|from| live.known().get(from));
        let kind = if old.is_some() { "patch" } else { "reset" };
        let mut text = format!("{{\"type\":\"{kind}\",");
        self.write(&mut text, templates, old.as_deref(), Wanted::OfServer)?;
        text.push('}');
        if text.len() > MESSAGE_BYTES_MAX {
            let (view, seq) = (self.view.name(), self.seq);
            text = format!("{{\"type\":\"changed\",\"seq\":{seq},\"view\":\"{view}\"}}");
        }
        count(&live.messages);
        let message = Utf8Bytes::from(text);
        if messages.len() < MESSAGES_MAX {
            messages.push((from, message.clone()));
        }
        Ok(message)
    }

    /// The entries of an answer: `"seq":…,"view":…` and a patch from `old`, or all values.
    pub(crate) fn write(
        &self,
        out: &mut String,
        templates: &[Template],
        old: Option<&View>,
        wanted: Wanted,
    ) -> Result<(), Malformed> {
        out.push_str(&format!(
            "\"seq\":{},\"view\":\"{}\"",
            self.seq,
            self.view.name()
        ));
        match old {
            Some(old) => {
                out.push_str(&format!(",\"from\":\"{}\",\"patch\":", old.name()));
                self.view.write_patch(out, templates, old)?;
            }
            None => {
                out.push_str(",\"values\":");
                self.view.write_values(out, templates, wanted)?;
            }
        }
        if old.is_none_or(|old| old.head() != self.view.head()) {
            out.push_str(",\"head\":");
            write_plain_text(out, self.view.head());
        }
        Ok(())
    }
}
