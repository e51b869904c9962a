//! What one writer's records must be: books with all their versions, receipts, visits. Must stay true: pure, it knows only what the
//! writer was told; nobody else writes these records, so each of its answers is exact, but for what nobody can know.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// Books of one writer that are there at a time.
pub const BOOKS_MAX: usize = 24;
/// Books that were removed whose histories are still looked at.
const REMOVED_MAX: usize = 200;

/// A version of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its title.
    pub title: String,
    /// Its pages.
    pub pages: u64,
    /// Whether it is the removal.
    pub gone: bool,
}

/// A book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// Given by the server.
    pub id: u64,
    /// Given by the writer.
    pub code: String,
    /// The shelf that it stands on.
    pub shelf: Option<u64>,
    /// All versions, the oldest first; there is at least one.
    pub versions: Vec<Version>,
}

impl Book {
    /// The newest version.
    pub fn newest(&self) -> &Version {
        &self.versions[self.versions.len() - 1]
    }

    /// A new version, made from the newest one.
    pub fn change(&mut self, change: impl FnOnce(&mut Version)) {
        let mut version = self.newest().clone();
        change(&mut version);
        self.versions.push(version);
    }

    fn shown(&self) -> Value {
        let newest = self.newest();
        json!({
            "id": self.id, "code": self.code, "title": newest.title, "pages": newest.pages,
            "shelf": self.shelf, "version": self.versions.len(),
        })
    }

    /// Compares the history that a server tells.
    ///
    /// # Errors
    /// Both, when they are not the same.
    pub fn check_history(&self, told: &Value) -> Result<(), String> {
        let versions = self.versions.iter().enumerate();
        let known: Vec<Value> = versions
            .map(|(at, version)| {
                json!({ "version": at + 1, "title": version.title, "pages": version.pages, "gone": version.gone })
            })
            .collect();
        let known = Value::Array(known);
        if known == *told {
            return Ok(());
        }
        Err(format!(
            "the history of book {} is {told}, not {known}",
            self.id
        ))
    }
}

/// All that one writer owns.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// The writer's name.
    pub owner: String,
    /// Books that are there, by id.
    pub books: Vec<Book>,
    /// Books that were removed, the newest of them.
    pub removed: Vec<Book>,
    /// Shelves of its own, by id, as they were seen last.
    pub shelves: Vec<u64>,
    /// Receipts: code and amount.
    pub receipts: BTreeMap<String, u64>,
    /// Visits that were acknowledged.
    pub visits: BTreeSet<String>,
    /// Visits of which nobody knows.
    pub perhaps: BTreeSet<String>,
    // Acknowledged, but not seen with its id yet.
    fresh: Vec<Book>,
}

impl Library {
    /// A writer's, still empty.
    pub fn new(owner: impl Into<String>) -> Library {
        Library {
            owner: owner.into(),
            ..Library::default()
        }
    }

    /// A book was added.
    pub fn added(&mut self, code: &str, title: &str, pages: u64) {
        self.fresh.push(Book {
            id: 0,
            code: code.to_owned(),
            shelf: None,
            versions: vec![Version {
                title: title.to_owned(),
                pages,
                gone: false,
            }],
        });
    }

    /// A book was removed.
    pub fn remove(&mut self, at: usize) {
        let mut book = self.books.remove(at);
        book.change(|version| version.gone = true);
        if self.removed.len() == REMOVED_MAX {
            self.removed.remove(0);
        }
        self.removed.push(book);
    }

    /// Compares the list that a server tells, and learns the ids of what was added.
    ///
    /// # Errors
    /// What is lost, there twice, or different.
    pub fn look_at(&mut self, told: &Value) -> Result<(), String> {
        let list = told["books"].as_array().ok_or("no list of books")?;
        for mut book in std::mem::take(&mut self.fresh) {
            let mut same = list
                .iter()
                .filter(|told| told["code"] == book.code.as_str());
            let (Some(found), None) = (same.next(), same.next()) else {
                return Err(format!(
                    "book {} was added and is not there once",
                    book.code
                ));
            };
            book.id = found["id"].as_u64().ok_or("a book without an id")?;
            self.books.push(book);
        }
        self.books.sort_by_key(|book| book.id);
        let told_books: Vec<Value> = list.iter().map(known_part).collect();
        let known: Vec<Value> = self.books.iter().map(Book::shown).collect();
        if known != told_books {
            let both = known.iter().zip(&told_books);
            let differ = both.filter(|(known, told)| known != told).take(3);
            let differ: Vec<String> = differ
                .map(|(known, told)| format!("\n  is {told}\n  not {known}"))
                .collect();
            return Err(format!(
                "{} has {} books, {} are told{}",
                self.owner,
                known.len(),
                told_books.len(),
                differ.concat()
            ));
        }
        let shelves = told["shelves"].as_array().ok_or("no list of shelves")?;
        self.shelves = shelves
            .iter()
            .filter_map(|shelf| shelf["id"].as_u64())
            .collect();
        Ok(())
    }

