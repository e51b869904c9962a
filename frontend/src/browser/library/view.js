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

/** A list of items being written. */
class Items {
  constructor() {
    this.items = [];
    this.seen = new Set();
    this.key = "";
    this.count = 0;
  }
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

/** Runs a view; gives the values of its root block. */
function view_values(run) {
  [view_open, view_root, view_markup, view_in_head] = [[], null, null, false];
  derive();
  run("");
  return view_root;
}

function view_block(template) {
  view_open.push([template]);
}

function view_list() {
  view_open.push(new Items());
}

function view_end() {
  const ended = view_open.pop();
  const value = ended instanceof Items ? ended.items : ended;
  const outer = view_open[view_open.length - 1];
  if (outer === undefined) view_root = value;
  else if (outer instanceof Items) outer.items.push([outer.key, value]);
  else outer.push(value);
}

/** The key of a value; null if it has none. */
function key_of_item(value, given) {
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
  const list = view_open[view_open.length - 1];
  let key = key_of_item(value, (form & 2) !== 0) ?? String(list.count);
  list.count++;
  for (let number = 2, first = key; list.seen.has(key); number++) key = `${first}#${number}`;
  list.seen.add(key);
  list.key = key;
}

/** What a list without items shows instead. */
function view_empty() {
  view_open[view_open.length - 1].key = "";
}

/** The value of the next place, or nothing where none is meant. */
function view_put(value) {
  if (!view_in_head) view_open[view_open.length - 1].push(value);
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
  const block = view_open[view_open.length - 1];
  return TEMPLATES[block[0]].places[block.length - 1][0];
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

/** A value as it stands in an input: none is empty, an integral float has no point. */
function field_text(value, at) {
  if (value === null) return "";
  const text = to_text(value, at);
  return value instanceof Float && text.endsWith(".0") ? text.slice(0, -2) : text;
}

/** The attributes of a bound control: its name is fixed, its value is a place. */
function view_bind(name, value, control, at) {
  view_raw(` data-flin-bind="${name}" name="${name}"`);
  view_checks = control === 3;
  if (control < 2) put_attribute("value", field_text(value, at));
  else if (control === 2 && view_markup !== null && truthy(value)) view_raw(" checked");
}

/** The same for a part of a variable, whose address may change. */
function view_bind_part(type, value, path, control, at) {
  view_checks = control === 3;
  const attributes = { "data-flin-bind": path, name: path };
  const part = part_type(type, path);
  if (part !== null) attributes["data-flin-type"] = describe(part, 4);
  if (control < 2) attributes.value = field_text(value, at);
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
  const args = new Args(values);
  if (view_markup === null) view_put(args);
  else view_raw(` data-flin-args-${HANDLERS[number].event}="${escaped(String(args))}"`);
}
