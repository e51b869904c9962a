//! Hostile input: deep, long, endless, or no text at all. A clear message each time, never a crash.
//!
//! The tests run on a thread with an ordinary small stack, so a recursion without bound would show.

use flin_syntax::limits::{
    BRACKET_DEPTH_MAX, ERRORS_SHOWN_MAX, FILE_BYTES_MAX, TOKENS_MAX, TREE_HEIGHT_MAX,
};
use flin_syntax::{Code, Parsed, parse, parse_bytes};

/// Beginnings without an end.
const UNFINISHED: &[&str] = &[
    "\"",
    "'",
    "r\"",
    "\"{",
    "\"{\"",
    "/*",
    "(",
    "[",
    "{",
    "f(",
    "<p",
    "<p>",
    "<p ",
    "<p a",
    "<p a=",
    "<p a=\"",
    "<p a={",
    "<p a=\"{",
    "<p click={",
    "<p>{",
    "<p>{if",
    "<p>{if a}",
    "<p>{for",
    "<p>{for x in y}",
    "<p></",
    "<p></p",
    "<style>",
    "<script>",
    "<!--",
    "view {",
    "view{<p>{x",
    "fn",
    "fn f",
    "fn f(",
    "fn f() {",
    "entity",
    "entity T {",
    "entity T { a",
    "enum E {",
    "match",
    "match x {",
    "match x { a ->",
    "if",
    "if a",
    "if a {",
    "if a then",
    "if a then b else",
    "for",
    "for x",
    "for x in",
    "while",
    "let",
    "let x =",
    "x =",
    "x +",
    "x.",
    "x?.",
    "x @",
    "@",
    "'l",
    "'l:",
    "x =>",
    "(a) =>",
    "route GET",
    "route GET \"",
    "page \"",
    "page \"/\" {",
    "component C(",
    "ws \"/\" { on",
    "save",
    "try {",
    "try { } catch",
    "\\",
    "\"\\",
    "\"\\u{",
    "-",
    "1e",
    "0x",
    "x ? 1 :",
    "x ?:",
    "...",
    "{ ...",
    "[...",
];

fn codes(parsed: &Parsed) -> Vec<Code> {
    parsed.diagnostics.iter().map(|d| d.code).collect()
}

#[track_caller]
fn refuses(source: &str, code: Code) {
    let parsed = parse(source);
    assert_eq!(codes(&parsed), [code], "{:?}", parsed.diagnostics.first());
}

#[test]
fn deep_brackets_are_refused() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a: ", "}"),
        ("f(", ")"),
        ("x => {", "}"),
    ] {
        let source = format!("x = {}1{}", open.repeat(100_000), close.repeat(100_000));
        refuses(&source, Code::TooDeep);
        refuses(&open.repeat(100_000), Code::TooDeep);
    }
}

