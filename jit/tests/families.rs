//! Native code does what the interpreter does: a program or more for each family of operations, run in all ways.

mod support;

use support::same_source;

#[test]
fn recursion() {
    let happened = same_source(
        "fn fib(n: int) -> int {\n  if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\n}\nprint(fib(16))\n",
    );
    assert!(happened.starts_with("987\n"), "{happened}");
}

#[test]
fn loops_of_ints() {
    same_source(
        "fn sum(n: int) -> int {\n  total = 0\n  for i in 0..n {\n    total = total + i * 3 % 7 - i / 5\n  }\n  total\n}\nprint(sum(1000))\nprint(sum(0))\n",
    );
}

#[test]
fn loops_of_floats() {
    same_source(
        "fn pi(n: int) -> float {\n  total = 0.0\n  sign = 1.0\n  k = 0\n  while k < n {\n    total = total + sign / (2.0 * k + 1.0)\n    sign = -sign\n    k = k + 1\n  }\n  total * 4.0 + 7.5 % 2.0 + 2.0 ** 0.5\n}\nprint(pi(500))\n",
    );
}

#[test]
fn overflow_in_the_middle_of_a_loop() {
    let happened = same_source(
        "fn grow(n: int) -> int {\n  x = 1\n  for i in 0..n {\n    if i % 10 == 0 { print(i) }\n    x = x * 3\n  }\n  x\n}\nprint(\"begin\")\nprint(grow(30))\nprint(grow(100))\n",
    );
    assert!(happened.contains("IntegerOverflow"), "{happened}");
}

#[test]
fn errors_are_caught_where_they_are() {
    same_source(
        "fn part(a: int, b: int) -> int {\n  r = try a / b\n  if r is error { -1 } else { a % b }\n}\nout = 0\nfor i in 0..50 {\n  out = out + part(i * 7, i % 4)\n}\nprint(out)\n",
    );
}

#[test]
fn recursion_without_an_end() {
    let happened = same_source("fn down(n: int) -> int {\n  1 + down(n + 1)\n}\nprint(down(0))\n");
    assert!(happened.contains("StackOverflow"), "{happened}");
}

#[test]
fn lists_records_texts() {
    same_source(
        "xs = []\nfor i in 0..40 {\n  xs.push(i * i)\n}\npoint = { x: 1.5, y: 2 }\nfor i in 0..xs.len {\n  xs[i] = xs[i] + xs[-1]\n  point.y = point.y + xs[i] % 5\n  point.x = point.x * 1.01\n}\nprint(xs)\nprint(point.y)\nprint(\"{point.x} and {xs.len}\")\nwords = [\"a\", \"b\"]\nfor i in 0..20 { words.push(words[i] + \"{i}\") }\nprint(words.join(\",\"))\nprint(xs[1000])\n",
    );
}

#[test]
fn closures_and_cells() {
    same_source(
        "fn counter() {\n  n = 0\n  () => {\n    n = n + 1\n    n\n  }\n}\nc = counter()\nfor i in 0..30 { c() }\nprint(c())\nxs = [3, 1, 2]\nprint(xs.map(x => x * 2).filter(x => x > 2))\nprint(xs.sort_by(x => -x))\nprint(xs.reduce(0, (a, b) => a + b))\n",
    );
}
