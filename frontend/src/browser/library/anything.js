// Values whose type is known only at run time: checks, truth, equality, order, arithmetic, access by name and position,
// printing. Here because an `any` does what its value does. Must stay true: the sentences of errors are the machine's.

/** Most values that one comparison looks at. */
const STEPS_MAX = 1_000_000;

function as_int(value, at) {
  if (typeof value === "number") return value;
  throw expected("int", value, at);
}

function as_float(value, at) {
  if (value instanceof Float) return value.value;
  if (typeof value === "number") return value;
  throw expected("float", value, at);
}

function as_bool(value, at) {
  if (typeof value === "boolean") return value;
  throw expected("bool", value, at);
}

function as_time(value, at) {
  if (value instanceof Time) return value.ms;
  throw expected("time", value, at);
}

function as_duration(value, at) {
  if (value instanceof Duration) return value.ms;
  throw expected("duration", value, at);
}

/** The value, which must be of a type; deep containers by kind and class only. */
function as_type(value, type, at) {
  if (has_kind(value, type, at) && !is_scalar(value)) return value;
  let message = `expected ${wanted_words(type)}, found ${found_name(value)}`;
  const list = type.is === "optional" ? type.of : type;
  if (list.is === "list" && value instanceof List) {
    for (let n = 0; n < value.items.length; n++) {
      const one = element(value, n);
      if (!conforms(one, list.of, false, 0, at)) {
        message += ` whose element ${n} is ${found_name(one)}`;
        break;
      }
    }
  }
  throw raise("TypeError", message, at, true);
}

function wanted_words(type) {
  if (type.is === "any" || (type.is === "list" && type.of.is === "any")) return "list";
  return type.is === "map" && type.of.is === "any" ? "map" : describe(type, 4);
}

function has_kind(value, type, at) {
  switch (type.is) {
    case "text":
      return typeof value === "string";
    case "optional":
      return value === null || has_kind(value, type.of, at);
    case "list":
      return value instanceof List && list_has_class(value, type, at);
    case "map":
      return value instanceof Rec;
    case "record":
      return value instanceof Rec && (value.shape === type.shape || conforms(value, type, false, 0, at));
    case "tuple":
      return value instanceof Tuple && value.items.length === type.of.length;
    case "union":
      return type.of.some((one) => has_kind(value, one, at));
    default:
      return conforms(value, type, false, 0, at);
  }
}

/** A list is given the class that typed code expects, if all of its elements fit and nobody sees another value. */
function list_has_class(list, type, at) {
  if (list.cls === type.cls || (list.cls === "i" && type.cls === "f")) return true;
  const values = elements(list);
  if (!values.every((value) => conforms(value, type.of, false, 0, at))) return false;
  if (type.cls === "f" && values.some((value) => typeof value === "number")) return true;
  const forms = values.map((value) => unboxed(type.cls, value));
  if (forms.some((form) => form === undefined)) return false;
  if (list.mark !== epoch) touch(list);
  list.cls = type.cls;
  list.items = forms;
  return true;
}

function is_type(value, type, at) {
  return conforms(value, type, true, 0, at);
}

/** Whether a value is of a type, elements included; if not strict, an int may stand for a float. */
function conforms(value, type, strict, level, at) {
  if (level > DEPTH_MAX) throw too_deep("check the type of this value", at);
  const fits = (one, of) => conforms(one, of, strict, level + 1, at);
  switch (type.is) {
    case "any":
      return true;
    case "none":
      return value === null;
    case "int":
      return typeof value === "number";
    case "float":
      return value instanceof Float || (!strict && typeof value === "number");
    case "bool":
      return typeof value === "boolean";
    case "text":
      return typeof value === "string";
    case "time":
      return value instanceof Time;
    case "duration":
      return value instanceof Duration;
    case "error":
      return value instanceof Err;
    case "function":
      return value instanceof Closure;
    case "range":
      return value instanceof Range;
    case "entity":
      return value instanceof Link && value.type === type.of;
    case "enum":
      return value instanceof Enum && value.of === type.of;
    case "optional":
      return value === null || fits(value, type.of);
    case "union":
      return type.of.some((one) => fits(value, one));
    case "list":
      return value instanceof List && elements_conform(value, type.of, fits);
    case "map":
      return value instanceof Rec && (type.of.is === "any" || map_entries_of(value).every(([, one]) => fits(one, type.of)));
    case "record":
      if (!(value instanceof Rec)) return false;
      return value.shape === type.shape || type.shape.names.every((name, n) => fits(map_find(value, name, at) ?? null, type.of[n]));
    case "tuple":
      return value instanceof Tuple && value.items.length === type.of.length && type.of.every((of, n) => fits(value.items[n], of));
    default:
      return false;
  }
}

