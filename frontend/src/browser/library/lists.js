// Lists: elements by class. Here because a list of ints must become one of anything when a text is put in, exactly as in
// the machine. Must stay true: a new list has the class of the list it comes from; who changes a list touches it.

/** The element of a list as it is in an `any`. */
function element(of, at) {
  const value = of.items[at];
  return of.cls === "f" ? new Float(value) : value;
}

/** All elements as they are in an `any`. */
function elements(of) {
  return of.cls === "f" ? of.items.map((value) => new Float(value)) : of.items;
}

/** A list of these values, in the narrowest class that holds them all. */
function list_of(values) {
  let cls = values.length > 0 ? class_of(values[0]) : "a";
  for (const value of values) {
    if (class_of(value) !== cls) cls = "a";
  }
  return new List(cls, cls === "f" ? values.map((value) => value.value) : values);
}

/** The form of a value in a list, whose class changes if it must. */
function fitted(of, value) {
  const keeps = of.cls === "i" ? typeof value === "number" : of.cls === "f" ? value instanceof Float : true;
  const form = keeps ? unboxed(of.cls, value) : undefined;
  if (form !== undefined) return form;
  if (of.items.length === 0) of.cls = class_of(value);
  else {
    of.items = elements(of).slice();
    of.cls = "a";
  }
  return unboxed(of.cls, value);
}

function push(of, cls, value, at) {
  if (!(of instanceof List)) throw expected("list", of, at);
  if (of.mark !== epoch) touch(of);
  if (of.cls === cls) of.items.push(value);
  else {
    const form = fitted(of, boxed(cls, value));
    of.items.push(form);
  }
}

function item(of, cls, index, at) {
  if (of instanceof List && of.cls === cls) {
    const value = of.items[index];
    if (value !== undefined) return value;
  }
  return slow_item(of, cls, index, at);
}

function slow_item(of, cls, index, at) {
  if (!(of instanceof List)) throw expected("list", of, at);
  const place = index < 0 ? index + of.items.length : index;
  if (!(place >= 0 && place < of.items.length)) throw no_position("list", index, of.items.length, "element", at);
  const value = element(of, place);
  const form = unboxed(cls, value);
  if (form === undefined) throw expected(CLASS_NAMES[cls], value, at);
  return form;
}

function set_item(of, cls, index, value, at) {
  if (!(of instanceof List)) throw expected("list", of, at);
  const place = index < 0 ? index + of.items.length : index;
  if (!(place >= 0 && place < of.items.length)) throw no_position("list", index, of.items.length, "element", at);
  if (of.mark !== epoch) touch(of);
  if (of.cls === cls) of.items[place] = value;
  else {
    const form = fitted(of, boxed(cls, value));
    of.items[place] = form;
  }
}

function length(of, at) {
  if (!(of instanceof List)) throw expected("list", of, at);
  return of.items.length;
}

/** Appends all elements of another list. */
function extend_list(of, other) {
  if (of.mark !== epoch) touch(of);
  if (of.cls === other.cls) {
    const count = other.items.length;
    for (let at = 0; at < count; at++) of.items.push(other.items[at]);
    return;
  }
  for (const value of elements(other).slice()) {
    const form = fitted(of, value);
    of.items.push(form);
  }
}

function joined_lists(a, b) {
  let cls = "a";
  if (a.cls === b.cls || b.items.length === 0) cls = a.cls;
  else if (a.items.length === 0) cls = b.cls;
  const all = new List(cls, []);
  extend_list(all, a);
  extend_list(all, b);
  return all;
}

function list_concat(a, b, at) {
  for (const one of [a, b]) {
    if (!(one instanceof List)) throw expected("list", one, at);
  }
  return joined_lists(a, b);
}

/** A list, or the numbers of a range. */
function as_list(value, parameter, row, at) {
  if (value instanceof List) return value;
  if (value instanceof Range) return range_to_list(value);
  throw wrong(value, "list", parameter, row, at);
}

function part_of(of, from, to) {
  return new List(of.cls, of.items.slice(from, Math.max(from, to)));
}

