// What is written into a place that is a text or an attribute. Here because a control's attribute is only what it starts
// with: what it shows is the user's as well. Must stay true: a bound control follows the state and no attribute; any other
// follows its attributes unless the user changed it since, or the action of its form has just been answered.

export const isBound = (control) => control.hasAttribute("data-flin-bind");

// Controls that the user changed since the server rendered them, with the time; the forms whose answer is being applied, with
// the time when their action was sent: what was changed later stays.
export const dirty = new WeakMap();
let answered = [];
export const setAnswered = (scopes) => (answered = scopes);
const mayChange = (control) => !isBound(control) && (!dirty.has(control) || answered.some(([scope, at]) => scope.contains(control) && dirty.get(control) <= at));

// Writes the data of a text node.
export function setText(node, text) {
  node.data = text;
  const area = node.parentNode;
  if (area.localName === "textarea" && area.value !== text && mayChange(area)) area.value = text;
}

// Values of handlers that need no text: `data-flin-args-…` of an element.
export const argsOf = (element, name) => element.flinArgs?.[name];

// A button with a handler posts a form of its own without scripts: it is none of those that Enter presses in the form around it.
export function detach(node) {
  if (node.localName === "button" && !node.hasAttribute("form")) node.setAttribute("form", "flin-none");
}

// Sets an attribute, or takes it away (null); what appears and wants the focus goes to `wishes`.
export function setAttribute(node, name, value, wishes) {
  if (value !== null && typeof value === "object") {
    (node.flinArgs ??= {})[name] = value;
    return;
  }
  delete node.flinArgs?.[name];
  if (value === null) node.removeAttribute(name);
  else node.setAttribute(name, value);
  if (name.startsWith("data-flin-on-click")) detach(node);
  if (name === "autofocus" && value !== null) wishes.push(node);
  const control = name === "selected" ? node.closest("select") : node;
  if (name in PROPERTIES && control !== null && mayChange(control)) PROPERTIES[name](node, value);
}

const PROPERTIES = {
  value: (node, value) => {
    if (node.localName === "input" && node.type !== "file" && node.value !== value) node.value = value ?? "";
  },
  checked: (node, value) => (node.checked = value !== null),
  selected: (node, value) => (node.selected = value !== null),
};

// The controls of a form or control are as the server has them now: what was chosen in vain is taken back.
export function settle([scope, at]) {
  for (const control of [scope, ...scope.querySelectorAll("input,select,textarea")]) {
    if (dirty.get(control) > at) continue;
    dirty.delete(control);
    if (isBound(control)) continue;
    control.checked = control.defaultChecked;
    for (const option of control.options ?? []) option.selected = option.defaultSelected;
  }
}

const OWN = ["aria-invalid", "aria-describedby", "aria-busy", "data-flin-key", "form", "method", "action"];

// The attributes of a served element that stand in places of it: not those of the template's element, nor ours.
export function adoptAttributes(node, plain, names) {
  const found = {};
  for (const { name, value } of node.attributes) {
    if (!plain.hasAttribute(name) && !OWN.includes(name) && !names.includes(name)) found[name] = value;
  }
  return found;
}
