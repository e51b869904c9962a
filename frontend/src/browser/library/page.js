// What a page's module does for the browser runtime: runs code as one unit, reads and writes the values that travel. Here
// because only this side knows the values. Must stay true: what fails or gives up has changed nothing; the wire form is that
// of the server (`_int _float _time _duration _entity _enum` for what JSON cannot say).

/** Why code stopped, in words; null for a fault of ours. */
function reason_of(raised) {
  if (raised instanceof GiveUp) return raised.reason;
  // The stack or the memory of JavaScript is used up.
  if (raised instanceof RangeError) return "more than JavaScript can hold";
  return null;
}

function error_parts({ kind, message, entity, field, rule, line, column }) {
  return { kind, message, entity, field, rule, line, column };
}

/** Runs code as one unit: all that it changed in page state stays, or nothing. */
function attempt(run) {
  const before = STATE.map((variable) => variable.get());
  const outer = journal;
  [journal, fuel, depth] = [[], FUEL_MAX, 0];
  const since = ++epoch;
  try {
    const ok = run();
    const marked = journal.length > 0;
    const changed = STATE.filter((variable, n) => variable.get() !== before[n] || (marked && was_touched(variable.get(), since)));
    return { ok, changed: changed.map((variable) => variable.name) };
  } catch (raised) {
    for (const undo of journal.reverse()) undo();
    STATE.forEach((variable, n) => variable.set(before[n]));
    if (raised instanceof Err) return { error: error_parts(raised) };
    const reason = reason_of(raised);
    // The server does it, and the console has it.
    if (reason === null) console.error(raised);
    return { gaveUp: reason ?? String(raised) };
  } finally {
    journal = outer;
    epoch++;
  }
}

/** Whether an object or one inside of it was made or changed in a run or later; what is not known to keep still counts as changed. */
function was_touched(value, since, level = 0) {
  if (value === null || typeof value !== "object") return false;
  if (value.mark >= since || level > DEPTH_MAX) return true;
  if (value instanceof Rec) return value.shape === null ? some_touched([...value.entries.values()].flat(), since, level) : some_touched(value.fields, since, level);
  if (value instanceof List) return (value.cls === "r" || value.cls === "a") && some_touched(value.items, since, level);
  if (value instanceof Tuple || value instanceof Enum) return some_touched(value.items, since, level);
  return value instanceof Cell || value instanceof Closure || value instanceof Err;
}

function some_touched(values, since, level) {
  for (const value of values) if (value !== null && typeof value === "object" && was_touched(value, since, level + 1)) return true;
  return false;
}

/** A value to wire JSON. */
function encode(value, level = 0) {
  if (level > DEPTH_MAX) give_up("a value that is nested too deep");
  if (value === null || typeof value !== "object") return value;
  const inner = (one) => encode(one, level + 1);
  if (value instanceof Float) return Number.isInteger(value.value) ? tagged_float(value.value) : float_json(value.value);
  if (value instanceof Time) return { _time: time_text(value.ms) };
  if (value instanceof Duration) return { _duration: value.ms };
  if (value instanceof List) return elements(value).map(inner);
  if (value instanceof Tuple) return value.items.map(inner);
  if (value instanceof Link) return { _entity: true, type: value.type, id: value.id, ...value.more };
  if (value instanceof Enum) return { _enum: value.of.name, variant: value.of.variants[value.variant][0], data: value.items.map(inner) };
  if (value instanceof Rec) return encode_map(map_entries_of(value).map(([key, one]) => [to_text(key, ""), inner(one)]));
  throw type_error(`a ${type_name(value)} cannot be sent to the page`, "");
}

/** A map is an object, or a tag with its entries where an object would lose their order: its keys that look like positions come first. */
function encode_map(entries) {
  const map = Object.fromEntries(entries);
  const names = Object.keys(map);
  const keeps = names.length === entries.length && entries.every(([key], n) => key === names[n]);
  return keeps && wire_entries(map) !== map._map ? map : { _map: entries };
}

/** The entries of a map that travelled; none if it is no map. */
function wire_entries(json) {
  const entries = Object.entries(json);
  const is_tagged = entries.length === 1 && entries[0][0] === "_map" && Array.isArray(json._map) && json._map.every((entry) => Array.isArray(entry) && entry.length === 2 && typeof entry[0] === "string");
  return is_tagged ? json._map : entries;
}

/** A float as text. JSON has no whole floats: where the type is not known, the tag says that it is one. */
function tagged_float(value) {
  return { _float: Object.is(value, -0) ? "-0" : String(value) };
}

