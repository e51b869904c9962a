//! The parser's errors as messages for people.
//!
//! The generated parser knows dozens of expected terminals; a person wants to hear one of a few classes. The found token and its
//! neighbours choose the sentence. What must stay true: no terminal name of the grammar file reaches a message.

mod hint;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::make::RawError;
use crate::span::Span;
use crate::token::Tok;
use lalrpop_util::ParseError;

/// The message for a syntax error. `tokens` are all terminals, in order.
pub(crate) fn explain(source: &str, tokens: &[(u32, Tok, u32)], error: &RawError) -> Diagnostic {
    match error {
        ParseError::UnrecognizedToken { token, expected } => {
            let first = tokens.partition_point(|&(start, _, _)| start < token.0);
            let index = tokens[first..]
                .iter()
                .position(|candidate| candidate == token)
                .map_or(first, |offset| first + offset);
            unexpected(&Place {
                source,
                tokens,
                index,
                expected,
            })
        }
        ParseError::UnrecognizedEof { location, expected } => {
            let place = Place {
                source,
                tokens,
                index: tokens.len(),
                expected,
            };
            at_end(&place, *location)
        }
        ParseError::ExtraToken { token } => unexpected(&Place {
            source,
            tokens,
            index: tokens.partition_point(|&(start, _, _)| start < token.0),
            expected: &[],
        }),
        ParseError::InvalidToken { location } => Diagnostic::error(
            Code::UnexpectedToken,
            Span::at(*location),
            "this cannot be read",
        ),
        ParseError::User { .. } => Diagnostic::error(
            Code::TooManyErrors,
            Span::at(tokens.last().map_or(0, |token| token.2)),
            "too many errors; the rest of the file is not read",
        ),
    }
}

/// An error's place with its surroundings.
struct Place<'a> {
    source: &'a str,
    tokens: &'a [(u32, Tok, u32)],
    /// Of the token found.
    index: usize,
    expected: &'a [String],
}

impl Place<'_> {
    fn tok(&self, offset: isize) -> Option<Tok> {
        let index = self.index.checked_add_signed(offset)?;
        self.tokens.get(index).map(|token| token.1)
    }

    fn span(&self, offset: isize) -> Option<Span> {
        let index = self.index.checked_add_signed(offset)?;
        self.tokens
            .get(index)
            .map(|&(start, _, end)| Span::new(start, end))
    }

    fn text(&self, offset: isize) -> &str {
        self.span(offset).map_or("", |span| span.text(self.source))
    }

    fn expects(&self, terminal: &str) -> bool {
        self.expected
            .iter()
            .any(|name| name.trim_matches('"') == terminal)
    }

    /// What could stand here, in a few words; empty if nothing helpful can be said.
    fn expectation(&self) -> String {
        let mut classes: Vec<&str> = Vec::new();
        let expression = self.expects("!");
        let statement = expression && self.expects("const");
        if statement {
            classes.push("a statement");
        } else if expression {
            classes.push("an expression");
        } else if self.expects("int") && self.expects("name") && self.expects("map{") {
            classes.push("a pattern");
        } else if self.expects("int") && self.expects("name") {
            classes.push("a number, a name, a text or a parenthesis");
        } else if self.expects("int") {
            classes.push("a number");
        } else if self.expects("name") && self.expects("[") && self.expects("none") {
            classes.push("a type");
        } else if self.expects("name") && !self.expects("?:") {
            classes.push("a name");
        } else if self.expects("Name") && !self.expects("?:") {
            classes.push("a capitalised name");
        }
        let signs: [(&str, &str); 22] = [
            ("(", "`(`"),
            ("key:", "`name:`"),
            ("plain text", "a text in quotes"),
            ("then", "`then`"),
            ("{", "a block `{`"),
            ("in", "`in`"),
            ("=", "`=`"),
            ("->", "`->`"),
            ("=>", "`=>`"),
            ("catch", "`catch`"),
            ("else-then", "`else`"),
            (",", "`,`"),
            (")", "`)`"),
            ("]", "`]`"),
            ("}", "`}`"),
            ("generic>", "`>`"),
            ("}code", "`}`"),
            (":", "`:`"),
            (";", "the end of the line"),
            ("on", "`on`"),
            ("tag>", "`>`"),
            ("attribute=", "`=` and a value"),
        ];
        let after_operand = self.expects("?:");
        for (terminal, words) in signs {
            let noise = match terminal {
                "=" => after_operand && !self.expects(";"),
                "in" | "(" => after_operand || !classes.is_empty(),
                "=>" => after_operand,
                ";" => statement,
                _other => false,
            };
            if self.expects(terminal)
                && !noise
                && classes.len() < 4
                && !(expression && after_block(terminal))
            {
                classes.push(words);
            }
        }
        if classes.is_empty() && after_operand {
            classes.push("an operator");
        }
        join(&classes)
    }
}

