// The browser runtime's start: listens for the events that the page has handlers for, keeps bound controls and state
// together, offers the `$flin` interface. Here because a page needs exactly one script. Must stay true: no `eval`, no
// inline handler, nothing that a strict content security policy forbids; without this script the page still works.

import { act } from "./actions.js";
import { connect, onEntityChange, subscribe } from "./live.js";
import { adoptMessages } from "./messages.js";
import { adoptControls, assign, edited, page, variableOf } from "./page.js";
import { update } from "./render.js";

const BUBBLING = (
  "click dblclick submit change input keydown keyup keypress focusin focusout mousedown mouseup mousemove mouseover mouseout contextmenu " +
  "wheel touchstart touchmove touchend touchcancel pointerdown pointerup pointermove pointercancel drag dragstart dragend dragenter " +
  "dragleave dragover drop copy cut paste reset select animationend transitionend"
).split(" ");
const NOT_BUBBLING = "focus blur scroll toggle load error invalid mouseenter mouseleave pointerenter pointerleave".split(" ");
const KEYS = { enter: "Enter", escape: "Escape", esc: "Escape", space: " ", tab: "Tab", up: "ArrowUp", down: "ArrowDown", left: "ArrowLeft", right: "ArrowRight", delete: "Delete", backspace: "Backspace" };
// After this long without a key the page shows what depends on the text that is being typed.
const TYPING_PAUSE_MS = 150;

// Whether the modifiers of `keydown.enter.ctrl` hold for an event.
function holds(modifiers, event) {
  return modifiers.every((m) => {
    if (["ctrl", "shift", "alt", "meta"].includes(m)) return event[`${m}Key`];
    if (m === "prevent" || m === "stop") return true;
    // Keys that compose a character are the input method's.
    return event.key !== undefined && !event.isComposing && event.key.toLowerCase() === (KEYS[m] ?? m).toLowerCase();
  });
}

// One entry of the event as its handler gets it: always of the same type, whatever happened where.
function tell(event, entry) {
  const control = event.target;
  switch (entry) {
    case "checked": return control.checked === true;
    case "shift": case "ctrl": case "alt": case "meta": return event[`${entry}Key`] === true;
    case "x": case "y": return Math.round(event[`client${entry.toUpperCase()}`] ?? 0);
    case "button": return event.button ?? 0;
    case "value": case "name": return String(control[entry] ?? "");
    default: return String(event[entry] ?? "");
  }
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
    const handler = name.slice("data-flin-on-".length);
    const args = JSON.parse(element.getAttribute(`data-flin-args-${handler}`) ?? "[]");
    const told = element.getAttribute(`data-flin-tell-${handler}`)?.split(" ") ?? [];
    act(`#${value}`, args.concat(told.map((entry) => tell(event, entry))), element).catch(() => undefined);
  }
}

function dispatch(event) {
  for (let node = event.target; node instanceof Element; node = node.parentElement) {
    run(node, event);
    if (event.cancelBubble) return;
  }
}

for (const type of BUBBLING) document.addEventListener(type, dispatch);
for (const type of NOT_BUBBLING) document.addEventListener(type, (event) => event.target instanceof Element && run(event.target, event), true);

// Many changes become one update: at once, or after a pause in typing.
let scheduled = null;
function scheduleUpdate(delay) {
  clearTimeout(scheduled);
  scheduled = setTimeout(() => update().catch((failure) => console.warn(`flin: ${failure.message}`)), delay);
}

// Before the handlers, which see the state with the change in it.
function adopt(event) {
  const control = event.target;
  if (!control.matches?.("input,select,textarea")) return;
  if (edited(control) && page.shown.has(variableOf(control))) scheduleUpdate(control.matches("select,[type=checkbox],[type=radio]") ? 0 : TYPING_PAUSE_MS);
}
document.addEventListener("input", adopt, true);
document.addEventListener("change", adopt, true);
// The controls have their first values after the event.
document.addEventListener("reset", () => setTimeout(() => adoptControls() && scheduleUpdate(0)));

globalThis.$flin = new Proxy(page.state, {
  set(_, name, value) {
    assign(name, value);
    scheduleUpdate(0);
    return true;
  },
});
globalThis._flinUpdate = () => update();
globalThis._flinAction = (name, args = []) => act(name, args);
globalThis._flinSubmit = (name) => act(name, []);
globalThis._flinWsConnect = connect;
globalThis._flinWsSubscribe = subscribe;
globalThis._flinOnEntityChange = onEntityChange;

adoptMessages();
if (adoptControls()) scheduleUpdate(0);
if (page.reads.length > 0) connect();
document.documentElement.setAttribute("data-flin", "ready");
