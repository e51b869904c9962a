//! Points in time as ISO 8601 text in UTC, to the millisecond, both ways.
//! Here because times travel in JSON. Must stay true: what `format` writes, `parse` reads back to the same number.

const DAY_MS: i64 = 86_400_000;

/// `2026-01-15T10:00:00.000Z`; years beyond 0..=9999 carry a sign and six digits, as in JavaScript.
pub fn format(time_ms: i64) -> String {
    let (year, month, day) = civil(time_ms.div_euclid(DAY_MS));
    let ms = time_ms.rem_euclid(DAY_MS);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!(
            "{}{:06}",
            if year < 0 { '-' } else { '+' },
            year.unsigned_abs()
        ),
    };
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!(
        "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        ms % 1000
    )
}

/// Reads a date (`2026-01-15`) or a date and time with optional seconds, fraction and zone (`Z`, `+02:00`; none is UTC).
/// Gives milliseconds since 1970; none if it is no such text or no such day.
pub fn parse(text: &str) -> Option<i64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => (1, text),
    };
    let year_digits = if rest.len() == text.len() { 4 } else { 6 };
    let year = sign * number(rest.get(..year_digits)?)?;
    let rest = rest[year_digits..].strip_prefix('-')?;
    let month = number(rest.get(..2)?)?;
    let rest = rest[2..].strip_prefix('-')?;
    let day = number(rest.get(..2)?)?;
    let days = days_from_civil(year, month, day);
    if civil(days) != (year, month, day) {
        return None;
    }
    let rest = &rest[2..];
    if rest.is_empty() {
        return Some(days * DAY_MS);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    Some(days * DAY_MS + time_of_day(rest)?)
}

fn time_of_day(text: &str) -> Option<i64> {
    let hour = number(text.get(..2)?)?;
    let rest = text[2..].strip_prefix(':')?;
    let minute = number(rest.get(..2)?)?;
    let mut rest = &rest[2..];
    let (mut second, mut ms) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        second = number(after.get(..2)?)?;
        rest = &after[2..];
        if let Some(after) = rest.strip_prefix('.') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return None;
            }
            ms = number(&format!("{:0<3}", &after[..digits])[..3])?;
            rest = &after[digits..];
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let zone_ms = match rest {
        "" | "Z" | "z" => 0,
        zone => {
            let sign = match zone.as_bytes()[0] {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let (hours, minutes) = (number(hours)?, number(minutes)?);
            if hours > 14 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes) * 60_000
        }
    };
    Some(((hour * 60 + minute) * 60 + second) * 1000 + ms - zone_ms)
}

fn number(digits: &str) -> Option<i64> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

// Days since 1970-01-01 and back, counted in eras of 400 years that start in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (
        era * 400 + year + i64::from(month <= 2),
        month,
        of_year - (153 * march + 2) / 5 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        assert_eq!(format(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(format(1_709_251_199_999), "2024-02-29T23:59:59.999Z");
        assert_eq!(format(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(format(253_402_300_800_000), "+010000-01-01T00:00:00.000Z");
    }

    #[test]
    fn what_is_written_is_read() {
        for ms in [
            0,
            -1,
            1,
            1_709_251_199_999,
            -62_167_219_200_001,
            253_402_300_800_000,
        ] {
            assert_eq!(parse(&format(ms)), Some(ms), "{}", format(ms));
        }
        assert_eq!(parse("2026-01-15"), Some(1_768_435_200_000));
        assert_eq!(parse("2026-01-15T02:00+02:00"), Some(1_768_435_200_000));
        assert_eq!(parse("2026-01-15T00:00:00.5"), Some(1_768_435_200_500));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "x",
            "2026",
            "2026-02-30",
            "2026-1-1",
            "2026-01-15T25:00",
            "2026-01-15Tab:00",
            "2026-01-15T10:00:00.",
            "2026-01-15T10:00é",
            "２０２６-01-01",
            "2026-01-15T10:00+1",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
