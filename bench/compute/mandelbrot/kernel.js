// The Mandelbrot set: float arithmetic in registers, with an early way out of the inner loop.
const SIZE = 16;

function turns(cx, cy, limit) {
  let x = 0;
  let y = 0;
  for (let turn = 0; turn < limit; turn++) {
    const xx = x * x;
    const yy = y * y;
    if (xx + yy > 4) {
      return turn;
    }
    y = 2 * x * y + cy;
    x = xx - yy + cx;
  }
  return limit;
}

function mandelbrot(size) {
  let inside = 0;
  let sum = 0;
  for (let row = 0; row < size; row++) {
    const cy = (2 * row) / size - 1;
    for (let column = 0; column < size; column++) {
      const cx = (2 * column) / size - 1.5;
      const n = turns(cx, cy, 100);
      sum += n;
      if (n === 100) {
        inside++;
      }
    }
  }
  console.log(`${inside} ${sum}`);
}

mandelbrot(SIZE);
