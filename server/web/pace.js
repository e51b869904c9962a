// Functions that run less often than they are called. Here because pages bind them to typing and scrolling. Must stay true:
// the last call is never lost, and one key is one row of calls.

const timers = new Map();

// Calls `fn` when there was no call with this key for `ms`.
export function debounce(key, fn, ms) {
  clearTimeout(timers.get(key));
  timers.set(key, setTimeout(fn, ms));
}

const rows = new Map();

// Calls `fn` at once, but at most every `ms` for one key; the last call within that time comes at its end.
export function throttle(key, fn, ms) {
  if (rows.has(key)) return void rows.set(key, fn);
  rows.set(key, null);
  setTimeout(() => {
    const last = rows.get(key);
    rows.delete(key);
    if (last !== null) throttle(key, last, ms);
  }, ms);
  fn();
}
