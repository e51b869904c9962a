//! Every number that bounds something, with its reason.

/// Segment headers fill one page, so that frames start page-aligned and a header is never torn with a frame.
pub const SEGMENT_HEADER_BYTES: u64 = 4096;
/// First segment: an application with little data costs little disk.
pub const SEGMENT_BYTES_MIN: u64 = 4 << 20;
/// Segments double up to here: large enough that rolling is rare, small enough to copy for `destroy`.
pub const SEGMENT_BYTES_MAX: u64 = 64 << 20;
/// Largest frame (one transaction): bounds the memory of a commit and of recovery.
pub const FRAME_BYTES_MAX: u64 = 16 << 20;
/// Frames and records start at multiples of this.
pub const ALIGN: u64 = 8;
/// End of a segment that only transactions that delete may use while there is no file for the next segment: a full disk
/// refuses what grows, and deleting still works. At most a sixteenth of the segment.
pub const RESERVE_BYTES_MAX: u64 = 256 << 10;
/// Bytes of updates that a transaction may have beside each record it deletes and still count as one that deletes: a
/// counter, a time. With more it grows the data, and the reserve is not for it.
pub const RESERVE_UPDATE_BYTES_MAX: u64 = 1024;
/// What a disk writes as a whole; the torn-tail test looks at sectors of this size.
pub const SECTOR_BYTES: u64 = 512;
/// Nesting of lists, maps and enums: bounds recursion when decoding (the language refuses data deeper than 256).
pub const VALUE_DEPTH_MAX: usize = 256;
/// One batch of the committer: bounds the time between the first append and its sync.
pub const BATCH_BYTES_MAX: usize = 1 << 20;
/// So far behind the last synced frame can anything stand that the store wrote: a batch, which goes on until it has
/// `BATCH_BYTES_MAX`, with a schema and a transaction as long as a frame may be, and marks.
pub const UNSYNCED_BYTES_MAX: u64 = 2 * FRAME_BYTES_MAX + 2 * BATCH_BYTES_MAX as u64;
/// One batch of the committer, in transactions.
pub const BATCH_COMMITS_MAX: usize = 1024;
/// A batch that is smaller than the one before waits for those who were answered together with it, for this part of the time
/// that the last sync took: too little to be noticed, enough to save a sync.
pub const PATIENCE: u32 = 8;
/// A sync mark is written after so much idle time, so that the last acknowledged frame is proven durable.
pub const IDLE_MARK_MS: u64 = 50;
/// After a full disk the next attempt to make a segment waits so long: each one writes megabytes of zeros.
pub const FULL_RETRY_MS: i64 = 1000;
/// Request ids remembered for retries (the newest ones, rebuilt from the log at open).
pub const REQUEST_IDS_MAX: usize = 65_536;
/// Changes kept to certify transactions whose snapshot is older; a transaction that is older than all of them clashes.
pub const RECENT_CHANGES_MAX: usize = 65_536;
/// The same in bytes of records.
pub const RECENT_BYTES_MAX: usize = 32 << 20;
/// Commit events kept for subscribers that come back.
pub const EVENTS_KEPT_MAX: usize = 4096;
/// Changed records in the commit events kept: one event may be an import of a million.
pub const EVENT_CHANGES_KEPT_MAX: usize = 65_536;
/// Commit events a subscriber may lag behind before it is cut off.
pub const EVENTS_QUEUED_MAX: usize = 4096;
/// Pairs of records that a refusal names when a field cannot become unique; of a million only their number is told.
pub const DUPLICATES_NAMED_MAX: usize = 5;
/// Types in one log: bounds the schema frame.
pub const TYPES_MAX: usize = 4096;
/// Fields in one type, dropped ones included: bounds the offset table of a record.
pub const FIELDS_MAX: usize = 4096;
/// Variants of one enum: bounds the schema frame.
pub const VARIANTS_MAX: usize = 4096;
/// Largest record number: the index is a table by number.
pub const ENTITY_ID_MAX: u64 = 1 << 36;
/// Largest record number that an import may bring: every open makes the table up to the largest number, here 64 MiB for a
/// type, and behind an imported number there must be room for all records still to come.
pub const IMPORTED_ID_MAX: u64 = 1 << 30;
/// Largest version that an import may bring: as many changes again are left for the record.
pub const IMPORTED_VERSION_MAX: u32 = u32::MAX / 2;
/// Bytes of a text in the key of a secondary index; of longer ones the beginning and a checksum stand there.
pub const INDEX_TEXT_BYTES_MAX: usize = 256;
/// Pairs of index ranges that are looked at when two conditions are about one field; with more, only the first of the two
/// finds records, and the other is judged on each of them.
pub const CROSSED_RANGES_MAX: usize = 1 << 16;
/// Different texts in a column in memory; with more of them the column is not kept.
pub const COLUMN_TEXTS_MAX: usize = 65_000;
/// Bytes of a text in a column in memory; with a longer one the column is not kept.
pub const COLUMN_TEXT_BYTES_MAX: usize = 200;
/// Bytes of destroyed records leave the disk within this time by default: once a day is often enough to share the work.
pub const DESTROY_WITHIN_MS: i64 = 24 * 60 * 60 * 1000;
/// A rewrite in the background reads and writes at most so much, so that requests have the disk.
pub const REWRITE_BYTES_PER_SECOND: u64 = 32 << 20;
/// The background thread looks so often whether something is due.
pub const REWRITE_WAKE_MS: i64 = 60_000;
/// After a rewrite that could not do everything (a full disk), the next one waits so long.
pub const REWRITE_RETRY_MS: i64 = 60 * 60 * 1000;
/// What is kept no longer (`@keep`) is looked for so long after opening: a start has other things to do,
pub const RETENTION_FIRST_MS: i64 = 10 * 60 * 1000;
/// and then so often.
pub const RETENTION_EVERY_MS: i64 = 24 * 60 * 60 * 1000;
/// A checkpoint's header fills one page.
pub const CHECKPOINT_HEADER_BYTES: u64 = 4096;
/// A checkpoint is checked in pieces of this size, each when it is touched for the first time.
pub const CHECKPOINT_BLOCK_BYTES: u64 = 64 << 10;
/// Sections in a checkpoint: bounds its directory.
pub const CHECKPOINT_SECTIONS_MAX: u32 = 65_536;
/// A checkpoint is written after so much log: bounds the replay after a crash (about a millisecond for a megabyte).
pub const CHECKPOINT_LOG_BYTES: u64 = 16 << 20;
/// No checkpoint for less log than this: it is replayed in a few milliseconds.
pub const CHECKPOINT_LOG_BYTES_MIN: u64 = 1 << 20;
/// While there is nothing else to do, a checkpoint is written after this much log already.
pub const CHECKPOINT_IDLE_BYTES: u64 = 4 << 20;
/// A checkpoint is written after so much time of writing.
pub const CHECKPOINT_AFTER_MS: i64 = 60_000;
/// Two checkpoints of an idle store are at least this far apart.
pub const CHECKPOINT_IDLE_APART_MS: i64 = 5_000;
/// Checkpoints kept: the newest may turn out bad.
pub const CHECKPOINTS_KEPT: usize = 2;
/// The table of commit times has at most one entry for so many transactions; between two of them the log is read.
pub const TIMES_EVERY: u64 = 1024;
