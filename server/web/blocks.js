// Blocks: pieces of the document with numbered places, made from templates or found in the served page by its markers.
// Here because what comes from the server and the page's own view are applied by the same code. Must stay true: only nodes
// of places whose value differs are touched; the items of a list keep their nodes as long as their key is in the list.

import { increasing } from "./order.js";
import { adoptAttributes, detach, setAttribute, setText } from "./place.js";

// A block: its template `t`, the nodes `n` and shown values `v` of its places, its first and last node `a` and `z`, in a
// list its key `k` and its place `o` when the list was put in order last, the element `p` that it was made for, and the values `from` which it was brought up to date last.
let templates = [];
// Elements that appeared and want the focus.
export let wishes = [];

// Takes over the templates of a page's module.
export function useTemplates(list) {
  wishes = [];
  templates = list.map(({ html, places, single }) => ({ html, single, kinds: places.map(([kind]) => kind.split(":")[0]), names: places.map(([kind]) => kind.slice(10)), browser: places.map(([, owner]) => owner === "browser") }));
}

const COMMENT = 8;
const isMark = (node, letter) => node.nodeType === COMMENT && node.data[0] === letter;

// Makes the nodes of a template and finds the way to each place: positions among the children, from the top. `marks` says
// which nodes are places: text nodes, and elements by what `data-f` said of them.
function prepare(template, parent) {
  const holder = document.createElement("template");
  const isDrawing = parent.namespaceURI === "http://www.w3.org/2000/svg" && parent.localName !== "foreignObject";
  holder.innerHTML = isDrawing ? `<svg>${template.html}</svg>` : template.html;
  const top = document.createDocumentFragment();
  top.append(...(isDrawing ? holder.content.firstChild : holder.content).childNodes);
  if (top.firstChild === null) top.append("");
  template.ways = [];
  template.marks = new Map();
  const find = (within, way) => {
    for (let at = 0, node = within.firstChild; node !== null; at++, node = node.nextSibling) {
      const isPair = isMark(node, "f");
      if (isPair && template.kinds[template.ways.length] !== "text") {
        node = node.nextSibling;
        template.ways.push([...way, ++at]);
      } else if (isPair || isMark(node, "t")) {
        if (isPair) node.nextSibling.remove();
        node.replaceWith((node = new Text()));
        template.marks.set(node, isPair ? "f" : "t");
        template.ways.push([...way, at]);
      } else if (node.nodeType === 1) {
        const mark = node.getAttribute("data-f") ?? "";
        node.removeAttribute("data-f");
        template.marks.set(node, mark);
        for (let count = parseInt(mark) || 0; count > 0; count--) template.ways.push([...way, at]);
        if (mark.endsWith("t")) {
          node.replaceChildren(new Text());
          template.ways.push([...way, at, 0]);
        } else find(node, [...way, at]);
        if ([...node.attributes].some(({ name }) => name.startsWith("data-flin-on-click"))) detach(node);
      }
    }
  };
  find(top, []);
  template.wishes = template.html.includes("autofocus");
  template.top = top;
}

function ready(number, parent) {
  if (templates[number].top === undefined) prepare(templates[number], parent);
  return templates[number];
}

const wayTo = (node, way, from) => {
  for (let depth = from; depth < way.length; depth++) {
    node = node.firstChild;
    for (let step = way[depth]; step > 0; step--) node = node.nextSibling;
  }
  return node;
};

// A new block with these values, its nodes at the end of `into`, which is to stand in `parent`.
function create(values, into, parent, key) {
  const template = ready(values[0], parent);
  // One element needs no fragment around it.
  const alone = template.top.firstChild === template.top.lastChild && template.top.firstChild.nodeType === 1;
  const copy = (alone ? template.top.firstChild : template.top).cloneNode(true);
  const block = { t: values[0], p: parent, n: template.ways.map((way) => wayTo(copy, way, alone ? 1 : 0)), v: template.kinds.map(unset), a: alone ? copy : copy.firstChild, z: alone ? copy : copy.lastChild, k: key };
  if (template.wishes) wishes.push(...[copy, ...copy.querySelectorAll("*")].filter((node) => node.matches?.("[autofocus]")));
  fill(block, values);
  into.append(copy);
  return block;
}
const unset = (kind) => ({ text: "", html: "", attribute: null, attributes: {}, block: null, list: [] })[kind];

// Brings a block up to date with its values; those that are undefined stay. `skip`: not those of the browser (true), or
// not those of the server (false).
export function fill(block, values, skip) {
  const { from } = block;
  if (from === values) return;
  block.from = values;
  const { browser } = templates[block.t];
  for (let i = 0; i < block.n.length; i++) {
    const value = values[i + 1];
    // An object that was put already is what it was.
    if (value !== undefined && skip !== browser[i] && !(value instanceof Object && from?.[i + 1] === value)) put(block, i, value);
  }
}

