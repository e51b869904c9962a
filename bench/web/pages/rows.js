// The same table as `rows.flin`, written by hand against the DOM, the way somebody writes who wants it fast: rows are cloned,
// kept in an array, moved and changed one by one. Must stay true: it does nothing less than the page it is compared with.

const ADJECTIVES = ["pretty", "large", "big", "small", "tall", "short", "long", "handsome", "plain", "quaint", "clean", "elegant", "easy"];
const COLOURS = ["red", "yellow", "blue", "green", "pink", "brown", "purple", "brown", "white", "black", "orange"];
const NOUNS = ["table", "chair", "house", "bbq", "desk", "car", "pony", "cookie", "sandwich", "burger", "pizza", "mouse", "keyboard"];

const body = document.querySelector("tbody");
const pattern = document.querySelector("template").content.firstElementChild;
let rows = [];
let next = 1;
let chosen = null;

const label = (n) => `${ADJECTIVES[n % 13]} ${COLOURS[Math.floor(n / 13) % 11]} ${NOUNS[Math.floor(n / 7) % 13]}`;

function make(n) {
  const element = pattern.cloneNode(true);
  const id = element.firstElementChild;
  const text = id.nextElementSibling.firstElementChild.firstChild;
  id.textContent = String(n);
  text.data = label(n);
  const row = { id: n, label: text.data, element, text };
  element.row = row;
  return row;
}

function append() {
  const all = document.createDocumentFragment();
  for (let i = 0; i < 1000; i++) {
    const row = make(next++);
    rows.push(row);
    all.append(row.element);
  }
  body.append(all);
}

function clear() {
  body.textContent = "";
  rows = [];
  chosen = null;
}

const actions = {
  create() {
    clear();
    append();
  },
  append,
  clear,
  update() {
    for (let at = 0; at < rows.length; at += 10) {
      const row = rows[at];
      row.label += " !!!";
      row.text.data = row.label;
    }
  },
  swap() {
    if (rows.length <= 998) return;
    const [one, other] = [rows[1], rows[998]];
    const after = other.element.nextSibling;
    rows[1] = other;
    rows[998] = one;
    body.insertBefore(other.element, one.element);
    body.insertBefore(one.element, after);
  },
};
for (const [id, action] of Object.entries(actions)) document.getElementById(id).addEventListener("click", action);

body.addEventListener("click", (event) => {
  const { row } = event.target.closest("tr");
  if (event.target.className === "label") {
    if (chosen !== null) chosen.element.className = "";
    chosen = row;
    row.element.className = "chosen";
  } else if (event.target.className === "remove") {
    rows.splice(rows.indexOf(row), 1);
    row.element.remove();
  }
});
