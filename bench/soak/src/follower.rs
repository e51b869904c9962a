//! A client on a live socket: one that follows the changes of books and comes back with the number it knows, and one that follows a
//! view. Must stay true: the versions of a record come one after the other, each once, but for what a `refresh` skips and for the one
//! commit that a break may have cut; at the end each follower knows what the server holds.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use flin_testkit::rng::Rng;
use serde_json::{Value, json};
use tungstenite::{Error, Message, WebSocket};

use crate::client::{BY_RUNTIME, Client, connect};
use crate::world::{Group, World};

/// How long a follower may take at the end to hear of everything.
const CATCH_UP_TIME: Duration = Duration::from_secs(30);
/// How long it listens before it looks up.
const LISTEN_TIME: Duration = Duration::from_millis(100);

/// What a follower knows of the books.
#[derive(Debug, Default)]
pub struct Known {
    // Versions that it heard of, in order; from before the last refresh, only later ones can follow.
    heard: HashMap<u64, u64>,
    before: HashMap<u64, u64>,
    // Versions that it looked up, since it was told to.
    held: HashMap<u64, u64>,
    refreshed: bool,
    // Commits up to this one were heard of whole; the newest one; those that may be told again after a break.
    complete: u64,
    newest: u64,
    repeats_until: u64,
}

impl Known {
    /// A change of a book was told.
    ///
    /// # Errors
    /// When it was told before, or one before it was not.
    pub fn change(&mut self, id: u64, version: u64, seq: u64) -> Result<(), String> {
        if seq < self.newest {
            return Err(format!("commit {seq} is told after {}", self.newest));
        }
        if seq > self.newest {
            self.complete = self.newest;
            self.newest = seq;
        }
        let follows = match (self.heard.get(&id), self.before.get(&id)) {
            (Some(known), _) if *known >= version && seq <= self.repeats_until => return Ok(()),
            (Some(known), _) => version == known + 1,
            (None, Some(known)) => version > *known,
            (None, None) => version == 1 || self.refreshed,
        };
        if !follows {
            let known = self.heard.get(&id).or(self.before.get(&id));
            return Err(format!(
                "version {version} of book {id} is told after {known:?}"
            ));
        }
        self.heard.insert(id, version);
        Ok(())
    }

    /// It was told that too much was missed.
    pub fn refresh(&mut self, seq: u64) {
        let heard = std::mem::take(&mut self.heard);
        self.before.extend(heard);
        self.refreshed = true;
        self.newest = self.newest.max(seq);
        self.complete = self.newest;
    }

    /// The connection ended; gives the number to come back with.
    pub fn cut(&mut self) -> u64 {
        self.repeats_until = self.repeats_until.max(self.newest);
        self.newest = self.complete;
        self.complete
    }

    /// What the server holds, where the follower was told to look for itself.
    pub fn look_at(&mut self, held: HashMap<u64, u64>) {
        self.held = held;
    }

    /// A book of which it does not know the newest version: id, what it knows, what there is.
    pub fn missing(&self, last: &HashMap<u64, u64>) -> Option<(u64, u64, u64)> {
        let known = |id: &u64| {
            let all = [&self.heard, &self.before, &self.held];
            all.iter()
                .filter_map(|known| known.get(id).copied())
                .max()
                .unwrap_or(0)
        };
        last.iter()
            .map(|(id, version)| (*id, known(id), *version))
            .find(|(_, known, version)| known != version)
    }
}

/// A follower of changes.
pub struct Follower<'w> {
    world: &'w World,
    client: Client<'w>,
    rng: Rng,
    known: Known,
}

type Socket = WebSocket<TcpStream>;

fn open(world: &World) -> Option<Socket> {
    let (_, host) = world.address()?;
    let stream = connect(&host).ok()?;
    let (socket, _) = tungstenite::client(format!("ws://{host}/_ws?page=/"), stream).ok()?;
    socket.get_ref().set_read_timeout(Some(LISTEN_TIME)).ok()?;
    Some(socket)
}

/// What was heard.
enum Heard {
    Message(Value),
    Nothing,
    Gone,
}

fn hear(world: &World, socket: &mut Socket) -> Heard {
    match socket.read() {
        Ok(Message::Text(text)) => match serde_json::from_str::<Value>(&text) {
            Ok(message) => {
                world.count(
                    Group::Messages,
                    message["type"].as_str().unwrap_or("of no type"),
                );
                Heard::Message(message)
            }
            Err(error) => {
                world.wrong(format!("a socket said {text}: {error}"));
                Heard::Gone
            }
        },
        Ok(Message::Close(frame)) => {
            let code = frame.map_or(1005, |frame| u16::from(frame.code));
            world.count(Group::Messages, &format!("close {code}"));
            Heard::Gone
        }
        Ok(_) => Heard::Nothing,
        Err(Error::Io(error))
            if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
        {
            Heard::Nothing
        }
        Err(_) => Heard::Gone,
    }
}

