//! The sieve of Eratosthenes, ten times: a list of bools.
const SIZE: usize = 300;

fn primes_below(n: usize) -> usize {
    let mut composite = Vec::new();
    for _ in 0..n {
        composite.push(false);
    }
    let mut count = 0;
    for i in 2..n {
        if !composite[i] {
            count += 1;
            let mut j = i * i;
            while j < n {
                composite[j] = true;
                j += i;
            }
        }
    }
    count
}

fn main() {
    let size = std::hint::black_box(SIZE);
    println!(
        "{}",
        (0..10).map(|turn| primes_below(size - turn)).sum::<usize>()
    );
}
