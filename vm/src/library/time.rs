//! Functions on times and durations: UTC, milliseconds. Here because calendars have rules of their own. Must stay true:
//! weeks start on Monday; a month added to a day that the next month lacks gives that month's last day; what leaves the
//! 64 bits of a time is IntegerOverflow.

use super::{LibCall, Ret, str_of};
use crate::fault::{Fault, Res};
use crate::iso::{self, YEARS, days_in_month, time_of};
use crate::semantics::time::{Civil, civil};
use crate::trap::ErrorKind;
use crate::value::{View, Word};

pub(super) const SECOND_MS: i64 = 1000;
pub(super) const MINUTE_MS: i64 = 60 * SECOND_MS;
pub(super) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
pub(super) const WEEK_MS: i64 = 7 * DAY_MS;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Ms,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    fn from_name(name: &str) -> Res<Unit> {
        Ok(
            match name
                .strip_suffix('s')
                .filter(|name| *name != "m")
                .unwrap_or(name)
            {
                "ms" => Unit::Ms,
                "second" => Unit::Second,
                "minute" => Unit::Minute,
                "hour" => Unit::Hour,
                "day" => Unit::Day,
                "week" => Unit::Week,
                "month" => Unit::Month,
                "year" => Unit::Year,
                _ => {
                    let message = format!(
                        "`{name}` is no unit of time (ms second minute hour day week month year)"
                    );
                    return Err(Fault::new(ErrorKind::ArgumentError, message));
                }
            },
        )
    }

    /// Its length in ms, or its number of months.
    fn length(self) -> Result<i64, i64> {
        match self {
            Unit::Ms => Ok(1),
            Unit::Second => Ok(SECOND_MS),
            Unit::Minute => Ok(MINUTE_MS),
            Unit::Hour => Ok(HOUR_MS),
            Unit::Day => Ok(DAY_MS),
            Unit::Week => Ok(WEEK_MS),
            Unit::Month => Err(1),
            Unit::Year => Err(12),
        }
    }
}

#[cold]
fn beyond() -> Fault {
    Fault::new(
        ErrorKind::IntegerOverflow,
        "this time is beyond what a time can hold",
    )
}

pub(super) fn parts(call: &LibCall<'_>) -> Civil {
    civil(call.int(0))
}

/// 1 (Monday) to 7 (Sunday).
pub(super) fn weekday(time_ms: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    (time_ms.div_euclid(DAY_MS) + 3).rem_euclid(7) + 1
}

fn checked_add(time_ms: i64, added_ms: i64) -> Res<i64> {
    time_ms.checked_add(added_ms).ok_or_else(beyond)
}

/// Months later; the day is at most the last one of its month.
fn add_months(time_ms: i64, months: i64) -> Res<i64> {
    let Civil {
        year, month, day, ..
    } = civil(time_ms);
    let count = (year * 12 + i64::from(month) - 1)
        .checked_add(months)
        .ok_or_else(beyond)?;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    if !YEARS.contains(&year) {
        return Err(beyond());
    }
    let day = i64::from(day).min(days_in_month(year, month));
    time_of(year, month, day, time_ms.rem_euclid(DAY_MS)).ok_or_else(beyond)
}

fn add_of(time_ms: i64, count: i64, unit: Unit) -> Res<i64> {
    match unit.length() {
        Ok(ms) => checked_add(time_ms, count.checked_mul(ms).ok_or_else(beyond)?),
        Err(months) => add_months(time_ms, count.checked_mul(months).ok_or_else(beyond)?),
    }
}

/// Midnight of a day counted from this one.
pub(super) fn day_from_now(call: &mut LibCall<'_>, days: i64) -> Res<Ret> {
    let now = call.host.now_ms();
    checked_add(start(now, Unit::Day)?, days * DAY_MS).map(Ret::Int)
}

/// One unit before now.
pub(super) fn before_now(call: &mut LibCall<'_>, unit: Unit) -> Res<Ret> {
    let now = call.host.now_ms();
    add_of(now, -1, unit).map(Ret::Int)
}

pub(super) fn add(call: &mut LibCall<'_>) -> Res<Ret> {
    checked_add(call.int(0), call.int(1)).map(Ret::Int)
}

pub(super) fn add_units(call: &mut LibCall<'_>) -> Res<Ret> {
    let unit = Unit::from_name(str_of(&call.text(0)?))?;
    add_of(call.int(0), call.int(1), unit).map(Ret::Int)
}

