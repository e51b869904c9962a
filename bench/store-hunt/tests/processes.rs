//! Real processes on real directories: killed, failed by `strace`, on a disk that fills up.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flin_store::{CommitOutcome, EntityId, FieldValue, RealDisk, Store, StoreOptions, verify};
use flin_store_hunt::attack;
use flin_store_hunt::model::{NOTE, schema};

const PROGRAM: &str = env!("CARGO_BIN_EXE_flin-store-hunt");

/// A directory of its own, removed when the test passes.
fn directory(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("flin-store-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a temporary directory");
    dir
}

#[test]
fn killed_under_64_writers() {
    let dir = directory("killed");
    let (told, found) = attack::kill(Path::new(PROGRAM), &dir, 6, 11).expect("nothing is lost");
    assert!(
        told > 0 && found >= told,
        "{told} acknowledged, {found} found"
    );
    std::fs::remove_dir_all(dir).expect("clean up");
}

/// One call of a kind fails, as `strace` decides: the writers hear it, the process ends, and nothing acknowledged is lost.
fn fails(call: &str, error: &str, when: u32) {
    let dir = directory(&format!("{call}-{error}-{when}"));
    attack::prepare(&dir).expect("a store");
    let mut child = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &format!("trace={call}"),
        ])
        .args(["-e", &format!("inject={call}:error={error}:when={when}")])
        .args([PROGRAM, "writer"])
        .arg(&dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace is installed (cargo xtask test installs it: apt-get install strace)");
    let output = child.stdout.take().expect("its output");
    let reader = std::thread::spawn(move || attack::acknowledgements(output));
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > Duration::from_secs(30) {
            child.kill().expect("kill");
            panic!("{call} {error} {when}: the writers go on although a call failed");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let acknowledged = reader.join().expect("its lines");
    let ended = child.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(
        ended.status.code(),
        Some(75),
        "{call} {error} {when}: {said}"
    );
    assert!(
        said.contains("it is not known whether the transaction was written"),
        "{call} {error} {when}: {said}"
    );
    attack::judge(&dir, &acknowledged)
        .unwrap_or_else(|wrong| panic!("{call} {error} {when}: {wrong}"));
    std::fs::remove_dir_all(dir).expect("clean up");
}

#[test]
fn a_sync_or_a_write_that_fails() {
    for when in [2, 9] {
        fails("fdatasync", "EIO", when);
    }
    fails("pwrite64", "EIO", 6);
    fails("pwrite64", "ENOSPC", 9);
}

/// A file system of its own, unmounted at the end.
struct Mounted(PathBuf);

impl Mounted {
    fn small(name: &str, megabytes: u32) -> Mounted {
        let dir = directory(name);
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(&dir)
            .output()
            .expect("mount can be started");
        assert!(
            mounted.status.success(),
            "this test fills a small file system; mounting one needs root (or CAP_SYS_ADMIN): {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Mounted(dir)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.0.display());
        }
        let _removed = std::fs::remove_dir(&self.0).is_ok();
    }
}

fn insert(store: &Store, number: i64) -> (EntityId, CommitOutcome) {
    let mut transaction = store.begin();
    let fields = vec![
        FieldValue::text("until the disk is full ".repeat(30)),
        FieldValue::Int(number),
        FieldValue::None,
    ];
    let id = transaction.insert(NOTE, fields).expect("insert");
    (id, store.commit_wait(transaction, None))
}

#[test]
fn until_the_disk_is_full_and_again_when_there_is_room() {
    let mounted = Mounted::small("full", 3);
    std::fs::write(mounted.0.join("filler"), vec![7; 1 << 20]).expect("something else on the disk");
    let dir = mounted.0.join("data");
    let options = StoreOptions {
        segment_bytes_min: 256 << 10,
        segment_bytes_max: 512 << 10,
        ..StoreOptions::default()
    };
    let disk = || Arc::new(RealDisk::open(&dir).expect("the directory"));
    let store = Store::open(disk(), &schema(), options.clone())
        .expect("open")
        .store;
    let mut kept = Vec::new();
    let mut number = 0;
    let refused = loop {
        number += 1;
        match insert(&store, number) {
            (id, CommitOutcome::Committed { .. }) => kept.push((id, number)),
            (_, other) => break other,
        }
    };
    assert!(matches!(refused, CommitOutcome::StorageFull), "{refused}");
    assert!(kept.len() > 500, "only {} fit", kept.len());
    let reads = |store: &Store, kept: &[(EntityId, i64)]| {
        let snapshot = store.snapshot();
        for (id, number) in kept {
            let record = snapshot.get(NOTE, *id).expect("readable").expect("there");
            assert_eq!(record.fields[1], FieldValue::Int(*number));
        }
    };
    reads(&store, &kept);
    // What destroys is still taken.
    let (gone, _) = kept.remove(0);
    let mut transaction = store.begin();
    transaction.destroy(NOTE, gone).expect("destroy");
    let outcome = store.commit_wait(transaction, None);
    assert!(
        matches!(outcome, CommitOutcome::Committed { .. }),
        "{outcome}"
    );
    // A process that starts on the full disk serves.
    drop(store);
    let store = Store::open(disk(), &schema(), options.clone())
        .expect("opens while full")
        .store;
    reads(&store, &kept);
    std::fs::remove_file(mounted.0.join("filler")).expect("room");
    let start = Instant::now();
    let after = loop {
        number += 1;
        match insert(&store, number) {
            (id, CommitOutcome::Committed { .. }) => break (id, number),
            (_, CommitOutcome::StorageFull) if start.elapsed() < Duration::from_secs(20) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            (_, other) => panic!("there is room again, but: {other}"),
        }
    };
    kept.push(after);
    reads(&store, &kept);
    store.close().expect("close");
    drop(store);
    assert!(verify(disk().as_ref()).expect("verify").is_intact());
    let store = Store::open(disk(), &schema(), options).expect("open").store;
    reads(&store, &kept);
    assert_eq!(
        store.snapshot().count(NOTE).expect("count"),
        kept.len() as u64
    );
}
