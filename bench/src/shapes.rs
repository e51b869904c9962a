//! Programs of strange shape: much of one thing. Here because a compiler that is fast on applications can still be slow on a
//! program that a machine wrote. Must stay true: each shape compiles without any message at every size used; its size is
//! a number of the thing it is made of.

use std::fmt::Write as _;

/// A shape: its name, how to make one of a size, and the sizes worth measuring (the second is four times the first).
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What it is, in a few words.
    pub name: &'static str,
    /// The program of that size.
    pub make: fn(usize) -> String,
    /// The greater of the sizes that are compared; the smaller one is a quarter of it.
    pub size: usize,
}

/// All shapes.
pub const SHAPES: &[Shape] = &[
    Shape {
        name: "statements in one function",
        make: giant_function,
        size: 4_000,
    },
    Shape {
        name: "statements at the top level",
        make: top_level,
        size: 4_000,
    },
    Shape {
        name: "items in one list",
        make: giant_list,
        size: 40_000,
    },
    Shape {
        name: "entries in one map",
        make: giant_map,
        size: 4_000,
    },
    Shape {
        name: "functions calling each other",
        make: many_functions,
        size: 5_000,
    },
    Shape {
        name: "untyped functions in a chain",
        make: untyped_chain,
        size: 2_000,
    },
    Shape {
        name: "entities",
        make: many_entities,
        size: 2_000,
    },
    Shape {
        name: "branches of else if",
        make: long_else_if,
        size: 800,
    },
    Shape {
        name: "arms of a match",
        make: long_match,
        size: 2_000,
    },
    Shape {
        name: "variants of an enum",
        make: many_variants,
        size: 1_000,
    },
    Shape {
        name: "elements in one view",
        make: huge_view,
        size: 4_000,
    },
    Shape {
        name: "closures",
        make: many_closures,
        size: 4_000,
    },
    Shape {
        name: "calls of one generic function",
        make: one_generic,
        size: 4_000,
    },
    Shape {
        name: "types for one generic function",
        make: many_types,
        size: 400,
    },
    Shape {
        name: "texts with interpolations",
        make: interpolations,
        size: 10_000,
    },
    Shape {
        name: "operands in one sum",
        make: long_sum,
        size: 1_600,
    },
    Shape {
        name: "links of a chain of methods",
        make: long_chain,
        size: 72,
    },
    Shape {
        name: "levels of brackets",
        make: nested_brackets,
        size: 240,
    },
    Shape {
        name: "levels of blocks",
        make: nested_blocks,
        size: 80,
    },
    Shape {
        name: "fields of records",
        make: wide_records,
        size: 200,
    },
    Shape {
        name: "top-level variables",
        make: many_globals,
        size: 4_000,
    },
    Shape {
        name: "routes",
        make: many_routes,
        size: 2_000,
    },
    Shape {
        name: "tests",
        make: many_tests,
        size: 4_000,
    },
    Shape {
        name: "bytes of comments",
        make: comments,
        size: 4_000_000,
    },
    Shape {
        name: "statements on one line",
        make: one_line,
        size: 4_000,
    },
    Shape {
        name: "variables in one function",
        make: many_locals,
        size: 200,
    },
];

/// Writes one line per number.
fn lines(head: &str, size: usize, line: impl Fn(usize) -> String, tail: &str) -> String {
    let mut text = head.to_owned();
    for at in 0..size {
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{}", line(at));
    }
    text + tail
}

fn giant_function(size: usize) -> String {
    lines(
        "fn giant(a: int, b: int) -> int {\n  x = a\n  y = b\n",
        size,
        |at| match at % 4 {
            0 => format!("  x = x * 3 + y - {at}"),
            1 => format!("  if x > {at} {{ y += 1 }} else {{ y = x / 2 }}"),
            2 => "  x = max(x, y) % 1000".to_owned(),
            _ => format!("  for i in 0..{} {{ y += i }}", at % 7),
        },
        "  x + y\n}\nprint(giant(1, 2))\n",
    )
}

fn top_level(size: usize) -> String {
    lines(
        "total = 0\n",
        size,
        |at| match at % 3 {
            0 => format!("total += {at}"),
            1 => format!("print(\"step {at}: {{total}}\")"),
            _ => format!("if total > {at} {{ total -= 1 }}"),
        },
        "",
    )
}

