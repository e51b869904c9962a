//! One client of the feed, whatever way its messages go: what it follows, and what waits to be sent to it. Must stay true:
//! every wish is answered; nothing is waited for while a wish is obeyed.

use std::sync::Arc;

use flin_runtime::json::{Json, write_plain_text};
use flin_runtime::store::Lsn;
use tokio::sync::broadcast::error::RecvError;

use super::changes::Changes;
use super::outbox::{Message, Outbox};
use super::watching::{Watch, Watching};
use crate::app::App;

/// A client that is told what happens.
pub(super) struct Outlet {
    app: Arc<App>,
    page: usize,
    changes: Changes,
    watching: Option<Watching>,
    out: Outbox,
}

impl Outlet {
    /// A client of a page that follows nothing yet.
    pub(super) fn new(app: Arc<App>, page: usize) -> Outlet {
        app.hub.opened();
        Outlet {
            app,
            page,
            changes: Changes::new(),
            watching: None,
            out: Outbox::default(),
        }
    }

    /// The next message to be sent.
    pub(super) fn pop(&mut self) -> Option<Message> {
        self.out.pop()
    }

    /// Waits until there is something to send; an error means that there will be nothing more. May be given up at any time.
    pub(super) async fn ready(&mut self) -> Result<(), RecvError> {
        let watching = &mut self.watching;
        let changed = async {
            match watching {
                Some(watching) => watching.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            next = self.changes.next() => self.changes.tell(&self.app, &mut self.out, next)?,
            () = changed => {
                let message = self.watching.as_mut().and_then(|watching| watching.tell(&self.app));
                // Changes that are followed have numbers of their own, and may be behind.
                let follows = self.changes.are_followed();
                let message = message.map(|message| if follows { message.unnumbered() } else { message });
                message.into_iter().for_each(|message| self.out.push(message));
            }
        }
        Ok(())
    }

    /// Whether it watches a view.
    pub(super) fn is_watching(&self) -> bool {
        self.watching.is_some()
    }

    /// What a client that watches or follows is told when the server stops: everybody at once would be too many.
    pub(super) fn bye(&self) -> Option<Message> {
        let bye = "{\"type\":\"bye\",\"after\":[500,5000]}";
        let listens = self.watching.is_some() || self.changes.are_followed();
        listens.then(|| Message::other(bye))
    }

    /// Tells the client that it said something that is of no use.
    pub(super) fn complain(&mut self, message: &str) {
        self.out.complain(message);
    }

    /// Obeys a message of the client.
    pub(super) fn obey(&mut self, text: &[u8]) {
        let Ok(Json::Object(wish)) = Json::parse(text) else {
            return self.out.complain("expected a JSON object");
        };
        let get = |name: &str| {
            wish.iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
        };
        let action = get("action").and_then(Json::as_text).unwrap_or_default();
        let ty = get("type").and_then(Json::as_text);
        match (action, ty, get("since")) {
            ("watch", ..) => match Watch::read(&wish) {
                Ok(watch) => self.watch(watch),
                Err(message) => self.out.complain(&message),
            },
            ("ping", ..) => self.out.push(Message::other("{\"type\":\"pong\"}")),
            ("unwatch", ..) => self.watching = None,
            ("subscribe", Some(name), _) => self.subscribe(name),
            ("unsubscribe", Some(name), _) => self.changes.unsubscribe(&self.app, self.page, name),
            ("resume", _, Some(Json::Int(since))) if *since >= 0 => self.resume(Lsn(since.unsigned_abs())),
            _ => self.out.complain(
                "expected subscribe or unsubscribe with a type, resume with a number in since, or watch with a page",
            ),
        }
    }

    pub(super) fn subscribe(&mut self, name: &str) {
        self.changes
            .subscribe(&self.app, &mut self.out, self.page, name);
    }

    pub(super) fn resume(&mut self, since: Lsn) {
        self.changes.resume(&self.app, &mut self.out, since);
    }

    pub(super) fn watch(&mut self, watch: Watch) {
        self.watching = None;
        if watch
            .build
            .as_ref()
            .is_some_and(|build| *build != self.app.options.build)
        {
            let mut out = String::from("{\"type\":\"stale\",\"build\":");
            write_plain_text(&mut out, &self.app.options.build);
            out.push('}');
            return self.out.push(Message::other(out));
        }
        match Watching::begin(&self.app, watch) {
            Ok((page, watching)) => {
                self.page = page;
                self.watching = Some(watching);
            }
            Err(message) => self.out.complain(&message),
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.app.hub.closed();
    }
}
