//! Walking all frames of a log in order, with every check that ties them together.
//!
//! Recovery and `verify` use this same walk; recovery stops at the first damage, `verify` goes on behind it. What must
//! stay true: a frame is shown to the visitor only after its CRCs, LSN and link were checked.

use crate::codec::cursor::Undecodable;
use crate::codec::frame::{FrameHeader, FrameKind};
use crate::codec::gap::GapSummary;
use crate::error::{Damage, DamageKind, IoFailure};
use crate::limits::SEGMENT_HEADER_BYTES;
use crate::log::bytes::{SegmentBytes, Zeros};
use crate::log::files::{ACTIVE, LoadedSegment, LogFiles};
use crate::log::scan::{Found, TailVerdict, frame_at, judge_shortened, judge_tail, next_header};
use crate::sabotage::{Sabotage, removed};
use crate::value::Lsn;

/// A frame shown to the visitor.
pub(crate) struct Visit<'a> {
    pub(crate) segment: &'a LoadedSegment,
    pub(crate) offset: u64,
    pub(crate) header: &'a FrameHeader,
    pub(crate) body: &'a [u8],
}

/// How the newest segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Zeros follow the last frame.
    Clean,
    /// Left-over bytes of an unacknowledged write follow.
    Torn { until: u64 },
}

/// Where the walk ended.
#[derive(Clone, Debug)]
pub(crate) struct WalkEnd {
    /// Last intact frame's LSN, link and time (zeros for an empty log).
    pub(crate) lsn: Lsn,
    pub(crate) link: u32,
    pub(crate) time_ms: i64,
    /// Offset in the newest segment where the next frame belongs.
    pub(crate) offset: u64,
    /// Where the last frame of the newest segment starts, if it has one.
    pub(crate) frame_at: Option<u64>,
    pub(crate) tail: Tail,
    /// Highest LSN proven durable by what was read.
    pub(crate) durable: Lsn,
    /// Offset in the newest segment of the first frame above `durable`, if there is one.
    pub(crate) unproven_from: Option<u64>,
    /// Kind and flags of the last frame.
    pub(crate) last: Option<(FrameKind, u8)>,
}

/// Whether to look behind damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnDamage {
    Stop,
    GoOn,
}

/// Where a walk begins that need not look at what a checkpoint covers.
#[derive(Clone, Debug)]
pub(crate) struct WalkStart {
    /// Position among the segments.
    pub(crate) segment: usize,
    /// LSN, link, time, start, kind and flags of the last frame before the start.
    pub(crate) lsn: Lsn,
    pub(crate) link: u32,
    pub(crate) time_ms: i64,
    pub(crate) frame_at: u64,
    pub(crate) last: Option<(FrameKind, u8)>,
    /// Where in that segment it begins.
    pub(crate) offset: u64,
}

struct Walker<'v> {
    on_damage: OnDamage,
    /// The last frame to look at, if not all are wanted.
    until: Option<Lsn>,
    /// Bytes of the segment looked at.
    bytes: SegmentBytes,
    visit: &'v mut dyn FnMut(Visit<'_>) -> Result<(), Undecodable>,
    end: WalkEnd,
    /// `false` behind damage, until the next intact frame gives a new start.
    linked: bool,
    damages: Vec<Damage>,
    /// Offset of every frame of the newest segment above the watermark so far.
    unproven: Vec<(Lsn, u64)>,
}

fn undecodable(error: Undecodable) -> DamageKind {
    DamageKind::Undecodable {
        expected: error.expected,
    }
}

