//! A client that looks: pages, routes, what the server says of itself, and programs that fail on purpose. Must stay true: what is
//! shown lies between what was acknowledged before the question and what was begun before the answer.

use std::time::Duration;

use flin_testkit::rng::Rng;
use serde_json::Value;

use crate::client::{Answer, Broken, Client};
use crate::ledger::COINS;
use crate::world::{Group, World};

/// A reader.
pub struct Reader<'w> {
    world: &'w World,
    client: Client<'w>,
    rng: Rng,
    // Of the page that was loaded last.
    etag: Option<String>,
    receipts: i64,
}

impl<'w> Reader<'w> {
    /// The reader of this number.
    pub fn new(world: &'w World, number: u64) -> Reader<'w> {
        Reader {
            world,
            client: Client::new(world),
            rng: Rng::new(world.seed ^ (number + 101).wrapping_mul(0x51_7cc1_b727)),
            etag: None,
            receipts: 0,
        }
    }

    /// Looks until all end.
    pub fn run(mut self) {
        let world = self.world;
        while world.goes_on(|| self.client.close()) {
            if let Err(wrong) = self.step() {
                world.wrong(format!("a reader: {wrong}"));
            }
        }
    }

    fn step(&mut self) -> Result<(), String> {
        match self.rng.below(20) {
            0..=5 => self.page(),
            6 | 7 => self.page_of_writer(),
            8..=11 => self.audit(),
            12 | 13 => self.sum(),
            14 => self.expect("failing on purpose", "/api/divide", 500, "\"id\":"),
            15 => self.expect("failing on purpose", "/api/deep", 500, "\"id\":"),
            16 => self.expect("route", "/nowhere", 404, "Not found"),
            17 => self.health(),
            18 => self.metrics(),
            _ => self.head(),
        }
    }

    // None: the server is going or coming, or has no room.
    fn get(&mut self, kind: &str, path: &str, headers: &[(&str, &str)]) -> Option<Answer> {
        self.world.count(Group::Requests, kind);
        match self.client.ask("GET", path, headers, "") {
            Ok(answer) => {
                self.world.count(Group::Answers, &answer.status.to_string());
                (answer.status != 503).then_some(answer)
            }
            Err(Broken::Down) => {
                std::thread::sleep(Duration::from_millis(20));
                None
            }
            Err(Broken::Cut(_)) => None,
        }
    }

    fn expect(&mut self, kind: &str, path: &str, status: u16, text: &str) -> Result<(), String> {
        match self.get(kind, path, &[]) {
            Some(answer) if answer.status != status || !answer.body.contains(text) => Err(format!(
                "{path}: expected {status} with {text}, found {} {}",
                answer.status, answer.body
            )),
            _ => Ok(()),
        }
    }

    fn page(&mut self) -> Result<(), String> {
        let etag = self.etag.clone().filter(|_| self.rng.one_in(3));
        let headers: Vec<(&str, &str)> = etag
            .iter()
            .map(|tag| ("If-None-Match", tag.as_str()))
            .collect();
        let (least, _) = self.world.ledger.turns();
        let Some(answer) = self.get("page", "/", &headers) else {
            return Ok(());
        };
        let (_, most) = self.world.ledger.turns();
        self.etag = answer.header("etag").map(str::to_owned);
        if answer.status == 304 && etag.is_some() {
            return Ok(());
        }
        if answer.status != 200 || !answer.body.trim_end().ends_with("</html>") {
            return Err(format!("/: {} {}", answer.status, answer.body));
        }
        let coins = number_before(&answer.body, "id=\"coins\">", " coins");
        if coins != Some(COINS) {
            return Err(format!("the page shows {coins:?} coins"));
        }
        within(
            number_before(&answer.body, "id=\"turns\">", " turns"),
            least,
            most,
        )
    }

    fn page_of_writer(&mut self) -> Result<(), String> {
        let path = format!("/of/w{}", self.rng.below(3));
        let Some(answer) = self.get("page", &path, &[]) else {
            return Ok(());
        };
        let told = number_before(&answer.body, "<h1>", " books");
        let listed = answer.body.matches("</p>").count() as i64;
        if answer.status != 200 || told != Some(listed) {
            return Err(format!(
                "{path}: {} says {told:?} books, lists {listed}",
                answer.status
            ));
        }
        Ok(())
    }

    fn audit(&mut self) -> Result<(), String> {
        let (least, _) = self.world.ledger.turns();
        let Some(answer) = self.get("route", "/api/audit", &[]) else {
            return Ok(());
        };
        let (_, most) = self.world.ledger.turns();
        let told: Value = serde_json::from_str(&answer.body)
            .map_err(|error| format!("{error}: {}", answer.body))?;
        let number = |name: &str| told[name].as_i64();
        let receipts = number("receipts").unwrap_or(-1);
        if number("coins") != Some(COINS)
            || number("least").is_none_or(|least| least < 0)
            || receipts < self.receipts
        {
            return Err(format!(
                "the audit, after {} receipts: {told}",
                self.receipts
            ));
        }
        self.receipts = receipts;
        within(number("turns"), least, most)
    }

    fn sum(&mut self) -> Result<(), String> {
        let n = self.rng.below(30_000) as u64;
        let expected = format!("{{\"total\":{}}}", n * n.saturating_sub(1) / 2);
        self.expect("route", &format!("/api/sum/{n}"), 200, &expected)
    }

    fn health(&mut self) -> Result<(), String> {
        self.expect(
            "health",
            "/_flin/health",
            200,
            "\"live\":true,\"ready\":true",
        )
    }

    fn metrics(&mut self) -> Result<(), String> {
        self.expect("metrics", "/_flin/metrics", 200, "\nvm_panics_total 0\n")
    }

    fn head(&mut self) -> Result<(), String> {
        self.world.count(Group::Requests, "page");
        match self.client.ask("HEAD", "/", &[], "") {
            Ok(answer) if !matches!(answer.status, 200 | 503) => {
                Err(format!("HEAD /: {}", answer.status))
            }
            _ => Ok(()),
        }
    }
}

fn within(found: Option<i64>, least: u64, most: u64) -> Result<(), String> {
    match found.map(u64::try_from) {
        Some(Ok(found)) if found >= least && found <= most => Ok(()),
        _ => Err(format!(
            "{found:?} turns are shown; {least} were acknowledged before, {most} begun until now"
        )),
    }
}

// The number between two texts.
fn number_before(text: &str, start: &str, end: &str) -> Option<i64> {
    let rest = &text[text.find(start)? + start.len()..];
    let part = &rest[..rest.find(end)?];
    // Places of a page that change stand between comments.
    let digits: String = part
        .rsplit("-->")
        .find(|part| !part.trim().is_empty())?
        .chars()
        .collect();
    let digits = digits.split("<!--").next()?;
    digits.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_pages_are_read() {
        assert_eq!(
            number_before("<p id=\"coins\">8000 coins", "id=\"coins\">", " coins"),
            Some(8000)
        );
        assert_eq!(
            number_before("<h1><!--1-->12<!--/--> books", "<h1>", " books"),
            Some(12)
        );
        assert_eq!(number_before("<h1>many books", "<h1>", " books"), None);
    }

    #[test]
    fn what_is_shown_lies_between_acknowledged_and_begun() {
        assert!(within(Some(5), 5, 6).is_ok());
        assert!(
            within(Some(4), 5, 6).is_err(),
            "an acknowledged turn is not seen"
        );
        assert!(within(Some(7), 5, 6).is_err(), "a turn that nobody began");
    }
}
