// Times and durations: UTC, milliseconds, the proleptic Gregorian calendar. Here because JavaScript's own dates end at
// other years and read other texts. Must stay true: weeks start on Monday; a month added to a day that the next month
// lacks gives that month's last day.

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const floor_div = (a, b) => Math.floor(a / b);
const floor_mod = (a, b) => a - Math.floor(a / b) * b;

/** A time taken apart. */
function civil(ms) {
  const days = floor_div(ms, DAY_MS);
  const in_day = ms - days * DAY_MS;
  // Years that begin on 1 March put the leap day at their end.
  const shifted = days + 719468;
  const cycle = floor_div(shifted, 146097);
  const of_cycle = shifted - cycle * 146097;
  const cut = (n) => Math.floor(n);
  const year_of_cycle = cut((of_cycle - cut(of_cycle / 1460) + cut(of_cycle / 36524) - cut(of_cycle / 146096)) / 365);
  const day_of_year = of_cycle - (365 * year_of_cycle + cut(year_of_cycle / 4) - cut(year_of_cycle / 100));
  const from_march = cut((5 * day_of_year + 2) / 153);
  const day = day_of_year - cut((153 * from_march + 2) / 5) + 1;
  const month = from_march < 10 ? from_march + 3 : from_march - 9;
  return {
    year: cycle * 400 + year_of_cycle + (month <= 2 ? 1 : 0),
    month,
    day,
    hour: cut(in_day / HOUR_MS),
    minute: cut(in_day / MINUTE_MS) % 60,
    second: cut(in_day / SECOND_MS) % 60,
    ms: in_day % 1000,
  };
}

/** Days since 1970-01-01 of a date; months carry into the year. */
function days_of(year, month, day) {
  const months = year * 12 + (month - 1);
  const month_of_year = floor_mod(months, 12) + 1;
  const shifted = floor_div(months, 12) - (month_of_year <= 2 ? 1 : 0);
  const cycle = floor_div(shifted, 400);
  const year_of_cycle = shifted - cycle * 400;
  const day_of_year = Math.floor((153 * ((month_of_year + 9) % 12) + 2) / 5) + day - 1;
  return cycle * 146097 + year_of_cycle * 365 + Math.floor(year_of_cycle / 4) - Math.floor(year_of_cycle / 100) + day_of_year - 719468;
}

const days_in_month = (year, month) => days_of(year, month + 1, 1) - days_of(year, month, 1);

/** A time that must be one JavaScript can hold. */
function exact_time(ms) {
  return Number.isSafeInteger(ms) ? ms + 0 : beyond();
}

const time_of = (year, month, day, in_day) => exact_time(days_of(year, month, day) * DAY_MS + in_day);
const padded = (value, digits) => String(value).padStart(digits, "0");

function time_text(ms) {
  const c = civil(ms);
  const year = c.year >= 0 && c.year <= 9999 ? padded(c.year, 4) : (c.year < 0 ? "-" : "+") + padded(Math.abs(c.year), 6);
  const date = `${year}-${padded(c.month, 2)}-${padded(c.day, 2)}`;
  return `${date}T${padded(c.hour, 2)}:${padded(c.minute, 2)}:${padded(c.second, 2)}.${padded(c.ms, 3)}Z`;
}

function duration_text(ms) {
  if (ms === 0) return "0ms";
  let rest = Math.abs(ms);
  const parts = [];
  for (const [unit, name] of [[DAY_MS, "d"], [HOUR_MS, "h"], [MINUTE_MS, "m"], [SECOND_MS, "s"], [1, "ms"]]) {
    if (rest >= unit) {
      parts.push(Math.floor(rest / unit) + name);
      rest %= unit;
    }
  }
  return (ms < 0 ? "-" : "") + parts.join(" ");
}

const TIME_FORM =
  /^(\d{4}|[+-]\d{6,9})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,18}))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