const WHOLE_CLASSES = { int: "i", float: "f", bool: "b" };

function elements_conform(list, of, fits) {
  if (of.is === "any" || WHOLE_CLASSES[of.is] === list.cls) return true;
  for (let n = 0; n < list.items.length; n++) {
    if (!fits(element(list, n), of)) return false;
  }
  return true;
}

/** The type in the words of the language. */
function describe(type, levels) {
  if (levels === 0) return "…";
  const inner = (of) => describe(of, levels - 1);
  switch (type.is) {
    case "list":
      return `[${inner(type.of)}]`;
    case "map":
      return `[text:${inner(type.of)}]`;
    case "record":
      return `{ ${type.shape.names.map((name, n) => `${name}: ${inner(type.of[n])}`).join(", ")} }`;
    case "tuple":
      return `(${type.of.map(inner).join(", ")})`;
    case "optional":
      return `${inner(type.of)}?`;
    case "union":
      return type.of.map(inner).join(" | ");
    case "entity":
      return type.of;
    case "enum":
      return type.of.name;
    default:
      return type.is;
  }
}

function truthy(value) {
  if (value === null || value === false || value === 0 || value === "") return false;
  if (value instanceof Float) return value.value !== 0;
  if (value instanceof List) return value.items.length !== 0;
  return !(value instanceof Rec) || map_size(value) !== 0;
}

function equal(a, b, at) {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return equal_in(a, b, { level: 0, steps: 0, at });
}

function walk_in(walk) {
  if (++walk.level > DEPTH_MAX) throw too_deep("compare", walk.at);
}

function equal_in(a, b, walk) {
  if (++walk.steps > STEPS_MAX) give_up("a very long comparison");
  if (typeof a === "number" || a instanceof Float) {
    const [x, y] = [number_in(a), number_in(b)];
    return x === y && y !== undefined;
  }
  if (a instanceof Time) return b instanceof Time && a.ms === b.ms;
  if (a instanceof Duration) return b instanceof Duration && a.ms === b.ms;
  if (a instanceof List) return b instanceof List && equal_lists(a, b, walk);
  if (a instanceof Rec) return b instanceof Rec && equal_maps(a, b, walk);
  if (a instanceof Tuple) return b instanceof Tuple && equal_items(a.items, b.items, walk);
  if (a instanceof Enum) return b instanceof Enum && a.of === b.of && a.variant === b.variant && equal_items(a.items, b.items, walk);
  if (a instanceof Range) return b instanceof Range && a.start === b.start && a.end === b.end && a.inclusive === b.inclusive;
  if (a instanceof Link) return b instanceof Link && a.type === b.type && a.id === b.id;
  return a === b;
}

function number_in(value) {
  return typeof value === "number" ? value : value instanceof Float ? value.value : undefined;
}

function equal_items(a, b, walk) {
  if (a.length !== b.length) return false;
  walk_in(walk);
  const same = a.every((value, n) => equal_in(value, b[n], walk));
  walk.level--;
  return same;
}

function equal_lists(a, b, walk) {
  walk_in(walk);
  let same = a.items.length === b.items.length;
  for (let n = 0; same && n < a.items.length; n++) same = equal_in(element(a, n), element(b, n), walk);
  walk.level--;
  return same;
}

function equal_maps(a, b, walk) {
  walk_in(walk);
  let same = map_size(a) === map_size(b);
  if (same) {
    same = map_entries_of(a).every(([key, value]) => {
      const other = map_find(b, key, walk.at);
      return other !== undefined && equal_in(value, other, walk);
    });
  }
  walk.level--;
  return same;
}

/** -1, 0 or 1; undefined if NaN is involved. */
function order(a, b, at) {
  return order_in(a, b, { level: 0, steps: 0, at });
}

function compared(x, y) {
  return x < y ? -1 : x > y ? 1 : x === y ? 0 : undefined;
}

