// Blocks: pieces of the document with numbered places, made from templates or found in the served page by its markers.
// Here because patches from the server and the page's own view are applied by the same code. Must stay true: only nodes
// of places whose value differs are touched; the items of a list keep their nodes as long as their key is in the list.

import { increasing } from "./order.js";
import { adoptAttributes, detach, setAttribute, setText } from "./place.js";

// A block: its template `t`, the nodes `n` and shown values `v` of its places, its first and last node `a` and `z`, in a
// list its key `k`, the element `p` that it was made for, and the values `from` which it was brought up to date last.
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

// Makes the nodes of a template and finds the way to each place: positions among the children, from the top.
function prepare(template, parent) {
  const holder = document.createElement("template");
  const isDrawing = parent.namespaceURI === "http://www.w3.org/2000/svg" && parent.localName !== "foreignObject";
  holder.innerHTML = isDrawing ? `<svg>${template.html}</svg>` : template.html;
  const top = document.createDocumentFragment();
  top.append(...(isDrawing ? holder.content.firstChild : holder.content).childNodes);
  if (top.firstChild === null) top.append("");
  template.ways = [];
  const find = (within, way) => {
    for (let at = 0, node = within.firstChild; node !== null; at++, node = node.nextSibling) {
      const mark = node.getAttribute?.("data-f");
      if (isMark(node, "f")) {
        if (template.kinds[template.ways.length] === "text") {
          node.nextSibling.remove();
          node.replaceWith((node = new Text()));
        } else {
          node = node.nextSibling;
          at++;
        }
        template.ways.push([...way, at]);
      } else if (node.nodeType === 1) {
        for (let count = parseInt(mark) || 0; count > 0; count--) template.ways.push([...way, at]);
        if (mark?.endsWith("t")) {
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

const follow = (node, way, from) => {
  for (let depth = from; depth < way.length; depth++) {
    node = node.firstChild;
    for (let step = way[depth]; step > 0; step--) node = node.nextSibling;
  }
  return node;
};

// A new block with these values, its nodes at the end of `into`, which is to stand in `parent`.
function create(values, into, parent, key) {
  const template = templates[values[0]];
  if (template.top === undefined) prepare(template, parent);
  // One element needs no fragment around it.
  const alone = template.top.firstChild === template.top.lastChild && template.top.firstChild.nodeType === 1;
  const copy = (alone ? template.top.firstChild : template.top).cloneNode(true);
  const block = { t: values[0], p: parent, n: template.ways.map((way) => follow(copy, way, alone ? 1 : 0)), v: template.kinds.map(unset), a: alone ? copy : copy.firstChild, z: alone ? copy : copy.lastChild, k: key };
  if (template.wishes) wishes.push(...[copy, ...copy.querySelectorAll("*")].filter((node) => node.matches?.("[autofocus]")));
  update(block, values);
  into.append(copy);
  return block;
}
const unset = (kind) => ({ text: "", html: "", attribute: null, attributes: {}, block: null, list: [] })[kind];

// Brings a block up to date with all its values; those that are undefined stay. `ofServer`: those of the browser, too.
export function update(block, values, ofServer = false) {
  if (block.from === values) return;
  block.from = values;
  const { browser } = templates[block.t];
  for (let i = 0; i < block.n.length; i++) {
    if (values[i + 1] !== undefined && !(ofServer && browser[i])) put(block, i, values[i + 1]);
  }
}

// Applies a patch: what it does not name stays.
export function patch(block, changes) {
  block.from = null;
  for (const [i, change] of Object.entries(changes)) {
    const partial = change !== null && typeof change === "object" && !Array.isArray(change);
    const kind = templates[block.t].kinds[i];
    if (kind === undefined) throw new Error(`template ${block.t} has no place ${i}`);
    if (partial && kind === "list") patchList(block, i, change.ops);
    else if (partial && kind === "block") patch(block.v[i], change);
    else if (kind === "attributes") {
      const whole = { ...block.v[i], ...change };
      for (const name in whole) if (whole[name] === null) delete whole[name];
      put(block, i, whole);
    } else put(block, i, change);
  }
}

function put(block, i, value) {
  const { kinds, names } = templates[block.t];
  const node = block.n[i];
  const old = block.v[i];
  switch (kinds[i]) {
    case "text":
      if (old !== value) setText(node, value);
      break;
    case "attribute":
      if (old !== value) setAttribute(node, names[i], value, wishes);
      break;
    case "attributes":
      for (const name in old) if (!(name in value)) setAttribute(node, name, null, wishes);
      for (const name in value) if (old[name] !== value[name] && !value[name].same?.(old[name])) setAttribute(node, name, value[name], wishes);
      break;
    case "html":
      if (old !== value) putHtml(node, value);
      break;
    case "block":
      if (old !== null && value !== null && old.t === value[0]) return update(old, value);
      if (old !== null) drop(old);
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

function drop(block) {
  for (const node of nodesOf(block)) node.remove();
}

// Moves a block; where the browser can, without it losing focus or anything else.
function move(block, parent, before) {
  for (const node of nodesOf(block)) {
    if (parent.moveBefore !== undefined && parent.isConnected) parent.moveBefore(node, before);
    else parent.insertBefore(node, before);
  }
}

// Brings a list to these items with as few moves as there can be; gives its blocks.
function putList(block, i, fresh) {
  const end = block.n[i];
  const parent = end.parentNode;
  const old = block.v[i];
  const items = new Array(fresh.length);
  const stays = (was, at) => old[was].k === fresh[at][0] && old[was].t === fresh[at][1][0];
  const keep = (was, at) => update((items[at] = old[was]), fresh[at][1]);
  let first = 0;
  let [oldEnd, newEnd] = [old.length, fresh.length];
  for (; first < oldEnd && first < newEnd && stays(first, first); first++) keep(first, first);
  for (; first < oldEnd && first < newEnd && stays(oldEnd - 1, newEnd - 1); ) keep(--oldEnd, --newEnd);

  const known = new Map();
  for (let was = first; was < oldEnd; was++) known.set(old[was].k, was);
  // Where each of the new ones stood, -1 for nowhere.
  const sources = [];
  let gone = oldEnd - first;
  let moved = false;
  for (let at = first, last = -1; at < newEnd; at++) {
    const was = known.get(fresh[at][0]) ?? -1;
    if (was < 0 || !stays(was, at)) {
      sources.push(-1);
      continue;
    }
    known.delete(fresh[at][0]);
    sources.push(was);
    gone--;
    moved ||= was < last;
    last = was;
    keep(was, at);
  }
  if (gone > 0 && gone === oldEnd - first) {
    const range = document.createRange();
    range.setStartBefore(old[first].a);
    range.setEndBefore(oldEnd < old.length ? old[oldEnd].a : end);
    range.deleteContents();
  } else if (gone > 0) {
    const kept = new Set(sources);
    for (let was = first; was < oldEnd; was++) if (!kept.has(was)) drop(old[was]);
  }
  const staying = moved ? increasing(sources) : null;
  for (let at = newEnd - 1; at >= first; at--) {
    const before = at + 1 < items.length ? items[at + 1].a : end;
    if (sources[at - first] >= 0) {
      if (moved && !staying.has(at - first)) move(items[at], parent, before);
      continue;
    }
    const last = at + 1;
    while (at > first && sources[at - 1 - first] < 0) at--;
    insert(fresh.slice(at, last), block, before).forEach((item, j) => (items[at + j] = item));
  }
  return items;
}

// Does the operations of a list, one after the other.
function patchList(block, i, ops) {
  const end = block.n[i];
  const items = block.v[i];
  const byKey = new Map(items.map((item) => [item.k, item]));
  const find = (key) => {
    if (!byKey.has(key)) throw new Error(`the list has no item ${key}`);
    return byKey.get(key);
  };
  const take = (item) => items.splice(items.indexOf(item), 1);
  const place = (item, before) => items.splice(before === null ? items.length : items.indexOf(find(before)), 0, item);
  const anchor = (before) => (before === null ? end : find(before).a);
  for (const [op, key, how, values] of ops) {
    if (op === "i") {
      const [item] = insert([[key, values]], block, anchor(how));
      place(item, how);
      byKey.set(key, item);
      continue;
    }
    const item = find(key);
    if (op === "p") patch(item, how);
    else take(item);
    if (op === "d") {
      drop(item);
      byKey.delete(key);
    } else if (op === "m") {
      move(item, end.parentNode, anchor(how));
      place(item, how);
    }
  }
}

// Finds the blocks of a served document: the block of a template from `node` on. Gives it and the node it ends before.
export function adopt(number, parent, node, key) {
  const template = templates[number];
  if (template.kinds.includes("attributes") && template.top === undefined) prepare(template, parent);
  const block = { t: number, n: [], v: [], a: node, z: node, k: key };
  const found = (at, value) => block.v.push(value) && block.n.push(at);
  // Walks over siblings up to the comment that ends what is around them.
  const walk = (node) => {
    for (; node !== null && !isMark(node, "/") && !isMark(node, "i"); node = node.nextSibling) {
      if (isMark(node, "f")) node = content(node);
      else if (node.nodeType === 1) element(node);
    }
    return node;
  };
  const element = (node) => {
    const mark = node.getAttribute("data-f");
    for (let count = parseInt(mark) || 0; count > 0; count--) {
      const i = block.n.length;
      const name = template.names[i];
      found(node, name ? node.getAttribute(name) : adoptAttributes(node, follow(template.top, template.ways[i], 0), template.names));
    }
    if (mark?.endsWith("t")) {
      if (node.firstChild === null) node.append(new Text());
      found(node.firstChild, node.firstChild.data);
    } else walk(node.firstChild);
  };
  // A place among other content; gives its end.
  const content = (start) => {
    const kind = template.kinds[block.n.length];
    const inside = +start.data.slice(1);
    let end = start.nextSibling;
    if (kind === "text") {
      if (isMark(end, "/")) end.before((end = new Text()));
      found(end, end.data);
      return end.nextSibling;
    }
    const place = found(null, null) - 1;
    if (kind === "list") {
      block.v[place] = [];
      while (!isMark(end, "/")) [block.v[place][block.v[place].length], end] = adoptItem(inside, end, block.v[place].length);
    } else if (kind === "block") {
      if (start.data !== "f") [block.v[place], end] = adopt(inside, parent, end);
    } else {
      block.v[place] = undefined;
      while (!isMark(end, "/")) end = end.nextSibling;
    }
    block.n[place] = end;
    return end;
  };
  if (template.single && key !== undefined) {
    element(node);
    // White space behind the element is the item's.
    const next = node.nextSibling;
    if (next.nodeType === 3) block.z = next;
    node = block.z.nextSibling;
  } else {
    node = walk(isMark(node, "i") || isMark(node, "e") ? node.nextSibling : node);
    // A block without a node of its own gets one.
    if (node !== null && node === block.a) node.before((block.a = new Text()));
    block.z = node === null ? null : node.previousSibling;
  }
  return [block, node];
}

// An item of a list: an element, or what follows a comment with its key; `<!--e7-->` begins what stands for no items.
function adoptItem(number, node, position) {
  if (isMark(node, "e")) return adopt(+node.data.slice(1), node.parentNode, node, "");
  const key = node.nodeType === 1 ? node.getAttribute("data-flin-key") : decodeURIComponent(node.data.slice(2));
  return adopt(number, node.parentNode, node, key || String(position));
}
