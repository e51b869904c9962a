// Functions as values: map, filter and reduce with small lambdas, functions that make and combine functions.
const SIZE = 3;

function compose(f, g) {
  return (x) => g(f(x));
}

function adder(step) {
  let sum = 0;
  return (n) => {
    sum = (sum + n * step) % 1000003;
    return sum;
  };
}

function roundOf(numbers, turn) {
  const scaled = numbers.map((n) => n * 3 + turn);
  const odd = scaled.filter((n) => n % 2 === 1);
  return odd.reduce((sum, n) => (sum + n) % 1000003, 0);
}

const numbers = [];
for (let i = 0; i < 1000; i++) {
  numbers.push(i);
}
const twist = compose((n) => n * 7 + 1, (n) => n % 1009);
const add = adder(5);
let total = 0;
for (let turn = 0; turn < SIZE; turn++) {
  total += roundOf(numbers, turn);
  numbers.forEach((n) => add(twist(n)));
}
console.log(total);
console.log(add(0));