pub(super) fn diff(call: &mut LibCall<'_>) -> Res<Ret> {
    call.int(0)
        .checked_sub(call.int(1))
        .map(Ret::Int)
        .ok_or_else(beyond)
}

pub(super) fn diff_units(call: &mut LibCall<'_>) -> Res<Ret> {
    let unit = Unit::from_name(str_of(&call.text(0)?))?;
    let (later, earlier) = (call.int(0), call.int(1));
    match unit.length() {
        Ok(ms) => later
            .checked_sub(earlier)
            .map(|diff| Ret::Int(diff / ms))
            .ok_or_else(beyond),
        Err(months) => Ok(Ret::Int(whole_months(later, earlier) / months)),
    }
}

/// Whole months by which `later` is later; negative if it is earlier.
fn whole_months(later: i64, earlier: i64) -> i64 {
    if later < earlier {
        return -whole_months(earlier, later);
    }
    let count = |c: &Civil| c.year * 12 + i64::from(c.month);
    let months = count(&civil(later)) - count(&civil(earlier));
    // The last month is only whole if adding it does not go beyond the later time.
    match add_months(earlier, months) {
        Ok(reached) if reached <= later => months,
        Ok(_) | Err(_) => months - 1,
    }
}

/// The start of the unit in which a time lies.
fn start(time_ms: i64, unit: Unit) -> Res<i64> {
    let Civil { year, month, .. } = civil(time_ms);
    let floor = |ms: i64| time_ms.checked_sub(time_ms.rem_euclid(ms));
    match unit {
        Unit::Ms => Some(time_ms),
        Unit::Second => floor(SECOND_MS),
        Unit::Minute => floor(MINUTE_MS),
        Unit::Hour => floor(HOUR_MS),
        Unit::Day => floor(DAY_MS),
        Unit::Week => {
            floor(DAY_MS).and_then(|day| day.checked_sub((weekday(time_ms) - 1) * DAY_MS))
        }
        Unit::Month => time_of(year, i64::from(month), 1, 0),
        Unit::Year => time_of(year, 1, 1, 0),
    }
    .ok_or_else(beyond)
}

pub(super) fn start_of(call: &mut LibCall<'_>) -> Res<Ret> {
    let unit = Unit::from_name(str_of(&call.text(0)?))?;
    start(call.int(0), unit).map(Ret::Int)
}

pub(super) fn end_of(call: &mut LibCall<'_>) -> Res<Ret> {
    let unit = Unit::from_name(str_of(&call.text(0)?))?;
    let next = add_of(start(call.int(0), unit)?, 1, unit)?;
    Ok(Ret::Int(next - 1))
}

pub(super) fn to_iso(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = iso::format(call.int(0));
    call.text_result(&text)
}

/// A number of units as a duration, rounded to ms.
fn duration_of(count: f64, unit_ms: i64) -> Res<i64> {
    let ms = (count * unit_ms as f64).round();
    if ms.abs() < 9.2e18 {
        return Ok(ms as i64);
    }
    Err(Fault::new(
        ErrorKind::IntegerOverflow,
        "this duration is beyond what a duration can hold",
    ))
}

pub(super) fn float_duration(call: &mut LibCall<'_>, unit_ms: i64) -> Res<Ret> {
    duration_of(call.float(0), unit_ms).map(Ret::Int)
}

/// A duration in whole units, or a number of units as a duration.
pub(super) fn any_duration(call: &mut LibCall<'_>, unit_ms: i64) -> Res<Ret> {
    let word = match call.any(0).view() {
        View::Duration(ms) => call.m.heap.int_word(ms / unit_ms),
        View::Int(count) => call
            .m
            .heap
            .duration_word(count.checked_mul(unit_ms).ok_or_else(beyond)?),
        View::Float(count) => call.m.heap.duration_word(duration_of(count, unit_ms)?),
        _ => return Err(call.wrong(0, "a number or duration")),
    };
    word.map(Ret::Any)
}

pub(super) fn format(call: &mut LibCall<'_>) -> Res<Ret> {
    let pattern = call.text(0)?;
    let text = formatted(call.int(0), str_of(&pattern));
    call.text_result(&text)
}

