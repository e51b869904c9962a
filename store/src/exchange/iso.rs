//! Points in time as people write them: `2026-01-15T10:00:00.123Z`, UTC, and back.
//!
//! Here because tools print and read times and the store knows nobody who does. What must stay true: reading what was
//! written gives the same millisecond; a time outside of the years 0 to 9999 has no such text.

const DAY_MS: i64 = 86_400_000;

/// The text of a time (milliseconds since 1970 UTC); `None` outside of the years 0 to 9999.
pub fn time_text(ms: i64) -> Option<String> {
    let (days, in_day) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let (year, month, day) = civil_of_days(days);
    if !(0..=9999).contains(&year) {
        return None;
    }
    let (hours, minutes) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (seconds, ms) = (in_day / 1000 % 60, in_day % 1000);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{ms:03}Z"
    ))
}

/// Reads `2026-01-15`, `2026-01-15T10:00`, with seconds, with a fraction, with `Z` or `+02:00` (UTC without); a blank may
/// stand for the `T`. `None` if it is nothing of that, or no day of the calendar.
pub fn parse_time(text: &str) -> Option<i64> {
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    if parts.next().is_some() || !(1..=12).contains(&month) {
        return None;
    }
    let days = days_of_civil(year, month, day);
    if civil_of_days(days) != (year, month, day) {
        return None;
    }
    let in_day = rest.map_or(Some(0), parse_clock)?;
    Some(days * DAY_MS + in_day)
}

fn parse_clock(text: &str) -> Option<i64> {
    let (clock, offset_ms) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) if matches!(text.as_bytes()[at], b'Z' | b'z') => {
            (text[at + 1..].is_empty().then_some(&text[..at])?, 0)
        }
        Some(at) => {
            let (hours, minutes) = text[at + 1..].split_once(':')?;
            let offset = digits(hours, 2)? * 3_600_000 + digits(minutes, 2)? * 60_000;
            let sign = if text.as_bytes()[at] == b'-' { -1 } else { 1 };
            (&text[..at], sign * offset)
        }
        None => (text, 0),
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, fraction_ms(fraction)?),
        None => (clock, 0),
    };
    let mut parts = clock.split(':');
    let hours = digits(parts.next()?, 2)?;
    let minutes = digits(parts.next()?, 2)?;
    let seconds = parts.next().map_or(Some(0), |text| digits(text, 2))?;
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    Some(hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + fraction - offset_ms)
}

fn fraction_ms(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{text:0<3}")[..3].parse().ok()
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Year, month and day of a day counted from 1970-01-01. Counts in eras of 400 years that begin on 1 March, so that the
/// day a leap year adds is the last one of its year.
fn civil_of_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let leaps = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_of_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(time_text(ms).as_deref(), Some(text));
            assert_eq!(parse_time(text), Some(ms), "{text}");
        }
        for beyond in [i64::MIN, i64::MAX, 253_402_300_800_000] {
            assert_eq!(time_text(beyond), None);
        }
    }

    #[test]
    fn people_may_write_less() {
        let ten = 1_768_471_200_000;
        for text in [
            "2026-01-15T10:00",
            "2026-01-15 10:00:00",
            "2026-01-15T12:00:00+02:00",
            "2026-01-15T10:00:00.0Z",
        ] {
            assert_eq!(parse_time(text), Some(ten), "{text}");
        }
        for wrong in [
            "2026-02-30",
            "2026-13-01",
            "yesterday",
            "2026-01-15T25:00",
            "",
            "2026-1-5",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }
}
