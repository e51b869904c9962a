//! The looks ahead of pass 2: short questions about the tokens that follow, all of bounded cost thanks to the partner table.

use super::context::Kind;
use super::cook::Cook;
use crate::limits::GENERIC_LOOK_TOKENS_MAX;
use crate::token::{Tok, Token};

impl Cook<'_> {
    /// The token at `index`, if there is one.
    pub(super) fn at(&self, index: usize) -> Option<Token> {
        self.tokens.get(index).copied()
    }

    fn tok(&self, index: usize) -> Option<Tok> {
        self.at(index).map(|token| token.tok)
    }

    pub(super) fn word_at(&self, index: usize) -> &str {
        match self.at(index) {
            Some(token) if token.tok.is_word() => token.span().text(self.source),
            _other => "",
        }
    }

    /// The token at `index`, if it stands on the same line as the one before.
    pub(super) fn same_line(&self, index: usize) -> Option<Token> {
        self.at(index).filter(|token| !token.newline)
    }

    /// The kind of the token behind the partner of the bracket at `index`.
    pub(super) fn behind(&self, index: usize) -> Option<Tok> {
        self.tok(self.partner[index] as usize + 1)
    }

    /// True if the token at `index` can begin an operand; a brace counts only outside of heads.
    pub(super) fn starts_operand(&self, index: usize) -> bool {
        let Some(token) = self.at(index) else {
            return false;
        };
        let glued_behind = self.at(index + 1).is_some_and(|next| !next.spaced);
        match token.tok {
            Tok::Ident => !(self.word_at(index) == "not" && self.tok(index + 1) == Some(Tok::In)),
            Tok::TypeIdent
            | Tok::Int
            | Tok::Float
            | Tok::TextOpen
            | Tok::RawText
            | Tok::Missing
            | Tok::LParen
            | Tok::LBracket
            | Tok::True
            | Tok::False
            | Tok::None
            | Tok::Bang
            | Tok::Match
            | Tok::If
            | Tok::Try
            | Tok::Loop => true,
            Tok::Minus => glued_behind,
            Tok::LBrace => self.frame().heads.is_empty(),
            _other => false,
        }
    }

    /// True if the verb at `index` (`save`, `delete` …) is followed by its operand on the line.
    pub(super) fn verb_has_operand(&self, index: usize) -> bool {
        if self.last_tok().is_some_and(Tok::ends_operand) && !self.at_statement_start() {
            return false;
        }
        let Some(next) = self.same_line(index + 1) else {
            return false;
        };
        match next.tok {
            Tok::LBrace => false,
            Tok::LBracket => next.spaced,
            Tok::Minus => next.spaced && self.starts_operand(index + 1),
            _other => self.starts_operand(index + 1),
        }
    }

    /// After `=>` or `->`: true if the brace at `index` is a map.
    pub(super) fn brace_is_map(&self, index: usize) -> bool {
        let Some(first) = self.at(index + 1) else {
            return false;
        };
        match first.tok {
            Tok::RBrace | Tok::Ellipsis => true,
            Tok::TextOpen => self.behind(index + 1) == Some(Tok::Colon),
            Tok::RawText => self.tok(index + 2) == Some(Tok::Colon),
            Tok::LBracket => {
                let closer = self.partner[index + 1] as usize;
                self.tok(closer + 1) == Some(Tok::Colon)
            }
            word if word.is_word() => {
                matches!(self.tok(index + 2), Some(Tok::Colon | Tok::Comma))
            }
            _other => false,
        }
    }

    /// True if the `?` at `index` is the glued mark of an optional type.
    pub(super) fn question_is_optional(&self, index: usize) -> bool {
        let glued = self.at(index).is_some_and(|token| !token.spaced);
        glued
            && self.last_tok().is_some_and(Tok::ends_operand)
            && !(self.same_line(index + 1).is_some() && self.starts_operand(index + 1))
    }

    /// True if the `<` at `index` opens type arguments.
    pub(super) fn less_is_generic(&self, index: usize) -> bool {
        let glued = self.at(index).is_some_and(|token| !token.spaced);
        let count = self.out.len();
        let named = self.last_tok() == Some(Tok::TypeIdent)
            || (self.last_tok() == Some(Tok::Ident)
                && count >= 2
                && self.out[count - 2].1 == Tok::Fn);
        if !glued || !named {
            return false;
        }
        let mut depth = 0u32;
        let mut at = index;
        while at < index + GENERIC_LOOK_TOKENS_MAX {
            match self.tok(at) {
                Some(Tok::Less) => depth += 1,
                Some(Tok::Greater) => {
                    depth -= 1;
                    if depth == 0 {
                        return true;
                    }
                }
                Some(
                    Tok::Ident
                    | Tok::TypeIdent
                    | Tok::None
                    | Tok::Comma
                    | Tok::Colon
                    | Tok::Question
                    | Tok::Bar
                    | Tok::Arrow,
                ) => {}
                Some(Tok::LParen | Tok::LBracket) => at = self.partner[at] as usize,
                _other => return false,
            }
            at += 1;
        }
        false
    }

    /// True if the token at `index`, first on its line, continues the line before.
    pub(super) fn continues_line(&self, index: usize) -> bool {
        let Some(token) = self.at(index) else {
            return false;
        };
        let spaced_behind = self.at(index + 1).is_none_or(|next| next.spaced);
        let is_key = self.frame().kind.has_keys()
            && token.tok.is_word()
            && self.tok(index + 1) == Some(Tok::Colon);
        if is_key {
            return false;
        }
        match token.tok {
            Tok::Dot
            | Tok::OptionalDot
            | Tok::Pipe
            | Tok::AndAnd
            | Tok::OrOr
            | Tok::Elvis
            | Tok::Question
            | Tok::Colon
            | Tok::Comma
            | Tok::Plus
            | Tok::Star
            | Tok::Slash
            | Tok::Percent
            | Tok::StarStar
            | Tok::EqualEqual
            | Tok::NotEqual
            | Tok::Less
            | Tok::LessEqual
            | Tok::Greater
            | Tok::GreaterEqual
            | Tok::DotDot
            | Tok::DotDotEqual
            | Tok::Bar
            | Tok::Assign
            | Tok::PlusAssign
            | Tok::MinusAssign
            | Tok::StarAssign
            | Tok::SlashAssign
            | Tok::PercentAssign
            | Tok::PlusPlus
            | Tok::MinusMinus
            | Tok::FatArrow
            | Tok::Arrow
            | Tok::In
            | Tok::Is
            | Tok::Then
            | Tok::ElseThen
            | Tok::Catch => true,
            Tok::Minus => spaced_behind,
            Tok::At => spaced_behind || self.frame().kind == Kind::Fields,
            Tok::Ident => self.word_at(index) == "not" && self.tok(index + 1) == Some(Tok::In),
            _other => false,
        }
    }

    /// True if a statement surely begins at `index`, whatever stood before.
    pub(super) fn starts_statement_surely(&self, index: usize) -> bool {
        match self.tok(index) {
            Some(Tok::Fn | Tok::Let | Tok::Const | Tok::For | Tok::While | Tok::Return) => true,
            Some(Tok::Ident) => {
                self.tok(index + 1) == Some(Tok::Assign) || self.soft_keyword(index).is_some()
            }
            _other => false,
        }
    }

    /// The terminal of a word that is a keyword at the start of a statement, judged by the token after it.
    pub(super) fn soft_keyword(&self, index: usize) -> Option<Tok> {
        let word = self.word_at(index);
        let next = self.same_line(index + 1)?;
        let type_name = next.tok == Tok::TypeIdent;
        let text = matches!(next.tok, Tok::TextOpen | Tok::RawText);
        let name = next.tok == Tok::Ident;
        let brace = next.tok == Tok::LBrace;
        let (tok, fits) = match word {
            "entity" => (Tok::Entity, type_name),
            "enum" => (Tok::Enum, type_name),
            "type" => (Tok::Type, type_name),
            "component" => (Tok::Component, type_name),
            "route" => (Tok::Route, type_name),
            "page" => (Tok::Page, text),
            "test" => (Tok::Test, text),
            "ws" => (Tok::Ws, text),
            "cron" => (Tok::Cron, text),
            "validate" => (Tok::Validate, brace),
            "middleware" => (Tok::Middleware, brace),
            "onMount" => (Tok::OnMount, brace),
            "onUpdate" => (Tok::OnUpdate, brace),
            "onUnmount" => (Tok::OnUnmount, brace),
            "guard" => (Tok::Guard, name),
            "guard_definition" => (Tok::GuardDefinition, name),
            "on" => (Tok::On, name),
            "every" => (
                Tok::Every,
                name || matches!(next.tok, Tok::Int | Tok::Float),
            ),
            _other => return None,
        };
        // `guard in xs` and `on not in xs` are expressions.
        let is_operator = name && self.word_at(index + 1) == "not";
        (fits && !is_operator).then_some(tok)
    }
}
