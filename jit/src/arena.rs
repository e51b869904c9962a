//! The pages that code stands in: one reserved range of addresses per program, filled from its start, which cranelift-jit's
//! module takes its memory from. Here because policy of pages is ours: code stands closely packed, and putting some down takes
//! no call of the system. Must stay true: no page can be written and executed at one address; both views keep the
//! same distances, so that what the module reckons where it writes holds where it runs; what was finalised is never written again.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::ops::Range;
use std::ptr::NonNull;

use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider};
use cranelift_module::{ModuleError, ModuleResult};

/// Address space that is reserved for the code of one program, per view; pages are taken as they are needed. Functions reach each
/// other by relative calls on all processors (128 MiB on some).
pub(crate) const ARENA_BYTES: usize = 64 << 20;
/// No function wants more; every page begins at a multiple of it.
const ALIGNMENT_MAX: usize = 4096;

/// Where an arena is written and where it is executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Views {
    write: NonNull<u8>,
    execute: NonNull<u8>,
}

// SAFETY: addresses; who reads or writes there says so.
unsafe impl Send for Views {}

/// How the pages of an arena are written and executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pages {
    /// Twice in the address space: here to be written, there to be executed.
    TwoViews,
    /// Once: written first, then executed, so that after every finalising code begins on a page of its own.
    OneView,
}

/// A reserved range of addresses, given back when it is dropped.
#[derive(Debug)]
struct Reserved {
    pages: Pages,
    views: Views,
}

/// The pages of one program's code.
#[derive(Debug)]
pub(crate) struct Arena {
    /// None once it was freed.
    reserved: Option<Reserved>,
    /// Bytes that are taken.
    taken: usize,
    /// Bytes that are finalised: from there on code is being written.
    finalised: usize,
    /// In one view: bytes up to which pages were made writable so far.
    opened: usize,
}

impl Views {
    /// Where the processor finds what the module wrote at an address of the arena.
    pub(crate) fn executed(self, written: *const u8) -> NonNull<u8> {
        let offset = written.addr() - self.write.as_ptr().addr();
        debug_assert!(offset < ARENA_BYTES);
        // SAFETY: the arena gave that address to the module, so it is that far within both views.
        unsafe { self.execute.add(offset) }
    }
}

impl Arena {
    /// Reserves addresses.
    ///
    /// # Errors
    /// There are none left.
    pub(crate) fn new() -> io::Result<Arena> {
        Arena::two_views().or_else(|_| Arena::one_view())
    }

    /// For systems that map a page twice.
    ///
    /// # Errors
    /// This one does not, or has no addresses left.
    pub(crate) fn two_views() -> io::Result<Arena> {
        Reserved::two_views().map(Arena::of)
    }

    /// For all others.
    ///
    /// # Errors
    /// There are no addresses left.
    pub(crate) fn one_view() -> io::Result<Arena> {
        Reserved::one_view().map(Arena::of)
    }

    fn of(reserved: Reserved) -> Arena {
        Arena {
            reserved: Some(reserved),
            taken: 0,
            finalised: 0,
            opened: 0,
        }
    }

    /// Where it is written and executed; none once it was freed.
    pub(crate) fn views(&self) -> Option<Views> {
        self.reserved.as_ref().map(|reserved| reserved.views)
    }
}

impl JITMemoryProvider for Arena {
    /// Gives addresses where the module may write. An arena that is full answers `StorageFull`.
    fn allocate(&mut self, size: usize, align: u64, kind: JITMemoryKind) -> io::Result<*mut u8> {
        match kind {
            JITMemoryKind::Executable => {}
            // Programs hold their data elsewhere.
            JITMemoryKind::Writable | JITMemoryKind::ReadOnly => {
                return Err(io::ErrorKind::Unsupported.into());
            }
        }
        let reserved = self.reserved.as_ref();
        let reserved = reserved.ok_or(io::ErrorKind::AddrNotAvailable)?;
        let align = usize::try_from(align).ok();
        let align = align.filter(|align| (1..=ALIGNMENT_MAX).contains(align));
        let align = align.ok_or(io::ErrorKind::InvalidInput)?;
        let start = self.taken.next_multiple_of(align);
        let end = start.checked_add(size).filter(|end| *end <= ARENA_BYTES);
        let end = end.ok_or(io::ErrorKind::StorageFull)?;
        if reserved.pages == Pages::OneView && end > self.opened {
            let until = end.next_multiple_of(page_bytes());
            reserved.protect(&(self.opened..until), libc::PROT_READ | libc::PROT_WRITE)?;
            self.opened = until;
        }
        self.taken = end;
        // SAFETY: within the range.
        Ok(unsafe { reserved.views.write.add(start) }.as_ptr())
    }

    unsafe fn free_memory(&mut self) {
        self.reserved = None;
    }

    /// Branch protection is not asked for: pages without it execute code that has its marks all the same.
    fn finalize(&mut self, _: BranchProtection) -> ModuleResult<()> {
        let Some(reserved) = &self.reserved else {
            return Ok(());
        };
        let range = self.finalised..self.taken;
        if range.is_empty() {
            return Ok(());
        }
        if reserved.pages == Pages::OneView {
            let pages = self.finalised..self.opened;
            reserved
                .protect(&pages, libc::PROT_READ | libc::PROT_EXEC)
                .map_err(|err| ModuleError::Allocation { err })?;
            self.taken = self.opened;
        }
        reserved
            .show_to_processor(&range)
            .map_err(|err| ModuleError::Allocation { err })?;
        self.finalised = self.taken;
        Ok(())
    }
}

