//! Generates the parser from `src/flin.lalrpop`, only when that file has changed.

fn main() {
    println!("cargo:rerun-if-changed=src/flin.lalrpop");
    lalrpop::Configuration::new()
        .use_cargo_dir_conventions()
        .process()
        .expect("the grammar has no conflicts");
}
