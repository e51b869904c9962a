//! Autobahn's fuzzing client against the server. It wants its messages back, and FLIN's sockets do not repeat what they hear: so a
//! bridge stands between the two that hands on every byte of the client, and every byte of the server but one thing: where the server
//! answers a message with its complaint, the bridge puts the message itself. Must stay true: masks, fragments, encodings, pings
//! and closes are judged and answered by the server alone.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::suite::Tally;
use crate::target::Target;
use crate::websocket::{Bytes, frame};

/// Chapters of Autobahn's cases; 12 and 13 are about compression, which is not agreed on.
const CASES: &str =
    "\"1.*\", \"2.*\", \"3.*\", \"4.*\", \"5.*\", \"6.*\", \"7.*\", \"9.*\", \"10.*\"";

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CONTROL: u8 = 8;

/// Lets Autobahn try everything, by a Python 2.7 and a folder with `autobahntestsuite`.
///
/// # Errors
/// When there is no such Python, or no report comes.
pub fn run(python: &Path, packages: &Path) -> Result<Vec<Tally>, String> {
    let begun = Instant::now();
    let target = Target::start(&["limits.message=64MB"]);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("a port: {error}"))?;
    let address = listener
        .local_addr()
        .map_err(|error| format!("a port: {error}"))?;
    let server = target.host().to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = server.clone();
            std::thread::spawn(move || bridge(client, &server));
        }
    });
    let dir = std::env::temp_dir().join(format!("flin-autobahn-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let spec = format!(
        "{{\"outdir\": {:?}, \"servers\": [{{\"agent\": \"FLIN\", \"url\": \"ws://{address}/_ws\"}}], \
         \"cases\": [{CASES}], \"exclude-cases\": [], \"exclude-agent-cases\": {{}}}}",
        dir.display().to_string()
    );
    let spec_path = dir.join("spec.json");
    std::fs::write(&spec_path, spec)
        .map_err(|error| format!("{}: {error}", spec_path.display()))?;
    let script = "import site, sys; site.addsitedir(sys.argv.pop(1)); from autobahntestsuite.wstest import run; run()";
    let output = Command::new(python)
        .args(["-c", script])
        .arg(packages)
        .args(["-m", "fuzzingclient", "-s"])
        .arg(&spec_path)
        .output()
        .map_err(|error| format!("{}: {error}", python.display()))?;
    let report = report(&dir);
    // A folder that stays behind is no reason to fail.
    let _ = std::fs::remove_dir_all(&dir);
    let verdicts = report.map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        format!("{error}\n{said}")
    })?;
    Ok(vec![tally(verdicts, begun)])
}

/// Of each case its name, and Autobahn's words for what happened and for how it ended.
fn report(dir: &Path) -> Result<Vec<(String, String, String)>, String> {
    let path: PathBuf = dir.join("index.json");
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let report: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("Autobahn's report: {error}"))?;
    let cases = report["FLIN"]
        .as_object()
        .ok_or("Autobahn's report has no FLIN")?;
    let word = |value: &serde_json::Value| value.as_str().unwrap_or("nothing").to_owned();
    let verdict = |(name, found): (&String, &serde_json::Value)| {
        (
            name.clone(),
            word(&found["behavior"]),
            word(&found["behaviorClose"]),
        )
    };
    Ok(cases.iter().map(verdict).collect())
}

fn tally(verdicts: Vec<(String, String, String)>, begun: Instant) -> Tally {
    let good = ["OK", "NON-STRICT", "INFORMATIONAL"];
    let count = |word: &str| {
        verdicts
            .iter()
            .filter(|(_, behavior, _)| behavior == word)
            .count()
    };
    let kind = format!(
        "Autobahn: {} OK, {} not strict, {} for information",
        count("OK"),
        count("NON-STRICT"),
        count("INFORMATIONAL")
    );
    let failed = |(name, behavior, end): &(String, String, String)| {
        let is_good = good.contains(&behavior.as_str()) && good.contains(&end.as_str());
        (!is_good).then(|| format!("{name}: {behavior}, close {end}"))
    };
    Tally {
        kind,
        cases: verdicts.len(),
        unexpected: verdicts.iter().filter_map(failed).collect(),
        took: begun.elapsed(),
    }
}

/// Messages that the client sent and that were not answered yet: opcode and payload.
type Sent = Arc<Mutex<VecDeque<(u8, Vec<u8>)>>>;

