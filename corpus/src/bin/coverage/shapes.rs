//! Which variants of a tree's enums occur in a value, found by reading the value's `{:?}` text along the definitions of its
//! types in the source. Here because the definitions are then the only list of variants: nothing has to be kept beside
//! them. Must stay true: every `enum` of the given sources counts, a type that is not defined there is skipped whole.

use std::collections::{BTreeMap, BTreeSet};

/// The structs and enums of some source texts.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    structs: BTreeMap<String, Fields>,
    enums: BTreeMap<String, Vec<(String, Fields)>>,
}

/// What a struct or variant holds.
#[derive(Clone, Debug)]
enum Fields {
    Unit,
    Tuple(Vec<String>),
    Named(BTreeMap<String, String>),
}

/// Enum and variant.
pub(crate) type Variant = (String, String);

impl Definitions {
    /// Reads the public types of source texts.
    pub(crate) fn read(sources: &[String]) -> Definitions {
        let mut definitions = Definitions::default();
        for source in sources {
            let text = without_comments(source);
            for (at, _) in text.match_indices("pub struct ") {
                let (name, fields) = definition(&text[at + "pub struct ".len()..]);
                definitions.structs.insert(name, fields_of(&fields));
            }
            for (at, _) in text.match_indices("pub enum ") {
                let (name, body) = definition(&text[at + "pub enum ".len()..]);
                let inner = body.trim_start_matches('{').trim_end_matches('}');
                let variants = split(inner)
                    .into_iter()
                    .map(|variant| {
                        let end = variant.find(['(', '{', ' ']).unwrap_or(variant.len());
                        let (name, rest) = variant.split_at(end);
                        (name.to_owned(), fields_of(rest.trim()))
                    })
                    .collect();
                definitions.enums.insert(name, variants);
            }
        }
        definitions
    }

    /// All variants, in the order of enums' names.
    pub(crate) fn variants(&self) -> Vec<Variant> {
        let of = |(name, variants): (&String, &Vec<(String, Fields)>)| {
            let pairs = variants.iter().map(|(v, _)| (name.clone(), v.clone()));
            pairs.collect::<Vec<_>>()
        };
        self.enums.iter().flat_map(of).collect()
    }

    /// Adds the variants that occur in a value of this type, given as its `{:?}` text.
    ///
    /// # Panics
    /// If the text is no value of the type: then the definitions are not those of the value.
    pub(crate) fn observe(&self, ty: &str, debug: &str, seen: &mut BTreeSet<Variant>) {
        let mut reader = Reader {
            definitions: self,
            rest: debug,
            seen,
        };
        reader.value(ty);
        assert!(reader.rest.is_empty(), "left of a {ty}: {}", reader.rest);
    }
}

/// The text without `//` comments and `#[…]` attributes.
fn without_comments(source: &str) -> String {
    let lines = source.lines().filter_map(|line| {
        let line = line.trim();
        let line = line.split("//").next().unwrap_or_default().trim();
        (!line.starts_with("#[")).then_some(line)
    });
    lines.collect::<Vec<_>>().join(" ")
}

/// Name and body (`{…}`, `(…)` or nothing) at the start of a text.
fn definition(text: &str) -> (String, String) {
    let end = text.find(['{', '(', ';', ' ', '<']).unwrap_or(text.len());
    let name = text[..end].trim().to_owned();
    let body = &text[end..];
    let start = body.find(['{', '(', ';']).unwrap_or(body.len());
    let body = &body[start..];
    (name, body[..balanced(body)].to_owned())
}

/// The length of the bracketed text at the start; 0 if there is none.
fn balanced(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return if at == 0 { 0 } else { at + 1 };
        }
    }
    text.len()
}

/// The parts between commas outside of brackets.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' | '(' | '[' | '<' => depth += 1,
            '>' if before == '-' => {}
            '}' | ')' | ']' | '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim().to_owned());
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    parts.push(text[start..].trim().to_owned());
    parts.retain(|part| !part.is_empty());
    parts
}

fn fields_of(body: &str) -> Fields {
    if let Some(inner) = body.strip_prefix('{') {
        let fields = split(inner.trim_end_matches('}'));
        let pair = |field: &String| {
            let (name, ty) = field.split_once(':')?;
            let name = name.trim().trim_start_matches("pub ").to_owned();
            Some((name, ty.trim().to_owned()))
        };
        Fields::Named(fields.iter().filter_map(pair).collect())
    } else if let Some(inner) = body.strip_prefix('(') {
        let types = split(inner.trim_end().trim_end_matches(')'));
        let bare = |ty: &String| ty.trim_start_matches("pub ").to_owned();
        Fields::Tuple(types.iter().map(bare).collect())
    } else {
        Fields::Unit
    }
}

