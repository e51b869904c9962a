// The page: its state, its bound controls, and what the server said about both.
// Here because every other module asks it. Must stay true: the state is what the controls show, except while an answer
// is being applied; what the user typed before this script ran is state, not noise to be overwritten. Where the page has
// code of its own, its values are the truth and the wire form is made when it is needed.

import { dirty, isBound } from "./place.js";
import { parseInput, sameValue, showIn, showValue } from "./wire.js";

// What the server said of the page, and: `module` (its own code), `edits` (counts the user's and the page's changes per
// variable, to tell whether one came after a request was sent), `view` and `seq` (what the document is known to show),
// `refused` (what the server did not take for a variable), `whole` (its own view gave up, the server writes it all), `beyond`
// (variables whose value only the server can hold), `visit` (changes when the visitor goes elsewhere), `binds` (false if no control can be bound).
export const page = {};

export const root = () => document.getElementById("flin-root");

// Variables that the page's code holds, by name; all others and what is no value of its type (yet) in wire form.
let held = new Map();
let wires = new Map();
// Wire forms that were made, until something changes.
let made = new Map();

// Whether a bound control may be in a block of a template.
const mayBind = ({ html, places }) => html.includes("flin-bind") || places.some(([kind]) => /bind|html|butes$/.test(kind));

// Takes over a page: what the server said, and its own code.
export function openPage(info, module, visit = {}) {
  Object.assign(page, { view: null, ...info, asks: new Set(info.asks ?? info.shown), module, binds: module?.templates.some(mayBind), edits: {}, refused: {}, whole: false, beyond: new Set(), visit });
  held = new Map((module?.state ?? []).map((variable) => [variable.name, variable]));
  wires = new Map();
  attempt(() => Object.entries(info.state).forEach(([name, wire]) => setWire(name, wire)));
}

// Code of the page runs in an attempt: all of it counts, or nothing.
const attempt = (run) => (page.module ? page.module.attempt(run) : { ok: run() });

function setWire(name, wire) {
  made.clear();
  wires.set(name, wire);
  page.beyond.delete(name);
  const variable = held.get(name);
  if (variable === undefined) return;
  try {
    variable.set(page.module.decode(variable.type, wire));
    wires.delete(name);
  } catch (failure) {
    // Half a number is none: the code of the page keeps what it had, the server says what is wrong.
    if (!failure.kind) page.beyond.add(name);
  }
}

export const setState = (name, wire) => void attempt(() => setWire(name, wire));

// A variable in wire form.
export function stateWire(name) {
  if (wires.has(name) || !held.has(name)) return wires.get(name);
  if (!made.has(name)) {
    const { ok, error, gaveUp } = attempt(() => page.module.encode_as(held.get(name).type, held.get(name).get()));
    if (ok === undefined) throw Object.assign(new Error(name), { error: error ?? { kind: "ScriptError", message: `${name}: ${gaveUp}` } });
    made.set(name, ok);
  }
  return made.get(name);
}

// The variables of the page, or those that `isWanted`, in wire form.
export const stateWires = (isWanted = () => true) => Object.fromEntries(Object.keys(page.state).filter(isWanted).map((name) => [name, stateWire(name)]));

// Whether a variable is only half typed: no value of its type for the page's code, or for the server when it was sent last.
export const isHalfTyped = (name) => (wires.has(name) && held.has(name) && !page.beyond.has(name)) || (name in page.refused && sameValue(page.refused[name], stateWire(name)));

// Runs code of the page. What it changed counts as an edit; gives the outcome, see docs/internals/browser-code.md.
export function runHere(run) {
  const outcome = page.module.attempt(run);
  made.clear();
  for (const name of outcome.changed ?? []) {
    wires.delete(name);
    page.edits[name] = (page.edits[name] ?? 0) + 1;
  }
  return outcome;
}

// The controls bound to a variable or a part of it (`form.name`), or all.
export function boundControls(name, scope = root()) {
  // The browser keeps these lists: looking through all elements takes longer than a click may. So does making the lists anew.
  const all = page.binds === false ? [] : ["input", "select", "textarea"].flatMap((tag) => [...scope.getElementsByTagName(tag)]).filter(isBound);
  return name === undefined ? all : all.filter((c) => `${c.dataset.flinBind}.`.startsWith(`${name}.`));
}

// The variable that a control is bound to, or to a part of.
export const variableOf = (control) => control.dataset.flinBind.split(".", 1)[0];

// The variable of a control and the steps to the part that it is bound to: a point in a key is written `~1`, `~` is `~0`.
const address = (control) => control.dataset.flinBind.split(".").map((step) => step.replaceAll("~1", ".").replaceAll("~0", "~"));