function order_in(a, b, walk) {
  if (++walk.steps > STEPS_MAX) give_up("a very long comparison");
  const [x, y] = [number_in(a), number_in(b)];
  if (x !== undefined && y !== undefined) return compared(x, y);
  if (typeof a === "string" && typeof b === "string") return text_order(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return a - b;
  if ((a instanceof Time && b instanceof Time) || (a instanceof Duration && b instanceof Duration)) return compared(a.ms, b.ms);
  if (a instanceof List && b instanceof List) return order_items(elements(a), elements(b), walk);
  if (a instanceof Tuple && b instanceof Tuple) return order_items(a.items, b.items, walk);
  if (a instanceof Enum && b instanceof Enum && a.of === b.of) return compared(a.variant, b.variant);
  throw type_error(`${type_name(a)} and ${type_name(b)} have no order`, walk.at);
}

function order_items(a, b, walk) {
  walk_in(walk);
  for (let n = 0; n < Math.min(a.length, b.length); n++) {
    const found = order_in(a[n], b[n], walk);
    if (found !== 0) {
      walk.level--;
      return found;
    }
  }
  walk.level--;
  return compared(a.length, b.length);
}

const less = (a, b, at) => order(a, b, at) === -1;
const at_most = (a, b, at) => order(a, b, at) <= 0;

function no_operation(a, sign, b, at) {
  return type_error(`${type_name(a)} ${sign} ${type_name(b)} is not possible`, at);
}

/** Two numbers, at least one of them a float; else undefined. */
function floats(a, b) {
  if (!(a instanceof Float || b instanceof Float)) return undefined;
  const [x, y] = [number_in(a), number_in(b)];
  return x === undefined || y === undefined ? undefined : [x, y];
}

function plus(a, b, at) {
  if (typeof a === "number" && typeof b === "number") return add(a, b);
  if (typeof a === "string" || typeof b === "string") return to_text(a, at) + to_text(b, at);
  if (a instanceof List && b instanceof List) return joined_lists(a, b);
  if (a instanceof Time && b instanceof Duration) return new Time(add(a.ms, b.ms));
  if (a instanceof Duration && b instanceof Time) return new Time(add(a.ms, b.ms));
  if (a instanceof Duration && b instanceof Duration) return new Duration(add(a.ms, b.ms));
  const pair = floats(a, b);
  if (pair === undefined) throw no_operation(a, "+", b, at);
  return new Float(pair[0] + pair[1]);
}

function minus(a, b, at) {
  if (typeof a === "number" && typeof b === "number") return subtract(a, b);
  if ((a instanceof Time && b instanceof Time) || (a instanceof Duration && b instanceof Duration)) {
    return new Duration(subtract(a.ms, b.ms));
  }
  if (a instanceof Time && b instanceof Duration) return new Time(subtract(a.ms, b.ms));
  const pair = floats(a, b);
  if (pair === undefined) throw no_operation(a, "-", b, at);
  return new Float(pair[0] - pair[1]);
}

function scaled_duration(ms, at) {
  if (Math.abs(ms) < 9e18) return new Duration(in_int(rounded(ms), at));
  throw raise("IntegerOverflow", "this duration is too long", at);
}

function times(a, b, at) {
  if (typeof a === "number" && typeof b === "number") return multiply(a, b);
  if (a instanceof Duration && typeof b === "number") return new Duration(multiply(a.ms, b));
  if (b instanceof Duration && typeof a === "number") return new Duration(multiply(a, b.ms));
  if (a instanceof Duration && b instanceof Float) return scaled_duration(a.ms * b.value, at);
  if (b instanceof Duration && a instanceof Float) return scaled_duration(a.value * b.ms, at);
  const pair = floats(a, b);
  if (pair === undefined) throw no_operation(a, "*", b, at);
  return new Float(pair[0] * pair[1]);
}

function over(a, b, at) {
  if (typeof a === "number" && typeof b === "number") return divide(a, b, at);
  if (a instanceof Duration && typeof b === "number") return new Duration(divide(a.ms, b, at));
  if (a instanceof Duration && b instanceof Float) return scaled_duration(a.ms / b.value, at);
  if (a instanceof Duration && b instanceof Duration) return new Float(a.ms / b.ms);
  const pair = floats(a, b);
  if (pair === undefined) throw no_operation(a, "/", b, at);
  return new Float(pair[0] / pair[1]);
}

function modulo(a, b, at) {
  if (typeof a === "number" && typeof b === "number") return remainder(a, b, at);
  const pair = floats(a, b);
  if (pair === undefined) throw no_operation(a, "%", b, at);
  return new Float(pair[0] % pair[1]);
}

function to_power(a, b, at) {
  if (typeof a === "number" && typeof b === "number") return power(a, b, at);
  const pair = floats(a, b);
  if (pair === undefined) throw no_operation(a, "**", b, at);
  return new Float(float_pow(pair[0], pair[1]));
}

const any_pow = (a, b, at) => to_power(a, b, at);

function negated(a, at) {
  if (typeof a === "number") return 0 - a;
  if (a instanceof Float) return new Float(-a.value);
  if (a instanceof Duration) return new Duration(0 - a.ms);
  throw expected("a number", a, at);
}

function no_field(what, name, at) {
  return type_error(`${what} has no field \`${name}\``, at);
}

function member(value, name, at) {
  if (value instanceof Rec) return map_find(value, name, at) ?? null;
  if (value instanceof Err) return error_member(value, name, at);
  if (value instanceof Range && (name === "start" || name === "end")) return value[name];
  if (value instanceof List && name === "len") return value.items.length;
  if (typeof value === "string" && name === "len") return text_length(value);
  if (value instanceof Link) return name === "id" ? value.id : give_up("a field of a record");
  throw no_field(type_name(value), name, at);
}

function error_member(error, name, at) {
  if (["kind", "message", "entity", "field", "rule", "cause", "line", "column"].includes(name)) return error[name];
  if (name === "file") return SOURCE_NAME;
  if (name !== "trace") throw no_field("error", name, at);
  const maps = error.trace.map(([called, line, column]) => {
    const map = dictionary();
    const place = line === 0 ? [null, null, null] : [SOURCE_NAME, line, column];
    ["function", "file", "line", "column"].forEach((key, n) => map.entries.set(key, [key, [called, ...place][n]]));
    return map;
  });
  return new List("a", maps);
}

function set_member(value, name, fresh, at) {
  if (value instanceof Rec) return map_put(value, name, fresh, at);
  if (value instanceof Link) return give_up("a field of a record");
  throw type_error(`fields of ${type_name(value)} cannot be set`, at);
}

function at_index(base, key, at) {
  if (base instanceof Rec) return map_find(base, key, at) ?? null;
  const is_text = typeof base === "string";
  if (is_text || base instanceof List || base instanceof Tuple) {
    if (typeof key !== "number") throw expected("an int as position", key, at);
    if (is_text) return text_index(base, key, at);
    const count = base.items.length;
    const place = key < 0 ? key + count : key;
    if (!(place >= 0 && place < count)) throw no_position(type_name(base), key, count, "element", at);
    return base instanceof List ? element(base, place) : base.items[place];
  }
  throw type_error(`${type_name(base)} has no elements to be read with [ ]`, at);
}

function set_index(base, key, value, at) {
  if (base instanceof Rec) return map_put(base, key, value, at);
  if (base instanceof List) {
    if (typeof key !== "number") throw expected("an int as position", key, at);
    return set_item(base, "a", key, value, at);
  }
  throw type_error(`elements of ${type_name(base)} cannot be set`, at);
}

function to_text(value, at) {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : inside_text(value, at);
}

/** A text in quotes, with the escapes of a FLIN program. */
function quoted(text) {
  const escapes = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  return `"${text.replace(/["\\\u0000-\u001f\u007f-\u009f]/g, (c) => escapes[c] ?? `\\u{${c.charCodeAt(0).toString(16)}}`)}"`;
}

const NAME = /^[\p{Alphabetic}_][\p{Alphabetic}\p{N}_]*$/u;

/** A value as it is printed inside of another one. */
function inside_text(value) {
  const printer = { path: [], steps: 0 };
  return printed_in(value, printer);
}

function printed_in(value, printer) {
  if (++printer.steps > STEPS_MAX) give_up("a very long text");
  if (value === null) return "none";
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof Float) return float_text(value.value);
  if (value instanceof Time) return time_text(value.ms);
  if (value instanceof Duration) return duration_text(value.ms);
  if (value instanceof Range) return `${value.start}${value.inclusive ? "..=" : ".."}${value.end}`;
  if (value instanceof Err) return `${value.kind}: ${value.message}`;
  if (value instanceof Closure) return `<function ${value.code.name}>`;
  if (value instanceof Link) return give_up("the text of a record");
  if (printer.path.length >= DEPTH_MAX || printer.path.includes(value)) return "[…]";
  printer.path.push(value);
  const text = printed_parts(value, printer);
  printer.path.pop();
  return text;
}

