//! One segment's bytes with content taken out: erased records, erased frames, gaps.
//!
//! Pure: bytes in, bytes out, no file. What must stay true: no offset, LSN, time, request id or link changes, so that every
//! place stored anywhere still means the same; what comes out passes the same checks as what went in.

use std::collections::BTreeMap;

use crate::codec::frame::{FLAG_ERASED, FrameHeader, FrameKind, body_crc};
use crate::codec::gap::GapSummary;
use crate::codec::record::{RecordHeader, TypeNo, each_record, erase_record};
use crate::codec::segment::{HAS_ERASED, HAS_GAPS, SegmentHeader};
use crate::error::DamageKind;
use crate::limits::{REQUEST_IDS_MAX, SEGMENT_HEADER_BYTES};
use crate::log::scan::{Found, frame_at};
use crate::sabotage::{Sabotage, removed};
use crate::value::{EntityId, Lsn};

/// Why a segment cannot be rewritten: it is not what was written. Place of the frame, its LSN, what is wrong.
pub(crate) type Broken = (u64, Lsn, DamageKind);

/// One frame of a segment, as `walk_image` shows it.
pub(crate) struct ImageFrame<'a> {
    pub(crate) offset: u64,
    pub(crate) header: FrameHeader,
    pub(crate) body: &'a [u8],
    /// The frame itself, or the last one a gap stands for.
    pub(crate) last_lsn: Lsn,
    pub(crate) last_time_ms: i64,
}

/// Shows all frames of one segment (`bytes` end at its logical end) after checking CRCs, LSNs and links.
pub(crate) fn walk_image<'a>(
    bytes: &'a [u8],
    header: &SegmentHeader,
    visit: &mut dyn FnMut(ImageFrame<'a>) -> Result<(), DamageKind>,
) -> Result<(), Broken> {
    let (mut offset, mut lsn, mut link) =
        (SEGMENT_HEADER_BYTES, header.first_lsn, header.previous_link);
    while offset < bytes.len() as u64 {
        let at = |kind| (offset, lsn, kind);
        let (frame, body) = match frame_at(bytes, header.salt, offset) {
            Found::Frame(frame, body) => (frame, body),
            Found::Bad(kind, _) => return Err(at(kind)),
            Found::Nothing => return Err(at(DamageKind::FrameHeader)),
        };
        if frame.lsn != lsn {
            return Err(at(DamageKind::WrongLsn { found: frame.lsn }));
        }
        if frame.link != link && !removed(Sabotage::ImageLinkCheck) {
            return Err(at(DamageKind::BrokenLink));
        }
        let gap = match frame.kind {
            FrameKind::Gap => Some(GapSummary::decode(body).map_err(|error| {
                at(DamageKind::Undecodable {
                    expected: error.expected,
                })
            })?),
            FrameKind::Data | FrameKind::Schema | FrameKind::SyncMark | FrameKind::SegmentEnd => {
                None
            }
        };
        let (last, last_time_ms, next_link) = match &gap {
            Some(gap) => (gap.last_lsn, gap.last_time_ms, gap.last_link),
            None => (frame.lsn, frame.time_ms, frame.own_link()),
        };
        let next = offset + frame.frame_len();
        let shown = ImageFrame {
            offset,
            header: frame,
            body,
            last_lsn: last,
            last_time_ms,
        };
        visit(shown).map_err(at)?;
        (offset, lsn, link) = (next, Lsn(last.0 + 1), next_link);
    }
    Ok(())
}

/// The records of a data frame with their place in the file.
pub(crate) fn records_of<'a>(
    frame: &ImageFrame<'a>,
    visit: &mut dyn FnMut(u64, RecordHeader, &'a [u8]),
) -> Result<(), DamageKind> {
    let body_at = frame.offset + frame.header.frame_len() - frame.body.len() as u64;
    each_record(frame.body, &mut |at, record, bytes| {
        visit(body_at + u64::from(at), record, bytes);
        Ok(())
    })
    .map_err(|error| DamageKind::Undecodable {
        expected: error.expected,
    })
}

/// What is to be done with a segment.
#[derive(Default)]
pub(crate) struct Plan {
    /// First byte and length of each record to erase.
    erase: Vec<(u64, u32)>,
    /// Offsets of the frames that hold them.
    touched: Vec<u64>,
    /// Neighbouring frames in which nothing will be left, by offset.
    runs: Vec<Vec<u64>>,
}

