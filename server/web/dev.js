// The developer's page: takes over a program that has changed, and shows what is wrong with one that cannot run.
// Here because only `flinvm dev` serves it, beside the runtime. Must stay true: what the visitor typed, chose and opened
// survives a change of the program; the text shown is the terminal's, and it goes away by itself when it is over.

const RETRY_MS = 300;
const KEPT = "flin-dev-kept";
const data = () => JSON.parse(document.getElementById("flin-page")?.textContent ?? "null");

let build = null;

function listen() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const page = data()?.page;
  const query = page === undefined ? "" : `?page=${encodeURIComponent(page)}`;
  const socket = new WebSocket(`${scheme}//${location.host}/_flin/dev${query}`);
  socket.onmessage = (event) => hear(JSON.parse(event.data));
  // The server is started again: its first message tells whether the program is another one.
  socket.onclose = () => setTimeout(listen, RETRY_MS);
}

function hear(message) {
  show(message.problem ?? null);
  const before = build ?? data()?.build ?? "";
  build = message.build;
  if (build === before || build === "") return;
  // It comes while the rest is asked for; who needs it says what is wrong with it.
  if (message.script) import(message.script).catch(() => undefined);
  renew();
}

// In place if the runtime can do that, else by a load that puts back what it finds.
async function renew() {
  if (globalThis._flinRenew !== undefined && data() !== null) {
    try {
      // What was under way already may have brought the program before.
      for (let turns = 0; turns < 2 && data().build !== build; turns++) await globalThis._flinRenew();
      document.documentElement.dataset.flinBuild = build;
      return;
    } catch (failure) {
      console.warn(`flin: the page is loaded again: ${failure.message}`);
    }
  }
  keep();
  location.reload();
}

// Controls by the way to them: the id if there is one, else the places from the root.
function addressOf(element) {
  if (element.id !== "") return `#${CSS.escape(element.id)}`;
  const parent = element.parentElement;
  if (parent === null) return element.tagName;
  return `${addressOf(parent)}>:nth-child(${[...parent.children].indexOf(element) + 1})`;
}

const controls = () => [...document.querySelectorAll("input:not([type=file],[type=password]),textarea,select")];

function keep() {
  const info = data();
  const focused = document.activeElement;
  const kept = {
    url: location.href,
    types: info?.types ?? {},
    state: info === null || globalThis.$flin === undefined ? {} : { ...globalThis.$flin },
    controls: controls().map((c) => [addressOf(c), c.tagName, c.type === "checkbox" || c.type === "radio" ? c.checked : c.value]),
    open: [...document.querySelectorAll("details[open]")].map(addressOf),
    focus: focused === null || focused === document.body ? null : addressOf(focused),
    caret: focused !== null && typeof focused.selectionStart === "number" ? [focused.selectionStart, focused.selectionEnd] : null,
    scroll: [scrollX, scrollY],
  };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
}

// After the load: state whose name and type are still the same, then what stands in the controls.
function restore() {
  const text = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  const kept = JSON.parse(text ?? "null");
  if (kept === null || kept.url !== location.href) return;
  const types = data()?.types ?? {};
  for (const [name, value] of Object.entries(kept.state)) {
    if (types[name] !== undefined && types[name] === kept.types[name]) globalThis.$flin[name] = value;
  }
  for (const [address, tag, value] of kept.controls) {
    const control = document.querySelector(address);
    if (control === null || control.tagName !== tag || "flinBind" in control.dataset) continue;
    if ((typeof value === "boolean" ? control.checked : control.value) === value) continue;
    if (typeof value === "boolean") control.checked = value;
    else control.value = value;
    adopt(control);
  }
  for (const address of kept.open) document.querySelector(address)?.setAttribute("open", "");
  const focused = kept.focus === null ? null : document.querySelector(kept.focus);
  focused?.focus({ preventScroll: true });
  if (kept.caret !== null && typeof focused?.selectionStart === "number") focused.setSelectionRange(...kept.caret);
  scrollTo(...kept.scroll);
}

// Makes the runtime take what stands in a control as typed by the user; no handler of the program hears of it.
function adopt(control) {
  const quiet = (event) => event.stopImmediatePropagation();
  document.addEventListener("input", quiet, true);
  control.dispatchEvent(new Event("input", { bubbles: true }));
  document.removeEventListener("input", quiet, true);
}

const STYLE = `
  :host { all: initial; }
  section { position: fixed; inset: 0; z-index: 2147483647; overflow: auto; padding: 2rem; background: rgb(16 19 26 / .93); color: #e6e9ef; }
  div { max-width: 62rem; margin: 0 auto; border-top: .3rem solid #ff5c66; background: #1a1f2b; border-radius: .4rem; padding: 1.2rem 1.5rem; }
  pre { margin: 0; font: 14px/1.55 ui-monospace, "Cascadia Mono", Menlo, monospace; white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; }
  p { margin: 1rem 0 0; font: 13px/1.5 system-ui, sans-serif; color: #a4adbd; }
`;

let overlay = null;
let dismissed = null;

// Shows a text over the page, or takes it away. What was closed by hand stays closed until there is something else.
function show(text) {
  if (text === null) dismissed = null;
  if (text === null || text === dismissed) {
    overlay?.remove();
    overlay = null;
    return;
  }
  if (overlay === null) {
    overlay = document.createElement("flin-problem");
    overlay.setAttribute("role", "alert");
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    const inside = overlay.attachShadow({ mode: "open" });
    inside.adoptedStyleSheets = [sheet];
    const [section, box, pre, note] = ["section", "div", "pre", "p"].map((tag) => document.createElement(tag));
    note.textContent = "This goes away by itself when it is fixed. Escape closes it.";
    box.append(pre, note);
    section.append(box);
    inside.append(section);
    document.documentElement.append(overlay);
  }
  overlay.shadowRoot.querySelector("pre").textContent = text;
}

addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || overlay === null) return;
  dismissed = overlay.shadowRoot.querySelector("pre").textContent;
  show(dismissed);
});

restore();
listen();
