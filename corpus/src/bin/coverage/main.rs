//! `cargo xtask coverage`: which parts of the language no program of the corpus meets, table by table. Here, in a program
//! of its own, because it needs a parser and a machine that count (feature `coverage`). Must stay true: every table is
//! read from where its rows are declared; a hole is printed by name and makes the run fail; what no program can meet
//! stands in `UNREACHABLE` with its reason, and standing there while it is met is an error, too.

#![forbid(unsafe_code)]

mod observe;
mod shapes;

use std::collections::BTreeSet;
use std::process::ExitCode;

use flin_bytecode::Op;
use flin_bytecode::library::LIBRARY;
use flin_corpus::root;
use flin_syntax::{Code, coverage};

use observe::{Seen, Share, Trees};

/// Rows that no program can meet, with the reason: table, beginning of the row's name, why.
const UNREACHABLE: &[(&str, &str, &str)] = &[];

/// One table.
struct Table {
    name: &'static str,
    /// Name of each row and whether it was met.
    rows: Vec<(String, bool)>,
}

fn main() -> ExitCode {
    let trees = Trees::read();
    let seen = observe::observe(&trees);
    let tables = tables(&trees, &seen);
    println!("{} programs\n", seen.programs);
    let mut holes = 0;
    for table in &tables {
        holes += print(table);
    }
    holes += unknown_rules(&seen);
    print_shares(&seen);
    if holes == 0 {
        println!("no holes");
        ExitCode::SUCCESS
    } else {
        println!("{holes} holes");
        ExitCode::FAILURE
    }
}

fn tables(trees: &Trees, seen: &Seen) -> Vec<Table> {
    let productions = coverage::PRODUCTIONS.iter().zip(&seen.productions);
    let variants = |definitions: &shapes::Definitions, seen: &BTreeSet<shapes::Variant>| {
        let row = |variant: shapes::Variant| {
            let met = seen.contains(&variant);
            (format!("{}::{}", variant.0, variant.1), met)
        };
        definitions.variants().into_iter().map(row).collect()
    };
    let ops = |met: &dyn Fn(&Op) -> bool| {
        let row = |op: &Op| (op.mnemonic().to_owned(), met(op));
        Op::ALL.iter().map(row).collect()
    };
    let library = LIBRARY.iter().enumerate().map(|(at, row)| {
        let met = seen.rows.contains(&flin_bytecode::LibId(at as u16));
        (format!("{} {}", row.name, row.scheme_text), met)
    });
    let kinds = flin_vm::ErrorKind::KNOWN.iter();
    let codes = Code::ALL.iter();
    let table = |name, rows| Table { name, rows };
    vec![
        table(
            "grammar productions",
            productions
                .map(|(name, n)| ((*name).to_owned(), *n > 0))
                .collect(),
        ),
        table("syntax tree", variants(&trees.syntax, &seen.tree)),
        table(
            "resolved program and types",
            variants(&trees.resolved, &seen.resolved),
        ),
        table("operations compiled", ops(&|op| seen.emitted.contains(op))),
        table(
            "operations executed",
            ops(&|op| seen.executed.contains_key(op)),
        ),
        table("library rows called", library.collect()),
        table(
            "error kinds raised and seen",
            kinds
                .map(|kind| (kind.name().to_owned(), seen.kinds.contains(kind.name())))
                .collect(),
        ),
        table(
            "diagnostic codes",
            codes
                .map(|code| (format!("{code} {}", code.name()), seen.codes.contains(code)))
                .collect(),
        ),
        table(
            "rules of the reference",
            rules()
                .into_iter()
                .map(|rule| {
                    let met = seen.rules.contains_key(&rule);
                    (rule, met)
                })
                .collect(),
        ),
    ]
}

/// The ids of rules in the chapters of the reference: `<!-- r: chapter.rule -->`.
fn rules() -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    let folder = root().join("../docs/language");
    if !folder.is_dir() {
        return rules;
    }
    for path in flin_testkit::golden::files(&folder, ".md") {
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let marks = text.split("<!-- r:").skip(1);
        let ids = marks.filter_map(|rest| rest.split("-->").next());
        rules.extend(
            ids.flat_map(|ids| ids.split(','))
                .map(|id| id.trim().to_owned()),
        );
    }
    rules
}

/// Prints a table; how many holes it has.
fn print(table: &Table) -> usize {
    let excused = |name: &str| {
        let mut list = UNREACHABLE.iter();
        list.any(|(of, row, _)| *of == table.name && name.starts_with(row))
    };
    let holes = table
        .rows
        .iter()
        .filter(|(name, met)| !met && !excused(name));
    let holes: Vec<&str> = holes.map(|(name, _)| name.as_str()).collect();
    let wrong = table
        .rows
        .iter()
        .filter(|(name, met)| *met && excused(name));
    let wrong: Vec<&str> = wrong.map(|(name, _)| name.as_str()).collect();
    let met = table.rows.iter().filter(|(_, met)| *met).count();
    let unreachable = table.rows.len() - met - holes.len();
    let note = if unreachable > 0 {
        format!(", {unreachable} that no program can meet")
    } else {
        String::new()
    };
    println!("{:<28} {met} of {}{note}", table.name, table.rows.len());
    for hole in &holes {
        println!("    hole: {hole}");
    }
    for row in &wrong {
        println!("    met, though it is listed as unreachable: {row}");
    }
    holes.len() + wrong.len()
}

/// Rules that programs name and the reference does not have.
fn unknown_rules(seen: &Seen) -> usize {
    let known = rules();
    let unknown = seen.rules.iter().filter(|(rule, _)| !known.contains(*rule));
    let mut count = 0;
    for (rule, program) in unknown {
        println!("    {program}: the reference has no rule {rule}");
        count += 1;
    }
    count
}

/// Prints how many instructions work on words whose type is known only at run time.
fn print_shares(seen: &Seen) {
    println!("\nshare of operations on `any`      compiled  executed");
    let mut total = Share::default();
    for (folder, share) in &seen.untyped {
        total.add(*share);
        print_share(folder, share);
    }
    print_share("total", &total);
    println!();
}

fn print_share(name: &str, share: &Share) {
    let percent = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
    println!(
        "{name:<32} {:>8.1} % {:>7.1} %",
        percent(share.emitted_untyped, share.emitted),
        percent(share.executed_untyped, share.executed)
    );
}
