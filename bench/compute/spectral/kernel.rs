//! The spectral norm of an infinite matrix: small calls in the inner loop, lists of floats.
const SIZE: usize = 10;

fn element(i: usize, j: usize) -> f64 {
    1.0 / ((i + j) * (i + j + 1) / 2 + i + 1) as f64
}

fn multiply(v: &[f64]) -> Vec<f64> {
    let n = v.len();
    let row = |i| {
        (0..n)
            .map(|j| element(i, j) * v[j])
            .fold(0.0, |sum, x| sum + x)
    };
    (0..n).map(row).collect()
}

fn multiply_transposed(v: &[f64]) -> Vec<f64> {
    let n = v.len();
    let row = |i| {
        (0..n)
            .map(|j| element(j, i) * v[j])
            .fold(0.0, |sum, x| sum + x)
    };
    (0..n).map(row).collect()
}

fn spectral_norm(n: usize) -> f64 {
    let mut u = vec![1.0; n];
    let mut v = u.clone();
    for _ in 0..10 {
        v = multiply_transposed(&multiply(&u));
        u = multiply_transposed(&multiply(&v));
    }
    let (mut upper, mut lower) = (0.0, 0.0);
    for i in 0..n {
        upper += u[i] * v[i];
        lower += v[i] * v[i];
    }
    f64::sqrt(upper / lower)
}

fn main() {
    println!("{:.9}", spectral_norm(std::hint::black_box(SIZE)));
}
