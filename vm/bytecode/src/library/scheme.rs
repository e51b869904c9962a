//! Type schemes of library functions, as text in the table and as trees. Here because inference needs trees with type
//! variables and the VM needs register classes, both from the same text. Must stay true: the class rules of this file
//! are those by which the compiler passes arguments and native bodies read them.

use std::fmt;

use crate::class::Class;
use crate::module::Signature;

/// A type in a scheme.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LibType {
    /// Anything.
    Any,
    /// No value: a result of this type uses no register.
    None,
    /// The function does not return.
    Never,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `float`
    Float,
    /// `text`
    Text,
    /// `time`
    Time,
    /// `duration`
    Duration,
    /// `range`: the value of `a..b`.
    Range,
    /// `error`
    Error,
    /// `response`
    Response,
    /// `entity`: an object of any entity.
    Entity,
    /// `query`: over any entity.
    Query,
    /// A tuple of any length and an enum value of any enum (intrinsics).
    Opaque,
    /// A type variable, by position in `Scheme::vars`.
    Var(u8),
    /// `[T]`
    List(Box<LibType>),
    /// `[K:V]`
    Map(Box<LibType>, Box<LibType>),
    /// `(A, B)`
    Tuple(Vec<LibType>),
    /// `(A, B) -> R`
    Func(Vec<LibType>, Box<LibType>),
    /// `T?`
    Optional(Box<LibType>),
    /// `A | B`
    Union(Vec<LibType>),
}

/// Parameters and result of a library function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scheme {
    /// Parameter types; the receiver is the first.
    pub params: Vec<LibType>,
    /// Parameter names, one for each.
    pub names: Vec<String>,
    /// Takes any number of values, `(...values: any)`: what it gets is their texts, joined by blanks.
    pub joins: bool,
    /// Result type.
    pub result: LibType,
    /// Names of the type variables.
    pub vars: Vec<char>,
}

impl LibType {
    /// The register class of a value of this type, as the compiler passes it.
    pub fn class(&self) -> Class {
        match self {
            LibType::Int | LibType::Time | LibType::Duration => Class::I64,
            LibType::Float => Class::F64,
            LibType::Bool => Class::Bool,
            LibType::Text
            | LibType::Range
            | LibType::Error
            | LibType::Response
            | LibType::Entity
            | LibType::Query
            | LibType::Opaque
            | LibType::List(_)
            | LibType::Map(..)
            | LibType::Tuple(_)
            | LibType::Func(..) => Class::Ref,
            LibType::Optional(inner) if inner.class() == Class::Ref => Class::Ref,
            LibType::Optional(_)
            | LibType::Union(_)
            | LibType::Any
            | LibType::None
            | LibType::Never
            | LibType::Var(_) => Class::Any,
        }
    }
}

impl Scheme {
    /// Register classes of a call. Results `none` and `never` use no register.
    pub fn signature(&self) -> Signature {
        Signature {
            params: self.params.iter().map(LibType::class).collect(),
            result: match self.result {
                LibType::None | LibType::Never => None,
                _ => Some(self.result.class()),
            },
        }
    }

    /// Reads a scheme such as `(list: [A], f: (A) -> B) -> [B]` or `(...values: any) -> none`.
    pub fn parse(text: &str) -> Result<Scheme, SchemeError> {
        let mut reader = Reader {
            rest: text,
            vars: Vec::new(),
        };
        let (mut params, mut names) = (Vec::new(), Vec::new());
        reader.expect("(")?;
        let joins = reader.eat("...");
        while !reader.eat(")") {
            if !params.is_empty() {
                reader.expect(",")?;
            }
            names.push(reader.name()?);
            reader.expect(":")?;
            params.push(reader.union()?);
        }
        reader.expect("->")?;
        let result = reader.union()?;
        if !reader.rest.trim_start().is_empty() {
            return Err(reader.error("the end"));
        }
        Ok(Scheme {
            params,
            names,
            joins,
            result,
            vars: reader.vars,
        })
    }
}

/// A scheme text that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeError {
    /// What should have come.
    pub expected: &'static str,
    /// The text that came instead.
    pub found: String,
}

impl fmt::Display for SchemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "type scheme: expected {}, found `{}`",
            self.expected, self.found
        )
    }
}

impl std::error::Error for SchemeError {}

struct Reader<'a> {
    rest: &'a str,
    vars: Vec<char>,
}

impl Reader<'_> {
    fn error(&self, expected: &'static str) -> SchemeError {
        SchemeError {
            expected,
            found: self.rest.to_owned(),
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &'static str) -> Result<(), SchemeError> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.error(token))
        }
    }

    /// The name of a parameter.
    fn name(&mut self) -> Result<String, SchemeError> {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_lowercase() && c != '_')
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(self.error("a parameter name"));
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn union(&mut self) -> Result<LibType, SchemeError> {
        let first = self.postfix()?;
        if !self.eat("|") {
            return Ok(first);
        }
        let mut members = vec![first, self.postfix()?];
        while self.eat("|") {
            members.push(self.postfix()?);
        }
        Ok(LibType::Union(members))
    }

    fn postfix(&mut self) -> Result<LibType, SchemeError> {
        let mut ty = self.primary()?;
        while self.eat("?") {
            ty = LibType::Optional(Box::new(ty));
        }
        Ok(ty)
    }

    fn primary(&mut self) -> Result<LibType, SchemeError> {
        if self.eat("[") {
            let first = self.union()?;
            let ty = if self.eat(":") {
                LibType::Map(Box::new(first), Box::new(self.union()?))
            } else {
                LibType::List(Box::new(first))
            };
            self.expect("]")?;
            return Ok(ty);
        }
        if self.eat("(") {
            let mut members = Vec::new();
            if !self.eat(")") {
                members.push(self.union()?);
                while self.eat(",") {
                    members.push(self.union()?);
                }
                self.expect(")")?;
            }
            return Ok(if self.eat("->") {
                LibType::Func(members, Box::new(self.union()?))
            } else {
                LibType::Tuple(members)
            });
        }
        self.word()
    }

    fn word(&mut self) -> Result<LibType, SchemeError> {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let ty = match word {
            "any" => LibType::Any,
            "none" => LibType::None,
            "never" => LibType::Never,
            "bool" => LibType::Bool,
            "int" => LibType::Int,
            "float" => LibType::Float,
            "text" => LibType::Text,
            "time" => LibType::Time,
            "duration" => LibType::Duration,
            "range" => LibType::Range,
            "error" => LibType::Error,
            "response" => LibType::Response,
            "entity" => LibType::Entity,
            "query" => LibType::Query,
            "opaque" => LibType::Opaque,
            _ => {
                let mut letters = word.chars();
                let (Some(letter @ 'A'..='Z'), None) = (letters.next(), letters.next()) else {
                    return Err(self.error("a type"));
                };
                let at = self
                    .vars
                    .iter()
                    .position(|v| *v == letter)
                    .unwrap_or_else(|| {
                        self.vars.push(letter);
                        self.vars.len() - 1
                    });
                LibType::Var(at as u8)
            }
        };
        self.rest = rest;
        Ok(ty)
    }
}
