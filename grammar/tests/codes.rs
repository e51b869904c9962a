//! The list of codes: numbers are stable and ordered, texts are there, and every code of the syntax can really be met.

use flin_syntax::Code;
use flin_syntax::render::{Color, Sources, render, render_json};
use flin_testkit::golden;
use std::path::Path;

#[test]
fn rows_are_ordered_and_complete() {
    assert!(Code::ALL.is_sorted_by(|a, b| a.number() < b.number()));
    for &code in Code::ALL {
        assert_eq!(Code::parse(&code.to_string()), Some(code));
        assert_eq!(Code::parse(&code.number().to_string()), Some(code));
        assert!(!code.title().is_empty(), "{code}");
        assert!(code.explanation().len() > 20, "{code}");
        assert!(!code.name().is_empty(), "{code}");
    }
    assert_eq!(Code::parse("F9999"), None);
    assert_eq!(Code::parse("x"), None);
}

#[test]
fn every_code_of_the_syntax_is_met_by_a_broken_program() {
    // These need inputs too large for a file of the corpus; `tests/overload.rs` meets them.
    let large = [
        Code::TooDeep,
        Code::TooHigh,
        Code::FileTooLarge,
        Code::TooManyErrors,
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let messages: String = golden::files(&folder, ".messages")
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("the corpus can be read"))
        .collect();
    let unmet: Vec<String> = Code::ALL
        .iter()
        .filter(|code| code.number() < 100 && !large.contains(code))
        .filter(|code| !messages.contains(&format!("[{code}]")))
        .map(|code| format!("{code} {}", code.name()))
        .collect();
    assert!(unmet.is_empty(), "never met: {unmet:?}");
}

#[test]
fn messages_can_be_coloured_and_given_as_json() {
    let source = "x = \"ä {y\"\n";
    let parsed = flin_syntax::parse(source);
    let files = Sources::single("a \"b\".flin", source);
    let diagnostic = parsed.diagnostics.first().expect("there is an error");
    assert!(render(diagnostic, &files, Color::Always).contains("\u{1b}["));
    assert!(!render(diagnostic, &files, Color::Never).contains('\u{1b}'));
    assert_eq!(
        render_json(diagnostic, &files),
        "{\"code\":\"F0004\",\"severity\":\"error\",\"title\":\"this text is not closed\",\
         \"hint\":\"add \\\" at the end of the text\",\"labels\":[{\"file\":\"a \\\"b\\\".flin\",\
         \"start\":4,\"end\":5,\"line\":1,\"column\":5,\"end_line\":1,\"end_column\":6,\
         \"text\":\"no closing \\\" follows\"}]}"
    );
}
