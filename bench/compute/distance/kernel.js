// Edit distance: the letters of two texts against each other, two rows of a table.
const SIZE = 30;

function makeWord(length, seed) {
  const letters = "abcdefgh";
  let word = "";
  for (let i = 0; i < length; i++) {
    seed = (seed * 3877 + 29573) % 139968;
    word += letters[seed % 8];
  }
  return word;
}

function distance(a, b) {
  let above = [];
  for (let j = 0; j <= b.length; j++) {
    above.push(j);
  }
  for (let i = 0; i < a.length; i++) {
    const row = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const cost = a[i] === b[j] ? 0 : 1;
      row.push(Math.min(Math.min(above[j + 1] + 1, row[j] + 1), above[j] + cost));
    }
    above = row;
  }
  return above[b.length];
}

console.log(distance(makeWord(SIZE, 42), makeWord(SIZE + 10, 7)));
