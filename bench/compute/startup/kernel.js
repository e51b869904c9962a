const name = "Ada";
const total = [1, 2, 3].reduce((sum, n) => sum + n, 0);
console.log(`Hello ${name}, ${total}`);