fn page_bytes() -> usize {
    // SAFETY: it only asks.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).expect("pages have a size")
}

/// Maps a new range of the arena's size; `file` is what it shows.
fn map(protection: i32, flags: i32, file: i32) -> io::Result<NonNull<u8>> {
    // SAFETY: a new mapping at an address that the system chooses.
    let start = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            ARENA_BYTES,
            protection,
            flags,
            file,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(NonNull::new(start.cast()).expect("a mapping is not at address 0"))
}

fn unmap(start: NonNull<u8>) {
    // SAFETY: a mapping that `map` made and nobody uses any more.
    let done = unsafe { libc::munmap(start.as_ptr().cast(), ARENA_BYTES) };
    debug_assert_eq!(done, 0, "{}", io::Error::last_os_error());
}

impl Reserved {
    /// Memory without a name in the file system, mapped twice.
    #[cfg(target_os = "linux")]
    fn two_views() -> io::Result<Reserved> {
        use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

        // SAFETY: the name ends with 0.
        let file = unsafe { libc::memfd_create(c"flin code".as_ptr(), libc::MFD_CLOEXEC) };
        if file < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was just opened, and nobody else knows it. The mappings keep the memory when it is closed.
        let file = unsafe { OwnedFd::from_raw_fd(file) };
        // SAFETY: a file of this process.
        if unsafe { libc::ftruncate(file.as_raw_fd(), ARENA_BYTES as libc::off_t) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let file = file.as_raw_fd();
        let write = map(libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, file)?;
        let execute = map(libc::PROT_READ | libc::PROT_EXEC, libc::MAP_SHARED, file)
            .inspect_err(|_| unmap(write))?;
        Ok(Reserved {
            pages: Pages::TwoViews,
            views: Views { write, execute },
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn two_views() -> io::Result<Reserved> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Pages that nobody may touch yet.
    fn one_view() -> io::Result<Reserved> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
        let start = map(libc::PROT_NONE, flags, -1)?;
        Ok(Reserved {
            pages: Pages::OneView,
            views: Views {
                write: start,
                execute: start,
            },
        })
    }

    /// Says what may be done with pages; the range begins on one.
    fn protect(&self, range: &Range<usize>, protection: i32) -> io::Result<()> {
        // SAFETY: pages of this range that hold nothing that was finalised.
        let done = unsafe {
            let start = self.views.write.add(range.start).as_ptr().cast::<c_void>();
            libc::mprotect(start, range.len(), protection)
        };
        if done == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Nothing is to be done on processors whose caches agree by themselves.
    fn show_to_processor(&self, range: &Range<usize>) -> io::Result<()> {
        // SAFETY: a part of this range.
        unsafe {
            let start = self.views.execute.add(range.start).as_ptr();
            wasmtime_internal_jit_icache_coherence::clear_cache(start.cast(), range.len())
        }
        .and_then(|()| wasmtime_internal_jit_icache_coherence::pipeline_flush_mt())
        .map_err(|e| io::Error::other(e.to_string()))
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        unmap(self.views.execute);
        if self.views.write != self.views.execute {
            unmap(self.views.write);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> impl Iterator<Item = Arena> {
        [Arena::two_views(), Arena::one_view()]
            .into_iter()
            .filter_map(Result::ok)
    }

    #[test]
    fn code_stands_closely_packed_and_shows_where_it_runs() {
        for mut arena in both() {
            let views = arena.views().expect("not freed");
            for batch in 0..3_u8 {
                let take = |arena: &mut Arena| arena.allocate(24, 16, JITMemoryKind::Executable);
                let one = take(&mut arena).expect("there is room");
                let two = take(&mut arena).expect("there is room");
                assert_eq!(two.addr() - one.addr(), 32);
                // SAFETY: 24 bytes that were just given to be written.
                unsafe { two.write_bytes(batch, 24) };
                arena
                    .finalize(BranchProtection::None)
                    .expect("pages have rights");
                let there = views.executed(two);
                // SAFETY: they were just written.
                assert_eq!(unsafe { there.add(23).read() }, batch);
            }
        }
    }

    #[test]
    fn what_is_no_code_or_too_much_gets_nothing() {
        for mut arena in both() {
            let refused = |arena: &mut Arena, size, align, kind| {
                let given = arena.allocate(size, align, kind);
                given.expect_err("nothing is to be given").kind()
            };
            let full = refused(&mut arena, ARENA_BYTES + 1, 1, JITMemoryKind::Executable);
            assert_eq!(full, io::ErrorKind::StorageFull);
            let data = refused(&mut arena, 8, 8, JITMemoryKind::ReadOnly);
            assert_eq!(data, io::ErrorKind::Unsupported);
            let odd = refused(&mut arena, 8, 1 << 20, JITMemoryKind::Executable);
            assert_eq!(odd, io::ErrorKind::InvalidInput);
            // SAFETY: nobody uses it.
            unsafe { arena.free_memory() };
            let freed = refused(&mut arena, 8, 8, JITMemoryKind::Executable);
            assert_eq!(freed, io::ErrorKind::AddrNotAvailable);
        }
    }
}
