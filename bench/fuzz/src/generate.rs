//! A generator of well-typed programs. Here because engines are compared on programs that nobody thought of. Must stay
//! true: a program depends on seed and size alone; it compiles without an error; it ends, because every loop and every
//! recursion is bounded by what the generator writes; what is printed depends on nothing outside.
//!
//! `generate(seed, size)` gives the text; `marked` the same with places for annotations (`/*: int*/`), which `variants`
//! turns into other programs that must do the same.

mod calls;
mod expr;
mod hot;
mod hot_nested;
mod hot_parts;
mod literal;
mod stmt;
mod types;
pub mod variants;

use flin_testkit::rng::Rng;

use types::Ty;

/// A well-typed program of about `size` top-level statements; equal arguments give equal programs.
pub fn generate(seed: u64, size: usize) -> String {
    let marked = marked(seed, size);
    let mut rng = Rng::new(seed ^ 0x5eed);
    variants::resolved(&marked, |_| rng.one_in(2))
}

/// A program of functions with hot loops: much happens in the middle of them.
pub fn hot(seed: u64, size: usize) -> String {
    let mut generator = Generator::new(seed);
    generator.hot_program(size);
    generator.out
}

/// The program with a mark `/*: type*/` or `/*-> type*/` at every place where the type may be written.
pub fn marked(seed: u64, size: usize) -> String {
    let mut generator = Generator::new(seed);
    generator.program(size);
    generator.out
}

/// A variable that may be read where it is visible.
#[derive(Clone, Debug)]
struct Var {
    name: String,
    ty: Ty,
    /// Whether it may be assigned (loop variables and parameters of callbacks are left alone).
    assignable: bool,
}

/// An enum of the program.
#[derive(Clone, Debug)]
struct EnumDef {
    name: String,
    variants: Vec<(String, Vec<Ty>)>,
}

/// A function of the program.
#[derive(Clone, Debug)]
struct FnDef {
    name: String,
    params: Vec<(String, Ty)>,
    /// Parameters from here on have defaults.
    required: usize,
    result: Ty,
    cost: u64,
    /// The first parameter counts the depth down.
    recursive: bool,
}

/// What one program may cost, in evaluated expressions.
const COST_MAX: u64 = 60_000;
/// An expression that is evaluated so often is not made dearer.
const WEIGHT_MAX: u64 = 400;

struct Generator {
    rng: Rng,
    out: String,
    indent: usize,
    enums: Vec<EnumDef>,
    records: Vec<Vec<(String, Ty)>>,
    functions: Vec<FnDef>,
    scope: Vec<Var>,
    next_name: usize,
    /// How often what is being written is evaluated.
    weight: u64,
    cost: u64,
    /// Statements that may still be written into the running body.
    room: usize,
    /// Labels of loops around this place; an empty one is a loop without a label.
    loops: Vec<String>,
    /// Result of the function around this place, outside of lambdas.
    returns: Option<Ty>,
    has_entity: bool,
    /// Inside of a lambda that is an expression: `return` would leave the wrong function.
    in_lambda: usize,
}

impl Generator {
    fn new(seed: u64) -> Generator {
        Generator {
            rng: Rng::new(seed),
            out: String::new(),
            indent: 0,
            enums: Vec::new(),
            records: Vec::new(),
            functions: Vec::new(),
            scope: Vec::new(),
            next_name: 0,
            weight: 1,
            cost: 0,
            room: 0,
            loops: Vec::new(),
            returns: None,
            has_entity: false,
            in_lambda: 0,
        }
    }

    fn program(&mut self, size: usize) {
        self.declarations();
        for _ in 0..1 + self.rng.below(2 + size / 10) {
            self.function();
        }
        self.cost = 0;
        for _ in 0..size.max(3) {
            self.room = 12;
            self.top_statement();
        }
        self.print_all();
    }

    fn declarations(&mut self) {
        for _ in 0..self.rng.below(3) {
            let name = self.name("Kind");
            let mut variants = vec![(self.name("Case"), Vec::new())];
            for _ in 0..1 + self.rng.below(3) {
                let data = (0..self.rng.below(3)).map(|_| self.plain_type(1)).collect();
                variants.push((self.name("Case"), data));
            }
            let shown: Vec<String> = variants.iter().map(|v| self.variant(v)).collect();
            self.line(&format!("enum {name} {{ {} }}", shown.join(", ")));
            self.enums.push(EnumDef { name, variants });
        }
        for _ in 0..1 + self.rng.below(2) {
            let count = 1 + self.rng.below(4);
            let fields = (0..count)
                .map(|number| (format!("k{number}"), self.plain_type(1)))
                .collect();
            self.records.push(fields);
        }
        self.has_entity = self.rng.one_in(3);
        if self.has_entity {
            self.line(
                "entity Item { title: text @required, qty: int = 1, price: float = 1.5, done: bool = false, note: text }",
            );
        }
    }

    fn variant(&self, (name, data): &(String, Vec<Ty>)) -> String {
        if data.is_empty() {
            return name.clone();
        }
        let types: Vec<String> = data
            .iter()
            .map(|ty| self.annotation(ty).unwrap_or_else(|| "any".to_owned()))
            .collect();
        format!("{name}({})", types.join(", "))
    }

    /// A name that was not used before.
    fn name(&mut self, prefix: &str) -> String {
        self.next_name += 1;
        format!("{prefix}{}", self.next_name)
    }

    fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Writes statements between `head {` and `}`; what is declared in them is gone afterwards.
    fn block(&mut self, head: &str, body: impl FnOnce(&mut Generator)) {
        self.line(&format!("{head} {{"));
        self.indent += 1;
        let visible = self.scope.len();
        body(self);
        self.scope.truncate(visible);
        self.indent -= 1;
        self.line("}");
    }

    /// Whether something dearer may still be written here.
    fn is_affordable(&self, cost: u64) -> bool {
        self.weight <= WEIGHT_MAX && self.cost + self.weight.saturating_mul(cost) < COST_MAX
    }

    /// Runs `body` with everything in it evaluated `times` as often.
    fn repeated<T>(&mut self, times: u64, body: impl FnOnce(&mut Generator) -> T) -> T {
        let before = self.weight;
        self.weight = before.saturating_mul(times);
        let result = body(self);
        self.weight = before;
        result
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn equal_seeds_give_equal_programs() {
        assert_eq!(super::generate(7, 20), super::generate(7, 20));
        assert_ne!(super::generate(7, 20), super::generate(8, 20));
    }
}