fn giant_list(size: usize) -> String {
    lines(
        "xs = [\n",
        size,
        |at| format!("  {at},"),
        "]\nprint(xs.len)\n",
    )
}

fn giant_map(size: usize) -> String {
    lines(
        "m = {\n",
        size,
        |at| format!("  \"key {at}\": {at},"),
        "}\nprint(m[\"key 1\"])\n",
    )
}

fn many_functions(size: usize) -> String {
    lines(
        "",
        size,
        |at| {
            let (one, two) = ((at * 7 + 1) % size, (at * 13 + 5) % size);
            format!(
                "fn f{at}(n: int) -> int {{ if n <= 0 {{ {at} }} else {{ f{one}(n - 1) + f{two}(n - 2) }} }}"
            )
        },
        "print(f0(3))\n",
    )
}

fn untyped_chain(size: usize) -> String {
    lines(
        "",
        size,
        |at| {
            format!(
                "fn g{at}(a, b) {{ if a == b {{ a }} else {{ g{}(b, a) }} }}",
                at + 1
            )
        },
        &format!(
            "fn g{size}(a, b) {{ a }}\nprint(g0(1, 2))\nprint(g0(\"a\", \"b\"))\nprint(g0([1], [2]))\n"
        ),
    )
}

fn many_entities(size: usize) -> String {
    lines(
        "",
        size,
        |at| {
            let owner = at / 2;
            let link = if at == 0 {
                "int"
            } else {
                &format!("Thing{owner}")
            };
            format!(
                "entity Thing{at} {{ name: text @required @maxLength(80), size: int = 1 @min(0), parent: {link} }}\n\
                 fn big{at}(limit: int) {{ Thing{at}.where(t => t.size > limit).order(name) }}"
            )
        },
        "",
    )
}

fn long_else_if(size: usize) -> String {
    lines(
        "fn pick(n: int) -> text {\n  if n < 0 {\n    \"negative\"\n",
        size,
        |at| format!("  }} else if n == {at} {{\n    \"case {at}\""),
        "  } else {\n    \"more\"\n  }\n}\nprint(pick(3))\n",
    )
}

fn long_match(size: usize) -> String {
    lines(
        "fn pick(n: int, s: text) -> text {\n  match (n, s) {\n",
        size,
        |at| format!("    ({at}, \"{at}\") -> \"case {at}\""),
        "    (other, _) -> \"other {other}\"\n  }\n}\nprint(pick(3, \"3\"))\n",
    )
}

fn many_variants(size: usize) -> String {
    let mut text = lines(
        "enum Code {\n",
        size,
        |at| format!("  Case{at}(int),"),
        "}\n",
    );
    text += &lines(
        "fn number(code: Code) -> int {\n  match code {\n",
        size,
        |at| format!("    Case{at}(n) -> n + {at}"),
        "  }\n}\nprint(number(Code.Case1(2)))\n",
    );
    text
}

fn huge_view(size: usize) -> String {
    lines(
        "count = 0\nname = \"x\"\nview {\n",
        size,
        |at| match at % 4 {
            0 => format!(
                "  <p class=\"row {{count}}\" title=\"row {at}\">{{name}} {at} &amp; {{count + {at}}}</p>"
            ),
            1 => format!("  {{if count > {at}}}<b>{{name.upper}}</b>{{else}}<i>few</i>{{/if}}"),
            2 => "  <ul>{for n in 0..3}<li>{n}</li>{/for}</ul>".to_owned(),
            _ => format!("  <button click={{count += {at}}}>Add {at}</button>"),
        },
        "}\n",
    )
}

fn many_closures(size: usize) -> String {
    lines(
        "fn all(xs: [int], k: int) {\n  out = []\n",
        size.div_ceil(20),
        |_| "  out.push(part(xs, k))".to_owned(),
        "  out\n}\n",
    ) + &lines(
        "fn part(xs: [int], k: int) -> int { xs.len + k }\n",
        size / 4,
        |at| {
            format!(
                "fn c{at}(xs: [int], k: int) {{ xs.map(x => x + k + {at}).filter(x => x % 2 == 0).sort_by(x => 0 - x).any(x => x > {at}) }}"
            )
        },
        "print(all([1], 2))\n",
    )
}

