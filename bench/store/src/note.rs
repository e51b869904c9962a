//! The one record that all stores hold: two texts, an int, a bool and a time, 120 bytes with its number. Here because a
//! comparison of stores is one of equal records. Must stay true: notes with equal numbers are equal, in every store.

/// What a note weighs without any store: its number, its texts, eight bytes for int and time, one for the bool.
pub const PAYLOAD_BYTES: u64 = 120;
const TITLE_BYTES: usize = 24;
const BODY_BYTES: usize = PAYLOAD_BYTES as usize - TITLE_BYTES - 8 - 8 - 1 - 8;
/// Different notes; a note's number says which one it is like.
const POOL: usize = 1024;
/// 2026-03-04T05:06:07Z.
const START_MS: i64 = 1_772_600_767_000;
const WORDS: [&str; 12] = [
    "milk", "letter", "garden", "answer", "copper", "violin", "window", "harbour", "thread",
    "lantern", "orchard", "paper",
];

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// 24 bytes.
    pub title: String,
    /// 71 bytes.
    pub body: String,
    /// From 0 to 999.
    pub count: i64,
    /// True for one in three.
    pub done: bool,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

impl Note {
    /// What a reader adds up, so that all stores must have found the same.
    pub fn weight(&self) -> u64 {
        self.title.len() as u64 + self.body.len() as u64 + self.count as u64 + u64::from(self.done)
    }

    /// As a value for stores that know only bytes: bool, int, time, length of the title, title, body.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(19 + self.title.len() + self.body.len());
        out.push(u8::from(self.done));
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.at_ms.to_le_bytes());
        out.extend_from_slice(&(self.title.len() as u16).to_le_bytes());
        out.extend_from_slice(self.title.as_bytes());
        out.extend_from_slice(self.body.as_bytes());
        out
    }

    /// What the note in such a value weighs, its texts checked but not copied; `None` if it is none.
    pub fn weight_in(bytes: &[u8]) -> Option<u64> {
        let count = i64::from_le_bytes(bytes.get(1..9)?.try_into().ok()?);
        let len = usize::from(u16::from_le_bytes(bytes.get(17..19)?.try_into().ok()?));
        let title = std::str::from_utf8(bytes.get(19..19 + len)?).ok()?;
        let body = std::str::from_utf8(bytes.get(19 + len..)?).ok()?;
        let texts = std::hint::black_box((title, body));
        let done = u64::from(*bytes.first()? != 0);
        Some(texts.0.len() as u64 + texts.1.len() as u64 + count as u64 + done)
    }

    /// The note in such a value; `None` if it is none.
    pub fn decode(bytes: &[u8]) -> Option<Note> {
        let int = |at: usize| Some(i64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let len = usize::from(u16::from_le_bytes(bytes.get(17..19)?.try_into().ok()?));
        let text = |part: &[u8]| Some(std::str::from_utf8(part).ok()?.to_owned());
        Some(Note {
            done: *bytes.first()? != 0,
            count: int(1)?,
            at_ms: int(9)?,
            title: text(bytes.get(19..19 + len)?)?,
            body: text(bytes.get(19 + len..)?)?,
        })
    }
}

/// All different notes.
#[derive(Clone, Debug)]
pub struct Pool(Vec<Note>);

impl Default for Pool {
    fn default() -> Self {
        Pool((0..POOL).map(make).collect())
    }
}

impl Pool {
    /// The note with a number.
    pub fn note(&self, id: u64) -> &Note {
        &self.0[id as usize % POOL]
    }
}

fn make(at: usize) -> Note {
    let word = |step: usize| WORDS[(at * 7 + step * step * 5 + step) % WORDS.len()];
    let mut body: String = (0..BODY_BYTES)
        .map(|step| format!("{} ", word(step)))
        .collect();
    body.truncate(BODY_BYTES);
    Note {
        title: format!(
            "{:<width$}",
            format!("note {at} of {}", word(0)),
            width = TITLE_BYTES
        ),
        body,
        count: (at as i64 * 37) % 1000,
        done: at.is_multiple_of(3),
        at_ms: START_MS + at as i64 * 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_weighs_the_same_and_comes_back() {
        let pool = Pool::default();
        for id in 0..POOL as u64 {
            let note = pool.note(id);
            assert_eq!(
                note.title.len() + note.body.len() + 8 + 8 + 1 + 8,
                PAYLOAD_BYTES as usize
            );
            assert_eq!(Note::decode(&note.encode()).as_ref(), Some(note));
            assert_eq!(Note::weight_in(&note.encode()), Some(note.weight()));
        }
        assert_eq!(Note::decode(&[0; 18]), None);
    }
}
