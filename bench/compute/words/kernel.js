// Word count: a long text split into words, counted in a map, the most frequent first.
const SIZE = 300;

function makeText(count) {
  const syllables = ["ba", "de", "fi", "go", "lu", "ma", "ne", "po", "ri", "sa", "tu", "xa"];
  const words = [];
  let seed = 42;
  for (let i = 0; i < count; i++) {
    let word = "";
    seed = (seed * 3877 + 29573) % 139968;
    const parts = 1 + (seed % 3);
    for (let part = 0; part < parts; part++) {
      seed = (seed * 3877 + 29573) % 139968;
      word += syllables[(seed >> 3) % 12];
    }
    words.push(word);
  }
  return words.join(" ");
}

function countWords(text) {
  const counts = new Map();
  for (const word of text.split(" ")) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

const text = makeText(SIZE);
const counts = countWords(text);
const ranking = [...counts.entries()];
ranking.sort((a, b) => (a[1] !== b[1] ? b[1] - a[1] : a[0] < b[0] ? -1 : 1));
let checksum = 0;
ranking.forEach((entry, rank) => {
  checksum = (checksum + entry[1] * (rank + 1)) % 1000003;
});
console.log(text.length);
console.log(counts.size);
console.log(`${ranking[0][0]} ${ranking[0][1]}, ${ranking[1][0]} ${ranking[1][1]}, ${checksum}`);
