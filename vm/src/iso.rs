//! Times as ISO 8601 text, both ways: UTC, milliseconds. Here, and public, because programs print and read times and so does
//! whoever carries them in JSON. Must stay true: every i64 of milliseconds is printed, and what is printed is read back.

use crate::semantics::time::{Civil, civil, days_of};

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Years that a time can lie in, generously.
pub(crate) const YEARS: std::ops::RangeInclusive<i64> = -300_000_000..=300_000_000;

/// `2026-01-15T10:30:00.000Z`; years outside 0 to 9999 with a sign and six digits.
pub fn format(time_ms: i64) -> String {
    let Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
        ms,
    } = civil(time_ms);
    let year = if (0..=9999).contains(&year) {
        format!("{year:04}")
    } else {
        format!(
            "{}{:06}",
            if year < 0 { '-' } else { '+' },
            year.unsigned_abs()
        )
    };
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// The time that a text spells: `2026-03-04`, `2026-03-04T05:06`, with seconds, fraction and `Z` or `+01:00`.
pub fn parse(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let year = match rest.as_bytes().first()? {
        b'+' | b'-' => {
            let negative = rest.starts_with('-');
            rest = &rest[1..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let year = if (6..=9).contains(&digits) {
                number(&mut rest, digits)?
            } else {
                return None;
            };
            if negative { -year } else { year }
        }
        _ => number(&mut rest, 4)?,
    };
    let month = number(after(&mut rest, &["-"])?, 2)?;
    let day = number(after(&mut rest, &["-"])?, 2)?;
    if !YEARS.contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=days_in_month(year, month)).contains(&day)
    {
        return None;
    }
    if rest.is_empty() {
        return time_of(year, month, day, 0);
    }
    let hour = number(after(&mut rest, &["T", "t", " "])?, 2)?;
    let minute = number(after(&mut rest, &[":"])?, 2)?;
    let (mut second, mut ms) = (0, 0);
    if after(&mut rest, &[":"]).is_some() {
        second = number(&mut rest, 2)?;
        if after(&mut rest, &["."]).is_some() {
            ms = fraction_ms(&mut rest)?;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = offset_minutes(&mut rest)?;
    if !rest.is_empty() {
        return None;
    }
    let in_day = hour * HOUR_MS + (minute - offset) * MINUTE_MS + second * SECOND_MS + ms;
    time_of(year, month, day, in_day)
}

/// Exactly so many digits.
fn number(rest: &mut &str, digits: usize) -> Option<i64> {
    let part = rest
        .get(..digits)
        .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
    *rest = &rest[digits..];
    part.parse().ok()
}

/// Takes one of the marks; gives what is left for the next reader.
fn after<'r, 't>(rest: &'r mut &'t str, marks: &[&str]) -> Option<&'r mut &'t str> {
    let mark = marks.iter().find(|mark| rest.starts_with(**mark))?;
    *rest = &rest[mark.len()..];
    Some(rest)
}

/// A fraction of a second; digits after the third are cut off.
fn fraction_ms(rest: &mut &str) -> Option<i64> {
    let count = rest.bytes().take_while(u8::is_ascii_digit).count();
    let digits = &rest[..count];
    *rest = &rest[count..];
    if digits.is_empty() || count > 18 {
        return None;
    }
    format!("{digits:0<3}")[..3].parse().ok()
}

/// `Z`, nothing, or `+hh:mm`.
fn offset_minutes(rest: &mut &str) -> Option<i64> {
    if rest.is_empty() || after(rest, &["Z", "z"]).is_some() {
        return Some(0);
    }
    let sign = if after(rest, &["+"]).is_some() {
        1
    } else {
        after(rest, &["-"])?;
        -1
    };
    let hours = number(rest, 2)?;
    let minutes = if rest.is_empty() {
        0
    } else {
        after(rest, &[":"]);
        number(rest, 2)?
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// The time of a date and a time of day, if it can be held.
pub(crate) fn time_of(year: i64, month: i64, day: i64, in_day_ms: i64) -> Option<i64> {
    // Years beyond these are far outside what a time holds; keeps the arithmetic below from overflowing.
    if !YEARS.contains(&year) {
        return None;
    }
    let ms = i128::from(days_of(year, month, day)) * i128::from(DAY_MS) + i128::from(in_day_ms);
    i64::try_from(ms).ok()
}

/// Days of a month of a year.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    days_of(year, month + 1, 1) - days_of(year, month, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_print() {
        assert_eq!(format(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(format(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(format(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(format(1_768_473_000_123), "2026-01-15T10:30:00.123Z");
        assert!(format(i64::MAX).starts_with('+') && format(i64::MIN).starts_with('-'));
    }

    #[test]
    fn times_read_back() {
        for ms in [
            0,
            -1,
            951_782_400_000,
            1_768_473_000_123,
            i64::MAX,
            i64::MIN + 1,
            -62_198_755_200_000,
        ] {
            assert_eq!(parse(&format(ms)), Some(ms), "{}", format(ms));
        }
        assert_eq!(parse("2026-01-15"), Some(1_768_435_200_000));
        assert_eq!(parse("2026-01-15T02:00+02:00"), Some(1_768_435_200_000));
        assert_eq!(parse("2026-03-04"), parse("2026-03-04T00:00:00Z"));
        assert_eq!(
            parse("2026-03-04 01:00:00.5+01:00"),
            parse("2026-03-04T00:00:00.500Z")
        );
        for bad in [
            "",
            "2026",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-01T24:00",
            "2026-01-01T10",
            "2026-1-1",
            "x",
            "2026-01-01Zx",
            "2026-01-01T10:00+5",
            "é026-01-01",
            "2026-01-15T25:00",
            "2026-01-15Tab:00",
            "2026-01-15T10:00:00.",
            "2026-01-15T10:00é",
            "２０２６-01-01",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
