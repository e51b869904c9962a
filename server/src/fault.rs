//! Failures of the door as the outside may know them: status, kind, sentence. Here because pages, actions and routes
//! must agree. Must stay true: what is our own fault leaves as an id, and the log has the rest under that id.

use std::hash::{BuildHasher, Hasher};

use flin_runtime::Failure;
use flin_runtime::json::write_plain_text;
use flin_runtime::vm::{ErrorKind, Trap};
use hyper::StatusCode;

use crate::context;

/// A failure, ready to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) entity: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) rule: Option<String>,
    /// Under this id the log tells more.
    pub(crate) id: Option<String>,
    /// Position and trace, for development.
    pub(crate) details: Option<String>,
}

impl Fault {
    /// A fault of the request.
    pub(crate) fn new(status: StatusCode, kind: &str, message: impl Into<String>) -> Fault {
        Fault {
            status,
            kind: kind.to_owned(),
            message: message.into(),
            entity: None,
            field: None,
            rule: None,
            id: None,
            details: None,
        }
    }

    /// A failure of the door. What is hidden from the outside is logged here with the id that is shown.
    pub(crate) fn of(failure: &Failure, show_errors: bool) -> Fault {
        let own = |kind: &str| Fault::own(kind, failure, show_errors);
        let told = |status, kind: &str| Fault::new(status, kind, failure.to_string());
        match failure {
            Failure::UnknownHandler { .. } => told(StatusCode::NOT_FOUND, "UnknownAction"),
            Failure::BadInput { variable, .. } => Fault {
                field: variable.clone(),
                ..told(StatusCode::BAD_REQUEST, "BadRequest")
            },
            Failure::RecordMissing { entity, .. } => Fault {
                entity: Some(entity.clone()),
                ..told(StatusCode::NOT_FOUND, "NotFound")
            },
            Failure::RecordChanged { entity, .. } => Fault {
                entity: Some(entity.clone()),
                ..told(StatusCode::CONFLICT, "ConflictError")
            },
            Failure::Conflict => told(StatusCode::CONFLICT, "ConflictError"),
            Failure::Busy | Failure::Closed => told(StatusCode::SERVICE_UNAVAILABLE, "Busy"),
            Failure::Unavailable { .. } => told(StatusCode::SERVICE_UNAVAILABLE, "Unavailable"),
            Failure::Panic { .. } => own("InternalError"),
            Failure::Store { .. } => own("StorageError"),
            Failure::OutcomeUnknown { .. } => own("OutcomeUnknown"),
            Failure::Trap(trap) => Fault::of_trap(trap, own),
        }
    }

    /// A failure while a page was shown: its visitor asked for nothing special, so a broken rule is the program's fault.
    pub(crate) fn of_page(failure: &Failure, show_errors: bool) -> Fault {
        let fault = Fault::of(failure, show_errors);
        match fault.status {
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT => {
                Fault::own(&fault.kind, failure, show_errors)
            }
            _ => fault,
        }
    }

    /// A failure of a route: nobody looks at a page that could explain a program's own error, so only its id leaves.
    pub(crate) fn of_route(failure: &Failure, show_errors: bool) -> Fault {
        let mut fault = Fault::of(failure, show_errors);
        if let (Some(id), false) = (&fault.id, show_errors) {
            fault.message = hidden(failure, id);
        }
        fault
    }

    fn of_trap(trap: &Trap, own: impl Fn(&str) -> Fault) -> Fault {
        let told = |status| Fault {
            entity: trap.entity.clone(),
            field: trap.field.clone(),
            rule: trap.rule.clone(),
            ..Fault::new(status, trap.kind.name(), trap.message.clone())
        };
        match &trap.kind {
            ErrorKind::ValidationError => told(StatusCode::UNPROCESSABLE_ENTITY),
            ErrorKind::NotFound => told(StatusCode::NOT_FOUND),
            ErrorKind::ConflictError => told(StatusCode::CONFLICT),
            ErrorKind::TimeLimitExceeded => Fault {
                status: StatusCode::SERVICE_UNAVAILABLE,
                ..own(trap.kind.name())
            },
            ErrorKind::Custom(name) if http_status(trap).is_some() => {
                let status = http_status(trap).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Fault::new(status, name, trap.message.clone())
            }
            // The program's own words, meant to be read.
            ErrorKind::Custom(name) => Fault {
                message: trap.message.clone(),
                ..own(name)
            },
            ErrorKind::TypeError
            | ErrorKind::DivisionByZero
            | ErrorKind::IntegerOverflow
            | ErrorKind::IndexOutOfBounds
            | ErrorKind::StackOverflow
            | ErrorKind::MemoryLimitExceeded
            | ErrorKind::StorageError
            | ErrorKind::DepthLimitExceeded
            | ErrorKind::ArgumentError
            | ErrorKind::ParseError
            | ErrorKind::NetworkError
            | ErrorKind::AssertionError => own(trap.kind.name()),
        }
    }

