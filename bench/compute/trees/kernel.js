// Binary trees: many small records, most of them soon garbage.
const SIZE = 6;

function make(depth) {
  if (depth === 0) {
    return { left: null, right: null };
  }
  return { left: make(depth - 1), right: make(depth - 1) };
}

function count(tree) {
  if (tree.left === null) {
    return 1;
  }
  return 1 + count(tree.left) + count(tree.right);
}

console.log(count(make(SIZE + 1)));
const longLived = make(SIZE);
for (let depth = 4; depth <= SIZE; depth += 2) {
  const turns = 2 ** (SIZE - depth + 4);
  let sum = 0;
  for (let turn = 0; turn < turns; turn++) {
    sum += count(make(depth));
  }
  console.log(`${turns} trees of depth ${depth}: ${sum}`);
}
console.log(count(longLived));
