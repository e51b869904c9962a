// The browser runtime's start: listens for the events that the page has handlers for, keeps bound controls and state
// together. Here because a page needs exactly one script. Must stay true: no `eval`, no
// inline handler, nothing that a strict content security policy forbids; without this script the page still works.

import { act } from "./actions.js";
import { arrange, kindOf, put } from "./blocks.js";
import { adoptMessages } from "./messages.js";
import { adoptControls, assign, boundControls, edited, isHalfTyped, openPage, page, root, setState, stateOf, stateWire, stateWires, variableOf, writeControl } from "./page.js";
import { argsOf, dirty } from "./place.js";
import { delayAfter, missed, onReturn, pause, post, reached } from "./reach.js";
import { about, ask, askIn, atOnce, beginView, flush, follow, receive, refuse, told, touch, update } from "./render.js";

// After this long without a key the page shows what depends on the text that is being typed.
const TYPING_PAUSE_MS = 150;

// Whether the modifiers of `keydown.enter.ctrl` hold for an event.
function holds(modifiers, event, element) {
  return modifiers.every((m) => {
    if (`${m}Key` in event) return event[`${m}Key`];
    if (m === "self") return event.target === element;
    if (/^(prevent|stop|once|debounce|throttle|\d.*)$/.test(m)) return true;
    // Keys that compose a character are the input method's.
    return !event.isComposing && event.key?.toLowerCase() === m.replace(/^(?=up|down|left|right)/, "arrow").replace("space", " ");
  });
}

// One entry of the event as its handler gets it: always of the same type, whatever happened where.
function tell(event, entry) {
  const control = event.target;
  if (entry === "checked") return control.checked === true;
  if (/^(shift|ctrl|alt|meta)$/.test(entry)) return event[`${entry}Key`] === true;
  if (/^[xy]$/.test(entry)) return Math.round(event[entry] ?? 0);
  if (entry === "button") return event.button ?? 0;
  return String((/^(value|name)$/.test(entry) ? control : event)[entry] ?? "");
}

const ON = "data-flin-on-";
// Runs the handlers that `element` has for an event.
function run(element, event) {
  for (const name of element.getAttributeNames()) {
    if (!name.startsWith(ON + event.type)) continue;
    const value = element.getAttribute(name);
    const handler = name.slice(ON.length);
    const [kind, ...modifiers] = handler.split(".");
    if (kind !== event.type || !holds(modifiers, event, element)) continue;
    const follows = kind === "click" && element.matches("a,button,[type=submit]");
    if (kind === "submit" || follows || /\b(prevent|enter)\b/.test(handler)) event.preventDefault();
    if (modifiers.includes("stop")) event.stopPropagation();
    if (modifiers.includes("once")) element.removeAttribute(name);
    const args = `data-flin-args-${handler}`;
    const facts = (element.getAttribute(`data-flin-tell-${handler}`)?.split(" ") ?? []).map((entry) => tell(event, entry));
    const given = argsOf(element, args) ?? JSON.parse(element.getAttribute(args) ?? "[]");
    const { visit } = page;
    const go = () => page.visit === visit && act(`#${value}`, given, element, facts).catch(() => {});
    const paced = /\.(debounce|throttle)\b\.?(\d*)/.exec(handler);
    if (paced) live.then(() => told.pace(paced, element, go));
    else go();
  }
}

function dispatch(event) {
  atOnce(() => {
    for (let node = event.target; node instanceof Element && !event.cancelBubble; node = event.bubbles ? node.parentElement : null) run(node, event);
  });
}

// Every event that a document knows, and two that it does not name.
for (const name of [...Object.keys(Document.prototype), "onfocusin", "onfocusout"]) {
  // It would make the browser tell each move of a pen.
  if (!name.startsWith("on") || name === "onpointerrawupdate") continue;
  document.addEventListener(name.slice(2), dispatch);
  document.addEventListener(name.slice(2), (event) => event.bubbles || dispatch(event), true);
}

// Before the handlers, which see the state with the change in it.
function adopt(event) {
  const control = event.target;
  if (!control.matches?.("input,select,textarea") || !edited(control)) return;
  follow([variableOf(control)], control.matches("select,[type=checkbox],[type=radio]") ? 0 : TYPING_PAUSE_MS);
}
document.addEventListener("input", adopt, true);
document.addEventListener("change", adopt, true);
// The controls have their first values after the event.
document.addEventListener("reset", () => setTimeout(() => adoptControls() && follow(Object.keys(page.state))));

// Starts the page that is in the document; `putBack` what its visitor had done before.
function begin(putBack) {
  adoptMessages();
  if (putBack ? boundControls().map((control) => writeControl(control, stateOf(control))) : adoptControls()) askIn(0);
  beginView();
  if (page.module && page.view === null) askIn(0);
  putBack?.();
  lives?.begin(Boolean(putBack));
  return live.then((start) => start());
}

// What the files that come later are given of this one.
const runtime = {
  about, act, argsOf, arrange, ask, assign, begin, delayAfter, dirty, edited, flush, follow, isHalfTyped, kindOf, missed, onReturn, openPage, page, post, put, reached, receive, refuse, root, setState, stateOf, stateWire, stateWires, told, touch, update, writeControl,
  leave: () => lives?.end(),
  loadLives: (isNeeded) => loadLives(isNeeded),
  renew: () => renew(),
};

// What happens when parts of a page come and go is in a file of its own, which comes with the first page that has such parts.
let lives = null;
async function loadLives(isNeeded = page.module?.handlers.some(({ event }) => /^(un)?mount$|^update$/.test(event))) {
  if (isNeeded) lives ??= (await import("/_flin/life.js")).default(runtime);
}
told.unknown = (controls) => loadLives(true).then(() => lives.learn(controls));

// What no visitor waits for is in a file of its own, fetched meanwhile; as often as it takes, each time by another name.
const loadLive = (failures) => import(`/_flin/live.js?${failures}`).then((code) => code.default(runtime), () => pause(failures + 1).then(() => loadLive(failures + 1)));

// Going from page to page is in a file of its own, which comes with the first link.
let visits = null;
const loadVisits = () => (visits ??= import("/_flin/visit.js").then((code) => code.default(runtime)));
let renewing = null;
// Asked for twice at once (by the socket and by the developer's page), it is done once.
const renew = () => (renewing ??= loadVisits().then((visit) => visit(location.href, { isKept: true })).finally(() => (renewing = null)));
for (const type of ["mouseover", "focusin"]) {
  document.addEventListener(type, (event) => event.target.closest("a[href]") && loadVisits());
}

told.stale = renew;

const live = loadLive(0);
const info = JSON.parse(document.getElementById("flin-page").textContent);
openPage(info, info.module && (await import(info.module)).default);
await loadLives();
const begun = begin();
if (history.state?.y) scrollTo(0, history.state.y);
await begun;
if (document.links.length > 0) await loadVisits();
document.documentElement.setAttribute("data-flin", "ready");
