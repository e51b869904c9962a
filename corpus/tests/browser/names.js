// Sets variables of the page names.flin whose names mean something else in the module. Must stay true: a variable holds what it was set to,
// whatever it is called.
import assert from "node:assert/strict";
import page from "./page.mjs";

for (const [name, value] of [["value", 7], ["result", "x"], ["at", 8], ["run", 9], ["json", "y"]]) {
  const variable = page.state.find((it) => it.name === name);
  const { changed } = page.attempt(() => variable.set(value));
  assert.equal(page.attempt(() => variable.get()).ok, value, name);
  assert.deepEqual(changed, [name]);
}
assert.deepEqual(page.attempt(() => page.view()).ok.at(-1), "7 x 8 9 y");
