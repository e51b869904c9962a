// Texts: appending, walking letter by letter, slicing, interpolation, split, join, upper case, replace.
const SIZE = 2;

function makeText(length, seed) {
  const letters = "aabcd ef";
  let text = "";
  for (let i = 0; i < length; i++) {
    seed = (seed * 3877 + 29573) % 139968;
    text += letters[(seed >> 4) % 8];
  }
  return text;
}

function runLengths(text) {
  let out = "";
  let i = 0;
  while (i < text.length) {
    let run = 1;
    while (i + run < text.length && text[i + run] === text[i]) {
      run++;
    }
    if (run > 1) {
      out += `${run}${text[i]}`;
    } else {
      out += text[i];
    }
    i += run;
  }
  return out;
}

function palindromes(text) {
  let count = 0;
  for (let middle = 1; middle < text.length - 1; middle++) {
    let reach = 1;
    while (middle - reach >= 0 && middle + reach < text.length && text[middle - reach] === text[middle + reach]) {
      count++;
      reach++;
    }
  }
  return count;
}

function capitals(text) {
  const words = [];
  for (const word of text.split(" ")) {
    if (word.length > 1) {
      words.push(word.slice(0, 1).toUpperCase() + word.slice(1));
    } else {
      words.push(word);
    }
  }
  return words.join("-");
}

function checksum(text) {
  let sum = 0;
  for (let i = 0; i < text.length; i++) {
    sum = (sum * 31 + text.charCodeAt(i)) % 1000003;
  }
  return sum;
}

let found = 0;
let sum = 0;
for (let turn = 0; turn < SIZE; turn++) {
  const text = makeText(1000, turn);
  const short = runLengths(text);
  const loud = capitals(short).replaceAll("a", "[a]");
  found += palindromes(text);
  sum = (sum + checksum(loud)) % 1000003;
}
console.log(found);
console.log(sum);
