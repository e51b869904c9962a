// Actions: what a handler does, here or on the server.
// Here because the order of a visitor's actions is the order of their clicks. Must stay true: what the page's own code can do
// is done at once, and what it gives up is done by the server instead; an action is sent with the state that the action
// before it left, as often as it takes to get an answer, under one key, so that it is done once; a form whose action is
// under way is sent again only if the user changed it since; every failure is shown; what the user typed while an action
// was under way is not lost.

import { clearErrors, showError } from "./messages.js";
import { page, assign, merged, composed, editsIn, isHalfTyped, runHere, stateWire, stateWires } from "./page.js";
import { pause, post, reach, reached, missed, tellReach } from "./reach.js";
import { settle } from "./place.js";
import { about, ask, follow, receive, told, touch } from "./render.js";

let queue = Promise.resolve();
// Actions that have not been sent yet, each with the state that the user saw when asking for it.
const waiting = [];
// Forms under way, with the number of edits in them when they were sent; elements with the number of their actions.
const sentForms = new Map();
const pending = new Map();
// Actions without an answer that may change state: what the page's own code would do is done behind them.
const changing = new Set();

// Runs handler `name` ("#3", or a function by name) with arguments: a list of wire values, or an `Args` of the page's code
// (docs/internals/browser-code.md); `tells`: what the event says. `element` is what the user touched.
export async function act(name, args, element = null, tells = []) {
  const form = element?.closest?.("form") ?? null;
  const handler = name[0] === "#" ? page.module?.handlers[name.slice(1)] : null;
  if (actHere(handler, args, tells, form)) return { type: "ok" };
  let wish;
  try {
    const wires = Array.isArray(args) ? args : JSON.parse(String(args));
    wish = { of: page.visit, at: performance.now(), about: about(), name, args: [...wires, ...tells], form, element, state: stateWires(), edits: { ...page.edits }, key: crypto.getRandomValues(new Uint32Array(6)).join("-").slice(0, 64) };
  } catch (failure) {
    const { kind = "ScriptError", message = failure.reason } = failure.error ?? failure;
    showError({ kind, message }, form);
    throw failure;
  }
  if (element !== null && element === form) {
    if (sentForms.get(form) === editsIn(form)) return;
    sentForms.set(form, editsIn(form));
  }
  mark(element, 1);
  if (handler?.assigns.length !== 0) changing.add(wish);
  waiting.push(wish);
  reach.waiting++;
  tellReach();
  const answered = queue.then(() => send(waiting.shift()));
  // The next action needs the state that this one left, not the document.
  queue = answered.catch(() => undefined).then(() => changing.delete(wish));
  return answered.then(({ json, shown }) => shown.then(() => json)).finally(() => {
    if (mark(element, -1) === 0) sentForms.delete(form);
  });
}

// Runs a handler of the page's own code; says whether it could.
function actHere(handler, args, tells, form) {
  // What is only half typed has no value here; the server says so at its field.
  if (!handler?.run || page.beyond.size > 0 || Object.keys(page.state).some(isHalfTyped) || [...changing].some(({ of }) => of === page.visit)) return false;
  const { module } = page;
  const outcome = runHere(() => handler.run(...(Array.isArray(args) ? args.map((wire, i) => module.decode(handler.params[i], wire)) : args.values), ...tells));
  if (outcome.gaveUp !== undefined) return false;
  if (outcome.error) showError(outcome.error, form);
  else clearErrors(form);
  follow(outcome.changed ?? []);
  return true;
}

// An element is busy as long as one of its actions is under way.
function mark(element, change) {
  const count = (pending.get(element) ?? 0) + change;
  if (count > 0) pending.set(element, count);
  else pending.delete(element);
  if (count > 0) element?.setAttribute("aria-busy", "true");
  else element?.removeAttribute("aria-busy");
  return count;
}

async function send(wish) {
  const { form, element } = wish;
  const { status, json } = await deliver(wish);
  reach.waiting--;
  reached();
  if (page.visit === wish.of) await composed();
  // The visitor has gone to another page meanwhile.
  if (page.visit !== wish.of) return { json, shown: Promise.resolve() };
  if (status === 412 || json.error?.kind === "BadToken") {
    await told.stale();
    json.error ??= { kind: "StalePage", message: "The page was out of date. Please try again." };
  }
  if (json.error) {
    showError(json.error, form);
    // A checkbox that was ticked in vain shows again what is saved.
    if (element?.matches("input,select")) settle([element, wish.at]);
    throw Object.assign(new Error(json.error.message), { error: json.error });
  }
  clearErrors(form);
  const changed = json.state ?? {};
  const now = { edits: page.edits, state: stateWires((name) => name in changed) };
  for (const [variable, value] of Object.entries(changed)) {
    for (const later of waiting) later.state[variable] = merged(variable, value, wish, later);
    assign(variable, merged(variable, value, wish, now));
  }
  touch();
  return { json, shown: json.view === undefined ? ask() : receive(json, true, [[form ?? element, wish.at]]).then(told.state) };
}

// Asks until there is an answer. After a visit the page shows a view of another page, which is of no use here.
async function deliver({ about, name, args, state, key }) {
  for (let failures = 1; ; failures++) {
    try {
      return await post("/_action", { ...about, _action: name, _args: args, _state: state, key, view: about._page === page.page && told.patch ? page.view : null });
    } catch {
      missed();
      await pause(failures);
    }
  }
}