fn bridge(client: TcpStream, server: &str) {
    let Ok(server) = TcpStream::connect(server) else {
        return;
    };
    let (Ok(client_in), Ok(server_in)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    // Small frames must not wait for one another.
    let _ = client
        .set_nodelay(true)
        .and_then(|()| server.set_nodelay(true));
    let sent = Sent::default();
    let kept = Arc::clone(&sent);
    std::thread::spawn(move || hand_on(client_in, server_in, &mut Listener::new(kept)));
    hand_on(server, client, &mut Answerer::new(sent));
}

/// What becomes of bytes on their way.
trait OnTheWay {
    /// The bytes to go on.
    fn pass(&mut self, bytes: &[u8]) -> Vec<u8>;
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, way: &mut dyn OnTheWay) {
    let mut buffer = [0; 64 << 10];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || to.write_all(&way.pass(&buffer[..count])).is_err() {
            break;
        }
    }
    // The other side hears that nothing more comes; it may be gone already.
    let _ = to.shutdown(Shutdown::Write);
}

/// Finds the frames of one direction, behind the head of the handshake.
#[derive(Default)]
struct Frames {
    waiting: Vec<u8>,
    is_open: bool,
}

/// A frame: its first byte, its whole bytes, its payload.
type Found = (u8, Vec<u8>, Vec<u8>);

impl Frames {
    fn add(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The head, once, as soon as it is there.
    fn head(&mut self) -> Option<Vec<u8>> {
        if self.is_open {
            return None;
        }
        let end = self
            .waiting
            .windows(4)
            .position(|part| part == b"\r\n\r\n")?
            + 4;
        self.is_open = true;
        let rest = self.waiting.split_off(end);
        Some(std::mem::replace(&mut self.waiting, rest))
    }

    fn next(&mut self) -> Option<Found> {
        if !self.is_open {
            return None;
        }
        let bytes = &self.waiting;
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |n: u64, byte| n << 8 | u64::from(*byte))
        };
        let (length, mut at) = match second & 0x7f {
            126 => (number(bytes.get(2..4)?), 4),
            127 => (number(bytes.get(2..10)?), 10),
            length => (u64::from(length), 2),
        };
        let mask = if second & 0x80 == 0 {
            [0; 4]
        } else {
            at += 4;
            bytes.get(at - 4..at)?.try_into().ok()?
        };
        let end = at.checked_add(usize::try_from(length).ok()?)?;
        let payload = bytes.get(at..end)?.iter().zip(mask.iter().cycle());
        let payload = payload.map(|(byte, mask)| byte ^ mask).collect();
        let rest = self.waiting.split_off(end);
        Some((first, std::mem::replace(&mut self.waiting, rest), payload))
    }
}

/// Hands on what the client says, and keeps its messages.
struct Listener {
    frames: Frames,
    begun: Option<(u8, Vec<u8>)>,
    sent: Sent,
}

impl Listener {
    fn new(sent: Sent) -> Listener {
        Listener {
            frames: Frames::default(),
            begun: None,
            sent,
        }
    }
}

impl OnTheWay for Listener {
    fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.frames.add(bytes);
        drop(self.frames.head());
        while let Some((first, _, payload)) = self.frames.next() {
            match (first & 0x0f, &mut self.begun) {
                (opcode @ (TEXT | BINARY), _) => self.begun = Some((opcode, payload)),
                (0, Some((_, whole))) => whole.extend(payload),
                _ => continue,
            }
            if first & 0x80 != 0
                && let Some(whole) = self.begun.take()
                && let Ok(mut sent) = self.sent.lock()
            {
                sent.push_back(whole);
            }
        }
        bytes.to_vec()
    }
}

/// Hands on what the server says, with the client's messages in the place of its answers.
struct Answerer {
    frames: Frames,
    sent: Sent,
}

impl Answerer {
    fn new(sent: Sent) -> Answerer {
        Answerer {
            frames: Frames::default(),
            sent,
        }
    }
}

impl OnTheWay for Answerer {
    fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.frames.add(bytes);
        let mut out = self.frames.head().unwrap_or_default();
        while let Some((first, whole, _)) = self.frames.next() {
            let message = match first & CONTROL {
                0 => self.sent.lock().ok().and_then(|mut sent| sent.pop_front()),
                _ => None,
            };
            match message {
                Some((opcode, payload)) => out.extend(frame(opcode, payload).unmasked().bytes()),
                None => out.extend(whole),
            }
        }
        out
    }
}