/** Position of the first element that equals the value, -1 for none. */
function position_of(of, value, at) {
  if (of.cls === "i" && typeof value === "number") return of.items.indexOf(value);
  for (let n = 0; n < of.items.length; n++) {
    if (equal(element(of, n), value, at)) return n;
  }
  return -1;
}

const list_contains = (of, value, at) => position_of(as_list(of, "list", "contains", at), value, at) >= 0;
const list_index_of = (of, value, at) => position_of(as_list(of, "list", "index_of", at), value, at);

function list_join(of, separator, at) {
  const list = as_list(of, "list", "join", at);
  let out = "";
  for (let n = 0; n < list.items.length; n++) {
    if (n > 0) out += separator;
    out += to_text(element(list, n), at);
    fits(out.length);
  }
  return out;
}

function list_slice1(of, from, at) {
  const list = as_list(of, "list", "slice", at);
  return part_of(list, clamped(from, list.items.length), list.items.length);
}

function list_slice2(of, from, to, at) {
  const list = as_list(of, "list", "slice", at);
  return part_of(list, clamped(from, list.items.length), clamped(to, list.items.length));
}

function slice_list(of, start, end, step, at) {
  const list = as_list(of, "list", "__slice_list", at);
  return new List(
    list.cls,
    positions(list.items.length, start, end, step, at).map((n) => list.items[n]),
  );
}

function list_reverse(of, at) {
  const list = as_list(of, "list", "reverse", at);
  return new List(list.cls, list.items.slice().reverse());
}

const list_is_empty = (of, at) => as_list(of, "list", "is_empty", at).items.length === 0;

/** The element at a position of an `any`, none if there is none. */
function element_or_none(list, at) {
  return at >= 0 && at < list.items.length ? element(list, at) : null;
}

function list_first(of, at) {
  return element_or_none(as_list(of, "list", "first", at), 0);
}

function list_last(of, at) {
  const list = as_list(of, "list", "last", at);
  return element_or_none(list, list.items.length - 1);
}

function removed(list, at) {
  const found = element_or_none(list, at);
  if (at >= 0 && at < list.items.length) {
    if (list.mark !== epoch) touch(list);
    if (at === list.items.length - 1) list.items.pop();
    else if (at === 0) list.items.shift();
    else list.items.splice(at, 1);
  }
  return found;
}

function list_pop(of, at) {
  const list = as_list(of, "list", "pop", at);
  return removed(list, list.items.length - 1);
}

const list_shift = (of, at) => removed(as_list(of, "list", "shift", at), 0);

function list_remove_at(of, index, at) {
  const list = as_list(of, "list", "remove_at", at);
  return removed(list, index < 0 ? index + list.items.length : index);
}

function inserted(list, at, value) {
  if (list.mark !== epoch) touch(list);
  const form = fitted(list, value);
  if (at === list.items.length) list.items.push(form);
  else if (at === 0) list.items.unshift(form);
  else list.items.splice(at, 0, form);
  return list;
}

const list_unshift = (of, value, at) => inserted(as_list(of, "list", "unshift", at), 0, value);

function list_insert_at(of, index, value, at) {
  const list = as_list(of, "list", "insert_at", at);
  const length = list.items.length;
  const place = index < 0 ? index + length : index;
  if (place < 0 || place > length) {
    throw raise("IndexOutOfBounds", `cannot insert at position ${index} of a list with ${length} elements`, at);
  }
  return inserted(list, place, value);
}

function list_rest(of, at) {
  const list = as_list(of, "list", "rest", at);
  return part_of(list, 1, list.items.length);
}

function list_take(of, count, at) {
  return part_of(as_list(of, "list", "take", at), 0, Math.max(count, 0));
}

function list_skip(of, count, at) {
  const list = as_list(of, "list", "skip", at);
  return part_of(list, Math.max(count, 0), list.items.length);
}

function extend(of, other, at) {
  const list = as_list(of, "list", "__extend", at);
  extend_list(list, as_list(other, "other", "__extend", at));
}

