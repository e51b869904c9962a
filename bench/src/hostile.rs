//! Inputs that no person writes: far too deep, far too long, never closed, no text at all. Here because a compiler that runs
//! on a server must answer each with a message, soon, in bounded memory. Must stay true: every input is made anew from a
//! few characters; none is meant to compile fast because it is right, except those that are just long.

/// An input: what it is, and how to make it.
#[derive(Clone, Copy, Debug)]
pub struct Hostile {
    /// In a few words.
    pub name: &'static str,
    /// Its bytes.
    pub make: fn() -> Vec<u8>,
}

const MIB: usize = 1 << 20;

/// All inputs.
pub const HOSTILE: &[Hostile] = &[
    Hostile {
        name: "100,000 nested parentheses",
        make: || nested("x = ", "(", "1", ")", 100_000),
    },
    Hostile {
        name: "100,000 nested lists",
        make: || nested("x = ", "[", "1", "]", 100_000),
    },
    Hostile {
        name: "100,000 nested blocks",
        make: || nested("", "if true {\n", "1", "}\n", 100_000),
    },
    Hostile {
        name: "100,000 nested elements",
        make: || nested("", "<div>", "1", "</div>", 100_000),
    },
    Hostile {
        name: "100,000 nested texts",
        make: || nested("x = ", "\"{", "1", "}\"", 100_000),
    },
    Hostile {
        name: "200 nested lambdas",
        make: || nested("x = ", "a => (", "a", ")", 200),
    },
    Hostile {
        name: "250 nested calls",
        make: || nested("x = ", "abs(", "1", ")", 250),
    },
    Hostile {
        name: "a line of 100 MB",
        make: || filled("x = \"", b'a', "\"\n", 100 * MIB),
    },
    Hostile {
        name: "a line of 15 MB",
        make: || filled("x = \"", b'a', "\"\n", 15 * MIB),
    },
    Hostile {
        name: "a name of 15 MB",
        make: || filled("x = ", b'a', "\n", 15 * MIB),
    },
    Hostile {
        name: "a number of 15 MB",
        make: || filled("x = ", b'9', "\n", 15 * MIB),
    },
    Hostile {
        name: "15 MB of NUL bytes",
        make: || filled("", 0, "", 15 * MIB),
    },
    Hostile {
        name: "15 MB of bytes that are no UTF-8",
        make: || filled("", 0xff, "", 15 * MIB),
    },
    Hostile {
        name: "15 MB of quotes",
        make: || filled("", b'"', "", 15 * MIB),
    },
    Hostile {
        name: "15 MB of braces",
        make: || filled("", b'{', "", 15 * MIB),
    },
    Hostile {
        name: "15 MB of closing braces",
        make: || filled("", b'}', "", 15 * MIB),
    },
    Hostile {
        name: "15 MB of newlines",
        make: || filled("", b'\n', "", 15 * MIB),
    },
    Hostile {
        name: "a text never closed",
        make: || filled("x = \"", b'\n', "", 15 * MIB),
    },
    Hostile {
        name: "comments never closed",
        make: || b"/*".repeat(7 * MIB),
    },
    Hostile {
        name: "tags never closed",
        make: || b"<a b=\"{".repeat(2 * MIB),
    },
    Hostile {
        name: "functions never closed",
        make: || b"fn f( {\n".repeat(100_000),
    },
    Hostile {
        name: "a sum of a million",
        make: || chain("x = 1", " + 1", 1_000_000),
    },
    Hostile {
        name: "a sum of 400,000",
        make: || chain("x = 1", " + 1", 400_000),
    },
    Hostile {
        name: "a comparison of 400,000",
        make: || chain("x = a", " < a", 400_000),
    },
    Hostile {
        name: "400,000 arrows",
        make: || chain("x = ", "a => ", 400_000),
    },
    Hostile {
        name: "900,000 negations",
        make: || chain("x = ", "!", 900_000),
    },
    Hostile {
        name: "200,000 times else if",
        make: || chain("if a { }", " else if a { }", 200_000),
    },
    Hostile {
        name: "1,500 pipes",
        make: || chain("x = 1", " |> abs", 1_500),
    },
    Hostile {
        name: "a pattern of 400,000 choices",
        make: || chain("match x { 1", " | 1", 400_000),
    },
    Hostile {
        name: "300,000 wrong lines",
        make: || b"x = )\n".repeat(300_000),
    },
    Hostile {
        name: "180,000 unknown names",
        make: || b"print(nope)\n".repeat(180_000),
    },
    Hostile {
        name: "20,000 functions with an unknown name",
        make: || numbered(20_000, |at| format!("fn f{at}(a) {{ nope{at} + a }}\n")),
    },
    Hostile {
        name: "20,000 functions with a wrong type",
        make: || numbered(20_000, |at| format!("fn f{at}(a: text) {{ a < {at} }}\n")),
    },
    Hostile {
        name: "20,000 functions",
        make: || numbered(20_000, |at| format!("fn f{at}(a, b) {{ a + b * {at} }}\n")),
    },
    Hostile {
        name: "100,000 keys in a map",
        make: || {
            let entries = numbered(100_000, |at| format!("k{at}: {at}\n"));
            [b"m = {\n", entries.as_slice(), b"}\nprint(m.k1)\n"].concat()
        },
    },
];

fn nested(before: &str, open: &str, inside: &str, close: &str, depth: usize) -> Vec<u8> {
    let (open, close) = (open.repeat(depth), close.repeat(depth));
    format!("{before}{open}{inside}{close}\n").into_bytes()
}

fn filled(before: &str, byte: u8, after: &str, length: usize) -> Vec<u8> {
    [before.as_bytes(), &vec![byte; length], after.as_bytes()].concat()
}

fn chain(first: &str, link: &str, length: usize) -> Vec<u8> {
    format!("{first}{}\n", link.repeat(length)).into_bytes()
}

fn numbered(count: usize, line: impl Fn(usize) -> String) -> Vec<u8> {
    (0..count).map(line).collect::<String>().into_bytes()
}
