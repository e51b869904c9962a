//! Generated queries over generated records, asked of the store (the conditions that the compiler hands over) and asked of
//! each record by the program itself. Must stay true: both find the same records in the same order, or raise the same error
//! with the same words; and most of what is generated compiles, so that something is compared.

use flin_corpus::{Policy, compiled_with, run_module};
use flin_testkit::rng::Rng;
use flinc::optimise::Passes;

const ENTITIES: &str = "\
entity Tag { name: text }
entity Item { a: int, b: int?, f: float, g: float?, t: text, u: text?, ok: bool, maybe: bool?, tag: Tag?, xs: [int] }
red = save Tag { name: \"red\" }
blue = save Tag { name: \"blue\" }
";
/// Programs tried.
const PROGRAMS: u64 = 40;
/// Of a hundred programs so many have to compile.
const COMPILE: u64 = 60;

fn one_of<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[rng.below(words.len())]
}

/// A record, with few values each, so that conditions hold for some.
fn record(rng: &mut Rng) -> String {
    format!(
        "save Item {{ a: {}, b: {}, f: {}, g: {}, t: \"{}\", u: {}, ok: {}, maybe: {}, tag: {}, xs: {} }}\n",
        one_of(rng, &["0", "1", "2", "3", "-1"]),
        one_of(rng, &["none", "0", "2", "5"]),
        one_of(rng, &["0.0", "-0.0", "1.5", "2.0", "0.0 / 0.0"]),
        one_of(rng, &["none", "0.5", "2.0"]),
        one_of(rng, &["", "a", "b", "ab", "B", "é"]),
        one_of(rng, &["none", "\"\"", "\"a\"", "\"ba\""]),
        one_of(rng, &["true", "false"]),
        one_of(rng, &["none", "true", "false"]),
        one_of(rng, &["none", "red", "blue"]),
        one_of(rng, &["[]", "[1]", "[3, 1]"]),
    )
}

/// A condition about one record, which may be an error for some.
fn condition(rng: &mut Rng, depth: usize) -> String {
    if depth > 0 && rng.below(5) < 3 {
        let left = condition(rng, depth - 1);
        return match rng.below(5) {
            0 => format!("!({left})"),
            1 | 2 => format!("({left}) || ({})", condition(rng, depth - 1)),
            _ => format!("({left}) && ({})", condition(rng, depth - 1)),
        };
    }
    let order = one_of(rng, &["==", "!=", "<", "<=", ">", ">="]);
    let equal = one_of(rng, &["==", "!="]);
    match rng.below(20) {
        0 => format!(
            "a {order} {}",
            one_of(rng, &["0", "1", "2", "1.5", "limit"])
        ),
        1 => format!("{} {order} a", one_of(rng, &["1", "2.0", "limit"])),
        2 => format!("b {order} {}", one_of(rng, &["0", "2", "limit"])),
        3 => format!("b {equal} none"),
        4 => format!("f {order} {}", one_of(rng, &["0.0", "2", "1.5"])),
        5 => format!("g {order} {}", one_of(rng, &["0.5", "2", "1"])),
        6 => format!("a {order} b"),
        7 => format!("t {order} \"{}\"", one_of(rng, &["", "a", "b"])),
        8 => format!("u {equal} {}", one_of(rng, &["none", "\"a\"", "word"])),
        9 => one_of(rng, &["ok", "!ok", "ok == true", "ok == false"]).to_owned(),
        10 => format!("maybe {equal} {}", one_of(rng, &["true", "false", "none"])),
        11 => format!("tag {equal} {}", one_of(rng, &["none", "red", "gone"])),
        12 => format!("tag.name {equal} \"red\""),
        13 => format!("6 / a {order} 3"),
        14 => format!(
            "t.{}(\"{}\")",
            one_of(rng, &["starts_with", "contains"]),
            one_of(rng, &["", "a", "b"])
        ),
        15 => format!("xs.contains({})", one_of(rng, &["1", "3"])),
        16 => format!("a in {}", one_of(rng, &["[]", "[1, 3]", "[2, limit]"])),
        17 => format!("id {order} {}", one_of(rng, &["3", "limit", "0"])),
        18 => format!("(b ?: 1) {order} 1"),
        _ => format!("t.len {order} {}", one_of(rng, &["0", "1"])),
    }
}

/// How the records that were found are asked for.
fn asked(rng: &mut Rng) -> String {
    let ordered = match rng.below(3) {
        0 => String::new(),
        1 => format!(".order({})", one_of(rng, &["a", "b", "t", "f"])),
        _ => format!(".order({}, \"desc\")", one_of(rng, &["a", "b", "u", "g"])),
    };
    let part = one_of(
        rng,
        &["", "", ".limit(2)", ".offset(1)", ".offset(1).limit(3)"],
    );
    let end = one_of(
        rng,
        &[
            ".map(i => i.id)",
            ".map(i => i.id)",
            ".count",
            ".exists",
            ".first?.id",
            ".last?.id",
            ".sum(a)",
        ],
    );
    format!("{ordered}{part}{end}")
}

/// A program: what is found or the error, for each query.
fn program(seed: u64) -> String {
    let mut rng = Rng::new(seed);
    let mut text = ENTITIES.to_owned();
    text += "limit = 2\nword = \"a\"\ngone = save Tag { name: \"gone\" }\n";
    for _ in 0..12 {
        text += &record(&mut rng);
    }
    text += "delete gone\ndelete Item.find(5)\n";
    for _ in 0..3 {
        let (condition, asked) = (condition(&mut rng, 2), asked(&mut rng));
        text += &format!(
            "try {{ print(Item.where({condition}){asked}) }} catch e {{ print(e.kind, e.message) }}\n"
        );
    }
    text
}

#[test]
fn the_store_and_the_program_find_the_same() {
    let mut compiled = 0;
    let mut errors = 0;
    for seed in 0..PROGRAMS {
        let source = program(seed);
        let ran = |passes: Passes| {
            let module = compiled_with("generated.flin", &source, passes).ok()?;
            Some(run_module(
                "generated.flin",
                &source,
                module,
                Policy::Interpreter,
            ))
        };
        let Some(alone) = ran(Passes::without("push").expect("a pass")) else {
            continue;
        };
        let pushed = ran(Passes::default()).expect("it compiled without handing over");
        assert_eq!(pushed.happened, alone.happened, "seed {seed}:\n{source}");
        compiled += 1;
        errors += u64::from(alone.happened.contains("Error"));
    }
    assert!(
        compiled * 100 >= PROGRAMS * COMPILE,
        "only {compiled} of {PROGRAMS} compile"
    );
    assert!(
        errors > 0 && errors < compiled,
        "{errors} of {compiled} met an error"
    );
}
