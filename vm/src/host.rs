//! The door to the world: what the VM asks its `Host`, and the plain values that cross the border in both directions.
//! Here because the VM itself opens no file, no socket and no clock. Must stay true: values that cross are deep copies
//! (no object of the VM's heap is ever seen outside), and the host never calls back into the VM.

use flin_bytecode::QueryColumn;
use flin_bytecode::ids::EntityTypeId;

use crate::select::{HostQuery, HostTotal, TotalAnswer};

/// A value outside the VM's heap.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum HostValue {
    /// none
    #[default]
    None,
    /// true or false
    Bool(bool),
    /// 64-bit integer
    Int(i64),
    /// double
    Float(f64),
    /// text
    Text(String),
    /// point in time, ms since 1970 UTC
    Time(i64),
    /// span of time, ms
    Duration(i64),
    /// a link to a saved record: entity type and id
    Link(EntityTypeId, i64),
    /// a record with its fields
    Entity(Box<HostRecord>),
    /// a value of an enum
    Enum {
        /// index into `Module::enums`
        index: u32,
        /// index into the variants of the enum
        variant: u32,
        /// the data of the variant
        data: Vec<HostValue>,
    },
    /// list
    List(Vec<HostValue>),
    /// tuple
    Tuple(Vec<HostValue>),
    /// map in insertion order; keys that are no text arrive printed
    Map(Vec<(String, HostValue)>),
    /// what `response`, `error` and `redirect` build
    Response(Box<HostResponse>),
}

/// A record of an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct HostRecord {
    /// The entity type.
    pub ty: EntityTypeId,
    /// Its id; 0 while unsaved.
    pub id: i64,
    /// Version, from 1; 0 while unsaved, and of a link to a record of the past whose fields nobody has read.
    pub version: i64,
    /// Time of the first save, ms since 1970 UTC.
    pub created_at: i64,
    /// Time of this version, ms since 1970 UTC.
    pub updated_at: i64,
    /// Time of deletion, if the record is hidden.
    pub deleted_at: Option<i64>,
    /// The declared fields, in declared order.
    pub fields: Vec<HostValue>,
    /// If this is the record as it was, not as it is: of when.
    pub past: Option<HostPast>,
}

/// A moment of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// All that was committed by then, ms since 1970 UTC.
    Time(i64),
    /// All up to a commit, by the host's number: many commits may share a time. 0 is the transaction under way.
    Commit(i64),
}

/// Of when a record of the past is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPast {
    /// The moment whose state it shows.
    pub as_of: Moment,
    /// When the next version was made; none if there is no other.
    pub valid_to: Option<i64>,
}

/// What a deletion did to other records, by the `on_delete` rules of their links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consequences {
    /// Records that were deleted too: entity type and id.
    pub deleted: Vec<(EntityTypeId, i64)>,
    /// Records that lost their links to what was deleted.
    pub unlinked: Vec<(EntityTypeId, i64)>,
}

/// An HTTP answer built by the program.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct HostResponse {
    /// Status code.
    pub status: u16,
    /// Header names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body value.
    pub body: HostValue,
    /// Where to go, if this is a redirect.
    pub redirect: Option<String>,
}

/// Answer of `Host::slice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// Go on.
    Go,
    /// Stop: `TimeLimitExceeded`, which nothing catches.
    Stop,
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// `log_info`
    Info,
    /// `log_warn`
    Warning,
    /// `log_error`
    Error,
}

/// Which records a scan yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanMode {
    /// Records that are not deleted.
    Live,
    /// Deleted (hidden) records only.
    Deleted,
    /// Both.
    All,
}

