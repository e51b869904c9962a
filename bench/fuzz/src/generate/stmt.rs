//! Statements and functions. Must stay true: a loop walks a range, a copy or a literal, never what it changes; texts and
//! lists that grow in a loop are cut; a recursive function counts its first parameter down.

use super::types::Ty;
use super::{FnDef, Generator, Var};

impl Generator {
    /// A statement of the program's top level; an error in it is mostly caught and printed.
    pub(super) fn top_statement(&mut self) {
        match self.rng.below(10) {
            0..=2 => self.declare_safely(),
            3 | 4 => self.print(),
            5 if self.has_entity => self.entity_statement(),
            6 => {
                let name = self.name("e");
                self.block("try", |g| g.statements(3));
                self.replace_end(&format!(
                    " catch {name} {{ print(\"caught {{{name}.kind}}: {{{name}.message}}\") }}"
                ));
            }
            7 => self.statement(),
            _ => {
                let name = self.name("e");
                self.block("try", Generator::statement);
                self.replace_end(&format!(
                    " catch {name} {{ print(\"caught {{{name}.kind}}: {{{name}.message}}\") }}"
                ));
            }
        }
    }

    /// Appends to the last line.
    fn replace_end(&mut self, text: &str) {
        self.out.truncate(self.out.trim_end().len());
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Prints every variable that is visible, so that nothing that was computed stays unseen.
    pub(super) fn print_all(&mut self) {
        for var in self.scope.clone() {
            if !var.ty.has_function() {
                self.line(&format!("print({})", var.name));
            }
        }
    }

    fn print(&mut self) {
        let ty = self.plain_type(2);
        let value = self.loose(&ty, 3);
        let name = self.name("e");
        let line = match self.rng.below(4) {
            0 => format!("print({value})"),
            1 => format!("print(\"{{{value}}}!\")"),
            2 => {
                self.line(&format!("{name} = try ({value})"));
                format!("print({name} is error ? \"{{{name}.kind}} {{{name}.message}}\" : {name})")
            }
            _ => format!(
                "print(try {{ {value} }} catch {name} {{ \"{{{name}.kind}} {{{name}.message}}\" }})"
            ),
        };
        self.line(&line);
    }

    /// A variable whose first value cannot be missing, whatever its expression raises.
    fn declare_safely(&mut self) {
        let ty = self.any_type();
        let (value, default) = (self.loose(&ty, 3), self.literal(&ty));
        let head = self.head_of_declaration(&ty);
        self.line(&format!("{head} = try {{ {value} }} catch {{ {default} }}"));
        self.declared(&ty);
    }

    /// `name` or `let name`, marked with the type.
    fn head_of_declaration(&mut self, ty: &Ty) -> String {
        let name = self.name("v");
        // A block after `=>` that begins with a typed name would look like a map.
        let is_first = self.out.trim_end().ends_with("=> {");
        let word = if is_first || self.rng.one_in(4) {
            "let "
        } else {
            ""
        };
        format!("{word}{name}{}", self.mark(ty))
    }

    /// The name that `head_of_declaration` gave is visible from now on.
    fn declared(&mut self, ty: &Ty) {
        let line = self.out.lines().last().unwrap_or_default().trim_start();
        let line = line.strip_prefix("let ").unwrap_or(line);
        let name: String = line.chars().take_while(|c| c.is_alphanumeric()).collect();
        self.scope.push(Var {
            name,
            ty: ty.clone(),
            assignable: !ty.has_function(),
        });
    }

    pub(super) fn statements(&mut self, most: usize) {
        for _ in 0..1 + self.rng.below(most) {
            if self.room == 0 {
                return;
            }
            self.room -= 1;
            self.statement();
        }
    }

    fn statement(&mut self) {
        let is_deep = self.indent > 4;
        match self.rng.below(16) {
            0..=2 => {
                let ty = self.any_type();
                let value = self.loose(&ty, 3);
                let head = self.head_of_declaration(&ty);
                self.line(&format!("{head} = {value}"));
                self.declared(&ty);
            }
            3..=5 => self.assign(),
            6 => self.print(),
            7 => self.mutate(),
            8 | 9 if !is_deep => self.branch(),
            10..=12 if !is_deep && self.is_affordable(40) => self.walk(),
            13 => self.jump(),
            14 => self.closure(),
            15 => self.take_apart(),
            _ => self.assign(),
        }
    }

    fn assign(&mut self) {
        let ty = match self.rng.below(4) {
            0 => Ty::Int,
            1 => Ty::Text,
            _ => self.plain_type(1),
        };
        let found: Vec<Var> = self
            .scope
            .iter()
            .filter(|v| v.ty == ty && v.assignable)
            .cloned()
            .collect();
        if found.is_empty() {
            return self.print();
        }
        let var = self.rng.pick(&found).name.clone();
        let value = self.loose(&ty, 3);
        let line = match ty {
            Ty::Int => match self.rng.below(4) {
                0 => format!(
                    "{var} {}= {value}",
                    self.rng.pick(&["+", "-", "*", "/", "%"])
                ),
                1 => format!("{var}{}", self.rng.pick(&["++", "--"])),
                _ => format!("{var} = {value}"),
            },
            Ty::Float => match self.rng.below(3) {
                0 => format!("{var} {}= {value}", self.rng.pick(&["+", "-", "*", "/"])),
                _ => format!("{var} = {value}"),
            },
            Ty::Text => match self.rng.below(3) {
                0 => format!("{var} += ({value})[:9]"),
                _ => format!("{var} = ({value})[:40]"),
            },
            Ty::List(_) => format!("{var} = ({value})[:12]"),
            _ => format!("{var} = {value}"),
        };
        self.line(&line);
        if let Ty::Text = ty {
            self.line(&format!("{var} = {var}[:60]"));
        }
    }

    /// A list, map or record changed in place.
    fn mutate(&mut self) {
        let found: Vec<Var> = self
            .scope
            .iter()
            .filter(|v| v.assignable && matches!(v.ty, Ty::List(_) | Ty::Map(_) | Ty::Record(_)))
            .cloned()
            .collect();
        if found.is_empty() {
            return self.assign();
        }
        let Var { name, ty, .. } = self.rng.pick(&found).clone();
        match ty {
            Ty::List(of) => {
                let value = self.loose(&of, 2);
                let at = self.rng.below(5) as i64 - 2;
                let line = match self.rng.below(6) {
                    0 => format!("{name}.pop()"),
                    1 => format!("{name}.unshift({value})"),
                    2 => format!("{name}[{at}] = {value}"),
                    3 => format!("{name}.insert_at({}, {value})", at.abs()),
                    4 => format!("{name}.remove_at({at})"),
                    _ => format!("{name}.push({value})"),
                };
                self.line(&line);
                self.line(&format!("{name} = {name}[:20]"));
            }
            Ty::Map(of) => {
                let (value, key) = (self.loose(&of, 2), self.rng.below(4));
                let line = match self.rng.below(4) {
                    0 => format!("{name}.m{key} = {value}"),
                    1 => format!("{name}.delete_key(\"m{key}\")"),
                    2 => format!("{name}.set(\"m{key}\", {value})"),
                    _ => format!("{name}[\"m{key}\"] = {value}"),
                };
                self.line(&line);
            }
            Ty::Record(index) => {
                let fields = self.records[index].clone();
                let (field, of) = self.rng.pick(&fields).clone();
                let value = self.loose(&of, 2);
                self.line(&format!("{name}.{field} = {value}"));
            }
            _ => self.assign(),
        }
    }

    fn branch(&mut self) {
        // A check for none narrows the variable inside.
        let optional: Vec<Var> = self
            .scope
            .iter()
            .filter(|v| matches!(v.ty, Ty::Optional(_)))
            .cloned()
            .collect();
        if !optional.is_empty() && self.rng.one_in(2) {
            let var = self.rng.pick(&optional).clone();
            let Ty::Optional(of) = &var.ty else {
                return self.print();
            };
            let of = (**of).clone();
            let sign = *self.rng.pick(&["!=", "is not"]);
            self.block(&format!("if {} {sign} none", var.name), |g| {
                g.scope.push(Var {
                    name: var.name.clone(),
                    ty: of,
                    assignable: false,
                });
                g.without_outer(&var, |g| g.statements(3));
            });
            return;
        }
        let condition = self.condition(2);
        self.block(&format!("if {condition}"), |g| g.statements(3));
        if self.rng.one_in(2) {
            let head = if self.rng.one_in(3) {
                format!(" else if {} {{", self.condition(2))
            } else {
                " else {".to_owned()
            };
            self.replace_end(&head);
            self.indent += 1;
            let visible = self.scope.len();
            self.statements(3);
            self.scope.truncate(visible);
            self.indent -= 1;
            self.line("}");
        }
    }

    /// Hides the variable as it was outside: narrowed, it is of another type.
    fn without_outer(&mut self, var: &Var, body: impl FnOnce(&mut Generator)) {
        let at = self
            .scope
            .iter()
            .position(|v| v.name == var.name && v.ty == var.ty);
        if let Some(at) = at {
            let hidden = self.scope.remove(at);
            body(self);
            self.scope.insert(at, hidden);
        }
    }

    /// A bounded loop.
    fn walk(&mut self) {
        let label = if self.rng.one_in(4) {
            self.name("l")
        } else {
            String::new()
        };
        let prefix = if label.is_empty() {
            String::new()
        } else {
            format!("'{label}: ")
        };
        let (name, second) = (self.name("v"), self.name("v"));
        let times = 1 + self.rng.below(6) as u64;
        let of = self.plain_type(1);
        self.loops.push(label);
        match self.rng.below(7) {
            0 | 1 => {
                let sign = if self.rng.one_in(3) { "..=" } else { ".." };
                let head = format!("{prefix}for {name} in 0{sign}{times}");
                self.turns(&head, times, &[(name, Ty::Int)]);
            }
            2 => {
                let list = self.loop_source(&of);
                self.turns(&format!("{prefix}for {name} in {list}"), 6, &[(name, of)]);
            }
            3 => {
                let list = self.loop_source(&of);
                let head = format!("{prefix}for {name}, {second} in {list}");
                self.turns(&head, 6, &[(name, of), (second, Ty::Int)]);
            }
            4 => {
                let map = self.literal(&Ty::Map(Box::new(of.clone())));
                let head = format!("{prefix}for {name}, {second} in {}", in_parentheses(&map));
                self.turns(&head, 3, &[(name, Ty::Text), (second, of)]);
            }
            5 => {
                self.line(&format!("{name} = {times}"));
                let head = format!("{prefix}while {name} > 0");
                self.counted(&head, times, &name);
                self.scope.push(Var {
                    name,
                    ty: Ty::Int,
                    assignable: false,
                });
            }
            _ => {
                let value = in_parentheses(&self.leaf(&of));
                self.line(&format!("{name} = {times}"));
                let result = self.head_of_declaration(&of);
                let visible = self.scope.len();
                self.line(&format!("{result} = {prefix}loop {{"));
                let head_line = self.out.lines().last().unwrap_or_default().to_owned();
                self.indent += 1;
                self.line(&format!("{name} -= 1"));
                self.line(&format!("if {name} < 0 {{ break {value} }}"));
                let loops = std::mem::take(&mut self.loops);
                self.repeated(times, |g| g.statements(3));
                self.loops = loops;
                self.scope.truncate(visible);
                self.indent -= 1;
                self.line("}");
                let head_line = head_line.trim_start();
                let head_line = head_line.strip_prefix("let ").unwrap_or(head_line);
                let declared = head_line
                    .chars()
                    .take_while(|c| c.is_alphanumeric())
                    .collect();
                self.scope.push(Var {
                    name: declared,
                    ty: of,
                    assignable: false,
                });
            }
        }
        self.loops.pop();
    }

    /// A list to walk that nothing in the loop can reach.
    fn loop_source(&mut self, of: &Ty) -> String {
        let list = self.expr(&Ty::list(of.clone()), 2);
        let list = if list.starts_with('{') {
            in_parentheses(&list)
        } else {
            list
        };
        let text = format!("{list}[:5]");
        // A `{` in a head begins the body, unless it stands in parentheses.
        if text.contains('{') {
            in_parentheses(&text)
        } else {
            text
        }
    }

    fn turns(&mut self, head: &str, times: u64, bound: &[(String, Ty)]) {
        let bound: Vec<Var> = bound
            .iter()
            .map(|(name, ty)| Var {
                name: name.clone(),
                ty: ty.clone(),
                assignable: false,
            })
            .collect();
        self.repeated(times, |g| {
            g.block(head, |g| {
                g.scope.extend(bound);
                g.statements(4);
            });
        });
    }

    fn counted(&mut self, head: &str, times: u64, counter: &str) {
        self.repeated(times, |g| {
            g.block(head, |g| {
                g.line(&format!("{counter} -= 1"));
                g.statements(4);
            });
        });
    }

    /// `break`, `continue` or `return`, on a condition.
    fn jump(&mut self) {
        let condition = self.condition(2);
        if let Some(label) = self.loops.last().cloned() {
            let word = *self.rng.pick(&["break", "continue"]);
            let labels: Vec<String> = self
                .loops
                .iter()
                .filter(|l| !l.is_empty())
                .cloned()
                .collect();
            let target = if !labels.is_empty() && self.rng.one_in(2) {
                format!(" '{}", self.rng.pick(&labels))
            } else if label.is_empty() {
                String::new()
            } else {
                format!(" '{label}")
            };
            return self.line(&format!("if {condition} {{ {word}{target} }}"));
        }
        match self.returns.clone() {
            Some(ty) if self.in_lambda == 0 => {
                let value = self.loose(&ty, 2);
                self.line(&format!("if {condition} {{ return {value} }}"));
            }
            _ => {
                let message = self.text_literal();
                self.line(&format!("if {condition} {{ fail(\"Made\", {message}) }}"));
            }
        }
    }

    /// A variable with a function that changes variables around it.
    fn closure(&mut self) {
        let params: Vec<Ty> = (0..self.rng.below(3)).map(|_| self.plain_type(0)).collect();
        let result = self.plain_type(1);
        let named: Vec<(String, Ty)> = params
            .iter()
            .map(|ty| (self.name("p"), ty.clone()))
            .collect();
        let heads: Vec<String> = named
            .iter()
            .map(|(name, ty)| format!("{name}{}", self.mark(ty)))
            .collect();
        let name = self.name("v");
        self.line(&format!("{name} = ({}) => {{", heads.join(", ")));
        self.indent += 1;
        self.repeated(4, |g| {
            g.in_lambda(&named, |g| {
                let (returns, room) = (g.returns.take(), g.room);
                g.room = room.min(3);
                g.statements(3);
                g.room = room;
                g.returns = returns;
                let value = g.expr(&result, 2);
                g.line(&in_parentheses_if_map(&value));
            });
        });
        self.indent -= 1;
        self.line("}");
        self.scope.push(Var {
            name,
            ty: Ty::Func(params, Box::new(result)),
            assignable: false,
        });
    }

    /// A destructuring.
    fn take_apart(&mut self) {
        let (one, two) = (self.name("v"), self.name("v"));
        let (first, second) = (self.plain_type(1), self.plain_type(1));
        let line = match self.rng.below(3) {
            0 => {
                let value = self.expr(&Ty::Tuple(vec![first.clone(), second.clone()]), 2);
                format!("({one}, {two}) = {value}")
            }
            1 => {
                let list = Ty::list(first.clone());
                let value = self.expr(&list, 2);
                let item = self.leaf(&first);
                let line = format!("[{one}, ...{two}] = [{item}, ...{value}]");
                self.line(&line);
                self.declare_both((one, first), (two, list));
                return;
            }
            _ => {
                let (a, b) = (self.loose(&first, 2), self.loose(&second, 2));
                format!("{{ k0: {one}, k1: {two} }} = {{ k0: {a}, k1: {b}, k2: 0 }}")
            }
        };
        self.line(&line);
        self.declare_both((one, first), (two, second));
    }

    fn declare_both(&mut self, one: (String, Ty), two: (String, Ty)) {
        for (name, ty) in [one, two] {
            self.scope.push(Var {
                name,
                ty,
                assignable: true,
            });
        }
    }

    /// Records saved, changed, deleted and asked for.
    fn entity_statement(&mut self) {
        let (title, qty, price) = (
            self.expr(&Ty::Text, 1),
            self.expr(&Ty::Int, 1),
            self.expr(&Ty::Float, 1),
        );
        let name = self.name("e");
        let handler =
            format!("catch {name} {{ print(\"caught {{{name}.kind}} {{{name}.message}}\") }}");
        match self.rng.below(8) {
            0..=2 => self.line(&format!(
                "try {{ save Item {{ title: {title}, qty: {qty}, price: {price}, done: {} }} }} {handler}",
                self.rng.clone().one_in(2)
            )),
            3 => {
                let id = 1 + self.rng.below(4);
                let item = self.name("v");
                self.line(&format!("{item} = Item.find({id})"));
                self.block(&format!("if {item} != none"), |g| {
                    g.line(&format!("{item}.qty = {qty}"));
                    let word = *g.rng.pick(&["save", "save", "delete"]);
                    g.line(&format!("try {{ {word} {item} }} {handler}"));
                });
            }
            4 => self.line(&format!(
                "print(Item.where(i => i.qty > {qty}).order(price, \"desc\").map(i => i.title))"
            )),
            5 => self.line(&format!("print(Item.where(price <= {price}).sum(qty))")),
            6 => self.line("for i9 in Item.order(qty).limit(4) { print(\"{i9.id} {i9.title} {i9.qty} {i9.price} {i9.done} {i9.version}\") }"),
            _ => self.line("print(\"{Item.count} {Item.where(done).exists} {Item.avg(price)} {Item.max(qty)}\")"),
        }
    }

    /// A function, visible from now on.
    pub(super) fn function(&mut self) {
        if self.rng.one_in(4) {
            return self.generic_function();
        }
        let name = self.name("f");
        let result = self.plain_type(2);
        let recursive = self.rng.one_in(3);
        let mut params: Vec<(String, Ty)> = Vec::new();
        if recursive {
            params.push((self.name("p"), Ty::Int));
        }
        for _ in 0..self.rng.below(3) {
            let ty = self.any_type();
            params.push((self.name("p"), ty));
        }
        let required = if !params.is_empty() && !recursive && self.rng.one_in(3) {
            params.len() - 1
        } else {
            params.len()
        };
        let mut heads: Vec<String> = Vec::new();
        for (number, (name, ty)) in params.iter().enumerate() {
            let default = if number >= required {
                format!(" = {}", self.literal(ty))
            } else {
                String::new()
            };
            heads.push(format!("{name}{}{default}", self.mark(ty)));
        }
        let mark = self.result_mark(&result);
        self.cost = 0;
        let head = format!("fn {name}({}){mark}", heads.join(", "));
        self.returns = Some(result.clone());
        let visible = std::mem::take(&mut self.scope);
        let turns = if recursive { 5 } else { 1 };
        self.repeated(turns, |g| {
            g.block(&head, |g| {
                for (number, (name, ty)) in params.iter().enumerate() {
                    g.scope.push(Var {
                        name: name.clone(),
                        ty: ty.clone(),
                        assignable: !(ty.has_function() || recursive && number == 0),
                    });
                }
                g.function_body(&name, &params, &result, recursive);
            });
        });
        self.scope = visible;
        self.returns = None;
        let cost = self.cost.max(1);
        self.functions.push(FnDef {
            name,
            params,
            required,
            result,
            cost,
            recursive,
        });
    }

    fn function_body(&mut self, name: &str, params: &[(String, Ty)], result: &Ty, recursive: bool) {
        if recursive {
            let base = self.leaf(result);
            self.line(&format!("if {} <= 0 {{ return {base} }}", params[0].0));
        }
        self.room = 8;
        self.statements(5);
        if recursive {
            let mut arguments = vec![format!("{} - 1", params[0].0)];
            for (_, ty) in &params[1..] {
                arguments.push(self.loose(ty, 1));
            }
            let again = self.name("v");
            self.line(&format!("{again} = {name}({})", arguments.join(", ")));
            self.scope.push(Var {
                name: again,
                ty: result.clone(),
                assignable: true,
            });
        }
        let value = self.expr(result, 3);
        self.line(&in_parentheses_if_map(&value));
    }

    /// A function that is called with several types. What it gives is known only from its arguments, so its calls are
    /// written here.
    fn generic_function(&mut self) {
        let name = self.name("g");
        let (declared, calls) = match self.rng.below(5) {
            0 => ("(p1, p2) { (p2, p1) }", "(A, B)"),
            1 => (
                "<T>(p1: [T], p2: T) -> T { if p1.len > 0 { p1[0] } else { p2 } }",
                "([A], A)",
            ),
            2 => ("(p1, p2) { if p1 == p2 then [p1] else [p1, p2] }", "(A, A)"),
            3 => ("(p1, p2) { p2.map(p3 => [p3, p1]) }", "(A, [A])"),
            _ => ("(p1, p2) { p2(p2(p1)) }", "(A, (A) -> A)"),
        };
        self.line(&format!("fn {name}{declared}"));
        for _ in 0..2 + self.rng.below(2) {
            let (a, b) = (self.plain_type(1), self.plain_type(1));
            let first = match calls {
                "([A], A)" => Ty::list(a.clone()),
                _ => a.clone(),
            };
            let second = match calls {
                "(A, B)" => b,
                "(A, [A])" => Ty::list(a.clone()),
                "(A, (A) -> A)" => Ty::Func(vec![a.clone()], Box::new(a.clone())),
                _ => a.clone(),
            };
            let (x, y) = (self.loose(&first, 2), self.loose(&second, 2));
            let error = self.name("e");
            self.line(&format!(
                "print(try {{ {name}({x}, {y}) }} catch {error} {{ \"{{{error}.kind}} {{{error}.message}}\" }})"
            ));
        }
    }
}

fn in_parentheses(text: &str) -> String {
    format!("({text})")
}

fn in_parentheses_if_map(text: &str) -> String {
    if text.starts_with('{') {
        in_parentheses(text)
    } else {
        text.to_owned()
    }
}
