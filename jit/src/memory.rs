//! Code memory: one reserved range per program, filled from its start, freed with the program. Here because policy of pages is
//! ours: code stands closely packed, and putting some down takes no call of the system. Must stay true: no page can be
//! written and executed at one address; what was put down is never written again; nothing runs in this memory once it is
//! dropped; the owner of the program guarantees it, because the compiler is dropped with the program and every machine holds the program.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::{self, Configurable};

use crate::JitError;

/// Address space that is reserved for the code of one program, per view; pages are taken as they are needed. Functions reach each
/// other by relative calls on all processors (128 MiB on some).
const ARENA_BYTES: usize = 64 << 20;
/// No function wants more.
const ALIGNMENT_MAX: usize = 64;

/// Start of a finished function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code(pub(crate) NonNull<u8>);

// SAFETY: code memory is read and executed only, by any thread.
unsafe impl Send for Code {}

/// Number of a function in code memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CodeId(pub(crate) u32);

/// How an instruction says where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkKind {
    /// Four bytes: the distance in bytes.
    X86Distance,
    /// The low 26 bits: the distance in instructions.
    Arm64Distance,
}

/// An instruction that goes to another function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// Where in the code its distance stands.
    pub(crate) at: usize,
    pub(crate) kind: LinkKind,
    pub(crate) to: CodeId,
    /// Added to the distance.
    pub(crate) addend: i64,
}

/// A compiled function that is not in code memory yet.
#[derive(Clone)]
pub(crate) struct Bytes {
    pub(crate) id: CodeId,
    pub(crate) code: Vec<u8>,
    pub(crate) alignment: usize,
    pub(crate) links: Vec<Link>,
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {} bytes", self.id, self.code.len())
    }
}

/// How the pages of an arena are written and executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pages {
    /// Twice in the address space: here to be written, there to be executed.
    TwoViews,
    /// Once: written first, then executed, so that every batch begins on a page of its own.
    OneView,
}

/// A reserved range of addresses.
struct Arena {
    pages: Pages,
    write: NonNull<u8>,
    execute: NonNull<u8>,
}

// SAFETY: the pointers are to mappings of this value's own.
unsafe impl Send for Arena {}

/// The code memory of one program.
pub(crate) struct CodeMemory {
    arena: Arena,
    /// Bytes of the arena that are taken.
    taken: usize,
    /// Where each function begins, once it is there.
    places: Vec<Option<usize>>,
    /// Bytes of code so far.
    pub(crate) code_bytes: usize,
}

/// The instruction set of this machine, with little and with much work for Cranelift.
#[derive(Clone)]
pub(crate) struct Isas {
    pub(crate) quick: Arc<dyn TargetIsa>,
    pub(crate) full: Arc<dyn TargetIsa>,
}

/// The instruction set of this machine with our settings.
///
/// # Errors
/// Cranelift does not know this processor.
pub(crate) fn host_isas(verify: bool) -> Result<Isas, JitError> {
    Ok(Isas {
        quick: host_isa(verify, "none")?,
        full: host_isa(verify, "speed")?,
    })
}

fn host_isa(verify: bool, opt_level: &str) -> Result<Arc<dyn TargetIsa>, JitError> {
    let mut flags = settings::builder();
    let wanted = [
        ("opt_level", opt_level),
        ("regalloc_algorithm", "backtracking"),
        ("enable_verifier", if verify { "true" } else { "false" }),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("unwind_info", "false"),
        ("enable_pinned_reg", "true"),
        ("enable_probestack", "false"),
    ];
    for (name, value) in wanted {
        flags
            .set(name, value)
            .map_err(|e| JitError::Settings(e.to_string()))?;
    }
    cranelift_native::builder()
        .map_err(|e| JitError::NoBackend(e.to_owned()))?
        .finish(settings::Flags::new(flags))
        .map_err(|e| JitError::NoBackend(e.to_string()))
}

impl CodeMemory {
    /// Reserves the arena.
    ///
    /// # Errors
    /// There is no address space.
    pub(crate) fn new() -> Result<CodeMemory, JitError> {
        let arena = Arena::two_views()
            .or_else(|_| Arena::one_view())
            .map_err(|e| JitError::NoMemory(e.to_string()))?;
        Ok(CodeMemory::of(arena))
    }

