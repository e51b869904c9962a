// `onMount`, `onUpdate` and `onUnmount` of components and pages, and the state of instances that come by a patch. Here, in a
// file of its own that comes with the first of them, because most pages have none. Must stay true: each part is mounted
// once, and unmounted once if it was; what the code of an `onUpdate` changes does not call it again; nothing runs for a part
// of a page that the visitor has left, but its `onUnmount`; what was typed is never overwritten.

const KINDS = ["mount", "update", "unmount"];
const PARTS = KINDS.map((kind) => `[data-flin-on-${kind}]`).join();
// What the runtime itself writes says nothing of the part.
const isOurs = (name) => name.startsWith("data-flin-") || name.startsWith("aria-busy");

// `runtime`: what of the runtime is needed here. Gives what begins with a page, and what ends with it.
export default ({ about, act, argsOf, dirty, edited, flush, isHalfTyped, page, post, root, setState, stateOf, stateWire, stateWires, touch, writeControl }) => {
  // The parts that are there, and those whose `onUpdate` is under way.
  let living = new Set();
  const busy = new Set();

  function run(part, kind) {
    const number = part.getAttribute(`data-flin-on-${kind}`);
    if (number === null) return Promise.resolve();
    const args = `data-flin-args-${kind}`;
    return act(`#${number}`, argsOf(part, args) ?? JSON.parse(part.getAttribute(args) ?? "[]")).catch(() => undefined);
  }

  // Whether a node is in what a part shows: its element, or all from its mark to the mark that ends it.
  function shows(part, node) {
    if (!part.hasAttribute("data-flin-part")) return part.contains(node);
    while (node !== null && node.parentNode !== part.parentNode) node = node.parentNode;
    let depth = 0;
    for (let next = part; next !== null && node !== null; next = next.nextSibling) {
      if (next === node) return true;
      if (next.dataset?.flinPart !== undefined) depth++;
      if (next.dataset?.flinEnd !== undefined && --depth === 0) return false;
    }
    return false;
  }

  function update(part) {
    busy.add(part);
    run(part, "update").finally(() => busy.delete(part));
  }

  function look(records) {
    const found = [...root().querySelectorAll(PARTS)];
    const gone = [...living].filter((part) => !part.isConnected);
    const fresh = found.filter((part) => !living.has(part));
    const changed = records.filter(({ type, attributeName }) => type !== "attributes" || !isOurs(attributeName)).map(({ target }) => target);
    const updated = found.filter((part) => living.has(part) && !busy.has(part) && part.hasAttribute("data-flin-on-update") && changed.some((node) => shows(part, node)));
    for (const part of gone) {
      living.delete(part);
      run(part, "unmount");
    }
    for (const part of fresh) {
      living.add(part);
      run(part, "mount");
    }
    updated.forEach(update);
    // What they changed in the browser is shown in this very frame.
    if (gone.length + fresh.length + updated.length > 0) flush();
    const own = observer.takeRecords();
    if (own.length > 0) {
      for (const part of updated) busy.add(part);
      look(own);
      for (const part of updated) busy.delete(part);
    }
  }

  const observer = new MutationObserver(look);

  // Controls that the server was asked for.
  const asked = new WeakSet();
  const isMap = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

  // Asks the server, once, what belongs to controls of instances that are no state yet. What is known stays; what was typed
  // meanwhile counts now.
  async function learn(controls) {
    const fresh = controls.filter((control) => !asked.has(control));
    for (const control of fresh) asked.add(control);
    if (fresh.length === 0) return;
    const { visit } = page;
    const { json } = await post("/_render", { ...about(), _state: stateWires((name) => !isHalfTyped(name)), whole: true }).catch(() => ({ json: {} }));
    if (page.visit !== visit) return;
    for (const [name, value] of Object.entries(json.state ?? {})) {
      const known = stateWire(name);
      if (isMap(value) && isMap(known)) setState(name, { ...value, ...known });
    }
    for (const control of fresh.filter((control) => stateOf(control) !== undefined)) {
      if (dirty.has(control)) edited(control);
      else writeControl(control, stateOf(control));
    }
    touch();
  }

  return {
    learn,
    // A page begins. `isKept`: its parts were there before.
    begin(isKept) {
      living = new Set(isKept ? root().querySelectorAll(PARTS) : []);
      observer.disconnect();
      observer.observe(root(), { childList: true, subtree: true, characterData: true, attributes: true });
      look([]);
    },
    // The visitor leaves the page.
    end() {
      observer.disconnect();
      for (const part of living) run(part, "unmount");
      living.clear();
    },
  };
};