function printed_parts(value, printer) {
  const all = (values) => values.map((one) => printed_in(one, printer)).join(", ");
  if (value instanceof List) return `[${all(elements(value))}]`;
  if (value instanceof Tuple) return `(${all(value.items)})`;
  if (value instanceof Enum) {
    const name = value.of.variants[value.variant][0];
    return value.items.length === 0 ? name : `${name}(${all(value.items)})`;
  }
  if (!(value instanceof Rec)) return "<variable>";
  const entries = map_entries_of(value).map(([key, one]) => {
    const name = typeof key === "string" && NAME.test(key) ? key : printed_in(key, printer);
    return `${name}: ${printed_in(one, printer)}`;
  });
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

function any_contains(whole, value, at) {
  if (typeof whole === "string") {
    if (typeof value !== "string") throw wrong(value, "text", "value", "contains", at);
    return whole.includes(value);
  }
  if (whole instanceof List) return position_of(whole, value, at) >= 0;
  if (whole instanceof Rec) return map_find(whole, value, at) !== undefined;
  if (whole instanceof Range) return typeof value === "number" && in_range(whole, value);
  if (whole instanceof Tuple) return whole.items.some((one) => equal(one, value, at));
  throw wrong(whole, "a text, list, map or range", "whole", "contains", at);
}

function any_index_of(whole, value, at) {
  if (typeof whole === "string") {
    if (typeof value !== "string") throw wrong(value, "text", "value", "index_of", at);
    return text_index_of(whole, value);
  }
  if (whole instanceof List || whole instanceof Range) return position_of(as_list(whole, "whole", "index_of", at), value, at);
  throw wrong(whole, "a text or list", "whole", "index_of", at);
}

function any_slice1(value, from, at) {
  if (typeof value === "string") return text_part(value, from, null);
  if (value instanceof List || value instanceof Range) return list_slice1(value, from, at);
  throw wrong(value, "a text or list", "value", "slice", at);
}

function any_slice2(value, from, to, at) {
  if (typeof value === "string") return text_part(value, from, to);
  if (value instanceof List || value instanceof Range) return list_slice2(value, from, to, at);
  throw wrong(value, "a text or list", "value", "slice", at);
}

function slice_any(value, start, end, step, at) {
  if (typeof value === "string") return slice_text(value, start, end, step, at);
  if (value instanceof List || value instanceof Range) return slice_list(value, start, end, step, at);
  if (value instanceof Tuple) return new Tuple(positions(value.items.length, start, end, step, at).map((n) => value.items[n]));
  throw wrong(value, "a text or list", "value", "__slice", at);
}

function any_reverse(value, at) {
  if (typeof value === "string") return text_reverse(value);
  if (value instanceof List || value instanceof Range) return list_reverse(value, at);
  throw wrong(value, "a text or list", "value", "reverse", at);
}

/** Length of what has one, else undefined. */
function any_length(value) {
  if (typeof value === "string") return text_length(value);
  if (value instanceof List || value instanceof Tuple) return value.items.length;
  if (value instanceof Rec) return map_size(value);
  return value instanceof Range ? range_count(value) : undefined;
}

function any_len(value, at) {
  const found = any_length(value);
  if (found === undefined) throw wrong(value, "a text, list, map, tuple or range", "value", "len", at);
  return found;
}

function any_is_empty(value, at) {
  const found = value === null ? 0 : any_length(value);
  if (found === undefined) throw wrong(value, "a text, list, map or range", "value", "is_empty", at);
  return found === 0;
}

function any_clear(value, at) {
  if (value instanceof List) return list_clear(value, at);
  if (value instanceof Rec) return map_clear(value, at);
  throw wrong(value, "a list or map", "value", "clear", at);
}

function any_clone(value) {
  if (value instanceof List) return part_of(value, 0, Infinity);
  return value instanceof Rec ? copy_map(value) : value;
}

const tuple_new = (list) => new Tuple(elements(list).slice());

function tuple_names(value, names, at) {
  if (value instanceof Tuple && value.items.length !== names) {
    throw type_error(`the tuple has ${value.items.length} members, but ${names} names take it apart`, at);
  }
}

const enum_new = (of, variant, data) => new Enum(ENUMS[of], variant, elements(data).slice());
const enum_variant = (value, of) => (value instanceof Enum && value.of === ENUMS[of] ? value.variant : -1);

function enum_data(value, place, at) {
  if (!(value instanceof Enum)) throw wrong(value, "an enum value", "value", "__enum_data", at);
  if (place < 0 || place >= value.items.length) {
    throw type_error(`piece ${place} of an enum value with ${value.items.length} pieces of data`, at);
  }
  return value.items[place];
}

const type_of = (value) => found_name(value);
