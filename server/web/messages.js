// Errors as the user sees them: at the field they belong to, else at the form, else in one line on top.
// Here because silence is the worst answer. Must stay true: every failed action ends in `showError`; every message is
// also written to the console; a message goes away when the next action of its form succeeds.

import { page, root } from "./page.js";

function errorNode(id, text) {
  const node = document.createElement("span");
  node.id = id;
  node.className = "flin-error";
  node.setAttribute("role", "alert");
  node.setAttribute("data-flin-own", "");
  node.textContent = text;
  return node;
}

const formOf = (node) => node.closest("form");

// The control that feeds the field an error speaks of: inside the form of the action first.
function controlFor(error, form) {
  if (!error.field) return null;
  const names = new Set(page.fields[`${error.entity}.${error.field}`] ?? []);
  names.add(error.field);
  const fits = [...root().querySelectorAll("input,select,textarea")].filter((c) => names.has(c.dataset.flinBind) || names.has(c.dataset.flinBind?.split(".").pop()) || (c.name !== "" && names.has(c.name)));
  return fits.find((c) => formOf(c) === form) ?? fits[0] ?? null;
}

// Shows an error of an action; `form` is the form it came from, if any.
export function showError(error, form) {
  console.warn(`flin: ${error.kind}: ${error.message}`, error);
  clearErrors(form);
  const control = controlFor(error, form);
  if (control !== null) {
    const id = `flin-error-${control.dataset.flinBind ?? control.name}`;
    document.getElementById(id)?.remove();
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", id);
    control.after(errorNode(id, error.message));
    const focused = document.activeElement;
    // Unless the user is already busy elsewhere.
    if (!focused?.matches("input,select,textarea") || formOf(focused) === form) control.focus();
  } else if (form?.isConnected) {
    form.append(errorNode("flin-error-form", error.message));
  } else {
    const line = errorNode("flin-message", error.message);
    line.dataset.kind = error.kind;
    line.classList.add("flin-message");
    root().prepend(line);
  }
}

// The page is up to date again.
export function clearNetworkError() {
  document.querySelector("#flin-message[data-kind=NetworkError]")?.remove();
}

// Takes away the messages of a form (or of what is in no form), and the line on top.
export function clearErrors(form) {
  document.getElementById("flin-message")?.remove();
  for (const node of root().querySelectorAll("[data-flin-own],[aria-invalid]")) {
    if (formOf(node) !== form) continue;
    if (node.hasAttribute("data-flin-own")) node.remove();
    node.removeAttribute("aria-invalid");
    node.removeAttribute("aria-describedby");
  }
}

// Messages that the server wrote (a form was posted before this script ran) are treated like those written here.
export function adoptMessages() {
  for (const node of root().querySelectorAll("[id^=flin-error-],#flin-message")) node.setAttribute("data-flin-own", "");
}