impl Plan {
    /// Versions that will be erased.
    pub(crate) fn erased(&self) -> u64 {
        self.erase.len() as u64
    }
}

/// Says what to erase: `erase` decides about each record with content.
pub(crate) fn plan(
    bytes: &[u8],
    header: &SegmentHeader,
    erase: &mut dyn FnMut(&RecordHeader) -> bool,
) -> Result<Plan, Broken> {
    let mut plan = Plan::default();
    let mut run: Vec<u64> = Vec::new();
    let mut worth_it = false;
    walk_image(bytes, header, &mut |frame| {
        let (joins, nothing_left) = match frame.header.kind {
            FrameKind::Data => {
                let (before, mut alive) = (plan.erase.len(), false);
                records_of(&frame, &mut |at, record, bytes| {
                    if !record.erased && erase(&record) {
                        plan.erase.push((at, bytes.len() as u32));
                    } else if !record.erased {
                        alive = true;
                    }
                })?;
                if plan.erase.len() > before {
                    plan.touched.push(frame.offset);
                }
                (!alive, !alive)
            }
            FrameKind::Gap => (true, true),
            FrameKind::SyncMark => (true, false),
            FrameKind::Schema | FrameKind::SegmentEnd => (false, false),
        };
        if joins {
            run.push(frame.offset);
            worth_it |= nothing_left;
        } else {
            let ended = std::mem::take(&mut run);
            if std::mem::take(&mut worth_it) {
                plan.runs.push(ended);
            }
        }
        Ok(())
    })?;
    if worth_it {
        plan.runs.push(run);
    }
    Ok(plan)
}

/// The segment after `plan`. Request ids older than `remembered_from` are given up.
pub(crate) fn build(
    bytes: &[u8],
    header: &SegmentHeader,
    plan: &Plan,
    remembered_from: Lsn,
) -> (SegmentHeader, Vec<u8>) {
    let mut image = bytes.to_vec();
    for (at, len) in &plan.erase {
        let at = *at as usize;
        let erased = erase_record(&mut image[at..at + *len as usize]);
        assert!(erased.is_ok(), "the plan was made from records that decode");
    }
    for offset in &plan.touched {
        seal_frame(&mut image, header.salt, *offset);
    }
    let mut gaps = false;
    for run in &plan.runs {
        gaps |= join(&mut image, header.salt, run, remembered_from);
    }
    let header = SegmentHeader {
        features: header.features | HAS_ERASED | if gaps { HAS_GAPS } else { 0 },
        rewrites: header.rewrites.saturating_add(1),
        ..header.clone()
    };
    image[..SEGMENT_HEADER_BYTES as usize].copy_from_slice(&header.encode());
    (header, image)
}

/// Makes the CRCs of a frame anew after its body was changed.
fn seal_frame(image: &mut [u8], salt: u64, offset: u64) {
    let at = offset as usize;
    let Some(mut frame) = FrameHeader::decode(&image[at..], salt, offset) else {
        unreachable!("the plan was made from intact frames");
    };
    let end = at + frame.frame_len() as usize;
    let body = &image[end - frame.body_len as usize..end];
    frame.body_crc = body_crc(salt, frame.lsn, body);
    frame.flags |= FLAG_ERASED;
    let mut encoded = Vec::new();
    frame.put(&mut encoded, salt, offset);
    image[at..at + encoded.len()].copy_from_slice(&encoded);
}

/// Frames that will be one gap.
struct Group {
    offset: u64,
    end: u64,
    first: FrameHeader,
    durable: Lsn,
    summary: GapSummary,
    max_ids: BTreeMap<TypeNo, EntityId>,
    parts: u32,
}

/// Puts gaps in the place of a run; `true` if there is one now.
fn join(image: &mut [u8], salt: u64, run: &[u64], remembered_from: Lsn) -> bool {
    let mut any = false;
    let mut group: Option<Group> = None;
    for offset in run {
        let Some(header) = FrameHeader::decode(&image[*offset as usize..], salt, *offset) else {
            unreachable!("the plan was made from intact frames");
        };
        let end = offset + header.frame_len();
        if group.as_ref().is_some_and(|group| !group.takes(end))
            && let Some(full) = group.take()
        {
            any |= full.write(image, salt);
        }
        let body = &image[(end - u64::from(header.body_len)) as usize..end as usize];
        let group = group.get_or_insert_with(|| Group::new(*offset, &header));
        group.add(&header, body, end, remembered_from);
    }
    group.is_some_and(|group| group.write(image, salt)) || any
}

