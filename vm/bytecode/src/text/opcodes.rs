//! `OPCODES.md`: the op table as a page. Here because it is derived from the table alone. Must stay true: a test
//! compares the file with this text.

use std::fmt::Write as _;

use crate::ops::{Family, Op, OperandKind};

/// The text of `OPCODES.md`.
pub fn opcodes_page() -> String {
    let mut out = String::from(
        "# Operations of the FLIN machine\n\n\
         Made from `src/ops.rs`; do not edit (`BLESS=1 cargo nextest run -p flin-bytecode` writes it again).\n\n\
         An instruction is 8 bytes, little endian: operation (bits 0-15), a (16-23), b (24-31), then either imm (32-63,\n\
         signed) or, in rows with c: c (32-39) and imm (40-63, signed). `out`, `in`, `inout`: a register of a class;\n\
         `run`: the first of several; `swin`, `rwin`: the start of a call window in the scalar and the reference bank.\n\
         Effects: `trap` may raise an error, `alloc` may allocate, `suspend` may wait for the world, `end`: the next\n\
         instruction is not reached from here.\n",
    );
    for family in Family::ALL {
        let _ = writeln!(
            out,
            "\n## {}\n\n| no. | operation | operands | effects | meaning |\n|---|---|---|---|---|",
            family.name()
        );
        for op in Op::ALL.iter().filter(|op| op.row().family == family) {
            let row = op.row();
            let operands: Vec<String> = row
                .operands
                .iter()
                .map(|o| format!("{}: {}", o.place.name(), kind_name(o.kind)))
                .collect();
            let effects: Vec<&str> = row.effects.words().collect();
            let _ = writeln!(
                out,
                "| {} | `{}` | {} | {} | {} |",
                op.number(),
                row.mnemonic,
                operands.join(", "),
                effects.join(" "),
                row.meaning.replace('|', "\\|")
            );
        }
    }
    out
}

/// The words of the table for an operand.
fn kind_name(kind: OperandKind) -> String {
    let word = match kind {
        OperandKind::Out(class) => return format!("out {class}"),
        OperandKind::In(class) => return format!("in {class}"),
        OperandKind::InOut(class) => return format!("inout {class}"),
        OperandKind::Run(class) => return format!("run {class}"),
        OperandKind::Window(bank) => match bank {
            crate::class::Bank::Scalar => "swin",
            crate::class::Bank::Reference => "rwin",
        },
        OperandKind::Bank => "bank",
        OperandKind::Class => "class",
        OperandKind::RegPair => "regpair",
        OperandKind::Int => "int",
        OperandKind::Count => "count",
        OperandKind::Slot => "slot",
        OperandKind::Capture => "capture",
        OperandKind::LogLevel => "log_level",
        OperandKind::Output => "output",
        OperandKind::Template => "template",
        OperandKind::Item => "item",
        OperandKind::ViewPlace => "place",
        OperandKind::ViewControl => "control",
        OperandKind::ConstInt => "const_int",
        OperandKind::ConstFloat => "const_float",
        OperandKind::ConstText => "const_text",
        OperandKind::TypeDesc => "type_desc",
        OperandKind::Shape => "shape",
        OperandKind::Global => "global",
        OperandKind::Jump => "jump",
        OperandKind::Func => "func",
        OperandKind::Closure => "closure",
        OperandKind::Sig => "sig",
        OperandKind::Lib => "lib",
        OperandKind::Entity => "entity",
        OperandKind::Field => "field",
        OperandKind::DeclaredField => "declared_field",
        OperandKind::Handler => "handler",
        OperandKind::Unused => "none",
    };
    word.to_owned()
}
