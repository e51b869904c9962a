//! Errors on their way from an operation to the place that catches them. Here because every slow path makes them and the
//! interpreter alone turns them into error objects (with position and trace).
//! Must stay true: a `Fault` is one pointer, so that results stay small; `Stopped` can never be caught.

use flin_bytecode::LibId;

use crate::heap::Obj;
use crate::host::HostError;
use crate::trap::ErrorKind;
use crate::value::View;

/// Result of an operation that may raise.
pub(crate) type Res<T> = Result<T, Fault>;

/// An error that is being raised.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) Box<FaultData>);

/// What is being raised.
#[derive(Debug)]
pub(crate) enum FaultData {
    /// A new error without position yet.
    New(NewError),
    /// An existing error object goes on its way.
    Thrown(Obj),
    /// The host said stop.
    Stopped,
}

/// A new error.
#[derive(Debug)]
pub(crate) struct NewError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) entity: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) rule: Option<String>,
    /// The error that led to this one; alive until this one is made, which is before the next collection.
    pub(crate) cause: Option<Obj>,
    pub(crate) blame: Blame,
}

/// Whose argument the value of a `TypeError` is; its message then gets the words for it where position and trace are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// Nobody's, as far as it is known.
    Nobody,
    /// The value is of a wrong type; it may have been meant for a library function.
    Value,
    /// An argument of this row, by position.
    Argument(LibId, usize),
    /// An element of a list that is an argument of this row.
    Element(LibId, usize),
}

impl Fault {
    /// An error of this kind with this sentence.
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Fault {
        Fault(Box::new(FaultData::New(NewError {
            kind,
            message: message.into(),
            entity: None,
            field: None,
            rule: None,
            blame: Blame::Nobody,
            cause: None,
        })))
    }

    /// Raises an existing error object.
    #[cold]
    pub(crate) fn thrown(error: Obj) -> Fault {
        Fault(Box::new(FaultData::Thrown(error)))
    }

    /// An error that a program names, with the error that led to it.
    #[cold]
    pub(crate) fn named(kind: &str, message: &str, cause: Option<Obj>) -> Fault {
        Fault(Box::new(FaultData::New(NewError {
            kind: ErrorKind::from_name(kind),
            message: message.to_owned(),
            entity: None,
            field: None,
            rule: None,
            cause,
            blame: Blame::Nobody,
        })))
    }

    /// The host said stop.
    #[cold]
    pub(crate) fn stopped() -> Fault {
        Fault(Box::new(FaultData::Stopped))
    }

    /// `TypeError` with this sentence.
    #[cold]
    pub(crate) fn type_error(message: impl Into<String>) -> Fault {
        Fault::new(ErrorKind::TypeError, message)
    }

    /// `TypeError: expected text, found list`.
    #[cold]
    pub(crate) fn expected(expected: &str, found: View) -> Fault {
        Fault::misfit(
            format!("expected {expected}, found {}", found.type_name()),
            Blame::Value,
        )
    }

    /// `TypeError` with this sentence about a value.
    #[cold]
    pub(crate) fn misfit(message: String, blame: Blame) -> Fault {
        Fault(Box::new(FaultData::New(NewError {
            kind: ErrorKind::TypeError,
            message,
            entity: None,
            field: None,
            rule: None,
            blame,
            cause: None,
        })))
    }

    /// `MemoryLimitExceeded`.
    #[cold]
    pub(crate) fn memory(limit_bytes: usize) -> Fault {
        Fault::new(
            ErrorKind::MemoryLimitExceeded,
            format!(
                "this run may use {} of memory, and that is used up",
                readable_bytes(limit_bytes)
            ),
        )
    }

    /// `DepthLimitExceeded` while doing `what`.
    #[cold]
    pub(crate) fn too_deep(what: &str) -> Fault {
        Fault::new(
            ErrorKind::DepthLimitExceeded,
            format!(
                "cannot {what}: the value is nested more than {DEPTH_MAX} levels deep or contains itself"
            ),
        )
    }

    /// `DepthLimitExceeded` while doing `what`: not deep, but more values than anybody can want.
    #[cold]
    pub(crate) fn too_large(what: &str) -> Fault {
        Fault::new(
            ErrorKind::DepthLimitExceeded,
            format!("cannot {what}: it holds too many values (parts that occur twice count twice)"),
        )
    }

    /// `ValidationError` with its fields.
    #[cold]
    pub(crate) fn validation(entity: &str, field: &str, rule: &str, message: String) -> Fault {
        Fault(Box::new(FaultData::New(NewError {
            kind: ErrorKind::ValidationError,
            message,
            entity: Some(entity.to_owned()),
            field: Some(field.to_owned()),
            rule: Some(rule.to_owned()),
            blame: Blame::Nobody,
            cause: None,
        })))
    }

    /// A value of another type than the field that it was to be saved in: a broken rule like others.
    #[cold]
    pub(crate) fn field_type(entity: &str, field: &str, message: String) -> Fault {
        Fault(Box::new(FaultData::New(NewError {
            kind: ErrorKind::ValidationError,
            message,
            entity: Some(entity.to_owned()),
            field: Some(field.to_owned()),
            rule: Some("type".to_owned()),
            blame: Blame::Nobody,
            cause: None,
        })))
    }

    /// What the host refused.
    #[cold]
    pub(crate) fn host(error: HostError) -> Fault {
        let sentence = error.to_string();
        match error {
            HostError::ReadOnly => Fault(Box::new(FaultData::New(NewError {
                kind: ErrorKind::StorageError,
                message: sentence,
                entity: None,
                field: None,
                rule: Some(READ_ONLY_RULE.to_owned()),
                blame: Blame::Nobody,
                cause: None,
            }))),
            HostError::Storage(_) => Fault::new(ErrorKind::StorageError, sentence),
            HostError::NotFound { entity, .. }
            | HostError::Deleted { entity, .. }
            | HostError::NotDeleted { entity, .. } => Fault(Box::new(FaultData::New(NewError {
                kind: ErrorKind::NotFound,
                message: sentence,
                entity: Some(entity),
                field: None,
                rule: None,
                blame: Blame::Nobody,
                cause: None,
            }))),
            HostError::Constraint {
                entity,
                field,
                rule,
                message,
            } => Fault::validation(&entity, &field, &rule, message),
            HostError::Conflict => Fault::new(ErrorKind::ConflictError, sentence),
        }
    }
}

/// `rule` of the `StorageError` of code that may only read.
pub const READ_ONLY_RULE: &str = "read_only";

/// Deepest nesting of data that is walked.
pub(crate) const DEPTH_MAX: u32 = 256;

fn readable_bytes(bytes: usize) -> String {
    if bytes >= 1 << 20 {
        format!("{} MiB", bytes >> 20)
    } else {
        format!("{} KiB", bytes >> 10)
    }
}
