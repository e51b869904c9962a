//! Mistakes that people make, planted into generated applications. Here because a compiler is used most while a program is
//! wrong: it must name every mistake, each once, and nothing else. Must stay true: each row is one mistake with one
//! expected message; what a row replaces stands exactly once in its piece.

use flin_syntax::Code;
use flin_testkit::rng::Rng;

use crate::application::{Copy, copy_of, joined};

/// A kind of mistake.
#[derive(Clone, Copy, Debug)]
pub struct Mistake {
    /// What was done, in a few words.
    pub name: &'static str,
    /// The code of the one message about it.
    pub code: Code,
    /// Where it can be made.
    pub places: &'static [Place],
}

/// A place for a mistake: piece, right text, wrong text. The message is expected on the line of the wrong text that holds
/// [`HERE`], or else on its first line.
pub type Place = (&'static str, &'static str, &'static str);

/// Stands before what the message is about; it is not part of the program.
pub const HERE: char = '¶';

/// All kinds.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "a misspelt variable",
        code: Code::UnknownName,
        places: &[
            (
                "words",
                "line.len + word.len + 1 > width",
                "line.len + wrod.len + 1 > width",
            ),
            ("dates", "    day = day + 1.days", "    day = dya + 1.days"),
            (
                "invoices",
                "total - total * discount",
                "total - totl * discount",
            ),
            ("matrix", "    total += row[i]", "    totl += row[i]"),
            (
                "game",
                "    best = max(best, worth)",
                "    best = max(best, wroth)",
            ),
        ],
    },
    Mistake {
        name: "a misspelt function",
        code: Code::UnknownFunction,
        places: &[
            (
                "invoices",
                "{money(invoice.cents)}",
                "{mony(invoice.cents)}",
            ),
            ("queue", "shorten(reason)", "shortn(reason)"),
            (
                "import",
                "head.zip(cells_n(line))",
                "head.zip(cell_n(line))",
            ),
            (
                "budget",
                "spent = spent_in_n(category)",
                "spent = spend_in_n(category)",
            ),
            ("wizard", "{money(cost)}", "{mony(cost)}"),
        ],
    },
    Mistake {
        name: "a missing argument",
        code: Code::WrongArguments,
        places: &[
            ("invoices", "plural(late, 'day')", "plural(late)"),
            ("grades", "percent(count, marks.len)", "percent(count)"),
            ("matrix", "multiply_n(m, identity_n(2))", "multiply_n(m)"),
            (
                "tickets",
                "assign_n(ticket, least_busy_n([\"ada\", \"bo\"]))",
                "assign_n(ticket)",
            ),
        ],
    },
    Mistake {
        name: "an argument too many",
        code: Code::WrongArguments,
        places: &[
            ("closures", "money(balance)", "money(balance, 2)"),
            (
                "events",
                "taken_n(meeting)\n  if",
                "¶taken_n(meeting, 1)\n  if",
            ),
            ("orders", "spent: spent_n(c)", "spent: spent_n(c, 3)"),
        ],
    },
    Mistake {
        name: "a named argument that the function does not have",
        code: Code::WrongArguments,
        places: &[
            ("forms", "shorten(mail, 20)", "shorten(mail, limt: 20)"),
            (
                "blog",
                "shorten(article.body, 80)",
                "shorten(article.body, max: 80)",
            ),
        ],
    },
    Mistake {
        name: "a field that the entity does not have",
        code: Code::NoSuchField,
        places: &[
            (
                "stock",
                "  product.quantity += count",
                "  product.quantty += count",
            ),
            (
                "blog",
                "  article.published = true",
                "  article.publishd = true",
            ),
            ("dates", "a.room == b.room", "a.rom == b.room"),
            ("tickets", "  ticket.agent = agent", "  ticket.agnt = agent"),
            (
                "tasks_page",
                "          {task.title}",
                "          {task.titel}",
            ),
        ],
    },
    Mistake {
        name: "an unknown field in an entity literal",
        code: Code::UnknownField,
        places: &[
            (
                "budget",
                "cents: cents }\n    count",
                "¶cent: cents }\n    count",
            ),
            (
                "orders",
                "customer: customer, cents: cents }",
                "custmer: customer, cents: cents }",
            ),
        ],
    },
    Mistake {
        name: "a text compared with a number",
        code: Code::BadOperands,
        places: &[
            (
                "stock",
                "if product.quantity < count {",
                "if product.name < count {",
            ),
            ("events", "  if seats > left {", "  if person > left {"),
            ("forms", "age < 0 || age > 150", "typed < 0 || age > 150"),
            ("game", "depth > 4 {", "player > 4 {"),
        ],
    },
    Mistake {
        name: "a text times a number",
        code: Code::BadOperands,
        places: &[
            ("wizard", "  each * seats", "  plan * seats"),
            (
                "shapes",
                "Shape_n.Rect(w, h) -> w * h",
                "Shape_n.Rect(w, h) -> \"w\" * h",
            ),
        ],
    },
    Mistake {
        name: "a missing arm of a match",
        code: Code::NotExhaustive,
        places: &[
            (
                "tickets",
                "match state {\n    TicketState_n.Fresh -> \"new\"\n",
                "match state {\n",
            ),
            (
                "settings",
                "match value {\n    int n -> \"the number {n}\"\n",
                "match value {\n",
            ),
            (
                "tree",
                "match tree {\n    Tree_n.Leaf -> 0\n",
                "match tree {\n",
            ),
        ],
    },
    Mistake {
        name: "a result of another type than declared",
        code: Code::WrongType,
        places: &[
            ("grades", "    \"B\"\n", "    2\n"),
            (
                "game",
                "if player == \"x\" then \"o\" else \"x\"",
                "if player == \"x\" then \"o\" else 2",
            ),
            (
                "numbers",
                "{ 0 } else { (a * b).abs",
                "{ \"0\" } else { (a * b).abs",
            ),
            ("search", "      return middle", "      return \"middle\""),
        ],
    },
    Mistake {
        name: "an assignment to a constant",
        code: Code::AssignToConstant,
        places: &[
            (
                "budget",
                "  balance = cents\n",
                "  balance = cents\n  ¶PAGE_SIZE = 3\n",
            ),
            (
                "graph",
                "  seen = [from]\n",
                "  seen = [from]\n  ¶CURRENCY = \"x\"\n",
            ),
        ],
    },
    Mistake {
        name: "a missing closing parenthesis",
        code: Code::UnclosedBracket,
        places: &[
            (
                "parser",
                "  list = tokens_n(source)",
                "  list = tokens_n(source",
            ),
            (
                "queue",
                "job => job.state == JobState_n.Waiting)",
                "job => job.state == JobState_n.Waiting",
            ),
            (
                "import",
                "    bad.push(\"row {number + 1}: {cell} is no number\")",
                "    bad.push(\"row {number + 1}: {cell} is no number\"",
            ),
        ],
    },
    Mistake {
        name: "a missing closing brace",
        code: Code::UnclosedBracket,
        places: &[
            (
                "words",
                "    if word != \"\" {\n      counts[word] = (counts[word] ?: 0) + 1\n    }\n",
                "    if word != \"\" {\n      counts[word] = (counts[word] ?: 0) + 1\n",
            ),
            (
                "wizard",
                "    if step < 3 {\n      step += 1\n    }\n",
                "    if step < 3 {\n      step += 1\n",
            ),
        ],
    },
    Mistake {
        name: "a text that is not closed",
        code: Code::UnclosedText,
        places: &[
            ("orders", "lines = [\"Revenue\"]", "lines = [\"Revenue]"),
            ("stock", "  lines.join(\"\\n\")", "  lines.join(\"\\n)"),
            (
                "settings",
                "    parts = line.split(\"=\")",
                "    parts = line.split(\"=)",
            ),
        ],
    },
    Mistake {
        name: "a decorator that does not exist",
        code: Code::UnknownDecorator,
        places: &[
            (
                "invoices",
                "@required @maxLength(80)",
                "@requird @maxLength(80)",
            ),
            (
                "tickets",
                "@required @minLength(3)",
                "@required @minLenght(3)",
            ),
            ("stock", "@unique @pattern", "@uniqe @pattern"),
        ],
    },
    Mistake {
        name: "an argument of the wrong type",
        code: Code::WrongType,
        places: &[
            (
                "messages",
                "plural(fresh.len, 'message')",
                "plural('x', 'message')",
            ),
            ("queue", "describe_n(job.state)", "describe_n(job.priority)"),
            (
                "invoices",
                "line => line_total_n(line)).sum",
                "line => money(\"x\").len).sum",
            ),
        ],
    },
    Mistake {
        name: "a pattern with too few values",
        code: Code::VariantData,
        places: &[
            (
                "shapes",
                "Shape_n.Rect(w, h) -> Shape_n.Rect(w * factor, h * factor)",
                "Shape_n.Rect(w) -> Shape_n.Rect(w * factor, 1.0)",
            ),
            (
                "tree",
                "Tree_n.Node(left, _, right) -> 1",
                "Tree_n.Node(left, right) -> 1",
            ),
        ],
    },
    Mistake {
        name: "a variant that the enum does not have",
        code: Code::UnknownVariant,
        places: &[
            (
                "shapes",
                "Shape_n.Circle(r) -> PI * r * r",
                "Shape_n.Circel(r) -> PI * r * r",
            ),
            (
                "parser",
                "found.push(Token_n.Times)",
                "found.push(Token_n.Tims)",
            ),
        ],
    },
    Mistake {
        name: "then without else",
        code: Code::MissingElse,
        places: &[
            (
                "forms",
                "none else \"{shorten(mail, 20)} is no address\"",
                "none",
            ),
            (
                "graph",
                "    here = open.shift() ?: from",
                "    here = if open.len > 9 then from",
            ),
        ],
    },
    Mistake {
        name: "a function declared twice",
        code: Code::DuplicateName,
        places: &[
            (
                "search",
                "fn quick_sort_n(",
                "fn binary_search_n(a: int) -> int { a }\n\nfn quick_sort_n(",
            ),
            (
                "dates",
                "fn clashes_n(",
                "fn ends_n(a) { a }\n\nfn clashes_n(",
            ),
        ],
    },
    Mistake {
        name: "an entity that does not exist",
        code: Code::UnknownType,
        places: &[
            ("budget", "save Entry_n {", "save Entri_n {"),
            ("stock", "  shelf: Shelf_n\n", "  shelf: Shelv_n\n"),
            (
                "events",
                "fn move_n(meeting: Meeting_n,",
                "fn move_n(meeting: Metting_n,",
            ),
        ],
    },
    Mistake {
        name: "a misspelt method",
        code: Code::NoSuchMethod,
        places: &[
            ("invoices", "customer.trim,", "customer.trimm,"),
            (
                "words",
                "raw.replace(\",\", \"\")",
                "raw.relpace(\",\", \"\")",
            ),
            (
                "import",
                "lines = source.lines.filter",
                "lines = source.linse.filter",
            ),
            ("graph", "edges.filter(edge =>", "edges.filtr(edge =>"),
        ],
    },
    Mistake {
        name: "an assignment in a condition",
        code: Code::AssignmentAsValue,
        places: &[
            ("game", "  if won != \"\" {", "  if won = \"\" {"),
            (
                "search",
                "    if sorted[middle] == wanted {",
                "    if sorted[middle] = wanted {",
            ),
            ("numbers", "  if b == 0 then", "  if b = 0 then"),
        ],
    },
    Mistake {
        name: "break outside of a loop",
        code: Code::OutsideLoop,
        places: &[
            (
                "grades",
                "  middle = sorted.len / 2\n",
                "  middle = sorted.len / 2\n  ¶break\n",
            ),
            (
                "settings",
                "  number = word.to_int\n",
                "  number = word.to_int\n  ¶break\n",
            ),
        ],
    },
    Mistake {
        name: "an annotation that the value does not fit",
        code: Code::WrongType,
        places: &[
            ("closures", "  value = 0\n", "  value: text = 0\n"),
            (
                "numbers",
                "  digits = \"0123456789abcdef\"",
                "  digits: int = \"0123456789abcdef\"",
            ),
            ("parser", "  at = 0\n", "  at: text = 0\n"),
        ],
    },
    Mistake {
        name: "a type that does not exist",
        code: Code::UnknownType,
        places: &[
            (
                "words",
                "fn count_words_n(story: text)",
                "fn count_words_n(story: txt)",
            ),
            (
                "matrix",
                "fn trace_n(m: [[float]])",
                "fn trace_n(m: [[flot]])",
            ),
        ],
    },
    Mistake {
        name: "an element that is not closed",
        code: Code::UnclosedTag,
        places: &[
            ("tasks_page", "<h1>Tasks</h1>", "<h1>Tasks"),
            ("dashboard", "<h1>Dashboard</h1>", "<h1>Dashboard"),
        ],
    },
    Mistake {
        name: "a number that is walked",
        code: Code::NotIterable,
        places: &[
            ("matrix", "    for j in 0..size {", "    for j in 1.5 {"),
            ("numbers", "  for turn in 0..30 {", "  for turn in 30.5 {"),
        ],
    },
    Mistake {
        name: "a call of what is no function",
        code: Code::NotCallable,
        places: &[
            (
                "closures",
                "    known[key] = compute",
                "    known[key] = \"x\"(1) + compute",
            ),
            (
                "words",
                "  line = \"\"\n  for word",
                "  line = \"\"\n  ¶width(2)\n  for word",
            ),
        ],
    },
    Mistake {
        name: "a sign that FLIN does not use",
        code: Code::UnknownCharacter,
        places: &[
            ("orders", "    count += 1", "    count += 1 # one more"),
            (
                "search",
                "      low = middle + 1",
                "      low = middle + 1 # above",
            ),
        ],
    },
];