/// Walks the log. Damages found in the frames are returned, first place first.
pub(crate) fn walk(
    files: &LogFiles,
    on_damage: OnDamage,
    visit: &mut dyn FnMut(Visit<'_>) -> Result<(), Undecodable>,
) -> Result<(WalkEnd, Vec<Damage>), IoFailure> {
    walk_from(files, None, None, on_damage, visit)
}

/// The same from the end of a checkpoint on, or up to a frame. What a checkpoint covers was durable before it was
/// written, so its LSN counts for the watermark.
pub(crate) fn walk_from(
    files: &LogFiles,
    start: Option<&WalkStart>,
    until: Option<Lsn>,
    on_damage: OnDamage,
    visit: &mut dyn FnMut(Visit<'_>) -> Result<(), Undecodable>,
) -> Result<(WalkEnd, Vec<Damage>), IoFailure> {
    let durable = files
        .manifest
        .as_ref()
        .filter(|_| !removed(Sabotage::ManifestWatermark))
        .map_or(Lsn(0), |manifest| manifest.durable);
    // A later segment is only started when everything before it is durable.
    let started = files
        .segments
        .iter()
        .map(|segment| Lsn(segment.header.first_lsn.0 - 1))
        .max();
    let end = WalkEnd {
        lsn: start.map_or(Lsn(0), |start| start.lsn),
        link: start.map_or(0, |start| start.link),
        time_ms: start.map_or(0, |start| start.time_ms),
        offset: start.map_or(SEGMENT_HEADER_BYTES, |start| start.offset),
        frame_at: start.map(|start| start.frame_at),
        tail: Tail::Clean,
        durable: durable
            .max(started.unwrap_or(Lsn(0)))
            .max(start.map_or(Lsn(0), |start| start.lsn)),
        unproven_from: None,
        last: start.and_then(|start| start.last),
    };
    let mut walker = Walker {
        on_damage,
        until,
        bytes: SegmentBytes::default(),
        visit,
        end,
        linked: true,
        damages: Vec::new(),
        unproven: Vec::new(),
    };
    let first = start.map_or(0, |start| start.segment);
    let lengths = files.segments.iter().skip(first).map(LoadedSegment::len);
    let lengths: Vec<u64> = lengths.collect::<Result<_, _>>()?;
    walker.bytes = SegmentBytes::with_room(lengths.iter().copied().max().unwrap_or(0));
    let ahead = |position: usize| {
        if let Some(segment) = files.segments.get(position) {
            let inside = start.filter(|_| position == first);
            let from = inside.map_or(0, |start| start.offset);
            segment.file.will_need(from, lengths[position - first]);
        }
    };
    ahead(first);
    for (position, segment) in files.segments.iter().enumerate().skip(first) {
        let next = files.segments.get(position + 1);
        let inside = start.filter(|_| position == first);
        ahead(position + 1);
        walker.segment(segment, next, inside.map(|start| start.offset))?;
        if (on_damage == OnDamage::Stop && !walker.damages.is_empty()) || walker.is_done() {
            break;
        }
    }
    let proven = walker.end.durable;
    walker.end.unproven_from = walker
        .unproven
        .iter()
        .find(|(lsn, _)| *lsn > proven)
        .map(|(_, offset)| *offset);
    Ok((walker.end, walker.damages))
}

impl Walker<'_> {
    /// Whether the last frame that is wanted was seen.
    fn is_done(&self) -> bool {
        self.until.is_some_and(|until| self.end.lsn >= until)
    }

    /// Walks a segment, from an offset inside of it if one is given.
    fn segment(
        &mut self,
        segment: &LoadedSegment,
        next: Option<&LoadedSegment>,
        from: Option<u64>,
    ) -> Result<(), IoFailure> {
        self.unproven.clear();
        let header = &segment.header;
        let mut bytes = std::mem::take(&mut self.bytes);
        let zeros = match self.on_damage {
            OnDamage::Stop => Zeros::Near,
            OnDamage::GoOn => Zeros::All,
        };
        segment.read_from(from.unwrap_or(0), zeros, &mut bytes)?;
        if from.is_none()
            && self.linked
            && (header.first_lsn.0 != self.end.lsn.0 + 1
                || (self.end.lsn.0 > 0 && header.previous_link != self.end.link))
        {
            self.damaged(segment, 0, header.first_lsn, DamageKind::BrokenLink);
            if self.on_damage == OnDamage::Stop {
                return Ok(());
            }
            self.linked = false;
        }
        if from.is_none() {
            self.end.offset = SEGMENT_HEADER_BYTES;
            self.end.frame_at = None;
        }
        let needed = match next {
            Some(next) => next.header.previous_end,
            // The active segment is judged by what is missing, see `judge_shortened`.
            None if segment.name == ACTIVE => SEGMENT_HEADER_BYTES,
            None => header.capacity,
        };
        if (bytes.len() as u64) < needed {
            let what = DamageKind::Shortened {
                expected: header.capacity,
                found: bytes.len() as u64,
            };
            self.frames(segment, next, &bytes);
            if self.damages.is_empty() || self.on_damage == OnDamage::GoOn {
                self.damaged(segment, self.end.offset, Lsn(self.end.lsn.0 + 1), what);
            }
            return Ok(());
        }
        self.frames(segment, next, &bytes);
        self.bytes = bytes;
        Ok(())
    }

    /// Walks the frames of one segment; `self.end.offset` is the place of the next frame.
    fn frames(&mut self, segment: &LoadedSegment, next: Option<&LoadedSegment>, bytes: &[u8]) {
        let salt = segment.header.salt;
        let sealed_end = next.map(|next| next.header.previous_end);
        let readable = match sealed_end {
            Some(end) => &bytes[..(end as usize).min(bytes.len())],
            None => bytes,
        };
        loop {
            let offset = self.end.offset;
            if sealed_end == Some(offset) || self.is_done() {
                return;
            }
            let expected = Lsn(self.end.lsn.0 + 1);
            let kind = match frame_at(readable, salt, offset) {
                Found::Frame(header, body) => match self.frame(segment, offset, &header, body) {
                    Ok(()) => continue,
                    Err(kind) => kind,
                },
                found => {
                    let kind = match found {
                        Found::Bad(kind, _) => kind,
                        Found::Nothing | Found::Frame(..) => DamageKind::Missing {
                            durable: self.end.durable.max(expected),
                        },
                    };
                    if sealed_end.is_some() {
                        kind
                    } else {
                        let (durable, capacity) = (self.end.durable, segment.header.capacity);
                        let verdict = if (bytes.len() as u64) < capacity {
                            judge_shortened(bytes, salt, offset, expected, durable, capacity)
                        } else {
                            judge_tail(bytes, salt, offset, expected, durable)
                        };
                        match verdict {
                            TailVerdict::Clean => return,
                            TailVerdict::Torn { until } => {
                                self.end.tail = Tail::Torn { until };
                                return;
                            }
                            TailVerdict::Damaged(kind) => kind,
                        }
                    }
                }
            };
            self.damaged(segment, offset, expected, kind);
            if self.on_damage == OnDamage::Stop || !self.resume(readable, salt, offset) {
                return;
            }
        }
    }

    /// Checks what ties a frame to the one before and shows it.
    fn frame(
        &mut self,
        segment: &LoadedSegment,
        offset: u64,
        header: &FrameHeader,
        body: &[u8],
    ) -> Result<(), DamageKind> {
        if self.linked {
            if header.lsn.0 != self.end.lsn.0 + 1 {
                return Err(DamageKind::WrongLsn { found: header.lsn });
            }
            if header.link != self.end.link && !removed(Sabotage::LinkCheck) {
                return Err(DamageKind::BrokenLink);
            }
        }
        (self.visit)(Visit {
            segment,
            offset,
            header,
            body,
        })
        .map_err(undecodable)?;
        let gap = match header.kind {
            FrameKind::Gap => Some(GapSummary::decode(body).map_err(undecodable)?),
            FrameKind::Data | FrameKind::Schema | FrameKind::SyncMark | FrameKind::SegmentEnd => {
                None
            }
        };
        self.passed(offset, header);
        if let Some(gap) = gap {
            self.passed_gap(&gap);
        }
        self.linked = true;
        Ok(())
    }

    /// A gap stands for several frames: what follows continues the last of them.
    fn passed_gap(&mut self, gap: &GapSummary) {
        self.end.lsn = gap.last_lsn;
        self.end.link = gap.last_link;
        self.end.time_ms = gap.last_time_ms;
        if let Some(newest) = self.unproven.last_mut() {
            newest.0 = gap.last_lsn;
        }
    }

    fn passed(&mut self, offset: u64, header: &FrameHeader) {
        self.end.lsn = header.lsn;
        self.end.link = header.own_link();
        self.end.time_ms = header.time_ms;
        if !removed(Sabotage::Watermark) {
            self.end.durable = self.end.durable.max(header.durable);
        }
        self.end.offset = offset + header.frame_len();
        self.end.frame_at = Some(offset);
        self.end.last = Some((header.kind, header.flags));
        if (self.unproven.last()).is_some_and(|(lsn, _)| *lsn <= self.end.durable) {
            self.unproven.clear();
        }
        self.unproven.push((header.lsn, offset));
    }

    fn damaged(&mut self, segment: &LoadedSegment, offset: u64, lsn: Lsn, what: DamageKind) {
        self.damages.push(Damage {
            file: segment.name.clone(),
            offset,
            lsn,
            what,
        });
    }

    /// Moves behind the damaged frame at `offset`; `false` if nothing intact follows.
    fn resume(&mut self, bytes: &[u8], salt: u64, offset: u64) -> bool {
        if let Some(header) = bytes
            .get(offset as usize..)
            .and_then(|at| FrameHeader::decode(at, salt, offset))
            && header.lsn.0 == self.end.lsn.0 + 1
        {
            // Only the body is bad: length, LSN and link of the frame are known.
            self.passed(offset, &header);
            // How many frames a damaged gap stands for is not known.
            self.linked &= header.kind != FrameKind::Gap;
            return true;
        }
        match next_header(bytes, salt, offset) {
            Some((next, header)) => {
                self.linked = false;
                self.end.lsn = Lsn(header.lsn.0.saturating_sub(1));
                self.end.offset = next;
                true
            }
            None => false,
        }
    }
}
