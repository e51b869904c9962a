//! A dispatch jump of its own for each hot operation. One jump shared by all of them is predicted badly (measured: a loop of
//! eleven float operations took 2.9 times as long), but stable Rust has no way to say so, and the compiler copies a jump
//! table only into few places: the end of the loop may have at most 16 ways in. So the ways in are grouped, the groups
//! are kept apart by comments for the assembler, which make no code but which the optimiser may neither merge nor drop, and
//! then it copies the jump first to the end of each group and from there to the end of each operation.
//!
//! Must stay true: no more than 15 groups, and no more than 15 operations in each (a release build has about 150
//! `jmp *` in `dispatch`; with too many it has 8). Where there is no inline assembly, all share the jump.
#![allow(unsafe_code)]

use crate::frame::Regs;

/// How many groups there are, besides the one of all operations that share a jump.
pub(super) const GROUPS: u32 = 12;

/// Makes this place unlike all others for the optimiser.
macro_rules! apart {
    ($place:expr) => {
        // SAFETY: a comment; it neither reads nor writes anything.
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        unsafe {
            std::arch::asm!(
                concat!("/* ", $place, " */"),
                options(nomem, nostack, preserves_flags)
            );
        }
    };
}

/// Where the operations of a group meet. Several comments, because a place with fewer instructions is copied to all the
/// ways into it too early: before it has the jump.
macro_rules! join {
    ($group:expr) => {
        join!($group, 1 2 3 4 5 6 7 8 9 10 11 12)
    };
    ($group:expr, $($number:literal)*) => {
        match $group {
            $($number => {
                $crate::interp::threads::apart!(concat!("group ", $number));
                $crate::interp::threads::apart!(concat!("group ", $number, " first"));
                $crate::interp::threads::apart!(concat!("group ", $number, " second"));
            })*
            _ => {
                $crate::interp::threads::apart!("slow operations");
                $crate::interp::threads::apart!("slow operations, first");
                $crate::interp::threads::apart!("slow operations, second");
            }
        }
    };
}

pub(crate) use apart;
pub(super) use join;

/// The same bases, as values of unknown origin. Else the optimiser keeps both of them in one vector register, because
/// they are loaded and stored side by side, and unpacks them at each operation (measured: 10 to 20 % of the time).
#[inline(always)]
pub(super) fn scalar(regs: Regs) -> Regs {
    #[cfg_attr(
        not(any(target_arch = "x86_64", target_arch = "aarch64")),
        expect(unused_mut)
    )]
    let (mut s, mut r) = (regs.s as usize, regs.r as usize);
    // SAFETY: nothing happens; the registers keep what they hold.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    unsafe {
        std::arch::asm!("/* {0} {1} */", inout(reg) s, inout(reg) r, options(pure, nomem, nostack, preserves_flags));
    }
    Regs {
        s: s as *mut u64,
        r: r as *mut u64,
    }
}
