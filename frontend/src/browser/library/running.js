// How code runs: errors with their places and traces, limits, and the journal that undoes what was changed. Here because
// code in the browser either does exactly what the server would do, or nothing. Must stay true: an error has the place of
// the innermost instruction of the program, not of the prelude; `GiveUp` passes every catch.

/** Turns and calls that code may make in one go. */
const FUEL_MAX = 5_000_000;
/** Deepest nesting of calls in a page: that of a request. */
const CALLS_MAX = 512;
/** Deepest nesting of data that is walked. */
const DEPTH_MAX = 256;

/** What JavaScript cannot do as the server does; the server does it then. */
class GiveUp {
  constructor(reason) {
    this.reason = reason;
  }
}

/** An error of the program. */
class Err {
  constructor(kind, message, at, trace) {
    this.kind = kind;
    this.message = message;
    this.line = at[0];
    this.column = at[1];
    this.trace = trace;
    this.entity = null;
    this.field = null;
    this.rule = null;
    this.cause = null;
  }
}

let fuel = FUEL_MAX;
let calls_max = CALLS_MAX;
/** Running calls: names of the functions (those of the prelude with a colon), and where each was called. */
let depth = 0;
const called = [];
const sites = [];
/** Counts the runs: what has this mark was made or saved in the running one. */
let epoch = 1;
/** Counts what was touched in all runs. */
let touches = 0;
/** How to undo what was changed in the running run; null outside of one. */
let journal = null;

function give_up(reason) {
  throw new GiveUp(reason);
}

function beyond() {
  throw new GiveUp("an int beyond 2^53");
}

/** A function begins; gives the depth of its frame. */
function enter(name, at) {
  if (depth >= calls_max) give_up("calls are nested too deep");
  if (--fuel < 0) give_up("too many turns and calls");
  called[depth] = name;
  sites[depth] = at;
  return ++depth;
}

/** A function ends with a value. */
function leave(value) {
  depth--;
  return value;
}

/** A loop turns. */
function turn() {
  if (--fuel < 0) give_up("too many turns and calls");
}

/** An object is about to change for the first time in this run. */
function touch(object) {
  object.mark = epoch;
  touches++;
  if (journal === null) return;
  if (object instanceof List) {
    const { cls, items } = object;
    const copy = items.slice();
    journal.push(() => {
      object.cls = cls;
      object.items = copy;
    });
  } else if (object instanceof Rec) {
    const { shape, fields, entries } = object;
    const [kept_fields, kept_entries] = [fields && fields.slice(), entries && new Map(entries)];
    journal.push(() => {
      object.shape = shape;
      object.fields = kept_fields;
      object.entries = kept_entries;
    });
  } else {
    const { value } = object;
    journal.push(() => {
      object.value = value;
    });
  }
}

/** Running calls as [function, place], innermost first; without those of the prelude. */
function program_calls(at) {
  const calls = [];
  let place = at;
  for (let n = depth - 1; n >= 0; n--) {
    if (!called[n].startsWith(":")) calls.push([called[n], place]);
    place = sites[n];
  }
  return calls;
}

function line_column(place) {
  const [line, column] = place.split(" ", 1)[0].split(":");
  return [Number(line) || 0, Number(column) || 0];
}

/** The calls of an error: long traces lose their middle. */
function trace_of(calls) {
  const entry = ([name, place]) => [name, ...line_column(place)];
  if (calls.length <= 31) return calls.map(entry);
  const left_out = [`… ${calls.length - 30} more calls …`, 0, 0];
  return [...calls.slice(0, 20).map(entry), left_out, ...calls.slice(-10).map(entry)];
}

/** The error of a kind with a sentence, raised at a place. `blame` is whose argument is wrong, as words; true: look it up. */
function raise(kind, message, at, blame) {
  const calls = program_calls(at);
  const sentence = blame ? blamed(message, at, blame, calls) : message;
  return new Err(kind, sentence, calls.length > 0 ? line_column(calls[0][1]) : [0, 0], trace_of(calls));
}

/** The words that a wrong argument's error begins with. */
function blamed(message, at, blame, calls) {
  if (depth > 0 && called[depth - 1].startsWith(":")) {
    // The outermost call of the prelude is what the program called.
    let n = depth - 1;
    while (n > 0 && called[n - 1].startsWith(":")) n--;
    const name = called[n].slice(1);
    if (name === "__items") return argument_words(calls[0][1]) + message;
    const public_name = PRELUDE_ROWS[name];
    return public_name === undefined ? message : `in \`${public_name}\`: ${message}`;
  }
  return (blame === true ? argument_words(at) : blame) + message;
}

/** `argument \`x\` of \`f\`: ` if the place says so. */
function argument_words(place) {
  const words = place.indexOf(" ");
  return words < 0 ? "" : `${place.slice(words + 1)}: `;
}

function type_error(message, at) {
  return raise("TypeError", message, at);
}

/** A value is not what was expected. */
function expected(what, value, at) {
  return raise("TypeError", `expected ${what}, found ${type_name(value)}`, at, true);
}

