// Drives the module of page.flin as the browser runtime does, and checks what it gives. Here because the module's promises
// (values of the view, undone changes, wire forms) are the runtime's ground. Must stay true: every promise of
// docs/internals/browser-code.md has a line here.
import assert from "node:assert/strict";

const { default: page } = await import("./page.mjs");
const state = (name) => page.state.find((variable) => variable.name === name);
const set = (name, json) => state(name).set(page.decode(state(name).type, json));
const sent = (name) => page.encode_as(state(name).type, state(name).get());
const run = (number, ...args) => page.attempt(() => page.handlers[number].run(...args));
const view = () => page.attempt(() => page.view()).ok;
// Behind the key and the block of an item stands what the module keeps for itself.
const is_item = (v) => Array.isArray(v) && typeof v[0] === "string" && Array.isArray(v[1]);
const written = (value) => JSON.parse(JSON.stringify(value, (_, v) => (v?.constructor?.name === "Args" ? `args ${v}` : is_item(v) ? v.slice(0, 2) : v)));

// State arrives in an attempt, before anything can be computed from it.
const arrived = page.attempt(() => {
  set("count", 0);
  set("draft", "");
  set("rows", [{ id: 1, title: "one", done: false }]);
  set("kind", "Low");
  set("other", []);
  set("counts", {});
});
assert.deepEqual(arrived.changed.sort(), ["counts", "draft", "kind", "other", "rows"]);
const first = { id: 1, title: "one", done: false };

// Values: the root block by place, branches, lists with keys, arguments that are not text yet.
assert.deepEqual(written(view()), [0, "a few", "0 of 1", "", [2], [["1", [3, "one", "one", `args [${JSON.stringify(first)}]`]]], ""]);
assert.equal(page.templates[0].places.length, 6);

// A handler changes state and says which.
assert.deepEqual(run(0), { ok: undefined, changed: ["count"] });
assert.equal(sent("count"), 6);
assert.deepEqual(view()[4], [1, "color: ", "big 0.5"]);

// An error has its place and leaves everything as it was.
const refused = run(1);
assert.deepEqual([refused.error.kind, refused.error.message, refused.error.line], ["ValidationError", "empty", 14]);
set("draft", "<b>two");
assert.deepEqual(run(1).changed.sort(), ["draft", "rows"]);
assert.deepEqual(sent("rows"), [first, { id: 2, title: "<b>two", done: false }]);
assert.equal(view()[5][1][1][2], "<b>two");
const broken = run(3);
assert.equal(broken.error.kind, "IndexOutOfBounds");
assert.equal(sent("rows").length, 2);
assert.equal(sent("count"), 6);

// So does giving up, also inside of lists and records.
assert.deepEqual(run(5), { gaveUp: "an int beyond 2^53" });
assert.equal(sent("rows")[0].title, "one");
assert.equal(sent("count"), 6);

// Arguments are what the view showed: a handler changes a copy, as on the server, where they come as text.
const [row] = view()[5][1][1][3].values;
assert.deepEqual(run(2, row).changed, []);
assert.equal(view()[5].length, 2);
run(2, page.decode(page.handlers[2].params[0], first));
assert.equal(view()[5].length, 2);

// What has not changed is what it was, down to the arrays; what has changed is new.
const shown = view();
assert.equal(view(), shown);
set("draft", "other");
const typed = view();
assert.notEqual(typed, shown);
assert.equal(typed[5], shown[5]);
set("rows", [first, { id: 2, title: "<b>two", done: false }, { id: 3, title: "three", done: true }]);
const [one, two] = view()[5];
assert.deepEqual(run(9).changed, ["rows"]);
const [same, other] = view()[5];
assert.equal(same, one);
assert.notEqual(other, two);
assert.deepEqual(written(other), ["2", [3, "changed", "changed", 'args [{"id":2,"title":"changed","done":false}]']]);

// Two variables that hold one list are two lists after the handler, as they are when they have come back from a page.
assert.deepEqual(run(10).changed, ["other"]);
assert.deepEqual(run(11).changed, ["other"]);
assert.equal(sent("rows").length + 1, sent("other").length);

// The keys of a map are texts once they have travelled, and keep their order, also those that look like numbers.
assert.deepEqual(run(12).changed, ["counts"]);
assert.deepEqual(sent("counts"), { _map: [["10", 1], ["b", 2], ["9", 3]] });
assert.deepEqual(view().at(-1), "10b9");
set("counts", sent("counts"));
assert.deepEqual(sent("counts"), { _map: [["10", 1], ["b", 2], ["9", 3]] });
set("counts", { b: 1, a: 2 });
assert.deepEqual(JSON.stringify(sent("counts")), '{"b":1,"a":2}');
set("rows", [first]);

// Wire forms, both ways.
assert.deepEqual(run(4).changed, ["kind"]);
assert.deepEqual(sent("kind"), { _enum: "Kind", variant: "High", data: [6] });
set("kind", sent("kind"));
assert.deepEqual(sent("kind"), { _enum: "Kind", variant: "High", data: [6] });
assert.throws(() => set("count", 1.5));
assert.throws(() => set("rows", "no list"));

// A field that is not sent is none, whatever objects of JavaScript have by that name (rows have no such field, so read as one).
const shape_of = (names) => ({ is: "record", shape: { names, classes: names.map(() => "a") }, of: names.map(() => ({ is: "any" })) });
assert.deepEqual(page.decode(shape_of(["constructor", "toString"]), {}).fields, [null, null]);

// Calls nest as deep as in a request; the server says what is too deep.
assert.deepEqual(run(6).changed, ["count"]);
assert.equal(sent("count"), 500);
assert.deepEqual(run(7), { gaveUp: "calls are nested too deep" });

// The sign of 0: kept on the way, gone in an even power.
const float = state("tilt").type;
assert.deepEqual(page.encode_as(float, page.decode(float, { _float: "-0" })), { _float: "-0" });
set("tilt", 0);
assert.deepEqual([run(8).gaveUp, sent("tilt")], [undefined, 0]);