function list_clear(of, at) {
  const list = as_list(of, "list", "clear", at);
  if (list.mark !== epoch) touch(list);
  list.items = [];
  return list;
}

const list_clone = (of, at) => part_of(as_list(of, "list", "clone", at), 0, Infinity);

function list_sum_int(of, at) {
  const list = as_list(of, "list", "sum", at);
  let sum = 0;
  for (let n = 0; n < list.items.length; n++) {
    const value = element(list, n);
    if (typeof value !== "number") throw wrong_element(value, "int", "list", "sum", at);
    sum = add(sum, value);
  }
  return sum;
}

/** The elements as floats. */
function floats_of(list, row, at) {
  if (list.cls === "f") return list.items;
  return list.items.map((value) => {
    if (typeof value === "number") return value;
    if (value instanceof Float) return value.value;
    throw wrong_element(value, "a number", "list", row, at);
  });
}

const sum_of_floats = (values) => values.reduce((sum, value) => sum + value, 0);
const list_sum_float = (of, at) => sum_of_floats(floats_of(as_list(of, "list", "sum", at), "sum", at));

function list_sum_any(of, at) {
  const list = as_list(of, "list", "sum", at);
  let sum;
  for (let n = 0; n < list.items.length; n++) {
    const value = element(list, n);
    if (!(typeof value === "number" || value instanceof Float || value instanceof Duration)) {
      throw wrong_element(value, "a number", "list", "sum", at);
    }
    sum = sum === undefined ? value : plus(sum, value, at);
  }
  return sum === undefined ? 0 : sum;
}

function list_avg(of, at) {
  const values = floats_of(as_list(of, "list", "avg", at), "avg", at);
  return values.length === 0 ? null : new Float(sum_of_floats(values) / values.length);
}

function list_zip(of, other, at) {
  const [a, b] = [as_list(of, "list", "zip", at), as_list(other, "other", "zip", at)];
  const pairs = [];
  for (let n = 0; n < Math.min(a.items.length, b.items.length); n++) pairs.push(new Tuple([element(a, n), element(b, n)]));
  return new List("r", pairs);
}

function list_chunk(of, size, at) {
  const list = as_list(of, "list", "chunk", at);
  if (size <= 0) throw raise("ArgumentError", `pieces of ${size} elements are not possible`, at);
  const pieces = [];
  for (let n = 0; n < list.items.length; n += size) pieces.push(part_of(list, n, n + size));
  return new List("r", pieces);
}

const is_nan = (value) => value instanceof Float && Number.isNaN(value.value);

/** Order for sorting: NaN after all numbers, none after everything. */
function sorting_order(a, b, at) {
  if (a === null || b === null) return (a === null) - (b === null);
  const found = order(a, b, at);
  return found === undefined ? is_nan(a) - is_nan(b) : found;
}