    /// Compares the receipts that a server tells.
    ///
    /// # Errors
    /// When one is lost, there twice, or different.
    pub fn check_receipts(&self, told: &Value) -> Result<(), String> {
        let list = told.as_array().ok_or("no list of receipts")?;
        let there: Option<BTreeMap<String, u64>> = list
            .iter()
            .map(|one| Some((one["code"].as_str()?.to_owned(), one["amount"].as_u64()?)))
            .collect();
        if list.len() == self.receipts.len() && there.as_ref() == Some(&self.receipts) {
            return Ok(());
        }
        Err(format!(
            "{} has {} receipts, {} are told",
            self.owner,
            self.receipts.len(),
            list.len()
        ))
    }

    /// Compares the visits that a server tells.
    ///
    /// # Errors
    /// When one is lost, there twice, or never was.
    pub fn check_visits(&self, told: &Value) -> Result<(), String> {
        let list = told.as_array().ok_or("no list of visits")?;
        let codes: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        let there: BTreeSet<&str> = codes.iter().copied().collect();
        if there.len() != list.len() {
            return Err(format!("a visit of {} is there twice", self.owner));
        }
        if let Some(code) = self
            .visits
            .iter()
            .find(|code| !there.contains(code.as_str()))
        {
            return Err(format!("visit {code} was acknowledged and is not there"));
        }
        let known = |code: &&&str| self.visits.contains(**code) || self.perhaps.contains(**code);
        match there.iter().find(|code| !known(code)) {
            Some(code) => Err(format!("visit {code} is there and was never whole")),
            None => Ok(()),
        }
    }
}

// What the model knows of a book, of all that is told.
fn known_part(told: &Value) -> Value {
    json!({
        "id": told["id"], "code": told["code"], "title": told["title"], "pages": told["pages"],
        "shelf": told["shelf"], "version": told["version"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(books: &Value) -> Value {
        json!({ "books": books, "shelves": [{ "id": 3 }] })
    }

    fn library() -> Library {
        let mut library = Library::new("me");
        library.added("a", "one", 7);
        let seen = json!([{ "id": 5, "code": "a", "title": "one", "pages": 7, "shelf": null, "version": 1, "owner": "me" }]);
        library.look_at(&told(&seen)).expect("the same");
        library
    }

    #[test]
    fn what_was_acknowledged_must_be_there_once() {
        let mut library = library();
        assert_eq!(
            (library.books[0].id, library.shelves.as_slice()),
            (5, &[3][..])
        );
        assert!(library.look_at(&told(&json!([]))).is_err(), "lost");
        library.added("b", "two", 1);
        assert!(library.look_at(&told(&json!([]))).is_err(), "never seen");
    }

    #[test]
    fn an_old_value_and_a_missing_version_are_noticed() {
        let mut library = library();
        library.books[0].change(|version| version.title = "new".to_owned());
        let old = json!([{ "id": 5, "code": "a", "title": "one", "pages": 7, "shelf": null, "version": 1 }]);
        assert!(library.look_at(&told(&old)).is_err());
        let book = &library.books[0];
        let first = json!({ "version": 1, "title": "one", "pages": 7, "gone": false });
        let second = json!({ "version": 2, "title": "new", "pages": 7, "gone": false });
        assert!(book.check_history(&json!([first, second])).is_ok());
        assert!(book.check_history(&json!([second])).is_err());
    }

    #[test]
    fn what_nobody_knows_of_is_there_once_or_not() {
        let mut library = Library::new("me");
        library.visits.insert("sure".to_owned());
        library.perhaps.insert("perhaps".to_owned());
        for right in [json!(["sure"]), json!(["perhaps", "sure"])] {
            assert!(library.check_visits(&right).is_ok(), "{right}");
        }
        for wrong in [
            json!([]),
            json!(["perhaps"]),
            json!(["sure", "sure"]),
            json!(["sure", "half"]),
        ] {
            assert!(library.check_visits(&wrong).is_err(), "{wrong}");
        }
    }
}
