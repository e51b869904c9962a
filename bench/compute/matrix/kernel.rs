//! The product of two matrices: lists of lists of floats.
const SIZE: usize = 10;

fn make_matrix(n: usize, scale: f64) -> Vec<Vec<f64>> {
    let cell = |i: usize, j: usize| scale * (i as f64 - j as f64) * (i + j) as f64 / n as f64;
    (0..n)
        .map(|i| (0..n).map(|j| cell(i, j)).collect())
        .collect()
}

fn product(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = a.len();
    let mut rows = Vec::new();
    for i in 0..n {
        let mut row = Vec::new();
        for j in 0..n {
            let mut sum = 0.0;
            for k in 0..n {
                sum += a[i][k] * b[k][j];
            }
            row.push(sum);
        }
        rows.push(row);
    }
    rows
}

fn main() {
    let size = std::hint::black_box(SIZE);
    let c = product(&make_matrix(size, 0.5), &make_matrix(size, 2.0));
    let mut trace = 0.0;
    for (i, row) in c.iter().enumerate() {
        trace += row[i];
    }
    println!("{:.3}", c[3][4]);
    println!("{trace:.3}");
}
