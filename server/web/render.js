// What the document shows: the page's own view of its state, and what the server sends.
// Here because actions, the socket and `$flin` all end in it. Must stay true: all that came within one frame is one pass over
// the document; a patch is applied only to the view that it starts from, else the server is asked again, so an older answer
// never replaces a newer document; one request at a time, wishes that come meanwhile share the next; the state in an answer
// never overwrites what was sent; nothing changes under text that is being composed.

import { adoptBlock, fill, useTemplates, wishes } from "./blocks.js";
import { showError } from "./messages.js";
import { boundControls, composed, isComposing, isHalfTyped, page, root, runHere, stateOf, stateWire, stateWires, writeControl } from "./page.js";
import { setAnswered, settle } from "./place.js";
import { missed, pause, post, reached } from "./reach.js";

// The page as blocks; null if the server told nothing of its templates.
let whole = null;
// What other modules want to know: the page follows another state; the server has another build. `patch` applies a patch, once
// the page stands.
export const told = { state: () => undefined, stale: () => undefined, unknown: () => undefined, patch: null };

// Finds the places of a document that the server wrote.
export function beginView() {
  whole = null;
  if (!page.module) return;
  useTemplates(page.module.templates);
  [whole] = adoptBlock(0, root(), root().firstChild);
  pass();
}

// A hidden tab gets no animation frames; one that is hidden just now gets its frame when it is shown again, or this.
export function requestFrame(resolve) {
  requestAnimationFrame(resolve);
  setTimeout(resolve, document.hidden ? 0 : 100);
}

let isDue = false;
let isHeld = false;
// The page's state has changed: it is shown in this frame.
export function touch() {
  if (!isDue && !isHeld) requestFrame(flush);
  isDue = true;
}

// What `run` changes is shown right behind it.
export function atOnce(run) {
  isHeld = true;
  try {
    run();
  } finally {
    isHeld = false;
    flush();
  }
}

// Shows now what is due.
export function flush() {
  if (isDue && isComposing()) composed().then(flush);
  else if (isDue) pass();
}

// One pass over the document: `changes` of the server, for forms and controls in `scopes`, and what the page's own code shows.
export function pass(changes = [], scopes = []) {
  isDue = false;
  const focused = document.activeElement;
  const selection = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd, focused.selectionDirection] : null;
  setAnswered(scopes);
  for (const change of changes) change();
  showOwn();
  for (const scope of scopes) settle(scope);
  setAnswered([]);
  // What came by a patch with a control in it may be no state yet: what else belongs to it only the server knows.
  const unknown = [];
  for (const control of boundControls()) {
    const value = stateOf(control);
    if (value === undefined) unknown.push(control);
    else writeControl(control, value);
  }
  if (unknown.length > 0) told.unknown(unknown);
  if (focused && focused !== document.activeElement && focused.isConnected) {
    focused.focus({ preventScroll: true });
    if (selection && selection[0] !== null) focused.setSelectionRange(...selection);
  }
  // What has just appeared and wants the focus gets it, unless the user is typing elsewhere.
  const wish = wishes.splice(0).find((element) => element.isConnected);
  if (!document.activeElement?.matches("input,select,textarea")) wish?.focus();
}

function showOwn() {
  if (!page.module?.view) return;
  const outcome = page.beyond.size > 0 ? {} : runHere(page.module.view);
  if (outcome.ok) {
    fill(whole, outcome.ok, false);
    page.whole = false;
  } else if (outcome.error) showError(outcome.error, null);
  else if (!page.whole) {
    // What it cannot say exactly, the server says.
    page.whole = true;
    ask();
  }
}

const inbox = [];
// Takes an answer or a message in, in the next frame. `isAnswer`: to a wish of this page; `scopes`: whose action it was, and when it was sent.
export function receive(json, isAnswer, scopes = []) {
  return new Promise((resolve) => {
    inbox.push({ of: page.visit, json, isAnswer, scopes, resolve });
    if (inbox.length === 1) requestFrame(empty);
  });
}

