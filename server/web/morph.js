// Updates a piece of the document in place: what did not change stays the same node.
// Here because focus, caret, selection, open details, scroll and half-typed text live in nodes, and a new node has none
// of them. Must stay true: nodes marked data-flin-own belong to this script and are never matched or removed; a control
// the user changed is left alone unless `mayOverwrite` says that the answer was for it.

const OWN = "data-flin-own";
const OWN_ATTRIBUTES = new Set(["aria-invalid", "aria-describedby", "aria-busy"]);
// What the server last rendered for attributes that the user changes too.
const rendered = new WeakMap();

const isOwn = (node) => node.nodeType === Node.ELEMENT_NODE && node.hasAttribute(OWN);
const keyOf = (node) => {
  if (node.nodeType !== Node.ELEMENT_NODE) return null;
  const key = node.getAttribute("data-flin-key");
  if (key !== null) return `key ${key}`;
  return node.id ? `id ${node.id}` : null;
};
const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b) && a.type === b.type;

// Makes the children of `target` equal to those of `source` (a detached parent, used up by this).
export function morphChildren(target, source, mayOverwrite) {
  const keyed = new Map();
  for (const child of target.childNodes) {
    const key = keyOf(child);
    // A record may be shown twice.
    if (key !== null && !isOwn(child)) keyed.set(key, [...(keyed.get(key) ?? []), child]);
  }
  const wanted = new Set([...source.childNodes].map(keyOf).filter((key) => key !== null));
  let cursor = nextForeign(target.firstChild);
  for (const fresh of [...source.childNodes]) {
    // What is not wanted any more goes first, so that what stays need not be moved past it.
    while (cursor !== null && keyOf(cursor) !== null && !wanted.has(keyOf(cursor))) cursor = drop(cursor);
    const found = findMatch(fresh, cursor, keyed, wanted);
    if (found === null) {
      target.insertBefore(fresh, cursor);
      rememberTree(fresh);
      continue;
    }
    if (found === cursor) cursor = nextForeign(cursor.nextSibling);
    else place(target, found, cursor);
    morphNode(found, fresh, mayOverwrite);
  }
  while (cursor !== null) cursor = drop(cursor);
}

function nextForeign(node) {
  while (node !== null && isOwn(node)) node = node.nextSibling;
  return node;
}

function drop(node) {
  const next = nextForeign(node.nextSibling);
  node.remove();
  return next;
}

function findMatch(fresh, cursor, keyed, wanted) {
  const key = keyOf(fresh);
  if (key !== null) {
    const old = keyed.get(key)?.[0];
    return old !== undefined && alike(old, fresh) ? keyed.get(key).shift() : null;
  }
  for (let node = cursor; node !== null; node = nextForeign(node.nextSibling)) {
    if (alike(node, fresh)) return node;
    // A node that is wanted further on must not be passed by, or everything between would be rebuilt.
    if (wanted.has(keyOf(node))) return null;
  }
  return null;
}

// Moves a node; where the browser can, without it losing focus or anything else.
function place(parent, node, before) {
  if (typeof parent.moveBefore === "function") parent.moveBefore(node, before);
  else parent.insertBefore(node, before);
}

function morphNode(old, fresh, mayOverwrite) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh) && !holdsControls(old)) return;
  morphAttributes(old, fresh, mayOverwrite);
  if (old.tagName === "TEXTAREA") morphTextarea(old, fresh, mayOverwrite);
  else morphChildren(old, fresh, mayOverwrite);
}

const holdsControls = (element) => element.matches("input,select,textarea,option") || element.querySelector("input,select,textarea") !== null;

function morphAttributes(old, fresh, mayOverwrite) {
  const before = rendered.get(old) ?? {};
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !OWN_ATTRIBUTES.has(name) && !(name === "open" && before.open !== true)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    // An open state that the server renders unchanged is the user's to change.
    if (name === "open" && before.open === true) continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.tagName === "INPUT") morphInput(old, fresh, mayOverwrite);
  if (old.tagName === "OPTION") morphOption(old, fresh, mayOverwrite);
  remember(old, fresh);
}

const isBound = (control) => control.hasAttribute("data-flin-bind");

// Bound controls follow the state, not the markup; the others follow the markup unless the user changed them.
function morphInput(old, fresh, mayOverwrite) {
  if (isBound(old) || !mayOverwrite(old)) return;
  const checked = fresh.hasAttribute("checked");
  if (old.type === "checkbox" || old.type === "radio") {
    if (old.checked !== checked) old.checked = checked;
  } else if (old.type !== "file") {
    const value = fresh.getAttribute("value") ?? "";
    if ((rendered.get(old)?.value ?? "") !== value && old.value !== value) old.value = value;
  }
}

function morphOption(old, fresh, mayOverwrite) {
  const select = old.closest("select");
  const selected = fresh.hasAttribute("selected");
  if (select !== null && !isBound(select) && mayOverwrite(select) && old.selected !== selected) old.selected = selected;
}

function morphTextarea(old, fresh, mayOverwrite) {
  const text = fresh.textContent;
  if (old.textContent !== text) old.textContent = text;
  if (!isBound(old) && mayOverwrite(old) && old.value !== text) old.value = text;
}

function remember(element, source = element) {
  if (element.matches("details,dialog,input")) {
    rendered.set(element, { open: source.hasAttribute("open"), value: source.getAttribute("value") ?? "" });
  }
}

// Notes what the server rendered in a new piece of the document.
export function rememberTree(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  remember(node);
  for (const element of node.querySelectorAll("details,dialog,input")) remember(element);
}
