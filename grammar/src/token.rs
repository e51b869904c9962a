//! The terminals of the grammar: a one-byte `Copy` enum without payload.
//!
//! Small tokens keep the parser's tables and error values small; actions read the text by span from the source. Some
//! characters have several terminals (`{` as block, map, entity literal …): the second pass of the lexer decides which one it is, so
//! that the grammar has no conflicts.

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tok {
    // Names and literals.
    Ident,
    TypeIdent,
    /// A word before `:` in an entry, argument, field or parameter; the colon is swallowed.
    Key,
    /// A quoted key; the colon is swallowed.
    KeyText,
    Int,
    Float,
    TextOpen,
    TextChunk,
    TextClose,
    RawText,
    /// A text without interpolation where the grammar wants a fixed one.
    PlainText,
    Label,
    /// Stands for an expression that was reported as missing by the lexer.
    Missing,

    // Reserved words.
    If,
    Then,
    /// `else` after the block of an `if`.
    ElseBlock,
    /// Any other `else`.
    ElseThen,
    While,
    For,
    In,
    NotIn,
    Is,
    IsNot,
    Match,
    Loop,
    Fn,
    Return,
    Break,
    Continue,
    Let,
    Const,
    Try,
    Catch,
    True,
    False,
    None,

    // Words that are keywords only at some places.
    Entity,
    Enum,
    Type,
    Page,
    Component,
    Route,
    Validate,
    Guard,
    GuardDefinition,
    Middleware,
    Ws,
    On,
    Every,
    Cron,
    Test,
    OnMount,
    OnUpdate,
    OnUnmount,
    Save,
    Delete,
    Restore,
    Destroy,
    Assert,
    Response,

    // Brackets.
    LParen,
    /// Of a lambda's parameters.
    LambdaParen,
    /// Of a destructuring tuple at the start of a statement.
    DestructureParen,
    RParen,
    LBracket,
    /// Of a destructuring list at the start of a statement.
    DestructureBracket,
    RBracket,
    /// Of a block, of match arms, of fields.
    LBrace,
    MapBrace,
    EntityBrace,
    /// Of a destructuring map at the start of a statement.
    DestructureBrace,
    RBrace,
    GenericOpen,
    GenericClose,

    // Operators and punctuation.
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    StarStar,
    EqualEqual,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    AndAnd,
    OrOr,
    Bang,
    Assign,
    PlusAssign,
    MinusAssign,
    StarAssign,
    SlashAssign,
    PercentAssign,
    PlusPlus,
    MinusMinus,
    Dot,
    OptionalDot,
    DotDot,
    DotDotEqual,
    Ellipsis,
    Comma,
    Colon,
    /// End of a statement: a newline or `;`.
    Separator,
    Arrow,
    FatArrow,
    Pipe,
    Bar,
    Question,
    /// The glued `?` of an optional type.
    Optional,
    Elvis,
    /// `@` of time travel.
    At,
    /// `@` of a decorator.
    DecoratorAt,

    // Interpolations and markup.
    InterpolationOpen,
    InterpolationClose,
    HandlerOpen,
    HandlerClose,
    ViewOpen,
    ViewClose,
    TagOpen,
    TagEnd,
    TagSelfEnd,
    TagClose,
    AttributeName,
    EventName,
    BindName,
    AttributeEqual,
    AttributeChunk,
    MarkupText,
    MarkupTextKept,
    StyleRaw,
    MarkupIf,
    MarkupElseIf,
    MarkupElse,
    MarkupEndIf,
    MarkupFor,
    MarkupEmpty,
    MarkupEndFor,

    /// Not a terminal: a token that the scanner merged into its neighbour.
    Trivia,
}

impl Tok {
    /// True for a token that may be the last one of an operand.
    pub(crate) fn ends_operand(self) -> bool {
        matches!(
            self,
            Tok::Ident
                | Tok::TypeIdent
                | Tok::Int
                | Tok::Float
                | Tok::TextClose
                | Tok::RawText
                | Tok::PlainText
                | Tok::Missing
                | Tok::True
                | Tok::False
                | Tok::None
                | Tok::RParen
                | Tok::RBracket
                | Tok::RBrace
                | Tok::GenericClose
                | Tok::PlusPlus
                | Tok::MinusMinus
                | Tok::Optional
        )
    }

