// The values of a view: blocks, lists and leaves as the operations of a view name them. Here because the browser computes
// the same values as the server reads from its markup, without writing markup. Must stay true: a place has the form of its
// kind; a value that several operations write is joined as the markup of the server and read back.

/** Blocks and lists that are not ended yet, the innermost last. */
let view_open = [];
let view_root = null;
/** Markup of the value that several operations write; null outside of one. */
let view_markup = null;
let view_in_head = false;
let view_checks = false;
/** What was shown last: the root block, the values of page state, the run (what changed since has its mark or a later one), and the count of touches. */
let view_shown = null;
let view_state = [];
let view_since = 0;
let view_touches = 0;
/** Of the block that is being written: its values, the number of the next, the block that stood there last (if it had the same template: its own values until one differs), and the inputs that differ: bits as in `view_due`. */
let view_now = null;
let view_at = 0;
let view_old = null;
let view_dirty = 0;
/** The same of the blocks around it. */
let view_outer = [];
/** The list that is being written, the innermost. */
let view_items = null;

/** Counts the lists that were written. */
let view_lists = 0;
/** So many items are looked for one by one before there is a table of them. */
const VIEW_SEARCHES = 8;

/** A list of items being written. An item is its key, its block, what it stands for, its position if that is its key (else -1), what it read, what it compared with page state, and the number of the list that it is in. */
class Items {
  constructor(old) {
    this.outer = view_items;
    this.number = ++view_lists;
    this.searches = 0;
    // The items that stood there, the next of them, and all by what they stand for once that is needed.
    this.old = old;
    this.next = 0;
    this.known = null;
    this.items = [];
    // Keys so far; null as long as all items are old ones in their order.
    this.seen = null;
    this.has_twins = false;
    this.key = "";
    this.value = undefined;
    this.form = 0;
    this.position = -1;
    // The old item, whether its key may differ, whether it stands for another new one already, its inputs that differ, and the inputs.
    this.kept = null;
    this.is_other = true;
    this.is_used = false;
    this.dirty = -1;
    [this.a, this.b, this.c, this.d] = [];
    this.compared = null;
  }

  /** The item that stood for a value. */
  find(value) {
    const { old, next } = this;
    if (old.length === 0) return null;
    if (next < old.length && old[next][2] === value && value !== 0) {
      this.next++;
      return old[next];
    }
    // The one behind it, if one was taken out; or the one that stood here, if others were moved.
    const at = this.stood(next, value) ? next : this.stood(next + 1, value) ? next + 1 : this.stood(this.items.length, value) ? this.items.length : this.search(value);
    if (at >= 0) {
      this.next = at + 1;
      return old[at];
    }
    this.known ??= new Map(old.map((item) => [item[2], item]));
    const found = this.known.get(value);
    return found !== undefined && Object.is(found[2], value) ? found : null;
  }

  stood(at, value) {
    return at < this.old.length && Object.is(this.old[at][2], value);
  }

  /** Where it stood; -1 if it is better looked up. What stands behind it comes next, most likely. */
  search(value) {
    if (this.known !== null || ++this.searches > VIEW_SEARCHES) return -1;
    return this.old.findIndex((item) => Object.is(item[2], value));
  }

  see() {
    this.seen ??= new Set(this.items.map(([key]) => key));
  }

  /** The key of a new item, or of one that changed. */
  begin() {
    const { kept, value, form } = this;
    if (kept !== null && !this.is_other) {
      this.key = kept[0];
      this.position = kept[3];
      if (this.seen === null && !this.is_used) return;
    } else {
      const key = key_of_item(value, (form & 2) !== 0);
      this.position = key === null ? this.items.length : -1;
      this.key = key ?? String(this.items.length);
    }
    this.see();
    const first = this.key;
    for (let number = 2; this.seen.has(this.key); number++) {
      this.key = `${first}#${number}`;
      this.has_twins = true;
    }
    this.seen.add(this.key);
  }

