//! Strips of turns without checks (`jit/src/strips.rs`): loops that leave them by every way there is. Must stay true: each
//! program is run in all ways, so an access that the guard lets pass wrongly, a lost turn or lost fuel shows.

mod support;

use support::same_source;

/// Runs a source in all ways; no error leaves it.
fn returns(source: &str) -> String {
    let happened = same_source(source);
    assert!(happened.ends_with("\nreturned"), "{happened}");
    happened
}

/// Runs a source in all ways; it ends with an error of this kind.
fn fails(source: &str, kind: &str) {
    let happened = same_source(source);
    assert!(happened.contains(kind), "{happened}");
}

#[test]
fn a_loop_that_runs_off_the_end_of_a_list() {
    fails(
        "fn total(xs: [int], n: int) -> int {\n  sum = 0\n  for i in 0..n {\n    sum += xs[i] * 2\n  }\n  sum\n}\nxs = []\nfor i in 0..90 { xs.push(i) }\nprint(total(xs, 90))\nprint(total(xs, 91))\n",
        "IndexOutOfBounds",
    );
}

#[test]
fn positions_beside_the_counter() {
    returns(
        "fn smooth(xs: [float], from: int, to: int) -> float {\n  sum = 0.0\n  for i in from..to {\n    sum += xs[i - 1] + xs[i] * 2.0 + xs[i + 1]\n  }\n  sum\n}\nxs = []\nfor i in 0..200 { xs.push(i * 0.5) }\nprint(smooth(xs, 1, 199))\nprint(smooth(xs, 0, 199))\nprint(smooth(xs, -3, 150))\nprint(smooth(xs, 5, 5))\n",
    );
    fails(
        "fn smooth(xs: [int], from: int, to: int) -> int {\n  sum = 0\n  for i in from..to {\n    sum += xs[i - 1] - xs[i + 2]\n  }\n  sum\n}\nxs = []\nfor i in 0..200 { xs.push(i * i) }\nprint(smooth(xs, 1, 198))\nprint(smooth(xs, 1, 199))\n",
        "IndexOutOfBounds",
    );
}

#[test]
fn a_list_that_grows_while_another_is_read() {
    returns(
        "fn distance(a: text, b: text) -> int {\n  above = []\n  for j in 0..=b.len { above.push(j) }\n  for i in 0..a.len {\n    row = [i + 1]\n    for j in 0..b.len {\n      cost = if a[i] == b[j] then 0 else 1\n      row.push(min(min(above[j + 1] + 1, row[j] + 1), above[j] + cost))\n    }\n    above = row\n  }\n  above[b.len]\n}\nprint(distance(\"sunday afternoon walks\", \"saturday evening talks\"))\nprint(distance(\"grüße aus köln\", \"größe aus koeln\"))\nprint(distance(\"\", \"abc\"))\n",
    );
}

#[test]
fn a_list_that_grows_by_what_it_holds() {
    returns(
        "fn double(xs: [int], ys: [int], n: int) -> int {\n  sum = 0\n  for i in 0..n {\n    sum += xs[i]\n    ys.push(xs[i] + ys[i])\n  }\n  sum + xs.len * 1000 + ys.len\n}\na = [1, 2, 3]\nprint(double(a, a, 60))\nb = [4]\nprint(double(a, b, 60))\nprint(b[59])\n",
    );
}

#[test]
fn lists_of_other_classes_on_the_way() {
    returns(
        "fn total(rows, n: int) -> float {\n  sum = 0.0\n  for i in 0..n {\n    for j in 0..4 {\n      sum += rows[i][j]\n    }\n  }\n  sum\n}\nrows = []\nfor i in 0..40 { rows.push([i * 1.5, 2.5, 3.5, 4.5]) }\nprint(total(rows, 40))\nmixed: [any] = []\nfor i in 0..40 { if i % 3 == 0 { mixed.push([1.5, 2, 3, 4]) } else { mixed.push([1.5, 2.5, 3.5, 4.5]) } }\nprint(mixed.len)\n",
    );
}

#[test]
fn leaving_a_loop_from_its_middle() {
    returns(
        "fn find(xs: [int], wanted: int) -> int {\n  for i in 0..xs.len {\n    if xs[i] == wanted { return i }\n  }\n  -1\n}\nfn first_big(xs: [int], n: int) -> int {\n  found = -1\n  seen = 0\n  for i in 0..n {\n    if xs[i] % 7 == 3 { continue }\n    seen += 1\n    if xs[i] > 5000 {\n      found = i\n      break\n    }\n  }\n  found * 1000 + seen\n}\nxs = []\nfor i in 0..300 { xs.push(i * 37 % 8191) }\nprint(find(xs, 37 * 150))\nprint(find(xs, 8190))\nprint(first_big(xs, 300))\nhits = 0\nfor round in 0..50 {\n  if find(xs, round * 37) == round { hits += 1 }\n}\nprint(hits)\n",
    );
}

