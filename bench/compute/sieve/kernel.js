// The sieve of Eratosthenes, ten times: a list of bools.
const SIZE = 300;

function primesBelow(n) {
  const composite = [];
  for (let i = 0; i < n; i++) {
    composite.push(false);
  }
  let count = 0;
  for (let i = 2; i < n; i++) {
    if (!composite[i]) {
      count++;
      for (let j = i * i; j < n; j += i) {
        composite[j] = true;
      }
    }
  }
  return count;
}

let total = 0;
for (let turn = 0; turn < 10; turn++) {
  total += primesBelow(SIZE - turn);
}
console.log(total);
