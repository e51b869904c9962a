// Numbers: checked ints, floats as IEEE 754 says, and how both are written and read. Here because the machine's ints have
// 64 bits and JavaScript's numbers 53. Must stay true: an int result that JavaScript cannot hold exactly gives up; none is
// ever -0; floats print as in JavaScript, but an integral one keeps `.0`.

const INT_MAX = Number.MAX_SAFE_INTEGER;

function add(a, b) {
  const sum = a + b;
  return sum <= INT_MAX && sum >= -INT_MAX ? sum : beyond();
}

function subtract(a, b) {
  const difference = a - b;
  return difference <= INT_MAX && difference >= -INT_MAX ? difference : beyond();
}

function multiply(a, b) {
  const product = a * b + 0;
  return product <= INT_MAX && product >= -INT_MAX ? product : beyond();
}

function no_division(a, sign, at) {
  return raise("DivisionByZero", `${a} ${sign} 0: an int cannot be divided by zero`, at);
}

function divide(a, b, at) {
  if (b === 0) throw no_division(a, "/", at);
  return Math.trunc(a / b) + 0;
}

function remainder(a, b, at) {
  if (b === 0) throw no_division(a, "%", at);
  return (a % b) + 0;
}

function power(base, exponent, at) {
  if (exponent < 0) {
    throw type_error(`${base} ** ${exponent}: a negative exponent needs a float, such as ${base}.0 ** ${exponent}`, at);
  }
  if (base === 0) return exponent === 0 ? 1 : 0;
  if (base === 1) return 1;
  if (base === -1) return exponent % 2 === 0 ? 1 : -1;
  let result = 1;
  for (let n = 0; n < exponent; n++) result = multiply(result, base);
  return result;
}

/** Only what is exact: the last digit of others may differ between machines. */
function float_pow(base, exponent) {
  if (exponent === 0 || base === 1) return 1;
  if (exponent === 1) return base;
  if (Number.isInteger(base) && Number.isInteger(exponent) && exponent > 0) {
    // Even powers have no sign, that of 0 included.
    if (base === 0) return exponent % 2 === 0 ? 0 : base;
    if (base === -1) return exponent % 2 === 0 ? 1 : -1;
    let result = 1;
    for (let n = 0; n < exponent && Math.abs(result) <= INT_MAX; n++) result *= base;
    if (Math.abs(result) <= INT_MAX) return result;
  }
  return give_up("a power of floats whose last digit may differ between machines");
}

