// What a page does once it stands: live updates over one WebSocket, values that come by themselves, and what scripts call by name.
// Here, in a file of its own, because a page answers to its visitor without it: it comes beside the runtime and begins behind
// it. Must stay true: after every (re)connect the page says which view it shows and what it has seen, so no change is
// missed; where WebSockets do not get through, server-sent events bring the same; a connection that has fallen silent is
// opened again.

import { patching } from "./patch.js";

// `runtime`: what of the runtime is needed here. Gives what begins with each page.
export default ({ about, act, arrange, ask, assign, delayAfter, follow, isHalfTyped, kindOf, missed, onReturn, page, post, put, reached, receive, refuse, renew, stateWire, stateWires, told, touch, update }) => {
  told.patch = patching({ arrange, kindOf, put });

  // How the page says that something is under way, or that it is cut off; a page's own style sheet can change it.
  const look = new CSSStyleSheet();
  look.replaceSync(':where([aria-busy="true"]){opacity:.6;cursor:progress}:where(#flin-offline){position:fixed;inset:auto 0 0;padding:.4rem;text-align:center;background:#7a4a00;color:#fff}');
  document.adoptedStyleSheets.push(look);

  // The state of the page by name.
  globalThis.$flin = new Proxy({}, {
    get: (_, name) => stateWire(name),
    set: (_, name, value) => {
      assign(name, value);
      follow([name]);
      return true;
    },
    ownKeys: () => Object.keys(page.state),
    getOwnPropertyDescriptor: (_, name) => ({ value: stateWire(name), enumerable: true, configurable: true }),
  });

  // A socket that lived shorter than this counts as a failed attempt.
  const STABLE_MS = 5000;
  // After so many failed attempts every other one is made with server-sent events.
  const ATTEMPTS = 3;
  // The server is asked for a sign of life after this long without one, and given up after twice that.
  const SILENCE_MS = 30000;

  let socket = null;
  let failures = 0;
  let timer = null;
  let heard = 0;
  // Up to this commit all changes of the types that are followed were told. What is shown may be newer or older than that.
  let complete = null;
  // What was said last about the view that is followed.
  let watched = null;
  const types = new Set();
  const listeners = new Map();

  const say = (message) => socket?.readyState === 1 && socket.send?.(JSON.stringify(message));
  const wish = () => ({ page: page.page, state: stateWires((name) => page.asks.has(name) && !isHalfTyped(name)), view: page.view, seq: page.seq, build: page.build });

  // Tells the server which view this page shows, if that is news.
  function watch() {
    const now = wish();
    const followed = JSON.stringify(now.state);
    if (socket?.readyState !== 1 || page.view === null || watched === followed) return;
    if (!socket.send) return reconnect();
    watched = followed;
    say({ action: "watch", ...now });
  }
  told.state = watch;

  // Opens the connection unless one is open or opening.
  function connect() {
    if (socket !== null) return;
    clearTimeout(timer);
    const byEvents = failures >= ATTEMPTS && failures % 2 === 1;
    let openedAt = Infinity;
    if (byEvents) {
      const more = new URLSearchParams({ ...wish(), state: JSON.stringify(wish().state) });
      for (const type of types) more.append("follow", type);
      if (types.size > 0) more.set("since", (complete ??= page.seq));
      socket = new EventSource(`/_events?${more}`);
      watched = more.get("state");
    } else socket = new WebSocket(`${location.origin.replace("http", "ws")}/_ws?page=${encodeURIComponent(page.page)}`);
    const mine = socket;
    const ended = () => {
      if (socket !== mine) return;
      mine.close();
      socket = watched = null;
      showLive("off");
      if (performance.now() - openedAt > STABLE_MS) failures = 0;
      if (failures > 0) missed();
      timer = setTimeout(connect, wait ?? delayAfter(failures));
      wait = null;
      failures += 1;
    };
    socket.onopen = () => {
      openedAt = heard = performance.now();
      showLive("on");
      reached();
      for (const type of types) say({ action: "subscribe", type });
      if (types.size > 0) say({ action: "resume", since: (complete ??= page.seq) });
      watch();
    };
    socket.onmessage = (event) => {
      heard = performance.now();
      hear(JSON.parse(event.data));
    };
    socket.onclose = socket.onerror = ended;
  }
  // How long the server asked to be left alone.
  let wait = null;

  // The page is another one, or follows another view where nothing can be said: a connection of its own.
  function reconnect() {
    socket?.close();
    socket = watched = null;
    failures = 0;
    if (page.reads.length > 0) connect();
  }

  // Follows one more entity type.
  function subscribe(type) {
    types.add(type);
    say({ action: "subscribe", type });
  }

  // Calls `fn` with every change message of a type.
  function onEntityChange(type, fn) {
    if (!listeners.has(type)) listeners.set(type, []);
    listeners.get(type).push(fn);
    if (!types.has(type)) subscribe(type);
  }

  const showLive = (live) => document.documentElement.setAttribute("data-flin-live", live);

  function hear(message) {
    if (message.type === "entity_change") {
      // There may be more of the same commit.
      complete = Math.max(complete ?? 0, message.seq - 1);
      for (const fn of listeners.get(message.entity_type) ?? []) fn(message);
      if (page.view === null) ask();
    } else if (message.type === "refresh") {
      complete = message.seq;
      ask();
    } else if (["patch", "reset", "watching", "changed"].includes(message.type)) receive(message, false);
    else if (message.type === "stale") told.stale();
    else if (message.type === "bye") {
      const [least, most] = message.after;
      wait = least + Math.random() * (most - least);
      socket?.close();
    } else if (message.type === "failed") console.warn(`flin: failed: ${message.id}`);
    else if (message.type === "error") {
      watched = null;
      if (refuse(message.field)) watch();
      else console.error(`flin: ${message.message}`);
    }
  }

  setInterval(() => {
    const silence = performance.now() - heard;
    if (silence > 2 * SILENCE_MS) socket?.onclose();
    else if (silence > SILENCE_MS) say({ action: "ping" });
  }, SILENCE_MS / 2);

  onReturn(() => {
    if (socket !== null || timer === null) return;
    failures = 0;
    connect();
  });

  // Values that come by themselves: `x?` says whether `x` is loading (""), has failed (the message), or neither (none).
  const loads = new Map();

  // Loads `x`: by code of the browser, a promise of its wire value.
  async function load(name, promise) {
    loads.set(name, promise);
    settleLoad(name, "");
    try {
      const value = await promise;
      if (loads.get(name) !== promise) return;
      assign(name, value);
      settleLoad(name, null);
    } catch (failure) {
      if (loads.get(name) === promise) settleLoad(name, String(failure?.message ?? failure) || "Error");
    }
  }

  const states = new Map();
  const loadState = (name) => states.get(name) ?? stateWire(`${name}?`) ?? null;

  function settleLoad(name, state) {
    states.set(name, state);
    if (`${name}?` in page.state) assign(`${name}?`, state);
    follow([name, `${name}?`]);
  }

  // The variables that the server has begun to load when it wrote the page.
  function loadFromServer() {
    states.clear();
    loads.clear();
    const { visit } = page;
    for (const [mark, state] of Object.entries(page.state)) {
      if (mark.endsWith("?") && state === "") loadOne(mark.slice(0, -1), mark).catch((failure) => page.visit === visit && settleLoad(mark.slice(0, -1), failure.message));
    }
  }

  async function loadOne(name, mark) {
    const of = page.visit;
    const { [name]: unknown, ...state } = stateWires();
    const { json } = await post("/_render", { ...about(), _state: { ...state, [mark]: "load" } });
    if (page.visit !== of) return;
    if (json.error) throw new Error(json.error.message);
    for (const [variable, value] of Object.entries(json.state ?? {})) if (variable === name || variable === mark) assign(variable, value);
    touch();
    await receive(json, true);
    told.state();
  }

  // Functions that run less often than they are called, because pages bind them to typing and scrolling: the last call is
  // never lost, and one key is one row of calls.
  const timers = new Map();

  // Calls `fn` when there was no call with this key for `ms`.
  function debounce(key, fn, ms) {
    clearTimeout(timers.get(key));
    timers.set(key, setTimeout(() => timers.delete(key) && fn(), ms));
  }

  const rows = new Map();

  // Calls `fn` at once, but at most every `ms` for one key; the last call within that time comes at its end.
  function throttle(key, fn, ms) {
    if (rows.has(key)) return void rows.set(key, fn);
    rows.set(key, null);
    setTimeout(() => {
      const last = rows.get(key);
      rows.delete(key);
      if (last !== null) throttle(key, last, ms);
    }, ms);
    fn();
  }

  // How long, if the handler does not say.
  const PACE_MS = 250;
  // Each handler of an element has a pace of its own.
  told.pace = ({ 1: kind, 2: wait, input }, element, go) => {
    const key = ((element.flinPaces ??= {})[input] ??= {});
    (kind === "debounce" ? debounce : throttle)(key, go, +wait || PACE_MS);
  };

  Object.assign(globalThis, {
    _flinUpdate: () => update(),
    _flinAction: (name, args = []) => act(name, args),
    _flinSubmit: (name) => act(name, []),
    _flinAsync: load,
    _flinIsLoading: (name) => loadState(name) === "",
    _flinGetError: (name) => loadState(name) || null,
    _flinDebounce: debounce,
    _flinThrottle: throttle,
    _flinWsConnect: connect,
    _flinWsSubscribe: subscribe,
    _flinOnEntityChange: onEntityChange,
    // Takes the page over anew, with its state and what was typed.
    _flinRenew: renew,
  });

  return () => {
    loadFromServer();
    reconnect();
  };
};
