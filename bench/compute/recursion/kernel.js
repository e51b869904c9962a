// Recursion: Fibonacci numbers, each as the sum of two calls.
const SIZE = 16;

function fib(n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

console.log(fib(SIZE));
