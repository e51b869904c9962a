//! A client that writes: it asks until it knows what came of its wish, by the name of the wish, and compares what the server shows
//! with its model. Must stay true: one writer alone writes the records of its name; whatever it cannot know it says so to
//! the model.

use std::time::{Duration, Instant};

use flin_testkit::rng::Rng;
use serde_json::{Value, json};

use crate::client::{Answer, BY_HAND, BY_RUNTIME, Broken, Client};
use crate::ledger::{GATES, PURSES};
use crate::model::{BOOKS_MAX, Library};
use crate::world::{Group, World};

/// How long a wish is asked again.
const PATIENCE: Duration = Duration::from_secs(150);
/// Shelves that are there at a time.
const SHELVES_MAX: usize = 30;
/// Titles with what texts can hold.
const TITLES: &[&str] = &[
    "Emma",
    "Ünïcödé",
    "日本語",
    "a < b & \"c\"",
    "{title}",
    "👩‍👩‍👧",
    "</script>",
    "  spaces  ",
];

/// What came of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It was done.
    Done,
    /// It was not done: status, kind, rule.
    Refused(u16, String, String),
}

/// A writer.
pub struct Writer<'w> {
    world: &'w World,
    client: Client<'w>,
    rng: Rng,
    /// What its records must be.
    pub library: Library,
    wishes: u64,
}

fn record(ty: &str, id: u64) -> Value {
    json!({ "_entity": true, "type": ty, "id": id })
}

