//! Sorting ints by hand: quicksort in place.
const SIZE: usize = 200;

fn quicksort(xs: &mut [i64], low: i64, high: i64) {
    if low >= high {
        return;
    }
    let pivot = xs[((low + high) / 2) as usize];
    let (mut i, mut j) = (low, high);
    while i <= j {
        while xs[i as usize] < pivot {
            i += 1;
        }
        while xs[j as usize] > pivot {
            j -= 1;
        }
        if i <= j {
            xs.swap(i as usize, j as usize);
            i += 1;
            j -= 1;
        }
    }
    quicksort(xs, low, j);
    quicksort(xs, i, high);
}

fn main() {
    let mut numbers = Vec::new();
    let mut seed = 42;
    for _ in 0..std::hint::black_box(SIZE) {
        seed = (seed * 3877 + 29573) % 139968;
        numbers.push(seed);
    }
    let last = numbers.len() as i64 - 1;
    quicksort(&mut numbers, 0, last);
    let mut checksum = 0;
    for (i, n) in numbers.iter().enumerate() {
        if i > 0 && numbers[i - 1] > *n {
            println!("not sorted at {i}");
        }
        checksum = (checksum * 31 + n) % 1000003;
    }
    println!("{checksum}");
}
