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

// The control that feeds the field an error speaks of: inside the form of the action first.
function controlFor(error, form) {
  if (!error.field) return null;
  const names = new Set(page.fields[`${error.entity}.${error.field}`] ?? []);
  names.add(error.field);
  for (const scope of [form, root()]) {
    if (!scope) continue;
    for (const control of scope.querySelectorAll("input,select,textarea")) {
      if (names.has(control.dataset.flinBind) || (control.name !== "" && names.has(control.name))) return control;
    }
  }
  return null;
}

// Shows an error of an action; `form` is the form it came from, if any.
export function showError(error, form) {
  console.error(`flin: ${error.kind}: ${error.message}`, error);
  clearErrors(form);
  const control = controlFor(error, form);
  if (control !== null) {
    const id = `flin-error-${control.dataset.flinBind ?? control.name}`;
    document.getElementById(id)?.remove();
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", id);
    control.after(errorNode(id, error.message));
    control.focus();
  } else if (form) {
    form.append(errorNode("flin-error-form", error.message));
  } else {
    const line = errorNode("flin-message", error.message);
    line.classList.add("flin-message");
    root().prepend(line);
  }
}

// Takes away the messages of a form, and the line on top.
export function clearErrors(form) {
  document.getElementById("flin-message")?.remove();
  const scope = form ?? root();
  for (const node of scope.querySelectorAll(".flin-error")) node.remove();
  for (const control of scope.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-describedby");
  }
}
