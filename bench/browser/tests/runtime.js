// A page without a server: a document as the server would write it, code as the compiler would make it, and a server and
// sockets that a test holds in its hand. Must stay true: nothing leaves the page; each scenario has a document of its own.

const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
async function until(what, condition) {
  for (let turn = 0; turn < 400; turn++) {
    if (condition()) return;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error(`waited in vain: ${what}\n${document.documentElement.outerHTML}\n${JSON.stringify(server.requests)}`);
}
function same(what, found, expected) {
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}\n${document.documentElement.outerHTML}`);
}
const $ = (selector) => document.querySelector(selector);
const text = (selector) => $(selector)?.textContent;

// What was asked of the server: path and body; `answers` are given one after the other, a function is asked each time.
const server = { requests: [], answers: [], sockets: [], streams: [] };
globalThis.fetch = async (path, options = {}) => {
  const body = options.body === undefined ? null : JSON.parse(options.body);
  server.requests.push([String(path), body]);
  let answer = server.answers.shift();
  if (typeof answer === "function") answer = await answer(body);
  if (answer === undefined) return new Promise(() => undefined);
  if (answer === "cut") throw new TypeError("Failed to fetch");
  if (typeof answer === "string") return new Response(answer, { headers: { "Content-Type": "text/html" } });
  return new Response(JSON.stringify(answer.json ?? answer), { status: answer.status ?? 200, headers: { "Content-Type": "application/json" } });
};
class Connection {
  constructor(url, all) {
    Object.assign(this, { url, readyState: 0, sent: [] });
    all.push(this);
  }
  open() {
    this.readyState = 1;
    this.onopen?.({});
  }
  tell(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  close() {
    if (this.readyState === 3) return;
    this.readyState = 3;
    setTimeout(() => this.onclose?.({}));
  }
}
globalThis.WebSocket = class extends Connection {
  static OPEN = 1;
  constructor(url) {
    super(url, server.sockets);
  }
  send(message) {
    this.sent.push(JSON.parse(message));
  }
};
globalThis.EventSource = class extends Connection {
  constructor(url) {
    super(url, server.streams);
  }
};

// A page with a counter `n` (the browser's), a field `draft`, a choice `filter` that the server's list depends on.
const values = { n: 0, draft: "", filter: "all" };
const views = [];
globalThis.theCode = {
  templates: [
    {
      html: '<h1 data-f="t"></h1><p data-f="1t"></p><button id="add" data-flin-on-click="0">+</button><button id="big" data-flin-on-click="1">big</button><button id="open" data-flin-on-click="2">open</button><button id="wrong" data-flin-on-click="4">wrong</button><form data-flin-on-submit="3"><input data-f="1"></form><ul><!--f1--><!--/f--></ul><a href="/two">two</a>',
      places: [["text", "browser"], ["attribute:class", "browser"], ["text", "browser"], ["attributes", "browser"], ["list", "server"]],
    },
    { html: '<li data-f="t"></li>', single: true, places: [["text", "server"]] },
  ],
  state: Object.keys(values).map((name) => ({ name, type: typeof values[name], get: () => values[name], set: (value) => (values[name] = value) })),
  handlers: [
    { event: "click", params: [], assigns: ["n"], run: () => void values.n++ },
    { event: "click", params: [], assigns: ["n"], run: () => { throw new RangeError("beyond"); } },
    { event: "click", params: [], assigns: ["filter"], run: () => void (values.filter = "open") },
    { event: "submit", assigns: [] },
    { event: "click", params: [], assigns: ["n"], run: () => { values.n = 99; throw { kind: "Broken", message: "the gears are stuck" }; } },
  ],
  view: () => {
    views.push({ ...values });
    return [0, `${values.n} times`, values.n > 1 ? "many" : null, `${values.draft}|${values.filter}`, { "data-flin-bind": "draft", name: "draft", value: values.draft }, undefined];
  },
  attempt: (run) => {
    const before = { ...values };
    try {
      return { ok: run(), changed: Object.keys(values).filter((name) => values[name] !== before[name]) };
    } catch (failure) {
      Object.assign(values, before);
      return failure instanceof RangeError ? { gaveUp: failure.message } : { error: failure };
    }
  },
  decode: (type, json) => {
    if (json?._int) throw new RangeError("beyond");
    if (typeof json !== type) throw { kind: "TypeError", message: `expected a ${type}` };
    return json;
  },
  encode: (value) => value,
  encode_as: (_, value) => value,
};
const BODY = '<h1>0 times</h1><p>|all</p><button id="add" data-flin-on-click="0">+</button><button id="big" data-flin-on-click="1">big</button><button id="open" data-flin-on-click="2">open</button><button id="wrong" data-flin-on-click="4">wrong</button><form data-flin-on-submit="3" method="post" action="/_action"><input data-flin-bind="draft" name="draft" value=""><input type="hidden" name="_action" value="#3"></form><ul><!--f1--><li data-flin-key="T:1">one</li><li data-flin-key="T:2">two</li><!--/f--></ul><a href="/two">two</a>';
const INFO = {
  page: "/", state: { ...values }, types: { n: "int", draft: "text", filter: "text" }, reads: ["T"], fields: { "T.title": ["draft"] }, shown: ["n", "draft", "filter"], asks: ["filter"],
  seq: 5, build: "b1", view: "v1", token: "t", module: "data:text/javascript,export default globalThis.theCode",
};
const wholeDocument = (info, body, title) => `<!doctype html><html lang="en"><head><title>${title}</title><script type="module" src="/_flin/runtime-1.js"></script></head><body><div id="flin-root">${body}</div><script type="application/json" id="flin-page">${JSON.stringify(info)}</script></body></html>`;

function setUp(info = INFO, body = BODY) {
  const doc = new DOMParser().parseFromString(wholeDocument(info, body, "One"), "text/html");
  doc.querySelector("script[src]").type = "text/plain";
  document.head.replaceChildren(...doc.head.childNodes);
  document.body.replaceChildren(...doc.body.childNodes);
}
const typeInto = (selector, value) => {
  $(selector).focus();
  $(selector).value = value;
  $(selector).dispatchEvent(new InputEvent("input", { bubbles: true }));
};
const submit = () => $("form").dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
const asked = (path) => server.requests.filter(([at]) => at === path).map(([, body]) => body);

const SCENARIOS = {
  async "a handler of the browser is shown at once, without a request"() {
    const [h1, input] = [$("h1"), $("input")];
    $("#add").click();
    same("at once", text("h1"), "1 times");
    $("#add").click();
    same("class", $("p").className, "many");
    same("the same nodes", [$("h1") === h1, $("input") === input], [true, true]);
    same("requests", server.requests, []);
    same("state", [$flin.n, { ...$flin }], [2, { n: 2, draft: "", filter: "all" }]);
  },
  async "what is typed is shown in the same frame, also elsewhere"() {
    typeInto("input", "milk");
    same("at once", text("p"), "milk|all");
    $flin.draft = "bread";
    $flin.n = 7;
    const before = views.length;
    await frame();
    same("one pass", views.length - before, 1);
    same("field", [$("input").value, text("p"), text("h1")], ["bread", "bread|all", "7 times"]);
  },
  async "a choice that the server's part depends on brings a patch"() {
    server.sockets[0].open();
    same("it follows", server.sockets[0].sent.at(-1), { action: "watch", page: "/", state: { filter: "all" }, view: "v1", seq: 5, build: "b1" });
    server.answers.push({ seq: 6, view: "v2", from: "v1", patch: { 4: { ops: [["d", "T:1"], ["i", "T:3", null, [1, "three"]], ["p", "T:2", { 0: "zwei" }]] } }, head: "<title>Open</title>" });
    const two = $("li:nth-child(2)");
    $("#open").click();
    same("at once", text("p"), "|open");
    await until("the patch", () => text("ul") === "zweithree");
    same("the same node", $("li") === two, true);
    same("asked", asked("/_render").map((body) => [body._page, body._state, body.view]), [["/", { filter: "open" }, "v1"]]);
    await until("the watch", () => server.sockets[0].sent.at(-1).view === "v2");
    same("watch", server.sockets[0].sent.at(-1).state, { filter: "open" });
    same("title", document.title, "Open");
  },
  async "a patch that starts elsewhere is not applied, the server is asked"() {
    server.sockets[0].open();
    server.sockets[0].tell({ type: "patch", seq: 6, from: "v1", view: "v2", patch: { 4: { ops: [["m", "T:2", "T:1"]] } } });
    await until("the move", () => text("ul") === "twoone");
    server.answers.push({ seq: 8, view: "v4", values: [0, null, null, null, null, [["T:4", [1, "four"]], ["T:1", [1, "one"]]]], head: "" });
    const one = $("li:nth-child(2)");
    server.sockets[0].tell({ type: "patch", seq: 8, from: "v3", view: "v4", patch: { 4: { ops: [["d", "T:1"]] } } });
    await until("all of it", () => text("ul") === "fourone");
    same("kept", [$("li:nth-child(2)") === one, text("h1")], [true, "0 times"]);
    same("view", asked("/_render").map((body) => body.view), ["v2"]);
    server.sockets[0].tell({ type: "watching", seq: 9, view: "v4" });
    await frame();
    same("one request", asked("/_render").length, 1);
  },
  async "what the browser gives up the server does"() {
    server.answers.push({ type: "ok", state: { n: 12 }, seq: 6, view: "v1", from: "v1", patch: {} });
    $("#big").click();
    await until("the answer", () => text("h1") === "12 times");
    const [body] = asked("/_action");
    same("sent", [body._action, body._args, body._state.n, body.token, body.view, body.key.length >= 16], ["#1", [], 0, "t", "v1", true]);
  },
  async "an error of a handler is shown and changes nothing"() {
    $("#wrong").click();
    same("shown", [text("#flin-message"), text("h1")], ["the gears are stuck", "0 times"]);
    $("#add").click();
    same("gone", [$("#flin-message"), text("h1")], [null, "1 times"]);
  },
  async "an action waits for its server and is done once"() {
    typeInto("input", "milk");
    server.answers.push("cut", "cut", { type: "reload", state: { draft: "" }, seq: 6, view: "v2", from: "v1", patch: { 4: { ops: [["i", "T:3", null, [1, "milk"]]] } } });
    submit();
    submit();
    await until("the banner", () => text("#flin-offline")?.includes("1 change is waiting"));
    same("no dialog", [$("#flin-offline").getAttribute("role"), $("form").getAttribute("aria-busy"), $("input").value], ["status", "true", "milk"]);
    $("#add").click();
    same("the page goes on", text("h1"), "1 times");
    dispatchEvent(new Event("online"));
    await until("second attempt", () => server.requests.length === 2);
    await until("it waits again", () => text("#flin-offline") !== undefined);
    await frame();
    dispatchEvent(new Event("online"));
    await until("the item", () => text("ul") === "onetwomilk");
    same("three attempts under one key", new Set(asked("/_action").map((body) => body.key)).size, 1);
    same("attempts", asked("/_action").length, 3);
    await until("at rest", () => $("form").getAttribute("aria-busy") === null);
    same("over", [$("#flin-offline"), $("input").value], [null, ""]);
  },
  async "a refusal is shown at its field and not repeated"() {
    typeInto("input", "x");
    server.answers.push({ status: 422, json: { type: "error", error: { kind: "ValidationError", message: "too short", entity: "T", field: "title" } } });
    submit();
    await until("the message", () => $("input").getAttribute("aria-invalid") === "true");
    same("tied", text(`#${CSS.escape($("input").getAttribute("aria-describedby"))}`), "too short");
    same("focus", document.activeElement === $("input"), true);
    await until("at rest", () => $("[aria-busy]") === null);
    same("once", asked("/_action").length, 1);
  },
  async "values that load have one update for each step"() {
    await frame();
    let go;
    const before = views.length;
    const done = _flinAsync("draft", new Promise((resolve) => (go = resolve)));
    same("loading", [_flinIsLoading("draft"), _flinGetError("draft")], [true, null]);
    await frame();
    await frame();
    same("one update", views.length - before, 1);
    go("loaded");
    await done;
    await frame();
    await frame();
    same("another", [views.length - before, text("p"), _flinIsLoading("draft")], [2, "loaded|all", false]);
    const old = _flinAsync("draft", new Promise((resolve) => setTimeout(resolve, 30, "late")));
    await _flinAsync("draft", Promise.reject(new Error("no luck")));
    await old;
    same("the newest counts", [_flinGetError("draft"), $flin.draft], ["no luck", "loaded"]);
  },
  async "calls are spread"() {
    const calls = [];
    for (const i of [1, 2, 3]) {
      _flinDebounce("a", () => calls.push(`a${i}`), 30);
      _flinThrottle("b", () => calls.push(`b${i}`), 30);
    }
    same("at once", calls, ["b1"]);
    await until("all", () => calls.length === 3);
    same("the last ones", [...calls].sort(), ["a3", "b1", "b3"]);
  },
  async "where sockets do not get through events do"() {
    for (let attempt = 0; attempt < 3; attempt++) {
      await until("an attempt", () => server.sockets.length === attempt + 1);
      server.sockets[attempt].close();
      await new Promise((done) => setTimeout(done, 20));
      dispatchEvent(new Event("visibilitychange"));
      await new Promise((done) => setTimeout(done, attempt === 0 ? 20 : 2100));
    }
    await until("a stream", () => server.streams.length === 1);
    const at = new URL(server.streams[0].url, "http://x");
    same("asked", [at.pathname, at.searchParams.get("page"), at.searchParams.get("view"), at.searchParams.get("state")], ["/_events", "/", "v1", '{"filter":"all"}']);
    server.streams[0].open();
    server.streams[0].tell({ type: "patch", seq: 6, from: "v1", view: "v2", patch: { 4: { ops: [["d", "T:1"]] } } });
    await until("the patch", () => text("ul") === "two");
  },
  async "a link to another page is followed in place"() {
    const two = { ...INFO, page: "/two", state: { n: 3, draft: "", filter: "all" }, view: "w1" };
    server.answers.push(wholeDocument(two, BODY.replace("0 times", "3 times").replace("one", "uno"), "Two"));
    const asked = history.length;
    $("a").click();
    await until("the page", () => document.title === "Two");
    await until("at rest", () => document.documentElement.getAttribute("aria-busy") === null);
    same("shown", [text("h1"), text("li"), document.activeElement === $("h1"), history.length > asked], ["3 times", "uno", true, true]);
    same("its socket", server.sockets.at(-1).url.split("?")[1], "page=%2Ftwo");
    $("#add").click();
    same("it lives", text("h1"), "4 times");
  },
  async "a number beyond the browser's is the server's"() {
    server.answers.push({ seq: 5, view: "v2", values: [0, "9007199254740993 times", null, "|all", { "data-flin-bind": "draft", name: "draft", value: "" }, [["T:1", [1, "one"]]]] });
    $flin.n = { _int: "9007199254740993" };
    await until("the server's", () => text("h1") === "9007199254740993 times");
    same("asked", asked("/_render").map((body) => [body.whole, body._state.n]), [[true, { _int: "9007199254740993" }]]);
    server.answers.push({ type: "ok", state: { n: 5 }, seq: 6, view: "v2", from: "v2", patch: {} });
    $("#add").click();
    await until("the answer", () => text("h1") === "5 times");
    same("sent", asked("/_action").map((body) => [body._action, body._state.n]), [["#0", { _int: "9007199254740993" }]]);
    $("#add").click();
    same("the browser's again", text("h1"), "6 times");
  },
  async "an answer is not for the next visit of the same page"() {
    const go = {};
    server.answers.push(() => new Promise((answer) => (go.action = answer)), () => new Promise((answer) => (go.view = answer)));
    typeInto("input", "milk");
    submit();
    $("#open").click();
    await until("both are under way", () => go.action && go.view);
    const two = { ...INFO, page: "/two", state: { n: 3, draft: "", filter: "all" }, view: "w1" };
    server.answers.push(wholeDocument(two, BODY.replace("0 times", "3 times").replace("one", "uno"), "Two"));
    $("a").click();
    await until("the page", () => document.title === "Two");
    go.action({ type: "ok", state: { n: 50 }, seq: 6, view: "v9", from: "w1", patch: { 4: { ops: [["d", "T:1"]] } } });
    go.view({ seq: 7, view: "v9", values: [0, null, null, null, null, []] });
    for (let turn = 0; turn < 5; turn++) await frame();
    same("untouched", [text("h1"), text("ul"), $flin.n], ["3 times", "unotwo", 3]);
  },
  async "a handler of the browser waits for actions that change state"() {
    const go = {};
    server.answers.push(() => new Promise((answer) => (go.first = answer)));
    $("#big").click();
    $("#add").click();
    await until("it is under way", () => go.first);
    same("not yet", text("h1"), "0 times");
    server.answers.push({ type: "ok", state: { n: 13 }, seq: 6, view: "v1", from: "v1", patch: {} });
    go.first({ type: "ok", state: { n: 12 }, seq: 6, view: "v1", from: "v1", patch: {} });
    await until("both", () => text("h1") === "13 times");
    same("in order", asked("/_action").map((body) => [body._action, body._state.n]), [["#1", 0], ["#0", 12]]);
    await until("at rest", () => $("[aria-busy]") === null);
    $("#add").click();
    same("at once", text("h1"), "14 times");
  },
  async "what the user changes while an action is under way stays"() {
    for (const id of ["before", "after"]) $("form").append(Object.assign(document.createElement("input"), { type: "checkbox", id }));
    let go;
    server.answers.push(() => new Promise((answer) => (go = answer)));
    $("#before").click();
    submit();
    await until("it is under way", () => go);
    $("#after").click();
    go({ type: "ok", state: {}, seq: 6, view: "v1", from: "v1", patch: {} });
    await until("at rest", () => $("[aria-busy]") === null);
    same("ticked", [$("#before").checked, $("#after").checked], [false, true]);
  },
  async "only what the server would take is a number or a time"() {
    const typed = (type, value, bind = "draft") => {
      $("h1").after(Object.assign(document.createElement("input"), { id: "typed" }));
      Object.assign($("#typed").dataset, { flinBind: bind, flinType: type });
      typeInto("#typed", value);
      $("#typed").remove();
      return $flin.draft;
    };
    same("int", ["0x10", "1e3", "-7"].map((text) => typed("int", text)), ["0x10", "1e3", -7]);
    same("float", ["0x10", "Infinity", "1e999", ".5"].map((text) => typed("float", text)), ["0x10", "Infinity", "1e999", 0.5]);
    same("time", ["5", "May 2026", "2026-02-30", "2026-02-03T04:05"].map((text) => typed("time", text)), ["5", "May 2026", "2026-02-30", { _time: "2026-02-03T04:05:00.000Z" }]);
    $flin.draft = {};
    same("any key", Object.entries(typed("text", "x", "draft.__proto__")), [["__proto__", "x"]]);
  },
  async "another build keeps state and what was typed"() {
    server.sockets[0].open();
    $("#add").click();
    typeInto("input", "half");
    $("ul").before(Object.assign(document.createElement("input"), { id: "free" }));
    const body = BODY.replace("<ul>", '<input id="free"><ul>');
    typeInto("#free", "mine");
    $("input").focus();
    $("input").setSelectionRange(1, 2);
    server.answers.push(wholeDocument({ ...INFO, build: "b2", view: "n1", module: `${INFO.module} // another` }, body, "New"), { seq: 5, view: "n1", from: "n1", patch: {} });
    globalThis.theCode = { ...theCode, templates: [{ ...theCode.templates[0], html: theCode.templates[0].html.replace("<ul>", '<input id="free"><ul>') }, theCode.templates[1]] };
    server.sockets[0].tell({ type: "stale", build: "b2" });
    await until("the new one", () => document.title === "New");
    await until("at rest", () => document.documentElement.getAttribute("aria-busy") === null);
    same("kept", [text("h1"), $("input").value, $("#free").value, document.activeElement === $("input"), $("input").selectionStart], ["1 times", "half", "mine", true, 1]);
  },
};

// Runs one scenario on a started page; `start` runs the runtime.
async function play(name, start) {
  try {
    setUp();
    await start();
    await SCENARIOS[name]();
    return "fine";
  } catch (failure) {
    return `${name}: ${failure.stack ?? JSON.stringify(failure)}`;
  }
}
