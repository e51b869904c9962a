//! Values in values in hot programs: lists of records that gain fields, rows of numbers, maps of maps, enums, tuples, callbacks that
//! compare. Here, apart from the other parts, because two loads and two checks stand behind each access. Must stay true: what
//! is pushed is cut again, and a row may stand in two places.

use super::Generator;
use super::hot::Hot;

impl Generator {
    /// Declares the values; the enum is declared by the program.
    pub(super) fn hot_nested_variables(&mut self, hot: &mut Hot) {
        let rows = self.name("v");
        self.line(&format!(
            "{rows} = [{{ n: 4, w: 0.5 }}, {{ n: {}, w: -2.25 }}]",
            self.rng.clone().below(40)
        ));
        hot.rows.push(rows);
        let grid = self.hot_variable("[[int]]", "[[1, 2, 3], [4, 5], [6]]");
        hot.grids.push(grid);
        let nest = self.hot_variable("[text:[text:int]]", "{ a0: { b0: 1 }, a1: {} }");
        hot.nests.push(nest);
        let choice = self.hot_variable("Choice", "Choice.Empty");
        hot.choices.push(choice);
    }

    /// A statement that changes or reads one of them.
    pub(super) fn hot_nested(&mut self, hot: &Hot) {
        match self.rng.below(4) {
            0 => self.hot_rows(hot),
            1 => self.hot_grid(hot),
            2 => self.hot_nest(hot),
            _ => self.hot_choice(hot),
        }
    }

    fn hot_rows(&mut self, hot: &Hot) {
        let (rows, small) = (self.rng.pick(&hot.rows).clone(), self.hot_small(hot));
        let (value, float) = (self.hot_int(hot, 1), self.hot_float(hot, 1));
        let to = self.rng.pick(&hot.ints).clone();
        let (p, q) = (self.name("p"), self.name("p"));
        let at = format!("{rows}[{small} % {rows}.len]");
        let line = match self.rng.below(10) {
            0 | 1 => {
                format!(
                    "{rows}.push({{ n: {value}, w: {float} }})\nif {rows}.len > 9 {{ {rows} = {rows}[4:] }}"
                )
            }
            2 => format!("{at}.n += {value}"),
            3 => format!("{at}.w = {float}"),
            // Only some have it.
            4 => format!("if {small} % 4 == 1 {{ {at}.extra = {value} }}"),
            5 => format!("{to} = ({at}.extra ?: {value}) % 6007"),
            6 => format!("{rows} = {rows}.sort(({p}, {q}) => {p}.n - {q}.n)"),
            7 => format!("{to} = {rows}.filter({p} => {p}.w < {float}).map({p} => {p}.n % 31).sum"),
            8 => format!("for {p} in {rows} {{ {p}.n = ({p}.n + {value}) % 911 }}"),
            _ => format!("{to} = {at}.n"),
        };
        self.hot_lines(&line);
    }

    fn hot_grid(&mut self, hot: &Hot) {
        let (grid, small) = (self.rng.pick(&hot.grids).clone(), self.hot_small(hot));
        let (other, value) = (self.hot_small(hot), self.hot_int(hot, 1));
        let to = self.rng.pick(&hot.ints).clone();
        let (p, q) = (self.name("p"), self.name("p"));
        let line = match self.rng.below(8) {
            0 | 1 => format!("{grid}[{small} % 3][{other} % 3] = {value}"),
            2 => format!("{to} = {grid}[{small} % 3][{other} % 2]"),
            3 => {
                format!(
                    "{grid}[{small} % 3].push({value})\nif {grid}[{small} % 3].len > 8 {{ {grid}[{small} % 3] = [{value}] }}"
                )
            }
            // One row in two places.
            4 => format!("{grid}[{small} % 3] = {grid}[{other} % 3]"),
            5 => format!(
                "for {p} in {grid} {{ for {q} in 0..{p}.len {{ {p}[{q}] = {p}[{q}] % 1013 + {small} }} }}"
            ),
            6 => format!("{to} = {grid}.map({p} => {p}.sum % 97).sum"),
            _ => format!("{grid} = {grid}.map({p} => {p}.map({q} => ({q} + {value}) % 809))"),
        };
        self.hot_lines(&line);
    }

    fn hot_nest(&mut self, hot: &Hot) {
        let (nest, small) = (self.rng.pick(&hot.nests).clone(), self.hot_small(hot));
        let (other, value) = (self.hot_small(hot), self.hot_int(hot, 1));
        let to = self.rng.pick(&hot.ints).clone();
        let (p, q) = (self.name("p"), self.name("p"));
        let outer = format!("{nest}[\"a{{{small} % 3}}\"]");
        let line = match self.rng.below(6) {
            0 | 1 => {
                format!(
                    "if {outer} == none {{ {outer} = {{}} }}\n{outer}[\"b{{{other} % 4}}\"] = {value}"
                )
            }
            2 => format!("{to} = ({outer} ?: {nest}[\"a0\"])[\"b{{{other} % 4}}\"] ?: {value}"),
            3 => format!("{outer} = {{ b0: {value} }}"),
            4 => format!("for {p}, {q} in {nest} {{ {to} = ({to} + {q}.len()) % 5003 }}"),
            _ => format!(
                "{to} = ({to} + (try {{ {outer}.values().sum % 77 }} catch {{ {small} }})) % 4003"
            ),
        };
        self.hot_lines(&line);
    }

    fn hot_choice(&mut self, hot: &Hot) {
        let (choice, value) = (self.rng.pick(&hot.choices).clone(), self.hot_int(hot, 1));
        let float = self.hot_float(hot, 1);
        let (to, p, q) = (
            self.rng.pick(&hot.ints).clone(),
            self.name("p"),
            self.name("p"),
        );
        let line = match self.rng.below(6) {
            0 => format!("{choice} = Choice.Number({value})"),
            1 => format!("{choice} = Choice.Both({value}, {float})"),
            2 => format!("{choice} = Choice.Empty"),
            3 => format!(
                "{to} = match {choice} {{ Empty -> {value}, Number({p}) -> {p} % 501, Both({p}, {q}) -> if {q} > {float} then {p} % 77 else 5 }}"
            ),
            4 => format!(
                "({p}, {q}) = ({value}, {float})\n{to} = if {q} < 1.5 then {p} % 3001 else 2"
            ),
            _ => format!("if {choice} == Choice.Number({value}) {{ {to} = 1 }}"),
        };
        self.hot_lines(&line);
    }

    fn hot_lines(&mut self, lines: &str) {
        for line in lines.lines() {
            self.line(line);
        }
    }
}
