//! From the text of a `flin.config` to settings: sections of `name: value`, parted by commas or line ends. Must stay true: every
//! mistake is told with its place, each once, and reading goes on behind it; a text with a mistake changes nothing.

use std::collections::HashMap;

use super::problem::{Problem, Problems};
use super::scan::{Kind, Place, Word, short, words};
use super::table::{ROWS, Row, find, sections};
use super::value::Value;
use super::{FILE_NAME, Settings};

/// Longer files are refused: nobody has so much to say.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// So many changed characters make a name another one.
const CHANGES_MAX: usize = 3;

/// Reads a text over the settings.
pub(super) fn read(settings: &mut Settings, text: &str) -> Result<(), Problems> {
    let mut reader = Reader {
        words: Vec::new(),
        next: 0,
        settings: settings.clone(),
        set: HashMap::new(),
        problems: Problems::default(),
    };
    if text.len() > TEXT_BYTES_MAX {
        let at = Place {
            line: 1,
            column: 1,
            width: 1,
        };
        let message = format!("{FILE_NAME} has more than {} KB", TEXT_BYTES_MAX >> 10);
        reader.problem(at, message, None);
        return Err(reader.problems);
    }
    reader.words = words(text);
    reader.file();
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    *settings = reader.settings;
    Ok(())
}

/// Sets one from `section.name=value`.
pub(super) fn set(settings: &mut Settings, assignment: &str) -> Result<(), String> {
    let (name, value) = assignment
        .split_once('=')
        .ok_or_else(|| format!("expected SECTION.NAME=VALUE, found {:?}", short(assignment)))?;
    let Some((section, short_name)) = name.split_once('.') else {
        let help = place_of(name).map_or(String::new(), |help| format!("; {help}"));
        return Err(format!(
            "expected SECTION.NAME=VALUE, found {:?}{help}",
            short(assignment)
        ));
    };
    let Some(row) = find(section, short_name) else {
        let help =
            unknown_help(section, short_name).map_or(String::new(), |help| format!("; {help}"));
        return Err(format!("there is no setting {:?}{help}", short(name)));
    };
    let value = (row.slot)(settings).value_of(value);
    let put = (row.slot)(settings).put(&value, row.least, row.most);
    put.map_err(|message| format!("{name}: {message}"))
}

struct Reader {
    words: Vec<Word>,
    next: usize,
    settings: Settings,
    // Where each setting stands.
    set: HashMap<(&'static str, &'static str), usize>,
    problems: Problems,
}

impl Reader {
    fn word(&self) -> &Word {
        // The end is always the last one, and never passed.
        &self.words[self.next]
    }

    fn take(&mut self) -> Word {
        let word = self.word().clone();
        if word.kind != Kind::End {
            self.next += 1;
        }
        word
    }

    fn is(&self, sign: char) -> bool {
        self.word().kind == Kind::Sign(sign)
    }

    fn takes(&mut self, sign: char) -> bool {
        let is = self.is(sign);
        self.next += usize::from(is);
        is
    }

    fn problem(&mut self, at: Place, message: String, help: Option<String>) {
        let Place {
            line,
            column,
            width,
        } = at;
        self.problems.push(Problem {
            line,
            column,
            width,
            message,
            help,
        });
    }

    fn expected(&mut self, what: &str, help: Option<&str>) {
        let (at, found) = (self.word().at, self.word().found());
        self.problem(
            at,
            format!("expected {what}, found {found}"),
            help.map(str::to_owned),
        );
    }

    fn file(&mut self) {
        loop {
            match &self.word().kind {
                Kind::End => return,
                Kind::Name(_) => self.section(),
                _ => {
                    self.expected(
                        "the name of a section",
                        Some("a section is written `limits { time: \"5s\" }`"),
                    );
                    self.skip_to_section();
                }
            }
        }
    }

    // Behind a mistake between sections: to the next name that opens one.
    fn skip_to_section(&mut self) {
        while self.word().kind != Kind::End {
            let opens = self
                .words
                .get(self.next + 1)
                .is_some_and(|word| word.kind == Kind::Sign('{'));
            if matches!(self.word().kind, Kind::Name(_)) && opens {
                return;
            }
            self.next += 1;
        }
    }

    fn section(&mut self) {
        let name = self.take();
        let Kind::Name(text) = &name.kind else { return };
        let known = sections().into_iter().find(|section| section == text);
        if known.is_none() {
            let help = match closest(text, sections().into_iter()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => place_of(text)
                    .unwrap_or_else(|| format!("the sections are {}", sections().join(" and "))),
            };
            self.problem(
                name.at,
                format!("there is no section `{}`", short(text)),
                Some(help),
            );
        }
        if !self.takes('{') {
            if known.is_some() {
                self.expected(&format!("`{{` after `{text}`"), None);
            }
            return self.skip_to_section();
        }
        loop {
            match &self.word().kind {
                Kind::Sign('}') => {
                    self.next += 1;
                    return;
                }
                Kind::End => {
                    return self.expected(
                        &format!("`}}` at the end of section `{}`", short(text)),
                        None,
                    );
                }
                Kind::Sign(',') => self.next += 1,
                Kind::Name(_) => self.entry(known),
                _ => {
                    self.expected("the name of a setting", None);
                    self.skip_entry();
                }
            }
        }
    }

