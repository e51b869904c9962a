//! A program that needs little of the prelude is compiled with little of it, and must come out as with all of it. Must stay
//! true: every program without entities is compared, right or wrong; a comment that says all words of the library asks for all
//! of the prelude that such programs may need.

use flin_bytecode::fbc;
use flin_corpus::{Case, files};

/// Words that stand for what needs a function of the prelude without naming it.
const BECAUSE: [&str; 5] = ["bind", "class", "component", "multiple", "route"];

#[test]
fn what_is_left_out_of_the_prelude_changes_nothing() {
    let all_words: Vec<&str> = flin_bytecode::library::names().chain(BECAUSE).collect();
    let all_words = all_words.join(" ");
    let mut compared = 0;
    for (name, path) in files() {
        let text = std::fs::read_to_string(path).expect("a readable program");
        let source = Case::parse(&text).source;
        if source.contains("entity") {
            continue; // is compiled with all of it anyway
        }
        let both = [source.clone(), format!("{source}// {all_words}\n")].map(|source| {
            flinc::compile("same.flin", &source)
                .map(|compiled| {
                    (
                        fbc::write(&compiled.module),
                        format!("{:?}", compiled.warnings),
                    )
                })
                .map_err(|found| format!("{found:?}"))
        });
        let [needed, whole] = both;
        assert_eq!(needed.is_ok(), whole.is_ok(), "{name}");
        assert!(needed == whole, "{name} is compiled differently");
        compared += 1;
    }
    assert!(compared > 100, "{compared} programs");
}