    fn of(arena: Arena) -> CodeMemory {
        CodeMemory {
            arena,
            taken: 0,
            places: Vec::new(),
            code_bytes: 0,
        }
    }

    /// A number for a function that will be defined in this batch.
    pub(crate) fn declare(&mut self) -> CodeId {
        let id = CodeId(self.places.len() as u32);
        self.places.push(None);
        id
    }

    /// Puts a batch into memory and makes it executable; every function that it goes to must be in it or in an earlier one.
    ///
    /// # Errors
    /// The arena is full, or the system refuses; nothing of the batch is there then.
    pub(crate) fn define(&mut self, batch: &mut [Bytes]) -> Result<(), JitError> {
        let start = match self.arena.pages {
            Pages::TwoViews => self.taken,
            Pages::OneView => self.taken.next_multiple_of(page_bytes()),
        };
        let mut end = start;
        for function in &*batch {
            debug_assert!(function.alignment <= ALIGNMENT_MAX);
            end = end.next_multiple_of(function.alignment);
            self.places[function.id.0 as usize] = Some(end);
            end += function.code.len();
        }
        let written = (end <= ARENA_BYTES)
            .then_some(())
            .ok_or(JitError::Full)
            .and_then(|()| self.write(batch, start..end));
        if written.is_err() {
            for function in &*batch {
                self.places[function.id.0 as usize] = None;
            }
            return written;
        }
        self.taken = end;
        self.code_bytes += batch.iter().map(|it| it.code.len()).sum::<usize>();
        Ok(())
    }

    fn write(&self, batch: &mut [Bytes], range: Range<usize>) -> Result<(), JitError> {
        let failed = |e: io::Error| JitError::NoMemory(e.to_string());
        self.arena.begin(&range).map_err(failed)?;
        for function in batch {
            let place = self.place(function.id);
            for link in &function.links {
                let distance = self.place(link.to) as i64 + link.addend - (place + link.at) as i64;
                link.put(&mut function.code, distance);
            }
            let code = &function.code;
            // SAFETY: `define` has placed it within the arena, behind all that was there.
            unsafe {
                let to = self.arena.write.add(place);
                std::ptr::copy_nonoverlapping(code.as_ptr(), to.as_ptr(), code.len());
            }
        }
        self.arena.end(&range).map_err(failed)
    }

    fn place(&self, id: CodeId) -> usize {
        self.places[id.0 as usize].expect("code goes to what is there or comes with it")
    }

    /// Where a defined function begins.
    pub(crate) fn code(&self, id: CodeId) -> Code {
        // SAFETY: a place is within the arena.
        Code(unsafe { self.arena.execute.add(self.place(id)) })
    }
}

