//! The table of kernels. Must stay true: each row has a folder in `bench/compute/` with one file per language; the size that
//! stands in the files is tiny, for tests; the last one here takes LuaJIT or node 0.3 to 1 second.

use std::path::PathBuf;

/// One kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its folder.
    pub name: &'static str,
    /// What `SIZE` is when instructions are counted: some millions.
    pub counted_size: u64,
    /// What `SIZE` is when it is timed.
    pub timed_size: u64,
}

/// All kernels.
pub const KERNELS: [Kernel; 16] = [
    kernel("recursion", 20, 37),
    kernel("loops", 20_000, 60_000_000),
    kernel("sieve", 3_000, 4_000_000),
    kernel("records", 300, 100_000),
    kernel("nbody", 1_000, 3_000_000),
    kernel("spectral", 40, 1_500),
    kernel("fannkuch", 7, 10),
    kernel("mandelbrot", 60, 1_200),
    kernel("matrix", 40, 500),
    kernel("trees", 8, 15),
    kernel("sort", 3_000, 3_000_000),
    kernel("closures", 20, 10_000),
    kernel("distance", 120, 6_000),
    kernel("strings", 10, 3_000),
    kernel("words", 2_000, 2_000_000),
    kernel("json", 30, 20_000),
];

const fn kernel(name: &'static str, counted_size: u64, timed_size: u64) -> Kernel {
    Kernel {
        name,
        counted_size,
        timed_size,
    }
}

impl Kernel {
    /// Where its sources lie.
    pub fn folder(&self) -> PathBuf {
        super::folder(self.name)
    }
}

/// A source with another number after its first `SIZE … =`.
///
/// # Errors
/// When there is none.
pub fn sized(source: &str, size: u64) -> Result<String, String> {
    let found = source
        .find("SIZE")
        .and_then(|at| Some(at + source[at..].find("= ")? + 2))
        .ok_or("the source has no constant `SIZE`")?;
    let (head, tail) = source.split_at(found);
    let rest = tail.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() == tail.len() {
        return Err("`SIZE` is no number".to_owned());
    }
    Ok(format!("{head}{size}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_put_in_whatever_the_language() {
        for (source, wanted) in [
            ("const SIZE = 12\nx = 3", "const SIZE = 7\nx = 3"),
            ("local SIZE = 12\n", "local SIZE = 7\n"),
            ("const SIZE: i64 = 12;", "const SIZE: i64 = 7;"),
        ] {
            assert_eq!(sized(source, 7), Ok(wanted.to_owned()));
        }
        assert!(sized("const size = 1", 7).is_err());
        assert!(sized("const SIZE = n", 7).is_err());
    }
}