/** The time that a text spells; null for none. */
function parsed_time(text) {
  const found = TIME_FORM.exec(trim(text));
  if (found === null) return null;
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  if (Math.abs(year) > 300_000_000 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return null;
  if (found[4] === undefined) return time_of(year, month, day, 0);
  const [hour, minute, second] = [Number(found[4]), Number(found[5]), Number(found[6] ?? 0)];
  const ms = Number((found[7] ?? "0").padEnd(3, "0").slice(0, 3));
  const [hours, minutes] = [Number(found[9] ?? 0), Number(found[10] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59 || hours > 23 || minutes > 59) return null;
  const offset = (found[8] === "-" ? -1 : 1) * (hours * 60 + minutes);
  return time_of(year, month, day, hour * HOUR_MS + (minute - offset) * MINUTE_MS + second * SECOND_MS + ms);
}

function parse_time(text) {
  const ms = parsed_time(text);
  return ms === null ? null : new Time(ms);
}

const time_to_iso = (ms) => time_text(ms);
const time_year = (ms) => civil(ms).year;
const time_month = (ms) => civil(ms).month;
const time_day = (ms) => civil(ms).day;
const time_hour = (ms) => civil(ms).hour;
const time_minute = (ms) => civil(ms).minute;
const time_second = (ms) => civil(ms).second;
/** 1 (Monday) to 7 (Sunday); 1970-01-01 was a Thursday. */
const time_weekday = (ms) => floor_mod(floor_div(ms, DAY_MS) + 3, 7) + 1;

/** Length of a unit in ms, or as months below zero. */
const UNITS = { ms: 1, second: SECOND_MS, minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS, week: 7 * DAY_MS, month: -1, year: -12 };

function unit_named(name, at) {
  const single = name.endsWith("s") && name !== "ms" ? name.slice(0, -1) : name;
  const unit = Object.hasOwn(UNITS, single) ? UNITS[single] : undefined;
  if (unit === undefined) throw raise("ArgumentError", `\`${name}\` is no unit of time (ms second minute hour day week month year)`, at);
  return [single, unit];
}

function add_months(ms, months) {
  const c = civil(ms);
  const count = add(c.year * 12 + c.month - 1, months);
  const [year, month] = [floor_div(count, 12), floor_mod(count, 12) + 1];
  if (Math.abs(year) > 290_000) beyond();
  return time_of(year, month, Math.min(c.day, days_in_month(year, month)), floor_mod(ms, DAY_MS));
}

function add_unit(ms, count, unit) {
  return unit > 0 ? add(ms, multiply(count, unit)) : add_months(ms, multiply(count, -unit));
}

const time_add = (ms, duration) => add(ms, duration);
const time_add_units = (ms, count, name, at) => add_unit(ms, count, unit_named(name, at)[1]);
const time_diff = (ms, other) => subtract(ms, other);

function time_diff_units(later, earlier, name, at) {
  const unit = unit_named(name, at)[1];
  if (unit > 0) return Math.trunc(subtract(later, earlier) / unit) + 0;
  return Math.trunc(whole_months(later, earlier) / -unit) + 0;
}

function whole_months(later, earlier) {
  if (later < earlier) return -whole_months(earlier, later);
  const [a, b] = [civil(later), civil(earlier)];
  const months = a.year * 12 + a.month - (b.year * 12 + b.month);
  // The last month is only whole if adding it does not go beyond the later time.
  return add_months(earlier, months) <= later ? months : months - 1;
}

function unit_start(ms, name) {
  const c = civil(ms);
  if (name === "month") return time_of(c.year, c.month, 1, 0);
  if (name === "year") return time_of(c.year, 1, 1, 0);
  if (name === "week") return exact_time(floor_div(ms, DAY_MS) * DAY_MS - (time_weekday(ms) - 1) * DAY_MS);
  return exact_time(floor_div(ms, UNITS[name]) * UNITS[name]);
}

const time_start_of = (ms, name, at) => unit_start(ms, unit_named(name, at)[0]);

function time_end_of(ms, name, at) {
  const [single, unit] = unit_named(name, at);
  return add_unit(unit_start(ms, single), 1, unit) - 1;
}

function duration_of(count, unit, at) {
  const ms = rounded(count * unit);
  if (Math.abs(ms) < 9.2e18) return exact_time(ms);
  throw raise("IntegerOverflow", "this duration is beyond what a duration can hold", at);
}

/** A duration in whole units, or a number of units as a duration. */
function any_duration(value, unit, name, at) {
  if (value instanceof Duration) return Math.trunc(value.ms / unit) + 0;
  if (typeof value === "number") return new Duration(multiply(value, unit));
  if (value instanceof Float) return new Duration(duration_of(value.value, unit, at));
  throw wrong(value, "a number or duration", "value", name, at);
}

const duration_ms = (ms) => ms;
const duration_seconds = (ms) => Math.trunc(ms / SECOND_MS) + 0;
const duration_minutes = (ms) => Math.trunc(ms / MINUTE_MS) + 0;
const duration_hours = (ms) => Math.trunc(ms / HOUR_MS) + 0;
const duration_days = (ms) => Math.trunc(ms / DAY_MS) + 0;
const duration_weeks = (ms) => Math.trunc(ms / (7 * DAY_MS)) + 0;
const float_ms = (count, at) => duration_of(count, 1, at);
const float_seconds = (count, at) => duration_of(count, SECOND_MS, at);
const float_minutes = (count, at) => duration_of(count, MINUTE_MS, at);
const float_hours = (count, at) => duration_of(count, HOUR_MS, at);
const float_days = (count, at) => duration_of(count, DAY_MS, at);
const float_weeks = (count, at) => duration_of(count, 7 * DAY_MS, at);
const any_ms = (value, at) => any_duration(value, 1, "ms", at);
const any_seconds = (value, at) => any_duration(value, SECOND_MS, "seconds", at);
const any_minutes = (value, at) => any_duration(value, MINUTE_MS, "minutes", at);
const any_hours = (value, at) => any_duration(value, HOUR_MS, "hours", at);
const any_days = (value, at) => any_duration(value, DAY_MS, "days", at);
const any_weeks = (value, at) => any_duration(value, 7 * DAY_MS, "weeks", at);

const PATTERN = /\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM?|DD?|dddd|ddd|HH?|mm?|ss?|SSS/g;

/** A time by a pattern; what stands in `[…]` is copied, as is everything that is no letter group of the pattern. */
function formatted(ms, pattern) {
  const c = civil(ms);
  const groups = {
    YYYY: () => (c.year >= 0 && c.year <= 9999 ? padded(c.year, 4) : String(c.year)),
    YY: () => padded(floor_mod(c.year, 100), 2),
    MMMM: () => MONTHS[c.month - 1],
    MMM: () => MONTHS[c.month - 1].slice(0, 3),
    MM: () => padded(c.month, 2),
    M: () => String(c.month),
    DD: () => padded(c.day, 2),
    D: () => String(c.day),
    dddd: () => WEEKDAYS[time_weekday(ms) - 1],
    ddd: () => WEEKDAYS[time_weekday(ms) - 1].slice(0, 3),
    HH: () => padded(c.hour, 2),
    H: () => String(c.hour),
    mm: () => padded(c.minute, 2),
    m: () => String(c.minute),
    ss: () => padded(c.second, 2),
    s: () => String(c.second),
    SSS: () => padded(c.ms, 3),
  };
  return pattern.replace(PATTERN, (group, copied) => (copied === undefined ? groups[group]() : copied));
}

const time_format = (ms, pattern) => formatted(ms, pattern);
