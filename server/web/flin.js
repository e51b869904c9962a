// The browser runtime's start: listens for the events that the page has handlers for, keeps bound controls and state
// together, offers the `$flin` interface. Here because a page needs exactly one script. Must stay true: no `eval`, no
// inline handler, nothing that a strict content security policy forbids; without this script the page still works.

import { act } from "./actions.js";
import { connect, onEntityChange, subscribe } from "./live.js";
import { adoptControls, assign, edited, page } from "./page.js";
import { update } from "./render.js";

const EVENTS = [
  "click", "dblclick", "contextmenu", "submit", "change", "input", "keydown", "keyup", "focus", "blur", "paste",
  "mousedown", "mouseup", "mousemove", "mouseover", "mouseout", "pointerdown", "pointerup", "touchstart", "touchend",
  "dragstart", "dragover", "drop", "scroll", "toggle", "reset",
];
const KEYS = { enter: "Enter", escape: "Escape", esc: "Escape", space: " ", tab: "Tab", up: "ArrowUp", down: "ArrowDown", left: "ArrowLeft", right: "ArrowRight", delete: "Delete", backspace: "Backspace" };
const NOT_BUBBLING = new Set(["focus", "blur", "scroll", "toggle"]);

// Whether the modifiers of `keydown.enter.ctrl` hold for an event.
function holds(modifiers, event) {
  return modifiers.every((m) => {
    if (["ctrl", "shift", "alt", "meta"].includes(m)) return event[`${m}Key`];
    if (m === "prevent" || m === "stop") return true;
    return event.key !== undefined && event.key.toLowerCase() === (KEYS[m] ?? m).toLowerCase();
  });
}

// Runs the handlers that `element` has for an event.
function run(element, event) {
  for (const { name, value } of [...element.attributes]) {
    if (!name.startsWith(`data-flin-on-${event.type}`)) continue;
    const [kind, ...modifiers] = name.slice("data-flin-on-".length).split(".");
    if (kind !== event.type || !holds(modifiers, event)) continue;
    const follows = event.type === "click" && (element.tagName === "BUTTON" || element.tagName === "A" || element.type === "submit");
    if (event.type === "submit" || follows || modifiers.includes("prevent") || modifiers.includes("enter")) event.preventDefault();
    if (modifiers.includes("stop")) event.stopPropagation();
    const args = element.getAttribute(`data-flin-args-${name.slice("data-flin-on-".length)}`);
    act(`#${value}`, args === null ? [] : JSON.parse(args), element).catch(() => undefined);
  }
}

function dispatch(event) {
  if ((event.type === "input" || event.type === "change") && event.target.matches?.("input,select,textarea")) edited(event.target);
  if (NOT_BUBBLING.has(event.type)) {
    if (event.target instanceof Element) run(event.target, event);
    return;
  }
  for (let node = event.target; node instanceof Element; node = node.parentElement) {
    run(node, event);
    if (event.cancelBubble) return;
  }
}

for (const type of EVENTS) document.addEventListener(type, dispatch, { capture: NOT_BUBBLING.has(type) });

let scheduled = false;
function scheduleUpdate() {
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    update().catch((failure) => console.error(`flin: ${failure.message}`));
  });
}

globalThis.$flin = new Proxy(page.state, {
  set(_, name, value) {
    assign(name, value);
    scheduleUpdate();
    return true;
  },
});
globalThis._flinUpdate = () => update();
globalThis._flinAction = (name, args = []) => act(name, args);
globalThis._flinSubmit = (name) => act(name, []);
globalThis._flinWsConnect = connect;
globalThis._flinWsSubscribe = subscribe;
globalThis._flinOnEntityChange = onEntityChange;

adoptControls();
if (page.reads.length > 0) connect();
document.documentElement.setAttribute("data-flin", "ready");