/// A time by a pattern; what stands in `[…]` is copied, as is everything that is no letter group of the pattern.
pub(super) fn formatted(time_ms: i64, pattern: &str) -> String {
    let c = civil(time_ms);
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '['
            && let Some(end) = rest.find(']')
        {
            out.push_str(&rest[1..end]);
            rest = &rest[end + 1..];
            continue;
        }
        let run = rest.len() - rest.trim_start_matches(first).len();
        let (used, text) =
            group(&c, time_ms, first, run).unwrap_or_else(|| (first.len_utf8(), first.to_string()));
        out.push_str(&text);
        rest = &rest[used..];
    }
    out
}

/// The longest group of a letter that stands `run` times: how many letters it uses, and its text.
fn group(c: &Civil, time_ms: i64, letter: char, run: usize) -> Option<(usize, String)> {
    let padded = |value: u32| {
        if run >= 2 {
            (2, format!("{value:02}"))
        } else {
            (1, value.to_string())
        }
    };
    let name = |names: &[&str], at: usize| {
        if run >= 4 {
            (4, names[at].to_owned())
        } else {
            (3, names[at][..3].to_owned())
        }
    };
    let weekday = weekday(time_ms) as usize - 1;
    Some(match (letter, run) {
        ('Y', 4..) => (
            4,
            if (0..=9999).contains(&c.year) {
                format!("{:04}", c.year)
            } else {
                c.year.to_string()
            },
        ),
        ('Y', 2..) => (2, format!("{:02}", c.year.rem_euclid(100))),
        ('M', 3..) => name(&MONTHS, c.month as usize - 1),
        ('M', _) => padded(c.month),
        ('D', _) => padded(c.day),
        ('d', 3..) => name(&WEEKDAYS, weekday),
        ('H', _) => padded(c.hour),
        ('m', _) => padded(c.minute),
        ('s', _) => padded(c.second),
        ('S', 3..) => (3, format!("{:03}", c.ms)),
        _ => return None,
    })
}

pub(super) fn parse_time(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    match iso::parse(str_of(&text)) {
        Some(ms) => call.m.heap.time_word(ms).map(Ret::Any),
        None => Ok(Ret::Any(Word::none())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_keep_to_the_calendar() {
        let at = |text: &str| iso::parse(text).expect("a time");
        assert_eq!(
            add_months(at("2026-01-31"), 1).ok(),
            iso::parse("2026-02-28")
        );
        assert_eq!(
            add_months(at("2024-01-31"), 1).ok(),
            iso::parse("2024-02-29")
        );
        assert_eq!(
            add_months(at("2026-03-31"), -13).ok(),
            iso::parse("2025-02-28")
        );
        assert!(add_months(0, i64::MAX).is_err() && add_months(i64::MAX, 1).is_err());
        assert_eq!(whole_months(at("2026-03-04"), at("2026-01-04")), 2);
        assert_eq!(whole_months(at("2026-03-03"), at("2026-01-04")), 1);
        assert_eq!(whole_months(at("2026-01-04"), at("2026-03-03")), -1);
    }

    #[test]
    fn starts_of_units() {
        let at = |text: &str| iso::parse(text).expect("a time");
        let time = at("2026-03-04T05:06:07.008Z");
        for (unit, text) in [
            (Unit::Second, "2026-03-04T05:06:07Z"),
            (Unit::Hour, "2026-03-04T05:00:00Z"),
            (Unit::Day, "2026-03-04"),
            (Unit::Week, "2026-03-02"),
            (Unit::Month, "2026-03-01"),
            (Unit::Year, "2026-01-01"),
        ] {
            assert_eq!(start(time, unit).ok(), Some(at(text)), "{unit:?}");
        }
        assert_eq!(weekday(0), 4);
        assert!(start(i64::MIN, Unit::Year).is_err());
    }

    #[test]
    fn patterns() {
        let time = iso::parse("2026-03-04T05:06:07.008Z").expect("a time");
        assert_eq!(
            formatted(time, "YYYY-MM-DD HH:mm:ss.SSS"),
            "2026-03-04 05:06:07.008"
        );
        assert_eq!(formatted(time, "dddd, D MMMM YY"), "Wednesday, 4 March 26");
        assert_eq!(
            formatted(time, "ddd MMM H:m:s [at] é"),
            "Wed Mar 5:6:7 at é"
        );
        assert_eq!(formatted(time, "[open"), "[open");
    }
}