// What the state has for a control.
export function stateOf(control) {
  const [variable, ...steps] = address(control);
  return steps.reduce(own, stateWire(variable));
}

// A part of the state by its name; what every object of JavaScript has is none of it.
const own = (value, step) => (entryOf(value, step) ?? (value !== null && typeof value === "object" && Object.hasOwn(value, step) ? [0, value[step]] : []))[1];

// A map whose order an object would lose travels as `_map`: a list of keys and values.
const entryOf = (value, step) => value?._map?.find?.(([key]) => key === step);

// Puts a control's value into the state; what others hold of the old state stays as it was.
function putState(control, value) {
  const [variable, ...steps] = address(control);
  const last = steps.pop();
  let whole = value;
  if (last !== undefined) {
    whole = structuredClone(stateWire(variable));
    const holder = steps.reduce(own, whole);
    // A key may be `__proto__`.
    const entry = entryOf(holder, last);
    if (entry) entry[1] = value;
    else if (holder !== null && typeof holder === "object") Object.defineProperty(holder, last, { value, writable: true, enumerable: true, configurable: true });
  }
  setState(variable, whole);
}

// How often the user has changed the controls of `scope`.
export function editsIn(scope) {
  return boundControls(undefined, scope).reduce((sum, c) => sum + (page.edits[variableOf(c)] ?? 0), 0);
}

// Whether the variable of a control takes a value.
function fits(control, value) {
  const variable = held.get(control.dataset.flinBind);
  return !variable || attempt(() => page.module.decode(variable.type, value)).ok !== undefined;
}

// The value a control stands for.
function readControl(control) {
  const name = control.dataset.flinBind;
  const type = control.dataset.flinType ?? page.types[name] ?? "text";
  if (control.type === "checkbox") return control.checked;
  if (control.type === "radio") {
    const chosen = boundControls(name).find((c) => c.type === "radio" && c.checked);
    // Without a choice it says nothing.
    return chosen ? parseInput(chosen.value, type) : stateOf(control);
  }
  if (control.multiple && control.localName === "select") {
    const texts = [...control.selectedOptions].map((o) => o.value);
    const numbers = texts.map((text) => parseInput(text, "float"));
    // The first of an empty list tells nothing: then it is what the variable takes.
    const first = stateOf(control)?.[0];
    return typeof first === "number" || (first === undefined && !fits(control, texts) && fits(control, numbers)) ? numbers : texts;
  }
  return parseInput(control.value, type);
}

// Makes a control show a value; a control that shows it already is not touched (caret and selection stay).
export function writeControl(control, value) {
  if (control.type === "checkbox") control.checked = Boolean(value);
  else if (control.type === "radio") control.checked = control.value === showValue(value);
  else if (control.multiple && control.localName === "select") {
    for (const option of control.options) option.selected = Array.isArray(value) && value.some((v) => showValue(v) === option.value);
  } else if (!sameValue(readControl(control), value)) {
    const text = showIn(control, value);
    if (control.value !== text) control.value = text;
  }
}

// The user changed a control; says whether that changed the state.
export function edited(control) {
  dirty.set(control, performance.now());
  if (control.dataset.flinBind === undefined) return false;
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
  if (sameValue(stateWire(name), value)) return;
  setState(name, value);
  for (const control of boundControls(name)) {
    const fromEnd = control === document.activeElement && typeof control.selectionStart === "number" ? control.value.length - control.selectionStart : null;
    writeControl(control, stateOf(control));
    const caret = Math.max(control.value.length - fromEnd, 0);
    if (fromEnd !== null && control.selectionStart !== caret) control.setSelectionRange(caret, caret);
    dirty.delete(control);
  }
}

// The value that `into` (the page, or an action that waits) has for a variable after the answer to the action `sent`:
// what the user typed after that was sent stays, as if it had been typed into the answer.
export function merged(name, value, sent, into) {
  if ((into.edits[name] ?? 0) === (sent.edits[name] ?? 0)) return value;
  const now = into.state[name];
  const [before, text, after] = [sent.state[name], now, value].map((v) => v ?? "");
  const typedOn = [before, text, after].every((v) => typeof v === "string") && text.startsWith(before);
  return typedOn ? after + text.slice(before.length) : now;
}

// At the start: what is in the controls (typed early, or restored by the browser) wins over what was rendered.
export function adoptControls() {
  return boundControls().filter((control) => {
    const differs = control.matches("[type=checkbox],[type=radio],select") || control.value !== showIn(control, stateOf(control));
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

// Whether text is being composed (by an input method): the page must not change under it.
export const isComposing = () => composing !== null && composing.control.isConnected;
export async function composed() {
  while (isComposing()) await composing.over;
}
