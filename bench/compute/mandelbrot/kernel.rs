//! The Mandelbrot set: float arithmetic in registers, with an early way out of the inner loop.
const SIZE: i64 = 16;

fn turns(cx: f64, cy: f64, limit: i64) -> i64 {
    let (mut x, mut y) = (0.0, 0.0);
    for turn in 0..limit {
        let xx = x * x;
        let yy = y * y;
        if xx + yy > 4.0 {
            return turn;
        }
        y = 2.0 * x * y + cy;
        x = xx - yy + cx;
    }
    limit
}

fn mandelbrot(size: i64) {
    let (mut inside, mut sum) = (0, 0);
    for row in 0..size {
        let cy = 2.0 * row as f64 / size as f64 - 1.0;
        for column in 0..size {
            let cx = 2.0 * column as f64 / size as f64 - 1.5;
            let n = turns(cx, cy, 100);
            sum += n;
            if n == 100 {
                inside += 1;
            }
        }
    }
    println!("{inside} {sum}");
}

fn main() {
    mandelbrot(std::hint::black_box(SIZE));
}
