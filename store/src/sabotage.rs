//! Switches that take one sync or one check out of the store, to prove that the tests would notice.
//!
//! They exist in builds with debug assertions only; elsewhere `removed` is the constant `false`. A switch belongs to the
//! thread that turns it on, so it works on stores without threads (`StoreOptions::inline`). What must stay true: each is
//! one line at the place it names, and the hunt (`bench/store-hunt`) fails for each one that none of its trials notices.

#[cfg(debug_assertions)]
use std::cell::Cell;

macro_rules! switches {
    ($($name:ident $what:literal,)*) => {
        /// One sync or one check.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Sabotage {
            $(#[doc = $what] $name,)*
        }

        impl Sabotage {
            /// All of them.
            pub const ALL: &[Sabotage] = &[$(Sabotage::$name,)*];

            /// What is missing when it is on.
            pub fn what(self) -> &'static str {
                match self { $(Sabotage::$name => $what,)* }
            }
        }
    };
}

switches! {
    LogSync "the sync of a batch before it is answered",
    EndMarkSync "the sync of a full segment before the next one begins",
    SpareSync "the sync of the zeros of the next segment",
    SpareDirSync "the directory sync behind the next segment's name",
    HeaderSync "the sync of a new segment's header",
    SealDirSync "the directory sync between the two renames of a roll",
    ActivateDirSync "the directory sync behind the second rename of a roll",
    ManifestSync "the sync of the manifest",
    ManifestDirSync "the directory sync behind the manifest's rename",
    QuarantineSync "the sync of quarantined bytes",
    TailRewrite "writing the unproven tail again at open",
    TailSync "the sync of the rewritten tail",
    FrameBodyCheck "the checksum of a frame's body",
    FrameHeaderCheck "the checksum of a frame's header",
    RecordCheck "the checksum of a record that is read",
    RecordIdentity "comparing type, number, version and LSN of a record that is read",
    SegmentHeaderCheck "the checksum of a segment's header",
    LinkCheck "the check that a frame continues the one before",
    Watermark "what frames say about what is durable",
    ManifestWatermark "what the manifest says about what is durable",
    ZeroSectorRule "a broken unacknowledged frame is damage unless a sector is zero",
    TornTails "torn tails are cut off (here: taken for damage)",
    NewSegmentBehindCut "nothing is appended behind a cut",
    Poison "no write after a failed write or sync",
    PublishAfterSync "nothing is visible before it is durable",
    BatchAgainstItself "transactions of a batch are checked against each other",
    CertifyRecords "records that were read are compared with later changes",
    CertifyTypes "types that were read as a whole are compared with later changes",
    CertifyAbsences "unique values that nobody held are compared with later changes",
    CertifyQueries "conditions of queries are compared with later changes",
    CertifyBefore "conditions of queries are compared with what records were before a change",
    RequestIdsAtOpen "request ids are remembered when the log is opened",
    Reserve "room for deletions on a full disk",
    CheckpointSync "the sync of a checkpoint before it gets its name",
    CheckpointDirSync "the directory sync behind a checkpoint's name, before an older one goes",
    CheckpointHeaderCheck "the checksum of a checkpoint's header",
    CheckpointDirectoryCheck "the checksum of a checkpoint's directory",
    CheckpointBlockCheck "the checksums of a checkpoint's blocks",
    CheckpointAnchor "the check that a checkpoint's last frame stands in the log",
    CheckpointStoreId "the check that a checkpoint is of this store",
    CheckpointShortened "the look for shortened segments in front of a checkpoint's place",
    HeadsShadowed "telling readers without a lock which heads of a checkpoint were changed since",
    LeftoversDirSync "the directory sync behind removing files that may hold what is destroyed",
    RewriteSync "the sync of a rewritten segment before it gets its name",
    RewriteDirSync "the directory sync behind a rewritten segment's name",
    RewriteReadBack "reading a rewritten segment back",
    ImageLinkCheck "the check of links in a segment that is rewritten or backed up",
    CopySync "the sync of a segment of a backup or of a restored store",
    PapersSync "the sync of the manifest and the note of a backup",
    BackupDirSync "the directory sync of a backup before its first segment gets its name",
    BackupEndSync "the directory sync at the end of a backup",
    BackupNoteCheck "the checksum of a backup's note",
    EarlierStore "the check that an earlier backup is of this store",
    EarlierSegment "comparing segments with those of an earlier backup",
    RestoreDirSync "the directory sync of a restored store before its first segment gets its name",
    RestoreEndSync "the directory sync at the end of a restore",
    RestoreReadBack "reading a restored store back",
}

#[cfg(debug_assertions)]
thread_local! {
    static REMOVED: Cell<Option<Sabotage>> = const { Cell::new(None) };
}

/// Runs `act` with one thing missing on this thread.
///
/// # Panics
/// In builds without debug assertions, which have no switches.
pub fn without<T>(switch: Sabotage, act: impl FnOnce() -> T) -> T {
    #[cfg(debug_assertions)]
    {
        struct Restore(Option<Sabotage>);
        impl Drop for Restore {
            fn drop(&mut self) {
                REMOVED.set(self.0);
            }
        }
        let _restore = Restore(REMOVED.replace(Some(switch)));
        act()
    }
    #[cfg(not(debug_assertions))]
    {
        drop(act);
        panic!("this build cannot leave out {}", switch.what())
    }
}

/// Whether this one is missing.
#[cfg(debug_assertions)]
pub(crate) fn removed(switch: Sabotage) -> bool {
    REMOVED.get() == Some(switch)
}

/// Whether this one is missing: never, here.
#[cfg(not(debug_assertions))]
pub(crate) const fn removed(_switch: Sabotage) -> bool {
    false
}
