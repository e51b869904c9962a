// Errors as the user sees them: at the field they belong to, else at the form, else in one line on top; and that the page
// is cut off from its server. Here because silence is the worst answer. Must stay true: every failed action ends in
// `showError`; every message is also written to the console; a message goes away when the next action of its form
// succeeds; what is only slow or cut off never stands in the way of typing.

import { page, root } from "./page.js";

function errorNode(id, text) {
  const node = Object.assign(document.createElement("span"), { id, className: "flin-error", role: "alert", textContent: text });
  node.setAttribute("data-flin-own", "");
  return node;
}

const formOf = (node) => node.closest("form");

// Messages that stand in the page, and the controls that they speak of.
const marked = new Set();

// The control that feeds the field an error speaks of: inside the form of the action first.
function controlFor(error, form) {
  if (!error.field) return null;
  const names = new Set(page.fields[`${error.entity}.${error.field}`] ?? []);
  names.add(error.field);
  const isFed = ({ name, dataset }) => [name, dataset.flinBind, dataset.flinBind?.split(".").pop()].some((n) => n && names.has(n));
  const fits = [...root().querySelectorAll("input,select,textarea")].filter(isFed);
  // A control of another form is not what was meant.
  return fits.find((c) => formOf(c) === form) ?? fits.find((c) => !form || !formOf(c)) ?? null;
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
    const node = errorNode(id, error.message);
    control.after(node);
    marked.add(control).add(node);
    const focused = document.activeElement;
    // Unless the user is already busy elsewhere.
    if (!focused?.matches("input,select,textarea") || formOf(focused) === form) control.focus();
  } else if (form?.isConnected) {
    const node = errorNode("flin-error-form", error.message);
    form.append(node);
    marked.add(node);
  } else {
    const line = errorNode("flin-message", error.message);
    line.classList.add("flin-message");
    root().prepend(line);
  }
}

// Takes away the messages of a form (or of what is in no form), and the line on top.
export function clearErrors(form) {
  document.getElementById("flin-message")?.remove();
  for (const node of marked) {
    if (node.isConnected && formOf(node) !== form) continue;
    marked.delete(node);
    if (node.hasAttribute("data-flin-own")) node.remove();
    node.removeAttribute("aria-invalid");
    node.removeAttribute("aria-describedby");
  }
}

// Messages that the server wrote (a form was posted before this script ran) are treated like those written here.
export function adoptMessages() {
  for (const node of root().querySelectorAll("[id^=flin-error-],#flin-message,[aria-describedby^=flin-error-]")) {
    marked.add(node);
    if (node.id.startsWith("flin-")) node.setAttribute("data-flin-own", "");
  }
}

// Says that the page is cut off, and how many changes wait for the server; `null` takes it away.
export function showOffline(waiting) {
  let line = document.getElementById("flin-offline");
  if (waiting === null) return line?.remove();
  if (line === null) {
    line = Object.assign(document.createElement("div"), { id: "flin-offline", role: "status" });
    document.body.append(line);
  }
  const text = waiting === 0 ? "Offline. Not up to date." : `Offline. ${waiting} change${waiting === 1 ? " is" : "s are"} waiting.`;
  if (line.textContent !== text) line.textContent = text;
}