// What stands in a place: `text`, `list` …
export const kindOf = (block, i) => templates[block.t].kinds[i];

// Arguments of handlers are objects that may say the same.
const differs = (old, value) => old !== value && !(old instanceof Object && value?.same?.(old));

// Brings a place up to date.
export function put(block, i, value) {
  const { kinds, names } = templates[block.t];
  const node = block.n[i];
  const old = block.v[i];
  switch (kinds[i]) {
    case "text":
      if (old !== value) setText(node, value);
      break;
    case "attribute":
      if (differs(old, value)) setAttribute(node, names[i], value, wishes);
      break;
    case "attributes":
      for (const name in old) if (!(name in value)) setAttribute(node, name, null, wishes);
      for (const name in value) if (differs(old[name], value[name])) setAttribute(node, name, value[name], wishes);
      break;
    case "html":
      if (old !== value) putHtml(node, value);
      break;
    case "block":
      if (old !== null && value !== null && old.t === value[0]) return fill(old, value);
      if (old !== null) dropBlock(old);
      if (value !== null) value = insert([[undefined, value]], block, node)[0];
      break;
    default:
      value = putList(block, i, value);
  }
  block.v[i] = value;
}

// What stands between the comment before and the end `node`.
function putHtml(node, markup) {
  while (!isMark(node.previousSibling, "f")) node.previousSibling.remove();
  const holder = document.createElement("template");
  holder.innerHTML = markup;
  node.before(holder.content);
}

// New blocks side by side before a node, which belongs to `block`.
function insert(items, block, before) {
  const nodes = document.createDocumentFragment();
  const parent = before.parentNode;
  const made = items.map(([key, values]) => create(values, nodes, parent.nodeType === 11 ? block.p : parent, key));
  parent.insertBefore(nodes, before);
  return made;
}

// The nodes of a block, with messages of ours behind its last control.
function nodesOf(block) {
  const nodes = [block.a];
  while (nodes.at(-1) !== block.z) nodes.push(nodes.at(-1).nextSibling);
  for (let next = block.z.nextSibling; next?.dataset?.flinOwn !== undefined; next = next.nextSibling) nodes.push(next);
  return nodes;
}

function dropBlock(block) {
  for (const node of nodesOf(block)) node.remove();
}

// Moves a block; where the browser can, without it losing focus or anything else.
function moveBlock(block, parent, before) {
  for (const node of nodesOf(block)) {
    if (parent.moveBefore !== undefined && parent.isConnected) parent.moveBefore(node, before);
    else parent.insertBefore(node, before);
  }
}

// Brings a list to these items; what is in it under the same key stays.
function putList(block, i, fresh) {
  const old = block.v[i];
  // Brings an item up to date if it is the one that is meant.
  const stays = (item, entry) => item?.k === entry[0] && (item.from === entry[1] || (item.t === entry[1][0] && !fill(item, entry[1])));
  // What is the same at both ends needs no search.
  let [start, end] = [0, fresh.length];
  const moved = end - old.length;
  for (;;) {
    while (start < end && stays(old[start], fresh[start])) start++;
    while (end > start && end - moved > start && stays(old[end - moved - 1], fresh[end - 1])) end--;
    // Two that changed places.
    const [one, last] = [old[start], end - moved - 1];
    if (start === end || last <= start || !stays(old[last], fresh[start]) || !stays(one, fresh[end - 1])) break;
    const { parentNode } = block.n[i];
    moveBlock(old[last], parentNode, one.a);
    moveBlock(one, parentNode, old[last + 1]?.a ?? block.n[i]);
    [old[start], old[last]] = [old[last], one];
  }
  const known = new Map(old.slice(start, end - moved).map((item) => [item.k, item]));
  const found = fresh.slice(start, end).map((entry) => (stays(known.get(entry[0]), entry) ? known.get(entry[0]) : entry));
  return arrange(block, i, old.slice(0, start).concat(found, old.slice(end - moved)), start, end);
}

