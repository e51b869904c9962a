//! When registers live: stretches of the code, in the order of its blocks. Here because choosing registers is comparing
//! them. Must stay true: instruction n reads at 2n and writes at 2n + 1; a stretch ends before its end; a written value
//! that nobody reads still has a stretch.

use std::collections::BTreeMap;

use super::assign::positions;
use super::body::{Body, V};
use super::graph::Live;

/// Stretches from start to before end, ascending, apart.
pub(super) type Segments = Vec<(u32, u32)>;

/// The stretches of every register.
pub(super) fn of(body: &Body, live: &Live) -> Vec<Segments> {
    let mut found: Vec<Segments> = vec![Vec::new(); body.classes.len()];
    let mut open = vec![0_u32; body.classes.len()];
    let mut watched = vec![false; body.classes.len()];
    let places: Vec<_> = positions(body).collect();
    for &(block, first) in places.iter().rev() {
        let of = body.block(block);
        let mut now: Vec<V> = live.at_end(block).collect();
        let end = 2 * (first + of.insts.len() as u32);
        now.iter().for_each(|v| open[*v as usize] = end);
        let target = of.handler.map(|h| body.handlers[h as usize].target);
        let kept: Vec<V> = target.map_or(Vec::new(), |target| live.at_start(target).collect());
        kept.iter().for_each(|v| watched[*v as usize] = true);
        for (at, inst) in of.insts.iter().enumerate().rev() {
            let at = first + at as u32;
            if let Some(v) = inst.def() {
                let slot = &mut open[v as usize];
                if *slot == 0 {
                    found[v as usize].push((2 * at + 1, 2 * at + 2));
                } else if !watched[v as usize] {
                    found[v as usize].push((2 * at + 1, *slot));
                    *slot = 0;
                }
            }
            inst.uses(|v| {
                if open[v as usize] == 0 {
                    open[v as usize] = 2 * at + 1;
                    now.push(v);
                }
            });
        }
        if let Some(v) = body.caught(block)
            && open[v as usize] == 0
        {
            open[v as usize] = 2 * first + 1;
            now.push(v);
        }
        for v in now {
            let end = std::mem::take(&mut open[v as usize]);
            let start = if body.order[0] == block { 0 } else { 2 * first };
            // An empty block has no place of its own: a stretch in it would stand where the next block's begin.
            if end > start {
                found[v as usize].push((start, end));
            }
        }
        kept.iter().for_each(|v| watched[*v as usize] = false);
    }
    for segments in &mut found {
        segments.reverse();
        tidy(segments);
    }
    found
}

/// Joins what touches.
fn tidy(segments: &mut Segments) {
    segments.dedup_by(|next, last| {
        let joined = next.0 <= last.1;
        if joined {
            last.1 = last.1.max(next.1);
        }
        joined
    });
}

/// Whether two registers live at the same time.
pub(super) fn overlap(a: &[(u32, u32)], b: &[(u32, u32)]) -> bool {
    if a.len() > b.len() {
        return overlap(b, a);
    }
    a.iter().any(|(start, end)| {
        let next = b.partition_point(|(_, e)| e <= start);
        b.get(next).is_some_and(|(s, _)| s < end)
    })
}

/// Adds the stretches of another register, which lie apart.
pub(super) fn join(to: &mut Segments, added: &[(u32, u32)]) {
    for stretch in added {
        let at = to.partition_point(|s| s < stretch);
        to.insert(at, *stretch);
    }
}

/// When a register of the machine is taken. Stretches stay apart where they touch: that is where one value ends and
/// another begins.
#[derive(Clone, Default)]
pub(super) struct Busy {
    /// Ends by starts.
    taken: BTreeMap<u32, u32>,
}

impl Busy {
    /// Whether nothing of `wanted` is taken.
    pub(super) fn is_free(&self, wanted: &[(u32, u32)]) -> bool {
        wanted.iter().all(|(start, end)| {
            let last = self.taken.range(..end).next_back();
            last.is_none_or(|(_, until)| until <= start)
        })
    }

    /// Takes stretches that are free.
    pub(super) fn take(&mut self, wanted: &[(u32, u32)]) {
        debug_assert!(
            wanted.iter().all(|(start, end)| start < end),
            "no stretch is empty"
        );
        self.taken.extend(wanted.iter().copied());
    }

    /// Whether what is there lives before and after the instruction that reads at `at`.
    pub(super) fn covers(&self, at: u32) -> bool {
        let last = self.taken.range(..=at).next_back();
        last.is_some_and(|(_, until)| *until > at + 1)
    }
}