  add(block) {
    const { kept } = this;
    if (kept === null || kept[0] !== this.key || kept[1] !== block) {
      this.items.push([this.key, block, this.value, this.position, this.a, this.b, this.c, this.d, this.compared, this.number]);
      return;
    }
    kept[4] = this.a;
    kept[5] = this.b;
    kept[6] = this.c;
    kept[7] = this.d;
    kept[8] = this.compared;
    this.items.push(kept);
  }

  /** All of them: the list that stood there, if it is still the same. */
  end() {
    const { items, old } = this;
    if (this.has_twins) items.twins = true;
    else if (is_same_list(items, old)) return old;
    return items;
  }
}

function is_same_list(items, others) {
  let n = items.length;
  if (n !== others.length) return false;
  while (n-- > 0) if (items[n] !== others[n]) return false;
  return true;
}

/** What a handler captured, as FLIN values; as text it is their wire form. */
class Args {
  constructor(values) {
    this.values = values;
  }

  /** Whether all values are the same objects or equal scalars. */
  same(other) {
    return other instanceof Args && other.values.length === this.values.length && this.values.every((value, n) => same_value(value, other.values[n]));
  }

  toString() {
    return JSON.stringify(this.values.map((value) => encode(value)));
  }
}

function same_value(a, b) {
  return a === b || (a !== null && is_scalar(a) && type_name(a) === type_name(b) && equal(a, b, ""));
}

/** Runs a view; gives the values of its root block. What cannot have changed is that of the last time. */
function view_values(run) {
  const shown = view_shown;
  view_shown = null;
  derive();
  // What is computed by now counts as old: who changes it is noticed.
  epoch++;
  const before = touches;
  view_write(run, shown);
  // A view that changes values has to be computed as a whole.
  if (touches !== before && shown !== null) view_write(run, null);
  if (touches === before) view_shown = view_root;
  view_state = STATE.map((variable) => variable.get());
  [view_since, view_touches] = [epoch, touches];
  return view_root;
}

function view_write(run, shown) {
  [view_open, view_outer, view_items, view_root, view_now, view_markup, view_in_head] = [[], [], null, null, null, null, false];
  // What the root block is compared with.
  view_old = shown;
  view_dirty = shown === null ? -1 : state_changes();
  run("");
}

/** The page state that is not as it was when the view ran last: from bit 4 on a bit for each variable, the last for all others. */
function state_changes() {
  let bits = 0;
  STATE.forEach((variable, n) => {
    const value = variable.get();
    if (!Object.is(value, view_state[n]) || has_changed(value)) bits |= 1 << Math.min(n + 4, 30);
  });
  return bits;
}

/** Whether a value or something inside of it changed since the view ran last. */
function has_changed(value) {
  return value !== null && typeof value === "object" && touches !== view_touches && was_touched(value, view_since);
}

function differs(old, value) {
  return !Object.is(old, value) || has_changed(value);
}

/** Whether the next place has to be computed: something that it reads has changed. Else its value stays. */
function view_due(bits) {
  if (view_old === null || (view_dirty & bits) !== 0) return true;
  view_at++;
  return false;
}

/** The same for the item that has just begun; `inputs` are the variables that it reads, bits 0 to 3. */
function view_item_due(bits, a, b, c, d) {
  const list = view_items;
  list.a = a;
  list.b = b;
  list.c = c;
  list.d = d;
  const kept = list.find(list.value);
  if (kept === null) return true;
  const is_other = touches !== view_touches && has_changed(list.value);
  let dirty = view_dirty & ~15;
  if ((bits & 1) !== 0 && (!Object.is(kept[4], a) || (a === list.value ? is_other : has_changed(a)))) dirty |= 1;
  if ((bits & 2) !== 0 && differs(kept[5], b)) dirty |= 2;
  if ((bits & 4) !== 0 && differs(kept[6], c)) dirty |= 4;
  if ((bits & 8) !== 0 && differs(kept[7], d)) dirty |= 8;
  list.kept = kept;
  list.dirty = dirty;
  list.is_other = is_other || (kept[3] >= 0 && kept[3] !== list.items.length);
  list.is_used = kept[9] === list.number;
  kept[9] = list.number;
  if ((dirty & bits) !== 0 || list.is_other || list.is_used || (list.seen !== null && list.seen.has(kept[0]))) {
    // An old item may stand for two new ones.
    list.compared = kept[8] === null ? null : kept[8].slice();
    return true;
  }
  if (list.seen !== null) list.seen.add(kept[0]);
  list.items.push(kept);
  return false;
}