/// A planted mistake.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    /// Its kind.
    pub name: &'static str,
    /// The expected code.
    pub code: Code,
    /// The expected line, from 1.
    pub line: usize,
}

/// A program with that many different mistakes, each in a copy of its own, and the list of them in the order of lines.
///
/// # Panics
/// When there are more mistakes than kinds or copies, or a row does not fit its piece.
#[must_use]
pub fn plant(mut copies: Vec<Copy>, count: usize, seed: u64) -> (String, Vec<Planted>) {
    let mut rng = Rng::new(seed);
    let mut kinds: Vec<&Mistake> = MISTAKES.iter().collect();
    let mut wrong: Vec<(usize, &Mistake, usize)> = Vec::new();
    while wrong.len() < count {
        let kind = kinds.swap_remove(rng.below(kinds.len()));
        let (piece, right, wrong_text) = *rng.pick(kind.places);
        let taken = |at: usize| wrong.iter().any(|(other, _, _)| *other == at);
        let free: Vec<usize> = (0..copies.len())
            .filter(|at| copies[*at].piece == piece && !taken(*at))
            .collect();
        if free.is_empty() {
            continue;
        }
        let at = *rng.pick(&free);
        let line = copies[at].edit(right, wrong_text);
        wrong.push((at, kind, line));
    }
    let mut planted = Vec::new();
    for (at, kind, line) in wrong {
        let above = joined(&copies[..at]);
        planted.push(Planted {
            name: kind.name,
            code: kind.code,
            line: above.lines().count() + 1 + line,
        });
    }
    planted.sort_by_key(|planted| planted.line);
    (joined(&copies), planted)
}

impl Copy {
    /// Replaces a text that stands once; gives the line (from 1, in this copy) that the mark stands in.
    ///
    /// # Panics
    /// When the text does not stand there once.
    pub fn edit(&mut self, right: &str, wrong: &str) -> usize {
        let (right, wrong) = (copy_of(right, self.number), copy_of(wrong, self.number));
        let found: Vec<usize> = self.text.match_indices(&right).map(|(at, _)| at).collect();
        let [at] = found[..] else {
            panic!(
                "{}: {right:?} stands there {} times",
                self.piece,
                found.len()
            );
        };
        let mark = wrong.find(HERE).unwrap_or(0);
        let before = self.text[..at].matches('\n').count();
        let line = before + wrong[..mark].matches('\n').count() + 1;
        let wrong = wrong.replace(HERE, "");
        self.text.replace_range(at..at + right.len(), &wrong);
        line
    }
}