/// Why the host refused an entity operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostError {
    /// This door only reads (a page is being rendered). Becomes `StorageError`.
    ReadOnly,
    /// No such record. Becomes `NotFound`.
    NotFound {
        /// Entity name.
        entity: String,
        /// The id asked for.
        id: i64,
    },
    /// The record is deleted, so it cannot be changed. Becomes `NotFound`.
    Deleted {
        /// Entity name.
        entity: String,
        /// Its id.
        id: i64,
    },
    /// The record is not deleted, so it cannot be restored. Becomes `NotFound`.
    NotDeleted {
        /// Entity name.
        entity: String,
        /// Its id.
        id: i64,
    },
    /// A rule that only the store can check (unique, references). Becomes `ValidationError`.
    Constraint {
        /// Entity name.
        entity: String,
        /// Field name.
        field: String,
        /// Name of the rule: `unique`, `reference`, `on_delete`.
        rule: String,
        /// A sentence for the user.
        message: String,
    },
    /// The store failed. Becomes `StorageError`.
    Storage(String),
    /// The record was changed by somebody else. Becomes `ConflictError`.
    Conflict,
}

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HostError::ReadOnly => {
                f.write_str("entities cannot be changed here: this code only reads")
            }
            HostError::NotFound { entity, id } => write!(f, "there is no {entity} with id {id}"),
            HostError::Deleted { entity, id } => write!(
                f,
                "{entity} {id} is deleted; bring it back with `restore` first"
            ),
            HostError::NotDeleted { entity, id } => {
                write!(f, "{entity} {id} is not deleted, so it cannot be restored")
            }
            HostError::Constraint { message, .. } => f.write_str(message),
            HostError::Storage(message) => write!(f, "the store failed: {message}"),
            HostError::Conflict => {
                f.write_str("the record was changed by somebody else at the same time")
            }
        }
    }
}

impl std::error::Error for HostError {}

/// Methods of requests to other servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// `http_get`
    Get,
    /// `http_delete`
    Delete,
    /// `http_post`
    Post,
    /// `http_put`
    Put,
    /// `http_patch`
    Patch,
}

/// A request to another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// What is asked for.
    pub method: HttpMethod,
    /// Where, as the program wrote it.
    pub url: String,
    /// Header names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body and its media type, if it has one.
    pub body: Option<(String, &'static str)>,
}

/// Why a request to another server gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpProblem {
    /// The request cannot be sent: no URL, a header that is none. Becomes `ArgumentError`.
    Request(String),
    /// It was sent, or tried to; there is no answer. Becomes `NetworkError`.
    Network(String),
    /// A page is being rendered: nothing may be changed, here or elsewhere. Becomes `StorageError`.
    ReadOnly,
}

