// Actions: what a handler does on the server, one after the other.
// Here because the order of a visitor's actions is the order of their clicks. Must stay true: an action is sent with the
// state that the action before it left; a form whose action is under way is sent again only if the user changed it since;
// every failure is shown; what the user typed while an action was under way is not lost.

import { page, assign, merged, composed, editsIn } from "./page.js";
import { clearErrors, showError } from "./messages.js";
import { post, update } from "./render.js";

let queue = Promise.resolve();
// Actions that have not been sent yet, each with the state that the user saw when asking for it.
const waiting = [];
// Forms under way, with the number of edits in them when they were sent; elements with the number of their actions.
const sentForms = new Map();
const pending = new Map();

// Runs handler `name` ("#3", or a function by name) with wire arguments. `element` is what the user touched.
export function act(name, args, element = null) {
  const form = element?.closest?.("form") ?? null;
  if (element !== null && element === form) {
    if (sentForms.get(form) === editsIn(form)) return Promise.resolve();
    sentForms.set(form, editsIn(form));
  }
  mark(element, 1);
  const wish = { name, args, form, element, state: { ...page.state }, edits: { ...page.edits } };
  waiting.push(wish);
  const answered = queue.then(() => send(waiting.shift()));
  // The next action needs the state that this one left, not the document.
  queue = answered.catch(() => undefined);
  return answered.then(({ json, shown }) => shown.then(() => json)).finally(() => {
    if (mark(element, -1) === 0) sentForms.delete(form);
  });
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
  let answer;
  try {
    answer = await post("/_action", { _action: wish.name, _args: wish.args, _state: wish.state, _page: page.path });
  } catch {
    const message = "No answer from the server. The change may not have been saved.";
    showError({ kind: "NetworkError", message }, form);
    page.dirty.delete(element);
    throw new Error(message);
  }
  const { json } = answer;
  await composed();
  if (json.type === "error") {
    showError(json.error, form);
    if (isUnbound(element)) await renderAgain(element);
    throw Object.assign(new Error(json.error.message), { error: json.error });
  }
  clearErrors(form);
  const changed = Object.entries(json.state ?? {});
  for (const [variable, value] of changed) {
    for (const later of waiting) later.state[variable] = merged(variable, value, wish, later);
    assign(variable, merged(variable, value, wish, page));
  }
  const stale = json.type === "reload" || changed.length > 0 || isUnbound(element);
  return { json, shown: stale ? renderAgain(form ?? element) : Promise.resolve() };
}

// A control that is not state: a checkbox that was ticked in vain shows again what is saved.
const isUnbound = (element) => element?.matches?.("input:not([data-flin-bind]),select:not([data-flin-bind])") ?? false;

async function renderAgain(scope) {
  try {
    await update(scope);
  } catch (failure) {
    showError(failure.error ?? { kind: "NetworkError", message: "The page could not be brought up to date: no answer from the server." }, null);
  }
}
