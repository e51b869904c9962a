//! Programs that nobody writes: deep, long, or made of mistakes only. Must stay true: the whole compiler takes time that
//! grows with the length of its input, says at most `DIAGNOSTICS_MAX` things, and neither panics nor overflows a stack.
//! (Twice the time for each level would make one of these run for ever; how fast they are is measured elsewhere.)

use flin_syntax::Code;
use flin_syntax::render::{Color, Sources, render_all};

fn nested(before: &str, count: usize, inner: &str, after: &str) -> String {
    format!("{}{inner}{}", before.repeat(count), after.repeat(count))
}

#[track_caller]
fn compiles(source: &str) {
    if let Err(found) = flinc::compile("long.flin", source) {
        let sources = Sources::single("long.flin", source);
        panic!("{}", render_all(&found, &sources, Color::Never));
    }
}

#[track_caller]
fn refused(source: &str, code: Code) {
    let found = flinc::compile("long.flin", source).expect_err("it is refused");
    assert!(found.len() <= flinc::DIAGNOSTICS_MAX + 1);
    let errors: Vec<Code> = found.iter().map(|found| found.code).collect();
    assert!(errors.contains(&code), "{errors:?}");
    let shown = render_all(&found, &Sources::single("long.flin", source), Color::Never);
    assert!(shown.len() < 100_000, "{} bytes of messages", shown.len());
}

#[test]
fn calls_in_calls() {
    compiles(&format!("print({})", nested("abs(", 250, "1", ")")));
    let own = "fn up(n) { n + 1 }\nfn add(a, b) { a + b }\nh = n => n\n";
    compiles(&format!("{own}print({})", nested("up(", 250, "1", ")")));
    compiles(&format!("{own}print({})", nested("add(1, ", 250, "1", ")")));
    compiles(&format!("{own}print({})", nested("h(", 250, "1", ")")));
    compiles(&format!("x = 1{}\nprint(x)", " |> abs".repeat(900)));
    compiles(&format!("x = \" a \"{}\nprint(x)", ".trim".repeat(1900)));
}

#[test]
fn prefixes_operators_and_branches() {
    compiles(&format!("print({}1)", "try ".repeat(1500)));
    compiles(&format!("print({}true)", "!".repeat(1500)));
    compiles(&format!("print(1{})", " ** 1".repeat(1500)));
    compiles(&format!("print(1{})", " + 1".repeat(1900)));
    let branches: String = (0..1900)
        .map(|n| format!(" else if x == {n} {{ print({n}) }}"))
        .collect();
    compiles(&format!("x = 1\nif x < 0 {{ print(0) }}{branches}"));
    compiles(&format!(
        "match 5 {{ 0{} -> 1, _ -> 2 }}",
        " | 1".repeat(3000)
    ));
    compiles(&nested("if true { ", 200, "print(1)", " }"));
}

#[test]
fn beyond_the_limits() {
    refused(&nested("(", 100_000, "1", ")"), Code::TooDeep);
    refused(&nested("up(", 300, "1", ")"), Code::TooDeep);
    refused(&format!("print(1{})", " + 1".repeat(20_000)), Code::TooHigh);
}

#[test]
fn long_data() {
    let entries: String = (0..20_000).map(|n| format!("k{n}: {n}, ")).collect();
    compiles(&format!("m = {{ {entries} }}\nprint(m.len())"));
    compiles(&format!(
        "xs = [{}]\nprint(xs.len)",
        "[1, 2], ".repeat(10_000)
    ));
    compiles(&format!("y = 1\nprint(\"{}\".len)", "{y}".repeat(20_000)));
    compiles(&format!("x = 1\n{}print(x)", "x = x + 1\n".repeat(20_000)));
}

#[test]
fn mistakes_without_number() {
    refused(&"print(nope)\n".repeat(20_000), Code::UnknownName);
    refused(&"x = )\n".repeat(20_000), Code::StrayCloser);
    refused(
        &format!("print({})", "a".repeat(1_000_000)),
        Code::UnknownName,
    );
}