#[test]
fn an_error_in_a_strip_is_caught_around_it_and_inside() {
    returns(
        "fn sums(xs: [int], n: int) -> int {\n  total = 0\n  try {\n    for i in 0..n {\n      total += xs[i] * 1000000007\n    }\n  } catch error {\n    print(error.message)\n    total += 5\n  }\n  total\n}\nfn each(xs: [int], n: int) -> int {\n  total = 0\n  for i in 0..n {\n    try {\n      total += xs[i] * 3000000000000000\n    } catch error {\n      total = 7\n    }\n  }\n  total\n}\nxs = []\nfor i in 0..120 { xs.push(i * i * i) }\nprint(sums(xs, 120))\nprint(sums(xs, 130))\nprint(each(xs, 120))\nprint(each(xs, 125))\n",
    );
}

#[test]
fn an_overflow_in_a_strip() {
    fails(
        "fn product(xs: [int]) -> int {\n  all = 1\n  for x in xs {\n    all = all * x\n  }\n  all\n}\nprint(product([1, 2, 3, 4, 5, 6, 7]))\nxs = []\nfor i in 1..80 { xs.push(i % 5 + 1) }\nprint(product(xs))\n",
        "IntegerOverflow",
    );
}

#[test]
fn letters_of_texts() {
    returns(
        "fn vowels(t: text, n: int) -> int {\n  count = 0\n  for i in 0..n {\n    if t[i] == \"a\" || t[i] == \"e\" || t[i] == \"ü\" { count += 1 }\n    if t[i] == t[n - 1 - i] { count += 100 }\n  }\n  count\n}\nlong = \"\"\nfor i in 0..60 { long += \"abe\"[i % 3] }\nprint(vowels(long, long.len))\nprint(vowels(\"grüße über alles\", 16))\nprint(vowels(\"an area\", 7))\nlast = \"\"\nfor round in 0..30 { last = \"abcde\"[round % 5] }\nprint(last)\n",
    );
    fails(
        "fn codes(t: text, n: int) -> int {\n  sum = 0\n  for i in 0..n {\n    sum = sum * 3 % 1000003 + t.code_at(i)\n  }\n  sum\n}\nprint(codes(\"some letters and some more\", 26))\nprint(codes(\"some letters and some more\", 27))\n",
        "TypeError",
    );
}

#[test]
fn loops_within_loops() {
    returns(
        "fn product(a, b, n: int) {\n  rows = []\n  for i in 0..n {\n    row = []\n    for j in 0..n {\n      sum = 0.0\n      for k in 0..n { sum += a[i][k] * b[k][j] }\n      row.push(sum)\n    }\n    rows.push(row)\n  }\n  rows\n}\nfn square(n: int, scale: float) {\n  rows = []\n  for i in 0..n {\n    row = []\n    for j in 0..n { row.push(scale * (i - j) + j) }\n    rows.push(row)\n  }\n  rows\n}\nc = product(square(17, 0.5), square(17, 2.0), 17)\nprint(c[3][4])\nprint(c[16][0])\n",
    );
}

#[test]
fn loops_that_count_by_themselves() {
    returns(
        "fn fill(n: int) -> [bool] {\n  flags = []\n  i = 0\n  while i < n {\n    flags.push(i % 3 == 0)\n    i += 1\n  }\n  i = 0\n  while i < n {\n    if i % 5 == 0 { flags[i] = true }\n    i += 1\n  }\n  flags\n}\nfn set(flags: [bool]) -> int {\n  count = 0\n  for flag, i in flags {\n    if flag { count += i }\n  }\n  count\n}\nprint(set(fill(150)))\nprint(set(fill(0)))\nprint(set(fill(1)))\n",
    );
}

#[test]
fn writing_what_does_not_fit() {
    returns(
        "fn spoil(xs, n: int) {\n  for i in 0..n {\n    if i == 40 { xs[i] = \"text\" } else { xs[i] = i * 2 }\n  }\n  xs\n}\nxs: [any] = []\nfor i in 0..90 { xs.push(i) }\nys = spoil(xs, 90)\nprint(ys[39])\nprint(ys[40])\nprint(ys[41])\n",
    );
}