// Brings a list to what is wanted, with as few moves as there can be: blocks of it that stay, new ones as key and values.
// Those before `from` and from `to` on stand where they stood. Gives its blocks.
export function arrange(block, i, wanted, from = 0, to = wanted.length) {
  const end = wanted[to]?.a ?? block.n[i];
  const old = block.v[i].slice(from, block.v[i].length + to - wanted.length);
  // What is new has no place yet.
  old.forEach((item, place) => (item.o = place));
  const sources = wanted.slice(from, to).map((item) => item.o ?? -1);
  const stays = sources.filter((source) => source >= 0);
  if (old.length > 0 && stays.length === 0) {
    const range = document.createRange();
    range.setStartBefore(old[0].a);
    range.setEndBefore(end);
    range.deleteContents();
  } else if (stays.length < old.length) {
    const kept = new Set(stays);
    for (const item of old) if (!kept.has(item.o)) dropBlock(item);
  }
  const staying = increasing(sources);
  let before = end;
  for (let at = to - from; at-- > 0; before = wanted[from + at].a) {
    if (staying[at]) continue;
    if (sources[at] >= 0) {
      moveBlock(wanted[from + at], end.parentNode, before);
      continue;
    }
    // All new ones that stand side by side at once.
    const last = from + at + 1;
    while (at > 0 && sources[at - 1] < 0) at--;
    wanted.splice(from + at, last - from - at, ...insert(wanted.slice(from + at, last), block, before));
  }
  return wanted;
}

// Finds the nodes of a served block beside those of its template, from `node` on; `key` of an item in a list. Gives the block
// and the node that it ends before.
export function adoptBlock(number, parent, node, key) {
  const template = ready(number, parent);
  const block = { t: number, n: [], v: [], k: key };
  const found = (at, value) => block.v.push(value) && block.n.push(at);
  // `plain`: the template's nodes; gives the node behind the last that was found.
  const walk = (plain, node, parent) => {
    for (; plain !== null; plain = plain.nextSibling) {
      const mark = template.marks.get(plain);
      const isPair = isMark(plain, "f");
      if (mark === "t" && plain.nodeType === 3) {
        // An empty text is none in markup.
        if (node?.nodeType !== 3) node = parent.insertBefore(new Text(), node);
        found(node, node.data);
      } else if (isPair || mark === "f") {
        while (!isMark(node, "f")) node = node.nextSibling;
        node = content(node);
        if (isPair) plain = plain.nextSibling;
      } else if (plain.nodeType === 1) {
        while (node.nodeType !== 1 || node.dataset.flinOwn !== undefined) node = node.nextSibling;
        element(plain, node, mark);
      } else continue;
      node = node.nextSibling;
    }
    return node;
  };
  const element = (plain, node, mark) => {
    for (let count = parseInt(mark) || 0; count > 0; count--) {
      const name = template.names[block.n.length];
      found(node, name ? node.getAttribute(name) : adoptAttributes(node, plain, template.names));
    }
    if (mark.endsWith("t")) {
      if (node.firstChild === null) node.append(new Text());
      found(node.firstChild, node.firstChild.data);
    } else walk(plain.firstChild, node.firstChild, node);
  };
  // A place between two comments; gives the second.
  const content = (start) => {
    const kind = template.kinds[block.n.length];
    const inside = +start.data.slice(1);
    let end = start.nextSibling;
    const place = found(null, null) - 1;
    if (kind === "list") {
      const items = (block.v[place] = []);
      while (!isMark(end, "/")) [items[items.length], end] = adoptItem(inside, end, items.length);
    } else if (kind === "block") {
      if (start.data !== "f") [block.v[place], end] = adoptBlock(inside, start.parentNode, end);
    } else if (kind === "text") {
      if (isMark(end, "/")) end.before((end = new Text()));
      block.v[place] = end.data;
      block.n[place] = end;
      return end.nextSibling;
    } else {
      block.v[place] = undefined;
      while (!isMark(end, "/")) end = end.nextSibling;
    }
    block.n[place] = end;
    return end;
  };
  const before = node?.previousSibling ?? null;
  node = walk(template.top.firstChild, node, parent);
  if (template.single && key !== undefined) {
    // White space behind the element is the item's.
    if (node.nodeType === 3) node = node.nextSibling;
  } else while (node !== null && !isMark(node, "/") && !isMark(node, "i")) node = node.nextSibling;
  block.a = before === null ? parent.firstChild : before.nextSibling;
  // A block without a node of its own gets one.
  if (block.a === node && node !== null) node.before((block.a = new Text()));
  block.z = node === null ? null : node.previousSibling;
  return [block, node];
}

// An item of a list: an element, or what follows a comment with its key; `<!--e7-->` begins what stands for no items.
function adoptItem(number, node, position) {
  let key = "";
  if (isMark(node, "e")) number = +node.data.slice(1);
  else key = (node.nodeType === 1 ? node.getAttribute("data-flin-key") : decodeURIComponent(node.data.slice(2))) || String(position);
  const [block, end] = adoptBlock(number, node.parentNode, node.nodeType === COMMENT ? node.nextSibling : node, key);
  if (node.nodeType === COMMENT) block.a = node;
  return [block, end];
}
