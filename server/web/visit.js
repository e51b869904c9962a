// Going from page to page of the program without a load, and taking the present page over anew.
// Here, in a file of its own that comes with the first link, because many pages have none. Must stay true: what is no page of
// this program, or of another build of the runtime, is loaded; the address, the title, the focus and the place of the page
// are those of a load.

// `runtime`: what of the runtime is needed here. Gives the function that shows the page at an address.
export default ({ begin, dirty, leave, loadLives, openPage, page, stateWires }) => {
  const root = () => document.getElementById("flin-root");
  const readInfo = (doc) => JSON.parse(doc.getElementById("flin-page")?.textContent ?? "null");
  const scriptOf = (doc) => doc.querySelector('script[src^="/_flin/runtime"]')?.getAttribute("src");

  let latest = null;

  // Shows the page at an address. `isKept`: state and what was typed stay, as far as the page has the same controls.
  async function visit(url, { isKept = false, isBack = false } = {}) {
    const mine = (latest = {});
    const isHere = isKept || isBack;
    const away = () => (isHere ? location.reload() : location.assign(url));
    document.documentElement.setAttribute("aria-busy", "true");
    try {
      const stop = new AbortController();
      const answer = await fetch(url, { headers: { Accept: "text/html" }, signal: stop.signal });
      const isPage = answer.headers.get("content-type")?.startsWith("text/html");
      if (!isPage) stop.abort();
      const doc = new DOMParser().parseFromString(isPage ? await answer.text() : "", "text/html");
      const info = readInfo(doc);
      if (mine !== latest) return;
      if (info === null || scriptOf(doc) !== scriptOf(document)) return away();
      const module = info.module && (await import(info.module)).default;
      if (mine !== latest) return;
      const kept = isKept ? keep(info) : null;
      if (!isHere) {
        history.replaceState({ ...history.state, y: scrollY }, "");
        history.pushState({}, "", answer.redirected ? answer.url : url);
      }
      if (!isKept) leave();
      swap(doc);
      openPage(info, module, isKept && module === page.module ? page.visit : {});
      await loadLives();
      begin(kept);
      if (kept === null) arrive();
    } catch (failure) {
      console.warn(`flin: ${failure.message}`);
      if (mine === latest) away();
    } finally {
      document.documentElement.removeAttribute("aria-busy");
    }
  }

  // Takes the parts of another document over.
  function swap(doc) {
    root().replaceChildren(...doc.getElementById("flin-root").childNodes);
    document.getElementById("flin-page").textContent = doc.getElementById("flin-page").textContent;
    for (const form of document.querySelectorAll("body > form[id^=flin-form-]")) form.remove();
    document.body.append(...doc.querySelectorAll("body > form[id^=flin-form-]"));
    document.title = doc.title;
    document.documentElement.lang = doc.documentElement.lang;
    const parts = (of) => [...of.head.children].filter((node) => !node.matches("script,title"));
    const old = parts(document);
    for (const node of parts(doc)) {
      const same = old.findIndex((other) => other.isEqualNode(node));
      if (same < 0) document.head.append(node);
      else old.splice(same, 1);
    }
    for (const node of old) node.remove();
  }

  // As after a load: the place that the address names, or the top; who hears the page is told its heading.
  function arrive() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const place = target || root().querySelector("[autofocus]") || root().querySelector("h1") || root().querySelector("main") || root();
    if (!place.matches("a,input,button,select,textarea,[tabindex]")) place.tabIndex = -1;
    place.focus({ preventScroll: true });
    if (target) target.scrollIntoView();
    else scrollTo(0, history.state?.y ?? 0);
  }

  const CONTROLS = "input:not([type=hidden],[type=file]),textarea,select,details";
  // The parts of the page that a visitor changes, each with a name by which it is found again.
  function changeable() {
    const seen = {};
    return [...root().querySelectorAll(CONTROLS)].map((node) => {
      const name = [node.localName, node.type, node.id, node.name].join();
      seen[name] = (seen[name] ?? 0) + 1;
      return [`${name},${seen[name]}`, node];
    });
  }

  // State of the same name and type goes over; gives what puts the rest back.
  function keep(info) {
    Object.assign(info.state, stateWires((name) => info.types[name] === page.types[name] && !name.endsWith("?")));
    const before = new Map(changeable());
    const focused = [...before].find(([, node]) => node === document.activeElement)?.[0];
    const y = scrollY;
    return () => {
      for (const [name, node] of changeable()) {
        const was = before.get(name);
        if (was === undefined) continue;
        if (node.localName === "details") node.open = was.open;
        else if (dirty.has(was) && !node.dataset.flinBind) {
          if (node.matches("[type=checkbox],[type=radio]")) node.checked = was.checked;
          else node.value = was.value;
          dirty.set(node, dirty.get(was));
        }
        if (name !== focused) continue;
        node.focus({ preventScroll: true });
        if (typeof was.selectionStart === "number") node.setSelectionRange(was.selectionStart, was.selectionEnd);
      }
      scrollTo(0, y);
    };
  }

  // Whether a click on a link is one that a page of the program may answer.
  function isPlain(event, link) {
    const { button, ctrlKey, metaKey, shiftKey, altKey, defaultPrevented } = event;
    return !(defaultPrevented || button || ctrlKey || metaKey || shiftKey || altKey || link.hasAttribute("download") || /\bexternal\b/.test(link.rel)) && (link.target === "" || link.target === "_self") && link.origin === location.origin;
  }

  const isSamePage = (url) => url.pathname + url.search === shownAt;
  let shownAt = location.pathname + location.search;

  // After the handlers of the page.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || !isPlain(event, link) || (isSamePage(link) && link.hash !== "")) return;
    event.preventDefault();
    history.scrollRestoration = "manual";
    visit(link.href).then(() => (shownAt = location.pathname + location.search));
  });
  addEventListener("popstate", () => {
    if (isSamePage(location)) return;
    shownAt = location.pathname + location.search;
    visit(location.href, { isBack: true });
  });
  addEventListener("pagehide", () => history.replaceState({ ...history.state, y: scrollY }, ""));

  return visit;
};