/// Walks a `{:?}` text.
struct Reader<'a> {
    definitions: &'a Definitions,
    rest: &'a str,
    seen: &'a mut BTreeSet<Variant>,
}

impl Reader<'_> {
    fn value(&mut self, ty: &str) {
        let ty = ty.trim();
        let (name, args) = match ty.split_once('<') {
            Some((name, args)) => (name, split(args.trim_end().trim_end_matches('>'))),
            None => (ty, Vec::new()),
        };
        let name = name.rsplit("::").next().unwrap_or(name);
        if let Some(inner) = ty.strip_prefix('(') {
            self.tuple(&split(inner.trim_end_matches(')')));
        } else if name == "Box" || name == "Arc" && args[0] != "str" {
            self.value(&args[0]);
        } else if name == "Option" {
            if !self.take("None") {
                self.expect("Some");
                self.tuple(&args);
            }
        } else if name == "Vec" {
            self.items('[', ']', |reader| reader.value(&args[0]));
        } else if name == "HashMap" {
            self.items('{', '}', |reader| {
                reader.value(&args[0]);
                reader.expect(": ");
                reader.value(&args[1]);
            });
        } else if let Some(fields) = self.definitions.structs.get(name) {
            self.expect(name);
            self.fields(fields);
        } else if let Some(variants) = self.definitions.enums.get(name) {
            let end = self.rest.find(|c: char| !c.is_alphanumeric());
            let word = &self.rest[..end.unwrap_or(self.rest.len())];
            let Some((variant, fields)) = variants.iter().find(|(v, _)| v == word) else {
                panic!("expected a {name}: {}", self.rest);
            };
            self.seen.insert((name.to_owned(), variant.clone()));
            self.expect(variant);
            self.fields(fields);
        } else {
            self.skip();
        }
    }

    fn fields(&mut self, fields: &Fields) {
        match fields {
            Fields::Unit => {}
            Fields::Tuple(types) => self.tuple(types),
            Fields::Named(types) => {
                self.expect(" { ");
                loop {
                    let (name, rest) = self.rest.split_once(": ").expect("a field");
                    self.rest = rest;
                    let ty = types.get(name).unwrap_or_else(|| panic!("a field {name}"));
                    self.value(ty);
                    if !self.take(", ") {
                        break;
                    }
                }
                self.expect(" }");
            }
        }
    }

    fn tuple(&mut self, types: &[String]) {
        self.expect("(");
        for (at, ty) in types.iter().enumerate() {
            if at > 0 {
                self.expect(", ");
            }
            self.value(ty);
        }
        self.expect(")");
    }

    fn items(&mut self, open: char, close: char, mut item: impl FnMut(&mut Self)) {
        self.expect(&open.to_string());
        while !self.rest.starts_with(close) {
            item(self);
            self.take(", ");
        }
        self.expect(&close.to_string());
    }

    /// Passes over a value of an unknown type.
    fn skip(&mut self) {
        let (mut depth, mut quoted, mut escaped) = (0, false, false);
        let mut end = self.rest.len();
        for (at, c) in self.rest.char_indices() {
            if quoted {
                match c {
                    '"' if !escaped => quoted = false,
                    '\\' => {
                        escaped = !escaped;
                        continue;
                    }
                    _ => {}
                }
                escaped = false;
                continue;
            }
            match c {
                '"' => quoted = true,
                '{' | '(' | '[' => depth += 1,
                '}' | ')' | ']' | ',' | ':' if depth == 0 => {
                    end = at;
                    break;
                }
                '}' | ')' | ']' => depth -= 1,
                _ => {}
            }
        }
        // A struct's end stands after a blank.
        let value = self.rest[..end].trim_end();
        self.rest = &self.rest[value.len()..];
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, text: &str) {
        let shown: String = self.rest.chars().take(60).collect();
        assert!(self.take(text), "expected `{text}` at: {shown}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_found_by_type_not_by_name() {
        let source = "pub enum Kind {\n /// No.\n None,\n Some(Box<Kind>),\n Named { x: Option<Kind>, y: (u8, Vec<Other>) },\n}\n\
                      pub enum Other { None, Text(Arc<str>) }"
            .to_owned();
        let definitions = Definitions::read(&[source]);
        assert_eq!(definitions.variants().len(), 5);
        let mut seen = BTreeSet::new();
        definitions.observe(
            "Kind",
            "Named { x: None, y: (3, [Text(\"a \\\") , None\")]) }",
            &mut seen,
        );
        let seen: Vec<_> = seen.into_iter().map(|(e, v)| format!("{e}.{v}")).collect();
        assert_eq!(seen, ["Kind.Named", "Other.Text"]);
    }
}