/** Writes of a list only the items whose comparisons with page state give something else than last time, with `write`; says whether that is all that can have changed. `bits` is what else is read; `sites` says for each comparison which page state it is with. */
function view_part(bits, write, sites) {
  if (view_old === null || (view_dirty & bits) !== 0) return false;
  const old = view_old[view_at];
  if (old.twins) return false;
  const changes = [];
  for (let site = 0; site < sites.length; site++) {
    if ((view_dirty & sites[site]) === 0) continue;
    const n = 27 - Math.clz32(sites[site]);
    const [before, now] = [view_state[n], STATE[n].get()];
    if (!is_plain(before) || !is_plain(now)) return false;
    changes.push(site, before, now);
  }
  const list = new Items(old);
  view_items = list;
  view_open.push(list);
  let fresh = old;
  for (let at = 0; at < old.length; at++) {
    const item = old[at];
    if (item[8] === null || !compares_otherwise(item[8], changes)) continue;
    list.kept = item;
    list.is_other = false;
    list.is_used = false;
    list.dirty = view_dirty & ~15;
    [, , list.value, , list.a, list.b, list.c, list.d, list.compared] = item;
    write(list.a, list.b, list.c, list.d);
    if (fresh === old) fresh = old.slice();
    fresh[at] = list.items.pop();
  }
  view_open.pop();
  view_items = list.outer;
  view_place(fresh);
  return true;
}

/** Whether nothing is inside of a value. */
const is_plain = (value) => value === null || typeof value !== "object";

/** Whether a comparison of an item gives something else; `changes` are sites, each with the value before and now. */
function compares_otherwise(compared, changes) {
  for (let n = 0; n < changes.length; n += 3) {
    const value = compared[changes[n]];
    // Most of them are neither what it was nor what it is.
    if (value !== changes[n + 1] && value !== changes[n + 2] && !(value instanceof Float)) continue;
    if (is_equal_plain(value, changes[n + 1]) !== is_equal_plain(value, changes[n + 2])) return true;
  }
  return false;
}

/** Whether a value equals one that is plain: of the objects only a float can. */
function is_equal_plain(value, plain) {
  return value === plain || (value instanceof Float && equal(value, plain, ""));
}

/** A value that is compared with page state: the item knows it from now on. */
function view_seen(site, value) {
  (view_items.compared ??= [])[site] = value;
  return value;
}

function view_block(template) {
  const outer = view_open[view_open.length - 1];
  let old = view_old;
  view_outer.push(view_now, view_at, view_old, view_dirty);
  if (outer instanceof Items) {
    outer.begin();
    old = outer.kept === null ? null : outer.kept[1];
    view_dirty = outer.dirty;
  } else if (outer !== undefined && old !== null) old = old[view_at];
  view_old = old !== null && old[0] === template ? old : null;
  view_now = view_old ?? [template];
  view_at = 1;
  view_open.push(null);
}

function view_list() {
  const old = view_old === null ? null : view_old[view_at];
  view_items = new Items(old === null || old.twins ? [] : old);
  view_open.push(view_items);
}

function view_end() {
  const ended = view_open.pop();
  let value = view_now;
  if (ended !== null) {
    value = ended.end();
    view_items = ended.outer;
  } else {
    view_dirty = view_outer.pop();
    view_old = view_outer.pop();
    view_at = view_outer.pop();
    view_now = view_outer.pop();
  }
  if (view_open.length === 0) {
    view_root = value;
    return;
  }
  const outer = view_open[view_open.length - 1];
  if (outer === null) view_place(value);
  else outer.add(value);
}

/** The value of the next place. */
function view_place(value) {
  const at = view_at++;
  if (view_old !== null) {
    if (Object.is(view_old[at], value)) return;
    if (view_now === view_old) view_now = view_old.slice();
  }
  view_now[at] = value;
}

