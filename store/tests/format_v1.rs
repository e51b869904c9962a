//! The files of all layouts, kept for ever: every later version must read them exactly so.
//!
//! `tests/data/v1/` was written by the first version of this crate, with headers of 64 bytes; `tests/data/v1-compact/` since
//! numbers take the bytes they need. Neither is ever written again. A new format gets a new folder. `BLESS=1` makes the newest
//! folder only where it is missing.

mod model;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flin_store::{
    CommitOutcome, Deleted, Disk, EntityId, FieldDef, FieldType, FieldValue, MemoryDisk, OnDelete,
    Schema, SimDisk, Store, StoreOptions, TypeDef, TypeIx, verify,
};
use flin_testkit::golden;

const FILES: [&str; 3] = ["MANIFEST", "wal-000000000001.log", "wal.log"];

/// What the store writes today.
const NEWEST: &str = "v1-compact";
const ALL: [&str; 2] = ["v1", NEWEST];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn schema() -> Schema {
    let types = [
        ("flag", FieldType::Bool),
        ("number", FieldType::Int),
        ("ratio", FieldType::Float),
        ("title", FieldType::Text),
        ("at", FieldType::Time),
        ("lasts", FieldType::Duration),
        ("raw", FieldType::Bytes),
        ("other", FieldType::Ref("All".into())),
        ("state", FieldType::Enum("Status".into())),
        ("items", FieldType::List(Box::new(FieldType::Int))),
        ("pairs", FieldType::Map(Box::new(FieldType::Text))),
        ("anything", FieldType::Any),
    ];
    let mut fields: Vec<FieldDef> = types
        .into_iter()
        .map(|(name, ty)| FieldDef::new(name, ty))
        .collect();
    fields[3].unique = true;
    fields[7].on_delete = OnDelete::Cascade;
    Schema {
        types: vec![
            TypeDef {
                name: "All".into(),
                fields,
                ..TypeDef::default()
            },
            TypeDef {
                name: "Small".into(),
                fields: vec![FieldDef::new("text", FieldType::Text).required()],
                ..TypeDef::default()
            },
        ],
        ..Schema::default()
    }
}

fn options() -> StoreOptions {
    StoreOptions {
        segment_bytes_min: 8192,
        segment_bytes_max: 8192,
        ..StoreOptions::inline()
    }
}

/// A value of every kind.
fn one_of_each(first: EntityId) -> Vec<FieldValue> {
    vec![
        FieldValue::Bool(true),
        FieldValue::Int(-42),
        FieldValue::Float(0.5),
        FieldValue::text("a title that grep finds: \u{e4}\u{1F600}"),
        FieldValue::Time(1_700_000_000_123),
        FieldValue::Duration(90_000),
        FieldValue::Bytes(vec![0, 1, 254, 255].into()),
        FieldValue::Ref {
            ty: TypeIx(0),
            id: first,
        },
        FieldValue::Enum {
            name: "Status".into(),
            variant: "Open".into(),
            payload: vec![FieldValue::Int(1)],
        },
        FieldValue::List(vec![
            FieldValue::Int(1),
            FieldValue::None,
            FieldValue::Int(3),
        ]),
        FieldValue::Map(vec![
            ("b".into(), FieldValue::text("B")),
            ("a".into(), FieldValue::text("A")),
        ]),
        FieldValue::Map(vec![(
            "deep".into(),
            FieldValue::List(vec![FieldValue::Bool(false)]),
        )]),
    ]
}

/// Writes the files that stand in the folder: every kind of value, frame and record.
fn write() -> SimDisk {
    let disk = SimDisk::new(1);
    let store = Store::open(Arc::new(disk.clone()), &schema(), options())
        .expect("open")
        .store;
    let commit = |transaction, request: Option<u8>| {
        disk.set_clock_ms(disk.now_ms() + 1234);
        let request = request.map(|byte| flin_store::RequestId([byte; 16]));
        let outcome = store.commit_wait(transaction, request);
        assert!(
            matches!(outcome, CommitOutcome::Committed { .. }),
            "{outcome}"
        );
    };
    let mut transaction = store.begin();
    let nothing = vec![FieldValue::None; 12];
    let first = transaction.insert(TypeIx(0), nothing).expect("insert");
    let all = one_of_each(first);
    let second = transaction.insert(TypeIx(0), all.clone()).expect("insert");
    commit(transaction, Some(0xAB));
    let mut transaction = store.begin();
    let mut changed = all;
    changed[1] = FieldValue::Int(43);
    transaction
        .update(TypeIx(0), second, changed)
        .expect("update");
    for at in 0..3 {
        transaction
            .insert(TypeIx(1), vec![FieldValue::text(format!("small {at}"))])
            .expect("insert");
    }
    commit(transaction, None);
    for at in 0..8 {
        let mut transaction = store.begin();
        let id = transaction
            .insert(
                TypeIx(1),
                vec![FieldValue::text(format!("{at} {}", "filling ".repeat(30)))],
            )
            .expect("insert");
        if at % 4 == 1 {
            transaction
                .delete(TypeIx(1), EntityId(id.0 - 1))
                .expect("delete");
        }
        if at % 4 == 3 {
            transaction
                .restore(TypeIx(1), EntityId(id.0 - 3))
                .expect("restore");
        }
        commit(transaction, None);
    }
    let mut transaction = store.begin();
    transaction
        .destroy(TypeIx(1), EntityId(2))
        .expect("destroy");
    commit(transaction, None);
    store.close().expect("close");
    disk
}

