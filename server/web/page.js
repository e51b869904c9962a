// The page: its state, its bound controls, and what the server said about both.
// Here because every other module asks it. Must stay true: the state is what the controls show, except while an answer
// is being applied; what the user typed before this script ran is state, not noise to be overwritten.

import { parseInput, sameValue, showValue } from "./wire.js";

const info = JSON.parse(document.getElementById("flin-page").textContent);

export const page = {
  path: info.page,
  build: info.build,
  types: info.types,
  reads: info.reads,
  fields: info.fields,
  // Sequence number that the shown document is known to contain.
  seq: info.seq,
  state: { ...info.state },
  // Counts the user's edits per variable, to tell whether one came after a request was sent.
  edits: {},
  // Controls that the user changed since the server rendered them.
  dirty: new WeakSet(),
};

export const root = () => document.getElementById("flin-root");

export function boundControls(name) {
  const all = [...root().querySelectorAll("[data-flin-bind]")];
  return name === undefined ? all : all.filter((c) => c.dataset.flinBind === name);
}

// The value a control stands for.
export function readControl(control) {
  const name = control.dataset.flinBind;
  if (control.type === "checkbox") return control.checked;
  if (control.type === "radio") {
    const chosen = boundControls(name).find((c) => c.type === "radio" && c.checked);
    return chosen ? parseInput(chosen.value, page.types[name] ?? "text") : null;
  }
  if (control.tagName === "SELECT" && control.multiple) return [...control.selectedOptions].map((o) => o.value);
  return parseInput(control.value, page.types[name] ?? "text");
}

// Makes a control show a value; a control that shows it already is not touched (caret and selection stay).
export function writeControl(control, value) {
  if (control.type === "checkbox") control.checked = Boolean(value);
  else if (control.type === "radio") control.checked = control.value === showValue(value);
  else if (control.tagName === "SELECT" && control.multiple) {
    for (const option of control.options) option.selected = Array.isArray(value) && value.includes(option.value);
  } else if (!sameValue(readControl(control), value) || control.value === "") {
    const text = showValue(value);
    if (control.value !== text) control.value = text;
  }
}

// The user changed a control.
export function edited(control) {
  page.dirty.add(control);
  const name = control.dataset.flinBind;
  if (name === undefined) return;
  page.state[name] = readControl(control);
  page.edits[name] = (page.edits[name] ?? 0) + 1;
  for (const other of boundControls(name)) if (other !== control) writeControl(other, page.state[name]);
}

// Sets a variable from the program's side and shows it.
export function assign(name, value) {
  page.state[name] = value;
  for (const control of boundControls(name)) {
    writeControl(control, value);
    page.dirty.delete(control);
  }
}

// At the start: what is in the controls (typed early, or restored by the browser) wins over what was rendered.
export function adoptControls() {
  for (const control of boundControls()) {
    const name = control.dataset.flinBind;
    if (!sameValue(readControl(control), page.state[name]) && showValue(page.state[name]) !== control.value) edited(control);
  }
}
