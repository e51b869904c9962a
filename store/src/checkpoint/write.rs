//! Writing a checkpoint file: temporary name, all bytes, sync, rename, directory sync, older ones removed.
//!
//! What must stay true: a file with a checkpoint's name is complete and durable; bytes that come from an older
//! checkpoint were checked before they get a new CRC; a failure leaves the older ones as they were.

use std::io;

use crate::checkpoint::content::{
    CATALOG, COUNTS, Content, HEADS, PAGES, RECEIPTS, REQUESTS, TIMES, TYPES, encode_counts,
    encode_receipts, encode_requests, encode_times, encode_types,
};
use crate::checkpoint::mapped::BadBlock;
use crate::checkpoint::{CHECKPOINT_NEW, checkpoint_lsn, checkpoint_name, checkpoint_names};
use crate::codec::checkpoint::{
    CheckpointHeader, SectionPlace, block_crc, data_at, directory_len, encode_directory, salted_crc,
};
use crate::disk::{Disk, DiskFile, remove_if_there};
use crate::error::IoFailure;
use crate::heads::PAGE_BYTES;
use crate::limits::{ALIGN, CHECKPOINT_BLOCK_BYTES};
use crate::sabotage::{Sabotage, removed};
use crate::value::Lsn;

/// Bytes handed to the disk at once.
const WRITE_BYTES: usize = 1 << 20;

/// A checkpoint on disk.
pub(crate) struct Written {
    pub(crate) lsn: Lsn,
    pub(crate) bytes: u64,
}

fn failed(attempt: &'static str) -> impl FnOnce(io::Error) -> IoFailure {
    move |source| IoFailure {
        attempt,
        file: CHECKPOINT_NEW.to_owned(),
        source,
    }
}

fn rotten(_: BadBlock) -> IoFailure {
    failed("copying the last checkpoint")(io::Error::other("it is damaged"))
}

/// Writes blocks one after the other and remembers their CRCs.
struct Blocks<'a> {
    file: &'a dyn DiskFile,
    data_at: u64,
    salt: u64,
    /// Bytes not written yet, from `written` on; starts at a block.
    pending: Vec<u8>,
    written: u64,
    crcs: Vec<u32>,
}

impl Blocks<'_> {
    fn end(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), IoFailure> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= WRITE_BYTES {
            let whole = self.pending.len() / CHECKPOINT_BLOCK_BYTES as usize;
            self.write(whole * CHECKPOINT_BLOCK_BYTES as usize)?;
        }
        Ok(())
    }

    fn write(&mut self, len: usize) -> Result<(), IoFailure> {
        for block in self.pending[..len].chunks(CHECKPOINT_BLOCK_BYTES as usize) {
            let number = self.crcs.len() as u64;
            self.crcs.push(block_crc(self.salt, number, block));
        }
        self.file
            .write_at(self.data_at + self.written, &self.pending[..len])
            .map_err(failed("writing a checkpoint"))?;
        self.pending.drain(..len);
        self.written += len as u64;
        Ok(())
    }

    fn pad(&mut self, offset: u64) -> Result<(), IoFailure> {
        let zeros = vec![0; (offset - self.end()) as usize];
        self.put(&zeros)
    }
}

/// Sections with bytes at hand, and the large ones.
struct Plan {
    small: Vec<(String, Vec<u8>)>,
    places: Vec<SectionPlace>,
    heads_len: u64,
}

fn plan(content: &mut Content) -> Plan {
    let (types, pages) = encode_types(&content.types);
    let heads_len = (pages.len() / 4 * PAGE_BYTES) as u64;
    let mut small = vec![
        (CATALOG.to_owned(), content.catalog.1.to_vec()),
        (COUNTS.to_owned(), encode_counts(&content.counts)),
        (TYPES.to_owned(), types),
        (PAGES.to_owned(), pages),
        (REQUESTS.to_owned(), encode_requests(&content.requests)),
        (TIMES.to_owned(), encode_times(&content.times)),
        (RECEIPTS.to_owned(), encode_receipts(&content.types)),
    ];
    for section in content.sections.drain(..) {
        small.push((section.name, (section.bytes)()));
    }
    let mut places = Vec::new();
    let mut offset = 0u64;
    let mut place = |name: &str, len: u64| {
        offset = offset.next_multiple_of(ALIGN);
        places.push(SectionPlace {
            name: name.to_owned(),
            offset,
            len,
        });
        offset += len;
    };
    small
        .iter()
        .for_each(|(name, bytes)| place(name, bytes.len() as u64));
    place(HEADS, heads_len);
    Plan {
        small,
        places,
        heads_len,
    }
}