    /// True for a token that may be the last one of a statement.
    pub(crate) fn ends_statement(self) -> bool {
        self.ends_operand()
            || matches!(
                self,
                Tok::Return
                    | Tok::Break
                    | Tok::Continue
                    | Tok::Label
                    | Tok::TagClose
                    | Tok::TagSelfEnd
                    | Tok::ViewClose
            )
    }

    /// True for an opening bracket of code.
    pub(crate) fn is_open_bracket(self) -> bool {
        matches!(
            self,
            Tok::LParen
                | Tok::LambdaParen
                | Tok::DestructureParen
                | Tok::LBracket
                | Tok::DestructureBracket
                | Tok::LBrace
                | Tok::MapBrace
                | Tok::EntityBrace
                | Tok::DestructureBrace
                | Tok::GenericOpen
        )
    }

    /// True for a closing bracket of code.
    pub(crate) fn is_close_bracket(self) -> bool {
        matches!(self, Tok::RParen | Tok::RBracket | Tok::RBrace)
    }

    /// The token that opens what `self` closes, for the brackets the scanner knows.
    pub(crate) fn opener(self) -> Option<Tok> {
        match self {
            Tok::RParen => Some(Tok::LParen),
            Tok::RBracket => Some(Tok::LBracket),
            Tok::RBrace => Some(Tok::LBrace),
            _other => None,
        }
    }

    /// True for the signs of assignments.
    pub(crate) fn is_assignment(self) -> bool {
        matches!(
            self,
            Tok::Assign
                | Tok::PlusAssign
                | Tok::MinusAssign
                | Tok::StarAssign
                | Tok::SlashAssign
                | Tok::PercentAssign
                | Tok::PlusPlus
                | Tok::MinusMinus
        )
    }

    /// True for the reserved words.
    pub(crate) fn is_reserved_word(self) -> bool {
        matches!(
            self,
            Tok::If
                | Tok::Then
                | Tok::ElseBlock
                | Tok::ElseThen
                | Tok::While
                | Tok::For
                | Tok::In
                | Tok::Is
                | Tok::Match
                | Tok::Loop
                | Tok::Fn
                | Tok::Return
                | Tok::Break
                | Tok::Continue
                | Tok::Let
                | Tok::Const
                | Tok::Try
                | Tok::Catch
                | Tok::True
                | Tok::False
                | Tok::None
        )
    }

    /// True for anything spelled as a word in the scanner's output.
    pub(crate) fn is_word(self) -> bool {
        matches!(self, Tok::Ident | Tok::TypeIdent) || self.is_reserved_word()
    }
}

/// The reserved word, if the text is one.
pub(crate) fn reserved(text: &str) -> Option<Tok> {
    Some(match text {
        "if" => Tok::If,
        "then" => Tok::Then,
        "else" => Tok::ElseThen,
        "while" => Tok::While,
        "for" => Tok::For,
        "in" => Tok::In,
        "is" => Tok::Is,
        "match" => Tok::Match,
        "loop" => Tok::Loop,
        "fn" => Tok::Fn,
        "return" => Tok::Return,
        "break" => Tok::Break,
        "continue" => Tok::Continue,
        "let" => Tok::Let,
        "const" => Tok::Const,
        "try" => Tok::Try,
        "catch" => Tok::Catch,
        "true" => Tok::True,
        "false" => Tok::False,
        "none" => Tok::None,
        _other => return None,
    })
}

/// A token with its place and what stood before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) tok: Tok,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// White space, a newline or a comment stands before it.
    pub(crate) spaced: bool,
    /// A newline stands before it (only set for tokens of code).
    pub(crate) newline: bool,
}

impl Token {
    /// A token without anything before it.
    pub(crate) fn glued(tok: Tok, start: u32, end: u32) -> Token {
        Token {
            tok,
            start,
            end,
            spaced: false,
            newline: false,
        }
    }

    pub(crate) fn span(self) -> crate::span::Span {
        crate::span::Span::new(self.start, self.end)
    }
}
