//! Integer and float loops: a random generator with its remainders, and the series of Leibniz for pi.
const SIZE: i64 = 2000;

fn remainders(n: i64) -> i64 {
    let (mut seed, mut sum) = (42, 0);
    for i in 0..n {
        seed = (seed * 3877 + 29573) % 139968;
        if seed % 3 == 0 {
            sum += seed % 1000;
        } else {
            sum -= i % 7;
        }
    }
    sum
}

fn leibniz(n: i64) -> f64 {
    let (mut sum, mut sign) = (0.0, 1.0);
    for k in 0..n {
        sum += sign / (2.0 * k as f64 + 1.0);
        sign = -sign;
    }
    sum * 4.0
}

fn main() {
    let size = std::hint::black_box(SIZE);
    println!("{}", remainders(size));
    println!("{:.9}", leibniz(size));
}
