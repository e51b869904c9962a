// The product of two matrices: lists of lists of floats.
const SIZE = 10;

function makeMatrix(n, scale) {
  const rows = [];
  for (let i = 0; i < n; i++) {
    const row = [];
    for (let j = 0; j < n; j++) {
      row.push((scale * (i - j) * (i + j)) / n);
    }
    rows.push(row);
  }
  return rows;
}

function product(a, b) {
  const n = a.length;
  const rows = [];
  for (let i = 0; i < n; i++) {
    const row = [];
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) {
        sum += a[i][k] * b[k][j];
      }
      row.push(sum);
    }
    rows.push(row);
  }
  return rows;
}

const c = product(makeMatrix(SIZE, 0.5), makeMatrix(SIZE, 2));
let trace = 0;
for (let i = 0; i < c.length; i++) {
  trace += c[i][i];
}
console.log(c[3][4].toFixed(3));
console.log(trace.toFixed(3));
