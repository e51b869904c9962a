//! Advice in messages about syntax: what was probably meant.
//!
//! Looks at the found token, its neighbours and what was expected; gives at most one sentence.

use super::Place;
use crate::token::Tok;

/// Tokens looked at to find the beginning of a statement. Without it many mistakes in one long line would cost the square.
const LOOK_BACK_TOKENS_MAX: usize = 64;

/// Advice for common slips.
pub(super) fn hint(place: &Place<'_>, tok: Tok) -> Option<String> {
    let before = place.tok(-1);
    let text = place.text(0);
    let before_text = place.text(-1);
    let ended = before.is_some_and(Tok::ends_statement);
    if let Some(other) = habit(place, tok) {
        return Some(other.to_owned());
    }
    if tok == Tok::Let && before == Some(Tok::If) {
        return Some("`if let` does not exist; write `match`, or test with `is`".to_owned());
    }
    if tok == Tok::LParen && place.tok(-2) == Some(Tok::At) {
        return Some("put what stands behind `@` into parentheses: `x @ (expression)`".to_owned());
    }
    if tok == Tok::DecoratorAt && ended {
        return Some("time travel is written with a blank: `todo @ yesterday`".to_owned());
    }
    if let Some(needs) = declaration_hint(before_text, tok).filter(|_| place.expects(";")) {
        return Some(needs.to_owned());
    }
    if before == Some(Tok::Fn) && tok == Tok::TypeIdent {
        return Some("names of functions begin with a small letter".to_owned());
    }
    if tok == Tok::Ident && place.expects("Name") && !place.expects("name") {
        return Some("this name begins with a capital letter".to_owned());
    }
    if place.expects("key:") && place.expects("}") && matches!(tok, Tok::Ident | Tok::TypeIdent) {
        return Some("a field is written `name: type`".to_owned());
    }
    if tok == Tok::FatArrow && place.expects("->") {
        return Some("the arms of a match are written `pattern -> value`".to_owned());
    }
    if tok == Tok::Colon && place.expects("}code") {
        return Some(
            "in a text `{` starts an expression; for JSON write r\"…\" or `\\{`".to_owned(),
        );
    }
    if tok == Tok::LBrace && matches!(before_text, "save" | "delete" | "restore" | "destroy") {
        return Some(format!(
            "a record has the name of its entity: `{before_text} Todo {{ … }}`"
        ));
    }
    if tok == Tok::LBrace && ended && place.expects(";") {
        return Some(
            "a map as an argument stands in parentheses; a block needs a head such as `if`"
                .to_owned(),
        );
    }
    if let ("required" | "unique" | "index" | "immutable" | "hidden", true) =
        (text, place.expects("=") && !place.expects(";"))
    {
        return Some(format!("a rule of a field is written `@{text}`"));
    }
    if matches!(text, "elif" | "elsif" | "elseif") && before == Some(Tok::RBrace) {
        return foreign_word_hint(text).map(str::to_owned);
    }
    if let Some(foreign) = foreign_word_hint(before_text) {
        return Some(foreign.to_owned());
    }
    match text {
        "and" => return Some("and is written `&&`".to_owned()),
        "or" => return Some("or is written `||`".to_owned()),
        "null" | "nil" | "undefined" => return Some("the absent value is `none`".to_owned()),
        _other => {}
    }
    let missing = separator_is_missing(place, tok);
    if missing && before == Some(Tok::Ident) {
        return Some(format!(
            "a call needs parentheses: `{before_text}(…)`; two statements on one line need `;` between them"
        ));
    }
    if missing {
        return Some("two statements on one line need `;` between them".to_owned());
    }
    if tok.is_reserved_word() && place.expects("name") && !place.expects("!") {
        return Some("choose another name".to_owned());
    }
    None
}

/// Words that begin a declaration if the right thing follows.
fn declaration_hint(word: &str, found: Tok) -> Option<&'static str> {
    match word {
        "route" => Some("`route` needs a method: `route GET \"/path\" { … }`"),
        "page" => Some("`page` needs a path: `page \"/path\" { … }`"),
        "ws" => Some("`ws` needs a path: `ws \"/path\" { … }`"),
        "test" => Some("`test` needs a name: `test \"what it shows\" { … }`"),
        "cron" => Some("`cron` needs a schedule: `cron \"0 3 * * *\" { … }`"),
        "every" => Some("`every` needs an interval: `every 5.minutes { … }`"),
        "entity" | "enum" | "component" | "type" if found == Tok::Ident => {
            Some("names of entities, enums, components and types begin with a capital letter")
        }
        _other => None,
    }
}