fn say(socket: &mut Socket, wish: &Value) -> bool {
    socket.send(Message::text(wish.to_string())).is_ok()
}

impl<'w> Follower<'w> {
    /// The follower of this number.
    pub fn new(world: &'w World, number: u64) -> Follower<'w> {
        Follower {
            world,
            client: Client::new(world),
            rng: Rng::new(world.seed ^ (number + 201).wrapping_mul(0x2545_f491)),
            known: Known::default(),
        }
    }

    /// Follows until all end, and until it has heard of everything then.
    pub fn run(mut self) {
        let mut patience = None;
        let mut first = true;
        loop {
            let over = !self.world.goes_on(|| self.client.close());
            if let Some(last) = self.world.last.get() {
                let patience = *patience.get_or_insert_with(|| Instant::now() + CATCH_UP_TIME);
                match self.known.missing(last) {
                    None => return,
                    Some((id, known, version)) if Instant::now() > patience => {
                        let text = format!(
                            "a follower knows version {known} of book {id}, there is {version}"
                        );
                        return self.world.lost(text);
                    }
                    Some(_) => {}
                }
            } else if over && !self.world.findings().is_empty() {
                return;
            }
            if !self.follow(first, over) {
                std::thread::sleep(Duration::from_millis(20));
            }
            first = false;
        }
    }

    // One socket, until it ends; false if there was none.
    fn follow(&mut self, first: bool, over: bool) -> bool {
        let Some(mut socket) = open(self.world) else {
            return false;
        };
        self.world.count(Group::Requests, "socket");
        let since = self.known.cut();
        let begun = first || say(&mut socket, &json!({ "action": "resume", "since": since }));
        if !begun
            || !say(
                &mut socket,
                &json!({ "action": "subscribe", "type": "Book" }),
            )
        {
            return true;
        }
        let until = Instant::now() + socket_time(&mut self.rng, over);
        // Each socket is left after some time, in the middle of whatever it is told.
        while Instant::now() < until && !self.world.is_resting() && over == self.world.is_over() {
            match hear(self.world, &mut socket) {
                Heard::Gone => return true,
                Heard::Nothing => {}
                Heard::Message(message) => {
                    if let Err(wrong) = self.take(&message) {
                        self.world.wrong(format!("a follower: {wrong}: {message}"));
                    }
                }
            }
        }
        true
    }

    fn take(&mut self, message: &Value) -> Result<(), String> {
        let seq = message["seq"].as_u64().unwrap_or(0);
        match message["type"].as_str() {
            Some("entity_change") => {
                let book = &message["entity"];
                let (Some(id), Some(version)) = (book["id"].as_u64(), book["version"].as_u64())
                else {
                    return Err("no record".to_owned());
                };
                self.known.change(id, version, seq)
            }
            Some("refresh") => {
                self.known.refresh(seq);
                self.load();
                Ok(())
            }
            Some("subscribed") => {
                // What was before is not told.
                if self.known.newest == 0 {
                    self.known.refresh(seq);
                    self.load();
                }
                Ok(())
            }
            Some("bye") => Ok(()),
            _ => Err("not expected".to_owned()),
        }
    }

    // What it was not told.
    fn load(&mut self) {
        if let Ok(answer) = self.client.ask("GET", "/api/versions", &[], "")
            && let Some(held) = versions(&answer.body)
        {
            self.known.look_at(held);
        }
    }
}

/// Ids and versions, as the route tells them.
pub fn versions(body: &str) -> Option<HashMap<u64, u64>> {
    let told: Vec<(u64, u64)> = serde_json::from_str(body).ok()?;
    Some(told.into_iter().collect())
}

// How long a client stays on one socket.
fn socket_time(rng: &mut Rng, over: bool) -> Duration {
    Duration::from_millis(if over {
        500
    } else {
        200 + rng.below(4000) as u64
    })
}

/// A client that shows a page.
pub struct Viewer<'w> {
    world: &'w World,
    client: Client<'w>,
    rng: Rng,
    view: Option<String>,
    seq: u64,
    // It shows what it asked for by itself.
    drifted: bool,
}

