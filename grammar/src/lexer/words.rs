//! Pass 2: words. Which of them are names, keys and keywords here, and which heads they open.
//!
//! Reserved words are keywords everywhere except after a point and as keys; all others only where the token after them fits.

use super::context::{Frame, Head, Kind};
use super::cook::Cook;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::token::{Tok, Token};

impl Cook<'_> {
    pub(super) fn word(&mut self, index: usize, token: Token) {
        if matches!(self.last_tok(), Some(Tok::Dot | Tok::OptionalDot)) {
            self.emit(Tok::Ident, token);
            return;
        }
        let is_key = self.frame().kind.has_keys()
            && self.at_entry_start()
            && self
                .at(index + 1)
                .is_some_and(|next| next.tok == Tok::Colon);
        if is_key {
            self.emit(Tok::Key, token);
            self.next = index + 2;
            return;
        }
        match token.tok {
            Tok::Ident => self.small_word(index, token),
            Tok::TypeIdent => self.emit(Tok::TypeIdent, token),
            _reserved => self.reserved_word(index, token),
        }
    }

    fn brace_follows(&self, index: usize) -> bool {
        self.at(index + 1)
            .is_some_and(|next| next.tok == Tok::LBrace)
    }

    fn reserved_word(&mut self, index: usize, token: Token) {
        let mut tok = token.tok;
        match tok {
            Tok::If => self.push_head(Head::If),
            Tok::Then if self.frame().heads.last() == Some(&Head::If) => {
                self.frame_mut().heads.pop();
            }
            Tok::ElseThen => {
                let after_if = self.last_tok() == Some(Tok::RBrace)
                    && matches!(self.last_closed, Some((Kind::Statements, Some(Head::If))));
                if after_if {
                    tok = Tok::ElseBlock;
                    if self.brace_follows(index) {
                        self.push_head(Head::Bare);
                    }
                }
            }
            Tok::While | Tok::For | Tok::Fn => self.push_head(Head::Block),
            Tok::Match => self.push_head(Head::Match),
            Tok::Catch => self.push_head(Head::Catch),
            Tok::Loop => self.push_head(Head::Bare),
            Tok::Try if self.brace_follows(index) => self.push_head(Head::Bare),
            Tok::Is if self.word_at(index + 1) == "not" && self.same_line(index + 1).is_some() => {
                let not = self.tokens[index + 1];
                self.out.push((token.start, Tok::IsNot, not.end));
                self.next = index + 2;
                return;
            }
            _plain => {}
        }
        self.emit(tok, token);
    }

    fn small_word(&mut self, index: usize, token: Token) {
        let word = token.span().text(self.source);
        if word == "not"
            && self.last_tok().is_some_and(Tok::ends_operand)
            && let Some(next) = self.at(index + 1)
            && next.tok == Tok::In
        {
            self.out.push((token.start, Tok::NotIn, next.end));
            self.next = index + 2;
            return;
        }
        if self.at_statement_start() {
            if matches!(word, "trait" | "impl") && self.reserved_declaration(index, token) {
                return;
            }
            if let Some(tok) = self.soft_keyword(index) {
                self.start_declaration(tok);
                self.emit(tok, token);
                return;
            }
        }
        let verb = match word {
            "save" => Some(Tok::Save),
            "delete" => Some(Tok::Delete),
            "restore" => Some(Tok::Restore),
            "destroy" => Some(Tok::Destroy),
            "assert" => Some(Tok::Assert),
            _other => None,
        };
        if let Some(verb) = verb
            && self.verb_has_operand(index)
        {
            self.emit(verb, token);
            return;
        }
        let response = word == "response"
            && !self.last_tok().is_some_and(Tok::ends_operand)
            && self.frame().heads.is_empty()
            && self
                .same_line(index + 1)
                .is_some_and(|next| next.tok == Tok::LBrace);
        let response = response || (word == "response" && self.response_statement(index));
        if response {
            self.emit(Tok::Response, token);
            let brace = self.tokens[index + 1];
            self.next = index + 2;
            self.open(Tok::MapBrace, brace, Frame::new(Kind::Entries, Tok::RBrace));
            return;
        }
        self.emit(Tok::Ident, token);
    }

    fn response_statement(&self, index: usize) -> bool {
        self.at_statement_start()
            && self
                .same_line(index + 1)
                .is_some_and(|next| next.tok == Tok::LBrace)
    }

    fn start_declaration(&mut self, tok: Tok) {
        let head = match tok {
            Tok::Entity | Tok::Validate => Head::Fields,
            Tok::Enum => Head::Variants,
            Tok::Type | Tok::Guard => return,
            _block => Head::Block,
        };
        self.push_head(head);
    }

    /// `trait X { … }`, `impl X { … }`: reported and skipped.
    fn reserved_declaration(&mut self, index: usize, token: Token) -> bool {
        let Some(name) = self
            .same_line(index + 1)
            .filter(|next| next.tok == Tok::TypeIdent)
        else {
            return false;
        };
        let word = token.span().text(self.source);
        self.report(
            Diagnostic::error(
                Code::NotInThisVersion,
                token.span().to(name.span()),
                format!("`{word}` is not part of this version of FLIN"),
            )
            .hint("write ordinary functions"),
        );
        let mut at = index + 2;
        while let Some(next) = self.at(at) {
            if next.newline && next.tok != Tok::LBrace {
                break;
            }
            at = self.partner[at] as usize + 1;
            if next.tok == Tok::LBrace {
                break;
            }
        }
        self.next = at.max(index + 2);
        true
    }
}
