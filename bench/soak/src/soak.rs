//! One soak from its start to its verdict: a storm of faults, a look at everything, a calm in which memory and descriptors must stay as they
//! are, the end, and a last look after one more start. Must stay true: it is bounded in time and in requests; what is judged is what
//! the clients were told, compared by models that know nothing of the server.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use serde_json::from_value;

use crate::client::Client;
use crate::follower::{Follower, Viewer, versions};
use crate::ground::Ground;
use crate::junk::Junk;
use crate::model::Library;
use crate::process::{self, Figures, Plan};
use crate::reader::Reader;
use crate::storm::Storm;
use crate::world::{Finding, Group, World};
use crate::writer::Writer;

/// Clients that write.
const WRITERS: u64 = 6;
/// Clients that look.
const READERS: u64 = 3;
/// Clients that follow changes, and as many that follow a view.
const FOLLOWERS: u64 = 3;
/// Clients that mean no good.
const JUNK: u64 = 2;
/// All of them.
const CLIENTS: usize = (WRITERS + READERS + 2 * FOLLOWERS + JUNK) as usize;

/// What memory may grow by in the calm, beside a half of what it was: caches that were not full before.
const GROWTH_KB_MAX: u64 = 64 << 10;
/// Descriptors that may be open beside those of before: files of the log.
const DESCRIPTORS_MORE_MAX: usize = 16;

/// What is served.
const PROGRAM: &str = include_str!("library.flin");

/// How long and how much.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Feeds everything random.
    pub seed: u64,
    /// How long clients ask.
    pub time: Duration,
    /// Requests after which it ends before.
    pub requests_max: u64,
}

/// What came of a soak.
#[derive(Debug)]
pub struct Report {
    /// Requests, answers, messages and faults by kind.
    pub counts: Vec<(Group, Vec<(String, u64)>)>,
    /// Memory and descriptors when all rest, before and after the calm.
    pub first: Option<Figures>,
    /// The same at the end.
    pub last: Option<Figures>,
    /// What must not be.
    pub findings: Vec<Finding>,
    /// What could not be tried here.
    pub left_out: Vec<String>,
    /// Where everything is kept, if there are findings.
    pub kept: Option<String>,
}

/// Soaks a server.
///
/// # Errors
/// When it cannot be begun; whatever goes wrong later is a finding.
pub fn soak(options: Options) -> Result<Report, String> {
    let mut ground = Ground::new(options.seed)?;
    let plan = prepare(&ground)?;
    let log = plan.log.clone();
    let world = World::new(options.seed, options.requests_max);
    let mut figures = (None, None);
    if let Err(wrong) = live(&world, &ground, plan, options.time, &mut figures) {
        world.wrong(wrong);
    }
    check_log(&world, &log);
    let mut left_out = Vec::new();
    if !ground.can_be_filled() {
        left_out.push("a full disk: only root can mount a small file system".to_owned());
    }
    let findings = world.findings();
    let kept = (!findings.is_empty()).then(|| ground.keep().display().to_string());
    let groups = [
        Group::Requests,
        Group::Answers,
        Group::Messages,
        Group::Faults,
    ];
    Ok(Report {
        counts: groups.map(|group| (group, world.counted(group))).to_vec(),
        first: figures.0,
        last: figures.1,
        findings,
        left_out,
        kept,
    })
}

fn prepare(ground: &Ground) -> Result<Plan, String> {
    let (source, module) = (ground.file("library.flin"), ground.file("library.fbc"));
    std::fs::write(&source, PROGRAM).map_err(|error| error.to_string())?;
    process::run("flinc", &[&source, Path::new("-o"), &module])?;
    Ok(Plan {
        module,
        data: ground.data(),
        log: ground.file("log"),
    })
}

type BeforeAndAfter = (Option<Figures>, Option<Figures>);

fn live(
    world: &World,
    ground: &Ground,
    plan: Plan,
    time: Duration,
    figures: &mut BeforeAndAfter,
) -> Result<(), String> {
    let data = plan.data.clone();
    let mut storm = Storm::new(world, plan);
    storm.start()?;
    let libraries = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| scope.spawn(move || Writer::new(world, n).run()))
            .collect();
        for n in 0..READERS {
            scope.spawn(move || Reader::new(world, n).run());
        }
        for n in 0..FOLLOWERS {
            scope.spawn(move || Follower::new(world, n).run());
            scope.spawn(move || Viewer::new(world, n).run());
        }
        for n in 0..JUNK {
            scope.spawn(move || Junk::new(world, n).run());
        }
        let weather = weather(world, ground, &mut storm, time, figures);
        if let Err(wrong) = weather {
            world.wrong(wrong);
        }
        world.end();
        let libraries: Vec<Option<Library>> = writers
            .into_iter()
            .map(|writer| writer.join().ok())
            .collect();
        // Followers wait for it.
        let last = Client::new(world).ask("GET", "/api/versions", &[], "").ok();
        let last = last.and_then(|answer| versions(&answer.body));
        if last.is_none() {
            world.wrong("at the end the server does not tell what it holds");
        }
        let _first = world.last.set(last.unwrap_or_default());
        libraries
    });
    let libraries: Option<Vec<Library>> = libraries.into_iter().collect();
    let libraries = libraries.ok_or("a writer panicked")?;
    judge(world, &libraries)?;
    figures.1 = quiet_figures(&mut storm);
    if world.findings().is_empty() {
        check_figures(world, figures);
    }
    storm.stop_in_order()?;
    process::run(
        "flinvm",
        &[
            Path::new("db"),
            Path::new("verify"),
            Path::new("--data"),
            &data,
        ],
    )?;
    storm.start()?;
    judge(world, &libraries)?;
    storm.stop_in_order()
}

