// Values of FLIN as JavaScript objects. Here because lists, maps and what an `any` holds need more than JavaScript has:
// element classes, floats that are whole, times. Must stay true: an int is a safe integer and never -0; a `float`, `time`
// or `duration` is a bare number where its type is known, and an object in an `any`; whoever changes an object touches it.

/** A float in an `any`. */
class Float {
  constructor(value) {
    this.value = value;
  }
}

/** A point in time in an `any`, ms since 1970 UTC. */
class Time {
  constructor(ms) {
    this.ms = ms;
  }
}

/** A span of time in an `any`, ms. */
class Duration {
  constructor(ms) {
    this.ms = ms;
  }
}

/** A list: its element class (i f b r a) and its elements in the form of that class. */
class List {
  constructor(cls, items) {
    this.cls = cls;
    this.items = items;
    this.mark = epoch;
    this.walk = 0;
  }
}

/** A map: a record of a fixed shape with its fields, or, without a shape, a dictionary of entries by key. */
class Rec {
  constructor(shape, fields, entries) {
    this.shape = shape;
    this.fields = fields;
    this.entries = entries;
    this.mark = epoch;
    this.walk = 0;
  }
}

/** Names and classes of a record's fields. */
class Shape {
  constructor(names, classes) {
    this.names = names;
    this.classes = classes;
  }
}

class Tuple {
  constructor(items) {
    this.items = items;
  }
}

/** A value of an enum: the enum, the number of the variant, its data. */
class Enum {
  constructor(of, variant, items) {
    this.of = of;
    this.variant = variant;
    this.items = items;
  }
}

class Range {
  constructor(start, end, inclusive) {
    this.start = start;
    this.end = end;
    this.inclusive = inclusive;
  }
}

/** A variable that functions share. */
class Cell {
  constructor(value) {
    this.value = value;
    this.mark = epoch;
  }
}

/** What all closures of a function share. */
class Code {
  constructor(name, signature, run, entries) {
    this.name = name;
    this.signature = signature;
    this.run = run;
    this.entries = entries;
  }
}

class Closure {
  constructor(code, captures) {
    this.code = code;
    this.captures = captures;
  }
}

/** A record of the store, of which the browser knows the name only. */
class Link {
  constructor(type, id, more) {
    this.type = type;
    this.id = id;
    this.more = more;
  }
}

function shape(names, classes) {
  return new Shape(names, classes);
}

function float(value) {
  return new Float(value);
}

function time(ms) {
  return new Time(ms);
}

function duration(ms) {
  return new Duration(ms);
}

function list(cls, items) {
  return new List(cls, items);
}

function record(of, fields) {
  for (let at = fields.length; at < of.names.length; at++) {
    const cls = of.classes[at];
    fields.push(cls === "i" || cls === "f" ? 0 : cls === "b" ? false : null);
  }
  return new Rec(of, fields, null);
}

function dictionary() {
  return new Rec(null, null, new Map());
}

function cell(value) {
  return new Cell(value);
}

function set_cell(of, value) {
  if (of.mark !== epoch) touch(of);
  of.value = value;
}

function closure(code, captures) {
  return new Closure(code, captures);
}

/** A value of a class as it is in an `any`. */
function boxed(cls, value) {
  return cls === "f" ? new Float(value) : value;
}

/** A value of an `any` in the form of a class; undefined if it does not fit. Ints widen, times count as ints. */
function unboxed(cls, value) {
  switch (cls) {
    case "i":
      if (typeof value === "number") return value;
      return value instanceof Time || value instanceof Duration ? value.ms : undefined;
    case "f":
      if (value instanceof Float) return value.value;
      return typeof value === "number" ? value : undefined;
    case "b":
      return typeof value === "boolean" ? value : undefined;
    case "r":
      return is_scalar(value) ? undefined : value;
    default:
      return value;
  }
}

function is_scalar(value) {
  return typeof value === "number" || typeof value === "boolean" || value instanceof Float || value instanceof Time || value instanceof Duration;
}

/** The class that a list of this one value has. */
function class_of(value) {
  if (typeof value === "number") return "i";
  if (value instanceof Float) return "f";
  if (typeof value === "boolean") return "b";
  return value === null || value instanceof Time || value instanceof Duration ? "a" : "r";
}

/** The name of a value's type. */
function type_name(value) {
  if (value === null) return "none";
  switch (typeof value) {
    case "number":
      return "int";
    case "string":
      return "text";
    case "boolean":
      return "bool";
    default:
  }
  if (value instanceof Float) return "float";
  if (value instanceof Time) return "time";
  if (value instanceof Duration) return "duration";
  if (value instanceof List) return "list";
  if (value instanceof Rec) return "map";
  if (value instanceof Tuple) return "tuple";
  if (value instanceof Enum) return "enum";
  if (value instanceof Range) return "range";
  if (value instanceof Err) return "error";
  if (value instanceof Closure) return "function";
  if (value instanceof Link) return "entity";
  return "variable";
}

/** As `type_name`, but the enum's or entity's own name. */
function found_name(value) {
  if (value instanceof Enum) return value.of.name;
  if (value instanceof Link) return value.type;
  return type_name(value);
}
