// Integer and float loops: a random generator with its remainders, and the series of Leibniz for pi.
const SIZE = 2000;

function remainders(n) {
  let seed = 42;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    seed = (seed * 3877 + 29573) % 139968;
    if (seed % 3 === 0) {
      sum += seed % 1000;
    } else {
      sum -= i % 7;
    }
  }
  return sum;
}

function leibniz(n) {
  let sum = 0;
  let sign = 1;
  for (let k = 0; k < n; k++) {
    sum += sign / (2 * k + 1);
    sign = -sign;
  }
  return sum * 4;
}

console.log(remainders(SIZE));
console.log(leibniz(SIZE).toFixed(9));
