// Runs handlers of kept.flin by chance and compares the values of the view with those of a second copy of the module, which
// gets the state over the wire and computes all of it each time. Must stay true: what is kept is never told from what is computed.
import assert from "node:assert/strict";

const kept = (await import("./page.mjs")).default;
const fresh = (await import("./page.mjs?again")).default;

// The values without what a module keeps for itself behind the block of an item.
const block = (values) => values.map((value) => {
  if (!Array.isArray(value)) return value?.constructor?.name === "Args" ? String(value) : value;
  return typeof value[0] === "number" ? block(value) : value.map(([key, values]) => [key, block(values)]);
});
const shown = (page) => {
  const { ok, error, gaveUp } = page.attempt(page.view);
  assert.ok(ok, JSON.stringify(error ?? gaveUp));
  return block(ok);
};
const sent = (page) => page.state.map(({ type, get }) => JSON.stringify(page.encode_as(type, get())));
const arrive = (page, wires) => page.attempt(() => page.state.forEach(({ type, set }, n) => set(page.decode(type, JSON.parse(wires[n])))));

const FIRST = {
  groups: [{ name: "a", open: true, cards: [{ id: 1, text: "one", tags: ["x"] }] }, { name: "b", open: true, cards: [] }],
  numbers: [1, 2, 3],
  words: ["b", "a"],
  chosen: 0,
  factor: 1,
  filter: "",
  next: 2,
  seed: 1,
  picked: null,
  word: "b",
  half: 0.5,
};
let now = 4711;
const random = (below) => {
  now = (now * 48271) % 2147483647;
  return now % below;
};
arrive(kept, kept.state.map(({ name }) => JSON.stringify(FIRST[name])));
let same = 0;
for (let step = 0; step < 2000; step++) {
  const handler = step % 100 === 99 ? 2 : random(kept.handlers.length);
  const outcome = kept.attempt(() => kept.handlers[handler].run());
  assert.equal(outcome.error ?? outcome.gaveUp, undefined);
  // Several handlers may run before the page is shown.
  if (random(4) === 0) continue;
  const values = shown(kept);
  // Decoded state is new in all its parts, so nothing of it is kept.
  const wires = sent(kept);
  arrive(fresh, wires);
  assert.deepEqual(values, shown(fresh), `step ${step}, handler ${handler}`);
  // A third view right behind is all old.
  if (kept.attempt(kept.view).ok === kept.attempt(kept.view).ok) same++;
}
assert.ok(same > 300);
