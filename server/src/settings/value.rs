//! Values of settings: read, checked against their bounds, and written as an operator would. Must stay true: what is written is
//! read back as the same value; a size is in steps of 1024, as its unit says `KB` or `KiB`.

use std::net::IpAddr;
use std::time::Duration;

use super::networks::Network;
use super::scan::short;

/// Items of a list.
const ITEMS_MAX: usize = 256;
/// Units of sizes, the biggest first.
const SIZES: [(&str, u64); 4] = [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10), ("B", 1)];
/// Units of times in milliseconds, the biggest first.
const TIMES: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Where a value goes, which is also its type.
pub(super) enum Slot<'a> {
    /// A number of things.
    Count(&'a mut usize),
    /// A size.
    Bytes(&'a mut usize),
    /// A size; what stands there if there is none.
    SomeBytes(&'a mut Option<usize>, &'static str),
    /// A time.
    Time(&'a mut Duration),
    /// A port.
    Port(&'a mut u16),
    /// An address of this machine.
    Address(&'a mut IpAddr),
    /// A path.
    Path(&'a mut String),
    /// Host names.
    Hosts(&'a mut Vec<String>),
    /// Networks.
    Networks(&'a mut Vec<Network>),
    /// Yes or no.
    Switch(&'a mut bool),
    /// One of some words.
    Choice(&'a mut &'static str, &'static [&'static str]),
}

/// A value as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(String),
    Text(String),
    Name(String),
    List(Vec<Value>),
}

impl Value {
    /// For messages.
    fn found(&self) -> String {
        match self {
            Value::Number(text) | Value::Name(text) => format!("`{}`", short(text)),
            Value::Text(text) => format!("{:?}", short(text)),
            Value::List(_) => "a list".to_owned(),
        }
    }
}

impl Slot<'_> {
    /// What it takes, in words, with an example.
    pub(super) fn expected(&self) -> String {
        match self {
            Slot::Count(_) => "a whole number such as 100".to_owned(),
            Slot::Bytes(_) => "a size such as \"64KB\" or \"1MB\"".to_owned(),
            Slot::SomeBytes(_, none) => format!("a size such as \"4GB\", or \"{none}\""),
            Slot::Time(_) => "a time such as \"250ms\", \"5s\" or \"2m\"".to_owned(),
            Slot::Port(_) => "a port, 0 to 65535".to_owned(),
            Slot::Address(_) => "an IP address such as \"127.0.0.1\"".to_owned(),
            Slot::Path(_) => "a path in quotes".to_owned(),
            Slot::Hosts(_) => "a list of host names such as [\"app.example\"]".to_owned(),
            Slot::Networks(_) => "a list of networks such as [\"10.0.0.0/8\"]".to_owned(),
            Slot::Switch(_) => "true or false".to_owned(),
            Slot::Choice(_, words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                words.join(" or ")
            }
        }
    }

    /// Its type in a word.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Slot::Count(_) => "number",
            Slot::Bytes(_) | Slot::SomeBytes(..) => "size",
            Slot::Time(_) => "time",
            Slot::Port(_) => "port",
            Slot::Address(_) => "address",
            Slot::Path(_) => "path",
            Slot::Hosts(_) => "host names",
            Slot::Networks(_) => "networks",
            Slot::Switch(_) => "true or false",
            Slot::Choice(..) => "word",
        }
    }

    /// Takes a value that lies within the bounds (things, bytes or milliseconds).
    pub(super) fn put(self, value: &Value, least: u64, most: u64) -> Result<(), String> {
        let expected = self.expected();
        let wrong = || format!("expected {expected}, found {}", value.found());
        match self {
            Slot::Count(slot) => {
                let Value::Number(digits) = value else {
                    return Err(wrong());
                };
                let number = whole(digits).ok_or_else(wrong)?;
                *slot = within(number, least, most, |n| n.to_string())?;
            }
            Slot::Bytes(slot) => *slot = bytes(value, least, most).ok_or_else(wrong)??,
            Slot::SomeBytes(slot, none) => {
                let is_none = matches!(value, Value::Text(text) if text == none);
                *slot = match is_none {
                    true => None,
                    false => Some(bytes(value, least, most).ok_or_else(wrong)??),
                };
            }
            Slot::Time(slot) => {
                let Value::Text(text) = value else {
                    return Err(wrong());
                };
                let number = with_unit(text, &TIMES).ok_or_else(wrong)?;
                let ms: u64 = within(number, least, most, |ms| quoted(ms, &TIMES))?;
                *slot = Duration::from_millis(ms);
            }
            Slot::Port(slot) => {
                let Value::Number(digits) = value else {
                    return Err(wrong());
                };
                let port = whole(digits).and_then(|port| u16::try_from(port).ok());
                *slot = port.ok_or_else(wrong)?;
            }
            Slot::Address(slot) => {
                let Value::Text(text) = value else {
                    return Err(wrong());
                };
                *slot = match text.as_str() {
                    "localhost" => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
                    text => text.parse().map_err(|_| wrong())?,
                };
            }
            Slot::Path(slot) => {
                let Value::Text(text) = value else {
                    return Err(wrong());
                };
                if text.is_empty() || text.contains('\0') {
                    return Err(wrong());
                }
                slot.clone_from(text);
            }
            Slot::Hosts(slot) => {
                *slot = list(value, &expected, |text| {
                    is_host(text).then(|| text.to_owned())
                })?;
            }
            Slot::Networks(slot) => *slot = list(value, &expected, Network::parse)?,
            Slot::Switch(slot) => match value {
                Value::Name(name) if name == "true" => *slot = true,
                Value::Name(name) if name == "false" => *slot = false,
                _ => return Err(wrong()),
            },
            Slot::Choice(slot, words) => {
                let Value::Text(text) = value else {
                    return Err(wrong());
                };
                *slot = words.iter().find(|word| *word == text).ok_or_else(wrong)?;
            }
        }
        Ok(())
    }

    /// A value without quotes, as it stands on a command line.
    pub(super) fn value_of(&self, text: &str) -> Value {
        match self {
            Slot::Count(_) | Slot::Port(_) => Value::Number(text.to_owned()),
            Slot::Switch(_) => Value::Name(text.to_owned()),
            Slot::Hosts(_) | Slot::Networks(_) => {
                let items = text.split(',').filter(|item| !item.is_empty());
                Value::List(items.map(|item| Value::Text(item.to_owned())).collect())
            }
            Slot::Bytes(_)
            | Slot::SomeBytes(..)
            | Slot::Time(_)
            | Slot::Address(_)
            | Slot::Path(_)
            | Slot::Choice(..) => Value::Text(text.to_owned()),
        }
    }

    /// What stands there, as it would be written; none where nothing stands and nothing can be written for that.
    pub(super) fn written(&self) -> Option<String> {
        let text = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let texts = |items: Vec<String>| {
            let items: Vec<String> = items.iter().map(|item| text(item)).collect();
            format!("[{}]", items.join(", "))
        };
        Some(match self {
            Slot::Count(count) => count.to_string(),
            Slot::Bytes(bytes) => quoted(**bytes as u64, &SIZES),
            Slot::SomeBytes(Some(bytes), _) => quoted(*bytes as u64, &SIZES),
            Slot::SomeBytes(None, none) => text(none),
            Slot::Time(time) => {
                let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                quoted(ms, &TIMES)
            }
            Slot::Port(port) => port.to_string(),
            Slot::Address(address) => text(&address.to_string()),
            Slot::Path(path) if path.is_empty() => return None,
            Slot::Path(path) => text(path),
            Slot::Hosts(names) => texts(names.to_vec()),
            Slot::Networks(networks) => texts(networks.iter().map(Network::to_string).collect()),
            Slot::Switch(on) => on.to_string(),
            Slot::Choice(word, _) => text(word),
        })
    }
}

fn bytes(value: &Value, least: u64, most: u64) -> Option<Result<usize, String>> {
    let Value::Text(text) = value else {
        return None;
    };
    let number = with_unit(text, &SIZES)?;
    Some(within(number, least, most, |bytes| quoted(bytes, &SIZES)))
}

fn list<T>(
    value: &Value,
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, String> {
    let Value::List(items) = value else {
        return Err(format!("expected {expected}, found {}", value.found()));
    };
    if items.len() > ITEMS_MAX {
        return Err(format!(
            "a list has at most {ITEMS_MAX} items, this one {}",
            items.len()
        ));
    }
    let item = |item: &Value| {
        let read = match item {
            Value::Text(text) => read(text),
            Value::Number(_) | Value::Name(_) | Value::List(_) => None,
        };
        read.ok_or_else(|| format!("expected {expected}, found {} in it", item.found()))
    };
    items.iter().map(item).collect()
}

// Checks the bounds. A number beyond what the machine counts is beyond every bound.
fn within<T: TryFrom<u64>>(
    number: u64,
    least: u64,
    most: u64,
    shown: impl Fn(u64) -> String,
) -> Result<T, String> {
    if number < least {
        return Err(format!(
            "{} is too little, the least is {}",
            shown(number),
            shown(least)
        ));
    }
    match T::try_from(number) {
        Ok(value) if number <= most => Ok(value),
        _ if number == u64::MAX => Err(format!("this is too much, the most is {}", shown(most))),
        _ => Err(format!(
            "{} is too much, the most is {}",
            shown(number),
            shown(most)
        )),
    }
}

// Digits, perhaps with `_` between them; a number that is too long is the biggest there is.
fn whole(digits: &str) -> Option<u64> {
    let sound = digits.starts_with(|ch: char| ch.is_ascii_digit())
        && digits.ends_with(|ch: char| ch.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let digits = digits.bytes().filter(u8::is_ascii_digit);
    let add = |number: u64, digit: u8| {
        number
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    };
    sound.then(|| digits.fold(0, add))
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|ch: char| !ch.is_ascii_digit() && ch != '_')?;
    let (digits, unit) = text.split_at(end);
    // `KiB` is what `KB` means here, too.
    let unit = unit.trim_start().replace("iB", "B");
    let (_, size) = units
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(&unit))?;
    Some(whole(digits)?.saturating_mul(*size))
}

fn quoted(number: u64, units: &[(&str, u64)]) -> String {
    let exact = units
        .iter()
        .find(|(_, size)| number >= *size && number.is_multiple_of(*size));
    // Nothing at all is told in the unit that people think in.
    let (unit, size) = exact.or(units.last()).copied().unwrap_or(("", 1));
    format!("\"{}{unit}\"", number / size)
}

fn is_host(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(plain)
}
