// Actions: what a handler does on the server, one after the other.
// Here because the order of a visitor's actions is the order of their clicks. Must stay true: an action is sent with the
// state that the action before it left; a form whose action is under way is not sent again; every failure is shown.

import { page, assign } from "./page.js";
import { clearErrors, showError } from "./messages.js";
import { post, update } from "./render.js";

let queue = Promise.resolve();
const busy = new WeakSet();

// Runs handler `name` ("#3", or a function by name) with wire arguments. `element` is what the user touched.
export function act(name, args, element = null) {
  const form = element?.tagName === "FORM" ? element : element?.closest?.("form") ?? null;
  if (element?.tagName === "FORM") {
    if (busy.has(element)) return Promise.resolve();
    busy.add(element);
  }
  element?.setAttribute("aria-busy", "true");
  const done = queue.then(() => send(name, args, form, element));
  queue = done.catch(() => undefined).finally(() => {
    busy.delete(element);
    element?.removeAttribute("aria-busy");
  });
  return done;
}

async function send(name, args, form, element) {
  const editsBefore = { ...page.edits };
  let answer;
  try {
    answer = await post("/_action", { _action: name, _args: args, _state: page.state, _page: page.path });
  } catch {
    const message = "No answer from the server. The change may not have been saved.";
    showError({ kind: "NetworkError", message }, form);
    throw new Error(message);
  }
  const { json } = answer;
  if (json.type === "error") {
    showError(json.error, form);
    if (element?.matches?.("input")) await renderAgain(element);
    throw Object.assign(new Error(json.error.message), { error: json.error });
  }
  clearErrors(form);
  for (const [variable, value] of Object.entries(json.state ?? {})) {
    const typedMeanwhile = (page.edits[variable] ?? 0) !== (editsBefore[variable] ?? 0);
    const ownForm = form?.querySelector(`[data-flin-bind="${CSS.escape(variable)}"]`) ?? null;
    if (!typedMeanwhile || ownForm !== null) assign(variable, value);
  }
  if (json.type === "reload" || Object.keys(json.state ?? {}).length > 0) await renderAgain(form ?? element);
  return json;
}

async function renderAgain(scope) {
  try {
    await update(scope);
  } catch (failure) {
    showError(failure.error ?? { kind: "NetworkError", message: "The page could not be brought up to date: no answer from the server." }, null);
  }
}
