//! Functions as values: map, filter and reduce with small lambdas, functions that make and combine functions.
const SIZE: i64 = 3;

fn compose(f: impl Fn(i64) -> i64, g: impl Fn(i64) -> i64) -> impl Fn(i64) -> i64 {
    move |x| g(f(x))
}

fn adder(step: i64) -> impl FnMut(i64) -> i64 {
    let mut sum = 0;
    move |n| {
        sum = (sum + n * step) % 1000003;
        sum
    }
}

fn round_of(numbers: &[i64], turn: i64) -> i64 {
    let scaled: Vec<i64> = numbers.iter().map(|n| n * 3 + turn).collect();
    let odd: Vec<i64> = scaled.into_iter().filter(|n| n % 2 == 1).collect();
    odd.iter().fold(0, |sum, n| (sum + n) % 1000003)
}

fn main() {
    let numbers: Vec<i64> = (0..1000).collect();
    let twist = compose(|n| n * 7 + 1, |n| n % 1009);
    let mut add = adder(5);
    let mut total = 0;
    for turn in 0..std::hint::black_box(SIZE) {
        total += round_of(&numbers, turn);
        for n in &numbers {
            add(twist(*n));
        }
    }
    println!("{total}");
    println!("{}", add(0));
}
