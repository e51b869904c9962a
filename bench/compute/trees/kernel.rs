//! Binary trees: many small records, most of them soon garbage.
const SIZE: u32 = 6;

struct Tree {
    left: Option<Box<Tree>>,
    right: Option<Box<Tree>>,
}

fn make(depth: u32) -> Box<Tree> {
    if depth == 0 {
        return Box::new(Tree {
            left: None,
            right: None,
        });
    }
    Box::new(Tree {
        left: Some(make(depth - 1)),
        right: Some(make(depth - 1)),
    })
}

fn count(tree: &Tree) -> i64 {
    match (&tree.left, &tree.right) {
        (Some(left), Some(right)) => 1 + count(left) + count(right),
        _ => 1,
    }
}

fn main() {
    let size = std::hint::black_box(SIZE);
    println!("{}", count(&make(size + 1)));
    let long_lived = make(size);
    for depth in (4..=size).step_by(2) {
        let turns = 1_i64 << (size - depth + 4);
        let sum: i64 = (0..turns).map(|_| count(&make(depth))).sum();
        println!("{turns} trees of depth {depth}: {sum}");
    }
    println!("{}", count(&long_lived));
}
