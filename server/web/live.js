// Live updates: one WebSocket per page tells what changed in the store.
// Here because a change made elsewhere must appear without a reload. Must stay true: after every (re)connect the page
// subscribes again and resumes from the sequence number it shows, so no change is missed; waiting grows to 30 s, with jitter.

import { page } from "./page.js";
import { update } from "./render.js";

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30000;

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
  socket = new WebSocket(`${scheme}//${location.host}/_ws?page=${encodeURIComponent(page.path)}`);
  socket.onopen = () => {
    failures = 0;
    mark("on");
    for (const type of types) socket.send(JSON.stringify({ action: "subscribe", type }));
    socket.send(JSON.stringify({ action: "resume", since: page.seq }));
  };
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onclose = () => {
    socket = null;
    mark("off");
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

const mark = (live) => document.documentElement.setAttribute("data-flin-live", live);

function receive(message) {
  if (message.type === "entity_change") {
    for (const fn of listeners.get(message.entity_type) ?? []) fn(message);
    if (message.seq > page.seq) catchUp();
  } else if (message.type === "refresh") {
    catchUp();
  } else if (message.type === "error") {
    console.error(`flin: ${message.message}`);
  }
}

// A failed refresh is tried again when the socket is back; the page says meanwhile that it is not live.
function catchUp() {
  update().catch((failure) => {
    console.error(`flin: ${failure.message}`);
    socket?.close();
  });
}

addEventListener("online", () => {
  failures = 0;
  connect();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") connect();
});