    fn own(kind: &str, failure: &Failure, show_errors: bool) -> Fault {
        let id = new_id();
        context::logged(|| tracing::error!(id, kind, "{failure}"));
        let message = if show_errors {
            failure.to_string()
        } else {
            hidden(failure, &id)
        };
        let details = match failure {
            Failure::Trap(trap) if show_errors => Some(details(trap)),
            _ => None,
        };
        Fault {
            id: Some(id),
            details,
            ..Fault::new(StatusCode::INTERNAL_SERVER_ERROR, kind, message)
        }
    }

    /// A bug of ours.
    pub(crate) fn broken(what: &dyn std::fmt::Display) -> Fault {
        let failure = Failure::Panic {
            message: what.to_string(),
        };
        Fault::own("InternalError", &failure, false)
    }

    /// `{"type":"error","error":{…}}`
    pub(crate) fn action_json(&self) -> String {
        let mut out = String::from("{\"type\":\"error\",\"error\":{\"kind\":");
        write_plain_text(&mut out, &self.kind);
        out.push_str(",\"message\":");
        write_plain_text(&mut out, &self.message);
        let parts = [
            ("entity", &self.entity),
            ("field", &self.field),
            ("rule", &self.rule),
            ("id", &self.id),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                out.push_str(&format!(",\"{name}\":"));
                write_plain_text(&mut out, value);
            }
        }
        out.push_str("}}");
        out
    }

    /// `{"error":…,"status":422,"fields":{…}}`
    pub(crate) fn route_json(&self) -> String {
        let mut out = String::from("{\"error\":");
        write_plain_text(&mut out, &self.message);
        out.push_str(&format!(",\"status\":{}", self.status.as_u16()));
        if let (Some(field), StatusCode::UNPROCESSABLE_ENTITY) = (&self.field, self.status) {
            out.push_str(",\"fields\":{");
            write_plain_text(&mut out, field);
            out.push(':');
            write_plain_text(&mut out, &self.message);
            out.push('}');
        }
        if let Some(id) = &self.id {
            out.push_str(",\"id\":");
            write_plain_text(&mut out, id);
        }
        out.push('}');
        out
    }
}

/// What is said instead of the reason. Whoever does not know whether it was done must hear that, or does it twice.
fn hidden(failure: &Failure, id: &str) -> String {
    if matches!(failure, Failure::OutcomeUnknown { .. }) {
        format!(
            "It is not known whether this was saved: please look before you try again (error {id})."
        )
    } else {
        format!("Something went wrong on the server (error {id}).")
    }
}

/// `error(404, "…")` raises an `HttpError` whose rule is the status.
fn http_status(trap: &Trap) -> Option<StatusCode> {
    let asked = trap
        .rule
        .as_deref()
        .filter(|_| trap.kind.name() == "HttpError")?;
    let status = asked
        .parse()
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok());
    status.filter(|status| status.is_client_error() || status.is_server_error())
}

fn details(trap: &Trap) -> String {
    let mut out = format!("{}:{}:{}", trap.at.file, trap.at.line, trap.at.column);
    for entry in &trap.trace {
        let place = if entry.file.is_empty() || entry.file == trap.at.file {
            String::new()
        } else {
            format!("{}, ", entry.file)
        };
        out.push_str(&format!(
            "\n  in {} at {place}line {}, column {}",
            entry.function, entry.line, entry.column
        ));
    }
    out
}

// Not a secret, only unlikely to be the same twice.
fn new_id() -> String {
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u8(0);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_outcome_is_said_to_be_unknown() {
        let failure = Failure::OutcomeUnknown {
            message: "the disk has its secrets".to_owned(),
        };
        for fault in [Fault::of(&failure, false), Fault::of_route(&failure, false)] {
            assert_eq!(fault.status, StatusCode::INTERNAL_SERVER_ERROR);
            assert!(
                fault
                    .message
                    .starts_with("It is not known whether this was saved"),
                "{}",
                fault.message
            );
            assert!(!fault.message.contains("secrets"), "{}", fault.message);
        }
    }
}
