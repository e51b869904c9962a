//! What can be asked of a program and what comes back. Here because server, command line and tests all go through the
//! one door with these. Must stay true: an entry names things by number or name and brings plain data; nothing in it is
//! trusted, the door checks all of it against the module.

use std::sync::Arc;

use flin_store::{Lsn, ReadSet, RequestId};
use flin_vm::{Counts, HostValue, Rendered, Trap};

use crate::json::Json;
use crate::wire::Sent;

/// State that a page sent along: variable names and their values.
pub type SentState = Vec<(String, Sent)>;

/// Parameters of a path, `/todo/:id`: names and texts.
pub type PathParams = Vec<(String, String)>;

/// One entry into FLIN code.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Renders a page, with the state that its visitor has; only reads.
    Page {
        /// Index into `Module::pages`.
        page: usize,
        /// What the parameters of its path are: names and texts.
        params: PathParams,
        /// State that overrides the initialisers.
        state: SentState,
    },
    /// Runs a handler of a page.
    Action {
        /// Index into `Module::pages`.
        page: usize,
        /// What the parameters of its path are: names and texts.
        params: PathParams,
        /// Which handler.
        handler: HandlerName,
        /// Its arguments as wire JSON.
        args: Vec<Json>,
        /// State that overrides the initialisers.
        state: SentState,
        /// Names the wish: what was saved under it is not saved again.
        request: Option<RequestId>,
    },
    /// Answers an HTTP route.
    Route {
        /// Index into `Module::routes`.
        route: usize,
        /// What is injected.
        request: Box<RouteRequest>,
        /// Refuse writes.
        read_only: bool,
    },
    /// Runs the other top-level statements, all in one transaction (before the first request).
    Main,
    /// Runs the other top-level statements as a script: each is a transaction of its own.
    Script,
    /// Runs a `test` block; each of its statements is a transaction of its own, too.
    Test {
        /// Index into `Module::tests`.
        test: usize,
    },
}

/// How a request names a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandlerName {
    /// `#3`: the page's handler of that number.
    Number(u32),
    /// A function that a handler of the page calls.
    Function(String),
}

impl HandlerName {
    /// Reads the `_action` of a request.
    pub fn parse(text: &str) -> HandlerName {
        let digits = text.strip_prefix('#').filter(|rest| {
            // A sign is no part of it.
            rest.bytes().all(|byte| byte.is_ascii_digit())
        });
        match digits.map(str::parse) {
            Some(Ok(number)) => HandlerName::Number(number),
            Some(Err(_)) | None => HandlerName::Function(text.to_owned()),
        }
    }
}

impl std::fmt::Display for HandlerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HandlerName::Number(number) => write!(f, "#{number}"),
            HandlerName::Function(name) => f.write_str(name),
        }
    }
}

/// What a route can see of its request.
#[derive(Clone, Debug, Default)]
pub struct RouteRequest {
    /// Path parameters.
    pub params: Vec<(String, String)>,
    /// Query string.
    pub query: Vec<(String, String)>,
    /// Decoded body.
    pub body: HostValue,
    /// Headers, lower-case names.
    pub headers: Vec<(String, String)>,
    /// Cookies.
    pub cookies: Vec<(String, String)>,
    /// Upper-case method.
    pub method: String,
    /// Path as routed.
    pub path: String,
    /// Path and query as sent.
    pub url: String,
    /// Address of the other side.
    pub remote: String,
}

/// What an entry gave.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A rendered page.
    Page(PageOutcome),
    /// A handler ran to its end.
    Action(ActionOutcome),
    /// A route's answer.
    Route(RouteOutcome),
    /// The top level or a test ran to its end.
    Done(Counts),
}

/// A rendered page.
#[derive(Clone, Debug)]
pub struct PageOutcome {
    /// The markup.
    pub rendered: Rendered,
    /// Page state: names and wire JSON.
    pub state: Vec<(String, String)>,
    /// The commit that the page shows.
    pub seq: Lsn,
    /// What it looked at: a commit that touches it may make the page another one (`Store::touches`).
    pub reads: Arc<ReadSet>,
    /// The newest data is all that it depends on: no clock, no chance, no other server, no look into the past; and it printed
    /// nothing. The same request gives the same page until a commit touches `reads`.
    pub data_only: bool,
}

/// What a handler did.
#[derive(Clone, Debug)]
pub struct ActionOutcome {
    /// Records were created, changed or deleted.
    pub wrote: bool,
    /// State that it changed: names and wire JSON.
    pub state: Vec<(String, String)>,
    /// The commit of its writes, or the one it read.
    pub seq: Lsn,
    /// This wish was done before, at `seq`; nothing was done now.
    pub repeated: bool,
}

/// A route's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteOutcome {
    /// Status code.
    pub status: u16,
    /// Headers that the program set.
    pub headers: Vec<(String, String)>,
    /// The body: text if the program chose a type of its own, else a value.
    pub body: RouteBody,
}

/// Body of a route's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum RouteBody {
    /// Nothing.
    Empty,
    /// A value, to be written as plain JSON (`plain_json`).
    Value(HostValue),
    /// Any other text; the program set its content type.
    Text(String),
}

/// Why an entry gave nothing. Nothing of it was saved, but for `OutcomeUnknown`.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The page has no such handler.
    UnknownHandler {
        /// As asked for.
        name: String,
    },
    /// Undeclared state, arguments that do not fit.
    BadInput {
        /// A sentence.
        message: String,
        /// The state variable that it is about.
        variable: Option<String>,
    },
    /// A record that was sent along does not exist (any more).
    RecordMissing {
        /// Entity name.
        entity: String,
        /// Its number.
        id: i64,
    },
    /// A record that was sent along with its version has another one by now.
    RecordChanged {
        /// Entity name.
        entity: String,
        /// Its number.
        id: i64,
    },
    /// An error that the program did not catch.
    Trap(Box<Trap>),
    /// The runtime broke: a bug of ours, in the log with its backtrace.
    Panic {
        /// What the panic said.
        message: String,
    },
    /// The store did not take it.
    Store {
        /// A sentence.
        message: String,
    },
    /// Nothing can be saved at the moment: the disk is full, or the data is open for reading only.
    Unavailable {
        /// A sentence.
        message: String,
    },
    /// It is not known whether it was saved.
    OutcomeUnknown {
        /// A sentence.
        message: String,
    },
    /// Others wrote the same records at the same time, again and again.
    Conflict,
    /// All workers are busy and the queue is full.
    Busy,
    /// The runtime is shutting down.
    Closed,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::UnknownHandler { name } => write!(f, "this page has no action {name}"),
            Failure::BadInput { message, .. }
            | Failure::Store { message }
            | Failure::Unavailable { message }
            | Failure::OutcomeUnknown { message } => f.write_str(message),
            Failure::RecordMissing { entity, id } => write!(f, "there is no {entity} with id {id}"),
            Failure::RecordChanged { entity, id } => write!(
                f,
                "{entity} {id} was changed by somebody else meanwhile; look at it again"
            ),
            Failure::Trap(trap) => trap.fmt(f),
            Failure::Panic { message } => write!(f, "the runtime broke: {message}"),
            Failure::Conflict => {
                f.write_str("others changed the same records at the same time; please try again")
            }
            Failure::Busy => f.write_str("the server is busy; please try again in a moment"),
            Failure::Closed => f.write_str("the server is shutting down"),
        }
    }
}

impl std::error::Error for Failure {}
