// JSON as `parse_json` and `to_json` know it (RFC 8259). Here because JavaScript's own reader loses the difference of 1 and
// 1.0 and says other things about what is wrong. Must stay true: what is no JSON is refused in the words of the machine,
// with line and column; nesting is bounded.

class JsonReader {
  constructor(text, place) {
    this.text = text;
    this.place = place;
    this.at = 0;
    this.depth = 0;
  }

  error(what) {
    const before = this.text.slice(0, this.at);
    const line = before.split("\n").length;
    const column = text_length(before.slice(before.lastIndexOf("\n") + 1)) + 1;
    const code = this.text.codePointAt(this.at);
    let found = "the end";
    if (code !== undefined) {
      const is_odd = code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0xfeff;
      found = is_odd ? `\`\\u{${code.toString(16)}}\`` : `\`${String.fromCodePoint(code)}\``;
    }
    return raise("ParseError", `no JSON: expected ${what} at ${line}:${column}, found ${found}`, this.place);
  }

  blanks() {
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at++;
  }

  eat(sign) {
    const found = this.text[this.at] === sign;
    if (found) this.at++;
    return found;
  }

  value() {
    this.blanks();
    const first = this.text[this.at];
    if (first === "{") return this.nested(() => this.object());
    if (first === "[") return this.nested(() => this.array());
    if (first === '"') return this.string();
    if (first === "-" || (first >= "0" && first <= "9")) return this.number();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    throw this.error("a value");
  }

  nested(read) {
    if (++this.depth > DEPTH_MAX) throw raise("ParseError", `JSON nested more than ${DEPTH_MAX} levels deep`, this.place);
    this.at++;
    const value = read();
    this.depth--;
    return value;
  }

  array() {
    const items = [];
    this.blanks();
    if (this.eat("]")) return new List("a", items);
    for (;;) {
      items.push(this.value());
      this.blanks();
      if (this.eat("]")) return new List("a", items);
      if (!this.eat(",")) throw this.error("`,` or `]`");
    }
  }

  object() {
    const map = dictionary();
    this.blanks();
    if (this.eat("}")) return map;
    for (;;) {
      this.blanks();
      if (this.text[this.at] !== '"') throw this.error("a key in quotes");
      const key = this.string();
      this.blanks();
      if (!this.eat(":")) throw this.error("`:`");
      map_put(map, key, this.value(), this.place);
      this.blanks();
      if (this.eat("}")) return map;
      if (!this.eat(",")) throw this.error("`,` or `}`");
    }
  }

  digits() {
    const from = this.at;
    while (this.text[this.at] >= "0" && this.text[this.at] <= "9") this.at++;
    return this.at - from;
  }

  number() {
    const start = this.at;
    this.eat("-");
    const from = this.at;
    const count = this.digits();
    if (count === 0) throw this.error("a digit");
    if (count > 1 && this.text[from] === "0") {
      this.at = from + 1;
      throw this.error("a number without zeros in front");
    }
    if (!".eE".includes(this.text[this.at] ?? "x")) {
      const value = Number(this.text.slice(start, this.at));
      if (Number.isSafeInteger(value)) return value + 0;
      const exact = BigInt(this.text.slice(start, this.at));
      return exact >= -9223372036854775808n && exact <= 9223372036854775807n ? beyond() : new Float(value);
    }
    if (this.eat(".") && this.digits() === 0) throw this.error("a digit");
    if (this.eat("e") || this.eat("E")) {
      if (!this.eat("-")) this.eat("+");
      if (this.digits() === 0) throw this.error("a digit");
    }
    return new Float(Number(this.text.slice(start, this.at)));
  }

  string() {
    this.at++;
    let out = "";
    for (;;) {
      const c = this.text[this.at];
      if (c === undefined) throw this.error('`"`');
      if (c < " ") throw this.error("no control character in a text");
      this.at++;
      if (c === '"') return out;
      out += c === "\\" ? this.escape() : c;
    }
  }

  escape() {
    const c = this.text[this.at];
    if (c === "u") {
      this.at++;
      return this.unicode();
    }
    const meant = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" }[c];
    if (meant === undefined) throw this.error("an escape");
    this.at++;
    return meant;
  }

  hex4() {
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.error("four hex digits");
    this.at += 4;
    return Number.parseInt(digits, 16);
  }

  /** A lone half of a surrogate pair becomes U+FFFD. */
  unicode() {
    const first = this.hex4();
    if (first >= 0xd800 && first < 0xdc00 && this.text.startsWith("\\u", this.at)) {
      const back = this.at;
      this.at += 2;
      const second = this.hex4();
      if (second >= 0xdc00 && second < 0xe000) return String.fromCharCode(first, second);
      this.at = back;
    }
    return first >= 0xd800 && first < 0xe000 ? "\ufffd" : String.fromCharCode(first);
  }
}

function parse_json(text, at) {
  const reader = new JsonReader(text, at);
  const value = reader.value();
  reader.blanks();
  if (reader.at < text.length) throw reader.error("the end");
  return value;
}

function json_string(text) {
  const escapes = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const escaped = (c) => escapes[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `"${text.replace(/["\\\u0000-\u001f]/g, escaped)}"`;
}

function to_json(value, at) {
  return json_in(value, { level: 0, steps: 0, at });
}

function json_in(value, walk) {
  if (++walk.steps > STEPS_MAX) give_up("a very long JSON text");
  if (value === null) return "null";
  if (typeof value === "string") return json_string(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof Duration) return String(value.ms);
  if (value instanceof Float) return Number.isFinite(value.value) ? float_text(value.value) : "null";
  if (value instanceof Time) return json_string(time_text(value.ms));
  if (value instanceof Range) return `"${inside_text(value)}"`;
  if (value instanceof Link) return give_up("the JSON of a record");
  if (value instanceof Closure || value instanceof Cell) throw type_error(`a ${type_name(value)} cannot be JSON`, walk.at);
  if (++walk.level > DEPTH_MAX) throw too_deep("make JSON", walk.at);
  const text = json_parts(value, walk);
  walk.level--;
  return text;
}

function json_parts(value, walk) {
  const all = (values) => `[${values.map((one) => json_in(one, walk)).join(",")}]`;
  if (value instanceof List) return all(elements(value));
  if (value instanceof Tuple) return all(value.items);
  if (value instanceof Err) return `{"kind":${json_string(value.kind)},"message":${json_string(value.message)}}`;
  if (value instanceof Enum) {
    const name = json_string(value.of.variants[value.variant][0]);
    return value.items.length === 0 ? name : `{${name}:${all(value.items)}}`;
  }
  const entries = map_entries_of(value).map(([key, one]) => {
    const name = typeof key === "string" ? key : to_text(key, walk.at);
    return `${json_string(name)}:${json_in(one, walk)}`;
  });
  return `{${entries.join(",")}}`;
}