fn put_heads(blocks: &mut Blocks<'_>, content: &Content) -> Result<(), IoFailure> {
    for (_, ty) in &content.types {
        for page in ty.page_numbers() {
            let bytes = ty.page_bytes(page).ok_or_else(|| rotten(BadBlock))?;
            blocks.put(&bytes[..])?;
        }
    }
    Ok(())
}

/// Writes all bytes of the file under its temporary name and syncs them.
fn write_new(disk: &dyn Disk, content: &mut Content) -> Result<u64, IoFailure> {
    let plan = plan(content);
    let data_len = plan.places.last().map_or(0, |last| last.offset + last.len);
    let count = data_len.div_ceil(CHECKPOINT_BLOCK_BYTES);
    let directory_len = directory_len(&plan.places, count);
    let data_at = data_at(directory_len);
    let file_len = data_at + data_len;
    let reach = content.reach;
    let last_frame = content
        .segment
        .file
        .view(reach.frame_at, reach.next_at - reach.frame_at)
        .map_err(failed("reading the last frame for a checkpoint"))?;
    let anchor = salted_crc(content.salt, &last_frame);
    let file = disk
        .create(CHECKPOINT_NEW, file_len)
        .map_err(failed("making a checkpoint"))?;
    let mut blocks = Blocks {
        file: file.as_ref(),
        data_at,
        salt: content.salt,
        pending: Vec::with_capacity(WRITE_BYTES + PAGE_BYTES),
        written: 0,
        crcs: Vec::with_capacity(count as usize),
    };
    for (place, (_, bytes)) in plan.places.iter().zip(&plan.small) {
        blocks.pad(place.offset)?;
        blocks.put(bytes)?;
    }
    let heads = &plan.places[plan.small.len()];
    blocks.pad(heads.offset)?;
    put_heads(&mut blocks, content)?;
    blocks.write(blocks.pending.len())?;
    assert_eq!(
        (blocks.written, heads.len),
        (data_len, plan.heads_len),
        "the sections are as long as their places say"
    );
    let directory = encode_directory(&plan.places, &blocks.crcs);
    let header = CheckpointHeader {
        store_id: content.store_id,
        salt: content.salt,
        file_len,
        reach,
        published: content.published,
        catalog_version: content.catalog.0,
        anchor,
        sections: plan.places.len() as u32,
        directory_len,
        directory_crc: salted_crc(content.salt, &directory),
        created_at_ms: content.created_at_ms,
    };
    let mut start = header.encode();
    start.extend_from_slice(&directory);
    file.write_at(0, &start)
        .map_err(failed("writing a checkpoint"))?;
    if !removed(Sabotage::CheckpointSync) {
        file.sync().map_err(failed("syncing a checkpoint"))?;
    }
    Ok(file_len)
}

/// Writes a checkpoint and removes the ones it makes superfluous: `unusable` ones, older ones but one, and those that
/// claim to be newer (the log of this store has never been there).
pub(crate) fn write(
    disk: &dyn Disk,
    mut content: Content,
    unusable: &[String],
    keep: usize,
) -> Result<Written, IoFailure> {
    let bytes = match write_new(disk, &mut content) {
        Ok(written) => written,
        Err(failure) => {
            // Room taken by a half-made file is given back. If that fails too, the first failure says more.
            let _given_back = disk.remove(CHECKPOINT_NEW).is_ok();
            return Err(failure);
        }
    };
    let lsn = content.reach.lsn;
    let name = checkpoint_name(lsn);
    disk.rename(CHECKPOINT_NEW, &name)
        .map_err(failed("naming a checkpoint"))?;
    if !removed(Sabotage::CheckpointDirSync) {
        disk.sync_dir()
            .map_err(failed("syncing the directory for a checkpoint"))?;
    }
    remove_superfluous(disk, lsn, unusable, keep).map_err(failed("removing an old checkpoint"))?;
    Ok(Written { lsn, bytes })
}

fn remove_superfluous(
    disk: &dyn Disk,
    newest: Lsn,
    unusable: &[String],
    keep: usize,
) -> io::Result<()> {
    let mut kept = 0;
    let mut any_gone = false;
    for name in checkpoint_names(disk)? {
        let lsn = checkpoint_lsn(&name).unwrap_or(Lsn(0));
        let own = lsn == newest;
        if own || (lsn < newest && kept < keep && !unusable.contains(&name)) {
            kept += 1;
        } else {
            remove_if_there(disk, &name)?;
            any_gone = true;
        }
    }
    // Safety does not need this one (one that comes back is judged like any other): it gives the room back at once.
    if any_gone { disk.sync_dir() } else { Ok(()) }
}