fn one_generic(size: usize) -> String {
    lines(
        "fn both(a, b) { [a, b] }\nfn pick(a, b, first) { if first { a } else { b } }\n",
        size,
        |at| match at % 4 {
            0 => format!("print(both({at}, {at}))"),
            1 => format!("print(both(\"a\", \"{at}\"))"),
            2 => format!("print(pick({at}, 2, true))"),
            _ => format!("print(both([{at}], [1]).len)"),
        },
        "",
    )
}

fn many_types(size: usize) -> String {
    let entities = lines("", size, |at| format!("entity E{at} {{ name: text }}"), "");
    entities
        + &lines(
            "fn label(thing) { \"{thing.name} {thing.id}\" }\nfn twice(thing, f) { f(thing) + f(thing) }\n",
            size,
            |at| format!("fn l{at}() {{ E{at}.all.map(e => label(e) + twice(e, x => x.name)) }}"),
            "",
        )
}

fn interpolations(size: usize) -> String {
    lines(
        "fn show(a: int, b: text) {\n",
        0,
        |_| String::new(),
        "  print(\"{a}{b}\")\n}\n",
    ) + &lines(
        "",
        size / 20,
        |at| {
            let parts = (0..20)
                .map(|n| format!("  print(\"{{a}} of {{b.upper}} is {{a + {}}}\")\n", at + n));
            format!(
                "fn t{at}(a: int, b: text) {{\n{}}}",
                parts.collect::<String>()
            )
        },
        "",
    )
}

fn long_sum(size: usize) -> String {
    let terms: Vec<String> = (0..size).map(|at| format!("x * {at}")).collect();
    format!("x = 3\nprint({})\n", terms.join(" + "))
}

fn long_chain(size: usize) -> String {
    let links: String = (0..size)
        .map(|at| format!("\n  .replace(\"{at}\", \"-\")"))
        .collect();
    format!("line = \"1 2 3\"\nprint(line{links})\n")
}

fn nested_brackets(size: usize) -> String {
    format!(
        "x = 1\nprint({}x{})\n",
        "(1 + ".repeat(size),
        ")".repeat(size)
    )
}

fn nested_blocks(size: usize) -> String {
    let mut text = "fn deep(n: int) {\n".to_owned();
    for at in 0..size {
        // Writing into a text cannot fail.
        let _ = writeln!(
            text,
            "if n > {at} {{ m{at} = n + {at}\nfor i{at} in 0..m{at} {{ print(i{at})"
        );
    }
    text + &"} }".repeat(size) + "\n}\ndeep(1)\n"
}

fn wide_records(size: usize) -> String {
    let fields: Vec<String> = (0..size).map(|at| format!("field{at}: {at}")).collect();
    let reads: String = (0..size)
        .map(|at| format!("  sum += r.field{at}\n"))
        .collect();
    format!(
        "fn total(r) {{\n  sum = 0\n{reads}  sum\n}}\nprint(total({{ {} }}))\n",
        fields.join(", ")
    )
}

fn many_globals(size: usize) -> String {
    lines(
        "v0 = 1\n",
        size,
        |at| format!("v{} = v{at} % 7 + {at}\nfn read{at}() {{ v{at} }}", at + 1),
        "print(v1)\n",
    )
}

fn many_routes(size: usize) -> String {
    lines(
        "entity Row { name: text }\n",
        size,
        |at| {
            format!(
                "route GET \"/rows{at}/:id\" {{ Row.find(params.id.to_int) ?: error(404, \"no row {at}\") }}"
            )
        },
        "",
    )
}

fn many_tests(size: usize) -> String {
    lines(
        "fn twice(n) { n * 2 }\n",
        size,
        |at| {
            format!(
                "test \"doubling {at}\" {{ assert twice({at}) == {} }}",
                at * 2
            )
        },
        "",
    )
}

fn comments(size: usize) -> String {
    let line =
        "// a comment of some length, with \"quotes\" and {braces} that mean nothing at all\n";
    line.repeat(size / line.len()) + "print(1)\n"
}

fn one_line(size: usize) -> String {
    let statements: Vec<String> = (0..size)
        .map(|at| format!("print(\"é\" + {at}.to_text)"))
        .collect();
    statements.join("; ") + "\n"
}

fn many_locals(size: usize) -> String {
    lines(
        "fn locals(a: int) -> int {\n  v0 = a\n",
        size,
        |at| format!("  v{} = v{at} + v{}", at + 1, at / 2),
        &format!("  v{size}\n}}\nprint(locals(1))\n"),
    )
}