async function empty() {
  await composed();
  const all = inbox.splice(0);
  if (all.length === 0) return;
  const entries = all.filter(({ of }) => of === page.visit);
  const changes = entries.map(({ json, isAnswer }) => () => takeOver(json, isAnswer));
  pass(changes, entries.flatMap(({ scopes }) => scopes).filter(([scope]) => scope));
  for (const { resolve } of all) resolve();
}

function takeOver(json, isAnswer) {
  const seq = json.seq ?? page.seq;
  if (json.view !== page.view) {
    try {
      if (json.patch && json.from === page.view) told.patch(whole, json.patch);
      else if (json.values && (isAnswer || seq >= page.seq)) fill(whole, json.values, !page.whole || 0);
      else return ask();
    } catch (failure) {
      // The document is not what the server takes it for: all of it anew.
      console.warn(`flin: ${failure.message}`);
      page.view = null;
      return ask();
    }
    page.view = json.view;
    if (json.head !== undefined) showHead(json.head);
  } else if (json.values && page.whole) fill(whole, json.values);
  page.seq = Math.max(page.seq, seq);
}

// The title follows; styles and links are part of the program and do not change while it runs, except by state.
function showHead(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const title = fresh.content.querySelector("title");
  if (title && document.title !== title.textContent) document.title = title.textContent;
  const styles = [...document.head.querySelectorAll("style")];
  fresh.content.querySelectorAll("style").forEach((style, i) => {
    if (styles[i] && styles[i].textContent !== style.textContent) styles[i].textContent = style.textContent;
  });
}

let isAsking = false;
let isWished = false;
// Asks the server until it answers, and again for who wishes it meanwhile.
export async function ask() {
  isWished = true;
  if (isAsking) return;
  isAsking = true;
  for (let failures = 0; isWished; ) {
    isWished = false;
    const isDone = await update().then(() => true, (failure) => failure.error && !showError(failure.error, null));
    if (isDone) continue;
    isWished = true;
    missed();
    await pause(++failures);
  }
  isAsking = false;
}

let scheduled = null;
// Many changes become one wish: at once, or after a pause in typing.
export function askIn(delay) {
  clearTimeout(scheduled);
  scheduled = setTimeout(ask, delay);
}

let working = false;
let next = null;

// Asks the server what it shows now.
export function update() {
  if (next === null) {
    next = {};
    next.done = new Promise((resolve, reject) => Object.assign(next, { resolve, reject }));
  }
  const { done } = next;
  if (!working) work();
  return done;
}

async function work() {
  working = true;
  while (next !== null) {
    const wish = next;
    next = null;
    try {
      await askOnce();
      reached();
      wish.resolve();
    } catch (failure) {
      wish.reject(failure);
    }
  }
  working = false;
}

async function askOnce() {
  const asked = page.visit;
  const state = stateWires((name) => (page.whole || page.asks.has(name)) && !isHalfTyped(name));
  const { status, json } = await post("/_render", { ...about(), _state: state, ...(page.whole && { whole: true }) });
  if (page.visit !== asked) return;
  if (status === 412) return told.stale();
  if (status === 400 && refuse(json.error?.field)) return askOnce();
  if (status !== 200) throw Object.assign(new Error(json.error?.message ?? `status ${status}`), { error: json.error });
  await receive(json, true);
  told.state();
}

// What is only half typed may be no value of its variable yet ("" for a number): the page is rendered without it.
export function refuse(name) {
  const isNews = name in page.state && !isHalfTyped(name);
  if (isNews) page.refused[name] = stateWire(name);
  return isNews;
}

// What the server needs to know of the page in each request.
export const about = () => ({ _page: page.page, view: told.patch && page.view, token: page.token, build: page.build });

// State that the server shows has changed.
export function follow(names, delay = 0) {
  touch();
  if (names.some((name) => page.whole || page.asks.has(name))) askIn(delay);
}
