//! The arguments of `flinvm db`. Must stay true: every command takes `--data` and `--format`, and its help ends with
//! lines that can be copied.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use flin_runtime::store::{Lsn, Moment, parse_time};

#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseCommand {
    /// Read everything and report what is there and every damaged place
    Verify(Verify),
    /// Count: records, versions, bytes, files
    Stats(Stats),
    /// Show all versions of a record, and what each one changed
    History(History),
    /// Write records as text, as they are or as they were
    Export(Export),
    /// Read records from a text and save them, after checking all of them
    Import(Import),
    /// Show what a program changes about the data, and agree to what gives data up
    Migrate(Migrate),
    /// Copy everything to a directory, while a server runs or not
    Backup(Backup),
    /// Make a store from a backup, as it was at its end or at any moment before
    Restore(Restore),
    /// Take what was destroyed, and versions kept no longer, out of all files now
    Compact(Compact),
}

/// What all commands take.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// Directory of the data
    #[arg(long, default_value = ".flindb")]
    pub(crate) data: PathBuf,
    /// Form of the answer on stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    Text,
    /// One JSON object
    Json,
}

const VERIFY_EXAMPLES: &str = "Examples:
  flinvm db verify
  flinvm db verify --data /var/lib/shop/.flindb --format json
  flinvm db verify --data damaged --salvage rescued    write what can be read into a new store

Exit code: 0 everything acknowledged is intact, 1 something is damaged, 75 the disk cannot be read.";

#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Write everything that can be read into a new store in this directory, which must not exist or be empty
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) salvage: Option<PathBuf>,
}

const STATS_EXAMPLES: &str = "Examples:
  flinvm db stats
  flinvm db stats --data /var/lib/shop/.flindb --format json
  flinvm db stats --program app.fbc       with the columns and indexes that the queries of a program need

It works while a server runs; then it counts what was durable when it began.";

#[derive(Debug, Args)]
#[command(after_help = STATS_EXAMPLES)]
pub(crate) struct Stats {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Count the memory that the queries of this program need (.fbc or .flin), not only what the data says by itself
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) program: Option<PathBuf>,
}

const HISTORY_EXAMPLES: &str = "Examples:
  flinvm db history Todo 17
  flinvm db history User 1 --data /var/lib/shop/.flindb --format json";

#[derive(Debug, Args)]
#[command(after_help = HISTORY_EXAMPLES)]
pub(crate) struct History {
    /// The entity
    #[arg(value_name = "ENTITY")]
    pub(crate) entity: String,
    /// The number of the record
    #[arg(value_name = "ID")]
    pub(crate) id: u64,
    #[command(flatten)]
    pub(crate) common: Common,
}

const EXPORT_EXAMPLES: &str = "Examples:
  flinvm db export > everything.jsonl
  flinvm db export --type Todo --as csv > todos.csv
  flinvm db export --at 2026-01-15T10:00:00Z > then.jsonl    as it was then, with the fields of then
  flinvm db export --at 1200 --deleted > lsn1200.jsonl       after transaction 1200, deleted records too

It works while a server runs, and on a damaged store (up to the damage).";

#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct Export {
    /// Directory of the data
    #[arg(long, default_value = ".flindb")]
    pub(crate) data: PathBuf,
    /// Only this entity (may be given several times)
    #[arg(long = "type", value_name = "ENTITY")]
    pub(crate) types: Vec<String>,
    /// Form of the text; CSV takes one --type
    #[arg(long = "as", value_enum, default_value_t = TextForm::Jsonl)]
    pub(crate) form: TextForm,
    /// As it was at a time (2026-01-15T10:00:00Z, or a day) or after a transaction (its LSN)
    #[arg(long, value_name = "TIME|LSN", value_parser = moment)]
    pub(crate) at: Option<Moment>,
    /// Deleted records too
    #[arg(long)]
    pub(crate) deleted: bool,
    /// Write to this file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How records are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextForm {
    /// JSON lines: a head with the schema, then one record per line
    Jsonl,
    /// Comma-separated values, names in the first line
    Csv,
}

