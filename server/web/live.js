// Live updates: one WebSocket per page tells what changed in the store.
// Here because a change made elsewhere must appear without a reload. Must stay true: after every (re)connect the page
// subscribes again and resumes from the sequence number it shows, so no change is missed; waiting grows to 30 s, with jitter.

import { showError } from "./messages.js";
import { page } from "./page.js";
import { update } from "./render.js";

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30000;
// A socket that lived shorter than this counts as a failed attempt.
const STABLE_MS = 5000;

let socket = null;
let failures = 0;
let timer = null;
const types = new Set(page.reads);
const listeners = new Map();

// Opens the socket unless one is open or opening.
export function connect() {
  if (socket !== null) return;
  clearTimeout(timer);
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  let openedAt = Infinity;
  socket = new WebSocket(`${scheme}//${location.host}/_ws?page=${encodeURIComponent(page.path)}`);
  socket.onopen = () => {
    openedAt = performance.now();
    showLive("on");
    for (const type of types) socket.send(JSON.stringify({ action: "subscribe", type }));
    socket.send(JSON.stringify({ action: "resume", since: page.seq }));
    if (page.behind) catchUp(Infinity);
  };
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onclose = () => {
    socket = null;
    showLive("off");
    if (performance.now() - openedAt > STABLE_MS) failures = 0;
    const delay = failures === 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS);
    failures += 1;
    timer = setTimeout(connect, delay * (0.5 + Math.random() / 2));
  };
}

// Follows one more entity type.
export function subscribe(type) {
  types.add(type);
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ action: "subscribe", type }));
}

// Calls `fn` with every change message of a type.
export function onEntityChange(type, fn) {
  if (!listeners.has(type)) listeners.set(type, []);
  listeners.get(type).push(fn);
}

const showLive = (live) => document.documentElement.setAttribute("data-flin-live", live);

function receive(message) {
  if (message.type === "entity_change") {
    for (const fn of listeners.get(message.entity_type) ?? []) fn(message);
    catchUp(message.seq);
  } else if (message.type === "refresh") {
    catchUp(Infinity);
  } else if (message.type === "error") {
    console.error(`flin: ${message.message}`);
  }
}

// A failed refresh is tried again when the socket is back; the page says meanwhile that it is not live.
function catchUp(seq) {
  update(null, seq).catch((failure) => {
    if (failure.error) showError(failure.error, null);
    else console.warn(`flin: ${failure.message}`);
    socket?.close();
  });
}

// The network is back, or the user is: no reason to wait any longer.
function atOnce() {
  if (document.visibilityState !== "visible") return;
  failures = 0;
  if (timer !== null) connect();
}
addEventListener("online", atOnce);
document.addEventListener("visibilitychange", atOnce);