/** An argument of a library function is not what it must be. */
function wrong(value, what, parameter, row, at) {
  const blame = row.startsWith("__") ? "" : `argument \`${parameter}\` of \`${row}\`: `;
  return raise("TypeError", `expected ${what}, found ${found_name(value)}`, at, blame || true);
}

function wrong_element(value, what, parameter, row, at) {
  return raise("TypeError", `expected ${what}, found ${found_name(value)}`, at, `element of argument \`${parameter}\` of \`${row}\`: `);
}

function too_deep(what, at) {
  return raise("DepthLimitExceeded", `cannot ${what}: the value is nested more than ${DEPTH_MAX} levels deep or contains itself`, at);
}

/** What a catch gets: the error, with the calls inside of it gone. */
function caught(raised, frame) {
  if (!(raised instanceof Err)) throw raised;
  depth = frame;
  return raised;
}

function thrown(error) {
  return error;
}

function fail(kind, message, at) {
  return raise(kind, message, at);
}

function fail_text(message, at) {
  throw raise("Error", message, at);
}

function fail_any(error, at) {
  if (error instanceof Err) throw error;
  if (typeof error === "string") throw raise("Error", error, at);
  throw wrong(error, "text or error", "error", "fail", at);
}

function fail_because(kind, message, cause, at) {
  if (cause !== null && !(cause instanceof Err)) throw wrong(cause, "error", "cause", "fail", at);
  const error = raise(kind, message, at);
  error.cause = cause;
  throw error;
}

function http_error(status, message, at) {
  if (status < 200 || status > 599) throw raise("ArgumentError", `${status} is no HTTP status of an answer (200 to 599)`, at);
  const error = raise("HttpError", message, at);
  error.rule = String(status);
  throw error;
}

function validation_error(entity, field, rule, message, at) {
  const error = raise("ValidationError", message, at);
  [error.entity, error.field, error.rule] = [entity, field, rule];
  throw error;
}

function assert1(condition, at) {
  if (!truthy(condition)) throw raise("AssertionError", "the assertion does not hold", at);
}

function assert2(condition, message, at) {
  if (!truthy(condition)) throw raise("AssertionError", message, at);
}

function assert_failed(words, left, right, at) {
  const side = (value) => {
    const shown = [...inside_text(value)];
    return shown.length > 500 ? `${shown.slice(0, 500).join("")}…` : shown.join("");
  };
  throw raise("AssertionError", `assertion failed: ${words}\n  left:  ${side(left)}\n  right: ${side(right)}`, at);
}

/** Calls of closures whose signature is not known to be that of the call. */
function call0(f, signature, at) {
  return f instanceof Closure && f.code.signature === signature ? f.code.run(f, at) : call_many(f, signature, [], at);
}

function call1(f, signature, a, at) {
  return f instanceof Closure && f.code.signature === signature ? f.code.run(f, a, at) : call_many(f, signature, [a], at);
}

function call2(f, signature, a, b, at) {
  return f instanceof Closure && f.code.signature === signature ? f.code.run(f, a, b, at) : call_many(f, signature, [a, b], at);
}

const CLASS_NAMES = { i: "int", f: "float", b: "bool", r: "a text, list, map or other object", a: "any" };

function call_many(f, signature, args, at) {
  if (!(f instanceof Closure)) throw expected("function", f, at);
  let code = f.code;
  const missing = code.signature.indexOf(">") - args.length;
  if (missing > 0 && missing <= code.entries.length) code = code.entries[missing - 1];
  if (code.signature === signature) return code.run(f, ...args, at);
  const [wanted, gives] = code.signature.split(">");
  const [given, wants] = signature.split(">");
  if (wanted.length !== given.length) throw wrong_count(f.code, given.length, at);
  const adapted = args.map((value, n) => {
    const any = boxed(given[n], value);
    const fits = unboxed(wanted[n], any);
    if (fits === undefined) throw expected(CLASS_NAMES[wanted[n]], any, at);
    return fits;
  });
  const result = code.run(f, ...adapted, at);
  if (wants === "-") return undefined;
  const any = gives === "-" ? null : boxed(gives, result);
  const fits = unboxed(wants, any);
  if (fits === undefined) return result_misfit(code, CLASS_NAMES[wants], any, at);
  return fits;
}

/** The error stands at the return of the function that was called. */
function result_misfit(code, wanted, value, at) {
  return give_up(`a result of ${code.name} at ${at} is ${type_name(value)}, not ${wanted}`);
}

function wrong_count(code, given, at) {
  const most = code.signature.indexOf(">");
  const least = most - code.entries.length;
  const name = code.name === "lambda" ? "this function" : `\`${code.name}\``;
  let words = `${least} to ${most} arguments`;
  if (most === least) words = most === 1 ? "1 argument" : `${most} arguments`;
  else if (most - least === 1) words = `${least} or ${most} arguments`;
  return raise("TypeError", `${name} takes ${words}, but is called with ${given}`, at, true);
}
