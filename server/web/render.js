// Rendering again: asks the server for the page with the present state and updates the document in place.
// Here because actions, the socket and `$flin` all end in it. Must stay true: one request at a time, the newest wish
// wins; an older answer never replaces a newer document; the state in an answer never overwrites what was sent.

import { morphChildren, rememberTree } from "./morph.js";
import { page, root, writeControl, boundControls } from "./page.js";

let running = null;
let again = null;

// Sends JSON to the server the way the runtime does; throws on network failure.
export async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Flin": "1" },
    body: JSON.stringify(body),
    credentials: "same-origin",
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
export function update(scope = null) {
  if (running !== null) {
    again = again ?? { scopes: [] };
    again.scopes.push(scope);
    again.done = again.done ?? new Promise((resolve, reject) => Object.assign(again, { resolve, reject }));
    return again.done;
  }
  running = renderOnce([scope]).finally(() => {
    running = null;
    const next = again;
    again = null;
    if (next) updateAll(next);
  });
  return running;
}

function updateAll(next) {
  running = renderOnce(next.scopes).then(next.resolve, next.reject).finally(() => {
    running = null;
    const more = again;
    again = null;
    if (more) updateAll(more);
  });
}

async function renderOnce(scopes) {
  const { status, json } = await post("/_render", { _page: page.path, _state: page.state });
  if (status !== 200) throw Object.assign(new Error(json.error?.message ?? `render failed (${status})`), { error: json.error });
  if (json.seq < page.seq) return;
  page.seq = json.seq;
  await new Promise((resolve) => requestAnimationFrameOrNow(resolve));
  show(json, scopes);
}

// A hidden tab gets no animation frames; it is updated at once.
function requestAnimationFrameOrNow(resolve) {
  if (document.visibilityState === "visible") requestAnimationFrame(resolve);
  else setTimeout(resolve, 0);
}

function show(answer, scopes) {
  const focused = document.activeElement;
  const selection = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd, focused.selectionDirection] : null;
  const mayOverwrite = (control) => !page.dirty.has(control) || scopes.some((scope) => scope !== null && scope.contains(control));
  const fresh = document.createElement("template");
  fresh.innerHTML = answer.html;
  morphChildren(root(), fresh.content, mayOverwrite);
  showForms(answer.forms);
  showHead(answer.head);
  for (const control of boundControls()) {
    if (control !== focused || !page.dirty.has(control)) writeControl(control, page.state[control.dataset.flinBind]);
  }
  if (focused && focused !== document.activeElement && focused.isConnected) {
    focused.focus({ preventScroll: true });
    if (selection && selection[0] !== null) focused.setSelectionRange(...selection);
  }
}

function showForms(html) {
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
