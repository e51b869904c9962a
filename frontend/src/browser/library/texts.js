// Text: positions and lengths count Unicode scalar values, as in the machine. Here because JavaScript counts units of
// UTF-16. Must stay true: no text is ever split inside of a character; white space is what Unicode calls so.

const SURROGATES = /[\ud800-\udfff]/;
const BLANK = "[\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const BLANKS_START = new RegExp(`^${BLANK}+`);
const BLANKS_END = new RegExp(`${BLANK}+$`);
const BLANKS = new RegExp(`${BLANK}+`);
const BLANK_ONE = new RegExp(BLANK);
/** Longest text that is made here. */
const TEXT_MAX = 1 << 26;

/** The last texts that were asked for positions, and whether each unit of them is a character. */
let known_text = "";
let known_simple = true;

/** Whether each unit of a text is a character. */
function is_simple(text) {
  if (text === known_text) return known_simple;
  const simple = !SURROGATES.test(text);
  if (text.length > 32) [known_text, known_simple] = [text, simple];
  return simple;
}

/** The characters of a text, indexed. */
function characters(text) {
  return is_simple(text) ? text : Array.from(text);
}

function text_length(text) {
  if (is_simple(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function fits(length) {
  if (length > TEXT_MAX) give_up("a text that is very long");
}

function no_position(what, index, size, unit, at) {
  const words = size === 0 ? "is empty" : size === 1 ? `has 1 ${unit}` : `has ${size} ${unit}s`;
  return raise("IndexOutOfBounds", `there is no position ${index}: the ${what} ${words}`, at);
}

function text_index(text, index, at) {
  const all = characters(text);
  const found = all[index < 0 ? index + all.length : index];
  if (found === undefined) throw no_position("text", index, all.length, "character", at);
  return found;
}

/** Whether a comes before b, by scalar values. */
function text_less(a, b) {
  return text_order(a, b) < 0;
}

function text_order(a, b) {
  if (a === b) return 0;
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) {
      // A surrogate stands for something beyond all that one unit can be.
      const x_is = x >= 0xd800 && x < 0xe000;
      const y_is = y >= 0xd800 && y < 0xe000;
      if (x_is !== y_is) return x_is ? 1 : -1;
      return x < y ? -1 : 1;
    }
  }
  return a.length < b.length ? -1 : 1;
}

const trim = (text) => text.replace(BLANKS_START, "").replace(BLANKS_END, "");
const text_upper = (text) => text.toUpperCase();
const text_lower = (text) => text.toLowerCase();
const text_trim = (text) => trim(text);
const text_trim_start = (text) => text.replace(BLANKS_START, "");
const text_trim_end = (text) => text.replace(BLANKS_END, "");
const text_contains = (text, part) => text.includes(part);
const text_starts_with = (text, prefix) => text.startsWith(prefix);
const text_ends_with = (text, suffix) => text.endsWith(suffix);
const text_is_empty = (text) => text === "";
const text_remove_prefix = (text, prefix) => (text.startsWith(prefix) ? text.slice(prefix.length) : text);
const text_remove_suffix = (text, suffix) => (text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text);
const text_chars = (text) => new List("r", Array.from(text));
const text_split = (text, separator) => new List("r", separator === "" ? Array.from(text) : text.split(separator));
const text_words = (text) => new List("r", text.split(BLANKS).filter((word) => word !== ""));

function text_lines(text) {
  const lines = text.split("\n");
  const ended = lines.pop();
  const whole = lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  if (ended !== "") whole.push(ended);
  return new List("r", whole);
}

/** A position that counts from the end when negative, inside of 0 to the length. */
function clamped(position, length) {
  const from_start = position < 0 ? position + length : position;
  return from_start < 0 ? 0 : from_start > length ? length : from_start;
}

function text_part(text, from, to) {
  const all = characters(text);
  const end = to === null ? all.length : clamped(to, all.length);
  const part = all.slice(clamped(from, all.length), end);
  return typeof part === "string" ? part : part.join("");
}

const text_slice1 = (text, from) => text_part(text, from, null);
const text_slice2 = (text, from, to) => text_part(text, from, to);

/** The positions that `x[a:b:step]` asks for. */
function positions(length, start, end, step, at) {
  const bound = (value, name) => {
    if (value === null || typeof value === "number") return value;
    throw wrong(value, "int", name, "__slice", at);
  };
  const by = bound(step, "step") ?? 1;
  if (by === 0) throw raise("ArgumentError", "a slice cannot go in steps of 0", at);
  const [low, high] = by > 0 ? [0, length] : [-1, length - 1];
  const place = (n) => {
    const from_start = n < 0 ? n + length : n;
    return from_start < low ? low : from_start > high ? high : from_start;
  };
  const [first, last] = [bound(start, "start"), bound(end, "end")];
  const to = last === null ? (by > 0 ? high : low) : place(last);
  const found = [];
  for (let n = first === null ? (by > 0 ? low : high) : place(first); by > 0 ? n < to : n > to; n += by) found.push(n);
  return found;
}

function slice_text(text, start, end, step, at) {
  const all = characters(text);
  return positions(all.length, start, end, step, at)
    .map((n) => all[n])
    .join("");
}

function text_replace(text, old, fresh) {
  if (old === "") return text;
  const pieces = text.split(old);
  fits(text.length + pieces.length * fresh.length);
  return pieces.join(fresh);
}

function text_replace_first(text, old, fresh) {
  const found = old === "" ? -1 : text.indexOf(old);
  return found < 0 ? text : text.slice(0, found) + fresh + text.slice(found + old.length);
}

/** The character position of a unit position. */
function character_at(text, unit) {
  return unit <= 0 || is_simple(text) ? unit : text_length(text.slice(0, unit));
}

const text_index_of = (text, part) => character_at(text, text.indexOf(part));
const text_last_index_of = (text, part) => character_at(text, text.lastIndexOf(part));

function text_repeat(text, count) {
  if (count <= 0) return "";
  fits(text.length * count);
  return text.repeat(count);
}

function padding(text, length, filler) {
  const missing = length - text_length(text);
  if (missing <= 0 || filler === "") return "";
  fits(missing * 2);
  const all = Array.from(filler);
  let out = "";
  for (let n = 0; n < missing; n++) out += all[n % all.length];
  return out;
}

const text_pad_left1 = (text, length) => padding(text, length, " ") + text;
const text_pad_left2 = (text, length, filler) => padding(text, length, filler) + text;
const text_pad_right1 = (text, length) => text + padding(text, length, " ");
const text_pad_right2 = (text, length, filler) => text + padding(text, length, filler);

function text_capitalize(text) {
  const first = Array.from(text.slice(0, 2))[0] ?? "";
  return first.toUpperCase() + text.slice(first.length);
}

function text_title(text) {
  let out = "";
  let word = "";
  const end_word = () => {
    const first = Array.from(word.slice(0, 2))[0] ?? "";
    out += first.toUpperCase() + word.toLowerCase().slice(first.toLowerCase().length);
    word = "";
  };
  for (const c of text) {
    word += c;
    if (BLANK_ONE.test(c)) end_word();
  }
  end_word();
  return out;
}

const text_reverse = (text) => Array.from(text).reverse().join("");

function text_code_at(text, position) {
  const all = characters(text);
  const found = all[position < 0 ? position + all.length : position];
  return found === undefined ? null : found.codePointAt(0);
}

function text_from_code(code, at) {
  if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
    throw raise("ArgumentError", `${code} is no Unicode scalar value`, at);
  }
  return String.fromCodePoint(code);
}