const IMPORT_EXAMPLES: &str = "Examples:
  flinvm db import everything.jsonl --data new/.flindb        into a new store: the schema stands in the file
  flinvm db import todos.csv --type Todo --program app.fbc    with the entities of a program
  flinvm db import todos.jsonl --dry-run                      only check

Everything is checked first: types, required values, unique values, links. Up to --batch-mib it is all or nothing.
No server may run on the data meanwhile.";

#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(crate) struct Import {
    /// The text: JSON lines, or CSV if it ends in .csv; - reads JSON lines from stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
    /// The entity of the records in a CSV file
    #[arg(long = "type", value_name = "ENTITY")]
    pub(crate) entity: Option<String>,
    /// Take the entities from this program (.fbc or .flin), not from the data or the file
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) program: Option<PathBuf>,
    /// Check everything and say what would be done; change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write in transactions of at most this size; an import that fits into one is all or nothing
    #[arg(long, default_value_t = 8, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=12))]
    pub(crate) batch_mib: u64,
}

const MIGRATE_EXAMPLES: &str = "Examples:
  flinvm db migrate app.fbc --dry-run     what would change, and what it costs in records; changes nothing
  flinvm db migrate app.fbc               agree to it: values that are given up stay in the history

The same agreement is given by --migrate of serve and run. Exit code: 0 the program fits (or fits now), 1 it does not.";

#[derive(Debug, Args)]
#[command(after_help = MIGRATE_EXAMPLES)]
pub(crate) struct Migrate {
    /// Compiled program (.fbc), or its source (.flin)
    pub(crate) program: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
    /// Only show what would change
    #[arg(long)]
    pub(crate) dry_run: bool,
}

const BACKUP_EXAMPLES: &str = "Examples:
  flinvm db backup /backups/monday
  flinvm db backup /backups/tuesday --since /backups/monday    only what is new takes room; each of the two is whole
  flinvm db verify --data /backups/tuesday                     check it, anywhere

It works while a server runs, without a pause, and on a damaged store (then the exit code is 1). On one file system segments
are hard links: keep a copy on another disk too. A backup keeps what is destroyed later: remove old ones.";

#[derive(Debug, Args)]
#[command(after_help = BACKUP_EXAMPLES)]
pub(crate) struct Backup {
    /// Directory for the backup; it must not exist or be empty
    #[arg(value_name = "DIRECTORY")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
    /// An earlier backup of this data: what stands there is not copied again
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) since: Option<PathBuf>,
}

const RESTORE_EXAMPLES: &str = "Examples:
  flinvm db restore /backups/tuesday --data new/.flindb
  flinvm db restore /backups/tuesday --data then/.flindb --at 2026-01-15T10:00:00Z
  flinvm db restore /backups/tuesday --data then/.flindb --at 1200      as it was after transaction 1200

What the backup knows to be destroyed is not restored, whatever the moment.";

#[derive(Debug, Args)]
#[command(after_help = RESTORE_EXAMPLES)]
pub(crate) struct Restore {
    /// The backup, or the data of a server that does not run
    #[arg(value_name = "BACKUP")]
    pub(crate) from: PathBuf,
    /// Directory of the new data; it must not exist or be empty
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) data: PathBuf,
    /// As it was at a time (2026-01-15T10:00:00Z, or a day) or after a transaction (its LSN)
    #[arg(long, value_name = "TIME|LSN", value_parser = moment)]
    pub(crate) at: Option<Moment>,
    /// Form of the answer on stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

const COMPACT_EXAMPLES: &str = "Examples:
  flinvm db compact
  flinvm db compact --data /var/lib/shop/.flindb --format json

A server does this by itself within 24 hours. No server may run on the data meanwhile. Backups are not touched.";

#[derive(Debug, Args)]
#[command(after_help = COMPACT_EXAMPLES)]
pub(crate) struct Compact {
    #[command(flatten)]
    pub(crate) common: Common,
}

/// An LSN or a time.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(lsn) = text.parse() {
        return Ok(Moment::Lsn(Lsn(lsn)));
    }
    parse_time(text).map(Moment::Time).ok_or_else(|| {
        "expected a time such as 2026-01-15T10:00:00Z, a day such as 2026-01-15, or the number of a transaction"
            .to_owned()
    })
}
