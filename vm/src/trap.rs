//! Errors as the outside sees them: kind, sentence, position, call trace. Here because every door of the VM hands them
//! out. Must stay true: the kinds the runtime itself raises are a closed list; programs add their own by name.

/// Kind of an error, as `e.kind` gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A value of a wrong type.
    TypeError,
    /// `/` or `%` by 0 on ints.
    DivisionByZero,
    /// An int result beyond 64 bits.
    IntegerOverflow,
    /// A position that is not in the list or text.
    IndexOutOfBounds,
    /// Calls nested too deeply.
    StackOverflow,
    /// The memory of this run is used up.
    MemoryLimitExceeded,
    /// The time of this run is used up; nothing catches it.
    TimeLimitExceeded,
    /// A field does not follow its rules.
    ValidationError,
    /// Somebody else changed the record.
    ConflictError,
    /// The record does not exist.
    NotFound,
    /// The store failed or may only be read.
    StorageError,
    /// Data that refers to itself or is nested beyond 256 levels, where that cannot be handled.
    DepthLimitExceeded,
    /// An argument of the right type with an impossible value.
    ArgumentError,
    /// Text that cannot be read as what it should be (JSON, time, number).
    ParseError,
    /// Another server gave no answer.
    NetworkError,
    /// `assert` of something false.
    AssertionError,
    /// A kind that the program named itself with `fail("Kind", …)`.
    Custom(String),
}

impl ErrorKind {
    /// The kinds that the runtime itself raises.
    pub const KNOWN: [ErrorKind; 16] = [
        ErrorKind::TypeError,
        ErrorKind::DivisionByZero,
        ErrorKind::IntegerOverflow,
        ErrorKind::IndexOutOfBounds,
        ErrorKind::StackOverflow,
        ErrorKind::MemoryLimitExceeded,
        ErrorKind::TimeLimitExceeded,
        ErrorKind::ValidationError,
        ErrorKind::ConflictError,
        ErrorKind::NotFound,
        ErrorKind::StorageError,
        ErrorKind::DepthLimitExceeded,
        ErrorKind::ArgumentError,
        ErrorKind::ParseError,
        ErrorKind::NetworkError,
        ErrorKind::AssertionError,
    ];

    /// The name that programs see.
    pub fn name(&self) -> &str {
        match self {
            ErrorKind::TypeError => "TypeError",
            ErrorKind::DivisionByZero => "DivisionByZero",
            ErrorKind::IntegerOverflow => "IntegerOverflow",
            ErrorKind::IndexOutOfBounds => "IndexOutOfBounds",
            ErrorKind::StackOverflow => "StackOverflow",
            ErrorKind::MemoryLimitExceeded => "MemoryLimitExceeded",
            ErrorKind::TimeLimitExceeded => "TimeLimitExceeded",
            ErrorKind::ValidationError => "ValidationError",
            ErrorKind::ConflictError => "ConflictError",
            ErrorKind::NotFound => "NotFound",
            ErrorKind::StorageError => "StorageError",
            ErrorKind::DepthLimitExceeded => "DepthLimitExceeded",
            ErrorKind::ArgumentError => "ArgumentError",
            ErrorKind::ParseError => "ParseError",
            ErrorKind::NetworkError => "NetworkError",
            ErrorKind::AssertionError => "AssertionError",
            ErrorKind::Custom(name) => name,
        }
    }

    /// The kind with this name; a name that the runtime does not use is a custom kind.
    pub fn from_name(name: &str) -> ErrorKind {
        ErrorKind::KNOWN
            .into_iter()
            .find(|kind| kind.name() == name)
            .unwrap_or_else(|| ErrorKind::Custom(name.to_owned()))
    }
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A place in a source file. Line and column count from 1; 0 means unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Path of the source file as given to the compiler.
    pub file: String,
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// One call in a trace: the function and where in it the call (or the error) stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEntry {
    /// Function name; `… n more calls …` where a long trace was shortened.
    pub function: String,
    /// The source file; empty for a shortened part.
    pub file: String,
    /// Line, 0 for a shortened part.
    pub line: u32,
    /// Column, 0 for a shortened part.
    pub column: u32,
}

/// An error that nothing caught.
#[derive(Clone, Debug, PartialEq)]
pub struct Trap {
    /// Its kind.
    pub kind: ErrorKind,
    /// The sentence.
    pub message: String,
    /// Entity that failed its rules.
    pub entity: Option<String>,
    /// Field that failed its rules.
    pub field: Option<String>,
    /// Rule that failed.
    pub rule: Option<String>,
    /// The error that led to this one.
    pub cause: Option<Box<Trap>>,
    /// Where it was raised, in the program (never in the prelude).
    pub at: Position,
    /// Calls, innermost first.
    pub trace: Vec<TraceEntry>,
}

impl std::fmt::Display for Trap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        if self.at.line > 0 {
            write!(f, " ({}:{}:{})", self.at.file, self.at.line, self.at.column)?;
        }
        Ok(())
    }
}

impl std::error::Error for Trap {}
