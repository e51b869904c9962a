// Wire values: how state and arguments travel as JSON without losing what they are.
// Here because page, actions and socket share it. Must stay true: the server's decoder (flin-runtime) takes exactly
// these forms; a value that came from the server is sent back as it came.

// Reads a control's text as a value of a declared type ("int", "float?", "text", …).
export function parseInput(text, type) {
  const base = type.replace(/\?$/, "");
  if (base === "int" || base === "float") {
    const trimmed = text.trim();
    if (trimmed === "") return null;
    if (base === "int") {
      if (!/^[+-]?\d+$/.test(trimmed)) return trimmed;
      const n = Number(trimmed);
      return Number.isSafeInteger(n) ? n : { _int: String(BigInt(trimmed)) };
    }
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) && Number.isFinite(+trimmed) ? +trimmed : trimmed;
  }
  if (base === "bool" && (text === "true" || text === "false")) return text === "true";
  if (base === "time") {
    // A day or a moment, in UTC unless it says otherwise; the script's `Date` would take more, in the visitor's own zone.
    const [, day, moment, zone] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
    const time = new Date(moment && !zone ? `${text}Z` : text).toJSON();
    return text === "" ? null : day && time && new Date(day).toJSON().startsWith(day) ? { _time: time } : text;
  }
  return text === "" && type.endsWith("?") ? null : text;
}

// The text that a text-like control shows for a wire value.
export function showValue(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  return value._int ?? value._float ?? value._time ?? value.variant ?? JSON.stringify(value);
}

// What a control of days and times shows of a moment.
const MOMENTS = { date: [0, 10], "datetime-local": [0, 16], time: [11, 16] };
export const showIn = (control, value) => (value?._time ? value._time.slice(...(MOMENTS[control.type] ?? [])) : showValue(value));

// Whether two wire values are the same.
export function sameValue(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
