// The spectral norm of an infinite matrix: small calls in the inner loop, lists of floats.
const SIZE = 10;

function element(i, j) {
  return 1 / (((i + j) * (i + j + 1)) / 2 + i + 1);
}

function multiply(v) {
  const n = v.length;
  const out = [];
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) {
      sum += element(i, j) * v[j];
    }
    out.push(sum);
  }
  return out;
}

function multiplyTransposed(v) {
  const n = v.length;
  const out = [];
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) {
      sum += element(j, i) * v[j];
    }
    out.push(sum);
  }
  return out;
}

function spectralNorm(n) {
  let u = [];
  for (let i = 0; i < n; i++) {
    u.push(1);
  }
  let v = u;
  for (let turn = 0; turn < 10; turn++) {
    v = multiplyTransposed(multiply(u));
    u = multiplyTransposed(multiply(v));
  }
  let upper = 0;
  let lower = 0;
  for (let i = 0; i < n; i++) {
    upper += u[i] * v[i];
    lower += v[i] * v[i];
  }
  return Math.sqrt(upper / lower);
}

console.log(spectralNorm(SIZE).toFixed(9));
