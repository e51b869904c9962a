//! One process, one store: a second open is refused and names the holder.

mod model;

use std::process::{Command, Stdio};
use std::sync::Arc;

use flin_store::{Disk, OpenError, RealDisk, Store, StoreOptions, verify};
use model::{open, schema};

const HOLD: &str = "FLIN_STORE_TEST_HOLD";

fn dir(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("flin-store-lock-{name}-{}", std::process::id()))
}

#[test]
fn twice_in_one_process() {
    let dir = dir("same");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(&dir).expect("directory"));
    let store = open(&disk, StoreOptions::default()).store;
    let again: Arc<dyn Disk> = Arc::new(RealDisk::open(&dir).expect("directory"));
    let holder = format!("process {}", std::process::id());
    match Store::open(again.clone(), &schema(), StoreOptions::default()) {
        Err(OpenError::Locked {
            holder: Some(found),
            ..
        }) => assert_eq!(found, holder),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("opened twice"),
    }
    // Reading is possible all the same, and says who writes.
    let report = verify(again.as_ref()).expect("verified beside the holder");
    assert!(report.is_intact() && report.notes.iter().any(|note| note.contains(&holder)));
    store.close().expect("close");
    Store::open(again, &schema(), StoreOptions::default()).expect("free after close");
    std::fs::remove_dir_all(dir).expect("clean up");
}

/// The other process of the test below; does nothing when the test runner calls it.
#[test]
fn holder() {
    let Ok(dir) = std::env::var(HOLD) else { return };
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(dir.as_ref()).expect("directory"));
    let _store = open(&disk, StoreOptions::default()).store;
    println!("\nholding");
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .expect("wait for the parent");
}

#[test]
fn held_by_another_process() {
    use std::io::{BufRead, BufReader};
    let dir = dir("other");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "holder", "--nocapture"])
        .env(HOLD, &dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let holding = lines.map_while(Result::ok).any(|line| line == "holding");
    assert!(holding, "the child opens the store");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(&dir).expect("directory"));
    let error = Store::open(disk.clone(), &schema(), StoreOptions::default())
        .err()
        .expect("refused");
    assert_eq!(
        error.to_string(),
        format!(
            "the data directory {} is in use by process {}. Stop it first, or use another directory",
            dir.display(),
            child.id()
        )
    );
    child.kill().expect("kill");
    child.wait().expect("end");
    Store::open(disk, &schema(), StoreOptions::default()).expect("a killed holder holds nothing");
    std::fs::remove_dir_all(dir).expect("clean up");
}

/// Another name for the directory, and another directory that shares the active segment.
#[test]
fn other_ways_to_the_same_files() {
    let dir = dir("ways");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(&dir).expect("directory"));
    let _store = open(&disk, StoreOptions::default()).store;
    let (alias, linked) = (dir.with_extension("alias"), dir.with_extension("linked"));
    std::os::unix::fs::symlink(&dir, &alias).expect("a symbolic link");
    std::fs::create_dir(&linked).expect("a directory");
    std::fs::hard_link(dir.join("wal.log"), linked.join("wal.log")).expect("a hard link");
    for way in [&alias, &linked] {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(way).expect("directory"));
        match Store::open(disk, &schema(), StoreOptions::default()) {
            Err(OpenError::Locked { .. }) => {}
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{} was opened beside the first", way.display()),
        }
    }
    std::fs::remove_file(alias).expect("clean up");
    std::fs::remove_dir_all(linked).expect("clean up");
    std::fs::remove_dir_all(dir).expect("clean up");
}

// The server keeps the key of its pages beside the data, for itself alone: whoever may read the log may still ask how large it
// is. (Root may open everything; whoever runs this as somebody else sees what was wrong.)
#[test]
fn stats_do_not_open_the_files_of_others() {
    use std::os::unix::fs::PermissionsExt;
    let dir = dir("private");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(&dir).expect("directory"));
    open(&disk, StoreOptions::default())
        .store
        .close()
        .expect("close");
    let key = dir.join("page.key");
    std::fs::write(&key, "secret").expect("a file");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o000)).expect("nobody's");
    let stats = flin_store::stats(disk.as_ref(), &mut |_| ()).expect("stats");
    let named = stats.files.iter().find(|file| file.name == "page.key");
    assert_eq!(named.map(|file| file.bytes), Some(6));
    std::fs::remove_dir_all(dir).expect("clean up");
}
