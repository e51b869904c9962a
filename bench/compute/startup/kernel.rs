//! What a start costs.
fn main() {
    let total: i64 = [1, 2, 3].iter().sum();
    println!("Hello {}, {total}", "Ada");
}