#[test]
fn brackets_up_to_the_limit_are_fine() {
    let depth = BRACKET_DEPTH_MAX as usize - 1;
    let source = format!("x = {}1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(codes(&parse(&source)), []);
}

#[test]
fn deep_markup_and_texts_are_refused() {
    refuses(&"<b>".repeat(100_000), Code::TooDeep);
    refuses(&format!("<p>{}", "{if a}".repeat(100_000)), Code::TooDeep);
    refuses(&format!("x = {}", "\"{".repeat(100_000)), Code::TooDeep);
    refuses(&format!("<a x={}", "{<a x=".repeat(100_000)), Code::TooDeep);
}

#[test]
fn chains_are_refused_at_a_height() {
    let chains = [
        format!("x = 1{}", " + 1".repeat(20_000)),
        format!("x = a{}", ".f()".repeat(20_000)),
        format!("x = {}1", "- ".repeat(20_000)),
        format!("x = {}1", "!".repeat(20_000)),
        format!("x = {}1", "a => ".repeat(20_000)),
        format!("x = {}1", "try ".repeat(20_000)),
        format!("x = {}1", "2 ** ".repeat(20_000)),
        format!("x = {}b", "a ? 1 : ".repeat(20_000)),
        format!("x = {}b", "if a then 1 else ".repeat(20_000)),
        format!("x = a{}", "[1]".repeat(20_000)),
        format!("x = a{}", " |> f".repeat(20_000)),
        format!("type T = {}int", "() -> ".repeat(20_000)),
        format!("type T = int{}", "?".repeat(20_000)),
        format!("if a {{ f() }}{}", " else if a { f() }".repeat(20_000)),
        format!("<p>{{if a}}b{}{{/if}}</p>", "{else if a}b".repeat(20_000)),
    ];
    for source in &chains {
        refuses(source, Code::TooHigh);
    }
}

#[test]
fn chains_up_to_the_limit_can_be_dropped_on_a_small_stack() {
    let source = format!("x = 1{}", " + 1".repeat(TREE_HEIGHT_MAX as usize - 4));
    let parsed = parse(&source);
    assert_eq!(codes(&parsed), []);
    drop(parsed);
}

#[test]
fn a_chain_of_branches_is_as_high_as_it_is_long() {
    // Statement, chain, block and the two levels of what stands in it.
    let chain = |links: usize| format!("if a {{ f() }}{}", " else if a { f() }".repeat(links));
    let most = TREE_HEIGHT_MAX as usize;
    assert_eq!(codes(&parse(&chain(most - 10))), []);
    assert_eq!(codes(&parse(&chain(most))), [Code::TooHigh]);
}

#[test]
fn chains_up_to_the_limit_can_be_walked_on_a_big_stack() {
    let walk = || {
        let source = format!("x = {}1", "a => ".repeat(TREE_HEIGHT_MAX as usize - 4));
        let parsed = parse(&source);
        assert_eq!(parsed, parsed.clone());
        assert!(flin_syntax::dump::dump(&parsed.program).contains("lambda"));
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(walk);
    let result = thread.expect("a thread starts").join();
    assert!(result.is_ok());
}

#[test]
fn flat_things_may_be_long() {
    let items = "1, ".repeat(50_000);
    assert_eq!(codes(&parse(&format!("x = [{items}]"))), []);
    let arms = "1 -> 2\n".repeat(5_000);
    assert_eq!(codes(&parse(&format!("match a {{\n{arms}}}"))), []);
    assert_eq!(
        codes(&parse(&format!("type T = int{}", " | int".repeat(50_000)))),
        []
    );
    assert_eq!(codes(&parse(&"x = 1\n".repeat(30_000))), []);
    assert_eq!(
        codes(&parse(&format!("x = \"{}\"", "é".repeat(1_000_000)))),
        []
    );
}

#[test]
fn many_errors_are_cut_off() {
    for line in [
        "x = = 1\n",
        "#$\n",
        "fn {\n",
        "<p>\n",
        "x = \"a\\q\"\n",
        "}\n",
        "(\n",
        "if\n",
    ] {
        let parsed = parse(&line.repeat(20_000));
        let errors = parsed.diagnostics.iter().filter(|d| d.is_error()).count();
        assert!(errors <= ERRORS_SHOWN_MAX, "{line:?}: {errors}");
        assert!(errors >= 1, "{line:?}");
    }
}

#[test]
fn long_looks_ahead_are_bounded() {
    let sources = [
        format!("x = {}", "A<".repeat(20_000)),
        format!("x = {}", "A<b,".repeat(20_000)),
        "/*".repeat(500_000),
        "/*\n".repeat(200_000),
        "<style>\n".repeat(20_000),
        "<!--\n".repeat(20_000),
        "r\"\n".repeat(100_000),
        "'a: \n".repeat(100_000),
        format!("<p>{}</p>", "&x;".repeat(100_000)),
        format!("<p>{}</p>", "</b>".repeat(50_000)),
        "{ a = ".repeat(200),
        "x".repeat(1_000_000),
        "9".repeat(1_000_000),
    ];
    for source in &sources {
        let parsed = parse(source);
        let errors = parsed.diagnostics.iter().filter(|d| d.is_error()).count();
        assert!(errors <= ERRORS_SHOWN_MAX);
    }
}

// rule: lex.limit_file
#[test]
fn bytes_that_are_no_program() {
    assert_eq!(codes(&parse_bytes(b"a = \xff\xfe")), [Code::NotUtf8]);
    assert_eq!(codes(&parse_bytes(b"\0\0\0\0")), [Code::UnknownCharacter]);
    assert_eq!(codes(&parse_bytes(b"")), []);
    assert_eq!(codes(&parse_bytes(b"\xef\xbb\xbf")), []);
    let huge = vec![b' '; FILE_BYTES_MAX + 1];
    assert_eq!(codes(&parse_bytes(&huge)), [Code::FileTooLarge]);
}

#[test]
fn everything_unterminated() {
    for opener in UNFINISHED {
        for source in [
            (*opener).to_owned(),
            format!("x = 1\n{opener}\n"),
            format!("{opener}\u{1F600}"),
        ] {
            let parsed = parse(&source);
            for diagnostic in &parsed.diagnostics {
                let span = diagnostic.span();
                assert!(source.get(span.range()).is_some(), "{source:?}: {span:?}");
            }
        }
    }
}

#[test]
fn too_many_tokens_are_not_read() {
    for (part, tokens) in [("x\n", 1), ("1+", 2), ("\"\"", 2)] {
        let source = part.repeat(TOKENS_MAX / tokens + 1);
        assert_eq!(codes(&parse(&source)), [Code::FileTooLarge], "{part:?}");
    }
}