impl<'w> Viewer<'w> {
    /// The viewer of this number.
    pub fn new(world: &'w World, number: u64) -> Viewer<'w> {
        Viewer {
            world,
            client: Client::new(world),
            rng: Rng::new(world.seed ^ (number + 301).wrapping_mul(0x8cb9_2ba7)),
            view: None,
            seq: 0,
            drifted: false,
        }
    }

    /// Watches until all end, and until it shows what there is then.
    pub fn run(mut self) {
        let mut patience = None;
        loop {
            let over = !self.world.goes_on(|| self.client.close());
            if self.world.last.get().is_some() {
                let patience = *patience.get_or_insert_with(|| Instant::now() + CATCH_UP_TIME);
                let newest = self.newest().map(|(view, _)| view);
                if newest.is_some() && newest == self.view {
                    return;
                }
                if Instant::now() > patience {
                    return self
                        .world
                        .lost(format!("a page shows {:?}, there is {newest:?}", self.view));
                }
            } else if over && !self.world.findings().is_empty() {
                return;
            }
            if !self.watch(over) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    // The view of now: its name and number.
    fn newest(&mut self) -> Option<(String, u64)> {
        let body = json!({ "_page": "/", "view": null }).to_string();
        let answer = self
            .client
            .ask("POST", "/_render", BY_RUNTIME, &body)
            .ok()?;
        let told: Value = serde_json::from_str(&answer.body).ok()?;
        Some((told["view"].as_str()?.to_owned(), told["seq"].as_u64()?))
    }

    fn watch(&mut self, over: bool) -> bool {
        let Some(mut socket) = open(self.world) else {
            return false;
        };
        self.world.count(Group::Requests, "socket");
        let wish = json!({ "action": "watch", "page": "/", "view": self.view, "seq": self.seq });
        if !say(&mut socket, &wish) {
            return true;
        }
        self.drifted = false;
        let until = Instant::now() + socket_time(&mut self.rng, over);
        while Instant::now() < until && !self.world.is_resting() && over == self.world.is_over() {
            match hear(self.world, &mut socket) {
                Heard::Gone => return true,
                Heard::Nothing => {}
                Heard::Message(message) => {
                    if let Err(wrong) = self.take(&message) {
                        self.world.wrong(format!("a viewer: {wrong}: {message}"));
                    }
                }
            }
        }
        true
    }

    // The rules of docs/internals/live-protocol.md.
    fn take(&mut self, message: &Value) -> Result<(), String> {
        let kind = message["type"].as_str().unwrap_or_default();
        if kind == "bye" {
            return Ok(());
        }
        let seq = message["seq"].as_u64().unwrap_or(self.seq);
        let view = message["view"].as_str().map(str::to_owned);
        match kind {
            "watching" | "patch" | "changed" if view == self.view => {}
            "patch" if message["from"].as_str() == self.view.as_deref() => self.view = view,
            "reset" => self.view = view,
            // It asked by itself meanwhile, and is not where the socket thinks that it is.
            "changed" | "patch" if kind == "changed" || self.drifted => {
                self.drifted = true;
                if let Some((view, seq)) = self.newest() {
                    self.view = Some(view);
                    self.seq = self.seq.max(seq);
                }
                return Ok(());
            }
            _ => return Err(format!("not expected by a page that shows {:?}", self.view)),
        }
        if seq < self.seq && !self.drifted {
            return Err(format!("older than commit {}", self.seq));
        }
        self.seq = self.seq.max(seq);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_comes_once_and_in_order() {
        let mut known = Known::default();
        known.change(1, 1, 10).expect("new");
        known.change(2, 1, 10).expect("of the same commit");
        known.change(1, 2, 11).expect("next");
        assert!(known.change(1, 2, 12).is_err(), "twice");
        assert!(known.change(1, 4, 13).is_err(), "one is lost");
        assert!(known.change(3, 2, 14).is_err(), "its first is lost");
        assert!(known.change(2, 2, 9).is_err(), "out of order");
    }

    #[test]
    fn a_break_may_repeat_one_commit_and_skips_none() {
        let mut known = Known::default();
        known.change(1, 1, 10).expect("new");
        known.change(1, 2, 11).expect("next");
        assert_eq!(known.cut(), 10);
        known.change(1, 2, 11).expect("perhaps it was cut");
        known.change(1, 3, 12).expect("next");
        assert!(known.change(1, 3, 13).is_err());
        assert_eq!(known.cut(), 12);
        assert!(known.change(1, 5, 13).is_err());
    }

    #[test]
    fn a_refresh_skips_but_does_not_go_back() {
        let mut known = Known::default();
        known.change(1, 1, 10).expect("new");
        known.change(1, 2, 11).expect("next");
        known.refresh(20);
        known.look_at(HashMap::from([(1, 7), (2, 1)]));
        assert!(known.change(1, 2, 21).is_err(), "it was heard before");
        known
            .change(1, 6, 22)
            .expect("what was between is not known; it was looked up after this");
        assert!(known.change(1, 8, 23).is_err(), "from here on it is");
        known.change(1, 7, 24).expect("next");
        assert_eq!(
            known.missing(&HashMap::from([(1, 7), (2, 2)])),
            Some((2, 1, 2))
        );
    }
}