impl Link {
    /// Writes the distance to where it goes.
    fn put(&self, code: &mut [u8], distance: i64) {
        let place = &mut code[self.at..][..4];
        let old = u32::from_le_bytes([place[0], place[1], place[2], place[3]]);
        let new = match self.kind {
            LinkKind::X86Distance => i32::try_from(distance).expect("an arena is small") as u32,
            LinkKind::Arm64Distance => old & 0xFC00_0000 | (distance >> 2) as u32 & 0x03FF_FFFF,
        };
        place.copy_from_slice(&new.to_le_bytes());
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

impl Arena {
    /// Memory without a name in the file system, mapped twice.
    #[cfg(target_os = "linux")]
    fn two_views() -> io::Result<Arena> {
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
        Ok(Arena {
            pages: Pages::TwoViews,
            write,
            execute,
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn two_views() -> io::Result<Arena> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// For systems that do not map a page twice.
    fn one_view() -> io::Result<Arena> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
        let start = map(libc::PROT_NONE, flags, -1)?;
        Ok(Arena {
            pages: Pages::OneView,
            write: start,
            execute: start,
        })
    }

    /// Before a range, which was never used, is written.
    fn begin(&self, range: &Range<usize>) -> io::Result<()> {
        match self.pages {
            Pages::TwoViews => Ok(()),
            Pages::OneView => self.protect(range, libc::PROT_READ | libc::PROT_WRITE),
        }
    }

    /// After it was written.
    fn end(&self, range: &Range<usize>) -> io::Result<()> {
        if self.pages == Pages::OneView {
            self.protect(range, libc::PROT_READ | libc::PROT_EXEC)?;
        }
        // Nothing is to be done on processors whose caches agree by themselves.
        // SAFETY: a range of the arena.
        unsafe {
            let start = self.execute.add(range.start).as_ptr();
            wasmtime_internal_jit_icache_coherence::clear_cache(start.cast(), range.len())
        }
        .and_then(|()| wasmtime_internal_jit_icache_coherence::pipeline_flush_mt())
        .map_err(|e| io::Error::other(e.to_string()))
    }

    fn protect(&self, range: &Range<usize>, protection: i32) -> io::Result<()> {
        // SAFETY: pages of the arena that hold nothing yet but this range, which begins on a page.
        let done = unsafe {
            let start = self.write.add(range.start).as_ptr().cast::<c_void>();
            libc::mprotect(start, range.len(), protection)
        };
        if done == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        unmap(self.execute);
        if self.write != self.execute {
            unmap(self.write);
        }
    }
}

impl std::fmt::Debug for CodeMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeMemory")
            .field("pages", &self.arena.pages)
            .field("code_bytes", &self.code_bytes)
            .finish_non_exhaustive()
    }
}

/// Alignment of function starts.
pub(crate) fn function_alignment(isa: &dyn TargetIsa, wanted: u64) -> usize {
    let least = u64::from(isa.function_alignment().minimum);
    wanted.max(least).max(isa.symbol_alignment()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two functions of a batch, the first of which goes to the second, then one that goes back to the first.
    fn filled(arena: Arena) -> CodeMemory {
        let mut memory = CodeMemory::of(arena);
        let [one, two, three] = [memory.declare(), memory.declare(), memory.declare()];
        let bytes = |id, to: Option<CodeId>| Bytes {
            id,
            code: vec![0xC3; 24],
            alignment: 16,
            links: to
                .map(|to| Link {
                    at: 8,
                    kind: LinkKind::X86Distance,
                    to,
                    addend: -4,
                })
                .into_iter()
                .collect(),
        };
        let mut first = [bytes(one, Some(two)), bytes(two, None)];
        memory.define(&mut first).expect("there is room");
        let mut second = [bytes(three, Some(one))];
        memory.define(&mut second).expect("there is room");
        memory
    }

    /// Where the code of a function goes, as the processor would reckon it.
    fn goes_to(memory: &CodeMemory, id: CodeId) -> usize {
        let start = memory.code(id).0;
        // SAFETY: 24 bytes of code stand there.
        let distance = unsafe { start.add(8).cast::<i32>().read_unaligned() };
        (start.as_ptr() as usize + 8 + 4).wrapping_add_signed(distance as isize)
    }

    #[test]
    fn code_stands_where_it_can_be_executed_and_knows_its_way() {
        let arenas = [Arena::two_views(), Arena::one_view()];
        for arena in arenas.into_iter().filter_map(Result::ok) {
            let memory = filled(arena);
            let [one, two, three] = [0, 1, 2].map(CodeId);
            let start = |id| memory.code(id).0.as_ptr() as usize;
            assert_eq!(goes_to(&memory, one), start(two));
            assert_eq!(goes_to(&memory, three), start(one));
            assert_eq!(start(two) % 16, 0);
            assert_eq!(memory.code_bytes, 72);
        }
    }

    #[test]
    fn a_full_arena_refuses_and_stays_as_it_was() {
        let mut memory = filled(Arena::one_view().expect("address space"));
        let before = memory.code(CodeId(2)).0;
        let id = memory.declare();
        let mut batch = [Bytes {
            id,
            code: vec![0; ARENA_BYTES],
            alignment: 16,
            links: Vec::new(),
        }];
        assert_eq!(memory.define(&mut batch), Err(JitError::Full));
        assert_eq!(memory.code(CodeId(2)).0, before);
    }
}
