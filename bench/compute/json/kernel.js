// JSON: a writer and a reader of JSON by hand, letter by letter, for values known only at run time.
const SIZE = 5;

function quote(text) {
  let out = '"';
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"' || c === "\\") {
      out += "\\" + c;
    } else if (c === "\n") {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

function write(value) {
  if (value === null) return "null";
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) {
    return "[" + value.map((item) => write(item)).join(",") + "]";
  }
  if (typeof value === "object") {
    const parts = [];
    for (const [key, item] of Object.entries(value)) {
      parts.push(quote(key) + ":" + write(item));
    }
    return "{" + parts.join(",") + "}";
  }
  return String(value);
}

// The text, and how far it is read.
function read(text) {
  return readValue({ text, at: 0 });
}

function skipBlanks(input) {
  while (input.text[input.at] === " " || input.text[input.at] === "\n") {
    input.at += 1;
  }
}

function readValue(input) {
  skipBlanks(input);
  switch (input.text[input.at]) {
    case "{": return readMap(input);
    case "[": return readList(input);
    case '"': return readText(input);
    case "t": return readWord(input, "true", true);
    case "f": return readWord(input, "false", false);
    case "n": return readWord(input, "null", null);
    default: return readNumber(input);
  }
}

function readWord(input, word, value) {
  if (input.text.slice(input.at, input.at + word.length) !== word) {
    throw new Error(`expected ${word} at ${input.at}`);
  }
  input.at += word.length;
  return value;
}

function readNumber(input) {
  const start = input.at;
  while (input.at < input.text.length && "-0123456789".includes(input.text[input.at])) {
    input.at += 1;
  }
  return parseInt(input.text.slice(start, input.at), 10);
}

function readText(input) {
  input.at += 1;
  let out = "";
  while (input.text[input.at] !== '"') {
    let c = input.text[input.at];
    if (c === "\\") {
      input.at += 1;
      c = input.text[input.at];
      if (c === "n") c = "\n";
    }
    out += c;
    input.at += 1;
  }
  input.at += 1;
  return out;
}

function readList(input) {
  input.at += 1;
  const out = [];
  skipBlanks(input);
  while (input.text[input.at] !== "]") {
    out.push(readValue(input));
    skipBlanks(input);
    if (input.text[input.at] === ",") input.at += 1;
  }
  input.at += 1;
  return out;
}

function readMap(input) {
  input.at += 1;
  const out = {};
  skipBlanks(input);
  while (input.text[input.at] !== "}") {
    const key = readText(input);
    skipBlanks(input);
    input.at += 1;
    out[key] = readValue(input);
    skipBlanks(input);
    if (input.text[input.at] === ",") {
      input.at += 1;
      skipBlanks(input);
    }
  }
  input.at += 1;
  return out;
}

function makeOrders(count) {
  const orders = [];
  let seed = 42;
  for (let i = 0; i < count; i++) {
    seed = (seed * 3877 + 29573) % 139968;
    const items = [];
    for (let k = 0; k < seed % 4; k++) {
      items.push({ article: `article ${(seed % 97) + k}`, price: (seed % 1000) + k, gift: k === 2 });
    }
    const note = seed % 5 === 0 ? null : `say "${seed}"\nand \\ go`;
    orders.push({ id: i, customer: `customer ${seed % 50}`, paid: seed % 2 === 0, note, items });
  }
  return orders;
}

// The sum of all prices of paid orders.
function turnover(orders) {
  let sum = 0;
  for (const order of orders) {
    if (order.paid) {
      for (const item of order.items) {
        sum += item.price;
      }
    }
  }
  return sum;
}

const text = write(makeOrders(SIZE));
const orders = read(text);
const again = write(orders);
let checksum = 0;
for (let i = 0; i < again.length; i++) {
  checksum = (checksum * 31 + again.charCodeAt(i)) % 1000003;
}
console.log(`${orders.length} orders in ${text.length} letters, ${text === again}`);
console.log(`${turnover(orders)} ${checksum}`);
