// Random documents for the applier of `server/web/blocks.js`: what it makes of a document is compared with the same values
// written anew by code of its own, as markup with markers. Must stay true: nothing here uses the applier to judge it.

const applyPatch = patching({ arrange, kindOf, put });
const TEMPLATES = [
  { html: '<p data-f="1t"></p><!--t--><ul data-f="1"><!--f5--><!--/f--></ul> tail <!--f--><!--/f--><table><tbody><!--f6--><!--/f--></tbody></table><div><!--f--><!--/f--></div><svg><!--f8--><!--/f--></svg>', places: ["attribute:class", "text", "text", "attributes", "list", "block", "list", "html", "list"] },
  { html: "<b>one</b><!--t-->", places: ["text"] },
  { html: '<!--f--><!--/f--><i data-f="1">two</i><!--f5--><!--/f-->', places: ["block", "attribute:title", "list"] },
  { html: "", places: [] },
  { html: "<em>nothing</em>", places: [] },
  { html: '<li data-f="2t"></li> ', single: true, places: ["attribute:class", "attributes", "text"] },
  { html: '<tr><td data-f="t"></td><td><!--f--><!--/f--></td></tr>', single: true, places: ["text", "block"] },
  { html: "<!--f--><!--/f-->, <!--f--><!--/f-->", places: ["text", "block"] },
  { html: '<g data-f="1"><text data-f="t"></text></g>', single: true, places: ["attribute:id", "text"] },
].map(({ html, places, single = false }) => ({ html, single, places: places.map((kind) => [kind, "server"]) }));
const CONTENT = { 5: [5, 4], 6: [6], 8: [8] };

// A generator of the same numbers each time (xorshift).
function randoms(seed) {
  let now = seed * 2654435761 + 1;
  return (below) => {
    now ^= now << 13;
    now ^= now >>> 17;
    now ^= now << 5;
    return (now >>> 0) % below;
  };
}

const WORDS = ["", "a", "<b>", "two words", "&amp;", "ü", " "];

function valuesOf(number, random, depth) {
  let lists = 0;
  return [number, ...TEMPLATES[number].places.map(([kind]) => {
    if (kind === "text") return WORDS[random(WORDS.length)];
    if (kind === "html") return ["", "<u>x</u>", "y<!--c-->z", "<u>1</u><u>2</u>"][random(4)];
    if (kind === "attributes") return Object.fromEntries([["title", "t"], ["lang", "en"], ["hidden", ""]].filter(() => random(2) === 0).map(([name, value]) => [name, value && value + random(3)]));
    if (kind === "block") return depth > 3 || random(3) === 0 ? null : valuesOf(number === 7 ? 1 : 1 + random(number === 2 ? 1 : 3), random, depth + 1);
    if (kind === "list") {
      const inside = number === 0 ? [5, 6, 8][lists++] : 5;
      return listOf(inside, random, depth);
    }
    return random(4) === 0 ? null : WORDS[random(WORDS.length)];
  })];
}

function listOf(inside, random, depth) {
  const count = random(4) === 0 ? 0 : random(12);
  const keys = Array.from({ length: 14 }, (_, i) => `k-${i}`);
  for (let i = keys.length - 1; i > 0; i--) if (random(3) > 0) [keys[i], keys[random(i + 1)]] = [keys[random(i + 1)], keys[i]];
  if (count === 0 && CONTENT[inside].length > 1) return [["", valuesOf(4, random, depth + 1)]];
  return [...new Set(keys)].slice(0, count).map((key) => [key, valuesOf(inside, random, depth + 1)]);
}

// The markup of values as the server writes it.
function markupOf(values, parent = "div") {
  const holder = document.createElement("template");
  holder.innerHTML = parent === "svg" ? `<svg>${TEMPLATES[values[0]].html}</svg>` : TEMPLATES[values[0]].html;
  const top = parent === "svg" ? holder.content.firstChild : holder.content;
  let at = 0;
  const nodes = [];
  const all = document.createNodeIterator(top, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_COMMENT);
  for (let node; (node = all.nextNode()) !== null; ) if (node !== top) nodes.push(node);
  for (const node of nodes) {
    if (node.nodeType === 1) {
      const mark = node.getAttribute("data-f") ?? "";
      for (let count = parseInt(mark) || 0; count > 0; count--) {
        const name = TEMPLATES[values[0]].places[at][0].slice(10);
        const value = values[++at];
        for (const [n, v] of Object.entries(name ? { [name]: value } : value)) if (v !== null) node.setAttribute(n, v);
      }
      node.removeAttribute("data-f");
      if (mark.endsWith("t")) node.append(values[++at]);
    } else if (node.data === "t") {
      node.replaceWith(values[++at]);
    } else if (node.data[0] === "f") {
      const value = values[++at];
      const kind = TEMPLATES[values[0]].places[at - 1][0];
      const inside = document.createElement("template");
      if (kind === "text") inside.content.append(value);
      else if (kind === "html") inside.innerHTML = value;
      else if (kind === "block" && value !== null) {
        node.data = `f${value[0]}`;
        inside.innerHTML = markupOf(value);
      } else if (kind === "list") {
        const drawing = node.parentNode.localName === "svg";
        const markup = value.map(([key, block]) => {
          const text = markupOf(block, drawing ? "svg" : "div");
          if (key === "") return `<!--e${block[0]}-->${text}`;
          return TEMPLATES[block[0]].single ? text.replace(/^<[a-z]+/, `$& data-flin-key="${key}"`) : `<!--i ${encodeURIComponent(key)}-->${text}`;
        }).join("");
        inside.innerHTML = drawing ? `<svg>${markup}</svg>` : markup;
        if (drawing) inside.content.replaceChildren(...inside.content.firstChild.childNodes);
      }
      node.after(inside.content);
    }
  }
  return parent === "svg" ? top.innerHTML : holder.innerHTML;
}