function float_text(value) {
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function in_int(value, at) {
  if (value >= -9223372036854775808 && value < 9223372036854775808) {
    return Number.isSafeInteger(value) ? value + 0 : beyond();
  }
  throw raise("IntegerOverflow", `${float_text(value)} does not fit an int (64 bits)`, at);
}

/** The nearest whole number, halves away from 0. */
function rounded(value) {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

function any_rounded(value, round, row, at) {
  if (typeof value === "number") return value;
  if (value instanceof Float) return in_int(round(value.value), at);
  throw wrong(value, "a number", "value", row, at);
}

const int_floor = (value) => value;
const int_ceil = (value) => value;
const int_round = (value) => value;
const int_to_int = (value) => value;
const float_to_float = (value) => value;
const bool_to_int = (value) => (value ? 1 : 0);
const float_floor = (value, at) => in_int(Math.floor(value), at);
const float_ceil = (value, at) => in_int(Math.ceil(value), at);
const float_round = (value, at) => in_int(rounded(value), at);
const float_to_int = (value, at) => in_int(Math.trunc(value), at);
const any_floor = (value, at) => any_rounded(value, Math.floor, "floor", at);
const any_ceil = (value, at) => any_rounded(value, Math.ceil, "ceil", at);
const any_round = (value, at) => any_rounded(value, rounded, "round", at);
const int_abs = (value) => Math.abs(value);
const duration_abs = (value) => Math.abs(value);
const float_abs = (value) => Math.abs(value);
const float_sqrt = (value) => Math.sqrt(value);
const float_is_nan = (value) => Number.isNaN(value);
const int_min = (a, b) => Math.min(a, b);
const int_max = (a, b) => Math.max(a, b);
const float_min = (a, b) => Math.min(a, b);
const float_max = (a, b) => Math.max(a, b);
const int_sign = (value) => Math.sign(value);
const duration_sign = (value) => Math.sign(value);
const float_sign = (value) => (value > 0 ? 1 : value < 0 ? -1 : 0);
const int_pow = (base, exponent, at) => power(base, exponent, at);

function any_abs(value, at) {
  if (typeof value === "number") return Math.abs(value);
  if (value instanceof Float) return new Float(Math.abs(value.value));
  if (value instanceof Duration) return new Duration(Math.abs(value.ms));
  throw wrong(value, "a number", "value", "abs", at);
}

function any_sign(value, at) {
  if (typeof value === "number") return Math.sign(value);
  if (value instanceof Duration) return Math.sign(value.ms);
  if (value instanceof Float) return float_sign(value.value);
  throw wrong(value, "a number", "value", "sign", at);
}

/** Whether `a` is the one that `min` (wanted -1) or `max` (wanted 1) gives; NaN wins. */
function first_wins(a, b, wanted, at) {
  const found = order(a, b, at);
  return found === undefined ? a instanceof Float && Number.isNaN(a.value) : found !== -wanted;
}

function any_min(a, b, at) {
  return first_wins(a, b, -1, at) ? a : b;
}

function any_max(a, b, at) {
  return first_wins(a, b, 1, at) ? a : b;
}

function crossed(at) {
  return raise("ArgumentError", "clamp: the lower bound is above the upper one", at);
}

function int_clamp(value, low, high, at) {
  if (low > high) throw crossed(at);
  return value < low ? low : value > high ? high : value;
}

function float_clamp(value, low, high, at) {
  if (!(low <= high)) throw crossed(at);
  return value < low ? low : value > high ? high : value;
}

function any_clamp(value, low, high, at) {
  if (order(low, high, at) === 1) throw crossed(at);
  if (order(value, low, at) === -1) return low;
  return order(value, high, at) === 1 ? high : value;
}

function decimals(count, at) {
  if (count < 0 || count > 100) throw raise("ArgumentError", `${count} decimals are not possible, 0 to 100 are`, at);
  return count;
}

/** A float with so many decimals; exact halves go away from 0. */
function fixed(value, count) {
  if (!Number.isFinite(value)) return float_text(value);
  let text;
  if (Math.abs(value) < 1e21) text = value.toFixed(count);
  else text = BigInt(value).toString() + (count > 0 ? `.${"0".repeat(count)}` : "");
  return /^[-0.]*$/.test(text) ? text.replace("-", "") : text;
}

function int_fixed(value, count) {
  return count === 0 ? String(value) : `${value}.${"0".repeat(count)}`;
}

const float_format = (value, count, at) => fixed(value, decimals(count, at));
const int_format = (value, count, at) => int_fixed(value, decimals(count, at));

function float_round_to(value, count, at) {
  const text = fixed(value, decimals(count, at));
  return Number.isFinite(value) ? Number(text) : value;
}

function any_format(value, style, at) {
  const is_int = typeof style === "number";
  if (typeof value === "number" && is_int) return int_fixed(value, decimals(style, at));
  if (value instanceof Float && is_int) return fixed(value.value, decimals(style, at));
  if (value instanceof Time && typeof style === "string") return formatted(value.ms, style);
  if (typeof value === "number" || value instanceof Float) throw wrong(style, "int", "style", "format", at);
  if (value instanceof Time) throw wrong(style, "text", "style", "format", at);
  throw wrong(value, "a number or a time", "value", "format", at);
}

/** The int that a text spells; null for none. */
function spelled_int(text) {
  const trimmed = trim(text);
  if (!/^[+-]?\d+$/.test(trimmed)) return null;
  const value = Number(trimmed);
  if (Number.isSafeInteger(value)) return value + 0;
  const exact = BigInt(trimmed.replace("+", ""));
  return exact >= -9223372036854775808n && exact <= 9223372036854775807n ? beyond() : null;
}

/** The float that a text spells; undefined for none. */
function spelled_float(text) {
  const trimmed = trim(text);
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed) ? Number(trimmed) : undefined;
}

const text_to_int = (text) => spelled_int(text);
const text_is_numeric = (text) => spelled_float(text) !== undefined;

function text_to_float(text) {
  const value = spelled_float(text);
  return value === undefined ? null : new Float(value);
}

function any_to_int(value, at) {
  if (value === null || typeof value === "number") return value;
  if (value instanceof Float) return in_int(Math.trunc(value.value), at);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "string") return spelled_int(value);
  throw wrong(value, "a number, bool or text", "value", "to_int", at);
}

function any_to_float(value, at) {
  if (value === null || value instanceof Float) return value;
  if (typeof value === "number") return new Float(value);
  if (typeof value === "string") return text_to_float(value);
  throw wrong(value, "a number or text", "value", "to_float", at);
}
