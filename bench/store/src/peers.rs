//! The stores that people would take instead; none without the feature `peers`. Must stay true: each as its documentation
//! recommends, with everything durable at every commit.

use crate::contestant::Entrant;

#[cfg(feature = "peers")]
pub mod fjall;
#[cfg(feature = "peers")]
#[allow(unsafe_code)]
pub mod lmdb;
#[cfg(feature = "peers")]
pub mod redb;
#[cfg(feature = "peers")]
pub mod sqlite;

/// Records of one transaction while loading.
#[cfg(feature = "peers")]
const LOAD: usize = 1000;

/// All peers of this build.
#[cfg(feature = "peers")]
pub fn entrants() -> Vec<Entrant> {
    vec![
        Entrant {
            name: "sqlite",
            open: sqlite::open,
        },
        Entrant {
            name: "redb",
            open: redb::open,
        },
        Entrant {
            name: "lmdb",
            open: lmdb::open,
        },
        Entrant {
            name: "fjall",
            open: fjall::open,
        },
    ]
}

/// All peers of this build.
#[cfg(not(feature = "peers"))]
pub fn entrants() -> Vec<Entrant> {
    Vec::new()
}

/// The `count` in an encoded note.
#[cfg(feature = "peers")]
fn count_in(value: &[u8]) -> i64 {
    let bytes = value.get(1..9).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(i64::MAX, i64::from_le_bytes)
}
