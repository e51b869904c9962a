// Whether the server can be reached, and when it is tried again.
// Here because requests and the socket share one pace. Must stay true: the first attempt comes at once, then after 1 s, 2 s,
// 4 s … 30 s, each with some chance in it; whoever waits is let go as soon as anything got through, or the network is back.

import { showOffline } from "./messages.js";

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30000;
// The server gives up on a program long before.
const ANSWER_DEADLINE_MS = 30000;

// Before the attempt after so many failed ones.
export const delayAfter = (failures) => (failures === 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), LONGEST_DELAY_MS) * (0.5 + Math.random() / 2));

// Changes that have not been answered yet; whether an attempt failed and none got through since.
export const reach = { waiting: 0, isOff: false };
const waiters = new Set();

export function tellReach(isOff = reach.isOff) {
  reach.isOff = isOff;
  showOffline(isOff ? reach.waiting : null);
}

// Something got through; nothing did.
export function reached() {
  tellReach(false);
  wake();
}
export const missed = () => tellReach(true);

const wake = () => waiters.forEach((go) => go());

// Waits until the next attempt is due.
export async function pause(failures) {
  let go;
  await new Promise((resolve) => {
    waiters.add((go = resolve));
    setTimeout(resolve, delayAfter(failures));
  });
  waiters.delete(go);
}

// Calls `fn` when the network is back, or the user is: no reason to wait any longer.
export function onReturn(fn) {
  const atOnce = () => document.visibilityState === "visible" && fn();
  addEventListener("online", atOnce);
  document.addEventListener("visibilitychange", atOnce);
}
onReturn(wake);

// Sends JSON to the server the way the runtime does; throws when there is no answer.
export async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Flin": "1" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
  });
  const text = await answer.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = { type: "error", error: { kind: "ServerError", message: `The server answered ${answer.status} without saying why.` } };
  }
  return { status: answer.status, json };
}