/** A float as a number, if JSON has it: it has no infinities, and loses the sign of 0. */
function float_json(value) {
  return Number.isFinite(value) && !Object.is(value, -0) ? value : tagged_float(value);
}

/** A variable's own form to wire JSON: scalars of known type are bare. */
function encode_as(type, value) {
  if (type.is === "float") return float_json(value);
  if (type.is === "time") return { _time: time_text(value) };
  if (type.is === "duration") return { _duration: value };
  return encode(value);
}

function misfit(what, json) {
  const found = json === null ? "null" : Array.isArray(json) ? "a list" : typeof json;
  return type_error(`expected ${what}, found ${found}`, "");
}

/** Wire JSON to a value of a type, in the form that a variable of that type has. */
function decode(type, json) {
  const value = decode_any(type, json);
  if (type.is === "float" || type.is === "time" || type.is === "duration") return value instanceof Float ? value.value : value.ms;
  return value;
}

function decode_any(type, json) {
  const is_object = json !== null && typeof json === "object" && !Array.isArray(json);
  switch (type.is) {
    case "any":
      return decode_untyped(json);
    case "none":
      if (json === null) return null;
      break;
    case "bool":
      if (typeof json === "boolean") return json;
      break;
    case "text":
      if (typeof json === "string") return json;
      break;
    case "int":
      return wire_int(json);
    case "float":
      return new Float(wire_float(json));
    case "time":
      return new Time(wire_time(json));
    case "duration":
      if (is_object && Number.isSafeInteger(json._duration)) return new Duration(json._duration);
      if (Number.isSafeInteger(json)) return new Duration(json);
      break;
    case "list":
      if (Array.isArray(json)) return decode_list(type, json);
      break;
    case "map":
      if (is_object) return decode_map(json, (one) => decode_any(type.of, one));
      break;
    case "record":
      if (is_object) return decode_record(type, Object.fromEntries(wire_entries(json)));
      break;
    case "tuple":
      if (Array.isArray(json) && json.length === type.of.length) return new Tuple(type.of.map((of, n) => decode_any(of, json[n])));
      break;
    case "entity":
      if (is_object && json._entity === true && json.type === type.of) return decode_link(json);
      break;
    case "enum":
      return decode_enum(type.of, json);
    case "optional":
      return json === null ? null : decode_any(type.of, json);
    case "union":
      for (const of of type.of) {
        try {
          return decode_any(of, json);
        } catch (raised) {
          if (!(raised instanceof Err)) throw raised;
        }
      }
      break;
    default:
  }
  throw misfit(describe(type, 4), json);
}

function decode_record(type, json) {
  return new Rec(type.shape, type.shape.names.map((name, n) => decode_field(type, n, Object.hasOwn(json, name) ? json[name] : null)), null);
}

/** A field of a record, in the form that its slot has. */
function decode_field(type, slot, json) {
  const form = unboxed(type.shape.classes[slot], decode_any(type.of[slot], json));
  if (form === undefined) throw misfit(describe(type.of[slot], 4), json);
  return form;
}

function decode_list(type, json) {
  return new List(
    type.cls,
    json.map((one) => {
      const form = unboxed(type.cls, decode_any(type.of, one));
      if (form === undefined) throw misfit(describe(type.of, 4), one);
      return form;
    }),
  );
}

function decode_map(json, read) {
  const map = dictionary();
  for (const [key, one] of wire_entries(json)) map_put(map, key, read(one), "");
  return map;
}

function decode_link({ type, id, _entity, ...more }) {
  return new Link(type, id, more);
}

function decode_enum(of, json) {
  const is_name = typeof json === "string";
  const name = is_name ? json : json?.variant;
  const data = is_name ? [] : (json?.data ?? []);
  const variant = of.variants.findIndex(([known]) => known === name);
  if (variant < 0 || !Array.isArray(data) || data.length !== of.variants[variant][1].length) throw misfit(`a ${of.name}`, json);
  return new Enum(of, variant, data.map((one, n) => decode_any(of.variants[variant][1][n], one)));
}

function wire_int(json) {
  if (Number.isSafeInteger(json)) return json + 0;
  if (json !== null && typeof json === "object" && typeof json._int === "string") {
    const value = Number(json._int);
    return Number.isSafeInteger(value) ? value : beyond();
  }
  if (typeof json === "number" && Number.isInteger(json)) return beyond();
  throw misfit("a whole number", json);
}

