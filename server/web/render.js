// Rendering again: asks the server for the page with the present state and updates the document in place.
// Here because actions, the socket and `$flin` all end in it. Must stay true: one request at a time, wishes that come
// meanwhile share the next; so an older answer never replaces a newer document; the state in an answer never overwrites
// what was sent; nothing changes under text that is being composed.

import { clearNetworkError } from "./messages.js";
import { morphChildren, rememberTree } from "./morph.js";
import { page, root, writeControl, boundControls, composed, stateOf } from "./page.js";

// The server gives up on a program long before.
const ANSWER_DEADLINE_MS = 30000;

let working = false;
let next = null;
let shownForms = null;

// Sends JSON to the server the way the runtime does; throws when there is no answer.
export async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Flin": "1" },
    body: JSON.stringify(body),
    credentials: "same-origin",
    signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
  });
  const text = await answer.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = { type: "error", error: { kind: "ServerError", message: `The server answered ${answer.status} without saying why.` } };
  }
  return { status: answer.status, json };
}

// Renders the page again. `scope` is the form or control whose action asked for it: its controls follow the server.
// `seq`: not needed if the document contains that change already.
export function update(scope = null, seq = Infinity) {
  if (next === null) {
    next = { scopes: [], seq: 0 };
    next.done = new Promise((resolve, reject) => Object.assign(next, { resolve, reject }));
  }
  next.scopes.push(scope);
  next.seq = Math.max(next.seq, seq);
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
      if (wish.seq > page.seq) await renderOnce(wish.scopes);
      if (page.behind) clearNetworkError();
      page.behind = false;
      wish.resolve();
    } catch (failure) {
      page.behind = true;
      wish.reject(failure);
    }
  }
  working = false;
}

async function renderOnce(scopes) {
  const { status, json } = await askFor({ ...page.state });
  if (status !== 200) throw Object.assign(new Error(json.error?.message ?? `render failed (${status})`), { error: json.error });
  await new Promise(requestFrame);
  await composed();
  page.seq = json.seq;
  show(json, scopes);
}

// What is only half typed may be no value of its variable yet ("" for a number): the page is rendered without it.
async function askFor(state) {
  const answer = await post("/_render", { _page: page.path, _state: state });
  const wrong = answer.json.error?.field;
  if (answer.status !== 400 || !(wrong in state)) return answer;
  delete state[wrong];
  return askFor(state);
}

// A hidden tab gets no animation frames; it is updated at once.
function requestFrame(resolve) {
  if (document.visibilityState === "visible") requestAnimationFrame(resolve);
  // A tab that is hidden just now gets its frame when it is shown again, or this.
  setTimeout(resolve, document.visibilityState === "visible" ? 100 : 0);
}

function show(answer, scopes) {
  const focused = document.activeElement;
  const selection = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd, focused.selectionDirection] : null;
  const answered = (control) => scopes.some((scope) => scope !== null && scope.contains(control));
  const mayOverwrite = (control) => !page.dirty.has(control) || answered(control);
  const wishes = () => [...root().querySelectorAll("[autofocus]")];
  const wishesBefore = new Set(wishes());
  const fresh = document.createElement("template");
  fresh.innerHTML = answer.html;
  morphChildren(root(), fresh.content, mayOverwrite);
  showForms(answer.forms);
  showHead(answer.head);
  for (const scope of scopes) {
    if (scope !== null) for (const control of [scope, ...scope.querySelectorAll("input,select,textarea")]) page.dirty.delete(control);
  }
  for (const control of boundControls()) writeControl(control, stateOf(control));
  if (focused && focused !== document.activeElement && focused.isConnected) {
    focused.focus({ preventScroll: true });
    if (selection && selection[0] !== null) focused.setSelectionRange(...selection);
  }
  // What has just appeared and wants the focus gets it, unless the user is typing elsewhere.
  const wish = wishes().find((element) => !wishesBefore.has(element));
  if (!document.activeElement?.matches("input,select,textarea")) wish?.focus();
}

function showForms(html) {
  if (html === shownForms) return;
  shownForms = html;
  for (const form of document.querySelectorAll("body > form[id^='flin-form-']")) form.remove();
  document.body.insertAdjacentHTML("beforeend", html);
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

rememberTree(root());