/// Words of other languages.
fn foreign_word_hint(word: &str) -> Option<&'static str> {
    match word {
        "function" | "def" | "func" | "fun" => {
            Some("functions are declared with `fn name() { … }`")
        }
        "var" => Some("variables need no keyword: `name = value`, or `let name = value`"),
        "class" | "struct" | "interface" => {
            Some("data is described by `entity Name { … }` or `type Name = …`")
        }
        "switch" => Some("write `match value { pattern -> … }`"),
        "elif" | "elsif" | "elseif" => Some("write `else if`"),
        "not" => Some("not is written `!`"),
        "import" | "use" | "export" | "from" => Some(
            "there are no imports: files in lib/, entities/ and components/ are visible everywhere",
        ),
        "await" | "async" => Some("there is no `await`: slow calls never block other requests"),
        "new" => Some("write `Name { field: value }`"),
        "throw" | "raise" => Some("write `fail(\"Kind\", \"message\")`"),
        _other => None,
    }
}

/// Habits from other languages that show in signs rather than words.
fn habit(place: &Place<'_>, tok: Tok) -> Option<&'static str> {
    let before = place.tok(-1);
    match tok {
        Tok::Colon if place.expects("->") && place.expects("{") => {
            Some("the type of the result is written `-> type`")
        }
        Tok::Colon if place.expects("->") => {
            Some("the arms of a match are written `pattern -> value`")
        }
        Tok::Colon if place.expects("{") => {
            Some("a block stands in braces: `{` instead of `:`, and `}` at its end")
        }
        Tok::Question if before == Some(Tok::Question) => {
            Some("the default for an absent value is written `a ?: b`")
        }
        Tok::Assign if matches!(before, Some(Tok::EqualEqual | Tok::NotEqual)) => {
            Some("equality is written `==` and `!=`, with two signs")
        }
        Tok::Fn if place.expects("!") => {
            Some("a function without a name is a lambda: `x => …`, `(a, b) => …`")
        }
        Tok::In if place.expects(")") => Some("a loop has no parentheses: `for x in xs { … }`"),
        _other if place.expects("{") && place.expects("then") && before == Some(Tok::RParen) => {
            Some("the body stands in braces: `if c { a }`, or `if c then a else b`")
        }
        _other if place.expects("in") && !place.expects("?:") => {
            Some("a loop is written `for x in xs`")
        }
        Tok::Separator if place.text(0) == ";" && place.expects(")") => {
            Some("a loop over numbers is written `for i in 0..n { … }`")
        }
        Tok::RParen if before == Some(Tok::LParen) && place.tok(1) == Some(Tok::Arrow) => {
            Some("a lambda is written `() => value`")
        }
        Tok::Separator if place.expects("=") && !place.expects("!") => {
            Some("a variable needs a value; the absent one is `none`")
        }
        _other => None,
    }
}

/// True if a statement ended and another begins on the same line.
pub(super) fn separator_is_missing(place: &Place<'_>, tok: Tok) -> bool {
    let starts = matches!(
        tok,
        Tok::Ident
            | Tok::TypeIdent
            | Tok::Int
            | Tok::Float
            | Tok::TextOpen
            | Tok::RawText
            | Tok::If
            | Tok::Let
            | Tok::Const
            | Tok::Return
            | Tok::Match
    );
    starts && place.expects(";") && place.tok(-1).is_some_and(Tok::ends_statement)
}

/// True if this statement assigned something already, outside brackets: `x = y` before the `=` of `x = y = 5`.
pub(super) fn assigned_before(place: &Place<'_>) -> bool {
    let before = &place.tokens[..place.index.min(place.tokens.len())];
    let mut open = 0u32;
    for &(_, tok, _) in before.iter().rev().take(LOOK_BACK_TOKENS_MAX) {
        let starts = tok.is_open_bracket() || matches!(tok, Tok::HandlerOpen | Tok::Separator);
        if open == 0 && starts {
            return false;
        }
        if open == 0 && tok.is_assignment() {
            return true;
        }
        if tok.is_close_bracket() {
            open += 1;
        } else if tok.is_open_bracket() {
            open -= 1;
        }
    }
    false
}
