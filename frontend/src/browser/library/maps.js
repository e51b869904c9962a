// Maps: records of a fixed shape and dictionaries in insertion order. Here because a record becomes a dictionary in place
// when a key comes that its shape has not, exactly as in the machine. Must stay true: keys are the same when `==` says so
// for scalars; objects with identity are keys by identity; who changes a map touches it.

/** What JavaScript's Map compares for a key. */
function key_of(key, at) {
  switch (typeof key) {
    case "string":
      return key.charCodeAt(0) === 0 ? `\u0000s${key}` : key;
    case "number":
      return key;
    case "boolean":
      return key;
    default:
  }
  if (key === null) return null;
  if (key instanceof Float) return Number.isNaN(key.value) ? key : key.value + 0;
  if (key instanceof Time) return `\u0000t${key.ms}`;
  if (key instanceof Duration) return `\u0000d${key.ms}`;
  if (key instanceof Link) return `\u0000l${key.type} ${key.id}`;
  if (key instanceof Enum && key.items.length === 0) return `\u0000e${key.of.name} ${key.variant}`;
  throw type_error(`a ${type_name(key)} cannot be the key of a map`, at);
}

function as_map(value, parameter, row, at) {
  if (value instanceof Rec) return value;
  throw wrong(value, "map", parameter, row, at);
}

/** The value of a key; undefined if it is not there. */
function map_find(map, key, at) {
  if (map.shape === null) {
    const entry = map.entries.get(key_of(key, at));
    return entry === undefined ? undefined : entry[1];
  }
  const slot = map.shape.names.indexOf(key);
  return slot < 0 ? undefined : boxed(map.shape.classes[slot], map.fields[slot]);
}

function map_get(map, key, at) {
  if (!(map instanceof Rec)) throw expected("map", map, at);
  return map_find(map, key, at) ?? null;
}

function map_set(map, key, value, at) {
  if (!(map instanceof Rec)) throw expected("map", map, at);
  map_put(map, key, value, at);
}

function map_put(map, key, value, at) {
  if (map.mark !== epoch) touch(map);
  if (map.shape !== null) {
    const slot = map.shape.names.indexOf(key);
    if (slot >= 0) {
      const cls = map.shape.classes[slot];
      const keeps = cls === "i" ? typeof value === "number" : cls === "f" ? value instanceof Float : true;
      const form = keeps ? unboxed(cls, value) : undefined;
      if (form !== undefined) {
        map.fields[slot] = form;
        return;
      }
    }
    become_dictionary(map);
  }
  const known = map.entries.get(key_of(key, at));
  if (known !== undefined) map.entries.set(key_of(key, at), [known[0], value]);
  else map.entries.set(key_of(key, at), [key, value]);
}

function become_dictionary(map) {
  const entries = new Map(map_entries_of(map).map(([key, value]) => [key, [key, value]]));
  map.shape = null;
  map.fields = null;
  map.entries = entries;
}

/** Keys and values in order. */
function map_entries_of(map) {
  if (map.shape === null) return [...map.entries.values()];
  return map.shape.names.map((name, slot) => [name, boxed(map.shape.classes[slot], map.fields[slot])]);
}

function map_size(map) {
  return map.shape === null ? map.entries.size : map.shape.names.length;
}

function field(map, of, slot, at) {
  return map instanceof Rec && map.shape === of ? map.fields[slot] : slow_field(map, of, slot, at);
}

function slow_field(map, of, slot, at) {
  const name = of.names[slot];
  const value = map_get(map, name, at);
  const form = unboxed(of.classes[slot], value);
  if (form === undefined) {
    throw type_error(`${name} should be ${CLASS_NAMES[of.classes[slot]]}, but it is ${type_name(value)}`, at);
  }
  return form;
}

function set_field(map, of, slot, value, at) {
  if (map instanceof Rec && map.shape === of) {
    if (map.mark !== epoch) touch(map);
    map.fields[slot] = value;
  } else map_set(map, of.names[slot], boxed(of.classes[slot], value), at);
}

const map_has_key = (of, key, at) => map_find(as_map(of, "map", "has_key", at), key, at) !== undefined;
const map_contains = (of, key, at) => map_find(as_map(of, "map", "contains", at), key, at) !== undefined;
const map_is_empty = (of, at) => map_size(as_map(of, "map", "is_empty", at)) === 0;
const map_len = (of, at) => map_size(as_map(of, "map", "len", at));

