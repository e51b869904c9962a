//! Calendar arithmetic for printing and reading times: UTC, proleptic Gregorian. Here, and not from a crate, because every
//! i64 of milliseconds is a time and kept crates end at the year 9999; where they reach, a test compares with one. Must stay true: every i64 of milliseconds prints; what it prints reads back.

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Days of a 400-year cycle.
const CYCLE_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

/// A time taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    pub(crate) ms: u32,
}

/// Takes a time apart.
pub(crate) fn civil(time_ms: i64) -> Civil {
    let days = time_ms.div_euclid(DAY_MS);
    let in_day = time_ms.rem_euclid(DAY_MS) as u32;
    // Years that begin on 1 March put the leap day at their end.
    let shifted = days + EPOCH_DAYS;
    let cycle = shifted.div_euclid(CYCLE_DAYS);
    let day_of_cycle = shifted.rem_euclid(CYCLE_DAYS);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524
        - day_of_cycle / (CYCLE_DAYS - 1))
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
    Civil {
        year,
        month: month as u32,
        day: day as u32,
        hour: in_day / 3_600_000,
        minute: in_day / 60_000 % 60,
        second: in_day / 1000 % 60,
        ms: in_day % 1000,
    }
}

/// Days since 1970-01-01 of a date; month from 1 (other numbers carry into the year).
pub(crate) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let months = year * 12 + (month - 1);
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let year = if month <= 2 { year - 1 } else { year };
    let cycle = year.div_euclid(400);
    let year_of_cycle = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * CYCLE_DAYS + day_of_cycle - EPOCH_DAYS
}

/// `1d 2h 3m 4s 5ms`, parts that are zero left out; `0ms`; negative ones with a sign before all.
pub(crate) fn duration(duration_ms: i64) -> String {
    if duration_ms == 0 {
        return "0ms".to_owned();
    }
    let mut rest = duration_ms.unsigned_abs();
    let mut parts = Vec::new();
    for (unit_ms, name) in [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
        (1, "ms"),
    ] {
        if rest >= unit_ms {
            parts.push(format!("{}{name}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    let sign = if duration_ms < 0 { "-" } else { "" };
    format!("{sign}{}", parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_back() {
        for days in (-800_000..800_000).step_by(97) {
            let c = civil(days * DAY_MS);
            assert_eq!(days_of(c.year, i64::from(c.month), i64::from(c.day)), days);
        }
        assert_eq!(days_of(2026, 13, 1), days_of(2027, 1, 1));
    }

    #[test]
    fn durations_print() {
        assert_eq!(duration(0), "0ms");
        assert_eq!(duration(90_061_001), "1d 1h 1m 1s 1ms");
        assert_eq!(duration(-7_200_000), "-2h");
    }
}