// A document without what only helps to find places.
function plain(root) {
  const copy = root.cloneNode(true);
  const all = document.createNodeIterator(copy, NodeFilter.SHOW_COMMENT);
  for (let node; (node = all.nextNode()) !== null; ) node.remove();
  for (const node of copy.querySelectorAll("[data-flin-key]")) node.removeAttribute("data-flin-key");
  for (const node of copy.querySelectorAll("*")) {
    const sorted = [...node.attributes].map(({ name, value }) => [name, value]).sort();
    for (const [name] of sorted) node.removeAttribute(name);
    for (const [name, value] of sorted) node.setAttribute(name, value);
  }
  return copy.innerHTML;
}

const fresh = (values) => {
  const root = document.createElement("div");
  root.innerHTML = markupOf(values);
  return root;
};

// The patch from one block's values to another's, by the rules of the protocol.
function patchOf(old, now) {
  const out = {};
  TEMPLATES[old[0]].places.forEach(([kind], i) => {
    const [a, b] = [old[i + 1], now[i + 1]];
    if (JSON.stringify(a) === JSON.stringify(b)) return;
    if (kind === "attributes") {
      out[i] = Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].filter((n) => a[n] !== b[n]).map((n) => [n, b[n] ?? null]));
    } else if (kind === "block" && a !== null && b !== null && a[0] === b[0]) out[i] = patchOf(a, b);
    else if (kind === "list") out[i] = { ops: opsOf(a, b) };
    else out[i] = b;
  });
  return out;
}

function opsOf(a, b) {
  const ops = [];
  const same = new Map(a.filter(([key, block]) => b.some(([k, now]) => k === key && now[0] === block[0])).map(([key, block]) => [key, block]));
  for (const [key] of a) if (!same.has(key)) ops.push(["d", key]);
  const order = a.map(([key]) => key).filter((key) => same.has(key));
  for (let at = b.length - 1; at >= 0; at--) {
    const [key, block] = b[at];
    const before = at + 1 < b.length ? b[at + 1][0] : null;
    const place = before === null ? order.length : order.indexOf(before);
    if (!same.has(key)) ops.push(["i", key, before, block]);
    else if (order[place - 1] === key) continue;
    else {
      ops.push(["m", key, before]);
      order.splice(order.indexOf(key), 1);
    }
    order.splice(before === null ? order.length : order.indexOf(before), 0, key);
  }
  for (const [key, block] of b) if (same.has(key)) ops.push(["p", key, patchOf(same.get(key), block)]);
  return ops;
}

// Goes from one random document to the next and the next, each way; says what went wrong first.
function hunt(first, count) {
  for (let seed = first; seed < first + count; seed++) {
    const random = randoms(seed);
    const start = valuesOf(0, random, 0);
    const root = fresh(start);
    document.body.replaceChildren(root);
    useTemplates(TEMPLATES);
    const [block] = adoptBlock(0, root, root.firstChild);
    if (plain(root) !== plain(fresh(start))) return `seed ${seed}: adopting changed ${plain(fresh(start))} to ${plain(root)}`;
    let last = start;
    for (let step = 1; step <= 6; step++) {
      const next = valuesOf(0, random, 0);
      const way = random(2) === 0 ? "values" : "patch";
      const rows = new Map([...root.querySelectorAll("tr")].map((row, i) => [last[7][i]?.[0], row]));
      const focused = [...rows.values()][0];
      focused?.setAttribute("tabindex", "-1");
      focused?.focus();
      if (way === "values") fill(block, next);
      else applyPatch(block, patchOf(last, next));
      const kept = document.activeElement === focused;
      for (const row of rows.values()) row.removeAttribute("tabindex");
      if (plain(root) !== plain(fresh(next))) return `seed ${seed}, step ${step} by ${way}:\nexpected ${plain(fresh(next))}\nfound    ${plain(root)}`;
      const now = [...root.querySelectorAll("tr")];
      for (const [i, [key]] of next[7].entries()) if (rows.has(key) && rows.get(key) !== now[i]) return `seed ${seed}, step ${step} by ${way}: row ${key} is another node`;
      if (focused?.isConnected && !kept) return `seed ${seed}, step ${step} by ${way}: the focus is lost`;
      last = next;
    }
  }
  return "fine";
}
