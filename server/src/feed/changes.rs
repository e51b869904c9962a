//! The changes of records that one client follows, by type. Must stay true: only types that its page reads, and nothing of what
//! the records hold where the page shows only what its parameters choose; it joins the feed
//! before it reads what the store holds, then leaves out what that already contained, so that no change is missed or told
//! twice; all it keeps is its subscriptions and their sequence numbers.

use std::collections::HashMap;
use std::sync::Arc;

use flin_runtime::json::write_plain_text;
use flin_runtime::store::Lsn;
use flin_runtime::vm::bytecode::ids::EntityTypeId;
use tokio::sync::broadcast::error::RecvError;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::outbox::{CHANGE_BYTES_MAX, Message, Outbox};
use crate::app::App;
use crate::live::{FeedItem, Follower, Holds, messages_of};

/// Subscriptions of one client.
pub(super) struct Changes {
    // Commits from now on; only while something is followed.
    follower: Option<Follower>,
    // Changes up to this number are known to the client already.
    following: HashMap<EntityTypeId, Lsn>,
    // Of one page without parameters all may see all; once it was another one, nothing is told of records any more.
    holds: Holds,
    // The client asked for everything since then; counts for types that it follows later too.
    resume: Option<Lsn>,
}

/// What comes next of the feed.
pub(super) type Next = Result<Arc<FeedItem>, RecvError>;

impl Changes {
    pub(super) fn new() -> Changes {
        Changes {
            follower: None,
            following: HashMap::new(),
            holds: Holds::Record,
            resume: None,
        }
    }

    /// Waits for a commit; for ever while nothing is followed. May be given up at any time.
    pub(super) async fn next(&mut self) -> Next {
        match &mut self.follower {
            Some(follower) => follower.items.recv().await,
            None => std::future::pending().await,
        }
    }

    /// Tells what came. An error: the feed has ended.
    pub(super) fn tell(
        &mut self,
        app: &App,
        out: &mut Outbox,
        next: Next,
    ) -> Result<(), RecvError> {
        match next {
            Ok(item) => self.tell_item(app, out, &item),
            Err(RecvError::Lagged(_)) => self.refresh(app, out),
            Err(RecvError::Closed) => return Err(RecvError::Closed),
        }
        Ok(())
    }

    fn tell_item(&mut self, app: &App, out: &mut Outbox, item: &FeedItem) {
        let is_news = |known: &Lsn| item.seq() > *known;
        let news = item.messages(&app.runtime, self.holds).iter();
        let news = news.filter(|(ty, _)| self.following.get(ty).is_some_and(is_news));
        let news: Vec<Utf8Bytes> = news.map(|(_, message)| message.clone()).collect();
        if !push_commit(out, item.seq(), news) {
            self.refresh(app, out);
        }
    }

    /// Whether anything is followed.
    pub(super) fn are_followed(&self) -> bool {
        self.follower.is_some()
    }

    fn refresh(&mut self, app: &App, out: &mut Outbox) {
        let head = app.runtime.store().head();
        for known in self.following.values_mut() {
            *known = head;
        }
        out.push(Message::of(
            head,
            format!("{{\"type\":\"refresh\",\"seq\":{head}}}"),
        ));
    }

    // A type by name, if the page reads it.
    fn readable(app: &App, page: usize, name: &str) -> Option<EntityTypeId> {
        let module = app.module();
        let is = |ty: &&EntityTypeId| module.entities[ty.index()].name == name;
        module.pages[page].reads.iter().find(is).copied()
    }

    pub(super) fn subscribe(&mut self, app: &App, out: &mut Outbox, page: usize, name: &str) {
        let Some(ty) = Changes::readable(app, page, name) else {
            return out.complain(&format!("this page does not read the type {name}"));
        };
        let is_new = !self.following.contains_key(&ty);
        if is_new && self.following.len() >= app.options.limits.subscriptions_max {
            return out.complain("too many subscriptions on one socket");
        }
        if !app.module().pages[page].params.is_empty() {
            self.holds = Holds::Nothing;
        }
        // First of all: what comes after the number below is in the feed.
        self.follower.get_or_insert_with(|| app.hub.follow());
        let seq = app.runtime.store().head();
        // Who follows it already still waits for what the feed holds.
        self.following.entry(ty).or_insert(seq);
        let mut text = String::from("{\"type\":\"subscribed\",\"entity_type\":");
        write_plain_text(&mut text, name);
        text.push_str(&format!(",\"seq\":{seq}}}"));
        out.push(Message::other(text));
        if let Some(since) = self.resume.filter(|_| is_new) {
            self.catch_up(app, out, since, &[ty], seq);
        }
    }

    pub(super) fn unsubscribe(&mut self, app: &App, page: usize, name: &str) {
        if let Some(ty) = Changes::readable(app, page, name) {
            self.following.remove(&ty);
        }
        if self.following.is_empty() {
            self.follower = None;
        }
    }

    pub(super) fn resume(&mut self, app: &App, out: &mut Outbox, since: Lsn) {
        self.resume = Some(since);
        let types: Vec<EntityTypeId> = self.following.keys().copied().collect();
        let head = app.runtime.store().head();
        self.catch_up(app, out, since, &types, head);
    }

    // Tells what happened to these types after `since`, as far as it was told to anybody yet; the rest comes by the feed.
    fn catch_up(
        &mut self,
        app: &App,
        out: &mut Outbox,
        since: Lsn,
        types: &[EntityTypeId],
        head: Lsn,
    ) {
        if since == head || types.is_empty() {
            return;
        }
        let events = app.runtime.store().events_since(since);
        let events = events
            .filter(|events| since < head && events.len() <= app.options.limits.feed_queue_max);
        let Some(events) = events else {
            return self.refresh(app, out);
        };
        // A commit is published before it is told: it may be in `head`, but not in `events`.
        for ty in types {
            self.following.insert(*ty, since);
        }
        for event in events {
            let news = messages_of(&app.runtime, &event, self.holds).into_iter();
            let news = news.filter(|(ty, _)| types.contains(ty));
            let news = news.map(|(_, message)| message).collect();
            if !push_commit(out, event.lsn, news) {
                return self.refresh(app, out);
            }
            for ty in types {
                if let Some(known) = self.following.get_mut(ty) {
                    *known = (*known).max(event.lsn);
                }
            }
        }
    }
}

// Adds the messages of one commit; false if one is too big or there is no room. Only the last one has the commit's number: who
// comes back after a break in the middle and names the last number that it has, gets all of them again.
fn push_commit(out: &mut Outbox, seq: Lsn, messages: Vec<Utf8Bytes>) -> bool {
    let count = messages.len();
    for (at, message) in messages.into_iter().enumerate() {
        if message.len() > CHANGE_BYTES_MAX || !out.has_room(message.len()) {
            return false;
        }
        let message = Message::of(seq, message);
        out.push(if at + 1 == count {
            message
        } else {
            message.unnumbered()
        });
    }
    true
}