    // Behind a mistake in an entry: to a comma, the end of the section, or the next line.
    fn skip_entry(&mut self) {
        let line = self.word().at.line;
        let mut depth = 0_usize;
        loop {
            match &self.word().kind {
                Kind::End => return,
                Kind::Sign('[') => depth += 1,
                Kind::Sign(']') => depth = depth.saturating_sub(1),
                Kind::Sign('}' | ',') if depth == 0 => return,
                Kind::Sign('}') => return,
                Kind::Name(_) if self.word().at.line != line && depth == 0 => return,
                _ => {}
            }
            self.next += 1;
        }
    }

    fn entry(&mut self, section: Option<&'static str>) {
        let name = self.take();
        let Kind::Name(text) = &name.kind else { return };
        let row = section.and_then(|section| find(section, text));
        if let (Some(section), None) = (section, row) {
            let message = format!("there is no setting `{}` in `{section}`", short(text));
            self.problem(name.at, message, unknown_help(section, text));
        }
        if !self.takes(':') {
            if row.is_some() {
                self.expected(&format!("`:` after `{text}`"), None);
            }
            return self.skip_entry();
        }
        let first = self.word().at;
        if first.line > name.at.line && !self.is('[') {
            // The next entry is no value.
            let message = format!("expected a value after `{}:`", short(text));
            return self.problem(name.at, message, None);
        }
        let Some(value) = self.value() else {
            return self.skip_entry();
        };
        let last = self.words[self.next - 1].at;
        let width = if last.line == first.line {
            last.column + last.width - first.column
        } else {
            first.width
        };
        if let Some(row) = row {
            self.put(row, name.at, &value, Place { width, ..first });
        }
        let here = self.word();
        let parted =
            here.at.line > last.line || matches!(here.kind, Kind::Sign(',' | '}') | Kind::End);
        if !parted {
            self.expected("a comma or a new line", None);
            self.skip_entry();
        }
    }

    fn put(&mut self, row: &'static Row, name: Place, value: &Value, at: Place) {
        if let Some(line) = self.set.get(&(row.section, row.name)) {
            let message = format!("`{}` is set twice, first on line {line}", row.name);
            return self.problem(name, message, None);
        }
        self.set.insert((row.section, row.name), name.line);
        if let Err(message) = (row.slot)(&mut self.settings).put(value, row.least, row.most) {
            // A size or time that only lacks its quotes.
            let bare = match value {
                Value::Number(text) if text.ends_with(|ch: char| ch.is_ascii_alphabetic()) => {
                    Some(format!("write it in quotes: \"{}\"", short(text)))
                }
                _ => None,
            };
            self.problem(at, format!("{}: {message}", row.name), bare);
        }
    }

    fn value(&mut self) -> Option<Value> {
        if !self.takes('[') {
            return self.scalar();
        }
        let mut items = Vec::new();
        loop {
            if self.takes(']') {
                return Some(Value::List(items));
            }
            items.push(self.scalar()?);
            if !self.takes(',') && !self.is(']') {
                self.expected("a comma or `]`", None);
                return None;
            }
        }
    }

    fn scalar(&mut self) -> Option<Value> {
        let value = match &self.word().kind {
            Kind::Number(digits) => Value::Number(digits.clone()),
            Kind::Text(text) => Value::Text(text.clone()),
            Kind::Name(name) => Value::Name(name.clone()),
            Kind::Open | Kind::Sign(_) | Kind::End => {
                self.expected("a value", None);
                return None;
            }
        };
        self.next += 1;
        Some(value)
    }
}

// What may have been meant by a setting that its section does not have.
fn unknown_help(section: &str, name: &str) -> Option<String> {
    if !sections().contains(&section) {
        let meant = closest(section, sections().into_iter())?;
        return Some(format!("did you mean `{meant}`?"));
    }
    let own = ROWS
        .iter()
        .filter(|row| row.section == section)
        .map(|row| row.name);
    match closest(name, own) {
        Some(meant) => Some(format!("did you mean `{meant}`?")),
        None => place_of(name),
    }
}

// Where a setting of this name or nearly this name belongs.
fn place_of(name: &str) -> Option<String> {
    let meant = closest(name, ROWS.iter().map(|row| row.name))?;
    let row = ROWS.iter().find(|row| row.name == meant)?;
    Some(format!(
        "`{meant}` belongs to the section `{}`",
        row.section
    ))
}

fn closest(name: &str, among: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let name = name.to_lowercase().replace('-', "_");
    // A name that is far too long is none of them, and dear to compare.
    if name.len() > 40 {
        return None;
    }
    let far = |known: &str| strsim::damerau_levenshtein(&name, known);
    let most = CHANGES_MAX.min(name.chars().count().div_ceil(3));
    among
        .map(|known| (far(known), known))
        .filter(|(far, _)| *far <= most)
        .min()
        .map(|(_, known)| known)
}