/** Positions of the elements in ascending order. */
function sorted_positions(list, at) {
  const { cls, items } = list;
  const places = Array.from(items, (_, n) => n);
  if (cls === "i") return places.sort((x, y) => items[x] - items[y]);
  if (cls === "r" && items.every((value) => typeof value === "string")) return places.sort((x, y) => text_order(items[x], items[y]));
  // Comparisons may raise, and then the first one that does counts: a merge sort from the bottom up, as in the machine.
  const values = elements(list);
  let [from, to] = [places, places.slice()];
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += width * 2) {
      const [middle, end] = [Math.min(start + width, values.length), Math.min(start + width * 2, values.length)];
      let [left, right] = [start, middle];
      for (let slot = start; slot < end; slot++) {
        const is_left = right >= end || (left < middle && sorting_order(values[from[left]], values[from[right]], at) !== 1);
        to[slot] = from[is_left ? left++ : right++];
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

function list_sort(of, at) {
  const list = as_list(of, "list", "sort", at);
  return new List(
    list.cls,
    sorted_positions(list, at).map((n) => list.items[n]),
  );
}

const sort_order = (of, at) => new List("i", sorted_positions(as_list(of, "list", "__sort_order", at), at));

/** The first element that no other one comes before; NaN and none only if there is nothing else. */
function extreme(list, wanted, at) {
  let best = null;
  for (let n = 0; n < list.items.length; n++) {
    const value = element(list, n);
    const best_is_odd = best === null || is_nan(best);
    const value_is_odd = value === null || is_nan(value);
    let better = best_is_odd;
    if (best_is_odd && value_is_odd) better = best === null;
    else if (!best_is_odd) better = !value_is_odd && sorting_order(value, best, at) === wanted;
    if (better) best = value;
  }
  return best;
}

const list_min = (of, at) => extreme(as_list(of, "list", "min", at), -1, at);
const list_max = (of, at) => extreme(as_list(of, "list", "max", at), 1, at);

/** Values seen so far: those that can be keys, and the others in a list that is searched. */
class Seen {
  constructor(values, at) {
    this.keys = new Map();
    this.others = [];
    for (const value of values) this.add(value, at);
  }

  has(value, at) {
    if (can_be_seen(value)) return this.keys.has(key_of(value, at));
    return this.others.some((other) => equal(other, value, at));
  }

  /** Adds a value; false if it was there. */
  add(value, at) {
    if (this.has(value, at)) return false;
    if (can_be_seen(value)) this.keys.set(key_of(value, at), true);
    else this.others.push(value);
    return true;
  }
}

function can_be_seen(value) {
  if (value instanceof Float) return !Number.isNaN(value.value);
  return typeof value === "string" || is_scalar(value);
}

function filtered(lists, passes) {
  const all = new List(lists[0].cls, []);
  for (const list of lists) {
    for (let n = 0; n < list.items.length; n++) {
      const value = element(list, n);
      if (passes(value)) inserted(all, all.items.length, value);
    }
  }
  return all;
}

function list_unique(of, at) {
  const seen = new Seen([], at);
  return filtered([as_list(of, "list", "unique", at)], (value) => seen.add(value, at));
}

function list_union(of, other, at) {
  const seen = new Seen([], at);
  return filtered([as_list(of, "list", "union", at), as_list(other, "other", "union", at)], (value) => seen.add(value, at));
}

function list_intersection(of, other, at) {
  const list = as_list(of, "list", "intersection", at);
  const [seen, others] = [new Seen([], at), new Seen(elements(as_list(other, "other", "intersection", at)), at)];
  return filtered([list], (value) => others.has(value, at) && seen.add(value, at));
}

function list_difference(of, other, at) {
  const list = as_list(of, "list", "difference", at);
  const [seen, others] = [new Seen([], at), new Seen(elements(as_list(other, "other", "difference", at)), at)];
  return filtered([list], (value) => !others.has(value, at) && seen.add(value, at));
}

/** How many numbers are in a range. */
function range_count(range) {
  return range.start > range.end ? 0 : add(range.end - range.start, range.inclusive ? 1 : 0);
}

function numbers_from(start, count, step) {
  if (count > TEXT_MAX) give_up("a list that is very long");
  const items = [];
  for (let n = 0, value = start; n < count; n++, value += step) items.push(value);
  return new List("i", items);
}

const range_new = (start, end) => new Range(start, end, false);
const range_new_inclusive = (start, end) => new Range(start, end, true);
const range_to_list = (range) => numbers_from(range.start, range_count(range), 1);
const range_start = (range) => range.start;
const range_end = (range) => add(range.end, range.inclusive ? 1 : 0);
const range_len = (range) => range_count(range);
const in_range = (range, value) => range.start <= value && (value < range.end || (range.inclusive && value === range.end));
const range_contains = (range, value) => in_range(range, value);
const range1 = (end, at) => range3(0, end, 1, at);
const range2 = (start, end, at) => range3(start, end, 1, at);

function range3(start, end, step, at) {
  if (step === 0) throw raise("ArgumentError", "a range cannot go in steps of 0", at);
  const ahead = step > 0 ? end > start : end < start;
  return numbers_from(start, ahead ? Math.ceil(Math.abs(end - start) / Math.abs(step)) : 0, step);
}
