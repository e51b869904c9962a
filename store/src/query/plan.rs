//! What is done to answer a query, and how many records that is expected to touch.
//!
//! What must stay true: the words say what will really be done; numbers are counts where they are known and otherwise
//! marked as estimates.

use std::fmt;

/// How candidates are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Every record of the type is looked at, by number.
    Records {
        /// Records of the type, deleted ones included.
        rows: u64,
    },
}

/// The way a query is answered. Its `Display` is the explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(crate) type_name: String,
    pub(crate) access: Access,
    /// The condition that is looked at in each candidate's record.
    pub(crate) filter: Option<String>,
    /// The order that is made by sorting.
    pub(crate) sort: Option<String>,
    pub(crate) skip: u64,
    pub(crate) limit: Option<u64>,
    /// Records the answer is expected to have.
    pub(crate) rows: u64,
}

impl Plan {
    /// How many records the answer is expected to have.
    pub fn estimated_rows(&self) -> u64 {
        self.rows
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.type_name;
        match &self.access {
            Access::Records { rows } => {
                write!(f, "{name}: look at all {rows} records, by number")?;
            }
        }
        if let Some(filter) = &self.filter {
            write!(f, "\n  keep those with {filter}")?;
        }
        if let Some(sort) = &self.sort {
            write!(f, "\n  sort by {sort}")?;
        }
        if self.skip > 0 {
            write!(f, "\n  leave out the first {}", self.skip)?;
        }
        if let Some(limit) = self.limit {
            write!(f, "\n  stop after {limit}")?;
        }
        write!(f, "\n  about {} records in the answer", self.rows)
    }
}
