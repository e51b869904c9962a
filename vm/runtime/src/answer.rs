//! The answer of the door: the result, and what must be said and logged once it stands. Here because output and log
//! lines leave only after the commit, and not on the committer's thread. Must stay true: an answer that nobody takes is
//! logged all the same.

use std::sync::Arc;

use flin_store::CommitEvent;
use flin_vm::{ErrorKind, TraceEntry};

use crate::door::Runtime;
use crate::entry::{Entry, Failure, Outcome, RouteBody};
use crate::host::Operations;
use crate::panics::Caught;
use crate::usage::Usage;
use crate::world::Said;

/// An answer on its way to whoever asked. `settle` gives the result.
pub struct Answer {
    result: Option<Result<Outcome, Failure>>,
    said: Vec<Said>,
    report: Option<Report>,
    committed: Option<Arc<CommitEvent>>,
}

// What the log line of an entry says.
pub(crate) struct Report {
    what: &'static str,
    name: String,
    usage: Usage,
    panic: Option<Caught>,
}

impl Report {
    pub(crate) fn new(entry: &Entry, usage: Usage, panic: Option<Caught>) -> Report {
        let (what, name) = match entry {
            Entry::Page { page, .. } => ("page", format!("#{page}")),
            Entry::Action { handler, .. } => ("action", handler.to_string()),
            Entry::Route { request, .. } => {
                ("route", format!("{} {}", request.method, request.path))
            }
            Entry::Main => ("main", String::new()),
            Entry::Script => ("script", String::new()),
            Entry::Test { test } => ("test", format!("#{test}")),
        };
        Report {
            what,
            name,
            usage,
            panic,
        }
    }
}

impl Answer {
    pub(crate) fn new(
        result: Result<Outcome, Failure>,
        said: Vec<Said>,
        report: Report,
        committed: Option<Arc<CommitEvent>>,
    ) -> Answer {
        Answer {
            result: Some(result),
            said,
            report: Some(report),
            committed,
        }
    }

    pub(crate) fn refused(failure: Failure) -> Answer {
        Answer {
            result: Some(Err(failure)),
            said: Vec::new(),
            report: None,
            committed: None,
        }
    }

    /// What it took.
    pub fn usage(&self) -> Usage {
        let report = self.report.as_ref();
        report.map_or_else(Usage::default, |report| report.usage.clone())
    }

    /// Whether settling it says nothing: no output, no line above debug.
    pub fn is_quiet(&self) -> bool {
        let quiet = matches!(
            self.result,
            Some(Ok(Outcome::Page(_) | Outcome::Route(_) | Outcome::Done(_)))
        );
        quiet && self.said.is_empty()
    }

    /// Lets out what the program said, writes the log lines and gives the result.
    pub fn settle(mut self, runtime: &Runtime) -> Result<Outcome, Failure> {
        let world = runtime.world();
        for said in self.said.drain(..) {
            match said {
                Said::Printed(line) => world.print(&line),
                Said::Logged(level, line) => world.log(level, &line),
            }
        }
        let mut result = self.result.take().unwrap_or(Err(Failure::Closed));
        if let (Ok(Outcome::Route(route)), Some(event)) = (&mut result, &self.committed)
            && let RouteBody::Value(value) = &mut route.body
        {
            runtime.types().set_committed(value, event);
        }
        if let Some(report) = self.report.take() {
            report.log(&result);
        }
        result
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let (Some(report), Some(result)) = (self.report.take(), self.result.take()) {
            tracing::warn!("whoever asked is gone before the answer");
            report.log(&result);
        }
    }
}

impl Report {
    fn log(&self, result: &Result<Outcome, Failure>) {
        let Operations { reads, writes } = self.usage.operations;
        let Usage {
            fuel,
            memory_bytes: memory,
            clashes,
            ..
        } = self.usage;
        let (what, name) = (self.what, self.name.as_str());
        let took_us = u64::try_from(self.usage.took.as_micros()).unwrap_or(u64::MAX);
        if let Some(panic) = &self.panic {
            panic.log(what, name);
        }
        // What every line about a request says.
        macro_rules! say {
            ($level:ident, $($more:tt)+) => {
                tracing::$level!(
                    what, name, reads, writes, fuel, memory, clashes, took_us, $($more)+
                )
            };
        }
        match result {
            Ok(Outcome::Action(done)) => say!(info, seq = done.seq.0, "done"),
            Ok(Outcome::Page(_) | Outcome::Route(_) | Outcome::Done(_)) => say!(debug, "done"),
            Err(failure) if is_own_fault(failure) => {
                say!(error, trace = trace_text(failure), "{failure}");
            }
            Err(failure) => say!(warn, "{failure}"),
        }
    }
}

/// Whether the fault lies with the program, the runtime or the disk, and not with who asked.
pub fn is_own_fault(failure: &Failure) -> bool {
    match failure {
        Failure::UnknownHandler { .. }
        | Failure::BadInput { .. }
        | Failure::RecordMissing { .. }
        | Failure::RecordChanged { .. }
        | Failure::Conflict
        | Failure::Busy
        | Failure::Closed => false,
        Failure::Panic { .. }
        | Failure::Store { .. }
        | Failure::Unavailable { .. }
        | Failure::OutcomeUnknown { .. } => true,
        Failure::Trap(trap) => match &trap.kind {
            // `error(404, "…")`: an answer, not an accident.
            ErrorKind::Custom(name) if name == "HttpError" => false,
            ErrorKind::ValidationError | ErrorKind::ConflictError | ErrorKind::NotFound => false,
            ErrorKind::TypeError
            | ErrorKind::DivisionByZero
            | ErrorKind::IntegerOverflow
            | ErrorKind::IndexOutOfBounds
            | ErrorKind::StackOverflow
            | ErrorKind::MemoryLimitExceeded
            | ErrorKind::TimeLimitExceeded
            | ErrorKind::StorageError
            | ErrorKind::DepthLimitExceeded
            | ErrorKind::ArgumentError
            | ErrorKind::ParseError
            | ErrorKind::NetworkError
            | ErrorKind::AssertionError
            | ErrorKind::Custom(_) => true,
        },
    }
}

fn trace_text(failure: &Failure) -> String {
    let Failure::Trap(trap) = failure else {
        return String::new();
    };
    let line = |entry: &TraceEntry| {
        let file = match entry.file.is_empty() || entry.file == trap.at.file {
            true => String::new(),
            false => format!("{}:", entry.file),
        };
        format!("{} {file}{}:{}", entry.function, entry.line, entry.column)
    };
    trap.trace.iter().map(line).collect::<Vec<_>>().join(" < ")
}
