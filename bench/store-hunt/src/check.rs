//! The hunt hunted: with each sync and each check of the store taken out, some trial must find something.
//!
//! What must stay true: a switch that nothing notices is a failure, and the list names who noticed each one.

use flin_store::sabotage::{Sabotage, without};

use crate::trials::{TRIALS, Tally, Trial};

/// Who noticed a switch.
pub struct Noticed {
    /// What was missing.
    pub switch: Sabotage,
    /// The trial and its seed, and what it said; `None`: nobody.
    pub by: Option<(&'static Trial, u64, String)>,
}

/// Tries all trials with each switch until one finds something, at most `seeds` seeds from `first` on.
pub fn all(first: u64, seeds: u64) -> impl Iterator<Item = Noticed> {
    let noticed = move |switch: &Sabotage| Noticed {
        switch: *switch,
        by: one(*switch, first, seeds),
    };
    Sabotage::ALL.iter().map(noticed)
}

/// The first trial that notices a switch: the one that is about it, else any.
pub fn one(switch: Sabotage, first: u64, seeds: u64) -> Option<(&'static Trial, u64, String)> {
    let likely = Trial::named(likely(switch));
    let tried = |trial: &'static Trial, seed| {
        let mut tally = Tally::default();
        let wrong = without(switch, || trial.run(seed, &mut tally)).err()?;
        Some((trial, seed, wrong))
    };
    let (near, far) = (first..first + seeds, first..first + seeds / 20);
    let mut by_likely = near.flat_map(|seed| likely.map(|trial| (trial, seed)));
    let mut by_any = far.flat_map(|seed| TRIALS.iter().map(move |trial| (trial, seed)));
    by_likely
        .find_map(|(trial, seed)| tried(trial, seed))
        .or_else(|| by_any.find_map(|(trial, seed)| tried(trial, seed)))
}

/// The trial that is about a switch: it saves time, nothing else.
fn likely(switch: Sabotage) -> &'static str {
    match switch {
        Sabotage::LogSync
        | Sabotage::EndMarkSync
        | Sabotage::HeaderSync
        | Sabotage::SealDirSync
        | Sabotage::FrameBodyCheck
        | Sabotage::TornTails => "power",
        Sabotage::SpareSync | Sabotage::SpareDirSync => "again",
        Sabotage::ActivateDirSync => "renamed",
        Sabotage::ManifestSync | Sabotage::ManifestDirSync | Sabotage::ManifestWatermark => {
            "shortened"
        }
        Sabotage::QuarantineSync | Sabotage::NewSegmentBehindCut => "quarantine",
        Sabotage::TailRewrite
        | Sabotage::TailSync
        | Sabotage::Poison
        | Sabotage::PublishAfterSync => "failing",
        Sabotage::FrameHeaderCheck | Sabotage::SegmentHeaderCheck => "flipped",
        Sabotage::RecordCheck | Sabotage::RecordIdentity => "rot",
        Sabotage::LinkCheck => "spliced",
        Sabotage::Watermark | Sabotage::ZeroSectorRule => "holes",
        Sabotage::Reserve => "full",
        Sabotage::CheckpointSync | Sabotage::CheckpointDirSync => "kept",
        Sabotage::CheckpointHeaderCheck
        | Sabotage::CheckpointDirectoryCheck
        | Sabotage::CheckpointBlockCheck
        | Sabotage::CheckpointAnchor
        | Sabotage::CheckpointStoreId
        | Sabotage::CheckpointShortened => "believed",
        Sabotage::LeftoversDirSync
        | Sabotage::RewriteSync
        | Sabotage::RewriteDirSync
        | Sabotage::RewriteReadBack => "rewrites",
        Sabotage::ImageLinkCheck => "spliced",
        Sabotage::CopySync
        | Sabotage::PapersSync
        | Sabotage::BackupDirSync
        | Sabotage::BackupEndSync
        | Sabotage::BackupNoteCheck
        | Sabotage::EarlierStore
        | Sabotage::RestoreDirSync
        | Sabotage::RestoreEndSync
        | Sabotage::RestoreReadBack => "backups",
        Sabotage::HeadsShadowed => "checkpoints",
        Sabotage::EarlierSegment => "incremental",
        _ => "verdicts",
    }
}