function base64_encode(text) {
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}

function base64_decode(text) {
  const standard = trim(text).replaceAll("-", "+").replaceAll("_", "/");
  const digits = standard.replace(/=+$/, "");
  const padding = standard.length - digits.length;
  try {
    const bytes = atob(digits);
    const is_whole = padding === 0 || padding === (4 - (digits.length % 4)) % 4;
    if (/^[A-Za-z0-9+/]*$/.test(digits) && is_whole && btoa(bytes).replace(/=+$/, "") === digits) {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
    }
  } catch {
    // The server has the words for what is wrong.
  }
  return give_up("Base64 that is wrong");
}

const LETTER = "\\p{Alphabetic}\\p{N}";
const EMAIL_LOCAL = new RegExp(`^[${LETTER}!#$%&'*+\\-/=?^_\`{|}~.]+$`, "u");
const DOMAIN_LABEL = new RegExp(`^[${LETTER}\\-]+$`, "u");

/** Bytes of a text as UTF-8. */
function byte_length(text) {
  let count = 0;
  for (const c of text) {
    const code = c.codePointAt(0);
    count += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return count;
}

function is_domain(domain) {
  const label_fits = (label) => DOMAIN_LABEL.test(label) && byte_length(label) <= 63 && !label.startsWith("-") && !label.endsWith("-");
  return byte_length(domain) <= 253 && domain.split(".").every(label_fits);
}

function text_is_email(text) {
  const at = text.indexOf("@");
  if (at < 0) return false;
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  const local_fits =
    byte_length(local) <= 64 && !local.startsWith(".") && !local.endsWith(".") && !local.includes("..") && EMAIL_LOCAL.test(local);
  return local_fits && domain.includes(".") && is_domain(domain);
}

function text_is_url(text) {
  const scheme = /^https?:\/\//i.exec(text);
  if (scheme === null) return false;
  const rest = text.slice(scheme[0].length);
  if (BLANK_ONE.test(rest) || /[\u0000-\u001f\u007f-\u009f<>"{}|\\^`]/.test(rest)) return false;
  const host_port = rest.split(/[/?#]/, 1)[0].split("@").pop();
  if (host_port.startsWith("[")) return give_up("an address with an IPv6 host");
  const colon = host_port.indexOf(":");
  if (colon < 0) return is_domain(host_port);
  const port = host_port.slice(colon + 1);
  return is_domain(host_port.slice(0, colon)) && /^\+?\d+$/.test(port) && Number(port) > 0 && Number(port) < 65536;
}