/// A folder's files on a memory disk.
fn stored(kept: &str) -> Arc<dyn Disk> {
    let disk = MemoryDisk::new();
    for name in FILES {
        let path = folder(kept).join(name);
        let bytes =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        disk.create(name, bytes.len() as u64)
            .expect("create")
            .write_at(0, &bytes)
            .expect("write");
    }
    Arc::new(disk)
}

fn describe(store: &Store) -> String {
    let snapshot = store.snapshot();
    let mut text = format!("head {}\n", store.head());
    for (at, ty) in store.schema().types.iter().enumerate() {
        for record in snapshot.scan(TypeIx(at as u32), Deleted::Include) {
            let id = record.expect("scan").id;
            for one in snapshot.history(TypeIx(at as u32), id).expect("history") {
                writeln!(
                    text,
                    "{} {id} version {} lsn {} created {} updated {} deleted {:?}\n  {:?}",
                    ty.name,
                    one.version,
                    one.lsn,
                    one.created_at_ms,
                    one.updated_at_ms,
                    one.deleted_at_ms,
                    one.fields
                )
                .expect("write");
            }
        }
    }
    text
}

#[test]
fn every_layout_is_read_exactly() {
    if golden::blessing() && !folder(NEWEST).exists() {
        std::fs::create_dir_all(folder(NEWEST)).expect("folder");
        let disk = write();
        assert_eq!(disk.all_names(), FILES, "the files of a closed store");
        for name in FILES {
            let path = folder(NEWEST).join(name);
            std::fs::write(path, disk.bytes(name).expect("bytes")).expect("write");
        }
    }
    for kept in ALL {
        let disk = stored(kept);
        let report = verify(disk.as_ref()).expect("verify");
        let store = Store::open(disk, &schema(), options()).expect("open").store;
        golden::check(
            &folder(kept).join("content.txt"),
            &format!("{report}\n{}", describe(&store)),
        );
    }
}

/// A log of the first layout goes on in a segment of the newest one; what is old is read as before.
#[test]
fn a_log_of_the_first_layout_goes_on() {
    let disk = stored("v1");
    let store = Store::open(disk.clone(), &schema(), options())
        .expect("open")
        .store;
    let before = describe(&store);
    let mut transaction = store.begin();
    let text = FieldValue::text("written by a newer program");
    let id = transaction
        .insert(TypeIx(1), vec![text.clone()])
        .expect("insert");
    transaction
        .update(TypeIx(1), EntityId(1), vec![text])
        .expect("update");
    assert!(matches!(
        store.commit_wait(transaction, None),
        CommitOutcome::Committed { .. }
    ));
    store.close().expect("close");
    drop(store);
    assert!(verify(disk.as_ref()).expect("verify").is_intact());
    let store = Store::open(disk, &schema(), options())
        .expect("open again")
        .store;
    let snapshot = store.snapshot();
    assert_eq!(snapshot.history(TypeIx(1), id).expect("history").len(), 1);
    let versions = snapshot.history(TypeIx(1), EntityId(1)).expect("history");
    assert!(
        versions.len() > 1 && versions.last().map(|one| one.version) == Some(versions.len() as u32)
    );
    let after = describe(&store);
    let old = |text: &str| {
        text.lines()
            .filter(|line| line.starts_with("All "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(old(&after), old(&before));
}

/// The same program writes the same bytes today. When this fails the format has changed: that needs a new version, a
/// new folder, and reading of the old one.
#[test]
fn the_bytes_written_today_are_those_kept() {
    let disk = write();
    for name in FILES {
        let kept = std::fs::read(folder(NEWEST).join(name)).expect("the kept file");
        let written = disk.bytes(name).expect("written");
        let differs = kept
            .iter()
            .zip(&written)
            .position(|(left, right)| left != right);
        assert!(
            kept == written,
            "{name} differs from byte {differs:?} ({} and {} bytes)",
            kept.len(),
            written.len()
        );
    }
}
