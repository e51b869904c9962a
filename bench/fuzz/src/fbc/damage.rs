//! Damage to the bytes of a `.fbc` file, with and without repaired checksums. Must stay true: `repaired` leaves a file
//! whose checksums are right, so that the reader's own checks are met.

use flin_bytecode::fbc::Section;
use flin_testkit::rng::Rng;

/// Magic, format version, fingerprint.
const TABLE_AT: usize = 8 + 4 + 8;
const HEADER_BYTES: usize = TABLE_AT + Section::ALL.len() * 8 + 4;

/// Truncated, flipped, overwritten or random bytes; checksums as they were.
pub(crate) fn bytes(whole: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let at = rng.below(bytes.len());
    match rng.below(5) {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << rng.below(8),
        2 => {
            let end = (at + 1 + rng.below(16)).min(bytes.len());
            bytes[at..end]
                .iter_mut()
                .for_each(|b| *b = rng.bits() as u8);
        }
        3 => bytes.insert(at, rng.bits() as u8),
        _ => bytes = (0..rng.below(400)).map(|_| rng.bits() as u8).collect(),
    }
    bytes
}

/// One section changed, and all checksums made right again.
pub(crate) fn repaired(whole: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut sections = split(whole);
    let at = loop {
        let at = rng.below(sections.len());
        if !sections[at].is_empty() {
            break at;
        }
    };
    for _ in 0..1 + rng.below(3) {
        let section = &mut sections[at];
        if section.is_empty() {
            break;
        }
        let place = rng.below(section.len());
        match rng.below(6) {
            0 => section.truncate(place),
            1 => section.insert(place, rng.bits() as u8),
            2 => {
                section.remove(place);
            }
            3 => section[place] = [0, 1, 0x7f, 0x80, 0xff][rng.below(5)],
            _ => section[place] ^= 1 << rng.below(8),
        }
    }
    join(whole, &sections)
}

fn split(whole: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &whole[HEADER_BYTES..];
    let mut sections = Vec::new();
    for at in 0..Section::ALL.len() {
        let entry = TABLE_AT + at * 8;
        let length: [u8; 4] = whole[entry..entry + 4].try_into().expect("four bytes");
        let (section, after) = rest.split_at(u32::from_le_bytes(length) as usize);
        sections.push(section.to_vec());
        rest = after;
    }
    sections
}

fn join(whole: &[u8], sections: &[Vec<u8>]) -> Vec<u8> {
    let mut out = whole[..TABLE_AT].to_vec();
    for section in sections {
        out.extend_from_slice(&(section.len() as u32).to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(section).to_le_bytes());
    }
    let header = crc32fast::hash(&out);
    out.extend_from_slice(&header.to_le_bytes());
    sections
        .iter()
        .for_each(|section| out.extend_from_slice(section));
    out
}