/// Closers say little where a whole expression may stand.
fn after_block(terminal: &str) -> bool {
    matches!(terminal, "=" | "->" | "=>" | "in" | ":" | "}")
}

fn join(classes: &[&str]) -> String {
    match classes {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// How a token is named in a message.
fn describe(tok: Tok, text: &str) -> String {
    match tok {
        Tok::Separator => "the end of the line".to_owned(),
        Tok::Comma if text.is_empty() => "the end of the line".to_owned(),
        Tok::TextOpen | Tok::RawText | Tok::PlainText | Tok::KeyText => "a text".to_owned(),
        Tok::MarkupText | Tok::MarkupTextKept | Tok::TextChunk | Tok::AttributeChunk => {
            "text".to_owned()
        }
        Tok::InterpolationClose | Tok::HandlerClose => "the `}` of this code".to_owned(),
        Tok::InterpolationOpen | Tok::HandlerOpen => "`{`".to_owned(),
        _other if text.is_empty() => "a missing bracket".to_owned(),
        Tok::Key => format!("`{text}:`"),
        _other => {
            let line = text.lines().next().unwrap_or("");
            format!("`{line}`")
        }
    }
}

fn at_end(place: &Place<'_>, location: u32) -> Diagnostic {
    let end = place.tokens.last().map_or(location, |token| token.2);
    let expectation = place.expectation();
    if place.expects("else-then") && !place.expects(";") {
        return missing_else(place, Span::at(end));
    }
    let mut diagnostic = Diagnostic::error(
        Code::UnexpectedEnd,
        Span::at(end),
        "the file ends too early",
    );
    if !expectation.is_empty() {
        diagnostic = diagnostic.label(format!("expected {expectation}"));
    }
    diagnostic
}

fn missing_else(place: &Place<'_>, span: Span) -> Diagnostic {
    let then = place.tokens[..place.index.min(place.tokens.len())]
        .iter()
        .rev()
        .find(|token| token.1 == Tok::Then)
        .map(|&(start, _, end)| Span::new(start, end));
    let title = "`then` without `else`";
    let diagnostic = match then {
        Some(then) => Diagnostic::error(Code::MissingElse, then, title)
            .label("this `then` needs an `else`")
            .also(span, "`else` is expected here"),
        None => Diagnostic::error(Code::MissingElse, span, title).label("`else` is expected here"),
    };
    diagnostic.hint("write `if c then a else b`, or a block: `if c { a }`")
}

fn unexpected(place: &Place<'_>) -> Diagnostic {
    let (Some(tok), Some(span)) = (place.tok(0), place.span(0)) else {
        return at_end(place, 0);
    };
    if let Some(special) = special(place, tok, span) {
        return special;
    }
    let found = describe(tok, place.text(0));
    let expectation = place.expectation();
    let line_end = tok == Tok::Separator || (tok == Tok::Comma && span.is_empty());
    let code = if tok.is_reserved_word() && place.expects("name") && !place.expects("!") {
        Code::ReservedWord
    } else if hint::separator_is_missing(place, tok) {
        Code::MissingSeparator
    } else if line_end && place.expects("{") && !place.expects("!") {
        Code::MissingBlock
    } else {
        Code::UnexpectedToken
    };
    let span = if span.is_empty() || matches!(tok, Tok::Separator) {
        Span::at(span.start)
    } else {
        first_line(place.source, span)
    };
    let title = if code == Code::ReservedWord {
        format!("{found} is a reserved word and cannot be a name")
    } else if line_end && place.text(0) != ";" {
        "the line ends too early".to_owned()
    } else if matches!(tok, Tok::InterpolationClose | Tok::HandlerClose) {
        "this code ends too early".to_owned()
    } else {
        format!("{found} cannot stand here")
    };
    let mut diagnostic = Diagnostic::error(code, span, title);
    if !expectation.is_empty() {
        diagnostic = diagnostic.label(format!("expected {expectation}"));
    }
    match hint::hint(place, tok) {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

/// The part of a span on its first line.
fn first_line(source: &str, span: Span) -> Span {
    let text = span.text(source);
    let length = text.find('\n').unwrap_or(text.len());
    Span::new(
        span.start,
        span.start + u32::try_from(length).unwrap_or(span.len()),
    )
}

/// Mistakes that have a code of their own.
fn special(place: &Place<'_>, tok: Tok, span: Span) -> Option<Diagnostic> {
    let before = place.tok(-1);
    if tok == Tok::Assign
        && place.expects("!")
        && let (Some(word), Some(at)) = (before, place.span(-1))
        && word.is_reserved_word()
    {
        let text = place.text(-1);
        return Some(
            Diagnostic::error(
                Code::ReservedWord,
                at,
                format!("`{text}` is a reserved word and cannot be a name"),
            )
            .also(span, "a name is expected before this")
            .hint("choose another name"),
        );
    }
    if tok.is_assignment() && before.is_some_and(Tok::ends_operand) && !place.expects(";") {
        return Some(assignment(place, tok, span));
    }
    if tok.is_assignment() && before.is_some_and(Tok::ends_operand) && hint::assigned_before(place)
    {
        return Some(
            Diagnostic::error(
                Code::AssignmentAsValue,
                span,
                "an assignment cannot stand here",
            )
            .label("this assigns once more in the same statement")
            .hint("an assignment is a statement, not a value: give each variable its value in a statement of its own"),
        );
    }
    if place.expects("else-then") && !matches!(tok, Tok::ElseBlock) && !place.expects(";") {
        return Some(missing_else(place, Span::at(span.start)));
    }
    match tok {
        Tok::TagOpen => Some(
            Diagnostic::error(Code::ElementAsValue, span, "an element is not a value")
                .label(format!(
                    "expected {}",
                    place.expectation_or("something else")
                ))
                .hint("make a component and use it as a tag, or put the element into the view"),
        ),
        Tok::LambdaParen if place.tok(-2) == Some(Tok::Fn) => Some(
            Diagnostic::error(
                Code::MissingBlock,
                span,
                "a function declared with `fn` has its body in braces",
            )
            .label("`=>` follows these parameters, as in a lambda")
            .hint(format!(
                "write `fn {name}(…) {{ … }}`, or `{name} = (…) => …`",
                name = place.text(-1)
            )),
        ),
        Tok::On => Some(
            Diagnostic::error(Code::Misplaced, span, "`on` stands only in a `ws` block")
                .hint("write `ws \"/path\" { on message(m) { … } }`"),
        ),
        Tok::Label => Some(
            Diagnostic::error(Code::BadLabel, span, "a label cannot stand here").hint(
                "labels stand before `for`, `while` or `loop`, and after `break` or `continue`",
            ),
        ),
        Tok::ElseBlock if before == Some(Tok::RBrace) && place.expects("else-then") => {
            Some(missing_else(place, Span::at(span.start)))
        }
        _other => None,
    }
}

impl Place<'_> {
    fn expectation_or(&self, other: &str) -> String {
        let expectation = self.expectation();
        if expectation.is_empty() {
            other.to_owned()
        } else {
            expectation
        }
    }
}

fn assignment(place: &Place<'_>, tok: Tok, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        Code::AssignmentAsValue,
        span,
        "an assignment cannot stand here",
    );
    if tok != Tok::Assign {
        return diagnostic
            .label("this changes a variable")
            .hint("write it as a statement of its own, before this one");
    }
    let name = place.text(-1);
    if place.tok(-2) == Some(Tok::MapBrace) {
        return diagnostic
            .label("`{` begins a map here, and its entries are written `name: value`")
            .hint(format!(
                "for a map write `{name}: …`; statements need a block with a head: a function, `if c {{ … }}`, `x => {{ … }}`"
            ));
    }
    let hint = match place.tok(-2) {
        Some(Tok::LParen | Tok::Comma) if place.expects(",") || place.expects(")") => {
            format!("to compare write `==`; to name an argument write `{name}: …`")
        }
        Some(Tok::Key) => {
            "to compare write `==`; a block that starts with a typed name begins with `let`"
                .to_owned()
        }
        _other => "to compare write `==`".to_owned(),
    };
    diagnostic
        .label("a value is expected, not an assignment")
        .hint(hint)
}