/** The key of a value; null if it has none. */
function key_of_item(value, given) {
  if (value === undefined) return "";
  if (value === null) return null;
  if (value instanceof Link) return value.more.version === undefined ? `${value.type}:${value.id}` : `${value.type}:${value.id}@${value.more.version}`;
  let key = value;
  if (!given) {
    key = value instanceof Rec ? (map_find(value, "id", "") ?? null) : null;
    if (typeof key !== "string" && typeof key !== "number") return null;
  }
  const text = to_text(key, "");
  return text === "" ? null : text;
}

function view_item(value, form) {
  const list = view_items;
  list.value = value;
  list.form = form;
  list.kept = null;
  list.compared = null;
  list.is_other = true;
  list.dirty = -1;
}

/** What a list without items shows instead. */
function view_empty() {
  view_item(undefined, 0);
}

/** The value of the next place, or nothing where none is meant. */
function view_put(value) {
  if (!view_in_head) view_place(value);
}

function view_absent() {
  if (view_markup === null) view_put(null);
}

function view_head(is_head) {
  view_in_head = is_head !== 0;
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const MEANT = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

function escaped(text) {
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (c) => ESCAPES[c]) : text;
}

function unescaped(markup) {
  return markup.includes("&") ? markup.replace(/&(?:amp|lt|gt|quot|#39);/g, (name) => MEANT[name]) : markup;
}

/** Fixed markup inside of a value. */
function view_raw(markup) {
  if (view_markup !== null) view_markup += markup;
}

function view_leaf(begins) {
  if (view_in_head) return;
  if (begins !== 0) {
    view_markup = "";
    return;
  }
  const markup = view_markup;
  view_markup = null;
  view_put(read_leaf(place_kind(), markup));
}

/** The kind of the place whose value comes next. */
function place_kind() {
  return TEMPLATES[view_now[0]].places[view_at - 1][0];
}

/** The value of a place from its markup. */
function read_leaf(kind, markup) {
  if (kind === "text") return unescaped(markup);
  if (kind === "html") return markup;
  const attributes = {};
  for (const [, name, , quoted] of markup.matchAll(/([^\s=]+)(=(?:"([^"]*)")?)?/g)) attributes[name] = unescaped(quoted ?? "");
  return kind === "attributes" ? attributes : (Object.values(attributes)[0] ?? null);
}

/** One attribute with its value, as the value of a place or as markup inside of one. */
function put_attribute(name, value) {
  if (view_markup !== null) view_markup += value === null ? "" : value === "" && name !== "value" ? ` ${name}` : ` ${name}="${escaped(value)}"`;
  else if (!view_in_head) view_put(place_kind() === "attributes" ? (value === null ? {} : { [name]: value }) : value);
}

function view_text(text) {
  if (view_markup === null) view_put(text);
  else view_markup += escaped(text);
}

function view_any(value, at) {
  view_text(value === null ? "" : to_text(value, at));
}

function view_html(value, at) {
  if (value !== null && typeof value !== "string") throw expected("text", value, at);
  if (view_markup === null) view_put(value ?? "");
  else view_markup += value ?? "";
}

/** The URL if its scheme is harmless or it has none, else `#`. */
function safe_url(url) {
  const seen = url.replace(/[\u0000-\u001f\u007f-\u009f]/g, "").split(BLANKS).join("");
  const end = seen.search(/[:/?#]/);
  if (end < 0 || seen[end] !== ":") return url;
  return ["http", "https", "mailto", "tel"].includes(ascii_lower(seen.slice(0, end))) ? url : "#";
}

const ascii_lower = (text) => text.replace(/[A-Z]/g, (c) => c.toLowerCase());
const UNSAFE_STYLE = ["expression", "javascript:", "-moz-binding", "behavior", "@", "\\", "/*", "<", "{", "}"];

/** The style if nothing in it can load or run anything unsafe, else nothing. */
function safe_style(style) {
  const lower = ascii_lower(style);
  if (UNSAFE_STYLE.some((word) => lower.includes(word))) return "";
  for (const part of lower.split("url(").slice(1)) {
    const url = trim(part.split(")", 1)[0]).replace(/^["']+|["']+$/g, "");
    if (safe_url(url) !== url) return "";
  }
  return style;
}

function safe_style_value(value) {
  return value.includes(";") || ascii_lower(value).includes("url(") ? "" : safe_style(value);
}

function safe_style_url(url) {
  return /[()"';]/.test(url) || safe_style(url) !== url ? "#" : safe_url(url);
}

/** An attribute with a value for its place: 0 plain, 1 boolean, 2 URL, 3 style, 4 and 5 inside of a style. */
function view_attr(name, value, place, at) {
  if (place === 1) return put_attribute(name, truthy(value) ? "" : null);
  if (value === null) return place < 4 ? put_attribute(name, null) : undefined;
  const text = to_text(value, at);
  if (place === 4) return view_raw(escaped(safe_style_value(text)));
  if (place === 5) return view_raw(escaped(safe_style_url(text)));
  const safe = place === 2 ? safe_url(text) : place === 3 ? safe_style(text) : text;
  if (view_markup === null) return put_attribute(name, safe);
  view_markup += ` ${name}="${escaped(safe)}"`;
}

/** How much of a time a control of days or moments shows, by the number of the control. */
const MOMENT_LENGTHS = { 6: 10, 7: 16 };

/** A value as it stands in an input: none is empty, an integral float has no point, of a time what the control takes. */
function field_text(value, at, control) {
  if (value === null) return "";
  const text = to_text(value, at);
  if (control in MOMENT_LENGTHS && text[10] === "T") return text.slice(0, MOMENT_LENGTHS[control]);
  return value instanceof Float && text.endsWith(".0") ? text.slice(0, -2) : text;
}

/** The attributes of a bound control: its name is fixed, its value is a place. */
function view_bind(name, value, control, at) {
  view_raw(` data-flin-bind="${name}" name="${name}"`);
  view_checks = control === 3;
  if (control < 2 || control in MOMENT_LENGTHS) put_attribute("value", field_text(value, at, control));
  else if (control === 2 && view_markup !== null && truthy(value)) view_raw(" checked");
}

/** The same for a part of a variable, whose address may change. */
function view_bind_part(type, value, path, control, at) {
  view_checks = control === 3;
  const attributes = { "data-flin-bind": path, name: path };
  const part = part_type(type, path);
  if (part !== null) attributes["data-flin-type"] = describe(part, 4);
  if (control < 2 || control in MOMENT_LENGTHS) attributes.value = field_text(value, at, control);
  else if (control === 2 && truthy(value)) attributes.checked = "";
  if (view_markup === null) view_put(attributes);
  else for (const [name, text] of Object.entries(attributes)) view_raw(text === "" && name === "checked" ? " checked" : ` ${name}="${escaped(text)}"`);
}

/** The type of a part of a value by its address; null if there is none. */
function part_type(type, address) {
  let part = type;
  for (const step of address.split(".").slice(1)) {
    const name = step.replaceAll("~1", ".").replaceAll("~0", "~");
    while (part.is === "optional") part = part.of;
    if (part.is === "any") continue;
    if (part.is === "list" && /^\+?\d+$/.test(name)) part = part.of;
    else if (part.is === "map") part = part.of;
    else if (part.is === "record" && part.shape.names.includes(name)) part = part.of[part.shape.names.indexOf(name)];
    else return null;
  }
  return part;
}

/** Marks an option or radio button whose value is the bound one. */
function view_option(own, bound, at) {
  put_attribute(view_checks ? "checked" : "selected", field_text(own, at) === field_text(bound, at) ? "" : null);
}

/** A handler: its number is fixed, what it captured is a place. */
function view_on(number, values) {
  if (values.length === 0) return;
  let args = new Args(values);
  const old = view_old?.[view_at];
  if (args.same(old)) args = old;
  if (view_markup === null) view_put(args);
  else view_raw(` data-flin-args-${HANDLERS[number].event}="${escaped(String(args))}"`);
}
