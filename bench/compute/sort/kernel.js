// Sorting ints by hand: quicksort in place.
const SIZE = 200;

function quicksort(xs, low, high) {
  if (low >= high) {
    return;
  }
  const pivot = xs[(low + high) >> 1];
  let i = low;
  let j = high;
  while (i <= j) {
    while (xs[i] < pivot) i++;
    while (xs[j] > pivot) j--;
    if (i <= j) {
      const held = xs[i];
      xs[i] = xs[j];
      xs[j] = held;
      i++;
      j--;
    }
  }
  quicksort(xs, low, j);
  quicksort(xs, i, high);
}

const numbers = [];
let seed = 42;
for (let i = 0; i < SIZE; i++) {
  seed = (seed * 3877 + 29573) % 139968;
  numbers.push(seed);
}
quicksort(numbers, 0, numbers.length - 1);
let checksum = 0;
for (let i = 0; i < numbers.length; i++) {
  if (i > 0 && numbers[i - 1] > numbers[i]) {
    console.log(`not sorted at ${i}`);
  }
  checksum = (checksum * 31 + numbers[i]) % 1000003;
}
console.log(checksum);
