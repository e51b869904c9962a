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
  // State that the document shows in other places than the controls bound to it.
  shown: new Set(info.shown),
  // Sequence number that the shown document is known to contain.
  seq: info.seq,
  // Whether the last wish to bring the document up to date has failed.
  behind: false,
  state: { ...info.state },
  // Counts the user's edits per variable, to tell whether one came after a request was sent.
  edits: {},
  // Controls that the user changed since the server rendered them.
  dirty: new WeakSet(),
};

export const root = () => document.getElementById("flin-root");

// The controls bound to a variable or a part of it (`form.name`), or all.
export function boundControls(name, scope = root()) {
  const all = [...scope.querySelectorAll("[data-flin-bind]")];
  return name === undefined ? all : all.filter((c) => `${c.dataset.flinBind}.`.startsWith(`${name}.`));
}

// The variable that a control is bound to, or to a part of.
export const variableOf = (control) => control.dataset.flinBind.split(".", 1)[0];

// The variable of a control and the steps to the part that it is bound to: a point in a key is written `~1`, `~` is `~0`.
const address = (control) => control.dataset.flinBind.split(".").map((step) => step.replaceAll("~1", ".").replaceAll("~0", "~"));

// What the state has for a control.
export const stateOf = (control) => address(control).reduce(own, page.state);

// A part of the state by its name; what every object of JavaScript has is none of it.
const own = (held, step) => (held !== null && typeof held === "object" && Object.hasOwn(held, step) ? held[step] : undefined);

// Puts a control's value into the state; what others hold of the old state stays as it was.
function putState(control, value) {
  const [variable, ...steps] = address(control);
  const last = steps.pop();
  if (last === undefined) page.state[variable] = value;
  else {
    const whole = structuredClone(page.state[variable]);
    const holder = steps.reduce(own, whole);
    if (holder !== null && typeof holder === "object") holder[last] = value;
    page.state[variable] = whole;
  }
}

// How often the user has changed the controls of `scope`.
export function editsIn(scope) {
  return boundControls(undefined, scope).reduce((sum, c) => sum + (page.edits[variableOf(c)] ?? 0), 0);
}

// The value a control stands for.
function readControl(control) {
  const name = control.dataset.flinBind;
  const type = control.dataset.flinType ?? page.types[name] ?? "text";
  if (control.type === "checkbox") return control.checked;
  if (control.type === "radio") {
    const chosen = boundControls(name).find((c) => c.type === "radio" && c.checked);
    return chosen ? parseInput(chosen.value, type) : null;
  }
  if (control.tagName === "SELECT" && control.multiple) return [...control.selectedOptions].map((o) => o.value);
  return parseInput(control.value, type);
}

// Makes a control show a value; a control that shows it already is not touched (caret and selection stay).
export function writeControl(control, value) {
  if (control.type === "checkbox") control.checked = Boolean(value);
  else if (control.type === "radio") control.checked = control.value === showValue(value);
  else if (control.tagName === "SELECT" && control.multiple) {
    for (const option of control.options) option.selected = Array.isArray(value) && value.includes(option.value);
  } else if (!sameValue(readControl(control), value)) {
    const text = showValue(value);
    if (control.value !== text) control.value = text;
  }
}

// The user changed a control; says whether that changed the state.
export function edited(control) {
  page.dirty.add(control);
  const name = control.dataset.flinBind;
  if (name === undefined) return false;
  const value = readControl(control);
  if (sameValue(value, stateOf(control))) return false;
  putState(control, value);
  const variable = variableOf(control);
  page.edits[variable] = (page.edits[variable] ?? 0) + 1;
  for (const other of boundControls(variable)) if (other !== control) writeControl(other, stateOf(other));
  return true;
}

// Sets a variable from the program's side and shows it; a caret keeps its place, counted from the end.
export function assign(name, value) {
  if (sameValue(page.state[name], value)) return;
  page.state[name] = value;
  for (const control of boundControls(name)) {
    const fromEnd = control === document.activeElement && typeof control.selectionStart === "number" ? control.value.length - control.selectionStart : null;
    writeControl(control, stateOf(control));
    const caret = Math.max(control.value.length - fromEnd, 0);
    if (fromEnd !== null && control.selectionStart !== caret) control.setSelectionRange(caret, caret);
    page.dirty.delete(control);
  }
}

// The value that `into` (the page, or an action that waits) has for a variable after the answer to the action `sent`:
// what the user typed after that was sent stays, as if it had been typed into the answer.
export function merged(name, value, sent, into) {
  if ((into.edits[name] ?? 0) === (sent.edits[name] ?? 0)) return value;
  const [before, now, after] = [sent.state[name], into.state[name], value].map((v) => v ?? "");
  const typedOn = [before, now, after].every((v) => typeof v === "string") && now.startsWith(before);
  return typedOn ? after + now.slice(before.length) : into.state[name];
}

// At the start: what is in the controls (typed early, or restored by the browser) wins over what was rendered.
export function adoptControls() {
  return boundControls().filter((control) => {
    const differs = control.type === "checkbox" || control.type === "radio" || control.value !== showValue(stateOf(control));
    return differs && edited(control);
  }).length > 0;
}

let composing = null;
document.addEventListener("compositionstart", (event) => {
  composing = { control: event.target };
  composing.over = new Promise((resolve) => (composing.end = resolve));
});
for (const type of ["compositionend", "blur"]) {
  document.addEventListener(type, () => {
    // Some browsers tell the last input only after the end.
    if (composing !== null) setTimeout(composing.end);
    composing = null;
  }, true);
}

// Waits until no text is being composed (by an input method): the page must not change under it.
export async function composed() {
  while (composing !== null && composing.control.isConnected) await composing.over;
}