/// What the VM needs from outside. Time, chance and answers are fixed per request by the implementation, so that a
/// request that is run again sees the same.
pub trait Host {
    /// A slice of fuel (1,021 units, more for long work) was used up, and the run uses so many bytes of memory: go on or
    /// stop? May take its time before it answers.
    fn slice(&mut self, fuel_used: u64, memory_bytes: usize) -> Slice;
    /// Asked after a slice: does the host want to know where the run is?
    fn wants_place(&mut self) -> bool {
        false
    }
    /// The run is at this line of all lines of the program (`Module::file_of_line`); library code counts as the line that
    /// called it. Only if the host wanted to know.
    fn is_at(&mut self, line: u32) {
        let _ = line;
    }
    /// Writes a line to the program's output (without newline at the end of `text`).
    fn print(&mut self, text: &str);
    /// Writes a log line.
    fn log(&mut self, level: LogLevel, text: &str);
    /// The time of this request, ms since 1970 UTC.
    fn now_ms(&mut self) -> i64;
    /// Fills `bytes` with random bytes.
    fn random(&mut self, bytes: &mut [u8]);
    /// An environment value.
    fn env(&mut self, name: &str) -> Option<String>;
    /// Sends a request to another server and waits for its answer, whose body is a text and whose header names are in
    /// lower case.
    fn http(&mut self, request: &HttpRequest) -> Result<HostResponse, HttpProblem> {
        let _ = request;
        Err(HttpProblem::Network("there is no network here".to_owned()))
    }
    /// A top-level statement of a script ended: what it saved may become durable now. Does nothing unless the
    /// implementation gives each statement a transaction of its own.
    fn statement_end(&mut self) -> Result<(), HostError> {
        Ok(())
    }
    /// The record with this id, deleted ones included (`deleted_at` tells); none if there is no such record.
    fn entity_get(&mut self, ty: EntityTypeId, id: i64) -> Result<Option<HostRecord>, HostError>;
    /// All records of a type, by id.
    fn entity_scan(
        &mut self,
        ty: EntityTypeId,
        mode: ScanMode,
    ) -> Result<Vec<HostRecord>, HostError>;
    /// All versions of a record, oldest first, unsaved ones left out; empty if there is no such record. `past` of each is
    /// the moment it was made and the time of the next one.
    fn entity_history(&mut self, ty: EntityTypeId, id: i64) -> Result<Vec<HostRecord>, HostError>;
    /// The record as it was, deleted or not (`deleted_at` tells); none if there was none.
    fn entity_get_at(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        when: Moment,
    ) -> Result<Option<HostRecord>, HostError>;
    /// All records of a type as they were, by id.
    fn entity_scan_at(
        &mut self,
        ty: EntityTypeId,
        mode: ScanMode,
        when: Moment,
    ) -> Result<Vec<HostRecord>, HostError>;
    /// The records that a query finds, in its order. Hosts that keep indexes do better than this.
    fn entity_select(&mut self, query: &HostQuery) -> Result<Vec<HostRecord>, HostError> {
        let records = match query.as_of {
            Some(when) => self.entity_scan_at(query.ty, query.mode, when)?,
            None => self.entity_scan(query.ty, query.mode)?,
        };
        Ok(query.select(records))
    }
    /// How many records a query finds.
    fn entity_count_where(&mut self, query: &HostQuery) -> Result<u64, HostError> {
        Ok(self.entity_select(query)?.len() as u64)
    }
    /// What a column of the records that a query finds comes to.
    fn entity_total(
        &mut self,
        query: &HostQuery,
        column: QueryColumn,
        total: HostTotal,
    ) -> Result<TotalAnswer, HostError> {
        let _ = (query, column, total);
        Ok(TotalAnswer::Unclear)
    }
    /// How a query is answered, in words; lines.
    fn entity_explain(&mut self, query: &HostQuery) -> Result<String, HostError> {
        let _ = query;
        Ok("looks at every record".to_owned())
    }
    /// Whether some stored record, deleted or not, may hold none in a declared field: as it is, or as it was at a moment.
    fn entity_may_hold_none(
        &mut self,
        ty: EntityTypeId,
        field: u32,
        as_of: Option<Moment>,
    ) -> Result<bool, HostError> {
        if as_of.is_some() {
            return Ok(true);
        }
        let records = self.entity_scan(ty, ScanMode::All)?;
        let mut fields = records
            .iter()
            .map(|record| record.fields.get(field as usize));
        Ok(fields.any(|value| matches!(value, None | Some(HostValue::None))))
    }
    /// Number of live records of a type.
    fn entity_count(&mut self, ty: EntityTypeId) -> Result<i64, HostError>;
    /// Inserts; gives the record with id, version and times.
    fn entity_insert(
        &mut self,
        ty: EntityTypeId,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError>;
    /// Makes a new version with these fields.
    fn entity_update(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError>;
    /// Hides the record; gives it with `deleted_at`, and what else was changed by that.
    fn entity_delete(
        &mut self,
        ty: EntityTypeId,
        id: i64,
    ) -> Result<(HostRecord, Consequences), HostError>;
    /// Brings the record back.
    fn entity_restore(&mut self, ty: EntityTypeId, id: i64) -> Result<HostRecord, HostError>;
    /// Removes the record and its history for good; gives what else was changed by that.
    fn entity_destroy(&mut self, ty: EntityTypeId, id: i64) -> Result<Consequences, HostError>;
}