// Faults, some time to get warm, a rest; then none but those that clients make.
fn weather(
    world: &World,
    ground: &Ground,
    storm: &mut Storm<'_>,
    time: Duration,
    figures: &mut BeforeAndAfter,
) -> Result<(), String> {
    let start = Instant::now();
    storm.blow(ground, start + time.mul_f64(0.55))?;
    pass_time(world, start + time.mul_f64(0.75));
    world.rest(CLIENTS);
    figures.0 = quiet_figures(storm);
    world.work();
    pass_time(world, start + time);
    match storm.server().and_then(process::Process::is_gone) {
        Some(status) => Err(format!("the server ended by itself: {status}")),
        None => Ok(()),
    }
}

fn pass_time(world: &World, until: Instant) {
    while Instant::now() < until && !world.is_over() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

// When its connections have ended, and what they held is given back.
fn quiet_figures(storm: &mut Storm<'_>) -> Option<Figures> {
    let server = storm.server()?;
    let mut least = server.figures()?;
    let patience = Instant::now() + Duration::from_secs(5);
    let mut still = 0;
    while Instant::now() < patience && still < 20 {
        std::thread::sleep(Duration::from_millis(50));
        let now = server.figures()?;
        still = if now.descriptors < least.descriptors {
            0
        } else {
            still + 1
        };
        least = now;
    }
    Some(least)
}

fn check_figures(world: &World, figures: &BeforeAndAfter) {
    let (Some(first), Some(last)) = figures else {
        return world.wrong("the system does not tell the memory of the server");
    };
    if last.memory_kb > first.memory_kb + first.memory_kb / 2 + GROWTH_KB_MAX {
        world.wrong(format!(
            "memory grew from {} MB to {} MB",
            first.memory_kb >> 10,
            last.memory_kb >> 10
        ));
    }
    if last.descriptors > first.descriptors + DESCRIPTORS_MORE_MAX {
        world.wrong(format!(
            "{} descriptors are open at rest, {} were before",
            last.descriptors, first.descriptors
        ));
    }
}

// Everything that was acknowledged, against everything that is there.
fn judge(world: &World, libraries: &[Library]) -> Result<(), String> {
    let mut client = Client::new(world);
    let mut get = |path: String| -> Result<Value, String> {
        let answer = client.ask("GET", &path, &[], "");
        let answer = answer.map_err(|broken| format!("{path}: {broken:?}"))?;
        if answer.status != 200 {
            return Err(format!("{path}: {} {}", answer.status, answer.body));
        }
        serde_json::from_str(&answer.body).map_err(|error| format!("{path}: {error}"))
    };
    let lost = |checked: Result<(), String>| {
        if let Err(text) = checked {
            world.lost(text);
        }
    };
    for library in libraries {
        let owner = &library.owner;
        lost(library.clone().look_at(&get(format!("/api/of/{owner}"))?));
        lost(library.check_receipts(&get(format!("/api/receipts/{owner}"))?));
        lost(library.check_visits(&get(format!("/api/visits/{owner}"))?));
        for book in library.books.iter().chain(&library.removed) {
            lost(book.check_history(&get(format!("/api/history/{}", book.id))?));
        }
    }
    let odd = |error: serde_json::Error| format!("what is told at the end cannot be read: {error}");
    let shelves: Vec<u64> = from_value(get("/api/shelves".into())?).map_err(odd)?;
    lost(world.ledger.check_shelves(&shelves));
    let seats: Vec<(String, String)> = from_value(get("/api/seats".into())?).map_err(odd)?;
    lost(world.ledger.check_seats(&seats));
    let gates: Vec<(u64, u64)> = from_value(get("/api/gates".into())?).map_err(odd)?;
    lost(world.ledger.check_gates(&gates));
    let all: usize = libraries.iter().map(|library| library.receipts.len()).sum();
    let audit = get("/api/audit".into())?;
    if audit["receipts"].as_u64() != Some(all as u64) {
        world.lost(format!(
            "{all} receipts were acknowledged, the audit says {audit}"
        ));
    }
    // A book stands on a shelf that is there.
    let of_books = libraries.iter().flat_map(|library| &library.books);
    for book in of_books {
        if let Some(shelf) = book.shelf.filter(|shelf| !shelves.contains(shelf)) {
            world.wrong(format!(
                "book {} stands on shelf {shelf}, which is gone",
                book.id
            ));
        }
    }
    Ok(())
}

fn check_log(world: &World, log: &Path) {
    match std::fs::read(log) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let panics: Vec<&str> = text
                .lines()
                .filter(|line| line.contains("panic"))
                .take(3)
                .collect();
            if !panics.is_empty() {
                world.wrong(format!("the log tells of panics:\n{}", panics.join("\n")));
            }
        }
        Err(error) => world.wrong(format!("there is no log: {error}")),
    }
}
