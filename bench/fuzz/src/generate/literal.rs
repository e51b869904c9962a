//! Literals of every type, edges often enough. Must stay true: what is written here cannot raise an error.

use super::Generator;
use super::types::Ty;

const WORDS: [&str; 22] = [
    "",
    "a",
    "b",
    "ab",
    "word",
    "two words",
    " spaced ",
    "é",
    "naïve",
    "ß",
    "İ",
    "a\u{301}",
    "\u{1F600}",
    "\u{1F468}\u{200D}\u{1F469}",
    "12",
    "-3.5",
    "1e3",
    "x@y.org",
    "a,b,,c",
    "line\nbreak",
    "q\"uote",
    "{brace}",
];

const INTS: [&str; 12] = [
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775806",
    "4611686018427387904",
    "-4611686018427387905",
    "9007199254740993",
    "2147483648",
    "-2147483649",
    "0xff",
    "0b101",
    "1_000",
    "255",
];

const FLOATS: [&str; 14] = [
    "0.0",
    "-0.0",
    "1.5",
    "-2.25",
    "0.1",
    "1e21",
    "1e-7",
    "5e-324",
    "1.7976931348623157e308",
    "(0.0 / 0.0)",
    "(1.0 / 0.0)",
    "(-1.0 / 0.0)",
    "123456789.125",
    "3.0",
];

impl Generator {
    /// A value that needs no other ones.
    pub(super) fn literal(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Int => self.int_literal(),
            Ty::Float => match self.rng.below(3) {
                0 => (*self.rng.pick(&FLOATS)).to_owned(),
                _ => format!("{}.{}", self.rng.below(100), self.rng.below(4) * 25),
            },
            Ty::Bool => (*self.rng.pick(&["true", "false"])).to_owned(),
            Ty::Text => self.text_literal(),
            Ty::Time => "parse_time(\"2026-03-04T05:06:07Z\") ?: now".to_owned(),
            Ty::Duration => format!(
                "{}.{}",
                self.rng.below(90),
                self.rng
                    .pick(&["ms", "seconds", "minutes", "hours", "days"])
            ),
            Ty::Optional(of) => {
                if self.rng.one_in(3) {
                    "none".to_owned()
                } else {
                    self.literal(of)
                }
            }
            Ty::List(of) => {
                // An empty list says nothing about its elements; where it matters, `expr` has it annotated.
                let count = 1 + self.rng.below(3);
                let items: Vec<String> = (0..count).map(|_| self.literal(of)).collect();
                format!("[{}]", items.join(", "))
            }
            Ty::Map(of) => {
                let count = 1 + self.rng.below(3);
                let items: Vec<String> = (0..count)
                    .map(|number| format!("m{number}: {}", self.literal(of)))
                    .collect();
                format!("{{ {} }}", items.join(", "))
            }
            Ty::Tuple(members) => {
                let items: Vec<String> = members.iter().map(|ty| self.literal(ty)).collect();
                format!("({})", items.join(", "))
            }
            Ty::Record(index) => {
                let fields = self.records[*index].clone();
                let items: Vec<String> = fields
                    .iter()
                    .map(|(name, ty)| format!("{name}: {}", self.literal(ty)))
                    .collect();
                format!("{{ {} }}", items.join(", "))
            }
            Ty::Enum(index) => {
                let EnumDef { name, variants } = self.enums[*index].clone();
                let (variant, data) = self.rng.pick(&variants).clone();
                if data.is_empty() {
                    return format!("{name}.{variant}");
                }
                let items: Vec<String> = data.iter().map(|ty| self.literal(ty)).collect();
                format!("{name}.{variant}({})", items.join(", "))
            }
            Ty::Func(params, result) => {
                let names: Vec<String> = params.iter().map(|_| self.name("p")).collect();
                let value = self.literal(result);
                match names.as_slice() {
                    [one] => format!("({one} => {value})"),
                    names => format!("(({}) => {value})", names.join(", ")),
                }
            }
        }
    }

    pub(super) fn int_literal(&mut self) -> String {
        match self.rng.below(12) {
            0 => (*self.rng.pick(&INTS)).to_owned(),
            1 => format!("-{}", 1 + self.rng.below(9)),
            _ => self.rng.below(12).to_string(),
        }
    }

    pub(super) fn text_literal(&mut self) -> String {
        let word = *self.rng.pick(&WORDS);
        if self.rng.one_in(8) && !word.contains(['\'', '\\', '{', '}', '\n']) {
            return format!("'{word}'");
        }
        format!("\"{}\"", escaped(word))
    }
}

use super::EnumDef;

/// The inside of a text literal.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '{' => out.push_str("\\{"),
            '}' => out.push_str("\\}"),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out
}