function map_keys(of, at) {
  const keys = map_entries_of(as_map(of, "map", "keys", at)).map(([key]) => key);
  return keys.length === 0 ? new List("r", []) : list_of(keys);
}

function map_entries(of, at) {
  return new List(
    "r",
    map_entries_of(as_map(of, "map", "entries", at)).map((entry) => new Tuple(entry.slice())),
  );
}

/** The last map that was walked by position, and its entries then. */
let walked = null;
let walked_entries = null;
let walked_size = 0;

function entry_at(map, place, at) {
  const size = map_size(map);
  if (place < 0 || place >= size) throw raise("IndexOutOfBounds", `entry ${place} of a map with ${size} entries`, at);
  if (map.shape !== null) return [map.shape.names[place], boxed(map.shape.classes[place], map.fields[place])];
  if (walked !== map.entries || walked_size !== size || walked_entries[place] !== map.entries.get(key_of(walked_entries[place][0], at))) {
    [walked, walked_entries, walked_size] = [map.entries, map_entries_of(map), size];
  }
  return walked_entries[place];
}

const map_key_at = (of, place, at) => entry_at(as_map(of, "map", "__map_key_at", at), place, at)[0];
const map_value_at = (of, place, at) => entry_at(as_map(of, "map", "__map_value_at", at), place, at)[1];

function map_delete_key(of, key, at) {
  const map = as_map(of, "map", "delete_key", at);
  const found = map_find(map, key, at);
  if (found === undefined) return null;
  if (map.mark !== epoch) touch(map);
  if (map.shape !== null) become_dictionary(map);
  map.entries.delete(key_of(key, at));
  walked = null;
  return found;
}

/** A new dictionary with those entries whose keys are in the list, or with the others. */
function selected(map, list, keeps_listed, at) {
  const listed = new Set(elements(list).map((key) => key_of(key, at)));
  const chosen = dictionary();
  for (const [key, value] of map_entries_of(map)) {
    if (listed.has(key_of(key, at)) === keeps_listed) chosen.entries.set(key_of(key, at), [key, value]);
  }
  return chosen;
}

const map_pick = (of, keys, at) => selected(as_map(of, "map", "pick", at), as_list(keys, "keys", "pick", at), true, at);
const map_omit = (of, keys, at) => selected(as_map(of, "map", "omit", at), as_list(keys, "keys", "omit", at), false, at);
const map_rest = (of, keys, at) => selected(as_map(of, "map", "__rest", at), as_list(keys, "keys", "__rest", at), false, at);

function any_rest(of, names, at) {
  if (of instanceof Link) give_up("the rest of a record");
  if (!(of instanceof Rec)) throw expected("a map or a record", of, at);
  return selected(of, as_list(names, "names", "__rest", at), false, at);
}

function copy_map(map) {
  if (map.shape !== null) return new Rec(map.shape, map.fields.slice(), null);
  const copy = dictionary();
  for (const [key, [name, value]] of map.entries) copy.entries.set(key, [name, value]);
  return copy;
}

const map_clone = (of, at) => copy_map(as_map(of, "map", "clone", at));

function map_merge(of, other, at) {
  const merged = copy_map(as_map(of, "map", "merge", at));
  for (const [key, value] of map_entries_of(as_map(other, "other", "merge", at))) map_put(merged, key, value, at);
  return merged;
}

function map_clear(of, at) {
  const map = as_map(of, "map", "clear", at);
  if (map.mark !== epoch) touch(map);
  map.shape = null;
  map.fields = null;
  map.entries = new Map();
  return map;
}

function map_from_entries(of, at) {
  const map = dictionary();
  for (const pair of elements(as_list(of, "entries", "from_entries", at))) {
    let parts = null;
    if (pair instanceof Tuple && pair.items.length === 2) parts = pair.items;
    else if (pair instanceof List && pair.items.length === 2) parts = elements(pair);
    if (parts === null) throw wrong_element(pair, "a pair of key and value", "entries", "from_entries", at);
    map_put(map, parts[0], parts[1], at);
  }
  return map;
}
