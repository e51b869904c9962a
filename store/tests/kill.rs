//! A real process on a real directory is killed with SIGKILL at random moments, again and again; everything it was told
//! to be committed is there afterwards, and nothing is there twice.
//!
//! This shows the process boundary and the locks, not power failures: those are in `crash.rs`.

mod model;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use flin_store::{CommitOutcome, Disk, EntityId, FieldValue, RealDisk, StoreOptions, verify};
use flin_testkit::rng::Rng;
use model::{NOTE, commit, note, open};

const DIR: &str = "FLIN_STORE_TEST_KILL";
const ROUNDS: u64 = 12;

fn options() -> StoreOptions {
    StoreOptions {
        segment_bytes_min: 64 << 10,
        segment_bytes_max: 256 << 10,
        ..StoreOptions::default()
    }
}

fn disk(dir: &Path) -> Arc<dyn Disk> {
    Arc::new(RealDisk::open(dir).expect("directory"))
}

/// The process that is killed; does nothing when the test runner calls it. Each commit inserts a note and adds 1 to
/// note 1; each acknowledged one is printed.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let store = open(&disk(dir.as_ref()), options()).store;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let mut transaction = store.begin();
                    let counter = transaction
                        .get(NOTE, EntityId(1))
                        .expect("read")
                        .expect("there");
                    let FieldValue::Int(count) = counter.fields[1] else {
                        panic!("size is an int")
                    };
                    transaction
                        .update(NOTE, EntityId(1), note("counter", count + 1))
                        .expect("update");
                    let id = transaction
                        .insert(NOTE, note("written by a process that is killed", count))
                        .expect("insert");
                    match store.commit_wait(transaction, None) {
                        CommitOutcome::Committed { .. } => println!("\nack {id}"),
                        CommitOutcome::Clash => {}
                        other => panic!("{other}"),
                    }
                }
            });
        }
    });
}

#[test]
fn acknowledged_commits_survive_kill_9() {
    let dir = std::env::temp_dir().join(format!("flin-store-kill-{}", std::process::id()));
    let store = open(&disk(&dir), options()).store;
    let mut transaction = store.begin();
    transaction
        .insert(NOTE, note("counter", 0))
        .expect("insert");
    commit(&store, transaction);
    drop(store);
    let mut rng = Rng::new(9);
    let mut acknowledged: Vec<EntityId> = Vec::new();
    for _ in 0..ROUNDS {
        acknowledged.extend(run_and_kill(
            &dir,
            Duration::from_millis(20 + rng.below(120) as u64),
        ));
        let report = verify(disk(&dir).as_ref()).expect("verify");
        assert!(report.is_intact(), "{report}");
        let store = open(&disk(&dir), options()).store;
        let snapshot = store.snapshot();
        for id in &acknowledged {
            assert!(
                snapshot.get(NOTE, *id).expect("read").is_some(),
                "note {id} was acknowledged"
            );
        }
        let counter = snapshot
            .get(NOTE, EntityId(1))
            .expect("read")
            .expect("there");
        let notes = snapshot.count(NOTE).expect("count") - 1;
        assert_eq!(
            counter.fields[1],
            FieldValue::Int(notes as i64),
            "whole transactions only"
        );
        assert_eq!(report.counts.transactions, notes + 1);
        assert!(notes as usize >= acknowledged.len());
    }
    assert!(
        !acknowledged.is_empty(),
        "the children must get something done"
    );
    std::fs::remove_dir_all(dir).expect("clean up");
}

fn run_and_kill(dir: &Path, after: Duration) -> Vec<EntityId> {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("start");
    let output = child.stdout.take().expect("its output");
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        let ids = lines.filter_map(|line| line.strip_prefix("ack ")?.parse().ok().map(EntityId));
        ids.collect::<Vec<_>>()
    });
    std::thread::sleep(after);
    child.kill().expect("kill");
    child.wait().expect("end");
    reader.join().expect("read")
}