impl Group {
    fn new(offset: u64, first: &FrameHeader) -> Self {
        Group {
            offset,
            end: offset,
            first: first.clone(),
            durable: Lsn(0),
            summary: GapSummary::default(),
            max_ids: BTreeMap::new(),
            parts: 0,
        }
    }

    /// Whether one gap may reach so far.
    fn takes(&self, end: u64) -> bool {
        self.first.clone().filling(end - self.offset).is_some()
    }

    fn use_up(&mut self, ty: TypeNo, id: EntityId) {
        let highest = self.max_ids.entry(ty).or_insert(id);
        *highest = (*highest).max(id);
    }

    fn add(&mut self, header: &FrameHeader, body: &[u8], end: u64, remembered_from: Lsn) {
        self.end = end;
        self.parts += 1;
        self.durable = self.durable.max(header.durable);
        let is_first = header.lsn == self.first.lsn;
        if let Some(id) = header.request_id
            && !is_first
            && header.lsn >= remembered_from
        {
            self.summary.requests.push((header.lsn, id));
        }
        self.summary.last_lsn = header.lsn;
        self.summary.last_time_ms = header.time_ms;
        self.summary.last_link = header.own_link();
        match header.kind {
            FrameKind::Gap => {
                let Ok(inner) = GapSummary::decode(body) else {
                    unreachable!("the plan was made from gaps that decode");
                };
                self.add_gap(inner, remembered_from);
            }
            FrameKind::Data => {
                let mut found = Vec::new();
                let decoded = each_record(body, &mut |_, record, _| {
                    found.push((record.ty, record.id));
                    Ok(())
                });
                assert!(
                    decoded.is_ok(),
                    "the plan was made from records that decode"
                );
                self.summary.frames += 1;
                self.summary.transactions += 1;
                self.summary.records += found.len() as u32;
                self.summary.last_data_lsn = header.lsn;
                for (ty, id) in found {
                    self.use_up(ty, id);
                }
            }
            FrameKind::SyncMark | FrameKind::Schema | FrameKind::SegmentEnd => {
                self.summary.frames += 1;
            }
        }
    }

    fn add_gap(&mut self, inner: GapSummary, remembered_from: Lsn) {
        let summary = &mut self.summary;
        summary.last_lsn = inner.last_lsn;
        summary.last_time_ms = inner.last_time_ms;
        summary.last_link = inner.last_link;
        summary.last_data_lsn = summary.last_data_lsn.max(inner.last_data_lsn);
        summary.frames += inner.frames;
        summary.transactions += inner.transactions;
        summary.records += inner.records;
        let remembered = inner.requests.into_iter();
        let remembered = remembered.filter(|(lsn, _)| *lsn >= remembered_from);
        summary.requests.extend(remembered);
        for (ty, id) in inner.max_ids {
            self.use_up(ty, id);
        }
    }

    /// Writes the gap over the frames, unless it is one already or its summary does not fit.
    fn write(mut self, image: &mut [u8], salt: u64) -> bool {
        if self.parts == 1 && self.first.kind == FrameKind::Gap {
            return true;
        }
        self.summary.max_ids = self.max_ids.into_iter().collect();
        let requests = &mut self.summary.requests;
        requests.drain(..requests.len().saturating_sub(REQUEST_IDS_MAX));
        let header = FrameHeader {
            kind: FrameKind::Gap,
            flags: FLAG_ERASED,
            durable: self.durable,
            ..self.first
        };
        let Some(mut header) = header.filling(self.end - self.offset) else {
            return false;
        };
        if self.summary.len() > header.body_len as usize {
            return false;
        }
        let (at, end) = (self.offset as usize, self.end as usize);
        let body_at = end - header.body_len as usize;
        image[at..end].fill(0);
        image[body_at..body_at + self.summary.len()].copy_from_slice(&self.summary.encode());
        header.body_crc = body_crc(salt, header.lsn, &image[body_at..end]);
        let mut encoded = Vec::new();
        header.put(&mut encoded, salt, self.offset);
        image[at..at + encoded.len()].copy_from_slice(&encoded);
        true
    }
}