impl<'w> Writer<'w> {
    /// The writer of this number.
    pub fn new(world: &'w World, number: u64) -> Writer<'w> {
        Writer {
            world,
            client: Client::new(world),
            rng: Rng::new(world.seed ^ (number + 1).wrapping_mul(0x9e37_79b9)),
            library: Library::new(format!("w{number}")),
            wishes: 0,
        }
    }

    /// Writes until all end.
    pub fn run(mut self) -> Library {
        let world = self.world;
        while world.goes_on(|| self.client.close()) {
            if let Err(wrong) = self.step() {
                world.wrong(format!("{}: {wrong}", self.library.owner));
            }
        }
        // What was added last must get its id.
        if let Err(wrong) = self.look() {
            world.lost(format!("{}: {wrong}", self.library.owner));
        }
        self.library
    }

    fn step(&mut self) -> Result<(), String> {
        match self.rng.below(24) {
            0..=3 if self.library.books.len() < BOOKS_MAX => self.add(),
            0..=3 => self.remove(),
            4..=6 => self.change(),
            7 => self.put(),
            8 => self.shelve(),
            9 => self.clear(),
            10..=12 => self.pay(),
            13 | 14 => self.pass(),
            15 => self.hit(),
            16 => self.sit(),
            17 => self.visit(),
            18 => self.break_off(),
            19 | 20 => self.invalid(),
            21 => self.repeat(),
            22 => self.history(),
            _ => self.look(),
        }
    }

    fn fresh(&mut self, what: &str) -> String {
        self.wishes += 1;
        format!("{}-{what}-{}", self.library.owner, self.wishes)
    }

    fn title(&mut self) -> String {
        let words = self.rng.pick(TITLES);
        format!("{words} {}", self.rng.below(1000))
    }

    // One of its books.
    fn book(&mut self) -> Option<usize> {
        let count = self.library.books.len();
        (count > 0).then(|| self.rng.below(count))
    }

    /// A wish, under a name of its own, until it is known what came of it.
    fn wish(&mut self, action: &str, args: &Value) -> Result<Said, String> {
        let body = self.named(action, args, &json!({}));
        self.asked("action", &body)
    }

    // The words of a wish.
    fn named(&mut self, action: &str, args: &Value, state: &Value) -> String {
        let key = self.fresh("a-wish-of-the-soak");
        json!({ "_page": "/", "_action": action, "_args": args, "_state": state, "key": key })
            .to_string()
    }

    fn asked(&mut self, kind: &str, body: &str) -> Result<Said, String> {
        let answer = self.until_known(
            |client| client.ask("POST", "/_action", BY_RUNTIME, body),
            kind,
        )?;
        said(&answer).map_err(|wrong| format!("{wrong}\n  to {body}"))
    }

    // Sends something that is done once, or changes nothing, until there is an answer that says what came of it.
    fn until_known(
        &mut self,
        send: impl Fn(&mut Client<'w>) -> Result<Answer, Broken>,
        kind: &str,
    ) -> Result<Answer, String> {
        let patience = Instant::now() + PATIENCE;
        let mut last = String::new();
        while Instant::now() < patience {
            self.world.count(Group::Requests, kind);
            match send(&mut self.client) {
                Ok(answer) => {
                    self.world.count(Group::Answers, &answer.status.to_string());
                    if !is_for_later(&answer) {
                        return Ok(answer);
                    }
                    last = answer.body;
                }
                Err(broken) => last = format!("{broken:?}"),
            }
            self.world.count(Group::Requests, "asked again");
            std::thread::sleep(Duration::from_millis(5 + self.rng.bits() % 40));
        }
        Err(format!(
            "no answer for {} s, at last: {last}",
            PATIENCE.as_secs()
        ))
    }

    fn got(&mut self, path: &str) -> Result<Value, String> {
        let answer = self.until_known(|client| client.ask("GET", path, &[], ""), "route")?;
        if answer.status != 200 {
            return Err(format!("{path}: {} {}", answer.status, answer.body));
        }
        serde_json::from_str(&answer.body)
            .map_err(|error| format!("{path}: {error}: {}", answer.body))
    }

    fn look(&mut self) -> Result<(), String> {
        let told = self.got(&format!("/api/of/{}", self.library.owner))?;
        self.library.look_at(&told)?;
        for shelf in &self.library.shelves {
            self.world.ledger.shelved(*shelf);
        }
        Ok(())
    }

    fn history(&mut self) -> Result<(), String> {
        let removed = self.library.removed.len();
        let book = if removed > 0 && self.rng.one_in(3) {
            self.library.removed[self.rng.below(removed)].clone()
        } else if let Some(at) = self.book() {
            self.library.books[at].clone()
        } else {
            return Ok(());
        };
        book.check_history(&self.got(&format!("/api/history/{}", book.id))?)
    }

    fn add(&mut self) -> Result<(), String> {
        let (code, title, pages) = (
            self.fresh("book"),
            self.title(),
            self.rng.below(900) as u64 + 1,
        );
        let args = json!([code, title, pages, self.library.owner]);
        done(self.wish("add", &args)?)?;
        self.library.added(&code, &title, pages);
        self.look()
    }

    fn change(&mut self) -> Result<(), String> {
        let Some(at) = self.book() else {
            return Ok(());
        };
        let id = self.library.books[at].id;
        if self.rng.one_in(2) {
            done(self.wish("leaf", &json!([record("Book", id)]))?)?;
            self.library.books[at].change(|version| version.pages += 1);
        } else {
            let title = self.title();
            done(self.wish("rename", &json!([record("Book", id), title]))?)?;
            self.library.books[at].change(|version| version.title = title);
        }
        Ok(())
    }

    fn remove(&mut self) -> Result<(), String> {
        let Some(at) = self.book() else {
            return Ok(());
        };
        let id = self.library.books[at].id;
        done(self.wish("remove", &json!([record("Book", id)]))?)?;
        self.library.remove(at);
        Ok(())
    }

    // On any shelf, also one that somebody is clearing away.
    fn put(&mut self) -> Result<(), String> {
        let (Some(at), Some(shelf)) = (self.book(), self.world.ledger.some_shelf(self.rng.bits()))
        else {
            return Ok(());
        };
        let id = self.library.books[at].id;
        match self.wish("put", &json!([record("Book", id), record("Shelf", shelf)]))? {
            Said::Done => {
                let book = &mut self.library.books[at];
                book.shelf = Some(shelf);
                book.change(|_| {});
                Ok(())
            }
            Said::Refused(404 | 422, kind, rule)
                if (kind == "NotFound" || rule == "reference")
                    && self.world.ledger.may_be_gone(shelf) =>
            {
                Ok(())
            }
            other => Err(format!("book {id} on shelf {shelf}: {other:?}")),
        }
    }

    fn shelve(&mut self) -> Result<(), String> {
        if self.world.ledger.shelf_count() >= SHELVES_MAX {
            return self.clear();
        }
        let name = self.fresh("shelf");
        done(self.wish("shelve", &json!([name, self.library.owner]))?)?;
        self.look()
    }

    fn clear(&mut self) -> Result<(), String> {
        let Some(shelf) = self.world.ledger.some_shelf(self.rng.bits()) else {
            return Ok(());
        };
        let others = self.world.ledger.may_be_gone(shelf);
        self.world.ledger.clearing(shelf);
        match self.wish("clear", &json!([record("Shelf", shelf)]))? {
            Said::Done => self.world.ledger.cleared(shelf),
            Said::Refused(422, _, rule) if rule == "on_delete" => Ok(()),
            Said::Refused(404, ..) if others || self.world.ledger.may_be_gone(shelf) => Ok(()),
            other => Err(format!("clearing shelf {shelf}: {other:?}")),
        }
    }

    fn pay(&mut self) -> Result<(), String> {
        let from = self.rng.bits() % PURSES;
        let to = (from + 1 + self.rng.bits() % (PURSES - 1)) % PURSES;
        let (amount, code) = (1 + self.rng.bits() % 400, self.fresh("receipt"));
        let args = json!([
            record("Purse", from + 1),
            record("Purse", to + 1),
            amount,
            code,
            self.library.owner
        ]);
        match self.wish("pay", &args)? {
            Said::Done => {
                self.library.receipts.insert(code, amount);
                Ok(())
            }
            Said::Refused(422, _, rule) if rule == "min" => Ok(()),
            other => Err(format!("paying {amount}: {other:?}")),
        }
    }

    fn pass(&mut self) -> Result<(), String> {
        let gate = 1 + self.rng.bits() % (GATES / 2);
        self.world.ledger.passing(gate);
        done(self.wish("pass", &json!([record("Gate", gate)]))?)?;
        self.world.ledger.passed(gate, None)
    }

    // By a route, which has no name to ask again by.
    fn hit(&mut self) -> Result<(), String> {
        let gate = 1 + GATES / 2 + self.rng.bits() % (GATES / 2);
        let ledger = &self.world.ledger;
        ledger.passing(gate);
        self.world.count(Group::Requests, "route");
        match self
            .client
            .ask("POST", &format!("/api/hit/{gate}"), BY_HAND, "")
        {
            Err(Broken::Down) => ledger.not_passed(gate),
            Err(Broken::Cut(_)) => {}
            Ok(answer) => {
                self.world.count(Group::Answers, &answer.status.to_string());
                match answer.status {
                    200 => {
                        let told: Value = serde_json::from_str(&answer.body)
                            .map_err(|error| error.to_string())?;
                        return ledger.passed(gate, told["turns"].as_u64());
                    }
                    503 => ledger.not_passed(gate),
                    // Not known.
                    500 if is_for_later(&answer) => {}
                    _ => return Err(format!("a hit: {} {}", answer.status, answer.body)),
                }
            }
        }
        Ok(())
    }

    fn sit(&mut self) -> Result<(), String> {
        let seat = format!("seat {}", self.rng.bits() % (20 + self.wishes / 4));
        match self.wish("sit", &json!([seat, self.library.owner]))? {
            Said::Done => self.world.ledger.seated(&seat, &self.library.owner),
            Said::Refused(422, _, rule) if rule == "unique" => {
                self.world.ledger.not_seated(&seat);
                Ok(())
            }
            other => Err(format!("{seat}: {other:?}")),
        }
    }

    fn visit(&mut self) -> Result<(), String> {
        let code = self.fresh("visit");
        let body = json!({ "code": code, "owner": self.library.owner }).to_string();
        self.world.count(Group::Requests, "route");
        match self.client.ask("POST", "/api/visits", BY_HAND, &body) {
            Ok(answer) if answer.status == 200 => drop(self.library.visits.insert(code)),
            Ok(answer) if answer.status == 503 || is_for_later(&answer) => {
                if answer.status == 500 {
                    self.library.perhaps.insert(code);
                }
            }
            Ok(answer) => return Err(format!("a visit: {} {}", answer.status, answer.body)),
            Err(Broken::Down) => {}
            Err(Broken::Cut(_)) => drop(self.library.perhaps.insert(code)),
        }
        Ok(())
    }

    // Half of a visit is none; a whole one whose answer nobody waits for may be one.
    fn break_off(&mut self) -> Result<(), String> {
        let code = self.fresh("broken");
        let body = json!({ "code": code, "owner": self.library.owner }).to_string();
        let is_whole = self.rng.one_in(3);
        let bytes = (!is_whole).then(|| 20 + self.rng.below(body.len() + 60));
        self.world.count(
            Group::Faults,
            if is_whole {
                "answers not waited for"
            } else {
                "requests cut off"
            },
        );
        if self.client.tell("/api/visits", &body, bytes).is_ok() && is_whole {
            self.library.perhaps.insert(code);
        }
        Ok(())
    }

    fn invalid(&mut self) -> Result<(), String> {
        let (code, owner) = (self.fresh("book"), self.library.owner.clone());
        let taken = self
            .library
            .books
            .first()
            .map_or("none", |book| book.code.as_str())
            .to_owned();
        let add =
            |code: &str, title: &str, pages: Value| ("add", json!([code, title, pages, owner]));
        let long = "x".repeat(61);
        let ((action, args), status, what) = match self.rng.below(11) {
            0 => (add(&code, "", json!(1)), 422, "required"),
            1 => (add(&code, "t", json!(0)), 422, "min"),
            2 => (add(&code, "t", json!(10_000)), 422, "max"),
            3 => (add(&code, &long, json!(1)), 422, "maxLength"),
            4 if taken != "none" => (add(&taken, "t", json!(1)), 422, "unique"),
            5 => (add(&code, "t", json!(3.5)), 400, "BadRequest"),
            6 => (add(&code, "t", json!(["1"])), 400, "BadRequest"),
            7 => (("leaf", json!([record("Book", 1 << 40)])), 404, "NotFound"),
            8 => (("launch", json!([])), 404, "UnknownAction"),
            9 => (("leaf", json!([record("Purse", 1)])), 400, "BadRequest"),
            // The first of the two is not kept either.
            _ => (
                ("pair", json!([code, format!("{code}b"), "", owner])),
                422,
                "required",
            ),
        };
        let body = self.named(action, &args, &json!({}));
        match self.asked("invalid", &body)? {
            Said::Refused(found, kind, rule)
                if found == status && (kind == what || rule == what) =>
            {
                self.look()
            }
            other => Err(format!(
                "expected {status} {what}, found {other:?} to {body}"
            )),
        }
    }

    // The same wish again and again: done once. Another wish under its name: refused.
    fn repeat(&mut self) -> Result<(), String> {
        if self.library.books.len() >= BOOKS_MAX {
            return self.remove();
        }
        let (code, title) = (self.fresh("book"), self.title());
        let body = self.named(
            "add",
            &json!([code, title, 5, self.library.owner]),
            &json!({}),
        );
        let before = self.world.address();
        done(self.asked("action", &body)?)?;
        for _ in 0..2 {
            done(self.asked("repeated", &body)?)?;
        }
        let other = body.replace(&format!("\"{code}\""), &format!("\"{code}b\""));
        let said = self.asked("repeated", &other)?;
        // A process that has been started since knows the name, but not what it stood for.
        let same_life = before == self.world.address();
        match said {
            Said::Refused(422, kind, _) if kind == "KeyReused" => {}
            Said::Done if !same_life => {}
            other => return Err(format!("another wish under the same name: {other:?}")),
        }
        self.library.added(&code, &title, 5);
        self.look()
    }
}

fn done(said: Said) -> Result<(), String> {
    match said {
        Said::Done => Ok(()),
        refused @ Said::Refused(..) => Err(format!("a good wish was refused: {refused:?}")),
    }
}

// Not done now, or nobody knows: the same again will tell.
fn is_for_later(answer: &Answer) -> bool {
    let unknown = || {
        ["OutcomeUnknown", "StorageError", "It is not known"]
            .iter()
            .any(|word| answer.body.contains(word))
    };
    answer.status == 503 || answer.status == 500 && unknown()
}

fn said(answer: &Answer) -> Result<Said, String> {
    let told: Value = serde_json::from_str(&answer.body)
        .map_err(|error| format!("{error}: {} {}", answer.status, answer.body))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match (answer.status, told["type"].as_str()) {
        (200, Some("reload" | "ok")) => Ok(Said::Done),
        (400 | 404 | 409 | 422, Some("error")) => {
            let error = &told["error"];
            Ok(Said::Refused(
                answer.status,
                text(&error["kind"]),
                text(&error["rule"]),
            ))
        }
        _ => Err(format!("{} {}", answer.status, answer.body)),
    }
}