function wire_float(json) {
  if (typeof json === "number") return json;
  const named = json !== null && typeof json === "object" ? (json._float ?? json._int) : undefined;
  if (typeof named === "string" && named !== "") return Number(named);
  throw misfit("a number", json);
}

function wire_time(json) {
  const text = typeof json === "string" ? json : json?._time;
  const ms = typeof text === "string" ? parsed_time(text) : null;
  if (ms === null) throw misfit("a time", json);
  return ms;
}

function decode_untyped(json) {
  if (json === null || typeof json === "boolean" || typeof json === "string") return json;
  if (typeof json === "number") return Number.isInteger(json) ? wire_int(json) : new Float(json);
  if (Array.isArray(json)) return list_of(json.map(decode_untyped));
  const [tag] = Object.keys(json);
  if (tag === "_int") return wire_int(json);
  if (tag === "_float") return new Float(wire_float(json));
  if (tag === "_time") return new Time(wire_time(json));
  if (tag === "_duration") return new Duration(json._duration);
  if (tag === "_entity") return decode_link(json);
  if (tag === "_enum") {
    const of = ENUMS.find((known) => known.name === json._enum);
    if (of === undefined) throw misfit("a value of the program's enums", json);
    return decode_enum(of, json);
  }
  return decode_map(json, decode_untyped);
}

/** Counts the walks through page state. */
let walks = 0;

/** Brings page state to what it would be if it had come back from a page: no object stands in two places, keys of maps are texts. */
function settle_state() {
  walks++;
  for (const variable of STATE) {
    const value = variable.get();
    const own = settled(value, 0);
    if (own !== value) variable.set(own);
  }
}

/** A value in which everything stands once; itself, unless it stands elsewhere. */
function settled(value, level) {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Tuple || value instanceof Enum) {
    const items = value.items.map((one) => settled(one, level + 1));
    if (items.every((one, n) => one === value.items[n])) return value;
    return value instanceof Tuple ? new Tuple(items) : new Enum(value.of, value.variant, items);
  }
  if (!(value instanceof List || value instanceof Rec) || value.walk === walks || level > DEPTH_MAX) return copied(value, level);
  value.walk = walks;
  if (value instanceof List) {
    if (value.cls === "r" || value.cls === "a") settle_all(value, value.items, level);
  } else if (value.shape !== null) settle_all(value, value.fields, level);
  else if ([...value.entries.values()].some(([key, one]) => typeof key !== "string" || (one !== null && typeof one === "object"))) {
    if (value.mark !== epoch) touch(value);
    const entries = map_entries_of(value);
    value.entries = new Map();
    for (const [key, one] of entries) map_put(value, to_text(key, ""), settled(one, level + 1), "");
  }
  return value;
}

function settle_all(owner, values, level) {
  for (let n = 0; n < values.length; n++) {
    const value = values[n];
    if (value === null || typeof value !== "object") continue;
    const own = settled(value, level + 1);
    if (own === value) continue;
    if (owner.mark !== epoch) touch(owner);
    values[n] = own;
  }
}

/** A copy of a value, as the server gets it. */
function copied(value, level) {
  if (value === null || typeof value !== "object") return value;
  if (level > DEPTH_MAX) give_up("a value that is nested too deep");
  const inner = (one) => copied(one, level + 1);
  if (value instanceof List) return new List(value.cls, value.items.map(inner));
  if (value instanceof Tuple) return new Tuple(value.items.map(inner));
  if (value instanceof Enum) return new Enum(value.of, value.variant, value.items.map(inner));
  if (value instanceof Rec && value.shape !== null) return new Rec(value.shape, value.fields.map(inner), null);
  if (value instanceof Rec) {
    const map = dictionary();
    for (const [key, one] of map_entries_of(value)) map_put(map, to_text(key, ""), inner(one), "");
    return map;
  }
  if (value instanceof Closure || value instanceof Range || value instanceof Err || value instanceof Cell) give_up("a value that cannot travel");
  return value;
}

/** Calls a handler with values as they are in an `any`, or in the form of a variable: with copies, for they are what was shown. */
function run_handler(run, classes, args) {
  const forms = args.slice(0, classes.length).map((value, n) => {
    const form = unboxed(classes[n], copied(value, 0));
    return form === undefined ? give_up("an argument of another type") : form;
  });
  if (forms.length < classes.length) give_up("an argument is missing");
  derive();
  const before = STATE.map((variable) => variable.get());
  run(...forms, "");
  const is_object = (value) => value !== null && typeof value === "object";
  if (journal.length > 0 || STATE.some((variable, n) => is_object(variable.get()) && variable.get() !== before[n])) settle_state();
}
