// What a program that runs by itself may do: print, log, ask for the time. Here, apart from the library of pages, because
// pages have no output of their own. Must stay true: each printed line is kept in order.

const printed = [];
/** The time of the run, ms since 1970 UTC; stands still. */
let now_ms = Date.now();

function print(text) {
  printed.push(text);
}

function log(text, level) {
  printed.push(`[${["info", "warning", "error"][level]}] ${text}`);
}

const now = () => now_ms;
const statement_end = () => {};
const today = (at) => time_start_of(now_ms, "day", at);
const yesterday = (at) => today(at) - DAY_MS;
const tomorrow = (at) => today(at) + DAY_MS;
const last_week = () => add_unit(now_ms, -1, UNITS.week);
const last_month = () => add_unit(now_ms, -1, UNITS.month);
const last_year = () => add_unit(now_ms, -1, UNITS.year);

/** Runs functions one after the other: what was printed, and the error or why it gave up. */
function run_script(functions, time) {
  if (time !== undefined) now_ms = time;
  [fuel, calls_max] = [SCRIPT_FUEL_MAX, SCRIPT_CALLS_MAX];
  const outcome = { printed, error: null, gaveUp: null };
  try {
    for (const run of functions) run("");
  } catch (raised) {
    if (raised instanceof Err) outcome.error = raised;
    else {
      outcome.gaveUp = reason_of(raised);
      if (outcome.gaveUp === null) throw raised;
    }
  }
  return outcome;
}

/** Fuel of a program that runs by itself. */
const SCRIPT_FUEL_MAX = 100_000_000;
/** Deepest nesting of its calls. */
const SCRIPT_CALLS_MAX = 5_000;
